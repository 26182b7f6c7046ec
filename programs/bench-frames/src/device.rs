//! The ring of a packet device, with places for short frames.

use core::time::Duration;

use hallows::packets::{Card, Client, QUESTION, Question, RECEIVE, TRANSMIT, Window};
use hallows::ring::{Bell, Failure, Submission};
use hallows::{Deadline, Endpoint, Error};

static RING: Window = Window::new();

/// Entries of each queue.
const ENTRIES: u32 = 256;
/// Of them for frames that come; the others are for those that go.
const ROOMS: u32 = 128;
/// Bytes of a place.
pub const PLACE_BYTES: usize = 128;
/// How long the device may take to answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// A device, and what is under way.
pub struct Device {
    ring: Client,
    card: Card,
    /// Places of frames that go, of which nothing is under way.
    free: [u32; (ENTRIES - ROOMS) as usize],
    free_count: usize,
    /// The frame that has come, or is to go.
    frame: [u8; PLACE_BYTES],
}

/// What the device has done.
pub enum Event {
    /// A frame of so many bytes has come; it was there at this time.
    Came { bytes: usize, at: u64 },
    /// One has gone.
    Gone { at: u64 },
    /// One was refused, or was too long.
    Lost,
}

fn submission(operation: u16, place: u32, bytes: usize) -> Submission {
    Submission {
        operation,
        length: bytes as u32,
        token: place.into(),
        offset: u64::from(place) * PLACE_BYTES as u64,
        ..Submission::default()
    }
}

impl Device {
    /// Offers it a ring, and gives it room.
    pub fn open(card: Endpoint) -> Result<Self, Error> {
        let deadline = Deadline::after(PATIENCE)?;
        let asked: Card = card.ask(&Question { magic: QUESTION }, deadline)?;
        let ring = Client::offer(&RING, ENTRIES, Bell::bound(1)?, |bytes, transfers, reply, handles| {
            card.call(bytes, transfers, reply, handles, deadline)
        });
        let mut free = [0; (ENTRIES - ROOMS) as usize];
        for (place, number) in free.iter_mut().zip(ROOMS..) {
            *place = number;
        }
        let free_count = free.len();
        let ring = ring.map_err(|_| Error::Refused)?;
        let mut device = Self { ring, card: asked, free, free_count, frame: [0; PLACE_BYTES] };
        for place in 0..ROOMS {
            device.ring.submit(&submission(RECEIVE, place, PLACE_BYTES)).map_err(|_| Error::Refused)?;
        }
        Ok(device)
    }

    /// The address of this end.
    pub fn address(&self) -> [u8; 6] {
        self.card.address
    }

    /// So many bytes of the frame that has come last, or is to go next.
    pub fn frame(&mut self, bytes: usize) -> Option<&mut [u8]> {
        self.frame.get_mut(..bytes)
    }

    /// Sends so many bytes of it; the device sees it with the next wait. False: too many are under way.
    pub fn send(&mut self, bytes: usize) -> Result<bool, Failure> {
        let Some(last) = self.free_count.checked_sub(1) else { return Ok(false) };
        let place = self.free.get(last).copied().unwrap_or(ROOMS);
        let going = submission(TRANSMIT, place, bytes);
        if let (Ok(part), Some(frame)) = (self.ring.payload().of(&going), self.frame.get(..bytes)) {
            part.write(frame);
        }
        self.ring.submit(&going)?;
        self.free_count = last;
        Ok(true)
    }

    /// Waits until something has happened.
    pub fn wait(&mut self, deadline: Deadline) -> Result<(), Failure> {
        self.ring.wait(deadline)
    }

    /// What has happened next.
    pub fn next(&mut self) -> Result<Option<Event>, Failure> {
        let Some(completion) = self.ring.complete()? else { return Ok(None) };
        // The device is trusted with nothing: a token that is none of ours is one of some place.
        let place = completion.token as u32 % ENTRIES;
        let done = completion.outcome();
        if place >= ROOMS {
            if let Some(free) = self.free.get_mut(self.free_count) {
                *free = place;
                self.free_count += 1;
            }
            return Ok(Some(if done.is_ok() { Event::Gone { at: completion.detail } } else { Event::Lost }));
        }
        let room = submission(RECEIVE, place, PLACE_BYTES);
        let bytes = done.ok().and_then(|bytes| usize::try_from(bytes).ok());
        if let (Some(_), Ok(part)) = (bytes, self.ring.payload().of(&room)) {
            part.read(&mut self.frame);
        }
        self.ring.submit(&room)?;
        Ok(Some(bytes.map_or(Event::Lost, |bytes| Event::Came { bytes, at: completion.detail })))
    }
}
