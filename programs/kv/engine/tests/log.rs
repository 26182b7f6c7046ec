//! The log, cut off after every byte and changed in every byte, and transactions in it.

use hallows_kv_engine::{Config, Corrupt, Ended, Engine, Progress, Replay, Seed, Session};

const NOW: u64 = 1_700_000_000_000;

fn engine() -> Engine {
    Engine::new(Config { append_only: true, ..Config::default() }, Seed(1, 2), NOW)
}

fn say(engine: &mut Engine, session: &mut Session, line: &str) -> String {
    session.receive(line.as_bytes());
    session.receive(b"\r\n");
    let mut answer = Vec::new();
    loop {
        let progress = engine.run(session, NOW);
        while let Some(piece) = session.output().take() {
            answer.extend_from_slice(piece.bytes());
        }
        if progress == Progress::Idle {
            return String::from_utf8(answer).expect("text");
        }
        engine.work(NOW);
    }
}

/// What a store has, as its answers to some questions.
fn contents(engine: &mut Engine) -> Vec<String> {
    let mut session = engine.connect("test".into()).expect("there is room");
    let questions = [
        "DBSIZE",
        "MGET a b counter float",
        "LRANGE list 0 -1",
        "SORT set ALPHA",
        "HGET hash f",
        "HGET hash g",
        "ZRANGE sorted 0 -1 WITHSCORES",
        "PEXPIRETIME a",
        "PEXPIRETIME b",
        "SELECT 3",
        "GET other",
        "SELECT 0",
    ];
    let answers = questions.map(|question| say(engine, &mut session, question)).to_vec();
    engine.disconnect(session);
    answers
}

/// Commands of each batch.
const BATCHES: &[&[&str]] = &[
    &["SET a 1", "SET b two EX 100", "INCR counter"],
    &["RPUSH list x y z", "SADD set m n", "HSET hash f 1 g 2", "ZADD sorted 1.5 p 2 q"],
    &["MULTI", "SET a 2", "LPOP list", "SPOP set", "EXEC"],
    &[
        "SELECT 3",
        "SET other database",
        "SELECT 0",
        "INCRBYFLOAT float 0.1",
        "GETEX b PERSIST",
        "EXPIRE a 1000",
    ],
    &[
        "ZREMRANGEBYRANK sorted 0 0",
        "LTRIM list 0 0",
        "HDEL hash f",
        "SUNIONSTORE set set",
        "RENAME b c",
        "COPY c b",
    ],
];

/// A log, where each batch of it ends, and what the store has then.
fn written() -> (Vec<u8>, Vec<(usize, Vec<String>)>) {
    let mut engine = engine();
    engine.store.log.is_on = true;
    let mut session = engine.connect("test".into()).expect("there is room");
    let mut bytes = Vec::new();
    let mut ends = vec![(0, contents(&mut engine))];
    for batch in BATCHES {
        for line in *batch {
            let answer = say(&mut engine, &mut session, line);
            assert!(!answer.starts_with('-'), "{line}: {answer}");
        }
        let promised = engine.store.log.position();
        bytes.extend_from_slice(&engine.store.log.take().expect("changes"));
        assert_eq!(bytes.len() as u64, promised, "a position is where the log ends");
        ends.push((bytes.len(), contents(&mut engine)));
    }
    (bytes, ends)
}

fn read(bytes: &[u8], piece: usize) -> (Engine, Result<Ended, Corrupt>) {
    let mut engine = engine();
    let mut replay = Replay::default();
    for piece in bytes.chunks(piece) {
        if let Err(corrupt) = replay.feed(&mut engine, piece) {
            return (engine, Err(corrupt));
        }
    }
    let ended = replay.finish(&mut engine);
    (engine, ended)
}

