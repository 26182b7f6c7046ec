// Stubs of the interface `files`, made by `hallows interface stubs`: change that, not this.
//! Files and directories. Who has a directory reaches what lies below it and nothing else: paths are relative, and neither `..` nor a symbolic
//! link leads out of it. Paths and names are bytes, as most hosts have them.
#![allow(
    clippy::type_complexity,
    clippy::result_unit_err,
    reason = "types are as the interface has them"
)]
use hallows_sdk::stub;
/// What its authors call the interface.
pub const NAME: &str = "files";
/// The interface's identity: `a88f47bc45ffcef9df49ee0040983761c78da692b0e56cccd604bcb4f18653c1`.
pub const HASH: [u8; 32] = [
    0xa8, 0x8f, 0x47, 0xbc, 0x45, 0xff, 0xce, 0xf9, 0xdf, 0x49, 0xee, 0x00, 0x40, 0x98,
    0x37, 0x61, 0xc7, 0x8d, 0xa6, 0x92, 0xb0, 0xe5, 0x6c, 0xcc, 0xd6, 0x04, 0xbc, 0xb4,
    0xf1, 0x86, 0x53, 0xc1,
];
pub(crate) mod tag {
    //! What requests call the functions.
    pub(crate) const FILE_STATUS: u32 = 0x1375188b;
    pub(crate) const FILE_READ: u32 = 0x70b63bbf;
    pub(crate) const FILE_WRITE: u32 = 0x52f30b10;
    pub(crate) const FILE_APPEND: u32 = 0x78e28964;
    pub(crate) const FILE_SET_SIZE: u32 = 0x93f34eea;
    pub(crate) const FILE_SET_TIMES: u32 = 0x86245901;
    pub(crate) const FILE_ALLOCATE: u32 = 0xaad2b95e;
    pub(crate) const FILE_ADVISE: u32 = 0x7f114d9c;
    pub(crate) const FILE_SYNC: u32 = 0x49d513b4;
    pub(crate) const FILE_CLOSE: u32 = 0x35ecaeff;
    pub(crate) const FILE_OPEN: u32 = 0x19871528;
    pub(crate) const FILE_ENTRIES: u32 = 0x96b0d387;
    pub(crate) const FILE_STATUS_OF: u32 = 0xd73368e3;
    pub(crate) const FILE_SET_TIMES_OF: u32 = 0xac919d2e;
    pub(crate) const FILE_MAKE_DIRECTORY: u32 = 0xdcaeaa37;
    pub(crate) const FILE_REMOVE_DIRECTORY: u32 = 0xf4a17a3a;
    pub(crate) const FILE_REMOVE_FILE: u32 = 0x95de7597;
    pub(crate) const FILE_RENAME: u32 = 0x2eb1539c;
    pub(crate) const FILE_LINK: u32 = 0x89a555da;
    pub(crate) const FILE_MAKE_LINK: u32 = 0x15ddfbf9;
    pub(crate) const FILE_LINK_TARGET: u32 = 0x8da5b945;
}
/// How a file will be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Advice {
    /// The case `normal`.
    Normal = 0,
    /// The case `sequential`.
    Sequential = 1,
    /// The case `random`.
    Random = 2,
    /// The case `will-need`.
    WillNeed = 3,
    /// The case `wont-need`.
    WontNeed = 4,
    /// The case `no-reuse`.
    NoReuse = 5,
}
impl Advice {
    /// Every case, in order.
    pub const ALL: [Self; 6] = [
        Self::Normal,
        Self::Sequential,
        Self::Random,
        Self::WillNeed,
        Self::WontNeed,
        Self::NoReuse,
    ];
}
impl<'m> stub::Value<'m> for Advice {
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
/// The first bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beginning<'m> {
    /// The field `bytes`.
    pub bytes: &'m [u8],
    /// Whether the file ended behind them.
    pub is_all: bool,
}
impl<'m> stub::Value<'m> for Beginning<'m> {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&self.bytes, encoder)?;
        stub::Value::put(&self.is_all, encoder)?;
        Some(())
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        Some(Self {
            bytes: stub::Value::take(decoder)?,
            is_all: stub::Value::take(decoder)?,
        })
    }
}
/// A name in a directory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry<'m> {
    /// Where the next one is found.
    pub next: u64,
    /// The field `inode`.
    pub inode: u64,
    /// The field `kind`.
    pub kind: Kind,
    /// The field `name`.
    pub name: &'m [u8],
}
impl<'m> stub::Value<'m> for Entry<'m> {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&self.next, encoder)?;
        stub::Value::put(&self.inode, encoder)?;
        stub::Value::put(&self.kind, encoder)?;
        stub::Value::put(&self.name, encoder)?;
        Some(())
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        Some(Self {
            next: stub::Value::take(decoder)?,
            inode: stub::Value::take(decoder)?,
            kind: stub::Value::take(decoder)?,
            name: stub::Value::take(decoder)?,
        })
    }
}
/// A file or a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File<C = stub::Endpoint>(
    /// What it is called through: the capability that stands for it.
    pub C,
);
impl stub::Resource for File {
    const KIND: u8 = Target::File as u8;
    fn from_capability(handle: stub::Handle) -> Self {
        Self(stub::Resource::from_capability(handle))
    }
    fn capability(self) -> stub::Handle {
        stub::Resource::capability(self.0)
    }
}
impl<C: stub::Caller> File<C> {
    /// Calls `file.status`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn status(
        &self,
        deadline: stub::Deadline,
    ) -> Result<Result<Status, Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_STATUS, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 59])
    }
    /// Bytes from a place on, at most so many and as many as one answer holds; none means that there are none.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn read<'m>(
        &self,
        offset: u64,
        most: u32,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<&'m [u8], Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_READ, deadline)
            .within(&self.0, &(offset, most), room)
    }
    /// Writes bytes to a place; gives how many were taken from the front.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn write(
        &self,
        offset: u64,
        bytes: &[u8],
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<u32, Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_WRITE, deadline)
            .within(&self.0, &(offset, bytes), room)
    }
    /// Writes bytes to the end, wherever that is by then.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn append(
        &self,
        bytes: &[u8],
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<u32, Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_APPEND, deadline)
            .within(&self.0, &(bytes,), room)
    }
    /// Calls `file.set-size`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn set_size(
        &self,
        size: u64,
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_SET_SIZE, deadline)
            .between(&self.0, &(size,), &mut [0; 12], &mut [0; 3])
    }
    /// Calls `file.set-times`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn set_times(
        &self,
        accessed: Moment,
        modified: Moment,
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_SET_TIMES, deadline)
            .between(&self.0, &(accessed, modified), &mut [0; 22], &mut [0; 3])
    }
    /// Has room kept for bytes.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn allocate(
        &self,
        offset: u64,
        length: u64,
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_ALLOCATE, deadline)
            .between(&self.0, &(offset, length), &mut [0; 20], &mut [0; 3])
    }
    /// Calls `file.advise`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn advise(
        &self,
        offset: u64,
        length: u64,
        advice: Advice,
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_ADVISE, deadline)
            .between(&self.0, &(offset, length, advice), &mut [0; 21], &mut [0; 3])
    }
    /// What was written is on the disk when this is answered.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn sync(
        &self,
        data_only: bool,
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_SYNC, deadline)
            .between(&self.0, &(data_only,), &mut [0; 5], &mut [0; 3])
    }
    /// Nobody will use it any more: after this, no capability of it stands for anything.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn close(&self, deadline: stub::Deadline) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_CLOSE, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 1])
    }
    /// Opens what lies below this directory, and reads at most so many of its first bytes, and as many as one answer holds: zero, and none
    /// are read. Who opens a small file has all of it with one message.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn open<'m>(
        &self,
        path: &[u8],
        how: Opening,
        most: u32,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<Opened<'m>, Refusal>, stub::Error> {
        stub::Call::<0, 1>::new(tag::FILE_OPEN, deadline)
            .within(&self.0, &(path, how, most), room)
    }
    /// Names in this directory, from a place on: 0, or an entry's `next`. None means that there are no more.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn entries<'m>(
        &self,
        from: u64,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<stub::List<'m, Entry<'m>>, Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_ENTRIES, deadline)
            .within(&self.0, &(from,), room)
    }
    /// Calls `file.status-of`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn status_of(
        &self,
        path: &[u8],
        follow: bool,
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<Status, Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_STATUS_OF, deadline)
            .within(&self.0, &(path, follow), room)
    }
    /// Calls `file.set-times-of`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn set_times_of(
        &self,
        path: &[u8],
        follow: bool,
        accessed: Moment,
        modified: Moment,
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_SET_TIMES_OF, deadline)
            .within(&self.0, &(path, follow, accessed, modified), room)
    }
    /// Calls `file.make-directory`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn make_directory(
        &self,
        path: &[u8],
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_MAKE_DIRECTORY, deadline)
            .within(&self.0, &(path,), room)
    }
    /// Calls `file.remove-directory`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn remove_directory(
        &self,
        path: &[u8],
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_REMOVE_DIRECTORY, deadline)
            .within(&self.0, &(path,), room)
    }
    /// Calls `file.remove-file`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn remove_file(
        &self,
        path: &[u8],
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_REMOVE_FILE, deadline)
            .within(&self.0, &(path,), room)
    }
    /// Moves what is below this directory to below another one.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn rename(
        &self,
        path: &[u8],
        to: stub::Borrow<File>,
        new_path: &[u8],
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<1, 0>::new(tag::FILE_RENAME, deadline)
            .within(&self.0, &(path, to, new_path), room)
    }
    /// Gives a file one more name.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn link(
        &self,
        path: &[u8],
        follow: bool,
        to: stub::Borrow<File>,
        new_path: &[u8],
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<1, 0>::new(tag::FILE_LINK, deadline)
            .within(&self.0, &(path, follow, to, new_path), room)
    }
    /// Makes a symbolic link.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn make_link(
        &self,
        target: &[u8],
        path: &[u8],
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_MAKE_LINK, deadline)
            .within(&self.0, &(target, path), room)
    }
    /// Where a symbolic link leads.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn link_target<'m>(
        &self,
        path: &[u8],
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<&'m [u8], Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_LINK_TARGET, deadline)
            .within(&self.0, &(path,), room)
    }
}
impl<C: stub::AsyncCaller> File<C> {
    /// Calls `file.status`.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn status_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<Result<Status, Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_STATUS, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 59])
            .await
    }
    /// Bytes from a place on, at most so many and as many as one answer holds; none means that there are none.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn read_async<'m>(
        &self,
        offset: u64,
        most: u32,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<&'m [u8], Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_READ, deadline)
            .within_async(&self.0, &(offset, most), room)
            .await
    }
    /// Writes bytes to a place; gives how many were taken from the front.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn write_async(
        &self,
        offset: u64,
        bytes: &[u8],
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<u32, Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_WRITE, deadline)
            .within_async(&self.0, &(offset, bytes), room)
            .await
    }
    /// Writes bytes to the end, wherever that is by then.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn append_async(
        &self,
        bytes: &[u8],
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<u32, Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_APPEND, deadline)
            .within_async(&self.0, &(bytes,), room)
            .await
    }
    /// Calls `file.set-size`.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn set_size_async(
        &self,
        size: u64,
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_SET_SIZE, deadline)
            .between_async(&self.0, &(size,), &mut [0; 12], &mut [0; 3])
            .await
    }
    /// Calls `file.set-times`.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn set_times_async(
        &self,
        accessed: Moment,
        modified: Moment,
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_SET_TIMES, deadline)
            .between_async(&self.0, &(accessed, modified), &mut [0; 22], &mut [0; 3])
            .await
    }
    /// Has room kept for bytes.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn allocate_async(
        &self,
        offset: u64,
        length: u64,
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_ALLOCATE, deadline)
            .between_async(&self.0, &(offset, length), &mut [0; 20], &mut [0; 3])
            .await
    }
    /// Calls `file.advise`.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn advise_async(
        &self,
        offset: u64,
        length: u64,
        advice: Advice,
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_ADVISE, deadline)
            .between_async(&self.0, &(offset, length, advice), &mut [0; 21], &mut [0; 3])
            .await
    }
    /// What was written is on the disk when this is answered.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn sync_async(
        &self,
        data_only: bool,
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_SYNC, deadline)
            .between_async(&self.0, &(data_only,), &mut [0; 5], &mut [0; 3])
            .await
    }
    /// Nobody will use it any more: after this, no capability of it stands for anything.
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
        stub::Call::<0, 0>::new(tag::FILE_CLOSE, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 1])
            .await
    }
    /// Opens what lies below this directory, and reads at most so many of its first bytes, and as many as one answer holds: zero, and none
    /// are read. Who opens a small file has all of it with one message.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn open_async<'m>(
        &self,
        path: &[u8],
        how: Opening,
        most: u32,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<Opened<'m>, Refusal>, stub::Error> {
        stub::Call::<0, 1>::new(tag::FILE_OPEN, deadline)
            .within_async(&self.0, &(path, how, most), room)
            .await
    }
    /// Names in this directory, from a place on: 0, or an entry's `next`. None means that there are no more.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn entries_async<'m>(
        &self,
        from: u64,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<stub::List<'m, Entry<'m>>, Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_ENTRIES, deadline)
            .within_async(&self.0, &(from,), room)
            .await
    }
    /// Calls `file.status-of`.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn status_of_async(
        &self,
        path: &[u8],
        follow: bool,
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<Status, Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_STATUS_OF, deadline)
            .within_async(&self.0, &(path, follow), room)
            .await
    }
    /// Calls `file.set-times-of`.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn set_times_of_async(
        &self,
        path: &[u8],
        follow: bool,
        accessed: Moment,
        modified: Moment,
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_SET_TIMES_OF, deadline)
            .within_async(&self.0, &(path, follow, accessed, modified), room)
            .await
    }
    /// Calls `file.make-directory`.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn make_directory_async(
        &self,
        path: &[u8],
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_MAKE_DIRECTORY, deadline)
            .within_async(&self.0, &(path,), room)
            .await
    }
    /// Calls `file.remove-directory`.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn remove_directory_async(
        &self,
        path: &[u8],
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_REMOVE_DIRECTORY, deadline)
            .within_async(&self.0, &(path,), room)
            .await
    }
    /// Calls `file.remove-file`.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn remove_file_async(
        &self,
        path: &[u8],
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_REMOVE_FILE, deadline)
            .within_async(&self.0, &(path,), room)
            .await
    }
    /// Moves what is below this directory to below another one.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn rename_async(
        &self,
        path: &[u8],
        to: stub::Borrow<File>,
        new_path: &[u8],
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<1, 0>::new(tag::FILE_RENAME, deadline)
            .within_async(&self.0, &(path, to, new_path), room)
            .await
    }
    /// Gives a file one more name.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn link_async(
        &self,
        path: &[u8],
        follow: bool,
        to: stub::Borrow<File>,
        new_path: &[u8],
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<1, 0>::new(tag::FILE_LINK, deadline)
            .within_async(&self.0, &(path, follow, to, new_path), room)
            .await
    }
    /// Makes a symbolic link.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn make_link_async(
        &self,
        target: &[u8],
        path: &[u8],
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_MAKE_LINK, deadline)
            .within_async(&self.0, &(target, path), room)
            .await
    }
    /// Where a symbolic link leads.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn link_target_async<'m>(
        &self,
        path: &[u8],
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<&'m [u8], Refusal>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_LINK_TARGET, deadline)
            .within_async(&self.0, &(path,), room)
            .await
    }
}
impl<C: stub::Sender> File<C> {
    /// Sends a call of `file.status`; its answer comes as an event, for `status_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn status_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_STATUS, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 59)
    }
    /// Sends a call of `file.read`; its answer comes as an event, for `read_answer`. The answer has at most `answer_most` bytes.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn read_send(
        &self,
        offset: u64,
        most: u32,
        answer_most: u32,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_READ, stub::Deadline::NEVER)
            .send(&self.0, &(offset, most), &mut [0; 16], answer_most)
    }
    /// Sends a call of `file.write`; its answer comes as an event, for `write_answer`. `request` is for the message.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn write_send(
        &self,
        offset: u64,
        bytes: &[u8],
        request: &mut [u8],
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_WRITE, stub::Deadline::NEVER)
            .send(&self.0, &(offset, bytes), request, 6)
    }
    /// Sends a call of `file.append`; its answer comes as an event, for `append_answer`. `request` is for the message.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn append_send(
        &self,
        bytes: &[u8],
        request: &mut [u8],
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_APPEND, stub::Deadline::NEVER)
            .send(&self.0, &(bytes,), request, 6)
    }
    /// Sends a call of `file.set-size`; its answer comes as an event, for `set_size_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn set_size_send(&self, size: u64) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_SET_SIZE, stub::Deadline::NEVER)
            .send(&self.0, &(size,), &mut [0; 12], 3)
    }
    /// Sends a call of `file.set-times`; its answer comes as an event, for `set_times_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn set_times_send(
        &self,
        accessed: Moment,
        modified: Moment,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_SET_TIMES, stub::Deadline::NEVER)
            .send(&self.0, &(accessed, modified), &mut [0; 22], 3)
    }
    /// Sends a call of `file.allocate`; its answer comes as an event, for `allocate_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn allocate_send(
        &self,
        offset: u64,
        length: u64,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_ALLOCATE, stub::Deadline::NEVER)
            .send(&self.0, &(offset, length), &mut [0; 20], 3)
    }
    /// Sends a call of `file.advise`; its answer comes as an event, for `advise_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn advise_send(
        &self,
        offset: u64,
        length: u64,
        advice: Advice,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_ADVISE, stub::Deadline::NEVER)
            .send(&self.0, &(offset, length, advice), &mut [0; 21], 3)
    }
    /// Sends a call of `file.sync`; its answer comes as an event, for `sync_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn sync_send(&self, data_only: bool) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_SYNC, stub::Deadline::NEVER)
            .send(&self.0, &(data_only,), &mut [0; 5], 3)
    }
    /// Sends a call of `file.close`; its answer comes as an event, for `close_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn close_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_CLOSE, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 1)
    }
    /// Sends a call of `file.open`; its answer comes as an event, for `open_answer`. `request` is for the message; the answer has at most `answer_most` bytes.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn open_send(
        &self,
        path: &[u8],
        how: Opening,
        most: u32,
        request: &mut [u8],
        answer_most: u32,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 1>::new(tag::FILE_OPEN, stub::Deadline::NEVER)
            .send(&self.0, &(path, how, most), request, answer_most)
    }
    /// Sends a call of `file.entries`; its answer comes as an event, for `entries_answer`. The answer has at most `answer_most` bytes.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn entries_send(
        &self,
        from: u64,
        answer_most: u32,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_ENTRIES, stub::Deadline::NEVER)
            .send(&self.0, &(from,), &mut [0; 12], answer_most)
    }
    /// Sends a call of `file.status-of`; its answer comes as an event, for `status_of_answer`. `request` is for the message.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn status_of_send(
        &self,
        path: &[u8],
        follow: bool,
        request: &mut [u8],
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_STATUS_OF, stub::Deadline::NEVER)
            .send(&self.0, &(path, follow), request, 59)
    }
    /// Sends a call of `file.set-times-of`; its answer comes as an event, for `set_times_of_answer`. `request` is for the message.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn set_times_of_send(
        &self,
        path: &[u8],
        follow: bool,
        accessed: Moment,
        modified: Moment,
        request: &mut [u8],
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_SET_TIMES_OF, stub::Deadline::NEVER)
            .send(&self.0, &(path, follow, accessed, modified), request, 3)
    }
    /// Sends a call of `file.make-directory`; its answer comes as an event, for `make_directory_answer`. `request` is for the message.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn make_directory_send(
        &self,
        path: &[u8],
        request: &mut [u8],
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_MAKE_DIRECTORY, stub::Deadline::NEVER)
            .send(&self.0, &(path,), request, 3)
    }
    /// Sends a call of `file.remove-directory`; its answer comes as an event, for `remove_directory_answer`. `request` is for the message.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn remove_directory_send(
        &self,
        path: &[u8],
        request: &mut [u8],
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_REMOVE_DIRECTORY, stub::Deadline::NEVER)
            .send(&self.0, &(path,), request, 3)
    }
    /// Sends a call of `file.remove-file`; its answer comes as an event, for `remove_file_answer`. `request` is for the message.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn remove_file_send(
        &self,
        path: &[u8],
        request: &mut [u8],
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_REMOVE_FILE, stub::Deadline::NEVER)
            .send(&self.0, &(path,), request, 3)
    }
    /// Sends a call of `file.rename`; its answer comes as an event, for `rename_answer`. `request` is for the message.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn rename_send(
        &self,
        path: &[u8],
        to: stub::Borrow<File>,
        new_path: &[u8],
        request: &mut [u8],
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<1, 0>::new(tag::FILE_RENAME, stub::Deadline::NEVER)
            .send(&self.0, &(path, to, new_path), request, 3)
    }
    /// Sends a call of `file.link`; its answer comes as an event, for `link_answer`. `request` is for the message.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn link_send(
        &self,
        path: &[u8],
        follow: bool,
        to: stub::Borrow<File>,
        new_path: &[u8],
        request: &mut [u8],
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<1, 0>::new(tag::FILE_LINK, stub::Deadline::NEVER)
            .send(&self.0, &(path, follow, to, new_path), request, 3)
    }
    /// Sends a call of `file.make-link`; its answer comes as an event, for `make_link_answer`. `request` is for the message.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn make_link_send(
        &self,
        target: &[u8],
        path: &[u8],
        request: &mut [u8],
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_MAKE_LINK, stub::Deadline::NEVER)
            .send(&self.0, &(target, path), request, 3)
    }
    /// Sends a call of `file.link-target`; its answer comes as an event, for `link_target_answer`. `request` is for the message; the answer has at most `answer_most` bytes.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn link_target_send(
        &self,
        path: &[u8],
        request: &mut [u8],
        answer_most: u32,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_LINK_TARGET, stub::Deadline::NEVER)
            .send(&self.0, &(path,), request, answer_most)
    }
}
impl File {
    /// The answer to `status_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn status_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<Status, Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `read_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn read_answer<'m>(
        received: stub::Received<'m>,
    ) -> Result<Result<&'m [u8], Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `write_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn write_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<u32, Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `append_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn append_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<u32, Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `set_size_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn set_size_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `set_times_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn set_times_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `allocate_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn allocate_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `advise_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn advise_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `sync_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn sync_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<(), Refusal>, stub::Error> {
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
    /// The answer to `open_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn open_answer<'m>(
        received: stub::Received<'m>,
    ) -> Result<Result<Opened<'m>, Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `entries_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn entries_answer<'m>(
        received: stub::Received<'m>,
    ) -> Result<Result<stub::List<'m, Entry<'m>>, Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `status_of_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn status_of_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<Status, Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `set_times_of_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn set_times_of_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `make_directory_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn make_directory_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `remove_directory_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn remove_directory_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `remove_file_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn remove_file_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `rename_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn rename_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `link_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn link_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `make_link_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn make_link_answer(
        received: stub::Received<'_>,
    ) -> Result<Result<(), Refusal>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `link_target_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn link_target_answer<'m>(
        received: stub::Received<'m>,
    ) -> Result<Result<&'m [u8], Refusal>, stub::Error> {
        stub::answered(received)
    }
}
/// What kind of file something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// The case `unknown`.
    Unknown = 0,
    /// The case `block-device`.
    BlockDevice = 1,
    /// The case `character-device`.
    CharacterDevice = 2,
    /// The case `directory`.
    Directory = 3,
    /// The case `regular`.
    Regular = 4,
    /// The case `symbolic-link`.
    SymbolicLink = 5,
    /// The case `socket`.
    Socket = 6,
    /// The case `pipe`.
    Pipe = 7,
}
impl Kind {
    /// Every case, in order.
    pub const ALL: [Self; 8] = [
        Self::Unknown,
        Self::BlockDevice,
        Self::CharacterDevice,
        Self::Directory,
        Self::Regular,
        Self::SymbolicLink,
        Self::Socket,
        Self::Pipe,
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
/// What becomes of a file's time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Moment {
    /// The case `kept`.
    Kept,
    /// The case `now`.
    Now,
    /// The case `at`.
    At(u64),
}
impl<'m> stub::Value<'m> for Moment {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        match self {
            Self::Kept => stub::Value::put(&0u8, encoder),
            Self::Now => stub::Value::put(&1u8, encoder),
            Self::At(value) => {
                stub::Value::put(&2u8, encoder)?;
                stub::Value::put(value, encoder)
            }
        }
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        match <u8 as stub::Value>::take(decoder)? {
            0 => Some(Self::Kept),
            1 => Some(Self::Now),
            2 => stub::Value::take(decoder).map(Self::At),
            _ => None,
        }
    }
}
/// A file that was opened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Opened<'m> {
    /// The field `file`.
    pub file: stub::Own<File>,
    /// The field `status`.
    pub status: Status,
    /// Read when it was opened; none if that was not asked for, or cannot be.
    pub beginning: Option<Beginning<'m>>,
}
impl<'m> stub::Value<'m> for Opened<'m> {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&self.file, encoder)?;
        stub::Value::put(&self.status, encoder)?;
        stub::Value::put(&self.beginning, encoder)?;
        Some(())
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        Some(Self {
            file: stub::Value::take(decoder)?,
            status: stub::Value::take(decoder)?,
            beginning: stub::Value::take(decoder)?,
        })
    }
}
/// How a file is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Opening(u16);
impl Opening {
    /// To read from it.
    pub const READ: Self = Self(1 << 0);
    /// To write to it.
    pub const WRITE: Self = Self(1 << 1);
    /// It is made if it is not there.
    pub const CREATE: Self = Self(1 << 2);
    /// It must not be there yet.
    pub const EXCLUSIVE: Self = Self(1 << 3);
    /// What it has is dropped.
    pub const TRUNCATE: Self = Self(1 << 4);
    /// It must be a directory.
    pub const DIRECTORY: Self = Self(1 << 5);
    /// A symbolic link at the path's end is followed.
    pub const FOLLOW: Self = Self(1 << 6);
    /// A write is on the disk when it is answered: the data.
    pub const DATA_SYNC: Self = Self(1 << 7);
    /// The same, and everything about the file.
    pub const FILE_SYNC: Self = Self(1 << 8);
    /// Whether every flag of `other` is here too.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}
impl ::core::ops::BitOr for Opening {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
impl<'m> stub::Value<'m> for Opening {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&self.0, encoder)
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        let bits = <u16 as stub::Value>::take(decoder)?;
        (bits <= 0x1ff).then_some(Self(bits))
    }
}
/// Why something was not done, by the names of POSIX.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Refusal {
    /// The case `access`.
    Access = 0,
    /// The case `again`.
    Again = 1,
    /// The case `bad-descriptor`.
    BadDescriptor = 2,
    /// The case `busy`.
    Busy = 3,
    /// The case `quota`.
    Quota = 4,
    /// The case `exists`.
    Exists = 5,
    /// The case `file-too-large`.
    FileTooLarge = 6,
    /// The case `illegal-bytes`.
    IllegalBytes = 7,
    /// The case `interrupted`.
    Interrupted = 8,
    /// The case `invalid`.
    Invalid = 9,
    /// The case `input-output`.
    InputOutput = 10,
    /// The case `is-directory`.
    IsDirectory = 11,
    /// The case `too-many-links-followed`.
    TooManyLinksFollowed = 12,
    /// The case `too-many-files`.
    TooManyFiles = 13,
    /// The case `too-many-links`.
    TooManyLinks = 14,
    /// The case `name-too-long`.
    NameTooLong = 15,
    /// The case `too-many-files-in-system`.
    TooManyFilesInSystem = 16,
    /// The case `no-device`.
    NoDevice = 17,
    /// The case `no-entry`.
    NoEntry = 18,
    /// The case `no-lock`.
    NoLock = 19,
    /// The case `no-memory`.
    NoMemory = 20,
    /// The case `no-space`.
    NoSpace = 21,
    /// The case `not-directory`.
    NotDirectory = 22,
    /// The case `not-empty`.
    NotEmpty = 23,
    /// The case `not-supported`.
    NotSupported = 24,
    /// The case `no-such-device`.
    NoSuchDevice = 25,
    /// The case `overflow`.
    Overflow = 26,
    /// The case `not-permitted`.
    NotPermitted = 27,
    /// The case `broken-pipe`.
    BrokenPipe = 28,
    /// The case `read-only`.
    ReadOnly = 29,
    /// The case `no-seek`.
    NoSeek = 30,
    /// The case `text-busy`.
    TextBusy = 31,
    /// The case `other-device`.
    OtherDevice = 32,
    /// The case `leads-outside`.
    LeadsOutside = 33,
}
impl Refusal {
    /// Every case, in order.
    pub const ALL: [Self; 34] = [
        Self::Access,
        Self::Again,
        Self::BadDescriptor,
        Self::Busy,
        Self::Quota,
        Self::Exists,
        Self::FileTooLarge,
        Self::IllegalBytes,
        Self::Interrupted,
        Self::Invalid,
        Self::InputOutput,
        Self::IsDirectory,
        Self::TooManyLinksFollowed,
        Self::TooManyFiles,
        Self::TooManyLinks,
        Self::NameTooLong,
        Self::TooManyFilesInSystem,
        Self::NoDevice,
        Self::NoEntry,
        Self::NoLock,
        Self::NoMemory,
        Self::NoSpace,
        Self::NotDirectory,
        Self::NotEmpty,
        Self::NotSupported,
        Self::NoSuchDevice,
        Self::Overflow,
        Self::NotPermitted,
        Self::BrokenPipe,
        Self::ReadOnly,
        Self::NoSeek,
        Self::TextBusy,
        Self::OtherDevice,
        Self::LeadsOutside,
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
/// What there is to know about a file. Times are in nanoseconds since the beginning of 1970.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Status {
    /// The field `device`.
    pub device: u64,
    /// The field `inode`.
    pub inode: u64,
    /// The field `kind`.
    pub kind: Kind,
    /// The field `links`.
    pub links: u64,
    /// The field `size`.
    pub size: u64,
    /// The field `accessed`.
    pub accessed: u64,
    /// The field `modified`.
    pub modified: u64,
    /// The field `changed`.
    pub changed: u64,
}
impl<'m> stub::Value<'m> for Status {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&self.device, encoder)?;
        stub::Value::put(&self.inode, encoder)?;
        stub::Value::put(&self.kind, encoder)?;
        stub::Value::put(&self.links, encoder)?;
        stub::Value::put(&self.size, encoder)?;
        stub::Value::put(&self.accessed, encoder)?;
        stub::Value::put(&self.modified, encoder)?;
        stub::Value::put(&self.changed, encoder)?;
        Some(())
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        Some(Self {
            device: stub::Value::take(decoder)?,
            inode: stub::Value::take(decoder)?,
            kind: stub::Value::take(decoder)?,
            links: stub::Value::take(decoder)?,
            size: stub::Value::take(decoder)?,
            accessed: stub::Value::take(decoder)?,
            modified: stub::Value::take(decoder)?,
            changed: stub::Value::take(decoder)?,
        })
    }
}
/// A client of `files`.
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
    /// A `file`.
    File,
}
/// A server of `files`. Where a function is of a resource, the client's badge says which one is called.
pub trait Service {
    /// What a capability with this badge stands for: only its functions can be called through it. `None` if it is nothing, or nothing any more.
    fn target(&self, badge: u64) -> Option<Target>;
    /// Answers `file.status`.
    fn file_status(&mut self, client: stub::Client) -> Result<Status, Refusal>;
    /// Bytes from a place on, at most so many and as many as one answer holds; none means that there are none.
    fn file_read(
        &mut self,
        client: stub::Client,
        offset: u64,
        most: u32,
    ) -> Result<&[u8], Refusal>;
    /// Writes bytes to a place; gives how many were taken from the front.
    fn file_write(
        &mut self,
        client: stub::Client,
        offset: u64,
        bytes: &[u8],
    ) -> Result<u32, Refusal>;
    /// Writes bytes to the end, wherever that is by then.
    fn file_append(
        &mut self,
        client: stub::Client,
        bytes: &[u8],
    ) -> Result<u32, Refusal>;
    /// Answers `file.set-size`.
    fn file_set_size(&mut self, client: stub::Client, size: u64) -> Result<(), Refusal>;
    /// Answers `file.set-times`.
    fn file_set_times(
        &mut self,
        client: stub::Client,
        accessed: Moment,
        modified: Moment,
    ) -> Result<(), Refusal>;
    /// Has room kept for bytes.
    fn file_allocate(
        &mut self,
        client: stub::Client,
        offset: u64,
        length: u64,
    ) -> Result<(), Refusal>;
    /// Answers `file.advise`.
    fn file_advise(
        &mut self,
        client: stub::Client,
        offset: u64,
        length: u64,
        advice: Advice,
    ) -> Result<(), Refusal>;
    /// What was written is on the disk when this is answered.
    fn file_sync(
        &mut self,
        client: stub::Client,
        data_only: bool,
    ) -> Result<(), Refusal>;
    /// Nobody will use it any more: after this, no capability of it stands for anything.
    fn file_close(&mut self, client: stub::Client);
    /// Opens what lies below this directory, and reads at most so many of its first bytes, and as many as one answer holds: zero, and none
    /// are read. Who opens a small file has all of it with one message.
    fn file_open<'m>(
        &'m mut self,
        client: stub::Client,
        path: &'m [u8],
        how: Opening,
        most: u32,
    ) -> Result<Opened<'m>, Refusal>;
    /// Names in this directory, from a place on: 0, or an entry's `next`. None means that there are no more.
    fn file_entries(
        &mut self,
        client: stub::Client,
        from: u64,
    ) -> Result<stub::List<'_, Entry<'_>>, Refusal>;
    /// Answers `file.status-of`.
    fn file_status_of(
        &mut self,
        client: stub::Client,
        path: &[u8],
        follow: bool,
    ) -> Result<Status, Refusal>;
    /// Answers `file.set-times-of`.
    fn file_set_times_of(
        &mut self,
        client: stub::Client,
        path: &[u8],
        follow: bool,
        accessed: Moment,
        modified: Moment,
    ) -> Result<(), Refusal>;
    /// Answers `file.make-directory`.
    fn file_make_directory(
        &mut self,
        client: stub::Client,
        path: &[u8],
    ) -> Result<(), Refusal>;
    /// Answers `file.remove-directory`.
    fn file_remove_directory(
        &mut self,
        client: stub::Client,
        path: &[u8],
    ) -> Result<(), Refusal>;
    /// Answers `file.remove-file`.
    fn file_remove_file(
        &mut self,
        client: stub::Client,
        path: &[u8],
    ) -> Result<(), Refusal>;
    /// Moves what is below this directory to below another one.
    fn file_rename(
        &mut self,
        client: stub::Client,
        path: &[u8],
        to: stub::Borrow<File>,
        new_path: &[u8],
    ) -> Result<(), Refusal>;
    /// Gives a file one more name.
    fn file_link(
        &mut self,
        client: stub::Client,
        path: &[u8],
        follow: bool,
        to: stub::Borrow<File>,
        new_path: &[u8],
    ) -> Result<(), Refusal>;
    /// Makes a symbolic link.
    fn file_make_link(
        &mut self,
        client: stub::Client,
        target: &[u8],
        path: &[u8],
    ) -> Result<(), Refusal>;
    /// Where a symbolic link leads.
    fn file_link_target<'m>(
        &'m mut self,
        client: stub::Client,
        path: &'m [u8],
    ) -> Result<&'m [u8], Refusal>;
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
        (Target::File, tag::FILE_STATUS) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.file_status(request.client());
            request.answer::<0, _>(&result)
        }
        (Target::File, tag::FILE_READ) => {
            let Some((offset, most)) = request.parameters::<(u64, u32)>() else {
                return request.malformed()
            };
            let result = server.file_read(request.client(), offset, most);
            request.answer::<0, _>(&result)
        }
        (Target::File, tag::FILE_WRITE) => {
            let Some((offset, bytes)) = request.parameters::<(u64, &[u8])>() else {
                return request.malformed()
            };
            let result = server.file_write(request.client(), offset, bytes);
            request.answer::<0, _>(&result)
        }
        (Target::File, tag::FILE_APPEND) => {
            let Some((bytes,)) = request.parameters::<(&[u8],)>() else {
                return request.malformed()
            };
            let result = server.file_append(request.client(), bytes);
            request.answer::<0, _>(&result)
        }
        (Target::File, tag::FILE_SET_SIZE) => {
            let Some((size,)) = request.parameters::<(u64,)>() else {
                return request.malformed()
            };
            let result = server.file_set_size(request.client(), size);
            request.answer::<0, _>(&result)
        }
        (Target::File, tag::FILE_SET_TIMES) => {
            let Some((accessed, modified)) = request.parameters::<(Moment, Moment)>()
            else { return request.malformed() };
            let result = server.file_set_times(request.client(), accessed, modified);
            request.answer::<0, _>(&result)
        }
        (Target::File, tag::FILE_ALLOCATE) => {
            let Some((offset, length)) = request.parameters::<(u64, u64)>() else {
                return request.malformed()
            };
            let result = server.file_allocate(request.client(), offset, length);
            request.answer::<0, _>(&result)
        }
        (Target::File, tag::FILE_ADVISE) => {
            let Some((offset, length, advice)) = request
                .parameters::<(u64, u64, Advice)>() else { return request.malformed() };
            let result = server.file_advise(request.client(), offset, length, advice);
            request.answer::<0, _>(&result)
        }
        (Target::File, tag::FILE_SYNC) => {
            let Some((data_only,)) = request.parameters::<(bool,)>() else {
                return request.malformed()
            };
            let result = server.file_sync(request.client(), data_only);
            request.answer::<0, _>(&result)
        }
        (Target::File, tag::FILE_CLOSE) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.file_close(request.client());
            request.answer::<0, _>(&())
        }
        (Target::File, tag::FILE_OPEN) => {
            let Some((path, how, most)) = request.parameters::<(&[u8], Opening, u32)>()
            else { return request.malformed() };
            let result = server.file_open(request.client(), path, how, most);
            request.answer::<1, _>(&result)
        }
        (Target::File, tag::FILE_ENTRIES) => {
            let Some((from,)) = request.parameters::<(u64,)>() else {
                return request.malformed()
            };
            let result = server.file_entries(request.client(), from);
            request.answer::<0, _>(&result)
        }
        (Target::File, tag::FILE_STATUS_OF) => {
            let Some((path, follow)) = request.parameters::<(&[u8], bool)>() else {
                return request.malformed()
            };
            let result = server.file_status_of(request.client(), path, follow);
            request.answer::<0, _>(&result)
        }
        (Target::File, tag::FILE_SET_TIMES_OF) => {
            let Some((path, follow, accessed, modified)) = request
                .parameters::<(&[u8], bool, Moment, Moment)>() else {
                return request.malformed()
            };
            let result = server
                .file_set_times_of(request.client(), path, follow, accessed, modified);
            request.answer::<0, _>(&result)
        }
        (Target::File, tag::FILE_MAKE_DIRECTORY) => {
            let Some((path,)) = request.parameters::<(&[u8],)>() else {
                return request.malformed()
            };
            let result = server.file_make_directory(request.client(), path);
            request.answer::<0, _>(&result)
        }
        (Target::File, tag::FILE_REMOVE_DIRECTORY) => {
            let Some((path,)) = request.parameters::<(&[u8],)>() else {
                return request.malformed()
            };
            let result = server.file_remove_directory(request.client(), path);
            request.answer::<0, _>(&result)
        }
        (Target::File, tag::FILE_REMOVE_FILE) => {
            let Some((path,)) = request.parameters::<(&[u8],)>() else {
                return request.malformed()
            };
            let result = server.file_remove_file(request.client(), path);
            request.answer::<0, _>(&result)
        }
        (Target::File, tag::FILE_RENAME) => {
            let Some((path, to, new_path)) = request
                .recognised::<
                    (&[u8], stub::Borrow<File>, &[u8]),
                >(|badge| server.target(badge).map(|target| target as u8)) else {
                return request.malformed()
            };
            let result = server.file_rename(request.client(), path, to, new_path);
            request.answer::<0, _>(&result)
        }
        (Target::File, tag::FILE_LINK) => {
            let Some((path, follow, to, new_path)) = request
                .recognised::<
                    (&[u8], bool, stub::Borrow<File>, &[u8]),
                >(|badge| server.target(badge).map(|target| target as u8)) else {
                return request.malformed()
            };
            let result = server.file_link(request.client(), path, follow, to, new_path);
            request.answer::<0, _>(&result)
        }
        (Target::File, tag::FILE_MAKE_LINK) => {
            let Some((target, path)) = request.parameters::<(&[u8], &[u8])>() else {
                return request.malformed()
            };
            let result = server.file_make_link(request.client(), target, path);
            request.answer::<0, _>(&result)
        }
        (Target::File, tag::FILE_LINK_TARGET) => {
            let Some((path,)) = request.parameters::<(&[u8],)>() else {
                return request.malformed()
            };
            let result = server.file_link_target(request.client(), path);
            request.answer::<0, _>(&result)
        }
        _ => request.unknown(),
    }
}
pub mod later {
    //! What stands for the functions where they are answered later.
    /// `file.status`
    #[derive(Clone, Copy, Debug)]
    pub enum FileStatus {}
    /// `file.read`
    #[derive(Clone, Copy, Debug)]
    pub enum FileRead {}
    /// `file.write`
    #[derive(Clone, Copy, Debug)]
    pub enum FileWrite {}
    /// `file.append`
    #[derive(Clone, Copy, Debug)]
    pub enum FileAppend {}
    /// `file.set-size`
    #[derive(Clone, Copy, Debug)]
    pub enum FileSetSize {}
    /// `file.set-times`
    #[derive(Clone, Copy, Debug)]
    pub enum FileSetTimes {}
    /// `file.allocate`
    #[derive(Clone, Copy, Debug)]
    pub enum FileAllocate {}
    /// `file.advise`
    #[derive(Clone, Copy, Debug)]
    pub enum FileAdvise {}
    /// `file.sync`
    #[derive(Clone, Copy, Debug)]
    pub enum FileSync {}
    /// `file.close`
    #[derive(Clone, Copy, Debug)]
    pub enum FileClose {}
    /// `file.open`
    #[derive(Clone, Copy, Debug)]
    pub enum FileOpen {}
    /// `file.entries`
    #[derive(Clone, Copy, Debug)]
    pub enum FileEntries {}
    /// `file.status-of`
    #[derive(Clone, Copy, Debug)]
    pub enum FileStatusOf {}
    /// `file.set-times-of`
    #[derive(Clone, Copy, Debug)]
    pub enum FileSetTimesOf {}
    /// `file.make-directory`
    #[derive(Clone, Copy, Debug)]
    pub enum FileMakeDirectory {}
    /// `file.remove-directory`
    #[derive(Clone, Copy, Debug)]
    pub enum FileRemoveDirectory {}
    /// `file.remove-file`
    #[derive(Clone, Copy, Debug)]
    pub enum FileRemoveFile {}
    /// `file.rename`
    #[derive(Clone, Copy, Debug)]
    pub enum FileRename {}
    /// `file.link`
    #[derive(Clone, Copy, Debug)]
    pub enum FileLink {}
    /// `file.make-link`
    #[derive(Clone, Copy, Debug)]
    pub enum FileMakeLink {}
    /// `file.link-target`
    #[derive(Clone, Copy, Debug)]
    pub enum FileLinkTarget {}
}
impl stub::Function for later::FileStatus {
    type Answer<'m> = Result<Status, Refusal>;
}
impl stub::Function for later::FileRead {
    type Answer<'m> = Result<&'m [u8], Refusal>;
}
impl stub::Function for later::FileWrite {
    type Answer<'m> = Result<u32, Refusal>;
}
impl stub::Function for later::FileAppend {
    type Answer<'m> = Result<u32, Refusal>;
}
impl stub::Function for later::FileSetSize {
    type Answer<'m> = Result<(), Refusal>;
}
impl stub::Function for later::FileSetTimes {
    type Answer<'m> = Result<(), Refusal>;
}
impl stub::Function for later::FileAllocate {
    type Answer<'m> = Result<(), Refusal>;
}
impl stub::Function for later::FileAdvise {
    type Answer<'m> = Result<(), Refusal>;
}
impl stub::Function for later::FileSync {
    type Answer<'m> = Result<(), Refusal>;
}
impl stub::Function for later::FileClose {
    type Answer<'m> = ();
}
impl stub::Function for later::FileOpen {
    type Answer<'m> = Result<Opened<'m>, Refusal>;
}
impl stub::Function for later::FileEntries {
    type Answer<'m> = Result<stub::List<'m, Entry<'m>>, Refusal>;
}
impl stub::Function for later::FileStatusOf {
    type Answer<'m> = Result<Status, Refusal>;
}
impl stub::Function for later::FileSetTimesOf {
    type Answer<'m> = Result<(), Refusal>;
}
impl stub::Function for later::FileMakeDirectory {
    type Answer<'m> = Result<(), Refusal>;
}
impl stub::Function for later::FileRemoveDirectory {
    type Answer<'m> = Result<(), Refusal>;
}
impl stub::Function for later::FileRemoveFile {
    type Answer<'m> = Result<(), Refusal>;
}
impl stub::Function for later::FileRename {
    type Answer<'m> = Result<(), Refusal>;
}
impl stub::Function for later::FileLink {
    type Answer<'m> = Result<(), Refusal>;
}
impl stub::Function for later::FileMakeLink {
    type Answer<'m> = Result<(), Refusal>;
}
impl stub::Function for later::FileLinkTarget {
    type Answer<'m> = Result<&'m [u8], Refusal>;
}
/// An active server of `files` that answers when it can: each function is given the answer that it owes. Where a function is of a resource, the client's badge says which one is called.
pub trait LaterService {
    /// What a capability with this badge stands for: only its functions can be called through it. `None` if it is nothing, or nothing any more.
    fn target(&self, badge: u64) -> Option<Target>;
    /// Answers `file.status`.
    fn file_status(
        &mut self,
        later: stub::Later<later::FileStatus>,
        client: stub::Client,
    );
    /// Bytes from a place on, at most so many and as many as one answer holds; none means that there are none.
    fn file_read(
        &mut self,
        later: stub::Later<later::FileRead>,
        client: stub::Client,
        offset: u64,
        most: u32,
    );
    /// Writes bytes to a place; gives how many were taken from the front.
    fn file_write(
        &mut self,
        later: stub::Later<later::FileWrite>,
        client: stub::Client,
        offset: u64,
        bytes: &[u8],
    );
    /// Writes bytes to the end, wherever that is by then.
    fn file_append(
        &mut self,
        later: stub::Later<later::FileAppend>,
        client: stub::Client,
        bytes: &[u8],
    );
    /// Answers `file.set-size`.
    fn file_set_size(
        &mut self,
        later: stub::Later<later::FileSetSize>,
        client: stub::Client,
        size: u64,
    );
    /// Answers `file.set-times`.
    fn file_set_times(
        &mut self,
        later: stub::Later<later::FileSetTimes>,
        client: stub::Client,
        accessed: Moment,
        modified: Moment,
    );
    /// Has room kept for bytes.
    fn file_allocate(
        &mut self,
        later: stub::Later<later::FileAllocate>,
        client: stub::Client,
        offset: u64,
        length: u64,
    );
    /// Answers `file.advise`.
    fn file_advise(
        &mut self,
        later: stub::Later<later::FileAdvise>,
        client: stub::Client,
        offset: u64,
        length: u64,
        advice: Advice,
    );
    /// What was written is on the disk when this is answered.
    fn file_sync(
        &mut self,
        later: stub::Later<later::FileSync>,
        client: stub::Client,
        data_only: bool,
    );
    /// Nobody will use it any more: after this, no capability of it stands for anything.
    fn file_close(&mut self, later: stub::Later<later::FileClose>, client: stub::Client);
    /// Opens what lies below this directory, and reads at most so many of its first bytes, and as many as one answer holds: zero, and none
    /// are read. Who opens a small file has all of it with one message.
    fn file_open(
        &mut self,
        later: stub::Later<later::FileOpen>,
        client: stub::Client,
        path: &[u8],
        how: Opening,
        most: u32,
    );
    /// Names in this directory, from a place on: 0, or an entry's `next`. None means that there are no more.
    fn file_entries(
        &mut self,
        later: stub::Later<later::FileEntries>,
        client: stub::Client,
        from: u64,
    );
    /// Answers `file.status-of`.
    fn file_status_of(
        &mut self,
        later: stub::Later<later::FileStatusOf>,
        client: stub::Client,
        path: &[u8],
        follow: bool,
    );
    /// Answers `file.set-times-of`.
    fn file_set_times_of(
        &mut self,
        later: stub::Later<later::FileSetTimesOf>,
        client: stub::Client,
        path: &[u8],
        follow: bool,
        accessed: Moment,
        modified: Moment,
    );
    /// Answers `file.make-directory`.
    fn file_make_directory(
        &mut self,
        later: stub::Later<later::FileMakeDirectory>,
        client: stub::Client,
        path: &[u8],
    );
    /// Answers `file.remove-directory`.
    fn file_remove_directory(
        &mut self,
        later: stub::Later<later::FileRemoveDirectory>,
        client: stub::Client,
        path: &[u8],
    );
    /// Answers `file.remove-file`.
    fn file_remove_file(
        &mut self,
        later: stub::Later<later::FileRemoveFile>,
        client: stub::Client,
        path: &[u8],
    );
    /// Moves what is below this directory to below another one.
    fn file_rename(
        &mut self,
        later: stub::Later<later::FileRename>,
        client: stub::Client,
        path: &[u8],
        to: stub::Borrow<File>,
        new_path: &[u8],
    );
    /// Gives a file one more name.
    fn file_link(
        &mut self,
        later: stub::Later<later::FileLink>,
        client: stub::Client,
        path: &[u8],
        follow: bool,
        to: stub::Borrow<File>,
        new_path: &[u8],
    );
    /// Makes a symbolic link.
    fn file_make_link(
        &mut self,
        later: stub::Later<later::FileMakeLink>,
        client: stub::Client,
        target: &[u8],
        path: &[u8],
    );
    /// Where a symbolic link leads.
    fn file_link_target(
        &mut self,
        later: stub::Later<later::FileLinkTarget>,
        client: stub::Client,
        path: &[u8],
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
        (Target::File, tag::FILE_STATUS) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.file_status(request.later(token), request.client());
            request.deferred()
        }
        (Target::File, tag::FILE_READ) => {
            let Some((offset, most)) = request.parameters::<(u64, u32)>() else {
                return request.malformed()
            };
            server.file_read(request.later(token), request.client(), offset, most);
            request.deferred()
        }
        (Target::File, tag::FILE_WRITE) => {
            let Some((offset, bytes)) = request.parameters::<(u64, &[u8])>() else {
                return request.malformed()
            };
            server.file_write(request.later(token), request.client(), offset, bytes);
            request.deferred()
        }
        (Target::File, tag::FILE_APPEND) => {
            let Some((bytes,)) = request.parameters::<(&[u8],)>() else {
                return request.malformed()
            };
            server.file_append(request.later(token), request.client(), bytes);
            request.deferred()
        }
        (Target::File, tag::FILE_SET_SIZE) => {
            let Some((size,)) = request.parameters::<(u64,)>() else {
                return request.malformed()
            };
            server.file_set_size(request.later(token), request.client(), size);
            request.deferred()
        }
        (Target::File, tag::FILE_SET_TIMES) => {
            let Some((accessed, modified)) = request.parameters::<(Moment, Moment)>()
            else { return request.malformed() };
            server
                .file_set_times(
                    request.later(token),
                    request.client(),
                    accessed,
                    modified,
                );
            request.deferred()
        }
        (Target::File, tag::FILE_ALLOCATE) => {
            let Some((offset, length)) = request.parameters::<(u64, u64)>() else {
                return request.malformed()
            };
            server.file_allocate(request.later(token), request.client(), offset, length);
            request.deferred()
        }
        (Target::File, tag::FILE_ADVISE) => {
            let Some((offset, length, advice)) = request
                .parameters::<(u64, u64, Advice)>() else { return request.malformed() };
            server
                .file_advise(
                    request.later(token),
                    request.client(),
                    offset,
                    length,
                    advice,
                );
            request.deferred()
        }
        (Target::File, tag::FILE_SYNC) => {
            let Some((data_only,)) = request.parameters::<(bool,)>() else {
                return request.malformed()
            };
            server.file_sync(request.later(token), request.client(), data_only);
            request.deferred()
        }
        (Target::File, tag::FILE_CLOSE) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.file_close(request.later(token), request.client());
            request.deferred()
        }
        (Target::File, tag::FILE_OPEN) => {
            let Some((path, how, most)) = request.parameters::<(&[u8], Opening, u32)>()
            else { return request.malformed() };
            server.file_open(request.later(token), request.client(), path, how, most);
            request.deferred()
        }
        (Target::File, tag::FILE_ENTRIES) => {
            let Some((from,)) = request.parameters::<(u64,)>() else {
                return request.malformed()
            };
            server.file_entries(request.later(token), request.client(), from);
            request.deferred()
        }
        (Target::File, tag::FILE_STATUS_OF) => {
            let Some((path, follow)) = request.parameters::<(&[u8], bool)>() else {
                return request.malformed()
            };
            server.file_status_of(request.later(token), request.client(), path, follow);
            request.deferred()
        }
        (Target::File, tag::FILE_SET_TIMES_OF) => {
            let Some((path, follow, accessed, modified)) = request
                .parameters::<(&[u8], bool, Moment, Moment)>() else {
                return request.malformed()
            };
            server
                .file_set_times_of(
                    request.later(token),
                    request.client(),
                    path,
                    follow,
                    accessed,
                    modified,
                );
            request.deferred()
        }
        (Target::File, tag::FILE_MAKE_DIRECTORY) => {
            let Some((path,)) = request.parameters::<(&[u8],)>() else {
                return request.malformed()
            };
            server.file_make_directory(request.later(token), request.client(), path);
            request.deferred()
        }
        (Target::File, tag::FILE_REMOVE_DIRECTORY) => {
            let Some((path,)) = request.parameters::<(&[u8],)>() else {
                return request.malformed()
            };
            server.file_remove_directory(request.later(token), request.client(), path);
            request.deferred()
        }
        (Target::File, tag::FILE_REMOVE_FILE) => {
            let Some((path,)) = request.parameters::<(&[u8],)>() else {
                return request.malformed()
            };
            server.file_remove_file(request.later(token), request.client(), path);
            request.deferred()
        }
        (Target::File, tag::FILE_RENAME) => {
            let Some((path, to, new_path)) = request
                .recognised::<
                    (&[u8], stub::Borrow<File>, &[u8]),
                >(|badge| server.target(badge).map(|target| target as u8)) else {
                return request.malformed()
            };
            server
                .file_rename(request.later(token), request.client(), path, to, new_path);
            request.deferred()
        }
        (Target::File, tag::FILE_LINK) => {
            let Some((path, follow, to, new_path)) = request
                .recognised::<
                    (&[u8], bool, stub::Borrow<File>, &[u8]),
                >(|badge| server.target(badge).map(|target| target as u8)) else {
                return request.malformed()
            };
            server
                .file_link(
                    request.later(token),
                    request.client(),
                    path,
                    follow,
                    to,
                    new_path,
                );
            request.deferred()
        }
        (Target::File, tag::FILE_MAKE_LINK) => {
            let Some((target, path)) = request.parameters::<(&[u8], &[u8])>() else {
                return request.malformed()
            };
            server.file_make_link(request.later(token), request.client(), target, path);
            request.deferred()
        }
        (Target::File, tag::FILE_LINK_TARGET) => {
            let Some((path,)) = request.parameters::<(&[u8],)>() else {
                return request.malformed()
            };
            server.file_link_target(request.later(token), request.client(), path);
            request.deferred()
        }
        _ => request.unknown(),
    }
}
