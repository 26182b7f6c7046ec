//! Holds a lock, starts and joins threads, or exchanges turns with one, as often as it is told to, and times that in batches: what the benches of threads
//! measure, as a program sees it. The clock is read around a batch, by a kernel call.
#![no_std]
#![forbid(unsafe_code)]

use core::hint::black_box;

use hallows::thread::{self, Condvar, Mutex};
use hallows::{Answer, Error, Message, Server, Start, process};
use hallows_protocols::bench::{Kind, MAX_BATCHES, Request, Response, batches};

/// What is counted under a lock that nobody else wants.
static COUNT: Mutex<u64> = Mutex::new(0);
/// Whose turn it is.
static TURN: Mutex<Turn> = Mutex::new(Turn::Mine);
/// It is another one's turn.
static CHANGED: Condvar = Condvar::new();

#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Mine,
    Others,
}

/// Gives the turn to the other, and waits until it is back.
fn exchange(from: Turn, to: Turn) -> Result<(), Error> {
    let mut turn = TURN.lock();
    *turn = to;
    CHANGED.notify_one();
    CHANGED.wait_while(&mut turn, |turn| *turn != from)
}

/// Whether the thread is there that exchanges turns.
pub struct BenchThreads {
    has_other: bool,
}

impl BenchThreads {
    /// The thread that exchanges turns, once.
    fn start_other(&mut self) -> Result<(), Error> {
        if !self.has_other {
            thread::spawn(|| {
                CHANGED.wait_while(&mut TURN.lock(), |turn| *turn != Turn::Others)?;
                while exchange(Turn::Others, Turn::Mine).is_ok() {}
                Ok::<(), Error>(())
            })?;
            self.has_other = true;
        }
        Ok(())
    }

    /// One batch; how long it took, in nanoseconds.
    fn timed(&mut self, request: &Request, response: &mut Response) -> Result<u32, Error> {
        let operation: fn() -> Result<(), Error> = match Kind::from_number(request.kind) {
            Some(Kind::Mutex) => {
                let begin = process::now()?;
                for _ in 0..request.count {
                    *black_box(&COUNT).lock() += 1;
                }
                response.succeeded += request.count;
                return since(begin);
            }
            Some(Kind::SpawnJoin) => || thread::spawn(|| ())?.join(),
            Some(Kind::Condvar) => {
                self.start_other()?;
                || exchange(Turn::Mine, Turn::Others)
            }
            _ => return Err(Error::BadArgument),
        };
        let begin = process::now()?;
        for _ in 0..request.count {
            operation()?;
            response.succeeded += 1;
        }
        since(begin)
    }
}

fn since(begin: u64) -> Result<u32, Error> {
    Ok(u32::try_from(process::now()? - begin).unwrap_or(u32::MAX))
}

impl Server for BenchThreads {
    const INBOX_BYTES: usize = 64;
    const REPLY_BYTES: usize = 64 + 4 * MAX_BATCHES;

    fn new(_: &Start<'_>) -> Result<Self, Error> {
        Ok(Self { has_other: false })
    }

    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        batches(message, |request, response| self.timed(request, response))
    }
}

hallows::server!(BenchThreads);
