//! The wire: frames by the ring of a network card, as smoltcp wants to see a device.

use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use hallows_sdk::packets::{
    Card, Client, HEAD_BYTES, MOST_FRAME_BYTES, QUESTION, Question, RECEIVE, TRANSMIT, Window,
};
use hallows_sdk::ring::{Bell, Failure, Rest, Submission};
use hallows_sdk::{Deadline, Endpoint, Error};
use smoltcp::phy::{self, DeviceCapabilities, Medium};
use smoltcp::time::Instant;

use crate::way::Frames;

static RING: Window = Window::new();

/// Entries of each queue: as many frames as are under way, in both directions together.
const ENTRIES: u32 = 256;
/// Of them for frames that come: as many as a card's queue usually has.
const ROOMS: usize = 128;
/// How long the card may take to answer: it is a server of this machine.
const PATIENCE: Duration = Duration::from_secs(1);
/// The shortest that every host of the internet takes (RFC 791), and the longest that a card has.
const LEAST_MTU: usize = 576;
const MOST_MTU: usize = MOST_FRAME_BYTES - HEAD_BYTES;

/// A place in the ring's payload.
#[derive(Clone, Copy, Debug)]
struct Place(u32);

/// A ring that is open.
#[derive(Debug)]
struct Open {
    ring: Client,
    /// Bytes of each place.
    place_bytes: u32,
    /// Places for frames that are sent, of which nothing is under way.
    free: Vec<Place>,
    /// Frames that came and were not looked at, with their bytes.
    arrived: VecDeque<(Place, u32)>,
    /// Places for frames that come, which the card did not want.
    refused: Vec<Place>,
}

/// The link to a card.
#[derive(Debug)]
pub struct Link {
    card: Endpoint,
    open: Option<Open>,
    mtu: usize,
    /// The frame that the protocols take next: a copy, as the ring's words may change at any time.
    came: Vec<u8>,
    /// It is there.
    has_come: bool,
    /// A frame on its way from the protocols to the ring.
    goes: Vec<u8>,
    pub counted: Counted,
}

/// What has gone over the link, since this life began.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counted {
    pub frames_in: u64,
    pub bytes_in: u64,
    /// Frames that were longer than a place.
    pub lost_in: u64,
    pub frames_out: u64,
    pub bytes_out: u64,
    /// Frames for which there was no place, or that the card did not take.
    pub lost_out: u64,
}

impl Link {
    /// No ring yet.
    pub fn new(card: Endpoint) -> Self {
        let (came, goes) = (Vec::new(), Vec::new());
        Self { card, open: None, mtu: 0, came, has_come: false, goes, counted: Counted::default() }
    }

    /// The most bytes that a frame carries behind its head; 0 before there was a ring.
    pub const fn mtu(&self) -> usize {
        self.mtu
    }

    /// Whether there is a ring.
    pub const fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Offers the card a ring, whose bell rings with this badge; what the card is.
    ///
    /// # Errors
    ///
    /// Those of a call, and of offering a ring; [`Error::Refused`] if the card says nonsense.
    pub fn open(&mut self, badge: u64) -> Result<Card, Failure> {
        self.close();
        let deadline = Deadline::after(PATIENCE)?;
        let card: Card = self.card.ask(&Question { magic: QUESTION }, deadline)?;
        let mtu = usize::try_from(card.mtu).map_err(|_| Error::Refused)?;
        if !(LEAST_MTU..=MOST_MTU).contains(&mtu) {
            return Err(Error::Refused.into());
        }
        let ring = Client::offer(&RING, ENTRIES, Bell::bound(badge)?, |bytes, transfers, reply, handles| {
            self.card.call(bytes, transfers, reply, handles, deadline)
        })?;
        let frame_bytes = u32::try_from(mtu + HEAD_BYTES).map_err(|_| Error::Refused)?;
        let place_bytes = frame_bytes.next_multiple_of(64);
        let places = u32::try_from(ring.payload().bytes()).unwrap_or(u32::MAX) / place_bytes;
        let mut places = (0..places.min(ENTRIES)).map(Place);
        let rooms: Vec<_> = places.by_ref().take(ROOMS).collect();
        let free: Vec<_> = places.collect();
        if free.is_empty() {
            // Frames that are so long that there is no place for one in each direction.
            ring.close()?;
            return Err(Error::TooLong.into());
        }
        self.goes = vec![0; mtu + HEAD_BYTES];
        self.came = Vec::with_capacity(mtu + HEAD_BYTES);
        self.mtu = mtu;
        let mut open = Open { ring, place_bytes, free, arrived: VecDeque::new(), refused: rooms };
        let given = open.give_rooms();
        // Closed with what it has, if it was not.
        self.open = Some(open);
        if let Err(failure) = given {
            self.close();
            return Err(failure);
        }
        Ok(card)
    }

