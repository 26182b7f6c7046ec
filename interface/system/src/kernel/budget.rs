// Stubs of the interface `budget`, made by `hallows interface stubs`: change that, not this.
//! Making things.
#![allow(
    clippy::type_complexity,
    clippy::result_unit_err,
    reason = "types are as the interface has them"
)]
use hallows_sdk::stub;
/// What its authors call the interface.
pub const NAME: &str = "budget";
/// The interface's identity: `ccd563b19f2b30b98d622fedcfed8ed728615091cfd0ca1a38d2f9f756a72eae`.
pub const HASH: [u8; 32] = [
    0xcc, 0xd5, 0x63, 0xb1, 0x9f, 0x2b, 0x30, 0xb9, 0x8d, 0x62, 0x2f, 0xed, 0xcf, 0xed,
    0x8e, 0xd7, 0x28, 0x61, 0x50, 0x91, 0xcf, 0xd0, 0xca, 0x1a, 0x38, 0xd2, 0xf9, 0xf7,
    0x56, 0xa7, 0x2e, 0xae,
];
/// The longest request, in bytes.
pub const REQUEST_BYTES: usize = 37;
/// The longest answer, in bytes.
pub const REPLY_BYTES: usize = 17;
pub(crate) mod tag {
    //! What requests call the functions.
    pub(crate) const BUDGET_CREATE_ENDPOINT: u32 = 0x7d5b5d18;
    pub(crate) const BUDGET_CREATE_NOTIFICATION: u32 = 0x71102b16;
    pub(crate) const BUDGET_CREATE_TIMER: u32 = 0xf6784c4a;
    pub(crate) const BUDGET_CREATE_REGION: u32 = 0x8d2ce915;
    pub(crate) const BUDGET_CREATE_CELL: u32 = 0x117bfaa1;
    pub(crate) const BUDGET_SPLIT: u32 = 0x151315ed;
    pub(crate) const BUDGET_QUERY: u32 = 0x2971b030;
}
/// How much there is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Account {
    /// Bytes in all.
    pub total: u64,
    /// Bytes in use.
    pub used: u64,
}
impl<'m> stub::Value<'m> for Account {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&self.total, encoder)?;
        stub::Value::put(&self.used, encoder)?;
        Some(())
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        Some(Self {
            total: stub::Value::take(decoder)?,
            used: stub::Value::take(decoder)?,
        })
    }
}
/// An amount of memory that objects and cells are made of. All but `query` (SEND) need MANAGE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget<C = stub::Endpoint>(
    /// What it is called through: the capability that stands for it.
    pub C,
);
impl stub::Resource for Budget {
    const KIND: u8 = Target::Budget as u8;
    fn from_capability(handle: stub::Handle) -> Self {
        Self(stub::Resource::from_capability(handle))
    }
    fn capability(self) -> stub::Handle {
        stub::Resource::capability(self.0)
    }
}
impl<C: stub::Caller> Budget<C> {
    /// Makes an endpoint that a cell (MANAGE) serves; without one, the caller.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn create_endpoint(
        &self,
        serving: Serving,
        server_: Option<stub::Borrow<Cell>>,
        deadline: stub::Deadline,
    ) -> Result<stub::Own<Endpoint>, stub::Error> {
        stub::Call::<1, 1>::new(tag::BUDGET_CREATE_ENDPOINT, deadline)
            .between(&self.0, &(serving, server_), &mut [0; 15], &mut [0; 1])
    }
    /// Calls `budget.create-notification`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn create_notification(
        &self,
        deadline: stub::Deadline,
    ) -> Result<stub::Own<Notification>, stub::Error> {
        stub::Call::<0, 1>::new(tag::BUDGET_CREATE_NOTIFICATION, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 1])
    }
    /// Makes a timer that signals bits of a notification (SEND), of which it keeps a copy.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn create_timer(
        &self,
        target: stub::Borrow<Notification>,
        bits: u64,
        deadline: stub::Deadline,
    ) -> Result<stub::Own<Timer>, stub::Error> {
        stub::Call::<1, 1>::new(tag::BUDGET_CREATE_TIMER, deadline)
            .between(&self.0, &(target, bits), &mut [0; 12], &mut [0; 1])
    }
    /// Makes a region of so many bytes, rounded up to pages.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn create_region(
        &self,
        bytes: u64,
        deadline: stub::Deadline,
    ) -> Result<stub::Own<Region>, stub::Error> {
        stub::Call::<0, 1>::new(tag::BUDGET_CREATE_REGION, deadline)
            .between(&self.0, &(bytes,), &mut [0; 12], &mut [0; 1])
    }
    /// Makes a cell that runs a program and is not started yet. An endpoint (SEND) gets its faults.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn create_cell(
        &self,
        program: stub::Borrow<Program>,
        faults: Option<stub::Borrow<Endpoint>>,
        new: NewCell,
        deadline: stub::Deadline,
    ) -> Result<stub::Own<Cell>, stub::Error> {
        stub::Call::<2, 1>::new(tag::BUDGET_CREATE_CELL, deadline)
            .between(&self.0, &(program, faults, new), &mut [0; 37], &mut [0; 1])
    }
    /// Makes a budget of so many bytes out of this one.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn split(
        &self,
        bytes: u64,
        deadline: stub::Deadline,
    ) -> Result<stub::Own<Budget>, stub::Error> {
        stub::Call::<0, 1>::new(tag::BUDGET_SPLIT, deadline)
            .between(&self.0, &(bytes,), &mut [0; 12], &mut [0; 1])
    }
    /// How much there is and how much of it is in use.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn query(&self, deadline: stub::Deadline) -> Result<Account, stub::Error> {
        stub::Call::<0, 0>::new(tag::BUDGET_QUERY, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 17])
    }
}
impl<C: stub::AsyncCaller> Budget<C> {
    /// Makes an endpoint that a cell (MANAGE) serves; without one, the caller.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn create_endpoint_async(
        &self,
        serving: Serving,
        server_: Option<stub::Borrow<Cell>>,
        deadline: stub::Deadline,
    ) -> Result<stub::Own<Endpoint>, stub::Error> {
        stub::Call::<1, 1>::new(tag::BUDGET_CREATE_ENDPOINT, deadline)
            .between_async(&self.0, &(serving, server_), &mut [0; 15], &mut [0; 1])
            .await
    }
    /// Calls `budget.create-notification`.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn create_notification_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<stub::Own<Notification>, stub::Error> {
        stub::Call::<0, 1>::new(tag::BUDGET_CREATE_NOTIFICATION, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 1])
            .await
    }
    /// Makes a timer that signals bits of a notification (SEND), of which it keeps a copy.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn create_timer_async(
        &self,
        target: stub::Borrow<Notification>,
        bits: u64,
        deadline: stub::Deadline,
    ) -> Result<stub::Own<Timer>, stub::Error> {
        stub::Call::<1, 1>::new(tag::BUDGET_CREATE_TIMER, deadline)
            .between_async(&self.0, &(target, bits), &mut [0; 12], &mut [0; 1])
            .await
    }
    /// Makes a region of so many bytes, rounded up to pages.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn create_region_async(
        &self,
        bytes: u64,
        deadline: stub::Deadline,
    ) -> Result<stub::Own<Region>, stub::Error> {
        stub::Call::<0, 1>::new(tag::BUDGET_CREATE_REGION, deadline)
            .between_async(&self.0, &(bytes,), &mut [0; 12], &mut [0; 1])
            .await
    }
    /// Makes a cell that runs a program and is not started yet. An endpoint (SEND) gets its faults.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn create_cell_async(
        &self,
        program: stub::Borrow<Program>,
        faults: Option<stub::Borrow<Endpoint>>,
        new: NewCell,
        deadline: stub::Deadline,
    ) -> Result<stub::Own<Cell>, stub::Error> {
        stub::Call::<2, 1>::new(tag::BUDGET_CREATE_CELL, deadline)
            .between_async(&self.0, &(program, faults, new), &mut [0; 37], &mut [0; 1])
            .await
    }
    /// Makes a budget of so many bytes out of this one.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn split_async(
        &self,
        bytes: u64,
        deadline: stub::Deadline,
    ) -> Result<stub::Own<Budget>, stub::Error> {
        stub::Call::<0, 1>::new(tag::BUDGET_SPLIT, deadline)
            .between_async(&self.0, &(bytes,), &mut [0; 12], &mut [0; 1])
            .await
    }
    /// How much there is and how much of it is in use.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn query_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<Account, stub::Error> {
        stub::Call::<0, 0>::new(tag::BUDGET_QUERY, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 17])
            .await
    }
}
impl<C: stub::Sender> Budget<C> {
    /// Sends a call of `budget.create-endpoint`; its answer comes as an event, for `create_endpoint_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn create_endpoint_send(
        &self,
        serving: Serving,
        server_: Option<stub::Borrow<Cell>>,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<1, 1>::new(tag::BUDGET_CREATE_ENDPOINT, stub::Deadline::NEVER)
            .send(&self.0, &(serving, server_), &mut [0; 15], 1)
    }
    /// Sends a call of `budget.create-notification`; its answer comes as an event, for `create_notification_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn create_notification_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 1>::new(tag::BUDGET_CREATE_NOTIFICATION, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 1)
    }
    /// Sends a call of `budget.create-timer`; its answer comes as an event, for `create_timer_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn create_timer_send(
        &self,
        target: stub::Borrow<Notification>,
        bits: u64,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<1, 1>::new(tag::BUDGET_CREATE_TIMER, stub::Deadline::NEVER)
            .send(&self.0, &(target, bits), &mut [0; 12], 1)
    }
    /// Sends a call of `budget.create-region`; its answer comes as an event, for `create_region_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn create_region_send(&self, bytes: u64) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 1>::new(tag::BUDGET_CREATE_REGION, stub::Deadline::NEVER)
            .send(&self.0, &(bytes,), &mut [0; 12], 1)
    }
    /// Sends a call of `budget.create-cell`; its answer comes as an event, for `create_cell_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn create_cell_send(
        &self,
        program: stub::Borrow<Program>,
        faults: Option<stub::Borrow<Endpoint>>,
        new: NewCell,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<2, 1>::new(tag::BUDGET_CREATE_CELL, stub::Deadline::NEVER)
            .send(&self.0, &(program, faults, new), &mut [0; 37], 1)
    }
    /// Sends a call of `budget.split`; its answer comes as an event, for `split_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn split_send(&self, bytes: u64) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 1>::new(tag::BUDGET_SPLIT, stub::Deadline::NEVER)
            .send(&self.0, &(bytes,), &mut [0; 12], 1)
    }
    /// Sends a call of `budget.query`; its answer comes as an event, for `query_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn query_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::BUDGET_QUERY, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 17)
    }
}
impl Budget {
    /// The answer to `create_endpoint_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn create_endpoint_answer(
        received: stub::Received<'_>,
    ) -> Result<stub::Own<Endpoint>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `create_notification_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn create_notification_answer(
        received: stub::Received<'_>,
    ) -> Result<stub::Own<Notification>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `create_timer_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn create_timer_answer(
        received: stub::Received<'_>,
    ) -> Result<stub::Own<Timer>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `create_region_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn create_region_answer(
        received: stub::Received<'_>,
    ) -> Result<stub::Own<Region>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `create_cell_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn create_cell_answer(
        received: stub::Received<'_>,
    ) -> Result<stub::Own<Cell>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `split_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn split_answer(
        received: stub::Received<'_>,
    ) -> Result<stub::Own<Budget>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `query_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn query_answer(received: stub::Received<'_>) -> Result<Account, stub::Error> {
        stub::answered(received)
    }
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
/// The resource `endpoint` of the interface `6052f78a0c85`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint<C = stub::Endpoint>(
    /// What it is called through: the capability that stands for it.
    pub C,
);
impl stub::Resource for Endpoint {
    fn from_capability(handle: stub::Handle) -> Self {
        Self(stub::Resource::from_capability(handle))
    }
    fn capability(self) -> stub::Handle {
        stub::Resource::capability(self.0)
    }
}
/// A cell to be made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NewCell {
    /// The most linear memory that it may have, in bytes.
    pub memory: u64,
    /// How many capabilities it may have; none: 64.
    pub slots: Option<u32>,
    /// 0 the lowest, 7 the highest; not above the caller's.
    pub priority: u8,
    /// The field `running`.
    pub running: Running,
}
impl<'m> stub::Value<'m> for NewCell {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&self.memory, encoder)?;
        stub::Value::put(&self.slots, encoder)?;
        stub::Value::put(&self.priority, encoder)?;
        stub::Value::put(&self.running, encoder)?;
        Some(())
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        Some(Self {
            memory: stub::Value::take(decoder)?,
            slots: stub::Value::take(decoder)?,
            priority: stub::Value::take(decoder)?,
            running: stub::Value::take(decoder)?,
        })
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
/// The resource `program` of the interface `116d68828552`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program<C = stub::Endpoint>(
    /// What it is called through: the capability that stands for it.
    pub C,
);
impl stub::Resource for Program {
    fn from_capability(handle: stub::Handle) -> Self {
        Self(stub::Resource::from_capability(handle))
    }
    fn capability(self) -> stub::Handle {
        stub::Resource::capability(self.0)
    }
}
/// The resource `region` of the interface `3cd10a61a19a`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region<C = stub::Endpoint>(
    /// What it is called through: the capability that stands for it.
    pub C,
);
impl stub::Resource for Region {
    fn from_capability(handle: stub::Handle) -> Self {
        Self(stub::Resource::from_capability(handle))
    }
    fn capability(self) -> stub::Handle {
        stub::Resource::capability(self.0)
    }
}
/// On whose time a cell runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Running {
    /// On its own, of which it may have a budget.
    Active(Option<TimeBudget>),
    /// On its callers', when it has started.
    Passive,
}
impl<'m> stub::Value<'m> for Running {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        match self {
            Self::Active(value) => {
                stub::Value::put(&0u8, encoder)?;
                stub::Value::put(value, encoder)
            }
            Self::Passive => stub::Value::put(&1u8, encoder),
        }
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        match <u8 as stub::Value>::take(decoder)? {
            0 => stub::Value::take(decoder).map(Self::Active),
            1 => Some(Self::Passive),
            _ => None,
        }
    }
}
/// How an endpoint is served.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Serving {
    /// By a thread of its server's own. So many messages may wait, 1 to 4,096.
    Active(u16),
    /// On its callers' threads. So many nanoseconds may one message take; none: what the machine has as its default.
    Passive(Option<u64>),
}
impl<'m> stub::Value<'m> for Serving {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        match self {
            Self::Active(value) => {
                stub::Value::put(&0u8, encoder)?;
                stub::Value::put(value, encoder)
            }
            Self::Passive(value) => {
                stub::Value::put(&1u8, encoder)?;
                stub::Value::put(value, encoder)
            }
        }
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        match <u8 as stub::Value>::take(decoder)? {
            0 => stub::Value::take(decoder).map(Self::Active),
            1 => stub::Value::take(decoder).map(Self::Passive),
            _ => None,
        }
    }
}
/// The most processor time that a cell may use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeBudget {
    /// Nanoseconds in each period.
    pub time: u64,
    /// Nanoseconds.
    pub period: u64,
}
impl<'m> stub::Value<'m> for TimeBudget {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&self.time, encoder)?;
        stub::Value::put(&self.period, encoder)?;
        Some(())
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        Some(Self {
            time: stub::Value::take(decoder)?,
            period: stub::Value::take(decoder)?,
        })
    }
}
/// The resource `timer` of the interface `ec34f94ffc91`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer<C = stub::Endpoint>(
    /// What it is called through: the capability that stands for it.
    pub C,
);
impl stub::Resource for Timer {
    fn from_capability(handle: stub::Handle) -> Self {
        Self(stub::Resource::from_capability(handle))
    }
    fn capability(self) -> stub::Handle {
        stub::Resource::capability(self.0)
    }
}
/// A client of `budget`.
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
    /// A `budget`.
    Budget,
}
/// A server of `budget`. Where a function is of a resource, the client's badge says which one is called.
pub trait Service {
    /// What a capability with this badge stands for: only its functions can be called through it. `None` if it is nothing, or nothing any more.
    fn target(&self, badge: u64) -> Option<Target>;
    /// Makes an endpoint that a cell (MANAGE) serves; without one, the caller.
    fn budget_create_endpoint(
        &mut self,
        client: stub::Client,
        serving: Serving,
        server_: Option<stub::Borrow<Cell>>,
    ) -> stub::Own<Endpoint>;
    /// Answers `budget.create-notification`.
    fn budget_create_notification(
        &mut self,
        client: stub::Client,
    ) -> stub::Own<Notification>;
    /// Makes a timer that signals bits of a notification (SEND), of which it keeps a copy.
    fn budget_create_timer(
        &mut self,
        client: stub::Client,
        target: stub::Borrow<Notification>,
        bits: u64,
    ) -> stub::Own<Timer>;
    /// Makes a region of so many bytes, rounded up to pages.
    fn budget_create_region(
        &mut self,
        client: stub::Client,
        bytes: u64,
    ) -> stub::Own<Region>;
    /// Makes a cell that runs a program and is not started yet. An endpoint (SEND) gets its faults.
    fn budget_create_cell(
        &mut self,
        client: stub::Client,
        program: stub::Borrow<Program>,
        faults: Option<stub::Borrow<Endpoint>>,
        new: NewCell,
    ) -> stub::Own<Cell>;
    /// Makes a budget of so many bytes out of this one.
    fn budget_split(&mut self, client: stub::Client, bytes: u64) -> stub::Own<Budget>;
    /// How much there is and how much of it is in use.
    fn budget_query(&mut self, client: stub::Client) -> Account;
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
        (Target::Budget, tag::BUDGET_CREATE_ENDPOINT) => {
            let Some((serving, server_)) = request
                .parameters::<(Serving, Option<stub::Borrow<Cell>>)>() else {
                return request.malformed()
            };
            let result = server
                .budget_create_endpoint(request.client(), serving, server_);
            request.answer::<1, _>(&result)
        }
        (Target::Budget, tag::BUDGET_CREATE_NOTIFICATION) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.budget_create_notification(request.client());
            request.answer::<1, _>(&result)
        }
        (Target::Budget, tag::BUDGET_CREATE_TIMER) => {
            let Some((target, bits)) = request
                .parameters::<(stub::Borrow<Notification>, u64)>() else {
                return request.malformed()
            };
            let result = server.budget_create_timer(request.client(), target, bits);
            request.answer::<1, _>(&result)
        }
        (Target::Budget, tag::BUDGET_CREATE_REGION) => {
            let Some((bytes,)) = request.parameters::<(u64,)>() else {
                return request.malformed()
            };
            let result = server.budget_create_region(request.client(), bytes);
            request.answer::<1, _>(&result)
        }
        (Target::Budget, tag::BUDGET_CREATE_CELL) => {
            let Some((program, faults, new)) = request
                .parameters::<
                    (stub::Borrow<Program>, Option<stub::Borrow<Endpoint>>, NewCell),
                >() else { return request.malformed() };
            let result = server
                .budget_create_cell(request.client(), program, faults, new);
            request.answer::<1, _>(&result)
        }
        (Target::Budget, tag::BUDGET_SPLIT) => {
            let Some((bytes,)) = request.parameters::<(u64,)>() else {
                return request.malformed()
            };
            let result = server.budget_split(request.client(), bytes);
            request.answer::<1, _>(&result)
        }
        (Target::Budget, tag::BUDGET_QUERY) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.budget_query(request.client());
            request.answer::<0, _>(&result)
        }
        _ => request.unknown(),
    }
}
pub mod later {
    //! What stands for the functions where they are answered later.
    /// `budget.create-endpoint`
    #[derive(Clone, Copy, Debug)]
    pub enum BudgetCreateEndpoint {}
    /// `budget.create-notification`
    #[derive(Clone, Copy, Debug)]
    pub enum BudgetCreateNotification {}
    /// `budget.create-timer`
    #[derive(Clone, Copy, Debug)]
    pub enum BudgetCreateTimer {}
    /// `budget.create-region`
    #[derive(Clone, Copy, Debug)]
    pub enum BudgetCreateRegion {}
    /// `budget.create-cell`
    #[derive(Clone, Copy, Debug)]
    pub enum BudgetCreateCell {}
    /// `budget.split`
    #[derive(Clone, Copy, Debug)]
    pub enum BudgetSplit {}
    /// `budget.query`
    #[derive(Clone, Copy, Debug)]
    pub enum BudgetQuery {}
}
impl stub::Function for later::BudgetCreateEndpoint {
    type Answer<'m> = stub::Own<Endpoint>;
}
impl stub::Function for later::BudgetCreateNotification {
    type Answer<'m> = stub::Own<Notification>;
}
impl stub::Function for later::BudgetCreateTimer {
    type Answer<'m> = stub::Own<Timer>;
}
impl stub::Function for later::BudgetCreateRegion {
    type Answer<'m> = stub::Own<Region>;
}
impl stub::Function for later::BudgetCreateCell {
    type Answer<'m> = stub::Own<Cell>;
}
impl stub::Function for later::BudgetSplit {
    type Answer<'m> = stub::Own<Budget>;
}
impl stub::Function for later::BudgetQuery {
    type Answer<'m> = Account;
}
/// An active server of `budget` that answers when it can: each function is given the answer that it owes. Where a function is of a resource, the client's badge says which one is called.
pub trait LaterService {
    /// What a capability with this badge stands for: only its functions can be called through it. `None` if it is nothing, or nothing any more.
    fn target(&self, badge: u64) -> Option<Target>;
    /// Makes an endpoint that a cell (MANAGE) serves; without one, the caller.
    fn budget_create_endpoint(
        &mut self,
        later: stub::Later<later::BudgetCreateEndpoint>,
        client: stub::Client,
        serving: Serving,
        server_: Option<stub::Borrow<Cell>>,
    );
    /// Answers `budget.create-notification`.
    fn budget_create_notification(
        &mut self,
        later: stub::Later<later::BudgetCreateNotification>,
        client: stub::Client,
    );
    /// Makes a timer that signals bits of a notification (SEND), of which it keeps a copy.
    fn budget_create_timer(
        &mut self,
        later: stub::Later<later::BudgetCreateTimer>,
        client: stub::Client,
        target: stub::Borrow<Notification>,
        bits: u64,
    );
    /// Makes a region of so many bytes, rounded up to pages.
    fn budget_create_region(
        &mut self,
        later: stub::Later<later::BudgetCreateRegion>,
        client: stub::Client,
        bytes: u64,
    );
    /// Makes a cell that runs a program and is not started yet. An endpoint (SEND) gets its faults.
    fn budget_create_cell(
        &mut self,
        later: stub::Later<later::BudgetCreateCell>,
        client: stub::Client,
        program: stub::Borrow<Program>,
        faults: Option<stub::Borrow<Endpoint>>,
        new: NewCell,
    );
    /// Makes a budget of so many bytes out of this one.
    fn budget_split(
        &mut self,
        later: stub::Later<later::BudgetSplit>,
        client: stub::Client,
        bytes: u64,
    );
    /// How much there is and how much of it is in use.
    fn budget_query(
        &mut self,
        later: stub::Later<later::BudgetQuery>,
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
        (Target::Budget, tag::BUDGET_CREATE_ENDPOINT) => {
            let Some((serving, server_)) = request
                .parameters::<(Serving, Option<stub::Borrow<Cell>>)>() else {
                return request.malformed()
            };
            server
                .budget_create_endpoint(
                    request.later(token),
                    request.client(),
                    serving,
                    server_,
                );
            request.deferred()
        }
        (Target::Budget, tag::BUDGET_CREATE_NOTIFICATION) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.budget_create_notification(request.later(token), request.client());
            request.deferred()
        }
        (Target::Budget, tag::BUDGET_CREATE_TIMER) => {
            let Some((target, bits)) = request
                .parameters::<(stub::Borrow<Notification>, u64)>() else {
                return request.malformed()
            };
            server
                .budget_create_timer(
                    request.later(token),
                    request.client(),
                    target,
                    bits,
                );
            request.deferred()
        }
        (Target::Budget, tag::BUDGET_CREATE_REGION) => {
            let Some((bytes,)) = request.parameters::<(u64,)>() else {
                return request.malformed()
            };
            server.budget_create_region(request.later(token), request.client(), bytes);
            request.deferred()
        }
        (Target::Budget, tag::BUDGET_CREATE_CELL) => {
            let Some((program, faults, new)) = request
                .parameters::<
                    (stub::Borrow<Program>, Option<stub::Borrow<Endpoint>>, NewCell),
                >() else { return request.malformed() };
            server
                .budget_create_cell(
                    request.later(token),
                    request.client(),
                    program,
                    faults,
                    new,
                );
            request.deferred()
        }
        (Target::Budget, tag::BUDGET_SPLIT) => {
            let Some((bytes,)) = request.parameters::<(u64,)>() else {
                return request.malformed()
            };
            server.budget_split(request.later(token), request.client(), bytes);
            request.deferred()
        }
        (Target::Budget, tag::BUDGET_QUERY) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.budget_query(request.later(token), request.client());
            request.deferred()
        }
        _ => request.unknown(),
    }
}
