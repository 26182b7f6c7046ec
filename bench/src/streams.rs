//! The shape of `stream`: bytes in bulk over TCP, one way, from whoever writes as much as is taken; counted where they come. And a client of Linux's that
//! writes them.

use std::io::{ErrorKind, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::Duration;

use crate::cores::{Priority, settle};
use crate::error::BenchError;
use crate::samples::Samples;
use crate::turn::Turn;
use crate::wire::{FAR_ADDRESS, PORT, Wire};

/// Streams at the same time, in the benches of `stream`.
pub const STREAMS: [usize; 2] = [1, 64];

/// Bytes of a write: iperf3's own.
pub const PIECE_BYTES: usize = 128 << 10;

/// A stream that takes no byte for so long is an error.
const PATIENCE: Duration = Duration::from_secs(10);

/// The figure for so many bytes in this time: that of a KiB.
///
/// # Errors
/// When there were none.
pub fn per_kib(nanoseconds: u64, bytes: u64) -> Result<Samples, BenchError> {
    if bytes == 0 {
        return Err(BenchError::Wrong("no bytes came".to_owned()));
    }
    Ok(Samples::scaled(vec![nanoseconds], 1_024.0 / bytes as f64))
}

/// Writes from the near end of a wire, on the turn's first core, a thread for each stream, until the far end has told how many nanoseconds it took to read how
/// many bytes.
///
/// # Errors
/// When the far end does not take the bytes, or has more than there were.
pub fn stream(
    wire: &Wire,
    turn: &Turn<'_>,
    streams: usize,
    told: impl FnOnce() -> Result<(u64, u64), BenchError>,
) -> Result<Samples, BenchError> {
    let connections: Vec<_> = wire.near(|| (0..streams).map(|_| connect()).collect::<Result<_, _>>())??;
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let is_over = &is_over;
        let start = |stream| {
            scope.spawn(move || {
                settle(turn.cores.first(), Priority::Ordinary)?;
                write(stream, is_over)
            })
        };
        let writing: Vec<_> = connections.iter().map(start).collect();
        let told = told();
        is_over.store(true, Ordering::Relaxed);
        for stream in &connections {
            // Who waits in a write need not wait for its end.
            let _ = stream.shutdown(Shutdown::Both);
        }
        let join = |one: ScopedJoinHandle<'_, _>| one.join().unwrap_or_else(|panic| resume_unwind(panic));
        let written: u64 = writing.into_iter().map(join).sum::<Result<_, BenchError>>()?;
        let (nanoseconds, bytes) = told?;
        if bytes > written {
            return Err(BenchError::Wrong(format!("of {written} bytes the other end has {bytes}")));
        }
        per_kib(nanoseconds, bytes)
    })
}

fn connect() -> Result<TcpStream, BenchError> {
    let address =
        FAR_ADDRESS.parse().map_err(|_| BenchError::Wrong(format!("{FAR_ADDRESS} is no address")))?;
    let stream = TcpStream::connect_timeout(&SocketAddr::new(address, PORT), PATIENCE)
        .map_err(BenchError::system("connect to the far end"))?;
    stream.set_write_timeout(Some(PATIENCE)).map_err(BenchError::system("bound a stream's time"))?;
    Ok(stream)
}

/// Writes until it is over; how many bytes.
fn write(mut stream: &TcpStream, is_over: &AtomicBool) -> Result<u64, BenchError> {
    let bytes = vec![0xa5; PIECE_BYTES];
    let mut written = 0;
    while !is_over.load(Ordering::Relaxed) {
        match stream.write(&bytes) {
            Ok(some) => written += some as u64,
            Err(_) if is_over.load(Ordering::Relaxed) => {
                // Some of this piece may have gone.
                written += PIECE_BYTES as u64;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let text = format!("a stream has stalled: the other end took nothing for {PATIENCE:?}");
                return Err(BenchError::Wrong(text));
            }
            Err(source) => return Err(BenchError::System { action: "write to a stream", source }),
        }
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_figure_is_the_time_of_a_kib_and_nothing_has_none() {
        let samples: Vec<f64> = per_kib(1_000_000, 4 << 20).expect("some bytes").values().collect();
        assert!((samples[0] - 1_000_000.0 / 4_096.0).abs() < 1e-9, "{samples:?}");
        assert!(per_kib(1, 0).is_err());
    }

    #[test]
    fn a_stream_is_written_until_it_is_over_and_one_that_is_not_taken_is_an_error() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let stream = TcpStream::connect(listener.local_addr().expect("an address")).expect("it listens");
        let (mut other, _) = listener.accept().expect("somebody comes");
        let is_over = AtomicBool::new(false);
        let (written, read) = std::thread::scope(|scope| {
            let writing = scope.spawn(|| write(&stream, &is_over));
            let mut room = vec![0; PIECE_BYTES];
            other.read_exact(&mut room).expect("it writes");
            is_over.store(true, Ordering::Relaxed);
            stream.shutdown(Shutdown::Both).expect("it is open");
            let rest = other.read_to_end(&mut room).expect("it ends");
            (writing.join().expect("no panic"), PIECE_BYTES + rest)
        });
        assert!(written.expect("it was written") >= read as u64);
        is_over.store(false, Ordering::Relaxed);
        let error = write(&stream, &is_over).expect_err("it is shut").to_string();
        assert!(error.contains("write to a stream"), "{error}");
    }
}
