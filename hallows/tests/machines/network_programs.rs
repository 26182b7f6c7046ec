//! The small programs of the network (nc, ping, dig, netstat), and with them what goes outwards: connections, datagrams, pings, names, DHCP. Linux's side is
//! std's sockets and servers that the test runs, in a namespace of its own.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use libtest_mimic::Trial;

use crate::monitor::attach_to as attach;
use crate::network::{PATIENCE, SHARED, in_a_namespace, ip, network_test, stop, tcp};
use crate::running::{Running, command, say};

pub fn tests() -> Vec<Trial> {
    vec![
        network_test("a_program_connects_to_linux_and_both_hear_all_that_was_said", connects),
        network_test(
            "a_program_connects_over_the_hosts_network_to_where_it_may_and_nowhere_else",
            connects_over_the_host,
        ),
        network_test(
            "names_are_resolved_over_the_hosts_network_where_they_may_be_reached",
            names_of_the_host,
        ),
        network_test(
            "who_connects_until_ports_run_out_is_told_and_goes_on_when_some_are_free",
            ports_run_out,
        ),
        network_test("who_connects_to_nobody_leaves_room_for_others", nobody_has_all),
        network_test("a_program_sends_datagrams_to_linux_and_hears_the_answers", datagrams),
        network_test("addresses_are_pinged_and_those_that_nobody_has_stay_silent", pings),
        network_test("what_no_rule_lets_a_program_reach_is_not_reached", forbidden),
        network_test("names_are_resolved_and_hostile_answers_change_nothing", names),
        network_test("an_address_is_leased_renewed_lost_and_leased_anew", leases),
        network_test("what_goes_through_a_socket_is_counted_and_shown_to_who_may_see_it", counts),
        network_test("an_address_and_names_come_from_dnsmasq_where_it_is_installed", dnsmasq),
        network_test("frames_are_captured_in_a_file_that_others_read", captured),
    ]
}

/// Linux's side of the wire.
fn interface() {
    ip("link set lo up");
    ip("tuntap add dev hl0 mode tap");
    ip("addr add 10.99.0.1/24 dev hl0");
    ip("-6 addr add fd99::1/64 dev hl0 nodad");
    ip("link set hl0 up");
}

/// A machine with a network service, and nobody that uses it.
fn machine() -> Running {
    interface();
    served(Running::start(&[&["run", "network", "--net", "tap:hl0"], &SHARED[..]].concat(), None))
}

/// The same, with other arguments of the service.
fn machine_with(arguments: &[&str]) -> Running {
    let system = include_str!("../../../programs/systems/network.toml");
    let (before, behind) = system.split_once("arguments = [\n").unwrap();
    let (_, behind) = behind.split_once("]\n").unwrap();
    let arguments: Vec<String> = arguments.iter().map(|argument| format!("{argument:?}")).collect();
    let system = format!("{before}arguments = [{}]\n{behind}", arguments.join(", "));
    served(Running::of(&system, &[&["--net", "tap:hl0"], &SHARED[..]].concat()))
}

fn served(mut running: Running) -> Running {
    running.hear("over a network card");
    running
}

/// Starts a program of the network in the machine, as an operator does.
pub fn start(running: &Running, program: &str, name: &str) {
    let command = format!("start {program} --as {name} --use net=net.net\n");
    let (output, error, code) = attach(running.pid(), &command);
    assert_eq!((error.as_str(), code), ("", 0), "{command}{output}");
}

/// Says back what it hears on one connection, to its end; what that was.
fn echo_once(listener: &TcpListener) -> Vec<u8> {
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let (mut heard, mut room) = (Vec::new(), vec![0; 1 << 16]);
    loop {
        let length = stream.read(&mut room).unwrap();
        if length == 0 {
            return heard;
        }
        heard.extend_from_slice(&room[..length]);
        stream.write_all(&room[..length]).unwrap();
    }
}

