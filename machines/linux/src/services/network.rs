//! What a machine is given of the host's network: interfaces, and ports.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use super::interrupts::Interrupts;
use super::packets::Interface;
use super::sockets::HostNetwork;
use super::{interrupts, packets, sockets};

/// Takes them for this process, once, before its jail is sealed. The interfaces come first among what tells that there is something; behind
/// them, if there are sockets of the host's, the completions of their ring; behind that, if they may connect to elsewhere, what the parent says.
///
/// # Errors
///
/// When Linux cannot wait for one of them, when what one shares with Linux cannot be mapped, or has no io_uring as ports need it; when it was done before.
pub fn install(interfaces: Vec<Interface>, host: Option<HostNetwork>) -> io::Result<()> {
    let interfaces = interfaces.into_iter().map(Interface::split).collect::<io::Result<Vec<_>>>()?;
    let mut sources: Vec<_> = interfaces.iter().map(|interface| interface.descriptor.clone()).collect();
    let host = host.map(|host| Ok::<_, io::Error>((host, sockets::ring()?))).transpose()?;
    let number = sources.len();
    if let Some((HostNetwork { outgoing, .. }, (_, completions))) = &host {
        sources.push(completions.clone());
        let told = outgoing.as_ref().map(OwnedFd::try_clone).transpose()?;
        sources.extend(told.map(Arc::new));
    }
    let interrupts = Arc::new(Interrupts::new(sources)?);
    packets::install(interfaces, interrupts.clone())?;
    if let Some((host, (ring, _))) = host {
        sockets::install(host, ring, interrupts.clone(), number)?;
    }
    interrupts::install(interrupts)
}
