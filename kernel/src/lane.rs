//! Lanes: how a thread that looks out on one core gets a short message from a thread on another, without a lock or a queue.
//!
//! Each thread has one lane, which only it writes messages to, and an ear, which names the one thread whose lane it looks at. A sender posts
//! if the receiver listens to it, and then looks at the ear again. The receiver, before it blocks or ends, closes its ear and then looks at
//! the lane again. Sequentially consistent fences between the two steps of each let at least one see the other, and where both do, a
//! compare-exchange of the lane's head decides who has the message: so a post is taken exactly once, or is its sender's again. While the
//! ear stays open nothing but plain loads and stores happens: two cache lines change cores with each message.
//!
//! What a post holds is not accepted yet: the receiver takes it into its own inbox, where quotas, revocation and death are looked after.

use crate::slot::Via;
use crate::sync::{AtomicU32, AtomicU64, Ordering, fence, store_beside_exchanges};
use crate::thread::NOBODY;

/// The longest message that fits, in bytes.
pub const MAX_POST: usize = 8 * TEXT_WORDS;

/// Two cache lines with the head: a message of 88 bytes with everything that goes with it.
const WORDS: usize = 15;
const TEXT_WORDS: usize = WORDS - HEADER_WORDS;
const HEADER_WORDS: usize = 4;
/// The first word that does not lie in the head's cache line.
const SECOND_LINE: usize = 64 / size_of::<u64>() - 1;

/// The lowest bits of a lane's head: what became of the post. Above them 30 bits of who it is for and 32 bits that count the posts.
const STATE: u64 = 3;
/// There is none, or its receiver is done with it.
const FREE: u64 = 0;
/// There is one.
const POSTED: u64 = 1;
/// Its receiver, whose ear was not open all the time, has it and reads it.
const READING: u64 = 2;

/// A message or an answer on its way in a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Post {
    /// Of the sender's pending one: the caller's, whose message or whose answer this is.
    pub ticket: u64,
    /// Of a message; an answer has none of this.
    pub request: Option<Request>,
    /// Its bytes, of which `length` count.
    pub bytes: [u8; MAX_POST],
    /// How many.
    pub length: usize,
}

impl Post {
    /// Its bytes.
    pub fn text(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// Whether it is the answer to that call.
    pub const fn answers(&self, ticket: u64) -> bool {
        self.request.is_none() && self.ticket == ticket
    }
}

/// What a message has and an answer has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The capability that it came through.
    pub via: Via,
    /// The longest answer that the sender has room for, in bytes.
    pub room: u32,
    /// The last of the receiver's posts that the sender has heard: its number, 0 for none.
    pub heard: u32,
}

/// No pending one has this ticket: it would be the name of the last entry of a table that is never so long.
const NO_TICKET: u64 = u64::MAX;

/// What its thread alone writes; others load it only to end the thread.
#[derive(Debug)]
#[repr(align(128))]
struct Own {
    /// The number of the last post; none has the number 0.
    posts: AtomicU32,
    /// Not 0: nobody has said yet that the last post was heard.
    unheard: AtomicU32,
    /// The last post's ticket, if it was a message.
    asked: AtomicU64,
    /// The head of the last post that was taken through the open ear, 0 for none.
    taken: AtomicU64,
}

/// See the module's description. On lines of its own, in pairs, as processors fetch them.
#[derive(Debug)]
#[repr(align(128))]
pub struct Lane {
    head: AtomicU64,
    words: [AtomicU64; WORDS],
    ear: Ear,
    own: Own,
}

/// Whom a thread listens to. Loaded by those who would post, written when that changes.
#[derive(Debug)]
#[repr(align(128))]
struct Ear(AtomicU32);

impl Default for Lane {
    fn default() -> Self {
        Self {
            head: AtomicU64::new(FREE),
            words: core::array::from_fn(|_| AtomicU64::new(0)),
            ear: Ear(AtomicU32::new(NOBODY)),
            own: Own {
                posts: AtomicU32::new(0),
                unheard: AtomicU32::new(0),
                asked: AtomicU64::new(NO_TICKET),
                taken: AtomicU64::new(0),
            },
        }
    }
}

