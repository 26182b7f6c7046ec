//! Connections to elsewhere and the addresses of names, for a machine that is jailed and can have neither: the parent connects where it may, and passes
//! the connected sockets on; and it asks Linux's library for names.
//!
//! Machine and parent have a socket between them, over which the machine asks by JSON lines and is answered in any order. What may be reached was said when the machine was started;
//! the parent looks at each destination itself, so no code in the machine, however broken, reaches another one. What is under way for one of the machine's programs leaves
//! room for others.
//!
//! | file | what it has |
//! |---|---|
//! | `names` | names that are asked for, each on a thread of its own |
//! | `shares` | who has how much of what may be under way |

mod names;
mod shares;

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use hallows_sdk::net::rules::Destination;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
use serde::{Deserialize, Serialize};

use super::line_socket::{Descriptors, Filled, LineSocket, REQUEST_LIMIT_BYTES};
use super::parent::without_signals;
use super::port::prepare;
use names::Names;
use shares::Shares;

/// How long the other end may say nothing.
const PATIENCE: Duration = Duration::from_secs(60);
/// Connections under way at a time, or a quarter of what this process may have open, if that is less.
const MOST_UNDER_WAY: usize = 1_024;
/// Bytes of answers that the machine has not read: until it has, nothing more is read of it.
const MOST_UNREAD: usize = 4 << 10;

/// What a machine asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    /// A number of the machine process's own. With another one all is over that the process before it has asked for.
    pub life: u64,
    /// What it wants.
    pub wanted: Wanted,
}

/// What a machine wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Wanted {
    /// A connection to there, under a number of its choice, for the program that has this badge.
    Connection { number: u64, owner: u64, to: SocketAddr },
    /// The addresses of a name, likewise.
    Addresses { number: u64, owner: u64, name: String },
    /// Not any more.
    Nothing { number: u64 },
}

/// What became of something that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// Of the process that has asked.
    pub life: u64,
    /// The number that it was asked for by.
    pub number: u64,
    /// What there is; or why not.
    pub answer: Result<Answer, Failure>,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Answer {
    /// The connection's socket comes along.
    Connection,
    /// At least one, those of version 4 first: all that may be reached.
    Addresses(Vec<IpAddr>),
}

/// Why it is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Failure {
    /// Linux's number of what is wrong: `EPERM` if it may not be reached, `ENFILE` if too much is under way.
    Linux(i32),
    /// Nobody knows an address of the name.
    NoAddress,
    /// Nobody has said one in time.
    NoAnswer,
}

impl From<Errno> for Failure {
    fn from(error: Errno) -> Self {
        Self::Linux(error.raw_os_error())
    }
}

/// Starts to connect to these destinations, as long as this process runs; the machine's end.
///
/// # Errors
/// When Linux refuses the sockets or the thread.
pub fn connect_to(destinations: Vec<Destination>) -> io::Result<OwnedFd> {
    let names = Names::new(names::PATIENCE, names::ask_library)?;
    begin(destinations, names, most_under_way())
}

fn begin(destinations: Vec<Destination>, names: Names, most: usize) -> io::Result<OwnedFd> {
    let (own, machines) = rustix::net::socketpair(
        AddressFamily::UNIX,
        // A machine that is killed leaves no half of a line.
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )?;
    let connector = Connector {
        machine: LineSocket::new(own, Descriptors::Refuse, REQUEST_LIMIT_BYTES),
        destinations,
        life: 0,
        under_way: HashMap::new(),
        shares: Shares::of(most),
        names,
    };
    without_signals(|| {
        std::thread::Builder::new().name("connector".to_owned()).spawn(move || {
            let mut connector = connector;
            // It ends with the machine's end, which this process keeps.
            while connector.turn().is_ok() {}
        })
    })
    .map(|_| machines)
}

