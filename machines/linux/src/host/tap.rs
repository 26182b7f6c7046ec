//! TAP interfaces: opened by the parent, since a machine that is jailed can open none.
//!
//! An interface that is there stays as it is, with its owner, its addresses and its state. One that is not there is made, belongs to this user, and
//! goes when its last descriptor is closed, however the machine ends: nothing has to be put back.

use std::io;
use std::os::fd::OwnedFd;

use hallows_sdk::packets::{HEAD_BYTES, MOST_FRAME_BYTES};
use rustix::fs::{Mode, OFlags};

use super::interface::{self, ADDRESS_BYTES, Request};

/// An interface that was opened.
#[derive(Debug)]
pub struct Tap {
    /// One frame for each read and write, which do not wait.
    pub descriptor: OwnedFd,
    /// The most bytes that a frame carries behind its head.
    pub mtu: u32,
    /// The address of Linux's end.
    pub host_address: [u8; ADDRESS_BYTES],
}

/// Why there is no interface.
#[derive(Debug, thiserror::Error)]
pub enum TapError {
    /// The name is none.
    #[error("`{name}` is no name of an interface: it has 1 to 15 letters, digits, and . _ -")]
    Name {
        /// The name.
        name: String,
    },
    /// This Linux makes none.
    #[error("this Linux has no TAP interfaces (/dev/net/tun: {error}); load its module, `modprobe tun`")]
    Missing {
        /// Why.
        error: io::Error,
    },
    /// It may not be used.
    #[error(
        "you may not use the interface {name}, or make it: let somebody who may make it for you, `ip tuntap add dev {name} mode tap user $USER`"
    )]
    NotPermitted {
        /// Which.
        name: String,
    },
    /// Somebody has it.
    #[error("the interface {name} is in use by another process")]
    Busy {
        /// Which.
        name: String,
    },
    /// Its frames are longer than a ring has room for.
    #[error(
        "frames of the interface {name} carry up to {mtu} bytes, and at most {} are taken: `ip link set {name} mtu 1500`",
        MOST_FRAME_BYTES - HEAD_BYTES
    )]
    TooLong {
        /// Which.
        name: String,
        /// Its MTU.
        mtu: u32,
    },
    /// An interface of that name is no TAP.
    #[error("the interface {name} is no TAP interface: take another name, which is made if there is none")]
    OtherKind {
        /// Which.
        name: String,
    },
    /// Whatever else.
    #[error("cannot open the interface {name}: {error}")]
    Other {
        /// Which.
        name: String,
        /// Why.
        error: io::Error,
    },
}

/// Opens the TAP interface of this name.
///
/// # Errors
///
/// [`TapError`].
pub fn open(name: &str) -> Result<Tap, TapError> {
    let mut request = Request::named(name).ok_or_else(|| TapError::Name { name: name.to_owned() })?;
    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let descriptor: OwnedFd = rustix::fs::open(c"/dev/net/tun", flags, Mode::empty())
        .map_err(|error| TapError::Missing { error: error.into() })?;
    request.set_flags(libc::IFF_TAP | libc::IFF_NO_PI);
    let other = |error| TapError::Other { name: name.to_owned(), error };
    request.ask(&descriptor, libc::TUNSETIFF).map_err(|error| refusal(name, error))?;
    let host_address = request.address(&descriptor).map_err(other)?;
    let mtu = request.mtu(&interface::socket().map_err(other)?).map_err(other)?;
    if mtu as usize > MOST_FRAME_BYTES - HEAD_BYTES {
        return Err(TapError::TooLong { name: name.to_owned(), mtu });
    }
    Ok(Tap { descriptor, mtu, host_address })
}

impl Tap {
    /// The address of this end: administered by us, and another one than Linux's.
    #[must_use]
    pub const fn address(&self) -> [u8; ADDRESS_BYTES] {
        let [first, second, third, fourth, fifth, last] = self.host_address;
        // Neither a group's nor a manufacturer's.
        [first & !1 | 2, second, third, fourth, fifth, last ^ 1]
    }
}

fn refusal(name: &str, error: io::Error) -> TapError {
    let name = name.to_owned();
    match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => TapError::NotPermitted { name },
        Some(libc::EBUSY) => TapError::Busy { name },
        Some(libc::EINVAL) => TapError::OtherKind { name },
        _ => TapError::Other { name, error },
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn names_that_are_none_are_refused_before_linux_is_asked() {
        for name in ["", "sixteen-letters-", "a b", "a/b", "..", "ä", "a%d"] {
            assert!(matches!(open(name), Err(TapError::Name { .. })), "{name}");
        }
    }

    #[test]
    fn an_interface_of_another_kind_is_none_of_ours() {
        // Without the right to ask it is refused for that; without a device file there is nothing to ask.
        let error = open("lo").map(drop).expect_err("it is no TAP");
        let known = matches!(
            error,
            TapError::OtherKind { .. } | TapError::NotPermitted { .. } | TapError::Missing { .. }
        );
        assert!(known, "{error}");
    }

    #[test]
    fn our_end_has_another_address_than_linuxs_and_one_that_nobody_sells() {
        let descriptor = File::open("/dev/null").unwrap().into();
        let tap = Tap { descriptor, mtu: 1_500, host_address: [0x01, 2, 3, 4, 5, 6] };
        assert_eq!(tap.address(), [0x02, 2, 3, 4, 5, 7]);
    }
}
