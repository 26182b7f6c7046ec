//! Reads the facts: the kernel's files below a root path, and what it [answered](super::asked).

mod cores;
mod devices;
mod files;
mod memory;
mod network;
mod power;

use std::path::Path;

use self::files::Files;
use super::asked::Asked;
use super::cores::{CoresFacts, NoCores};
use super::gpu::GpuFacts;
use super::iommu::IommuFacts;
use super::memory::MemoryFacts;
use super::network::NetworkFacts;
use super::power::PowerFacts;
use super::processor::ProcessorFacts;
use super::scheduling::SchedulingFacts;
use super::steps::Forecasts;
use super::storage::StorageFacts;
use super::tier::TierFacts;
use super::time::TimeFacts;
use crate::host::jail::JailMeans;
use crate::host::tier::{Caller, Means, forecast};

/// All that is judged.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) release: String,
    pub(super) processor: ProcessorFacts,
    pub(super) cores: Result<CoresFacts, NoCores>,
    /// `None` without cores.
    pub(super) tier: Option<TierFacts>,
    pub(super) power: PowerFacts,
    pub(super) scheduling: SchedulingFacts,
    pub(super) memory: MemoryFacts,
    pub(super) time: TimeFacts,
    pub(super) jail: JailMeans,
    pub(super) network: NetworkFacts,
    pub(super) storage: StorageFacts,
    pub(super) iommu: IommuFacts,
    pub(super) gpu: GpuFacts,
}

impl Facts {
    /// Reads them; `root` is `/`, or a copy of the kernel's files for tests.
    pub(super) fn read(root: &Path, asked: &Asked) -> Self {
        let files = Files::below(root);
        let cores = cores::read(&files, asked);
        let pci = devices::pci(&files);
        Self {
            release: asked.host.kernel_release.clone(),
            processor: ProcessorFacts {
                name: asked.host.processor.clone(),
                features: asked.features,
                is_virtual: asked.host.is_virtual,
            },
            tier: cores.as_ref().ok().map(|cores| tier(&files, cores, asked)),
            power: power::read(&files, cores.as_ref().ok()),
            scheduling: SchedulingFacts {
                priority_limit: asked.priority_limit,
                runtime_us: files.number("proc/sys/kernel/sched_rt_runtime_us"),
            },
            memory: memory::read(&files, asked),
            time: time(&files, asked),
            jail: asked.jail,
            network: network::read(&files, asked),
            storage: devices::storage(&files, &pci, asked),
            iommu: devices::iommu(&files, asked),
            gpu: devices::gpu(&files, &pci),
            cores,
        }
    }
}

fn tier(files: &Files<'_>, cores: &CoresFacts, asked: &Asked) -> TierFacts {
    let rights = asked.rights.clone();
    let (choice, topology) = (cores.choice.clone(), cores.topology.clone());
    let means = Means::read(files.root(), choice, topology, asked.host.kernel_version(), rights);
    let of = |caller| forecast(&means, caller, asked.budget);
    let forecasts = Forecasts { own: of(asked.rights.caller), root: of(Caller::Root) };
    TierFacts { means, forecasts }
}

fn time(files: &Files<'_>, asked: &Asked) -> TimeFacts {
    let source = "sys/devices/system/clocksource/clocksource0";
    let events = "sys/devices/system/clockevents";
    let per_core = files.names(events).into_iter().filter(|name| name.starts_with("clockevent"));
    let mut devices: Vec<_> =
        per_core.filter_map(|name| files.text(&format!("{events}/{name}/current_device"))).collect();
    devices.sort();
    devices.dedup();
    TimeFacts {
        has_invariant_tsc: asked.host.has_invariant_tsc,
        is_virtual: asked.host.is_virtual,
        source: files.text(&format!("{source}/current_clocksource")),
        sources: files
            .text(&format!("{source}/available_clocksource"))
            .map(|all| all.split_whitespace().map(str::to_owned).collect())
            .unwrap_or_default(),
        clock_cost_ns: asked.clock_cost_ns,
        resolution_ns: asked.resolution_ns,
        devices,
        slack_ns: asked.slack_ns,
    }
}
