//! The machine under the simulated kernel: virtual time, sleep, alarms.

use hallows_kernel::{CoreId, Machine, Nanos};

use crate::fiber;
use crate::world::world;

/// Empty: the world of this thread holds its state.
#[derive(Clone, Copy, Debug, Default)]
pub struct SimMachine;

impl Machine for SimMachine {
    fn now(&self) -> Nanos {
        world(|world| {
            // Reading a clock takes time.
            world.now_ns += 1 + world.random.below(20);
            Nanos(world.now_ns)
        })
    }

    fn park(&self, core: CoreId, until: Nanos) -> bool {
        let sleeps = world(|world| {
            let oversleeps = world.random.chance(world.chances.oversleep);
            let core = world.core(core);
            core.parked = !std::mem::take(&mut core.woken);
            core.until_ns = if oversleeps { u64::MAX } else { until.0 };
            core.parked
        });
        if sleeps {
            fiber::park(core);
        }
        world(|world| world.now_ns >= until.0)
    }

    fn unpark(&self, core: CoreId) {
        world(|world| {
            let core = world.core(core);
            if !std::mem::take(&mut core.parked) {
                core.woken = true;
            }
        });
    }

    fn relax(&self, _core: CoreId, _look: u32) {
        fiber::pause();
    }

    fn alarm(&self, at: Nanos) {
        world(|world| world.alarm_ns = world.alarm_ns.min(at.0));
    }

    fn random(&self) -> [u8; 16] {
        world(|world| (u128::from(world.random.next()) << 64 | u128::from(world.random.next())).to_le_bytes())
    }

    fn log(&self, line: &[u8]) {
        world(|world| world.log.push(String::from_utf8_lossy(line).into_owned()));
    }
}
