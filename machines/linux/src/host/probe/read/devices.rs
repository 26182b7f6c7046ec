//! Devices: the PCI bus, NVMe, graphics, the IOMMU and VFIO.

use super::files::Files;
use crate::host::probe::asked::Asked;
use crate::host::probe::gpu::GpuFacts;
use crate::host::probe::iommu::IommuFacts;
use crate::host::probe::pci::PciDevice;
use crate::host::probe::storage::{NvmeDevice, StorageFacts};

pub(super) fn pci(files: &Files<'_>) -> Vec<PciDevice> {
    let directory = "sys/bus/pci/devices";
    let device = |address: String| {
        let file = |name: &str| format!("{directory}/{address}/{name}");
        let id = |name| files.hexadecimal(&file(name)).and_then(|id| u16::try_from(id).ok());
        Some(PciDevice {
            class: files.hexadecimal(&file("class"))?,
            vendor: id("vendor")?,
            device: id("device")?,
            driver: files.link(&file("driver")),
            // -1 where the host has no nodes.
            node: files.number::<i64>(&file("numa_node")).and_then(|node| u32::try_from(node).ok()),
            address,
        })
    };
    files.names(directory).into_iter().filter_map(device).collect()
}

pub(super) fn storage(files: &Files<'_>, pci: &[PciDevice], asked: &Asked) -> StorageFacts {
    let directory = "sys/class/nvme";
    let controllers: Vec<_> = files
        .names(directory)
        .into_iter()
        .filter_map(|name| Some((files.link(&format!("{directory}/{name}/device"))?, name)))
        .collect();
    let device = |pci: &PciDevice| {
        let controller = controllers.iter().find(|(address, _)| *address == pci.address);
        let controller = controller.map(|(_, name)| name.clone());
        let namespace_of = |name: &String| {
            let prefix = format!("{name}n");
            let names = files.names(&format!("{directory}/{name}"));
            // With several paths to a namespace the name has its path in it: `nvme0c1n1`.
            let is_namespace = |entry: &&String| {
                entry.starts_with(&prefix) || entry.starts_with(&format!("{name}c")) && entry.contains('n')
            };
            names.iter().filter(is_namespace).count()
        };
        NvmeDevice {
            pci: pci.clone(),
            model: controller.as_ref().and_then(|name| files.text(&format!("{directory}/{name}/model"))),
            namespaces: controller.as_ref().map(namespace_of).unwrap_or_default(),
            controller,
        }
    };
    StorageFacts {
        nvme: pci.iter().filter(|device| device.is_nvme()).map(device).collect(),
        io_uring_disabled: files.number("proc/sys/kernel/io_uring_disabled"),
        io_uring: asked.io_uring,
    }
}

pub(super) fn gpu(files: &Files<'_>, pci: &[PciDevice]) -> GpuFacts {
    let render = files.names("dev/dri").into_iter().filter(|name| name.starts_with("render"));
    let render = render.map(|name| format!("/dev/dri/{name}"));
    // `nvidia0` and so on are devices; the other names are the driver's own.
    let is_device = |name: &String| {
        name.strip_prefix("nvidia")
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let nvidia = files.names("dev").into_iter().filter(is_device).map(|name| format!("/dev/{name}"));
    GpuFacts {
        devices: pci.iter().filter(|device| device.is_display()).cloned().collect(),
        files: render.chain(nvidia).collect(),
    }
}

pub(super) fn iommu(files: &Files<'_>, asked: &Asked) -> IommuFacts {
    let vfio = files.names("dev/vfio");
    IommuFacts {
        groups: files.names("sys/kernel/iommu_groups").len(),
        units: files.names("sys/class/iommu"),
        has_vfio: vfio.iter().any(|name| name == "vfio"),
        vfio_groups: vfio.into_iter().filter(|name| name.parse::<u32>().is_ok()).collect(),
        is_virtual: asked.host.is_virtual,
        processor: asked.host.processor.clone(),
    }
}
