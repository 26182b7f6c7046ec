//! A wire: memory that two machines of one user on this host share, over which whole frames go without a system call.
//!
//! A wire has a name and two ends, and each machine takes one that is free, by a lock that goes with its parent. The parents meet at sockets in the
//! directory where machines keep theirs, before and while their machines run: one makes memory with a ring for each direction
//! ([`hallows_abi::ring`]), and each hands its machine that memory and what rings the other's bell. The connection between the parents stays, and its end
//! means that the other machine is gone. Then the one that is left waits for another, and new memory is made for that.
//!
//! The other machine is not trusted: the memory cannot be cut, what stands there is copied once and checked, and ringing does not wait.
//!
//! | file | what it has |
//! |---|---|
//! | `place` | names, locks and sockets in the directory |
//! | `meeting` | the parents' side: who is there, and what they give each other |
//! | `memory` | what is shared, in a file |
//! | `view` | where a machine sees it |
//! | `frames` | frames over the two rings |
//! | `line` | the machine's side: frames while somebody is there, and the bells |

mod frames;
mod line;
mod meeting;
mod memory;
mod place;
mod view;

use std::os::fd::{AsRawFd, OwnedFd};

use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, send, socketpair};
use serde::{Deserialize, Serialize};

pub use line::Line;
pub use meeting::Meeting;
pub(crate) use meeting::{News, Part};
pub use memory::MTU;
#[cfg(test)]
pub(crate) use memory::make as make_memory;
pub use place::WireError;

use super::interface::ADDRESS_BYTES;
use super::runtime_dir::RuntimeDir;
use place::Place;

/// Which end of a wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// The one that makes the memory.
    First,
    /// The other.
    Second,
}

impl End {
    const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    const fn number(self) -> u8 {
        match self {
            Self::First => 1,
            Self::Second => 2,
        }
    }
}

/// An end of a wire that was taken.
#[derive(Debug)]
pub struct Wire {
    /// Which one.
    pub end: End,
    /// The address that it has.
    pub address: [u8; ADDRESS_BYTES],
    /// What the machine listens to: a datagram for each ring.
    pub bell: OwnedFd,
    /// What rings it.
    pub ringer: OwnedFd,
    /// For the parent.
    pub meeting: Meeting,
}

/// Takes a free end of the wire of this name, for a machine's interface of this number.
///
/// # Errors
///
/// [`WireError`].
pub fn open(directory: &RuntimeDir, name: &str, interface: usize) -> Result<Wire, WireError> {
    let place = Place::take(directory, name)?;
    let other = |error: rustix::io::Errno| WireError::Other { name: name.to_owned(), error: error.into() };
    // Datagrams: who reads never hears that the other side has gone, and a full queue is one that was rung.
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let (bell, ringer) = socketpair(AddressFamily::UNIX, SocketType::DGRAM, flags, None).map_err(other)?;
    for socket in [&bell, &ringer] {
        refuse_descriptors(socket);
    }
    let to_give = rustix::io::fcntl_dupfd_cloexec(&ringer, 0).map_err(other)?;
    let (end, address) = (place.end(), address(name, place.end()));
    Ok(Wire { end, address, bell, ringer, meeting: Meeting::new(place, interface, to_give) })
}

/// Lets nobody send descriptors to a socket, where Linux knows how to (6.16): whoever drains it would have to close them, however long that takes.
fn refuse_descriptors(socket: &OwnedFd) {
    /// As `asm-generic/socket.h` has it.
    const SO_PASSRIGHTS: libc::c_int = 83;
    let no: libc::c_int = 0;
    // SAFETY: the option's value is an integer, which lives across the call. Linux that does not know the option says so, and nothing has changed.
    unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            SO_PASSRIGHTS,
            (&raw const no).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
}

/// Has whoever listens to the other side of this look. It never waits: where there is no room, that one was told and has not looked yet.
pub(crate) fn ring(ringer: &OwnedFd) {
    let _ = send(ringer, b"!", SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
}

/// An end's address: administered by us, the same for each machine that takes this end, and different on different wires as far as four bytes go.
fn address(name: &str, end: End) -> [u8; ADDRESS_BYTES] {
    // FNV-1a (G. Fowler, L. C. Noll, K.-P. Vo, 1991), of 32 bits.
    let hash =
        name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let [a, b, c, d] = hash.to_be_bytes();
    [0x02, a, b, c, d, end.number()]
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn addresses_differ_from_end_to_end_and_wire_to_wire_and_stay() {
        let all = [("a", End::First), ("a", End::Second), ("b", End::First), ("b", End::Second)];
        let mut addresses = all.map(|(name, end)| address(name, end)).to_vec();
        assert_eq!(addresses[0], [0x02, 0xe4, 0x0c, 0x29, 0x2c, 1]);
        addresses.sort_unstable();
        addresses.dedup();
        assert_eq!(addresses.len(), 4);
    }

    #[test]
    fn nobody_sends_descriptors_with_a_bell() {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (bell, ringer) = socketpair(AddressFamily::UNIX, SocketType::DGRAM, flags, None).unwrap();
        refuse_descriptors(&bell);
        let release = rustix::system::uname().release().to_string_lossy().into_owned();
        let version: Vec<u32> = release.split('.').take(2).map_while(|part| part.parse().ok()).collect();
        let with_descriptor = || {
            let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut control = rustix::net::SendAncillaryBuffer::new(&mut space);
            let given = [ringer.as_fd()];
            control.push(rustix::net::SendAncillaryMessage::ScmRights(&given));
            let said = [std::io::IoSlice::new(b"!")];
            rustix::net::sendmsg(&ringer, &said, &mut control, SendFlags::DONTWAIT)
        };
        if version >= vec![6, 16] {
            assert_eq!(with_descriptor(), Err(rustix::io::Errno::PERM));
        }
        ring(&ringer);
        assert!(rustix::net::recv(&bell, &mut [0_u8; 8], rustix::net::RecvFlags::DONTWAIT).is_ok());
    }

    #[test]
    fn who_rings_never_waits() {
        let (_silent, ringer) =
            socketpair(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::empty(), None).unwrap();
        for _ in 0..10_000 {
            ring(&ringer);
        }
        // What was given for a bell may be anything.
        ring(&std::fs::File::open("/dev/null").unwrap().into());
    }
}
