//! Connections that are under way to elsewhere, and names that are asked for: the parent does both, since the jail lets no socket connect and nobody send.

use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;

use hallows_sdk::net::protocol::{Place, Refusal};
use rustix::io::Errno;

use crate::host::line_socket::{Descriptors, Filled, LineSocket, REQUEST_LIMIT_BYTES};
use crate::host::outgoing::{Answer, Failure, Outcome, Request, Wanted};
use crate::host::random;

/// A socket that is to be a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beginning {
    /// The other end.
    pub to: Place,
    /// Why it will be none.
    pub failed: Option<Refusal>,
}

/// What the parent has made.
#[derive(Debug)]
pub(super) enum Made {
    /// A connection.
    Connection(OwnedFd),
    /// The addresses of a name.
    Addresses(Vec<IpAddr>),
}

/// Whom connections and addresses are asked of.
#[derive(Debug)]
pub(super) struct Outgoing {
    parent: LineSocket,
    /// Of this process: what the parent says of others is not for it.
    life: u64,
    /// Those of which nothing is known yet.
    under_way: HashSet<u64>,
}

impl Outgoing {
    /// Over this socket to the parent.
    pub fn over(parent: OwnedFd) -> Self {
        let mut life = [0; 8];
        random::fill(&mut life);
        Self {
            parent: LineSocket::new(parent, Descriptors::Accept, REQUEST_LIMIT_BYTES),
            life: u64::from_ne_bytes(life),
            under_way: HashSet::new(),
        }
    }

    /// Begins to connect, under a number that nothing else has, for whoever has this badge.
    pub fn connect(&mut self, number: u64, owner: u64, to: SocketAddr) -> Result<(), Refusal> {
        self.begin(number, Wanted::Connection { number, owner, to })
    }

    /// Begins to ask for the addresses of a name, likewise.
    pub fn resolve(&mut self, number: u64, owner: u64, name: &str) -> Result<(), Refusal> {
        self.begin(number, Wanted::Addresses { number, owner, name: name.to_owned() })
    }

    fn begin(&mut self, number: u64, wanted: Wanted) -> Result<(), Refusal> {
        self.ask(wanted).map_err(|_| Refusal::Unreachable)?;
        self.under_way.insert(number);
        Ok(())
    }

    /// Nobody wants it any more.
    pub fn give_up(&mut self, number: u64) {
        if self.under_way.remove(&number) {
            // Without a parent there will be nothing either.
            let _ = self.ask(Wanted::Nothing { number });
        }
    }

    /// Gives up all; their numbers.
    pub fn forget(&mut self) -> Vec<u64> {
        let numbers: Vec<u64> = self.under_way.iter().copied().collect();
        numbers.iter().for_each(|number| self.give_up(*number));
        numbers
    }

    fn ask(&mut self, wanted: Wanted) -> io::Result<()> {
        self.parent.queue(&Request { life: self.life, wanted }, Vec::new())?;
        self.parent.flush()
    }

    /// Whether something is to be waited for.
    pub fn waits(&self) -> bool {
        !self.under_way.is_empty()
    }

    /// Whether the parent has not taken all that was said to it.
    pub fn has_output(&self) -> bool {
        self.parent.has_output()
    }

    /// The next of which is known what became of it: of those that were given up, too.
    ///
    /// # Errors
    ///
    /// When the parent is gone, or says what makes no sense.
    pub fn next(&mut self) -> io::Result<Option<(u64, Result<Made, Refusal>)>> {
        loop {
            if let Some(Outcome { life, number, answer }) = self.parent.next()? {
                let made = match answer {
                    Err(failure) => Err(refusal(failure)),
                    // Linux keeps it if this process may have no more open.
                    Ok(Answer::Connection) => self
                        .parent
                        .take_descriptors(1)
                        .map_or(Err(Refusal::Full), |mut one| Ok(Made::Connection(one.remove(0)))),
                    Ok(Answer::Addresses(addresses)) => Ok(Made::Addresses(addresses)),
                };
                if life != self.life {
                    continue;
                }
                self.under_way.remove(&number);
                return Ok(Some((number, made)));
            }
            self.parent.flush()?;
            match self.parent.fill()? {
                Filled::Some => {}
                Filled::Nothing => return Ok(None),
                Filled::Closed => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
    }
}

/// Why there is nothing, in the words of the interface.
fn refusal(failure: Failure) -> Refusal {
    let error = match failure {
        Failure::Linux(error) => Errno::from_raw_os_error(error),
        Failure::NoAddress => return Refusal::NoAddress,
        Failure::NoAnswer => return Refusal::NoAnswer,
    };
    match error {
        Errno::PERM | Errno::ACCESS => Refusal::NotPermitted,
        Errno::NFILE | Errno::MFILE | Errno::NOBUFS | Errno::NOMEM | Errno::ADDRNOTAVAIL | Errno::AGAIN => {
            Refusal::Full
        }
        Errno::INVAL | Errno::AFNOSUPPORT => Refusal::Invalid,
        Errno::NETUNREACH | Errno::HOSTUNREACH | Errno::NETDOWN | Errno::HOSTDOWN => Refusal::Unreachable,
        _ => Refusal::Reset,
    }
}
