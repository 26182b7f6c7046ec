//! The processor time of a process and of all that it started, by thread: what a server costs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use rustix::param::clock_ticks_per_second;

/// What the threads of a process, and of those that it started, have used so far.
#[derive(Clone, Debug, Default)]
pub struct ProcessTime {
    /// By thread: its name, and its time in ns.
    threads: BTreeMap<u32, (String, u64)>,
}

/// What was used between two looks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// By all threads.
    pub total: Duration,
    /// By threads of each name, the most first; without those that used nothing.
    pub by_name: Vec<(String, Duration)>,
}

impl ProcessTime {
    /// Looks at a process and its descendants. Who has ended used nothing.
    #[must_use]
    pub fn of(process: u32) -> Self {
        let threads = descendants(process).into_iter().flat_map(threads_of);
        let time = |(process, thread): (u32, u32)| {
            let folder = format!("/proc/{process}/task/{thread}");
            let name = fs::read_to_string(format!("{folder}/comm")).ok()?.trim().to_owned();
            Some((thread, (name, thread_ns(&folder)?)))
        };
        Self { threads: threads.filter_map(time).collect() }
    }

    /// What was used since `before`. What threads used that have ended since is not known, and is left out.
    #[must_use]
    pub fn since(&self, before: &Self) -> Spent {
        let mut by_name: BTreeMap<&str, u64> = BTreeMap::new();
        for (thread, (name, ns)) in &self.threads {
            let used = ns.saturating_sub(before.threads.get(thread).map_or(0, |(_, before)| *before));
            *by_name.entry(name).or_default() += used;
        }
        let total = Duration::from_nanos(by_name.values().sum());
        let mut by_name: Vec<_> = by_name
            .into_iter()
            .filter(|(_, ns)| *ns > 0)
            .map(|(name, ns)| (name.to_owned(), Duration::from_nanos(ns)))
            .collect();
        by_name.sort_by_key(|(_, time)| std::cmp::Reverse(*time));
        Spent { total, by_name }
    }
}

impl Spent {
    /// Adds what was used at another time.
    pub fn add(&mut self, other: &Self) {
        self.total += other.total;
        for (name, time) in &other.by_name {
            match self.by_name.iter_mut().find(|(own, _)| own == name) {
                Some((_, own)) => *own += *time,
                None => self.by_name.push((name.clone(), *time)),
            }
        }
        self.by_name.sort_by_key(|(_, time)| std::cmp::Reverse(*time));
    }
}

/// The cores that any thread of a process, or of those that it started, may use, by Linux's numbers.
pub(crate) fn allowed_cores(process: u32) -> BTreeSet<usize> {
    let status = |(process, thread): (u32, u32)| {
        fs::read_to_string(format!("/proc/{process}/task/{thread}/status")).ok()
    };
    descendants(process)
        .into_iter()
        .flat_map(threads_of)
        .filter_map(status)
        .flat_map(|status| {
            let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
            list.map(list_of).unwrap_or_default()
        })
        .collect()
}

/// `0-1,4` as Linux writes it.
fn list_of(text: &str) -> Vec<usize> {
    let range = |part: &str| {
        let (low, high) = part.split_once('-').unwrap_or((part, part));
        Some(low.trim().parse::<usize>().ok()?..=high.trim().parse().ok()?)
    };
    text.split(',').filter_map(range).flatten().collect()
}

/// A process and all that came of it.
fn descendants(process: u32) -> Vec<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (parent, child) in processes() {
        children.entry(parent).or_default().push(child);
    }
    let (mut found, mut next) = (vec![process], 0);
    while let Some(parent) = found.get(next).copied() {
        found.extend(children.remove(&parent).unwrap_or_default());
        next += 1;
    }
    found
}

/// All processes, each behind its parent's number.
fn processes() -> impl Iterator<Item = (u32, u32)> {
    let numbers = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    numbers.filter_map(|process| {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // Behind the name, which may have brackets in it: state, parent (proc_pid_stat(5)).
        let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
        Some((parent, process))
    })
}

fn threads_of(process: u32) -> Vec<(u32, u32)> {
    let entries = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    entries.filter_map(|entry| Some((process, entry.file_name().to_str()?.parse().ok()?))).collect()
}

/// A thread's time. Linux counts it in ns, and says so where it keeps the scheduler's statistics; else in ticks.
fn thread_ns(folder: &str) -> Option<u64> {
    if let Ok(text) = fs::read_to_string(format!("{folder}/schedstat")) {
        return text.split_whitespace().next()?.parse().ok();
    }
    let stat = fs::read_to_string(format!("{folder}/stat")).ok()?;
    // The 14th and 15th field; the state is the third.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(ticks * 1_000_000_000 / clock_ticks_per_second().max(1))
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn lists_of_cores_are_read_as_linux_writes_them() {
        assert_eq!(list_of("\t0-2,5"), [0, 1, 2, 5]);
        assert_eq!(list_of("3"), [3]);
        assert_eq!(list_of(""), Vec::<usize>::new());
    }

    #[test]
    fn what_a_child_of_a_child_computes_is_counted_and_by_its_name() {
        // The shell starts another one, which counts and then waits for the end of its input.
        let mut outer = Command::new("sh")
            .args([
                "-c",
                "sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo done; read end'; true",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let before = ProcessTime::default();
        let mut said = std::io::BufReader::new(outer.stdout.take().expect("piped"));
        std::io::BufRead::read_line(&mut said, &mut String::new()).expect("it says that it is done");
        let spent = ProcessTime::of(outer.id()).since(&before);
        assert!(descendants(outer.id()).len() >= 2);
        assert!(!allowed_cores(outer.id()).is_empty());
        drop(outer.stdin.take());
        outer.wait().expect("it ends");
        // 200,000 turns of a shell's loop take tens of milliseconds of work.
        assert!(spent.total > Duration::from_millis(5), "{spent:?}");
        assert_eq!(spent.by_name[0].0, "sh");
        assert!(ProcessTime::of(outer.id()).since(&before).total.is_zero());
    }

    #[test]
    fn what_is_spent_at_several_times_adds_up_by_name() {
        let spent = |name: &str, ms| Spent {
            total: Duration::from_millis(ms),
            by_name: vec![(name.to_owned(), Duration::from_millis(ms))],
        };
        let mut sum = spent("a", 1);
        sum.add(&spent("b", 5));
        sum.add(&spent("a", 2));
        assert_eq!(sum.total, Duration::from_millis(8));
        assert_eq!(
            sum.by_name,
            [("b".to_owned(), Duration::from_millis(5)), ("a".to_owned(), Duration::from_millis(3))]
        );
    }
}
