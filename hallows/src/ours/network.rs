//! A machine at the far end of a wire whose near end is Linux's, and what it is compared with: AF_XDP without a machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;

use hallows_bench::cores::{Priority, settle};
use hallows_bench::registry::{Place, ours};
use hallows_bench::streams::{self, PIECE_BYTES};
use hallows_bench::wire::{FAR_INTERFACE, Wire};
use hallows_bench::{BenchError, Turn};
use hallows_linux::host::xdp;
use hallows_linux::host::xdp::socket::XdpSocket;

use super::machine::wrong;
use super::networked::{DISCARDS, ECHO, ECHOES, answers, discard, discarded};
use super::running::{Running, Setting, Which};

/// A machine at the far end, for the report.
pub(super) const SET_UP: &str =
    "`hallows run --net xdp:…`, tier shared, all of its threads on the second core";

/// A whole machine, which answers datagrams.
pub fn echo_xdp() -> Place<'static> {
    let mut wire = None;
    ours(
        format!("{SET_UP}; the device, the network's service and a program with a socket of it"),
        2,
        move |turn| {
            let wire = made(&mut wire)?;
            let _machine = answering(wire, turn, &answers(ECHO), ECHOES)?;
            wire.round_trips(turn)
        },
    )
}

/// One that reads so many streams.
pub fn stream(streams: usize) -> Place<'static> {
    let mut wire = None;
    ours(
        format!(
            "{SET_UP}; the device, the network's service and a program that reads; a client of Linux's on the first core, with a thread for each of {streams} streams, \
             {PIECE_BYTES} bytes at a time"
        ),
        2,
        move |turn| {
            let wire = made(&mut wire)?;
            let far = answers(&discard(turn.budget));
            let (mut running, machine) = answering(wire, turn, &far, DISCARDS)?;
            streams::stream(wire, turn, streams, || discarded(&mut running, machine))
        },
    )
}

/// The wire of a contestant, which it keeps.
pub(super) fn made(wire: &mut Option<Wire>) -> Result<&mut Wire, BenchError> {
    Ok(match wire {
        Some(wire) => wire,
        empty => empty.insert(Wire::make()?),
    })
}

/// A machine at the far end that has said by this word that it has begun.
pub(super) fn answering(
    wire: &Wire,
    turn: &Turn<'_>,
    system: &str,
    word: &str,
) -> Result<(Running, Which), BenchError> {
    let network = format!("xdp:{FAR_INTERFACE}");
    let setting = Setting { name: "the machine", system, network: &network, core: turn.cores.second()? };
    let mut running = Running::new();
    let which = wire.far(|| running.start(&setting))??;
    running.hear(which, word)?;
    Ok((running, which))
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
