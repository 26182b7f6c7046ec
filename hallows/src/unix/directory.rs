//! A directory of this host that a program is given, as a person says it.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::str::FromStr;

use rustix::fs::{Mode, OFlags};

use crate::failure::Failure;

/// A directory that is granted: `HOST[:GUEST][:ro]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// On this host.
    pub host: PathBuf,
    /// What the program knows it by.
    pub guest: String,
    /// It may not be changed.
    pub read_only: bool,
}

impl FromStr for Directory {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts: Vec<&str> = text.split(':').collect();
        let read_only = parts.len() > 1 && parts.last() == Some(&"ro");
        if read_only {
            parts.pop();
        }
        let (host, guest) = match parts[..] {
            [host] => (host, host),
            [host, guest] => (host, guest),
            _ => return Err("write HOST, HOST:GUEST, HOST:ro or HOST:GUEST:ro".to_owned()),
        };
        if host.is_empty() || guest.is_empty() {
            return Err(
                "both the directory of this host and the program's name for it have a name".to_owned()
            );
        }
        Ok(Self { host: host.into(), guest: guest.to_owned(), read_only })
    }
}

impl Directory {
    /// Opens it.
    ///
    /// # Errors
    /// When it is not there, is none, or may not be entered.
    pub fn open(&self) -> Result<OwnedFd, Failure> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::open(&self.host, flags, Mode::empty()).map_err(|error| {
            let why = match error {
                rustix::io::Errno::NOENT => "it is not there".to_owned(),
                rustix::io::Errno::NOTDIR => {
                    "it is not a directory; give the one that the file is in".to_owned()
                }
                rustix::io::Errno::ACCESS => "you may not enter it".to_owned(),
                other => std::io::Error::from(other).to_string(),
            };
            Failure::usage(format!("cannot give the program the directory {}: {why}", self.host.display()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_said_in_four_ways() {
        let directory = |host: &str, guest: &str, read_only| {
            Ok(Directory { host: host.into(), guest: guest.to_owned(), read_only })
        };
        assert_eq!(".".parse(), directory(".", ".", false));
        assert_eq!("a/b:ro".parse(), directory("a/b", "a/b", true));
        assert_eq!("data:/data".parse(), directory("data", "/data", false));
        assert_eq!("data:/data:ro".parse(), directory("data", "/data", true));
        // A directory of that name.
        assert_eq!("ro".parse(), directory("ro", "ro", false));
        for wrong in ["", ":", "a:", ":b", "a:b:c", "a:b:c:ro"] {
            assert!(wrong.parse::<Directory>().is_err(), "{wrong}");
        }
    }
}
