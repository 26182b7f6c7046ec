//! Says back what it is told, over TCP and UDP on one port: the echo protocol (RFC 862).
//!
//! Granted: `net`, a network that allows its port (SEND and WATCH). Arguments: `port=N` (7), `patience=SECONDS` (60), after which a connection that
//! says nothing is closed, and `connections=N` (256), as many as have memory at once; others wait. When the network service ends, it listens anew on the next one.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec;
use core::cell::Cell;
use core::time::Duration;

use hallows::net::protocol::Refusal;
use hallows::net::{Network, Problem, TcpListener, TcpStream, UdpSocket};
use hallows::task::{Either, Events, race, scope};
use hallows::{Deadline, Error, Start, log, println};

/// Connections that may wait until the program has time for them.
const BACKLOG: u16 = 16;
/// Bytes that are read at once.
const PIECE: usize = 16 << 10;
/// The longest datagram.
const MOST_DATAGRAM: usize = 65_535;
/// How long to wait before a service that does not run is asked again.
const PAUSE: Duration = Duration::from_millis(20);

/// What its arguments say.
#[derive(Clone, Copy)]
struct Settings {
    port: u16,
    /// How long a connection may say nothing.
    patience: Duration,
    /// How many are served at once.
    connections: u32,
}

/// Says back what a connection says, until it says no more.
async fn converse(mut stream: TcpStream<'_>, events: &Events, patience: Duration) -> Result<u64, Problem> {
    let mut room = vec![0; PIECE];
    let mut said = 0;
    loop {
        let deadline = Deadline::after(patience)?;
        let length = events.with_deadline(deadline, stream.read(&mut room)).await??;
        if length == 0 {
            stream.finish()?;
            return Ok(said);
        }
        let piece = room.get(..length).unwrap_or_default();
        events.with_deadline(deadline, stream.write_all(piece)).await??;
        said += length as u64;
    }
}

async fn connections(
    mut listener: TcpListener<'_>,
    events: &Events,
    settings: Settings,
) -> Result<(), Problem> {
    let open = Cell::new(0);
    scope(async |scope| {
        loop {
            while open.get() >= settings.connections {
                events.sleep(PAUSE).await?;
            }
            let (stream, peer) = match listener.accept().await {
                Ok(accepted) => accepted,
                // There is no room for one more: some will end.
                Err(Problem::Refused(Refusal::Full)) => {
                    events.sleep(PAUSE).await?;
                    continue;
                }
                Err(problem) => {
                    scope.cancel();
                    return Err(problem);
                }
            };
            open.set(open.get() + 1);
            let open = &open;
            scope.spawn(async move {
                match converse(stream, events, settings.patience).await {
                    // Who resets his connection knows it.
                    Ok(_) | Err(Problem::Lost | Problem::Refused(Refusal::Reset)) => {}
                    Err(problem) => log!("{peer}: {problem}"),
                }
                open.set(open.get() - 1);
            });
        }
    })
    .await
}

async fn datagrams(mut socket: UdpSocket<'_>) -> Result<(), Problem> {
    let mut room = vec![0; MOST_DATAGRAM];
    loop {
        let (length, peer) = socket.receive_from(&mut room).await?;
        match socket.send_to(room.get(..length).unwrap_or_default(), peer).await {
            // A port that nobody can send to is its sender's mistake; what does not fit into a frame is not sent.
            Ok(()) | Err(Problem::Refused(_)) => {}
            Err(problem) => return Err(problem),
        }
    }
}

/// Serves until the network service ends, or says that something cannot be.
async fn serve(network: &Network<'_>, events: &Events, settings: Settings) -> Result<(), Problem> {
    let port = settings.port;
    let (listener, socket) = (network.listen(port, BACKLOG)?, network.bind(port)?);
    println!("echoes on port {port}");
    match race(connections(listener, events, settings), datagrams(socket)).await {
        Either::First(ended) | Either::Second(ended) => ended,
    }
}

#[hallows::main]
async fn main(start: Start<'_>, events: &Events) -> Result<(), Error> {
    let settings = Settings {
        port: start.setting("port", 7)?,
        patience: Duration::from_secs(start.setting("patience", 60)?),
        connections: start.setting("connections", 256)?,
    };
    let network = Network::granted(&start, "net", events)?;
    loop {
        match serve(&network, events, settings).await {
            Err(Problem::Lost) => {}
            Err(Problem::Call(Error::Killed)) => return Err(Error::Killed),
            Err(problem) => {
                log!("port {}: {problem}", settings.port);
                return Err(problem.into());
            }
            Ok(()) => return Ok(()),
        }
        network.renew()?;
        events.sleep(PAUSE).await?;
    }
}
