//! What a machine is given of the host's network: interfaces, and ports.

use std::io;
use std::sync::Arc;

use super::interrupts::Interrupts;
use super::packets::Interface;
use super::sockets::HostPort;
use super::{interrupts, packets, sockets};

/// Takes them for this process, once, before its jail is sealed. The interfaces come first among what tells that there is something, and behind
/// them, if there are ports, the completions of their ring.
///
/// # Errors
///
/// When Linux cannot wait for one of them, when what one shares with Linux cannot be mapped, or has no io_uring as ports need it; when it was done before.
pub fn install(interfaces: Vec<Interface>, ports: Vec<HostPort>) -> io::Result<()> {
    let interfaces = interfaces.into_iter().map(Interface::split).collect::<io::Result<Vec<_>>>()?;
    let mut sources: Vec<_> = interfaces.iter().map(|interface| interface.descriptor.clone()).collect();
    let ring = if ports.is_empty() { None } else { Some(sockets::ring()?) };
    let number = sources.len();
    sources.extend(ring.iter().map(|(_, completions)| completions.clone()));
    let interrupts = Arc::new(Interrupts::new(sources)?);
    packets::install(interfaces, interrupts.clone())?;
    if let Some((ring, _)) = ring {
        sockets::install(ports, ring, interrupts.clone(), number)?;
    }
    interrupts::install(interrupts)
}
