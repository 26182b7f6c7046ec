//! A server that speaks RESP2 and does what a test wants, so that what a generator must see is known.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hallows_load::Data;

/// What the server does with the request of a number, counted over all connections from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// Answers as it should.
    Right,
    /// The same, and nobody is answered for so long before.
    Stall(Duration),
    /// Answers this.
    Says(&'static [u8]),
    /// Never answers, and hears no more on that connection.
    Nothing,
    /// Closes the connection.
    Closes,
}

/// A server of threads, one for each connection. It ends with the test's process.
pub struct Server {
    pub address: SocketAddr,
    served: Arc<AtomicU64>,
    deepest: Arc<AtomicU64>,
}

impl Server {
    pub fn start(data: Data, does: impl Fn(u64) -> Does + Send + Sync + 'static) -> Self {
        Self::listen(0, data, does)
    }

    /// On a port of 127.0.0.1; 0: on one that is free.
    pub fn listen(port: u16, data: Data, does: impl Fn(u64) -> Does + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("a port");
        let address = listener.local_addr().expect("bound");
        let (served, deepest) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let (turn, does) = (Arc::new(Mutex::new(())), Arc::new(does));
        let server = Self { address, served: Arc::clone(&served), deepest: Arc::clone(&deepest) };
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let one = Serving {
                    data,
                    socket,
                    turn: Arc::clone(&turn),
                    served: Arc::clone(&served),
                    deepest: Arc::clone(&deepest),
                };
                let does = Arc::clone(&does);
                std::thread::spawn(move || one.serve(&*does));
            }
        });
        server
    }

    /// Requests that came.
    pub fn served(&self) -> u64 {
        self.served.load(Ordering::SeqCst)
    }

    /// Most requests that were received at once on one connection.
    pub fn deepest(&self) -> u64 {
        self.deepest.load(Ordering::SeqCst)
    }
}

struct Serving {
    data: Data,
    socket: TcpStream,
    turn: Arc<Mutex<()>>,
    served: Arc<AtomicU64>,
    deepest: Arc<AtomicU64>,
}

impl Serving {
    fn serve(mut self, does: &(dyn Fn(u64) -> Does + Send + Sync)) {
        let (mut received, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            match self.socket.read(&mut buffer) {
                Ok(0) | Err(_) => return,
                Ok(read) => received.extend(&buffer[..read]),
            }
            let mut requests = Vec::new();
            while let Some((request, length)) = request(&received) {
                requests.push(request);
                received.drain(..length);
            }
            self.deepest.fetch_max(requests.len() as u64, Ordering::SeqCst);
            for request in requests {
                let number = self.served.fetch_add(1, Ordering::SeqCst);
                let turn = self.turn.lock().expect("nobody panics");
                let mut answer = Vec::new();
                match does(number) {
                    Does::Right => right(self.data, &request, &mut answer),
                    Does::Stall(long) => {
                        std::thread::sleep(long);
                        right(self.data, &request, &mut answer);
                    }
                    Does::Says(text) => answer.extend(text),
                    Does::Nothing => {
                        drop(turn);
                        // Until the other side is gone.
                        while matches!(self.socket.read(&mut buffer), Ok(read) if read > 0) {}
                        return;
                    }
                    Does::Closes => return,
                }
                drop(turn);
                if self.socket.write_all(&answer).is_err() {
                    return;
                }
            }
        }
    }
}

/// The words of the first request, and how long it is.
fn request(bytes: &[u8]) -> Option<(Vec<String>, usize)> {
    let mut at = 0;
    let mut line = |kind: u8| {
        let end = bytes[at..].windows(2).position(|pair| pair == b"\r\n")? + at;
        assert_eq!(bytes[at], kind, "{}", String::from_utf8_lossy(bytes));
        let count: usize = String::from_utf8_lossy(&bytes[at + 1..end]).parse().expect("a number");
        at = end + 2;
        let begin = at;
        if kind == b'$' {
            at += count + 2;
        }
        (at <= bytes.len()).then_some((count, begin, at))
    };
    let (words, ..) = line(b'*')?;
    let mut request = Vec::new();
    let mut length = 0;
    for _ in 0..words {
        let (count, begin, end) = line(b'$')?;
        request.push(String::from_utf8_lossy(&bytes[begin..begin + count]).into_owned());
        length = end;
    }
    Some((request, length))
}

fn right(data: Data, request: &[String], out: &mut Vec<u8>) {
    let number = |key: &str| key[4..].parse::<u32>().expect("a key's number");
    let value = |key: &str, out: &mut Vec<u8>| {
        let mut value = Vec::new();
        data.value(number(key), &mut value);
        write!(out, "${}\r\n", value.len()).expect("a Vec");
        out.extend(value);
        out.extend(b"\r\n");
    };
    match request[0].as_str() {
        "PING" => out.extend(b"+PONG\r\n"),
        "GET" => value(&request[1], out),
        "SET" => out.extend(b"+OK\r\n"),
        "KEYS" => {
            let key = request[1].replace('*', "k");
            write!(out, "*1\r\n${}\r\n{key}\r\n", key.len()).expect("a Vec");
        }
        "MGET" => {
            write!(out, "*{}\r\n", request.len() - 1).expect("a Vec");
            request[1..].iter().for_each(|key| value(key, out));
        }
        _ => out.extend(b"-ERR unknown command\r\n"),
    }
}
