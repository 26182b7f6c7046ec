//! A laptop, probed by its user: shared with a desktop, saving power, and root is a `sudo` away.

use super::{Host, Topic, Verdict};

fn laptop() -> Host {
    let mut host = Host::new("laptop", "0-7");
    host.by_an_ordinary_user();
    for core in 0..8 {
        let cpu = format!("sys/devices/system/cpu/cpu{core}");
        let first = core / 2 * 2;
        host.file(&format!("{cpu}/topology/thread_siblings_list"), &format!("{first}-{}", first + 1));
        host.file(&format!("{cpu}/cpufreq/scaling_governor"), "powersave");
    }
    host.file("sys/devices/system/cpu/cpuidle/current_driver", "intel_idle");
    host.file("sys/devices/system/cpu/cpu7/cpuidle/state1/name", "C10");
    host.file("sys/devices/system/cpu/cpu7/cpuidle/state1/latency", "890");
    host.interface("wlp0s20f3", Some("iwlwifi"), 4);
    host.pci("0000:01:00.0", 0x01_0802, Some("nvme"), -1);
    host.pci("0000:00:02.0", 0x03_0000, Some("i915"), -1);
    host
}

#[test]
fn a_user_is_told_that_root_reaches_more_and_nothing_fails() {
    let probed = laptop().probe();
    assert_eq!(probed.with(Verdict::Fail), [""; 0], "{:#?}", probed.report);
    assert_eq!(
        probed.found(Topic::Tier, "tier"),
        "shared on core 7; for isolated: only root may change the host"
    );
    assert_eq!(probed.fix(Topic::Tier, "tier"), "run as root (`sudo hallows …`)");
    let interrupts = probed.found(Topic::Tier, "interrupts");
    assert!(interrupts.starts_with("only root may change the host; as root: 2 settings"), "{interrupts}");
    // The kernel is new, so throttling harms nobody, root or not.
    assert_eq!(probed.finding(Topic::Scheduling, "throttling").verdict, Verdict::Pass);
}

#[test]
fn what_only_root_can_see_is_said_to_be_so() {
    let probed = laptop().probe();
    assert!(probed.found(Topic::Scheduling, "real-time priority").contains("only root can see"));
    assert!(probed.found(Topic::Network, "AF_XDP").contains("only root can see"));
}

#[test]
fn power_hardware_threads_and_locked_memory_are_warnings_with_commands() {
    let probed = laptop().probe();
    assert!(probed.fix(Topic::Power, "frequency").starts_with("echo performance | sudo tee"));
    assert_eq!(probed.fix(Topic::Cores, "hardware threads"), "give them too: `--cores 6-7`");
    assert!(probed.found(Topic::Memory, "locked").contains("RLIMIT_MEMLOCK is 8 MiB, the budget is 256 MiB"));
    assert_eq!(probed.finding(Topic::Network, "zero copy").verdict, Verdict::Warn);
    assert_eq!(
        probed.fix(Topic::Iommu, "IOMMU"),
        "switch it on in the firmware (VT-d, AMD-Vi), and boot with `intel_iommu=on`"
    );
}
