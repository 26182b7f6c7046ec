//! Reactors: a trait with one function for each kind of event, and `server!(Type)`.
//!
//! The engine, not the program, runs the loop: between events the program's stack is empty. The same server works
//! passive (its handler runs on its caller's time, one at a time) and active (it has a thread of its own).

use hallows_abi::{Error, EventKind, Handle, MAX_TRANSFERS, Transfer};

use crate::form::Form;
use crate::native::NativeAnswer;
use crate::{Start, Token};

/// A program of event handlers. Declare it with [`server!`](crate::server!).
///
/// ```no_run
/// // At the top of the crate: #![no_std]
/// use hallows_sdk::{Answer, Error, Message, Server, Start};
///
/// /// Says back what it is told.
/// struct Echo;
///
/// impl Server for Echo {
///     fn new(_: &Start<'_>) -> Result<Self, Error> {
///         Ok(Self)
///     }
///
///     fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
///         Answer::bytes(message.bytes)
///     }
/// }
///
/// hallows_sdk::server!(Echo);
/// # fn main() {}
/// ```
pub trait Server: Sized {
    /// The longest message that it takes, in bytes. A longer one is the sender's error.
    const INBOX_BYTES: usize = 4_096;
    /// The longest answer that a [`Reply`] can hold, in bytes.
    const REPLY_BYTES: usize = 4_096;

    /// Makes its state, before the first event. It may use every call.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from serving: the error is logged and the cell ends with status 1.
    fn new(start: &Start<'_>) -> Result<Self, Error>;

    /// Handles a message. In a passive server it may not wait, nor call active servers.
    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a>;

    /// Handles the answer to a message that it sent with [`crate::send`] (active servers).
    fn answer(&mut self, received: Received<'_>) {
        let _ = received;
    }

    /// Handles the bits of a notification that it bound with this badge (active servers).
    fn notification(&mut self, badge: u64, bits: u64) {
        let _ = (badge, bits);
    }
}

/// A message to a server.
#[derive(Debug)]
pub struct Message<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// The capabilities that came with it, in this cell's space now.
    pub handles: &'a [Handle],
    /// The badge of the capability that it came through.
    pub badge: u64,
    /// What to answer it with later, with [`crate::answer`], after [`Answer::Later`].
    pub token: Token,
    /// Where its answer can be put together.
    pub reply: Reply<'a>,
}

/// The answer to a message that a server sent.
#[derive(Debug)]
pub struct Received<'a> {
    /// What [`crate::send`] returned.
    pub token: Token,
    /// The answer's bytes, or why there is none.
    pub bytes: Result<&'a [u8], Error>,
    /// The capabilities that came with it, in this cell's space now.
    pub handles: &'a [Handle],
}

/// An answer under construction.
#[derive(Debug)]
pub struct Reply<'a> {
    buffer: &'a mut [u8],
    length: usize,
    transfers: &'a mut [[u8; Transfer::SIZE]; MAX_TRANSFERS as usize],
    given: usize,
}

impl<'a> Reply<'a> {
    /// An empty one over these places. The engine's side makes them; besides it, tests that hand a server a message without a machine.
    #[inline]
    pub const fn new(
        buffer: &'a mut [u8],
        transfers: &'a mut [[u8; Transfer::SIZE]; MAX_TRANSFERS as usize],
    ) -> Self {
        Self { buffer, length: 0, transfers, given: 0 }
    }

