// Stubs of the interface `tally`, made by `hallows interface stubs`: change that, not this.
//! A count that one server after another goes on with.
#![allow(
    clippy::type_complexity,
    clippy::result_unit_err,
    reason = "types are as the interface has them"
)]
use hallows_sdk::stub;
/// What its authors call the interface.
pub const NAME: &str = "tally";
/// The interface's identity: `c2c70a56e72f48099fd279e165ab121c903e6d7aa447393707cc7831fb6ac86c`.
pub const HASH: [u8; 32] = [
    0xc2, 0xc7, 0x0a, 0x56, 0xe7, 0x2f, 0x48, 0x09, 0x9f, 0xd2, 0x79, 0xe1, 0x65, 0xab,
    0x12, 0x1c, 0x90, 0x3e, 0x6d, 0x7a, 0xa4, 0x47, 0x39, 0x37, 0x07, 0xcc, 0x78, 0x31,
    0xfb, 0x6a, 0xc8, 0x6c,
];
/// The longest request, in bytes.
pub const REQUEST_BYTES: usize = 4;
/// The longest answer, in bytes.
pub const REPLY_BYTES: usize = 13;
pub(crate) mod tag {
    //! What requests call the functions.
    pub(crate) const ADD: u32 = 0x132102ef;
    pub(crate) const LOOK: u32 = 0xa2dbdc42;
}
/// Who counts, and how far it has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// Of the server.
    pub version: u32,
    /// What this server has counted.
    pub count: u64,
}
impl<'m> stub::Value<'m> for Standing {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&self.version, encoder)?;
        stub::Value::put(&self.count, encoder)?;
        Some(())
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        Some(Self {
            version: stub::Value::take(decoder)?,
            count: stub::Value::take(decoder)?,
        })
    }
}
/// A client of `tally`.
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
    /// Counts one more.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn add(&self, deadline: stub::Deadline) -> Result<Standing, stub::Error> {
        stub::Call::<0, 0>::new(tag::ADD, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 13])
    }
    /// Only looks.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn look(&self, deadline: stub::Deadline) -> Result<Standing, stub::Error> {
        stub::Call::<0, 0>::new(tag::LOOK, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 13])
    }
}
impl<C: stub::AsyncCaller> Client<C> {
    /// Counts one more.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn add_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<Standing, stub::Error> {
        stub::Call::<0, 0>::new(tag::ADD, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 13])
            .await
    }
    /// Only looks.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn look_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<Standing, stub::Error> {
        stub::Call::<0, 0>::new(tag::LOOK, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 13])
            .await
    }
}
impl<C: stub::Sender> Client<C> {
    /// Sends a call of `add`; its answer comes as an event, for `add_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn add_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::ADD, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 13)
    }
    /// Sends a call of `look`; its answer comes as an event, for `look_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn look_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::LOOK, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 13)
    }
}
impl Client {
    /// The answer to `add_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn add_answer(received: stub::Received<'_>) -> Result<Standing, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `look_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn look_answer(received: stub::Received<'_>) -> Result<Standing, stub::Error> {
        stub::answered(received)
    }
}
/// A server of `tally`.
pub trait Service {
    /// Counts one more.
    fn add(&mut self, client: stub::Client) -> Standing;
    /// Only looks.
    fn look(&mut self, client: stub::Client) -> Standing;
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
        tag::ADD => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.add(request.client());
            request.answer::<0, _>(&result)
        }
        tag::LOOK => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.look(request.client());
            request.answer::<0, _>(&result)
        }
        _ => request.unknown(),
    }
}
pub mod later {
    //! What stands for the functions where they are answered later.
    /// `add`
    #[derive(Clone, Copy, Debug)]
    pub enum Add {}
    /// `look`
    #[derive(Clone, Copy, Debug)]
    pub enum Look {}
}
impl stub::Function for later::Add {
    type Answer<'m> = Standing;
}
impl stub::Function for later::Look {
    type Answer<'m> = Standing;
}
/// An active server of `tally` that answers when it can: each function is given the answer that it owes.
pub trait LaterService {
    /// Counts one more.
    fn add(&mut self, later: stub::Later<later::Add>, client: stub::Client);
    /// Only looks.
    fn look(&mut self, later: stub::Later<later::Look>, client: stub::Client);
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
        tag::ADD => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.add(request.later(token), request.client());
            request.deferred()
        }
        tag::LOOK => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.look(request.later(token), request.client());
            request.deferred()
        }
        _ => request.unknown(),
    }
}