/// Connections to addresses of Linux's, from a machine that may reach them.
fn connects_to(running: &mut Running, addresses: [&str; 2]) {
    for (number, address) in addresses.iter().enumerate() {
        let listener = TcpListener::bind(format!("{address}:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (short, long) = (format!("short-{number}"), format!("long-{number}"));
        std::thread::scope(|scope| {
            let heard = scope.spawn(|| echo_once(&listener));
            start(running, &format!("nc connect={address}:{port} say=hello"), &short);
            running.hear_each(&["connected to", "hello", "said 6 bytes, heard 6"]);
            assert_eq!(heard.join().unwrap(), b"hello\n");
            // More than is under way at a time, in both directions at once.
            let line = "0123456789abcdefghijklmnopqrstuvwxyz";
            let heard = scope.spawn(|| echo_once(&listener));
            start(running, &format!("nc connect={address}:{port} say={line} times=20000 quiet"), &long);
            running.hear("said 740000 bytes, heard 740000");
            assert!(heard.join().unwrap() == format!("{line}\n").repeat(20_000).as_bytes());
        });
        // Nobody listens there any more.
        drop(listener);
        start(running, &format!("nc connect={address}:{port}"), &format!("refused-{number}"));
        running.hear("the connection was refused or reset");
    }
}

fn connects() {
    in_a_namespace(|| {
        let mut running = machine();
        connects_to(&mut running, ["10.99.0.1", "[fd99::1]"]);
        start(&running, "nc listen=7000 say=welcome", "listening");
        running.hear("listens on port 7000");
        let mut stream = tcp("10.99.0.2", 7_000).unwrap();
        stream.write_all(b"good day\n").unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut heard = String::new();
        stream.read_to_string(&mut heard).unwrap();
        assert_eq!(heard, "welcome\n");
        running.hear_each(&["good day", "said 8 bytes, heard 9"]);
        stop(running);
    });
}

/// A machine that may connect over Linux's own network to some addresses; what its programs may is more, and less.
const OUTWARDS: &str = r#"
[cells.net]
program = "sockets"
native = true
memory = "8M"
slots = 1024
arguments = ["allow=operator connect=127.0.0.1/32,::1/128,127.0.0.2/32"]
serves = { net = { kind = "active", queue = 256 } }
restart = "always"
"#;

fn connects_over_the_host() {
    in_a_namespace(|| {
        ip("link set lo up");
        let options = ["--net", "host:to=127.0.0.1", "--net", "host:to=::1", "--net", "host:to=127.0.0.3"];
        let mut running = Running::of(OUTWARDS, &[&options[..], &SHARED].concat());
        running.placed();
        connects_to(&mut running, ["127.0.0.1", "[::1]"]);
        // The system does not allow one, whoever started the machine not the other, and none of them the third.
        for (number, address) in ["127.0.0.3", "127.0.0.2", "127.0.0.4"].iter().enumerate() {
            let listener = TcpListener::bind((*address, 0)).unwrap();
            let port = listener.local_addr().unwrap().port();
            start(&running, &format!("nc connect={address}:{port}"), &format!("forbidden-{number}"));
            running.hear("the system does not allow this port or this destination");
            listener.set_nonblocking(true).unwrap();
            assert!(listener.accept().is_err(), "{address} was reached");
        }
        // Who is not answered holds up nobody, also not the end of the service's life, and nothing is heard of it in the next one.
        let silent = full_listener();
        let to = silent.to;
        start(&running, &format!("nc connect={to} patience=600"), "patient");
        let (output, error, code) = attach(running.pid(), "restart net\n");
        assert_eq!((error.as_str(), code), ("", 0), "{output}");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = listener.local_addr().unwrap();
        std::thread::scope(|scope| {
            let heard = scope.spawn(|| echo_once(&listener));
            start(&running, &format!("nc connect={to} say=again"), "again");
            running.hear_each(&["again", "said 6 bytes, heard 6"]);
            assert_eq!(heard.join().unwrap(), b"again\n");
        });
        stop(running);
    });
}

fn names_of_the_host() {
    in_a_namespace(|| {
        ip("link set lo up");
        let options = ["--net", "host:to=127.0.0.1", "--net", "host:to=10.0.0.0/8"];
        let mut running = Running::of(OUTWARDS, &[&options[..], &SHARED].concat());
        running.placed();
        start(&running, "dig localhost", "known");
        running.hear_each(&["localhost 127.0.0.1", "localhost: 1 addresses"]);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::scope(|scope| {
            let heard = scope.spawn(|| echo_once(&listener));
            start(&running, &format!("nc connect=localhost:{port} say=hello"), "by-name");
            running.hear_each(&["connected to 127.0.0.1", "said 6 bytes, heard 6"]);
            assert_eq!(heard.join().unwrap(), b"hello\n");
        });
        // What is no name is asked of nobody; one that nobody knows has no address, as nobody is reached from here who could be asked.
        start(&running, "dig n\u{e4}me.test", "none");
        running.hear("this is no address, port or name");
        start(&running, "dig name.invalid patience=50", "unknown");
        running.hear("the server of names knows no address of this one");
        // A name that is an address is nobody's secret.
        start(&running, "dig 10.99.0.9", "itself");
        running.hear("10.99.0.9: 1 addresses");
        stop(running);
        // Addresses that may not be reached are not told: of those that the machine may connect to, the system allows no program any; and the other way round.
        for (to, rule) in [
            ("127.0.0.0/8", "allow=operator connect=10.0.0.0/8"),
            ("10.0.0.0/8", "allow=operator connect=127.0.0.0/8"),
            ("127.0.0.0/8", "allow=1 connect=127.0.0.0/8"),
        ] {
            let (before, behind) = OUTWARDS.split_once("arguments = [").unwrap();
            let (_, behind) = behind.split_once(']').unwrap();
            let system = format!("{before}arguments = [{rule:?}]{behind}");
            let mut running =
                Running::of(&system, &[&["--net", &format!("host:to={to}")], &SHARED[..]].concat());
            running.placed();
            start(&running, "dig localhost", "forbidden");
            running.hear("the system does not allow this port or this destination");
            stop(running);
        }
    });
}

/// Accepts whoever comes, and says something to each, until it is over.
fn greet(listener: &TcpListener, is_over: &AtomicBool) {
    listener.set_nonblocking(true).unwrap();
    let mut greeted = Vec::new();
    while !is_over.load(Ordering::Relaxed) {
        match listener.accept() {
            Ok((mut stream, _)) => {
                stream.write_all(b"welcome").unwrap();
                greeted.push(stream);
            }
            Err(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// The same machine, and a program that connects as often as it is told.
fn dialling(arguments: &str) -> String {
    let rules = r#"["allow=9 connect=127.0.0.1/32", "#;
    let dialler = format!(
        r#"
[cells.dialler]
program = "dialler"
memory = "16M"
slots = 4096
arguments = {:?}
uses = {{ net = {{ of = "net.net", badge = 9 }} }}
"#,
        arguments.split(' ').collect::<Vec<_>>()
    );
    OUTWARDS.replace("arguments = [", &format!("arguments = {rules}")) + &dialler
}

fn ports_run_out() {
    in_a_namespace(|| {
        ip("link set lo up");
        // For whoever does not say which port he connects from.
        std::fs::write("/proc/sys/net/ipv4/ip_local_port_range", "40000 40019").unwrap();
        let listener = TcpListener::bind("127.0.0.1:7100").unwrap();
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| greet(&listener, &is_over));
            let over = Over(&is_over);
            let system = dialling("to=127.0.0.1:7100 times=50 again=15");
            let mut running = Running::of(&system, &[&["--net", "host:to=127.0.0.1"], &SHARED[..]].concat());
            running.hear("not all at once: the network service has no room for one more socket");
            running.hear("20 connected, 30 refused, 0 not heard of");
            running.hear("15 connected again");
            drop(over);
            stop(running);
        });
    });
}

/// Lets this process, and what it starts, have so many descriptors open, until it is dropped.
struct Descriptors(rustix::process::Rlimit);

impl Descriptors {
    fn limit(to: u64) -> Self {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let before = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: Some(to), ..before }).unwrap();
        Self(before)
    }
}

impl Drop for Descriptors {
    fn drop(&mut self) {
        rustix::process::setrlimit(rustix::process::Resource::Nofile, self.0).unwrap();
    }
}

fn nobody_has_all() {
    in_a_namespace(|| {
        ip("link set lo up");
        let silent = full_listener();
        let system = dialling(&format!("to={} times=300 patience=5", silent.to));
        // So 256 connections may be under way.
        let limit = Descriptors::limit(1_024);
        let mut running = Running::of(&system, &[&["--net", "host:to=127.0.0.1"], &SHARED[..]].concat());
        drop(limit);
        running.hear("not all at once: the network service has no room for one more socket");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = listener.local_addr().unwrap();
        std::thread::scope(|scope| {
            let heard = scope.spawn(|| echo_once(&listener));
            start(&running, &format!("nc connect={to} say=hello"), "modest");
            running.hear("said 6 bytes, heard 6");
            assert_eq!(heard.join().unwrap(), b"hello\n");
        });
        // Half of them were under way, and are not any more when it begins anew.
        for _ in 0..2 {
            running.hear("0 connected, 172 refused, 128 not heard of");
            assert_eq!(say(&["restart", "dialler"]).2, 0);
        }
        stop(running);
    });
}

/// A port whose queue is full: Linux answers nobody there.
struct Silent {
    to: SocketAddr,
    _listener: TcpListener,
    _waiting: Vec<TcpStream>,
}

fn full_listener() -> Silent {
    use rustix::net::{AddressFamily, SocketType, bind, listen, socket};
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&socket, &SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    listen(&socket, 0).unwrap();
    let listener = TcpListener::from(socket);
    let to = listener.local_addr().unwrap();
    let waiting = vec![TcpStream::connect(to).unwrap()];
    Silent { to, _listener: listener, _waiting: waiting }
}

fn datagrams() {
    in_a_namespace(|| {
        let mut running = machine();
        for (number, address) in ["10.99.0.1", "[fd99::1]"].iter().enumerate() {
            let socket = UdpSocket::bind(format!("{address}:0")).unwrap();
            socket.set_read_timeout(Some(PATIENCE)).unwrap();
            let port = socket.local_addr().unwrap().port();
            start(
                &running,
                &format!("nc udp connect={address}:{port} say=ask times=3"),
                &format!("asking-{number}"),
            );
            for answer in ["one", "two", "three"] {
                let mut room = [0; 64];
                let (length, from) = socket.recv_from(&mut room).unwrap();
                assert_eq!(&room[..length], b"ask\n");
                socket.send_to(answer.as_bytes(), from).unwrap();
            }
            running.hear("said 12 bytes, heard 11");
        }
        start(&running, "nc udp listen=7001 say=answer times=2", "listening");
        let socket = UdpSocket::bind("10.99.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        socket.connect("10.99.0.2:7001").unwrap();
        for _ in 0..2 {
            let mut room = [0; 64];
            // Until it listens, its port is closed.
            let length = loop {
                let _ = socket.send(b"anybody?");
                if let Ok(length) = socket.recv(&mut room) {
                    break length;
                }
            };
            assert_eq!(&room[..length], b"answer\n");
        }
        running.hear("said 14 bytes, heard 16");
        stop(running);
    });
}

fn pings() {
    in_a_namespace(|| {
        let mut running = machine();
        for (number, address) in ["10.99.0.1", "fd99::1"].iter().enumerate() {
            start(
                &running,
                &format!("ping {address} count=3 interval=50 patience=60000"),
                &format!("near-{number}"),
            );
            running.hear("3 of 3 came back");
            start(
                &running,
                &format!("ping {address} bytes=1400 count=1 patience=60000"),
                &format!("long-{number}"),
            );
            running.hear(&format!("1400 bytes from {address}: number 1"));
            start(&running, &format!("ping {address} bytes=1500 count=1"), &format!("longer-{number}"));
            running.hear("a datagram has at most");
        }
        start(&running, "ping 10.99.0.77 count=1 patience=300", "silent");
        running.hear("none of 1 came back");
        stop(running);
    });
}

fn forbidden() {
    in_a_namespace(|| {
        interface();
        let mut running =
            machine_with(&["address=10.99.0.2/24", "dns=10.99.0.9", "allow=operator connect=10.99.0.1/32"]);
        for (number, program) in [
            "ping 10.99.0.9 count=1",
            "nc connect=10.99.0.9:7",
            "nc udp connect=10.99.0.9:7 say=x",
            "nc listen=7000",
            // The servers of names may not be reached.
            "dig name.test",
        ]
        .iter()
        .enumerate()
        {
            start(&running, program, &format!("forbidden-{number}"));
            running.hear("the system does not allow this port or this destination");
        }
        start(&running, "ping 10.99.0.1 count=1 patience=60000", "allowed");
        running.hear("1 of 1 came back");
        // A name that is an address is nobody's secret.
        start(&running, "dig 10.99.0.9", "itself");
        running.hear("10.99.0.9: 1 addresses");
        stop(running);
    });
}

/// A name as DNS writes it.
fn labels(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in name.split('.') {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes
}

/// What was asked: the name, and the kind of record.
fn question(query: &[u8]) -> (String, u16) {
    let (mut name, mut place) = (Vec::new(), 12);
    while query[place] != 0 {
        let length = usize::from(query[place]);
        name.push(String::from_utf8(query[place + 1..][..length].to_vec()).unwrap());
        place += 1 + length;
    }
    (name.join("."), u16::from_be_bytes([query[place + 1], query[place + 2]]))
}

const KIND_A: u16 = 1;
const KIND_CNAME: u16 = 5;
const KIND_AAAA: u16 = 28;

/// An answer: its code, and records with name, kind and data.
fn answer(query: &[u8], code: u8, records: &[(&str, u16, &[u8])]) -> Vec<u8> {
    let count = u16::try_from(records.len()).unwrap().to_be_bytes();
    let mut bytes = [&query[..2], &[0x81, 0x80 | code, 0, 1][..], &count, &[0; 4], &query[12..]].concat();
    for (name, kind, data) in records {
        bytes.extend(labels(name));
        bytes.extend(kind.to_be_bytes());
        bytes.extend([0, 1, 0, 0, 0, 60]);
        bytes.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        bytes.extend(*data);
    }
    bytes
}

/// Answers for the names of the test, until it is over.
fn name_server(socket: &UdpSocket, elsewhere: &UdpSocket, is_over: &AtomicBool) {
    socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let v6 = std::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 9).octets();
    let wrong = [6, 6, 6, 6];
    while !is_over.load(Ordering::Relaxed) {
        let mut room = [0; 512];
        let Ok((length, from)) = socket.recv_from(&mut room) else { continue };
        let query = &room[..length];
        let (name, kind) = question(query);
        let say = |bytes: &[u8]| assert_eq!(socket.send_to(bytes, from).unwrap(), bytes.len());
        let right: &[(&str, u16, &[u8])] = match kind {
            KIND_A => &[("two.test", KIND_A, &[192, 0, 2, 1]), ("two.test", KIND_A, &[192, 0, 2, 2])],
            _ => &[("two.test", KIND_AAAA, &v6)],
        };
        match name.as_str() {
            "two.test" => say(&answer(query, 0, right)),
            "alias.test" => {
                let alias = labels("two.test");
                let records = [&[("alias.test", KIND_CNAME, &*alias)], right].concat();
                say(&answer(query, 0, &records));
            }
            "none.test" => say(&answer(query, 3, &[])),
            "empty.test" => say(&answer(query, 0, &[])),
            "broken.test" => say(&answer(query, 2, &[])),
            "hostile.test" => {
                let lie = answer(query, 0, &[("hostile.test", KIND_A, &wrong)]);
                // Of another number, from another port, to another question.
                let mut other = lie.clone();
                other[0] ^= 1;
                say(&other);
                elsewhere.send_to(&lie, from).unwrap();
                let mut other = lie.clone();
                other[13] = b'x';
                say(&other);
                // A question, no answer.
                say(query);
                // Cut off anywhere.
                for end in 0..lie.len() {
                    say(&lie[..end]);
                }
                // More records than there are; a name that leads to itself; one that leads behind the end; lengths that lie.
                let mut more = lie.clone();
                more[6..8].copy_from_slice(&[0xff, 0xff]);
                let mut circle = lie.clone();
                let name = u8::try_from(query.len()).unwrap();
                circle[query.len()..query.len() + 2].copy_from_slice(&[0xc0, name]);
                let mut behind = lie.clone();
                behind[query.len()..query.len() + 2].copy_from_slice(&[0xff, 0xff]);
                let mut long = lie.clone();
                let place = long.len() - 6;
                long[place] = 0xff;
                for broken in [more, circle, behind, long, vec![0xff; 512], Vec::new()] {
                    say(&broken);
                }
                let address: &[u8] = if kind == KIND_A { &[192, 0, 2, 7] } else { &v6 };
                let of_another = if kind == KIND_A {
                    ("other.test", KIND_A, &wrong[..])
                } else {
                    ("other.test", KIND_AAAA, &v6[..])
                };
                say(&answer(query, 0, &[of_another, ("hostile.test", kind, address)]));
            }
            // Whoever asks for others waits.
            _ => {}
        }
    }
}

fn names() {
    in_a_namespace(|| {
        let mut running = machine();
        let server = UdpSocket::bind("10.99.0.1:53").unwrap();
        let elsewhere = UdpSocket::bind("10.99.0.1:5301").unwrap();
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| name_server(&server, &elsewhere, &is_over));
            let over = Over(&is_over);
            start(&running, "dig two.test alias.test", "found");
            for name in ["two.test", "alias.test"] {
                for address in ["192.0.2.1", "192.0.2.2", "2001:db8::9"] {
                    running.hear(&format!("{name} {address}"));
                }
                running.hear(&format!("{name}: 3 addresses"));
            }
            start(&running, "dig hostile.test", "hostile");
            assert!(running.hear("hostile.test 192.0.2.7").contains("192.0.2.7"));
            running.hear("hostile.test 2001:db8::9");
            assert!(running.hear("hostile.test: 2 addresses").contains("2 addresses"));
            assert!(!running.heard.contains("6.6.6.6"), "a lie was believed: {}", running.heard);
            start(&running, "dig none.test empty.test broken.test", "unknown");
            for name in ["none.test", "empty.test", "broken.test"] {
                running.hear(&format!("{name}: the server of names knows no address"));
            }
            start(&running, "dig silent.test", "silent");
            running.hear("silent.test: no server of names has answered in time");
            start(&running, "dig patient.test patience=1", "impatient");
            running.hear("patient.test: deadline passed");
            start(&running, "dig a..b", "invalid");
            running.hear("a..b: this is no address, port or name");
            // A ping resolves, too.
            start(&running, "ping 10.99.0.1 count=1 patience=60000", "ping");
            running.hear("1 of 1 came back");
            drop(over);
        });
        stop(running);
        let mut running = machine_with(&["address=10.99.0.2/24", "allow=operator connect=0.0.0.0/0"]);
        start(&running, "dig two.test", "lonely");
        running.hear("two.test: no server of names is known");
        stop(running);
    });
}

