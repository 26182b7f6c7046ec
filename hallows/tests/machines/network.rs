//! The network, from Linux's side: std's sockets that talk to the machine over a TAP interface, or over Linux's own network, in a namespace that the test
//! makes.
//!
//! A namespace is a thread's, and goes with it and with what it started: nothing of the host is touched.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::process::Command;
use std::time::Duration;

use libtest_mimic::Trial;

use crate::monitor::attach_to;
use crate::running::{Running, await_state, command, ps, say};
use crate::test;

pub fn tests() -> Vec<Trial> {
    vec![
        network_test("what_is_said_to_a_port_comes_back_over_tcp_and_udp", || echoes(Way::Interface)),
        network_test("what_is_said_to_a_port_of_the_hosts_comes_back_over_tcp_and_udp", || {
            echoes(Way::Ports)
        }),
        network_test("a_connection_ends_one_way_at_a_time_and_closed_ports_refuse", || ends(Way::Interface)),
        network_test("a_connection_over_the_hosts_network_ends_the_same_way", || ends(Way::Ports)),
        network_test("a_network_service_that_is_killed_resets_its_connections_and_serves_again", || {
            killed(Way::Interface)
        }),
        network_test("a_service_of_the_hosts_ports_that_is_killed_does_the_same", || killed(Way::Ports)),
        network_test("a_program_that_is_killed_has_its_port_again_in_its_next_life", || {
            reborn(Way::Interface)
        }),
        network_test("a_program_on_a_port_of_the_hosts_that_is_killed_has_it_again", || reborn(Way::Ports)),
        network_test("thousands_of_connections_are_served_at_once", thousands),
        network_test("a_hundred_thousand_connections_come_and_go_and_leave_nothing", hundred_thousand),
        network_test("who_does_not_read_holds_up_nobody_else", slow_readers),
        network_test("a_network_card_that_begins_another_life_is_a_wire_that_was_cut_for_a_moment", || {
            cut(Way::Interface)
        }),
        network_test("what_the_system_does_not_allow_is_not_listened_on", forbidden),
        test("an_interface_that_nobody_drives_or_that_is_none_is_refused", refused),
    ]
}

/// A test that needs root, `ip` and a Linux that makes TAP interfaces: ignored without, as the other tests that need root.
pub fn network_test(name: &'static str, body: fn()) -> Trial {
    let can_run = rustix::process::geteuid().is_root() && can_make_interfaces();
    test(name, body).with_ignored_flag(!can_run)
}

pub const SHARED: [&str; 2] = ["--tier", "shared"];
/// What never takes so long, but for an answer that does not come.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Runs in a network namespace of its own.
pub fn in_a_namespace<T: Send>(body: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let inside = scope.spawn(|| {
            // SAFETY: it changes only in which namespace this thread, and what it starts, has its sockets.
            let made = unsafe { libc::unshare(libc::CLONE_NEWNET) };
            assert_eq!(made, 0, "no namespace: {}", std::io::Error::last_os_error());
            body()
        });
        inside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

pub fn ip(arguments: &str) {
    let done = Command::new("ip").args(arguments.split(' ')).output().unwrap();
    assert!(done.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&done.stderr));
}

pub fn can_make_interfaces() -> bool {
    let has = |program: &str| Command::new(program).arg("-V").output().is_ok();
    std::path::Path::new("/dev/net/tun").exists() && has("ip")
}

/// How the machine is reached.
#[derive(Clone, Copy)]
pub enum Way {
    /// By an interface and TCP/IP of its own.
    Interface,
    /// By one end of a pair of interfaces, over AF_XDP, and TCP/IP of its own.
    Xdp,
    /// By ports of Linux's network.
    Ports,
}

impl Way {
    /// The machine that echoes.
    pub fn machine(self) -> Running {
        let system = match self {
            Self::Interface | Self::Xdp => "echo",
            Self::Ports => "echo-host",
        };
        let mut running = Running::start(&[&["run", system], self.given(), &SHARED[..]].concat(), None);
        running.hear(&format!("echoes on port {}", self.port()));
        running
    }

