//! The directory that is served: what is at a path.

use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use hallows::abi::MAX_MESSAGE;
use hallows::stub::Own;
use hallows::task::Events;
use hallows::{Deadline, Endpoint, Error, Start, log};
use hallows_http_engine::{Entry, EntryKind, Path, Status, media_type};
use hallows_system::files::{self, File, Kind, Opening, Refusal};

use crate::cache::{Cache, Cached, Known};
use crate::file::{HEAD_BYTES, OpenFile};
use crate::settings::Settings;

/// Files of at most so many bytes are kept in memory: those come with the message that opens them.
const SMALL_BYTES: usize = 48 << 10;
/// Room for a path, and what stands beside it: the longest that the file service takes.
const PATH_ROOM: usize = 4_096 + HEAD_BYTES;
/// Names of one directory that are told.
const MOST_NAMES: usize = 10_000;
/// How long a file has to be as it is before its times say so.
const SETTLED_NS: u64 = 1_000_000_000;

/// The directory.
#[derive(Debug)]
pub struct Site {
    root: Endpoint,
    cache: RefCell<Cache>,
    hits: Cell<u64>,
    misses: Cell<u64>,
}

/// What is at a path.
#[derive(Debug)]
pub enum Found {
    /// A small file.
    Cached(Rc<Cached>),
    /// Another one.
    Open(OpenFile),
    /// A directory.
    Directory,
    /// Nothing that can be given.
    Nothing(Status),
}

/// A moment, on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// On the machine's.
    pub machine: Deadline,
    /// On the wall's: nanoseconds since 1970.
    pub wall_ns: u64,
}

impl Site {
    /// The directory that the arguments name.
    ///
    /// # Errors
    ///
    /// [`Error::BadHandle`], which the log explains, if it was not granted.
    pub fn new(start: &Start<'_>, settings: &Settings) -> Result<Self, Error> {
        let mut granted =
            start.info().grants().filter_map(|(name, handle)| Some((name.strip_prefix("dir:")?, handle)));
        let found = granted.find(|(name, _)| settings.root.as_deref().is_none_or(|root| root == *name));
        let Some((_, handle)) = found else {
            match &settings.root {
                Some(root) => log!(
                    "root={root} is no directory that it is granted: say `dirs = [\"FOLDER:{root}:ro\"]` in the system's description"
                ),
                None => log!(
                    "it is granted no directory to serve: say `dirs = [\"FOLDER:/site:ro\"]` in the system's description, or `--dir FOLDER` to a system that hands it on"
                ),
            }
            return Err(Error::BadHandle);
        };
        let cache = RefCell::new(Cache::new(settings.cache_bytes, settings.fresh));
        Ok(Self { root: Endpoint::from_handle(handle), cache, hits: Cell::new(0), misses: Cell::new(0) })
    }

    /// Files and bytes in memory; files that were given from there, and that were read.
    pub fn numbers(&self) -> [u64; 4] {
        let (files, bytes) = self.cache.borrow().size();
        [files, bytes, self.hits.get(), self.misses.get()]
    }

    /// What is at a path, which is that of a name.
    ///
    /// # Errors
    ///
    /// Those of a call of the file service.
    pub async fn find(&self, path: &Path, events: &Events, now: Now) -> Result<Found, Error> {
        let known = self.cache.borrow_mut().get(path, now.machine);
        match known {
            Known::Fresh(file) => return Ok(self.hit(file)),
            Known::Stale(file) if file.is_settled => {
                let root = File(events.through(self.root));
                let looked = root
                    .status_of_async(path.bytes(), true, &mut vec![0; PATH_ROOM], Deadline::NEVER)
                    .await?;
                if looked.is_ok_and(|status| is_same(&status, &file.status)) {
                    return Ok(self.hit(file));
                }
            }
            Known::Stale(_) | Known::Nothing => {}
        }
        self.read(path, events, now).await
    }

    fn hit(&self, file: Rc<Cached>) -> Found {
        self.hits.set(self.hits.get() + 1);
        Found::Cached(file)
    }

