//! Storage: NVMe devices, and whether files may be read and written without waiting.

use rustix::io::Errno;

use super::finding::{Finding, Thing, Topic};
use super::pci::PciDevice;

const NVME: Thing = Thing::new(
    Topic::Storage,
    "NVMe",
    "A storage dataplane drives a device of its own, bound to vfio-pci; there is no dataplane yet.",
);
const IO_URING: Thing = Thing::new(
    Topic::Storage,
    "io_uring",
    "With io_uring a service reads and writes many files without a thread for each; nothing uses it yet.",
);

/// An NVMe device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NvmeDevice {
    /// Where it is on the bus, and who drives it.
    pub(super) pci: PciDevice,
    /// Linux's name for its controller, if Linux drives it.
    pub(super) controller: Option<String>,
    /// What it calls itself, if Linux drives it.
    pub(super) model: Option<String>,
    /// How many namespaces Linux sees.
    pub(super) namespaces: usize,
}

/// Storage.
#[derive(Clone, Debug)]
pub(super) struct StorageFacts {
    /// All NVMe devices on the PCI bus.
    pub(super) nvme: Vec<NvmeDevice>,
    /// `kernel.io_uring_disabled`; `None` before Linux 6.6, or without io_uring.
    pub(super) io_uring_disabled: Option<u64>,
    /// What the kernel answered when asked whether it has io_uring for this process.
    pub(super) io_uring: Result<(), Errno>,
}

pub(super) fn judge(facts: &StorageFacts) -> Vec<Finding> {
    vec![nvme(&facts.nvme), io_uring(facts)]
}

fn nvme(devices: &[NvmeDevice]) -> Finding {
    if devices.is_empty() {
        return NVME.warn(
            "no device",
            "add one (in a virtual machine: pass one through), if programs shall drive it",
        );
    }
    let each = devices.iter().map(|device| {
        let name = device.controller.as_deref().unwrap_or(&device.pci.address);
        let model = device.model.as_deref().unwrap_or("model not readable while Linux does not drive it");
        let namespaces = match (device.namespaces, &device.controller) {
            (_, None) => String::new(),
            (1, _) => ", 1 namespace".to_owned(),
            (more, _) => format!(", {more} namespaces"),
        };
        format!("{name}: {model}{namespaces}, {}{}", device.pci.driver_in_words(), device.pci.node_in_words())
    });
    NVME.pass(each.collect::<Vec<_>>().join("; "))
}

fn io_uring(facts: &StorageFacts) -> Finding {
    let setting = facts.io_uring_disabled.map(|value| format!("kernel.io_uring_disabled = {value}"));
    match (facts.io_uring, setting) {
        (Ok(()), setting) => IO_URING.pass(setting.unwrap_or_else(|| "allowed".to_owned())),
        (Err(Errno::NOSYS), _) => IO_URING.warn("this kernel has none", "boot a kernel with CONFIG_IO_URING"),
        (Err(_), Some(setting)) if facts.io_uring_disabled != Some(0) => {
            IO_URING.warn(format!("{setting}: refused"), "sudo sysctl kernel.io_uring_disabled=0")
        }
        (Err(error), _) => IO_URING.warn(
            format!("refused: {error}"),
            "in a container, allow it in the system call filter (`--security-opt seccomp=…`)",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    fn facts(io_uring_disabled: Option<u64>, io_uring: Result<(), Errno>) -> StorageFacts {
        StorageFacts { nvme: Vec::new(), io_uring_disabled, io_uring }
    }

    #[test]
    fn who_refuses_io_uring_decides_the_fix() {
        let judged = |disabled, answer| judge(&facts(disabled, answer)).remove(1);
        assert_eq!(judged(Some(0), Ok(())).verdict, Verdict::Pass);
        assert!(judged(Some(2), Err(Errno::PERM)).fix.unwrap().contains("sysctl"));
        assert!(judged(Some(0), Err(Errno::PERM)).fix.unwrap().contains("container"));
        assert!(judged(None, Err(Errno::NOSYS)).fix.unwrap().contains("CONFIG_IO_URING"));
    }

    #[test]
    fn a_device_is_described_whoever_drives_it() {
        let linux = NvmeDevice {
            pci: PciDevice { driver: Some("nvme".to_owned()), node: Some(1), ..PciDevice::default() },
            controller: Some("nvme0".to_owned()),
            model: Some("SSD 990".to_owned()),
            namespaces: 2,
        };
        let ours = NvmeDevice {
            pci: PciDevice {
                address: "0000:41:00.0".to_owned(),
                driver: Some("vfio-pci".to_owned()),
                ..PciDevice::default()
            },
            controller: None,
            model: None,
            namespaces: 0,
        };
        let found = nvme(&[linux, ours]).found;
        assert!(
            found.starts_with("nvme0: SSD 990, 2 namespaces, driver nvme, memory node 1; 0000:41:00.0"),
            "{found}"
        );
        assert!(found.ends_with("driver vfio-pci"), "{found}");
        assert_eq!(nvme(&[]).verdict, Verdict::Warn);
    }
}
