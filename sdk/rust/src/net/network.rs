//! A network: what sockets are made of.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use super::bell::Shared;
use super::{Echoes, Problem, TcpListener, TcpStream, UdpSocket, lookup, protocol};
use crate::stub::{Own, Resource};
use crate::task::Events;
use crate::{Deadline, Endpoint, Error, Start, space};

/// How long the service may take for a call: it does not wait for anybody's network, so only one that is stuck takes as long.
const PATIENCE: Duration = Duration::from_secs(10);

/// A network that was granted.
#[derive(Clone, Debug)]
pub struct Network<'e>(Rc<Shared<'e>>);

/// When a call of the service is given up.
pub(super) fn patience() -> Result<Deadline, Error> {
    Deadline::after(PATIENCE)
}

/// A capability of a socket that nobody uses any more.
pub(super) fn delete(socket: impl Resource) {
    // If there is none, there is nothing to delete.
    let _ = space::delete(Endpoint::from_handle(socket.capability()));
}

impl<'e> Network<'e> {
    /// The network that was granted under this name (SEND and WATCH). Its sockets wait with these events.
    ///
    /// # Errors
    ///
    /// [`Error::BadHandle`], which the log explains, if nothing was; [`Error::BudgetExhausted`], [`Error::TableFull`], [`Error::SpaceFull`].
    pub fn granted(start: &Start<'_>, name: &str, events: &'e Events) -> Result<Self, Error> {
        Self::over(start.grant(name)?, events)
    }

    /// The network that this capability stands for.
    ///
    /// # Errors
    ///
    /// As [`granted`](Self::granted).
    pub fn over(endpoint: Endpoint, events: &'e Events) -> Result<Self, Error> {
        Shared::new(events, endpoint).map(|shared| Self(Rc::new(shared)))
    }

    /// Forgets a service that has ended: what is opened from now on is of its next life. Sockets of the last one are to be dropped before.
    ///
    /// # Errors
    ///
    /// [`Error::Killed`].
    pub fn renew(&self) -> Result<(), Error> {
        self.0.renew()
    }

    fn stub(&self) -> Result<protocol::Network, Problem> {
        self.0.check()?;
        Ok(protocol::Network(self.0.endpoint))
    }

    /// Listens on a TCP port of all of the service's addresses. So many connections may wait to be accepted, 1 to 64; more are refused.
    ///
    /// # Errors
    ///
    /// [`Refusal::NotPermitted`](protocol::Refusal::NotPermitted), [`Refusal::InUse`](protocol::Refusal::InUse),
    /// [`Refusal::Full`](protocol::Refusal::Full), [`Refusal::Invalid`](protocol::Refusal::Invalid); [`Problem::Lost`]; those of a call.
    pub fn listen(&self, port: u16, backlog: u16) -> Result<TcpListener<'e>, Problem> {
        let Own(listener) = self.stub()?.listen(port, backlog, patience()?)??;
        TcpListener::new(&self.0, listener)
    }

    /// Connects to a TCP port, and waits until the connection is there.
    ///
    /// # Errors
    ///
    /// [`Refusal::Reset`](protocol::Refusal::Reset) if nobody listens there, or nobody answers for a minute; those of [`listen`](Self::listen), and
    /// [`Refusal::Unreachable`](protocol::Refusal::Unreachable).
    pub async fn connect(&self, to: SocketAddr) -> Result<TcpStream<'e>, Problem> {
        let Own(connection) = self.stub()?.connect(to.into(), patience()?)??;
        let mut stream = TcpStream::new(&self.0, connection, to)?;
        stream.connected().await?;
        Ok(stream)
    }

    /// Takes a UDP port of all of the service's addresses; 0: one that is free, to send from.
    ///
    /// # Errors
    ///
    /// Those of [`listen`](Self::listen).
    pub fn bind(&self, port: u16) -> Result<UdpSocket<'e>, Problem> {
        let Own(datagrams) = self.stub()?.bind(port, patience()?)??;
        UdpSocket::new(&self.0, datagrams)
    }

    /// The addresses of a name, at least one; those of version 4 first. A name that is an address has itself. As long as it takes: every server of names is
    /// waited for ten seconds, and [`Events::with_deadline`] says less.
    ///
    /// # Errors
    ///
    /// [`Refusal::NoServer`](protocol::Refusal::NoServer), [`Refusal::NoAddress`](protocol::Refusal::NoAddress),
    /// [`Refusal::NoAnswer`](protocol::Refusal::NoAnswer); [`Refusal::NotPermitted`](protocol::Refusal::NotPermitted) if the servers of names may not be
    /// reached, or, over ports of the host, none of its addresses; [`Refusal::Full`](protocol::Refusal::Full), [`Refusal::Invalid`](protocol::Refusal::Invalid),
    /// [`Refusal::Unreachable`](protocol::Refusal::Unreachable); [`Problem::Lost`]; those of a call.
    pub async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, Problem> {
        let mut room = [0; lookup::NAME_BYTES];
        let Own(lookup) = self.stub()?.resolve(name, &mut room, patience()?)??;
        lookup::addresses(&self.0, lookup).await
    }

    /// What pings one address.
    ///
    /// # Errors
    ///
    /// Those of [`connect`](Self::connect), but for `Reset`.
    pub fn ping(&self, to: IpAddr) -> Result<Echoes<'e>, Problem> {
        let Own(echoes) = self.stub()?.ping(to.into(), patience()?)??;
        Echoes::new(&self.0, echoes)
    }

    /// What has gone over the link since the service began this life.
    ///
    /// # Errors
    ///
    /// [`Problem::Lost`]; those of a call.
    pub fn traffic(&self) -> Result<protocol::Traffic, Problem> {
        Ok(self.stub()?.traffic(patience()?)?)
    }

    /// The socket with the least number above this one: of those that this cell has made, or of all where the system says so. They are told one by one,
    /// from 0 on.
    ///
    /// # Errors
    ///
    /// [`Problem::Lost`]; those of a call.
    pub fn usage(&self, above: u64) -> Result<Option<protocol::Usage>, Problem> {
        Ok(self.stub()?.usage(above, patience()?)?)
    }

    /// Has what was written to sockets sent, and what has come for them told, before it returns. Whoever waits gives the service its time by that; who computes for long
    /// on the same core, and is of a higher priority, gives it none until it asks for this.
    ///
    /// # Errors
    ///
    /// [`Problem::Lost`]; those of a call.
    pub fn flush(&self) -> Result<(), Problem> {
        Ok(self.stub()?.flush(patience()?)?)
    }
}