    async fn read(&self, path: &Path, events: &Events, now: Now) -> Result<Found, Error> {
        self.misses.set(self.misses.get() + 1);
        let root = File(events.through(self.root));
        let mut room = vec![0; SMALL_BYTES + PATH_ROOM];
        let most = u32::try_from(SMALL_BYTES).unwrap_or(u32::MAX);
        let opened = root
            .open_async(path.bytes(), Opening::READ | Opening::FOLLOW, most, &mut room, Deadline::NEVER)
            .await?;
        let (file, status, beginning) = match opened {
            Ok(files::Opened { file: Own(file), status, beginning }) => {
                (OpenFile::new(file, status), status, beginning)
            }
            Err(refusal) => {
                self.cache.borrow_mut().remove(path);
                return Ok(match refusal {
                    Refusal::IsDirectory => Found::Directory,
                    other => Found::Nothing(status_of(other, path)),
                });
            }
        };
        let all =
            beginning.filter(|beginning| beginning.is_all && beginning.bytes.len() as u64 == status.size);
        match (status.kind, all) {
            (Kind::Directory, _) => {
                file.close(events).await;
                self.cache.borrow_mut().remove(path);
                Ok(Found::Directory)
            }
            (_, Some(beginning)) => {
                let is_settled = now.wall_ns.saturating_sub(status.changed) >= SETTLED_NS;
                let content = beginning.bytes.into();
                let cached = Rc::new(Cached { status, media: media_type(path.name()), content, is_settled });
                self.cache.borrow_mut().put(path, &cached, now.machine);
                file.close(events).await;
                Ok(Found::Cached(cached))
            }
            (_, None) => {
                self.cache.borrow_mut().remove(path);
                Ok(Found::Open(file))
            }
        }
    }

    /// The names in a directory, in order, as many as are told; whether these are all. `None`: it is no directory.
    ///
    /// # Errors
    ///
    /// Those of a call of the file service.
    pub async fn names(
        &self,
        path: &Path,
        shows_hidden: bool,
        events: &Events,
    ) -> Result<Option<(Vec<Entry>, bool)>, Error> {
        let root = File(events.through(self.root));
        let name = if path.bytes().is_empty() { b".".as_slice() } else { path.bytes() };
        let mut room = vec![0; MAX_MESSAGE as usize];
        let how = Opening::READ | Opening::DIRECTORY | Opening::FOLLOW;
        let opened = root.open_async(name, how, 0, &mut room, Deadline::NEVER).await?;
        let Ok(files::Opened { file: Own(file), status, .. }) = opened else { return Ok(None) };
        let file = OpenFile::new(file, status);
        let (mut names, mut from) = (Vec::new(), 0);
        let is_all = loop {
            let Ok(batch) = file.entries(events, from, &mut room).await? else { break false };
            if batch.is_empty() {
                break true;
            }
            for entry in batch {
                from = entry.next;
                let is_shown = shows_hidden || !entry.name.starts_with(b".");
                let kind = if entry.kind == Kind::Directory { EntryKind::Directory } else { EntryKind::File };
                if is_shown && !matches!(entry.name, b"." | b"..") && names.len() <= MOST_NAMES {
                    names.push(Entry { kind, name: entry.name.into() });
                }
            }
            if names.len() > MOST_NAMES {
                break false;
            }
        };
        file.close(events).await;
        names.truncate(MOST_NAMES);
        names.sort_unstable();
        Ok(Some((names, is_all)))
    }
}

/// Whether a file is as it was.
fn is_same(one: &files::Status, other: &files::Status) -> bool {
    let version =
        |status: &files::Status| (status.device, status.inode, status.size, status.modified, status.changed);
    version(one) == version(other)
}

/// What a client is told. That something is there that it may not have is nobody's business: it is as if it were not.
fn status_of(refusal: Refusal, path: &Path) -> Status {
    match refusal {
        Refusal::NoEntry
        | Refusal::NotDirectory
        | Refusal::LeadsOutside
        | Refusal::Access
        | Refusal::NotPermitted
        | Refusal::NameTooLong
        | Refusal::NotSupported
        | Refusal::TooManyLinksFollowed
        | Refusal::IllegalBytes
        | Refusal::Invalid => Status::NotFound,
        Refusal::Again
        | Refusal::Busy
        | Refusal::NoMemory
        | Refusal::TooManyFiles
        | Refusal::TooManyFilesInSystem => Status::Unavailable,
        other => {
            log!("cannot open {}: {other:?}", path.bytes().escape_ascii());
            Status::ServerError
        }
    }
}
