//! Small reads of the kernel's files below a root path; what is not there, or not for us, is `None` or empty.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::host::files::read_short;

/// The kernel's files below a root path. Paths are given without a leading slash.
pub(super) struct Files<'a> {
    root: &'a Path,
}

impl<'a> Files<'a> {
    pub(super) fn below(root: &'a Path) -> Self {
        Self { root }
    }

    pub(super) fn root(&self) -> &Path {
        self.root
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// A file's text without the line end; `None` also if it is empty.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        read_short(&self.path(path)).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// A file's number, in decimal.
    pub(super) fn number<N: FromStr>(&self, path: &str) -> Option<N> {
        self.text(path)?.parse().ok()
    }

    /// A file's number, in hexadecimal with `0x`.
    pub(super) fn hexadecimal(&self, path: &str) -> Option<u32> {
        u32::from_str_radix(self.text(path)?.strip_prefix("0x")?, 16).ok()
    }

    /// The names in a directory, sorted.
    pub(super) fn names(&self, path: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(path)).into_iter().flatten().flatten();
        let mut names: Vec<_> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// The last part of where a link leads: a driver's name, a device's address.
    pub(super) fn link(&self, path: &str) -> Option<String> {
        let target = std::fs::read_link(self.path(path)).ok()?;
        Some(target.file_name()?.to_string_lossy().into_owned())
    }

    pub(super) fn exists(&self, path: &str) -> bool {
        self.path(path).exists()
    }
}