    /// Ends the ring, if there is one. Frames under way are lost, as on any wire that is cut.
    pub fn close(&mut self) {
        if let Some(open) = self.open.take() {
            // It can only fail when this cell is being ended.
            let _ = open.ring.close();
        }
    }

    /// Begins a turn, with the bits that the bell rang with.
    pub fn begin(&mut self, bits: u64) {
        if let Some(open) = &mut self.open {
            open.ring.begin(bits);
        }
    }

    /// Takes what the card has completed.
    ///
    /// # Errors
    ///
    /// The ring is to be closed then.
    pub fn collect(&mut self) -> Result<(), Failure> {
        let Self { open, counted, .. } = self;
        open.as_mut().map_or(Ok(()), |open| open.collect(counted))
    }

    /// Lets the card see what was submitted.
    ///
    /// # Errors
    ///
    /// As [`collect`](Self::collect).
    pub fn flush(&mut self) -> Result<(), Failure> {
        self.open.as_mut().map_or(Ok(()), |open| open.ring.flush())
    }

    /// Ends a turn; see [`hallows_sdk::ring::Client::settle`].
    ///
    /// # Errors
    ///
    /// As [`collect`](Self::collect).
    pub fn settle(&mut self) -> Result<Rest, Failure> {
        self.open.as_mut().map_or(Ok(Rest::Sleep), |open| open.ring.settle())
    }

    /// Ends a turn early: the bell rings again.
    ///
    /// # Errors
    ///
    /// As [`collect`](Self::collect).
    pub fn come_again(&mut self) -> Result<(), Failure> {
        self.open.as_mut().map_or(Ok(()), |open| Ok(open.ring.come_again()?))
    }

    /// Offers the card once more what it did not want, as while its interface was down. Whether there was something.
    ///
    /// # Errors
    ///
    /// As [`collect`](Self::collect).
    pub fn try_again(&mut self) -> Result<(), Failure> {
        self.open.as_mut().map_or(Ok(()), Open::give_rooms)
    }

    /// Whether the card did not want something.
    pub fn was_refused(&self) -> bool {
        self.open.as_ref().is_some_and(|open| !open.refused.is_empty())
    }
}

impl Open {
    fn submission(&self, operation: u16, place: Place, length: u32) -> Submission {
        let Place(number) = place;
        let offset = u64::from(number) * u64::from(self.place_bytes);
        Submission { operation, length, token: number.into(), offset, ..Submission::default() }
    }

    fn give_rooms(&mut self) -> Result<(), Failure> {
        while let Some(place) = self.refused.pop() {
            self.give_room(place)?;
        }
        Ok(())
    }

    fn give_room(&mut self, place: Place) -> Result<(), Failure> {
        let room = self.submission(RECEIVE, place, self.place_bytes);
        self.ring.submit(&room)
    }