    /// What it is given; an interface is made first.
    pub fn given(self) -> &'static [&'static str] {
        let set_up = || {
            ip("addr add 10.99.0.1/24 dev hl0");
            ip("-6 addr add fd99::1/64 dev hl0 nodad");
            ip("link set hl0 up");
        };
        match self {
            Self::Interface => {
                ip("tuntap add dev hl0 mode tap");
                set_up();
                &["--net", "tap:hl0"]
            }
            Self::Xdp => {
                ip("link add hl0 type veth peer name hl1");
                set_up();
                ip("link set hl1 up");
                &["--net", "xdp:hl1"]
            }
            Self::Ports => {
                ip("link set lo up");
                &["--net", "host:7007", "--net", "host:7007/udp"]
            }
        }
    }

    const fn description(self) -> &'static str {
        match self {
            Self::Interface | Self::Xdp => include_str!("../../../programs/systems/echo.toml"),
            Self::Ports => include_str!("../../../programs/systems/echo-host.toml"),
        }
    }

    const fn addresses(self) -> [&'static str; 2] {
        match self {
            Self::Interface | Self::Xdp => ["10.99.0.2", "fd99::2"],
            Self::Ports => ["127.0.0.1", "::1"],
        }
    }

    const fn port(self) -> u16 {
        match self {
            Self::Interface | Self::Xdp => 7,
            Self::Ports => 7_007,
        }
    }

    pub fn tcp(self) -> std::io::Result<TcpStream> {
        tcp(self.addresses()[0], self.port())
    }
}