// Relaxed without a word, below: of what only its own thread writes or of a post's words, which its head publishes and keeps.
impl Lane {
    /// Whom the owner listens to, or [`NOBODY`]. For the owner.
    pub fn listens_to(&self) -> u32 {
        self.ear.0.load(Ordering::Relaxed)
    }

    /// Whether the owner listens to a thread. A hint: [`Self::post`] looks again.
    #[inline]
    pub fn listens(&self, to: u32) -> bool {
        self.ear.0.load(Ordering::Relaxed) == to
    }

    /// Posts from the owner `me` to the owner of `receiver`, `to`. False: nothing was, the message must go another way.
    pub fn post(&self, me: u32, receiver: &Self, to: u32, post: &Post) -> bool {
        if !receiver.listens(me) || !self.is_free() {
            return false;
        }
        let number = self.own.posts.load(Ordering::Relaxed).wrapping_add(1).max(1);
        self.own.posts.store(number, Ordering::Relaxed);
        self.own.unheard.store(1, Ordering::Relaxed);
        self.own.asked.store(if post.request.is_some() { post.ticket } else { NO_TICKET }, Ordering::Relaxed);
        self.write(post);
        let head = u64::from(number) << 32 | u64::from(to) << 2 | POSTED;
        // Release: publishes the words.
        store_beside_exchanges(&self.head, head, Ordering::Release);
        fence(Ordering::SeqCst);
        // Acquire: what the receiver did with the head before it closed its ear is seen below.
        if receiver.ear.0.load(Ordering::Acquire) == me {
            return true;
        }
        // The ear closed meanwhile, or opens again: whoever changes the head first has the post. Acquire: the words were read.
        let kept = self.head.compare_exchange(head, FREE, Ordering::Acquire, Ordering::Relaxed);
        if kept.is_ok() {
            self.own.unheard.store(0, Ordering::Relaxed);
        }
        kept.is_err()
    }

    /// The owner got the answer to a message: if that was its last post, it was heard.
    pub fn was_answered(&self, ticket: u64) {
        if self.own.asked.load(Ordering::Relaxed) == ticket {
            self.own.unheard.store(0, Ordering::Relaxed);
        }
    }

    /// The receiver of the owner's posts says that it has heard the one of that number.
    pub fn was_heard(&self, number: u32) {
        if self.own.posts.load(Ordering::Relaxed) == number {
            self.own.unheard.store(0, Ordering::Relaxed);
        }
    }

    /// The number of the last post that the owner has heard since it listens to `to`; 0 for none.
    pub fn heard(&self, to: u32) -> u32 {
        if self.listens(to) { (self.own.taken.load(Ordering::Relaxed) >> 32) as u32 } else { 0 }
    }

    fn is_free(&self) -> bool {
        // Acquire: who freed it has read the words.
        self.own.unheard.load(Ordering::Relaxed) == 0 || self.head.load(Ordering::Acquire) & STATE == FREE
    }

