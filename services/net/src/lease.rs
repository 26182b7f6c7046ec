//! What DHCP gives (RFC 2131): an address, a gateway, servers of names, for a time.

use alloc::vec::Vec;

use hallows_sdk::log;
use smoltcp::iface::{Interface, SocketHandle};
use smoltcp::socket::dhcpv4::{self, Event};
use smoltcp::time::Duration;
use smoltcp::wire::{IpAddress, IpCidr, Ipv4Cidr};

use crate::settings::Settings;
use crate::sockets::Sockets;

/// How long a server may take for its offer before all are asked again.
const OFFER_PATIENCE: Duration = Duration::from_secs(2);

/// The client.
#[derive(Debug)]
pub struct Lease {
    socket: SocketHandle,
    /// What is held now.
    held: Option<Ipv4Cidr>,
}

impl Lease {
    /// Asks for one as soon as there is a link.
    pub fn new(sockets: &mut Sockets) -> Self {
        let mut socket = dhcpv4::Socket::new();
        let mut patience = socket.get_retry_config();
        patience.discover_timeout = OFFER_PATIENCE;
        socket.set_retry_config(patience);
        Self { socket: sockets.ask_for_lease(socket), held: None }
    }

    /// After the protocols had their turn: what was given is used, what was taken back is not any more. Whether something is to be sent because of that.
    pub fn follow(&mut self, interface: &mut Interface, sockets: &mut Sockets, settings: &Settings) -> bool {
        let Some(event) = sockets.lease(self.socket).poll() else { return false };
        let (address, gateway, servers) = match event {
            Event::Configured(config) => (Some(config.address), config.router, config.dns_servers),
            Event::Deconfigured => (None, None, Default::default()),
        };
        if let Some(before) = self.held.filter(|before| Some(*before) != address) {
            log!("the lease of {before} is over");
            interface.update_ip_addrs(|list| list.retain(|own| *own != IpCidr::Ipv4(before)));
            sockets.lose(before.address().into());
        }
        if let Some(new) = address.filter(|new| Some(*new) != self.held) {
            log!("{new} by DHCP");
            // One has room: the settings see to that.
            interface.update_ip_addrs(|list| {
                let _ = list.push(new.into());
            });
        }
        self.held = address;
        if !settings.gateways.iter().any(|gateway| matches!(gateway, IpAddress::Ipv4(_))) {
            let routes = interface.routes_mut();
            // There is room for one of each version.
            let _ = match gateway {
                Some(gateway) => routes.add_default_ipv4_route(gateway).is_ok(),
                None => routes.remove_default_ipv4_route().is_some(),
            };
        }
        if settings.servers.is_empty() {
            let servers: Vec<IpAddress> = servers.iter().map(|server| (*server).into()).collect();
            sockets.ask(&servers);
        }
        sockets.look_at_all();
        true
    }
}
