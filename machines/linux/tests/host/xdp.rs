//! AF_XDP on interfaces of the test's own, in a network namespace: what is opened, what is refused, and that all is as it was when it is closed.

use std::os::fd::{AsRawFd, OwnedFd};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hallows_linux::host::xdp::socket::XdpSocket;
use hallows_linux::host::xdp::{Xdp, XdpError, XdpMode, open};
use libtest_mimic::Trial;

use crate::root_test;

pub fn tests() -> Vec<Trial> {
    vec![
        root_test("frames_of_a_queue_come_and_go_over_as_many_lives_as_there_are", frames),
        root_test("an_interface_has_its_frames_again_when_the_last_descriptor_is_closed", restored),
        root_test("what_is_no_queue_to_take_is_refused_by_name_and_left_as_it_is", refused),
        root_test("where_no_driver_runs_the_program_linux_does", generic),
    ]
}

/// What never takes so long, but for a frame that does not come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs in a network namespace of its own, with a pair of interfaces that are up.
fn with_a_pair(body: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let inside = scope.spawn(|| {
            // SAFETY: it changes only in which namespace this thread, and what it starts, has its sockets.
            let made = unsafe { libc::unshare(libc::CLONE_NEWNET) };
            assert_eq!(made, 0, "no namespace: {}", std::io::Error::last_os_error());
            ip("link add hl0 type veth peer name hl1");
            ip("link set hl0 up");
            ip("link set hl1 up");
            body();
        });
        inside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
}

fn ip(arguments: &str) -> String {
    let done = Command::new("ip").args(arguments.split(' ')).output().unwrap();
    assert!(done.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

/// A kind of frame that nobody else sends.
const OURS: [u8; 2] = [0x88, 0xb5];

/// A socket for frames of this kind at the other end, whose reads wait for [`PATIENCE`] at most.
fn other_end(name: &str) -> OwnedFd {
    use rustix::net::{AddressFamily, Protocol, SocketFlags, SocketType, sockopt};
    let kind = u16::from_be_bytes(OURS).to_be();
    let protocol = Protocol::from_raw(u32::from(kind).try_into().unwrap());
    let socket = rustix::net::socket_with(
        AddressFamily::PACKET,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        Some(protocol),
    )
    .unwrap();
    let index = rustix::net::netdevice::name_to_index(&socket, name).unwrap();
    // SAFETY: all of it are numbers, for which zeroes are values.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    (address.sll_family, address.sll_protocol) = (libc::AF_PACKET as u16, kind);
    address.sll_ifindex = index.cast_signed();
    let length = u32::try_from(size_of_val(&address)).unwrap();
    // SAFETY: the address is one of this family, and so long.
    let bound = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) };
    assert_eq!(bound, 0, "{}", std::io::Error::last_os_error());
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(PATIENCE)).unwrap();
    socket
}

/// A frame of ours that differs from others.
fn frame(number: usize) -> Vec<u8> {
    let length = 60 + number * 37 % 1_400;
    let mut frame = vec![0xff; 12];
    frame.extend(OURS);
    frame.extend((14..length).map(|place| u8::try_from((place * 7 + number * 31) % 251).unwrap()));
    frame
}

fn taken(xdp: &Xdp) -> XdpSocket {
    let socket = Arc::new(xdp.socket.try_clone().unwrap());
    XdpSocket::take_over(socket, &xdp.memory, xdp.traits.chunk_bytes).unwrap()
}

/// The next frame of our kind that has come.
fn receive(socket: &mut XdpSocket) -> Vec<u8> {
    let began = Instant::now();
    loop {
        if let Some(frame) = socket.receive().filter(|frame| frame[12..14] == OURS) {
            return frame.to_vec();
        }
        assert!(began.elapsed() < PATIENCE, "nothing has come");
        std::thread::yield_now();
    }
}

fn send(socket: &mut XdpSocket, frame: &[u8]) {
    let began = Instant::now();
    while !socket.send(frame.len(), &mut |place| place.copy_from_slice(frame)).unwrap() {
        socket.hand_over().unwrap();
        assert!(began.elapsed() < PATIENCE, "no room");
    }
}

fn hand_over(socket: &mut XdpSocket) {
    let began = Instant::now();
    while !socket.hand_over().unwrap() {
        assert!(began.elapsed() < PATIENCE, "Linux takes nothing");
    }
}

