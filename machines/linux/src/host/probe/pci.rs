//! A device on the PCI bus, as `/sys/bus/pci/devices` tells it to everybody.

/// One device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PciDevice {
    /// Where it is: domain, bus, device, function.
    pub(super) address: String,
    /// What it is: class, subclass, programming interface (PCI Code and ID Assignment Specification).
    pub(super) class: u32,
    /// Who made it.
    pub(super) vendor: u16,
    /// Which of theirs.
    pub(super) device: u16,
    /// The driver that has it.
    pub(super) driver: Option<String>,
    /// Its memory node; `None` where the host has none or does not say.
    pub(super) node: Option<u32>,
}

/// Class and subclass of NVMe: mass storage, non-volatile memory.
const NVME: u32 = 0x0108;
/// Class of displays and graphics.
const DISPLAY: u32 = 0x03;

impl PciDevice {
    pub(super) fn is_nvme(&self) -> bool {
        self.class >> 8 == NVME
    }

    pub(super) fn is_display(&self) -> bool {
        self.class >> 16 == DISPLAY
    }

    /// Name of its driver, for people.
    pub(super) fn driver_in_words(&self) -> String {
        self.driver.as_ref().map_or_else(|| "no driver".to_owned(), |driver| format!("driver {driver}"))
    }

    /// Its memory node, for people.
    pub(super) fn node_in_words(&self) -> String {
        self.node.map_or_else(String::new, |node| format!(", memory node {node}"))
    }
}
