//! Lanes: how a thread that looks out on one core gets a short message from a thread on another, without a lock or a queue.
//!
//! Each thread has one lane, which only it writes messages to, and an ear, which names the one thread whose lane it looks at. A sender posts
//! if the receiver listens to it, and then looks at the ear again. The receiver, before it blocks or ends, closes its ear and then looks at
//! the lane again. Sequentially consistent fences between the two steps of each let at least one see the other, and where both do, a
//! compare-exchange of the lane's head decides who has the message: so a post is taken exactly once, or is its sender's again. While the
//! ear stays open nothing but plain loads and stores happens: two cache lines change cores with each message.
//!
//! What a post holds is not accepted yet: the receiver takes it into its own inbox, where quotas, revocation and death are looked after.

use alloc::boxed::Box;

use crate::slot::Via;
use crate::sync::{AtomicU32, AtomicU64, Ordering, fence, store_beside_exchanges};
use crate::thread::NOBODY;

/// The longest message that fits, in bytes.
pub const MAX_POST: usize = 8 * TEXT_WORDS;

/// Two cache lines with the head: a message of 88 bytes with everything that goes with it.
const WORDS: usize = 15;
/// Words of text.
pub const TEXT_WORDS: usize = WORDS - HEADER_WORDS;
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

/// A message or an answer in a lane, without its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Post {
    /// Of the sender's pending one: the caller's, whose message or whose answer this is.
    pub ticket: u64,
    /// Of a message; an answer has none of this.
    pub request: Option<Request>,
    /// How long its text is, in bytes.
    pub length: usize,
}

impl Post {
    /// Whether it is the answer to that call.
    pub const fn answers(&self, ticket: u64) -> bool {
        self.request.is_none() && self.ticket == ticket
    }
}

/// A post that was heard. Its text is to be taken before the receiver posts or does anything else that says that it was heard.
#[derive(Clone, Copy, Debug)]
pub struct Heard<'l> {
    /// What was posted.
    pub post: Post,
    /// Its text.
    pub text: Text<'l>,
}

/// The text of a post: words of 8 bytes in the order of memory, the last one filled up.
#[derive(Clone, Copy, Debug)]
pub enum Text<'l> {
    /// Where its sender wrote it. Taken from there a word at a time: what is stored in words and loaded again as something larger waits
    /// until the stores are done.
    There(Written<'l>),
    /// Copied, as the lane was freed.
    Kept(&'l [u64; TEXT_WORDS]),
}

/// Words of a lane, for the text of a post.
#[derive(Clone, Copy, Debug)]
pub struct Written<'l>(&'l [AtomicU64]);

impl Written<'_> {
    /// One of them.
    #[inline]
    pub fn get(self, place: usize) -> u64 {
        self.0.get(place).map_or(0, |word| word.load(Ordering::Relaxed))
    }

    /// Writes one of them.
    #[inline]
    pub fn set(self, place: usize, value: u64) {
        if let Some(word) = self.0.get(place) {
            word.store(value, Ordering::Relaxed);
        }
    }
}

/// A post that was taken out of a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What was posted.
    pub post: Post,
    /// Its text.
    pub text: [u64; TEXT_WORDS],
}

impl Kept {
    /// As one that was heard.
    pub const fn heard(&self) -> Heard<'_> {
        Heard { post: self.post, text: Text::Kept(&self.text) }
    }

    /// Its text.
    pub fn bytes(&self) -> Box<[u8]> {
        self.text.iter().flat_map(|word| word.to_le_bytes()).take(self.post.length).collect()
    }
}