    /// Adds bytes.
    ///
    /// # Errors
    ///
    /// [`Error::TooLong`], and nothing added, if they do not fit into [`Server::REPLY_BYTES`].
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let end = self.length + bytes.len();
        self.buffer.get_mut(self.length..end).ok_or(Error::TooLong)?.copy_from_slice(bytes);
        self.length = end;
        Ok(())
    }

    /// The room that is left, to put bytes into in place. They count once they are [`Self::filled`].
    #[inline]
    pub(crate) fn room(&mut self) -> &mut [u8] {
        self.buffer.get_mut(self.length..).unwrap_or(&mut [])
    }

    /// So many bytes of the room have been put.
    #[inline]
    pub(crate) const fn filled(&mut self, bytes: usize) {
        self.length += bytes;
    }

    /// Adds a capability.
    ///
    /// # Errors
    ///
    /// [`Error::TooLong`] if there are [`MAX_TRANSFERS`] already.
    pub fn give(&mut self, transfer: Transfer) -> Result<(), Error> {
        *self.transfers.get_mut(self.given).ok_or(Error::TooLong)? = transfer.emit();
        self.given += 1;
        Ok(())
    }

    /// The answer as it was put together.
    #[inline]
    pub fn done(self) -> Answer<'a> {
        let buffer: &'a [u8] = self.buffer;
        Answer::Now { bytes: buffer.get(..self.length).unwrap_or(&[]), transfers: self.given }
    }

    /// An answer of fixed layout (and the capabilities given before). If the buffer has no room for it, the answer has
    /// no bytes.
    #[inline]
    pub fn form<F: Form>(mut self, form: &F) -> Answer<'a> {
        const { assert!(size_of::<F::Bytes>() <= 4_096, "an answer of fixed layout fits the usual reply buffer") };
        self.length = 0;
        let _ = self.put(form.emit().as_ref());
        self.done()
    }
}

/// What a handler gives back.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub enum Answer<'a> {
    /// The answer.
    Now {
        /// Its bytes, wherever they lie: in the reply's buffer, in the message, or in the server's own memory.
        bytes: &'a [u8],
        /// How many of the capabilities given to [`Reply::give`] go with it.
        transfers: usize,
    },
    /// It will be answered later, with [`crate::answer`] (active servers only).
    Later,
}

impl<'a> Answer<'a> {
    /// No bytes: all that there is to say, or "I do not understand".
    pub const EMPTY: Self = Self::Now { bytes: &[], transfers: 0 };

    /// These bytes, from where they lie: nothing is copied before the engine does.
    #[inline]
    pub const fn bytes(bytes: &'a [u8]) -> Self {
        Self::Now { bytes, transfers: 0 }
    }
}

/// Where the engine puts messages and takes answers from. Zeroes are a valid mailbox.
#[derive(Debug)]
#[repr(C, align(16))]
pub struct Mailbox<const INBOX: usize, const REPLY: usize> {
    /// The list of received handles (the front), and of the answer's transfers when the handler returns (all of it).
    pub(crate) handles: [Handle; 2 * MAX_TRANSFERS as usize],
    /// The answer's transfers while the handler may still read the handles.
    transfers: [[u8; Transfer::SIZE]; MAX_TRANSFERS as usize],
    pub(crate) inbox: [u8; INBOX],
    reply: [u8; REPLY],
    /// The form in memory that `hallows_inbox` shows the engine; natively it gets the addresses by value.
    #[cfg(target_arch = "wasm32")]
    place: [u32; 4],
}

impl<const INBOX: usize, const REPLY: usize> Mailbox<INBOX, REPLY> {
    /// Empty.
    #[expect(clippy::new_without_default, reason = "mailboxes are statics, which need a const function")]
    #[must_use]
    pub const fn new() -> Self {
        Self {
            handles: [Handle::NULL; 2 * MAX_TRANSFERS as usize],
            transfers: [[0; Transfer::SIZE]; MAX_TRANSFERS as usize],
            inbox: [0; INBOX],
            reply: [0; REPLY],
            #[cfg(target_arch = "wasm32")]
            place: [0; 4],
        }
    }

    /// The address of the [`hallows_abi::Inbox`] that says where this mailbox's inbox is.
    #[cfg(target_arch = "wasm32")]
    pub fn address(&mut self) -> u32 {
        let buffer = self.inbox.as_mut_ptr().expose_provenance() as u32;
        let handles = self.handles.as_mut_ptr().expose_provenance() as u32;
        self.place = [buffer, INBOX as u32, handles, MAX_TRANSFERS];
        self.place.as_mut_ptr().expose_provenance() as u32
    }