/// Says that it is over, however it is.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// How long a lease of the test's server is.
const LEASE_SECONDS: u32 = 4;

/// What the server of addresses does and has seen.
struct Leasing {
    is_over: AtomicBool,
    /// Nothing is answered.
    is_silent: AtomicBool,
    /// The last byte of the address that is given.
    host: AtomicU32,
    discovered: AtomicU32,
    renewed: AtomicU32,
}

/// Gives addresses by DHCP (RFC 2131), until it is over.
fn address_server(socket: &UdpSocket, leasing: &Leasing) {
    socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    while !leasing.is_over.load(Ordering::Relaxed) {
        let mut room = [0; 1_024];
        let Ok((length, _)) = socket.recv_from(&mut room) else { continue };
        let request = &room[..length];
        assert!(length > 240 && request[0] == 1 && request[236..240] == [99, 130, 83, 99], "{request:?}");
        let kind = option(request, 53).unwrap()[0];
        let own = Ipv4Addr::from(<[u8; 4]>::try_from(&request[12..16]).unwrap());
        if kind == 1 {
            leasing.discovered.fetch_add(1, Ordering::Relaxed);
        } else if !own.is_unspecified() {
            leasing.renewed.fetch_add(1, Ordering::Relaxed);
        }
        if leasing.is_silent.load(Ordering::Relaxed) {
            continue;
        }
        let host = u8::try_from(leasing.host.load(Ordering::Relaxed)).unwrap();
        let mut reply = vec![0; 240];
        reply[..12].copy_from_slice(&request[..12]);
        reply[0] = 2;
        reply[16..20].copy_from_slice(&[10, 99, 0, host]);
        reply[20..24].copy_from_slice(&[10, 99, 0, 1]);
        reply[28..44].copy_from_slice(&request[28..44]);
        reply[236..240].copy_from_slice(&request[236..240]);
        reply.extend([53, 1, if kind == 1 { 2 } else { 5 }]);
        reply.extend([54, 4, 10, 99, 0, 1]);
        reply.extend([51, 4]);
        reply.extend(LEASE_SECONDS.to_be_bytes());
        reply.extend([1, 4, 255, 255, 255, 0]);
        reply.extend([3, 4, 10, 99, 0, 1]);
        reply.extend([6, 4, 10, 99, 0, 1, 255]);
        socket.send_to(&reply, "255.255.255.255:68").unwrap();
    }
}