fn frames() {
    with_a_pair(|| {
        let xdp = open("hl1", 0).unwrap();
        assert_eq!((xdp.traits.mode, xdp.mtu), (XdpMode::Driver, 1_500));
        assert!(xdp.traits.has_partial_checksums, "nobody's device is behind it");
        let address = xdp.address.map(|byte| format!("{byte:02x}")).join(":");
        assert!(ip("link show hl1").contains(&address), "{address}");
        let other = other_end("hl0");
        let mut heard = [0; 2_048];
        // Far more than there are places; some batches are left behind by a life, in each direction.
        for life in 0..6 {
            let mut socket = taken(&xdp);
            for round in 0..40 {
                let numbers = || (0..32).map(|number| life * 4_000 + round * 32 + number);
                if life == 0 || round > 0 {
                    for number in numbers() {
                        rustix::io::write(&other, &frame(number)).unwrap();
                    }
                }
                for number in numbers() {
                    // What the life before has left comes first.
                    let came = receive(&mut socket);
                    let number = if round == 0 && life > 0 { number - 4_000 + 40 * 32 } else { number };
                    assert!(came == frame(number), "life {life}, round {round}, frame {number}");
                    send(&mut socket, &came);
                }
                let before = socket.calls();
                hand_over(&mut socket);
                assert_eq!(
                    socket.calls() - before,
                    1,
                    "one system call for a batch that goes, and none for what comes"
                );
                for _ in numbers() {
                    let length = rustix::io::read(&other, &mut heard).unwrap();
                    assert!(length >= 60);
                }
            }
            for number in (0..32).map(|number| life * 4_000 + 40 * 32 + number) {
                rustix::io::write(&other, &frame(number)).unwrap();
            }
            // Sent, and handed over by whoever comes next.
            let last = frame(9_999);
            send(&mut socket, &last);
            drop(socket);
            let mut socket = taken(&xdp);
            hand_over(&mut socket);
            let length = rustix::io::read(&other, &mut heard).unwrap();
            assert!(heard[..length] == last);
        }
        // Longer than a place is nothing that could be sent.
        assert!(taken(&xdp).send(2_049, &mut |_| panic!("it has no place")).is_err());
    });
}

fn restored() {
    with_a_pair(|| {
        let shown = || ["hl0", "hl1"].map(|name| ip(&format!("-d link show {name}")));
        let before = shown();
        let xdp = open("hl1", 0).unwrap();
        assert!(shown()[1].contains("prog/xdp") && shown() != before);
        let other = other_end("hl0");
        let linux = other_end("hl1");
        let mut socket = taken(&xdp);
        rustix::io::write(&other, &frame(1)).unwrap();
        assert!(receive(&mut socket) == frame(1));
        // All of it is mapped still, and another has the socket.
        let Xdp { socket: _socket, link, .. } = xdp;
        drop(link);
        assert_eq!(shown(), before);
        rustix::io::write(&other, &frame(2)).unwrap();
        let mut heard = [0; 2_048];
        let length = rustix::io::read(&linux, &mut heard).unwrap();
        assert!(heard[..length] == frame(2), "Linux has its frames again");
    });
}

fn refused() {
    with_a_pair(|| {
        let shown = || ip("-d link show hl1");
        let fails = |name: &str, queue| open(name, queue).map(|_| ()).unwrap_err();
        assert!(matches!(fails("a/b", 0), XdpError::Name { .. }));
        assert!(matches!(fails("no-such-thing", 0), XdpError::Missing { .. }));
        assert!(matches!(fails("lo", 0), XdpError::OtherKind { .. }));
        let before = shown();
        for queue in [64, u16::MAX] {
            let error = fails("hl1", queue);
            assert!(matches!(error, XdpError::NoQueue { .. }), "queue {queue}: {error}");
            assert_eq!(shown(), before);
        }
        let first = open("hl1", 0).unwrap();
        assert!(matches!(fails("hl1", 0), XdpError::Busy { .. }));
        // Without its program, its socket still has the queue.
        let Xdp { socket, link, .. } = first;
        drop(link);
        let error = fails("hl1", 0);
        assert!(matches!(error, XdpError::QueueTaken { .. }), "{error}");
        assert_eq!(shown(), before);
        drop(socket);
        // Linux lets go of a queue a moment after its socket was closed.
        open("hl1", 0).unwrap();
        ip("link set hl1 mtu 9000");
        assert!(matches!(fails("hl1", 0), XdpError::TooLong { mtu: 9_000, .. }));
        ip("link set hl1 mtu 1500");
        ip("link set hl1 down");
        let error = fails("hl1", 0);
        assert!(matches!(error, XdpError::Down { .. }));
        assert!(error.to_string().contains("ip link set hl1 up"), "it says what to do");
    });
}

fn generic() {
    with_a_pair(|| {
        // The driver's program would get frames that are longer than it can have.
        ip("link set hl0 mtu 9000");
        let xdp = open("hl1", 0).unwrap();
        assert_eq!(xdp.traits.mode, XdpMode::Generic);
        let (other, mut socket) = (other_end("hl0"), taken(&xdp));
        for number in 0..100 {
            rustix::io::write(&other, &frame(number)).unwrap();
            let came = receive(&mut socket);
            assert!(came == frame(number));
            send(&mut socket, &came);
            hand_over(&mut socket);
            let mut heard = [0; 2_048];
            let length = rustix::io::read(&other, &mut heard).unwrap();
            assert!(heard[..length] == frame(number));
        }
        drop(xdp);
        assert!(!ip("-d link show hl1").contains("prog/xdp"));
    });
}
