//! Settings of the host that say which cores do Linux's chores: interrupts, kernel work, the watchdog, throttling.
//!
//! Each knows its file, its original value and how its value follows from the cores that machines have claimed.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::report::StepName;
use crate::host::core_set::CoreSet;
use crate::host::facts::KernelVersion;
use crate::host::files::{FileError, read_short, write_short};

/// One changed setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// The kernel's file.
    pub path: PathBuf,
    /// The step that it belongs to.
    pub step: StepName,
    /// How its value follows from the claimed cores.
    pub rule: Rule,
    /// Value before the first machine came.
    pub original: String,
    /// Values that were written or about to be, the present intention last. More than one is kept because a crash may
    /// leave the file with any of them.
    pub written: Vec<String>,
}

/// How a setting's value follows from the claimed cores.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The original list of cores without the claimed ones.
    ListWithoutClaimed,
    /// The original mask of cores without the claimed ones.
    MaskWithoutClaimed,
    /// This value while anything is claimed.
    Value(String),
}

/// What became of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It has the value that it should have.
    Done,
    /// The file is gone (a device was removed): nothing to put back.
    Gone,
    /// Somebody else has changed it meanwhile; it stays as they want it.
    ChangedByOthers,
}

impl Setting {
    fn read(path: PathBuf, step: StepName, rule: Rule) -> Result<Self, FileError> {
        let original = read_short(&path)?;
        Ok(Self { path, step, rule, original, written: Vec::new() })
    }

    /// Decides the value for the claimed cores. Cores that are left to nobody else fall to `linux`.
    pub fn intend(&mut self, claimed: &CoreSet, linux: &CoreSet) {
        let rest = |original: Option<CoreSet>| {
            let rest = original.unwrap_or_default().without(claimed);
            if rest.is_empty() { linux.clone() } else { rest }
        };
        let intended = match &self.rule {
            _ if claimed.is_empty() => self.original.clone(),
            Rule::ListWithoutClaimed => rest(CoreSet::parse_list(&self.original).ok()).to_string(),
            Rule::MaskWithoutClaimed => rest(CoreSet::parse_mask(&self.original).ok()).to_mask(),
            Rule::Value(value) => value.clone(),
        };
        self.written.retain(|written| *written != intended);
        self.written.push(intended);
    }

    /// Writes the intended value, unless the file has it already.
    ///
    /// # Errors
    /// The kernel's refusal: drivers bind some interrupts to cores for good.
    pub fn apply(&self) -> Result<Applied, FileError> {
        let Some(intended) = self.written.last() else { return Ok(Applied::Done) };
        match read_short(&self.path) {
            Ok(current) if self.is_same(&current, intended) => Ok(Applied::Done),
            Ok(_) => write_short(&self.path, intended).map(|()| Applied::Done),
            Err(error) if error.source.kind() == std::io::ErrorKind::NotFound => Ok(Applied::Gone),
            Err(error) => Err(error),
        }
    }

    /// Puts the original value back, unless somebody else has changed the setting since it was written.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn restore(&self) -> Result<Applied, FileError> {
        let current = match read_short(&self.path) {
            Ok(current) => current,
            Err(error) if error.source.kind() == std::io::ErrorKind::NotFound => return Ok(Applied::Gone),
            Err(error) => return Err(error),
        };
        if self.is_same(&current, &self.original) {
            return Ok(Applied::Done);
        }
        if self.written.iter().any(|written| self.is_same(&current, written)) {
            write_short(&self.path, &self.original).map(|()| Applied::Done)
        } else {
            Ok(Applied::ChangedByOthers)
        }
    }

    /// Whether two values mean the same: the kernel writes lists and masks in its own way.
    fn is_same(&self, first: &str, second: &str) -> bool {
        let (first, second) = (first.trim(), second.trim());
        match &self.rule {
            Rule::ListWithoutClaimed => CoreSet::parse_list(first).ok() == CoreSet::parse_list(second).ok(),
            Rule::MaskWithoutClaimed => CoreSet::parse_mask(first).ok() == CoreSet::parse_mask(second).ok(),
            Rule::Value(_) => first == second,
        }
    }
}

/// Where an interrupt really goes, by the file beside its affinity; `None` when the kernel does not say.
pub fn effective_cores(affinity_file: &Path) -> Option<CoreSet> {
    CoreSet::parse_list(&read_short(&affinity_file.with_file_name("effective_affinity_list")).ok()?).ok()
}

/// The device behind an interrupt's affinity file, for messages: each has a directory of its name beside it.
pub fn device_of(affinity_file: &Path) -> Option<String> {
    let entries = std::fs::read_dir(affinity_file.parent()?).ok()?.flatten();
    let names = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    names.map(|entry| entry.file_name().to_string_lossy().into_owned()).next()
}

