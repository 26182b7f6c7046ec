//! Where threads wait until all have come.

use hallows_abi::Error;

use super::{Condvar, Mutex};

/// A place that so many threads leave together, again and again.
///
/// ```no_run
/// # fn wait() -> Result<(), hallows_sdk::Error> {
/// use hallows_sdk::thread::Barrier;
///
/// static ALL_FOUR: Barrier = Barrier::new(4);
///
/// if ALL_FOUR.wait()? {
///     // Once for all of them.
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Barrier {
    threads: u32,
    arrived: Mutex<Arrived>,
    left: Condvar,
}

#[derive(Debug)]
struct Arrived {
    count: u32,
    /// How often all have left.
    round: u32,
}

impl Barrier {
    /// For so many threads; 0 is as 1.
    #[must_use]
    pub const fn new(threads: u32) -> Self {
        Self { threads, arrived: Mutex::new(Arrived { count: 0, round: 0 }), left: Condvar::new() }
    }

    /// Waits until as many threads have called this as it is for: true in the last of them.
    ///
    /// # Errors
    ///
    /// [`Error::Killed`], [`Error::NotInHandler`]; the thread has come all the same.
    pub fn wait(&self) -> Result<bool, Error> {
        let mut arrived = self.arrived.lock();
        let round = arrived.round;
        arrived.count += 1;
        if arrived.count >= self.threads {
            *arrived = Arrived { count: 0, round: round.wrapping_add(1) };
            drop(arrived);
            self.left.notify_all();
            return Ok(true);
        }
        self.left.wait_while(&mut arrived, |arrived| arrived.round == round)?;
        Ok(false)
    }
}
