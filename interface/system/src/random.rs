// Stubs of the interface `random`, made by `hallows interface stubs`: change that, not this.
//! Random numbers, good enough for keys.
#![allow(
    clippy::type_complexity,
    clippy::result_unit_err,
    reason = "types are as the interface has them"
)]
use hallows_sdk::stub;
/// What its authors call the interface.
pub const NAME: &str = "random";
/// The interface's identity: `aedbfc97c5d6798af25f1a52eebd5f40528782ac2221ccf8295a007c38c0b797`.
pub const HASH: [u8; 32] = [
    0xae, 0xdb, 0xfc, 0x97, 0xc5, 0xd6, 0x79, 0x8a, 0xf2, 0x5f, 0x1a, 0x52, 0xee, 0xbd,
    0x5f, 0x40, 0x52, 0x87, 0x82, 0xac, 0x22, 0x21, 0xcc, 0xf8, 0x29, 0x5a, 0x00, 0x7c,
    0x38, 0xc0, 0xb7, 0x97,
];
/// The longest request, in bytes.
pub const REQUEST_BYTES: usize = 8;
pub(crate) mod tag {
    //! What requests call the functions.
    pub(crate) const BYTES: u32 = 0x3c160ce6;
    pub(crate) const NUMBER: u32 = 0xb46ff544;
}
/// A client of `random`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client<C = stub::Endpoint>(
    /// What it calls through.
    pub C,
);
impl stub::Interface for Client {
    const NAME: &'static str = NAME;
    const HASH: [u8; 32] = HASH;
    fn through(endpoint: stub::Endpoint) -> Self {
        Self(endpoint)
    }
}
impl<C: stub::Caller> Client<C> {
    /// So many random bytes, or as many as one answer can hold.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn bytes<'m>(
        &self,
        most: u32,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<&'m [u8], stub::Error> {
        stub::Call::<0, 0>::new(tag::BYTES, deadline).within(&self.0, &(most,), room)
    }
    /// A random number.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn number(&self, deadline: stub::Deadline) -> Result<u64, stub::Error> {
        stub::Call::<0, 0>::new(tag::NUMBER, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 9])
    }
}
impl<C: stub::AsyncCaller> Client<C> {
    /// So many random bytes, or as many as one answer can hold.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn bytes_async<'m>(
        &self,
        most: u32,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<&'m [u8], stub::Error> {
        stub::Call::<0, 0>::new(tag::BYTES, deadline)
            .within_async(&self.0, &(most,), room)
            .await
    }
    /// A random number.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn number_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<u64, stub::Error> {
        stub::Call::<0, 0>::new(tag::NUMBER, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 9])
            .await
    }
}
impl<C: stub::Sender> Client<C> {
    /// Sends a call of `bytes`; its answer comes as an event, for `bytes_answer`. The answer has at most `answer_most` bytes.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn bytes_send(
        &self,
        most: u32,
        answer_most: u32,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::BYTES, stub::Deadline::NEVER)
            .send(&self.0, &(most,), &mut [0; 8], answer_most)
    }
    /// Sends a call of `number`; its answer comes as an event, for `number_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn number_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::NUMBER, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 9)
    }
}
impl Client {
    /// The answer to `bytes_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn bytes_answer<'m>(
        received: stub::Received<'m>,
    ) -> Result<&'m [u8], stub::Error> {
        stub::answered(received)
    }
    /// The answer to `number_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn number_answer(received: stub::Received<'_>) -> Result<u64, stub::Error> {
        stub::answered(received)
    }
}
/// A server of `random`.
pub trait Service {
    /// So many random bytes, or as many as one answer can hold.
    fn bytes(&mut self, client: stub::Client, most: u32) -> &[u8];
    /// A random number.
    fn number(&mut self, client: stub::Client) -> u64;
}
/// Hands a message to a server, and makes its answer.
#[inline]
pub fn serve<'m>(
    server: &'m mut impl Service,
    message: stub::Message<'m>,
) -> stub::Answer<'m> {
    let mut request = match stub::Request::open(message) {
        Ok(request) => request,
        Err(answer) => return answer,
    };
    match request.tag() {
        tag::BYTES => {
            let Some((most,)) = request.parameters::<(u32,)>() else {
                return request.malformed()
            };
            let result = server.bytes(request.client(), most);
            request.answer::<0, _>(&result)
        }
        tag::NUMBER => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.number(request.client());
            request.answer::<0, _>(&result)
        }
        _ => request.unknown(),
    }
}
pub mod later {
    //! What stands for the functions where they are answered later.
    /// `bytes`
    #[derive(Clone, Copy, Debug)]
    pub enum Bytes {}
    /// `number`
    #[derive(Clone, Copy, Debug)]
    pub enum Number {}
}
impl stub::Function for later::Bytes {
    type Answer<'m> = &'m [u8];
}
impl stub::Function for later::Number {
    type Answer<'m> = u64;
}
/// An active server of `random` that answers when it can: each function is given the answer that it owes.
pub trait LaterService {
    /// So many random bytes, or as many as one answer can hold.
    fn bytes(
        &mut self,
        later: stub::Later<later::Bytes>,
        client: stub::Client,
        most: u32,
    );
    /// A random number.
    fn number(&mut self, later: stub::Later<later::Number>, client: stub::Client);
}
/// Hands a message to a server that answers when it can.
pub fn serve_later<'m>(
    server: &mut impl LaterService,
    message: stub::Message<'m>,
) -> stub::Answer<'m> {
    let token = message.token;
    let mut request = match stub::Request::open(message) {
        Ok(request) => request,
        Err(answer) => return answer,
    };
    match request.tag() {
        tag::BYTES => {
            let Some((most,)) = request.parameters::<(u32,)>() else {
                return request.malformed()
            };
            server.bytes(request.later(token), request.client(), most);
            request.deferred()
        }
        tag::NUMBER => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.number(request.later(token), request.client());
            request.deferred()
        }
        _ => request.unknown(),
    }
}
