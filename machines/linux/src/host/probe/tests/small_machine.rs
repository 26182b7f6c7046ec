//! A small virtual machine of two cores, as programs like this are often tried on: cpusets of version 1, virtio, no devices of its own.

use super::{Host, Topic, Verdict};

fn machine() -> Host {
    let mut host = Host::new("small-machine", "0-1");
    host.asked.host.is_virtual = true;
    host.asked.host.processor = "AMD EPYC 9R14".to_owned();
    host.asked.host.kernel_release = "6.18.44".to_owned();
    host.file(
        "proc/self/mountinfo",
        "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n34 31 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset",
    );
    host.file("sys/fs/cgroup/cpuset/cpuset.cpus", "0-1");
    host.remove("proc/sys/kernel/watchdog_cpumask");
    host.file("sys/devices/system/node/node0/cpulist", "0-1");
    host.file("sys/devices/system/cpu/cpuidle/current_driver", "haltpoll");
    host.interface("eth0", Some("virtio_net"), 1);
    host.pci("0000:00:03.0", 0x02_0000, Some("virtio-pci"), -1);
    host
}

#[test]
fn root_isolates_a_core_by_cpusets_of_version_1() {
    let probed = machine().probe();
    assert_eq!(probed.with(Verdict::Fail), [""; 0], "{:#?}", probed.report);
    assert_eq!(
        probed.with(Verdict::Warn),
        ["hypervisor", "boot line", "tier", "huge pages", "NVMe", "IOMMU", "VFIO", "GPU"]
    );
    assert_eq!(probed.found(Topic::Tier, "cpusets"), "version 1 at /sys/fs/cgroup/cpuset");
    assert_eq!(probed.fix(Topic::Tier, "tier"), "boot Linux with `isolcpus=1 nohz_full=1 rcu_nocbs=1`");
    assert_eq!(
        probed.found(Topic::Power, "idle states"),
        "driver haltpoll, no sleep states; /dev/cpu_dma_latency can hold it off"
    );
    assert!(probed.fix(Topic::Iommu, "IOMMU").contains("QEMU"));
}

#[test]
fn somebody_elses_cpuset_with_its_cores_is_in_the_way() {
    let host = machine();
    host.file("sys/fs/cgroup/cpuset/docker/cpuset.cpus", "0-1");
    let probed = host.probe();
    let tier = probed.found(Topic::Tier, "tier");
    assert!(
        tier.starts_with("shared on core 1; for isolated: the cpuset ") && tier.contains("/docker"),
        "{tier}"
    );
    assert!(probed.fix(Topic::Tier, "tier").contains("cpuset.cpus"));
}

#[test]
fn one_core_cannot_be_taken_from_linux() {
    let mut host = machine();
    host.file("sys/devices/system/cpu/online", "0");
    host.asked.affinity = Ok("0".parse().unwrap());
    let probed = host.probe();
    assert_eq!(probed.finding(Topic::Cores, "cores").verdict, Verdict::Warn);
    assert!(probed.found(Topic::Tier, "tier").contains("Linux must keep one"));
    assert_eq!(probed.with(Verdict::Fail), [""; 0]);
}

#[test]
fn no_core_at_all_fails_and_leaves_out_what_needs_one() {
    let mut host = machine();
    host.asked.affinity = Ok("7".parse().unwrap());
    let probed = host.probe();
    assert_eq!(probed.with(Verdict::Fail), ["cores"]);
    assert!(!probed.names.contains_key(&(Topic::Tier, "tier")));
}
