//! What the machine says of itself.

use alloc::vec;
use alloc::vec::Vec;

use hallows::task::Events;
use hallows::{Deadline, Endpoint, Error};
use hallows_http_engine::{CellMetrics, MachineMetrics};
use hallows_system::machine::{Client, Seen, State};

/// Room for one cell: its name is at most some hundred bytes.
const ROOM: usize = 4_096;

/// So many are asked for before others have their turn.
const CELLS_IN_A_ROW: usize = 8;

/// Asks for all of it.
///
/// # Errors
///
/// Those of a call.
pub async fn look(machine: Endpoint, events: &Events) -> Result<MachineMetrics, Error> {
    let machine = Client(events.through(machine));
    let summary = machine.summarise_async(Deadline::NEVER).await?;
    let (mut cells, mut from) = (Vec::new(), 0);
    let mut room = vec![0; ROOM];
    while let Some(seen) = machine.cell_async(from, &mut room, Deadline::NEVER).await? {
        from = seen.number.saturating_add(1);
        cells.push(cell(&seen));
        // Each makes a picture of all.
        if cells.len() % CELLS_IN_A_ROW == 0 {
            events.sleep_until(Deadline::PASSED).await;
        }
    }
    Ok(MachineMetrics {
        cores: summary.cores,
        switches: summary.switches,
        memory_bytes: summary.memory,
        memory_used_bytes: summary.memory_used,
        cells,
    })
}

fn cell(seen: &Seen<'_>) -> CellMetrics {
    CellMetrics {
        name: seen.name.into(),
        state: match seen.state {
            State::Created => "created",
            State::Starting => "starting",
            State::Running => "running",
            State::Dying => "dying",
            State::Dead => "dead",
        },
        life: seen.life,
        faults: seen.faults,
        cpu_ns: seen.used,
        memory_bytes: seen.memory,
        budget_bytes: seen.budget,
        budget_used_bytes: seen.budget_used,
        calls_made: seen.calls_made,
        calls_answered: seen.calls_answered,
    }
}
