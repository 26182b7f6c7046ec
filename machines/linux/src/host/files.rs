//! Small reads and writes of the kernel's text files, with errors that name the file and the value.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// A file of the host that could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}", path.display())]
pub struct FileError {
    /// What was tried, for example ``write `0-1` to``.
    pub action: String,
    /// The file.
    pub path: PathBuf,
    /// Why the system refused.
    pub source: io::Error,
}

impl FileError {
    pub(crate) fn new(action: impl Into<String>, path: &Path, source: io::Error) -> Self {
        Self { action: action.into(), path: path.to_owned(), source }
    }
}

/// Reads a kernel text file and takes the line end off.
///
/// One `read` into a fixed buffer: such files report no size, and one page is the most that the kernel gives at once.
pub(crate) fn read_short(path: &Path) -> Result<String, FileError> {
    let mut page = [0u8; 4096];
    let length = File::open(path)
        .and_then(|mut file| file.read(&mut page))
        .map_err(|source| FileError::new("read", path, source))?;
    Ok(String::from_utf8_lossy(&page[..length]).trim_end().to_owned())
}

/// Reads a kernel text file of any length.
pub(crate) fn read_all(path: &Path) -> Result<String, FileError> {
    std::fs::read_to_string(path).map_err(|source| FileError::new("read", path, source))
}

/// Writes `value` with one `write`, as the kernel's files want it; never creates the file.
pub(crate) fn write_short(path: &Path, value: &str) -> Result<(), FileError> {
    OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(path)
        .and_then(|mut file| file.write_all(value.as_bytes()))
        .map_err(|source| FileError::new(format!("write `{value}` to"), path, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_file_and_the_value() {
        let error = write_short(Path::new("/no/such/file"), "0-1").unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot write `0-1` to /no/such/file: No such file or directory (os error 2)"
        );
    }

    #[test]
    fn a_kernel_file_is_read_without_its_line_end() {
        let kernel = read_short(Path::new("/proc/sys/kernel/ostype")).unwrap();
        assert_eq!(kernel, "Linux");
    }
}
