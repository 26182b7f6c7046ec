//! The walls around a machine: without one of them it does not run, without the other it has one wall instead of two.

use super::finding::{Finding, Thing, Topic};
use crate::host::jail::JailMeans;

const SECCOMP: Thing = Thing::new(
    Topic::Jail,
    "seccomp",
    "A machine closes all system calls but a few before its first program starts, and does not run otherwise.",
);
const LANDLOCK: Thing = Thing::new(
    Topic::Jail,
    "Landlock",
    "Landlock is the second wall that keeps files, network and other processes out of reach.",
);

pub(super) fn judge(means: JailMeans) -> Vec<Finding> {
    let seccomp = if means.has_seccomp {
        SECCOMP.pass("filters")
    } else {
        SECCOMP.fail(
            "no filters",
            "boot a kernel with CONFIG_SECCOMP_FILTER; in a container, let it make filters of its own",
        )
    };
    let full = JailMeans::FULL_LANDLOCK;
    let landlock = match means.landlock {
        0 => LANDLOCK.warn("none, so only the system calls keep files away", JailMeans::LANDLOCK_REMEDY),
        version if version < full => LANDLOCK.warn(
            format!("version {version}: files, and of network and signals only a part"),
            format!("boot Linux 6.12 or newer (version {full})"),
        ),
        version => LANDLOCK.pass(format!("version {version}")),
    };
    vec![seccomp, landlock]
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    #[test]
    fn a_kernel_without_filters_fails_and_one_without_landlock_warns() {
        let verdicts = |landlock, has_seccomp| {
            judge(JailMeans { landlock, has_seccomp })
                .iter()
                .map(|finding| finding.verdict)
                .collect::<Vec<_>>()
        };
        assert_eq!(verdicts(0, false), [Verdict::Fail, Verdict::Warn]);
        assert_eq!(verdicts(3, true), [Verdict::Pass, Verdict::Warn]);
        assert_eq!(verdicts(7, true), [Verdict::Pass, Verdict::Pass]);
    }
}
