//! Questions about an interface of the host, by its name (`netdevice(7)`).

use std::ffi::{c_int, c_ulong, c_void};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::net::{AddressFamily, SocketFlags, SocketType};

/// Bytes of an address of Ethernet.
pub(super) const ADDRESS_BYTES: usize = 6;

/// A question about an interface, and its answer.
pub(super) struct Request(libc::ifreq);

/// A socket that interfaces of this network namespace can be asked about with.
///
/// # Errors
///
/// When Linux gives no more descriptors.
pub(super) fn socket() -> io::Result<OwnedFd> {
    Ok(rustix::net::socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?)
}

impl Request {
    /// About the interface of this name; `None` if it is none.
    pub fn named(name: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        // SAFETY: all of it are numbers, for which zeroes are values.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        // The last byte is a zero.
        let fits = !name.is_empty() && name.len() < request.ifr_name.len();
        if !fits || !name.bytes().all(allowed) || matches!(name, "." | "..") {
            return None;
        }
        for (place, byte) in request.ifr_name.iter_mut().zip(name.bytes()) {
            *place = byte.cast_signed();
        }
        Some(Self(request))
    }

    /// Says these flags with the next question.
    pub fn set_flags(&mut self, flags: c_int) {
        self.0.ifr_ifru.ifru_flags = libc::c_short::try_from(flags).unwrap_or_default();
    }

    /// Asks one of the questions of `netdevice(7)` or of TAP's that read and write one such request.
    ///
    /// # Errors
    ///
    /// Linux's.
    pub fn ask(&mut self, of: impl AsFd, question: c_ulong) -> io::Result<()> {
        // SAFETY: each of the questions that are asked here reads and writes one such request.
        let answer = unsafe { libc::ioctl(of.as_fd().as_raw_fd(), question as _, &raw mut self.0) };
        if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Its number in this network namespace.
    ///
    /// # Errors
    ///
    /// `ENODEV` if there is none of this name.
    pub fn index(&mut self, of: impl AsFd) -> io::Result<u32> {
        self.ask(of, libc::SIOCGIFINDEX)?;
        // SAFETY: Linux answered this question with a number in this field.
        Ok(unsafe { self.0.ifr_ifru.ifru_ifindex }.cast_unsigned())
    }

    /// The most bytes that a frame carries behind its head.
    ///
    /// # Errors
    ///
    /// As [`Self::index`].
    pub fn mtu(&mut self, of: impl AsFd) -> io::Result<u32> {
        self.ask(of, libc::SIOCGIFMTU)?;
        // SAFETY: as above.
        Ok(unsafe { self.0.ifr_ifru.ifru_mtu }.cast_unsigned())
    }

    /// Whether somebody has set it up.
    ///
    /// # Errors
    ///
    /// As [`Self::index`].
    pub fn is_up(&mut self, of: impl AsFd) -> io::Result<bool> {
        self.ask(of, libc::SIOCGIFFLAGS)?;
        // SAFETY: as above.
        Ok(c_int::from(unsafe { self.0.ifr_ifru.ifru_flags }) & libc::IFF_UP != 0)
    }

    /// Its address of Ethernet, if it is an interface of that.
    ///
    /// # Errors
    ///
    /// As [`Self::index`].
    pub fn ethernet_address(&mut self, of: impl AsFd) -> io::Result<Option<[u8; ADDRESS_BYTES]>> {
        let address = self.address(of)?;
        // SAFETY: as above: the kind of its address stands before it.
        let kind = unsafe { self.0.ifr_ifru.ifru_hwaddr.sa_family };
        Ok((kind == libc::ARPHRD_ETHER).then_some(address))
    }

    /// Its address.
    ///
    /// # Errors
    ///
    /// As [`Self::index`].
    pub fn address(&mut self, of: impl AsFd) -> io::Result<[u8; ADDRESS_BYTES]> {
        self.ask(of, libc::SIOCGIFHWADDR)?;
        // SAFETY: as above: an address; any bytes are one.
        let answer = unsafe { self.0.ifr_ifru.ifru_hwaddr.sa_data };
        let mut address = [0; ADDRESS_BYTES];
        for (byte, answered) in address.iter_mut().zip(answer) {
            *byte = answered.cast_unsigned();
        }
        Ok(address)
    }

    /// Whether a device is behind it, on a bus; `None` where its driver does not say.
    pub fn has_device(&mut self, of: impl AsFd) -> Option<bool> {
        // SAFETY: all of it are numbers, for which zeroes are values.
        let mut driver: DriverInformation = unsafe { std::mem::zeroed() };
        driver.command = DRIVER_INFORMATION;
        self.0.ifr_ifru.ifru_data = (&raw mut driver).cast::<c_void>().cast();
        // It writes into what the request points at, which is as large as the command says.
        let answered = self.ask(of, libc::SIOCETHTOOL).is_ok();
        self.0.ifr_ifru.ifru_data = std::ptr::null_mut();
        answered.then_some(driver.bus[0] != 0)
    }
}

/// `ETHTOOL_GDRVINFO`.
const DRIVER_INFORMATION: u32 = 3;

/// `struct ethtool_drvinfo`.
#[repr(C)]
struct DriverInformation {
    command: u32,
    names: [u8; 96],
    /// The place on its bus; empty without one.
    bus: [u8; 32],
    others: [u8; 64],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_is_an_interface_without_a_device_and_without_ethernet() {
        assert!(Request::named("fifteen-letters").is_some() && Request::named("sixteen-letters-").is_none());
        let (socket, mut lo) = (socket().unwrap(), Request::named("lo").unwrap());
        assert_eq!(lo.index(&socket).unwrap(), 1);
        assert!(lo.mtu(&socket).unwrap() >= 1_500);
        lo.is_up(&socket).unwrap();
        assert_eq!(lo.ethernet_address(&socket).unwrap(), None);
        assert_ne!(lo.has_device(&socket), Some(true));
        let missing = Request::named("no-such-thing").unwrap().index(&socket).unwrap_err();
        assert_eq!(missing.raw_os_error(), Some(libc::ENODEV));
    }

    #[test]
    fn what_a_driver_says_of_itself_has_the_size_that_linux_writes() {
        // linux/ethtool.h: a command, three names of 32 bytes, a place of 32, 32 and 12 bytes, and five numbers.
        assert_eq!(size_of::<DriverInformation>(), 4 + 3 * 32 + 32 + 32 + 12 + 5 * 4);
    }
}