/// Why a step needs no setting here, or cannot have one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    /// The step.
    pub step: StepName,
    /// Why.
    pub why: String,
}

/// Files that have to change for `claimed`, beyond those that `known` has already, with their originals.
///
/// `root` is `/`, or a copy of the kernel's files for tests.
pub fn survey(
    root: &Path,
    claimed: &CoreSet,
    kernel: KernelVersion,
    known: &[Setting],
) -> (Vec<Setting>, Vec<Absent>) {
    let (mut settings, mut absent) = (Vec::new(), Vec::new());
    let is_known = |path: &Path| known.iter().any(|setting| setting.path == path);
    for path in interrupt_files(root).into_iter().filter(|path| !is_known(path)) {
        // An interrupt that vanishes while we look is none of our business.
        let Ok(setting) = Setting::read(path, StepName::Interrupts, Rule::ListWithoutClaimed) else {
            continue;
        };
        let cores = CoreSet::parse_list(&setting.original).unwrap_or_default();
        if !cores.intersection(claimed).is_empty() {
            settings.push(setting);
        }
    }
    let singles = [
        // Interrupts that are set up later.
        ("proc/irq/default_smp_affinity", StepName::Interrupts, Rule::MaskWithoutClaimed),
        ("sys/devices/virtual/workqueue/cpumask", StepName::Workqueues, Rule::MaskWithoutClaimed),
        ("proc/sys/kernel/watchdog_cpumask", StepName::Watchdog, Rule::ListWithoutClaimed),
    ];
    for (file, step, rule) in singles {
        let path = root.join(file);
        if is_known(&path) {
            continue;
        }
        match Setting::read(path, step, rule) {
            Ok(setting) => settings.push(setting),
            Err(error) => absent.push(Absent { step, why: format!("this kernel has none ({error})") }),
        }
    }
    throttling(root, kernel, &is_known, &mut settings, &mut absent);
    (settings, absent)
}

/// The share of a group of real-time threads, where the kernel has such groups (`CONFIG_RT_GROUP_SCHED`) and the first version of cgroups.
const GROUP_RUNTIME: &str = "sys/fs/cgroup/cpu/cpu.rt_runtime_us";

/// Before Linux 6.12, real-time threads that never sleep are stopped for 50 ms of every second, whoever else wants the
/// core. Since then a fair server gives that time only to ordinary threads that are really there; but a kernel with groups of real-time threads stops
/// those of a group as before.
fn throttling(
    root: &Path,
    kernel: KernelVersion,
    is_known: &dyn Fn(&Path) -> bool,
    settings: &mut Vec<Setting>,
    absent: &mut Vec<Absent>,
) {
    let step = StepName::Throttling;
    let has_groups = root.join(GROUP_RUNTIME).exists();
    if kernel.has_fair_server() && !has_groups {
        absent.push(Absent { step, why: "this kernel's fair server makes it harmless".to_owned() });
        return;
    }
    // In this order: no group may have more than all have.
    let files = ["proc/sys/kernel/sched_rt_runtime_us", GROUP_RUNTIME];
    for file in files.into_iter().take(if has_groups { 2 } else { 1 }) {
        let path = root.join(file);
        if is_known(&path) {
            continue;
        }
        match Setting::read(path, step, Rule::Value("-1".to_owned())) {
            Ok(setting) => settings.push(setting),
            Err(error) => absent.push(Absent { step, why: error.to_string() }),
        }
    }
}

