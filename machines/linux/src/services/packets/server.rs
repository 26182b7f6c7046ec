//! The program that drives a device: takes what its client submits, and completes it when the device has.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};

use hallows_abi::Handle;
use hallows_sdk::native::{NativeProgram, NativeReactor, NativeStyle};
use hallows_sdk::packets::{HEAD_BYTES, RECEIVE, Service, TRANSMIT, Window, is_question};
use hallows_sdk::ring::{self, Completion, Failure, Rest, Submission, operation};
use hallows_sdk::{Answer, Endpoint, Error, Message, Server, Start, log, process, space};

use super::device;
use super::device::Device;
use crate::services::interrupts::INTERRUPT_BADGE;
use crate::services::look::Look;

/// The program, of which each cell drives the device that its argument names.
pub static PACKETS: NativeProgram = NativeProgram {
    name: "packets",
    style: NativeStyle::Reactor(NativeReactor::of::<
        Packets,
        { Packets::INBOX_BYTES },
        { Packets::REPLY_BYTES },
    >()),
};

/// Cells that there can be: each has a window, and those are the machine's.
const MOST_CELLS: usize = 8;

static WINDOWS: [Window; MOST_CELLS] = [const { Window::new() }; MOST_CELLS];
static TAKEN: [AtomicBool; MOST_CELLS] = [const { AtomicBool::new(false) }; MOST_CELLS];

/// A window that is a cell's own until this is dropped.
#[derive(Debug)]
struct OwnWindow(usize);

impl OwnWindow {
    fn take() -> Option<Self> {
        // AcqRel: who had it before is done with it.
        let is_free = |taken: &AtomicBool| !taken.swap(true, Ordering::AcqRel);
        TAKEN.iter().position(is_free).map(Self)
    }

    fn window(&self) -> &'static Window {
        &WINDOWS[self.0]
    }
}

impl Drop for OwnWindow {
    fn drop(&mut self) {
        TAKEN[self.0].store(false, Ordering::Release);
    }
}

/// A ring, and whose it is.
#[derive(Debug)]
struct Open {
    ring: Service,
    /// The badge of the client's endpoint.
    client: u64,
    /// The badge of its notification: another one for each ring.
    badge: u64,
    /// Room for frames that have not come yet, in the order in which it was given.
    rooms: VecDeque<Submission>,
    /// Frames that the device had no room for, in the order in which they go: no more than the ring has places.
    unsent: VecDeque<Submission>,
    /// Since when it has had none.
    is_full_since: Option<u64>,
    /// When what is completed in this round was done, once that was asked for: the clock is looked at once for all of it.
    now: Option<u64>,
}

/// The state of a cell.
pub struct Packets {
    device: Box<dyn Device>,
    open: Option<Open>,
    window: OwnWindow,
    last_badge: u64,
    /// For how long it looks for frames before it has itself told.
    look: Look,
}

impl core::fmt::Debug for Packets {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("Packets").field("open", &self.open).finish_non_exhaustive()
    }
}

/// Frames and submissions in a row before others of the machine have their turn.
const MOST_IN_A_ROW: usize = 256;
/// Frames after which the client is told: so few that it can begin meanwhile.
const BATCH: usize = 32;
/// How long frames wait for a device that has no room: what a burst takes to go. Behind that they are lost, as on any wire, and whoever sent them hears so.
const MOST_WAIT_NS: u64 = 5_000_000;
/// Looks at the ring for each look at a device that is a system call.
const LOOKS_PER_CALL: u32 = 32;

impl Server for Packets {
    const INBOX_BYTES: usize = 64;
    const REPLY_BYTES: usize = 64;

