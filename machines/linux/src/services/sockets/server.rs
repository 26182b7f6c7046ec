//! The program: calls of programs, and when Linux is asked to do what they gave rise to.

use std::net::SocketAddr;
use std::time::Duration;

use hallows_abi::MAX_MESSAGE;
use hallows_sdk::native::{NativeProgram, NativeReactor, NativeStyle};
use hallows_sdk::net::protocol::{
    self, Accepted, Address, Bell, Connection, Datagram, Datagrams, Echo, Echoes, Listener, Lookup, Place,
    Refusal, Service, Target, Traffic, Usage,
};
use hallows_sdk::net::rules::Rules;
use hallows_sdk::stub::{Client, List, Own, Resource};
use hallows_sdk::{
    Answer, Budget, Deadline, Endpoint, Error, Message, Notification, Object, Rights, Server, Start, Timer,
    log, process, space,
};

use super::outgoing::Outgoing;
use super::table::{self, Kind, SOCKET, Table};
use super::{INSTALLED, Installed};
use crate::host::uring::Uring;
use crate::services::interrupts::INTERRUPT_BADGE;
use crate::services::look::Look;

/// The program, of which one cell of a machine serves.
pub static SOCKETS: NativeProgram = NativeProgram {
    name: "sockets",
    style: NativeStyle::Reactor(NativeReactor::of::<
        HostSockets,
        { HostSockets::INBOX_BYTES },
        { HostSockets::REPLY_BYTES },
    >()),
};

/// What holders of a socket may do with its capability: call it, watch it, and pass it on.
const SOCKET_RIGHTS: Rights = Rights(Rights::SEND.0 | Rights::WATCH.0 | Rights::TRANSFER.0);
/// Messages that may wait from holders of sockets: each asks for one thing at a time.
const SOCKETS_QUEUE: u16 = 1_024;
/// The badge of the cell's own notification, and the bit that asks for a turn.
const OWN_BADGE: u64 = 1;
const TURN: u64 = 1;
/// The bit of the clock.
const CLOCK: u64 = 2;
/// How long until it is tried again to accept somebody for whom there was no descriptor.
const RETRY: Duration = Duration::from_millis(100);
/// Turns in vain before Linux tells when there is something: looking is cheap, being told costs two switches of Linux's threads.
const LOOKS: u32 = 64;
/// Completions in a row before messages have their turn.
const MOST_COMPLETIONS: usize = 1_024;
/// The longest name (RFC 1035), with its dots.
const MOST_NAME_BYTES: usize = 255;
/// Bytes that one answer holds beside all else that stands in it: status, case, sender, length.
pub(super) const MOST_READ_BYTES: usize = MAX_MESSAGE as usize - 64;

/// The state of the cell.
pub struct HostSockets {
    rules: Rules,
    /// What sockets are capabilities of: it ends with this life, and they with it.
    own: Endpoint,
    /// By which the cell tells itself that a turn is due, behind the messages that wait.
    news: Notification,
    timer: Timer,
    is_due: bool,
    in_vain: u32,
    /// For how long it looks at least.
    look: Look,
    table: Table,
    installed: &'static Installed,
    /// Until this life ends.
    ring: Option<Uring>,
    /// The same, where anybody may connect to elsewhere.
    outgoing: Option<Outgoing>,
    /// Why there will be none any more.
    is_broken: bool,
    /// What answers carry.
    frame: Vec<u8>,
}

impl core::fmt::Debug for HostSockets {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("HostSockets").field("table", &self.table).finish_non_exhaustive()
    }
}

impl Drop for HostSockets {
    fn drop(&mut self) {
        self.installed.tell_leaving(0);
        if let Some(mut outgoing) = self.outgoing.take() {
            outgoing.forget();
            *self.installed.outgoing() = Some(outgoing);
        }
        if let Some(ring) = self.ring.take() {
            self.installed.give_back(ring);
        }
    }
}

/// What its arguments say.
fn settings(start: &Start<'_>) -> Result<(Rules, Look), Error> {
    let (mut rules, mut look) = (Rules::default(), Look::default());
    for argument in start.info().arguments() {
        let why = match argument.split_once('=') {
            Some(("allow", text)) => match text.parse() {
                Ok(rule) => {
                    rules.0.push(rule);
                    continue;
                }
                Err(why) => why.to_string(),
            },
            Some(("look", text)) => match Look::parse(text) {
                Ok(said) => {
                    look = said;
                    continue;
                }
                Err(why) => why,
            },
            _ => "there are allow= and look=".to_owned(),
        };
        log!("cannot read the argument `{argument}`: {why}");
        return Err(Error::BadArgument);
    }
    Ok((rules, look))
}

