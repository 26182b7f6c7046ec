//! Packet devices of the host as servers of rings: a native program, `packets`, of which each cell drives one device.
//!
//! | file | what it has |
//! |---|---|
//! | `server` | the program: the ring of whoever speaks the network's protocols |
//! | `device` | what drives a device, without rings and cells |
//! | `tap`, `xdp`, `wire`, `loopback` | the devices |
//! | `checksums` | those that a sender on this host has left to its device |
//! | `capture` | a copy of all frames of one, for a file |

mod capture;
mod checksums;
mod device;
mod loopback;
mod server;
mod tap;
mod wire;
mod xdp;

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, OnceLock};

use hallows_sdk::packets::{Card, Kind};

pub use capture::HEAD as CAPTURE_HEAD;
pub use server::{PACKETS, Packets};
pub use wire::WireNews;

use super::interrupts::Interrupts;
use crate::host::wire::{End, Line};
use crate::host::xdp::XdpTraits;
use crate::host::xdp::socket::XdpSocket;

use capture::Captured;
use device::Device;
use loopback::Loopback;
use tap::Tap;
use wire::{Letterbox, Wire};
use xdp::Xdp;

/// The argument of a cell that drives a loopback; that of another is the number of its interface.
pub const LOOPBACK: &str = "loopback";

/// An interface of the host that was opened for a machine.
#[derive(Debug)]
pub struct Interface {
    /// What its frames come and go by.
    pub way: Way,
    /// The most bytes that a frame carries behind its head.
    pub mtu: u32,
    /// The address that this end of it has.
    pub address: [u8; 6],
    /// Where a copy of all frames goes.
    pub capture: Option<OwnedFd>,
}

/// What frames of an interface come and go by.
#[derive(Debug)]
pub enum Way {
    /// One frame for each read and write of a descriptor, which do not wait.
    Tap(OwnedFd),
    /// A queue over AF_XDP.
    Xdp {
        /// A socket that is bound to it.
        socket: OwnedFd,
        /// The file with its frames.
        memory: OwnedFd,
        /// What keeps its frames coming: held, and nothing else.
        link: OwnedFd,
        /// Its measures.
        traits: XdpTraits,
    },
    /// An end of a wire to another machine.
    Wire {
        /// Which.
        end: End,
        /// What it listens to.
        bell: OwnedFd,
        /// What rings that.
        ringer: OwnedFd,
    },
}

/// What a process has.
struct Installed {
    interrupts: Arc<Interrupts>,
    cards: Vec<InstalledCard>,
}

/// An interface, as cells drive it, in each of their lives.
pub(super) struct InstalledCard {
    card: Card,
    /// What can be read when a frame has come.
    pub descriptor: Arc<OwnedFd>,
    driven: Driven,
    capture: Option<Arc<OwnedFd>>,
}

enum Driven {
    Tap,
    Xdp { shelf: xdp::Shelf, has_partial_checksums: bool, _link: OwnedFd },
    Wire { shelf: wire::Shelf, letterbox: Arc<Letterbox> },
}

static INSTALLED: OnceLock<Installed> = OnceLock::new();

/// Takes the interfaces of this process, once: the cell with argument `0` drives the first. Their numbers are those of the interrupts.
pub(super) fn install(interfaces: Vec<InstalledCard>, interrupts: Arc<Interrupts>) -> io::Result<()> {
    INSTALLED
        .set(Installed { interrupts, cards: interfaces })
        .map_err(|_| io::Error::other("this process has its interfaces already"))
}

/// Tells whoever drives the wire that is the interface of this number, now or in its next life.
pub fn hear_of_wire(number: usize, news: WireNews) {
    let card = INSTALLED.get().and_then(|installed| installed.cards.get(number));
    if let Some(InstalledCard { driven: Driven::Wire { letterbox, .. }, .. }) = card {
        letterbox.put(news);
    }
}

impl Interface {
    /// What its device is, and how it is spoken to.
    ///
    /// # Errors
    ///
    /// When what is shared with Linux cannot be mapped.
    pub(super) fn split(self) -> io::Result<InstalledCard> {
        let Self { way, mtu, address, capture } = self;
        let (kind, descriptor, driven) = match way {
            Way::Tap(descriptor) => (Kind::Tap, Arc::new(descriptor), Driven::Tap),
            Way::Xdp { socket, memory, link, traits } => {
                let descriptor = Arc::new(socket);
                let socket = XdpSocket::take_over(descriptor.clone(), &memory, traits.chunk_bytes)?;
                let shelf = Arc::new(Mutex::new(Some(socket)));
                let XdpTraits { has_partial_checksums, .. } = traits;
                (Kind::Xdp, descriptor, Driven::Xdp { shelf, has_partial_checksums, _link: link })
            }
            Way::Wire { end, bell, ringer } => {
                let bell = Arc::new(bell);
                let shelf = Arc::new(Mutex::new(Some(Line::new(end, bell.clone())?)));
                (Kind::Wire, bell, Driven::Wire { shelf, letterbox: Arc::new(Letterbox::new(ringer)) })
            }
        };
        let card = Card { kind: kind as u32, mtu, address };
        Ok(InstalledCard { card, descriptor, driven, capture: capture.map(Arc::new) })
    }
}

/// The device that an argument names.
fn device(argument: &str) -> Option<Box<dyn Device>> {
    if argument == LOOPBACK {
        return Some(Box::<Loopback>::default());
    }
    let number: usize = argument.parse().ok()?;
    let Installed { interrupts, cards } = INSTALLED.get()?;
    let InstalledCard { card, descriptor, driven, capture } = cards.get(number)?;
    let (interrupts, capture) = (interrupts.clone(), capture.as_ref());
    Some(match driven {
        Driven::Tap => captured(Tap::new(*card, descriptor.clone(), interrupts, number), capture),
        Driven::Xdp { shelf, has_partial_checksums, .. } => {
            captured(Xdp::new(*card, shelf, *has_partial_checksums, interrupts, number)?, capture)
        }
        Driven::Wire { shelf, letterbox } => {
            captured(Wire::new(*card, shelf, letterbox.clone(), interrupts, number)?, capture)
        }
    })
}

/// A device, whose frames are copied if somebody wants that.
fn captured(device: impl Device + 'static, file: Option<&Arc<OwnedFd>>) -> Box<dyn Device> {
    match file {
        Some(file) => Box::new(Captured::new(device, file.clone())),
        None => Box::new(device),
    }
}
