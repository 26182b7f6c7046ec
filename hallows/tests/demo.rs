//! `hallows demo tail` as its users type it: what it refuses, what it shows, and that nothing of it goes on.
#![expect(clippy::unwrap_used, reason = "a test's panic is its failure")]

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

fn tail(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hallows"));
    command.args(["demo", "tail"]).args(arguments).stdin(Stdio::null());
    command
}

fn say(arguments: &[&str]) -> (String, String, i32) {
    let Output { stdout, stderr, status } = tail(arguments).output().unwrap();
    (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap(), status.code().unwrap())
}

fn is_there(process: u32) -> bool {
    Path::new(&format!("/proc/{process}")).exists()
}

/// Waits until something has happened; a busy host may take its time.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begin.elapsed() < Duration::from_secs(120), "{what}");
        sleep(Duration::from_millis(5));
    }
}

/// A command that leaves its files in a folder of its own.
struct Running {
    child: Child,
    folder: tempfile::TempDir,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let child = tail(arguments)
            .env("TMPDIR", folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self { child, folder }
    }

    fn signal(&self) {
        let _ = kill_process(Pid::from_child(&self.child), Signal::INT);
    }

    /// Interrupts it. It ends soon, says so, and leaves nothing.
    fn interrupt(mut self) {
        self.signal();
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(130), "{said}");
        assert!(said.contains("all that was started has been ended"), "{said}");
        let left: Vec<PathBuf> =
            fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

/// Also a test that fails leaves nothing.
impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal();
            let _ = self.child.wait();
        }
    }
}

/// The processes that a process has started.
fn children(process: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_child = |child: &u32| {
        let stat = fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        let parent =
            stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse::<u32>().ok());
        parent == Some(process)
    };
    processes.filter(is_child).collect()
}

fn redis_is_here() -> bool {
    let is_here = Path::new("/usr/bin/redis-server").exists();
    if !is_here {
        eprintln!("left out: redis-server is not installed (apt-get install redis-server)");
    }
    is_here
}

#[test]
fn what_makes_no_sense_is_said_before_anything_is_started() {
    for (arguments, part) in [
        (&["--contenders", "nobody"][..], "'nobody' is no contender; there are ours, redis"),
        (&["--with", "mine"], "'mine' has no name"),
        (&["--with", "mine=server"], "does not say where it listens"),
        (&["--with", "redis=server {port}"], "two contenders with the name redis"),
        (&["--loads", "500,200"], "from the lowest to the highest"),
        (&["--seconds", "1"], "takes 5 to 86,400 seconds"),
        (&["--requests", "1"], "100 to 1,000,000,000 requests"),
        (&["--rounds", "0"], "1 to 100 rounds"),
        (&["--slow", "80"], "between 0 and 50 percent"),
        (&["--keys", "5"], "1,000 to 10,000,000 keys"),
        (&["--connections", "0"], "1 to 10,000 connections"),
        (&["--arrivals", "bursts"], "there are poisson and uniform"),
        (&["--neighbour", "loud"], "the number of a core, or `none`"),
        (&["--cores", "900"], "core 900 is not ours to use"),
        (&["--generator-core", "900"], "core 900 is not ours to use"),
        (&["--html", "/nowhere/page.html"], "cannot write /nowhere/page.html"),
    ] {
        let (output, error, code) = say(arguments);
        // Messages are broken into lines.
        let error = error.replace("│", " ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(code == 64 && error.contains(part) && output.is_empty(), "{arguments:?}: {code} {error}");
    }
}

#[test]
fn a_server_that_cannot_be_started_is_named_with_what_it_said() {
    let broken = "broken=sh -c 'echo out of luck; exit 3' {port}";
    let (output, error, code) = say(&["--contenders", "broken", "--with", broken, "--neighbour", "none"]);
    let error = error.replace("│", " ").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        code == 70
            && error.contains("nobody could be measured: broken: it ended before it was ready")
            && error.contains("out of luck"),
        "{code} {error}"
    );
    assert!(output.is_empty());
}

#[test]
fn an_interrupt_while_a_server_does_not_answer_ends_the_server_and_all() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("process");
    let mute = format!("mute=sh -c 'echo $$ >{}; exec sleep 1000' {{port}}", file.display());
    let running = Running::start(&["--contenders", "mute", "--with", &mute]);
    let process: u32 = until("the server starts", || fs::read_to_string(&file).ok()?.trim().parse().ok());
    assert!(is_there(process));
    running.interrupt();
    assert!(!is_there(process));
}

#[test]
fn an_interrupt_under_load_ends_the_server_and_all() {
    if !redis_is_here() {
        return;
    }
    let running =
        Running::start(&["--contenders", "redis", "--seconds", "600", "--no-tools", "--keys", "1000"]);
    // Not the one that only says its version.
    let serves = |process: &u32| {
        fs::read(format!("/proc/{process}/cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).contains("127.0.0.1"))
    };
    let server = until("the server starts", || children(running.child.id()).into_iter().find(serves));
    // It has been asked for more than the fill takes.
    until("requests come", || {
        let stat = fs::read_to_string(format!("/proc/{server}/stat")).ok()?;
        let ticks: u64 = stat.rsplit_once(')')?.1.split_whitespace().nth(11)?.parse().ok()?;
        (ticks > 5).then_some(())
    });
    running.interrupt();
    assert!(!is_there(server));
}

#[test]
fn the_report_is_there_as_text_as_json_and_as_a_page_that_needs_nothing_else() {
    if !redis_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    let quick = [
        "--contenders",
        "redis",
        "--seconds",
        "5",
        "--loads",
        "200,400",
        "--requests",
        "400",
        "--rounds",
        "1",
        "--keys",
        "1000",
    ];
    let (output, error, code) = say(&[&quick[..], &["--json", "--html", page.to_str().unwrap()]].concat());
    assert_eq!((error.as_str(), code), ("", 0));
    let report: serde_json::Value = serde_json::from_str(&output).unwrap();
    assert_eq!(report["loads"], serde_json::json!([200.0, 400.0]));
    let all = report["participants"].as_array().unwrap();
    let redis = all.iter().find(|one| one["name"] == "redis").unwrap();
    for point in redis["points"].as_array().unwrap() {
        assert!(point["wrong"] == 0 && point["due"].as_u64().unwrap() > 200, "{point}");
        assert_eq!(point["classes"][1]["request"], "KEYS");
        assert!(point["requests_per_core_second"].as_f64().unwrap() > 0.0, "{point}");
    }
    let page = fs::read_to_string(page).unwrap();
    for part in ["400 requests in a second", "redis-server", "Where a rival is better", "Curves"] {
        assert!(page.contains(part), "{part} is not in\n{page}");
    }
    for elsewhere in ["http", "src=", "<link", "@import", "url(", "<script"] {
        assert!(!page.contains(elsewhere), "{elsewhere}");
    }
    let (text, error, code) = say(&[&quick[..], &["--neighbour", "none", "--no-tools"]].concat());
    assert_eq!((error.as_str(), code), ("", 0));
    for part in ["400 requests/s", "each at most", "no neighbour", "taskset -c", "ours was not measured"] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}
