//! The network between two machines of this host, over a wire of shared memory: both ends with all that comes and goes there, hostile ones too. No
//! interface and no privilege is needed, but where another device is beside it.

use std::io::{IoSlice, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use hallows_linux::host::runtime_dir::RuntimeDir;
use libtest_mimic::Trial;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, SendAncillaryBuffer, SendAncillaryMessage};
use rustix::process::Signal;

use crate::network::{PATIENCE, Way, bytes, echo, in_a_namespace, network_test};
use crate::network_programs::start;
use crate::running::{Running, await_end, await_state, command, say, send};
use crate::two_core_test;

pub fn tests() -> Vec<Trial> {
    vec![
        two_core_test("two_machines_talk_over_a_wire_in_both_directions", talk),
        two_core_test("what_one_machine_sends_over_a_wire_is_what_the_other_receives", captured),
        two_core_test("a_machine_that_is_killed_leaves_the_wire_to_its_next_life", killed),
        two_core_test("a_third_machine_at_a_wire_is_refused", third),
        two_core_test("a_wire_is_the_path_that_is_told_and_can_be_required", paths),
        two_core_test("cards_of_a_wire_that_are_killed_under_load_lose_nothing_for_good", killed_cards),
        two_core_test("a_machine_that_hears_nothing_is_told_the_latest_of_a_wire_when_it_does", deaf),
        two_core_test("whoever_scribbles_over_a_wire_harms_nobody_but_the_wire", scribbled),
        network_test("whoever_scribbles_over_a_wire_is_not_noticed_on_another_card", beside_another),
    ]
}

/// The end of a wire with address N, a service and a program that says back what it hears. It lies on one core, with all of its threads.
fn system(number: u32, card: &str) -> String {
    format!(
        r#"
[cells.card]
program = "packets"
native = true
arguments = {card}
serves = {{ card = "active" }}
restart = "always"

[cells.net]
program = "net"
memory = "64M"
slots = 4096
arguments = ["address=10.98.0.{number}/24", "address=fd98::{number}/64", "allow=7 listen=7", "allow=operator listen=1-65535 connect=0.0.0.0/0,::/0"]
serves = {{ net = {{ kind = "active", queue = 256 }} }}
uses = {{ card = "card.card" }}
restart = "always"

[cells.echo]
program = "echo"
memory = "16M"
slots = 4096
uses = {{ net = {{ of = "net.net", badge = 7 }} }}
"#
    )
}

/// The device beside Linux's threads, as it is if nobody says otherwise.
const USUAL: &str = r#"["0"]"#;
/// The device on the core of the programs, where it looks for a while before it sleeps.
const LOOKS: &str = "[\"0\", \"look=200\"]\ncore = 0\npriority = 1";

/// A wire of this test's own.
fn wire(name: &str) -> String {
    format!("test-{}-{name}", std::process::id())
}

/// A machine at a wire, on a core of its own.
fn starting(number: u32, card: &str, wire: &str) -> Running {
    let core = (number - 1).to_string();
    let network = format!("wire:{wire}");
    let options = [
        "--tier",
        "shared",
        "--memory",
        "192M",
        "--cores",
        &core,
        "--housekeeping",
        &core,
        "--net",
        &network,
    ];
    Running::of(&system(number, card), &options)
}

/// One that nobody is at the other end for.
fn alone(number: u32, card: &str, wire: &str) -> Running {
    let mut running = starting(number, card, wire);
    running.hear("echoes on port 7");
    running
}

/// One that meets another one, which has waited for it.
fn meeting(number: u32, card: &str, wire: &str, other: &mut Running) -> Running {
    let mut running = starting(number, card, wire);
    running.hear_each(&["echoes on port 7", "the wire is whole"]);
    other.hear("the wire is whole");
    running
}

fn pair(card: &str, name: &str) -> [Running; 2] {
    let wire = wire(name);
    let mut one = alone(1, card, &wire);
    let other = meeting(2, card, &wire, &mut one);
    [one, other]
}