pub fn tcp(address: &str, port: u16) -> std::io::Result<TcpStream> {
    let address: IpAddr = address.parse().unwrap();
    let stream = TcpStream::connect_timeout(&SocketAddr::new(address, port), PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Bytes that differ from place to place and from each other's.
pub fn bytes(count: usize, salt: usize) -> Vec<u8> {
    (0..count).map(|place| u8::try_from((place * 7 + place / 251 + salt * 31) % 251).unwrap()).collect()
}

/// Says this and hears the same, both at once: more than is on its way at a time.
pub fn echo(stream: &TcpStream, said: &[u8]) {
    std::thread::scope(|scope| {
        let mut writer = stream;
        scope.spawn(move || writer.write_all(said).unwrap());
        let (mut reader, mut heard) = (stream, vec![0; said.len()]);
        reader.read_exact(&mut heard).unwrap();
        assert!(heard == said, "{} bytes came back as others", said.len());
    });
}

pub fn stop(mut running: Running) {
    assert_eq!(say(&["stop"]), (String::new(), String::new(), 0));
    assert_eq!(running.code(), 0, "{}", running.heard);
}

pub fn echoes(way: Way) {
    in_a_namespace(|| {
        let running = way.machine();
        for address in way.addresses() {
            let stream = tcp(address, way.port()).unwrap();
            for count in [1, 64, 1_460, 1_461, 65_536, 1 << 20] {
                echo(&stream, &bytes(count, 0));
            }
        }
        std::thread::scope(|scope| {
            // More than wait to be accepted at once; each connects from this namespace.
            let streams: Vec<_> = (0..24).map(|_| way.tcp().unwrap()).collect();
            for (number, stream) in streams.into_iter().enumerate() {
                scope.spawn(move || {
                    for count in [1, 1_000, 100_000] {
                        echo(&stream, &bytes(count, number));
                    }
                });
            }
        });
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.connect((way.addresses()[0], way.port())).unwrap();
        let mut heard = [0; 2_048];
        for count in [0, 1, 64, 1_472] {
            let said = bytes(count, 9);
            socket.send(&said).unwrap();
            let length = socket.recv(&mut heard).unwrap();
            assert_eq!(heard[..length], said, "{count} bytes");
        }
        if let Ok(pings) = Command::new("ping").args(["-c", "3", "-i", "0.2", way.addresses()[0]]).output() {
            assert!(pings.status.success(), "{}", String::from_utf8_lossy(&pings.stdout));
        }
        stop(running);
        if !matches!(way, Way::Ports) {
            // Somebody else's interface is still there.
            ip("link show hl0");
        }
    });
}

pub fn ends(way: Way) {
    in_a_namespace(|| {
        let running = way.machine();
        let ours = way.addresses()[0];
        let mut stream = way.tcp().unwrap();
        let said = bytes(200_000, 3);
        let mut heard = Vec::new();
        std::thread::scope(|scope| {
            let (mut writer, said) = (&stream, &said);
            scope.spawn(move || {
                writer.write_all(said).unwrap();
                writer.shutdown(Shutdown::Write).unwrap();
            });
            let mut reader = &stream;
            reader.read_to_end(&mut heard).unwrap();
        });
        assert!(heard == said, "all that was said came back before the end");
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
        assert_eq!(tcp(ours, 8).map(drop).map_err(|error| error.kind()), Err(ErrorKind::ConnectionRefused));
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.connect((ours, 9)).unwrap();
        socket.send(b"is there anybody?").unwrap();
        assert_eq!(
            socket.recv(&mut [0; 64]).map_err(|error| error.kind()),
            Err(ErrorKind::ConnectionRefused)
        );
        // Many that come and go leave nothing behind that would keep the next one away.
        for number in 0..200 {
            echo(&way.tcp().unwrap(), &bytes(100, number));
        }
        // One that is cut off by its other end harms nobody.
        let reset = way.tcp().unwrap();
        reset_when_dropped(&reset);
        drop(reset);
        echo(&way.tcp().unwrap(), &bytes(100, 1));
        stop(running);
    });
}

/// A socket that is dropped resets its connection.
fn reset_when_dropped(stream: &TcpStream) {
    use std::os::fd::AsRawFd;
    let linger = libc::linger { l_onoff: 1, l_linger: 0 };
    let length = libc::socklen_t::try_from(size_of_val(&linger)).unwrap();
    // SAFETY: the option takes such a struct.
    let set = unsafe {
        libc::setsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_LINGER,
            (&raw const linger).cast(),
            length,
        )
    };
    assert_eq!(set, 0);
}

/// Echoes until something goes wrong; how often it went well, and what went wrong. Who only listens hears nothing of a service that is gone, and so says
/// something now and then.
fn echo_until_error(mut stream: TcpStream) -> (u64, ErrorKind) {
    const PAUSE: Duration = Duration::from_secs(1);
    let (said, mut heard, mut rounds, mut silences) = (bytes(10_000, 5), vec![0; 10_000], 0, 0);
    stream.set_read_timeout(Some(PAUSE)).unwrap();
    loop {
        let once = stream.write_all(&said).and_then(|()| stream.read_exact(&mut heard));
        match once {
            Ok(()) => rounds += 1,
            Err(error) if error.kind() == ErrorKind::WouldBlock && PAUSE * silences < PATIENCE => {
                silences += 1
            }
            Err(error) => return (rounds, error.kind()),
        }
    }
}

pub fn killed(way: Way) {
    in_a_namespace(|| {
        let mut running = way.machine();
        let pid = running.pid();
        std::thread::scope(|scope| {
            let streams: Vec<_> = (0..4).map(|_| way.tcp().unwrap()).collect();
            for stream in &streams {
                echo(stream, b"under way");
            }
            let busy: Vec<_> =
                streams.into_iter().map(|stream| scope.spawn(move || echo_until_error(stream))).collect();
            assert_eq!(say(&["kill", "net", "--machine", &pid.to_string()]).2, 0);
            for one in busy {
                let (_, error) = one.join().unwrap();
                assert!(matches!(error, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error:?}");
            }
        });
        // The program listens on the next life of the service.
        running.hear(&format!("echoes on port {}", way.port()));
        echo(&way.tcp().unwrap(), &bytes(100_000, 2));
        await_state(pid, "net", "waiting");
        // Also where nobody came in between.
        for _ in 0..3 {
            assert_eq!(say(&["kill", "net", "--machine", &pid.to_string()]).2, 0);
            running.hear(&format!("echoes on port {}", way.port()));
        }
        echo(&way.tcp().unwrap(), &bytes(100_000, 3));
        stop(running);
    });
}

pub fn cut(way: Way) {
    in_a_namespace(|| {
        let running = way.machine();
        let stream = way.tcp().unwrap();
        for life in 0..3 {
            echo(&stream, &bytes(50_000, life));
            assert_eq!(say(&["kill", "card"]).2, 0);
            // What was lost is sent again.
            echo(&stream, &bytes(50_000, life));
        }
        stop(running);
    });
}

pub fn reborn(way: Way) {
    in_a_namespace(|| {
        let system = way.description().replace("[cells.echo]", "[cells.echo]\nrestart = \"always\"");
        let mut running = Running::of(&system, &[way.given(), &SHARED[..]].concat());
        let listens = format!("echoes on port {}", way.port());
        running.hear(&listens);
        // A connection that its holder takes along, and one more life than a port that is left behind would let be.
        for life in 0..3 {
            let stream = way.tcp().unwrap();
            echo(&stream, &bytes(1_000, life));
            assert_eq!(say(&["kill", "echo"]).2, 0);
            running.hear(&listens);
        }
        echo(&way.tcp().unwrap(), &bytes(1_000, 9));
        stop(running);
    });
}

fn thousands() {
    // As many files as there may be.
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let most = rustix::process::Rlimit { current: limit.maximum, ..limit };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, most).unwrap();
    in_a_namespace(|| {
        let running = Way::Ports.machine();
        let mut streams: Vec<_> = (0..2_000).map(|_| Way::Ports.tcp().unwrap()).collect();
        for round in 0..3 {
            for (number, stream) in streams.iter_mut().enumerate() {
                stream.write_all(&bytes(100, number + round)).unwrap();
            }
            for (number, stream) in streams.iter_mut().enumerate() {
                let mut heard = [0; 100];
                stream.read_exact(&mut heard).unwrap();
                assert!(heard[..] == bytes(100, number + round), "connection {number} heard another");
            }
        }
        drop(streams);
        echo(&Way::Ports.tcp().unwrap(), &bytes(100, 1));
        stop(running);
    });
}

/// Connections that come and go, many at once, in all ways.
fn come_and_go(count: usize) {
    const AT_ONCE: usize = 100;
    let mut heard = [0; 5];
    for number in 0..count / AT_ONCE {
        let streams: Vec<_> = (0..AT_ONCE)
            .map(|place| {
                // Who ends a connection as it should keeps its port for a minute: there are as many as are needed of all addresses together.
                let from = Ipv4Addr::new(127, 0, 1, u8::try_from(number % 8).unwrap());
                let stream = connect_from(from, Way::Ports.port());
                if place % 4 > 0 {
                    (&stream).write_all(b"hello").unwrap();
                }
                if place % 4 != 3 {
                    reset_when_dropped(&stream);
                }
                stream
            })
            .collect();
        for (place, mut stream) in streams.into_iter().enumerate() {
            // Of the others, one in four says nothing, and one in four hears nothing.
            if place % 4 > 1 {
                stream.read_exact(&mut heard).unwrap();
                assert_eq!(&heard, b"hello");
            }
            if place % 4 == 3 {
                stream.shutdown(Shutdown::Write).unwrap();
                assert_eq!(stream.read(&mut heard).unwrap(), 0);
            }
        }
    }
}

/// A connection to a port of this host, from one of its addresses.
fn connect_from(from: Ipv4Addr, port: u16) -> TcpStream {
    use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&socket, &SocketAddr::from((from, 0))).unwrap();
    connect(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, port))).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// How many sockets there are as Linux and the service count them: descriptors of the machine, and capabilities of its cell.