/// The rest is for what the parent has to do.
fn most_under_way() -> usize {
    let open = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    open.map_or(MOST_UNDER_WAY, |open| {
        usize::try_from(open / 4).unwrap_or(MOST_UNDER_WAY).min(MOST_UNDER_WAY)
    })
}

struct Connector {
    machine: LineSocket,
    destinations: Vec<Destination>,
    life: u64,
    under_way: HashMap<u64, UnderWay>,
    /// Of connections.
    shares: Shares,
    names: Names,
}

struct UnderWay {
    owner: u64,
    socket: OwnedFd,
    to: SocketAddr,
    until: Instant,
}

impl Connector {
    /// Waits until something has happened, and does what follows from it.
    fn turn(&mut self) -> io::Result<()> {
        let ready = self.wait()?;
        self.settle(&ready)?;
        self.machine.flush()?;
        while self.machine.output_bytes() < MOST_UNREAD {
            match self.machine.fill()? {
                Filled::Some => {}
                Filled::Nothing => break,
                Filled::Closed => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
            while let Some(Request { life, wanted }) = self.machine.next()? {
                if life != self.life {
                    self.life = life;
                    self.under_way.drain().for_each(|(_, one)| self.shares.give_back(one.owner));
                    self.names.forget();
                }
                self.hear(wanted)?;
            }
        }
        self.machine.flush()
    }

    fn hear(&mut self, wanted: Wanted) -> io::Result<()> {
        match wanted {
            Wanted::Connection { number, owner, to } => match self.begin(owner, to) {
                Ok(one) => {
                    if let Some(before) = self.under_way.insert(number, one) {
                        self.shares.give_back(before.owner);
                    }
                    Ok(())
                }
                Err(error) => self.say(number, Err(error.into())),
            },
            Wanted::Addresses { number, owner, name } => match self.names.ask(number, owner, name) {
                Ok(()) => Ok(()),
                Err(error) => self.say(number, Err(error.into())),
            },
            Wanted::Nothing { number } => {
                self.end(number);
                self.names.give_up(number);
                Ok(())
            }
        }
    }

    /// Waits until there is something to do; the numbers of those of which it is known what became of them.
    fn wait(&self) -> io::Result<Vec<u64>> {
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::OUT, self.machine.has_output());
        flags.set(PollFlags::IN, self.machine.output_bytes() < MOST_UNREAD);
        let mut waited =
            vec![PollFd::new(&self.machine, flags), PollFd::new(self.names.bell(), PollFlags::IN)];
        let others = waited.len();
        waited.extend(self.under_way.values().map(|one| PollFd::new(&one.socket, PollFlags::OUT)));
        let until = self.under_way.values().map(|one| one.until).chain(self.names.until()).min();
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let left = left.map(|left| Timespec {
            // No longer than a minute.
            tv_sec: left.as_secs().cast_signed(),
            tv_nsec: left.subsec_nanos().into(),
        });
        match poll(&mut waited, left.as_ref()) {
            Ok(_) => {
                let ready = waited.iter().skip(others).map(|one| !one.revents().is_empty());
                let numbers = self.under_way.keys().zip(ready).filter(|(_, is_ready)| *is_ready);
                Ok(numbers.map(|(number, _)| *number).collect())
            }
            Err(Errno::INTR) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether an address is one of those that may be reached. One of version 4 in one of version 6 is reached as what it is.
    fn may_reach(&self, address: IpAddr) -> bool {
        self.destinations.iter().any(|destination| destination.contains(address.to_canonical()))
    }

    fn begin(&mut self, owner: u64, to: SocketAddr) -> Result<UnderWay, Errno> {
        let to = SocketAddr::new(to.ip().to_canonical(), to.port());
        if !self.may_reach(to.ip()) {
            return Err(Errno::PERM);
        }
        if !self.shares.take(owner) {
            return Err(Errno::NFILE);
        }
        match connecting(to) {
            Ok(socket) => Ok(UnderWay { owner, socket, to, until: Instant::now() + PATIENCE }),
            Err(error) => {
                self.shares.give_back(owner);
                Err(error)
            }
        }
    }

    /// It is not under way any more.
    fn end(&mut self, number: u64) -> Option<UnderWay> {
        self.under_way.remove(&number).inspect(|one| self.shares.give_back(one.owner))
    }

    /// Tells of those of which it is known what became of them, and of those that have had their time.
    fn settle(&mut self, ready: &[u64]) -> io::Result<()> {
        for number in ready {
            if let Some(one) = self.end(*number) {
                self.say(*number, one.outcome().map_err(Failure::from).map(Made::Connection))?;
            }
        }
        let now = Instant::now();
        let late: Vec<u64> =
            self.under_way.iter().filter(|(_, one)| one.until <= now).map(|(number, _)| *number).collect();
        for number in late {
            self.end(number);
            self.say(number, Err(Errno::TIMEDOUT.into()))?;
        }
        for (number, found) in self.names.settle(now) {
            let addresses = found.and_then(|found| self.permitted(found));
            self.say(number, addresses.map(Made::Addresses))?;
        }
        Ok(())
    }

    /// The addresses that may be reached.
    fn permitted(&self, mut found: Vec<IpAddr>) -> Result<Vec<IpAddr>, Failure> {
        found.retain(|address| self.may_reach(*address));
        if found.is_empty() { Err(Errno::PERM.into()) } else { Ok(found) }
    }

    fn say(&mut self, number: u64, made: Result<Made, Failure>) -> io::Result<()> {
        let (answer, descriptors) = match made {
            Ok(Made::Connection(socket)) => {
                // The machine's ring waits for its sockets itself.
                rustix::io::ioctl_fionbio(&socket, false)?;
                (Ok(Answer::Connection), vec![socket])
            }
            Ok(Made::Addresses(addresses)) => (Ok(Answer::Addresses(addresses)), Vec::new()),
            Err(failure) => (Err(failure), Vec::new()),
        };
        self.machine.queue(&Outcome { life: self.life, number, answer }, descriptors)
    }
}

/// What a machine is given.
enum Made {
    Connection(OwnedFd),
    Addresses(Vec<IpAddr>),
}

/// A socket that connects.
fn connecting(to: SocketAddr) -> Result<OwnedFd, Errno> {
    let family = if to.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
    prepare(&socket)?;
    match rustix::net::connect(&socket, &to) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(socket),
        Err(error) => Err(error),
    }
}

impl UnderWay {
    /// What became of it.
    fn outcome(self) -> Result<OwnedFd, Errno> {
        sockopt::socket_error(&self.socket)??;
        // Linux learns only by this that who connects has heard of it. A socket that it takes for one that still connects could be connected elsewhere in the jail, once the
        // other end has reset it, by a `sendto` with `MSG_FASTOPEN`.
        match rustix::net::connect(&self.socket, &self.to) {
            Ok(()) | Err(Errno::ISCONN) => Ok(self.socket),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, TcpListener, TcpStream};
    use std::os::fd::AsFd;

    use super::*;

    fn machine(destinations: &[&str]) -> LineSocket {
        machine_with(destinations, MOST_UNDER_WAY)
    }

    fn machine_with(destinations: &[&str], most: usize) -> LineSocket {
        let destinations = destinations.iter().map(|text| text.parse().unwrap()).collect();
        let names = Names::new(names::PATIENCE, names::ask_library).unwrap();
        let end = begin(destinations, names, most).unwrap();
        LineSocket::new(end, Descriptors::Accept, REQUEST_LIMIT_BYTES)
    }

    /// A connection for a program that has the badge 1.
    fn connection(number: u64, to: SocketAddr) -> Wanted {
        Wanted::Connection { number, owner: 1, to }
    }

    fn failed(number: u64, error: Errno) -> Outcome {
        Outcome { life: 3, number, answer: Err(error.into()) }
    }

    fn ask(machine: &mut LineSocket, wanted: Wanted) {
        machine.queue(&Request { life: 3, wanted }, Vec::new()).unwrap();
        machine.flush().unwrap();
    }

    fn outcome(machine: &mut LineSocket) -> Outcome {
        loop {
            if let Some(outcome) = machine.next().unwrap() {
                return outcome;
            }
            poll(&mut [PollFd::new(&machine.as_fd(), PollFlags::IN)], None).unwrap();
            machine.fill().unwrap();
        }
    }

    #[test]
    fn a_machine_gets_connections_to_where_it_may_and_to_nowhere_else() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let to = listener.local_addr().unwrap();
        let mut machine = machine(&["127.0.0.0/8"]);
        ask(&mut machine, connection(7, to));
        assert_eq!(outcome(&mut machine), Outcome { life: 3, number: 7, answer: Ok(Answer::Connection) });
        let mut stream = TcpStream::from(machine.take_descriptors(1).unwrap().remove(0));
        let (mut peer, _) = listener.accept().unwrap();
        peer.write_all(b"hello").unwrap();
        let mut heard = [0; 5];
        stream.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"hello");
        // Nobody listens there any more.
        drop(listener);
        ask(&mut machine, connection(8, to));
        assert_eq!(outcome(&mut machine), failed(8, Errno::CONNREFUSED));
        for (number, to) in [(9, "[::1]:9"), (10, "192.0.2.1:9"), (11, "[::ffff:192.0.2.1]:9")] {
            ask(&mut machine, connection(number, to.parse().unwrap()));
            assert_eq!(outcome(&mut machine), failed(number, Errno::PERM), "{to}");
        }
        assert_eq!(machine.untaken_descriptors(), 0);
    }