impl Server for HostSockets {
    const INBOX_BYTES: usize = MAX_MESSAGE as usize;
    const REPLY_BYTES: usize = MAX_MESSAGE as usize;

    fn new(start: &Start<'_>) -> Result<Self, Error> {
        let (rules, look) = settings(start)?;
        let Some((installed, mut ring)) =
            INSTALLED.get().and_then(|installed| Some((installed, installed.take_ring()?)))
        else {
            log!(
                "this machine has no ports of the host, or another cell has them: start it with --net host:PORT"
            );
            return Err(Error::BadState);
        };
        // What the life before this one left.
        if let Err(error) = ring.begin().and_then(|()| ring.clear()) {
            log!("io_uring does not begin: {error}");
            installed.give_back(ring);
            return Err(Error::BadState);
        }
        let news: Notification = Budget::OWN.create_notification()?;
        let timer = Budget::OWN.create_timer(news, CLOCK)?;
        let mut server = Self {
            rules,
            own: Budget::OWN.create_endpoint(hallows_sdk::Service::Active { queue: SOCKETS_QUEUE })?,
            news,
            timer,
            is_due: false,
            in_vain: 0,
            look,
            table: Table::new(installed.ports.clone(), process::now()?),
            installed,
            ring: Some(ring),
            outgoing: installed.outgoing().take(),
            is_broken: false,
            frame: Vec::with_capacity(MAX_MESSAGE as usize),
        };
        server.news.bind(OWN_BADGE)?;
        server.ask_for_turn();
        Ok(server)
    }

    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        self.ask_for_turn();
        if message.badge == INTERRUPT_BADGE {
            for handle in message.handles {
                // Nothing was asked for.
                let _ = space::delete(Endpoint::from_handle(*handle));
            }
            return Answer::EMPTY;
        }
        protocol::serve(self, message)
    }

    fn notification(&mut self, badge: u64, bits: u64) {
        if badge != OWN_BADGE {
            return;
        }
        if bits & CLOCK != 0
            && let Ok((table, ring)) = self.parts()
        {
            table.open_ports(ring);
        }
        self.is_due = false;
        self.turn();
    }
}

impl HostSockets {
    /// Has Linux's turn come when the messages that wait are answered.
    fn ask_for_turn(&mut self) {
        self.in_vain = 0;
        self.look.found();
        self.come_again();
    }

    fn come_again(&mut self) {
        if !self.is_due && !self.is_broken {
            // It fails only when this cell is being ended.
            self.is_due = self.news.signal(TURN).is_ok();
        }
    }

    /// Linux's turn: what was written goes out, what has come goes to sockets.
    fn turn(&mut self) {
        let Self { rules, table, ring: Some(ring), .. } = self else { return };
        table.hand_over(ring);
        let turned = ring.turn();
        let mut completed = 0;
        while completed < MOST_COMPLETIONS
            && let Some(completion) = ring.next()
        {
            completed += 1;
            table.complete(completion, ring);
        }
        self.installed.tell_leaving(table.leaving());
        if self.outgoing.as_ref().is_some_and(Outgoing::waits) {
            completed += take_made(&mut self.outgoing, rules, table, ring);
        }
        if table.is_short() {
            // As in `come_again`.
            let _ = Deadline::after(RETRY).and_then(|at| self.timer.arm(at, None));
        }
        match turned {
            Err(error) => {
                log!("io_uring works no more: {error}");
                self.is_broken = true;
                // Another life may have better luck.
                let _ = process::exit(1);
            }
            Ok(asked) if asked || completed > 0 => self.ask_for_turn(),
            Ok(_) if self.in_vain < LOOKS || self.look.goes_on() => {
                self.in_vain += 1;
                self.come_again();
            }
            // What comes of connections that nobody wants any more is taken as well, and what the parent was asked is said.
            Ok(_)
                if take_made(&mut self.outgoing, rules, table, ring) > 0
                    || self.outgoing.as_ref().is_some_and(Outgoing::has_output) =>
            {
                self.ask_for_turn();
            }
            Ok(_) if ring.rest() => {
                self.installed.interrupts.arm(self.installed.number);
                if self.outgoing.is_some() {
                    self.installed.interrupts.arm(self.installed.number + 1);
                }
            }
            Ok(_) => self.ask_for_turn(),
        }
    }

    /// The sockets and the ring.
    fn parts(&mut self) -> Result<(&mut Table, &mut Uring), Refusal> {
        let Self { table, ring, is_broken: false, .. } = self else { return Err(Refusal::Unreachable) };
        Ok((table, ring.as_mut().ok_or(Refusal::Unreachable)?))
    }

