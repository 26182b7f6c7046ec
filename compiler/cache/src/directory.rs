//! The directory: entries appear whole, disappear whole, and the oldest go when there are too many.
use crate::CompileError;
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// How large the cache may grow if nobody says otherwise: some hundred programs of the size of a large one.
pub const DEFAULT_BOUND_BYTES: u64 = 1 << 30;

/// Entries are below this, out of the key's way.
const ENTRIES: &str = "artifacts";
/// Begins the name of a file that is being written.
const TEMPORARY_PREFIX: &str = ".writing-";
/// A file that has been being written for longer was left by a process that died.
const TEMPORARY_LIFETIME: Duration = Duration::from_secs(3600);

/// The entries of a cache.
#[derive(Debug)]
pub(crate) struct Directory {
    entries: PathBuf,
    pub(crate) bound_bytes: u64,
}

pub(crate) fn host_error(what: &str, path: &Path) -> impl Fn(io::Error) -> CompileError {
    let what = format!("{what} {}", path.display());
    move |error| CompileError::Host { what: what.clone(), message: error.to_string() }
}

/// A name that no other process uses at the same time.
pub(crate) fn unique_name(prefix: &str) -> io::Result<String> {
    let mut random = [0; 16];
    random_bytes(&mut random)?;
    Ok(format!("{prefix}{:032x}", u128::from_le_bytes(random)))
}

/// Fills `buffer` from the kernel's cryptographic generator.
pub(crate) fn random_bytes(buffer: &mut [u8]) -> io::Result<()> {
    let mut filled = 0;
    while filled < buffer.len() {
        let flags = rustix::rand::GetRandomFlags::empty();
        filled += rustix::rand::getrandom(&mut buffer[filled..], flags)?;
    }
    Ok(())
}

impl Directory {
    /// Opens or creates it.
    pub(crate) fn open(path: &Path) -> Result<Directory, CompileError> {
        let entries = path.join(ENTRIES);
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700).create(&entries).map_err(host_error("creating", &entries))?;
        Ok(Directory { entries, bound_bytes: DEFAULT_BOUND_BYTES })
    }

    /// An entry and its length, whoever wrote it; and it counts as used now.
    pub(crate) fn open_entry(&self, name: &str) -> Option<(File, u64)> {
        // Not through a link, and not a pipe that never ends.
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        let mut options = OpenOptions::new();
        let file = options.read(true).custom_flags(flags.bits() as i32).open(self.entries.join(name)).ok()?;
        let length = file.metadata().ok().filter(|metadata| metadata.is_file())?.len();
        // Only the order of leaving depends on it.
        let _ = file.set_modified(SystemTime::now());
        Some((file, length))
    }

    /// Removes an entry. Another process may have put a good one in its place: that one is compiled again.
    pub(crate) fn discard(&self, name: &str) {
        let path = self.entries.join(name);
        let removed = match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(&path),
            _ => fs::remove_file(&path),
        };
        // What cannot be removed is refused again next time.
        let _ = removed;
    }

    /// Puts an entry in, whole, and makes room for it. Failing to is no error: it is a cache.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        if bytes.len() as u64 <= self.bound_bytes && self.replace(name, bytes).is_ok() {
            let _ = self.trim();
        }
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let temporary = self.entries.join(unique_name(TEMPORARY_PREFIX)?);
        let written = create_private(&temporary).and_then(|mut file| file.write_all(bytes)).and_then(|()| {
            let entry = self.entries.join(name);
            fs::rename(&temporary, &entry).or_else(|_| {
                // Something stands there that a file does not replace.
                self.discard(name);
                fs::rename(&temporary, &entry)
            })
        });
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written
    }

    /// Removes the least recently used entries beyond the bound, and what dead processes left.
    fn trim(&self) -> io::Result<()> {
        let mut entries = Vec::new();
        let now = SystemTime::now();
        for entry in fs::read_dir(&self.entries)? {
            let entry = entry?;
            // Another process may trim, too.
            let Ok(metadata) = entry.metadata() else { continue };
            let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            if entry.file_name().to_string_lossy().starts_with(TEMPORARY_PREFIX) {
                if now.duration_since(used).is_ok_and(|age| age > TEMPORARY_LIFETIME) {
                    let _ = fs::remove_file(entry.path());
                }
                continue;
            }
            entries.push((used, metadata.len(), entry.path()));
        }
        entries.sort();
        let mut total: u64 = entries.iter().map(|(_, length, _)| length).sum();
        for (_, length, path) in entries {
            if total <= self.bound_bytes {
                break;
            }
            let _ = fs::remove_file(path);
            total -= length;
        }
        Ok(())
    }
}

/// Creates a file that nobody else can read.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}