    fn collect(&mut self, counted: &mut Counted) -> Result<(), Failure> {
        while let Some(completion) = self.ring.complete()? {
            // The card is a server that is trusted with frames and with nothing else: a token that is none of ours is dropped.
            let Some(number) = u32::try_from(completion.token).ok().filter(|number| *number < ENTRIES) else {
                continue;
            };
            let place = Place(number);
            let is_room = usize::try_from(number).is_ok_and(|number| number < ROOMS);
            match (is_room, completion.outcome()) {
                (false, sent) => {
                    counted.lost_out += u64::from(sent.is_err());
                    self.free.push(place);
                }
                (true, Ok(bytes)) => {
                    let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).min(self.place_bytes);
                    self.arrived.push_back((place, bytes));
                }
                // A frame that was too long for the place is lost, and the place is good for the next.
                (true, Err(Error::TooLong)) => {
                    counted.lost_in += 1;
                    self.give_room(place)?;
                }
                (true, Err(_)) => self.refused.push(place),
            }
        }
        Ok(())
    }
}

/// A frame that came.
#[derive(Debug)]
pub struct Received<'a>(&'a [u8]);

impl phy::RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, look: F) -> R {
        look(self.0)
    }
}

/// The right to send one frame.
#[derive(Debug)]
pub struct Sending<'a> {
    open: Option<&'a mut Open>,
    frame: &'a mut Vec<u8>,
    counted: &'a mut Counted,
}

impl phy::TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, fill: F) -> R {
        let Self { open, frame, counted } = self;
        if frame.len() < length {
            frame.resize(length, 0);
        }
        let frame = frame.get_mut(..length).unwrap_or_default();
        let result = fill(frame);
        let sent = open.is_some_and(|open| open.send(frame));
        if sent {
            counted.frames_out += 1;
            counted.bytes_out += length as u64;
        } else {
            counted.lost_out += 1;
        }
        result
    }
}

impl Open {
    /// Whether a frame has a place, and is on its way.
    fn send(&mut self, frame: &[u8]) -> bool {
        let Some(place) = self.free.pop() else { return false };
        let submission = self.submission(TRANSMIT, place, u32::try_from(frame.len()).unwrap_or(u32::MAX));
        let part = self.ring.payload().of(&submission).ok().filter(|_| submission.length <= self.place_bytes);
        let sent = part.is_some_and(|part| {
            part.write(frame);
            self.ring.submit(&submission).is_ok()
        });
        if !sent {
            self.free.push(place);
        }
        sent
    }

    /// The oldest frame that came, copied out of its place, which is free for the next one then. Whether there was one.
    fn take(&mut self, frame: &mut Vec<u8>) -> bool {
        let Some((place, bytes)) = self.arrived.pop_front() else { return false };
        // No more than a place has.
        frame.resize(bytes as usize, 0);
        let room = self.submission(RECEIVE, place, bytes);
        if let Ok(part) = self.ring.payload().of(&room) {
            part.read(frame);
        }
        // The queue has a place for each: what comes back was there before.
        if self.give_room(place).is_err() {
            self.refused.push(place);
        }
        true
    }
}

impl Frames for Link {
    fn next(&mut self) -> Option<&[u8]> {
        if !self.has_come {
            self.has_come = self.open.as_mut()?.take(&mut self.came);
        }
        self.has_come.then_some(&self.came)
    }

    fn is_full(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.free.is_empty())
    }
}

impl phy::Device for Link {
    type RxToken<'a> = Received<'a>;
    type TxToken<'a> = Sending<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Received<'_>, Sending<'_>)> {
        self.next()?;
        self.has_come = false;
        let Self { open, came, goes, counted, .. } = self;
        counted.frames_in += 1;
        counted.bytes_in += came.len() as u64;
        Some((Received(came), Sending { open: open.as_mut(), frame: goes, counted }))
    }

    fn transmit(&mut self, _: Instant) -> Option<Sending<'_>> {
        let Self { open, goes, counted, .. } = self;
        let open = open.as_mut().filter(|open| !open.free.is_empty())?;
        Some(Sending { open: Some(open), frame: goes, counted })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.max_transmission_unit = self.mtu + HEAD_BYTES;
        capabilities.medium = Medium::Ethernet;
        capabilities
    }
}
