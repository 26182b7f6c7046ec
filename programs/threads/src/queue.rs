//! A queue that threads wait for: for room, and for what comes.

use alloc::collections::VecDeque;

use hallows::Error;
use hallows::thread::{Condvar, Mutex};

/// So many numbers at most, first in, first out.
pub struct Queue {
    numbers: Mutex<VecDeque<u64>>,
    most: usize,
    has_room: Condvar,
    has_some: Condvar,
}

impl Queue {
    /// Empty.
    pub const fn new(most: usize) -> Self {
        let (has_room, has_some) = (Condvar::new(), Condvar::new());
        Self { numbers: Mutex::new(VecDeque::new()), most, has_room, has_some }
    }

    /// Waits for room.
    pub fn put(&self, number: u64) -> Result<(), Error> {
        let mut numbers = self.numbers.lock();
        self.has_room.wait_while(&mut numbers, |numbers| numbers.len() >= self.most)?;
        numbers.push_back(number);
        self.has_some.notify_one();
        Ok(())
    }

    /// Waits for one.
    pub fn take(&self) -> Result<u64, Error> {
        let mut numbers = self.numbers.lock();
        loop {
            if let Some(number) = numbers.pop_front() {
                self.has_room.notify_one();
                return Ok(number);
            }
            self.has_some.wait(&mut numbers)?;
        }
    }
}
