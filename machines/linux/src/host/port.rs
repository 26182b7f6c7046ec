//! Ports of the host's own network: bound by the parent, since a machine that is jailed can bind none.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};

/// How long the other end may be silent about what was sent to it.
const SILENCE_MS: u32 = 60_000;
/// How often the other end is asked whether it is there when nothing is said.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// Connections that may wait with Linux, or as many as it lets wait (`sysctl net.core.somaxconn`): more than come while a service begins another life.
pub(crate) const BACKLOG: i32 = 4_096;

/// Why a port is not given.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// Somebody has it.
    #[error("the port {address} is in use: another process listens there (`ss -ltnup` says which)")]
    InUse {
        /// At which address.
        address: SocketAddr,
    },
    /// Low ports are root's.
    #[error(
        "you may not listen at {address}: ports below `sysctl net.ipv4.ip_unprivileged_port_start` are root's; take a higher one"
    )]
    NotPermitted {
        /// At which address.
        address: SocketAddr,
    },
    /// Nobody here has the address.
    #[error("{address} is no address of this host (`ip addr` shows all)")]
    NoAddress {
        /// Which.
        address: SocketAddr,
    },
    /// Whatever else.
    #[error("cannot listen at {address}: {error}")]
    Other {
        /// At which address.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
}

/// Binds a port at an address, for connections, which may come from then on, or for datagrams.
///
/// # Errors
///
/// [`PortError`].
pub fn bind(address: SocketAddr, is_datagrams: bool) -> Result<OwnedFd, PortError> {
    open(address, is_datagrams).map_err(|error| match error {
        Errno::ADDRINUSE => PortError::InUse { address },
        Errno::ACCESS | Errno::PERM => PortError::NotPermitted { address },
        Errno::ADDRNOTAVAIL | Errno::AFNOSUPPORT => PortError::NoAddress { address },
        error => PortError::Other { address, error: error.into() },
    })
}

fn open(address: SocketAddr, is_datagrams: bool) -> Result<OwnedFd, Errno> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let kind = if is_datagrams { SocketType::DGRAM } else { SocketType::STREAM };
    let socket = rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC, None)?;
    if address.is_ipv6() {
        // Both versions are bound each for itself.
        sockopt::set_ipv6_v6only(&socket, true)?;
    }
    if is_datagrams {
        rustix::net::bind(&socket, &address)?;
        return Ok(socket);
    }
    // Connections of a machine before this one may be on their way out yet.
    sockopt::set_socket_reuseaddr(&socket, true)?;
    // Whoever is accepted has this from the start.
    prepare(&socket)?;
    rustix::net::bind(&socket, &address)?;
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(socket)
}

/// What connections of machines have of Linux's options. Who writes has put together what belongs together.
pub(super) fn prepare(socket: &OwnedFd) -> Result<(), Errno> {
    sockopt::set_tcp_nodelay(socket, true)?;
    sockopt::set_socket_keepalive(socket, true)?;
    sockopt::set_tcp_keepidle(socket, KEEP_ALIVE)?;
    sockopt::set_tcp_keepintvl(socket, KEEP_ALIVE)?;
    sockopt::set_tcp_user_timeout(socket, SILENCE_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_somebodys_once_and_what_cannot_be_is_said() {
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        for is_datagrams in [false, true] {
            let socket = bind(any, is_datagrams).unwrap();
            let own: SocketAddr = rustix::net::getsockname(&socket).unwrap().try_into().unwrap();
            assert!(matches!(bind(own, is_datagrams), Err(PortError::InUse { address }) if address == own));
            drop(socket);
            assert!(bind(own, is_datagrams).is_ok());
        }
        // Of those for documents (RFC 5737).
        let nobodys: SocketAddr = "192.0.2.1:9".parse().unwrap();
        assert!(matches!(bind(nobodys, false), Err(PortError::NoAddress { .. })));
    }
}
