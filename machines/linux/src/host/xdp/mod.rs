//! AF_XDP: whole frames of one queue of an interface, past Linux's own network (`Documentation/networking/af_xdp.rst`; T. Høiland-Jørgensen et al.,
//! *The eXpress Data Path*, CoNEXT 2018).
//!
//! The parent opens it ([`open`]), since a machine that is jailed can open nothing: a socket, memory for frames, and a program of six instructions at
//! the interface that gives the socket what comes in its queue. The machine gets the descriptors, and maps the rings
//! ([`XdpSocket`](socket::XdpSocket)). Whatever was changed about the interface hangs on these descriptors: when the last is closed, however the
//! machine and its parent end, the interface is as it was.
//!
//! | file | what it has |
//! |---|---|
//! | `redirect` | the program, and its link to the interface |
//! | `mapping` | memory that is shared with Linux |
//! | `ring` | one ring in it |
//! | `socket` | the socket with its four rings and its frames |

mod mapping;
mod redirect;
mod ring;
pub mod socket;

use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use rustix::io::Errno;
use rustix::net::xdp::{SocketAddrXdp, SocketAddrXdpFlags, XdpOptionsFlags, XdpUmemReg, XdpUmemRegFlags};
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
use serde::{Deserialize, Serialize};

use super::interface::{self, ADDRESS_BYTES, Request};
use mapping::Mapping;
use redirect::{AttachError, Redirect};

/// Frames for what comes: twice the queue of a usual card, so that one is full while the other is emptied.
const RECEIVE_FRAMES: u32 = 2_048;
/// Frames for what goes: four times as many as a ring of packets has under way.
const TRANSMIT_FRAMES: u32 = 1_024;
const FRAMES: u32 = RECEIVE_FRAMES + TRANSMIT_FRAMES;
/// What Linux keeps free before each frame that comes (`XDP_PACKET_HEADROOM`).
const HEADROOM: u32 = 256;
/// Bytes of a frame's place: a page's half, and where that is too short a page. Linux takes no longer ones.
const CHUNKS: [u32; 2] = [2_048, 4_096];
/// An Ethernet frame's head, with a tag of a virtual network that a card may have left in.
const MOST_HEAD_BYTES: u32 = 18;

/// Which path frames take, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum XdpMode {
    /// The card writes frames into the socket's memory itself.
    ZeroCopy,
    /// The driver runs the program, and Linux copies each frame once.
    Driver,
    /// Linux runs the program behind the driver, when it has made one of its own packets of the frame.
    Generic,
}

/// A queue of an interface that was opened.
#[derive(Debug)]
pub struct Xdp {
    /// AF_XDP, bound to the queue.
    pub socket: OwnedFd,
    /// Its frames: a file in memory.
    pub memory: OwnedFd,
    /// Closing it gives the interface's frames back to Linux.
    pub link: OwnedFd,
    /// How they come and go, and its measures.
    pub traits: XdpTraits,
    /// The most bytes that a frame carries behind its head.
    pub mtu: u32,
    /// The interface's address, which is the machine's.
    pub address: [u8; ADDRESS_BYTES],
}

/// What a machine must know of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct XdpTraits {
    /// Which path frames take.
    pub mode: XdpMode,
    /// Bytes of a frame's place.
    pub chunk_bytes: u32,
    /// Frames may come from this host's own stack, which leaves their checksums to the device.
    pub has_partial_checksums: bool,
}