    /// The owner `me` listens to `from` from now on, and to nobody else. Gives what was posted before it did.
    pub fn listen(&self, me: u32, from: u32, sender: &Self) -> Option<Post> {
        self.own.taken.store(0, Ordering::Relaxed);
        self.ear.0.store(from, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        sender.claim(me, 0)
    }

    /// What was posted to the owner `me` since it listens to the sender.
    #[inline]
    pub fn hear(&self, me: u32, sender: &Self) -> Option<Post> {
        // Acquire: the words belong to this head.
        let head = sender.head.load(Ordering::Acquire);
        if !is_for(head, me) || head == self.own.taken.load(Ordering::Relaxed) {
            return None;
        }
        self.own.taken.store(head, Ordering::Relaxed);
        Some(sender.read())
    }

    /// Loads the second line of the owner's messages, so that it is on its way to who looks out before the head is seen: else it would
    /// start when the head has arrived.
    #[inline]
    pub fn touch(&self) {
        if let Some(word) = self.words.get(SECOND_LINE) {
            core::hint::black_box(word.load(Ordering::Relaxed));
        }
    }

    /// The owner `me` does not listen to the sender any more. Gives what was posted and not heard.
    pub fn close(&self, me: u32, sender: &Self) -> Option<Post> {
        let taken = self.own.taken.load(Ordering::Relaxed);
        if taken != 0 {
            // Release: the words were read. If it fails its sender knows already, and has posted again.
            let freed = (taken & !STATE) | FREE;
            let _ = sender.head.compare_exchange(taken, freed, Ordering::Release, Ordering::Relaxed);
        }
        self.ear.0.store(NOBODY, Ordering::Release);
        fence(Ordering::SeqCst);
        sender.claim(me, taken)
    }

    /// Takes a post to `me` that its sender may want back.
    fn claim(&self, me: u32, taken: u64) -> Option<Post> {
        let head = self.head.load(Ordering::Relaxed);
        if !is_for(head, me) || head == taken {
            return None;
        }
        let reading = (head & !STATE) | READING;
        // Acquire: as in `hear`.
        self.head.compare_exchange(head, reading, Ordering::Acquire, Ordering::Relaxed).ok()?;
        let post = self.read();
        // Release: the words were read. It fails if the sender, which somebody else has answered meanwhile, has posted again.
        let freed = (head & !STATE) | FREE;
        let _ = self.head.compare_exchange(reading, freed, Ordering::Release, Ordering::Relaxed);
        Some(post)
    }

    fn write(&self, post: &Post) {
        let mut header = [post.ticket, (post.length as u64) << LENGTH_SHIFT, 0, 0];
        if let Some(Request { via, room, heard }) = post.request {
            header[1] |= u64::from(via.slot) << 32 | u64::from(room) << ROOM_SHIFT | 1;
            header[2] = via.head;
            header[3] = u64::from(heard);
        }
        let (first, text) = self.words.split_at(HEADER_WORDS);
        let (values, _) = post.bytes.as_chunks::<8>();
        // From the end, and the receiver looks at the head alone: so the line that it looks at is written in one go with the head, and
        // each line is taken away from it once (30 % less for a round trip than from the front).
        let length = post.length.div_ceil(8).min(TEXT_WORDS);
        for (word, value) in text.iter().zip(values).take(length).rev() {
            word.store(u64::from_le_bytes(*value), Ordering::Relaxed);
        }
        for (word, value) in first.iter().zip(header) {
            word.store(value, Ordering::Relaxed);
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "takes the parts apart")]
    fn read(&self) -> Post {
        let (first, text) = self.words.split_at(HEADER_WORDS);
        let mut header = [0; HEADER_WORDS];
        for (value, word) in header.iter_mut().zip(first) {
            *value = word.load(Ordering::Relaxed);
        }
        let [ticket, sizes, head, heard] = header;
        let length = ((sizes >> LENGTH_SHIFT & 0x7f) as usize).min(MAX_POST);
        let request = (sizes & 1 != 0).then_some(Request {
            via: Via { slot: (sizes >> 32) as u32, head },
            room: sizes as u32 >> ROOM_SHIFT,
            heard: heard as u32,
        });
        let mut bytes = [0; MAX_POST];
        let (values, _) = bytes.as_chunks_mut::<8>();
        for (value, word) in values.iter_mut().zip(text).take(length.div_ceil(8)) {
            *value = word.load(Ordering::Relaxed).to_le_bytes();
        }
        Post { ticket, request, bytes, length }
    }
}

/// Where the second word of the header has a post's length, of 7 bits, and its room; the slot is in the high half, and the lowest bit says
/// whether there is a request.
const LENGTH_SHIFT: u32 = 1;
const ROOM_SHIFT: u32 = 8;
const _: () = assert!(
    MAX_POST < 1 << (ROOM_SHIFT - LENGTH_SHIFT) && (hallows_abi::MAX_MESSAGE as u64) < 1 << (32 - ROOM_SHIFT)
);

/// Whether a lane's head says that there is a post for somebody.
#[expect(clippy::cast_possible_truncation, reason = "the low half")]
const fn is_for(head: u64, me: u32) -> bool {
    head & STATE == POSTED && head as u32 >> 2 == me
}
