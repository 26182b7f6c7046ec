// Stubs of the interface `notification`, made by `hallows interface stubs`: change that, not this.
//! Being told.
#![allow(
    clippy::type_complexity,
    clippy::result_unit_err,
    reason = "types are as the interface has them"
)]
use hallows_sdk::stub;
/// What its authors call the interface.
pub const NAME: &str = "notification";
/// The interface's identity: `97bdade8f1f94af767431ec8a00a189c89fadcd9de7c55ce9f984112b0ebda7c`.
pub const HASH: [u8; 32] = [
    0x97, 0xbd, 0xad, 0xe8, 0xf1, 0xf9, 0x4a, 0xf7, 0x67, 0x43, 0x1e, 0xc8, 0xa0, 0x0a,
    0x18, 0x9c, 0x89, 0xfa, 0xdc, 0xd9, 0xde, 0x7c, 0x55, 0xce, 0x9f, 0x98, 0x41, 0x12,
    0xb0, 0xeb, 0xda, 0x7c,
];
/// The longest request, in bytes.
pub const REQUEST_BYTES: usize = 12;
/// The longest answer, in bytes.
pub const REPLY_BYTES: usize = 9;
pub(crate) mod tag {
    //! What requests call the functions.
    pub(crate) const NOTIFICATION_SIGNAL: u32 = 0x6e7892bf;
    pub(crate) const NOTIFICATION_BIND: u32 = 0xe4188fe4;
    pub(crate) const NOTIFICATION_POLL: u32 = 0x3efcf0ab;
}
/// A set of 64 bits that a cell can be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notification<C = stub::Endpoint>(
    /// What it is called through: the capability that stands for it.
    pub C,
);
impl stub::Resource for Notification {
    const KIND: u8 = Target::Notification as u8;
    fn from_capability(handle: stub::Handle) -> Self {
        Self(stub::Resource::from_capability(handle))
    }
    fn capability(self) -> stub::Handle {
        stub::Resource::capability(self.0)
    }
}
impl<C: stub::Caller> Notification<C> {
    /// Sets bits. SEND.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn signal(
        &self,
        bits: u64,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::NOTIFICATION_SIGNAL, deadline)
            .between(&self.0, &(bits,), &mut [0; 12], &mut [0; 1])
    }
    /// From now on the caller's `wait` brings the bits, with this badge. RECEIVE.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn bind(&self, badge: u64, deadline: stub::Deadline) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::NOTIFICATION_BIND, deadline)
            .between(&self.0, &(badge,), &mut [0; 12], &mut [0; 1])
    }
    /// Takes the bits that are set, without waiting. RECEIVE.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn poll(&self, deadline: stub::Deadline) -> Result<u64, stub::Error> {
        stub::Call::<0, 0>::new(tag::NOTIFICATION_POLL, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 9])
    }
}
impl<C: stub::AsyncCaller> Notification<C> {
    /// Sets bits. SEND.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn signal_async(
        &self,
        bits: u64,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::NOTIFICATION_SIGNAL, deadline)
            .between_async(&self.0, &(bits,), &mut [0; 12], &mut [0; 1])
            .await
    }
    /// From now on the caller's `wait` brings the bits, with this badge. RECEIVE.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn bind_async(
        &self,
        badge: u64,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::NOTIFICATION_BIND, deadline)
            .between_async(&self.0, &(badge,), &mut [0; 12], &mut [0; 1])
            .await
    }
    /// Takes the bits that are set, without waiting. RECEIVE.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn poll_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<u64, stub::Error> {
        stub::Call::<0, 0>::new(tag::NOTIFICATION_POLL, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 9])
            .await
    }
}
impl<C: stub::Sender> Notification<C> {
    /// Sends a call of `notification.signal`; its answer comes as an event, for `signal_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn signal_send(&self, bits: u64) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::NOTIFICATION_SIGNAL, stub::Deadline::NEVER)
            .send(&self.0, &(bits,), &mut [0; 12], 1)
    }
    /// Sends a call of `notification.bind`; its answer comes as an event, for `bind_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn bind_send(&self, badge: u64) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::NOTIFICATION_BIND, stub::Deadline::NEVER)
            .send(&self.0, &(badge,), &mut [0; 12], 1)
    }
    /// Sends a call of `notification.poll`; its answer comes as an event, for `poll_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn poll_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::NOTIFICATION_POLL, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 9)
    }
}
impl Notification {
    /// The answer to `signal_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn signal_answer(received: stub::Received<'_>) -> Result<(), stub::Error> {
        stub::answered(received)
    }
    /// The answer to `bind_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn bind_answer(received: stub::Received<'_>) -> Result<(), stub::Error> {
        stub::answered(received)
    }
    /// The answer to `poll_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn poll_answer(received: stub::Received<'_>) -> Result<u64, stub::Error> {
        stub::answered(received)
    }
}
/// A client of `notification`.
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
    /// A `notification`.
    Notification,
}
/// A server of `notification`. Where a function is of a resource, the client's badge says which one is called.
pub trait Service {
    /// What a capability with this badge stands for: only its functions can be called through it. `None` if it is nothing, or nothing any more.
    fn target(&self, badge: u64) -> Option<Target>;
    /// Sets bits. SEND.
    fn notification_signal(&mut self, client: stub::Client, bits: u64);
    /// From now on the caller's `wait` brings the bits, with this badge. RECEIVE.
    fn notification_bind(&mut self, client: stub::Client, badge: u64);
    /// Takes the bits that are set, without waiting. RECEIVE.
    fn notification_poll(&mut self, client: stub::Client) -> u64;
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
        (Target::Notification, tag::NOTIFICATION_SIGNAL) => {
            let Some((bits,)) = request.parameters::<(u64,)>() else {
                return request.malformed()
            };
            server.notification_signal(request.client(), bits);
            request.answer::<0, _>(&())
        }
        (Target::Notification, tag::NOTIFICATION_BIND) => {
            let Some((badge,)) = request.parameters::<(u64,)>() else {
                return request.malformed()
            };
            server.notification_bind(request.client(), badge);
            request.answer::<0, _>(&())
        }
        (Target::Notification, tag::NOTIFICATION_POLL) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.notification_poll(request.client());
            request.answer::<0, _>(&result)
        }
        _ => request.unknown(),
    }
}
pub mod later {
    //! What stands for the functions where they are answered later.
    /// `notification.signal`
    #[derive(Clone, Copy, Debug)]
    pub enum NotificationSignal {}
    /// `notification.bind`
    #[derive(Clone, Copy, Debug)]
    pub enum NotificationBind {}
    /// `notification.poll`
    #[derive(Clone, Copy, Debug)]
    pub enum NotificationPoll {}
}
impl stub::Function for later::NotificationSignal {
    type Answer<'m> = ();
}
impl stub::Function for later::NotificationBind {
    type Answer<'m> = ();
}
impl stub::Function for later::NotificationPoll {
    type Answer<'m> = u64;
}
/// An active server of `notification` that answers when it can: each function is given the answer that it owes. Where a function is of a resource, the client's badge says which one is called.
pub trait LaterService {
    /// What a capability with this badge stands for: only its functions can be called through it. `None` if it is nothing, or nothing any more.
    fn target(&self, badge: u64) -> Option<Target>;
    /// Sets bits. SEND.
    fn notification_signal(
        &mut self,
        later: stub::Later<later::NotificationSignal>,
        client: stub::Client,
        bits: u64,
    );
    /// From now on the caller's `wait` brings the bits, with this badge. RECEIVE.
    fn notification_bind(
        &mut self,
        later: stub::Later<later::NotificationBind>,
        client: stub::Client,
        badge: u64,
    );
    /// Takes the bits that are set, without waiting. RECEIVE.
    fn notification_poll(
        &mut self,
        later: stub::Later<later::NotificationPoll>,
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
        (Target::Notification, tag::NOTIFICATION_SIGNAL) => {
            let Some((bits,)) = request.parameters::<(u64,)>() else {
                return request.malformed()
            };
            server.notification_signal(request.later(token), request.client(), bits);
            request.deferred()
        }
        (Target::Notification, tag::NOTIFICATION_BIND) => {
            let Some((badge,)) = request.parameters::<(u64,)>() else {
                return request.malformed()
            };
            server.notification_bind(request.later(token), request.client(), badge);
            request.deferred()
        }
        (Target::Notification, tag::NOTIFICATION_POLL) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.notification_poll(request.later(token), request.client());
            request.deferred()
        }
        _ => request.unknown(),
    }
}
