// Stubs of the interface `object`, made by `hallows interface stubs`: change that, not this.
//! What every kernel object answers, of whatever kind. An endpoint's messages go to its server instead: what is asked of an endpoint is a
//! function of `endpoint`.
#![allow(
    clippy::type_complexity,
    clippy::result_unit_err,
    reason = "types are as the interface has them"
)]
use hallows_sdk::stub;
/// What its authors call the interface.
pub const NAME: &str = "object";
/// The interface's identity: `6960a8a9a8f26428173c712624195101a3c80e987e94d66322d21147c30e38a7`.
pub const HASH: [u8; 32] = [
    0x69, 0x60, 0xa8, 0xa9, 0xa8, 0xf2, 0x64, 0x28, 0x17, 0x3c, 0x71, 0x26, 0x24, 0x19,
    0x51, 0x01, 0xa3, 0xc8, 0x0e, 0x98, 0x7e, 0x94, 0xd6, 0x63, 0x22, 0xd2, 0x11, 0x47,
    0xc3, 0x0e, 0x38, 0xa7,
];
/// The longest request, in bytes.
pub const REQUEST_BYTES: usize = 4;
/// The longest answer, in bytes.
pub const REPLY_BYTES: usize = 11;
pub(crate) mod tag {
    //! What requests call the functions.
    pub(crate) const OBJECT_NULL: u32 = 0x53093a8e;
    pub(crate) const OBJECT_IDENTIFY: u32 = 0x576d139e;
    pub(crate) const OBJECT_DESTROY: u32 = 0xcb801288;
}
/// What the kernel says of a capability.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Identity {
    /// The field `kind`.
    pub kind: Kind,
    /// The field `rights`.
    pub rights: Rights,
    /// 0 for none.
    pub badge: u64,
}
impl<'m> stub::Value<'m> for Identity {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&self.kind, encoder)?;
        stub::Value::put(&self.rights, encoder)?;
        stub::Value::put(&self.badge, encoder)?;
        Some(())
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        Some(Self {
            kind: stub::Value::take(decoder)?,
            rights: stub::Value::take(decoder)?,
            badge: stub::Value::take(decoder)?,
        })
    }
}
/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// The case `endpoint`.
    Endpoint = 0,
    /// The case `notification`.
    Notification = 1,
    /// The case `timer`.
    Timer = 2,
    /// The case `budget`.
    Budget = 3,
    /// The case `region`.
    Region = 4,
    /// The case `cell`.
    Cell = 5,
    /// The case `program`.
    Program = 6,
}
impl Kind {
    /// Every case, in order.
    pub const ALL: [Self; 7] = [
        Self::Endpoint,
        Self::Notification,
        Self::Timer,
        Self::Budget,
        Self::Region,
        Self::Cell,
        Self::Program,
    ];
}
impl<'m> stub::Value<'m> for Kind {
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
/// A capability of any object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object<C = stub::Endpoint>(
    /// What it is called through: the capability that stands for it.
    pub C,
);
impl stub::Resource for Object {
    const KIND: u8 = Target::Object as u8;
    fn from_capability(handle: stub::Handle) -> Self {
        Self(stub::Resource::from_capability(handle))
    }
    fn capability(self) -> stub::Handle {
        stub::Resource::capability(self.0)
    }
}
impl<C: stub::Caller> Object<C> {
    /// Nothing, with all that a call takes: for measuring. Any rights; also when the object is gone.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn null(&self, deadline: stub::Deadline) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::OBJECT_NULL, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 1])
    }
    /// What this capability is. Any rights; also when the object is gone.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn identify(&self, deadline: stub::Deadline) -> Result<Identity, stub::Error> {
        stub::Call::<0, 0>::new(tag::OBJECT_IDENTIFY, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 11])
    }
    /// Ends the object; everything that waits for it ends with an error. MANAGE.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn destroy(&self, deadline: stub::Deadline) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::OBJECT_DESTROY, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 1])
    }
}
impl<C: stub::AsyncCaller> Object<C> {
    /// Nothing, with all that a call takes: for measuring. Any rights; also when the object is gone.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn null_async(&self, deadline: stub::Deadline) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::OBJECT_NULL, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 1])
            .await
    }
    /// What this capability is. Any rights; also when the object is gone.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn identify_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<Identity, stub::Error> {
        stub::Call::<0, 0>::new(tag::OBJECT_IDENTIFY, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 11])
            .await
    }
    /// Ends the object; everything that waits for it ends with an error. MANAGE.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn destroy_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::OBJECT_DESTROY, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 1])
            .await
    }
}
impl<C: stub::Sender> Object<C> {
    /// Sends a call of `object.null`; its answer comes as an event, for `null_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn null_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::OBJECT_NULL, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 1)
    }
    /// Sends a call of `object.identify`; its answer comes as an event, for `identify_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn identify_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::OBJECT_IDENTIFY, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 11)
    }
    /// Sends a call of `object.destroy`; its answer comes as an event, for `destroy_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn destroy_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::OBJECT_DESTROY, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 1)
    }
}
impl Object {
    /// The answer to `null_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn null_answer(received: stub::Received<'_>) -> Result<(), stub::Error> {
        stub::answered(received)
    }
    /// The answer to `identify_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn identify_answer(
        received: stub::Received<'_>,
    ) -> Result<Identity, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `destroy_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn destroy_answer(received: stub::Received<'_>) -> Result<(), stub::Error> {
        stub::answered(received)
    }
}
/// What a capability allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rights(u8);
impl Rights {
    /// Sending to an endpoint, signalling a notification, setting a timer, asking an object about itself.
    pub const SEND: Self = Self(1 << 0);
    /// Receiving what a notification is told.
    pub const RECEIVE: Self = Self(1 << 1);
    /// Passing the capability on.
    pub const TRANSFER: Self = Self(1 << 2);
    /// Making, changing, ending.
    pub const MANAGE: Self = Self(1 << 3);
    /// Showing a region.
    pub const READ: Self = Self(1 << 4);
    /// Showing a region to change it.
    pub const WRITE: Self = Self(1 << 5);
    /// Being told of an endpoint's room, and of its server's death and rebirth.
    pub const WATCH: Self = Self(1 << 6);
    /// Whether every flag of `other` is here too.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}
impl ::core::ops::BitOr for Rights {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
impl<'m> stub::Value<'m> for Rights {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&self.0, encoder)
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        let bits = <u8 as stub::Value>::take(decoder)?;
        (bits <= 0x7f).then_some(Self(bits))
    }
}
/// A client of `object`.
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
    /// A `object`.
    Object,
}
/// A server of `object`. Where a function is of a resource, the client's badge says which one is called.
pub trait Service {
    /// What a capability with this badge stands for: only its functions can be called through it. `None` if it is nothing, or nothing any more.
    fn target(&self, badge: u64) -> Option<Target>;
    /// Nothing, with all that a call takes: for measuring. Any rights; also when the object is gone.
    fn object_null(&mut self, client: stub::Client);
    /// What this capability is. Any rights; also when the object is gone.
    fn object_identify(&mut self, client: stub::Client) -> Identity;
    /// Ends the object; everything that waits for it ends with an error. MANAGE.
    fn object_destroy(&mut self, client: stub::Client);
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
        (Target::Object, tag::OBJECT_NULL) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.object_null(request.client());
            request.answer::<0, _>(&())
        }
        (Target::Object, tag::OBJECT_IDENTIFY) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.object_identify(request.client());
            request.answer::<0, _>(&result)
        }
        (Target::Object, tag::OBJECT_DESTROY) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.object_destroy(request.client());
            request.answer::<0, _>(&())
        }
        _ => request.unknown(),
    }
}
pub mod later {
    //! What stands for the functions where they are answered later.
    /// `object.null`
    #[derive(Clone, Copy, Debug)]
    pub enum ObjectNull {}
    /// `object.identify`
    #[derive(Clone, Copy, Debug)]
    pub enum ObjectIdentify {}
    /// `object.destroy`
    #[derive(Clone, Copy, Debug)]
    pub enum ObjectDestroy {}
}
impl stub::Function for later::ObjectNull {
    type Answer<'m> = ();
}
impl stub::Function for later::ObjectIdentify {
    type Answer<'m> = Identity;
}
impl stub::Function for later::ObjectDestroy {
    type Answer<'m> = ();
}
/// An active server of `object` that answers when it can: each function is given the answer that it owes. Where a function is of a resource, the client's badge says which one is called.
pub trait LaterService {
    /// What a capability with this badge stands for: only its functions can be called through it. `None` if it is nothing, or nothing any more.
    fn target(&self, badge: u64) -> Option<Target>;
    /// Nothing, with all that a call takes: for measuring. Any rights; also when the object is gone.
    fn object_null(
        &mut self,
        later: stub::Later<later::ObjectNull>,
        client: stub::Client,
    );
    /// What this capability is. Any rights; also when the object is gone.
    fn object_identify(
        &mut self,
        later: stub::Later<later::ObjectIdentify>,
        client: stub::Client,
    );
    /// Ends the object; everything that waits for it ends with an error. MANAGE.
    fn object_destroy(
        &mut self,
        later: stub::Later<later::ObjectDestroy>,
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
        (Target::Object, tag::OBJECT_NULL) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.object_null(request.later(token), request.client());
            request.deferred()
        }
        (Target::Object, tag::OBJECT_IDENTIFY) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.object_identify(request.later(token), request.client());
            request.deferred()
        }
        (Target::Object, tag::OBJECT_DESTROY) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.object_destroy(request.later(token), request.client());
            request.deferred()
        }
        _ => request.unknown(),
    }
}
