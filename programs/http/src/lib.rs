//! Serves the files of a directory over HTTP/1.1 ([docs/http.md](../../../docs/http.md)).
//!
//! Granted: `net`, a network that allows its port (SEND and WATCH); a directory (`dir:…`) and `clock` (SEND), which the key `dirs` gives; `machine`
//! (SEND), if what it says of the machine is wanted. Arguments: those that `settings` has. When the network service ends, it listens anew on the next one.
//!
//! All is done by one thread: a task for each connection, and one that looks whose time is over. Whatever waits, for a client or for a file, keeps nobody else waiting.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod cache;
mod connection;
mod file;
mod machine;
mod server;
mod settings;
mod site;
mod watch;

use core::time::Duration;

use hallows::abi::MAX_MESSAGE;
use hallows::net::protocol::Refusal;
use hallows::net::{Network, Problem};
use hallows::task::{Either, Events, race, scope};
use hallows::{Error, Start, log, println};

use crate::server::Server;
use crate::settings::Settings;

/// Connections that may wait until the program has time for them.
const BACKLOG: u16 = 64;
/// How long to wait before a service that does not run, or is full, is asked again.
const PAUSE: Duration = Duration::from_millis(20);

/// Serves until the network service ends, or says that something cannot be.
async fn serve(network: &Network<'_>, server: &Server<'_>) -> Result<(), Problem> {
    let port = server.settings.port;
    let mut listener = network.listen(port, BACKLOG)?;
    println!("serves files on port {port}");
    scope(async |scope| {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    while server.watch.is_full() {
                        // Who has nothing under way makes room; where nobody is idle, whoever ends next does.
                        server.displace();
                        server.events.sleep(PAUSE).await?;
                    }
                    // Counted at once: a task begins only when this one waits.
                    let watched = server.watch.enter(server.now()?.machine.plus(server.settings.idle));
                    scope.spawn(connection::serve(stream, peer, watched, server));
                }
                // There is no room for one more: some will end.
                Err(Problem::Refused(Refusal::Full)) => server.events.sleep(PAUSE).await?,
                // Connections are not ended, they end: each is told the same, and gives back what it has.
                Err(problem) => return Err(problem),
            }
        }
    })
    .await
}

/// Serves on one life of the network service after the other.
async fn listen(network: &Network<'_>, server: &Server<'_>) -> Result<(), Error> {
    loop {
        match serve(network, server).await {
            Err(Problem::Lost) => {}
            Err(Problem::Call(Error::Killed)) => return Err(Error::Killed),
            Err(problem) => {
                log!("port {}: {problem}", server.settings.port);
                return Err(problem.into());
            }
            Ok(()) => return Ok(()),
        }
        network.renew()?;
        server.events.sleep(PAUSE).await?;
    }
}

#[hallows::main]
fn main(start: Start<'_>) -> Result<Result<(), Error>, Error> {
    let settings = Settings::read(&start)?;
    // A directory's names come in answers as long as any.
    let events = Events::with_room(MAX_MESSAGE as usize);
    events.block_on(async {
        let server = Server::new(&start, &events, settings)?;
        let network = Network::granted(&start, "net", &events)?;
        match race(listen(&network, &server), server.look_after()).await {
            Either::First(ended) | Either::Second(ended) => ended,
        }
    })
}
