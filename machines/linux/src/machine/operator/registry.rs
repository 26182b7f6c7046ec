//! What boot made and what an operator has started: names, endpoints, and the root's capabilities of them.

use std::sync::Arc;

use hallows_kernel::{CellId, Rooted};

use super::unix::Attendance;
use crate::host::near_miss::near_miss;
use crate::machine::boot::Booted;

/// A cell that the root has a capability of.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) cell: CellId,
    pub(super) name: String,
    pub(super) endpoints: Vec<(String, Rooted)>,
    pub(super) origin: Origin,
}

/// Where a cell comes from.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    /// A part of the system, which cannot do without it: boot made it, or it serves a Unix program.
    System,
    /// Boot made it, and the supervisor looks after it.
    Supervised,
    /// Boot made it, and its faults go to somebody else or nobody.
    Alone,
    /// An operator started it: the cell's capability and its program's, and what serves it if it is one of Unix.
    Started { capability: Rooted, program: Rooted, attendance: Option<Arc<Attendance>> },
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Registry {
    cells: Vec<Known>,
    /// The supervisor's endpoint.
    pub(super) supervisor: Option<Rooted>,
}

impl Registry {
    pub(super) fn new(booted: Vec<Booted>) -> Self {
        let supervised = booted.iter().any(|cell| cell.is_supervised);
        let supervisor = booted.first().filter(|_| supervised);
        let supervisor = supervisor.and_then(|cell| cell.endpoints.first()).map(|(_, endpoint)| *endpoint);
        let cells = booted.into_iter().map(|cell| Known {
            cell: cell.cell,
            name: cell.name,
            endpoints: cell.endpoints,
            origin: match (cell.is_system, cell.is_supervised) {
                (true, _) => Origin::System,
                (false, true) => Origin::Supervised,
                (false, false) => Origin::Alone,
            },
        });
        Self { cells: cells.collect(), supervisor }
    }

    pub(super) fn find(&self, cell: CellId) -> Option<&Known> {
        self.cells.iter().find(|known| known.cell == cell)
    }

    pub(super) fn started(&self) -> usize {
        self.cells.iter().filter(|known| matches!(known.origin, Origin::Started { .. })).count()
    }

    pub(super) fn add(&mut self, known: Known) {
        self.cells.push(known);
    }

    /// Forgets a cell that an operator has started; nothing of another.
    pub(super) fn remove_started(&mut self, cell: CellId) -> Option<Known> {
        let is_meant = |known: &Known| known.cell == cell && matches!(known.origin, Origin::Started { .. });
        let place = self.cells.iter().position(is_meant)?;
        Some(self.cells.swap_remove(place))
    }

    /// Forgets a cell that is no more.
    pub(super) fn remove(&mut self, cell: CellId) {
        self.cells.retain(|known| known.cell != cell);
    }

    /// The endpoints of a cell, as `CELL.ENDPOINT`.
    pub(super) fn endpoints_of(&self, cell: CellId) -> Vec<String> {
        self.find(cell).map_or_else(Vec::new, |known| {
            known.endpoints.iter().map(|(name, _)| format!("{}.{name}", known.name)).collect()
        })
    }

    /// The endpoint of that name: `CELL.ENDPOINT`, or a cell that serves only one.
    pub(super) fn endpoint(&self, name: &str) -> Result<Rooted, String> {
        let all = || {
            let qualified = |known: &Known| {
                let cell = known.name.clone();
                known
                    .endpoints
                    .clone()
                    .into_iter()
                    .map(move |(name, endpoint)| (format!("{cell}.{name}"), endpoint))
            };
            self.cells.iter().filter(|known| !matches!(known.origin, Origin::System)).flat_map(qualified)
        };
        if let Some((_, endpoint)) = all().find(|(known, _)| known == name) {
            return Ok(endpoint);
        }
        let of_cell: Vec<_> =
            all().filter(|(known, _)| known.split_once('.').is_some_and(|(cell, _)| cell == name)).collect();
        match of_cell.as_slice() {
            [(_, only)] => return Ok(*only),
            [] => {}
            several => {
                let names = several.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
                return Err(format!("{name} serves several endpoints: name one of {names}"));
            }
        }
        let names: Vec<String> = all().map(|(name, _)| name).collect();
        Err(match near_miss(name, names.iter().map(String::as_str)) {
            Some(near) => format!("there is no endpoint {name}; did you mean {near}?"),
            None if names.is_empty() => format!("there is no endpoint {name}: nobody here serves any"),
            None => format!("there is no endpoint {name}; there are {}", names.join(", ")),
        })
    }
}
