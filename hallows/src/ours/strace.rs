//! System calls of a thread of another process, as strace(1) counts them: it is stopped at each of its calls, and is not where it makes none.

use std::io::Read;
use std::process::{Command, Stdio};

use hallows_bench::BenchError;
use hallows_bench::cores::{Core, Priority, on_core};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::NamedTempFile;

use super::life::Ended;
use super::machine::wrong;

/// Counts system calls of a thread.
pub struct Counting {
    strace: Ended,
    table: NamedTempFile,
}

/// Calls of one kind.
#[derive(Debug, PartialEq, Eq)]
pub struct Calls {
    /// Its name.
    pub name: String,
    /// How many there were.
    pub count: u64,
}

impl Counting {
    /// From now on. It has its own time on the thread's core, which waits for it anyhow, so that it takes none from whoever keeps that one busy.
    pub fn begin(thread: &str, core: Core) -> Result<Self, BenchError> {
        let table = NamedTempFile::new().map_err(wrong)?;
        let mut command = Command::new("strace");
        command.args(["-c", "-p", thread, "-o"]).arg(table.path());
        command.stdin(Stdio::null()).stderr(Stdio::piped());
        let spawned = on_core(core, Priority::Ordinary, || command.spawn())?;
        let mut child = spawned.map_err(|error| BenchError::Unavailable {
            missing: format!("the command strace: {error}"),
            remedy: "install strace".to_owned(),
        })?;
        // It says a line when it has begun, or why it does not.
        let mut said = [0; 256];
        let errors = child.stderr.as_mut().ok_or_else(|| wrong("strace has no output"))?;
        let length = errors.read(&mut said).map_err(wrong)?;
        let (strace, said) = (Ended(child), String::from_utf8_lossy(&said[..length]).into_owned());
        if said.contains("attached") { Ok(Self { strace, table }) } else { Err(wrong(said)) }
    }

    /// Those until now.
    pub fn end(&mut self) -> Result<Vec<Calls>, BenchError> {
        let pid = i32::try_from(self.strace.0.id()).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| wrong("strace has no number"))?;
        kill_process(pid, Signal::INT).map_err(wrong)?;
        self.strace.0.wait().map_err(wrong)?;
        let table = std::fs::read_to_string(self.table.path()).map_err(wrong)?;
        calls(&table).ok_or_else(|| wrong(format!("strace says: {table}")))
    }
}

/// What a table of strace's has: a line for each kind with its share, seconds, microseconds for each, calls, perhaps errors, and its name. Nothing was
/// called where there is no table.
fn calls(table: &str) -> Option<Vec<Calls>> {
    let is_bar = |line: &&str| line.starts_with("---");
    let rows = table.lines().skip_while(|line| !is_bar(line)).skip(1).take_while(|line| !is_bar(line));
    rows.map(|row| {
        let words: Vec<_> = row.split_whitespace().collect();
        let (count, name) = (words.get(3)?.parse().ok()?, (*words.last()?).to_owned());
        Some(Calls { name, count })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_calls_by_name_and_none_has_none() {
        let table = "% time     seconds  usecs/call     calls    errors syscall\n\
                     ------ ----------- ----------- --------- --------- ----------------\n \
                     98.01    0.123456          10     12345        67 sendto\n  \
                     1.99    0.002500           1        21           futex\n\
                     ------ ----------- ----------- --------- --------- ----------------\n\
                     100.00    0.125956          10     12366        67 total\n";
        let call = |name: &str, count| Calls { name: name.to_owned(), count };
        assert_eq!(calls(table), Some(vec![call("sendto", 12_345), call("futex", 21)]));
        assert_eq!(calls(""), Some(Vec::new()));
        assert_eq!(calls("% time\n------ ---\n  1.00 0.1 1 many sendto\n------ ---\n"), None);
    }
}
