//! What a process stands on: the kernel and the services, in the terms of the system's interfaces.

use hallows_sdk::stub::List;
use hallows_system::files::{Advice, Entry, Moment, Opening, Status};
pub use hallows_system::invocation::Sizes;

use crate::Result;

/// Bytes of a read or write in one message at most: what whole pages leave of a message for its head.
pub const BYTES_MOST: u32 = 60 << 10;

/// Bytes of a file that are read by one message at most. Half of what programs usually read at once: while one half is copied to the program,
/// a server can read the other.
pub const READ_MOST: u32 = 32 << 10;

/// The kernel and the services of a process. In a cell: [`crate::Services`].
///
/// Nothing is done after the process was told to end: every method gives [`crate::Errno::Intr`] then.
pub trait System {
    /// Stands for a file or a directory that somebody has open.
    type File: Copy;
    /// Stands for a stream.
    type Console: Copy;
    /// Stands for a TCP port that is listened on, or for a connection.
    type Socket: Copy;

    /// Nanoseconds of the machine's monotonic clock.
    ///
    /// # Errors
    ///
    /// As all of these: that the process ends. The others: what the service refuses, and what keeps it from answering.
    fn now(&mut self) -> Result<u64>;
    /// Nanoseconds since the beginning of 1970.
    ///
    /// # Errors
    ///
    /// [`crate::Errno::Inval`] without such a clock; else as [`System::now`].
    fn realtime(&mut self) -> Result<u64>;
    /// Nanoseconds between two values of the clocks.
    ///
    /// # Errors
    ///
    /// As [`System::now`].
    fn resolution(&mut self) -> Result<u64>;
    /// Random bytes, at most so many and [`BYTES_MOST`], and at least one of those that are asked for.
    ///
    /// # Errors
    ///
    /// As [`System::now`].
    fn random(&mut self, most: u32) -> Result<&[u8]>;
    /// Lets others of the same priority run.
    ///
    /// # Errors
    ///
    /// As [`System::now`].
    fn give_way(&mut self) -> Result;
    /// Waits until the monotonic clock shows so much.
    ///
    /// # Errors
    ///
    /// As [`System::now`].
    fn sleep(&mut self, until: u64) -> Result;
    /// Ends the process with a status. Whoever runs it unwinds when it returns.
    fn exit(&mut self, status: u32);

    /// How many arguments and variables there are.
    ///
    /// # Errors
    ///
    /// As [`System::now`].
    fn measure(&mut self) -> Result<Sizes>;
    /// Arguments from a byte on, with a zero byte behind each; at least one byte, if that is not behind the last.
    ///
    /// # Errors
    ///
    /// As [`System::now`].
    fn arguments(&mut self, from: u32) -> Result<&[u8]>;
    /// Variables of the environment, as [`System::arguments`].
    ///
    /// # Errors
    ///
    /// As [`System::now`].
    fn variables(&mut self, from: u32) -> Result<&[u8]>;

    /// Writes to a stream at most [`BYTES_MOST`] bytes; how many were taken from the front.
    ///
    /// # Errors
    ///
    /// As [`System::now`].
    fn put(&mut self, console: Self::Console, bytes: &[u8]) -> Result<u32>;
    /// Waits for bytes of a stream, at most so many and [`BYTES_MOST`]; none: there will be no more.
    ///
    /// # Errors
    ///
    /// As [`System::now`].
    fn get(&mut self, console: Self::Console, most: u32) -> Result<&[u8]>;
    /// Waits until [`System::get`] would not wait, for so many nanoseconds at most; whether it would not.
    ///
    /// # Errors
    ///
    /// As [`System::now`].
    fn await_input(&mut self, console: Self::Console, most: u64) -> Result<bool>;
    /// Whether a person sits at the other end.
    ///
    /// # Errors
    ///
    /// As [`System::now`].
    fn is_terminal(&mut self, console: Self::Console) -> Result<bool>;

    /// What there is to know about a file.
    ///
    /// # Errors
    ///
    /// As [`System::now`].
    fn status(&mut self, file: Self::File) -> Result<Status>;
    /// Bytes from a place on, at most so many and [`BYTES_MOST`]; none: there are none.
    ///
    /// # Errors
    ///
    /// As [`System::now`].
    fn read(&mut self, file: Self::File, offset: u64, most: u32) -> Result<&[u8]>;
    /// Writes at most [`BYTES_MOST`] bytes to a place; how many were taken from the front.
    ///
    /// # Errors
    ///
    /// As [`System::now`].
    fn write(&mut self, file: Self::File, offset: u64, bytes: &[u8]) -> Result<u32>;
    /// Writes at most [`BYTES_MOST`] bytes to the end; how many were taken from the front.
    ///
    /// # Errors
    ///
    /// As [`System::now`].
    fn append(&mut self, file: Self::File, bytes: &[u8]) -> Result<u32>;
    /// Makes a file so long.
    ///
    /// # Errors
    ///
    /// As [`System::now`].
    fn set_size(&mut self, file: Self::File, size: u64) -> Result;
    /// Sets a file's times.
    ///
    /// # Errors
    ///
    /// As [`System::now`].
    fn set_times(&mut self, file: Self::File, accessed: Moment, modified: Moment) -> Result;
    /// Has room kept for bytes.
    ///
    /// # Errors
    ///
    /// As [`System::now`].
    fn allocate(&mut self, file: Self::File, offset: u64, length: u64) -> Result;
    /// Says how a file will be used.
    ///
    /// # Errors
    ///
    /// As [`System::now`].
    fn advise(&mut self, file: Self::File, offset: u64, length: u64, advice: Advice) -> Result;
    /// Returns when what was written is on the disk.
    ///
    /// # Errors
    ///
    /// As [`System::now`].
    fn sync(&mut self, file: Self::File, data_only: bool) -> Result;
    /// Gives back a file that [`System::open`] gave; nothing stands for it any more. There is nobody to tell that it failed.
    fn close(&mut self, file: Self::File);