    /// What was put together of an answer.
    #[cfg(test)]
    pub(crate) const fn reply_bytes(&self) -> &[u8] {
        &self.reply
    }

    /// Moves the answer's transfers to where the engine takes them from.
    #[cold]
    fn hand_over(&mut self, count: usize) {
        let words = self.transfers.iter().take(count).flat_map(|form| form.chunks_exact(size_of::<Handle>()));
        for (handle, word) in self.handles.iter_mut().zip(words) {
            // As they stand in memory: both are read as bytes.
            *handle = Handle(u32::from_ne_bytes(word.try_into().unwrap_or_default()));
        }
    }
}

/// Hands one event to a server, with the arguments of `hallows_handle` (see [`hallows_abi::HANDLE_EXPORT`]).
#[inline]
pub fn dispatch<S: Server, const INBOX: usize, const REPLY: usize>(
    server: &mut S,
    mailbox: &mut Mailbox<INBOX, REPLY>,
    kind: u32,
    badge: u64,
    token: u64,
    length: u32,
    handles: u32,
) -> NativeAnswer {
    if kind != EventKind::Message as u32 {
        dispatch_other(server, mailbox, kind, badge, token, length, handles);
        return NativeAnswer::Now { bytes: mailbox.reply.as_ptr(), length: 0, transfers: 0 };
    }
    let message = Message {
        // The engine never says more than there is room for; if it did, nothing is taken for granted.
        bytes: mailbox.inbox.get(..length as usize).unwrap_or(&[]),
        handles: mailbox.handles.get(..handles as usize & 0xff).unwrap_or(&[]),
        badge,
        token: Token(token),
        reply: Reply::new(&mut mailbox.reply, &mut mailbox.transfers),
    };
    let (bytes, length, transfers) = match server.message(message) {
        Answer::Later => return NativeAnswer::Later,
        Answer::Now { bytes, transfers } => (bytes.as_ptr(), bytes.len(), transfers),
    };
    if transfers != 0 {
        mailbox.hand_over(transfers);
    }
    NativeAnswer::Now { bytes, length, transfers: transfers.min(MAX_TRANSFERS as usize) }
}

/// The events that are no messages: not on the path of a call.
#[cold]
fn dispatch_other<S: Server, const INBOX: usize, const REPLY: usize>(
    server: &mut S,
    mailbox: &Mailbox<INBOX, REPLY>,
    kind: u32,
    badge: u64,
    token: u64,
    length: u32,
    handles: u32,
) {
    if kind == EventKind::Notification as u32 {
        server.notification(badge, token);
    } else if kind == EventKind::Answer as u32 {
        let [count, error, ..] = handles.to_le_bytes();
        let bytes = mailbox.inbox.get(..length as usize).unwrap_or(&[]);
        server.answer(Received {
            token: Token(token),
            bytes: Error::from_number(error).map_or(Ok(bytes), Err),
            handles: mailbox.handles.get(..usize::from(count)).unwrap_or(&[]),
        });
    }
}

/// An answer as `hallows_handle` returns it.
#[cfg(target_arch = "wasm32")]
#[inline]
#[must_use]
pub fn pack(answer: NativeAnswer) -> i64 {
    match answer {
        NativeAnswer::Later => hallows_abi::DEFERRED,
        NativeAnswer::Now { bytes, length, transfers } => hallows_abi::Returned {
            offset: bytes.expose_provenance() as u32,
            length: length as u32,
            transfers: transfers as u32,
        }
        .pack(),
    }
}

