//! What commands cost in the engine, without a network: `cargo bench -p hallows-kv-engine`.
//!
//! Whoever frees something large pays there for all small things that were freed before, by the way in which glibc's heap works, and not that of cells:
//! `GLIBC_TUNABLES=glibc.malloc.mxfast=0` keeps it from doing so.

use std::hint::black_box;

use hallows_kv_engine::{Config, Engine, Progress, Seed, Session};

/// Keys that there are.
const KEYS: u64 = 1_000_000;
/// Requests that are sent at once.
const PIPELINE: u64 = 16;

/// Nanoseconds that this thread has had a core: what others on this machine do is not counted.
fn cpu_ns() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    u64::try_from(time.tv_sec * 1_000_000_000 + time.tv_nsec).expect("time goes on")
}

fn request(words: &[&[u8]]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

fn run(engine: &mut Engine, session: &mut Session, bytes: &[u8]) {
    session.receive(bytes);
    while engine.run(session, 1) != Progress::Idle {
        engine.work(1);
        black_box(session.output().len());
        session.output().clear();
    }
    black_box(session.output().len());
    session.output().clear();
}

/// Nanoseconds for each request, of requests that differ.
fn measure(name: &str, engine: &mut Engine, make: impl Fn(u64) -> Vec<Vec<u8>>) {
    let mut session = engine.connect("bench".into()).expect("there is room");
    let batches: Vec<Vec<u8>> = (0..20_000_u64)
        .map(|batch| {
            let requests = (0..PIPELINE).map(|number| {
                let chosen = (batch * PIPELINE + number).wrapping_mul(0x9e37_79b9_7f4a_7c15) % KEYS;
                let words = make(chosen);
                request(&words.iter().map(Vec::as_slice).collect::<Vec<_>>())
            });
            requests.flatten().collect()
        })
        .collect();
    let mut best = f64::MAX;
    for _ in 0..3 {
        let begin = cpu_ns();
        for batch in &batches {
            run(engine, &mut session, batch);
        }
        best = best.min((cpu_ns() - begin) as f64 / (batches.len() as u64 * PIPELINE) as f64);
    }
    println!("{name:<28} {best:>8.0} ns");
    engine.disconnect(session);
}

fn main() {
    let mut engine = Engine::new(Config::default(), Seed(1, 2), 1);
    let mut session = engine.connect("bench".into()).expect("there is room");
    let key = |number: u64| format!("key:{number:012}").into_bytes();
    for number in 0..KEYS {
        run(&mut engine, &mut session, &request(&[b"SET", &key(number), b"0123456789abcdef"]));
    }
    println!(
        "one request of {PIPELINE} in a pipeline, {KEYS} keys, best of 3 rounds; the request is read and the answer written\n"
    );
    let w = |words: &[&[u8]]| words.iter().map(|word| word.to_vec()).collect::<Vec<_>>();
    measure("PING", &mut engine, |_| w(&[b"PING"]));
    measure("GET", &mut engine, |n| w(&[b"GET", &key(n)]));
    measure("GET of 1,000 keys", &mut engine, |n| w(&[b"GET", &key(n % 1_000)]));
    measure("SET of 1,000 keys", &mut engine, |n| w(&[b"SET", &key(n % 1_000), b"abcdef0123456789"]));
    measure("SET", &mut engine, |n| w(&[b"SET", &key(n), b"abcdef0123456789"]));
    measure("SET with EX", &mut engine, |n| w(&[b"SET", &key(n), b"abcdef0123456789", b"EX", b"100"]));
    measure("INCR", &mut engine, |n| w(&[b"INCR", format!("counter:{}", n % 1_000).as_bytes()]));
    measure("LPUSH", &mut engine, |_| w(&[b"LPUSH", b"list", b"abc"]));
    measure("LPOP", &mut engine, |_| w(&[b"LPOP", b"list"]));
    measure("SADD", &mut engine, |n| w(&[b"SADD", b"set", &key(n)]));
    measure("HSET", &mut engine, |n| w(&[b"HSET", b"hash", &key(n), b"value"]));
    measure("ZADD", &mut engine, |n| w(&[b"ZADD", b"sorted", n.to_string().as_bytes(), &key(n)]));
    measure("LRANGE of 100", &mut engine, |_| w(&[b"LRANGE", b"list", b"0", b"99"]));
    measure("ZRANGE of 100", &mut engine, |_| w(&[b"ZRANGE", b"sorted", b"0", b"99"]));
    longest_piece(&mut engine);
}

/// How long others wait at most while slow commands are under way.
fn longest_piece(engine: &mut Engine) {
    println!(
        "\nthe longest of all pieces while slow commands are under way, and the time that they take in all:\n"
    );
    for words in [
        &[&b"KEYS"[..], b"*99*"][..],
        &[b"SMEMBERS", b"set"],
        &[b"SORT", b"set", b"ALPHA"],
        &[b"ZRANGE", b"sorted", b"0", b"-1"],
        &[b"SUNIONSTORE", b"other", b"set"],
        &[b"ZREMRANGEBYRANK", b"sorted", b"1000", b"-1"],
        &[b"DEL", b"set", b"other", b"sorted"],
        &[b"FLUSHALL"],
    ] {
        let mut session = engine.connect("bench".into()).expect("there is room");
        session.receive(&request(words));
        let (mut pieces, begin) = (Vec::new(), cpu_ns());
        loop {
            let piece = cpu_ns();
            let progress = engine.run(&mut session, 1);
            let has_more = engine.work(1);
            pieces.push(cpu_ns() - piece);
            session.output().clear();
            if progress == Progress::Idle && !has_more {
                break;
            }
        }
        let total = cpu_ns() - begin;
        pieces.sort_unstable();
        let text = words.iter().map(|word| String::from_utf8_lossy(word)).collect::<Vec<_>>().join(" ");
        let at = |share: f64| pieces[((pieces.len() - 1) as f64 * share) as usize] as f64 / 1e3;
        println!(
            "{text:<36} {:>9} pieces, p50 {:>6.1} µs, p99.9 {:>7.1} µs, longest {:>8.1} µs, in all {:>8.1} ms",
            pieces.len(),
            at(0.5),
            at(0.999),
            at(1.0),
            total as f64 / 1e6
        );
        engine.disconnect(session);
    }
}
