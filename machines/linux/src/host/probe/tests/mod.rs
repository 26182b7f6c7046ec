//! Hosts that are not here, made of the kernel's files that are read and of what it would answer: reading and judging together.

mod big_server;
mod container;
mod laptop;
mod old_kernel;
mod small_machine;

use std::collections::BTreeMap;
use std::path::Path;

use hallows_artifact::CpuFeatures;

use super::asked::Asked;
use super::read::Facts;
use super::{Finding, ProbeReport, Topic, Verdict};
use crate::host::core_set::CoreSet;
use crate::host::facts::HostFacts;
use crate::host::jail::JailMeans;
use crate::host::memory::LockMeans;
use crate::host::quantity::ByteSize;
use crate::host::test_support::Scratch;
use crate::host::tier::{Access, Caller, Rights};

/// A made host.
struct Host {
    tree: Scratch,
    asked: Asked,
}

impl Host {
    /// A host with these cores, all allowed, and what every Linux has; a good one until it is changed.
    fn new(name: &str, cores: &str) -> Self {
        let host = Self { tree: Scratch::new(&format!("probe-{name}")), asked: good(cores) };
        host.file("sys/devices/system/cpu/online", cores);
        host.file("sys/devices/system/cpu/isolated", "");
        host.file("proc/cmdline", "root=/dev/sda1 quiet");
        host.file("proc/meminfo", "MemTotal: 16000000 kB\nMemAvailable: 12000000 kB\n");
        host.file("proc/self/cgroup", "0::/user.slice\n");
        host.file("proc/self/mountinfo", "30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
        host.file("sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids");
        host.file("proc/irq/default_smp_affinity", "ffffffff");
        host.file("proc/irq/9/smp_affinity_list", cores);
        host.file("sys/devices/virtual/workqueue/cpumask", "ffffffff");
        host.file("proc/sys/kernel/watchdog_cpumask", cores);
        host.file("proc/sys/kernel/sched_rt_runtime_us", "950000");
        host.file("proc/sys/vm/overcommit_memory", "0");
        host.file("dev/cpu_dma_latency", "");
        host.file("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc");
        host.file("sys/devices/system/clocksource/clocksource0/available_clocksource", "tsc hpet acpi_pm");
        host.file("sys/devices/system/clockevents/clockevent0/current_device", "lapic-deadline");
        host.file("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never");
        host.file("sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "0");
        host.file("sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "0");
        host.interface("lo", None, 1);
        host
    }

    fn file(&self, path: &str, text: &str) {
        let path = self.tree.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, format!("{text}\n")).unwrap();
    }

    fn link(&self, path: &str, target: &str) {
        let path = self.tree.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, path).unwrap();
    }

    fn remove(&self, path: &str) {
        std::fs::remove_file(self.tree.path().join(path)).unwrap();
    }

    fn interface(&self, name: &str, driver: Option<&str>, queues: usize) {
        self.file(&format!("sys/class/net/{name}/type"), "1");
        for queue in 0..queues {
            for kind in ["rx", "tx"] {
                self.file(&format!("sys/class/net/{name}/queues/{kind}-{queue}/x"), "");
            }
        }
        if let Some(driver) = driver {
            self.link(&format!("sys/class/net/{name}/device/driver"), &format!("../../drivers/{driver}"));
        }
    }

    fn pci(&self, address: &str, class: u32, driver: Option<&str>, node: i32) {
        let file = |name: &str| format!("sys/bus/pci/devices/{address}/{name}");
        self.file(&file("class"), &format!("{class:#08x}"));
        self.file(&file("vendor"), "0x144d");
        self.file(&file("device"), "0xa80c");
        self.file(&file("numa_node"), &node.to_string());
        if let Some(driver) = driver {
            self.link(&file("driver"), &format!("../../../bus/pci/drivers/{driver}"));
        }
    }

    /// An ordinary user asks.
    fn by_an_ordinary_user(&mut self) {
        self.asked.rights = Rights {
            caller: Caller::Ordinary,
            real_time: Access::Hidden,
            lock: LockMeans { limit: Some(8 << 20), has_capability: false },
        };
        self.asked.xdp = Err(rustix::io::Errno::PERM);
    }

    fn probe(&self) -> Probed {
        let facts = Facts::read(self.tree.path(), &self.asked);
        let report = ProbeReport::of(super::judge(&facts));
        let mut names = BTreeMap::new();
        for finding in &report.findings {
            assert!(
                names.insert((finding.topic, finding.name), finding.clone()).is_none(),
                "twice: {finding:?}"
            );
        }
        Probed { report, names }
    }
}

/// What was found of a made host.
struct Probed {
    report: ProbeReport,
    names: BTreeMap<(Topic, &'static str), Finding>,
}

impl Probed {
    fn finding(&self, topic: Topic, name: &'static str) -> &Finding {
        self.names.get(&(topic, name)).unwrap_or_else(|| panic!("no {topic} {name}: {:#?}", self.report))
    }

