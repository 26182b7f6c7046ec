//! A neighbour that takes all of the memory's bandwidth that one core can have.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::cores::{Core, Priority, settle};
use crate::error::BenchError;

/// More than the caches of one core, and of most processors: every line comes from memory and goes back there.
const BYTES: usize = 256 << 20;
/// A look at whether it is over, after so many bytes: a tenth of a millisecond.
const PIECE: usize = 1 << 20;

/// Does `work` while a thread of this priority on `core`, if one is given, writes through memory from one end to the other, again and again.
///
/// # Errors
/// When that thread cannot be pinned.
pub fn beside<T>(core: Option<Core>, priority: Priority, work: impl FnOnce() -> T) -> Result<T, BenchError> {
    let Some(core) = core else { return Ok(work()) };
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (ready, is_ready) = std::sync::mpsc::channel();
        let thread = scope.spawn(|| {
            settle(core, priority)?;
            let mut memory = vec![0u64; BYTES / size_of::<u64>()];
            write_through(&mut memory, 1, &AtomicBool::new(false));
            let _ = ready.send(());
            drop(ready);
            let mut round = 2;
            // Relaxed, here and below: nothing else depends on it.
            while !over.load(Ordering::Relaxed) {
                write_through(&mut memory, round, &over);
                round += 1;
            }
            Ok::<(), BenchError>(())
        });
        // An error closes the channel.
        let done = is_ready.recv().is_ok().then(work);
        over.store(true, Ordering::Relaxed);
        let ended = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        ended.and_then(|()| done.ok_or_else(|| BenchError::Wrong("the antagonist did not begin".to_owned())))
    })
}

fn write_through(memory: &mut [u64], round: u64, over: &AtomicBool) {
    for piece in memory.chunks_mut(PIECE / size_of::<u64>()) {
        if over.load(Ordering::Relaxed) {
            return;
        }
        piece.iter_mut().for_each(|word| *word = word.wrapping_add(round));
        black_box(&piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cores::Cores;

    #[test]
    fn work_is_done_beside_it_and_it_ends_with_the_work() {
        let core = Cores::default_pair().expect("cores").first();
        for priority in [Priority::Ordinary, Priority::WhenIdle] {
            assert_eq!(beside(Some(core), priority, || 7).expect("pinned"), 7);
            assert_eq!(beside(None, priority, || 8).expect("nobody"), 8);
            // No such core.
            assert!(beside(Some(Core(1_000)), priority, || 9).is_err());
        }
    }

    #[test]
    fn every_word_is_written() {
        let mut memory = vec![1; 3 * PIECE / 16];
        write_through(&mut memory, 5, &AtomicBool::new(false));
        assert!(memory.iter().all(|word| *word == 6));
    }
}
