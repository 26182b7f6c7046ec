//! io_uring, as far as stream sockets need it: a queue of requests that Linux carries out and completes, many with each system call (J. Axboe,
//! *Efficient IO with io_uring*, 2019; `io_uring(7)`).
//!
//! It is set up before the jail is sealed, with a list of the requests that it will ever take, and begins on the thread that uses it: Linux takes
//! requests from that one only, and works on what has completed only when it asks ([`Uring::turn`]). What is sent is the ring's own until it is
//! completed, and what is received lies in rooms of the ring's until the next completion is asked for, so nobody else touches memory that Linux uses.

use std::alloc::Layout;
use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering, fence};

use io_uring::types::{BufRingEntry, CancelBuilder, Fd};
use io_uring::{IoUring, cqueue, opcode, register, squeue};
use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;

/// Requests that are handed over with one system call; what more there are goes in several.
const ENTRIES: u32 = 1_024;
/// Completions that wait to be taken before Linux keeps them aside.
const COMPLETIONS: u32 = 8_192;
/// Rooms for what is received, and their bytes: all of them are free again after each turn.
const ROOMS: u16 = 256;
const ROOM_BYTES: usize = 16 << 10;
/// The group of the rooms: there is one.
const GROUP: u16 = 0;
const PAGE: usize = 4_096;

/// The highest token.
pub const MOST_TOKEN: u64 = (1 << KIND_SHIFT) - 1;
const KIND_SHIFT: u32 = 60;

/// What a completion is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
enum Kind {
    Accept = 1,
    Receive = 2,
    Send = 3,
    Readiness = 4,
    Cancel = 5,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Accept, Self::Receive, Self::Send, Self::Readiness, Self::Cancel];

    const fn of(self, token: u64) -> u64 {
        token & MOST_TOKEN | (self as u64) << KIND_SHIFT
    }

    fn from_data(data: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u64 == data >> KIND_SHIFT)
    }
}

/// What has happened, with the token of who asked for it.
#[derive(Debug)]
pub enum Completion {
    /// Somebody has come to a socket that listens.
    Accepted {
        /// Of [`Uring::accept`].
        token: u64,
        /// The connection; or why there is none.
        socket: Result<OwnedFd, Errno>,
    },
    /// Bytes have come: [`Uring::received`] has them, until the next completion.
    Received {
        /// Of [`Uring::receive`].
        token: u64,
        /// How many; 0: no more will come. Or why not.
        bytes: Result<usize, Errno>,
        /// Others will come without being asked for.
        more: bool,
    },
    /// Bytes have been sent, or will never be.
    Sent {
        /// Of [`Uring::send`].
        token: u64,
        /// How many; or why not.
        sent: Result<usize, Errno>,
        /// What was to be sent.
        bytes: Vec<u8>,
    },
    /// There is something to read, or an error to be told of.
    Ready {
        /// Of [`Uring::await_readiness`].
        token: u64,
    },
}

/// What is being sent, with the token of who asked for it.
#[derive(Debug)]
struct Sending {
    token: u64,
    bytes: Vec<u8>,
}

/// Names something that is being sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendNumber(u32);

/// A ring.
pub struct Uring {
    /// Dropping it would not wait for Linux to be done with what is below: it stays, and so does that.
    ring: ManuallyDrop<IoUring>,
    rooms: ManuallyDrop<Rooms>,
    /// What is being sent, by its number.
    sends: ManuallyDrop<Vec<Option<Sending>>>,
    /// Places in `sends` that are free.
    free: Vec<u32>,
    /// What requests name that were not handed over: a descriptor's number is not another's as long as it is open.
    named: Vec<Arc<OwnedFd>>,
    /// The room and the bytes of the completion that was given out last.
    lent: Option<(u16, usize)>,
    /// Requests that have not been completed for good.
    under_way: usize,
    /// Counts what was completed while the ring's user rests.
    alarm: OwnedFd,
    rests: bool,
}

impl std::fmt::Debug for Uring {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Uring").field("under_way", &self.under_way).finish_non_exhaustive()
    }
}