#[derive(Debug, PartialEq, Eq)]
struct Had {
    descriptors: usize,
    capabilities: u64,
}

impl Had {
    fn by(running: &Running) -> Self {
        let descriptors = std::fs::read_dir(format!("/proc/{}/fd", running.machine())).unwrap().count();
        Self { descriptors, capabilities: capabilities(running, "net") }
    }
}

/// How many capabilities a cell has.
fn capabilities(running: &Running, cell: &str) -> u64 {
    let (output, error, code) = attach_to(running.pid(), &format!("inspect {cell} --json\n"));
    assert_eq!((error.as_str(), code), ("", 0), "{output}");
    let inspection: serde_json::Value = serde_json::from_str(&output).unwrap();
    inspection["capability_count"].as_u64().unwrap()
}

/// Memory of all cells of a machine, in bytes.
fn cells_memory(running: &Running) -> u64 {
    let machine = ps(running.pid());
    machine["cells"].as_array().unwrap().iter().map(|cell| cell["memory_bytes"].as_u64().unwrap()).sum()
}

/// Memory that a process has of its own, in KiB.
fn own_memory(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn hundred_thousand() {
    const CONNECTIONS: usize = 100_000;
    in_a_namespace(|| {
        let running = Way::Ports.machine();
        // As much room as it ever needs is there afterwards.
        come_and_go(5_000);
        echo(&Way::Ports.tcp().unwrap(), &bytes(100_000, 1));
        let (before, own) = (settled(&running), own_memory(running.machine()));
        let (memory, bells) = (cells_memory(&running), capabilities(&running, "echo"));
        come_and_go(CONNECTIONS);
        echo(&Way::Ports.tcp().unwrap(), &bytes(100_000, 2));
        let began = std::time::Instant::now();
        // What is closed is closed a moment later.
        while Had::by(&running) != before {
            let after = Had::by(&running);
            assert!(began.elapsed() < PATIENCE, "there was {before:?}, and there is {after:?}");
        }
        // It may have more of them at once than before, and keeps what it had for those: some bells, and no byte for each.
        let more = capabilities(&running, "echo").saturating_sub(bells);
        assert!(more < 100, "the program has {more} capabilities more");
        let grown = cells_memory(&running).saturating_sub(memory);
        assert!(grown < CONNECTIONS as u64, "the cells' memory has grown by {grown} bytes");
        let grown = own_memory(running.machine()).saturating_sub(own);
        assert!(grown < 4 << 10, "its memory has grown by {grown} KiB");
        for number in 0..100 {
            echo(&Way::Ports.tcp().unwrap(), &bytes(10_000, number));
        }
        stop(running);
    });
}

/// What a machine has when that does not change any more.
fn settled(running: &Running) -> Had {
    let mut before = Had::by(running);
    loop {
        std::thread::sleep(Duration::from_millis(200));
        let after = Had::by(running);
        if after == before {
            return after;
        }
        before = after;
    }
}

fn slow_readers() {
    in_a_namespace(|| {
        let running = Way::Ports.machine();
        // Says as much as is taken, and reads nothing.
        let deaf: Vec<_> = (0..8).map(|_| Way::Ports.tcp().unwrap()).collect();
        for stream in &deaf {
            stream.set_nonblocking(true).unwrap();
            let said = bytes(1 << 16, 1);
            let (mut writer, mut total) = (stream, 0_usize);
            let began = std::time::Instant::now();
            while began.elapsed() < Duration::from_millis(200) {
                match writer.write(&said) {
                    Ok(written) => total += written,
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::WouldBlock);
                        std::thread::sleep(Duration::from_millis(10));
                    }
                }
            }
            assert!(total > 1 << 17 && total < 64 << 20, "what nobody reads is bounded: {total}");
        }
        for number in 0..100 {
            echo(&Way::Ports.tcp().unwrap(), &bytes(10_000, number));
        }
        // What waited goes on where somebody reads.
        let mut first = &deaf[0];
        first.set_nonblocking(false).unwrap();
        let mut heard = vec![0; 1 << 17];
        first.read_exact(&mut heard).unwrap();
        assert!(heard == [bytes(1 << 16, 1), bytes(1 << 16, 1)].concat());
        stop(running);
    });
}