    /// A capability of a socket, for its client.
    fn mint<R: Resource>(&mut self, badge: u64) -> Result<Own<R>, Refusal> {
        match space::mint(self.own, SOCKET_RIGHTS, badge) {
            Ok(made) => Ok(Own(R::from_capability(made.handle()))),
            Err(_) => {
                // There is no slot, or the kernel has no memory.
                self.forget(badge);
                Err(Refusal::Full)
            }
        }
    }

    fn tell(&mut self, client: Client, by: Own<Bell>) {
        let handle = by.0.capability();
        match table::Bell::try_from(handle) {
            Ok(bell) => self.table.tell(client.badge, bell),
            Err(_) => {
                let _ = space::delete(Endpoint::from_handle(handle));
            }
        }
    }

    fn close(&mut self, client: Client) {
        self.forget(client.badge);
        self.installed.tell_leaving(self.table.leaving());
    }

    /// Nobody holds a socket any more, nor waits for what it is to be.
    fn forget(&mut self, badge: u64) {
        if let Some(outgoing) = &mut self.outgoing {
            outgoing.give_up(badge & !SOCKET);
        }
        if let Ok((table, ring)) = self.parts() {
            table.close(badge, ring);
        }
    }
}

/// Takes connections that the parent has made, and addresses that it has found; how many.
fn take_made(outgoing: &mut Option<Outgoing>, rules: &Rules, table: &mut Table, ring: &mut Uring) -> usize {
    let Some(parent) = outgoing else { return 0 };
    let may_reach = |owner, address| rules.may_reach(owner, address);
    let mut taken = 0;
    loop {
        match parent.next() {
            Ok(Some((number, outcome))) => {
                table.made(number, outcome, may_reach, ring);
                taken += 1;
            }
            Ok(None) => return taken,
            Err(error) => {
                log!("no more connections to elsewhere: {error}");
                for number in parent.forget() {
                    table.made(number, Err(Refusal::Unreachable), may_reach, ring);
                }
                *outgoing = None;
                return taken;
            }
        }
    }
}

impl Service for HostSockets {
    fn target(&self, badge: u64) -> Option<Target> {
        if badge & SOCKET == 0 {
            return Some(Target::Network);
        }
        self.table.get(badge).map(|kind| match kind {
            Kind::Port(_) => Target::Listener,
            Kind::Connection(_) | Kind::Beginning(_) => Target::Connection,
            Kind::Datagrams(_) => Target::Datagrams,
            Kind::Lookup(_) => Target::Lookup,
        })
    }

    fn network_listen(&mut self, client: Client, port: u16, backlog: u16) -> Result<Own<Listener>, Refusal> {
        if !self.rules.may_listen(client.badge, port) {
            return Err(Refusal::NotPermitted);
        }
        let (table, ring) = self.parts()?;
        let badge = table.listen(port, backlog, ring)?;
        self.mint(badge)
    }

    fn network_connect(&mut self, client: Client, to: Place) -> Result<Own<Connection>, Refusal> {
        let address = SocketAddr::from(to);
        if address.port() == 0 || address.ip().is_unspecified() {
            return Err(Refusal::Invalid);
        }
        if !self.rules.may_reach(client.badge, address.ip().to_canonical()) {
            return Err(Refusal::NotPermitted);
        }
        // The jail lets no socket connect.
        let outgoing = self.outgoing.as_mut().ok_or(Refusal::NotPermitted)?;
        let ring = self.ring.as_mut().ok_or(Refusal::Unreachable)?;
        let badge = self.table.connect(to, ring)?;
        if let Err(refusal) = outgoing.connect(badge & !SOCKET, client.badge, address) {
            self.table.close(badge, ring);
            return Err(refusal);
        }
        self.mint(badge)
    }

    fn network_bind(&mut self, client: Client, port: u16) -> Result<Own<Datagrams>, Refusal> {
        if !self.rules.may_listen(client.badge, port) {
            return Err(Refusal::NotPermitted);
        }
        let (table, ring) = self.parts()?;
        let badge = table.bind(client.badge, port, ring)?;
        self.mint(badge)
    }

