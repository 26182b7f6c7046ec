//! Real servers, where they are installed: started on their cores, filled, measured, and ended.
#![expect(clippy::unwrap_used, reason = "a test's panic is its failure")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hallows_load::{
    Arrivals, Class, Client, Data, Load, LoadError, Pace, Protocol, Request, Server, Waiting, free_port,
    generate, installed,
};

const DATA: Data = Data { keys: 2_000, value_bytes: 64 };

fn server(program: PathBuf, protocol: Protocol, arguments: impl Fn(u16) -> Vec<String>) -> Server {
    let port = free_port().unwrap();
    Server {
        name: "a server".to_owned(),
        program,
        arguments: arguments(port),
        address: ([127, 0, 0, 1], port).into(),
        protocol,
        cores: vec![0],
        patience: Duration::from_secs(60),
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn is_there(process: u32) -> bool {
    Path::new(&format!("/proc/{process}")).exists()
}

/// Starts, fills and asks one; `requests` are all that it is asked.
fn measured(server: &Server, requests: &[Request]) {
    let folder = tempfile::tempdir().unwrap();
    let running = server.start(folder.path(), &|| false).unwrap();
    let process = running.process();
    assert_eq!(running.cores().into_iter().collect::<Vec<_>>(), [0]);
    let before = running.time();
    Client::connect(server.address, server.protocol, DATA).unwrap().fill(&|| false).unwrap();
    let share = 1.0 / requests.len() as f64;
    let classes: Vec<Class> = requests
        .iter()
        .map(|request| Class { name: request.to_string(), share, request: *request })
        .collect();
    let load = Load {
        address: server.address,
        protocol: server.protocol,
        data: DATA,
        classes: &classes,
        pace: Pace::Open { arrivals: Arrivals::Poisson, per_second: 1_000.0 },
        connections: 8,
        depth: 2,
        lasts: Duration::from_millis(500),
        warm_up: Duration::from_millis(100),
        grace: Duration::from_secs(60),
        waiting: Waiting::Sleep,
        seed: 3,
    };
    let measured = generate(&load, &|| false).unwrap();
    assert_eq!((measured.wrong, measured.unfinished), (0, 0), "{:?}", measured.first_wrong);
    assert!(measured.latency_ns.iter().all(|latency| latency.len() > 20), "{measured:?}");
    let spent = running.time().since(&before);
    assert!(spent.total > Duration::from_millis(1), "{spent:?}");
    drop(running);
    assert!(!is_there(process));
}

#[test]
fn redis_answers_all_that_is_asked_of_it() {
    let all = [Request::Get, Request::Set, Request::Search, Request::GetMany(100)];
    let named = ["redis-server", "valkey-server"];
    let found: Vec<PathBuf> = named.into_iter().filter_map(installed).collect();
    if found.is_empty() {
        eprintln!("left out: neither {} is installed (apt-get install redis-server)", named.join(" nor "));
    }
    for program in found {
        let arguments = |port: u16| {
            words(&format!("--port {port} --bind 127.0.0.1 --save '' --appendonly no"))
                .into_iter()
                .map(|word| word.replace("''", ""))
                .collect()
        };
        measured(&server(program, Protocol::Resp, arguments), &all);
    }
}

#[test]
fn memcached_answers_all_that_is_asked_of_it() {
    let Some(program) = installed("memcached") else {
        eprintln!("left out: memcached is not installed (apt-get install memcached)");
        return;
    };
    let arguments = |port: u16| {
        let user = if rustix::process::geteuid().is_root() { "-u root" } else { "" };
        words(&format!("-l 127.0.0.1 -p {port} -U 0 -t 1 {user}"))
    };
    measured(
        &server(program, Protocol::Memcached, arguments),
        &[Request::Get, Request::Set, Request::GetMany(100)],
    );
}

#[test]
fn who_cannot_be_started_or_ends_or_never_answers_is_said_with_its_last_words() {
    let folder = tempfile::tempdir().unwrap();
    let start = |program: &str, arguments: &[&str], patience| {
        let arguments: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
        let mut server = server(PathBuf::from(program), Protocol::Resp, |_| arguments.clone());
        server.patience = patience;
        server.start(folder.path(), &|| false).map(|_| ()).unwrap_err().to_string()
    };
    let long = Duration::from_secs(60);
    let error = start("/nowhere/server", &[], long);
    assert!(error.starts_with("cannot start /nowhere/server"), "{error}");
    let error = start("sh", &["-c", "echo out of luck >&2; exit 3"], long);
    assert!(
        error.contains("ended before it was ready") && error.ends_with("it said: out of luck"),
        "{error}"
    );
    let error = start("sleep", &["1000"], Duration::from_millis(50));
    assert!(error.contains("did not answer at 127.0.0.1") && error.ends_with("it said: nothing"), "{error}");
}

#[test]
fn whoever_ends_takes_all_that_it_started_along_and_an_end_is_heard_while_one_starts() {
    // The first does not end when it is asked to; the second does, and leaves a child behind.
    let begin = "sleep 1000 & echo $! >child; echo $$ >own;";
    for script in [format!("trap '' TERM; {begin} while :; do wait; done"), format!("{begin} wait")] {
        let folder = tempfile::tempdir().unwrap();
        let words = || vec!["-c".to_owned(), script.clone()];
        let server = server(PathBuf::from("sh"), Protocol::Resp, |_| words());
        let number =
            |name: &str| std::fs::read_to_string(folder.path().join(name)).ok()?.trim().parse::<u32>().ok();
        let has_begun = || number("own").is_some();
        let ended = server.start(folder.path(), &has_begun);
        assert!(matches!(ended.map(|_| ()), Err(LoadError::Stopped)));
        assert!(!is_there(number("own").unwrap()));
        // Killed: it goes as soon as it has a core, and its new parent looks at it.
        let child = number("child").unwrap();
        let begin = Instant::now();
        loop {
            let state = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
            if state.is_empty() || state.contains(") Z ") {
                break;
            }
            assert!(begin.elapsed() < Duration::from_secs(60), "{script}: {state}");
            std::thread::yield_now();
        }
    }
}
