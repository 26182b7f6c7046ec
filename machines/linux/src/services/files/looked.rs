//! What a client has just asked about. Most open it next, and the look that goes before an opening need not be made twice.

use std::time::{Duration, Instant};

/// How long such a look is good for: other processes may have put something else there since. Many times what a client takes to go on.
const FRESH: Duration = Duration::from_millis(1);

/// The last path that was found to lead to a file or a directory.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// Below which directory.
    badge: u64,
    path: Vec<u8>,
    /// When, if it was with the message before this one.
    before: Option<Instant>,
    /// When, if it is with this message.
    now: Option<Instant>,
}

impl Looked {
    /// Another message is served. Whatever it does may change what was seen, so only the very next one gains from a look.
    pub fn turn(&mut self) {
        self.before = self.now.take();
    }

    /// A path was found to lead to a file or a directory.
    pub fn note(&mut self, badge: u64, path: &[u8]) {
        self.badge = badge;
        self.path.clear();
        self.path.extend_from_slice(path);
        self.now = Some(Instant::now());
    }

    /// Whether that was just found of this path.
    pub fn has_seen(&self, badge: u64, path: &[u8]) -> bool {
        self.before.is_some_and(|since| since.elapsed() < FRESH) && self.badge == badge && self.path == path
    }
}

#[cfg(test)]
mod tests {
    use super::{FRESH, Looked};

    #[test]
    fn a_look_is_good_for_the_next_message_only_and_for_what_was_looked_at() {
        let mut looked = Looked::default();
        assert!(!looked.has_seen(0, b""));
        looked.note(7, b"a");
        assert!(!looked.has_seen(7, b"a"), "within the same message");
        looked.turn();
        // A host that is busy for so long makes it look again, which is right as well.
        looked.before = looked.before.map(|_| std::time::Instant::now());
        assert!(looked.has_seen(7, b"a") && !looked.has_seen(7, b"b") && !looked.has_seen(8, b"a"));
        looked.turn();
        assert!(!looked.has_seen(7, b"a"));
    }

    #[test]
    fn an_old_look_is_none() {
        let mut looked = Looked::default();
        looked.note(7, b"a");
        looked.turn();
        looked.before = std::time::Instant::now().checked_sub(FRESH);
        assert!(looked.before.is_some() && !looked.has_seen(7, b"a"));
    }
}
