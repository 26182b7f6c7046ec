//! The generator against a server whose delays and mistakes are known.
#![expect(clippy::unwrap_used, reason = "a test's panic is its failure")]

mod support;

use std::time::Duration;

use hallows_load::{
    Arrivals, Class, Client, Data, Load, LoadError, Measured, Pace, Protocol, Request, Waiting, generate,
};
use hdrhistogram::Histogram;
use support::{Does, Server};

const DATA: Data = Data { keys: 500, value_bytes: 32 };

fn class(name: &str, share: f64, request: Request) -> Class {
    Class { name: name.to_owned(), share, request }
}

fn gets() -> Vec<Class> {
    vec![class("GET", 1.0, Request::Get)]
}

fn load<'l>(server: &Server, classes: &'l [Class], per_second: f64) -> Load<'l> {
    Load {
        address: server.address,
        protocol: Protocol::Resp,
        data: DATA,
        classes,
        pace: Pace::Open { arrivals: Arrivals::Uniform, per_second },
        connections: 4,
        depth: 1,
        lasts: Duration::from_secs(1),
        warm_up: Duration::ZERO,
        // A busy host may keep a test waiting.
        grace: Duration::from_secs(60),
        waiting: Waiting::Sleep,
        seed: 1,
    }
}

fn run(load: &Load<'_>) -> Result<Measured, LoadError> {
    generate(load, &|| false)
}

/// How many are longer than so many milliseconds.
fn above(histogram: &Histogram<u64>, ms: u64) -> u64 {
    histogram.count_between(ms * 1_000_000, u64::MAX)
}

/// 200 requests are due while nobody is answered for 100 ms, and each waits for the rest of it: half of them for more than 50 ms. A generator that waited for
/// answers before it asked again would have seen four.
#[test]
fn a_server_that_stalls_shows_up_with_all_requests_that_were_due_meanwhile() {
    let stall = |number| if number == 1_000 { Does::Stall(Duration::from_millis(100)) } else { Does::Right };
    let classes = gets();
    let mut late = Vec::new();
    for _ in 0..5 {
        let server = Server::start(DATA, stall);
        let measured = run(&load(&server, &classes, 2_000.0)).unwrap();
        let latency = &measured.latency_ns[0];
        assert_eq!((measured.due, measured.unfinished, measured.wrong), (latency.len(), 0, 0));
        assert!((1_999..=2_000).contains(&measured.due), "{}", measured.due);
        assert!(latency.max() >= 99_000_000, "{}", latency.max());
        assert!(above(latency, 50) >= 95, "{}", above(latency, 50));
        assert!(above(latency, 10) >= 175, "{}", above(latency, 10));
        // The generator is not to blame for it. In one of several runs: a host may take its core away in any.
        late.push(above(&measured.late_ns, 50));
        if late.last() == Some(&0) {
            return;
        }
    }
    panic!("the generator was late itself: {late:?}");
}

/// Half of the requests are handed over within 0.2 ms. In one of several runs, since a host may have no core for it in any.
#[test]
fn a_generator_that_sleeps_is_back_when_requests_are_due() {
    let classes = gets();
    let mut late = Vec::new();
    let is_in_time = (0..5).any(|_| {
        let server = Server::start(DATA, |_| Does::Right);
        let measured = run(&load(&server, &classes, 700.0)).unwrap();
        late.push(measured.late_ns.value_at_percentile(50.0));
        late.last().is_some_and(|late| *late < 200_000)
    });
    assert!(is_in_time, "{late:?}");
}

/// The generator asks now and then whether to end; who takes long to answer that holds it up.
#[test]
fn a_generator_that_is_held_up_says_so_itself() {
    let server = Server::start(DATA, |_| Does::Right);
    let classes = gets();
    let held_up = || {
        std::thread::sleep(Duration::from_millis(50));
        false
    };
    let measured = generate(&load(&server, &classes, 1_000.0), &held_up).unwrap();
    assert!(measured.late_ns.max() > 40_000_000, "{}", measured.late_ns.max());
    assert!(measured.away > Duration::from_millis(500), "{:?}", measured.away);
    assert!(!measured.kept_up());
    // No request is lost by it.
    assert_eq!(measured.unfinished, 0);
}

