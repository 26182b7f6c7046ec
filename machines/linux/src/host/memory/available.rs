//! Whether the host has the memory that a machine asks for.
//!
//! Linux promises more than it has; a machine takes its whole budget in the background, so an impossible one would end in
//! the OOM killer a few seconds after the start. Better to say so before.

use std::path::{Path, PathBuf};

use crate::host::files::{FileError, read_all, read_short};
use crate::host::quantity::ByteSize;

/// Why a memory budget cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// The host has less.
    #[error(
        "{wanted} asked for with --memory, but the host has only {available} available; ask for less or free some"
    )]
    NotEnough {
        /// What was asked for.
        wanted: ByteSize,
        /// `MemAvailable` of `/proc/meminfo`.
        available: ByteSize,
    },
    /// A control group allows less.
    #[error(
        "{wanted} asked for with --memory, but the control group limit {} leaves only {left}; ask for less or raise it",
        limit.display()
    )]
    GroupLimit {
        /// What was asked for.
        wanted: ByteSize,
        /// What the limit leaves.
        left: ByteSize,
        /// The file with the limit.
        limit: PathBuf,
    },
    /// The kernel's files could not be read.
    #[error(transparent)]
    File(#[from] FileError),
}

/// What the host has for a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Available {
    /// `MemAvailable` of `/proc/meminfo`.
    pub host: ByteSize,
    /// What the narrowest limit of this process's control groups leaves, and its file.
    pub group: Option<(ByteSize, PathBuf)>,
}

impl Available {
    /// Reads it; `root` is `/`, or a copy of the kernel's files for tests.
    ///
    /// # Errors
    /// [`MemoryError::File`].
    pub(crate) fn read(root: &Path) -> Result<Self, MemoryError> {
        let meminfo = read_all(&root.join("proc/meminfo"))?;
        let host = ByteSize(parse_available(&meminfo).unwrap_or(u64::MAX));
        let groups = read_all(&root.join("proc/self/cgroup"))?;
        let limits = limit_files(root, &groups).into_iter();
        let limits = limits.filter_map(|(limit, used)| Some((left_in_group(&limit, &used)?, limit)));
        Ok(Self { host, group: limits.min_by_key(|(left, _)| *left) })
    }

    /// As much as a machine can have.
    pub fn most(&self) -> ByteSize {
        self.group.as_ref().map_or(self.host, |(left, _)| self.host.min(*left))
    }

    /// Checks a budget against it.
    ///
    /// # Errors
    /// [`MemoryError::NotEnough`] and [`MemoryError::GroupLimit`] say how much there is.
    pub fn check(&self, wanted: ByteSize) -> Result<(), MemoryError> {
        if wanted > self.host {
            return Err(MemoryError::NotEnough { wanted, available: self.host });
        }
        match &self.group {
            Some((left, limit)) if wanted > *left => {
                Err(MemoryError::GroupLimit { wanted, left: *left, limit: limit.clone() })
            }
            _ => Ok(()),
        }
    }
}

/// Checks a budget against what the host has available and against the limits of this process's control groups.
///
/// # Errors
/// [`MemoryError::NotEnough`] and [`MemoryError::GroupLimit`] say how much there is.
pub fn check_available(wanted: ByteSize) -> Result<(), MemoryError> {
    Available::read(Path::new("/"))?.check(wanted)
}

fn parse_available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The files of limit and use of every control group above this process, both versions, at their usual places.
fn limit_files(root: &Path, groups: &str) -> Vec<(PathBuf, PathBuf)> {
    let mut files = Vec::new();
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        let (mount, limit, used) = match controllers {
            "" => ("sys/fs/cgroup", "memory.max", "memory.current"),
            list if list.split(',').any(|controller| controller == "memory") => {
                ("sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes")
            }
            _ => continue,
        };
        for group in Path::new(path.trim_start_matches('/')).ancestors() {
            let directory = root.join(mount).join(group);
            files.push((directory.join(limit), directory.join(used)));
        }
    }
    files
}

/// `None` without a limit (`max`, or no such file). What files have in the page cache that nobody used lately counts as left: Linux drops it when the
/// memory is wanted.
fn left_in_group(limit: &Path, used: &Path) -> Option<ByteSize> {
    let statistics = read_all(&used.with_file_name("memory.stat")).unwrap_or_default();
    let limit = read_short(limit).ok()?.parse::<u64>().ok()?;
    let used = read_short(used).ok()?.parse::<u64>().ok()?;
    Some(ByteSize(limit.saturating_sub(used.saturating_sub(parse_droppable(&statistics)))))
}

/// Of a group and those below it: `total_…` in version 1, where the other is the group's alone.
fn parse_droppable(statistics: &str) -> u64 {
    let value = |key: &str| {
        let mut lines = statistics.lines().filter_map(|line| line.split_once(' '));
        lines.find(|(name, _)| *name == key)?.1.parse::<u64>().ok()
    };
    value("total_inactive_file").or_else(|| value("inactive_file")).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_impossible_budget_is_refused_with_what_there_is() {
        let error = check_available(ByteSize(1 << 60)).unwrap_err();
        assert!(
            error.to_string().starts_with("1048576 TiB asked for with --memory, but the host has only"),
            "{error}"
        );
        check_available(ByteSize(1 << 20)).unwrap();
    }

    #[test]
    fn the_available_amount_is_in_kibibytes() {
        assert_eq!(parse_available("MemTotal: 9 kB\nMemAvailable:    2048 kB\n"), Some(2 << 20));
        assert_eq!(parse_available("MemTotal: 9 kB\n"), None);
    }

    #[test]
    fn what_the_page_cache_can_drop_is_left() {
        assert_eq!(parse_droppable("anon 7\ninactive_file 4096\nactive_file 1\n"), 4_096);
        assert_eq!(parse_droppable("inactive_file 1\ntotal_inactive_file 8192\n"), 8_192);
        assert_eq!(parse_droppable(""), 0);
        let folder = crate::host::test_support::Scratch::new("memory-group");
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let (limit, used) = (file("memory.max", "1000\n"), file("memory.current", "900\n"));
        assert_eq!(left_in_group(&limit, &used), Some(ByteSize(100)));
        file("memory.stat", "inactive_file 300\n");
        assert_eq!(left_in_group(&limit, &used), Some(ByteSize(400)));
    }

    #[test]
    fn the_groups_of_both_versions_are_looked_at_up_to_the_root() {
        let files = limit_files(Path::new("/"), "4:memory:/a/b\n3:cpuset:/\n0::/c\n");
        let limits: Vec<_> = files.iter().map(|(limit, _)| limit.to_str().unwrap()).collect();
        assert_eq!(
            limits,
            [
                "/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/a/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/memory.limit_in_bytes",
                "/sys/fs/cgroup/c/memory.max",
                "/sys/fs/cgroup/memory.max",
            ]
        );
    }
}
