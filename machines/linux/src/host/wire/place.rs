//! Where the ends of a wire are taken and found: locks and sockets in the directory of running machines.
//!
//! An end is locked as long as its parent lives, however that ends. The lock's file stays, and says who has it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

use super::End;
use crate::host::runtime_dir::RuntimeDir;

/// Letters of a name: with them a socket's path is still one.
const MOST_LETTERS: usize = 32;

/// Why no end was taken.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The name is none.
    #[error("`{name}` is no name of a wire: it has 1 to {MOST_LETTERS} letters, digits, and . _ -")]
    Name {
        /// The name.
        name: String,
    },
    /// Others have both ends.
    #[error(
        "the wire {name} has two ends, and machines have both ({}): take another name, or end one with `hallows stop`",
        holders.join(" and ")
    )]
    Taken {
        /// Which.
        name: String,
        /// Who has them.
        holders: Vec<String>,
    },
    /// Whatever else.
    #[error("cannot take an end of the wire {name}: {error}")]
    Other {
        /// Which.
        name: String,
        /// Why.
        error: io::Error,
    },
}

/// An end that was taken: others find it here.
#[derive(Debug)]
pub(super) struct Place {
    end: End,
    listener: UnixListener,
    own: PathBuf,
    other: PathBuf,
    /// Held until the process ends.
    _lock: File,
}

impl Place {
    /// Takes a free end of a wire, and listens there.
    ///
    /// # Errors
    ///
    /// [`WireError`].
    pub fn take(directory: &RuntimeDir, name: &str) -> Result<Self, WireError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if name.is_empty() || name.len() > MOST_LETTERS || !name.bytes().all(allowed) {
            return Err(WireError::Name { name: name.to_owned() });
        }
        let file = |end: End, kind| directory.path().join(format!("wire-{name}-{}.{kind}", end.number()));
        let other = |error| WireError::Other { name: name.to_owned(), error };
        let mut holders = Vec::new();
        for end in [End::First, End::Second] {
            match lock(file(end, "lock")).map_err(other)? {
                Ok(lock) => {
                    let (own, other_end) = (file(end, "sock"), file(end.other(), "sock"));
                    let listener = listen(&own).map_err(other)?;
                    return Ok(Self { end, listener, own, other: other_end, _lock: lock });
                }
                Err(holder) => holders.push(holder),
            }
        }
        Err(WireError::Taken { name: name.to_owned(), holders })
    }

    pub const fn end(&self) -> End {
        self.end
    }

    /// Where visitors come.
    pub const fn listener(&self) -> &UnixListener {
        &self.listener
    }

    /// A visit to the other end; none if nobody is there.
    pub fn visit(&self) -> Option<OwnedFd> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).ok()?;
        connect(&socket, &SocketAddrUnix::new(&self.other).ok()?).ok()?;
        Some(socket)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.own);
    }
}

/// A lock, or who has it.
fn lock(path: PathBuf) -> io::Result<Result<File, String>> {
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {
            file.set_len(0)?;
            file.rewind()?;
            write!(file, "{}", std::process::id())?;
            Ok(Ok(file))
        }
        Err(Errno::WOULDBLOCK) => {
            let mut holder = String::new();
            file.read_to_string(&mut holder)?;
            Ok(Err(holder))
        }
        Err(error) => Err(error.into()),
    }
}

fn listen(path: &PathBuf) -> io::Result<UnixListener> {
    // Who has the end has the socket: what is there was left by one that was killed.
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::test_support::Scratch;

    fn directory(name: &str) -> (Scratch, RuntimeDir) {
        let scratch = Scratch::new(name);
        let directory = RuntimeDir::at(scratch.path().join("runtime")).unwrap();
        (scratch, directory)
    }

    #[test]
    fn a_wire_has_two_ends_and_who_comes_third_hears_who_has_them() {
        let (_scratch, directory) = directory("wire-ends");
        let first = Place::take(&directory, "a").unwrap();
        let second = Place::take(&directory, "a").unwrap();
        assert_eq!((first.end(), second.end()), (End::First, End::Second));
        let error = Place::take(&directory, "a").unwrap_err().to_string();
        let own = std::process::id().to_string();
        assert!(error.contains(&format!("({own} and {own})")), "{error}");
        // Another wire has its own.
        assert_eq!(Place::take(&directory, "b").unwrap().end(), End::First);
        drop(first);
        assert_eq!(Place::take(&directory, "a").unwrap().end(), End::First);
        drop(second);
    }

    #[test]
    fn the_other_end_is_visited_while_it_is_there() {
        let (_scratch, directory) = directory("wire-visits");
        let first = Place::take(&directory, "a").unwrap();
        assert!(first.visit().is_none());
        let second = Place::take(&directory, "a").unwrap();
        assert!(first.visit().is_some() && second.visit().is_some());
        second.listener().accept().unwrap();
        drop(first);
        assert!(second.visit().is_none());
    }

    #[test]
    fn names_that_are_none_are_refused() {
        let (_scratch, directory) = directory("wire-names");
        for name in ["", "a/b", "a b", "ä", &"a".repeat(33)] {
            assert!(matches!(Place::take(&directory, name), Err(WireError::Name { .. })), "{name}");
        }
    }

    #[test]
    fn what_a_killed_machine_left_is_in_nobodys_way() {
        let (_scratch, directory) = directory("wire-left");
        let path = directory.path().join("wire-a-1.sock");
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        let place = Place::take(&directory, "a").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        drop(place);
        assert!(!path.exists());
    }
}
