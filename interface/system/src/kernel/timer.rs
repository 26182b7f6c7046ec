// Stubs of the interface `timer`, made by `hallows interface stubs`: change that, not this.
//! Time.
#![allow(
    clippy::type_complexity,
    clippy::result_unit_err,
    reason = "types are as the interface has them"
)]
use hallows_sdk::stub;
/// What its authors call the interface.
pub const NAME: &str = "timer";
/// The interface's identity: `ec34f94ffc9111052fc6c754fadbc32b3dc8ed8e445d8f8a1c8d86134d86a161`.
pub const HASH: [u8; 32] = [
    0xec, 0x34, 0xf9, 0x4f, 0xfc, 0x91, 0x11, 0x05, 0x2f, 0xc6, 0xc7, 0x54, 0xfa, 0xdb,
    0xc3, 0x2b, 0x3d, 0xc8, 0xed, 0x8e, 0x44, 0x5d, 0x8f, 0x8a, 0x1c, 0x8d, 0x86, 0x13,
    0x4d, 0x86, 0xa1, 0x61,
];
/// The longest request, in bytes.
pub const REQUEST_BYTES: usize = 28;
/// The longest answer, in bytes.
pub const REPLY_BYTES: usize = 1;
pub(crate) mod tag {
    //! What requests call the functions.
    pub(crate) const TIMER_ARM: u32 = 0x1c600cfc;
    pub(crate) const TIMER_DISARM: u32 = 0xef352f69;
}
/// Signals a notification at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer<C = stub::Endpoint>(
    /// What it is called through: the capability that stands for it.
    pub C,
);
impl stub::Resource for Timer {
    const KIND: u8 = Target::Timer as u8;
    fn from_capability(handle: stub::Handle) -> Self {
        Self(stub::Resource::from_capability(handle))
    }
    fn capability(self) -> stub::Handle {
        stub::Resource::capability(self.0)
    }
}
impl<C: stub::Caller> Timer<C> {
    /// Fires at a time of the monotonic clock, in nanoseconds, and then every so many nanoseconds; 0: once. It may fire later by its slack, in nanoseconds,
    /// so that it does together with others. It replaces what was set. SEND.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn arm(
        &self,
        at: u64,
        every: u64,
        slack: u64,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::TIMER_ARM, deadline)
            .between(&self.0, &(at, every, slack), &mut [0; 28], &mut [0; 1])
    }
    /// Does not fire any more. SEND.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn disarm(&self, deadline: stub::Deadline) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::TIMER_DISARM, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 1])
    }
}
impl<C: stub::AsyncCaller> Timer<C> {
    /// Fires at a time of the monotonic clock, in nanoseconds, and then every so many nanoseconds; 0: once. It may fire later by its slack, in nanoseconds,
    /// so that it does together with others. It replaces what was set. SEND.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn arm_async(
        &self,
        at: u64,
        every: u64,
        slack: u64,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::TIMER_ARM, deadline)
            .between_async(&self.0, &(at, every, slack), &mut [0; 28], &mut [0; 1])
            .await
    }
    /// Does not fire any more. SEND.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn disarm_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::TIMER_DISARM, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 1])
            .await
    }
}
impl<C: stub::Sender> Timer<C> {
    /// Sends a call of `timer.arm`; its answer comes as an event, for `arm_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn arm_send(
        &self,
        at: u64,
        every: u64,
        slack: u64,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::TIMER_ARM, stub::Deadline::NEVER)
            .send(&self.0, &(at, every, slack), &mut [0; 28], 1)
    }
    /// Sends a call of `timer.disarm`; its answer comes as an event, for `disarm_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn disarm_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::TIMER_DISARM, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 1)
    }
}
impl Timer {
    /// The answer to `arm_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn arm_answer(received: stub::Received<'_>) -> Result<(), stub::Error> {
        stub::answered(received)
    }
    /// The answer to `disarm_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn disarm_answer(received: stub::Received<'_>) -> Result<(), stub::Error> {
        stub::answered(received)
    }
}
/// A client of `timer`.
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
/// What a message is to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Target {
    /// The interface itself.
    Interface,
    /// A `timer`.
    Timer,
}
/// A server of `timer`. Where a function is of a resource, the client's badge says which one is called.
pub trait Service {
    /// What a capability with this badge stands for: only its functions can be called through it. `None` if it is nothing, or nothing any more.
    fn target(&self, badge: u64) -> Option<Target>;
    /// Fires at a time of the monotonic clock, in nanoseconds, and then every so many nanoseconds; 0: once. It may fire later by its slack, in nanoseconds,
    /// so that it does together with others. It replaces what was set. SEND.
    fn timer_arm(&mut self, client: stub::Client, at: u64, every: u64, slack: u64);
    /// Does not fire any more. SEND.
    fn timer_disarm(&mut self, client: stub::Client);
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
    let Some(target) = server.target(request.client().badge) else {
        return request.gone()
    };
    match (target, request.tag()) {
        (Target::Timer, tag::TIMER_ARM) => {
            let Some((at, every, slack)) = request.parameters::<(u64, u64, u64)>() else {
                return request.malformed()
            };
            server.timer_arm(request.client(), at, every, slack);
            request.answer::<0, _>(&())
        }
        (Target::Timer, tag::TIMER_DISARM) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.timer_disarm(request.client());
            request.answer::<0, _>(&())
        }
        _ => request.unknown(),
    }
}
pub mod later {
    //! What stands for the functions where they are answered later.
    /// `timer.arm`
    #[derive(Clone, Copy, Debug)]
    pub enum TimerArm {}
    /// `timer.disarm`
    #[derive(Clone, Copy, Debug)]
    pub enum TimerDisarm {}
}
impl stub::Function for later::TimerArm {
    type Answer<'m> = ();
}
impl stub::Function for later::TimerDisarm {
    type Answer<'m> = ();
}
/// An active server of `timer` that answers when it can: each function is given the answer that it owes. Where a function is of a resource, the client's badge says which one is called.
pub trait LaterService {
    /// What a capability with this badge stands for: only its functions can be called through it. `None` if it is nothing, or nothing any more.
    fn target(&self, badge: u64) -> Option<Target>;
    /// Fires at a time of the monotonic clock, in nanoseconds, and then every so many nanoseconds; 0: once. It may fire later by its slack, in nanoseconds,
    /// so that it does together with others. It replaces what was set. SEND.
    fn timer_arm(
        &mut self,
        later: stub::Later<later::TimerArm>,
        client: stub::Client,
        at: u64,
        every: u64,
        slack: u64,
    );
    /// Does not fire any more. SEND.
    fn timer_disarm(
        &mut self,
        later: stub::Later<later::TimerDisarm>,
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
    let Some(target) = server.target(request.client().badge) else {
        return request.gone()
    };
    match (target, request.tag()) {
        (Target::Timer, tag::TIMER_ARM) => {
            let Some((at, every, slack)) = request.parameters::<(u64, u64, u64)>() else {
                return request.malformed()
            };
            server.timer_arm(request.later(token), request.client(), at, every, slack);
            request.deferred()
        }
        (Target::Timer, tag::TIMER_DISARM) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.timer_disarm(request.later(token), request.client());
            request.deferred()
        }
        _ => request.unknown(),
    }
}
