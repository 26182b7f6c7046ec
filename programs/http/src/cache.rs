//! Small files in memory.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use core::time::Duration;

use hallows::Deadline;
use hallows_http_engine::{Facts, Path};
use hallows_system::files::Status;

/// Most files at once: to find the one that was not used for longest takes as many steps.
const MOST_FILES: usize = 4_096;
/// What a file takes beside its bytes and its path, about: its places in trees, its status.
const FILE_BYTES: usize = 256;

/// A file.
#[derive(Debug)]
pub struct Cached {
    /// What was known of it when it was read.
    pub status: Status,
    /// Its media type.
    pub media: &'static str,
    /// All of it.
    pub content: Box<[u8]>,
    /// It had been as it is for long enough that a change since then shows in its times: hosts count in ticks.
    pub is_settled: bool,
}

/// Files by path.
#[derive(Debug)]
pub struct Cache {
    most_bytes: usize,
    fresh: Duration,
    files: BTreeMap<Path, Kept>,
    bytes: usize,
    /// Counts uses.
    uses: u64,
}

#[derive(Debug)]
struct Kept {
    file: Rc<Cached>,
    fresh_until: Deadline,
    last_use: u64,
}

/// What is known of a file.
#[derive(Debug)]
pub enum Known {
    /// Nothing.
    Nothing,
    /// It is so.
    Fresh(Rc<Cached>),
    /// It was so. Whoever is told has to look; others are told meanwhile that it is.
    Stale(Rc<Cached>),
}

impl Cached {
    /// For an answer.
    pub fn facts(&self) -> Facts<'static> {
        facts(&self.status, self.media)
    }
}

/// What an answer says of a file.
pub fn facts<'f>(status: &Status, media: &'f str) -> Facts<'f> {
    Facts { size: status.size, modified_ns: status.modified, changed_ns: status.changed, media }
}

impl Cache {
    /// Of so many bytes, each file of which is taken to be as it was for so long.
    pub const fn new(most_bytes: usize, fresh: Duration) -> Self {
        Self { most_bytes, fresh, files: BTreeMap::new(), bytes: 0, uses: 0 }
    }

    /// How many files there are, and how many bytes they have.
    pub fn size(&self) -> (u64, u64) {
        (self.files.len() as u64, self.bytes as u64)
    }

    /// What is known of a file now.
    pub fn get(&mut self, path: &Path, now: Deadline) -> Known {
        let Some(kept) = self.files.get_mut(path) else { return Known::Nothing };
        self.uses += 1;
        kept.last_use = self.uses;
        if now < kept.fresh_until {
            return Known::Fresh(kept.file.clone());
        }
        kept.fresh_until = now.plus(self.fresh);
        Known::Stale(kept.file.clone())
    }

    /// A file was read.
    pub fn put(&mut self, path: &Path, file: &Rc<Cached>, now: Deadline) {
        self.remove(path);
        let bytes = taken(path, file);
        if bytes > self.most_bytes {
            return;
        }
        while self.bytes + bytes > self.most_bytes || self.files.len() >= MOST_FILES {
            let oldest =
                self.files.iter().min_by_key(|(_, kept)| kept.last_use).map(|(path, _)| path.clone());
            let Some(oldest) = oldest else { return };
            self.remove(&oldest);
        }
        self.bytes += bytes;
        self.uses += 1;
        let kept = Kept { file: file.clone(), fresh_until: now.plus(self.fresh), last_use: self.uses };
        self.files.insert(path.clone(), kept);
    }

    /// A file is not what it was.
    pub fn remove(&mut self, path: &Path) {
        if let Some((path, kept)) = self.files.remove_entry(path) {
            self.bytes -= taken(&path, &kept.file);
        }
    }
}

fn taken(path: &Path, file: &Cached) -> usize {
    FILE_BYTES + path.bytes().len() + file.content.len()
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use hallows_http_engine::{Input, Limits, Step};
    use hallows_system::files::Kind;

    use super::*;

    fn path(name: &str) -> Path {
        let mut input = Input::new(Limits::default());
        input.receive(alloc::format!("GET /{name} HTTP/1.0\r\n\r\n").as_bytes());
        match input.next() {
            Step::Request(request) => request.path.expect("a path"),
            other => panic!("{other:?}"),
        }
    }

    fn file(bytes: usize) -> Rc<Cached> {
        let status = Status {
            device: 1,
            inode: 2,
            kind: Kind::Regular,
            links: 1,
            size: bytes as u64,
            accessed: 0,
            modified: 0,
            changed: 0,
        };
        Rc::new(Cached { status, media: "", content: vec![0; bytes].into(), is_settled: true })
    }

    const NOW: Deadline = Deadline::at(0);

    #[test]
    fn one_looks_when_a_file_is_not_fresh_and_others_do_not() {
        let mut cache = Cache::new(10_000, Duration::from_nanos(5));
        assert!(matches!(cache.get(&path("a"), NOW), Known::Nothing));
        cache.put(&path("a"), &file(1), NOW);
        assert!(matches!(cache.get(&path("a"), Deadline::at(4)), Known::Fresh(_)));
        assert!(matches!(cache.get(&path("a"), Deadline::at(5)), Known::Stale(_)));
        assert!(matches!(cache.get(&path("a"), Deadline::at(5)), Known::Fresh(_)));
        cache.remove(&path("a"));
        assert!(matches!(cache.get(&path("a"), NOW), Known::Nothing));
        assert_eq!(cache.size(), (0, 0));
    }

    #[test]
    fn what_was_not_used_for_longest_makes_room() {
        let mut cache = Cache::new(3 * (FILE_BYTES + 101), Duration::from_secs(1));
        for name in ["a", "b", "c"] {
            cache.put(&path(name), &file(100), NOW);
        }
        assert!(matches!(cache.get(&path("a"), NOW), Known::Fresh(_)));
        cache.put(&path("d"), &file(100), NOW);
        let are_there = |cache: &mut Cache| {
            ["a", "b", "c", "d"].map(|name| matches!(cache.get(&path(name), NOW), Known::Fresh(_)))
        };
        assert_eq!(are_there(&mut cache), [true, false, true, true]);
        // In the place of itself it needs no other's.
        cache.put(&path("d"), &file(90), NOW);
        assert_eq!(are_there(&mut cache), [true, false, true, true]);
        // One that would need more than there is moves nobody.
        cache.put(&path("e"), &file(3 * (FILE_BYTES + 101)), NOW);
        assert_eq!(are_there(&mut cache), [true, false, true, true]);
        assert_eq!(cache.size(), (3, 3 * (FILE_BYTES as u64 + 1) + 290));
        let mut none = Cache::new(0, Duration::ZERO);
        none.put(&path("a"), &file(0), NOW);
        assert_eq!(none.size(), (0, 0));
    }
}
