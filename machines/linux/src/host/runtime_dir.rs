//! The directories that hold sockets, locks and the journal while machines run.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::files::FileError;

/// A directory of one user's running machines: only that user can enter it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeDir {
    path: PathBuf,
}

/// Why a runtime directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeDirError {
    /// It could not be made or looked at.
    #[error(transparent)]
    File(#[from] FileError),
    /// Somebody else made it, or it is no directory, or others may enter it.
    #[error("{} is not a directory that only you can enter; remove it, or set XDG_RUNTIME_DIR to a place of your own", .0.display())]
    NotOurs(PathBuf),
}

impl RuntimeDir {
    /// The directory of the calling user, made when missing: `/run/hallows` for root; for others `hallows` in
    /// `$XDG_RUNTIME_DIR`, or `/tmp/hallows-UID` without one.
    ///
    /// # Errors
    /// See [`RuntimeDirError`].
    pub fn of_this_user() -> Result<Self, RuntimeDirError> {
        let uid = rustix::process::geteuid();
        if uid.is_root() {
            return Self::at(PathBuf::from("/run/hallows"));
        }
        match std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from) {
            Some(base) if base.is_absolute() && base.is_dir() => Self::at(base.join("hallows")),
            _ => Self::at(PathBuf::from(format!("/tmp/hallows-{}", uid.as_raw()))),
        }
    }

    /// The directory at `path`, made when missing.
    ///
    /// # Errors
    /// See [`RuntimeDirError`]: among others when it belongs to somebody else.
    pub fn at(path: PathBuf) -> Result<Self, RuntimeDirError> {
        match DirBuilder::new().mode(0o700).create(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(FileError::new("make the directory", &path, error).into());
            }
            _ => {}
        }
        // Not following links: in a shared place like /tmp somebody else could have put one there.
        let metadata =
            fs::symlink_metadata(&path).map_err(|error| FileError::new("look at", &path, error))?;
        let is_ours = metadata.is_dir()
            && metadata.uid() == rustix::process::geteuid().as_raw()
            && metadata.mode() & 0o077 == 0;
        if is_ours { Ok(Self { path }) } else { Err(RuntimeDirError::NotOurs(path)) }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The directory of core locks, one for all users of the host, made when missing.
///
/// It lies in a place that everybody may write to (`/run/lock` where the distribution keeps that, else `/tmp`), because
/// an unprivileged machine and root's must see each other's locks.
///
/// # Errors
/// When it cannot be made, or when what is there is not a directory.
pub(crate) fn shared_lock_dir() -> Result<PathBuf, FileError> {
    let is_open_to_all = |path: &Path| {
        fs::metadata(path).is_ok_and(|metadata| metadata.is_dir() && metadata.mode() & 0o1777 == 0o1777)
    };
    let run_lock = Path::new("/run/lock");
    let base = if is_open_to_all(run_lock) { run_lock } else { Path::new("/tmp") };
    let path = base.join("hallows-cores");
    match DirBuilder::new().create(&path) {
        // The creator's umask must not close it to the others.
        Ok(()) => fs::set_permissions(&path, Permissions::from_mode(0o1777))
            .map_err(|error| FileError::new("open to all users", &path, error))?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(FileError::new("make the directory", &path, error)),
    }
    match fs::symlink_metadata(&path) {
        Ok(metadata) if metadata.is_dir() => Ok(path),
        Ok(_) => Err(FileError::new("use as a directory", &path, io::ErrorKind::NotADirectory.into())),
        Err(error) => Err(FileError::new("look at", &path, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("hallows-test-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        path
    }

    #[test]
    fn a_directory_is_made_private_and_found_again() {
        let path = scratch("runtime");
        RuntimeDir::at(path.clone()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        RuntimeDir::at(path.clone()).unwrap();
        fs::remove_dir(&path).unwrap();
    }

    #[test]
    fn a_directory_that_others_can_enter_and_a_link_are_refused() {
        let (open, link) = (scratch("open"), scratch("link"));
        DirBuilder::new().mode(0o700).create(&open).unwrap();
        std::os::unix::fs::symlink(&open, &link).unwrap();
        assert!(matches!(RuntimeDir::at(link.clone()), Err(RuntimeDirError::NotOurs(_))));
        fs::set_permissions(&open, Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(RuntimeDir::at(open.clone()), Err(RuntimeDirError::NotOurs(_))));
        fs::remove_file(&link).unwrap();
        fs::remove_dir(&open).unwrap();
    }
}
