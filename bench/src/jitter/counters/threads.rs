//! What Linux counts of the threads of a process: `status` and `schedstat` of each.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Of one thread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThreadCounters {
    /// Its name.
    pub name: String,
    /// The cores that it may run on, as Linux writes them: `1`, `0,2-3`.
    pub cores: String,
    /// How often it gave up its core: it slept.
    pub voluntary: u64,
    /// How often its core was taken away from it by the scheduler.
    pub involuntary: u64,
    /// How long it could run and did not, in ns; `None` where the kernel does not count that.
    pub waited_ns: Option<u64>,
}

/// Of each thread of a process by its number; none of a process that is gone.
#[must_use]
pub fn of_process(process: u32) -> BTreeMap<u32, ThreadCounters> {
    let tasks = Path::new("/proc").join(process.to_string()).join("task");
    let numbers = fs::read_dir(&tasks).into_iter().flatten().flatten();
    let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    // One that ends between the listing and the reading has no counters.
    let counters = numbers.filter_map(|number: u32| {
        let read = |file| fs::read_to_string(tasks.join(number.to_string()).join(file));
        let counters = parse(&read("status").ok()?, &read("schedstat").unwrap_or_default())?;
        Some((number, counters))
    });
    counters.collect()
}

fn parse(status: &str, schedstat: &str) -> Option<ThreadCounters> {
    let field = |name: &str| {
        let mut lines = status.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim))
    };
    Some(ThreadCounters {
        name: field("Name")?.to_owned(),
        cores: field("Cpus_allowed_list").unwrap_or_default().to_owned(),
        voluntary: field("voluntary_ctxt_switches")?.parse().ok()?,
        involuntary: field("nonvoluntary_ctxt_switches")?.parse().ok()?,
        waited_ns: schedstat.split_whitespace().nth(1).and_then(|field| field.parse().ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_and_a_schedstat_are_read() {
        let status = "Name:\tcore-1\nState:\tS (sleeping)\nCpus_allowed_list:\t1\nvoluntary_ctxt_switches:\t1203\nnonvoluntary_ctxt_switches:\t17\n";
        let counters = parse(status, "52012 67909 1\n").expect("a status");
        let expected = ThreadCounters {
            name: "core-1".to_owned(),
            cores: "1".to_owned(),
            voluntary: 1_203,
            involuntary: 17,
            waited_ns: Some(67_909),
        };
        assert_eq!(counters, expected);
        assert_eq!(parse(status, "").expect("a status").waited_ns, None);
        assert_eq!(parse("Name:\tx\n", ""), None);
    }

    #[test]
    fn this_thread_is_among_those_of_this_process() {
        // SAFETY: asks for the number of the calling thread.
        let own = u32::try_from(unsafe { libc::gettid() }).expect("a number");
        assert!(of_process(std::process::id()).contains_key(&own));
        assert!(of_process(u32::MAX).is_empty());
    }
}
