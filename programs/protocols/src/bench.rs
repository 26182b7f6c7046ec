//! The benches of calls: who measures tells the bench client to make batches of calls and to time each.

use hallows_sdk::{Answer, Error, Form, Message};

/// Which call to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    /// A kernel call that does nothing but look a capability up.
    Null = 0,
    /// A call of 64 bytes each way to the endpoint `target`. Whoever serves it makes it a protected or an active call.
    Call64 = 1,
    /// A call of the length that the request gives, each way.
    Call = 2,
    /// A call of 64 bytes through stubs, a record each way ([`crate::exchange`]).
    StubRecord = 3,
    /// A call of 64 bytes through stubs, a list of bytes each way.
    StubBytes = 4,
    /// An entry over a ring, there and back; a batch is submitted at once, and all of it is back at its end.
    Ring = 5,
    /// The same, and three batches stay under way, so that both sides always have something to do.
    RingStream = 6,
    /// Holding a lock that nobody else wants ([`hallows_sdk::thread`], as the next two).
    Mutex = 7,
    /// Starting a thread that does nothing, and joining it.
    SpawnJoin = 8,
    /// Giving a turn to another thread and getting it back, by a lock and a condition.
    Condvar = 9,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Null,
        Self::Call64,
        Self::Call,
        Self::StubRecord,
        Self::StubBytes,
        Self::Ring,
        Self::RingStream,
        Self::Mutex,
        Self::SpawnJoin,
        Self::Condvar,
    ];

    /// The kind of this number.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u32 == number)
    }
}

/// The most batches of one request: their times fit into one answer.
pub const MAX_BATCHES: usize = 1_000;

/// The longest message of [`Kind::Call`], in bytes.
pub const MAX_BYTES: usize = 4_096;

hallows_sdk::form! {
    /// A batch.
    pub struct Request {
        /// The number of the [`Kind`].
        pub kind: u32,
        /// How many calls in a batch.
        pub count: u32,
        /// How many batches, at most [`MAX_BATCHES`].
        pub batches: u32,
        /// Of [`Kind::Call`]: how many bytes, at most [`MAX_BYTES`].
        pub bytes: u32,
    }

    /// What came of it; behind it in the answer, the time of each batch in nanoseconds, 4 bytes each, little-endian.
    pub struct Response {
        /// How many calls succeeded, with the answer that was due.
        pub succeeded: u32,
        /// The number of the first error, or 0.
        pub error: u32,
    }
}

/// Answers a [`Request`]: makes its batches, each of which says how long it took, in nanoseconds, and stops at the first error.
pub fn batches<'a>(
    message: Message<'a>,
    mut batch: impl FnMut(&Request, &mut Response) -> Result<u32, Error>,
) -> Answer<'a> {
    let Some(request) = Request::parse(message.bytes) else { return Answer::EMPTY };
    let mut times = [0; MAX_BATCHES];
    let Some(times) = times.get_mut(..request.batches as usize) else { return Answer::EMPTY };
    let mut response = Response { succeeded: 0, error: 0 };
    for time in times.iter_mut() {
        *time = batch(&request, &mut response).unwrap_or_else(|error| {
            response.error = u32::from(error.number());
            0
        });
        if response.error != 0 {
            break;
        }
    }
    let mut reply = message.reply;
    // It has the room: who serves says so.
    let _ = reply.put(response.emit().as_ref());
    for time in times {
        let _ = reply.put(&time.to_le_bytes());
    }
    reply.done()
}
