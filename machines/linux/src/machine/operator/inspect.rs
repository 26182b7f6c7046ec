//! What an operator is shown of cells: counters, and one cell in all its parts.

use hallows_abi::{Handle, ObjectKind, Rights};
use hallows_kernel::{CapabilityPicture, CellId, CellPicture, CoreId, Machine};
use hallows_sdk::StartInfo;

use super::Operator;
use super::registry::Origin;
use crate::host::control::inspection::{
    CallStatistics, CapabilityStatus, CellStatistics, CoreStatistics, Histogram, Inspection, Statistics,
};
use crate::host::control::protocol::{CellSelector, Response};
use crate::machine::status::Surroundings;

/// Capabilities in one answer; a space may have 65,536.
const MOST_CAPABILITIES: usize = 1_024;

impl Operator {
    pub(super) fn statistics(&self) -> Statistics {
        let kernel = self.running.kernel();
        let cores = kernel.picture_cores().into_iter().map(|core| CoreStatistics {
            core: self.surroundings.core(core.core),
            cpu_ns: self.core_ns(core.core),
            running: core.running.map(|cell| u64::from(cell.0)),
            waiting: core.waiting,
            switches: core.switches,
            loans: core.loans,
        });
        Statistics {
            uptime_ns: self.surroundings.uptime_ns(&self.running),
            memory: Surroundings::memory(&self.running),
            timekeeper: Surroundings::timekeeper_state(&self.running),
            timekeeper_ns: self.running.meter().used_ns(),
            cores: cores.collect(),
            cells: kernel.picture_cells().into_iter().map(|cell| self.cell(cell)).collect(),
        }
    }

    fn core_ns(&self, core: CoreId) -> u64 {
        self.running.kernel().machine.core_time(core).0
    }

    fn cell(&self, picture: CellPicture) -> CellStatistics {
        let calls = self.running.kernel().picture_calls(picture.cell);
        let registry = self.registry();
        let known = registry.find(picture.cell);
        CellStatistics {
            faults: u64::from(picture.faults),
            serves: registry.endpoints_of(picture.cell),
            is_system: known.is_some_and(|known| matches!(known.origin, Origin::System)),
            status: self.surroundings.cell(picture),
            calls: CallStatistics {
                made: calls.made,
                answered: calls.answered,
                made_ns: Histogram(calls.made_ns),
                answered_ns: Histogram(calls.answered_ns),
            },
        }
    }

    pub(super) fn faults(&self, after: u64) -> Response {
        let (last, faults) =
            self.running.kernel().machine.faults().since(after, self.surroundings.began_ns());
        Response::Faults { last, faults }
    }

    pub(super) fn inspect(&self, selector: &CellSelector) -> Result<Inspection, String> {
        let picture = self.select(selector)?;
        let (kernel, cell) = (self.running.kernel(), picture.cell);
        let info = kernel.picture_start(cell);
        // What a program has made of its cell's start is its own affair.
        let info = StartInfo::parse(&info).unwrap_or(StartInfo::EMPTY);
        let (capabilities, count) = kernel.picture_capabilities(cell, MOST_CAPABILITIES);
        let (_, faults) = kernel.machine.faults().since(0, self.surroundings.began_ns());
        let names: Vec<_> = kernel.picture_cells().into_iter().map(|cell| (cell.cell, cell.name)).collect();
        let own = |number: u64| number == u64::from(cell.0);
        Ok(Inspection {
            arguments: info.arguments().map(str::to_owned).collect(),
            capabilities: capabilities.iter().map(|capability| show(capability, info, &names)).collect(),
            capability_count: count as u64,
            recent_faults: faults
                .into_iter()
                .filter(|fault| own(fault.cell) && *fault.name == *picture.name)
                .collect(),
            cell: self.cell(picture),
        })
    }
}

/// A capability, with the name that it was granted under and that of the cell that it leads to.
fn show(
    capability: &CapabilityPicture,
    info: StartInfo<'_>,
    names: &[(CellId, Box<str>)],
) -> CapabilityStatus {
    let kind = match capability.kind {
        ObjectKind::Endpoint => "endpoint",
        ObjectKind::Notification => "notification",
        ObjectKind::Timer => "timer",
        ObjectKind::Budget => "budget",
        ObjectKind::Region => "region",
        ObjectKind::Cell => "cell",
        ObjectKind::Program => "program",
    };
    let granted = info.grants().find(|(_, handle)| *handle == capability.handle).map(|(name, _)| name);
    let name = granted.or(match capability.handle {
        Handle::SELF => Some("(itself)"),
        Handle::BUDGET => Some("(its budget)"),
        _ => None,
    });
    let leads_to = capability.leads_to.and_then(|cell| names.iter().find(|(known, _)| *known == cell));
    CapabilityStatus {
        handle: capability.handle.0,
        name: name.map(str::to_owned),
        kind: kind.to_owned(),
        object: match leads_to {
            Some((_, cell)) if capability.kind == ObjectKind::Endpoint => {
                format!("{} of {cell}", capability.object)
            }
            Some((_, cell)) => cell.to_string(),
            None => capability.object.to_string(),
        },
        rights: rights(capability.rights),
        badge: capability.badge,
        stale: capability.stale,
    }
}

fn rights(rights: Rights) -> Vec<String> {
    let named = [
        (Rights::SEND, "send"),
        (Rights::RECEIVE, "receive"),
        (Rights::TRANSFER, "transfer"),
        (Rights::MANAGE, "manage"),
        (Rights::READ, "read"),
        (Rights::WRITE, "write"),
        (Rights::WATCH, "watch"),
    ];
    named.iter().filter(|(right, _)| rights.contains(*right)).map(|(_, name)| (*name).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::rights;
    use hallows_abi::Rights;

    #[test]
    fn every_right_has_a_name() {
        assert_eq!(rights(Rights::ALL).len(), Rights::ALL.0.count_ones() as usize);
        assert_eq!(rights(Rights::SEND | Rights::WATCH), ["send", "watch"]);
        assert!(rights(Rights::NONE).is_empty());
    }
}