impl Uring {
    /// A ring that does nothing yet ([`Self::begin`]).
    ///
    /// # Errors
    ///
    /// When Linux has no io_uring, forbids it, or is older than 6.1.
    pub fn new() -> io::Result<Self> {
        let ring = IoUring::builder()
            .setup_cqsize(COMPLETIONS)
            .setup_clamp()
            .setup_r_disabled()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_taskrun_flag()
            .dontfork()
            .build(ENTRIES)?;
        let mut allowed = [
            register::Restriction::sqe_op(opcode::Accept::CODE),
            register::Restriction::sqe_op(opcode::RecvMulti::CODE),
            register::Restriction::sqe_op(opcode::Send::CODE),
            register::Restriction::sqe_op(opcode::PollAdd::CODE),
            register::Restriction::sqe_op(opcode::AsyncCancel2::CODE),
            register::Restriction::sqe_flags_allowed(squeue::Flags::BUFFER_SELECT.bits()),
            register::Restriction::register_op(ENABLE_RINGS),
        ];
        let rooms = Rooms::new()?;
        // The ring's own descriptor tells of nothing that is put off until somebody asks; this does.
        let alarm = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        ring.submitter().register_eventfd(alarm.as_raw_fd())?;
        // SAFETY: the rooms' ring is as long as is said, and stays as long as the process (see the field).
        unsafe {
            ring.submitter().register_buf_ring_with_flags(
                rooms.ring.as_ptr().expose_provenance() as u64,
                ROOMS,
                GROUP,
                0,
            )?
        };
        ring.submitter().register_restrictions(&mut allowed)?;
        let mut ring = ring;
        ring.completion().disable_eventfd();
        Ok(Self {
            ring: ManuallyDrop::new(ring),
            rooms: ManuallyDrop::new(rooms),
            sends: ManuallyDrop::default(),
            free: Vec::new(),
            named: Vec::new(),
            lent: None,
            under_way: 0,
            alarm,
            rests: false,
        })
    }

    /// Begins, for this thread alone. To begin once more changes nothing.
    ///
    /// # Errors
    ///
    /// When another thread has it.
    pub fn begin(&mut self) -> io::Result<()> {
        match self.ring.submitter().register_enable_rings() {
            // It has begun before.
            Err(error) if error.raw_os_error() == Some(libc::EBADFD) => self.turn().map(drop),
            other => other,
        }
    }

    /// Accepts who comes next to a socket that listens.
    ///
    /// # Errors
    ///
    /// When Linux takes no requests.
    pub fn accept(&mut self, socket: &Arc<OwnedFd>, token: u64) -> io::Result<()> {
        let (none, no_length) = (std::ptr::null_mut(), std::ptr::null_mut());
        let entry = opcode::Accept::new(Fd(socket.as_raw_fd()), none, no_length).flags(libc::SOCK_CLOEXEC);
        self.push(socket, entry.build().user_data(Kind::Accept.of(token)))
    }

    /// Receives whatever comes, until it ends, there is an error, there was no room, or it is cancelled.
    ///
    /// # Errors
    ///
    /// As [`Self::accept`].
    pub fn receive(&mut self, socket: &Arc<OwnedFd>, token: u64) -> io::Result<()> {
        let entry = opcode::RecvMulti::new(Fd(socket.as_raw_fd()), GROUP).build();
        self.push(socket, entry.user_data(Kind::Receive.of(token)))
    }

    /// Sends all these bytes, or as many as can be before an error. What is sent for one socket at a time goes in order. The request's number, until it is
    /// completed.
    ///
    /// # Errors
    ///
    /// As [`Self::accept`].
    pub fn send(&mut self, socket: &Arc<OwnedFd>, token: u64, bytes: Vec<u8>) -> io::Result<SendNumber> {
        // A longer one is completed when so much is sent.
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let flags = libc::MSG_NOSIGNAL | libc::MSG_WAITALL;
        let entry = opcode::Send::new(Fd(socket.as_raw_fd()), bytes.as_ptr(), length).flags(flags).build();
        let place = match self.free.pop() {
            Some(place) => place,
            None => {
                self.sends.push(None);
                u32::try_from(self.sends.len() - 1).map_err(|_| io::ErrorKind::OutOfMemory)?
            }
        };
        self.sends[place as usize] = Some(Sending { token, bytes });
        self.push(socket, entry.user_data(Kind::Send.of(u64::from(place))))?;
        Ok(SendNumber(place))
    }

