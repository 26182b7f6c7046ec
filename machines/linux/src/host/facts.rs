//! What the host is: kernel, processor, time-stamp counter. For the start-up lines and for choices that depend on it.
//!
//! Read from `uname` and the CPUID instruction, not from `/proc/cpuinfo`: that file takes a millisecond per dozen
//! cores, and the way to the first program has ten.

use serde::{Deserialize, Serialize};

/// A kernel version's first two numbers, which is what features depend on.
///
/// Written as `6.12`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KernelVersion {
    /// 6 in 6.12.
    pub major: u32,
    /// 12 in 6.12.
    pub minor: u32,
}

impl KernelVersion {
    /// Reads a release such as `6.12.3-amd64`; what it cannot read counts as 0, so as an old kernel.
    pub fn parse(release: &str) -> Self {
        let mut numbers =
            release.split(|letter: char| !letter.is_ascii_digit()).map(|digits| digits.parse().unwrap_or(0));
        Self { major: numbers.next().unwrap_or(0), minor: numbers.next().unwrap_or(0) }
    }

    /// The version of the kernel that runs.
    pub fn running() -> Self {
        Self::parse(&rustix::system::uname().release().to_string_lossy())
    }

    /// Whether cpusets of version 2 can take cores out of load balancing (Linux 6.0).
    pub fn has_isolated_partitions(self) -> bool {
        self >= Self { major: 6, minor: 0 }
    }

    /// Whether this kernel remembers the affinity that a thread was given while a cpuset overrides it (Linux 6.2).
    pub fn remembers_affinity(self) -> bool {
        self >= Self { major: 6, minor: 2 }
    }

    /// Whether this kernel's scheduler keeps real-time threads from starving ordinary ones by a *fair server*
    /// (Linux 6.12) instead of by stopping every real-time thread for 50 ms in each second.
    pub fn has_fair_server(self) -> bool {
        self >= Self { major: 6, minor: 12 }
    }
}

impl std::fmt::Display for KernelVersion {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)
    }
}

/// Facts about the host that do not change while a machine runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostFacts {
    /// The kernel's release, as `uname -r` prints it.
    pub kernel_release: String,
    /// The processor's name, from CPUID leaves 0x8000_0002 to 4.
    pub processor: String,
    /// Whether Linux itself runs in a virtual machine (CPUID leaf 1, ECX bit 31).
    pub is_virtual: bool,
    /// Whether the time-stamp counter runs at one rate in all power states (CPUID leaf 0x8000_0007, EDX bit 8).
    pub has_invariant_tsc: bool,
}

impl HostFacts {
    /// Asks the kernel and the processor. Takes microseconds; CPUID may trap to a hypervisor.
    pub fn read() -> Self {
        let kernel_release = rustix::system::uname().release().to_string_lossy().into_owned();
        Self {
            kernel_release,
            processor: processor_name(),
            is_virtual: std::arch::x86_64::__cpuid(1).ecx & (1 << 31) != 0,
            has_invariant_tsc: has_invariant_tsc(),
        }
    }

    /// The version to decide features by.
    pub fn kernel_version(&self) -> KernelVersion {
        KernelVersion::parse(&self.kernel_release)
    }

    /// One line for the start of a machine.
    pub fn line(&self) -> String {
        format!(
            "Linux {}, {}{}, {}",
            self.kernel_release,
            self.processor,
            if self.is_virtual { " (virtual)" } else { "" },
            if self.has_invariant_tsc {
                "invariant TSC"
            } else {
                "no invariant TSC: clock reads are system calls"
            },
        )
    }
}

/// Leaves that hold the processor's name, 16 bytes each.
const NAME_LEAVES: std::ops::RangeInclusive<u32> = 0x8000_0002..=0x8000_0004;
/// Leaf with the power-management features, among them the invariant time-stamp counter.
const POWER_LEAF: u32 = 0x8000_0007;

fn highest_extended_leaf() -> u32 {
    std::arch::x86_64::__cpuid(0x8000_0000).eax
}

fn processor_name() -> String {
    if highest_extended_leaf() < *NAME_LEAVES.end() {
        return "unnamed x86-64 processor".to_owned();
    }
    let mut name = Vec::with_capacity(48);
    for leaf in NAME_LEAVES {
        let part = std::arch::x86_64::__cpuid(leaf);
        for register in [part.eax, part.ebx, part.ecx, part.edx] {
            name.extend_from_slice(&register.to_le_bytes());
        }
    }
    let name = String::from_utf8_lossy(&name);
    // Vendors pad with NULs and runs of spaces.
    name.trim_matches('\0').split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(crate) fn has_invariant_tsc() -> bool {
    highest_extended_leaf() >= POWER_LEAF && std::arch::x86_64::__cpuid(POWER_LEAF).edx & (1 << 8) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_releases_are_read_by_their_first_two_numbers() {
        let version = |major, minor| KernelVersion { major, minor };
        assert_eq!(KernelVersion::parse("6.12.3-amd64"), version(6, 12));
        assert_eq!(KernelVersion::parse("5.15-rc1"), version(5, 15));
        assert_eq!(KernelVersion::parse("odd"), version(0, 0));
        assert!(version(6, 12).has_fair_server());
        assert!(!version(6, 1).has_fair_server());
    }

    #[test]
    fn facts_agree_with_what_the_kernel_publishes() {
        let facts = HostFacts::read();
        assert_eq!(
            facts.kernel_release,
            super::super::files::read_short("/proc/sys/kernel/osrelease".as_ref()).unwrap()
        );
        let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap();
        let line = |key: &str| {
            let line = cpuinfo.lines().find(|line| line.starts_with(key)).unwrap();
            line.split_once(':').unwrap().1.split_whitespace().collect::<Vec<_>>()
        };
        assert_eq!(facts.processor.split(' ').collect::<Vec<_>>(), line("model name"));
        assert_eq!(facts.has_invariant_tsc, line("flags").contains(&"nonstop_tsc"));
        assert_eq!(facts.is_virtual, line("flags").contains(&"hypervisor"));
    }
}
