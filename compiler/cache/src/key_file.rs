//! The user's secret key, made on first use and kept like a password.
use crate::{
    CompileError, SealKey,
    directory::{create_private, host_error, random_bytes, unique_name},
};
use std::{
    fs::{self, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
};

/// The key's file in the cache directory.
const NAME: &str = "seal.key";
/// Bits of a file's mode that would let somebody else read or write it.
const OTHERS: u32 = 0o077;

/// Reads the key, or makes one. A key that others could have read is replaced: what it sealed counts as
/// foreign from then on and is compiled again.
pub(crate) fn load_or_create(directory: &Path) -> Result<SealKey, CompileError> {
    let path = directory.join(NAME);
    let error = host_error("reading or making the key", &path);
    if let Some(key) = load(&path).map_err(&error)? {
        return Ok(key);
    }
    let mut secret = [0; 32];
    random_bytes(&mut secret).map_err(&error)?;
    // Whole or not at all, and the first of two processes wins: a link does not replace.
    let temporary = directory.join(unique_name(".key-").map_err(&error)?);
    let linked = create_private(&temporary)
        .and_then(|mut file| file.write_all(&secret))
        .and_then(|()| fs::hard_link(&temporary, &path));
    let _ = fs::remove_file(&temporary);
    match linked {
        Ok(()) => Ok(SealKey::from_bytes(secret)),
        Err(failure) if failure.kind() == io::ErrorKind::AlreadyExists => {
            let other = load(&path).map_err(&error)?;
            other.ok_or_else(|| error(io::Error::other("another process keeps removing it")))
        }
        Err(failure) => Err(error(failure)),
    }
}

/// The key in this file if it is private to us and whole; otherwise the file is removed.
fn load(path: &Path) -> io::Result<Option<SealKey>> {
    let no_link = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let mut file = match OpenOptions::new().read(true).custom_flags(no_link.bits() as i32).open(path) {
        Ok(file) => file,
        Err(failure) if failure.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(failure) if failure.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            fs::remove_file(path)?;
            return Ok(None);
        }
        Err(failure) => return Err(failure),
    };
    let metadata = file.metadata()?;
    let ours = metadata.uid() == rustix::process::geteuid().as_raw();
    let mut secret = [0; 32];
    let private = metadata.is_file() && ours && metadata.mode() & OTHERS == 0;
    if private && metadata.len() == secret.len() as u64 && file.read_exact(&mut secret).is_ok() {
        return Ok(Some(SealKey::from_bytes(secret)));
    }
    fs::remove_file(path)?;
    Ok(None)
}
