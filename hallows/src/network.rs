//! What a machine is given of this host's network, and the cells that have it: interfaces for packet devices, ports for sockets.

use std::fmt;
use std::fs::File;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::str::FromStr;

use hallows_linux::host::port::{self, PortError};
use hallows_linux::host::runtime_dir::RuntimeDir;
use hallows_linux::host::wire::{self, Meeting};
use hallows_linux::host::{outgoing, tap, xdp};
use hallows_linux::machine::plan::{
    CellPlan, InterfacePlan, PlacePlan, Plan, PortPlan, PortsPlan, ProgramPlan, WayPlan,
};
use hallows_linux::services::packets::{CAPTURE_HEAD, LOOPBACK, PACKETS};
use hallows_linux::services::sockets::{MOST_ADDRESSES, SOCKETS};

use hallows_sdk::net::rules::Destination;
use serde::{Deserialize, Serialize};

use crate::failure::{Failure, SOFTWARE};
use crate::system::{Cell, ProgramSource, System};

/// A part of the host's network, as a person says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Network {
    /// `tap:NAME[,capture=FILE]`, `xdp:NAME[,queue=N][,capture=FILE]`, `wire:NAME[,capture=FILE]`: an interface.
    Interface(Interface),
    /// `host:[ADDRESS:]PORT[=PORT][/udp]`: a port.
    Port(Port),
    /// `host:to=ADDRESS/PREFIX`: addresses to connect to.
    To(Destination),
}

/// An interface of the host, or an end of a wire to another machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    name: String,
    kind: InterfaceKind,
    /// Where a copy of all its frames goes.
    capture: Option<String>,
}

/// How an interface's frames are had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InterfaceKind {
    /// By the other end of it, which Linux makes for us.
    Tap,
    /// By AF_XDP, those of one queue.
    Xdp { queue: u16 },
    /// By memory that another machine of this host shares.
    Wire,
}

/// A port of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// `None`: of this host alone, in both versions of IP.
    address: Option<IpAddr>,
    number: u16,
    /// Its number for the machine.
    inside: u16,
    is_datagrams: bool,
}

/// What a machine is given of the host's network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Networks {
    /// This.
    Now(Vec<Network>),
    /// Whoever starts it says so.
    Later,
}

impl Extend<Network> for Networks {
    fn extend<I: IntoIterator<Item = Network>>(&mut self, more: I) {
        match self {
            Self::Now(networks) => networks.extend(more),
            Self::Later => *self = Self::Now(more.into_iter().collect()),
        }
    }
}

impl Default for Networks {
    fn default() -> Self {
        Self::Now(Vec::new())
    }
}

impl Networks {
    /// The TCP ports that a Unix program which runs alone listens on, by the numbers that the machine knows them by, each once.
    ///
    /// # Errors
    /// When there is something that it cannot have: an interface, or a UDP port.
    pub fn inner_ports(&self) -> Result<Vec<u16>, Failure> {
        let Self::Now(networks) = self else { return Ok(Vec::new()) };
        let mut ports = Vec::new();
        for network in networks {
            match network {
                Network::Port(Port { inside, is_datagrams: false, .. }) => {
                    if !ports.contains(inside) {
                        ports.push(*inside);
                    }
                }
                other => {
                    return Err(Failure::usage(format!(
                        "a program of Unix that runs alone listens on TCP ports of this host (--net host:PORT), and has no {other}: WASI preview 1 knows nothing else; write a system for it"
                    )));
                }
            }
        }
        Ok(ports)
    }
}