    /// Sends no more of what is under way: it is completed with what was sent, or with an error.
    ///
    /// # Errors
    ///
    /// As [`Self::accept`].
    pub fn cancel_send(&mut self, number: SendNumber) -> io::Result<()> {
        self.cancel(Kind::Send.of(u64::from(number.0)))
    }

    /// Tells once when there is something to read.
    ///
    /// # Errors
    ///
    /// As [`Self::accept`].
    pub fn await_readiness(&mut self, socket: &Arc<OwnedFd>, token: u64) -> io::Result<()> {
        let events = u32::from(libc::POLLIN.cast_unsigned());
        let entry = opcode::PollAdd::new(Fd(socket.as_raw_fd()), events).build();
        self.push(socket, entry.user_data(Kind::Readiness.of(token)))
    }

    /// Cancels what was asked for with [`Self::accept`] and this token: it is completed with [`Errno::CANCELED`], if it was not before.
    ///
    /// # Errors
    ///
    /// As [`Self::accept`].
    pub fn cancel_accept(&mut self, token: u64) -> io::Result<()> {
        self.cancel(Kind::Accept.of(token))
    }

    /// The same of [`Self::receive`].
    ///
    /// # Errors
    ///
    /// As [`Self::accept`].
    pub fn cancel_receive(&mut self, token: u64) -> io::Result<()> {
        self.cancel(Kind::Receive.of(token))
    }

    /// The same of [`Self::await_readiness`].
    ///
    /// # Errors
    ///
    /// As [`Self::accept`].
    pub fn cancel_readiness(&mut self, token: u64) -> io::Result<()> {
        self.cancel(Kind::Readiness.of(token))
    }

    fn cancel(&mut self, data: u64) -> io::Result<()> {
        let entry = opcode::AsyncCancel2::new(CancelBuilder::user_data(data)).build();
        self.put(&entry.user_data(Kind::Cancel.of(0)))
    }

    /// Ends all that is under way, as whoever has it next expects. Whatever happened meanwhile is forgotten.
    ///
    /// # Errors
    ///
    /// When Linux does not end it.
    pub fn clear(&mut self) -> io::Result<()> {
        let entry = opcode::AsyncCancel2::new(CancelBuilder::any()).build();
        self.put(&entry.user_data(Kind::Cancel.of(0)))?;
        for _ in 0..CLEARING_TURNS {
            self.turn()?;
            while self.next().is_some() {}
            if self.under_way == 0 {
                return Ok(());
            }
            std::thread::yield_now();
        }
        Err(io::Error::other("requests of io_uring are not cancelled"))
    }

    fn push(&mut self, socket: &Arc<OwnedFd>, entry: squeue::Entry) -> io::Result<()> {
        self.put(&entry)?;
        self.named.push(socket.clone());
        Ok(())
    }

    fn put(&mut self, entry: &squeue::Entry) -> io::Result<()> {
        // SAFETY: what a request speaks of stays until it is completed: what is sent in `sends`, the rooms for good, and until it is handed over the
        // descriptor in `named`.
        while unsafe { self.ring.submission().push(entry) }.is_err() {
            // The queue is full of requests that were not handed over.
            self.turn()?;
        }
        self.under_way += 1;
        Ok(())
    }

