//! The files that a cell has: those of the granted directories, and those that were opened.
//!
//! Each opened file gets a serial number that no other file of the process has had or will have, and its badge has it: so a badge of a closed
//! file names nothing, also when its place in the table is used again, and also in the cell's next life.

use std::sync::atomic::{AtomicU64, Ordering};

use super::opened::OpenFile;
use crate::services::badge::{Badge, MOST_PLACES, OpenedNumber, SERIAL_END};

static NEXT_SERIAL: AtomicU64 = AtomicU64::new(0);

/// A cell's files.
#[derive(Debug)]
pub(super) struct Table {
    granted: Vec<OpenFile>,
    opened: Vec<Option<(u64, OpenFile)>>,
    free: Vec<usize>,
}

impl Table {
    /// With the granted directories, in their order.
    pub const fn new(granted: Vec<OpenFile>) -> Self {
        Self { granted, opened: Vec::new(), free: Vec::new() }
    }

    /// The file that a badge stands for.
    pub fn get(&self, badge: u64) -> Option<&OpenFile> {
        match Badge::from_number(badge)? {
            Badge::Directory(place) => self.granted.get(usize::try_from(place).ok()?),
            Badge::Opened(number) => match self.opened.get(number.place())? {
                Some((serial, file)) if *serial == number.serial() => Some(file),
                _ => None,
            },
            Badge::Stream(_) | Badge::Invocation | Badge::Clock | Badge::Random | Badge::Ended => None,
        }
    }

    /// The same, to change what is known of it.
    pub fn get_mut(&mut self, badge: u64) -> Option<&mut OpenFile> {
        match Badge::from_number(badge)? {
            Badge::Directory(place) => self.granted.get_mut(usize::try_from(place).ok()?),
            Badge::Opened(number) => match self.opened.get_mut(number.place())? {
                Some((serial, file)) if *serial == number.serial() => Some(file),
                _ => None,
            },
            Badge::Stream(_) | Badge::Invocation | Badge::Clock | Badge::Random | Badge::Ended => None,
        }
    }

    /// Takes a file in, and says its badge. `None`, and the file is closed: there are too many, or serial numbers have run out.
    pub fn insert(&mut self, file: OpenFile) -> Option<u64> {
        let place = self.free.last().copied().unwrap_or(self.opened.len());
        if place >= MOST_PLACES {
            return None;
        }
        // Only a number that nobody else gets; nothing is published by it. It stops at its end.
        let next = |serial: u64| (serial < SERIAL_END).then_some(serial + 1);
        let serial = NEXT_SERIAL.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).ok()?;
        let number = OpenedNumber::new(serial, place)?;
        match self.opened.get_mut(place) {
            Some(slot) => *slot = Some((serial, file)),
            None => self.opened.push(Some((serial, file))),
        }
        self.free.pop();
        Some(Badge::Opened(number).number())
    }

    /// Takes an opened file out, which is closed when it is dropped. A granted directory stays: it was given for the machine's life, and
    /// to others too.
    pub fn remove(&mut self, badge: u64) -> Option<OpenFile> {
        let Some(Badge::Opened(number)) = Badge::from_number(badge) else { return None };
        let slot = self.opened.get_mut(number.place())?;
        let (_, file) = slot.take_if(|(serial, _)| *serial == number.serial())?;
        self.free.push(number.place());
        Some(file)
    }

    /// Closes all that was opened. Badges of these files name nothing from now on.
    pub fn close_all(&mut self) {
        self.free.clear();
        self.opened.clear();
    }
}