fn stop(running: &mut Running) {
    running.signal(Signal::TERM);
    assert_eq!(running.code(), 0, "{}", running.heard);
}

fn ping(running: &mut Running, address: &str, name: &str) {
    start(running, &format!("ping {address} count=3 interval=20 patience=60000"), name);
    running.hear("3 of 3 came back");
}

/// A line so often makes so many bytes.
const LINE: &str = "0123456789abcdefghijklmnopqrstuvwxyz";

fn transfer(running: &mut Running, address: &str, times: usize, name: &str) {
    start(running, &format!("nc connect={address}:7 say={LINE} times={times} quiet"), name);
    let bytes = times * (LINE.len() + 1);
    running.hear(&format!("said {bytes} bytes, heard {bytes}"));
}

fn talk() {
    for (card, name) in [(USUAL, "talk"), (LOOKS, "looks")] {
        let [mut one, mut other] = pair(card, name);
        for (running, near, far) in [(&mut one, 1, 2), (&mut other, 2, 1)] {
            for (version, address) in [(4, format!("10.98.0.{far}")), (6, format!("fd98::{far}"))] {
                ping(running, &address, &format!("ping-{version}"));
                start(
                    running,
                    &format!("ping {address} bytes=1400 count=1 patience=60000"),
                    &format!("long-{version}"),
                );
                running.hear("1400 bytes from");
            }
            let address = format!("10.98.0.{far}");
            start(running, &format!("nc connect={address}:7 udp say=to-and-fro times=3"), "datagrams");
            running.hear_each(&["to-and-fro", "said 33 bytes, heard 33"]);
            start(running, &format!("nc connect={address}:7 say=what-{near}-says"), "line");
            running.hear_each(&[&format!("what-{near}-says"), "said 12 bytes, heard 12"]);
            transfer(running, &address, 20_000, "transfer");
            transfer(running, &format!("[fd98::{far}]"), 1_000, "transfer-6");
        }
        [one, other].iter_mut().for_each(stop);
    }
}

/// The frames of a file of pcap.
fn frames(file: &std::path::Path) -> Vec<Vec<u8>> {
    let content = std::fs::read(file).unwrap();
    let (mut rest, mut frames) = (&content[24..], Vec::new());
    while !rest.is_empty() {
        let length = u32::from_le_bytes(*rest[8..].first_chunk().unwrap()) as usize;
        frames.push(rest[16..16 + length].to_vec());
        rest = &rest[16 + length..];
    }
    frames.sort_unstable();
    frames
}

fn captured() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), wire("captured"));
    let files = [1, 2].map(|number| folder.path().join(format!("{number}.pcap")));
    let [first, second] = files.each_ref().map(|file| format!("{wire},capture={}", file.display()));
    let mut one = alone(1, USUAL, &first);
    let mut other = meeting(2, USUAL, &second, &mut one);
    transfer(&mut one, "10.98.0.2", 2_000, "transfer");
    ping(&mut other, "10.98.0.1", "ping");
    [one, other].iter_mut().for_each(stop);
    let [mut ours, mut theirs] = files.map(|file| frames(&file));
    assert!(ours.len() > 100, "{} frames", ours.len());
    // What was said when nobody was there yet, or any more, has only one of them.
    let last = |frames: &[Vec<u8>]| frames.iter().filter(|frame| frame.len() > 100).count();
    assert_eq!(last(&ours), last(&theirs));
    ours.retain(|frame| frame.len() > 100);
    theirs.retain(|frame| frame.len() > 100);
    assert!(ours == theirs, "other frames came than were sent");
}