#[test]
fn who_does_less_than_is_offered_leaves_requests_undone() {
    // At most 500 in a second.
    let server = Server::start(DATA, |_| Does::Stall(Duration::from_millis(2)));
    let classes = gets();
    let offered = Load { grace: Duration::from_millis(100), ..load(&server, &classes, 5_000.0) };
    let measured = run(&offered).unwrap();
    assert!((4_990..=5_001).contains(&measured.due), "{}", measured.due);
    assert!(measured.unfinished >= 4_400, "{}", measured.unfinished);
    assert!(measured.done_per_second() <= 505.0, "{}", measured.done_per_second());
    assert!(measured.done > 0);
    // Those that were answered had waited since they were due.
    assert!(measured.latency_ns[0].max() > 500_000_000, "{}", measured.latency_ns[0].max());
}

#[test]
fn classes_have_their_shares_and_histograms_of_their_own() {
    let slow = |number: u64| {
        if number.is_multiple_of(50) { Does::Stall(Duration::from_millis(1)) } else { Does::Right }
    };
    let server = Server::start(DATA, slow);
    let classes = [
        class("GET", 0.7, Request::Get),
        class("SET", 0.2, Request::Set),
        class("KEYS", 0.05, Request::Search),
        class("MGET", 0.05, Request::GetMany(20)),
    ];
    let measured = run(&load(&server, &classes, 4_000.0)).unwrap();
    assert_eq!((measured.wrong, measured.unfinished), (0, 0), "{:?}", measured.first_wrong);
    assert_eq!(measured.answered, server.served());
    let all = measured.all_ns().len();
    assert_eq!(all, measured.due);
    for (class, latency) in classes.iter().zip(&measured.latency_ns) {
        let share = latency.len() as f64 / all as f64;
        assert!((share - class.share).abs() < 0.04, "{}: {share}", class.name);
    }
}

#[test]
fn the_warm_up_is_not_counted() {
    let server =
        Server::start(
            DATA,
            |number| if number < 100 { Does::Stall(Duration::from_millis(1)) } else { Does::Right },
        );
    let classes = gets();
    let offered = Load { warm_up: Duration::from_millis(500), ..load(&server, &classes, 1_000.0) };
    let measured = run(&offered).unwrap();
    assert!((499..=501).contains(&measured.due), "{}", measured.due);
    assert_eq!(measured.latency_ns[0].len(), measured.due);
    assert!((998..=1_001).contains(&measured.answered), "{}", measured.answered);
    assert_eq!(measured.counted, Duration::from_millis(500));
}

#[test]
fn wrong_answers_are_counted_and_the_first_is_shown() {
    let server = Server::start(DATA, |number| match number {
        10 => Does::Says(b"-ERR out of luck\r\n"),
        20 => Does::Says(b"$3\r\nabc\r\n"),
        30 => Does::Says(b"$-1\r\n"),
        _ => Does::Right,
    });
    let classes = gets();
    let measured = run(&load(&server, &classes, 500.0)).unwrap();
    assert_eq!(measured.wrong, 3);
    assert_eq!(measured.latency_ns[0].len() + 3, measured.due);
    let first = measured.first_wrong.unwrap();
    assert!(first.starts_with("to GET of key ") && first.ends_with(": '-ERR out of luck'"), "{first}");
}

#[test]
fn who_hangs_up_or_speaks_otherwise_or_never_answers_ends_the_run_or_is_counted() {
    let classes = gets();
    let after = |does: Does| move |number| if number < 50 { Does::Right } else { does };
    let server = Server::start(DATA, after(Does::Closes));
    let error = run(&load(&server, &classes, 500.0)).unwrap_err();
    assert!(matches!(error, LoadError::Closed { .. } | LoadError::System { .. }), "{error}");
    let server = Server::start(DATA, after(Does::Says(b"HTTP/1.1 400 Bad Request\r\n\r\n")));
    let error = run(&load(&server, &classes, 500.0)).unwrap_err().to_string();
    assert!(error.contains("does not speak RESP") && error.contains("HTTP/1.1 400"), "{error}");
    // More than was asked for.
    let server = Server::start(DATA, after(Does::Says(b"+A\r\n+B\r\n")));
    let error = run(&load(&server, &classes, 500.0)).unwrap_err().to_string();
    assert!(error.contains("without being asked"), "{error}");
    // Four connections, each with one that is never answered, and no room for others.
    let server = Server::start(DATA, after(Does::Nothing));
    let offered = Load { grace: Duration::from_millis(50), ..load(&server, &classes, 500.0) };
    let measured = run(&offered).unwrap();
    assert_eq!(measured.unfinished + measured.latency_ns[0].len(), measured.due);
    assert_eq!(measured.answered, 50);
    let nobody = Load { address: "127.0.0.1:1".parse().unwrap(), ..offered };
    assert!(run(&nobody).unwrap_err().to_string().contains("cannot connect"));
}

