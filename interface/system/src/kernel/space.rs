// Stubs of the interface `space`, made by `hallows interface stubs`: change that, not this.
//! What a cell asks of its own capability space, and of the kernel for itself: what `SELF` answers. No rights are needed.
//!
//! Capabilities are named by their handles here, because the names are what is asked about.
#![allow(
    clippy::type_complexity,
    clippy::result_unit_err,
    reason = "types are as the interface has them"
)]
use hallows_sdk::stub;
/// What its authors call the interface.
pub const NAME: &str = "space";
/// The interface's identity: `687a04b62618ab230b454665cb8dd9cbd9c4496d4467c17f354d5351105f6e09`.
pub const HASH: [u8; 32] = [
    0x68, 0x7a, 0x04, 0xb6, 0x26, 0x18, 0xab, 0x23, 0x0b, 0x45, 0x46, 0x65, 0xcb, 0x8d,
    0xd9, 0xcb, 0xd9, 0xc4, 0x49, 0x6d, 0x44, 0x67, 0xc1, 0x7f, 0x35, 0x4d, 0x53, 0x51,
    0x10, 0x5f, 0x6e, 0x09,
];
pub(crate) mod tag {
    //! What requests call the functions.
    pub(crate) const COPY: u32 = 0x99fb17d0;
    pub(crate) const MINT: u32 = 0xe993d743;
    pub(crate) const MOVE_: u32 = 0xa183b29a;
    pub(crate) const DELETE: u32 = 0x6394e463;
    pub(crate) const REVOKE: u32 = 0xdbe9ff5f;
    pub(crate) const IDENTIFY: u32 = 0x2eb0ad5f;
    pub(crate) const START_INFO: u32 = 0x32e10a19;
    pub(crate) const EXIT: u32 = 0x3b37e420;
    pub(crate) const YIELD_: u32 = 0x2579abd5;
    pub(crate) const EXPECT: u32 = 0x91319ffd;
    pub(crate) const NOW: u32 = 0x296f47a2;
    pub(crate) const RANDOM: u32 = 0x6d1763ab;
    pub(crate) const LOG: u32 = 0x9a18ceb4;
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
/// A client of `space`.
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
    /// Derives a child with the same rights and badge.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn copy(&self, what: u32, deadline: stub::Deadline) -> Result<u32, stub::Error> {
        stub::Call::<0, 0>::new(tag::COPY, deadline)
            .between(&self.0, &(what,), &mut [0; 8], &mut [0; 5])
    }
    /// Derives a child with those of the rights that its original has, and a badge. 0 keeps the badge; a badged one is not badged again.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn mint(
        &self,
        what: u32,
        rights: Rights,
        badge: u64,
        deadline: stub::Deadline,
    ) -> Result<u32, stub::Error> {
        stub::Call::<0, 0>::new(tag::MINT, deadline)
            .between(&self.0, &(what, rights, badge), &mut [0; 17], &mut [0; 5])
    }
    /// Moves a capability to another slot: the old handle is stale.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn move_(
        &self,
        what: u32,
        deadline: stub::Deadline,
    ) -> Result<u32, stub::Error> {
        stub::Call::<0, 0>::new(tag::MOVE_, deadline)
            .between(&self.0, &(what,), &mut [0; 8], &mut [0; 5])
    }
    /// Deletes a capability. What was derived from it becomes its original's.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn delete(
        &self,
        what: u32,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::DELETE, deadline)
            .between(&self.0, &(what,), &mut [0; 8], &mut [0; 1])
    }
    /// Deletes everything that was derived from a capability, everywhere; how many that were. After this, nothing through them starts or still
    /// runs.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn revoke(
        &self,
        what: u32,
        deadline: stub::Deadline,
    ) -> Result<u64, stub::Error> {
        stub::Call::<0, 0>::new(tag::REVOKE, deadline)
            .between(&self.0, &(what,), &mut [0; 8], &mut [0; 9])
    }
    /// What a capability is, also one of an endpoint.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn identify(
        &self,
        what: u32,
        deadline: stub::Deadline,
    ) -> Result<Identity, stub::Error> {
        stub::Call::<0, 0>::new(tag::IDENTIFY, deadline)
            .between(&self.0, &(what,), &mut [0; 8], &mut [0; 11])
    }
    /// What this cell was started with.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn start_info<'m>(
        &self,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<&'m [u8], stub::Error> {
        stub::Call::<0, 0>::new(tag::START_INFO, deadline).within(&self.0, &(), room)
    }
    /// Ends this cell with a status. It does not return.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn exit(
        &self,
        status: u32,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::EXIT, deadline)
            .between(&self.0, &(status,), &mut [0; 8], &mut [0; 1])
    }
    /// Lets others of the same priority run.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn yield_(&self, deadline: stub::Deadline) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::YIELD_, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 1])
    }
    /// Says how many nanoseconds the work takes that the caller has begun, until it next waits; 0: it does not know. Among those of its priority the shorter
    /// goes first, if the machine's policy goes by that.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn expect(
        &self,
        nanoseconds: u64,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::EXPECT, deadline)
            .between(&self.0, &(nanoseconds,), &mut [0; 12], &mut [0; 1])
    }
    /// Nanoseconds of the machine's monotonic clock.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn now(&self, deadline: stub::Deadline) -> Result<u64, stub::Error> {
        stub::Call::<0, 0>::new(tag::NOW, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 9])
    }
    /// Sixteen random bytes, as two numbers.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn random(&self, deadline: stub::Deadline) -> Result<(u64, u64), stub::Error> {
        stub::Call::<0, 0>::new(tag::RANDOM, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 17])
    }
    /// Writes a line to the machine's log: at most 1,024 bytes.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn log(
        &self,
        text: &[u8],
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::LOG, deadline).within(&self.0, &(text,), room)
    }
}
impl<C: stub::AsyncCaller> Client<C> {
    /// Derives a child with the same rights and badge.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn copy_async(
        &self,
        what: u32,
        deadline: stub::Deadline,
    ) -> Result<u32, stub::Error> {
        stub::Call::<0, 0>::new(tag::COPY, deadline)
            .between_async(&self.0, &(what,), &mut [0; 8], &mut [0; 5])
            .await
    }
    /// Derives a child with those of the rights that its original has, and a badge. 0 keeps the badge; a badged one is not badged again.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn mint_async(
        &self,
        what: u32,
        rights: Rights,
        badge: u64,
        deadline: stub::Deadline,
    ) -> Result<u32, stub::Error> {
        stub::Call::<0, 0>::new(tag::MINT, deadline)
            .between_async(&self.0, &(what, rights, badge), &mut [0; 17], &mut [0; 5])
            .await
    }
    /// Moves a capability to another slot: the old handle is stale.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn move_async(
        &self,
        what: u32,
        deadline: stub::Deadline,
    ) -> Result<u32, stub::Error> {
        stub::Call::<0, 0>::new(tag::MOVE_, deadline)
            .between_async(&self.0, &(what,), &mut [0; 8], &mut [0; 5])
            .await
    }
    /// Deletes a capability. What was derived from it becomes its original's.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn delete_async(
        &self,
        what: u32,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::DELETE, deadline)
            .between_async(&self.0, &(what,), &mut [0; 8], &mut [0; 1])
            .await
    }
    /// Deletes everything that was derived from a capability, everywhere; how many that were. After this, nothing through them starts or still
    /// runs.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn revoke_async(
        &self,
        what: u32,
        deadline: stub::Deadline,
    ) -> Result<u64, stub::Error> {
        stub::Call::<0, 0>::new(tag::REVOKE, deadline)
            .between_async(&self.0, &(what,), &mut [0; 8], &mut [0; 9])
            .await
    }
    /// What a capability is, also one of an endpoint.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn identify_async(
        &self,
        what: u32,
        deadline: stub::Deadline,
    ) -> Result<Identity, stub::Error> {
        stub::Call::<0, 0>::new(tag::IDENTIFY, deadline)
            .between_async(&self.0, &(what,), &mut [0; 8], &mut [0; 11])
            .await
    }
    /// What this cell was started with.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn start_info_async<'m>(
        &self,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<&'m [u8], stub::Error> {
        stub::Call::<0, 0>::new(tag::START_INFO, deadline)
            .within_async(&self.0, &(), room)
            .await
    }
    /// Ends this cell with a status. It does not return.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn exit_async(
        &self,
        status: u32,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::EXIT, deadline)
            .between_async(&self.0, &(status,), &mut [0; 8], &mut [0; 1])
            .await
    }
    /// Lets others of the same priority run.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn yield_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::YIELD_, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 1])
            .await
    }
    /// Says how many nanoseconds the work takes that the caller has begun, until it next waits; 0: it does not know. Among those of its priority the shorter
    /// goes first, if the machine's policy goes by that.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn expect_async(
        &self,
        nanoseconds: u64,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::EXPECT, deadline)
            .between_async(&self.0, &(nanoseconds,), &mut [0; 12], &mut [0; 1])
            .await
    }
    /// Nanoseconds of the machine's monotonic clock.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn now_async(&self, deadline: stub::Deadline) -> Result<u64, stub::Error> {
        stub::Call::<0, 0>::new(tag::NOW, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 9])
            .await
    }
    /// Sixteen random bytes, as two numbers.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn random_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<(u64, u64), stub::Error> {
        stub::Call::<0, 0>::new(tag::RANDOM, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 17])
            .await
    }
    /// Writes a line to the machine's log: at most 1,024 bytes.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn log_async(
        &self,
        text: &[u8],
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::LOG, deadline)
            .within_async(&self.0, &(text,), room)
            .await
    }
}
impl<C: stub::Sender> Client<C> {
    /// Sends a call of `copy`; its answer comes as an event, for `copy_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn copy_send(&self, what: u32) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::COPY, stub::Deadline::NEVER)
            .send(&self.0, &(what,), &mut [0; 8], 5)
    }
    /// Sends a call of `mint`; its answer comes as an event, for `mint_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn mint_send(
        &self,
        what: u32,
        rights: Rights,
        badge: u64,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::MINT, stub::Deadline::NEVER)
            .send(&self.0, &(what, rights, badge), &mut [0; 17], 5)
    }
    /// Sends a call of `move`; its answer comes as an event, for `move_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn move_send(&self, what: u32) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::MOVE_, stub::Deadline::NEVER)
            .send(&self.0, &(what,), &mut [0; 8], 5)
    }
    /// Sends a call of `delete`; its answer comes as an event, for `delete_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn delete_send(&self, what: u32) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::DELETE, stub::Deadline::NEVER)
            .send(&self.0, &(what,), &mut [0; 8], 1)
    }
    /// Sends a call of `revoke`; its answer comes as an event, for `revoke_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn revoke_send(&self, what: u32) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::REVOKE, stub::Deadline::NEVER)
            .send(&self.0, &(what,), &mut [0; 8], 9)
    }
    /// Sends a call of `identify`; its answer comes as an event, for `identify_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn identify_send(&self, what: u32) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::IDENTIFY, stub::Deadline::NEVER)
            .send(&self.0, &(what,), &mut [0; 8], 11)
    }
    /// Sends a call of `start-info`; its answer comes as an event, for `start_info_answer`. The answer has at most `answer_most` bytes.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn start_info_send(&self, answer_most: u32) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::START_INFO, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], answer_most)
    }
    /// Sends a call of `exit`; its answer comes as an event, for `exit_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn exit_send(&self, status: u32) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::EXIT, stub::Deadline::NEVER)
            .send(&self.0, &(status,), &mut [0; 8], 1)
    }
    /// Sends a call of `yield`; its answer comes as an event, for `yield_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn yield_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::YIELD_, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 1)
    }
    /// Sends a call of `expect`; its answer comes as an event, for `expect_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn expect_send(&self, nanoseconds: u64) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::EXPECT, stub::Deadline::NEVER)
            .send(&self.0, &(nanoseconds,), &mut [0; 12], 1)
    }
    /// Sends a call of `now`; its answer comes as an event, for `now_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn now_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::NOW, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 9)
    }
    /// Sends a call of `random`; its answer comes as an event, for `random_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn random_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::RANDOM, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 17)
    }
    /// Sends a call of `log`; its answer comes as an event, for `log_answer`. `request` is for the message.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn log_send(
        &self,
        text: &[u8],
        request: &mut [u8],
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::LOG, stub::Deadline::NEVER)
            .send(&self.0, &(text,), request, 1)
    }
}
impl Client {
    /// The answer to `copy_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn copy_answer(received: stub::Received<'_>) -> Result<u32, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `mint_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn mint_answer(received: stub::Received<'_>) -> Result<u32, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `move_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn move_answer(received: stub::Received<'_>) -> Result<u32, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `delete_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn delete_answer(received: stub::Received<'_>) -> Result<(), stub::Error> {
        stub::answered(received)
    }
    /// The answer to `revoke_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn revoke_answer(received: stub::Received<'_>) -> Result<u64, stub::Error> {
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
    /// The answer to `start_info_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn start_info_answer<'m>(
        received: stub::Received<'m>,
    ) -> Result<&'m [u8], stub::Error> {
        stub::answered(received)
    }
    /// The answer to `exit_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn exit_answer(received: stub::Received<'_>) -> Result<(), stub::Error> {
        stub::answered(received)
    }
    /// The answer to `yield_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn yield_answer(received: stub::Received<'_>) -> Result<(), stub::Error> {
        stub::answered(received)
    }
    /// The answer to `expect_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn expect_answer(received: stub::Received<'_>) -> Result<(), stub::Error> {
        stub::answered(received)
    }
    /// The answer to `now_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn now_answer(received: stub::Received<'_>) -> Result<u64, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `random_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn random_answer(
        received: stub::Received<'_>,
    ) -> Result<(u64, u64), stub::Error> {
        stub::answered(received)
    }
    /// The answer to `log_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn log_answer(received: stub::Received<'_>) -> Result<(), stub::Error> {
        stub::answered(received)
    }
}
/// A server of `space`.
pub trait Service {
    /// Derives a child with the same rights and badge.
    fn copy(&mut self, client: stub::Client, what: u32) -> u32;
    /// Derives a child with those of the rights that its original has, and a badge. 0 keeps the badge; a badged one is not badged again.
    fn mint(
        &mut self,
        client: stub::Client,
        what: u32,
        rights: Rights,
        badge: u64,
    ) -> u32;
    /// Moves a capability to another slot: the old handle is stale.
    fn move_(&mut self, client: stub::Client, what: u32) -> u32;
    /// Deletes a capability. What was derived from it becomes its original's.
    fn delete(&mut self, client: stub::Client, what: u32);
    /// Deletes everything that was derived from a capability, everywhere; how many that were. After this, nothing through them starts or still
    /// runs.
    fn revoke(&mut self, client: stub::Client, what: u32) -> u64;
    /// What a capability is, also one of an endpoint.
    fn identify(&mut self, client: stub::Client, what: u32) -> Identity;
    /// What this cell was started with.
    fn start_info(&mut self, client: stub::Client) -> &[u8];
    /// Ends this cell with a status. It does not return.
    fn exit(&mut self, client: stub::Client, status: u32);
    /// Lets others of the same priority run.
    fn yield_(&mut self, client: stub::Client);
    /// Says how many nanoseconds the work takes that the caller has begun, until it next waits; 0: it does not know. Among those of its priority the shorter
    /// goes first, if the machine's policy goes by that.
    fn expect(&mut self, client: stub::Client, nanoseconds: u64);
    /// Nanoseconds of the machine's monotonic clock.
    fn now(&mut self, client: stub::Client) -> u64;
    /// Sixteen random bytes, as two numbers.
    fn random(&mut self, client: stub::Client) -> (u64, u64);
    /// Writes a line to the machine's log: at most 1,024 bytes.
    fn log(&mut self, client: stub::Client, text: &[u8]);
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
        tag::COPY => {
            let Some((what,)) = request.parameters::<(u32,)>() else {
                return request.malformed()
            };
            let result = server.copy(request.client(), what);
            request.answer::<0, _>(&result)
        }
        tag::MINT => {
            let Some((what, rights, badge)) = request.parameters::<(u32, Rights, u64)>()
            else { return request.malformed() };
            let result = server.mint(request.client(), what, rights, badge);
            request.answer::<0, _>(&result)
        }
        tag::MOVE_ => {
            let Some((what,)) = request.parameters::<(u32,)>() else {
                return request.malformed()
            };
            let result = server.move_(request.client(), what);
            request.answer::<0, _>(&result)
        }
        tag::DELETE => {
            let Some((what,)) = request.parameters::<(u32,)>() else {
                return request.malformed()
            };
            server.delete(request.client(), what);
            request.answer::<0, _>(&())
        }
        tag::REVOKE => {
            let Some((what,)) = request.parameters::<(u32,)>() else {
                return request.malformed()
            };
            let result = server.revoke(request.client(), what);
            request.answer::<0, _>(&result)
        }
        tag::IDENTIFY => {
            let Some((what,)) = request.parameters::<(u32,)>() else {
                return request.malformed()
            };
            let result = server.identify(request.client(), what);
            request.answer::<0, _>(&result)
        }
        tag::START_INFO => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.start_info(request.client());
            request.answer::<0, _>(&result)
        }
        tag::EXIT => {
            let Some((status,)) = request.parameters::<(u32,)>() else {
                return request.malformed()
            };
            server.exit(request.client(), status);
            request.answer::<0, _>(&())
        }
        tag::YIELD_ => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.yield_(request.client());
            request.answer::<0, _>(&())
        }
        tag::EXPECT => {
            let Some((nanoseconds,)) = request.parameters::<(u64,)>() else {
                return request.malformed()
            };
            server.expect(request.client(), nanoseconds);
            request.answer::<0, _>(&())
        }
        tag::NOW => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.now(request.client());
            request.answer::<0, _>(&result)
        }
        tag::RANDOM => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.random(request.client());
            request.answer::<0, _>(&result)
        }
        tag::LOG => {
            let Some((text,)) = request.parameters::<(&[u8],)>() else {
                return request.malformed()
            };
            server.log(request.client(), text);
            request.answer::<0, _>(&())
        }
        _ => request.unknown(),
    }
}
pub mod later {
    //! What stands for the functions where they are answered later.
    /// `copy`
    #[derive(Clone, Copy, Debug)]
    pub enum Copy {}
    /// `mint`
    #[derive(Clone, Copy, Debug)]
    pub enum Mint {}
    /// `move`
    #[derive(Clone, Copy, Debug)]
    pub enum Move {}
    /// `delete`
    #[derive(Clone, Copy, Debug)]
    pub enum Delete {}
    /// `revoke`
    #[derive(Clone, Copy, Debug)]
    pub enum Revoke {}
    /// `identify`
    #[derive(Clone, Copy, Debug)]
    pub enum Identify {}
    /// `start-info`
    #[derive(Clone, Copy, Debug)]
    pub enum StartInfo {}
    /// `exit`
    #[derive(Clone, Copy, Debug)]
    pub enum Exit {}
    /// `yield`
    #[derive(Clone, Copy, Debug)]
    pub enum Yield {}
    /// `expect`
    #[derive(Clone, Copy, Debug)]
    pub enum Expect {}
    /// `now`
    #[derive(Clone, Copy, Debug)]
    pub enum Now {}
    /// `random`
    #[derive(Clone, Copy, Debug)]
    pub enum Random {}
    /// `log`
    #[derive(Clone, Copy, Debug)]
    pub enum Log {}
}
impl stub::Function for later::Copy {
    type Answer<'m> = u32;
}
impl stub::Function for later::Mint {
    type Answer<'m> = u32;
}
impl stub::Function for later::Move {
    type Answer<'m> = u32;
}
impl stub::Function for later::Delete {
    type Answer<'m> = ();
}
impl stub::Function for later::Revoke {
    type Answer<'m> = u64;
}
impl stub::Function for later::Identify {
    type Answer<'m> = Identity;
}
impl stub::Function for later::StartInfo {
    type Answer<'m> = &'m [u8];
}
impl stub::Function for later::Exit {
    type Answer<'m> = ();
}
impl stub::Function for later::Yield {
    type Answer<'m> = ();
}
impl stub::Function for later::Expect {
    type Answer<'m> = ();
}
impl stub::Function for later::Now {
    type Answer<'m> = u64;
}
impl stub::Function for later::Random {
    type Answer<'m> = (u64, u64);
}
impl stub::Function for later::Log {
    type Answer<'m> = ();
}
/// An active server of `space` that answers when it can: each function is given the answer that it owes.
pub trait LaterService {
    /// Derives a child with the same rights and badge.
    fn copy(&mut self, later: stub::Later<later::Copy>, client: stub::Client, what: u32);
    /// Derives a child with those of the rights that its original has, and a badge. 0 keeps the badge; a badged one is not badged again.
    fn mint(
        &mut self,
        later: stub::Later<later::Mint>,
        client: stub::Client,
        what: u32,
        rights: Rights,
        badge: u64,
    );
    /// Moves a capability to another slot: the old handle is stale.
    fn move_(
        &mut self,
        later: stub::Later<later::Move>,
        client: stub::Client,
        what: u32,
    );
    /// Deletes a capability. What was derived from it becomes its original's.
    fn delete(
        &mut self,
        later: stub::Later<later::Delete>,
        client: stub::Client,
        what: u32,
    );
    /// Deletes everything that was derived from a capability, everywhere; how many that were. After this, nothing through them starts or still
    /// runs.
    fn revoke(
        &mut self,
        later: stub::Later<later::Revoke>,
        client: stub::Client,
        what: u32,
    );
    /// What a capability is, also one of an endpoint.
    fn identify(
        &mut self,
        later: stub::Later<later::Identify>,
        client: stub::Client,
        what: u32,
    );
    /// What this cell was started with.
    fn start_info(&mut self, later: stub::Later<later::StartInfo>, client: stub::Client);
    /// Ends this cell with a status. It does not return.
    fn exit(
        &mut self,
        later: stub::Later<later::Exit>,
        client: stub::Client,
        status: u32,
    );
    /// Lets others of the same priority run.
    fn yield_(&mut self, later: stub::Later<later::Yield>, client: stub::Client);
    /// Says how many nanoseconds the work takes that the caller has begun, until it next waits; 0: it does not know. Among those of its priority the shorter
    /// goes first, if the machine's policy goes by that.
    fn expect(
        &mut self,
        later: stub::Later<later::Expect>,
        client: stub::Client,
        nanoseconds: u64,
    );
    /// Nanoseconds of the machine's monotonic clock.
    fn now(&mut self, later: stub::Later<later::Now>, client: stub::Client);
    /// Sixteen random bytes, as two numbers.
    fn random(&mut self, later: stub::Later<later::Random>, client: stub::Client);
    /// Writes a line to the machine's log: at most 1,024 bytes.
    fn log(&mut self, later: stub::Later<later::Log>, client: stub::Client, text: &[u8]);
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
        tag::COPY => {
            let Some((what,)) = request.parameters::<(u32,)>() else {
                return request.malformed()
            };
            server.copy(request.later(token), request.client(), what);
            request.deferred()
        }
        tag::MINT => {
            let Some((what, rights, badge)) = request.parameters::<(u32, Rights, u64)>()
            else { return request.malformed() };
            server.mint(request.later(token), request.client(), what, rights, badge);
            request.deferred()
        }
        tag::MOVE_ => {
            let Some((what,)) = request.parameters::<(u32,)>() else {
                return request.malformed()
            };
            server.move_(request.later(token), request.client(), what);
            request.deferred()
        }
        tag::DELETE => {
            let Some((what,)) = request.parameters::<(u32,)>() else {
                return request.malformed()
            };
            server.delete(request.later(token), request.client(), what);
            request.deferred()
        }
        tag::REVOKE => {
            let Some((what,)) = request.parameters::<(u32,)>() else {
                return request.malformed()
            };
            server.revoke(request.later(token), request.client(), what);
            request.deferred()
        }
        tag::IDENTIFY => {
            let Some((what,)) = request.parameters::<(u32,)>() else {
                return request.malformed()
            };
            server.identify(request.later(token), request.client(), what);
            request.deferred()
        }
        tag::START_INFO => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.start_info(request.later(token), request.client());
            request.deferred()
        }
        tag::EXIT => {
            let Some((status,)) = request.parameters::<(u32,)>() else {
                return request.malformed()
            };
            server.exit(request.later(token), request.client(), status);
            request.deferred()
        }
        tag::YIELD_ => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.yield_(request.later(token), request.client());
            request.deferred()
        }
        tag::EXPECT => {
            let Some((nanoseconds,)) = request.parameters::<(u64,)>() else {
                return request.malformed()
            };
            server.expect(request.later(token), request.client(), nanoseconds);
            request.deferred()
        }
        tag::NOW => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.now(request.later(token), request.client());
            request.deferred()
        }
        tag::RANDOM => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.random(request.later(token), request.client());
            request.deferred()
        }
        tag::LOG => {
            let Some((text,)) = request.parameters::<(&[u8],)>() else {
                return request.malformed()
            };
            server.log(request.later(token), request.client(), text);
            request.deferred()
        }
        _ => request.unknown(),
    }
}
