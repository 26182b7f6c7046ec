//! What commands promise each other: long work beside short commands, transactions, memory, hostile bytes.

use hallows_kv_engine::{Config, Engine, Eviction, Progress, Seed, Session};
use proptest::prelude::*;

const NOW: u64 = 1_700_000_000_000;

fn engine() -> Engine {
    Engine::new(Config::default(), Seed(1, 2), NOW)
}

fn client(engine: &mut Engine) -> Session {
    engine.connect("test".into()).expect("there is room")
}

fn take(session: &mut Session) -> String {
    let mut answer = Vec::new();
    while let Some(piece) = session.output().take() {
        answer.extend_from_slice(piece.bytes());
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// One turn of a client, without any work in pieces.
fn turn(engine: &mut Engine, session: &mut Session, line: &str) -> (Progress, String) {
    session.receive(line.as_bytes());
    session.receive(b"\r\n");
    let progress = engine.run(session, NOW);
    (progress, take(session))
}

/// All of what a client is answered.
fn say(engine: &mut Engine, session: &mut Session, line: &str) -> String {
    let (mut progress, mut answer) = turn(engine, session, line);
    while progress == Progress::Waiting || progress == Progress::More {
        engine.work(NOW);
        progress = engine.run(session, NOW);
        answer += &take(session);
    }
    answer
}

fn fill(engine: &mut Engine, session: &mut Session, command: &str, count: usize) {
    for first in (0..count).step_by(100) {
        let items: Vec<_> = (first..first + 100)
            .map(|number| match command {
                "ZADD big" => format!("{number} m{number:06}"),
                "HSET big" => format!("f{number:06} v"),
                "MSET" => format!("key{number:06} v"),
                _ => format!("m{number:06}"),
            })
            .collect();
        let answer = say(engine, session, &format!("{command} {}", items.join(" ")));
        assert!(!answer.starts_with('-'), "{answer}");
    }
}

#[test]
fn others_are_answered_while_a_long_command_is_under_way_and_it_sees_one_moment() {
    for (fill_with, slow, change, count) in [
        ("RPUSH big", "LRANGE big 0 -1", "RPUSH big more", 5_000),
        ("RPUSH big", "LPOS big nothing COUNT 0 RANK -1", "LPOP big", 0),
        ("SADD big", "SMEMBERS big", "SREM big m000001", 5_000),
        ("HSET big", "HGETALL big", "HSET big f000001 other", 10_000),
        ("ZADD big", "ZRANGE big 0 -1", "ZADD big 0 more", 5_000),
        ("SADD big", "SORT big ALPHA", "DEL big", 5_000),
        ("MSET", "KEYS *", "GET key000001", 5_000),
    ] {
        let mut engine = engine();
        let (mut one, mut other) = (client(&mut engine), client(&mut engine));
        fill(&mut engine, &mut one, fill_with, 5_000);
        assert_eq!(turn(&mut engine, &mut one, slow), (Progress::Waiting, String::new()), "{slow}");
        let mut answered = 0;
        let answer = loop {
            let (progress, answer) = turn(&mut engine, &mut other, "PING");
            assert_eq!((progress, &*answer), (Progress::Idle, "+PONG\r\n"));
            answered += 1;
            if answered == 3 {
                let (progress, answer) = turn(&mut engine, &mut other, change);
                assert_eq!(progress, Progress::Idle, "{change}: {answer}");
            }
            engine.work(NOW);
            if engine.run(&mut one, NOW) != Progress::Waiting {
                break take(&mut one);
            }
        };
        assert!(answered > 10, "{slow} was {answered} pieces");
        assert!(answer.starts_with(&format!("*{count}\r\n")), "{slow}: {}", &answer[..20.min(answer.len())]);
        assert!(!answer.contains("more") && !answer.contains("other"), "{slow} sees what came later");
    }
}

#[test]
fn who_needs_a_key_that_long_work_changes_waits_for_it_and_nobody_else_does() {
    let mut engine = engine();
    let [mut one, mut other, mut third] = [(); 3].map(|()| client(&mut engine));
    fill(&mut engine, &mut one, "SADD big", 5_000);
    assert_eq!(turn(&mut engine, &mut one, "SUNIONSTORE target big").0, Progress::Waiting);
    assert_eq!(turn(&mut engine, &mut other, "SCARD target"), (Progress::Waiting, String::new()));
    assert_eq!(turn(&mut engine, &mut third, "SET free 1").1, "+OK\r\n");
    let mut woken = Vec::new();
    while engine.run(&mut one, NOW) == Progress::Waiting {
        engine.work(NOW);
        woken.extend(engine.woken());
    }
    assert_eq!(take(&mut one), ":5000\r\n");
    assert!(woken.contains(&other.id()), "who waits for the key is woken");
    assert_eq!(engine.run(&mut other, NOW), Progress::Idle);
    assert_eq!(take(&mut other), ":5000\r\n");
}

#[test]
fn whoever_leaves_while_work_of_theirs_is_under_way_harms_nobody() {
    let mut engine = engine();
    let mut one = client(&mut engine);
    fill(&mut engine, &mut one, "SADD big", 2_000);
    assert_eq!(turn(&mut engine, &mut one, "SUNIONSTORE target big").0, Progress::Waiting);
    engine.disconnect(one);
    while engine.work(NOW) {}
    let mut other = client(&mut engine);
    assert_eq!(say(&mut engine, &mut other, "SCARD target"), ":2000\r\n");
}

#[test]
fn what_is_large_is_freed_in_pieces() {
    let mut engine = engine();
    let mut one = client(&mut engine);
    for (command, key) in
        [("RPUSH big", "big"), ("SADD big", "big"), ("HSET big", "big"), ("ZADD big", "big")]
    {
        fill(&mut engine, &mut one, command, 20_000);
        assert_eq!(turn(&mut engine, &mut one, &format!("DEL {key}")), (Progress::Idle, ":1\r\n".to_owned()));
        assert_eq!(engine.store.bytes(), 0, "it is not counted any more");
        let pieces = (0..).take_while(|_| engine.work(NOW)).count();
        assert!(pieces > 100, "{command}: {pieces} pieces");
    }
    fill(&mut engine, &mut one, "MSET", 20_000);
    assert_eq!(turn(&mut engine, &mut one, "FLUSHALL").1, "+OK\r\n");
    assert_eq!(engine.store.bytes(), 0);
    assert!((0..).take_while(|_| engine.work(NOW)).count() > 100);
}

#[test]
fn a_transaction_is_done_as_a_whole_unless_a_watched_key_was_changed() {
    let mut engine = engine();
    let (mut one, mut other) = (client(&mut engine), client(&mut engine));
    say(&mut engine, &mut one, "WATCH a");
    say(&mut engine, &mut other, "SET a 2");
    say(&mut engine, &mut one, "MULTI");
    assert_eq!(say(&mut engine, &mut one, "SET b 1"), "+QUEUED\r\n");
    assert_eq!(say(&mut engine, &mut one, "EXEC"), "*-1\r\n");
    assert_eq!(say(&mut engine, &mut one, "EXISTS b"), ":0\r\n");
    for line in ["WATCH a", "MULTI", "SET b 1", "INCR b"] {
        say(&mut engine, &mut one, line);
    }
    assert_eq!(say(&mut engine, &mut one, "EXEC"), "*2\r\n+OK\r\n:2\r\n");
    // A key that expires was changed.
    for line in ["SET c 1 PX 10", "WATCH c", "MULTI", "PING"] {
        say(&mut engine, &mut one, line);
    }
    one.receive(b"EXEC\r\n");
    engine.run(&mut one, NOW + 20);
    assert_eq!(take(&mut one), "*-1\r\n");
}

#[test]
fn memory_has_a_bound_and_what_was_used_lately_stays() {
    let config =
        Config { max_memory: 200_000, eviction: Eviction::LeastRecent, samples: 10, ..Config::default() };
    let mut engine = Engine::new(config, Seed(1, 2), NOW);
    let mut one = client(&mut engine);
    for number in 0..10_000_u64 {
        one.receive(format!("SET key{number} 0123456789012345678901234567890\r\nGET key0\r\n").as_bytes());
        assert_eq!(engine.run(&mut one, NOW + number * 100), Progress::Idle);
        one.output().clear();
        assert!(engine.store.bytes() <= 200_000 + 1_000, "{} bytes", engine.store.bytes());
    }
    assert_eq!(say(&mut engine, &mut one, "EXISTS key0"), ":1\r\n", "it was used all the time");
    assert!(engine.store.counts.evicted > 5_000);
    engine.store.config.eviction = Eviction::Never;
    engine.store.config.max_memory = 1_000;
    assert_eq!(
        say(&mut engine, &mut one, "SET a 1"),
        "-OOM command not allowed when used memory > 'maxmemory'.\r\n"
    );
    assert!(say(&mut engine, &mut one, "GET key0").starts_with('$'), "reading goes on");
}

#[test]
fn keys_expire_when_they_are_asked_for_and_when_they_are_not() {
    let mut engine = engine();
    let mut one = client(&mut engine);
    say(&mut engine, &mut one, "SET b 1 EX 100");
    say(&mut engine, &mut one, "SET a 1 PX 100");
    assert_eq!(engine.next_expiry(), Some(NOW + 100));
    one.receive(b"GET a\r\n");
    engine.run(&mut one, NOW + 101);
    assert_eq!(take(&mut one), "$-1\r\n");
    assert!(!engine.work(NOW + 100_001));
    assert_eq!(say(&mut engine, &mut one, "DBSIZE"), ":0\r\n");
}

proptest! {
    /// Whatever comes, the engine answers or ends the connection.
    #[test]
    fn arbitrary_bytes_harm_nobody(pieces in prop::collection::vec(prop::collection::vec(prop_oneof![
        Just(b"*2\r\n$4\r\nKEYS\r\n$1\r\n*\r\n".to_vec()), Just(b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$".to_vec()), Just(b"\r\n".to_vec()),
        Just(b"MULTI\r\n".to_vec()), Just(b"EXEC\r\n".to_vec()), Just(b"*-1\r\n*0\r\n".to_vec()), Just(b"$1\r\n".to_vec()),
        prop::collection::vec(any::<u8>(), 0..20),
    ], 0..6), 0..10)) {
        let mut engine = engine();
        let mut one = client(&mut engine);
        for piece in pieces {
            one.receive(&piece.concat());
            loop {
                match engine.run(&mut one, NOW) {
                    Progress::Idle => break,
                    Progress::Leaving => return Ok(()),
                    Progress::More | Progress::Waiting => { engine.work(NOW); }
                }
                take(&mut one);
            }
        }
        let mut other = client(&mut engine);
        prop_assert_eq!(say(&mut engine, &mut other, "PING"), "+PONG\r\n");
    }

    /// Whatever arguments a command gets, it answers once.
    #[test]
    fn arbitrary_arguments_are_answered(
        commands in prop::collection::vec((any::<prop::sample::Index>(), prop::collection::vec(prop_oneof![
            Just("k"), Just("l"), Just("0"), Just("1"), Just("-1"), Just("9223372036854775807"), Just("-9223372036854775808"), Just("2"), Just("inf"), Just("x"),
            Just("LIMIT"), Just("COUNT"), Just("WITHSCORES"), Just("BYSCORE"), Just("BYLEX"), Just("REV"), Just("GET"), Just("EX"), Just("STORE"), Just("BY"), Just("*"), Just("-"), Just("+"), Just("[a"), Just("LEFT"), Just("MATCH"), Just("RANK"), Just("WEIGHTS"),
        ], 0..7)), 1..60),
    ) {
        let mut engine = engine();
        let mut one = client(&mut engine);
        let names = say(&mut engine, &mut one, "COMMAND LIST");
        let names: Vec<_> = names.split("\r\n").filter(|line| line.chars().all(|c| c.is_ascii_lowercase() || c == '_') && !line.is_empty()).collect();
        for (name, arguments) in commands {
            let name = names[name.index(names.len())];
            if ["quit", "shutdown", "setbit", "setrange"].contains(&name) { continue }
            let answer = say(&mut engine, &mut one, &format!("{name} {}", arguments.join(" ")));
            prop_assert!(answer.ends_with("\r\n"), "{name} {arguments:?}: {answer:?}");
        }
    }
}
