//! A host with an old kernel on an old processor: it cannot run, and each reason is told; and one that is just new enough.

use hallows_artifact::CpuFeatures;
use rustix::io::Errno;

use super::{Host, Topic, Verdict};
use crate::host::jail::JailMeans;

fn old() -> Host {
    let mut host = Host::new("old-kernel", "0-3");
    host.asked.host.kernel_release = "4.9.0-19-amd64".to_owned();
    host.asked.host.processor = "AMD Phenom(tm) II X4 955 Processor".to_owned();
    host.asked.host.has_invariant_tsc = false;
    host.asked.features = CpuFeatures::SSE3 | CpuFeatures::POPCNT | CpuFeatures::LZCNT;
    host.asked.jail = JailMeans { landlock: 0, has_seccomp: false };
    host.asked.xdp = Err(Errno::AFNOSUPPORT);
    host.asked.io_uring = Err(Errno::NOSYS);
    host.asked.resolution_ns = 4_000_000;
    host.asked.clock_cost_ns = 1_200;
    host.file("sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet");
    host
}

#[test]
fn what_keeps_hallows_from_running_fails_and_the_rest_warns() {
    let probed = old().probe();
    assert_eq!(probed.with(Verdict::Fail), ["version", "features", "seccomp"], "{:#?}", probed.report);
    assert_eq!(probed.report.fail, 3);
    assert_eq!(
        probed.found(Topic::Processor, "features"),
        "AMD Phenom(tm) II X4 955 Processor lacks ssse3,sse4.1,sse4.2"
    );
    for (topic, name) in [
        (Topic::Time, "counter"),
        (Topic::Time, "clock source"),
        (Topic::Time, "clock_gettime"),
        (Topic::Time, "timers"),
        (Topic::Jail, "Landlock"),
        (Topic::Network, "AF_XDP"),
        (Topic::Storage, "io_uring"),
    ] {
        assert_eq!(probed.finding(topic, name).verdict, Verdict::Warn, "{topic} {name}");
    }
}

#[test]
fn cpusets_of_version_2_isolate_from_linux_6_0_on_and_throttling_can_be_lifted() {
    let mut host = Host::new("middle-kernel", "0-3");
    host.asked.host.kernel_release = "5.15.0-100-generic".to_owned();
    let probed = host.probe();
    assert_eq!(probed.with(Verdict::Fail), [""; 0]);
    assert!(probed.found(Topic::Tier, "tier").contains("no isolated partitions"));
    assert!(probed.fix(Topic::Tier, "tier").contains("Linux 6.0"));
    assert_eq!(
        probed.found(Topic::Scheduling, "throttling"),
        "kernel.sched_rt_runtime_us is 950000; 1 setting can be changed"
    );
    host.asked.host.kernel_release = "6.1.0-28-amd64".to_owned();
    assert!(host.probe().found(Topic::Tier, "tier").starts_with("isolated on core 3"));
}
