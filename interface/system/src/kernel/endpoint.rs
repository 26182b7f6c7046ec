// Stubs of the interface `endpoint`, made by `hallows interface stubs`: change that, not this.
//! What is asked of the kernel about an endpoint. A message to the endpoint itself goes to its server, so these are called on `SELF`, and name it
//! by its handle.
#![allow(
    clippy::type_complexity,
    clippy::result_unit_err,
    reason = "types are as the interface has them"
)]
use hallows_sdk::stub;
/// What its authors call the interface.
pub const NAME: &str = "endpoint";
/// The interface's identity: `6052f78a0c85040b2a1c8fa05dd3a5415612681da5ec4ec2cfbb010e02af41ca`.
pub const HASH: [u8; 32] = [
    0x60, 0x52, 0xf7, 0x8a, 0x0c, 0x85, 0x04, 0x0b, 0x2a, 0x1c, 0x8f, 0xa0, 0x5d, 0xd3,
    0xa5, 0x41, 0x56, 0x12, 0x68, 0x1d, 0xa5, 0xec, 0x4e, 0xc2, 0xcf, 0xbb, 0x01, 0x0e,
    0x02, 0xaf, 0x41, 0xca,
];
/// The longest request, in bytes.
pub const REQUEST_BYTES: usize = 9;
/// The longest answer, in bytes.
pub const REPLY_BYTES: usize = 9;
pub(crate) mod tag {
    //! What requests call the functions.
    pub(crate) const WATCH: u32 = 0x216988ac;
    pub(crate) const DESTROY: u32 = 0x03e17aa6;
    pub(crate) const REASSIGN: u32 = 0x5dc6262d;
    pub(crate) const RECOGNISE: u32 = 0x35527626;
}
/// The resource `cell` of the interface `7711d5cd80f3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell<C = stub::Endpoint>(
    /// What it is called through: the capability that stands for it.
    pub C,
);
impl stub::Resource for Cell {
    fn from_capability(handle: stub::Handle) -> Self {
        Self(stub::Resource::from_capability(handle))
    }
    fn capability(self) -> stub::Handle {
        stub::Resource::capability(self.0)
    }
}
/// A place to send messages to, served by one cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint<C = stub::Endpoint>(
    /// What it is called through: the capability that stands for it.
    pub C,
);
impl stub::Resource for Endpoint {
    const KIND: u8 = Target::Endpoint as u8;
    fn from_capability(handle: stub::Handle) -> Self {
        Self(stub::Resource::from_capability(handle))
    }
    fn capability(self) -> stub::Handle {
        stub::Resource::capability(self.0)
    }
}
/// The resource `notification` of the interface `97bdade8f1f9`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notification<C = stub::Endpoint>(
    /// What it is called through: the capability that stands for it.
    pub C,
);
impl stub::Resource for Notification {
    fn from_capability(handle: stub::Handle) -> Self {
        Self(stub::Resource::from_capability(handle))
    }
    fn capability(self) -> stub::Handle {
        stub::Resource::capability(self.0)
    }
}
/// A client of `endpoint`.
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
    /// Has a notification (SEND) signalled from now on: bit 0 when there is room again after `Busy`, bit 1 when the server died, bit 2 when it runs
    /// again or another cell serves. WATCH.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn watch(
        &self,
        endpoint: u32,
        by: stub::Borrow<Notification>,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<1, 0>::new(tag::WATCH, deadline)
            .between(&self.0, &(endpoint, by), &mut [0; 8], &mut [0; 1])
    }
    /// Ends the endpoint. Everything that waits for it ends with an error. MANAGE.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn destroy(
        &self,
        endpoint: u32,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::DESTROY, deadline)
            .between(&self.0, &(endpoint,), &mut [0; 8], &mut [0; 1])
    }
    /// Another cell (MANAGE) serves from now on, or the caller. How many calls former servers still have to answer. MANAGE.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn reassign(
        &self,
        endpoint: u32,
        to: Option<stub::Borrow<Cell>>,
        deadline: stub::Deadline,
    ) -> Result<u64, stub::Error> {
        stub::Call::<1, 0>::new(tag::REASSIGN, deadline)
            .between(&self.0, &(endpoint, to), &mut [0; 9], &mut [0; 9])
    }
    /// The badge that the caller sees when somebody calls through this capability of an endpoint that it serves.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn recognise(
        &self,
        endpoint: u32,
        deadline: stub::Deadline,
    ) -> Result<u64, stub::Error> {
        stub::Call::<0, 0>::new(tag::RECOGNISE, deadline)
            .between(&self.0, &(endpoint,), &mut [0; 8], &mut [0; 9])
    }
}
impl<C: stub::AsyncCaller> Client<C> {
    /// Has a notification (SEND) signalled from now on: bit 0 when there is room again after `Busy`, bit 1 when the server died, bit 2 when it runs
    /// again or another cell serves. WATCH.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn watch_async(
        &self,
        endpoint: u32,
        by: stub::Borrow<Notification>,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<1, 0>::new(tag::WATCH, deadline)
            .between_async(&self.0, &(endpoint, by), &mut [0; 8], &mut [0; 1])
            .await
    }
    /// Ends the endpoint. Everything that waits for it ends with an error. MANAGE.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn destroy_async(
        &self,
        endpoint: u32,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::DESTROY, deadline)
            .between_async(&self.0, &(endpoint,), &mut [0; 8], &mut [0; 1])
            .await
    }
    /// Another cell (MANAGE) serves from now on, or the caller. How many calls former servers still have to answer. MANAGE.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn reassign_async(
        &self,
        endpoint: u32,
        to: Option<stub::Borrow<Cell>>,
        deadline: stub::Deadline,
    ) -> Result<u64, stub::Error> {
        stub::Call::<1, 0>::new(tag::REASSIGN, deadline)
            .between_async(&self.0, &(endpoint, to), &mut [0; 9], &mut [0; 9])
            .await
    }
    /// The badge that the caller sees when somebody calls through this capability of an endpoint that it serves.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn recognise_async(
        &self,
        endpoint: u32,
        deadline: stub::Deadline,
    ) -> Result<u64, stub::Error> {
        stub::Call::<0, 0>::new(tag::RECOGNISE, deadline)
            .between_async(&self.0, &(endpoint,), &mut [0; 8], &mut [0; 9])
            .await
    }
}
impl<C: stub::Sender> Client<C> {
    /// Sends a call of `watch`; its answer comes as an event, for `watch_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn watch_send(
        &self,
        endpoint: u32,
        by: stub::Borrow<Notification>,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<1, 0>::new(tag::WATCH, stub::Deadline::NEVER)
            .send(&self.0, &(endpoint, by), &mut [0; 8], 1)
    }
    /// Sends a call of `destroy`; its answer comes as an event, for `destroy_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn destroy_send(&self, endpoint: u32) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::DESTROY, stub::Deadline::NEVER)
            .send(&self.0, &(endpoint,), &mut [0; 8], 1)
    }
    /// Sends a call of `reassign`; its answer comes as an event, for `reassign_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn reassign_send(
        &self,
        endpoint: u32,
        to: Option<stub::Borrow<Cell>>,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<1, 0>::new(tag::REASSIGN, stub::Deadline::NEVER)
            .send(&self.0, &(endpoint, to), &mut [0; 9], 9)
    }
    /// Sends a call of `recognise`; its answer comes as an event, for `recognise_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn recognise_send(&self, endpoint: u32) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::RECOGNISE, stub::Deadline::NEVER)
            .send(&self.0, &(endpoint,), &mut [0; 8], 9)
    }
}
impl Client {
    /// The answer to `watch_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn watch_answer(received: stub::Received<'_>) -> Result<(), stub::Error> {
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
    /// The answer to `reassign_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn reassign_answer(received: stub::Received<'_>) -> Result<u64, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `recognise_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn recognise_answer(received: stub::Received<'_>) -> Result<u64, stub::Error> {
        stub::answered(received)
    }
}
/// What a message is to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Target {
    /// The interface itself.
    Interface,
    /// A `endpoint`.
    Endpoint,
}
/// A server of `endpoint`. Where a function is of a resource, the client's badge says which one is called.
pub trait Service {
    /// What a capability with this badge stands for: only its functions can be called through it. `None` if it is nothing, or nothing any more.
    fn target(&self, badge: u64) -> Option<Target>;
    /// Has a notification (SEND) signalled from now on: bit 0 when there is room again after `Busy`, bit 1 when the server died, bit 2 when it runs
    /// again or another cell serves. WATCH.
    fn watch(
        &mut self,
        client: stub::Client,
        endpoint: u32,
        by: stub::Borrow<Notification>,
    );
    /// Ends the endpoint. Everything that waits for it ends with an error. MANAGE.
    fn destroy(&mut self, client: stub::Client, endpoint: u32);
    /// Another cell (MANAGE) serves from now on, or the caller. How many calls former servers still have to answer. MANAGE.
    fn reassign(
        &mut self,
        client: stub::Client,
        endpoint: u32,
        to: Option<stub::Borrow<Cell>>,
    ) -> u64;
    /// The badge that the caller sees when somebody calls through this capability of an endpoint that it serves.
    fn recognise(&mut self, client: stub::Client, endpoint: u32) -> u64;
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
        (Target::Interface, tag::WATCH) => {
            let Some((endpoint, by)) = request
                .parameters::<(u32, stub::Borrow<Notification>)>() else {
                return request.malformed()
            };
            server.watch(request.client(), endpoint, by);
            request.answer::<0, _>(&())
        }
        (Target::Interface, tag::DESTROY) => {
            let Some((endpoint,)) = request.parameters::<(u32,)>() else {
                return request.malformed()
            };
            server.destroy(request.client(), endpoint);
            request.answer::<0, _>(&())
        }
        (Target::Interface, tag::REASSIGN) => {
            let Some((endpoint, to)) = request
                .parameters::<(u32, Option<stub::Borrow<Cell>>)>() else {
                return request.malformed()
            };
            let result = server.reassign(request.client(), endpoint, to);
            request.answer::<0, _>(&result)
        }
        (Target::Interface, tag::RECOGNISE) => {
            let Some((endpoint,)) = request.parameters::<(u32,)>() else {
                return request.malformed()
            };
            let result = server.recognise(request.client(), endpoint);
            request.answer::<0, _>(&result)
        }
        _ => request.unknown(),
    }
}
pub mod later {
    //! What stands for the functions where they are answered later.
    /// `watch`
    #[derive(Clone, Copy, Debug)]
    pub enum Watch {}
    /// `destroy`
    #[derive(Clone, Copy, Debug)]
    pub enum Destroy {}
    /// `reassign`
    #[derive(Clone, Copy, Debug)]
    pub enum Reassign {}
    /// `recognise`
    #[derive(Clone, Copy, Debug)]
    pub enum Recognise {}
}
impl stub::Function for later::Watch {
    type Answer<'m> = ();
}
impl stub::Function for later::Destroy {
    type Answer<'m> = ();
}
impl stub::Function for later::Reassign {
    type Answer<'m> = u64;
}
impl stub::Function for later::Recognise {
    type Answer<'m> = u64;
}
/// An active server of `endpoint` that answers when it can: each function is given the answer that it owes. Where a function is of a resource, the client's badge says which one is called.
pub trait LaterService {
    /// What a capability with this badge stands for: only its functions can be called through it. `None` if it is nothing, or nothing any more.
    fn target(&self, badge: u64) -> Option<Target>;
    /// Has a notification (SEND) signalled from now on: bit 0 when there is room again after `Busy`, bit 1 when the server died, bit 2 when it runs
    /// again or another cell serves. WATCH.
    fn watch(
        &mut self,
        later: stub::Later<later::Watch>,
        client: stub::Client,
        endpoint: u32,
        by: stub::Borrow<Notification>,
    );
    /// Ends the endpoint. Everything that waits for it ends with an error. MANAGE.
    fn destroy(
        &mut self,
        later: stub::Later<later::Destroy>,
        client: stub::Client,
        endpoint: u32,
    );
    /// Another cell (MANAGE) serves from now on, or the caller. How many calls former servers still have to answer. MANAGE.
    fn reassign(
        &mut self,
        later: stub::Later<later::Reassign>,
        client: stub::Client,
        endpoint: u32,
        to: Option<stub::Borrow<Cell>>,
    );
    /// The badge that the caller sees when somebody calls through this capability of an endpoint that it serves.
    fn recognise(
        &mut self,
        later: stub::Later<later::Recognise>,
        client: stub::Client,
        endpoint: u32,
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
        (Target::Interface, tag::WATCH) => {
            let Some((endpoint, by)) = request
                .parameters::<(u32, stub::Borrow<Notification>)>() else {
                return request.malformed()
            };
            server.watch(request.later(token), request.client(), endpoint, by);
            request.deferred()
        }
        (Target::Interface, tag::DESTROY) => {
            let Some((endpoint,)) = request.parameters::<(u32,)>() else {
                return request.malformed()
            };
            server.destroy(request.later(token), request.client(), endpoint);
            request.deferred()
        }
        (Target::Interface, tag::REASSIGN) => {
            let Some((endpoint, to)) = request
                .parameters::<(u32, Option<stub::Borrow<Cell>>)>() else {
                return request.malformed()
            };
            server.reassign(request.later(token), request.client(), endpoint, to);
            request.deferred()
        }
        (Target::Interface, tag::RECOGNISE) => {
            let Some((endpoint,)) = request.parameters::<(u32,)>() else {
                return request.malformed()
            };
            server.recognise(request.later(token), request.client(), endpoint);
            request.deferred()
        }
        _ => request.unknown(),
    }
}