    fn new(start: &Start<'_>) -> Result<Self, Error> {
        let info = start.info();
        let mut arguments = info.arguments();
        let argument = arguments.next().unwrap_or_default();
        let look = match arguments.next().map(|argument| (argument, argument.strip_prefix("look="))) {
            None => Ok(Look::default()),
            Some((_, Some(text))) => Look::parse(text),
            Some((other, None)) => Err(format!("behind the device comes look=, and not `{other}`")),
        };
        let look = match look {
            Ok(look) => look,
            Err(why) => {
                log!("cannot read how long to look: {why}");
                return Err(Error::BadArgument);
            }
        };
        let Some(device) = device(argument) else {
            log!(
                "there is no interface `{argument}`: start the machine with --net tap:NAME, xdp:NAME or wire:NAME for each, or say `loopback`"
            );
            return Err(Error::BadArgument);
        };
        let Some(window) = OwnWindow::take() else {
            log!("a machine drives at most {MOST_CELLS} packet devices");
            return Err(Error::TableFull);
        };
        Ok(Self { device, open: None, window, last_badge: 0, look })
    }

    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        if message.badge == INTERRUPT_BADGE {
            drop_all(message.handles);
            self.turn(0);
            return Answer::EMPTY;
        }
        if is_question(message.bytes) {
            drop_all(message.handles);
            return message.reply.form(&self.device.card());
        }
        // One at a time: the client that has it may offer another one, as it does in its next life.
        let is_anothers =
            |open: &Option<Open>| open.as_ref().is_some_and(|open| open.client != message.badge);
        if is_anothers(&self.open) {
            // Who has it may have closed it a moment ago.
            self.turn(0);
        }
        if !ring::is_offer(message.bytes) || is_anothers(&self.open) {
            drop_all(message.handles);
            return Answer::EMPTY;
        }
        self.close();
        self.last_badge += 1;
        let accepted = match Service::accept(message.handles, self.window.window(), self.last_badge) {
            Ok(accepted) => accepted,
            Err(failure) => {
                log!("no ring for client {}: {failure}", message.badge);
                return Answer::EMPTY;
            }
        };
        let Ok((ring, answer)) = accepted.answer(message.reply) else { return Answer::EMPTY };
        self.open = Some(Open {
            ring,
            client: message.badge,
            badge: self.last_badge,
            rooms: VecDeque::new(),
            unsent: VecDeque::new(),
            is_full_since: None,
            now: None,
        });
        answer
    }

    fn notification(&mut self, badge: u64, bits: u64) {
        if self.open.as_ref().is_some_and(|open| open.badge == badge) {
            self.turn(bits);
        }
    }
}

impl Packets {
    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            open.ring.close();
        }
    }

    /// Does what there is to do, until there is nothing more or others have their turn.
    fn turn(&mut self, bits: u64) {
        let Some(open) = &mut self.open else { return };
        let client = open.client;
        match open.turn(bits, &mut *self.device, &mut self.look) {
            Ok(()) => {}
            Err(Failure::Closed) => self.close(),
            Err(failure) => {
                log!("client {client}: {failure}");
                self.close();
            }
        }
    }
}

impl Open {
    fn turn(&mut self, bits: u64, device: &mut dyn Device, look: &mut Look) -> Result<(), Failure> {
        self.ring.begin(bits);
        let mut done = 0;
        while done < MOST_IN_A_ROW {
            self.now = None;
            let some = self.serve(device)? + self.receive(device)?;
            let is_out = device.flush();
            if some > 0 {
                look.found();
                done += some;
                self.ring.flush()?;
                continue;
            }
            // There is no room for more now: it is asked again when others have had their turn.
            if !is_out || !self.unsent.is_empty() {
                break;
            }
            // Whoever is more urgent goes first.
            if look.goes_on() {
                break;
            }
            if self.look(device)? {
                done += 1;
                continue;
            }
            // Told before it sleeps: what comes in between is told of at once.
            if !self.rooms.is_empty() {
                device.tell();
            }
            if self.ring.rest()? == Rest::Sleep {
                return Ok(());
            }
        }
        Ok(self.ring.come_again()?)
    }

    /// Takes submissions, at most a batch; how many.
    fn serve(&mut self, device: &mut dyn Device) -> Result<usize, Failure> {
        let mut taken = self.send_again(device)?;
        while taken < BATCH
            && let Some(submission) = self.ring.take()?
        {
            taken += 1;
            match submission.operation {
                RECEIVE => match self.check_room(&submission) {
                    Ok(()) => self.rooms.push_back(submission),
                    Err(error) => self.ring.complete(&Completion::failed(submission.token, error))?,
                },
                // Rooms are taken meanwhile: the other end may wait for those.
                TRANSMIT if !self.unsent.is_empty() => self.unsent.push_back(submission),
                TRANSMIT => {
                    if !self.send(&submission, device)? {
                        self.unsent.push_back(submission);
                    }
                }
                operation::NOTHING | operation::FLUSH => self.complete(submission.token, Ok(0))?,
                _ => self.complete(submission.token, Err(Error::UnknownOperation))?,
            }
        }
        Ok(taken)
    }

