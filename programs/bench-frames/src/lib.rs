//! UDP over a packet device that it has for itself, without a network service: both ends of the benches of wires.
//!
//! Granted: `card`, a packet device, or `net`, a network (SEND and WATCH). Arguments: `do=answer` says every datagram back to its sender, `do=ask` asks for
//! one after another, `do=flood` keeps `window=N` (96) under way; over a network it can only ask. `payload=BYTES` (64) is what each carries, 18 make the
//! shortest frame. All print samples in nanoseconds, `count=N` (20000) of them, and before those a tenth that do not count; with 0 they print none and
//! go on. Who asks, of a datagram's way there and back; who floods, the mean of `BATCH` in a row; who answers, from when the device had a datagram
//! until it had the answer.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod datagram;
mod device;
mod socket;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;
use core::time::Duration;

use hallows::net::Network;
use hallows::ring::Failure;
use hallows::task::Events;
use hallows::{Deadline, Error, Start, log, println, process};

use datagram::{MOST_PAYLOAD, OVERHEAD, compose, is_answer, turn_back};
use device::{Device, Event};

/// Datagrams between two samples of a flood.
const BATCH: u64 = 256;
/// Datagrams of a flood between two lines that say so.
const BETWEEN_LINES: u64 = 1 << 18;
/// Samples in a line.
const IN_A_LINE: usize = 64;
/// What has not come by then is lost, and asked for again.
const PATIENCE: Duration = Duration::from_millis(100);

/// Prints samples.
fn tell(samples: &[u64]) {
    for some in samples.chunks(IN_A_LINE) {
        let mut line = String::new();
        for sample in some {
            // Strings take everything.
            let _ = write!(line, " {sample}");
        }
        println!("bench: samples{line}");
    }
    println!("bench: that was all");
}

/// Says every datagram back; prints once how long so many have taken, where one is under way at a time.
fn answer(device: &mut Device, count: usize) -> Result<(), Failure> {
    let (mut shares, mut heard_at) = (Vec::with_capacity(count), 0);
    println!("bench: answers");
    loop {
        device.wait(Deadline::NEVER)?;
        while let Some(event) = device.next()? {
            match event {
                Event::Came { bytes, at } => {
                    let address = device.address();
                    if let Some(frame) = device.frame(bytes)
                        && turn_back(frame, address)
                    {
                        heard_at = at;
                        device.send(bytes)?;
                    }
                }
                Event::Gone { at } if shares.len() < count => {
                    shares.push(at.saturating_sub(heard_at));
                    if shares.len() == count {
                        tell(&shares);
                    }
                }
                Event::Gone { .. } | Event::Lost => {}
            }
        }
    }
}

/// Sends the datagram of this number.
fn send(device: &mut Device, number: u64, payload: usize) -> Result<bool, Failure> {
    let address = device.address();
    let bytes = OVERHEAD + payload;
    if let Some(frame) = device.frame(bytes) {
        compose(frame, address, number);
    }
    device.send(bytes)
}

/// The number of a datagram that is an answer, if one has come.
fn heard(device: &mut Device) -> Result<Option<u64>, Failure> {
    while let Some(event) = device.next()? {
        if let Event::Came { bytes, .. } = event
            && let Some(number) = device.frame(bytes).and_then(|frame| is_answer(frame))
        {
            return Ok(Some(number));
        }
    }
    Ok(None)
}

/// One at a time.
fn ask(device: &mut Device, count: usize, payload: usize) -> Result<(), Failure> {
    let (mut samples, warm) = (Vec::with_capacity(count), count / 10);
    let mut number = 0;
    while count == 0 || samples.len() < count {
        number += 1;
        let began = process::now()?;
        let deadline = Deadline::after(PATIENCE)?;
        send(device, number, payload)?;
        loop {
            match device.wait(deadline) {
                // It is lost, or nobody is there yet.
                Err(Failure::Call(Error::DeadlinePassed)) => break,
                waited => waited?,
            }
            if heard(device)? == Some(number) {
                let took = process::now()?.saturating_sub(began);
                if number > warm as u64 && count > 0 {
                    samples.push(took);
                }
                break;
            }
        }
    }
    tell(&samples);
    Ok(())
}

/// Many at a time.
fn flood(device: &mut Device, count: usize, payload: usize, window: u64) -> Result<(), Failure> {
    let (mut samples, mut warm) = (Vec::with_capacity(count), count / 10);
    let (mut number, mut under_way, mut done, mut untold) = (0, 0, 0, 0);
    let mut began = process::now()?;
    while count == 0 || samples.len() < count {
        while under_way < window && send(device, number, payload)? {
            number += 1;
            under_way += 1;
        }
        match device.wait(Deadline::after(PATIENCE)?) {
            // What was under way is lost: all of it is begun anew.
            Err(Failure::Call(Error::DeadlinePassed)) => {
                (under_way, done, began) = (0, 0, process::now()?);
                continue;
            }
            waited => waited?,
        }
        while heard(device)?.is_some() {
            under_way = under_way.saturating_sub(1);
            done += 1;
        }
        if done >= BATCH {
            let now = process::now()?;
            let each = now.saturating_sub(began) / done;
            untold += done;
            if untold >= BETWEEN_LINES {
                println!("flooded {untold}");
                untold = 0;
            }
            (done, began) = (0, now);
            match warm.checked_sub(1) {
                Some(rest) => warm = rest,
                None if count > 0 => samples.push(each),
                None => {}
            }
        }
    }
    tell(&samples);
    Ok(())
}

fn refused(failure: Failure) -> Error {
    log!("{failure}");
    Error::Refused
}

#[hallows::main]
async fn main(start: Start<'_>, events: &Events) -> Result<(), Error> {
    let count: usize = start.setting("count", 20_000)?;
    let payload: usize = start.setting("payload", 64)?;
    let window: u64 = start.setting("window", 96)?;
    if !(size_of::<u64>()..=MOST_PAYLOAD).contains(&payload) {
        log!("a datagram carries from 8 to {MOST_PAYLOAD} bytes");
        return Err(Error::BadArgument);
    }
    let Ok(card) = start.grant("card") else {
        let network = Network::granted(&start, "net", events)?;
        let asked = socket::ask(&network, events, count, payload).await;
        return asked.map(|samples| tell(&samples)).map_err(Into::into);
    };
    let mut device = Device::open(card)?;
    let what: String = start.setting("do", String::from("answer"))?;
    match what.as_str() {
        "ask" => ask(&mut device, count, payload).map_err(refused),
        "flood" => flood(&mut device, count, payload, window).map_err(refused),
        "answer" => answer(&mut device, count).map_err(refused),
        other => {
            log!("`{other}` is nothing to do: ask, flood, or answer");
            Err(Error::BadArgument)
        }
    }
}