    /// Hands over what was asked for, and has Linux complete what it can: one system call, or none if there is nothing. Whether there was any.
    ///
    /// # Errors
    ///
    /// When Linux takes no requests: of another thread, or for want of memory.
    pub fn turn(&mut self) -> io::Result<bool> {
        if std::mem::take(&mut self.rests) {
            self.ring.completion().disable_eventfd();
        }
        if !self.has_work() {
            return Ok(false);
        }
        let waiting = u32::try_from(self.ring.submission().len()).unwrap_or(u32::MAX);
        /// `IORING_ENTER_GETEVENTS`: what was put off is done.
        const GET_EVENTS: u32 = 1;
        // SAFETY: no more is said to wait than does, and there is no argument.
        match unsafe { self.ring.submitter().enter::<libc::sigset_t>(waiting, 0, GET_EVENTS, None) } {
            Ok(_) => {
                if self.ring.submission().is_empty() {
                    self.named.clear();
                }
                Ok(true)
            }
            // Nothing was lost: it is asked again.
            Err(error) if matches!(error.raw_os_error(), Some(libc::EINTR | libc::EBUSY | libc::EAGAIN)) => {
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether Linux has something to take, or to complete when it is asked.
    fn has_work(&mut self) -> bool {
        let queue = self.ring.submission();
        !queue.is_empty() || queue.taskrun() || queue.cq_overflow()
    }

    /// Has the descriptor tell of what comes from now on, until the next turn. False: there is something already, and it will not.
    pub fn rest(&mut self) -> bool {
        // What it counted before.
        let _ = rustix::io::read(&self.alarm, &mut [0; 8]);
        self.ring.completion().enable_eventfd();
        // Linux says that there is something and then looks whether it shall tell; this is the other way round.
        fence(Ordering::SeqCst);
        self.rests = !self.has_work() && self.ring.completion().is_empty();
        if !self.rests {
            self.ring.completion().disable_eventfd();
        }
        self.rests
    }

    /// The next completion that is there. What the one before has received is gone then.
    pub fn next(&mut self) -> Option<Completion> {
        self.give_back();
        loop {
            let entry = self.ring.completion().next()?;
            if let Some(completion) = self.read(&entry) {
                return Some(completion);
            }
        }
    }

    fn read(&mut self, entry: &cqueue::Entry) -> Option<Completion> {
        let (data, flags) = (entry.user_data(), entry.flags());
        let (token, more) = (data & MOST_TOKEN, cqueue::more(flags));
        self.under_way -= usize::from(!more);
        let result = match usize::try_from(entry.result()) {
            Ok(number) => Ok(number),
            Err(_) => Err(Errno::from_raw_os_error(entry.result().wrapping_neg())),
        };
        match Kind::from_data(data)? {
            Kind::Accept => {
                // SAFETY: Linux has made it for this completion, and nobody else has it.
                let socket = result.map(|_| unsafe { OwnedFd::from_raw_fd(entry.result()) });
                Some(Completion::Accepted { token, socket })
            }
            Kind::Receive => {
                self.lent = cqueue::buffer_select(flags).map(|room| (room, result.unwrap_or(0)));
                Some(Completion::Received { token, bytes: result, more })
            }
            Kind::Send => {
                let place = u32::try_from(token).ok()?;
                let Sending { token, bytes } = self.sends.get_mut(place as usize)?.take()?;
                self.free.push(place);
                Some(Completion::Sent { token, sent: result, bytes })
            }
            Kind::Readiness => (result != Err(Errno::CANCELED)).then_some(Completion::Ready { token }),
            Kind::Cancel => None,
        }
    }

    /// What the completion that was given out last has received.
    #[must_use]
    pub fn received(&self) -> &[u8] {
        self.lent.map_or(&[], |(room, bytes)| self.rooms.bytes(room, bytes))
    }

    fn give_back(&mut self) {
        if let Some((room, _)) = self.lent.take() {
            self.rooms.give(room);
        }
    }
}

/// Turns after which what is cancelled must be over: it takes one or two, and what waits for another thread of Linux's some more.
const CLEARING_TURNS: u32 = 100_000;
/// `IORING_REGISTER_ENABLE_RINGS`.
const ENABLE_RINGS: u8 = 12;

impl AsFd for Uring {
    /// It can be read when something has come since [`Uring::rest`].
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.alarm.as_fd()
    }
}

/// Rooms for what is received, and the ring through which Linux is given them.
struct Rooms {
    /// A page of entries, of which the first has the tail beside it.
    ring: NonNull<BufRingEntry>,
    memory: NonNull<u8>,
    tail: u16,
}

// SAFETY: it has its memory alone, like a box.
unsafe impl Send for Rooms {}

impl Rooms {
    /// All of them Linux's.
    fn new() -> io::Result<Self> {
        let allocate = |bytes: usize| -> io::Result<NonNull<u8>> {
            let layout = Layout::from_size_align(bytes, PAGE).map_err(io::Error::other)?;
            // SAFETY: it has a size.
            NonNull::new(unsafe { std::alloc::alloc_zeroed(layout) }).ok_or(io::ErrorKind::OutOfMemory.into())
        };
        let ring = allocate(usize::from(ROOMS) * size_of::<BufRingEntry>())?.cast();
        let memory = allocate(usize::from(ROOMS) * ROOM_BYTES)?;
        let mut rooms = Self { ring, memory, tail: 0 };
        for room in 0..ROOMS {
            rooms.give(room);
        }
        Ok(rooms)
    }

    fn start(&self, room: u16) -> NonNull<u8> {
        assert!(room < ROOMS, "Linux was given no such room");
        // SAFETY: it is one of them, so it begins in the memory.
        unsafe { self.memory.add(usize::from(room) * ROOM_BYTES) }
    }

    /// The first bytes of a room that is not Linux's.
    fn bytes(&self, room: u16, length: usize) -> &[u8] {
        // SAFETY: the room is as long, all of it was written once, and Linux has given it away.
        unsafe { std::slice::from_raw_parts(self.start(room).as_ptr(), length.min(ROOM_BYTES)) }
    }

    /// Gives Linux a room.
    fn give(&mut self, room: u16) {
        let address = self.start(room).as_ptr().expose_provenance() as u64;
        // SAFETY: the place is one of the ring's. Linux reads it when the tail is behind it, and it is not: no more rooms are given than there are.
        let entry = unsafe { self.ring.add(usize::from(self.tail % ROOMS)).as_mut() };
        entry.set_addr(address);
        entry.set_len(ROOM_BYTES as u32);
        entry.set_bid(room);
        self.tail = self.tail.wrapping_add(1);
        // SAFETY: the ring's first entry has the tail, aligned, which only this writes; Linux reads it as another thread would.
        let tail = unsafe { AtomicU16::from_ptr(BufRingEntry::tail(self.ring.as_ptr()).cast_mut()) };
        // Release: the entry is there before it can be seen.
        tail.store(self.tail, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    /// Turns until there is a completion.
    fn next(ring: &mut Uring) -> Completion {
        loop {
            if let Some(completion) = ring.next() {
                return completion;
            }
            ring.turn().unwrap();
            std::thread::yield_now();
        }
    }

    fn listening() -> (Arc<OwnedFd>, std::net::SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        (Arc::new(listener.into()), address)
    }

    /// A connection: our end, and the other.
    fn connected() -> (Arc<OwnedFd>, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (Arc::new(listener.accept().unwrap().0.into()), client)
    }

    fn begun() -> Uring {
        let mut ring = Uring::new().unwrap();
        ring.begin().unwrap();
        ring
    }

    #[test]
    fn what_comes_is_accepted_received_and_answered() {
        let mut ring = begun();
        let (listener, address) = listening();
        ring.accept(&listener, 5).unwrap();
        let mut client = TcpStream::connect(address).unwrap();
        let Completion::Accepted { token: 5, socket: Ok(socket) } = next(&mut ring) else {
            panic!("nobody came")
        };
        let socket = Arc::new(socket);
        ring.receive(&socket, 6).unwrap();
        for round in 0..1_000_u32 {
            client.write_all(&round.to_le_bytes()).unwrap();
            let Completion::Received { token: 6, bytes: Ok(4), more: true } = next(&mut ring) else {
                panic!("round {round}")
            };
            assert_eq!(ring.received(), round.to_le_bytes(), "rooms come back");
            ring.send(&socket, 7, ring.received().to_vec()).unwrap();
            let sent = next(&mut ring);
            assert!(
                matches!(&sent, Completion::Sent { token: 7, sent: Ok(4), bytes } if bytes == &round.to_le_bytes())
            );
            let mut answer = [0; 4];
            client.read_exact(&mut answer).unwrap();
            assert_eq!(answer, round.to_le_bytes());
        }
        drop(client);
        assert!(matches!(next(&mut ring), Completion::Received { token: 6, bytes: Ok(0), more: false }));
        assert!(ring.received().is_empty());
    }

    #[test]
    fn who_rests_is_told_of_what_comes_and_who_does_not_rest_is_not() {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let mut ring = begun();
        let (listener, address) = listening();
        ring.accept(&listener, 1).unwrap();
        assert!(!ring.rest(), "there is something to hand over");
        ring.turn().unwrap();
        let alarm = ring.as_fd().try_clone_to_owned().unwrap();
        let tells = |seconds| {
            let patience = Timespec { tv_sec: seconds, tv_nsec: 0 };
            poll(&mut [PollFd::new(&alarm, PollFlags::IN)], Some(&patience)).unwrap() == 1
        };
        let mut clients = Vec::new();
        for round in 0..10 {
            assert!(ring.rest() && !tells(0), "round {round}");
            clients.push(TcpStream::connect(address).unwrap());
            assert!(tells(60), "nobody was told in round {round}");
            assert!(matches!(next(&mut ring), Completion::Accepted { token: 1, socket: Ok(_) }));
            // Who is awake is told of nothing.
            let _ = rustix::io::read(&alarm, &mut [0; 8]);
            ring.accept(&listener, 1).unwrap();
            ring.turn().unwrap();
            clients.push(TcpStream::connect(address).unwrap());
            assert!(!tells(0));
            // Linux may be about to complete the connection.
            while ring.rest() {
                std::thread::yield_now();
            }
            assert!(matches!(next(&mut ring), Completion::Accepted { token: 1, socket: Ok(_) }));
            ring.accept(&listener, 1).unwrap();
            ring.turn().unwrap();
        }
    }

    #[test]
    fn a_request_that_waits_keeps_its_descriptor() {
        let mut ring = begun();
        let (socket, mut client) = connected();
        let kept = Arc::downgrade(&socket);
        ring.send(&socket, 1, b"last words".to_vec()).unwrap();
        drop(socket);
        assert!(kept.upgrade().is_some());
        assert!(matches!(next(&mut ring), Completion::Sent { sent: Ok(10), .. }));
        assert!(kept.upgrade().is_none());
        let mut heard = Vec::new();
        client.read_to_end(&mut heard).unwrap();
        assert_eq!(heard, b"last words");
    }

    #[test]
    fn a_large_piece_is_sent_whole_however_slowly_it_is_read() {
        let mut ring = begun();
        let (socket, mut client) = connected();
        let bytes: Vec<u8> = (0..16_000_000_u32).map(|number| (number % 251) as u8).collect();
        ring.send(&socket, 1, bytes.clone()).unwrap();
        let reader = std::thread::spawn(move || {
            let mut all = vec![0; 16_000_000];
            client.read_exact(&mut all).unwrap();
            all
        });
        assert!(matches!(next(&mut ring), Completion::Sent { sent: Ok(16_000_000), .. }));
        assert!(reader.join().unwrap() == bytes);
    }

    #[test]
    fn what_is_cancelled_is_over_and_a_ring_that_is_cleared_begins_anew() {
        let mut ring = begun();
        let (listener, _) = listening();
        let (socket, mut client) = connected();
        ring.receive(&socket, 9).unwrap();
        ring.turn().unwrap();
        ring.cancel_receive(9).unwrap();
        let over = next(&mut ring);
        assert!(matches!(over, Completion::Received { token: 9, bytes: Err(Errno::CANCELED), more: false }));
        // Nobody reads it.
        let under_way = ring.send(&socket, 8, vec![7; 32 << 20]).unwrap();
        ring.turn().unwrap();
        ring.cancel_send(under_way).unwrap();
        assert!(matches!(next(&mut ring), Completion::Sent { token: 8, sent, .. } if sent != Ok(32 << 20)));
        ring.accept(&listener, 1).unwrap();
        ring.receive(&socket, 2).unwrap();
        ring.await_readiness(&socket, 3).unwrap();
        ring.turn().unwrap();
        ring.clear().unwrap();
        assert!(ring.next().is_none());
        ring.begin().unwrap();
        ring.await_readiness(&socket, 4).unwrap();
        client.write_all(b"x").unwrap();
        assert!(matches!(next(&mut ring), Completion::Ready { token: 4 }));
    }

    #[test]
    fn it_does_what_it_was_made_for_and_nothing_else() {
        let mut ring = begun();
        let nothing = opcode::Nop::new().build().user_data(Kind::Send.of(0));
        ring.sends.push(Some(Sending { token: 1, bytes: Vec::new() }));
        ring.put(&nothing).unwrap();
        ring.turn().unwrap();
        // Linux refuses what is not on the list.
        assert!(matches!(ring.next(), Some(Completion::Sent { sent: Err(Errno::ACCESS), .. })));
        let other =
            std::thread::spawn(move || ring.accept(&listening().0, 1).and_then(|()| ring.turn()).is_err());
        assert!(other.join().unwrap(), "another thread uses it");
    }
}
