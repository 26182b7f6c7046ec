//! The IOMMU, and VFIO: whether a program may drive a device that can reach its own memory and no other.

use super::finding::{Finding, Thing, Topic};

const IOMMU: Thing = Thing::new(
    Topic::Iommu,
    "IOMMU",
    "Without an IOMMU a device that a program drives can write anywhere in memory; no program drives one yet.",
);
const VFIO: Thing =
    Thing::new(Topic::Iommu, "VFIO", "Linux hands a device to user space by vfio-pci; nothing uses it yet.");

/// IOMMU and VFIO.
#[derive(Clone, Debug)]
pub(super) struct IommuFacts {
    /// Groups of devices that the IOMMU can tell apart.
    pub(super) groups: usize,
    /// The units, as Linux names them (`dmar0`, `ivhd0`).
    pub(super) units: Vec<String>,
    /// Whether `/dev/vfio/vfio` is there.
    pub(super) has_vfio: bool,
    /// Groups that are bound to VFIO: the other names in `/dev/vfio`.
    pub(super) vfio_groups: Vec<String>,
    /// Whether Linux runs in a virtual machine.
    pub(super) is_virtual: bool,
    /// The processor's name: the boot option depends on who made it.
    pub(super) processor: String,
}

pub(super) fn judge(facts: &IommuFacts) -> Vec<Finding> {
    vec![iommu(facts), vfio(facts)]
}

fn iommu(facts: &IommuFacts) -> Finding {
    if facts.groups > 0 {
        let units =
            if facts.units.is_empty() { String::new() } else { format!(" ({})", facts.units.join(", ")) };
        return IOMMU.pass(format!("{} groups{units}", facts.groups));
    }
    // Linux uses AMD's unless told not to, and Intel's only if told to or built so.
    let option =
        if facts.processor.contains("AMD") { "without `amd_iommu=off`" } else { "with `intel_iommu=on`" };
    let fix = if facts.is_virtual {
        format!(
            "have the hypervisor give this machine one (QEMU: `-device virtio-iommu-pci`), and boot {option}"
        )
    } else {
        format!("switch it on in the firmware (VT-d, AMD-Vi), and boot {option}")
    };
    IOMMU.warn("no groups", fix)
}

fn vfio(facts: &IommuFacts) -> Finding {
    if !facts.has_vfio {
        return VFIO.warn("no /dev/vfio/vfio", "sudo modprobe vfio-pci");
    }
    VFIO.pass(match facts.vfio_groups.len() {
        0 => "/dev/vfio/vfio; no group is bound to it".to_owned(),
        _ => format!("/dev/vfio/vfio; groups {}", facts.vfio_groups.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    fn facts(groups: usize, processor: &str, is_virtual: bool) -> IommuFacts {
        IommuFacts {
            groups,
            units: Vec::new(),
            has_vfio: groups > 0,
            vfio_groups: Vec::new(),
            is_virtual,
            processor: processor.to_owned(),
        }
    }

    #[test]
    fn the_fix_is_the_makers_and_the_hypervisors() {
        let fix = |processor, is_virtual| judge(&facts(0, processor, is_virtual)).remove(0).fix.unwrap();
        assert!(fix("AMD EPYC 9654", false).ends_with("boot without `amd_iommu=off`"));
        assert!(fix("Intel(R) Xeon(R)", false).ends_with("boot with `intel_iommu=on`"));
        assert!(fix("AMD EPYC", true).contains("hypervisor"));
    }

    #[test]
    fn groups_and_the_device_file_pass() {
        let verdicts: Vec<_> =
            judge(&facts(31, "AMD", false)).iter().map(|finding| finding.verdict).collect();
        assert_eq!(verdicts, [Verdict::Pass, Verdict::Pass]);
    }
}
