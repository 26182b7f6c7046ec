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
/// Connections under way at a time.
const MOST_UNDER_WAY: usize = 1_024;

/// What a machine asks for.
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
        under_way: HashMap::new(),
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

struct Connector {
    machine: LineSocket,
    destinations: Vec<Destination>,
    under_way: HashMap<u64, UnderWay>,
}

struct UnderWay {
    socket: OwnedFd,
    until: Instant,
}

impl Connector {
    /// Waits until something has happened, and does what follows from it.
    fn turn(&mut self) -> io::Result<()> {
        self.wait()?;
        loop {
            match self.machine.fill()? {
                Filled::Some => {}
                Filled::Nothing => break,
                Filled::Closed => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
            while let Some(wanted) = self.machine.next()? {
                match wanted {
                    Wanted::Connection { number, to } => match self.begin(to) {
                        Ok(socket) => {
                            let until = Instant::now() + PATIENCE;
                            self.under_way.insert(number, UnderWay { socket, until });
                        }
                        Err(error) => self.say(number, Err(error))?,
                    },
                    Wanted::Nothing { number } => _ = self.under_way.remove(&number),
                }
            }
        }
        self.settle()?;
        self.machine.flush()
    }

    fn wait(&self) -> io::Result<()> {
        let flags = if self.machine.has_output() { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN };
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
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn begin(&self, to: SocketAddr) -> Result<OwnedFd, Errno> {
        // An address of version 4 in one of version 6 is reached as what it is.
        let to = SocketAddr::new(to.ip().to_canonical(), to.port());
        if !self.destinations.iter().any(|destination| destination.contains(to.ip())) {
            return Err(Errno::PERM);
        }
        if self.under_way.len() >= MOST_UNDER_WAY {
            return Err(Errno::NFILE);
        }
        let family = if to.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
        prepare(&socket)?;
        match rustix::net::connect(&socket, &to) {
            Ok(()) | Err(Errno::INPROGRESS) => Ok(socket),
            Err(error) => Err(error),
        }
    }

    /// Tells of those of which it is known what became of them.
    fn settle(&mut self) -> io::Result<()> {
        let now = Instant::now();
        let known = |one: &UnderWay| {
            let mut looked = [PollFd::new(&one.socket, PollFlags::OUT)];
            let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
            match poll(&mut looked, Some(&at_once)) {
                Ok(0) | Err(_) => (one.until <= now).then_some(Err(Errno::TIMEDOUT)),
                Ok(_) => Some(sockopt::socket_error(&one.socket).and_then(|outcome| outcome)),
            }
        };
        let settled: Vec<_> =
            self.under_way.iter().filter_map(|(number, one)| Some((*number, known(one)?))).collect();
        for (number, outcome) in settled {
            let socket = self.under_way.remove(&number).map(|one| one.socket);
            self.say(number, outcome.and_then(|()| socket.ok_or(Errno::BADF)))?;
        }
        Ok(())
    }

    fn say(&mut self, number: u64, outcome: Result<OwnedFd, Errno>) -> io::Result<()> {
        match outcome {
            Ok(socket) => {
                // The machine's ring waits for its sockets itself.
                rustix::io::ioctl_fionbio(&socket, false)?;
                self.machine.queue(&Outcome { number, error: None }, vec![socket])
            }
            Err(error) => {
                self.machine.queue(&Outcome { number, error: Some(error.raw_os_error()) }, Vec::new())
            }
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
        machine.queue(&wanted, Vec::new()).unwrap();
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
        assert_eq!(outcome(&mut machine), Outcome { number: 7, error: None });
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
        assert_eq!(outcome(&mut machine), Outcome { number: 8, error: Some(refused) });
        for (number, to) in [(9, "[::1]:9"), (10, "192.0.2.1:9"), (11, "[::ffff:192.0.2.1]:9")] {
            ask(&mut machine, Wanted::Connection { number, to: to.parse().unwrap() });
            let not_permitted = Errno::PERM.raw_os_error();
            assert_eq!(outcome(&mut machine), Outcome { number, error: Some(not_permitted) }, "{to}");
        }
        assert_eq!(machine.untaken_descriptors(), 0);
    }

    #[test]
    fn who_is_not_heard_of_holds_up_nobody_and_can_be_given_up() {
        // A listener whose queue is full: Linux answers no more SYNs.
        let listener = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        rustix::net::bind(&listener, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        let silent: SocketAddr = rustix::net::getsockname(&listener).unwrap().try_into().unwrap();
        let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut machine = machine(&["127.0.0.1/32"]);
        for number in 0..4 {
            ask(&mut machine, Wanted::Connection { number, to: silent });
        }
        assert_eq!(outcome(&mut machine), Outcome { number: 0, error: None });
        ask(&mut machine, Wanted::Connection { number: 9, to: other.local_addr().unwrap() });
        assert_eq!(outcome(&mut machine).number, 9);
        for number in 0..4 {
            ask(&mut machine, Wanted::Nothing { number });
        }
        ask(&mut machine, Wanted::Connection { number: 10, to: other.local_addr().unwrap() });
        assert_eq!(outcome(&mut machine).number, 10);
    }
}
