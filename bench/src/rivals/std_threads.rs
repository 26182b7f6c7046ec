//! `std-mutex`, `std-spawn-join`, `std-condvar`: threads of Rust's standard library, on one core.

use std::hint::black_box;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::priority_text;
use crate::contestant::{Contestant, Description};
use crate::cores::{Priority, on_core};
use crate::error::BenchError;
use crate::samples::Samples;
use crate::turn::Turn;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThreadsDo {
    /// Holding a lock that nobody else wants.
    HoldALock,
    /// Starting a thread and joining it.
    StartAndJoin,
    /// Giving a turn to another thread and getting it back.
    ExchangeTurns,
}

impl ThreadsDo {
    /// The rival's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HoldALock => "std-mutex",
            Self::StartAndJoin => "std-spawn-join",
            Self::ExchangeTurns => "std-condvar",
        }
    }
}

/// Threads of the standard library, which are Linux's.
pub struct StdThreads {
    does: ThreadsDo,
    priority: Priority,
}

impl StdThreads {
    /// A rival whose threads have this priority.
    #[must_use]
    pub const fn new(does: ThreadsDo, priority: Priority) -> Self {
        Self { does, priority }
    }
}

impl Contestant for StdThreads {
    fn describe(&self) -> Description {
        Description {
            name: self.does.name().to_owned(),
            configuration: format!(
                "Rust's std (Mutex, Condvar, thread::spawn) in one process, all of it pinned to one core, {}",
                priority_text(self.priority)
            ),
            cores_used: 1,
        }
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        let core = turn.cores.first();
        match self.does {
            ThreadsDo::HoldALock => on_core(core, self.priority, || {
                let count = Mutex::new(0_u64);
                turn.measure(|| {
                    *locked(black_box(&count)) += 1;
                    Ok(())
                })
            })?,
            // They stay on the core of who starts them.
            ThreadsDo::StartAndJoin => on_core(core, self.priority, || {
                turn.measure(|| {
                    let thread = std::thread::Builder::new().spawn(|| ()).map_err(wrong)?;
                    thread.join().map_err(|_| wrong("a thread panicked"))
                })
            })?,
            ThreadsDo::ExchangeTurns => {
                let turns = Turns::default();
                std::thread::scope(|scope| {
                    let other = scope.spawn(|| on_core(core, self.priority, || turns.answer()));
                    let samples = on_core(core, self.priority, || {
                        turn.measure(|| {
                            turns.exchange(State::Mine, State::Others);
                            Ok(())
                        })
                    });
                    turns.end();
                    other.join().map_err(|_| wrong("a thread panicked"))??;
                    samples?
                })
            }
        }
    }
}

fn wrong(what: impl std::fmt::Display) -> BenchError {
    BenchError::Wrong(what.to_string())
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Mine,
    Others,
    Over,
}

/// Two threads that take turns.
#[derive(Default)]
struct Turns {
    state: Mutex<State>,
    changed: Condvar,
}

impl Turns {
    /// Gives the turn away, and waits until it is back; false if it never comes.
    fn exchange(&self, from: State, to: State) -> bool {
        let mut state = locked(&self.state);
        if *state == State::Over {
            return false;
        }
        *state = to;
        self.changed.notify_one();
        let waits = |state: &mut State| *state != from && *state != State::Over;
        let state = self.changed.wait_while(state, waits).unwrap_or_else(PoisonError::into_inner);
        *state == from
    }

    /// Answers until it is over.
    fn answer(&self) {
        let waits = |state: &mut State| *state == State::Mine;
        drop(self.changed.wait_while(locked(&self.state), waits).unwrap_or_else(PoisonError::into_inner));
        while self.exchange(State::Others, State::Mine) {}
    }

    fn end(&self) {
        *locked(&self.state) = State::Over;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_support::play_twice;
    use super::*;
    use crate::turn::Sampling;

    #[test]
    fn locks_threads_and_turns_are_timed() {
        for does in [ThreadsDo::HoldALock, ThreadsDo::StartAndJoin, ThreadsDo::ExchangeTurns] {
            for priority in [Priority::RealtimeIfAllowed, Priority::Ordinary] {
                play_twice(&mut StdThreads::new(does, priority), Sampling::BATCH, 5);
            }
        }
    }
}
