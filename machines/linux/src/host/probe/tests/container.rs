//! A container on a server: two of many cores, a memory limit, a network of veth, and root who may change nothing.

use rustix::io::Errno;

use super::{Host, Topic, Verdict};
use crate::host::core_set::CoreSet;
use crate::host::tier::Access;

fn container() -> Host {
    let mut host = Host::new("container", "0-31");
    host.asked.affinity = Ok(CoreSet::parse_list("4-5").unwrap());
    host.asked.rights.real_time = Access::Closed { why: Errno::PERM.to_string() };
    host.asked.xdp = Err(Errno::PERM);
    host.asked.io_uring = Err(Errno::PERM);
    host.file("proc/self/cgroup", "0::/\n");
    host.file("sys/fs/cgroup/memory.max", "134217728");
    host.file("sys/fs/cgroup/memory.current", "33554432");
    host.file("sys/fs/cgroup/cgroup.controllers", "cpu io memory pids");
    host.file("proc/sys/kernel/io_uring_disabled", "0");
    host.interface("eth0", None, 4);
    host
}

#[test]
fn a_container_runs_shared_on_what_it_was_given() {
    let probed = container().probe();
    assert_eq!(probed.with(Verdict::Fail), [""; 0], "{:#?}", probed.report);
    assert!(probed.found(Topic::Cores, "cores").starts_with("4-5, of 0-31 that are online; programs on 5"));
    assert_eq!(
        probed.found(Topic::Tier, "tier"),
        "shared on core 5; for isolated: no mounted cgroup tree has the cpuset controller"
    );
    assert_eq!(probed.finding(Topic::Tier, "cpusets").verdict, Verdict::Warn);
}

#[test]
fn its_limits_are_named_with_their_files() {
    let probed = container().probe();
    let memory = probed.found(Topic::Memory, "available");
    assert!(
        memory.starts_with("96 MiB by the control group limit") && memory.contains("memory.max"),
        "{memory}"
    );
    assert!(probed.fix(Topic::Memory, "available").contains("--memory 48M"));
}

#[test]
fn its_sockets_rings_and_interfaces_are_refused_by_the_container() {
    let probed = container().probe();
    assert_eq!(probed.found(Topic::Network, "interfaces"), "only eth0, lo: no device behind any");
    assert!(probed.fix(Topic::Network, "AF_XDP").contains("CAP_NET_RAW"));
    assert!(probed.fix(Topic::Storage, "io_uring").contains("container"));
    assert!(probed.fix(Topic::Scheduling, "real-time priority").contains("RLIMIT_RTPRIO"));
}

#[test]
fn a_container_without_enough_memory_fails() {
    let host = container();
    host.file("sys/fs/cgroup/memory.current", "130000000");
    assert_eq!(host.probe().with(Verdict::Fail), ["available"]);
}
