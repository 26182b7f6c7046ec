//! Rights: what may be done with a descriptor, and with those that are opened through it.

use core::ops::{BitAnd, BitOr};

/// A set of rights, with their bits in WASI preview 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights(pub u64);

macro_rules! rights {
    ($($(#[$doc:meta])* $name:ident = $bit:literal;)*) => {
        impl Rights {
            $($(#[$doc])* pub const $name: Self = Self(1 << $bit);)*
            /// Every right that there is.
            pub const ALL: Self = Self(0 $(| 1 << $bit)*);
        }
    };
}

rights! {
    /// `fd_datasync`, and to open with `dsync`.
    FD_DATASYNC = 0;
    /// `fd_read`; with `FD_SEEK`, `fd_pread`.
    FD_READ = 1;
    /// `fd_seek`, and what `FD_TELL` allows.
    FD_SEEK = 2;
    /// `fd_fdstat_set_flags`.
    FD_FDSTAT_SET_FLAGS = 3;
    /// `fd_sync`, and to open with `rsync` or `sync`.
    FD_SYNC = 4;
    /// `fd_tell`, and to seek by nothing.
    FD_TELL = 5;
    /// `fd_write`; with `FD_SEEK`, `fd_pwrite`.
    FD_WRITE = 6;
    /// `fd_advise`.
    FD_ADVISE = 7;
    /// `fd_allocate`.
    FD_ALLOCATE = 8;
    /// `path_create_directory`.
    PATH_CREATE_DIRECTORY = 9;
    /// `path_open` with `creat`.
    PATH_CREATE_FILE = 10;
    /// `path_link` of what is below this directory.
    PATH_LINK_SOURCE = 11;
    /// `path_link` to below this directory.
    PATH_LINK_TARGET = 12;
    /// `path_open`.
    PATH_OPEN = 13;
    /// `fd_readdir`.
    FD_READDIR = 14;
    /// `path_readlink`.
    PATH_READLINK = 15;
    /// `path_rename` of what is below this directory.
    PATH_RENAME_SOURCE = 16;
    /// `path_rename` to below this directory.
    PATH_RENAME_TARGET = 17;
    /// `path_filestat_get`.
    PATH_FILESTAT_GET = 18;
    /// `path_open` with `trunc`.
    PATH_FILESTAT_SET_SIZE = 19;
    /// `path_filestat_set_times`.
    PATH_FILESTAT_SET_TIMES = 20;
    /// `fd_filestat_get`.
    FD_FILESTAT_GET = 21;
    /// `fd_filestat_set_size`.
    FD_FILESTAT_SET_SIZE = 22;
    /// `fd_filestat_set_times`.
    FD_FILESTAT_SET_TIMES = 23;
    /// `path_symlink`.
    PATH_SYMLINK = 24;
    /// `path_remove_directory`.
    PATH_REMOVE_DIRECTORY = 25;
    /// `path_unlink_file`.
    PATH_UNLINK_FILE = 26;
    /// `poll_oneoff` for `fd_read` and `fd_write`.
    POLL_FD_READWRITE = 27;
    /// `sock_shutdown`.
    SOCK_SHUTDOWN = 28;
    /// `sock_accept`.
    SOCK_ACCEPT = 29;
}

impl Rights {
    /// None.
    pub const NONE: Self = Self(0);

    /// What can be done with a file of bytes that has places.
    pub const OF_FILES: Self = Self(
        Self::FD_DATASYNC.0
            | Self::FD_READ.0
            | Self::FD_SEEK.0
            | Self::FD_FDSTAT_SET_FLAGS.0
            | Self::FD_SYNC.0
            | Self::FD_TELL.0
            | Self::FD_WRITE.0
            | Self::FD_ADVISE.0
            | Self::FD_ALLOCATE.0
            | Self::FD_FILESTAT_GET.0
            | Self::FD_FILESTAT_SET_SIZE.0
            | Self::FD_FILESTAT_SET_TIMES.0
            | Self::POLL_FD_READWRITE.0,
    );

    /// What can be done with a file of bytes that come and go: a device, a pipe.
    pub const OF_FILES_WITHOUT_PLACES: Self = Self(Self::OF_FILES.0 & !(Self::FD_SEEK.0 | Self::FD_TELL.0));

    /// What can be done with a directory.
    pub const OF_DIRECTORIES: Self = Self(
        Self::FD_DATASYNC.0
            | Self::FD_FDSTAT_SET_FLAGS.0
            | Self::FD_SYNC.0
            | Self::PATH_CREATE_DIRECTORY.0
            | Self::PATH_CREATE_FILE.0
            | Self::PATH_LINK_SOURCE.0
            | Self::PATH_LINK_TARGET.0
            | Self::PATH_OPEN.0
            | Self::FD_READDIR.0
            | Self::PATH_READLINK.0
            | Self::PATH_RENAME_SOURCE.0
            | Self::PATH_RENAME_TARGET.0
            | Self::PATH_FILESTAT_GET.0
            | Self::PATH_FILESTAT_SET_SIZE.0
            | Self::PATH_FILESTAT_SET_TIMES.0
            | Self::FD_FILESTAT_GET.0
            | Self::FD_FILESTAT_SET_TIMES.0
            | Self::PATH_SYMLINK.0
            | Self::PATH_REMOVE_DIRECTORY.0
            | Self::PATH_UNLINK_FILE.0,
    );

    /// What can be done with a stream, whichever way it goes.
    pub const OF_STREAMS: Self =
        Self(Self::FD_FDSTAT_SET_FLAGS.0 | Self::FD_FILESTAT_GET.0 | Self::POLL_FD_READWRITE.0);

    /// What can be done with a TCP port that is listened on.
    pub const OF_PORTS: Self = Self(Self::OF_STREAMS.0 | Self::SOCK_ACCEPT.0);

    /// What can be done with a connection.
    pub const OF_CONNECTIONS: Self =
        Self(Self::OF_STREAMS.0 | Self::FD_READ.0 | Self::FD_WRITE.0 | Self::SOCK_SHUTDOWN.0);

    /// Whether every right of `other` is here too.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any right of `other` is here too.
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl BitOr for Rights {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for Rights {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}
