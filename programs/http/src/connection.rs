//! One client's connection.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt::Debug;
use core::net::SocketAddr;

use hallows::net::protocol::Refusal;
use hallows::net::{Problem, TcpStream};
use hallows::task::{Either, join, race};
use hallows::{Deadline, Error, log, println};
use hallows_http_engine::{Answer, Input, Part, Request, Span, Status, Step};

use crate::file::OpenFile;
use crate::server::{Ready, Server, Source};
use crate::watch::{Doing, Over, Place, Watched};

/// Bytes that are read at once: several requests.
const PIECE: usize = 4 << 10;
/// Answers are sent when they have so many bytes, though there are more requests.
const MOST_OUTPUT_BYTES: usize = 16 << 10;
/// Bytes that are sent at once, and read of a file at once: the next ones are read while these are sent.
const FILE_PIECE: usize = 32 << 10;
/// Files that are longer are sent from where they are, and not put together with what is before them.
const COPIED_BYTES: usize = 8 << 10;
/// Bytes of one client that are read before others have their turn.
const MOST_IN_A_ROW_BYTES: usize = 64 << 10;
/// What is still read of a client that has been told that nothing more will be done, so that it hears that before a reset (RFC 9112, section 9.6).
const MOST_IGNORED_BYTES: usize = 1 << 20;

/// Why a conversation ended.
enum End {
    /// The client has ended it.
    Heard,
    /// It was told that it ends.
    Said,
}

/// Serves a client until it, its time or its connection ends.
pub async fn serve(mut stream: TcpStream<'_>, peer: SocketAddr, watched: Place<'_>, server: &Server<'_>) {
    let ended = converse(&mut stream, peer, &watched, server).await;
    match ended {
        Ok(())
        | Err(
            Problem::Lost
            | Problem::Refused(Refusal::Reset | Refusal::Finished)
            // It was said already.
            | Problem::Call(Error::Killed | Error::Refused),
        ) => {}
        Err(problem) => log!("{peer}: {problem}"),
    }
}

async fn converse(
    stream: &mut TcpStream<'_>,
    peer: SocketAddr,
    watched: &Watched,
    server: &Server<'_>,
) -> Result<(), Problem> {
    server.counters.borrow_mut().accepted += 1;
    // Who is over begins nothing more: what had been begun then would be left half done.
    let end = match race(watched.over(), talk(stream, peer, server, watched)).await {
        Either::Second(end) => end?,
        Either::First(Over::Late) if watched.doing() == Doing::Asking => {
            let answer = server.answers.refuse(Status::RequestTimeout, server.moment()?);
            server.counters.borrow_mut().count(answer.status);
            // All that was answered before is sent, so there is room; who has none would not hear it.
            let _ = stream.try_write(&answer.head)?;
            End::Said
        }
        Either::First(_) => End::Heard,
    };
    match end {
        End::Heard => Ok(()),
        End::Said => {
            watched.set(Doing::Leaving, server.now()?.machine.plus(server.settings.patience));
            stream.finish()?;
            match race(ignore(stream), watched.over()).await {
                Either::First(ended) => ended,
                Either::Second(_) => Ok(()),
            }
        }
    }
}

/// Reads what a client still says.
async fn ignore(stream: &mut TcpStream<'_>) -> Result<(), Problem> {
    let (mut room, mut ignored) = (vec![0; PIECE], 0);
    while ignored < MOST_IGNORED_BYTES {
        match stream.read(&mut room).await? {
            0 => break,
            length => ignored += length,
        }
    }
    Ok(())
}

async fn talk(
    stream: &mut TcpStream<'_>,
    peer: SocketAddr,
    server: &Server<'_>,
    watched: &Watched,
) -> Result<End, Problem> {
    let mut talk = Talk { stream, peer, server, watched, output: Vec::new() };
    let mut input = Input::new(server.settings.limits);
    let mut room = vec![0; PIECE];
    let mut in_a_row = 0;
    loop {
        match input.next() {
            Step::More => {
                // Who sends faster than it is read has something all the time.
                if in_a_row >= MOST_IN_A_ROW_BYTES {
                    in_a_row = 0;
                    server.give_way().await;
                }
                talk.flush().await?;
                talk.wait(input.is_between_requests())?;
                match talk.stream.read(&mut room).await? {
                    0 => return Ok(End::Heard),
                    length => {
                        server.counters.borrow_mut().bytes_in += length as u64;
                        in_a_row += length;
                        input.receive(room.get(..length).unwrap_or_default());
                    }
                }
            }
            Step::Continue => talk.output.extend(Input::CONTINUE),
            Step::Request(request) => {
                if talk.answer(&request).await? {
                    talk.flush().await?;
                    return Ok(End::Said);
                }
                if talk.output.len() >= MOST_OUTPUT_BYTES {
                    talk.flush().await?;
                    server.give_way().await;
                }
            }
            Step::Refuse(status) => {
                let answer = server.answers.refuse(status, server.moment()?);
                talk.count(None, &answer);
                talk.output.extend(&answer.head);
                talk.flush().await?;
                return Ok(End::Said);
            }
        }
    }
}

fn unreadable(peer: SocketAddr, why: impl Debug) -> Problem {
    log!("{peer}: cannot send all of a file: {why:?}");
    Error::Refused.into()
}

