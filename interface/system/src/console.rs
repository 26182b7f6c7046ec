// Stubs of the interface `console`, made by `hallows interface stubs`: change that, not this.
//! A stream of bytes in, or out, or both: a terminal, a pipe, or whatever stands for one.
#![allow(
    clippy::type_complexity,
    clippy::result_unit_err,
    reason = "types are as the interface has them"
)]
use hallows_sdk::stub;
/// The interface's identity: `9b089d8b121b0cb6b70272221b91601d7d84ff9a1f4e01eb892dc50586e2d091`.
pub const HASH: [u8; 32] = [
    0x9b, 0x08, 0x9d, 0x8b, 0x12, 0x1b, 0x0c, 0xb6, 0xb7, 0x02, 0x72, 0x22, 0x1b, 0x91,
    0x60, 0x1d, 0x7d, 0x84, 0xff, 0x9a, 0x1f, 0x4e, 0x01, 0xeb, 0x89, 0x2d, 0xc5, 0x05,
    0x86, 0xe2, 0xd0, 0x91,
];
mod tag {
    //! What requests call the functions.
    pub(super) const WRITE: u32 = 0xce72f225;
    pub(super) const READ: u32 = 0x8120188b;
    pub(super) const AWAIT_INPUT: u32 = 0x1a95ae7c;
    pub(super) const IS_TERMINAL: u32 = 0x51757cf4;
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
    /// Whatever else went wrong.
    InputOutput = 4,
}
impl Refusal {
    /// Every case, in order.
    pub const ALL: [Self; 5] = [
        Self::Closed,
        Self::TooLong,
        Self::NoSpace,
        Self::NotPermitted,
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
