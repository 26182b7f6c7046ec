//! A directory of this host that a program is given, as a person says it.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
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
    /// As [`FromStr`] reads it, without the program's name for it: there is no program yet.
    pub fn to_lend(&self) -> OsString {
        let mut text = self.host.clone().into_os_string();
        text.push(if self.read_only { ":ro" } else { "" });
        text
    }

    /// Opens it, at this path of this host.
    ///
    /// # Errors
    /// When it is not there, is none, or may not be entered.
    pub fn open(&self, path: &Path) -> Result<OwnedFd, Failure> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = rustix::fs::open(path, flags, Mode::empty());
        // Who may name it may not enter it for that.
        let entered = opened.and_then(|opened| rustix::fs::openat(&opened, c".", flags, Mode::empty()));
        entered.map_err(|error| {
            let why = match error {
                rustix::io::Errno::NOENT => "it is not there".to_owned(),
                rustix::io::Errno::NOTDIR => {
                    "it is not a directory; give the one that the file is in".to_owned()
                }
                rustix::io::Errno::ACCESS => {
                    "you may not enter it; let its owner permit it, `chmod a+rx`".to_owned()
                }
                other => std::io::Error::from(other).to_string(),
            };
            Failure::usage(format!("cannot give the program the directory {}: {why}", path.display()))
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
        let again = |text: &str| {
            let directory: Directory = text.parse().expect("well");
            let lent: Directory = directory.to_lend().to_str().expect("a text").parse().expect("well");
            assert_eq!((lent.host, lent.read_only), (directory.host, directory.read_only), "{text}");
        };
        [".", "a/b:ro", "data:/data", "data:/data:ro", "ro", "ro:ro", "x:ro:ro"].into_iter().for_each(again);
        assert_eq!("data:/data:ro".parse(), directory("data", "/data", true));
        // A directory of that name.
        assert_eq!("ro".parse(), directory("ro", "ro", false));
        for wrong in ["", ":", "a:", ":b", "a:b:c", "a:b:c:ro"] {
            assert!(wrong.parse::<Directory>().is_err(), "{wrong}");
        }
    }
}
