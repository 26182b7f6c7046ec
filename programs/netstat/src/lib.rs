//! Shows what has gone over a network's link, and through the sockets that it may be told of.
//!
//! Granted: `net`, a network (SEND and WATCH); with `see=all` in the rule of its badge it is told of the sockets of others.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use core::net::SocketAddr;

use alloc::string::{String, ToString};

use hallows::net::protocol::{Kind, Traffic, Usage};
use hallows::net::{Network, Problem};
use hallows::task::Events;
use hallows::{Error, Start, log, println};

/// What a socket is, in a word.
const fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Listener => "listener",
        Kind::Connection => "tcp",
        Kind::Datagrams => "udp",
        Kind::Lookup => "lookup",
        Kind::Echoes => "ping",
    }
}

fn show(usage: &Usage) {
    let Usage {
        owner,
        kind,
        state,
        port,
        peer,
        bytes_in,
        times_in,
        bytes_out,
        times_out,
        waiting_in,
        waiting_out,
        ..
    } = usage;
    let peer = peer.map_or_else(|| String::from("-"), |peer| SocketAddr::from(peer).to_string());
    let state = state.map_or_else(String::new, |state| alloc::format!(" {state:?}"));
    println!("{} port {port} peer {peer}{state}, owner {owner}", word(*kind));
    println!(
        "    in {bytes_in} bytes in {times_in} ({waiting_in} waiting), out {bytes_out} in {times_out} ({waiting_out} waiting)"
    );
}

fn show_all(network: &Network<'_>) -> Result<(), Problem> {
    let Traffic { frames_in, bytes_in, lost_in, frames_out, bytes_out, lost_out, sockets, leaving } =
        network.traffic()?;
    println!("link in: {frames_in} frames, {bytes_in} bytes, {lost_in} lost");
    println!("link out: {frames_out} frames, {bytes_out} bytes, {lost_out} lost");
    println!("sockets: {sockets}, and {leaving} connections that nobody holds");
    let mut above = 0;
    while let Some(usage) = network.usage(above)? {
        above = usage.number;
        show(&usage);
    }
    Ok(())
}

#[hallows::main]
async fn main(start: Start<'_>, events: &Events) -> Result<(), Error> {
    let network = Network::granted(&start, "net", events)?;
    show_all(&network).map_err(|problem| {
        log!("{problem}");
        problem.into()
    })
}