/// Why a queue was not opened.
#[derive(Debug, thiserror::Error)]
pub enum XdpError {
    /// The name is none.
    #[error("`{name}` is no name of an interface: it has 1 to 15 letters, digits, and . _ -")]
    Name {
        /// The name.
        name: String,
    },
    /// There is none of that name.
    #[error("there is no interface {name} (`ip link` shows all); AF_XDP takes one that is there")]
    Missing {
        /// Which.
        name: String,
    },
    /// It is of another kind.
    #[error("the interface {name} has no frames of Ethernet, which AF_XDP is for here")]
    OtherKind {
        /// Which.
        name: String,
    },
    /// It is down.
    #[error("the interface {name} is down: `ip link set {name} up`")]
    Down {
        /// Which.
        name: String,
    },
    /// Its frames are longer than Linux has places for.
    #[error(
        "frames of the interface {name} carry up to {mtu} bytes, and AF_XDP has room for {}: `ip link set {name} mtu 1500`",
        most_mtu()
    )]
    TooLong {
        /// Which.
        name: String,
        /// Its MTU.
        mtu: u32,
    },
    /// This Linux has no AF_XDP.
    #[error(
        "this Linux has no AF_XDP with links ({error}): it takes 5.9 or newer, with CONFIG_XDP_SOCKETS; --net tap:NAME is without"
    )]
    NotSupported {
        /// Why.
        error: io::Error,
    },
    /// It may not be used.
    #[error(
        "you may not take frames of the interface {name}: AF_XDP needs root, or CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF; --net host:PORT needs nothing"
    )]
    NotPermitted {
        /// Which.
        name: String,
    },
    /// Another program has its frames.
    #[error(
        "the interface {name} has a program of XDP already, of another machine or of somebody else (`ip link show {name}` says which)"
    )]
    Busy {
        /// Which.
        name: String,
    },
    /// It has no such queue.
    #[error(
        "the interface {name} has no queue {queue}: they are counted from 0 (`ethtool -l {name}` says how many there are)"
    )]
    NoQueue {
        /// Which interface.
        name: String,
        /// Which queue.
        queue: u16,
    },
    /// Another socket has the queue.
    #[error("queue {queue} of the interface {name} is in use by another socket of AF_XDP")]
    QueueTaken {
        /// Which interface.
        name: String,
        /// Which queue.
        queue: u16,
    },
    /// Frames cannot be kept in memory.
    #[error(
        "no memory may be locked for frames of the interface {name} ({} MiB): raise the limit, `ulimit -l unlimited`, or run as root",
        (FRAMES * chunk_bytes) >> 20
    )]
    NoMemory {
        /// Which.
        name: String,
        /// Bytes of a frame's place.
        chunk_bytes: u32,
    },
    /// Whatever else.
    #[error("cannot {step} the interface {name}: {error}")]
    Other {
        /// What was tried.
        step: &'static str,
        /// Which.
        name: String,
        /// Why.
        error: io::Error,
    },
}

const fn most_mtu() -> u32 {
    CHUNKS[1] - HEADROOM - MOST_HEAD_BYTES
}

