//! A TCP server for Unix, with nothing but Rust's standard library: it says what it hears, to one client after another, on the port that it is given
//! as descriptor 3. `hallows run echo.wasm --net host:7007`
//!
//! `rustc --edition 2024 --target wasm32-wasip1 -O -o echo.wasm src/main.rs`

#[cfg(target_os = "wasi")]
fn main() -> std::io::Result<()> {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::os::fd::FromRawFd;

    // SAFETY: the port has this number, and nobody else uses it.
    #[allow(unsafe_code, reason = "WASI preview 1 has no other way to a port that was given")]
    let listener = unsafe { TcpListener::from_raw_fd(3) };
    let clients: usize = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(usize::MAX);
    for stream in listener.incoming().take(clients) {
        let mut stream = stream?;
        let mut bytes = vec![0; 64 << 10];
        loop {
            match stream.read(&mut bytes) {
                Ok(0) => break,
                Ok(count) => stream.write_all(&bytes[..count])?,
                Err(error) => {
                    eprintln!("a client has gone: {error}");
                    break;
                }
            }
        }
    }
    Ok(())
}

#[cfg(not(target_os = "wasi"))]
fn main() {
    eprintln!("build me for wasm32-wasip1: there a port is given");
}
