//! The key-value server, from Linux's side: over a TAP interface in a namespace of the test's own, by sockets and by redis' own tools.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use libtest_mimic::Trial;
use rustix::process::Signal;

use crate::network::{can_make_interfaces, in_a_namespace, ip};
use crate::running::{Running, say, send};
use crate::test;

pub fn tests() -> Vec<Trial> {
    let can_run = rustix::process::geteuid().is_root() && can_make_interfaces();
    let has_tools = Command::new("redis-benchmark").arg("--version").output().is_ok();
    vec![
        test("keys_are_kept_and_given_to_clients_over_tcp", || keys(&["kv", "--net", "tap:hl0"], OURS))
            .with_ignored_flag(!can_run),
        test("keys_are_given_over_a_port_of_the_hosts_that_has_another_number", || {
            keys(&["kv-host", "--net", "host:7000=6379"], "127.0.0.1:7000");
        })
        .with_ignored_flag(!can_run),
        test("slow_commands_hold_up_nobody_over_a_port_of_the_hosts", slow).with_ignored_flag(!can_run),
        test("redis_own_benchmark_runs_against_the_key_value_server", benchmark)
            .with_ignored_flag(!can_run || !has_tools),
        test("nothing_that_was_acknowledged_is_lost_when_the_machine_is_killed", || killed("always"))
            .with_ignored_flag(!can_run),
        test("nothing_is_lost_either_while_the_log_is_rewritten_again_and_again", || {
            killed("always\", \"auto-aof-rewrite-min-size=1kb\", \"auto-aof-rewrite-percentage=10");
        })
        .with_ignored_flag(!can_run),
        test("a_log_is_rewritten_and_read_back", rewritten).with_ignored_flag(!can_run),
        test("a_log_without_a_directory_is_refused_and_said_what_to_do", nowhere).with_ignored_flag(!can_run),
    ]
}

const OPTIONS: [&str; 4] = ["--net", "tap:hl0", "--tier", "shared"];
const OURS: &str = "10.99.0.2:6379";
const SYSTEM: &str = include_str!("../../../programs/systems/kv.toml");
/// What never takes so long, but for an answer that does not come.
const PATIENCE: Duration = Duration::from_secs(60);

fn interface() {
    ip("tuntap add dev hl0 mode tap");
    ip("addr add 10.99.0.1/24 dev hl0");
    ip("link set hl0 up");
}

fn machine(system: &str) -> Running {
    let mut running = Running::of(system, &OPTIONS);
    running.hear("serves keys on port 6379");
    running
}

/// The system with a log in this folder.
fn with_log(folder: &Path, sync: &str) -> String {
    let directory = format!("dirs = [\"{}:/data\"]", folder.display());
    let settings = format!("\"maxmemory=40mb\", \"appendonly=yes\", \"appendfsync={sync}\"]");
    SYSTEM
        .replace("dirs = []", &directory)
        .replace("\"maxmemory=40mb\", \"maxmemory-policy=allkeys-lru\"]", &settings)
}

fn connect() -> TcpStream {
    connect_to(OURS)
}

