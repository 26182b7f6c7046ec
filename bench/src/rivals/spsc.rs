//! `spsc-cross-core`, `spsc-one-thread`: entries over a pair of queues of the crate `rtrb`, inside of one program.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use rtrb::{Consumer, Producer, RingBuffer};

use super::stream::{BATCH, CROSS_CORE_PARTS, Entry, SAME_CORE_PARTS, Stream, Taken, UNDER_WAY};
use super::{Placement, priority_text};
use crate::contestant::{Contestant, Description};
use crate::cores::{Priority, on_core};
use crate::error::BenchError;
use crate::samples::Samples;
use crate::turn::Turn;

/// Looks at a flag between this many empty polls: often enough to end in microseconds, too rare to cost anything.
const POLLS_BETWEEN_LOOKS: u32 = 1 << 16;

/// Places of each queue, as ours.
const PLACES: usize = 256;

/// Two threads that poll, or one that plays both sides.
pub struct Spsc {
    placement: Placement,
}

impl Spsc {
    /// On one core one thread plays both sides; on two, each has a thread.
    #[must_use]
    pub const fn new(placement: Placement) -> Self {
        Self { placement }
    }
}

impl Contestant for Spsc {
    fn describe(&self) -> Description {
        let (name, sides) = match self.placement {
            Placement::SameCore => ("spsc-one-thread", "one thread that plays both sides"),
            Placement::CrossCore => ("spsc-cross-core", "two threads that poll without pausing"),
        };
        Description {
            name: name.to_owned(),
            configuration: format!(
                "{sides}, pinned, {}; crate rtrb 0.4, two queues of {PLACES} entries of 32 bytes, written and read in \
                 chunks (one index store a batch of {BATCH})",
                priority_text(Priority::RealtimeIfAllowed)
            ),
            cores_used: self.placement.cores_used(),
        }
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        let (there, back) = (RingBuffer::new(PLACES), RingBuffer::new(PLACES));
        let (mut requests, mut answers) = ((there.0, back.1), (there.1, back.0));
        match self.placement {
            Placement::SameCore => on_core(turn.cores.first(), Priority::RealtimeIfAllowed, || {
                let mut stream = Stream::default();
                turn.measure(|| {
                    stream.entry(
                        0,
                        |batch| put(&mut requests.0, batch),
                        |taken| {
                            serve(&mut answers.0, &mut answers.1);
                            take(&mut requests.1, taken);
                            Ok(())
                        },
                    )
                })
            })?
            .map(|samples| samples.shared_by(SAME_CORE_PARTS)),
            Placement::CrossCore => {
                across(turn, requests, answers).map(|samples| samples.shared_by(CROSS_CORE_PARTS))
            }
        }
    }
}

/// The near and the far ends of the two queues.
type Ends = (Producer<Entry>, Consumer<Entry>);

fn across(
    turn: &Turn<'_>,
    (mut requests, mut answers): Ends,
    (mut asked, mut answering): (Consumer<Entry>, Producer<Entry>),
) -> Result<Samples, BenchError> {
    let answering_core = turn.cores.second()?;
    let (ready, stop) = (AtomicU32::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let (ready, stop) = (&ready, &stop);
        let answerer = scope.spawn(move || {
            on_core(answering_core, Priority::RealtimeIfAllowed, move || {
                ready.store(1, Ordering::SeqCst);
                let mut polls = 0u32;
                // Relaxed: it carries nothing but itself.
                while !(polls == POLLS_BETWEEN_LOOKS && stop.load(Ordering::Relaxed)) {
                    polls =
                        if serve(&mut asked, &mut answering) { 0 } else { polls % POLLS_BETWEEN_LOOKS + 1 };
                }
            })
            .inspect_err(|_| ready.store(2, Ordering::SeqCst))
        });
        while ready.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        let samples = match ready.load(Ordering::SeqCst) {
            1 => on_core(turn.cores.first(), Priority::RealtimeIfAllowed, || {
                let mut stream = Stream::default();
                turn.measure(|| {
                    stream.entry(
                        UNDER_WAY,
                        |batch| put(&mut requests, batch),
                        |taken| {
                            take(&mut answers, taken);
                            Ok(())
                        },
                    )
                })
            }),
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

fn put(queue: &mut Producer<Entry>, batch: &[Entry]) -> Result<(), BenchError> {
    let chunk =
        queue.write_chunk_uninit(batch.len()).map_err(|error| BenchError::Wrong(error.to_string()))?;
    chunk.fill_from_iter(batch.iter().copied());
    Ok(())
}

#[inline]
fn take(queue: &mut Consumer<Entry>, taken: &mut Taken<'_>) {
    let count = queue.slots().min(taken.wanted);
    if count > 0
        && let Ok(chunk) = queue.read_chunk(count)
    {
        chunk.into_iter().for_each(|entry| taken.entry(entry));
    }
}

/// Answers what is there. Whether there was anything.
#[inline]
fn serve(asked: &mut Consumer<Entry>, answers: &mut Producer<Entry>) -> bool {
    let count = asked.slots().min(BATCH);
    if count == 0 {
        return false;
    }
    let (Ok(questions), Ok(room)) = (asked.read_chunk(count), answers.write_chunk_uninit(count)) else {
        return false;
    };
    room.fill_from_iter(questions.into_iter().map(|[token, argument, ..]| [token, 0, argument, 0]));
    true
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{has_second_core, play_twice, refuses_one_core};
    use super::*;
    use crate::turn::Sampling;

    #[test]
    fn entries_go_round_in_one_thread_and_across_cores() {
        play_twice(&mut Spsc::new(Placement::SameCore), Sampling::BATCH, 50);
        if has_second_core() {
            play_twice(&mut Spsc::new(Placement::CrossCore), Sampling::BATCH, 50);
        }
        refuses_one_core(&mut Spsc::new(Placement::CrossCore));
    }
}
