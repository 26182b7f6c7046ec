// Stubs of the interface `clock`, made by `hallows interface stubs`: change that, not this.
//! Time.
#![allow(
    clippy::type_complexity,
    clippy::result_unit_err,
    reason = "types are as the interface has them"
)]
use hallows_sdk::stub;
/// What its authors call the interface.
pub const NAME: &str = "clock";
/// The interface's identity: `86e54dc48d4e90288f048da242dba5562d3f2fc007e1eaae0fac9238f608018d`.
pub const HASH: [u8; 32] = [
    0x86, 0xe5, 0x4d, 0xc4, 0x8d, 0x4e, 0x90, 0x28, 0x8f, 0x04, 0x8d, 0xa2, 0x42, 0xdb,
    0xa5, 0x56, 0x2d, 0x3f, 0x2f, 0xc0, 0x07, 0xe1, 0xea, 0xae, 0x0f, 0xac, 0x92, 0x38,
    0xf6, 0x08, 0x01, 0x8d,
];
/// The longest request, in bytes.
pub const REQUEST_BYTES: usize = 4;
/// The longest answer, in bytes.
pub const REPLY_BYTES: usize = 13;
pub(crate) mod tag {
    //! What requests call the functions.
    pub(crate) const MONOTONIC: u32 = 0x27ee8097;
    pub(crate) const REALTIME: u32 = 0x034979c7;
    pub(crate) const RESOLUTION: u32 = 0x882ec785;
}
/// A point in time that people use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Instant {
    /// Seconds since the beginning of 1970, UTC, without leap seconds.
    pub seconds: i64,
    /// And so many nanoseconds, fewer than a thousand million.
    pub nanoseconds: u32,
}
impl<'m> stub::Value<'m> for Instant {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&self.seconds, encoder)?;
        stub::Value::put(&self.nanoseconds, encoder)?;
        Some(())
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        Some(Self {
            seconds: stub::Value::take(decoder)?,
            nanoseconds: stub::Value::take(decoder)?,
        })
    }
}
/// A client of `clock`.
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
    /// Nanoseconds since the machine started: what deadlines are told in. Never goes back.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn monotonic(&self, deadline: stub::Deadline) -> Result<u64, stub::Error> {
        stub::Call::<0, 0>::new(tag::MONOTONIC, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 9])
    }
    /// What a clock on the wall shows. May be set, also back.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn realtime(&self, deadline: stub::Deadline) -> Result<Instant, stub::Error> {
        stub::Call::<0, 0>::new(tag::REALTIME, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 13])
    }
    /// Nanoseconds between two values of the monotonic clock that differ.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn resolution(&self, deadline: stub::Deadline) -> Result<u64, stub::Error> {
        stub::Call::<0, 0>::new(tag::RESOLUTION, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 9])
    }
}
impl<C: stub::AsyncCaller> Client<C> {
    /// Nanoseconds since the machine started: what deadlines are told in. Never goes back.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn monotonic_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<u64, stub::Error> {
        stub::Call::<0, 0>::new(tag::MONOTONIC, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 9])
            .await
    }
    /// What a clock on the wall shows. May be set, also back.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn realtime_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<Instant, stub::Error> {
        stub::Call::<0, 0>::new(tag::REALTIME, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 13])
            .await
    }
    /// Nanoseconds between two values of the monotonic clock that differ.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn resolution_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<u64, stub::Error> {
        stub::Call::<0, 0>::new(tag::RESOLUTION, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 9])
            .await
    }
}
impl<C: stub::Sender> Client<C> {
    /// Sends a call of `monotonic`; its answer comes as an event, for `monotonic_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn monotonic_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::MONOTONIC, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 9)
    }
    /// Sends a call of `realtime`; its answer comes as an event, for `realtime_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn realtime_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::REALTIME, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 13)
    }
    /// Sends a call of `resolution`; its answer comes as an event, for `resolution_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn resolution_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::RESOLUTION, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 9)
    }
}
impl Client {
    /// The answer to `monotonic_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn monotonic_answer(received: stub::Received<'_>) -> Result<u64, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `realtime_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn realtime_answer(
        received: stub::Received<'_>,
    ) -> Result<Instant, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `resolution_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn resolution_answer(received: stub::Received<'_>) -> Result<u64, stub::Error> {
        stub::answered(received)
    }
}
/// A server of `clock`.
pub trait Service {
    /// Nanoseconds since the machine started: what deadlines are told in. Never goes back.
    fn monotonic(&mut self, client: stub::Client) -> u64;
    /// What a clock on the wall shows. May be set, also back.
    fn realtime(&mut self, client: stub::Client) -> Instant;
    /// Nanoseconds between two values of the monotonic clock that differ.
    fn resolution(&mut self, client: stub::Client) -> u64;
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
        tag::MONOTONIC => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.monotonic(request.client());
            request.answer::<0, _>(&result)
        }
        tag::REALTIME => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.realtime(request.client());
            request.answer::<0, _>(&result)
        }
        tag::RESOLUTION => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.resolution(request.client());
            request.answer::<0, _>(&result)
        }
        _ => request.unknown(),
    }
}
pub mod later {
    //! What stands for the functions where they are answered later.
    /// `monotonic`
    #[derive(Clone, Copy, Debug)]
    pub enum Monotonic {}
    /// `realtime`
    #[derive(Clone, Copy, Debug)]
    pub enum Realtime {}
    /// `resolution`
    #[derive(Clone, Copy, Debug)]
    pub enum Resolution {}
}
impl stub::Function for later::Monotonic {
    type Answer<'m> = u64;
}
impl stub::Function for later::Realtime {
    type Answer<'m> = Instant;
}
impl stub::Function for later::Resolution {
    type Answer<'m> = u64;
}
/// An active server of `clock` that answers when it can: each function is given the answer that it owes.
pub trait LaterService {
    /// Nanoseconds since the machine started: what deadlines are told in. Never goes back.
    fn monotonic(&mut self, later: stub::Later<later::Monotonic>, client: stub::Client);
    /// What a clock on the wall shows. May be set, also back.
    fn realtime(&mut self, later: stub::Later<later::Realtime>, client: stub::Client);
    /// Nanoseconds between two values of the monotonic clock that differ.
    fn resolution(
        &mut self,
        later: stub::Later<later::Resolution>,
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
        tag::MONOTONIC => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.monotonic(request.later(token), request.client());
            request.deferred()
        }
        tag::REALTIME => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.realtime(request.later(token), request.client());
            request.deferred()
        }
        tag::RESOLUTION => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.resolution(request.later(token), request.client());
            request.deferred()
        }
        _ => request.unknown(),
    }
}
