//! `shm-spin-cross-core`: both sides awake, each spinning on a line that the other writes. The cache-coherence floor.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::mailbox::Mailbox;
use super::{message, priority_text};
use crate::contestant::{Contestant, Description};
use crate::cores::{Priority, on_core};
use crate::error::BenchError;
use crate::samples::Samples;
use crate::turn::Turn;

/// Looks at a flag between this many empty polls: often enough to end in microseconds, too rare to cost anything.
const POLLS_BETWEEN_LOOKS: u32 = 1 << 16;

/// Two threads on two cores, both polling. Threads, not processes: nothing on the path asks which they are.
#[derive(Default)]
pub struct SharedMemorySpin;

impl Contestant for SharedMemorySpin {
    fn describe(&self) -> Description {
        Description {
            name: "shm-spin-cross-core".to_owned(),
            configuration: format!(
                "two threads, pinned, {}; 64 bytes each way through shared memory, two cache lines per direction, \
                 written from the end to the sequence number; both sides poll without pausing",
                priority_text(Priority::RealtimeIfAllowed)
            ),
            cores_used: 2,
        }
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        let answering_core = turn.cores.second()?;
        let mailbox = Mailbox::new();
        let (ready, stop) = (AtomicU32::new(0), AtomicBool::new(false));
        std::thread::scope(|scope| {
            let answerer = scope.spawn(|| {
                on_core(answering_core, Priority::RealtimeIfAllowed, || {
                    ready.store(1, Ordering::SeqCst);
                    answer_until(&stop, &mailbox);
                })
                .inspect_err(|_| ready.store(2, Ordering::SeqCst))
            });
            while ready.load(Ordering::SeqCst) == 0 {
                std::thread::yield_now();
            }
            let samples = match ready.load(Ordering::SeqCst) {
                1 => on_core(turn.cores.first(), Priority::RealtimeIfAllowed, || ask(turn, &mailbox)),
                _ => Ok(Err(BenchError::Wrong("the answering thread did not start".to_owned()))),
            };
            stop.store(true, Ordering::SeqCst);
            match answerer.join() {
                Ok(result) => result?,
                Err(panic) => std::panic::resume_unwind(panic),
            }
            samples?
        })
    }
}

fn ask(turn: &Turn<'_>, mailbox: &Mailbox) -> Result<Samples, BenchError> {
    let mut number = 0u32;
    turn.measure(|| {
        number = number.wrapping_add(1);
        mailbox.request.post(number, &message::request(u64::from(number)));
        // No pause instruction: on the machines we know it makes the exchange slower.
        while !mailbox.answer.has(number) {}
        message::check(u64::from(number), &mailbox.answer.take())
    })
}

fn answer_until(stop: &AtomicBool, mailbox: &Mailbox) {
    let mut number = 1u32;
    let mut polls = 0u32;
    loop {
        if mailbox.request.has(number) {
            mailbox.answer.post(number, &message::answer(&mailbox.request.take()));
            number = number.wrapping_add(1);
            polls = 0;
            continue;
        }
        polls = polls.wrapping_add(1);
        // Relaxed: it carries nothing but itself.
        if polls.is_multiple_of(POLLS_BETWEEN_LOOKS) && stop.load(Ordering::Relaxed) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{has_second_core, play_twice, refuses_one_core};
    use super::*;
    use crate::turn::Sampling;

    #[test]
    fn messages_go_round_across_cores() {
        if has_second_core() {
            play_twice(&mut SharedMemorySpin, Sampling::BATCH, 5);
        }
        refuses_one_core(&mut SharedMemorySpin);
    }
}