    /// Opens what lies below a directory.
    ///
    /// # Errors
    ///
    /// [`crate::Errno::Nfile`], and nothing opened, if the process can hold no more; else as [`System::now`].
    fn open(&mut self, directory: Self::File, path: &[u8], how: Opening) -> Result<(Self::File, Status)>;
    /// Names in a directory, from a place on: 0, or an entry's `next`. None: there are no more.
    ///
    /// # Errors
    ///
    /// As [`System::now`].
    fn entries(&mut self, directory: Self::File, from: u64) -> Result<List<'_, Entry<'_>>>;
    /// What there is to know about what lies below a directory.
    ///
    /// # Errors
    ///
    /// As [`System::now`].
    fn status_of(&mut self, directory: Self::File, path: &[u8], follow: bool) -> Result<Status>;
    /// Sets the times of what lies below a directory.
    ///
    /// # Errors
    ///
    /// As [`System::now`].
    fn set_times_of(
        &mut self,
        directory: Self::File,
        path: &[u8],
        follow: bool,
        accessed: Moment,
        modified: Moment,
    ) -> Result;
    /// Makes a directory.
    ///
    /// # Errors
    ///
    /// As [`System::now`].
    fn make_directory(&mut self, directory: Self::File, path: &[u8]) -> Result;
    /// Removes an empty directory.
    ///
    /// # Errors
    ///
    /// As [`System::now`].
    fn remove_directory(&mut self, directory: Self::File, path: &[u8]) -> Result;
    /// Removes a name of a file.
    ///
    /// # Errors
    ///
    /// As [`System::now`].
    fn remove_file(&mut self, directory: Self::File, path: &[u8]) -> Result;
    /// Moves what is below one directory to below another one.
    ///
    /// # Errors
    ///
    /// As [`System::now`].
    fn rename(&mut self, directory: Self::File, path: &[u8], to: Self::File, new_path: &[u8]) -> Result;
    /// Gives a file one more name.
    ///
    /// # Errors
    ///
    /// As [`System::now`].
    fn link(
        &mut self,
        directory: Self::File,
        path: &[u8],
        follow: bool,
        to: Self::File,
        new_path: &[u8],
    ) -> Result;
    /// Makes a symbolic link.
    ///
    /// # Errors
    ///
    /// As [`System::now`].
    fn make_link(&mut self, directory: Self::File, target: &[u8], path: &[u8]) -> Result;
    /// Where a symbolic link leads.
    ///
    /// # Errors
    ///
    /// As [`System::now`].
    fn link_target(&mut self, directory: Self::File, path: &[u8]) -> Result<&[u8]>;

    /// The connection that has waited longest at a port.
    ///
    /// # Errors
    ///
    /// [`crate::Errno::Again`] if none does; else as [`System::now`].
    fn accept(&mut self, port: Self::Socket) -> Result<Self::Socket>;
    /// Bytes that have come, at most so many and [`BYTES_MOST`]; none: no more will come.
    ///
    /// # Errors
    ///
    /// [`crate::Errno::Again`] if there are none now; else as [`System::now`].
    fn receive(&mut self, connection: Self::Socket, most: u32) -> Result<&[u8]>;
    /// Sends at most [`BYTES_MOST`] bytes; how many were taken from the front.
    ///
    /// # Errors
    ///
    /// [`crate::Errno::Again`] if none are taken now; else as [`System::now`].
    fn send(&mut self, connection: Self::Socket, bytes: &[u8]) -> Result<u32>;
    /// No more will be sent.
    ///
    /// # Errors
    ///
    /// As [`System::now`].
    fn finish(&mut self, connection: Self::Socket) -> Result;
    /// Gives back a socket; nothing stands for it any more. There is nobody to tell that it failed.
    fn leave(&mut self, socket: Self::Socket);
    /// Waits until something may have changed with a socket of which [`crate::Errno::Again`] was said, at most until the monotonic clock shows so much.
    ///
    /// # Errors
    ///
    /// As [`System::now`].
    fn await_sockets(&mut self, until: u64) -> Result;
}