    /// Sends what there was no room for; how many went, or are lost.
    fn send_again(&mut self, device: &mut dyn Device) -> Result<usize, Failure> {
        let mut gone = 0;
        while gone < BATCH
            && let Some(submission) = self.unsent.front().copied()
            && self.send(&submission, device)?
        {
            self.unsent.pop_front();
            gone += 1;
        }
        Ok(gone)
    }

    /// Sends a frame. False: there is no room for it, and it is to be tried again.
    fn send(&mut self, submission: &Submission, device: &mut dyn Device) -> Result<bool, Failure> {
        let sent = self.transmit(submission, device);
        if sent == Err(Error::Busy) {
            let now = self.now()?;
            if now.saturating_sub(*self.is_full_since.get_or_insert(now)) < MOST_WAIT_NS {
                return Ok(false);
            }
        } else {
            self.is_full_since = None;
        }
        self.complete(submission.token, sent)?;
        Ok(true)
    }

    fn check_room(&self, submission: &Submission) -> Result<(), Error> {
        self.ring.payload().of(submission).map(drop).map_err(|_| Error::BadSpan)
    }

    fn transmit(&self, submission: &Submission, device: &mut dyn Device) -> Result<usize, Error> {
        let part = self.ring.payload().of(submission).map_err(|_| Error::BadSpan)?;
        let most = usize::try_from(device.card().mtu).unwrap_or(0) + HEAD_BYTES;
        if part.len() > most {
            return Err(Error::TooLong);
        }
        // A copy, which the client does not change any more.
        device
            .transmit(part.len(), &mut |frame| {
                part.read(frame);
            })
            .map(|()| part.len())
    }

    /// Takes frames that have come, at most a batch, as long as there is room; how many.
    fn receive(&mut self, device: &mut dyn Device) -> Result<usize, Failure> {
        let mut received = 0;
        while received < BATCH && !self.rooms.is_empty() {
            match device.receive() {
                Ok(None) => break,
                Ok(Some(frame)) => self.deliver(Ok(frame))?,
                Err(error) => self.deliver(Err(error))?,
            }
            received += 1;
        }
        Ok(received)
    }

    /// Completes the oldest room with a frame.
    fn deliver(&mut self, frame: Result<&[u8], Error>) -> Result<(), Failure> {
        let Some(room) = self.rooms.pop_front() else { return Ok(()) };
        let delivered = frame.and_then(|frame| {
            // It was checked when it was taken: a part's place does not change.
            let part = self.ring.payload().of(&room).map_err(|_| Error::BadSpan)?;
            if frame.len() > part.len() {
                return Err(Error::TooLong);
            }
            part.write(frame);
            Ok(frame.len())
        });
        self.complete(room.token, delivered)
    }

    fn complete(&mut self, token: u64, done: Result<usize, Error>) -> Result<(), Failure> {
        let completion = match done {
            Ok(bytes) => Completion {
                token,
                // No frame has so many bytes that they do not fit.
                result: i64::try_from(bytes).unwrap_or(i64::MAX),
                detail: self.now()?,
                flags: 0,
            },
            Err(error) => Completion::failed(token, error),
        };
        self.ring.complete(&completion)
    }

    fn now(&mut self) -> Result<u64, Error> {
        match self.now {
            Some(now) => Ok(now),
            None => Ok(*self.now.insert(process::now()?)),
        }
    }

    /// Looks for a while whether there is something to do.
    fn look(&mut self, device: &mut dyn Device) -> Result<bool, Failure> {
        let mut looks = 0_u32;
        let waits = !self.rooms.is_empty();
        let between = if device.looks_by_call() { LOOKS_PER_CALL } else { 1 };
        self.ring.look(|| {
            looks += 1;
            waits && looks.is_multiple_of(between) && device.has_some()
        })
    }
}

/// Deletes capabilities that nobody asked for.
fn drop_all(handles: &[Handle]) {
    for handle in handles {
        // Only a kernel that takes no more calls from this cell refuses, and then it is over anyway.
        let _ = space::delete(Endpoint::from_handle(*handle));
    }
}
