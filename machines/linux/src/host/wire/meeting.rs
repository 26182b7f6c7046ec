//! How the parents of two machines meet, part, and meet again; nothing here waits.
//!
//! The second end visits the first, says hello and gives what rings its machine's bell; the first answers with memory and its own. Who begins later is
//! the one who finds the other: the second by that visit, the first by a visit without a word, which has the second come. So nobody has to ask again
//! and again.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::PollFlags;
use serde::{Deserialize, Serialize};

use super::End;
use super::memory;
use super::place::Place;
use crate::host::line_socket::{Descriptors, Filled, LineSocket};

/// What parents say to each other; of the memory as well, which both must lay out in the same way.
const VERSION: u32 = 1;
/// Longer than any word.
const WORD_LIMIT_BYTES: usize = 1 << 10;
/// Descriptors that come with a word.
const MOST_DESCRIPTORS: usize = 2;

/// A word between parents.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "word", rename_all = "snake_case")]
enum Word {
    /// Of the second end, with what rings its bell.
    Hello { version: u32 },
    /// Of the first end, with memory and what rings its bell.
    Welcome { version: u32 },
}

/// What becomes of a wire: for the machine.
#[derive(Debug)]
pub(crate) enum News {
    /// Another machine is there.
    Met {
        /// What is shared with it.
        memory: OwnedFd,
        /// What rings its bell.
        ringer: OwnedFd,
    },
    /// It is gone.
    Parted,
    /// Somebody was there who cannot be at the other end.
    Unfit {
        /// Why.
        why: String,
    },
}

/// A place that something can happen at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Visitors.
    Door,
    /// Whoever is at the other end.
    Peer,
}

/// A parent's end of a wire.
#[derive(Debug)]
pub struct Meeting {
    /// Which of the machine's interfaces it is.
    interface: usize,
    /// What rings the machine's bell.
    ringer: OwnedFd,
    peer: Option<Peer>,
    /// Behind the peer: whoever takes it next finds that one has gone.
    place: Place,
}

#[derive(Debug)]
struct Peer {
    lines: LineSocket,
    has_met: bool,
}

impl Meeting {
    pub(super) const fn new(place: Place, interface: usize, ringer: OwnedFd) -> Self {
        Self { interface, ringer, peer: None, place }
    }

    /// Which of the machine's interfaces it is.
    pub(crate) const fn interface(&self) -> usize {
        self.interface
    }

    /// Begins, for a machine that knows nothing of the other: who was met before is to see that, and meet this one.
    pub(crate) fn begin(&mut self) {
        self.peer = None;
        self.call();
    }

    /// Meets whoever is at the other end, if anybody is.
    fn call(&mut self) {
        match self.place.end() {
            // Whoever is there comes for this.
            End::First => drop(self.place.visit()),
            End::Second => self.visit(),
        }
    }

    /// What to wait for.
    pub(crate) fn interests(&self) -> impl Iterator<Item = (Part, BorrowedFd<'_>, PollFlags)> {
        let peer = self.peer.iter().map(|Peer { lines, .. }| {
            let mut interest = PollFlags::IN;
            interest.set(PollFlags::OUT, lines.has_output());
            (Part::Peer, lines.as_fd(), interest)
        });
        std::iter::once((Part::Door, self.place.listener().as_fd(), PollFlags::IN)).chain(peer)
    }

    /// Does what there is to do at a place where something has happened.
    pub(crate) fn serve(&mut self, part: Part) -> Option<News> {
        // Who is at the door may be the next life of who was here.
        let news = self.hear();
        if part == Part::Door
            && let Ok((visitor, _)) = self.place.listener().accept()
        {
            match self.place.end() {
                End::First => self.receive(visitor.into()),
                End::Second => self.visit(),
            }
        }
        news
    }

    /// Of the second end: goes to the first, if that is there and was not met.
    fn visit(&mut self) {
        if self.peer.is_some() {
            return;
        }
        let Some(socket) = self.place.visit() else { return };
        self.peer = Peer::new(socket).say(&Word::Hello { version: VERSION }, vec![&self.ringer]);
    }

