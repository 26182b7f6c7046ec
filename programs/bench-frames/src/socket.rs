//! The same over a socket of a network service.

use alloc::vec;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, SocketAddr};

use hallows::net::{Network, Problem};
use hallows::task::Events;
use hallows::{Deadline, process};

use crate::PATIENCE;
use crate::datagram::{ECHO, FAR, MOST_PAYLOAD};

/// One at a time: samples, in nanoseconds.
pub async fn ask(
    network: &Network<'_>,
    events: &Events,
    count: usize,
    payload: usize,
) -> Result<Vec<u64>, Problem> {
    let to = SocketAddr::new(Ipv4Addr::from(FAR).into(), ECHO);
    let mut socket = network.bind(0)?;
    let (mut samples, mut said, mut heard) =
        (Vec::with_capacity(count), vec![0xa5; payload], [0; MOST_PAYLOAD]);
    let mut number = 0_u64;
    while samples.len() < count {
        number += 1;
        said[..8].copy_from_slice(&number.to_le_bytes());
        let began = process::now()?;
        let exchange = async {
            socket.send_to(&said, to).await?;
            // An answer that comes too late is another's.
            while heard[..8] != said[..8] {
                socket.receive_from(&mut heard).await?;
            }
            Ok::<(), Problem>(())
        };
        let Ok(exchanged) = events.with_deadline(Deadline::after(PATIENCE)?, exchange).await else {
            continue;
        };
        exchanged?;
        if number > count as u64 / 10 {
            samples.push(process::now()?.saturating_sub(began));
        }
    }
    Ok(samples)
}
