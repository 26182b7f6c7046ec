// Stubs of the interface `console`, made by `hallows interface stubs`: change that, not this.
//! A stream of bytes in, or out, or both: a terminal, a pipe, or whatever stands for one.
#![allow(
    clippy::type_complexity,
    clippy::result_unit_err,
    reason = "types are as the interface has them"
)]
use hallows_sdk::stub;
/// What its authors call the interface.
pub const NAME: &str = "console";
/// The interface's identity: `6467d23b8f7915fe465e313de7057af03401ce849dc14717031ba6bb8843f48a`.
pub const HASH: [u8; 32] = [
    0x64, 0x67, 0xd2, 0x3b, 0x8f, 0x79, 0x15, 0xfe, 0x46, 0x5e, 0x31, 0x3d, 0xe7, 0x05,
    0x7a, 0xf0, 0x34, 0x01, 0xce, 0x84, 0x9d, 0xc1, 0x47, 0x17, 0x03, 0x1b, 0xa6, 0xbb,
    0x88, 0x43, 0xf4, 0x8a,
];
pub(crate) mod tag {
    //! What requests call the functions.
    pub(crate) const WRITE: u32 = 0xe7960fe9;
    pub(crate) const READ: u32 = 0xbda254ad;
    pub(crate) const AWAIT_INPUT: u32 = 0xef1dac48;
    pub(crate) const IS_TERMINAL: u32 = 0x51757cf4;
}
/// Why no bytes went or came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Refusal {
    /// Nobody reads, or nobody writes, at the other end any more.
    Closed = 0,
    /// More than one request may ask for.
    TooLong = 1,
    /// What takes the bytes is full.
    NoSpace = 2,
    /// It is for the other direction.
    NotPermitted = 3,
    /// It is a directory, which gives no bytes.
    IsDirectory = 4,
    /// Whatever else went wrong.
    InputOutput = 5,
}
impl Refusal {
    /// Every case, in order.
    pub const ALL: [Self; 6] = [
        Self::Closed,
        Self::TooLong,
        Self::NoSpace,
        Self::NotPermitted,
        Self::IsDirectory,
        Self::InputOutput,
    ];
}
impl<'m> stub::Value<'m> for Refusal {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&(*self as u8), encoder)
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        <u8 as stub::Value>::take(decoder)
            .and_then(|number| Self::ALL.get(usize::from(number)).copied())
    }
}
/// A client of `console`.
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
    /// Writes bytes; gives how many were taken from the front, at least one of those that there were.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn write(
        &self,
        bytes: &[u8],
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<u32, Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::WRITE, deadline).within(&self.0, &(bytes,), room)
    }
    /// Reads bytes, at most so many. It waits until there is at least one; none means that no more will come.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn read<'m>(
        &self,
        most: u32,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<&'m [u8], Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::READ, deadline).within(&self.0, &(most,), room)
    }
    /// Waits until there is something to read, or nothing will come any more, for so many nanoseconds at most; whether there is.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn await_input(
        &self,
        most: u64,
        deadline: stub::Deadline,
    ) -> Result<Result<bool, Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::AWAIT_INPUT, deadline)
            .between(&self.0, &(most,), &mut [0; 12], &mut [0; 3])
    }
    /// Whether a person sits at the other end.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn is_terminal(&self, deadline: stub::Deadline) -> Result<bool, stub::Error> {
        stub::Call::<0, 0>::new(tag::IS_TERMINAL, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 2])
    }
}
impl<C: stub::AsyncCaller> Client<C> {
    /// Writes bytes; gives how many were taken from the front, at least one of those that there were.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn write_async(
        &self,
        bytes: &[u8],
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<u32, Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::WRITE, deadline)
            .within_async(&self.0, &(bytes,), room)
            .await
    }
    /// Reads bytes, at most so many. It waits until there is at least one; none means that no more will come.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn read_async<'m>(
        &self,
        most: u32,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<&'m [u8], Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::READ, deadline)
            .within_async(&self.0, &(most,), room)
            .await
    }
    /// Waits until there is something to read, or nothing will come any more, for so many nanoseconds at most; whether there is.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn await_input_async(
        &self,
        most: u64,
        deadline: stub::Deadline,
    ) -> Result<Result<bool, Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::AWAIT_INPUT, deadline)
            .between_async(&self.0, &(most,), &mut [0; 12], &mut [0; 3])
            .await
    }
    /// Whether a person sits at the other end.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn is_terminal_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<bool, stub::Error> {
        stub::Call::<0, 0>::new(tag::IS_TERMINAL, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 2])
            .await
    }
}
impl<C: stub::Sender> Client<C> {
    /// Sends a call of `write`; its answer comes as an event, for `write_answer`. `request` is for the message.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn write_send(
        &self,
        bytes: &[u8],
        request: &mut [u8],
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::WRITE, stub::Deadline::NEVER)
            .send(&self.0, &(bytes,), request, 6)
    }
    /// Sends a call of `read`; its answer comes as an event, for `read_answer`. The answer has at most `answer_most` bytes.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn read_send(
        &self,
        most: u32,
        answer_most: u32,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::READ, stub::Deadline::NEVER)
            .send(&self.0, &(most,), &mut [0; 8], answer_most)
    }
    /// Sends a call of `await-input`; its answer comes as an event, for `await_input_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn await_input_send(&self, most: u64) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::AWAIT_INPUT, stub::Deadline::NEVER)
            .send(&self.0, &(most,), &mut [0; 12], 3)
    }
    /// Sends a call of `is-terminal`; its answer comes as an event, for `is_terminal_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn is_terminal_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::IS_TERMINAL, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 2)
    }
}
impl Client {
    /// The answer to `write_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn write_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<u32, Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `read_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn read_answer<'m>(
        received: stub::Received<'m>,
    ) -> Result<Result<&'m [u8], Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `await_input_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn await_input_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<bool, Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `is_terminal_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn is_terminal_answer(
        received: stub::Received<'_>,
    ) -> Result<bool, stub::Error> {
        stub::answered(received)
    }
}
/// A server of `console`.
pub trait Service {
    /// Writes bytes; gives how many were taken from the front, at least one of those that there were.
    fn write(&mut self, client: stub::Client, bytes: &[u8]) -> Result<u32, Refusal>;
    /// Reads bytes, at most so many. It waits until there is at least one; none means that no more will come.
    fn read(&mut self, client: stub::Client, most: u32) -> Result<&[u8], Refusal>;
    /// Waits until there is something to read, or nothing will come any more, for so many nanoseconds at most; whether there is.
    fn await_input(&mut self, client: stub::Client, most: u64) -> Result<bool, Refusal>;
    /// Whether a person sits at the other end.
    fn is_terminal(&mut self, client: stub::Client) -> bool;
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
        tag::WRITE => {
            let Some((bytes,)) = request.parameters::<(&[u8],)>() else {
                return request.malformed()
            };
            let result = server.write(request.client(), bytes);
            request.answer::<0, _>(&result)
        }
        tag::READ => {
            let Some((most,)) = request.parameters::<(u32,)>() else {
                return request.malformed()
            };
            let result = server.read(request.client(), most);
            request.answer::<0, _>(&result)
        }
        tag::AWAIT_INPUT => {
            let Some((most,)) = request.parameters::<(u64,)>() else {
                return request.malformed()
            };
            let result = server.await_input(request.client(), most);
            request.answer::<0, _>(&result)
        }
        tag::IS_TERMINAL => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.is_terminal(request.client());
            request.answer::<0, _>(&result)
        }
        _ => request.unknown(),
    }
}
pub mod later {
    //! What stands for the functions where they are answered later.
    /// `write`
    #[derive(Clone, Copy, Debug)]
    pub enum Write {}
    /// `read`
    #[derive(Clone, Copy, Debug)]
    pub enum Read {}
    /// `await-input`
    #[derive(Clone, Copy, Debug)]
    pub enum AwaitInput {}
    /// `is-terminal`
    #[derive(Clone, Copy, Debug)]
    pub enum IsTerminal {}
}
impl stub::Function for later::Write {
    type Answer<'m> = Result<u32, Refusal>;
}
impl stub::Function for later::Read {
    type Answer<'m> = Result<&'m [u8], Refusal>;
}
impl stub::Function for later::AwaitInput {
    type Answer<'m> = Result<bool, Refusal>;
}
impl stub::Function for later::IsTerminal {
    type Answer<'m> = bool;
}
/// An active server of `console` that answers when it can: each function is given the answer that it owes.
pub trait LaterService {
    /// Writes bytes; gives how many were taken from the front, at least one of those that there were.
    fn write(
        &mut self,
        later: stub::Later<later::Write>,
        client: stub::Client,
        bytes: &[u8],
    );
    /// Reads bytes, at most so many. It waits until there is at least one; none means that no more will come.
    fn read(&mut self, later: stub::Later<later::Read>, client: stub::Client, most: u32);
    /// Waits until there is something to read, or nothing will come any more, for so many nanoseconds at most; whether there is.
    fn await_input(
        &mut self,
        later: stub::Later<later::AwaitInput>,
        client: stub::Client,
        most: u64,
    );
    /// Whether a person sits at the other end.
    fn is_terminal(
        &mut self,
        later: stub::Later<later::IsTerminal>,
        client: stub::Client,
    );
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
        tag::WRITE => {
            let Some((bytes,)) = request.parameters::<(&[u8],)>() else {
                return request.malformed()
            };
            server.write(request.later(token), request.client(), bytes);
            request.deferred()
        }
        tag::READ => {
            let Some((most,)) = request.parameters::<(u32,)>() else {
                return request.malformed()
            };
            server.read(request.later(token), request.client(), most);
            request.deferred()
        }
        tag::AWAIT_INPUT => {
            let Some((most,)) = request.parameters::<(u64,)>() else {
                return request.malformed()
            };
            server.await_input(request.later(token), request.client(), most);
            request.deferred()
        }
        tag::IS_TERMINAL => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.is_terminal(request.later(token), request.client());
            request.deferred()
        }
        _ => request.unknown(),
    }
}
