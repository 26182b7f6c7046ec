//! Bulk data over TCP: both ends of `hallows bench stream`.
//!
//! Granted: `net`, a network (SEND and WATCH) that allows the port, or the other end. Arguments: `do=discard` listens on `port=N` (7), reads all connections
//! and looks at nothing, and prints once how many bytes came in the first `milliseconds=N` (500), counted from the first one, and how many nanoseconds those
//! were. `do=send` opens `streams=N` (1) connections to `to=ADDRESS:PORT` and writes to all of them until it is ended.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;
use core::cell::Cell;
use core::net::SocketAddr;
use core::time::Duration;

use hallows::net::{Network, Problem, TcpStream};
use hallows::task::{Events, scope};
use hallows::{Error, Start, log, println, process};

/// Connections that may wait until the program has time for them.
const BACKLOG: u16 = 64;
/// Bytes that are read or written at once: all that a connection's buffer holds.
const PIECE: usize = 64 << 10;

static BYTES: [u8; PIECE] = [0xa5; PIECE];

/// What has come over all connections.
struct Heard {
    bytes: Cell<u64>,
    /// When the first byte came, in nanoseconds of the machine.
    since: Cell<Option<u64>>,
    lasts_ns: u64,
    is_told: Cell<bool>,
}

impl Heard {
    fn take(&self, bytes: usize) -> Result<(), Error> {
        let now = process::now()?;
        let since = self.since.get().unwrap_or(now);
        self.since.set(Some(since));
        self.bytes.set(self.bytes.get() + bytes as u64);
        let passed = now.saturating_sub(since);
        if passed >= self.lasts_ns && !self.is_told.replace(true) {
            println!("bench: discarded {} {passed}", self.bytes.get());
        }
        Ok(())
    }
}

async fn discard(mut stream: TcpStream<'_>, heard: &Heard) -> Result<(), Problem> {
    loop {
        match stream.receive(PIECE).await?.len() {
            0 => return Ok(()),
            bytes => heard.take(bytes)?,
        }
    }
}

/// Discards what all connections say.
async fn listen(network: &Network<'_>, port: u16, lasts: Duration) -> Result<(), Problem> {
    let mut listener = network.listen(port, BACKLOG)?;
    let heard = Heard {
        bytes: Cell::new(0),
        since: Cell::new(None),
        lasts_ns: u64::try_from(lasts.as_nanos()).unwrap_or(u64::MAX),
        is_told: Cell::new(false),
    };
    let heard = &heard;
    println!("bench: discards");
    scope(async |scope| {
        loop {
            let (stream, peer) = listener.accept().await?;
            scope.spawn(async move {
                if let Err(problem) = discard(stream, heard).await {
                    log!("{peer}: {problem}");
                }
            });
        }
    })
    .await
}

async fn write(mut stream: TcpStream<'_>) -> Result<(), Problem> {
    loop {
        stream.write(&BYTES).await?;
    }
}

/// Writes to so many connections.
async fn send(network: &Network<'_>, to: SocketAddr, streams: usize) -> Result<(), Problem> {
    let mut connections = Vec::with_capacity(streams);
    for _ in 0..streams {
        connections.push(network.connect(to).await?);
    }
    scope(async move |scope| {
        let start = |stream| scope.spawn(write(stream));
        let tasks: Vec<_> = connections.into_iter().map(start).collect();
        for task in tasks {
            task.await.map_err(Error::from)??;
        }
        Ok(())
    })
    .await
}

#[hallows::main]
async fn main(start: Start<'_>, events: &Events) -> Result<(), Error> {
    let network = Network::granted(&start, "net", events)?;
    let done = match start.info().setting("do") {
        Some("discard") => {
            let lasts = Duration::from_millis(start.setting("milliseconds", 500)?);
            listen(&network, start.setting("port", 7)?, lasts).await
        }
        Some("send") => {
            let Some(to) = start.info().setting("to").and_then(|text| text.parse().ok()) else {
                log!("say where to send: to=ADDRESS:PORT");
                return Err(Error::BadArgument);
            };
            send(&network, to, start.setting("streams", 1)?).await
        }
        _ => {
            log!("say what to do: do=discard, or do=send");
            return Err(Error::BadArgument);
        }
    };
    done.map_err(|problem| {
        log!("{problem}");
        problem.into()
    })
}