#[test]
fn a_log_that_ends_anywhere_gives_all_that_was_acknowledged_and_nothing_by_half() {
    let (bytes, ends) = written();
    for length in 0..=bytes.len() {
        let (mut engine, ended) = read(&bytes[..length], 1 + length % 97);
        let ended = ended.unwrap_or_else(|corrupt| panic!("cut at {length}: {corrupt}"));
        let (end, expected) = ends.iter().rev().find(|(end, _)| *end <= length).expect("the beginning");
        if *end == 0 && length > 0 {
            // Nothing has a checksum yet: requests that are whole count, as in a log of redis'.
            assert!(ended.valid as usize <= length);
            continue;
        }
        assert_eq!((ended.valid as usize, ended.torn as usize), (*end, length - end));
        assert_eq!(contents(&mut engine), *expected, "cut at {length}");
    }
}

#[test]
fn a_log_that_was_damaged_before_its_last_batch_is_refused_and_said_where() {
    let (bytes, ends) = written();
    let last = ends[ends.len() - 2].0;
    for place in 0..last {
        for bit in [0x01, 0x80] {
            let mut damaged = bytes.clone();
            damaged[place] ^= bit;
            let batch = ends.iter().rev().find(|(end, _)| *end <= place).expect("the beginning").0;
            let (_, ended) = read(&damaged, 4_096);
            match ended {
                Err(corrupt) => {
                    assert_eq!(corrupt.offset, batch as u64, "byte {place}: {corrupt}");
                    assert!(corrupt.to_string().contains(&format!("byte {batch}")));
                }
                Ok(ended) => panic!("byte {place} was changed, and {ended:?} was read"),
            }
        }
    }
}

#[test]
fn a_last_batch_that_was_damaged_is_cut_off() {
    let (bytes, ends) = written();
    let (last, expected) = &ends[ends.len() - 2];
    for place in *last..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x01;
        let (mut engine, ended) = read(&damaged, 4_096);
        assert_eq!(ended.map(|ended| ended.valid), Ok(*last as u64), "byte {place}");
        assert_eq!(contents(&mut engine), *expected);
    }
}

#[test]
fn a_log_of_redis_is_read_but_for_a_transaction_that_is_not_whole() {
    let request = |words: &[&str]| {
        let words = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len()));
        let words: Vec<_> = words.collect();
        format!("*{}\r\n{}", words.len(), words.concat())
    };
    let log = [
        request(&["SELECT", "0"]),
        "#TS:1700000000\r\n".to_owned(),
        request(&["SET", "a", "1"]),
        request(&["MULTI"]),
        request(&["SET", "a", "2"]),
    ]
    .concat();
    let (mut engine, ended) = read(log.as_bytes(), 7);
    let transaction = log.find("*1\r\n").expect("MULTI");
    assert_eq!(ended.map(|ended| (ended.valid, ended.requests)), Ok((transaction as u64, 2)));
    let mut session = engine.connect("test".into()).expect("there is room");
    assert_eq!(say(&mut engine, &mut session, "GET a"), "$1\r\n1\r\n");
}

#[test]
fn what_expires_or_is_evicted_is_written_down_as_removed() {
    let mut engine = engine();
    engine.store.log.is_on = true;
    let mut session = engine.connect("test".into()).expect("there is room");
    say(&mut engine, &mut session, "SET gone soon PX 5");
    while engine.work(NOW + 10) {}
    let log = String::from_utf8(engine.store.log.take().expect("changes")).expect("text");
    assert!(log.contains("PXAT"), "{log}");
    assert!(log.contains("DEL\r\n$4\r\ngone"), "{log}");
}

/// Everything, as answers that do not depend on an order which a table gives.
fn everything(engine: &mut Engine) -> Vec<String> {
    let mut session = engine.connect("test".into()).expect("there is room");
    let questions = [
        "DBSIZE",
        "SORT keys ALPHA",
        "LRANGE long 0 -1",
        "SORT members ALPHA",
        "ZRANGE scores 0 -1 WITHSCORES",
        "HLEN fields",
        "HMGET fields f0 f1 f500 f999",
        "PEXPIRETIME fields",
        "GET grown",
        "ZRANGE edge 0 -1 WITHSCORES",
    ];
    let mut answers = contents(engine);
    answers.extend(questions.map(|question| say(engine, &mut session, question)));
    answers.extend((0..700).map(|number| say(engine, &mut session, &format!("GET key:{number}"))));
    engine.disconnect(session);
    answers
}

