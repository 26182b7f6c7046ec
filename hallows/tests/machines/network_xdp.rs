//! The network over AF_XDP: the tests of `network` over one end of a pair of interfaces, and what only this device has.

use std::net::UdpSocket;
use std::process::Command;

use libtest_mimic::Trial;

use crate::network::{
    PATIENCE, SHARED, Way, bytes, cut, echo, echoes, ends, in_a_namespace, ip, killed, network_test, reborn,
    stop,
};
use crate::running::{Running, await_end, await_state, command, say};

pub fn tests() -> Vec<Trial> {
    vec![
        network_test("what_is_said_over_af_xdp_comes_back_over_tcp_and_udp", || echoes(Way::Xdp)),
        network_test("a_connection_over_af_xdp_ends_the_same_way", || ends(Way::Xdp)),
        network_test("a_network_service_over_af_xdp_that_is_killed_does_the_same", || killed(Way::Xdp)),
        network_test("a_program_over_af_xdp_that_is_killed_has_its_port_again", || reborn(Way::Xdp)),
        network_test("a_card_of_af_xdp_that_begins_another_life_is_a_wire_that_was_cut", || cut(Way::Xdp)),
        network_test("a_card_that_is_killed_under_load_loses_nothing_for_good", killed_under_load),
        network_test(
            "a_card_on_the_core_of_the_programs_looks_and_then_has_itself_told",
            on_the_machines_core,
        ),
        network_test("an_interface_that_was_down_or_is_gone_is_a_wire_that_is_cut", down_and_gone),
        network_test("an_interface_is_as_it_was_however_the_machine_ends", restored),
        network_test("the_path_of_frames_is_told_and_a_lesser_one_refused", paths),
        network_test("a_capture_has_what_came_and_went_with_its_checksums", captured),
        network_test("an_interface_that_cannot_be_taken_is_refused_with_what_to_do", refused),
    ]
}

fn shown(name: &str) -> String {
    let done = Command::new("ip").args(["-d", "link", "show", name]).output().unwrap();
    assert!(done.status.success());
    String::from_utf8(done.stdout).unwrap()
}

fn killed_under_load() {
    in_a_namespace(|| {
        let running = Way::Xdp.machine();
        let streams: Vec<_> = (0..4).map(|_| Way::Xdp.tcp().unwrap()).collect();
        std::thread::scope(|scope| {
            let echoing: Vec<_> = streams
                .iter()
                .map(|stream| {
                    scope.spawn(move || (0..4).for_each(|round| echo(stream, &bytes(1 << 18, round))))
                })
                .collect();
            for _ in 0..3 {
                assert_eq!(say(&["kill", "card"]).2, 0);
                await_state(running.pid(), "card", "waiting");
            }
            echoing.into_iter().for_each(|one| one.join().unwrap());
        });
        stop(running);
    });
}

fn down_and_gone() {
    in_a_namespace(|| {
        let running = Way::Xdp.machine();
        let stream = Way::Xdp.tcp().unwrap();
        for round in 0..3 {
            echo(&stream, &bytes(50_000, round));
            ip("link set hl1 down");
            // Something is said meanwhile, by both ends perhaps.
            std::thread::scope(|scope| {
                scope.spawn(|| echo(&stream, &bytes(10_000, round)));
                ip("link set hl1 up");
            });
        }
        ip("link del hl1");
        assert_eq!(say(&["ps"]).2, 0, "the machine goes on");
        stop(running);
    });
}

fn restored() {
    use rustix::process::Signal;
    in_a_namespace(|| {
        let options = Way::Xdp.given();
        let start = || {
            let mut running = Running::start(&[&["run", "echo"], options, &SHARED[..]].concat(), None);
            running.hear("echoes on port 7");
            assert!(shown("hl1").contains("prog/xdp"));
            running
        };
        let before = ["hl0", "hl1"].map(shown);
        stop(start());
        assert_eq!(["hl0", "hl1"].map(shown), before);
        for kills_parent in [true, false] {
            let mut running = start();
            let machine = running.machine();
            echo(&Way::Xdp.tcp().unwrap(), &bytes(1_000, 1));
            if kills_parent {
                running.signal(Signal::KILL);
            } else {
                crate::running::send(machine, Signal::KILL);
            }
            running.code();
            await_end(machine);
            assert_eq!(["hl0", "hl1"].map(shown), before, "kills_parent: {kills_parent}");
        }
    });
}

