//! The kernel's version: whether a machine runs on it, and what it would have more of on a newer one.

use super::finding::{Finding, Thing, Topic};
use crate::host::facts::KernelVersion;

const VERSION: Thing = Thing::new(
    Topic::Kernel,
    "version",
    "A machine watches its processes by pidfd, and uses what newer kernels have where they have it.",
);

/// The oldest kernel that a machine starts on: the first with `pidfd_open`.
const OLDEST: KernelVersion = KernelVersion { major: 5, minor: 3 };

/// What a machine uses if it is there, by the version that brought it.
const USED: [(KernelVersion, &str); 7] = [
    (KernelVersion { major: 5, minor: 6 }, "directories for programs (openat2)"),
    (KernelVersion { major: 5, minor: 13 }, "Landlock"),
    (KernelVersion { major: 5, minor: 14 }, "memory populated in one call"),
    (KernelVersion { major: 5, minor: 18 }, "giving back locked memory"),
    (KernelVersion { major: 6, minor: 0 }, "isolation by cpusets of version 2"),
    (KernelVersion { major: 6, minor: 2 }, "affinities that survive cpusets"),
    (
        KernelVersion { major: 6, minor: 12 },
        "a fair server beside real-time threads, all of Landlock that the jail uses",
    ),
];

/// Judges the kernel by its release, as `uname -r` prints it.
pub(super) fn judge(release: &str) -> Vec<Finding> {
    let version = KernelVersion::parse(release);
    let missing: Vec<_> = USED.iter().filter(|(since, _)| version < *since).collect();
    vec![match missing.last() {
        _ if version < OLDEST => {
            VERSION.fail(format!("Linux {release} is too old"), format!("boot Linux {OLDEST} or newer"))
        }
        None => VERSION.pass(format!("Linux {release}")),
        Some((newest, _)) => {
            let missing: Vec<_> = missing.iter().map(|(since, what)| format!("{what} ({since})")).collect();
            VERSION.warn(
                format!("Linux {release}, without {}", missing.join(", ")),
                format!("boot Linux {newest} or newer"),
            )
        }
    }]
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    #[test]
    fn an_old_kernel_fails_one_in_between_says_what_it_lacks_and_a_new_one_passes() {
        let judged = |release| judge(release).remove(0);
        assert_eq!(judged("4.19.0-27-amd64").verdict, Verdict::Fail);
        assert_eq!(judged("4.19.0-27-amd64").fix.unwrap(), "boot Linux 5.3 or newer");
        let between = judged("5.15.0-generic");
        assert_eq!(between.verdict, Verdict::Warn);
        assert!(
            !between.found.contains("openat2") && between.found.contains("version 2 (6.0)"),
            "{between:?}"
        );
        assert_eq!(judged("6.12.3").verdict, Verdict::Pass);
    }
}