    /// A port whose queue is full: Linux answers nobody there.
    struct Silent {
        to: SocketAddr,
        _held: (TcpListener, TcpStream),
    }

    impl Silent {
        fn new() -> Self {
            let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
            rustix::net::bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
            rustix::net::listen(&socket, 0).unwrap();
            let listener = TcpListener::from(socket);
            let to = listener.local_addr().unwrap();
            Self { to, _held: (listener, TcpStream::connect(to).unwrap()) }
        }
    }

    #[test]
    fn who_is_not_heard_of_holds_up_nobody_and_can_be_given_up() {
        let silent = Silent::new();
        let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut machine = machine(&["127.0.0.1/32"]);
        for number in 0..4 {
            ask(&mut machine, connection(number, silent.to));
        }
        ask(&mut machine, connection(9, other.local_addr().unwrap()));
        assert_eq!(outcome(&mut machine).number, 9);
        for number in 0..4 {
            ask(&mut machine, Wanted::Nothing { number });
        }
        ask(&mut machine, connection(10, other.local_addr().unwrap()));
        assert_eq!(outcome(&mut machine).number, 10);
    }

    #[test]
    fn who_connects_to_nobody_again_and_again_leaves_room_for_others() {
        let silent = Silent::new();
        let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut machine = machine_with(&["127.0.0.1/32"], 16);
        for number in 0..16 {
            ask(&mut machine, connection(number, silent.to));
        }
        for number in 8..16 {
            assert_eq!(outcome(&mut machine), failed(number, Errno::NFILE));
        }
        let to = other.local_addr().unwrap();
        for number in 16..116 {
            ask(&mut machine, Wanted::Connection { number, owner: 2, to });
            assert_eq!(outcome(&mut machine).answer, Ok(Answer::Connection));
            drop(machine.take_descriptors(1).unwrap());
            ask(&mut machine, connection(number, to));
            assert_eq!(outcome(&mut machine), failed(number, Errno::NFILE), "it has its share yet");
        }
        // What is given up, and what another life has asked for, is nobody's.
        ask(&mut machine, Wanted::Nothing { number: 0 });
        ask(&mut machine, connection(200, to));
        assert_eq!(outcome(&mut machine).answer, Ok(Answer::Connection));
        for life in 4..9 {
            for number in 0..8 {
                let wanted = connection(number, silent.to);
                machine.queue(&Request { life, wanted }, Vec::new()).unwrap();
            }
            let wanted = Wanted::Connection { number: 8, owner: 2, to };
            machine.queue(&Request { life, wanted }, Vec::new()).unwrap();
            machine.flush().unwrap();
            assert_eq!(outcome(&mut machine), Outcome { life, number: 8, answer: Ok(Answer::Connection) });
        }
    }