fn connect_to(address: &str) -> TcpStream {
    let address: SocketAddr = address.parse().unwrap();
    let stream = TcpStream::connect_timeout(&address, PATIENCE).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Says this, and hears exactly that.
fn talk(stream: &mut TcpStream, said: &str, expected: &str) {
    stream.write_all(said.as_bytes()).unwrap();
    let mut heard = vec![0; expected.len()];
    stream.read_exact(&mut heard).unwrap();
    assert_eq!(String::from_utf8_lossy(&heard), expected, "{said}");
}

fn stop(mut running: Running) {
    assert_eq!(say(&["stop"]), (String::new(), String::new(), 0));
    assert_eq!(running.code(), 0, "{}", running.heard);
}

/// Of a system as it comes with the command.
fn keys(system: &[&str], address: &str) {
    in_a_namespace(|| {
        ip("link set lo up");
        interface();
        let mut running = Running::start(&[&["run"], system, &["--tier", "shared"]].concat(), None);
        running.hear("serves keys on port 6379");
        let (mut one, mut other) = (connect_to(address), connect_to(address));
        talk(&mut one, "PING\r\n", "+PONG\r\n");
        // A pipeline.
        let many = (0..1_000).map(|number| format!("SET key:{number} {number}\r\n")).collect::<String>();
        talk(&mut one, &many, &"+OK\r\n".repeat(1_000));
        talk(
            &mut other,
            "GET key:999\r\nDBSIZE\r\nGET none\r\nnonsense\r\n",
            "$3\r\n999\r\n:1000\r\n$-1\r\n-ERR unknown command 'nonsense', with args beginning with: \r\n",
        );
        // More than a piece of an answer, and a value of more than one message.
        let long = "x".repeat(300_000);
        talk(&mut one, &format!("*3\r\n$3\r\nSET\r\n$4\r\nlong\r\n$300000\r\n{long}\r\n"), "+OK\r\n");
        talk(&mut other, "GET long\r\n", &format!("$300000\r\n{long}\r\n"));
        // Values that lie in places of their own, more than go at once, and each with what stands before and behind it.
        let values: Vec<String> = ('a'..='l').map(|letter| letter.to_string().repeat(20_000)).collect();
        for value in &values {
            let key = &value[..1];
            talk(&mut one, &format!("*3\r\n$3\r\nSET\r\n$1\r\n{key}\r\n$20000\r\n{value}\r\n"), "+OK\r\n");
        }
        let asked: String = values.iter().map(|value| format!("GET {}\r\n", &value[..1])).collect();
        let answers: String = values.iter().map(|value| format!("$20000\r\n{value}\r\n")).collect();
        talk(&mut other, &asked, &answers);
        // Work in pieces, and what comes behind it in the same pipeline.
        let items = (0..3_000).map(|number| format!(" {number}")).collect::<String>();
        talk(&mut one, &format!("RPUSH list{items}\r\n"), ":3000\r\n");
        let answer =
            (0..3_000).map(|number| number.to_string()).map(|text| format!("${}\r\n{text}\r\n", text.len()));
        talk(
            &mut one,
            "LRANGE list 0 -1\r\nPING\r\n",
            &format!("*3000\r\n{}+PONG\r\n", answer.collect::<String>()),
        );
        // Time of day is the host's.
        let day =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() + 1_000;
        talk(&mut one, &format!("EXPIREAT key:1 {day}\r\n"), ":1\r\n");
        one.write_all(b"TTL key:1\r\n").unwrap();
        let mut line = String::new();
        BufReader::new(&one).read_line(&mut line).unwrap();
        let left: i64 = line.trim().trim_start_matches(':').parse().unwrap();
        assert!((900..=1_000).contains(&left), "{left} seconds are left");
        talk(&mut one, "QUIT\r\n", "+OK\r\n");
        assert_eq!(one.read(&mut [0]).unwrap(), 0, "it ends the connection");
        // What no client may send ends its connection, and no other one.
        let mut hostile = connect_to(address);
        talk(&mut hostile, "*1\r\nx\r\n", "-ERR Protocol error: expected '$', got 'x'\r\n");
        assert_eq!(hostile.read(&mut [0]).unwrap(), 0);
        talk(&mut other, "PING\r\n", "+PONG\r\n");
        stop(running);
    });
}

/// While one client's commands go through all keys, another one is answered, though the network's cell has a lower priority than the server's on the same core.
fn slow() {
    const KEYS: usize = 50_000;
    const SLOW: usize = 50;
    in_a_namespace(|| {
        ip("link set lo up");
        let mut running =
            Running::start(&["run", "kv-host", "--net", "host:7000=6379", "--tier", "shared"], None);
        running.hear("serves keys on port 6379");
        let (mut slow, mut quick) = (connect_to("127.0.0.1:7000"), connect_to("127.0.0.1:7000"));
        for keys in (0..KEYS).collect::<Vec<_>>().chunks(1_000) {
            let many = keys.iter().map(|number| format!("SET key:{number} {number}\r\n")).collect::<String>();
            talk(&mut slow, &many, &"+OK\r\n".repeat(keys.len()));
        }
        slow.write_all("KEYS *no*such*key*\r\n".repeat(SLOW).as_bytes()).unwrap();
        let is_over = AtomicBool::new(false);
        let answered = std::thread::scope(|scope| {
            scope.spawn(|| {
                talk(&mut slow, "", &"*0\r\n".repeat(SLOW));
                is_over.store(true, Ordering::Relaxed);
            });
            let mut answered = 0;
            while !is_over.load(Ordering::Relaxed) {
                talk(&mut quick, "GET key:777\r\n", "$3\r\n777\r\n");
                answered += 1;
            }
            answered
        });
        assert!(answered >= SLOW, "{answered} quick requests were answered during {SLOW} slow ones");
        stop(running);
    });
}

fn benchmark() {
    in_a_namespace(|| {
        interface();
        let running = machine(SYSTEM);
        for pipeline in ["1", "16"] {
            let done = Command::new("redis-benchmark")
                .args(["-h", "10.99.0.2", "-n", "60", "-c", "5", "--csv", "-P", pipeline])
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&done.stdout);
            assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
            for name in [
                "PING_INLINE",
                "SET",
                "GET",
                "INCR",
                "LPUSH",
                "RPOP",
                "SADD",
                "HSET",
                "SPOP",
                "ZADD",
                "ZPOPMIN",
                "LRANGE_600",
                "MSET",
            ] {
                assert!(
                    said.lines().any(|line| line.starts_with(&format!("\"{name}"))),
                    "no {name} in {said}"
                );
            }
        }
        let mut one = connect();
        talk(&mut one, "TYPE mylist\r\n", "+list\r\n");
        stop(running);
    });
}

/// Counts in a key of its own until the machine is gone; the last count that was acknowledged.
fn count_until_the_end(number: usize, has_begun: &AtomicBool, is_over: &AtomicBool) -> u64 {
    let mut stream = connect();
    // A machine that is killed tells nobody: whoever waits looks now and then whether it is.
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    let mut acknowledged = 0;
    while stream.write_all(format!("INCR count:{number}\r\n").as_bytes()).is_ok() {
        let mut line = String::new();
        while let Err(error) = answers.read_line(&mut line) {
            if error.kind() != ErrorKind::WouldBlock || is_over.load(Ordering::Relaxed) {
                return acknowledged;
            }
        }
        acknowledged = line.trim().trim_start_matches(':').parse().unwrap();
        if acknowledged >= 5 {
            has_begun.store(true, Ordering::Relaxed);
        }
    }
    acknowledged
}