/// Interfaces of one machine: as many as there are cells that can drive them.
const MOST_INTERFACES: usize = 8;
/// Ports of one machine.
const MOST_PORTS: usize = 64;

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("tap", text)) => Interface::of(text, InterfaceKind::Tap).map(Self::Interface),
            Some(("xdp", text)) => Interface::of(text, InterfaceKind::Xdp { queue: 0 }).map(Self::Interface),
            Some(("wire", text)) => Interface::of(text, InterfaceKind::Wire).map(Self::Interface),
            Some(("host", text)) => match text.strip_prefix("to=") {
                Some(text) => destination(text).map(Self::To),
                None => text.parse().map(Self::Port),
            },
            _ => Err("write host:PORT for a port of this host, for example host:6379, host:to=ADDRESS/PREFIX for where programs may connect to, tap:NAME for an interface of the machine's own, for example tap:hallows0, xdp:NAME to take the frames of one that is there, or wire:NAME for a wire to another machine of this host".to_owned()),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interface(Interface { name, kind, capture }) => {
                match kind {
                    InterfaceKind::Tap => write!(formatter, "tap:{name}")?,
                    InterfaceKind::Xdp { queue: 0 } => write!(formatter, "xdp:{name}")?,
                    InterfaceKind::Xdp { queue } => write!(formatter, "xdp:{name},queue={queue}")?,
                    InterfaceKind::Wire => write!(formatter, "wire:{name}")?,
                }
                match capture {
                    Some(file) => write!(formatter, ",capture={file}"),
                    None => Ok(()),
                }
            }
            Self::Port(Port { address, number, inside, is_datagrams }) => {
                match address {
                    Some(address) => write!(formatter, "host:{}", SocketAddr::new(*address, *number))?,
                    None => write!(formatter, "host:{number}")?,
                }
                if inside != number {
                    write!(formatter, "={inside}")?;
                }
                formatter.write_str(if *is_datagrams { "/udp" } else { "" })
            }
            Self::To(destination) => write!(formatter, "host:to={destination}"),
        }
    }
}

/// Addresses with the same first bits, or one.
fn destination(text: &str) -> Result<Destination, String> {
    let address = text.split_once('/').map_or(text, |(address, _)| address);
    if address.parse().is_ok_and(|address: Ipv6Addr| address.is_unicast_link_local()) {
        return Err("addresses of fe80::/10 are of one link each, and cannot be connected to".to_owned());
    }
    let whole = match text.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => Some(format!("{text}/32")),
        Ok(IpAddr::V6(_)) => Some(format!("{text}/128")),
        Err(_) => None,
    };
    whole.as_deref().unwrap_or(text).parse().map_err(|_| {
        "write host:to=ADDRESS or host:to=ADDRESS/PREFIX, for example host:to=10.0.0.0/8, or host:to=0.0.0.0/0 for all of version 4".to_owned()
    })
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

impl Interface {
    /// From what stands behind its kind.
    fn of(text: &str, mut kind: InterfaceKind) -> Result<Self, String> {
        let (name, mut rest) = text.split_once(',').map_or((text, None), |(name, rest)| (name, Some(rest)));
        if name.is_empty() {
            return Err("an interface has a name, as in tap:hallows0, xdp:eth1 or wire:between".to_owned());
        }
        if let InterfaceKind::Xdp { queue } = &mut kind
            && let Some(number) = rest.and_then(|rest| rest.strip_prefix("queue="))
        {
            let (number, behind) =
                number.split_once(',').map_or((number, None), |(number, rest)| (number, Some(rest)));
            *queue = number
                .parse()
                .map_err(|_| format!("queues are numbers from 0 to 65535, and not `{number}`"))?;
            rest = behind;
        }
        let capture = match rest {
            Some(rest) => {
                let file = rest.strip_prefix("capture=").filter(|file| !file.is_empty());
                Some(file.ok_or(match kind {
                    InterfaceKind::Tap => "behind an interface comes capture=FILE, as in tap:hallows0,capture=frames.pcap",
                    InterfaceKind::Xdp { .. } => "behind an interface come queue=NUMBER and capture=FILE, as in xdp:eth1,queue=0,capture=frames.pcap",
                    InterfaceKind::Wire => "behind a wire comes capture=FILE, as in wire:between,capture=frames.pcap",
                })?)
            }
            None => None,
        };
        Ok(Self { name: name.to_owned(), kind, capture: capture.map(str::to_owned) })
    }

    /// The file for its frames, empty but for its head.
    fn capture(&self) -> Result<Option<OwnedFd>, Failure> {
        let Some(path) = &self.capture else { return Ok(None) };
        let made = File::options().append(true).create(true).open(path).and_then(|mut file| {
            let is_file = file.metadata()?.is_file();
            if is_file {
                file.set_len(0)?;
            }
            file.write_all(&CAPTURE_HEAD)?;
            // Of a pipe, nobody waits for whoever reads it.
            rustix::io::ioctl_fionbio(&file, !is_file)?;
            Ok(file)
        });
        match made {
            Ok(file) => Ok(Some(file.into())),
            Err(error) => {
                Err(Failure::usage(format!("cannot write the frames of {} to {path}: {error}", self.name)))
            }
        }
    }
}