fn killed() {
    let name = wire("killed");
    let [mut one, mut other] = pair(USUAL, "killed");
    ping(&mut one, "10.98.0.2", "ping");
    for (round, kills_parent) in [true, false].into_iter().enumerate() {
        // Each of them once, with the other under load.
        start(&one, "ping 10.98.0.2 count=10000 interval=1 patience=100", &format!("load-{round}"));
        let machine_process = other.machine();
        if kills_parent {
            other.signal(Signal::KILL);
        } else {
            send(machine_process, Signal::KILL);
        }
        other.code();
        await_end(machine_process);
        one.hear("the other machine is gone");
        assert_eq!(say(&["ps", "--machine", &one.pid().to_string()]).2, 0, "the one that is left goes on");
        other = meeting(2, USUAL, &name, &mut one);
        ping(&mut other, "10.98.0.1", "ping");
        transfer(&mut other, "10.98.0.1", 1_000, "transfer");
        // It comes back to the end that is free: the first, too.
        start(&other, "ping 10.98.0.1 count=10000 interval=1 patience=100", "load");
        let first = one.machine();
        one.signal(Signal::KILL);
        one.code();
        await_end(first);
        other.hear("the other machine is gone");
        one = meeting(1, USUAL, &name, &mut other);
        ping(&mut one, "10.98.0.2", "ping");
        transfer(&mut one, "10.98.0.2", 1_000, "transfer");
    }
    // Who stops by itself is gone as well.
    stop(&mut other);
    one.hear("the other machine is gone");
    start(&one, "ping 10.98.0.2 count=1 patience=200", "alone");
    one.hear("none of 1 came back");
    stop(&mut one);
}

fn third() {
    let [mut one, mut other] = pair(USUAL, "third");
    let network = format!("wire:{}", wire("third"));
    let refused = |network: &str| {
        let output = command(&["run", "network", "--net", network, "--tier", "shared"]).output().unwrap();
        // A long one is broken into lines, with a bar before each.
        let error = String::from_utf8(output.stderr).unwrap();
        (
            output.status.code(),
            error.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" "),
        )
    };
    let (code, error) = refused(&network);
    let holders = format!("machines have both ({} and {})", one.pid(), other.pid());
    assert!(
        code == Some(64) && error.contains("has two ends") && error.contains(&holders),
        "{code:?} {error}"
    );
    let (code, error) = refused("wire:a/b");
    assert!(code == Some(64) && error.contains("is no name of a wire"), "{code:?} {error}");
    ping(&mut one, "10.98.0.2", "ping");
    [&mut one, &mut other].into_iter().for_each(stop);
    let [mut one, mut other] = pair(USUAL, "third");
    ping(&mut other, "10.98.0.1", "ping");
    [&mut one, &mut other].into_iter().for_each(stop);
}

fn paths() {
    let mut running = alone(1, USUAL, &wire("paths"));
    let pid = running.pid().to_string();
    let (output, error, code) = say(&["paths", "--json", "--machine", &pid, "--require", "network=wire"]);
    assert_eq!(code, 0, "{error}");
    let value: serde_json::Value = serde_json::from_str(&output).unwrap();
    let row = value["paths"].as_array().unwrap().iter().find(|row| row["service"] == "network").unwrap();
    assert_eq!(row["path"], "wire", "{output}");
    stop(&mut running);
    let ports = ["run", "echo-host", "--tier", "shared", "--net", "host:47007", "--require", "network=wire"];
    let (_, error, code) = say(&ports);
    let error = error.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
    assert!(code == 72 && error.contains("takes the path io-uring"), "{code} {error}");
    assert!(error.contains("--net wire:NAME gives a wire"), "{error}");
}

fn killed_cards() {
    let [mut one, mut other] = pair(USUAL, "cards");
    start(&one, &format!("nc connect=10.98.0.2:7 say={LINE} times=20000 quiet"), "load");
    for _ in 0..3 {
        for running in [&one, &other] {
            assert_eq!(say(&["kill", "card", "--machine", &running.pid().to_string()]).2, 0);
            await_state(running.pid(), "card", "waiting");
        }
    }
    one.hear("said 740000 bytes, heard 740000");
    ping(&mut other, "10.98.0.1", "ping");
    [&mut one, &mut other].into_iter().for_each(stop);
}

