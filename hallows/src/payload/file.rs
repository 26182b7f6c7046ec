//! Executables as files: this one copied with a payload, and the payload of this one read.

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;

use super::contents::Contents;
use super::mark::{self, LENGTH, Mark};
use crate::failure::{Failure, SOFTWARE};

/// This process's executable, also when its file was replaced or removed meanwhile.
const OWN: &str = "/proc/self/exe";
/// Who may do anything with it, but for whom the user's mask (umask(2)) leaves out: as a linker makes executables.
const MODE: u32 = 0o777;
/// The mask of who has none that is known: nobody else changes it.
const USUAL_MASK: u32 = 0o022;

/// What an existing file means to who writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Something that must not be lost.
    Keep,
    /// Something that is replaced.
    Replace,
}

/// Writes this executable with a payload to a file, whole or not at all; its length in bytes.
///
/// # Errors
/// When it is there already and is to be kept, or cannot be written.
pub fn write(contents: &Contents, path: &Path, existing: Existing) -> Result<u64, Failure> {
    let shown = path.display();
    if existing == Existing::Keep && fs::symlink_metadata(path).is_ok() {
        return Err(already_there(path));
    }
    let own =
        |why: &dyn std::fmt::Display| Failure::other(SOFTWARE, format!("cannot copy this executable: {why}"));
    let mut bytes = fs::read(OWN).map_err(|error| own(&error))?;
    let place = mark::find(&bytes).map_err(|why| own(&why))?;
    let payload = contents.emit().map_err(|error| own(&error))?;
    let mark = Mark {
        offset: bytes.len() as u64,
        length: payload.len() as u64,
        payload: blake3::hash(&payload),
        executable: blake3::hash(&bytes),
    };
    bytes[place..place + LENGTH].copy_from_slice(&mark.emit());
    let refused = |error: io::Error| Failure::usage(format!("cannot write {shown}: {error}"));
    // In the same folder, so that the last step only gives it its name; removed again if anything fails before.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".hallows-build-")
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(folder)
        .map_err(refused)?;
    file.write_all(&bytes).and_then(|()| file.write_all(&payload)).map_err(refused)?;
    file.as_file().set_permissions(Permissions::from_mode(MODE & !mask())).map_err(refused)?;
    file.as_file().sync_all().map_err(refused)?;
    let named = match existing {
        Existing::Replace => file.persist(path),
        // Somebody may have made one meanwhile.
        Existing::Keep => file.persist_noclobber(path),
    };
    named.map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => already_there(path),
        _ => refused(error.error),
    })?;
    Ok(mark.offset + mark.length)
}

/// What the user leaves out of permissions of new files. Asked for by the file that tells it, since the system call only tells it by changing it.
fn mask() -> u32 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    line.and_then(|mask| u32::from_str_radix(mask.trim(), 8).ok()).unwrap_or(USUAL_MASK)
}

fn already_there(path: &Path) -> Failure {
    Failure::usage(format!("{} is there already; --force replaces it", path.display()))
}

/// The payload of this executable.
///
/// # Errors
/// What is wrong with it.
pub fn read(mark: &Mark) -> Result<Contents, String> {
    let file = File::open(OWN).map_err(|error| format!("{OWN} cannot be read: {error}"))?;
    let (expected, found) = (mark.offset.saturating_add(mark.length), length(&file)?);
    if found != expected {
        let how = if found < expected { "it was cut off" } else { "something was put behind it" };
        return Err(format!("the file has {found} bytes and should have {expected}: {how}"));
    }
    let mut payload = vec![0; usize::try_from(mark.length).map_err(|error| error.to_string())?];
    file.read_exact_at(&mut payload, mark.offset).map_err(|error| format!("it cannot be read: {error}"))?;
    if blake3::hash(&payload) != mark.payload {
        return Err("its bytes were changed (their hash is another)".to_owned());
    }
    Contents::parse(payload)
}

/// Compares the executable itself, before the payload, with what it was built from.
///
/// # Errors
/// What is wrong with it.
pub fn verify(mark: &Mark) -> Result<(), String> {
    let unreadable = |error: io::Error| format!("{OWN} cannot be read: {error}");
    let mut bytes = Vec::new();
    let file = File::open(OWN).map_err(unreadable)?;
    file.take(mark.offset).read_to_end(&mut bytes).map_err(unreadable)?;
    let full = mark.emit();
    let place = bytes.windows(LENGTH).position(|window| window == full).ok_or("its mark was changed")?;
    bytes[place..place + LENGTH].copy_from_slice(&mark::empty());
    if blake3::hash(&bytes) == mark.executable {
        Ok(())
    } else {
        Err("the executable's own bytes were changed (their hash is another)".to_owned())
    }
}

fn length(file: &File) -> Result<u64, String> {
    file.metadata().map(|status| status.len()).map_err(|error| error.to_string())
}