/// An option of a message of DHCP.
fn option(message: &[u8], wanted: u8) -> Option<&[u8]> {
    let mut options = &message[240..];
    loop {
        match options {
            [0, rest @ ..] => options = rest,
            [kind, length, rest @ ..] if *kind != 255 => {
                let (data, behind) = rest.split_at(usize::from(*length));
                if *kind == wanted {
                    return Some(data);
                }
                options = behind;
            }
            _ => return None,
        }
    }
}

/// A socket of the interface, that may send to all.
fn of_interface(port: u16) -> UdpSocket {
    use std::os::fd::AsRawFd;
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port)).unwrap();
    socket.set_broadcast(true).unwrap();
    let name = b"hl0\0";
    let length = libc::socklen_t::try_from(name.len()).unwrap();
    // SAFETY: the option takes the name of an interface.
    let set = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_BINDTODEVICE,
            name.as_ptr().cast(),
            length,
        )
    };
    assert_eq!(set, 0, "{}", std::io::Error::last_os_error());
    socket
}

fn leases() {
    in_a_namespace(|| {
        interface();
        let (addresses, server) = (of_interface(67), UdpSocket::bind("10.99.0.1:53").unwrap());
        let elsewhere = UdpSocket::bind("10.99.0.1:5301").unwrap();
        let leasing = Leasing {
            is_over: AtomicBool::new(false),
            is_silent: AtomicBool::new(false),
            host: AtomicU32::new(57),
            discovered: AtomicU32::new(0),
            renewed: AtomicU32::new(0),
        };
        std::thread::scope(|scope| {
            scope.spawn(|| address_server(&addresses, &leasing));
            scope.spawn(|| name_server(&server, &elsewhere, &leasing.is_over));
            let over = Over(&leasing.is_over);
            let mut running =
                machine_with(&["address=dhcp", "allow=operator listen=7000 connect=0.0.0.0/0 see=all"]);
            running.hear("10.99.0.57/24 by DHCP");
            // The servers of names come with it.
            start(&running, "dig two.test", "dig");
            running.hear("two.test: 3 addresses");
            start(&running, "nc listen=7000 say=welcome patience=600", "nc");
            running.hear("listens on port 7000");
            let mut stream = tcp("10.99.0.57", 7_000).unwrap();
            running.hear("is connected");
            let mut word = [0; 8];
            stream.read_exact(&mut word).unwrap();
            await_count(&leasing.renewed, 3);
            assert!(!running.heard.contains("is over"), "{}", running.heard);
            leasing.is_silent.store(true, Ordering::Relaxed);
            running.hear("the lease of 10.99.0.57/24 is over");
            // What had the address is reset.
            let ended = stream.read(&mut word);
            assert!(matches!(&ended, Ok(0) | Err(_)), "{ended:?}");
            leasing.host.store(58, Ordering::Relaxed);
            leasing.is_silent.store(false, Ordering::Relaxed);
            running.hear("10.99.0.58/24 by DHCP");
            start(&running, "ping 10.99.0.1 count=1 patience=60000", "ping");
            running.hear("1 of 1 came back");
            assert!(leasing.discovered.load(Ordering::Relaxed) >= 2);
            drop(over);
            stop(running);
        });
    });
}