    /// Of the first end: a visitor. Only one can be met, and who has said nothing yet makes way.
    fn receive(&mut self, visitor: OwnedFd) {
        if self.peer.as_ref().is_none_or(|peer| !peer.has_met) {
            self.peer = Some(Peer::new(visitor));
        }
    }

    /// Hears who is at the other end.
    fn hear(&mut self) -> Option<News> {
        let peer = self.peer.as_mut()?;
        match peer.next() {
            Ok(None) => None,
            Ok(Some((word, descriptors))) => Some(self.answer(&word, descriptors)),
            Err(_) => {
                let had_met = self.peer.take().is_some_and(|peer| peer.has_met);
                // Somebody else may have come meanwhile and been sent away.
                had_met.then(|| self.call()).map(|()| News::Parted)
            }
        }
    }

    fn answer(&mut self, word: &Word, descriptors: Vec<OwnedFd>) -> News {
        match self.agree(word, descriptors) {
            Ok(news) => news,
            Err(why) => {
                self.peer = None;
                News::Unfit { why }
            }
        }
    }

    /// What comes of a word, if it can be said now.
    fn agree(&mut self, word: &Word, descriptors: Vec<OwnedFd>) -> Result<News, String> {
        let (Word::Hello { version } | Word::Welcome { version }) = word;
        if *version != VERSION {
            return Err(format!(
                "it speaks version {version}, and this machine {VERSION}: run both with the same hallows"
            ));
        }
        let peer = self.peer.take().filter(|peer| !peer.has_met);
        let peer = peer.ok_or("it has said something that nobody says then")?;
        match (self.place.end(), word) {
            (End::First, Word::Hello { .. }) => {
                let [ringer] = taken(descriptors)?;
                let memory = memory::make().map_err(|error| format!("there is no memory for it: {error}"))?;
                let answer = Word::Welcome { version: VERSION };
                let peer = peer.say(&answer, vec![&memory, &self.ringer]).ok_or("it has gone")?;
                self.peer = Some(Peer { has_met: true, ..peer });
                Ok(News::Met { memory, ringer })
            }
            (End::Second, Word::Welcome { .. }) => {
                let [memory, ringer] = taken(descriptors)?;
                if !memory::is_memory(&memory) {
                    return Err("what it shares is no memory of a wire, or could be cut".to_owned());
                }
                self.peer = Some(Peer { has_met: true, ..peer });
                Ok(News::Met { memory, ringer })
            }
            _ => Err("it is at the same end".to_owned()),
        }
    }
}

/// As many descriptors as a word comes with.
fn taken<const COUNT: usize>(descriptors: Vec<OwnedFd>) -> Result<[OwnedFd; COUNT], String> {
    descriptors
        .try_into()
        .map_err(|other: Vec<_>| format!("{} descriptors came along, and not {COUNT}", other.len()))
}

impl Peer {
    fn new(socket: OwnedFd) -> Self {
        Self { lines: LineSocket::new(socket, Descriptors::Accept, WORD_LIMIT_BYTES), has_met: false }
    }

    /// Says a word; none if nobody hears it.
    fn say(mut self, word: &Word, descriptors: Vec<&OwnedFd>) -> Option<Self> {
        let descriptors = descriptors.into_iter().map(OwnedFd::try_clone).collect::<io::Result<_>>().ok()?;
        self.lines.queue(word, descriptors).and_then(|()| self.lines.flush()).ok()?;
        Some(self)
    }

    /// The next word, and what came with it; an error when there will be none.
    fn next(&mut self) -> io::Result<Option<(Word, Vec<OwnedFd>)>> {
        self.lines.flush()?;
        let filled = self.lines.fill()?;
        let count = self.lines.untaken_descriptors();
        if count > MOST_DESCRIPTORS {
            return Err(io::ErrorKind::InvalidData.into());
        }
        match self.lines.next()? {
            Some(word) => Ok(Some((word, self.lines.take_descriptors(count)?))),
            None if filled == Filled::Closed => Err(io::ErrorKind::UnexpectedEof.into()),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests;
