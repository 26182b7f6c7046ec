//! Connections to elsewhere, for a machine that is jailed and can make none: the parent connects where it may, and passes the connected sockets on.
//!
//! Machine and parent have a socket between them, over which the machine asks by JSON lines and is answered in any order. What may be reached was said when the machine was started;
//! the parent looks at each destination itself, so no code in the machine, however broken, reaches another one.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
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

/// How long the other end may say nothing.
const PATIENCE: Duration = Duration::from_secs(60);
/// Connections under way at a time, or a quarter of what this process may have open, if that is less.
const MOST_UNDER_WAY: usize = 1_024;
/// Bytes of answers that the machine has not read: until it has, nothing more is read of it.
const MOST_UNREAD: usize = 4 << 10;

/// What a machine asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    /// A number of the machine process's own. With another one all is over that the process before it has asked for.
    pub life: u64,
    /// What it wants.
    pub wanted: Wanted,
}

/// What a machine wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Wanted {
    /// A connection to there, under a number of its choice.
    Connection { number: u64, to: SocketAddr },
    /// Not any more.
    Nothing { number: u64 },
}

/// What became of a connection. Without an error its socket comes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// Of the process that has asked.
    pub life: u64,
    /// The number that it was asked for by.
    pub number: u64,
    /// Linux's number of what is wrong: `EPERM` if it may not be reached, `ENFILE` if too many are under way.
    pub error: Option<i32>,
}

/// Starts to connect to these destinations, as long as this process runs; the machine's end.
///
/// # Errors
/// When Linux refuses the sockets or the thread.
pub fn connect_to(destinations: Vec<Destination>) -> io::Result<OwnedFd> {
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
        most: most_under_way(),
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
    most: usize,
}