fn interrupt_files(root: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root.join("proc/irq")).into_iter().flatten().flatten();
    let numbers =
        entries.filter(|entry| entry.file_name().to_str().is_some_and(|name| name.parse::<u32>().is_ok()));
    let mut files: Vec<_> = numbers.map(|entry| entry.path().join("smp_affinity_list")).collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::test_support::Scratch;

    const OLD: KernelVersion = KernelVersion { major: 6, minor: 1 };
    const NEW: KernelVersion = KernelVersion { major: 6, minor: 18 };

    fn set(text: &str) -> CoreSet {
        CoreSet::parse_list(text).unwrap()
    }

    fn host(name: &str) -> Scratch {
        let scratch = Scratch::new(name);
        for (file, text) in [
            ("proc/irq/9/smp_affinity_list", "0-3\n"),
            ("proc/irq/10/smp_affinity_list", "0\n"),
            ("proc/irq/11/smp_affinity_list", "2\n"),
            ("proc/irq/default_smp_affinity", "f\n"),
            ("sys/devices/virtual/workqueue/cpumask", "0000000f\n"),
            ("proc/sys/kernel/sched_rt_runtime_us", "950000\n"),
        ] {
            let path = scratch.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        scratch
    }

    fn applied(host: &Scratch, claimed: &str) -> Vec<Setting> {
        let (mut settings, _) = survey(host.path(), &set(claimed), OLD, &[]);
        for setting in &mut settings {
            setting.intend(&set(claimed), &set("0-3").without(&set(claimed)));
            assert_eq!(setting.apply().unwrap(), Applied::Done);
        }
        settings
    }

    fn value(host: &Scratch, file: &str) -> String {
        read_short(&host.path().join(file)).unwrap()
    }

    #[test]
    fn chores_leave_the_claimed_cores_and_come_back() {
        let host = host("settings");
        let settings = applied(&host, "2-3");
        let files = [
            ("proc/irq/9/smp_affinity_list", "0-1", "0-3"),
            ("proc/irq/10/smp_affinity_list", "0", "0"),
            ("proc/irq/11/smp_affinity_list", "0-1", "2"),
            ("proc/irq/default_smp_affinity", "00000003", "f"),
            ("sys/devices/virtual/workqueue/cpumask", "00000003", "0000000f"),
            ("proc/sys/kernel/sched_rt_runtime_us", "-1", "950000"),
        ];
        for (file, changed, _) in files {
            assert_eq!(value(&host, file), changed, "{file}");
        }
        assert!(!settings.iter().any(|setting| setting.path.ends_with("irq/10/smp_affinity_list")));
        for setting in settings {
            assert_eq!(setting.restore().unwrap(), Applied::Done);
        }
        for (file, _, original) in files {
            assert_eq!(value(&host, file), original, "{file}");
        }
    }

    #[test]
    fn what_others_changed_meanwhile_stays() {
        let host = host("settings-others");
        let settings = applied(&host, "2-3");
        std::fs::write(host.path().join("proc/irq/9/smp_affinity_list"), "1").unwrap();
        let setting = settings.iter().find(|setting| setting.path.ends_with("9/smp_affinity_list")).unwrap();
        assert_eq!(setting.restore().unwrap(), Applied::ChangedByOthers);
        assert_eq!(value(&host, "proc/irq/9/smp_affinity_list"), "1");
    }

    #[test]
    fn a_crash_between_intending_and_writing_is_no_change_by_others() {
        let host = host("settings-crash");
        let mut settings = applied(&host, "3");
        for setting in &mut settings {
            setting.intend(&set("2-3"), &set("0-1"));
            assert_eq!(setting.restore().unwrap(), Applied::Done);
        }
        assert_eq!(value(&host, "proc/irq/9/smp_affinity_list"), "0-3");
    }

    #[test]
    fn a_device_that_left_needs_nothing() {
        let host = host("settings-gone");
        let settings = applied(&host, "2-3");
        std::fs::remove_dir_all(host.path().join("proc/irq/9")).unwrap();
        let setting = settings.iter().find(|setting| setting.path.ends_with("9/smp_affinity_list")).unwrap();
        assert_eq!(setting.apply().unwrap(), Applied::Gone);
        assert_eq!(setting.restore().unwrap(), Applied::Gone);
    }

    #[test]
    fn a_second_machine_adds_its_cores_to_the_firsts() {
        let host = host("settings-two");
        let mut settings = applied(&host, "3");
        let (more, _) = survey(host.path(), &set("2-3"), OLD, &settings);
        assert!(more.iter().all(|setting| settings.iter().all(|known| known.path != setting.path)));
        settings.extend(more);
        for (claimed, expected) in [("2-3", "0-1"), ("2", "0-1,3"), ("", "0-3")] {
            for setting in &mut settings {
                setting.intend(&set(claimed), &set("0-3").without(&set(claimed)));
                setting.apply().unwrap();
            }
            assert_eq!(value(&host, "proc/irq/9/smp_affinity_list"), expected);
        }
    }

    #[test]
    fn throttling_of_groups_is_lifted_behind_that_of_all_whatever_else_the_kernel_has() {
        let host = host("settings-groups");
        let path = host.path().join(GROUP_RUNTIME);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "950000\n").unwrap();
        let (settings, absent) = survey(host.path(), &set("3"), NEW, &[]);
        let lifted: Vec<_> = settings.iter().filter(|setting| setting.step == StepName::Throttling).collect();
        assert!(
            lifted.len() == 2 && lifted[0].path.ends_with("sched_rt_runtime_us") && lifted[1].path == path
        );
        assert!(absent.iter().all(|absent| absent.step != StepName::Throttling));
    }

    #[test]
    fn throttling_is_left_alone_where_the_kernel_has_a_fair_server() {
        let host = host("settings-fair");
        let (settings, absent) = survey(host.path(), &set("3"), NEW, &[]);
        assert!(settings.iter().all(|setting| setting.step != StepName::Throttling));
        assert!(absent.iter().any(|absent| absent.step == StepName::Throttling));
        // And a kernel without a lock-up watchdog has no mask of it.
        assert!(absent.iter().any(|absent| absent.step == StepName::Watchdog));
    }
}