impl FromStr for Port {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (place, is_datagrams) = match text.rsplit_once('/') {
            Some((place, "udp")) => (place, true),
            Some((place, "tcp")) => (place, false),
            Some((_, other)) => return Err(format!("there are /tcp and /udp, and not /{other}")),
            None => (text, false),
        };
        let (place, inside) = match place.split_once('=') {
            Some((place, inside)) => {
                let inside = inside.parse().map_err(|_| "ports are numbers from 1 to 65535".to_owned())?;
                (place, Some(inside))
            }
            None => (place, None),
        };
        let (address, number) = match place.parse() {
            Ok(number) => (None, number),
            Err(_) => {
                let place: SocketAddr = place.parse().map_err(|_| {
                    "write host:PORT, or host:ADDRESS:PORT as in host:0.0.0.0:6379 or host:[::]:6379"
                        .to_owned()
                })?;
                (Some(place.ip()), place.port())
            }
        };
        let inside = inside.unwrap_or(number);
        if number == 0 || inside == 0 {
            return Err("ports are numbers from 1 to 65535".to_owned());
        }
        Ok(Self { address, number, inside, is_datagrams })
    }
}

impl Port {
    /// Binds it, at each of its addresses.
    fn bind(&self) -> Result<Vec<OwnedFd>, PortError> {
        let bind = |address| port::bind(SocketAddr::new(address, self.number), self.is_datagrams);
        if let Some(address) = self.address {
            return Ok(vec![bind(address)?]);
        }
        let first = bind(Ipv4Addr::LOCALHOST.into())?;
        match bind(Ipv6Addr::LOCALHOST.into()) {
            Ok(second) => Ok(vec![first, second]),
            // A host without version 6.
            Err(PortError::NoAddress { .. }) => Ok(vec![first]),
            Err(error) => Err(error),
        }
    }
}

/// What was opened of the host's network.
#[derive(Debug, Default)]
pub struct Opened {
    /// For the machine, behind others.
    pub descriptors: Vec<OwnedFd>,
    /// For its parent.
    pub wires: Vec<Meeting>,
}

/// Lets the cells of a system that have something of the host's network run where they may wait for Linux, and opens what they have, unless it is given
/// later. Descriptors come behind others, of which there are so many.
///
/// # Errors
/// When a cell has no interface or no port, when one of those has no cell, or when one cannot be opened.
pub fn give(
    plan: &mut Plan,
    system: &System,
    networks: &Networks,
    descriptors_before: usize,
) -> Result<Opened, Failure> {
    let first = plan.cells.len().saturating_sub(system.cells.len());
    let Networks::Now(networks) = networks else {
        for program in [PACKETS.name, SOCKETS.name] {
            running(system, first, program).for_each(|(cell, number)| place(plan, cell, number));
        }
        return Ok(Opened::default());
    };
    let (mut interfaces, mut host) = (Vec::new(), Host::default());
    for network in networks {
        match network {
            Network::Interface(interface) => interfaces.push(interface),
            Network::Port(port) => host.ports.push(port),
            Network::To(destination) => host.destinations.push(*destination),
        }
    }
    let mut descriptors = Descriptors { before: descriptors_before, open: Vec::new() };
    let wires = give_interfaces(plan, system, first, &interfaces, &mut descriptors)?;
    give_host(plan, system, first, &host, &mut descriptors)?;
    Ok(Opened { descriptors: descriptors.open, wires })
}

/// What is opened, and its places in what comes with the plan.
struct Descriptors {
    before: usize,
    open: Vec<OwnedFd>,
}

impl Descriptors {
    fn add(&mut self, descriptor: OwnedFd) -> usize {
        self.open.push(descriptor);
        self.before + self.open.len() - 1
    }
}

/// The cells of a system that run a native program, with their places in the plan.
fn running<'s>(
    system: &'s System,
    first: usize,
    program: &'static str,
) -> impl Iterator<Item = (&'s Cell, usize)> {
    let runs = move |cell: &Cell| matches!(&cell.program, ProgramSource::Native(name) if name == program);
    system.cells.iter().zip(first..).filter(move |(cell, _)| runs(cell))
}

