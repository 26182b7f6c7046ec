//! What a descriptor stands for, and what may be done with it.

use alloc::string::String;
use alloc::vec::Vec;

use hallows_system::files::Kind;

use crate::{Errno, Result, Rights};

/// Kinds of file as WASI numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Filetype {
    Unknown = 0,
    BlockDevice = 1,
    CharacterDevice = 2,
    Directory = 3,
    Regular = 4,
    SocketStream = 6,
    SymbolicLink = 7,
}

impl From<Kind> for Filetype {
    fn from(kind: Kind) -> Self {
        match kind {
            // WASI has no number for pipes.
            Kind::Unknown | Kind::Pipe => Self::Unknown,
            Kind::BlockDevice => Self::BlockDevice,
            Kind::CharacterDevice => Self::CharacterDevice,
            Kind::Directory => Self::Directory,
            Kind::Regular => Self::Regular,
            Kind::SymbolicLink => Self::SymbolicLink,
            Kind::Socket => Self::SocketStream,
        }
    }
}

/// `fdflags`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags(u16);

impl Flags {
    pub const APPEND: Self = Self(1);
    pub const DSYNC: Self = Self(2);
    pub const NONBLOCK: Self = Self(4);
    pub const RSYNC: Self = Self(8);
    pub const SYNC: Self = Self(16);
    const ALL: u32 = 31;
    /// Those that only opening sets.
    const OPENING: u16 = Self::DSYNC.0 | Self::RSYNC.0 | Self::SYNC.0;

    /// From an argument.
    pub fn parse(argument: u32) -> Result<Self> {
        let bits = u16::try_from(argument).map_err(|_| Errno::Inval)?;
        if argument & !Self::ALL == 0 { Ok(Self(bits)) } else { Err(Errno::Inval) }
    }

    pub const fn number(self) -> u16 {
        self.0
    }

    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether these may take the others' place.
    pub const fn may_become(self, other: Self) -> bool {
        (self.0 ^ other.0) & Self::OPENING == 0
    }
}

/// Where the next read or write of a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    At(u64),
    /// At the end, where the last write put it: where that is, is asked when it matters.
    End,
}

/// What a descriptor stands for.
#[derive(Clone, Debug)]
pub(crate) enum Target<F, C, S> {
    /// A stream. Its kind is asked when somebody wants to know.
    Stream { console: C, kind: Option<Filetype> },
    /// Anything of the interface `files` but a directory.
    File { file: F, kind: Filetype, position: Position },
    /// A directory; its name, and not ours to close, if the program was given it at the start.
    Directory { file: F, name: Option<String> },
    /// A TCP port; a connection that was accepted when somebody wanted to know whether there is one.
    Port { socket: S, ahead: Option<S> },
    /// A TCP connection.
    Connection(Connection<S>),
}

/// A TCP connection.
#[derive(Clone, Debug)]
pub(crate) struct Connection<S> {
    pub socket: S,
    /// What has come and the program has not read yet.
    pub unread: Vec<u8>,
    /// No more will come, or be read.
    pub has_ended: bool,
    /// Nothing was taken: how often sockets had been waited for by then. Whoever waits for one hears what happens with all, so it may be otherwise behind
    /// the next time.
    pub full_since: Option<u64>,
}

/// A descriptor.
#[derive(Clone, Debug)]
pub(crate) struct Descriptor<F, C, S> {
    pub target: Target<F, C, S>,
    pub base: Rights,
    pub inheriting: Rights,
    pub flags: Flags,
}

impl<F: Copy, C: Copy, S: Copy> Descriptor<F, C, S> {
    /// A stream with these rights beside those of all streams.
    pub fn stream(console: C, rights: Rights) -> Self {
        let base = Rights::OF_STREAMS | rights;
        let target = Target::Stream { console, kind: None };
        Self { target, base, inheriting: Rights::NONE, flags: Flags::default() }
    }

    /// A directory that the program is given at the start.
    pub fn preopened(file: F, name: String) -> Self {
        let target = Target::Directory { file, name: Some(name) };
        Self { target, base: Rights::OF_DIRECTORIES, inheriting: Rights::ALL, flags: Flags::default() }
    }

    /// A TCP port that the program is given at the start.
    pub fn port(socket: S) -> Self {
        let target = Target::Port { socket, ahead: None };
        Self { target, base: Rights::OF_PORTS, inheriting: Rights::OF_CONNECTIONS, flags: Flags::default() }
    }

    /// A connection that was accepted through a descriptor with these rights.
    pub fn connection(socket: S, rights: Rights, flags: Flags) -> Self {
        let connection = Connection { socket, unread: Vec::new(), has_ended: false, full_since: None };
        let base = Rights::OF_CONNECTIONS & rights;
        Self { target: Target::Connection(connection), base, inheriting: Rights::NONE, flags }
    }

    /// Checks that all of these rights are there.
    pub fn check(&self, rights: Rights) -> Result {
        if self.base.contains(rights) { Ok(()) } else { Err(Errno::Notcapable) }
    }

    /// The directory, if it is one and has these rights.
    pub fn directory(&self, rights: Rights) -> Result<F> {
        let Target::Directory { file, .. } = self.target else { return Err(Errno::Notdir) };
        self.check(rights).map(|()| file)
    }

    /// What the interface `files` knows, if it has these rights. Of a stream, this error.
    pub fn file(&self, rights: Rights, of_stream: Errno) -> Result<F> {
        match self.target {
            Target::Stream { .. } | Target::Port { .. } | Target::Connection(_) => Err(of_stream),
            Target::File { file, .. } | Target::Directory { file, .. } => self.check(rights).map(|()| file),
        }
    }

    /// A file and where it is read and written next: to look at, or also to move.
    pub fn position(&mut self, only_looks: bool) -> Result<(F, &mut Position)> {
        let right = if only_looks { Rights::FD_SEEK | Rights::FD_TELL } else { Rights::FD_SEEK };
        match &mut self.target {
            Target::Stream { .. } | Target::Port { .. } | Target::Connection(_) => Err(Errno::Spipe),
            Target::Directory { .. } => Err(Errno::Isdir),
            // To seek includes to tell.
            Target::File { .. } if !self.base.intersects(right) => Err(Errno::Notcapable),
            Target::File { file, position, .. } => Ok((*file, position)),
        }
    }
}
