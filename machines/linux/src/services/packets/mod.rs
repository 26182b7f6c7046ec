//! Packet devices of the host as servers of rings: a native program, `packets`, of which each cell drives one device.
//!
//! | file | what it has |
//! |---|---|
//! | `server` | the program: the ring of whoever speaks the network's protocols |
//! | `device` | what drives a device, without rings and cells |
//! | `tap`, `loopback` | the devices |
//! | `capture` | a copy of all frames of one, for a file |

mod capture;
mod device;
mod loopback;
mod server;
mod tap;

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, OnceLock};

use hallows_sdk::packets::{Card, Kind};

pub use capture::HEAD as CAPTURE_HEAD;
pub use server::{PACKETS, Packets};

use super::interrupts::Interrupts;

use capture::Captured;
use device::Device;
use loopback::Loopback;
use tap::Tap;

/// The argument of a cell that drives a loopback; that of another is the number of its interface.
pub const LOOPBACK: &str = "loopback";

/// An interface of the host that was opened for a machine.
#[derive(Debug)]
pub struct Interface {
    /// One frame for each read and write, which do not wait.
    pub descriptor: OwnedFd,
    /// The most bytes that a frame carries behind its head.
    pub mtu: u32,
    /// The address that this end of it has.
    pub address: [u8; 6],
    /// Where a copy of all frames goes.
    pub capture: Option<OwnedFd>,
}

/// What a process has.
struct Installed {
    interrupts: Arc<Interrupts>,
    cards: Vec<InstalledCard>,
}

/// An interface, as cells drive it, in each of their lives.
pub(super) struct InstalledCard {
    pub card: Card,
    pub descriptor: Arc<OwnedFd>,
    capture: Option<Arc<OwnedFd>>,
}

static INSTALLED: OnceLock<Installed> = OnceLock::new();

/// Takes the interfaces of this process, once: the cell with argument `0` drives the first. Their numbers are those of the interrupts.
pub(super) fn install(interfaces: Vec<InstalledCard>, interrupts: Arc<Interrupts>) -> io::Result<()> {
    INSTALLED
        .set(Installed { interrupts, cards: interfaces })
        .map_err(|_| io::Error::other("this process has its interfaces already"))
}

impl Interface {
    /// What its device is, and how it is spoken to.
    pub(super) fn split(self) -> InstalledCard {
        let Self { descriptor, mtu, address, capture } = self;
        let card = Card { kind: Kind::Tap as u32, mtu, address };
        InstalledCard { card, descriptor: Arc::new(descriptor), capture: capture.map(Arc::new) }
    }
}

/// The device that an argument names.
fn device(argument: &str) -> Option<Box<dyn Device>> {
    if argument == LOOPBACK {
        return Some(Box::<Loopback>::default());
    }
    let number: usize = argument.parse().ok()?;
    let Installed { interrupts, cards } = INSTALLED.get()?;
    let InstalledCard { card, descriptor, capture } = cards.get(number)?;
    let tap = Tap::new(*card, descriptor.clone(), interrupts.clone(), number);
    Some(match capture {
        Some(file) => Box::new(Captured::new(tap, file.clone())),
        None => Box::new(tap),
    })
}