struct UnderWay {
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
                    self.under_way.clear();
                }
                match wanted {
                    Wanted::Connection { number, to } => match self.begin(to) {
                        Ok(under_way) => _ = self.under_way.insert(number, under_way),
                        Err(error) => self.say(number, Err(error))?,
                    },
                    Wanted::Nothing { number } => _ = self.under_way.remove(&number),
                }
            }
        }
        self.machine.flush()
    }

    /// Waits until there is something to do; the numbers of those of which it is known what became of them.
    fn wait(&self) -> io::Result<Vec<u64>> {
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::OUT, self.machine.has_output());
        flags.set(PollFlags::IN, self.machine.output_bytes() < MOST_UNREAD);
        let mut waited = vec![PollFd::new(&self.machine, flags)];
        waited.extend(self.under_way.values().map(|one| PollFd::new(&one.socket, PollFlags::OUT)));
        let until = self.under_way.values().map(|one| one.until).min();
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let left = left.map(|left| Timespec {
            // No longer than a minute.
            tv_sec: left.as_secs().cast_signed(),
            tv_nsec: left.subsec_nanos().into(),
        });
        match poll(&mut waited, left.as_ref()) {
            Ok(_) => {
                let ready = waited.iter().skip(1).map(|one| !one.revents().is_empty());
                let numbers = self.under_way.keys().zip(ready).filter(|(_, is_ready)| *is_ready);
                Ok(numbers.map(|(number, _)| *number).collect())
            }
            Err(Errno::INTR) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    fn begin(&self, to: SocketAddr) -> Result<UnderWay, Errno> {
        // An address of version 4 in one of version 6 is reached as what it is.
        let to = SocketAddr::new(to.ip().to_canonical(), to.port());
        if !self.destinations.iter().any(|destination| destination.contains(to.ip())) {
            return Err(Errno::PERM);
        }
        if self.under_way.len() >= self.most {
            return Err(Errno::NFILE);
        }
        let family = if to.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
        prepare(&socket)?;
        match rustix::net::connect(&socket, &to) {
            Ok(()) | Err(Errno::INPROGRESS) => Ok(UnderWay { socket, to, until: Instant::now() + PATIENCE }),
            Err(error) => Err(error),
        }
    }

    /// Tells of those of which it is known what became of them, and of those that have had their time.
    fn settle(&mut self, ready: &[u64]) -> io::Result<()> {
        for number in ready {
            if let Some(one) = self.under_way.remove(number) {
                self.say(*number, one.outcome())?;
            }
        }
        let now = Instant::now();
        let late: Vec<u64> =
            self.under_way.iter().filter(|(_, one)| one.until <= now).map(|(number, _)| *number).collect();
        for number in late {
            self.under_way.remove(&number);
            self.say(number, Err(Errno::TIMEDOUT))?;
        }
        Ok(())
    }

    fn say(&mut self, number: u64, outcome: Result<OwnedFd, Errno>) -> io::Result<()> {
        let life = self.life;
        match outcome {
            Ok(socket) => {
                // The machine's ring waits for its sockets itself.
                rustix::io::ioctl_fionbio(&socket, false)?;
                self.machine.queue(&Outcome { life, number, error: None }, vec![socket])
            }
            Err(error) => {
                self.machine.queue(&Outcome { life, number, error: Some(error.raw_os_error()) }, Vec::new())
            }
        }
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
        let destinations = destinations.iter().map(|text| text.parse().unwrap()).collect();
        LineSocket::new(connect_to(destinations).unwrap(), Descriptors::Accept, REQUEST_LIMIT_BYTES)
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
        ask(&mut machine, Wanted::Connection { number: 7, to });
        assert_eq!(outcome(&mut machine), Outcome { life: 3, number: 7, error: None });
        let mut stream = TcpStream::from(machine.take_descriptors(1).unwrap().remove(0));
        let (mut peer, _) = listener.accept().unwrap();
        peer.write_all(b"hello").unwrap();
        let mut heard = [0; 5];
        stream.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"hello");
        // Nobody listens there any more.
        drop(listener);
        ask(&mut machine, Wanted::Connection { number: 8, to });
        let refused = Errno::CONNREFUSED.raw_os_error();
        assert_eq!(outcome(&mut machine), Outcome { life: 3, number: 8, error: Some(refused) });
        for (number, to) in [(9, "[::1]:9"), (10, "192.0.2.1:9"), (11, "[::ffff:192.0.2.1]:9")] {
            ask(&mut machine, Wanted::Connection { number, to: to.parse().unwrap() });
            let not_permitted = Errno::PERM.raw_os_error();
            assert_eq!(
                outcome(&mut machine),
                Outcome { life: 3, number, error: Some(not_permitted) },
                "{to}"
            );
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
            ask(&mut machine, Wanted::Connection { number, to: silent.to });
        }
        ask(&mut machine, Wanted::Connection { number: 9, to: other.local_addr().unwrap() });
        assert_eq!(outcome(&mut machine).number, 9);
        for number in 0..4 {
            ask(&mut machine, Wanted::Nothing { number });
        }
        ask(&mut machine, Wanted::Connection { number: 10, to: other.local_addr().unwrap() });
        assert_eq!(outcome(&mut machine).number, 10);
    }

    #[test]
    fn a_connection_that_is_over_is_connected_nowhere_else() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let elsewhere = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        elsewhere.set_nonblocking(true).unwrap();
        let mut machine = machine(&["127.0.0.0/8"]);
        ask(&mut machine, Wanted::Connection { number: 1, to: listener.local_addr().unwrap() });
        assert_eq!(outcome(&mut machine).error, None);
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
            machine.queue(&Request { life, wanted: Wanted::Connection { number, to } }, Vec::new()).unwrap();
            machine.flush().unwrap();
        };
        say(&mut machine, 1, 5, silent.to);
        say(&mut machine, 2, 5, other.local_addr().unwrap());
        assert_eq!(outcome(&mut machine), Outcome { life: 2, number: 5, error: None });
    }
}
