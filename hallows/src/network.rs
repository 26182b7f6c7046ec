//! Interfaces of this host that a machine is given, and the cells that drive them.

use std::os::fd::OwnedFd;
use std::str::FromStr;

use hallows_linux::host::tap;
use hallows_linux::machine::plan::{InterfacePlan, PlacePlan, Plan};
use hallows_linux::services::packets::{LOOPBACK, PACKETS};

use crate::failure::Failure;
use crate::system::{Cell, ProgramSource, System};

/// An interface, as a person says it: `tap:NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    name: String,
}

/// Interfaces of one machine: as many as there are cells that can drive them.
const MOST_INTERFACES: usize = 8;

impl FromStr for Interface {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("tap", name)) if !name.is_empty() => Ok(Self { name: name.to_owned() }),
            _ => Err("write tap:NAME, for example tap:hallows0".to_owned()),
        }
    }
}

/// Lets the cells of a system that drive packet devices run where they may wait for Linux, and opens what they drive. Descriptors come behind
/// others, of which there are so many.
///
/// # Errors
/// When a cell has no interface, an interface has no cell, or one cannot be opened.
pub fn give(
    plan: &mut Plan,
    system: &System,
    interfaces: &[Interface],
    descriptors_before: usize,
) -> Result<Vec<OwnedFd>, Failure> {
    if interfaces.len() > MOST_INTERFACES {
        return Err(Failure::usage(format!("a machine has at most {MOST_INTERFACES} interfaces")));
    }
    let mut drivers: Vec<Option<usize>> = vec![None; interfaces.len()];
    let first = plan.cells.len().saturating_sub(system.cells.len());
    for (cell, place) in system.cells.iter().zip(first..) {
        if !matches!(&cell.program, ProgramSource::Native(name) if name == PACKETS.name) {
            continue;
        }
        let (device, core) = (device(cell)?, plan.taken_service_cores());
        if let Device::Interface(number) = device {
            let name = &cell.name;
            let driver = drivers.get_mut(number).ok_or_else(|| {
                Failure::usage(format!(
                    "the cell {name} drives the interface {number}, which was not given: --net tap:NAME, once for each, in their order"
                ))
            })?;
            if driver.is_some() {
                return Err(Failure::usage(format!(
                    "two cells drive the interface {number}: give each its own, or write `{LOOPBACK}`"
                )));
            }
            *driver = Some(place);
        }
        if let Some(planned) = plan.cells.get_mut(place) {
            planned.place = PlacePlan::ServiceCore(core);
        }
    }
    let mut descriptors = Vec::with_capacity(interfaces.len());
    for (interface, driver) in interfaces.iter().zip(drivers) {
        let Interface { name } = interface;
        let cell = driver.ok_or_else(|| {
            Failure::usage(format!(
                "nothing drives the interface {name}: no cell of {} runs the native program `{}` with its number",
                system.name, PACKETS.name
            ))
        })?;
        let tap = tap::open(name).map_err(|error| Failure::usage(error.to_string()))?;
        let (address, mtu) = (tap.address(), tap.mtu);
        plan.interfaces.push(InterfacePlan {
            descriptor: descriptors_before + descriptors.len(),
            cell,
            mtu,
            address,
        });
        descriptors.push(tap.descriptor);
    }
    Ok(descriptors)
}

/// What a cell drives.
enum Device {
    Loopback,
    Interface(usize),
}

fn device(cell: &Cell) -> Result<Device, Failure> {
    let says = |what: &str| Failure::usage(format!("the cell {} drives a packet device: {what}", cell.name));
    if cell.passive || cell.serves.is_empty() {
        return Err(says("it serves one endpoint, actively (serves = { card = \"active\" })"));
    }
    if cell.core.is_some() || cell.pool.is_some() || cell.time.is_some() {
        return Err(says(
            "it runs on a core of Linux's, where it may wait; leave `core`, `pool` and `time` out",
        ));
    }
    match cell.arguments.as_slice() {
        [only] if only == LOOPBACK => Ok(Device::Loopback),
        [only] => only.parse().map(Device::Interface).map_err(|_| {
            says(&format!("`{only}` is none; write the number of an interface, from 0, or `{LOOPBACK}`"))
        }),
        _ => Err(says(&format!(
            "its argument says which: the number of an interface, from 0, or `{LOOPBACK}`"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_is_said_with_its_kind_and_its_name() {
        assert_eq!("tap:hl0".parse(), Ok(Interface { name: "hl0".to_owned() }));
        for wrong in ["", "tap", "tap:", "hl0", "xdp:hl0", ":hl0"] {
            assert!(wrong.parse::<Interface>().is_err(), "{wrong}");
        }
    }
}