fn paths() {
    in_a_namespace(|| {
        let xdp = Way::Xdp.given();
        let required = [&["run", "echo"], xdp, &SHARED[..], &["--require", "network=xdp"]].concat();
        let mut running = Running::start(&required, None);
        running.hear("echoes on port 7");
        let pid = running.pid().to_string();
        let (output, error, code) = say(&["paths", "--json", "--machine", &pid]);
        assert_eq!(code, 0, "{error}");
        let value: serde_json::Value = serde_json::from_str(&output).unwrap();
        let row = value["paths"].as_array().unwrap().iter().find(|row| row["service"] == "network").unwrap();
        assert_eq!(row["path"], "xdp", "veth copies");
        assert!(row["why"].as_str().unwrap().contains("zero copy"), "{output}");
        let (_, error, code) = say(&["paths", "--machine", &pid, "--require", "network=xdp-zero-copy"]);
        assert!(code == 72 && error.contains("network=xdp-zero-copy is required"), "{code} {error}");
        stop(running);
        // Its driver cannot run the program, if the other end's frames are too long for it.
        ip("link set hl0 mtu 9000");
        let (_, error, code) = say(&required);
        assert!(code == 72 && error.contains("takes the path xdp-generic"), "{code} {error}");
        assert!(!shown("hl1").contains("prog/xdp"));
        let mut running = Running::start(&required[..required.len() - 2], None);
        running.hear("echoes on port 7");
        echo(&Way::Xdp.tcp().unwrap(), &bytes(1_000, 1));
        stop(running);
        ip("tuntap add dev tap0 mode tap");
        let tap =
            ["run", "echo", "--net", "tap:tap0", "--tier", "shared", "--require", "network=xdp-generic"];
        let (_, error, code) = say(&tap);
        assert!(
            code == 72 && error.contains("takes the path frames") && error.contains("--net xdp:"),
            "{error}"
        );
    });
}

fn captured() {
    in_a_namespace(|| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("frames.pcap");
        Way::Xdp.given();
        let network = format!("xdp:hl1,queue=0,capture={}", file.display());
        let arguments = [&["run", "echo", "--net", &network], &SHARED[..]].concat();
        let mut running = Running::start(&arguments, None);
        running.hear("echoes on port 7");
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.connect(("10.99.0.2", 7)).unwrap();
        socket.send(&[0xab; 64]).unwrap();
        assert_eq!(socket.recv(&mut [0; 128]).unwrap(), 64);
        stop(running);
        let frames = std::fs::read(&file).unwrap();
        let said = frames.windows(64).filter(|part| part.iter().all(|byte| *byte == 0xab)).count();
        assert_eq!(said, 2, "there and back");
        let Ok(shown) = Command::new("tcpdump").args(["-vvnr", file.to_str().unwrap(), "udp"]).output()
        else {
            return;
        };
        let text = String::from_utf8_lossy(&shown.stdout).into_owned();
        assert!(shown.status.success() && text.matches("udp sum ok").count() == 2, "{text}");
    });
}

fn refused() {
    in_a_namespace(|| {
        let mut running = Way::Xdp.machine();
        let fails = |network: &str| {
            let output = command(&["run", "echo", "--net", network, "--tier", "shared"]).output().unwrap();
            assert_eq!(output.status.code(), Some(64), "{network}");
            // A long one is broken into lines, with a bar before each.
            let error = String::from_utf8(output.stderr).unwrap();
            error.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
        };
        for (network, part) in [
            ("xdp:hl1", "has a program of XDP already"),
            ("xdp:no-such-thing", "there is no interface no-such-thing (`ip link` shows all)"),
            ("xdp:lo", "has no frames of Ethernet"),
            ("xdp:hl0,queue=7", "has no queue 7: they are counted from 0"),
            ("xdp:hl0,queue=x", "queues are numbers from 0"),
        ] {
            let error = fails(network);
            assert!(error.contains(part), "{network}: {error}");
        }
        echo(&Way::Xdp.tcp().unwrap(), &bytes(1_000, 1));
        running.signal(rustix::process::Signal::TERM);
        assert_eq!(running.code(), 0);
        ip("link set hl1 down");
        assert!(fails("xdp:hl1").contains("is down: `ip link set hl1 up`"));
    });
}

/// The device on the core that the programs have, too.
fn on_the_machines_core() {
    in_a_namespace(|| {
        let system = include_str!("../../../programs/systems/echo.toml")
            .replace("arguments = [\"0\"]", "arguments = [\"0\", \"look=1000\"]\ncore = 0\npriority = 1");
        let options = [Way::Xdp.given(), &SHARED[..]].concat();
        let mut running = Running::of(&system, &options);
        running.hear("echoes on port 7");
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.connect(("10.99.0.2", 7)).unwrap();
        for round in 0..3 {
            // One at a time: each wakes whoever is next.
            for number in 0..500 {
                let said = bytes(64, number);
                socket.send(&said).unwrap();
                let mut heard = [0; 128];
                assert!(socket.recv(&mut heard).unwrap() == 64 && heard[..64] == said);
            }
            echo(&Way::Xdp.tcp().unwrap(), &bytes(100_000, round));
            // It has itself told by then.
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        assert_eq!(say(&["kill", "card"]).2, 0);
        echo(&Way::Xdp.tcp().unwrap(), &bytes(100_000, 9));
        stop(running);
        let wrong = system.replace("look=1000", "look=long");
        let mut running = Running::of(&wrong.replace("restart = \"always\"", ""), &options);
        running.hear("cannot read how long to look: it is a number of microseconds");
        running.signal(rustix::process::Signal::TERM);
        running.code();
    });
}
