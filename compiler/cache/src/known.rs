//! Which program a file has, without reading it: as long as nothing about the file has changed since it was read.
//!
//! A large program takes longer to read and hash than all else of its start. A file counts as unchanged as it does for `make` and `git`: same
//! device and inode, length, and times of change to the nanosecond. As in `git`, a file that was changed so shortly before it was looked at that
//! another change might bear the same time is not remembered. (A program that is changed through a writable mapping may keep its times for a
//! while.) What is kept bears a keyed hash: who cannot seal artefacts cannot pass one program off as another.
use crate::{SealKey, directory::create_private, directory::unique_name};
use std::{
    fs::{self, File},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// Facts are below this, in the cache's directory.
const FOLDER: &str = "known";
/// A fact: the hash of a program, and the keyed hash of that with what the file looked like.
const FACT_BYTES: usize = 64;
/// Longer than the coarsest clock that file systems take times from.
const SETTLED: Duration = Duration::from_secs(1);
/// So many files are kept in mind; then all are forgotten, which costs each a reading.
const MOST: usize = 4_096;
/// What the keyed hashes are for, so that none of them is one of something else.
const CONTEXT: &str = "RustHallows 2026-11-29 which program a file has";

/// What a file looks like from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look([i128; 5]);

impl Look {
    /// How a file looks now. `None`: it is no regular file, or nobody can say.
    pub fn at(file: &File) -> Option<Look> {
        let found = file.metadata().ok().filter(fs::Metadata::is_file)?;
        let time =
            |seconds: i64, nanoseconds: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
        Some(Look([
            i128::from(found.dev()),
            i128::from(found.ino()),
            i128::from(found.size()),
            time(found.mtime(), found.mtime_nsec()),
            time(found.ctime(), found.ctime_nsec()),
        ]))
    }

    /// Whether the file's last change is so long ago that the next one will bear another time.
    fn is_settled(&self) -> bool {
        let changed = u64::try_from(self.0[4] / 1_000_000_000).unwrap_or(u64::MAX);
        let changed = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(changed));
        // Rounded down: a second more.
        changed.and_then(|at| SystemTime::now().duration_since(at).ok()).is_some_and(|age| age > 2 * SETTLED)
    }
}

/// The facts of a cache.
#[derive(Debug)]
pub(crate) struct Known {
    folder: PathBuf,
    key: [u8; 32],
}

impl Known {
    pub(crate) fn new(directory: &Path, key: &SealKey) -> Known {
        Known { folder: directory.join(FOLDER), key: blake3::derive_key(CONTEXT, &key.to_bytes()) }
    }

    fn hash(&self, look: &[i128], program: Option<&blake3::Hash>) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        look.iter().for_each(|number| _ = hasher.update(&number.to_le_bytes()));
        program.map(|program| hasher.update(program.as_bytes()));
        hasher.finalize()
    }

    /// Where the fact about a file stands: by device and inode.
    fn path(&self, look: &Look) -> PathBuf {
        self.folder.join(self.hash(&look.0[..2], None).to_hex().as_str())
    }

    pub(crate) fn program(&self, file: &File) -> Option<blake3::Hash> {
        let look = Look::at(file)?;
        let fact: [u8; FACT_BYTES] = fs::read(self.path(&look)).ok()?.try_into().ok()?;
        let (program, proof) = fact.split_first_chunk::<32>()?;
        let program = blake3::Hash::from_bytes(*program);
        (self.hash(&look.0, Some(&program)) == *blake3::Hash::from_slice(proof).ok()?.as_bytes())
            .then_some(program)
    }

    pub(crate) fn remember(&self, file: &File, since: &Look, program: blake3::Hash) {
        if !since.is_settled() || Look::at(file).as_ref() != Some(since) {
            return;
        }
        let mut fact = program.as_bytes().to_vec();
        fact.extend_from_slice(self.hash(&since.0, Some(&program)).as_bytes());
        // It is a cache: failing to is no error.
        let _ = self.replace(&self.path(since), &fact);
    }

    fn replace(&self, path: &Path, fact: &[u8]) -> std::io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        if fs::read_dir(&self.folder)?.count() >= MOST {
            fs::remove_dir_all(&self.folder)?;
            fs::create_dir_all(&self.folder)?;
        }
        let temporary = self.folder.join(unique_name(".writing-")?);
        let written = create_private(&temporary)
            .and_then(|mut file| std::io::Write::write_all(&mut file, fact))
            .and_then(|()| fs::rename(&temporary, path));
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::{Known, Look};
    use crate::SealKey;
    use std::{fs::File, io::Write, path::Path, time::Duration};

    const PROGRAM: blake3::Hash = blake3::Hash::from_bytes([7; 32]);

    fn known(directory: &Path) -> Known {
        Known::new(directory, &SealKey::from_bytes([1; 32]))
    }

    /// A file whose last change is long ago.
    fn settled(directory: &Path) -> File {
        let path = directory.join("program.wasm");
        std::fs::write(&path, "program").unwrap();
        let file = File::open(path).unwrap();
        while !Look::at(&file).unwrap().is_settled() {
            std::thread::sleep(Duration::from_millis(50));
        }
        file
    }

    #[test]
    fn a_file_is_known_until_it_is_changed() {
        let directory = tempfile::tempdir().unwrap();
        let known = known(directory.path());
        let file = settled(directory.path());
        assert_eq!(known.program(&file), None);
        known.remember(&file, &Look::at(&file).unwrap(), PROGRAM);
        assert_eq!(known.program(&file), Some(PROGRAM));
        let other = Known::new(directory.path(), &SealKey::from_bytes([2; 32]));
        assert_eq!(other.program(&file), None, "with another key");
        // The same length, and its old time of change put back.
        let modified = file.metadata().unwrap().modified().unwrap();
        let mut writer = File::options().write(true).open(directory.path().join("program.wasm")).unwrap();
        writer.write_all(b"PROGRAM").unwrap();
        writer.set_modified(modified).unwrap();
        assert_eq!(known.program(&file), None);
    }

    #[test]
    fn what_was_changed_meanwhile_or_just_now_is_not_remembered() {
        let directory = tempfile::tempdir().unwrap();
        let known = known(directory.path());
        let file = settled(directory.path());
        let before = Look::at(&file).unwrap();
        File::options()
            .append(true)
            .open(directory.path().join("program.wasm"))
            .unwrap()
            .write_all(b"!")
            .unwrap();
        known.remember(&file, &before, PROGRAM);
        known.remember(&file, &Look::at(&file).unwrap(), PROGRAM);
        assert_eq!(known.program(&file), None);
    }

    #[test]
    fn a_fact_that_somebody_wrote_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let known = known(directory.path());
        let file = settled(directory.path());
        let look = Look::at(&file).unwrap();
        known.remember(&file, &look, PROGRAM);
        let path = known.path(&look);
        let mut fact = std::fs::read(&path).unwrap();
        fact[0] ^= 1;
        std::fs::write(&path, fact).unwrap();
        assert_eq!(known.program(&file), None);
    }
}
