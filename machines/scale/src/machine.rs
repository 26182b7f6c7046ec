//! The machine under the counted kernel: virtual time, and cores that hand requests over to it while they look for work.

use hallows_counted_kernel::{CoreId, Machine, Nanos};

use crate::driver::driver;
use crate::names::Who;
use crate::world::{NOBODY, now_ps, pass, sleep_until, world};

/// Empty: the world of this host thread holds its state.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScaleMachine;

/// Picoseconds in a nanosecond.
pub const PS: u64 = 1_000;

/// After so many looks without finding anything a core looks half as often…
const LOOKS: u32 = 4;
/// …and so often that happens at most: others need their cache lines too.
const LONGEST: u32 = 4;

impl Machine for ScaleMachine {
    fn now(&self) -> Nanos {
        pass(world(|world| {
            let clock_ps = world.costs.clock_ps;
            if world.on != NOBODY {
                world.here().spend(|spent| spent.kernel += clock_ps);
            }
            clock_ps
        }));
        Nanos(now_ps() / PS)
    }

    fn park(&self, core: CoreId, until: Nanos) -> bool {
        world(|world| world.settle(Who::Idle));
        let driver = driver();
        let until_ps = until.0.saturating_mul(PS);
        sleep_until(driver.comes_at(core).unwrap_or(u64::MAX).min(until_ps));
        driver.hand_over(core);
        now_ps() >= until_ps
    }

    fn unpark(&self, core: CoreId) {
        let now = now_ps();
        world(|world| world.wake(core.0, now));
    }

    fn relax(&self, core: CoreId, look: u32) {
        pass(world(|world| {
            world.settle(Who::Idle);
            world.costs.relax_ps << (look / LOOKS).min(LONGEST)
        }));
        driver().hand_over(core);
    }

    fn alarm(&self, at: Nanos) {
        let now = now_ps();
        world(|world| world.alarm(at.0.saturating_mul(PS), now));
    }

    fn random(&self) -> [u8; 16] {
        [7; 16]
    }

    fn log(&self, _line: &[u8]) {}
}