/// Lets a cell run on a core of Linux's of its own, if its description does not say where.
fn place(plan: &mut Plan, cell: &Cell, number: usize) {
    let core = plan.taken_service_cores();
    if let Some(planned) = plan.cells.get_mut(number).filter(|_| cell.core.is_none()) {
        planned.place = PlacePlan::ServiceCore(core);
    }
}

fn give_interfaces(
    plan: &mut Plan,
    system: &System,
    first: usize,
    interfaces: &[&Interface],
    descriptors: &mut Descriptors,
) -> Result<Vec<Meeting>, Failure> {
    if interfaces.len() > MOST_INTERFACES {
        return Err(Failure::usage(format!("a machine has at most {MOST_INTERFACES} interfaces")));
    }
    let mut drivers: Vec<Option<usize>> = vec![None; interfaces.len()];
    for (cell, number) in running(system, first, PACKETS.name) {
        if let Device::Interface(interface) = device(cell)? {
            let name = &cell.name;
            let driver = drivers.get_mut(interface).ok_or_else(|| {
                Failure::usage(format!(
                    "the cell {name} drives the interface {interface}, which was not given: --net tap:NAME, xdp:NAME or wire:NAME, once for each, in their order"
                ))
            })?;
            if driver.is_some() {
                return Err(Failure::usage(format!(
                    "two cells drive the interface {interface}: give each its own, or write `{LOOPBACK}`"
                )));
            }
            *driver = Some(number);
        }
        place(plan, cell, number);
    }
    let mut wires = Vec::new();
    for (number, (wanted, driver)) in interfaces.iter().zip(drivers).enumerate() {
        let name = &wanted.name;
        let cell = driver.ok_or_else(|| {
            Failure::usage(format!(
                "nothing drives the interface {name}: no cell of {} runs the native program `{}` with its number",
                system.name, PACKETS.name
            ))
        })?;
        let (way, mtu, address) = match wanted.kind {
            InterfaceKind::Tap => {
                let tap = tap::open(name).map_err(|error| Failure::usage(error.to_string()))?;
                let (mtu, address) = (tap.mtu, tap.address());
                (WayPlan::Tap { descriptor: descriptors.add(tap.descriptor) }, mtu, address)
            }
            InterfaceKind::Xdp { queue } => {
                let xdp = xdp::open(name, queue).map_err(|error| Failure::usage(error.to_string()))?;
                let [socket, memory, link] =
                    [xdp.socket, xdp.memory, xdp.link].map(|descriptor| descriptors.add(descriptor));
                (WayPlan::Xdp { socket, memory, link, traits: xdp.traits }, xdp.mtu, xdp.address)
            }
            InterfaceKind::Wire => {
                let directory =
                    RuntimeDir::of_this_user().map_err(|error| Failure::other(SOFTWARE, error))?;
                let wire = wire::open(&directory, name, number)
                    .map_err(|error| Failure::usage(error.to_string()))?;
                let [bell, ringer] = [wire.bell, wire.ringer].map(|descriptor| descriptors.add(descriptor));
                wires.push(wire.meeting);
                (WayPlan::Wire { end: wire.end, bell, ringer }, wire::MTU, wire.address)
            }
        };
        let capture = wanted.capture()?.map(|file| descriptors.add(file));
        plan.interfaces.push(InterfacePlan { way, cell, mtu, address, capture });
    }
    Ok(wires)
}

/// What a machine is given of the host's sockets.
#[derive(Default)]
struct Host<'n> {
    ports: Vec<&'n Port>,
    /// Where it may connect to.
    destinations: Vec<Destination>,
}

impl Host<'_> {
    /// One of them, as a person says it.
    fn any(&self) -> Option<String> {
        let port = self.ports.first().map(|port| Network::Port((*port).clone()));
        port.or(self.destinations.first().copied().map(Network::To)).map(|network| network.to_string())
    }

    /// Opens it for a cell.
    fn plan(&self, cell: usize, descriptors: &mut Descriptors) -> Result<PortsPlan, Failure> {
        let ports = bound(&self.ports, descriptors)?;
        let outgoing = if self.destinations.is_empty() {
            None
        } else {
            let parent = outgoing::connect_to(self.destinations.clone())
                .map_err(|error| Failure::other(71, format!("cannot begin to make connections: {error}")))?;
            Some(descriptors.add(parent))
        };
        Ok(PortsPlan { cell, ports, outgoing })
    }
}