impl Heard<'_> {
    /// Takes it out of its lane.
    pub fn keep(&self) -> Kept {
        let words = self.post.length.div_ceil(8);
        let mut text = [0; TEXT_WORDS];
        for (place, value) in text.iter_mut().enumerate().take(words) {
            *value = match self.text {
                Text::There(written) => written.get(place),
                Text::Kept(kept) => kept.get(place).copied().unwrap_or(0),
            };
        }
        Kept { post: self.post, text }
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

    /// Posts from the owner `me` to the owner of `receiver`, `to`; `write` writes the text. False: nothing was posted, the message must go
    /// another way.
    #[inline]
    pub fn post(
        &self,
        me: u32,
        receiver: &Self,
        to: u32,
        post: &Post,
        write: impl FnOnce(Written<'_>),
    ) -> bool {
        if !receiver.listens(me) || !self.is_free() {
            return false;
        }
        let number = self.own.posts.load(Ordering::Relaxed).wrapping_add(1).max(1);
        self.own.posts.store(number, Ordering::Relaxed);
        self.own.unheard.store(1, Ordering::Relaxed);
        self.own.asked.store(if post.request.is_some() { post.ticket } else { NO_TICKET }, Ordering::Relaxed);
        self.write(post, write);
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
    pub fn listen(&self, me: u32, from: u32, sender: &Self) -> Option<Kept> {
        self.own.taken.store(0, Ordering::Relaxed);
        self.ear.0.store(from, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        sender.claim(me, 0)
    }

    /// What was posted to the owner `me` since it listens to the sender.
    #[inline]
    pub fn hear<'l>(&self, me: u32, sender: &'l Self) -> Option<Heard<'l>> {
        self.hears(me, sender).then(|| sender.last())
    }

    /// Whether something was posted to the owner `me` since it listens to the sender, which it has taken then: [`Self::last`].
    #[inline]
    pub fn hears(&self, me: u32, sender: &Self) -> bool {
        // Acquire: the words belong to this head.
        let head = sender.head.load(Ordering::Acquire);
        let hears = is_for(head, me) && head != self.own.taken.load(Ordering::Relaxed);
        if hears {
            self.own.taken.store(head, Ordering::Relaxed);
        }
        hears
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
    pub fn close(&self, me: u32, sender: &Self) -> Option<Kept> {
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
    fn claim(&self, me: u32, taken: u64) -> Option<Kept> {
        let head = self.head.load(Ordering::Relaxed);
        if !is_for(head, me) || head == taken {
            return None;
        }
        let reading = (head & !STATE) | READING;
        // Acquire: as in `hear`.
        self.head.compare_exchange(head, reading, Ordering::Acquire, Ordering::Relaxed).ok()?;
        let kept = self.last().keep();
        // Release: the words were read. It fails if the sender, which somebody else has answered meanwhile, has posted again.
        let freed = (head & !STATE) | FREE;
        let _ = self.head.compare_exchange(reading, freed, Ordering::Release, Ordering::Relaxed);
        Some(kept)
    }

    #[inline]
    fn write(&self, post: &Post, write: impl FnOnce(Written<'_>)) {
        let mut header = [post.ticket, (post.length as u64) << LENGTH_SHIFT, 0, 0];
        if let Some(Request { via, room, heard }) = post.request {
            header[1] |= u64::from(via.slot) << 32 | u64::from(room) << ROOM_SHIFT | 1;
            header[2] = via.head;
            header[3] = u64::from(heard);
        }
        let (first, text) = self.words.split_at(HEADER_WORDS);
        // From the end, and the receiver waits for the head alone: so the line that it looks at is written in one go with the head, and
        // each line is taken away from it once (30 % less for a round trip than from the front).
        write(Written(text));
        for (word, value) in first.iter().zip(header) {
            word.store(value, Ordering::Relaxed);
        }
    }

    /// The last post of the owner's, for who has heard it.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "takes the parts apart")]
    pub fn last(&self) -> Heard<'_> {
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
        Heard { post: Post { ticket, request, length }, text: Text::There(Written(text)) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_any_length_comes_through_the_open_ear_and_through_a_closing_one() {
        let bytes: [u8; MAX_POST] = core::array::from_fn(|place| place.to_le_bytes()[0] + 1);
        let via = Via { slot: 3, head: u64::MAX };
        for length in 0..=MAX_POST {
            for closes in [false, true] {
                let (sender, receiver) = (Lane::default(), Lane::default());
                assert_eq!(receiver.listen(2, 1, &sender), None);
                let post = Post { ticket: 5, request: Some(Request { via, room: 77, heard: 9 }), length };
                let posted = sender.post(1, &receiver, 2, &post, |text| {
                    for (place, word) in bytes.as_chunks().0.iter().enumerate().take(length.div_ceil(8)).rev()
                    {
                        text.set(place, u64::from_le_bytes(*word));
                    }
                });
                assert!(posted);
                let kept = if closes {
                    receiver.close(2, &sender)
                } else {
                    let heard = receiver.hear(2, &sender).map(|heard| heard.keep());
                    assert_eq!(receiver.close(2, &sender), None);
                    heard
                };
                let came = kept.as_ref().map(|kept| (kept.bytes(), kept.post));
                assert_eq!(came, Some((bytes.iter().copied().take(length).collect(), post)));
                assert_eq!(kept.as_ref().map(|kept| kept.heard().keep()), kept);
            }
        }
    }
}