#[test]
fn requests_are_pipelined_up_to_the_depth_and_a_closed_loop_keeps_all_connections_busy() {
    let server = Server::start(DATA, |number| {
        if number.is_multiple_of(100) { Does::Stall(Duration::from_millis(5)) } else { Does::Right }
    });
    let classes = gets();
    let closed = Load {
        pace: Pace::Closed,
        connections: 2,
        depth: 8,
        waiting: Waiting::Spin,
        lasts: Duration::from_millis(500),
        ..load(&server, &classes, 1.0)
    };
    let measured = run(&closed).unwrap();
    assert_eq!((measured.wrong, measured.unfinished), (0, 0));
    assert_eq!(measured.answered, server.served());
    assert!((2..=8).contains(&server.deepest()), "{}", server.deepest());
}

#[test]
fn the_same_seed_asks_the_same_and_runs_of_one_load_add_up() {
    let classes = [class("GET", 0.5, Request::Get), class("SET", 0.5, Request::Set)];
    let samples = |seed| {
        let server = Server::start(DATA, |_| Does::Right);
        let random = Pace::Open { arrivals: Arrivals::Poisson, per_second: 2_000.0 };
        run(&Load { seed, pace: random, lasts: Duration::from_millis(300), ..load(&server, &classes, 1.0) })
            .unwrap()
    };
    let counts = |measured: &Measured| measured.latency_ns.iter().map(Histogram::len).collect::<Vec<_>>();
    let (mut one, again, other) = (samples(1), samples(1), samples(2));
    assert_eq!(counts(&one), counts(&again));
    assert_ne!(counts(&one), counts(&other));
    let sum: Vec<u64> = counts(&one).iter().zip(counts(&other)).map(|(one, other)| one + other).collect();
    one.add(&other);
    assert_eq!(counts(&one), sum);
    assert_eq!(one.counted, Duration::from_millis(600));
}

#[test]
fn somebody_who_wants_an_end_gets_it() {
    let server = Server::start(DATA, |_| Does::Right);
    let classes = gets();
    let long = Load { lasts: Duration::from_secs(3_000), ..load(&server, &classes, 100.0) };
    assert!(matches!(generate(&long, &|| true), Err(LoadError::Stopped)));
}

#[test]
fn loads_that_make_no_sense_are_refused() {
    let server = Server::start(DATA, |_| Does::Right);
    let classes = gets();
    let good = load(&server, &classes, 100.0);
    good.check().unwrap();
    let (half, many) = (vec![class("GET", 0.5, Request::Get)], vec![class("MGET", 1.0, Request::GetMany(0))]);
    let search = vec![class("KEYS", 1.0, Request::Search)];
    for bad in [
        Load { classes: &[], ..good.clone() },
        Load { classes: &half, ..good.clone() },
        Load { classes: &many, ..good.clone() },
        Load { classes: &search, protocol: Protocol::Memcached, ..good.clone() },
        Load { connections: 0, ..good.clone() },
        Load { depth: 0, ..good.clone() },
        Load { depth: 1_000_000, ..good.clone() },
        Load { warm_up: good.lasts, ..good.clone() },
        Load { lasts: Duration::from_secs(100_000), ..good.clone() },
        Load { data: Data { keys: 0, value_bytes: 1 }, ..good.clone() },
        Load { pace: Pace::Open { arrivals: Arrivals::Poisson, per_second: 0.0 }, ..good.clone() },
        Load { pace: Pace::Open { arrivals: Arrivals::Poisson, per_second: f64::NAN }, ..good.clone() },
    ] {
        assert!(matches!(generate(&bad, &|| false), Err(LoadError::Argument(_))), "{bad:?}");
    }
}

#[test]
fn one_client_fills_a_store_and_asks() {
    let server =
        Server::start(DATA, |number| if number == 502 { Does::Says(b"-ERR no\r\n") } else { Does::Right });
    let mut client = Client::connect(server.address, Protocol::Resp, DATA).unwrap();
    client.greet().unwrap();
    client.fill(&|| false).unwrap();
    assert_eq!(server.served(), 501);
    client.ask(Request::Search, 7).unwrap();
    let error = client.ask(Request::Get, 7).unwrap_err().to_string();
    assert_eq!(error, "the server gave a wrong answer: to GET of key 7: '-ERR no'");
    assert!(matches!(client.fill(&|| true), Err(LoadError::Stopped)));
    let mut other = Client::connect(server.address, Protocol::Memcached, DATA);
    // The test's server takes no such words.
    assert!(other.as_mut().unwrap().greet().is_err());
}