fn give_host(
    plan: &mut Plan,
    system: &System,
    first: usize,
    host: &Host<'_>,
    descriptors: &mut Descriptors,
) -> Result<(), Failure> {
    if host.ports.len() > MOST_PORTS {
        return Err(Failure::usage(format!("a machine has at most {MOST_PORTS} ports")));
    }
    if system.is_of_one
        && let Some(server) = runs_alone(plan, SOCKETS.name)
    {
        plan.ports = Some(host.plan(server, descriptors)?);
        return Ok(());
    }
    let mut servers = running(system, first, SOCKETS.name);
    let Some((cell, number)) = servers.next() else {
        return match host.any() {
            None => Ok(()),
            Some(network) => Err(Failure::usage(format!(
                "nothing serves {network}: no cell of {} runs the native program `{}`",
                system.name, SOCKETS.name
            ))),
        };
    };
    if let Some((other, _)) = servers.next() {
        return Err(Failure::usage(format!(
            "the cells {} and {} both serve sockets of this host: one can",
            cell.name, other.name
        )));
    }
    serves_actively(cell, "net")?;
    if cell.pool.is_some() || cell.time.is_some() {
        return Err(Failure::usage(format!(
            "the cell {} serves sockets of this host: io_uring is one thread's, so it has a core (`core = 0`), or one of Linux's; leave `pool` and `time` out",
            cell.name
        )));
    }
    if host.any().is_none() {
        return Err(Failure::usage(format!(
            "the cell {} serves sockets of this host, and none was given: --net host:PORT for a port to listen on, --net host:to=ADDRESS/PREFIX for where to connect, once for each",
            cell.name
        )));
    }
    plan.ports = Some(host.plan(number, descriptors)?);
    place(plan, cell, number);
    Ok(())
}

/// The cell of a native program that was put beside a program that runs alone.
fn runs_alone(plan: &Plan, program: &str) -> Option<usize> {
    let is_it = |cell: &CellPlan| matches!(plan.programs.get(cell.program), Some(ProgramPlan::Native { name }) if name == program);
    plan.cells.iter().position(is_it)
}

/// Binds ports, each at all of its addresses.
fn bound(ports: &[&Port], descriptors: &mut Descriptors) -> Result<Vec<PortPlan>, Failure> {
    let mut planned: Vec<PortPlan> = Vec::new();
    for port in ports {
        let Port { inside: number, is_datagrams, .. } = **port;
        let is_same = |other: &&PortPlan| other.port == number && other.is_datagrams == is_datagrams;
        if planned.iter().filter(is_same).count() + 2 > MOST_ADDRESSES {
            return Err(Failure::usage(format!(
                "the port {number} is given at more than {MOST_ADDRESSES} addresses"
            )));
        }
        for socket in port.bind().map_err(|error| Failure::usage(error.to_string()))? {
            planned.push(PortPlan { descriptor: descriptors.add(socket), port: number, is_datagrams });
        }
    }
    Ok(planned)
}

/// What a cell drives.
enum Device {
    Loopback,
    Interface(usize),
}

/// Refuses a cell of the host's network that could not wait for it.
fn serves_actively(cell: &Cell, what: &str) -> Result<(), Failure> {
    let says = |problem: &str| {
        Failure::usage(format!("the cell {} has something of the host's network: {problem}", cell.name))
    };
    if cell.passive || cell.serves.is_empty() {
        return Err(says(&format!("it serves one endpoint, actively (serves = {{ {what} = \"active\" }})")));
    }
    Ok(())
}