/// A conversation.
struct Talk<'t, 's, 'e> {
    stream: &'t mut TcpStream<'s>,
    peer: SocketAddr,
    server: &'t Server<'e>,
    watched: &'t Watched,
    /// What is to be sent, together.
    output: Vec<u8>,
}

impl Talk<'_, '_, '_> {
    /// It waits for the client to say something.
    fn wait(&self, is_between_requests: bool) -> Result<(), Problem> {
        let settings = &self.server.settings;
        match (is_between_requests, self.watched.doing()) {
            (true, _) => self.watched.set(Doing::Idle, self.server.now()?.machine.plus(settings.idle)),
            // From its first byte on, however many come.
            (false, Doing::Asking) => {}
            (false, _) => self.watched.set(Doing::Asking, self.server.now()?.machine.plus(settings.patience)),
        }
        Ok(())
    }

    /// Answers a request. Whether the connection ends.
    async fn answer(&mut self, request: &Request) -> Result<bool, Problem> {
        // Files are waited for as long as it takes.
        self.watched.set(Doing::Answering, Deadline::NEVER);
        let Ready { mut answer, source } = self.server.respond(request).await?;
        let held = self.server.hold(answer.head.len());
        if held.is_none() {
            let moment = self.server.moment()?;
            answer = self.server.answers.without_file(request, Status::Unavailable, moment);
        }
        self.count(Some(request), &answer);
        self.output.extend(&answer.head);
        let mut sent = self.send_parts(&answer.parts, &source).await;
        if sent.is_ok() && held.is_some_and(|held| held.is_large()) {
            sent = self.flush().await;
        }
        if let Source::Disk(file) = source {
            file.close(self.server.events).await;
        }
        sent.map(|()| answer.closes)
    }

    async fn send_parts(&mut self, parts: &[Part], source: &Source) -> Result<(), Problem> {
        for part in parts {
            match (part, source) {
                (Part::Bytes(bytes), _) => self.output.extend(bytes),
                (Part::File(span), Source::Memory(file)) => self.send_bytes(&file.content, *span).await?,
                (Part::File(span), Source::Disk(file)) => self.send_file(file, *span).await?,
                // A part is of the file that the answer was made of.
                (Part::File(_), Source::Nothing) => return Err(Error::BadState.into()),
            }
        }
        Ok(())
    }

    async fn send_bytes(&mut self, content: &[u8], span: Span) -> Result<(), Problem> {
        let place = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let bytes =
            content.get(place(span.offset)..place(span.offset + span.length)).ok_or(Error::BadState)?;
        if bytes.len() <= COPIED_BYTES {
            self.output.extend(bytes);
            return Ok(());
        }
        self.flush().await?;
        self.send(bytes).await
    }

    /// Sends a part of a file of the host's, and reads the next piece meanwhile.
    async fn send_file(&mut self, file: &OpenFile, span: Span) -> Result<(), Problem> {
        let (mut offset, end) = (span.offset, span.offset + span.length);
        let (events, peer) = (self.server.events, self.peer);
        let read = async |offset: u64| -> Result<Vec<u8>, Problem> {
            let most = usize::try_from(end - offset).unwrap_or(usize::MAX).min(FILE_PIECE);
            match file.read(events, offset, most).await? {
                Ok(bytes) if !bytes.is_empty() => Ok(bytes),
                // What was announced cannot be sent: the client sees that it ends too early.
                Ok(_) => Err(unreadable(peer, "the file has become shorter meanwhile")),
                Err(refusal) => Err(unreadable(peer, refusal)),
            }
        };
        self.flush().await?;
        let mut piece = read(offset).await?;
        loop {
            offset += piece.len() as u64;
            if offset >= end {
                return self.send(&piece).await;
            }
            let (sent, next) = join(self.send(&piece), read(offset)).await;
            sent?;
            piece = next?;
        }
    }

    async fn flush(&mut self) -> Result<(), Problem> {
        let output = core::mem::take(&mut self.output);
        self.send(&output).await?;
        // With its room, for the next one; but not with that of a long one.
        if output.capacity() <= 2 * MOST_OUTPUT_BYTES {
            self.output = output;
            self.output.clear();
        }
        Ok(())
    }

    /// Sends bytes. The client has to take some in time.
    async fn send(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let piece = rest.get(..FILE_PIECE).unwrap_or(rest);
            let written = match self.stream.try_write(piece)? {
                Some(written) => written,
                None => {
                    let until = self.server.now()?.machine.plus(self.server.settings.patience);
                    self.watched.set(Doing::Answering, until);
                    let written = self.stream.write(piece).await?;
                    self.watched.set(Doing::Answering, Deadline::NEVER);
                    written
                }
            };
            self.server.counters.borrow_mut().bytes_out += written as u64;
            rest = rest.get(written..).unwrap_or_default();
        }
        Ok(())
    }

    fn count(&self, request: Option<&Request>, answer: &Answer) {
        self.server.counters.borrow_mut().count(answer.status);
        if !self.server.settings.logs {
            return;
        }
        let (peer, status) = (self.peer, answer.status.code());
        match request {
            Some(request) => {
                let path = request.path.as_ref().map_or(b"*".as_slice(), |path| path.bytes());
                println!("{peer} {} /{} {status}", request.method.name(), path.escape_ascii());
            }
            None => println!("{peer} (no request) {status}"),
        }
    }
}