    #[test]
    fn a_machine_gets_addresses_of_names_that_it_may_reach_and_no_others() {
        let addresses = |destinations: &[&str], name: &str| {
            let mut machine = machine(destinations);
            ask(&mut machine, Wanted::Addresses { number: 5, owner: 1, name: name.to_owned() });
            let Outcome { life: 3, number: 5, answer } = outcome(&mut machine) else { panic!("another's") };
            answer
        };
        let own = Ok(Answer::Addresses(vec![Ipv4Addr::LOCALHOST.into()]));
        assert_eq!(addresses(&["127.0.0.0/8"], "localhost"), own);
        assert_eq!(addresses(&["10.0.0.0/8"], "localhost"), Err(Errno::PERM.into()));
        assert_eq!(addresses(&["127.0.0.0/8"], "a b"), Err(Failure::NoAddress));
        // Names that nobody wants any more are not told of.
        let mut machine = machine(&["127.0.0.0/8"]);
        ask(&mut machine, Wanted::Addresses { number: 6, owner: 1, name: "localhost".to_owned() });
        ask(&mut machine, Wanted::Nothing { number: 6 });
        ask(&mut machine, Wanted::Addresses { number: 7, owner: 1, name: "localhost".to_owned() });
        let mut told = outcome(&mut machine).number;
        // The first may have been quicker than that.
        if told == 6 {
            told = outcome(&mut machine).number;
        }
        assert_eq!(told, 7);
    }

