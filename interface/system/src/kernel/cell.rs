// Stubs of the interface `cell`, made by `hallows interface stubs`: change that, not this.
//! Cells of others. A cell's capability of itself is `SELF`, which answers `space`.
#![allow(
    clippy::type_complexity,
    clippy::result_unit_err,
    reason = "types are as the interface has them"
)]
use hallows_sdk::stub;
/// What its authors call the interface.
pub const NAME: &str = "cell";
/// The interface's identity: `7711d5cd80f3e30168a13373f9a74b750c96d672873237c0b119ef8957411391`.
pub const HASH: [u8; 32] = [
    0x77, 0x11, 0xd5, 0xcd, 0x80, 0xf3, 0xe3, 0x01, 0x68, 0xa1, 0x33, 0x73, 0xf9, 0xa7,
    0x4b, 0x75, 0x0c, 0x96, 0xd6, 0x72, 0x87, 0x32, 0x37, 0xc0, 0xb1, 0x19, 0xef, 0x89,
    0x57, 0x41, 0x13, 0x91,
];
/// The longest answer, in bytes.
pub const REPLY_BYTES: usize = 14;
pub(crate) mod tag {
    //! What requests call the functions.
    pub(crate) const CELL_GRANT: u32 = 0x4684552f;
    pub(crate) const CELL_START: u32 = 0x1d602565;
    pub(crate) const CELL_KILL: u32 = 0x8cf6ef3c;
    pub(crate) const CELL_RESTART: u32 = 0x33ad780a;
    pub(crate) const CELL_INSPECT: u32 = 0x84673028;
}
/// A program in execution, and its capability space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell<C = stub::Endpoint>(
    /// What it is called through: the capability that stands for it.
    pub C,
);
impl stub::Resource for Cell {
    const KIND: u8 = Target::Cell as u8;
    fn from_capability(handle: stub::Handle) -> Self {
        Self(stub::Resource::from_capability(handle))
    }
    fn capability(self) -> stub::Handle {
        stub::Resource::capability(self.0)
    }
}
impl<C: stub::Caller> Cell<C> {
    /// Puts a copy of a capability (TRANSFER) into its space, with those of the rights that the original has, and with a badge if it is not 0;
    /// its handle there. Only before it is started. MANAGE.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn grant(
        &self,
        what: stub::Borrow<Object>,
        rights: Rights,
        badge: u64,
        deadline: stub::Deadline,
    ) -> Result<u32, stub::Error> {
        stub::Call::<1, 0>::new(tag::CELL_GRANT, deadline)
            .between(&self.0, &(what, rights, badge), &mut [0; 13], &mut [0; 5])
    }
    /// Starts it, with at most 16,384 bytes that it can ask for; which life that is. MANAGE.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn start(
        &self,
        info: &[u8],
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<u32, stub::Error> {
        stub::Call::<0, 0>::new(tag::CELL_START, deadline)
            .within(&self.0, &(info,), room)
    }
    /// Kills it. MANAGE.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn kill(&self, deadline: stub::Deadline) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::CELL_KILL, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 1])
    }
    /// Starts it again after it ended, with the grants that it first had; which life that is. MANAGE.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn restart(&self, deadline: stub::Deadline) -> Result<u32, stub::Error> {
        stub::Call::<0, 0>::new(tag::CELL_RESTART, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 5])
    }
    /// What there is to know about it. SEND.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn inspect(&self, deadline: stub::Deadline) -> Result<Inspection, stub::Error> {
        stub::Call::<0, 0>::new(tag::CELL_INSPECT, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 14])
    }
}
impl<C: stub::AsyncCaller> Cell<C> {
    /// Puts a copy of a capability (TRANSFER) into its space, with those of the rights that the original has, and with a badge if it is not 0;
    /// its handle there. Only before it is started. MANAGE.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn grant_async(
        &self,
        what: stub::Borrow<Object>,
        rights: Rights,
        badge: u64,
        deadline: stub::Deadline,
    ) -> Result<u32, stub::Error> {
        stub::Call::<1, 0>::new(tag::CELL_GRANT, deadline)
            .between_async(&self.0, &(what, rights, badge), &mut [0; 13], &mut [0; 5])
            .await
    }
    /// Starts it, with at most 16,384 bytes that it can ask for; which life that is. MANAGE.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn start_async(
        &self,
        info: &[u8],
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<u32, stub::Error> {
        stub::Call::<0, 0>::new(tag::CELL_START, deadline)
            .within_async(&self.0, &(info,), room)
            .await
    }
    /// Kills it. MANAGE.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn kill_async(&self, deadline: stub::Deadline) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::CELL_KILL, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 1])
            .await
    }
    /// Starts it again after it ended, with the grants that it first had; which life that is. MANAGE.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn restart_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<u32, stub::Error> {
        stub::Call::<0, 0>::new(tag::CELL_RESTART, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 5])
            .await
    }
    /// What there is to know about it. SEND.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn inspect_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<Inspection, stub::Error> {
        stub::Call::<0, 0>::new(tag::CELL_INSPECT, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 14])
            .await
    }
}
impl<C: stub::Sender> Cell<C> {
    /// Sends a call of `cell.grant`; its answer comes as an event, for `grant_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn grant_send(
        &self,
        what: stub::Borrow<Object>,
        rights: Rights,
        badge: u64,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<1, 0>::new(tag::CELL_GRANT, stub::Deadline::NEVER)
            .send(&self.0, &(what, rights, badge), &mut [0; 13], 5)
    }
    /// Sends a call of `cell.start`; its answer comes as an event, for `start_answer`. `request` is for the message.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn start_send(
        &self,
        info: &[u8],
        request: &mut [u8],
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::CELL_START, stub::Deadline::NEVER)
            .send(&self.0, &(info,), request, 5)
    }
    /// Sends a call of `cell.kill`; its answer comes as an event, for `kill_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn kill_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::CELL_KILL, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 1)
    }
    /// Sends a call of `cell.restart`; its answer comes as an event, for `restart_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn restart_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::CELL_RESTART, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 5)
    }
    /// Sends a call of `cell.inspect`; its answer comes as an event, for `inspect_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn inspect_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::CELL_INSPECT, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 14)
    }
}
impl Cell {
    /// The answer to `grant_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn grant_answer(received: stub::Received<'_>) -> Result<u32, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `start_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn start_answer(received: stub::Received<'_>) -> Result<u32, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `kill_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn kill_answer(received: stub::Received<'_>) -> Result<(), stub::Error> {
        stub::answered(received)
    }
    /// The answer to `restart_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn restart_answer(received: stub::Received<'_>) -> Result<u32, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `inspect_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn inspect_answer(
        received: stub::Received<'_>,
    ) -> Result<Inspection, stub::Error> {
        stub::answered(received)
    }
}
/// What there is to know about a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Inspection {
    /// The field `state`.
    pub state: State,
    /// Which life it is in, from 1.
    pub life: u32,
    /// Bytes of linear memory in use.
    pub memory: u64,
}
impl<'m> stub::Value<'m> for Inspection {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&self.state, encoder)?;
        stub::Value::put(&self.life, encoder)?;
        stub::Value::put(&self.memory, encoder)?;
        Some(())
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        Some(Self {
            state: stub::Value::take(decoder)?,
            life: stub::Value::take(decoder)?,
            memory: stub::Value::take(decoder)?,
        })
    }
}
/// The resource `object` of the interface `6960a8a9a8f2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object<C = stub::Endpoint>(
    /// What it is called through: the capability that stands for it.
    pub C,
);
impl stub::Resource for Object {
    fn from_capability(handle: stub::Handle) -> Self {
        Self(stub::Resource::from_capability(handle))
    }
    fn capability(self) -> stub::Handle {
        stub::Resource::capability(self.0)
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
/// Where a cell is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum State {
    /// Made, not started.
    Created = 0,
    /// Passive, and makes itself ready.
    Starting = 1,
    /// It runs, or waits.
    Running = 2,
    /// It has ended, and unwinds.
    Dying = 3,
    /// It is over, and may be started again.
    Dead = 4,
}
impl State {
    /// Every case, in order.
    pub const ALL: [Self; 5] = [
        Self::Created,
        Self::Starting,
        Self::Running,
        Self::Dying,
        Self::Dead,
    ];
}
impl<'m> stub::Value<'m> for State {
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
/// A client of `cell`.
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
    /// A `cell`.
    Cell,
}
/// A server of `cell`. Where a function is of a resource, the client's badge says which one is called.
pub trait Service {
    /// What a capability with this badge stands for: only its functions can be called through it. `None` if it is nothing, or nothing any more.
    fn target(&self, badge: u64) -> Option<Target>;
    /// Puts a copy of a capability (TRANSFER) into its space, with those of the rights that the original has, and with a badge if it is not 0;
    /// its handle there. Only before it is started. MANAGE.
    fn cell_grant(
        &mut self,
        client: stub::Client,
        what: stub::Borrow<Object>,
        rights: Rights,
        badge: u64,
    ) -> u32;
    /// Starts it, with at most 16,384 bytes that it can ask for; which life that is. MANAGE.
    fn cell_start(&mut self, client: stub::Client, info: &[u8]) -> u32;
    /// Kills it. MANAGE.
    fn cell_kill(&mut self, client: stub::Client);
    /// Starts it again after it ended, with the grants that it first had; which life that is. MANAGE.
    fn cell_restart(&mut self, client: stub::Client) -> u32;
    /// What there is to know about it. SEND.
    fn cell_inspect(&mut self, client: stub::Client) -> Inspection;
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
        (Target::Cell, tag::CELL_GRANT) => {
            let Some((what, rights, badge)) = request
                .parameters::<(stub::Borrow<Object>, Rights, u64)>() else {
                return request.malformed()
            };
            let result = server.cell_grant(request.client(), what, rights, badge);
            request.answer::<0, _>(&result)
        }
        (Target::Cell, tag::CELL_START) => {
            let Some((info,)) = request.parameters::<(&[u8],)>() else {
                return request.malformed()
            };
            let result = server.cell_start(request.client(), info);
            request.answer::<0, _>(&result)
        }
        (Target::Cell, tag::CELL_KILL) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.cell_kill(request.client());
            request.answer::<0, _>(&())
        }
        (Target::Cell, tag::CELL_RESTART) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.cell_restart(request.client());
            request.answer::<0, _>(&result)
        }
        (Target::Cell, tag::CELL_INSPECT) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.cell_inspect(request.client());
            request.answer::<0, _>(&result)
        }
        _ => request.unknown(),
    }
}
pub mod later {
    //! What stands for the functions where they are answered later.
    /// `cell.grant`
    #[derive(Clone, Copy, Debug)]
    pub enum CellGrant {}
    /// `cell.start`
    #[derive(Clone, Copy, Debug)]
    pub enum CellStart {}
    /// `cell.kill`
    #[derive(Clone, Copy, Debug)]
    pub enum CellKill {}
    /// `cell.restart`
    #[derive(Clone, Copy, Debug)]
    pub enum CellRestart {}
    /// `cell.inspect`
    #[derive(Clone, Copy, Debug)]
    pub enum CellInspect {}
}
impl stub::Function for later::CellGrant {
    type Answer<'m> = u32;
}
impl stub::Function for later::CellStart {
    type Answer<'m> = u32;
}
impl stub::Function for later::CellKill {
    type Answer<'m> = ();
}
impl stub::Function for later::CellRestart {
    type Answer<'m> = u32;
}
impl stub::Function for later::CellInspect {
    type Answer<'m> = Inspection;
}
/// An active server of `cell` that answers when it can: each function is given the answer that it owes. Where a function is of a resource, the client's badge says which one is called.
pub trait LaterService {
    /// What a capability with this badge stands for: only its functions can be called through it. `None` if it is nothing, or nothing any more.
    fn target(&self, badge: u64) -> Option<Target>;
    /// Puts a copy of a capability (TRANSFER) into its space, with those of the rights that the original has, and with a badge if it is not 0;
    /// its handle there. Only before it is started. MANAGE.
    fn cell_grant(
        &mut self,
        later: stub::Later<later::CellGrant>,
        client: stub::Client,
        what: stub::Borrow<Object>,
        rights: Rights,
        badge: u64,
    );
    /// Starts it, with at most 16,384 bytes that it can ask for; which life that is. MANAGE.
    fn cell_start(
        &mut self,
        later: stub::Later<later::CellStart>,
        client: stub::Client,
        info: &[u8],
    );
    /// Kills it. MANAGE.
    fn cell_kill(&mut self, later: stub::Later<later::CellKill>, client: stub::Client);
    /// Starts it again after it ended, with the grants that it first had; which life that is. MANAGE.
    fn cell_restart(
        &mut self,
        later: stub::Later<later::CellRestart>,
        client: stub::Client,
    );
    /// What there is to know about it. SEND.
    fn cell_inspect(
        &mut self,
        later: stub::Later<later::CellInspect>,
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
        (Target::Cell, tag::CELL_GRANT) => {
            let Some((what, rights, badge)) = request
                .parameters::<(stub::Borrow<Object>, Rights, u64)>() else {
                return request.malformed()
            };
            server
                .cell_grant(request.later(token), request.client(), what, rights, badge);
            request.deferred()
        }
        (Target::Cell, tag::CELL_START) => {
            let Some((info,)) = request.parameters::<(&[u8],)>() else {
                return request.malformed()
            };
            server.cell_start(request.later(token), request.client(), info);
            request.deferred()
        }
        (Target::Cell, tag::CELL_KILL) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.cell_kill(request.later(token), request.client());
            request.deferred()
        }
        (Target::Cell, tag::CELL_RESTART) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.cell_restart(request.later(token), request.client());
            request.deferred()
        }
        (Target::Cell, tag::CELL_INSPECT) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.cell_inspect(request.later(token), request.client());
            request.deferred()
        }
        _ => request.unknown(),
    }
}
