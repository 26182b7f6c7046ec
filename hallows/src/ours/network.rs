//! A machine at the far end of a wire whose near end is Linux's, and what it is compared with: AF_XDP without a machine.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;

use hallows_bench::cores::{Priority, settle};
use hallows_bench::registry::{Place, ours};
use hallows_bench::wire::{FAR_INTERFACE, Wire};
use hallows_bench::{BenchError, Turn};
use hallows_linux::host::xdp;
use hallows_linux::host::xdp::socket::XdpSocket;

use super::life::{Ended, own_command};
use super::machine::wrong;

/// Who answers, all on one core: the device looks for 10 ms before it sleeps, and gives way to whoever has something to do.
const SYSTEM: &str = r#"
[cells.card]
program = "packets"
native = true
core = 0
priority = 1
arguments = ["0", "look=10000"]
serves = { card = "active" }

[cells.net]
program = "net"
core = 0
priority = 2
memory = "64M"
slots = 4096
arguments = ["address=10.99.0.2/24", "allow=7 listen=7"]
serves = { net = { kind = "active", queue = 256 } }
uses = { card = "card.card" }

[cells.echo]
program = "echo"
core = 0
memory = "16M"
uses = { net = { of = "net.net", badge = 7 } }
"#;

/// A whole machine, which answers datagrams.
pub fn echo_xdp() -> Place<'static> {
    let mut wire = None;
    ours(
        "`hallows run --net xdp:…`, tier shared; its programs and its timekeeper on the second core, its threads of Linux on the client's",
        2,
        move |turn| {
            turn.cores.second()?;
            let wire = made(&mut wire)?;
            let mut file = tempfile::Builder::new().suffix(".toml").tempfile().map_err(wrong)?;
            file.write_all(SYSTEM.as_bytes()).map_err(wrong)?;
            let _machine = wire.far(|| machine(turn, file.path()))??;
            wire.round_trips(turn)
        },
    )
}

fn made(wire: &mut Option<Wire>) -> Result<&mut Wire, BenchError> {
    Ok(match wire {
        Some(wire) => wire,
        empty => empty.insert(Wire::make()?),
    })
}

/// One that has begun to answer, and what it has to say, which somebody must be there to hear until it ends.
fn machine(turn: &Turn<'_>, system: &Path) -> Result<(Ended, Lines<BufReader<ChildStdout>>), BenchError> {
    let mut command: Command = own_command()?;
    command.args(["run", "--quiet", "--tier", "shared", "--net", &format!("xdp:{FAR_INTERFACE}")]);
    command.args([
        "--cores",
        &turn.cores.second()?.to_string(),
        "--housekeeping",
        &turn.cores.first().to_string(),
    ]);
    command.arg(system).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child: Child = command.spawn().map_err(wrong)?;
    let output = child.stdout.take().ok_or_else(|| wrong("the machine has no output"))?;
    let (ended, mut lines) = (Ended(child), BufReader::new(output).lines());
    let mut heard = String::new();
    while let Some(line) = lines.next() {
        let line = line.map_err(wrong)?;
        if line.contains("echoes on port") {
            return Ok((ended, lines));
        }
        heard += &line;
    }
    Err(wrong(format!("the machine does not answer; it said: {heard}")))
}

/// A thread with a socket of AF_XDP, which gives each frame back to its sender and looks all the time.
pub fn plain_xdp() -> Place<'static> {
    let mut wire = None;
    ours(
        "a thread of its own core with a socket of AF_XDP: addresses and ports are swapped in a frame, which goes back",
        2,
        move |turn| {
            let core = turn.cores.second()?;
            let wire = made(&mut wire)?;
            let (stop, (ready, is_ready)) = (AtomicBool::new(false), channel());
            std::thread::scope(|scope| {
                let serving = scope.spawn(|| {
                    wire.far(|| {
                        settle(core, Priority::Ordinary)?;
                        let opened = xdp::open(FAR_INTERFACE, 0).map_err(wrong)?;
                        let socket = Arc::new(opened.socket.try_clone().map_err(wrong)?);
                        let mut socket =
                            XdpSocket::take_over(socket, &opened.memory, opened.traits.chunk_bytes)
                                .map_err(wrong)?;
                        let _ = ready.send(());
                        serve(&mut socket, &stop)
                    })?
                });
                // It is dropped unsaid if there is no server.
                let samples = match is_ready.recv() {
                    Ok(()) => wire.round_trips(turn),
                    Err(_) => Err(wrong("there is no server")),
                };
                stop.store(true, Ordering::Relaxed);
                serving.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
                samples
            })
        },
    )
}

fn serve(socket: &mut XdpSocket, stop: &AtomicBool) -> Result<(), BenchError> {
    let mut answer = Vec::with_capacity(2_048);
    while !stop.load(Ordering::Relaxed) {
        let Some(frame) = socket.receive() else {
            std::hint::spin_loop();
            continue;
        };
        answer.clear();
        answer.extend_from_slice(frame);
        if !turn_back(&mut answer) {
            continue;
        }
        while !socket.send(answer.len(), &mut |place| place.copy_from_slice(&answer)).map_err(wrong)? {
            socket.hand_over().map_err(wrong)?;
        }
        while !socket.hand_over().map_err(wrong)? {}
    }
    Ok(())
}

/// Makes a datagram of IPv4 one from its receiver to its sender; false if it is something else.
fn turn_back(frame: &mut [u8]) -> bool {
    const UDP_OF_IPV4: (&[u8], u8, u8) = (&[8, 0], 0x45, 17);
    let is_ours = frame.len() >= 42 && (&frame[12..14], frame[14], frame[23]) == UDP_OF_IPV4;
    if is_ours {
        for (first, second, length) in [(0, 6, 6), (26, 30, 4), (34, 36, 2)] {
            let (before, behind) = frame.split_at_mut(second);
            before[first..first + length].swap_with_slice(&mut behind[..length]);
        }
        // None: the client's stack has left it to a device.
        frame[40..42].fill(0);
    }
    is_ours
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_is_turned_back_and_nothing_else_is() {
        let mut frame: Vec<u8> = (0..60).collect();
        assert!(!turn_back(&mut frame));
        frame[12..15].copy_from_slice(&[8, 0, 0x45]);
        frame[23] = 17;
        let before = frame.clone();
        assert!(turn_back(&mut frame));
        assert_eq!((&frame[..6], &frame[6..12]), (&before[6..12], &before[..6]));
        assert_eq!((&frame[26..30], &frame[30..34]), (&before[30..34], &before[26..30]));
        assert_eq!((&frame[34..36], &frame[36..38]), (&before[36..38], &before[34..36]));
        assert_eq!((&frame[40..42], &frame[42..]), (&[0, 0][..], &before[42..]));
    }
}
