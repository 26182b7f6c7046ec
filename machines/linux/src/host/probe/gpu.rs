//! Graphics processors: which there are and who drives them.

use super::finding::{Finding, Thing, Topic};
use super::pci::PciDevice;

const GPU: Thing = Thing::new(
    Topic::Gpu,
    "GPU",
    "A path from storage to a graphics processor needs one that computes; there is no such path yet.",
);

/// Drivers of devices that compute; others only show pictures.
const COMPUTING: [&str; 6] = ["nvidia", "amdgpu", "i915", "xe", "nouveau", "vfio-pci"];

/// Graphics.
#[derive(Clone, Debug)]
pub(super) struct GpuFacts {
    /// Devices of PCI class 03.
    pub(super) devices: Vec<PciDevice>,
    /// Files by which programs reach them: `/dev/dri/renderD…`, `/dev/nvidia…`.
    pub(super) files: Vec<String>,
}

pub(super) fn judge(facts: &GpuFacts) -> Vec<Finding> {
    let each: Vec<_> = facts
        .devices
        .iter()
        .map(|device| {
            let PciDevice { address, vendor, device: model, .. } = device;
            format!(
                "{address} ({vendor:04x}:{model:04x}), {}{}",
                device.driver_in_words(),
                device.node_in_words()
            )
        })
        .collect();
    let files = if facts.files.is_empty() { String::new() } else { format!("; {}", facts.files.join(", ")) };
    let found = format!("{}{files}", each.join("; "));
    let computes =
        |device: &PciDevice| device.driver.as_deref().is_some_and(|driver| COMPUTING.contains(&driver));
    vec![match &facts.devices[..] {
        [] if !facts.files.is_empty() => GPU.pass(format!("{}, on no PCI bus here", facts.files.join(", "))),
        [] => GPU.warn(
            "no device",
            "add one (in a virtual machine: pass one through), if programs shall compute on it",
        ),
        devices if devices.iter().any(computes) => GPU.pass(found),
        _ => GPU.warn(found, format!("install a driver that computes: {}", COMPUTING.join(", "))),
    }]
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    fn judged(driver: Option<&str>) -> Finding {
        let device = PciDevice {
            address: "0000:01:00.0".to_owned(),
            class: 0x03_0000,
            vendor: 0x10de,
            device: 0x2684,
            driver: driver.map(str::to_owned),
            node: None,
        };
        judge(&GpuFacts { devices: vec![device], files: Vec::new() }).remove(0)
    }

    #[test]
    fn a_device_without_a_driver_and_one_that_only_shows_pictures_are_warnings() {
        assert_eq!(judged(Some("nvidia")).verdict, Verdict::Pass);
        assert_eq!(judged(None).verdict, Verdict::Warn);
        assert_eq!(judged(Some("bochs-drm")).verdict, Verdict::Warn);
        assert_eq!(judged(None).found, "0000:01:00.0 (10de:2684), no driver");
    }
}