    fn network_resolve(&mut self, client: Client, name: &str) -> Result<Own<Lookup>, Refusal> {
        let Self { rules, table, outgoing, ring: Some(ring), .. } = self else {
            return Err(Refusal::Unreachable);
        };
        // A name that is an address is nobody's secret.
        if let Ok(address) = name.parse() {
            let badge = table.look_up(client.badge, ring)?;
            table.found(badge, Ok(vec![address]), |_, _| true, ring);
            return self.mint(badge);
        }
        if !(1..=MOST_NAME_BYTES).contains(&name.len()) || name.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return Err(Refusal::Invalid);
        }
        // To ask for one is to send outwards.
        let outgoing = outgoing.as_mut().filter(|_| rules.may_send(client.badge));
        let outgoing = outgoing.ok_or(Refusal::NotPermitted)?;
        let badge = table.look_up(client.badge, ring)?;
        if let Err(refusal) = outgoing.resolve(badge & !SOCKET, client.badge, name) {
            table.close(badge, ring);
            return Err(refusal);
        }
        self.mint(badge)
    }

    fn network_ping(&mut self, _: Client, _: Address) -> Result<Own<Echoes>, Refusal> {
        Err(Refusal::NotPermitted)
    }

    fn network_traffic(&mut self, _: Client) -> Traffic {
        // The link is Linux's, which counts what goes over it.
        Traffic {
            frames_in: 0,
            bytes_in: 0,
            lost_in: 0,
            frames_out: 0,
            bytes_out: 0,
            lost_out: 0,
            sockets: 0,
            leaving: 0,
        }
    }

    fn network_usage(&mut self, _: Client, _: u64) -> Option<Usage> {
        // The sockets are Linux's, too: `ss` shows them.
        None
    }

    fn network_flush(&mut self, _: Client) {
        self.turn();
    }

    fn listener_tell(&mut self, client: Client, by: Own<Bell>) {
        self.tell(client, by);
    }

    fn listener_accept(&mut self, client: Client) -> Result<Accepted, Refusal> {
        let (table, ring) = self.parts()?;
        let (badge, peer) = table.accept(client.badge, ring)?;
        Ok(Accepted { stream: self.mint(badge)?, peer })
    }

    fn listener_close(&mut self, client: Client) {
        self.close(client);
    }

    fn connection_tell(&mut self, client: Client, by: Own<Bell>) {
        self.tell(client, by);
    }

    fn connection_read(&mut self, client: Client, most: u32) -> Result<&[u8], Refusal> {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let Self { table, ring: Some(ring), frame, .. } = self else { return Err(Refusal::Unreachable) };
        frame.clear();
        table.read(client.badge, most, frame, ring)?;
        Ok(frame)
    }

    fn connection_write(&mut self, client: Client, bytes: &[u8]) -> Result<u32, Refusal> {
        let written = self.table.write(client.badge, bytes)?;
        // No more than a message has.
        Ok(u32::try_from(written).unwrap_or(u32::MAX))
    }

    fn connection_finish(&mut self, client: Client) -> Result<(), Refusal> {
        self.table.finish(client.badge)
    }

    fn connection_peer(&mut self, client: Client) -> Result<Place, Refusal> {
        self.table.peer(client.badge)
    }

    fn connection_close(&mut self, client: Client) {
        self.close(client);
    }

    fn datagrams_tell(&mut self, client: Client, by: Own<Bell>) {
        self.tell(client, by);
    }

    fn datagrams_port(&mut self, client: Client) -> u16 {
        self.table.number(client.badge)
    }

    fn datagrams_send(&mut self, client: Client, to: Place, bytes: &[u8]) -> Result<(), Refusal> {
        let Self { rules, table, .. } = self;
        table.send(client.badge, to, bytes, |owner, to: SocketAddr| rules.may_reach(owner, to.ip()))
    }

    fn datagrams_receive(&mut self, client: Client) -> Result<Datagram<'_>, Refusal> {
        let Self { table, ring: Some(ring), frame, .. } = self else { return Err(Refusal::Unreachable) };
        frame.resize(MOST_READ_BYTES, 0);
        let (length, peer) = table.receive(client.badge, frame, ring)?;
        Ok(Datagram { peer, bytes: frame.get(..length).unwrap_or_default() })
    }

    fn datagrams_close(&mut self, client: Client) {
        self.close(client);
    }

    fn lookup_tell(&mut self, client: Client, by: Own<Bell>) {
        self.tell(client, by);
    }

    fn lookup_addresses(&mut self, client: Client) -> Result<List<'_, Address>, Refusal> {
        self.table.addresses(client.badge).map(List::from)
    }

    fn lookup_close(&mut self, client: Client) {
        self.close(client);
    }

    fn echoes_tell(&mut self, client: Client, by: Own<Bell>) {
        self.tell(client, by);
    }

    fn echoes_send(&mut self, _: Client, _: u16, _: &[u8]) -> Result<(), Refusal> {
        Err(Refusal::Invalid)
    }

    fn echoes_receive(&mut self, _: Client) -> Result<Echo<'_>, Refusal> {
        Err(Refusal::Invalid)
    }

    fn echoes_close(&mut self, client: Client) {
        self.close(client);
    }
}