    fn found(&self, topic: Topic, name: &'static str) -> &str {
        &self.finding(topic, name).found
    }

    fn fix(&self, topic: Topic, name: &'static str) -> &str {
        self.finding(topic, name).fix.as_deref().unwrap_or_else(|| panic!("{topic} {name} passes"))
    }

    /// Names of what has this verdict.
    fn with(&self, verdict: Verdict) -> Vec<&'static str> {
        let all = self.report.findings.iter().filter(|finding| finding.verdict == verdict);
        all.map(|finding| finding.name).collect()
    }
}

/// Answers of a good kernel on a good processor to root.
fn good(cores: &str) -> Asked {
    Asked {
        host: HostFacts {
            kernel_release: "6.14.0-amd64".to_owned(),
            processor: "Intel(R) Xeon(R) Gold 6430".to_owned(),
            is_virtual: false,
            has_invariant_tsc: true,
        },
        features: CpuFeatures::all(),
        budget: ByteSize(256 << 20),
        affinity: Ok(CoreSet::parse_list(cores).unwrap()),
        rights: Rights {
            caller: Caller::Root,
            real_time: Access::Open,
            lock: LockMeans { limit: None, has_capability: true },
        },
        priority_limit: Some(0),
        address_space: None,
        clock_cost_ns: 25,
        resolution_ns: 1,
        slack_ns: Some(50_000),
        jail: JailMeans { landlock: 7, has_seccomp: true },
        xdp: Ok(()),
        io_uring: Ok(()),
    }
}

#[test]
fn every_finding_of_an_empty_tree_has_its_fix_and_only_what_is_needed_fails() {
    let tree = Scratch::new("probe-empty");
    let facts = Facts::read(tree.path(), &good("0-3"));
    let report = ProbeReport::of(super::judge(&facts));
    for finding in &report.findings {
        assert_eq!(finding.fix.is_some(), finding.verdict != Verdict::Pass, "{finding:?}");
    }
    let fails: Vec<_> = report.findings.iter().filter(|finding| finding.verdict == Verdict::Fail).collect();
    assert_eq!(fails.iter().map(|finding| finding.name).collect::<Vec<_>>(), ["cores", "available"]);
    assert_eq!((report.fail, report.pass + report.warn + report.fail), (2, report.findings.len()));
}

#[test]
fn reading_changes_no_file() {
    let host = Host::new("unchanged", "0-3");
    let listing = || {
        let output = std::process::Command::new("find")
            .args([host.tree.path().as_os_str(), "-printf".as_ref(), "%p %s %T@\n".as_ref()])
            .output()
            .unwrap();
        assert!(output.status.success());
        output.stdout
    };
    let before = listing();
    host.probe();
    assert!(before.len() > 1000);
    assert_eq!(before, listing());
}

#[test]
fn this_host_is_read_from_the_root() {
    let facts = Facts::read(Path::new("/"), &Asked::ask(CpuFeatures::all(), ByteSize(1 << 20)));
    let cores = facts.cores.unwrap();
    assert!(!cores.topology.online.is_empty());
    assert!(facts.tier.is_some());
    assert!(facts.memory.available.is_ok());
}