/// The echo's badge is another than the one that may listen.
fn forbidden() {
    in_a_namespace(|| {
        ip("tuntap add dev hl0 mode tap");
        let system = include_str!("../../../programs/systems/echo.toml").replace("badge = 7", "badge = 8");
        let mut running = Running::of(&system, &[&["--net", "tap:hl0"], &SHARED[..]].concat());
        running.hear("the system does not allow this port");
        stop(running);
    });
}

fn refused() {
    let fails = |arguments: &[&str]| {
        let output = command(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(64), "{arguments:?}");
        // A long one is broken into lines, with a bar before each.
        let error = String::from_utf8(output.stderr).unwrap();
        error.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
    };
    for (arguments, part) in [
        (&["run", "echo"][..], "drives the interface 0, which was not given"),
        (&["run", "calculator", "--net", "tap:hl0"], "nothing drives the interface hl0"),
        (&["run", "echo", "--net", "tap:a/b"], "is no name of an interface"),
        (&["run", "echo", "--net", "hl0"], "tap:NAME"),
        (&["run", "echo", "--net", "host:7007/sctp"], "/tcp and /udp"),
        (&["run", "echo-host"], "sockets of this host, and none was given"),
        (&["run", "echo-host", "--net", "host:to=localhost"], "host:to=ADDRESS/PREFIX"),
        (&["run", "calculator", "--net", "host:to=127.0.0.1"], "nothing serves host:to=127.0.0.1/32"),
        (&["run", "calculator", "--net", "host:7007"], "nothing serves host:7007"),
        (&["run", "echo-host", "--net", "host:192.0.2.1:7007"], "is no address of this host"),
        (&["run", "echo", "--net", "tap:lo"], "lo"),
    ] {
        let error = fails(arguments);
        assert!(error.contains(part), "{arguments:?}: {error}");
    }
}
