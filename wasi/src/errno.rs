//! Errors as WASI numbers them, and which of them the refusals of services and kernel are.

use hallows_sdk::Error;
use hallows_sdk::net::protocol;
use hallows_system::{console, files};

/// What a function of WASI gives.
pub type Result<T = ()> = core::result::Result<T, Errno>;

macro_rules! errnos {
    ($($(#[$doc:meta])* $name:ident = $number:literal;)*) => {
        /// An error, with its number in WASI preview 1. (Those that nothing here gives are left out.)
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u16)]
        pub enum Errno {
            $($(#[$doc])* $name = $number,)*
        }
    };
}

errnos! {
    /// Permission denied.
    Acces = 2;
    /// Somebody has the port.
    Addrinuse = 3;
    /// Nothing there yet, and the descriptor is not to wait.
    Again = 6;
    /// No such descriptor.
    Badf = 8;
    /// In use.
    Busy = 10;
    /// The other end, or the service, has broken the connection off.
    Connreset = 15;
    /// The quota is used up.
    Dquot = 19;
    /// It is there already.
    Exist = 20;
    /// A pointer leads out of the program's memory, or to pages that it may only read.
    Fault = 21;
    /// The file would be larger than a file may be.
    Fbig = 22;
    /// Bytes that are no text.
    Ilseq = 25;
    /// Interrupted; also the error of everything that a program does while it is being ended, which it never sees.
    Intr = 27;
    /// An argument outside of what is taken.
    Inval = 28;
    /// A service failed.
    Io = 29;
    /// It is a directory.
    Isdir = 31;
    /// Too many symbolic links.
    Loop = 32;
    /// The process has as many descriptors as it may have.
    Mfile = 33;
    /// Too many names of one file.
    Mlink = 34;
    /// Longer than a message.
    Msgsize = 35;
    /// The path is too long.
    Nametoolong = 37;
    /// There is no way to the other end.
    Netunreach = 40;
    /// The system, or the cell's capability space, has no room for one more file.
    Nfile = 41;
    /// No such kind of device.
    Nodev = 43;
    /// No such file.
    Noent = 44;
    /// No locks left.
    Nolck = 46;
    /// No memory.
    Nomem = 48;
    /// No room on the disk.
    Nospc = 51;
    /// Not a directory.
    Notdir = 54;
    /// The directory has something in it.
    Notempty = 55;
    /// Not a socket.
    Notsock = 57;
    /// Not supported.
    Notsup = 58;
    /// No such device.
    Nxio = 60;
    /// A value too large.
    Overflow = 61;
    /// Not permitted.
    Perm = 63;
    /// Nobody reads at the other end.
    Pipe = 64;
    /// The file system may only be read.
    Rofs = 69;
    /// A stream has no place to seek to.
    Spipe = 70;
    /// The file is gone: its server has started anew, or closed it.
    Stale = 72;
    /// The program's text is in use.
    Txtbsy = 74;
    /// The other name is on another device.
    Xdev = 75;
    /// The descriptor has not the right, or the path leads out of its directory.
    Notcapable = 76;
}

impl Errno {
    /// Its number.
    #[must_use]
    pub const fn number(self) -> u16 {
        self as u16
    }
}

impl From<Error> for Errno {
    /// Of a call that brought no answer.
    fn from(error: Error) -> Self {
        match error {
            Error::Killed => Self::Intr,
            Error::SpaceFull | Error::TableFull => Self::Nfile,
            Error::BudgetExhausted => Self::Nomem,
            Error::TooLong | Error::AnswerTooLong => Self::Msgsize,
            Error::Gone | Error::Revoked => Self::Stale,
            Error::NoRight => Self::Perm,
            Error::NotInHandler | Error::Unsupported => Self::Notsup,
            _ => Self::Io,
        }
    }
}

impl From<console::Refusal> for Errno {
    fn from(refusal: console::Refusal) -> Self {
        use console::Refusal;
        match refusal {
            Refusal::IsDirectory => Self::Isdir,
            Refusal::Closed => Self::Pipe,
            Refusal::TooLong => Self::Msgsize,
            Refusal::NoSpace => Self::Nospc,
            Refusal::NotPermitted => Self::Badf,
            Refusal::InputOutput => Self::Io,
        }
    }
}

impl From<protocol::Refusal> for Errno {
    fn from(refusal: protocol::Refusal) -> Self {
        use protocol::Refusal;
        match refusal {
            Refusal::NotPermitted => Self::Acces,
            Refusal::InUse => Self::Addrinuse,
            Refusal::Reset => Self::Connreset,
            Refusal::Unreachable => Self::Netunreach,
            Refusal::Finished => Self::Pipe,
            Refusal::NotNow => Self::Again,
            Refusal::Full => Self::Nfile,
            Refusal::TooLong => Self::Msgsize,
            Refusal::Invalid => Self::Inval,
            Refusal::NoServer | Refusal::NoAddress | Refusal::NoAnswer => Self::Io,
        }
    }
}

impl From<files::Refusal> for Errno {
    fn from(refusal: files::Refusal) -> Self {
        use files::Refusal;
        match refusal {
            Refusal::Access => Self::Acces,
            Refusal::Again => Self::Again,
            Refusal::BadDescriptor => Self::Badf,
            Refusal::Busy => Self::Busy,
            Refusal::Quota => Self::Dquot,
            Refusal::Exists => Self::Exist,
            Refusal::FileTooLarge => Self::Fbig,
            Refusal::IllegalBytes => Self::Ilseq,
            Refusal::Interrupted => Self::Intr,
            Refusal::Invalid => Self::Inval,
            Refusal::InputOutput => Self::Io,
            Refusal::IsDirectory => Self::Isdir,
            Refusal::TooManyLinksFollowed => Self::Loop,
            Refusal::TooManyFiles => Self::Mfile,
            Refusal::TooManyLinks => Self::Mlink,
            Refusal::NameTooLong => Self::Nametoolong,
            Refusal::TooManyFilesInSystem => Self::Nfile,
            Refusal::NoDevice => Self::Nodev,
            Refusal::NoEntry => Self::Noent,
            Refusal::NoLock => Self::Nolck,
            Refusal::NoMemory => Self::Nomem,
            Refusal::NoSpace => Self::Nospc,
            Refusal::NotDirectory => Self::Notdir,
            Refusal::NotEmpty => Self::Notempty,
            Refusal::NotSupported => Self::Notsup,
            Refusal::NoSuchDevice => Self::Nxio,
            Refusal::Overflow => Self::Overflow,
            Refusal::NotPermitted => Self::Perm,
            Refusal::BrokenPipe => Self::Pipe,
            Refusal::ReadOnly => Self::Rofs,
            Refusal::NoSeek => Self::Spipe,
            Refusal::TextBusy => Self::Txtbsy,
            Refusal::OtherDevice => Self::Xdev,
            Refusal::LeadsOutside => Self::Notcapable,
        }
    }
}
