//! A server of two sockets, booted for a machine, with everything on board, probed by root: nothing is left to wish for.

use super::{Host, Topic, Verdict};

fn server() -> Host {
    let host = Host::new("big-server", "0-63");
    host.file("sys/devices/system/cpu/isolated", "32-63");
    host.file("sys/devices/system/cpu/nohz_full", "32-63");
    host.file("proc/cmdline", "isolcpus=32-63 nohz_full=32-63 rcu_nocbs=32-63 hugepagesz=1G hugepages=8");
    host.file("sys/devices/system/node/node0/cpulist", "0-31");
    host.file("sys/devices/system/node/node1/cpulist", "32-63");
    host.file("sys/devices/system/cpu/cpuidle/current_driver", "intel_idle");
    for (state, name, latency) in [(0, "POLL", "0"), (1, "C1E", "4"), (2, "C6", "290")] {
        host.file(&format!("sys/devices/system/cpu/cpu32/cpuidle/state{state}/name"), name);
        host.file(&format!("sys/devices/system/cpu/cpu32/cpuidle/state{state}/latency"), latency);
        host.file(&format!("sys/devices/system/cpu/cpu32/cpuidle/state{state}/disable"), "0");
    }
    for core in 0..64 {
        host.file(&format!("sys/devices/system/cpu/cpu{core}/cpufreq/scaling_governor"), "performance");
    }
    host.file("sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "8");
    host.file("sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages", "6");
    host.file("proc/sys/kernel/io_uring_disabled", "0");
    host.interface("ens1f0", Some("ice"), 64);
    host.pci("0000:65:00.0", 0x01_0802, Some("nvme"), 1);
    host.pci("0000:66:00.0", 0x01_0802, Some("vfio-pci"), 1);
    host.pci("0000:97:00.0", 0x03_0200, Some("nvidia"), 1);
    host.link("sys/class/nvme/nvme0/device", "../../../0000:65:00.0");
    host.file("sys/class/nvme/nvme0/model", "SAMSUNG MZQL23T8HCLS-00A07             ");
    host.file("sys/class/nvme/nvme0/nvme0n1/size", "1");
    host.file("sys/class/nvme/nvme0/nvme0c0n2/size", "1");
    host.file("sys/class/nvme/nvme0/hwmon1/name", "nvme");
    host.file("dev/nvidia0", "");
    host.file("dev/nvidiactl", "");
    host.file("dev/vfio/vfio", "");
    host.file("dev/vfio/41", "");
    host.file("sys/kernel/iommu_groups/41/type", "DMA");
    host.file("sys/class/iommu/dmar0/x", "");
    host
}

#[test]
fn a_server_that_was_booted_for_it_passes_everything() {
    let probed = server().probe();
    assert_eq!(probed.with(Verdict::Warn), [""; 0], "{:#?}", probed.report);
    assert_eq!(probed.with(Verdict::Fail), [""; 0]);
    assert_eq!(probed.found(Topic::Tier, "tier"), "booted on core 32-63");
    assert!(
        probed
            .found(Topic::Cores, "boot line")
            .starts_with("isolcpus=32-63, nohz_full=32-63, rcu_nocbs=32-63; ")
    );
    assert_eq!(probed.found(Topic::Cores, "memory nodes"), "node 0: 0-31; node 1: 32-63");
    assert!(probed.found(Topic::Power, "idle states").contains("deepest C6 with 290 us"));
    assert_eq!(probed.found(Topic::Memory, "huge pages"), "2 MiB: 0 of 0 free, 1 GiB: 6 of 8 free");
}

#[test]
fn its_devices_are_told_with_who_drives_them() {
    let probed = server().probe();
    assert_eq!(probed.found(Topic::Network, "interfaces"), "ens1f0: ice, 64 receive and 64 transmit queues");
    assert_eq!(
        probed.found(Topic::Storage, "NVMe"),
        "nvme0: SAMSUNG MZQL23T8HCLS-00A07, 2 namespaces, driver nvme, memory node 1; 0000:66:00.0: model not readable while Linux \
         does not drive it, driver vfio-pci, memory node 1"
    );
    assert_eq!(
        probed.found(Topic::Gpu, "GPU"),
        "0000:97:00.0 (144d:a80c), driver nvidia, memory node 1; /dev/nvidia0"
    );
    assert_eq!(probed.found(Topic::Iommu, "IOMMU"), "1 groups (dmar0)");
    assert_eq!(probed.found(Topic::Iommu, "VFIO"), "/dev/vfio/vfio; groups 41");
}
