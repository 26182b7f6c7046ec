//! What a program exports and how the engine calls it.
//!
//! A *main* program exports [`MAIN_EXPORT`] and has its own loop around `wait`. A *reactor* exports [`HANDLE_EXPORT`] and
//! [`INBOX_EXPORT`] (and, if it wants, [`INIT_EXPORT`]); the engine runs its loop, or calls it as a passive server.

/// `func()`: runs from start to end; when it returns, the cell is done.
pub const MAIN_EXPORT: &str = "hallows_main";
/// `func()`: runs once before a reactor's first event, and may use every call.
pub const INIT_EXPORT: &str = "hallows_init";
/// `func(kind: i32, badge: i64, token: i64, length: i32, handles: i32) -> i64`: one event of a reactor. For a message, the
/// result is its answer ([`Returned`]) or [`DEFERRED`]; for other events it is ignored. Of an answer, `handles` has the
/// error number in its bits 8 to 15; of a notification, `token` has its bits.
pub const HANDLE_EXPORT: &str = "hallows_handle";
/// `func() -> i32`: where the [`Inbox`] is; asked once, after [`INIT_EXPORT`].
pub const INBOX_EXPORT: &str = "hallows_inbox";
/// `func(block: i32)`: a further thread of the program, from start to end. It runs over the same memory, in an instance of its own: its globals
/// and tables are as at the program's start. `block` is the address that it was started with; when the function has returned and the stack is not
/// used any more, the 32-bit word there becomes [`THREAD_IS_OVER`], and who waits for that word is woken. Making the instance writes active data
/// segments into the memory again and runs the start function: such a program's segments are passive, as linkers make them for shared memories.
pub const THREAD_EXPORT: &str = "hallows_thread";
/// The mutable global, an `i32`, that is set to the top of a further thread's stack before [`THREAD_EXPORT`] is called: as linkers name it.
pub const STACK_POINTER_EXPORT: &str = "__stack_pointer";

/// What the first word of a further thread's block becomes when it is over.
pub const THREAD_IS_OVER: u32 = 1;

/// What an active reactor's handler returns to answer a message later, with `answer`.
pub const DEFERRED: i64 = -1;

/// Where a reactor wants messages put: 16 bytes in its memory, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inbox {
    /// Address of the buffer for message bytes.
    pub buffer: u32,
    /// Its length in bytes.
    pub buffer_length: u32,
    /// Address of the list for received handles (`u32` each) and, when the handler returns, of the answer's
    /// [`crate::Transfer`]s: room for [`crate::MAX_TRANSFERS`] of them, 64 bytes.
    pub handles: u32,
    /// How many handles it takes, at most [`crate::MAX_TRANSFERS`].
    pub handles_length: u32,
}

impl Inbox {
    /// Bytes of an inbox in memory.
    pub const SIZE: usize = 16;

    /// From its form in memory; `None` if it is not one.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = crate::Reader::new(bytes);
        Some(Self {
            buffer: reader.u32()?,
            buffer_length: reader.u32()?,
            handles: reader.u32()?,
            handles_length: reader.u32()?,
        })
    }
}

/// A handler's answer: where its bytes are and how many transfers go with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Returned {
    /// Address of the answer's bytes.
    pub offset: u32,
    /// Length in bytes, at most [`crate::MAX_MESSAGE`].
    pub length: u32,
    /// Transfers in the inbox's list of handles, at most [`crate::MAX_TRANSFERS`].
    pub transfers: u32,
}

impl Returned {
    /// The result's form: 32 bits of offset, 24 of length, 7 of transfers; never negative.
    #[must_use]
    pub const fn pack(self) -> i64 {
        (self.offset as u64 | (self.length as u64 & 0xff_ffff) << 32 | (self.transfers as u64 & 0x7f) << 56)
            .cast_signed()
    }

    /// From a result that is not [`DEFERRED`].
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "takes the parts apart")]
    pub const fn unpack(packed: i64) -> Self {
        let bits = packed.cast_unsigned();
        Self {
            offset: bits as u32,
            length: (bits >> 32) as u32 & 0xff_ffff,
            transfers: (bits >> 56) as u32 & 0x7f,
        }
    }
}
