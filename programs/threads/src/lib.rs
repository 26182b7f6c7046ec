//! Several threads in one cell: they share a lock, a queue, a barrier and the heap, and each has data of its own.
//!
//! Arguments: `threads=N` (4), `rounds=N` (2000). It ends with status 1 at the first thing that is not as it should be.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod queue;

use alloc::vec::Vec;
use core::cell::Cell;
use core::sync::atomic::{AtomicU32, Ordering};

use hallows::thread::{self, Barrier, Mutex, scope};
use hallows::{Error, Start, println, process};

use queue::Queue;

/// What one thread and another one start and join, one after the other.
const STARTS: u32 = 50;

/// Counts threads whose own data was dropped.
static DROPPED: AtomicU32 = AtomicU32::new(0);

/// A thread's count of its additions.
struct Additions(Cell<u64>);

impl Drop for Additions {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Ordering::Relaxed);
    }
}

hallows::thread_local! {
    static ADDITIONS: Additions = Additions(Cell::new(0));
}

/// Each adds the numbers up to `rounds` to one sum: whether all arrive, and each thread has counted its own.
fn add(threads: u32, rounds: u64) -> Result<bool, Error> {
    let sum = Mutex::new(0);
    let counts = scope(|scope| {
        let work = || {
            for number in 1..=rounds {
                *sum.lock() += number;
                ADDITIONS.with(|own| own.0.set(own.0.get() + 1));
            }
            ADDITIONS.with(|own| own.0.get())
        };
        let started: Result<Vec<_>, Error> = (0..threads).map(|_| scope.spawn(work)).collect();
        started?.into_iter().map(|thread| thread.join()).collect::<Result<Vec<_>, Error>>()
    })?;
    let all = u64::from(threads) * rounds * (rounds + 1) / 2;
    Ok(sum.into_inner() == all
        && counts.iter().all(|count| *count == rounds)
        && ADDITIONS.with(|own| own.0.get()) == 0
        && DROPPED.swap(0, Ordering::Relaxed) == threads)
}

/// Half of them put numbers into a short queue, the others take them out: whether all come out once.
fn hand_over(threads: u32, rounds: u64) -> Result<bool, Error> {
    let pairs = u64::from(threads.div_ceil(2));
    let (queue, sum) = (Queue::new(3), Mutex::new((0, 0)));
    scope(|scope| {
        for _ in 0..pairs {
            scope.spawn(|| (1..=rounds).try_for_each(|number| queue.put(number)))?;
            scope.spawn(|| {
                (0..rounds).try_for_each(|_| {
                    let number = queue.take()?;
                    let mut sum = sum.lock();
                    *sum = (sum.0 + number, sum.1 + 1);
                    Ok::<_, Error>(())
                })
            })?;
        }
        Ok::<_, Error>(())
    })?;
    Ok(sum.into_inner() == (pairs * rounds * (rounds + 1) / 2, pairs * rounds))
}

/// All write, then all read what the others wrote, round by round: whether nobody is ever ahead or behind.
fn keep_step(threads: u32, rounds: u64) -> Result<bool, Error> {
    let (barrier, leaders) = (Barrier::new(threads), AtomicU32::new(0));
    let written: Vec<_> = (0..threads).map(|_| AtomicU32::new(0)).collect();
    let rounds = u32::try_from(rounds).unwrap_or(u32::MAX);
    let right = scope(|scope| {
        let work = |own: &AtomicU32| {
            for round in 1..=rounds {
                own.store(round, Ordering::Relaxed);
                leaders.fetch_add(u32::from(barrier.wait()?), Ordering::Relaxed);
                if written.iter().any(|other| other.load(Ordering::Relaxed) != round) {
                    return Ok(false);
                }
                barrier.wait()?;
            }
            Ok::<bool, Error>(true)
        };
        let started: Result<Vec<_>, Error> =
            written.iter().map(|own| scope.spawn(move || work(own))).collect();
        let ended: Result<Vec<_>, Error> = started?.into_iter().map(|thread| thread.join()?).collect();
        ended
    })?;
    Ok(right.iter().all(|right| *right) && leaders.into_inner() == rounds)
}

/// Starts threads one after the other, each with more memory than there was: whether what one has made is there for the next.
fn pass_on() -> Result<bool, Error> {
    let mut numbers: Vec<u32> = Vec::new();
    for turn in 0..STARTS {
        let more = move || {
            let mut numbers = numbers;
            // Longer than what it has: it moves, and the memory grows.
            numbers.resize(numbers.len() + 1_000, turn);
            numbers
        };
        numbers = thread::spawn(more)?.join()?;
    }
    let right = |(at, number): (usize, &u32)| *number as usize == at / 1_000;
    Ok(numbers.len() == STARTS as usize * 1_000 && numbers.iter().enumerate().all(right))
}

/// Starts threads that nobody joins: whether all of them run.
fn leave_alone(threads: u32) -> Result<bool, Error> {
    static ALIVE: Mutex<u32> = Mutex::new(0);
    static OVER: thread::Condvar = thread::Condvar::new();
    *ALIVE.lock() = threads;
    for _ in 0..threads {
        drop(thread::spawn(|| {
            *ALIVE.lock() -= 1;
            OVER.notify_one();
        })?);
    }
    OVER.wait_while(&mut ALIVE.lock(), |alive| *alive > 0)?;
    Ok(true)
}

/// See above.
#[hallows::main]
fn main(start: Start<'_>) -> Result<(), Error> {
    let threads: u32 = start.setting("threads", 4)?;
    let rounds: u64 = start.setting("rounds", 2_000)?;
    let parts = [
        ("sums", add(threads, rounds)?),
        ("a queue", hand_over(threads, rounds)?),
        ("a barrier", keep_step(threads, rounds / 10)?),
        ("memory that grows", pass_on()?),
        ("threads that nobody joins", leave_alone(threads)?),
    ];
    for (part, right) in parts {
        if !right {
            println!("{threads} threads: {part} came out wrong");
            return Err(process::exit(1));
        }
    }
    println!("{threads} threads: sums, a queue, a barrier and memory that grows are right");
    Ok(())
}