fn deaf() {
    let wire = wire("deaf");
    let mut one = alone(1, USUAL, &wire);
    let descriptors = || std::fs::read_dir(format!("/proc/{}/fd", one.pid())).unwrap().count();
    let before = descriptors();
    send(one.machine(), Signal::STOP);
    // More than have room on their way to the machine.
    for _ in 0..600 {
        drop(Welcome::of(&wire));
    }
    let after = descriptors();
    send(one.machine(), Signal::CONT);
    assert!(after < before + 16, "there were {before} descriptors, and there are {after}");
    let mut other = meeting(2, USUAL, &wire, &mut one);
    ping(&mut other, "10.98.0.1", "ping");
    [&mut one, &mut other].into_iter().for_each(stop);
}

/// Somebody who is no machine, at the second end of a wire.
struct Hostile {
    _parent: UnixStream,
    words: &'static [AtomicU64],
    ringer: OwnedFd,
    /// What rings for it, and fills up.
    _bell: OwnedFd,
}

/// What the parent at the first end of a wire gives to who says hello.
struct Welcome {
    parent: UnixStream,
    memory: OwnedFd,
    ringer: OwnedFd,
    bell: OwnedFd,
}

impl Welcome {
    /// As a parent at the second end does.
    fn of(wire: &str) -> Self {
        let directory = RuntimeDir::of_this_user().unwrap();
        let parent = UnixStream::connect(directory.path().join(format!("wire-{wire}-1.sock"))).unwrap();
        let (bell, to_give) = rustix::net::socketpair(
            rustix::net::AddressFamily::UNIX,
            rustix::net::SocketType::DGRAM,
            rustix::net::SocketFlags::CLOEXEC,
            None,
        )
        .unwrap();
        let descriptors = [to_give.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        control.push(SendAncillaryMessage::ScmRights(&descriptors));
        let hello = [IoSlice::new(b"{\"word\":\"hello\",\"version\":1}\n")];
        rustix::net::sendmsg(&parent, &hello, &mut control, rustix::net::SendFlags::empty()).unwrap();
        let (mut bytes, mut space) = ([0; 256], [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))]);
        let mut control = RecvAncillaryBuffer::new(&mut space);
        rustix::net::recvmsg(
            &parent,
            &mut [IoSliceMut::new(&mut bytes)],
            &mut control,
            rustix::net::RecvFlags::CMSG_CLOEXEC,
        )
        .unwrap();
        let mut given: Vec<OwnedFd> = control
            .drain()
            .filter_map(|message| match message {
                RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
                _ => None,
            })
            .flatten()
            .collect();
        let (ringer, memory) = (given.pop().unwrap(), given.pop().unwrap());
        Self { parent, memory, ringer, bell }
    }
}

impl Hostile {
    /// Meets the machine at the first end.
    fn meet(wire: &str) -> Self {
        let Welcome { parent, memory, ringer, bell } = Welcome::of(wire);
        let length = usize::try_from(rustix::fs::fstat(&memory).unwrap().st_size).unwrap();
        assert!(rustix::fs::ftruncate(&memory, 0).is_err(), "nobody cuts it");
        // SAFETY: a new mapping, never given back, of memory that others change by whole words.
        let words = unsafe {
            use rustix::mm::{MapFlags, ProtFlags, mmap};
            let protection = ProtFlags::READ | ProtFlags::WRITE;
            let start = mmap(std::ptr::null_mut(), length, protection, MapFlags::SHARED, &memory, 0).unwrap();
            std::slice::from_raw_parts(start.cast::<AtomicU64>(), length / 8)
        };
        // The machine has seen it when it sleeps there for the first time, in the second ring, or has sent something, in the first.
        let began = Instant::now();
        while [words.len() / 2 + 6 * 16, 16].iter().all(|place| words[*place].load(Ordering::Relaxed) == 0) {
            assert!(began.elapsed() < PATIENCE, "the machine does not look at the wire");
            std::thread::yield_now();
        }
        Self { _parent: parent, words, ringer, _bell: bell }
    }