/// The same with a server that others use, where there is one.
fn dnsmasq() {
    if std::process::Command::new("dnsmasq").arg("--version").output().is_err() {
        return;
    }
    in_a_namespace(|| {
        interface();
        let folder = tempfile::tempdir().unwrap();
        let leases = format!("--dhcp-leasefile={}", folder.path().join("leases").display());
        let server = std::process::Command::new("dnsmasq")
            .args([
                "--keep-in-foreground",
                "--conf-file=/dev/null",
                "--pid-file=",
                "--user=root",
                "--no-resolv",
            ])
            .args([
                "--no-hosts",
                "--no-ping",
                "--interface=hl0",
                "--except-interface=lo",
                "--bind-interfaces",
            ])
            .args([
                "--dhcp-range=10.99.0.60,10.99.0.60,255.255.255.0,2m",
                "--address=/name.test/192.0.2.33",
                &leases,
            ])
            .spawn()
            .unwrap();
        let _server = Killed(server);
        let mut running = machine_with(&["address=dhcp", "allow=operator connect=0.0.0.0/0"]);
        running.hear("10.99.0.60/24 by DHCP");
        start(&running, "dig name.test", "dig");
        running.hear("name.test 192.0.2.33");
        stop(running);
    });
}

/// A process that is ended when it is not needed any more.
struct Killed(std::process::Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn await_count(counted: &AtomicU32, wanted: u32) {
    let began = Instant::now();
    while counted.load(Ordering::Relaxed) < wanted {
        assert!(began.elapsed() < PATIENCE, "only {counted:?} of {wanted}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn counts() {
    in_a_namespace(|| {
        let mut running = machine();
        start(&running, "nc listen=7000 say=welcome", "nc");
        running.hear("listens on port 7000");
        let mut stream = tcp("10.99.0.2", 7_000).unwrap();
        stream.write_all(b"good day\n").unwrap();
        running.hear("good day");
        start(&running, "netstat", "all");
        let line = running.hear("link in: ");
        let (_, counted) = line.split_once("link in: ").unwrap();
        let frames: u64 = counted.split(' ').next().unwrap().parse().unwrap();
        assert!(frames > 0, "{line}");
        running.hear("link out: ");
        running.hear("sockets: 2, and 0 connections");
        running.hear("listener port 7000 peer - Listen");
        let own = stream.local_addr().unwrap();
        let line = running.hear(&format!("tcp port 7000 peer {own}"));
        // The program has said its word and finished; nobody has answered that.
        assert!(line.contains("FinWait"), "{line}");
        running.hear("in 9 bytes in 1 (0 waiting), out 8 in 1");
        stop(running);
        // Who may not see others sees its own, of which it has none.
        let mut running = machine_with(&["address=10.99.0.2/24", "allow=operator listen=7000"]);
        start(&running, "nc listen=7000", "nc");
        running.hear("listens on port 7000");
        start(&running, "netstat", "own");
        running.hear("sockets: 1, and");
        start(&running, "netstat", "again");
        running.hear("sockets: 1, and");
        assert!(!running.heard.contains("listener port"), "{}", running.heard);
        stop(running);
    });
}

/// The frames of a file of pcap.
fn frames(file: &[u8]) -> Vec<&[u8]> {
    assert_eq!(file[..8], [0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0], "the head of pcap with nanoseconds");
    assert_eq!(file[20..24], [1, 0, 0, 0], "Ethernet");
    let (mut rest, mut frames) = (&file[24..], Vec::new());
    while !rest.is_empty() {
        let word = |place: usize| u32::from_le_bytes(rest[place..place + 4].try_into().unwrap());
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        assert!(now - u64::from(word(0)) < 600 && word(4) < 1_000_000_000, "a time of today");
        assert_eq!(word(8), word(12), "whole frames");
        let (frame, behind) = rest[16..].split_at(usize::try_from(word(8)).unwrap());
        frames.push(frame);
        rest = behind;
    }
    frames
}

fn captured() {
    in_a_namespace(|| {
        interface();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("frames.pcap");
        std::fs::write(&file, "what was there before is not there any more").unwrap();
        let network = format!("tap:hl0,capture={}", file.display());
        let mut running =
            served(Running::start(&[&["run", "network", "--net", &network], &SHARED[..]].concat(), None));
        start(&running, "ping 10.99.0.1 count=2 interval=10 patience=60000", "ping");
        running.hear("2 of 2 came back");
        // Another life of the card goes on where the last one was.
        assert_eq!(say(&["kill", "card", "--machine", &running.pid().to_string()]).2, 0);
        running.hear("over a network card");
        start(&running, "ping 10.99.0.1 count=1 patience=60000", "again");
        running.hear("1 of 1 came back");
        stop(running);
        let bytes = std::fs::read(&file).unwrap();
        let echoes = |kind: u8| {
            let is_one = |frame: &&&[u8]| {
                frame.len() > 34 && frame[12..14] == [8, 0] && frame[23] == 1 && frame[34] == kind
            };
            frames(&bytes).iter().filter(is_one).count()
        };
        assert_eq!((echoes(8), echoes(0)), (3, 3), "asked and answered");
        if let Ok(read) = std::process::Command::new("tcpdump").arg("-nr").arg(&file).output() {
            let shown = String::from_utf8_lossy(&read.stdout);
            assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
            assert_eq!(shown.matches("ICMP echo request").count(), 3, "{shown}");
        }
        // Whoever reads a pipe sees them while they come.
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let network = format!("tap:hl0,capture={}", pipe.display());
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| std::fs::read(&pipe).unwrap());
            let mut running =
                served(Running::start(&[&["run", "network", "--net", &network], &SHARED[..]].concat(), None));
            start(&running, "ping 10.99.0.1 count=1 patience=60000", "ping");
            running.hear("1 of 1 came back");
            stop(running);
            let bytes = reader.join().unwrap();
            assert!(frames(&bytes).len() >= 2, "an echo and its answer");
        });
        let output =
            command(&["run", "network", "--net", "tap:hl0,capture=/no/such/folder/file"]).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains("cannot write the frames of hl0"), "{error}");
    });
}
