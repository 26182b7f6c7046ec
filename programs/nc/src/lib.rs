//! Talks over TCP or UDP with one other end: says what its arguments say, and prints what comes.
//!
//! Granted: `net`, a network that allows the other end, or the port (SEND and WATCH). Arguments: `connect=ADDRESS:PORT` or `connect=NAME:PORT`, at the first of
//! its addresses that answers (over UDP: the first), or `listen=PORT`; `udp`;
//! `say=TEXT`, a line that is said; `times=N` (1), how often; `quiet`, to print how many bytes came and not what they are; `patience=SECONDS` (60), after
//! which it gives up. Over TCP it says no more when it has said that, and ends when the other end does the same. Over UDP it says each line in a datagram,
//! and ends when as many have come.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use hallows::net::protocol::Refusal;
use hallows::net::{Network, Problem, TcpStream};
use hallows::task::Events;
use hallows::{Deadline, Error, Start, log, println};

/// Bytes that are read at once.
const PIECE: usize = 16 << 10;
/// The longest datagram.
const MOST_DATAGRAM: usize = 65_535;

/// The other end.
enum End {
    Connect(Place),
    Listen(u16),
}

/// Where it is.
enum Place {
    Address(SocketAddr),
    Name(String, u16),
}

impl Place {
    fn of(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse() {
            return Some(Self::Address(address));
        }
        let (name, port) = text.rsplit_once(':')?;
        Some(Self::Name(name.to_string(), port.parse().ok()?))
    }

    /// Its addresses, at least one.
    async fn addresses(&self, network: &Network<'_>) -> Result<Vec<SocketAddr>, Problem> {
        match self {
            Self::Address(address) => Ok(vec![*address]),
            Self::Name(name, port) => {
                let found = network.resolve(name).await?;
                Ok(found.into_iter().map(|address| SocketAddr::new(address, *port)).collect())
            }
        }
    }
}

/// What the arguments say.
struct Plan {
    end: End,
    is_udp: bool,
    is_quiet: bool,
    line: Vec<u8>,
    times: u64,
}

/// What has come, printed line by line.
struct Heard {
    is_quiet: bool,
    bytes: u64,
    line: Vec<u8>,
}

impl Heard {
    const fn new(plan: &Plan) -> Self {
        Self { is_quiet: plan.is_quiet, bytes: 0, line: Vec::new() }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        if self.is_quiet {
            return;
        }
        for byte in bytes {
            if *byte == b'\n' || self.line.len() == PIECE {
                self.end_line();
            }
            if *byte != b'\n' {
                self.line.push(*byte);
            }
        }
    }

    fn end_line(&mut self) {
        println!("{}", String::from_utf8_lossy(&self.line).escape_debug());
        self.line.clear();
    }

    fn end(&mut self, said: u64) {
        if !self.line.is_empty() {
            self.end_line();
        }
        println!("said {said} bytes, heard {}", self.bytes);
    }
}

/// Says all, and reads to the end, both at once.
async fn converse(mut stream: TcpStream<'_>, plan: &Plan) -> Result<(), Problem> {
    let mut heard = Heard::new(plan);
    let (mut said, mut room) = (0_u64, vec![0; PIECE]);
    let mut lines = (0..plan.times).map(|_| plan.line.as_slice());
    let (mut rest, mut is_finished): (&[u8], bool) = (&[], false);
    loop {
        if rest.is_empty() && !is_finished {
            match lines.next() {
                Some(line) => rest = line,
                None => {
                    stream.finish()?;
                    is_finished = true;
                }
            }
        }
        let written = if rest.is_empty() { None } else { stream.try_write(rest)? };
        said += written.unwrap_or(0) as u64;
        rest = rest.get(written.unwrap_or(0)..).unwrap_or_default();
        match stream.try_read(&mut room)? {
            Some(0) if is_finished => break,
            // The other end says no more, and hears the rest.
            Some(0) if written.is_none() => stream.changed().await?,
            Some(length) => heard.take(room.get(..length).unwrap_or_default()),
            None if written.is_none() => stream.changed().await?,
            None => {}
        }
    }
    heard.end(said);
    Ok(())
}

/// Says each line in a datagram, and hears as many.
async fn exchange(network: &Network<'_>, plan: &Plan) -> Result<(), Problem> {
    let mut heard = Heard::new(plan);
    let (mut said, mut room) = (0_u64, vec![0; MOST_DATAGRAM]);
    let (mut socket, to) = match &plan.end {
        End::Connect(place) => {
            let to = place.addresses(network).await?.first().copied().ok_or(Refusal::NoAddress)?;
            (network.bind(0)?, Some(to))
        }
        End::Listen(port) => (network.bind(*port)?, None),
    };
    for _ in 0..plan.times {
        if let Some(to) = to {
            socket.send_to(&plan.line, to).await?;
            said += plan.line.len() as u64;
        }
        let (length, from) = socket.receive_from(&mut room).await?;
        heard.take(room.get(..length).unwrap_or_default());
        if to.is_none() && !plan.line.is_empty() {
            socket.send_to(&plan.line, from).await?;
            said += plan.line.len() as u64;
        }
    }
    heard.end(said);
    Ok(())
}

/// Connects to the first of a place's addresses where somebody answers.
async fn connect<'n>(network: &Network<'n>, place: &Place) -> Result<TcpStream<'n>, Problem> {
    let mut problem = Refusal::NoAddress.into();
    for to in place.addresses(network).await? {
        match network.connect(to).await {
            Ok(stream) => return Ok(stream),
            Err(other) => problem = other,
        }
    }
    Err(problem)
}

async fn talk(network: &Network<'_>, plan: &Plan) -> Result<(), Problem> {
    if plan.is_udp {
        return exchange(network, plan).await;
    }
    match &plan.end {
        End::Connect(place) => {
            let stream = connect(network, place).await?;
            println!("connected to {}", stream.peer());
            converse(stream, plan).await
        }
        End::Listen(port) => {
            let mut listener = network.listen(*port, 1)?;
            println!("listens on port {port}");
            let (stream, peer) = listener.accept().await?;
            println!("{peer} is connected");
            converse(stream, plan).await
        }
    }
}

/// What the arguments say; nothing if they do not say whom to talk to.
fn plan(start: &Start<'_>) -> Result<Option<Plan>, Error> {
    let has = |word: &str| start.info().arguments().any(|argument| argument == word);
    let end = match (start.info().setting("connect"), start.info().setting("listen")) {
        (Some(text), None) => Place::of(text).map(End::Connect),
        (None, Some(text)) => text.parse().ok().map(End::Listen),
        _ => None,
    };
    let line = start.info().setting("say").map(|text| [text.as_bytes(), b"\n"].concat()).unwrap_or_default();
    let times = start.setting("times", 1)?;
    Ok(end.map(|end| Plan { end, is_udp: has("udp"), is_quiet: has("quiet"), line, times }))
}

#[hallows::main]
async fn main(start: Start<'_>, events: &Events) -> Result<(), Error> {
    let patience = Duration::from_secs(start.setting("patience", 60)?);
    let Some(plan) = plan(&start)? else {
        log!(
            "say whom: nc connect=ADDRESS:PORT or connect=NAME:PORT, or nc listen=PORT; and say=, times=, udp, quiet, patience= as wanted"
        );
        return Err(Error::BadArgument);
    };
    let network = Network::granted(&start, "net", events)?;
    match events.with_deadline(Deadline::after(patience)?, talk(&network, &plan)).await? {
        Ok(()) => Ok(()),
        Err(problem) => {
            log!("{problem}");
            Err(problem.into())
        }
    }
}