fn device(cell: &Cell) -> Result<Device, Failure> {
    serves_actively(cell, "card")?;
    let says = |what: &str| Failure::usage(format!("the cell {} drives a packet device: {what}", cell.name));
    if cell.pool.is_some() || cell.time.is_some() {
        return Err(says(
            "it runs on one core, of the machine's (`core = 0`) or of Linux's; leave `pool` and `time` out",
        ));
    }
    match cell.arguments.as_slice() {
        [first] | [first, _] if first == LOOPBACK => Ok(Device::Loopback),
        [first] | [first, _] => first.parse().map(Device::Interface).map_err(|_| {
            says(&format!("`{first}` is none; write the number of an interface, from 0, or `{LOOPBACK}`"))
        }),
        _ => Err(says(&format!(
            "its argument says which: the number of an interface, from 0, or `{LOOPBACK}`; behind it may stand look=MICROSECONDS"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_and_ports_are_said_with_their_kind() {
        let xdp = |queue| InterfaceKind::Xdp { queue };
        for (text, kind, capture) in [
            ("tap:hl0", InterfaceKind::Tap, None),
            ("tap:hl0,capture=a/b,c.pcap", InterfaceKind::Tap, Some("a/b,c.pcap")),
            ("xdp:hl0", xdp(0), None),
            ("xdp:hl0,queue=3", xdp(3), None),
            ("xdp:hl0,capture=a/b,c.pcap", xdp(0), Some("a/b,c.pcap")),
            ("xdp:hl0,queue=3,capture=a/b,c.pcap", xdp(3), Some("a/b,c.pcap")),
            ("wire:hl0", InterfaceKind::Wire, None),
            ("wire:hl0,capture=a/b,c.pcap", InterfaceKind::Wire, Some("a/b,c.pcap")),
        ] {
            let capture = capture.map(str::to_owned);
            let interface = Network::Interface(Interface { name: "hl0".to_owned(), kind, capture });
            assert_eq!(interface.to_string(), text);
            assert_eq!(text.parse(), Ok(interface));
        }
        let port = |address: Option<&str>, number, is_datagrams| {
            let address = address.map(|address| address.parse().unwrap());
            Ok(Network::Port(Port { address, number, inside: number, is_datagrams }))
        };
        let moved = Port { address: None, number: 7_000, inside: 53, is_datagrams: true };
        assert_eq!("host:7000=53/udp".parse(), Ok(Network::Port(moved.clone())));
        assert_eq!(Network::Port(moved).to_string(), "host:7000=53/udp");
        for (text, meant) in [
            ("host:7", port(None, 7, false)),
            ("host:7/tcp", port(None, 7, false)),
            ("host:7/udp", port(None, 7, true)),
            ("host:0.0.0.0:6379", port(Some("0.0.0.0"), 6_379, false)),
            ("host:[::1]:53/udp", port(Some("::1"), 53, true)),
        ] {
            assert_eq!(text.parse::<Network>(), meant, "{text}");
            let shown = meant.unwrap().to_string();
            assert_eq!(shown, text.trim_end_matches("/tcp"));
        }
        for (text, shown) in [
            ("host:to=10.0.0.0/8", "host:to=10.0.0.0/8"),
            ("host:to=192.0.2.1", "host:to=192.0.2.1/32"),
            ("host:to=fd00::1", "host:to=fd00::1/128"),
        ] {
            let network: Network = text.parse().unwrap();
            assert!(matches!(network, Network::To(_)) && network.to_string() == shown, "{text}");
        }
        for wrong in [
            "",
            "tap",
            "tap:",
            "tap:hl0,",
            "tap:hl0,capture=",
            "tap:hl0,capture",
            "tap:hl0,mtu=9000",
            "hl0",
            "tap:hl0,queue=0",
            "wire:",
            "wire:hl0,queue=0",
            "xdp:",
            "xdp:,queue=0",
            "xdp:hl0,",
            "xdp:hl0,queue=",
            "xdp:hl0,queue=-1",
            "xdp:hl0,queue=65536",
            "xdp:hl0,queue=0,",
            "xdp:hl0,capture=",
            ":hl0",
            "host",
            "host:",
            "host:0",
            "host:65536",
            "host:7/sctp",
            "host:localhost:7",
            "host:1.2.3.4",
            "host:[::1]",
            "host:7/",
            "host:7=",
            "host:7=0",
            "host:to=",
            "host:to=10.0.0.0/33",
            "host:to=example.org",
            "host:to=fe80::1",
            "host:to=10.0.0.1:80",
        ] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }
}