    fn ring(&self) {
        let flags = rustix::net::SendFlags::DONTWAIT | rustix::net::SendFlags::NOSIGNAL;
        let _ = rustix::net::send(&self.ringer, b"nonsense", flags);
    }

    /// Writes everywhere, and mostly where it hurts, in an order of its own for each seed.
    fn scribble(&self, seed: u64, count: usize) {
        let mut state = seed * 2 + 1;
        let mut random = || {
            // Xorshift (G. Marsaglia, 2003).
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        for _ in 0..count {
            let (what, value) = (random(), random());
            let half = self.words.len() / 2;
            let place = match what % 4 {
                0 => usize::try_from(what >> 8).unwrap() % self.words.len(),
                1 => usize::try_from(what >> 8).unwrap() % 128 + half / 2,
                _ => usize::try_from((what >> 8) % 7).unwrap() * 16 + if what % 8 < 4 { 0 } else { half },
            };
            let value = if what % 3 == 0 { value } else { value % 300 };
            self.words[place % self.words.len()].store(value, Ordering::Relaxed);
            if what % 16 == 0 {
                self.ring();
            }
        }
    }
}

/// Meets, scribbles and leaves, again and again; a machine that asks for something all the while goes on.
fn scribble_over(wire: &str, running: &Running) {
    for seed in 1..40 {
        let hostile = Hostile::meet(wire);
        hostile.scribble(seed, 20_000);
        assert_eq!(say(&["ps", "--machine", &running.pid().to_string()]).2, 0, "{}", running.heard);
    }
}

fn scribbled() {
    for (card, name) in [(USUAL, "scribbled"), (LOOKS, "scribbled-looking")] {
        let wire = wire(name);
        let mut one = alone(1, card, &wire);
        start(&one, "ping 10.98.0.2 count=100000 interval=1 patience=10", "load");
        scribble_over(&wire, &one);
        one.hear("did what nobody may");
        // Somebody who says nothing sensible to the parent.
        let directory = RuntimeDir::of_this_user().unwrap();
        for nonsense in [&b"\n"[..], b"{}\n", &[0; 100_000]] {
            let mut visitor =
                UnixStream::connect(directory.path().join(format!("wire-{wire}-1.sock"))).unwrap();
            let _ = visitor.write_all(nonsense);
        }
        let mut other = meeting(2, card, &wire, &mut one);
        ping(&mut other, "10.98.0.1", "ping");
        transfer(&mut other, "10.98.0.1", 1_000, "transfer");
        [&mut one, &mut other].into_iter().for_each(stop);
    }
}

fn beside_another() {
    in_a_namespace(|| {
        let wire = wire("beside");
        let network = format!("wire:{wire}");
        let second = r#"
[cells.other-card]
program = "packets"
native = true
arguments = ["1"]
serves = { card = "active" }

[cells.other-net]
program = "net"
memory = "64M"
slots = 4096
arguments = ["address=10.99.0.2/24", "allow=7 listen=7"]
serves = { net = { kind = "active", queue = 256 } }
uses = { card = "other-card.card" }

[cells.other-echo]
program = "echo"
memory = "16M"
slots = 4096
uses = { net = { of = "other-net.net", badge = 7 } }
"#;
        let system = system(1, USUAL) + second;
        let tap = Way::Interface.given();
        let options = [&["--tier", "shared", "--memory", "384M", "--net", &network], tap].concat();
        let mut running = Running::of(&system, &options);
        running.hear("echoes on port 7");
        running.hear("echoes on port 7");
        let stream = Way::Interface.tcp().unwrap();
        std::thread::scope(|scope| {
            let echoing = scope.spawn(|| (0..20).for_each(|round| echo(&stream, &bytes(1 << 18, round))));
            scribble_over(&wire, &running);
            for cell in ["card", "net"] {
                assert_eq!(say(&["kill", cell, "--machine", &running.pid().to_string()]).2, 0);
            }
            echoing.join().unwrap();
        });
        echo(&stream, &bytes(1_000, 1));
        stop(&mut running);
    });
}
