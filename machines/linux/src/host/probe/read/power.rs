//! Sleep states and frequency of the cores that this process may use.

use super::files::Files;
use crate::host::core_set::CoreId;
use crate::host::probe::cores::CoresFacts;
use crate::host::probe::power::{IdleState, PowerFacts};

const CPU: &str = "sys/devices/system/cpu";

pub(super) fn read(files: &Files<'_>, cores: Option<&CoresFacts>) -> PowerFacts {
    let Some(CoresFacts { topology, choice, .. }) = cores else { return PowerFacts::default() };
    let governor = |core| files.text(&format!("{CPU}/cpu{core}/cpufreq/scaling_governor"));
    PowerFacts {
        idle_driver: files.text(&format!("{CPU}/cpuidle/current_driver")),
        states: choice.programs.first().map(|core| states(files, core)).unwrap_or_default(),
        governors: topology.allowed.iter().filter_map(governor).collect(),
    }
}

fn states(files: &Files<'_>, core: CoreId) -> Vec<IdleState> {
    let directory = format!("{CPU}/cpu{core}/cpuidle");
    let state = |name: &String| {
        let state = format!("{directory}/{name}");
        let is_off = files.number::<u64>(&format!("{state}/disable")).is_some_and(|disabled| disabled > 0);
        (!is_off).then_some(IdleState {
            name: files.text(&format!("{state}/name"))?,
            latency_us: files.number(&format!("{state}/latency"))?,
        })
    };
    files.names(&directory).iter().filter_map(state).collect()
}
