//! Packet devices of the host as servers of rings: a native program, `packets`, of which each cell drives one device.
//!
//! | file | what it has |
//! |---|---|
//! | `server` | the program: the ring of whoever speaks the network's protocols |
//! | `device` | what drives a device, without rings and cells |
//! | `tap`, `loopback` | the devices |
//! | `interrupts` | who tells a cell that its device has something |

mod device;
mod interrupts;
mod loopback;
mod server;
mod tap;

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, OnceLock};

use hallows_sdk::packets::{Card, Kind};

pub use server::{INTERRUPT_BADGE, PACKETS, Packets};

use device::Device;
use interrupts::Interrupts;
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
}

/// What [`install_interfaces`] took.
struct Installed {
    interrupts: Arc<Interrupts>,
    cards: Vec<(Card, Arc<OwnedFd>)>,
}

static INSTALLED: OnceLock<Installed> = OnceLock::new();

/// Takes the interfaces of this process, once, before its jail is sealed: the cell with argument `0` drives the first.
///
/// # Errors
///
/// When Linux cannot wait for one of them; when it was done before.
pub fn install_interfaces(interfaces: Vec<Interface>) -> io::Result<()> {
    let cards = interfaces.into_iter().map(|Interface { descriptor, mtu, address }| {
        (Card { kind: Kind::Tap as u32, mtu, address }, Arc::new(descriptor))
    });
    let cards: Vec<_> = cards.collect();
    let interrupts = Interrupts::new(cards.iter().map(|(_, descriptor)| descriptor.clone()).collect())?;
    INSTALLED
        .set(Installed { interrupts: Arc::new(interrupts), cards })
        .map_err(|_| io::Error::other("this process has its interfaces already"))
}

/// Waits for interfaces that have something, and tells of each by its number, for good: the life of a thread.
///
/// # Errors
///
/// When Linux refuses to wait. At once and without an error if there are no interfaces.
pub fn await_interrupts(tell: impl FnMut(usize)) -> io::Result<()> {
    match INSTALLED.get() {
        Some(Installed { interrupts, cards }) if !cards.is_empty() => interrupts.wait(tell),
        _ => Ok(()),
    }
}

/// The device that an argument names.
fn device(argument: &str) -> Option<Box<dyn Device>> {
    if argument == LOOPBACK {
        return Some(Box::<Loopback>::default());
    }
    let number: usize = argument.parse().ok()?;
    let Installed { interrupts, cards } = INSTALLED.get()?;
    let (card, descriptor) = cards.get(number)?;
    Some(Box::new(Tap::new(*card, descriptor.clone(), interrupts.clone(), number)))
}
