//! Questions for the addresses of names (RFC 1035), to servers that the system or the network's DHCP names.

use alloc::vec::Vec;

use hallows_sdk::net::READABLE;
use hallows_sdk::net::protocol::{Address, Refusal};
use smoltcp::iface::Interface;
use smoltcp::socket::dns::{self, GetQueryResultError, QueryHandle, StartQueryError};
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{DnsQueryType, IpAddress};

use super::{Kind, Socket, Sockets, to_address};

/// Servers that are asked, one after the other.
pub const MOST_SERVERS: usize = 4;
/// How long the protocols wait for each server before they ask the next.
const SERVER_PATIENCE: Duration = Duration::from_secs(10);
/// Questions at once: each has two small datagrams under way.
const MOST_LOOKUPS: usize = 64;

/// A question.
pub struct Lookup {
    /// What is not answered: for addresses of version 4, and of version 6.
    asked: Vec<QueryHandle>,
    found: Vec<Address>,
    /// When the last server's time is over.
    until: Instant,
    /// That it is over without an address.
    is_silent: bool,
}

impl core::fmt::Debug for Lookup {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("Lookup").field("found", &self.found).finish_non_exhaustive()
    }
}

impl Lookup {
    /// Whether nothing more will come.
    pub const fn is_over(&self) -> bool {
        self.asked.is_empty()
    }
}

impl Sockets {
    /// These are asked from now on.
    pub fn ask(&mut self, servers: &[IpAddress]) {
        self.servers = servers.get(..MOST_SERVERS).unwrap_or(servers).into();
        self.directory.few.get_mut::<dns::Socket<'_>>(self.names).update_servers(&self.servers);
    }

    /// Begins to ask for the addresses of a name; one that is an address has itself.
    pub fn resolve(
        &mut self,
        interface: &mut Interface,
        owner: u64,
        name: &str,
        may_reach: impl Fn(IpAddress) -> bool,
        now: Instant,
    ) -> Result<u64, Refusal> {
        let is_lookup = |socket: &&Socket| matches!(socket.kind, Kind::Lookup(_));
        if self.held.values().filter(is_lookup).count() == MOST_LOOKUPS {
            return Err(Refusal::Full);
        }
        let mut lookup = Lookup { asked: Vec::new(), found: Vec::new(), until: now, is_silent: false };
        if let Ok(address) = name.parse::<core::net::IpAddr>() {
            lookup.found.push(to_address(address.into()));
            return Ok(self.hold(owner, Kind::Lookup(lookup)));
        }
        if name.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return Err(Refusal::Invalid);
        }
        if self.servers.is_empty() {
            return Err(Refusal::NoServer);
        }
        if !self.servers.iter().all(|server| may_reach(*server)) {
            return Err(Refusal::NotPermitted);
        }
        if self.servers.iter().any(|server| interface.get_source_address(server).is_none()) {
            return Err(Refusal::Unreachable);
        }
        for kind in [DnsQueryType::A, DnsQueryType::Aaaa] {
            let names = self.directory.few.get_mut::<dns::Socket<'_>>(self.names);
            match names.start_query(interface.context(), name, kind) {
                Ok(query) => lookup.asked.push(query),
                Err(why) => {
                    self.give_up(&lookup);
                    return Err(match why {
                        StartQueryError::NoFreeSlot => Refusal::Full,
                        StartQueryError::InvalidName | StartQueryError::NameTooLong => Refusal::Invalid,
                    });
                }
            }
        }
        for _ in &self.servers {
            lookup.until += SERVER_PATIENCE;
        }
        Ok(self.hold(owner, Kind::Lookup(lookup)))
    }

    /// Takes what has been answered.
    pub(super) fn look_up(&mut self, badge: u64, now: Instant) {
        let Some(Socket { kind: Kind::Lookup(lookup), used, .. }) = self.held.get_mut(&badge) else { return };
        let names = self.directory.few.get_mut::<dns::Socket<'_>>(self.names);
        let Lookup { asked, found, until, is_silent } = lookup;
        let is_late = now >= *until;
        asked.retain(|query| match names.get_query_result(*query) {
            Err(GetQueryResultError::Pending) => true,
            // Servers that know nothing say so before their time is over.
            Err(GetQueryResultError::Failed) => {
                *is_silent |= is_late;
                false
            }
            Ok(addresses) => {
                used.come(0);
                found.extend(addresses.iter().map(|address| to_address(*address)));
                false
            }
        });
        if is_late {
            *is_silent |= !asked.is_empty();
            for query in asked.drain(..) {
                names.cancel_query(query);
            }
        }
        if asked.is_empty() {
            // A stable order: those of one version as the server has them.
            found.sort_by_key(|address| matches!(address, Address::V6(_)));
        } else {
            self.due.ring(badge, *until);
        }
    }

    /// The addresses, when all that was asked is answered.
    pub fn addresses(&mut self, badge: u64) -> Result<&[Address], Refusal> {
        let Some(Socket { kind: Kind::Lookup(lookup), wants, .. }) = self.held.get_mut(&badge) else {
            return Err(Refusal::Invalid);
        };
        if !lookup.is_over() {
            *wants |= READABLE;
            return Err(Refusal::NotNow);
        }
        match (lookup.found.as_slice(), lookup.is_silent) {
            ([], true) => Err(Refusal::NoAnswer),
            ([], false) => Err(Refusal::NoAddress),
            (found, _) => Ok(found),
        }
    }

    /// What is still asked is not waited for any more.
    pub(super) fn give_up(&mut self, lookup: &Lookup) {
        let names = self.directory.few.get_mut::<dns::Socket<'_>>(self.names);
        for query in &lookup.asked {
            names.cancel_query(*query);
        }
    }
}
