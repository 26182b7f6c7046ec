//! Cores, memory nodes, and what the boot line says of them.

use super::files::Files;
use crate::host::core_set::CoreSet;
use crate::host::cores::{CoreRequest, Topology, TopologyError, choose, siblings_below};
use crate::host::probe::asked::Asked;
use crate::host::probe::cores::{CoresFacts, NoCores};

pub(super) fn read(files: &Files<'_>, asked: &Asked) -> Result<CoresFacts, NoCores> {
    let affinity = asked.affinity.as_ref().map_err(|error| TopologyError::Affinity(*error))?;
    let topology = Topology::read_below(files.root(), affinity)?;
    let siblings = |core| siblings_below(files.root(), core);
    let choice = choose(&CoreRequest::default(), &topology, siblings)?;
    let no_callbacks = no_callbacks(files, &topology);
    Ok(CoresFacts { choice, nodes: nodes(files), no_callbacks, topology })
}

fn nodes(files: &Files<'_>) -> Vec<(u32, CoreSet)> {
    let directory = "sys/devices/system/node";
    let node = |name: &String| {
        let number = name.strip_prefix("node")?.parse().ok()?;
        let cores = CoreSet::parse_list(&files.text(&format!("{directory}/{name}/cpulist"))?).ok()?;
        Some((number, cores))
    };
    let mut nodes: Vec<_> = files.names(directory).iter().filter_map(node).collect();
    nodes.sort_by_key(|(number, _)| *number);
    nodes
}

/// `rcu_nocbs=` of the boot line, and what `nohz_full=` implies (kernel documentation: kernel-parameters.txt).
fn no_callbacks(files: &Files<'_>, topology: &Topology) -> CoreSet {
    let line = files.text("proc/cmdline").unwrap_or_default();
    let option = line.split_whitespace().find_map(|option| option.strip_prefix("rcu_nocbs="));
    let cores = match option {
        Some("all") => topology.online.clone(),
        Some(list) => CoreSet::parse_list(list).unwrap_or_default(),
        None => CoreSet::new(),
    };
    cores.union(&topology.tickless)
}