    #[test]
    fn a_connection_that_is_over_is_connected_nowhere_else() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let elsewhere = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        elsewhere.set_nonblocking(true).unwrap();
        let mut machine = machine(&["127.0.0.0/8"]);
        ask(&mut machine, connection(1, listener.local_addr().unwrap()));
        assert_eq!(outcome(&mut machine).answer, Ok(Answer::Connection));
        let socket = machine.take_descriptors(1).unwrap().remove(0);
        // The other end resets it.
        let (peer, _) = listener.accept().unwrap();
        sockopt::set_socket_linger(&peer, Some(Duration::ZERO)).unwrap();
        drop(peer);
        let mut stream = TcpStream::from(socket);
        assert!(stream.read(&mut [0]).is_err());
        let to = elsewhere.local_addr().unwrap();
        for _ in 0..3 {
            // `MSG_FASTOPEN`, which rustix does not name.
            let flags = rustix::net::SendFlags::from_bits_retain(0x2000_0000);
            let _ = rustix::net::sendto(&stream, b"x", flags, &to);
        }
        std::thread::sleep(Duration::from_millis(20));
        assert!(elsewhere.accept().is_err(), "it was connected elsewhere");
    }

    #[test]
    fn a_machine_that_begins_anew_hears_nothing_of_what_the_one_before_has_asked_for() {
        let (silent, other) = (Silent::new(), TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
        let mut machine = machine(&["127.0.0.1/32"]);
        let say = |machine: &mut LineSocket, life, number, to| {
            machine.queue(&Request { life, wanted: connection(number, to) }, Vec::new()).unwrap();
            machine.flush().unwrap();
        };
        say(&mut machine, 1, 5, silent.to);
        say(&mut machine, 2, 5, other.local_addr().unwrap());
        assert_eq!(outcome(&mut machine), Outcome { life: 2, number: 5, answer: Ok(Answer::Connection) });
    }
}
