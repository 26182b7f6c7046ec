//! One client's connection.

use alloc::format;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use hallows::net::{Problem, TcpStream};
use hallows::task::{Either, race};
use hallows::{Deadline, Error, log};
use hallows_kv_engine::{Engine, Piece, Progress, Session};

use crate::server::Server;
use crate::signal::Signal;

/// Bytes that are read at once.
const PIECE: usize = 16 << 10;
/// Pieces of an answer that are sent together: a long value, what stands before and behind it, and as much of others.
const PIECES: usize = 8;

/// Serves a client until it or its connection ends.
pub async fn serve(mut stream: TcpStream<'_>, peer: SocketAddr, server: &Server<'_>) {
    let session = server.engine.borrow_mut().connect(format!("{peer}"));
    let Some(mut session) = session else {
        // Who does not read that has gone.
        let _ = stream.write_all(Engine::FULL).await;
        return;
    };
    let signal = server.meet(&session);
    let ended = talk(&mut stream, &mut session, server, &signal).await;
    server.part(session);
    match ended {
        Ok(())
        | Err(Problem::Lost | Problem::Refused(_) | Problem::Call(Error::Killed | Error::DeadlinePassed)) => {
        }
        Err(problem) => log!("{peer}: {problem}"),
    }
}

async fn talk(
    stream: &mut TcpStream<'_>,
    session: &mut Session,
    server: &Server<'_>,
    signal: &Signal,
) -> Result<(), Problem> {
    loop {
        let progress = server.turn(session)?;
        // What is not all yet goes with what follows, unless it is much.
        if progress != Progress::More || session.output().len() >= PIECE {
            send(stream, session, server).await?;
        }
        match progress {
            Progress::More => server.give_way().await,
            Progress::Waiting => signal.taken().await,
            Progress::Leaving => {
                stream.finish()?;
                return Ok(());
            }
            Progress::Idle => match race(heard(stream, server), signal.taken()).await {
                Either::First(bytes) => match bytes? {
                    [] => return Ok(()),
                    bytes => session.receive(bytes),
                },
                // It was killed.
                Either::Second(()) => {}
            },
        }
    }
}

/// Reads, as long as the client may say nothing.
async fn heard<'s>(stream: &'s mut TcpStream<'_>, server: &Server<'_>) -> Result<&'s [u8], Problem> {
    let seconds = server.engine.borrow().store.config.timeout;
    if seconds == 0 {
        return stream.receive(PIECE).await;
    }
    let deadline = Deadline::after(Duration::from_secs(seconds))?;
    server.events.with_deadline(deadline, stream.receive(PIECE)).await?
}

/// Sends what there is, when what it says is on the disk, if it has to be.
async fn send(stream: &mut TcpStream<'_>, session: &mut Session, server: &Server<'_>) -> Result<(), Problem> {
    if session.output().is_empty() {
        return Ok(());
    }
    server.durable(session).await;
    if let Some(bytes) = session.output().whole() {
        stream.write_all(bytes).await?;
        session.output().clear();
        return Ok(());
    }
    while !session.output().is_empty() {
        // Pieces that are sent are given back before there are others.
        let pieces: Vec<_> = (0..PIECES).map_while(|_| session.output().take()).collect();
        let mut bytes: Vec<&[u8]> = pieces.iter().map(Piece::bytes).collect();
        stream.write_all_vectored(&mut bytes).await?;
    }
    Ok(())
}