/// Takes the frames of this queue of an interface from Linux.
///
/// # Errors
///
/// [`XdpError`]; the interface is as it was then.
pub fn open(name: &str, queue: u16) -> Result<Xdp, XdpError> {
    let own = || name.to_owned();
    let mut request = Request::named(name).ok_or_else(|| XdpError::Name { name: own() })?;
    let asked = |error: io::Error| match error.raw_os_error() {
        Some(libc::ENODEV) => XdpError::Missing { name: own() },
        _ => XdpError::Other { step: "ask about", name: own(), error },
    };
    let asking = interface::socket().map_err(asked)?;
    let index = request.index(&asking).map_err(asked)?;
    let address = request.ethernet_address(&asking).map_err(asked)?;
    let address = address.ok_or_else(|| XdpError::OtherKind { name: own() })?;
    if !request.is_up(&asking).map_err(asked)? {
        return Err(XdpError::Down { name: own() });
    }
    let mtu = request.mtu(&asking).map_err(asked)?;
    let fits = |chunk: &u32| mtu <= chunk - HEADROOM - MOST_HEAD_BYTES;
    let chunk_bytes = CHUNKS.into_iter().find(fits).ok_or_else(|| XdpError::TooLong { name: own(), mtu })?;
    let refused = |step| {
        move |error: Errno| match error {
            Errno::AFNOSUPPORT | Errno::NOSYS => XdpError::NotSupported { error: error.into() },
            Errno::PERM | Errno::ACCESS => XdpError::NotPermitted { name: name.to_owned() },
            _ => XdpError::Other { step, name: name.to_owned(), error: error.into() },
        }
    };
    let socket = rustix::net::socket_with(AddressFamily::XDP, SocketType::RAW, SocketFlags::CLOEXEC, None)
        .map_err(refused("make a socket for"))?;
    let memory = memory(chunk_bytes).map_err(refused("make memory for frames of"))?;
    register(&socket, &memory, chunk_bytes).map_err(|error| match error {
        Errno::NOBUFS | Errno::NOMEM => XdpError::NoMemory { name: own(), chunk_bytes },
        other => refused("register memory for frames of")(other),
    })?;
    let Redirect { map, link, is_drivers } = Redirect::attach(index, queue).map_err(|error| match error {
        AttachError::Busy => XdpError::Busy { name: own() },
        AttachError::Step { step, error } => refused(step)(error),
    })?;
    let mut flags = SocketAddrXdpFlags::XDP_USE_NEED_WAKEUP;
    // Where it may choose, Linux tries to have nothing copied first.
    flags.set(SocketAddrXdpFlags::XDP_COPY, !is_drivers);
    bind(&socket, &SocketAddrXdp::new(flags, index, queue.into())).map_err(|error| match error {
        // All else that it could mean was made here.
        Errno::INVAL => XdpError::NoQueue { name: own(), queue },
        Errno::BUSY => XdpError::QueueTaken { name: own(), queue },
        other => refused("bind a socket to")(other),
    })?;
    redirect::direct(&map, queue, &socket).map_err(refused("give a socket the frames of"))?;
    let options = sockopt::xdp_options(&socket).map_err(refused("ask about a socket of"))?;
    let mode = match (is_drivers, options.contains(XdpOptionsFlags::XDP_OPTIONS_ZEROCOPY)) {
        (true, true) => XdpMode::ZeroCopy,
        (true, false) => XdpMode::Driver,
        (false, _) => XdpMode::Generic,
    };
    let has_partial_checksums = mode == XdpMode::Generic || request.has_device(&asking) != Some(true);
    let traits = XdpTraits { mode, chunk_bytes, has_partial_checksums };
    Ok(Xdp { socket, memory, link, traits, mtu, address })
}

/// How long Linux may take to let go of a queue whose last socket was closed, as a machine's that has just ended, and how often one looks.
const LONGEST_RELEASE: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Binds a socket, if somebody had the queue until now when it is free.
fn bind(socket: &OwnedFd, queue: &SocketAddrXdp) -> Result<(), Errno> {
    let began = Instant::now();
    loop {
        match rustix::net::bind(socket, queue) {
            Err(Errno::BUSY) if began.elapsed() < LONGEST_RELEASE => std::thread::sleep(LOOK_EVERY),
            bound => return bound,
        }
    }
}

/// A file for all frames, whose size stays.
fn memory(chunk_bytes: u32) -> Result<OwnedFd, Errno> {
    let memory = memfd_create(c"hallows-frames", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    ftruncate(&memory, memory_bytes(chunk_bytes))?;
    fcntl_add_seals(&memory, SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    Ok(memory)
}

const fn memory_bytes(chunk_bytes: u32) -> u64 {
    FRAMES as u64 * chunk_bytes as u64
}

/// Tells Linux where a socket's frames are, and how long its rings. It keeps the file's pages; where they are mapped now does not matter later.
fn register(socket: &OwnedFd, memory: &OwnedFd, chunk_bytes: u32) -> Result<(), Errno> {
    let bytes = memory_bytes(chunk_bytes);
    let mapped = Mapping::of(memory, 0, usize::try_from(bytes).map_err(|_| Errno::NOMEM)?)?;
    let frames = XdpUmemReg {
        addr: mapped.address(),
        len: bytes,
        chunk_size: chunk_bytes,
        headroom: 0,
        flags: XdpUmemRegFlags::empty(),
        tx_metadata_len: 0,
    };
    sockopt::set_xdp_umem_reg(socket, frames)?;
    sockopt::set_xdp_umem_fill_ring_size(socket, RECEIVE_FRAMES)?;
    sockopt::set_xdp_rx_ring_size(socket, RECEIVE_FRAMES)?;
    sockopt::set_xdp_umem_completion_ring_size(socket, TRANSMIT_FRAMES)?;
    sockopt::set_xdp_tx_ring_size(socket, TRANSMIT_FRAMES)
}