/// Declares a reactor: a type that implements [`Server`].
#[macro_export]
macro_rules! server {
    ($server:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            use $crate::server::{Mailbox, Server, dispatch, pack};
            use $crate::sys::Exclusive;

            // Two statics, so that the larger one is all zeroes and takes no room in the program's file.
            static MAILBOX: Exclusive<Mailbox<{ <$server>::INBOX_BYTES }, { <$server>::REPLY_BYTES }>> =
                Exclusive::new(Mailbox::new());
            static SERVER: Exclusive<::core::option::Option<$server>> =
                Exclusive::new(::core::option::Option::None);

            #[unsafe(no_mangle)]
            extern "C" fn hallows_init() {
                let made = $crate::program::start(<$server>::new);
                SERVER.enter(|server| *server = made);
            }

            #[unsafe(no_mangle)]
            extern "C" fn hallows_inbox() -> u32 {
                MAILBOX.enter(Mailbox::address)
            }

            #[unsafe(no_mangle)]
            extern "C" fn hallows_handle(
                kind: u32,
                badge: u64,
                token: u64,
                length: u32,
                handles: u32,
            ) -> i64 {
                SERVER.enter(|server| {
                    MAILBOX.enter(|mailbox| {
                        // A server that could not start has ended its cell, which then gets no events.
                        let ::core::option::Option::Some(server) = server else { ::core::unreachable!() };
                        pack(dispatch(server, mailbox, kind, badge, token, length, handles))
                    })
                })
            }
        };

        /// This program, as part of the machine.
        #[cfg(not(target_arch = "wasm32"))]
        pub static PROGRAM: $crate::native::NativeProgram = $crate::native::NativeProgram {
            name: $crate::program::name_of(::core::env!("CARGO_PKG_NAME")),
            style: $crate::native::NativeStyle::Reactor($crate::native::NativeReactor::of::<
                $server,
                { <$server as $crate::Server>::INBOX_BYTES },
                { <$server as $crate::Server>::REPLY_BYTES },
            >()),
        };
    };
}

#[cfg(test)]
mod tests {
    use std::prelude::v1::*;

    use super::{Answer, Mailbox, Message, Received, Server, dispatch};
    use crate::native::NativeAnswer;
    use crate::{Error, EventKind, Handle, Object, Start, Transfer};

    /// Notes what it was told.
    #[derive(Default)]
    struct Scribe {
        notes: Vec<String>,
        kept: Vec<u8>,
    }

    impl Server for Scribe {
        const INBOX_BYTES: usize = 16;
        const REPLY_BYTES: usize = 8;

        fn new(_: &Start<'_>) -> Result<Self, Error> {
            Ok(Self::default())
        }

        fn message<'a>(&'a mut self, mut message: Message<'a>) -> Answer<'a> {
            self.notes.push(format!("{} {:?} {:?}", message.badge, message.bytes, message.handles));
            match message.bytes {
                b"echo" => Answer::bytes(message.bytes),
                b"kept" => {
                    self.kept = b"from the server's own memory".to_vec();
                    Answer::bytes(&self.kept)
                }
                b"pass" => {
                    for handle in message.handles.iter().rev() {
                        message.reply.give(Transfer::copy(*handle)).expect("as many as came");
                    }
                    message.reply.put(b"here").expect("fits");
                    message.reply.done()
                }
                b"long" => {
                    assert_eq!(message.reply.put(&[1; 9]), Err(Error::TooLong));
                    message.reply.put(&[2; 8]).expect("fits");
                    message.reply.done()
                }
                _ => Answer::Later,
            }
        }

        fn answer(&mut self, received: Received<'_>) {
            self.notes.push(format!("{} {:?} {:?}", received.token.0, received.bytes, received.handles));
        }

        fn notification(&mut self, badge: u64, bits: u64) {
            self.notes.push(format!("{badge} {bits:#x}"));
        }
    }

    struct Bench {
        server: Scribe,
        mailbox: Mailbox<16, 8>,
    }

    impl Bench {
        fn new() -> Self {
            Self { server: Scribe::default(), mailbox: Mailbox::new() }
        }

