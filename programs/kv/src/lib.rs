//! A key-value server that speaks RESP over TCP, as redis does ([docs/kv.md](../../../docs/kv.md)).
//!
//! Granted: `net`, a network that allows its port (SEND and WATCH); `clock` (SEND), for times of day; a directory (`dir:…`), if `appendonly=yes`. Arguments: settings
//! by redis' names, as `port=6379`, `maxmemory=64mb`. When the network service ends, it listens anew on the next one; its keys stay.
//!
//! All is done by one thread: a task for each connection, one for work in pieces, one for the log. No piece of theirs takes long, so none has to wait for long.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod connection;
mod file;
mod rewrite;
mod server;
mod settings;
mod signal;

use core::time::Duration;

use hallows::net::{Network, Problem};
use hallows::task::{Either, Events, race, scope};
use hallows::{Error, Start, log, println};
use hallows_kv_engine::Seed;

use crate::file::Log;
use crate::server::Server;

/// Connections that may wait until the program has time for them.
const BACKLOG: u16 = 64;
/// How long to wait before a service that does not run, or is full, is asked again.
const PAUSE: Duration = Duration::from_millis(20);

/// Serves until the network service ends, or says that something cannot be.
async fn serve(network: &Network<'_>, server: &Server<'_>) -> Result<(), Problem> {
    let port = server.port();
    let mut listener = network.listen(port, BACKLOG)?;
    println!("serves keys on port {port}");
    scope(async |scope| {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    scope.spawn(connection::serve(stream, peer, server));
                }
                // There is no room for one more: some will end.
                Err(Problem::Refused(hallows::net::protocol::Refusal::Full)) => {
                    server.events.sleep(PAUSE).await?
                }
                Err(problem) => {
                    scope.cancel();
                    return Err(problem);
                }
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
                log!("port {}: {problem}", server.port());
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
    // What is read of a log comes in answers.
    let events = Events::with_room(file::ROOM);
    events.block_on(run(&start, &events))
}

async fn run(start: &Start<'_>, events: &Events) -> Result<(), Error> {
    let config = settings::read(start)?;
    let random = hallows::process::random()?;
    let (first, second) = random.split_at(8);
    let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
    let appends = config.append_only;
    let server = Server::new(start, events, config, Seed(number(first), number(second)))?;
    let log = if appends { Some(Log::open(start, &server)?) } else { None };
    let network = Network::granted(start, "net", events)?;
    let serving = async {
        match race(listen(&network, &server), server.work(&network)).await {
            Either::First(ended) | Either::Second(ended) => ended,
        }
    };
    match log {
        None => serving.await,
        Some(log) => match race(serving, log.write(&server)).await {
            Either::First(ended) | Either::Second(ended) => ended,
        },
    }
}
