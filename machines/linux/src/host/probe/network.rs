//! The network: what interfaces there are, and whether a program could have their packets without Linux's stack.

use rustix::io::Errno;

use super::finding::{Finding, Thing, Topic};
use crate::host::facts::KernelVersion;

const INTERFACES: Thing = Thing::new(
    Topic::Network,
    "interfaces",
    "`--net xdp:NAME` takes the frames of an interface's queue; a device with a driver that runs programs of XDP is best for it.",
);
const SOCKETS: Thing = Thing::new(
    Topic::Network,
    "AF_XDP",
    "By AF_XDP sockets frames go to user space past Linux's network stack: `--net xdp:NAME`.",
);
const ZERO_COPY: Thing = Thing::new(
    Topic::Network,
    "zero copy",
    "Some drivers put packets straight into an AF_XDP socket's memory; with the others Linux copies them.",
);

/// Drivers that are known to do zero copy on x86-64, by the kernel that brought it. Some need a firmware or a host that does, too.
const ZERO_COPY_DRIVERS: [(&str, KernelVersion); 11] = [
    ("i40e", KernelVersion { major: 4, minor: 20 }),
    ("ixgbe", KernelVersion { major: 4, minor: 20 }),
    ("mlx5_core", KernelVersion { major: 5, minor: 3 }),
    ("ice", KernelVersion { major: 5, minor: 5 }),
    ("stmmac", KernelVersion { major: 5, minor: 13 }),
    ("intel-eth-pci", KernelVersion { major: 5, minor: 13 }),
    ("igc", KernelVersion { major: 5, minor: 14 }),
    ("nfp", KernelVersion { major: 5, minor: 18 }),
    ("gve", KernelVersion { major: 6, minor: 4 }),
    ("virtio_net", KernelVersion { major: 6, minor: 11 }),
    ("igb", KernelVersion { major: 6, minor: 14 }),
];

/// One network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Interface {
    /// Its name.
    pub(super) name: String,
    /// Its driver; `None` for one without a device: loopback, veth, bridges.
    pub(super) driver: Option<String>,
    /// Receive queues.
    pub(super) receive_queues: usize,
    /// Transmit queues.
    pub(super) transmit_queues: usize,
}

/// The network.
#[derive(Clone, Debug)]
pub(super) struct NetworkFacts {
    /// All interfaces of this network namespace.
    pub(super) interfaces: Vec<Interface>,
    /// What the kernel answered to a socket of AF_XDP, which was closed at once.
    pub(super) socket: Result<(), Errno>,
    /// Its version.
    pub(super) kernel: KernelVersion,
}

pub(super) fn judge(facts: &NetworkFacts) -> Vec<Finding> {
    vec![interfaces(facts), socket(facts.socket), zero_copy(facts)]
}

fn devices(facts: &NetworkFacts) -> impl Iterator<Item = (&Interface, &str)> {
    facts.interfaces.iter().filter_map(|interface| Some((interface, interface.driver.as_deref()?)))
}

fn interfaces(facts: &NetworkFacts) -> Finding {
    let real: Vec<_> = devices(facts)
        .map(|(interface, driver)| {
            let Interface { name, receive_queues, transmit_queues, .. } = interface;
            format!("{name}: {driver}, {receive_queues} receive and {transmit_queues} transmit queues")
        })
        .collect();
    if !real.is_empty() {
        return INTERFACES.pass(real.join("; "));
    }
    let others: Vec<_> = facts.interfaces.iter().map(|interface| interface.name.as_str()).collect();
    let others = if others.is_empty() { "none".to_owned() } else { format!("only {}", others.join(", ")) };
    INTERFACES.warn(
        format!("{others}: no device behind any"),
        "in a container, give it a device (`ip link set DEVICE netns …`) or the host's network (`--network host`)",
    )
}

fn socket(answer: Result<(), Errno>) -> Finding {
    match answer {
        Ok(()) => SOCKETS.pass("sockets can be made"),
        Err(Errno::PERM | Errno::ACCESS) => SOCKETS.warn(
            "not for this user; what root may do, only root can see",
            "run as root, or give CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF (`sudo setcap cap_net_raw,cap_net_admin,cap_bpf+ep FILE`)",
        ),
        Err(Errno::AFNOSUPPORT) => {
            SOCKETS.warn("this kernel has no AF_XDP", "boot a kernel with CONFIG_XDP_SOCKETS")
        }
        Err(error) => SOCKETS.warn(format!("no socket: {error}"), "boot a kernel with CONFIG_XDP_SOCKETS"),
    }
}

fn zero_copy(facts: &NetworkFacts) -> Finding {
    let can: Vec<_> = devices(facts)
        .filter(|(_, driver)| {
            let known = ZERO_COPY_DRIVERS.iter().find(|(name, _)| name == driver);
            known.is_some_and(|(_, since)| facts.kernel >= *since)
        })
        .map(|(interface, driver)| format!("{} ({driver})", interface.name))
        .collect();
    if !can.is_empty() {
        return ZERO_COPY.pass(format!("known of the driver of {}", can.join(", ")));
    }
    let known: Vec<_> =
        ZERO_COPY_DRIVERS.iter().map(|(driver, since)| format!("{driver} ({since})")).collect();
    ZERO_COPY.warn(
        "not known of any driver here",
        format!("use a device of one of these drivers, with Linux from: {}", known.join(", ")),
    )
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    fn facts(interfaces: &[(&str, Option<&str>)], minor: u32) -> NetworkFacts {
        let interface = |(name, driver): &(&str, Option<&str>)| Interface {
            name: (*name).to_owned(),
            driver: driver.map(str::to_owned),
            receive_queues: 4,
            transmit_queues: 8,
        };
        NetworkFacts {
            interfaces: interfaces.iter().map(interface).collect(),
            socket: Ok(()),
            kernel: KernelVersion { major: 6, minor },
        }
    }

    fn verdicts(facts: &NetworkFacts) -> Vec<Verdict> {
        judge(facts).iter().map(|finding| finding.verdict).collect()
    }

    #[test]
    fn interfaces_without_a_device_are_a_warning() {
        let container = facts(&[("lo", None), ("eth0", None)], 12);
        assert_eq!(verdicts(&container), [Verdict::Warn, Verdict::Pass, Verdict::Warn]);
        assert!(judge(&container)[0].found.starts_with("only lo, eth0"));
    }

    #[test]
    fn zero_copy_is_the_drivers_and_the_kernels() {
        assert_eq!(verdicts(&facts(&[("eth0", Some("virtio_net"))], 1))[2], Verdict::Warn);
        assert_eq!(verdicts(&facts(&[("eth0", Some("virtio_net"))], 12))[2], Verdict::Pass);
        assert_eq!(verdicts(&facts(&[("eth0", Some("e1000e"))], 12))[2], Verdict::Warn);
    }

    #[test]
    fn a_socket_that_is_refused_is_told_from_one_that_does_not_exist() {
        let fix = |error| socket(Err(error)).fix.unwrap();
        assert!(fix(Errno::PERM).contains("CAP_NET_RAW"));
        assert!(fix(Errno::AFNOSUPPORT).contains("CONFIG_XDP_SOCKETS"));
    }
}