        /// Puts a message into the inbox as the engine does, and hands it over.
        fn message(&mut self, bytes: &[u8], handles: &[u32]) -> Option<(Vec<u8>, usize)> {
            self.mailbox.inbox[..bytes.len()].copy_from_slice(bytes);
            for (place, handle) in self.mailbox.handles.iter_mut().zip(handles) {
                *place = Handle(*handle);
            }
            self.event(EventKind::Message, 7, 1, bytes.len() as u32, handles.len() as u32)
        }

        fn event(
            &mut self,
            kind: EventKind,
            badge: u64,
            token: u64,
            length: u32,
            handles: u32,
        ) -> Option<(Vec<u8>, usize)> {
            match dispatch(&mut self.server, &mut self.mailbox, kind as u32, badge, token, length, handles) {
                NativeAnswer::Later => None,
                NativeAnswer::Now { bytes, length, transfers } => {
                    // Where the engine would read it: look the address up in what the answer may lie in.
                    let places: [&[u8]; 3] = [&self.mailbox.inbox, &self.mailbox.reply, &self.server.kept];
                    let found = places.into_iter().find_map(|place| {
                        let offset = bytes.addr().checked_sub(place.as_ptr().addr())?;
                        place.get(offset..offset + length).map(<[u8]>::to_vec)
                    });
                    Some((found.expect("lies in memory of the server"), transfers))
                }
            }
        }
    }

    #[test]
    fn an_answer_may_lie_in_the_message_or_in_the_servers_memory() {
        let mut bench = Bench::new();
        assert_eq!(bench.message(b"echo", &[]), Some((b"echo".to_vec(), 0)));
        assert_eq!(bench.message(b"kept", &[]), Some((b"from the server's own memory".to_vec(), 0)));
        assert_eq!(bench.server.notes, ["7 [101, 99, 104, 111] []", "7 [107, 101, 112, 116] []"]);
    }

    #[test]
    fn capabilities_go_out_through_the_list_that_they_came_in_by() {
        let mut bench = Bench::new();
        let came: Vec<u32> = (1..=8).collect();
        assert_eq!(bench.message(b"pass", &came), Some((b"here".to_vec(), 8)));
        let bytes: Vec<u8> = bench.mailbox.handles.iter().flat_map(|handle| handle.0.to_ne_bytes()).collect();
        let gone: Vec<_> =
            bytes.chunks(Transfer::SIZE).map(|form| Transfer::parse(form).expect("is one")).collect();
        let expected: Vec<_> = came.iter().rev().map(|handle| Transfer::copy(Handle(*handle))).collect();
        assert_eq!(gone, expected);
    }

    #[test]
    fn an_answer_that_does_not_fit_is_the_servers_error() {
        assert_eq!(Bench::new().message(b"long", &[]), Some((vec![2; 8], 0)));
    }

    #[test]
    fn a_message_may_be_answered_later() {
        assert_eq!(Bench::new().message(b"?", &[]), None);
    }

    #[test]
    fn other_events_reach_their_own_functions() {
        let mut bench = Bench::new();
        bench.mailbox.inbox[..2].copy_from_slice(b"ok");
        bench.mailbox.handles[0] = crate::Endpoint::from_handle(Handle(5)).handle();
        bench.event(EventKind::Answer, 0, 9, 2, 1);
        bench.event(EventKind::Answer, 0, 10, 0, u32::from(Error::ServerDied.number()) << 8);
        bench.event(EventKind::Notification, 3, 0x8000_0000_0000_0001, 0, 0);
        let expected = ["9 Ok([111, 107]) [Handle(5)]", "10 Err(ServerDied) []", "3 0x8000000000000001"];
        assert_eq!(bench.server.notes, expected);
    }

    #[test]
    fn lengths_beyond_the_inbox_give_nothing_away() {
        let mut bench = Bench::new();
        bench.event(EventKind::Message, 1, 1, 17, 17);
        assert_eq!(bench.server.notes, ["1 [] []"]);
    }
}