#[test]
fn a_picture_is_what_the_store_had_at_its_moment_whatever_changes_meanwhile() {
    let (bytes, _) = written();
    let (mut engine, ended) = read(&bytes, 4_096);
    ended.expect("whole");
    engine.store.log.is_on = true;
    let mut session = engine.connect("test".into()).expect("there is room");
    for number in 0..1_000 {
        for line in [
            format!("RPUSH long item:{number}"),
            format!("SADD members member:{number}"),
            format!("ZADD scores {number}.25 member:{number}"),
            format!("HSET fields f{number} {number}"),
            format!("SET key:{number} {number}"),
            "APPEND grown text".to_owned(),
        ] {
            say(&mut engine, &mut session, &line);
        }
    }
    for line in [
        "DEL key:10",
        "PEXPIREAT fields 1800000000000",
        "ZADD edge -inf a inf b -0 c 1e300 d 3.0000000000000004 e",
    ] {
        assert!(!say(&mut engine, &mut session, line).starts_with('-'), "{line}");
    }
    let before = everything(&mut engine);
    let picture = engine.store.picture();
    let (mut short, mut pieces) = (Vec::new(), 0);
    for piece in picture {
        assert!(piece.len() < 64 << 10, "a piece of {} bytes", piece.len());
        short.extend_from_slice(&piece);
        pieces += 1;
        // All of it changes.
        for line in [
            format!("SET key:{} changed", pieces % 700),
            "LPOP long".to_owned(),
            format!("SREM members member:{pieces}"),
            format!("HSET fields f{pieces} changed"),
            "ZPOPMIN scores".to_owned(),
            "APPEND grown more".to_owned(),
            "DEL key:300 b".to_owned(),
        ] {
            say(&mut engine, &mut session, &line);
        }
    }
    assert!(pieces > 3, "{pieces}");
    assert_ne!(everything(&mut engine), before);
    let (mut again, ended) = read(&short, 4_096);
    assert_eq!(ended.map(|ended| (ended.valid, ended.torn)), Ok((short.len() as u64, 0)));
    for (number, (found, expected)) in everything(&mut again).iter().zip(&before).enumerate() {
        assert_eq!(found, expected, "question {number}");
    }
}

#[test]
fn a_log_is_to_be_rewritten_when_it_has_grown_or_somebody_asks() {
    let mut engine = engine();
    let mut session = engine.connect("test".into()).expect("there is room");
    assert!(say(&mut engine, &mut session, "BGREWRITEAOF").starts_with("-ERR there is no log"));
    engine.store.log.is_on = true;
    say(&mut engine, &mut session, "CONFIG SET auto-aof-rewrite-min-size 1kb auto-aof-rewrite-percentage 50");
    for (bytes, base, wants) in [
        (1_023, 0, false),
        (1_024, 0, true),
        (3_000, 2_001, false),
        (3_002, 2_001, true),
        (4_000, 4_000, false),
    ] {
        (engine.store.log.file.bytes, engine.store.log.file.base_bytes) = (bytes, base);
        assert_eq!(engine.store.wants_rewrite(), wants, "{bytes} {base}");
    }
    assert!(say(&mut engine, &mut session, "BGREWRITEAOF").starts_with("+Background"));
    assert!(engine.store.wants_rewrite());
    assert!(say(&mut engine, &mut session, "BGREWRITEAOF").contains("already in progress"));
    engine.store.log.file.is_being_rewritten = true;
    assert!(!engine.store.wants_rewrite());
}