/// A log is made shorter on demand, and has all that it had.
fn rewritten() {
    let folder = tempfile::tempdir().unwrap();
    let system = with_log(folder.path(), "everysec");
    let length = || folder.path().join("appendonly.aof").metadata().unwrap().len();
    let tell = |stream: &mut TcpStream, part: &str| -> String {
        stream.write_all(b"INFO persistence\r\n").unwrap();
        let (mut answers, mut head) = (BufReader::new(&*stream), String::new());
        answers.read_line(&mut head).unwrap();
        let length: usize = head.trim().trim_start_matches('$').parse().unwrap();
        let mut text = vec![0; length + 2];
        answers.read_exact(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        text.lines().find(|line| line.starts_with(part)).unwrap().to_owned()
    };
    in_a_namespace(|| {
        interface();
        let mut running = machine(&system);
        let mut one = connect();
        let many = "INCR counter\r\n".repeat(5_000);
        talk(&mut one, &many, &(1..=5_000).map(|count| format!(":{count}\r\n")).collect::<String>());
        let items = (0..3_000).map(|number| format!(" {number}")).collect::<String>();
        talk(&mut one, &format!("RPUSH list{items}\r\n"), ":3000\r\n");
        let long = "x".repeat(200_000);
        for count in 1..=3 {
            // Much changes while it is written, and it is copied behind that.
            let set = format!("*3\r\n$3\r\nSET\r\n$4\r\nlong\r\n${}\r\n{long}\r\n", long.len());
            talk(
                &mut one,
                &format!("BGREWRITEAOF\r\n{set}INCR counter\r\n"),
                &format!("+Background append only file rewriting started\r\n+OK\r\n:{}\r\n", 5_000 + count),
            );
            let asked = std::time::Instant::now();
            while tell(&mut one, "aof_rewrite_in_progress") != "aof_rewrite_in_progress:0"
                || tell(&mut one, "aof_rewrite_scheduled") != "aof_rewrite_scheduled:0"
            {
                assert!(asked.elapsed() < PATIENCE, "it is never done");
            }
            assert_eq!(tell(&mut one, "aof_last_bgrewrite_status"), "aof_last_bgrewrite_status:ok");
            running.hear("appendonly.aof: rewritten");
            assert!(length() < 520_000, "{} bytes", length());
        }
        stop(running);
        assert!(!folder.path().join("appendonly.aof.rewrite").exists());
        let running = machine(&system);
        let answers = "$4\r\n5003\r\n:3000\r\n:200000\r\n";
        talk(&mut connect(), "GET counter\r\nLLEN list\r\nSTRLEN long\r\n", answers);
        stop(running);
    });
}

fn killed(sync: &str) {
    let folder = tempfile::tempdir().unwrap();
    let system = with_log(folder.path(), sync);
    in_a_namespace(|| {
        interface();
        let mut least = [0; 4];
        for _ in 0..2 {
            let mut running = machine(&system);
            let mut one = connect();
            for (number, least) in least.iter().enumerate().filter(|(_, least)| **least > 0) {
                one.write_all(format!("GET count:{number}\r\n").as_bytes()).unwrap();
                let mut answers = BufReader::new(&one);
                let mut text = String::new();
                answers.read_line(&mut text).unwrap();
                text.clear();
                answers.read_line(&mut text).unwrap();
                let found: u64 = text.trim().parse().unwrap();
                assert!(found >= *least, "count:{number} is {found}, and {least} was acknowledged");
            }
            let (begun, is_over) = ([const { AtomicBool::new(false) }; 4], AtomicBool::new(false));
            let (machine, is_over) = (running.machine(), &is_over);
            std::thread::scope(|scope| {
                let clients: Vec<_> = begun
                    .iter()
                    .enumerate()
                    .map(|(number, begun)| scope.spawn(move || count_until_the_end(number, begun, is_over)))
                    .collect();
                while !begun.iter().all(|begun| begun.load(Ordering::Relaxed)) {
                    std::thread::yield_now();
                }
                if sync.contains("rewrite") {
                    // The second time it is likely under way.
                    running.hear("rewritten");
                    running.hear("rewritten");
                }
                send(machine, Signal::KILL);
                running.code();
                is_over.store(true, Ordering::Relaxed);
                for (least, client) in least.iter_mut().zip(clients) {
                    *least = client.join().unwrap();
                }
            });
        }
        let running = machine(&system);
        stop(running);
    });
}

fn nowhere() {
    in_a_namespace(|| {
        interface();
        let system = SYSTEM.replace("\"maxmemory=40mb\"", "\"appendonly=yes\"");
        let mut running = Running::of(&system, &OPTIONS);
        running.hear("appendonly=yes needs a directory");
        stop(running);
    });
}
