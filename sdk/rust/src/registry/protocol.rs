// Stubs of the interface `registry`, made by `hallows interface stubs`: change that, not this.
//! Who answers which interface, while programs run. What a system grants of it is a namespace.
#![allow(
    clippy::type_complexity,
    clippy::result_unit_err,
    reason = "types are as the interface has them"
)]
use hallows_sdk::stub;
/// What its authors call the interface.
pub const NAME: &str = "registry";
/// The interface's identity: `d3989cade8bb14635413982bbdafb066d5575a2121e34867838e5a73d9be48a1`.
pub const HASH: [u8; 32] = [
    0xd3, 0x98, 0x9c, 0xad, 0xe8, 0xbb, 0x14, 0x63, 0x54, 0x13, 0x98, 0x2b, 0xbd, 0xaf,
    0xb0, 0x66, 0xd5, 0x57, 0x5a, 0x21, 0x21, 0xe3, 0x48, 0x67, 0x83, 0x8e, 0x5a, 0x73,
    0xd9, 0xbe, 0x48, 0xa1,
];
pub(crate) mod tag {
    //! What requests call the functions.
    pub(crate) const NAMESPACE_RESOLVE: u32 = 0x290456ef;
    pub(crate) const NAMESPACE_PROVIDE: u32 = 0xe5950a8b;
    pub(crate) const NAMESPACE_SUCCEED: u32 = 0xe79a4546;
    pub(crate) const NAMESPACE_NEXT: u32 = 0x499b641d;
    pub(crate) const NAMESPACE_CHILD: u32 = 0xc41ce163;
    pub(crate) const NAMESPACE_CLOSE: u32 = 0x601082e7;
    pub(crate) const REGISTRATION_SERVER: u32 = 0xadb28b1a;
    pub(crate) const REGISTRATION_REPLACE: u32 = 0x0730ae16;
    pub(crate) const REGISTRATION_WITHDRAW: u32 = 0x7a23aebd;
}
/// Who is provided.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry<'m> {
    /// The field `identity`.
    pub identity: Identity,
    /// What its provider calls the interface, for people.
    pub name: &'m str,
    /// How many namespaces above this one it was found in; 0: here.
    pub above: u8,
}
impl<'m> stub::Value<'m> for Entry<'m> {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&self.identity, encoder)?;
        stub::Value::put(&self.name, encoder)?;
        stub::Value::put(&self.above, encoder)?;
        Some(())
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        Some(Self {
            identity: stub::Value::take(decoder)?,
            name: stub::Value::take(decoder)?,
            above: stub::Value::take(decoder)?,
        })
    }
}
/// An interface's identity: the 32 bytes of its hash, in their order, eight in each number, the first one lowest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Identity {
    /// The field `a`.
    pub a: u64,
    /// The field `b`.
    pub b: u64,
    /// The field `c`.
    pub c: u64,
    /// The field `d`.
    pub d: u64,
}
impl<'m> stub::Value<'m> for Identity {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&self.a, encoder)?;
        stub::Value::put(&self.b, encoder)?;
        stub::Value::put(&self.c, encoder)?;
        stub::Value::put(&self.d, encoder)?;
        Some(())
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        Some(Self {
            a: stub::Value::take(decoder)?,
            b: stub::Value::take(decoder)?,
            c: stub::Value::take(decoder)?,
            d: stub::Value::take(decoder)?,
        })
    }
}
/// Where an interface has one server, or none. What lies below another one has that one's, except for interfaces that it has servers of its
/// own for, or for which the system says that it will have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Namespace<C = stub::Endpoint>(
    /// What it is called through: the capability that stands for it.
    pub C,
);
impl stub::Resource for Namespace {
    const KIND: u8 = Target::Namespace as u8;
    fn from_capability(handle: stub::Handle) -> Self {
        Self(stub::Resource::from_capability(handle))
    }
    fn capability(self) -> stub::Handle {
        stub::Resource::capability(self.0)
    }
}
impl<C: stub::Caller> Namespace<C> {
    /// The server of an interface: a capability to call it, to watch it, and to pass on. To the server it has this client's number as badge.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn resolve(
        &self,
        identity: Identity,
        deadline: stub::Deadline,
    ) -> Result<Result<stub::Own<Server>, Refusal>, stub::Error> {
        stub::Call::<0, 1>::new(tag::NAMESPACE_RESOLVE, deadline)
            .between(&self.0, &(identity,), &mut [0; 36], &mut [0; 3])
    }
    /// Gives an interface a server. Whoever provides one may do so again, with another endpoint: a client is the same in its next life. The
    /// place of a server that has ended is free.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn provide(
        &self,
        identity: Identity,
        name: &str,
        server_: stub::Own<Server>,
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<stub::Own<Registration>, Refusal>, stub::Error> {
        stub::Call::<1, 1>::new(tag::NAMESPACE_PROVIDE, deadline)
            .within(&self.0, &(identity, name, server_), room)
    }
    /// Comes after whoever provides an interface here, for clients that may provide it themselves. The endpoint stays, and with it all
    /// that its clients have: whoever takes it over answers them.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn succeed(
        &self,
        identity: Identity,
        deadline: stub::Deadline,
    ) -> Result<Result<stub::Own<Registration>, Refusal>, stub::Error> {
        stub::Call::<0, 1>::new(tag::NAMESPACE_SUCCEED, deadline)
            .between(&self.0, &(identity,), &mut [0; 36], &mut [0; 3])
    }
    /// The first server behind that of this interface, or of all, in the order of identities; nothing if there is none.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn next<'m>(
        &self,
        after: Option<Identity>,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Option<Entry<'m>>, stub::Error> {
        stub::Call::<0, 0>::new(tag::NAMESPACE_NEXT, deadline)
            .within(&self.0, &(after,), room)
    }
    /// A new namespace below this one. Whoever has it may provide everything there.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn child(
        &self,
        deadline: stub::Deadline,
    ) -> Result<Result<stub::Own<Namespace>, Refusal>, stub::Error> {
        stub::Call::<0, 1>::new(tag::NAMESPACE_CHILD, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 3])
    }
    /// Ends a namespace that `child` made, with all that is provided in it and all that lies below it. Of another one nothing ends.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn close(&self, deadline: stub::Deadline) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::NAMESPACE_CLOSE, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 1])
    }
}
impl<C: stub::AsyncCaller> Namespace<C> {
    /// The server of an interface: a capability to call it, to watch it, and to pass on. To the server it has this client's number as badge.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn resolve_async(
        &self,
        identity: Identity,
        deadline: stub::Deadline,
    ) -> Result<Result<stub::Own<Server>, Refusal>, stub::Error> {
        stub::Call::<0, 1>::new(tag::NAMESPACE_RESOLVE, deadline)
            .between_async(&self.0, &(identity,), &mut [0; 36], &mut [0; 3])
            .await
    }
    /// Gives an interface a server. Whoever provides one may do so again, with another endpoint: a client is the same in its next life. The
    /// place of a server that has ended is free.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn provide_async(
        &self,
        identity: Identity,
        name: &str,
        server_: stub::Own<Server>,
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<stub::Own<Registration>, Refusal>, stub::Error> {
        stub::Call::<1, 1>::new(tag::NAMESPACE_PROVIDE, deadline)
            .within_async(&self.0, &(identity, name, server_), room)
            .await
    }
    /// Comes after whoever provides an interface here, for clients that may provide it themselves. The endpoint stays, and with it all
    /// that its clients have: whoever takes it over answers them.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn succeed_async(
        &self,
        identity: Identity,
        deadline: stub::Deadline,
    ) -> Result<Result<stub::Own<Registration>, Refusal>, stub::Error> {
        stub::Call::<0, 1>::new(tag::NAMESPACE_SUCCEED, deadline)
            .between_async(&self.0, &(identity,), &mut [0; 36], &mut [0; 3])
            .await
    }
    /// The first server behind that of this interface, or of all, in the order of identities; nothing if there is none.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn next_async<'m>(
        &self,
        after: Option<Identity>,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Option<Entry<'m>>, stub::Error> {
        stub::Call::<0, 0>::new(tag::NAMESPACE_NEXT, deadline)
            .within_async(&self.0, &(after,), room)
            .await
    }
    /// A new namespace below this one. Whoever has it may provide everything there.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn child_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<Result<stub::Own<Namespace>, Refusal>, stub::Error> {
        stub::Call::<0, 1>::new(tag::NAMESPACE_CHILD, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 3])
            .await
    }
    /// Ends a namespace that `child` made, with all that is provided in it and all that lies below it. Of another one nothing ends.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn close_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::NAMESPACE_CLOSE, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 1])
            .await
    }
}
impl<C: stub::Sender> Namespace<C> {
    /// Sends a call of `namespace.resolve`; its answer comes as an event, for `resolve_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn resolve_send(&self, identity: Identity) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 1>::new(tag::NAMESPACE_RESOLVE, stub::Deadline::NEVER)
            .send(&self.0, &(identity,), &mut [0; 36], 3)
    }
    /// Sends a call of `namespace.provide`; its answer comes as an event, for `provide_answer`. `request` is for the message.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn provide_send(
        &self,
        identity: Identity,
        name: &str,
        server_: stub::Own<Server>,
        request: &mut [u8],
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<1, 1>::new(tag::NAMESPACE_PROVIDE, stub::Deadline::NEVER)
            .send(&self.0, &(identity, name, server_), request, 3)
    }
    /// Sends a call of `namespace.succeed`; its answer comes as an event, for `succeed_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn succeed_send(&self, identity: Identity) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 1>::new(tag::NAMESPACE_SUCCEED, stub::Deadline::NEVER)
            .send(&self.0, &(identity,), &mut [0; 36], 3)
    }
    /// Sends a call of `namespace.next`; its answer comes as an event, for `next_answer`. The answer has at most `answer_most` bytes.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn next_send(
        &self,
        after: Option<Identity>,
        answer_most: u32,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::NAMESPACE_NEXT, stub::Deadline::NEVER)
            .send(&self.0, &(after,), &mut [0; 37], answer_most)
    }
    /// Sends a call of `namespace.child`; its answer comes as an event, for `child_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn child_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 1>::new(tag::NAMESPACE_CHILD, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 3)
    }
    /// Sends a call of `namespace.close`; its answer comes as an event, for `close_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn close_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::NAMESPACE_CLOSE, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 1)
    }
}
impl Namespace {
    /// The answer to `resolve_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn resolve_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<stub::Own<Server>, Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `provide_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn provide_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<stub::Own<Registration>, Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `succeed_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn succeed_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<stub::Own<Registration>, Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `next_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn next_answer<'m>(
        received: stub::Received<'m>,
    ) -> Result<Option<Entry<'m>>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `child_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn child_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<stub::Own<Namespace>, Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `close_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn close_answer(received: stub::Received<'_>) -> Result<(), stub::Error> {
        stub::answered(received)
    }
}
/// Why something was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Refusal {
    /// Nobody provides the interface, neither here nor in a namespace above.
    Nobody = 0,
    /// Somebody else provides it here, who is alive.
    Taken = 1,
    /// The system does not say that this client provides the interface.
    NotPermitted = 2,
    /// The capability is of no endpoint that is there, or cannot be passed on, or allows no calls.
    Unfit = 3,
    /// A name has 1 to 64 of a to z, 0 to 9, and -.
    BadName = 4,
    /// There is no room for one more, here or for this client.
    Full = 5,
    /// No namespace can be below this one.
    TooDeep = 6,
}
impl Refusal {
    /// Every case, in order.
    pub const ALL: [Self; 7] = [
        Self::Nobody,
        Self::Taken,
        Self::NotPermitted,
        Self::Unfit,
        Self::BadName,
        Self::Full,
        Self::TooDeep,
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
/// That somebody provides an interface. Who has it decides what becomes of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registration<C = stub::Endpoint>(
    /// What it is called through: the capability that stands for it.
    pub C,
);
impl stub::Resource for Registration {
    const KIND: u8 = Target::Registration as u8;
    fn from_capability(handle: stub::Handle) -> Self {
        Self(stub::Resource::from_capability(handle))
    }
    fn capability(self) -> stub::Handle {
        stub::Resource::capability(self.0)
    }
}
impl<C: stub::Caller> Registration<C> {
    /// The endpoint, with all rights that its provider gave with it. With MANAGE it can be taken over.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn server(
        &self,
        deadline: stub::Deadline,
    ) -> Result<Result<stub::Own<Server>, Refusal>, stub::Error> {
        stub::Call::<0, 1>::new(tag::REGISTRATION_SERVER, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 3])
    }
    /// Another endpoint in its place, for who resolves from now on. Who has resolved keeps what it has.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn replace(
        &self,
        server_: stub::Own<Server>,
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<1, 0>::new(tag::REGISTRATION_REPLACE, deadline)
            .between(&self.0, &(server_,), &mut [0; 4], &mut [0; 3])
    }
    /// Nobody finds it any more. Who has resolved keeps what it has.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn withdraw(&self, deadline: stub::Deadline) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::REGISTRATION_WITHDRAW, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 1])
    }
}
impl<C: stub::AsyncCaller> Registration<C> {
    /// The endpoint, with all rights that its provider gave with it. With MANAGE it can be taken over.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn server_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<Result<stub::Own<Server>, Refusal>, stub::Error> {
        stub::Call::<0, 1>::new(tag::REGISTRATION_SERVER, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 3])
            .await
    }
    /// Another endpoint in its place, for who resolves from now on. Who has resolved keeps what it has.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn replace_async(
        &self,
        server_: stub::Own<Server>,
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<1, 0>::new(tag::REGISTRATION_REPLACE, deadline)
            .between_async(&self.0, &(server_,), &mut [0; 4], &mut [0; 3])
            .await
    }
    /// Nobody finds it any more. Who has resolved keeps what it has.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn withdraw_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::REGISTRATION_WITHDRAW, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 1])
            .await
    }
}
impl<C: stub::Sender> Registration<C> {
    /// Sends a call of `registration.server`; its answer comes as an event, for `server_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn server_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 1>::new(tag::REGISTRATION_SERVER, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 3)
    }
    /// Sends a call of `registration.replace`; its answer comes as an event, for `replace_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn replace_send(
        &self,
        server_: stub::Own<Server>,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<1, 0>::new(tag::REGISTRATION_REPLACE, stub::Deadline::NEVER)
            .send(&self.0, &(server_,), &mut [0; 4], 3)
    }
    /// Sends a call of `registration.withdraw`; its answer comes as an event, for `withdraw_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn withdraw_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::REGISTRATION_WITHDRAW, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 1)
    }
}
impl Registration {
    /// The answer to `server_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn server_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<stub::Own<Server>, Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `replace_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn replace_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `withdraw_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn withdraw_answer(received: stub::Received<'_>) -> Result<(), stub::Error> {
        stub::answered(received)
    }
}
/// The resource `server` of the interface `40b3c6b267d7`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Server<C = stub::Endpoint>(
    /// What it is called through: the capability that stands for it.
    pub C,
);
impl stub::Resource for Server {
    fn from_capability(handle: stub::Handle) -> Self {
        Self(stub::Resource::from_capability(handle))
    }
    fn capability(self) -> stub::Handle {
        stub::Resource::capability(self.0)
    }
}
/// A client of `registry`.
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
    /// A `namespace`.
    Namespace,
    /// A `registration`.
    Registration,
}
/// A server of `registry`. Where a function is of a resource, the client's badge says which one is called.
pub trait Service {
    /// What a capability with this badge stands for: only its functions can be called through it. `None` if it is nothing, or nothing any more.
    fn target(&self, badge: u64) -> Option<Target>;
    /// The server of an interface: a capability to call it, to watch it, and to pass on. To the server it has this client's number as badge.
    fn namespace_resolve(
        &mut self,
        client: stub::Client,
        identity: Identity,
    ) -> Result<stub::Own<Server>, Refusal>;
    /// Gives an interface a server. Whoever provides one may do so again, with another endpoint: a client is the same in its next life. The
    /// place of a server that has ended is free.
    fn namespace_provide(
        &mut self,
        client: stub::Client,
        identity: Identity,
        name: &str,
        server_: stub::Own<Server>,
    ) -> Result<stub::Own<Registration>, Refusal>;
    /// Comes after whoever provides an interface here, for clients that may provide it themselves. The endpoint stays, and with it all
    /// that its clients have: whoever takes it over answers them.
    fn namespace_succeed(
        &mut self,
        client: stub::Client,
        identity: Identity,
    ) -> Result<stub::Own<Registration>, Refusal>;
    /// The first server behind that of this interface, or of all, in the order of identities; nothing if there is none.
    fn namespace_next(
        &mut self,
        client: stub::Client,
        after: Option<Identity>,
    ) -> Option<Entry<'_>>;
    /// A new namespace below this one. Whoever has it may provide everything there.
    fn namespace_child(
        &mut self,
        client: stub::Client,
    ) -> Result<stub::Own<Namespace>, Refusal>;
    /// Ends a namespace that `child` made, with all that is provided in it and all that lies below it. Of another one nothing ends.
    fn namespace_close(&mut self, client: stub::Client);
    /// The endpoint, with all rights that its provider gave with it. With MANAGE it can be taken over.
    fn registration_server(
        &mut self,
        client: stub::Client,
    ) -> Result<stub::Own<Server>, Refusal>;
    /// Another endpoint in its place, for who resolves from now on. Who has resolved keeps what it has.
    fn registration_replace(
        &mut self,
        client: stub::Client,
        server_: stub::Own<Server>,
    ) -> Result<(), Refusal>;
    /// Nobody finds it any more. Who has resolved keeps what it has.
    fn registration_withdraw(&mut self, client: stub::Client);
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
        (Target::Namespace, tag::NAMESPACE_RESOLVE) => {
            let Some((identity,)) = request.parameters::<(Identity,)>() else {
                return request.malformed()
            };
            let result = server.namespace_resolve(request.client(), identity);
            request.answer::<1, _>(&result)
        }
        (Target::Namespace, tag::NAMESPACE_PROVIDE) => {
            let Some((identity, name, server_)) = request
                .parameters::<(Identity, &str, stub::Own<Server>)>() else {
                return request.malformed()
            };
            let result = server
                .namespace_provide(request.client(), identity, name, server_);
            request.answer::<1, _>(&result)
        }
        (Target::Namespace, tag::NAMESPACE_SUCCEED) => {
            let Some((identity,)) = request.parameters::<(Identity,)>() else {
                return request.malformed()
            };
            let result = server.namespace_succeed(request.client(), identity);
            request.answer::<1, _>(&result)
        }
        (Target::Namespace, tag::NAMESPACE_NEXT) => {
            let Some((after,)) = request.parameters::<(Option<Identity>,)>() else {
                return request.malformed()
            };
            let result = server.namespace_next(request.client(), after);
            request.answer::<0, _>(&result)
        }
        (Target::Namespace, tag::NAMESPACE_CHILD) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.namespace_child(request.client());
            request.answer::<1, _>(&result)
        }
        (Target::Namespace, tag::NAMESPACE_CLOSE) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.namespace_close(request.client());
            request.answer::<0, _>(&())
        }
        (Target::Registration, tag::REGISTRATION_SERVER) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.registration_server(request.client());
            request.answer::<1, _>(&result)
        }
        (Target::Registration, tag::REGISTRATION_REPLACE) => {
            let Some((server_,)) = request.parameters::<(stub::Own<Server>,)>() else {
                return request.malformed()
            };
            let result = server.registration_replace(request.client(), server_);
            request.answer::<0, _>(&result)
        }
        (Target::Registration, tag::REGISTRATION_WITHDRAW) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.registration_withdraw(request.client());
            request.answer::<0, _>(&())
        }
        _ => request.unknown(),
    }
}
pub mod later {
    //! What stands for the functions where they are answered later.
    /// `namespace.resolve`
    #[derive(Clone, Copy, Debug)]
    pub enum NamespaceResolve {}
    /// `namespace.provide`
    #[derive(Clone, Copy, Debug)]
    pub enum NamespaceProvide {}
    /// `namespace.succeed`
    #[derive(Clone, Copy, Debug)]
    pub enum NamespaceSucceed {}
    /// `namespace.next`
    #[derive(Clone, Copy, Debug)]
    pub enum NamespaceNext {}
    /// `namespace.child`
    #[derive(Clone, Copy, Debug)]
    pub enum NamespaceChild {}
    /// `namespace.close`
    #[derive(Clone, Copy, Debug)]
    pub enum NamespaceClose {}
    /// `registration.server`
    #[derive(Clone, Copy, Debug)]
    pub enum RegistrationServer {}
    /// `registration.replace`
    #[derive(Clone, Copy, Debug)]
    pub enum RegistrationReplace {}
    /// `registration.withdraw`
    #[derive(Clone, Copy, Debug)]
    pub enum RegistrationWithdraw {}
}
impl stub::Function for later::NamespaceResolve {
    type Answer<'m> = Result<stub::Own<Server>, Refusal>;
}
impl stub::Function for later::NamespaceProvide {
    type Answer<'m> = Result<stub::Own<Registration>, Refusal>;
}
impl stub::Function for later::NamespaceSucceed {
    type Answer<'m> = Result<stub::Own<Registration>, Refusal>;
}
impl stub::Function for later::NamespaceNext {
    type Answer<'m> = Option<Entry<'m>>;
}
impl stub::Function for later::NamespaceChild {
    type Answer<'m> = Result<stub::Own<Namespace>, Refusal>;
}
impl stub::Function for later::NamespaceClose {
    type Answer<'m> = ();
}
impl stub::Function for later::RegistrationServer {
    type Answer<'m> = Result<stub::Own<Server>, Refusal>;
}
impl stub::Function for later::RegistrationReplace {
    type Answer<'m> = Result<(), Refusal>;
}
impl stub::Function for later::RegistrationWithdraw {
    type Answer<'m> = ();
}
/// An active server of `registry` that answers when it can: each function is given the answer that it owes. Where a function is of a resource, the client's badge says which one is called.
pub trait LaterService {
    /// What a capability with this badge stands for: only its functions can be called through it. `None` if it is nothing, or nothing any more.
    fn target(&self, badge: u64) -> Option<Target>;
    /// The server of an interface: a capability to call it, to watch it, and to pass on. To the server it has this client's number as badge.
    fn namespace_resolve(
        &mut self,
        later: stub::Later<later::NamespaceResolve>,
        client: stub::Client,
        identity: Identity,
    );
    /// Gives an interface a server. Whoever provides one may do so again, with another endpoint: a client is the same in its next life. The
    /// place of a server that has ended is free.
    fn namespace_provide(
        &mut self,
        later: stub::Later<later::NamespaceProvide>,
        client: stub::Client,
        identity: Identity,
        name: &str,
        server_: stub::Own<Server>,
    );
    /// Comes after whoever provides an interface here, for clients that may provide it themselves. The endpoint stays, and with it all
    /// that its clients have: whoever takes it over answers them.
    fn namespace_succeed(
        &mut self,
        later: stub::Later<later::NamespaceSucceed>,
        client: stub::Client,
        identity: Identity,
    );
    /// The first server behind that of this interface, or of all, in the order of identities; nothing if there is none.
    fn namespace_next(
        &mut self,
        later: stub::Later<later::NamespaceNext>,
        client: stub::Client,
        after: Option<Identity>,
    );
    /// A new namespace below this one. Whoever has it may provide everything there.
    fn namespace_child(
        &mut self,
        later: stub::Later<later::NamespaceChild>,
        client: stub::Client,
    );
    /// Ends a namespace that `child` made, with all that is provided in it and all that lies below it. Of another one nothing ends.
    fn namespace_close(
        &mut self,
        later: stub::Later<later::NamespaceClose>,
        client: stub::Client,
    );
    /// The endpoint, with all rights that its provider gave with it. With MANAGE it can be taken over.
    fn registration_server(
        &mut self,
        later: stub::Later<later::RegistrationServer>,
        client: stub::Client,
    );
    /// Another endpoint in its place, for who resolves from now on. Who has resolved keeps what it has.
    fn registration_replace(
        &mut self,
        later: stub::Later<later::RegistrationReplace>,
        client: stub::Client,
        server_: stub::Own<Server>,
    );
    /// Nobody finds it any more. Who has resolved keeps what it has.
    fn registration_withdraw(
        &mut self,
        later: stub::Later<later::RegistrationWithdraw>,
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
        (Target::Namespace, tag::NAMESPACE_RESOLVE) => {
            let Some((identity,)) = request.parameters::<(Identity,)>() else {
                return request.malformed()
            };
            server.namespace_resolve(request.later(token), request.client(), identity);
            request.deferred()
        }
        (Target::Namespace, tag::NAMESPACE_PROVIDE) => {
            let Some((identity, name, server_)) = request
                .parameters::<(Identity, &str, stub::Own<Server>)>() else {
                return request.malformed()
            };
            server
                .namespace_provide(
                    request.later(token),
                    request.client(),
                    identity,
                    name,
                    server_,
                );
            request.deferred()
        }
        (Target::Namespace, tag::NAMESPACE_SUCCEED) => {
            let Some((identity,)) = request.parameters::<(Identity,)>() else {
                return request.malformed()
            };
            server.namespace_succeed(request.later(token), request.client(), identity);
            request.deferred()
        }
        (Target::Namespace, tag::NAMESPACE_NEXT) => {
            let Some((after,)) = request.parameters::<(Option<Identity>,)>() else {
                return request.malformed()
            };
            server.namespace_next(request.later(token), request.client(), after);
            request.deferred()
        }
        (Target::Namespace, tag::NAMESPACE_CHILD) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.namespace_child(request.later(token), request.client());
            request.deferred()
        }
        (Target::Namespace, tag::NAMESPACE_CLOSE) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.namespace_close(request.later(token), request.client());
            request.deferred()
        }
        (Target::Registration, tag::REGISTRATION_SERVER) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.registration_server(request.later(token), request.client());
            request.deferred()
        }
        (Target::Registration, tag::REGISTRATION_REPLACE) => {
            let Some((server_,)) = request.parameters::<(stub::Own<Server>,)>() else {
                return request.malformed()
            };
            server.registration_replace(request.later(token), request.client(), server_);
            request.deferred()
        }
        (Target::Registration, tag::REGISTRATION_WITHDRAW) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.registration_withdraw(request.later(token), request.client());
            request.deferred()
        }
        _ => request.unknown(),
    }
}
