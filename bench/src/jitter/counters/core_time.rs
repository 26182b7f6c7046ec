//! `/proc/stat`: what a core's time went into (proc_stat(5)).

use crate::cores::Core;

/// Times in ticks of `USER_HZ`, of which a second has [`TICKS_PER_SECOND`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CoreTime {
    /// Interrupts.
    pub interrupts: u64,
    /// Soft interrupts.
    pub soft_interrupts: u64,
    /// What the hypervisor ran in place of this core, where it tells.
    pub steal: u64,
}

/// `USER_HZ`, which is 100 on x86 whatever the kernel's own tick (include/asm-generic/param.h).
pub const TICKS_PER_SECOND: u64 = 100;

/// Of a core; `None` if there is no line of it.
#[must_use]
pub fn of_core(text: &str, core: Core) -> Option<CoreTime> {
    let name = format!("cpu{core} ");
    let fields: Vec<u64> = text
        .lines()
        .find_map(|line| line.strip_prefix(&name))?
        .split_whitespace()
        .map_while(|field| field.parse().ok())
        .collect();
    // user nice system idle iowait irq softirq steal guest guest_nice
    Some(CoreTime { interrupts: *fields.get(5)?, soft_interrupts: *fields.get(6)?, steal: *fields.get(7)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "cpu  42703 0 5228 21121 369 0 51 40 0 0
cpu0 19960 0 2358 12372 59 0 6 22 0 0
cpu1 22742 0 2869 8749 310 7 44 18 0 0
cpu10 1 2 3 4 5 6 70 80 9 10
intr 287658 0 0
";

    #[test]
    fn a_core_has_its_own_line() {
        assert_eq!(of_core(STAT, Core(1)), Some(CoreTime { interrupts: 7, soft_interrupts: 44, steal: 18 }));
        assert_eq!(of_core(STAT, Core(10)).map(|time| time.steal), Some(80));
        assert_eq!(of_core(STAT, Core(2)), None);
        assert_eq!(of_core("cpu0 1 2 3\n", Core(0)), None);
    }
}
