//! `/proc/interrupts` and `/proc/softirqs`: a column a core, a line a kind.

use std::collections::BTreeMap;

use crate::cores::Core;

/// One line's count on one core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// So often, since the core was switched on.
    pub count: u64,
    /// What stands behind the counts: `IO-APIC 4-edge ttyS0`, `Local timer interrupts`; nothing of soft interrupts.
    pub what: String,
}

/// The counts of one core by the lines' labels (`26`, `LOC`, `NET_RX`); empty if it has no column, that is, is offline.
///
/// Lines that count for all cores together (`ERR`, `MIS`) are left out: nobody knows where they were.
#[must_use]
pub fn of_core(text: &str, core: Core) -> BTreeMap<String, Line> {
    let mut lines = text.lines();
    let heading: Vec<&str> = lines.next().unwrap_or_default().split_whitespace().collect();
    let Some(column) = heading.iter().position(|name| **name == format!("CPU{core}")) else {
        return BTreeMap::new();
    };
    let line = |text: &str| {
        let (label, rest) = text.split_once(':')?;
        let mut words = rest.split_whitespace();
        let counts: Vec<u64> =
            words.by_ref().take(heading.len()).map_while(|word| word.parse().ok()).collect();
        // Fewer counts than cores are of no core.
        let count = *counts.get(column).filter(|_| counts.len() == heading.len())?;
        let what = words.collect::<Vec<_>>().join(" ");
        Some((label.trim().to_owned(), Line { count, what }))
    };
    lines.filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a virtual machine with two cores, Linux 6.18; shortened.
    const INTERRUPTS: &str = "           CPU0       CPU1       
 24:          1          0  IO-APIC   5-edge      ACPI:Ged
 26:          0         14  IO-APIC   4-edge      ttyS0
 36:          0      39316 PCI-MSIX-0000:00:02.0   1-edge      virtio1-req.0
NMI:          0          0   Non-maskable interrupts
LOC:      63883      71649   Local timer interrupts
RES:      10077       8324   Rescheduling interrupts
ERR:          0
MIS:          0
PIW:          0          0   Posted-interrupt wakeup event
";
    const SOFTIRQS: &str = "                    CPU0       CPU1       
          HI:          0          3
       TIMER:      19064      23570
     HRTIMER:          0          0
";

    #[test]
    fn a_core_has_its_own_column() {
        let lines = of_core(INTERRUPTS, Core(1));
        assert_eq!(lines["LOC"], Line { count: 71_649, what: "Local timer interrupts".to_owned() });
        assert_eq!(lines["36"].what, "PCI-MSIX-0000:00:02.0 1-edge virtio1-req.0");
        assert_eq!(of_core(INTERRUPTS, Core(0))["24"].count, 1);
        assert!(!lines.contains_key("ERR") && lines.len() == 7, "{lines:?}");
        assert_eq!(of_core(SOFTIRQS, Core(1))["HI"], Line { count: 3, what: String::new() });
    }

    #[test]
    fn cores_that_are_offline_have_no_column_and_numbers_are_no_places() {
        // Core 1 is offline.
        let text = "     CPU0  CPU2\nLOC:   1     2   Local timer interrupts\n";
        assert_eq!(of_core(text, Core(2))["LOC"].count, 2);
        assert!(of_core(text, Core(1)).is_empty());
        assert!(of_core("", Core(0)).is_empty());
    }

    #[test]
    fn this_host_counts_timer_interrupts() {
        let text = std::fs::read_to_string("/proc/interrupts").expect("readable");
        let core = crate::cores::Cores::default_pair().expect("cores").first();
        assert!(of_core(&text, core).contains_key("LOC"), "{text}");
    }
}
