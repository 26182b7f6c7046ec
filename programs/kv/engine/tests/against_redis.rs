//! The same arbitrary commands to this engine and to redis: the same answers.
//!
//! It needs redis 7 (Debian's package `redis-tools` has it, under the name of one of its tools): ignored without. `KV_ROUNDS` says how many sequences are tried, `KV_SEED` where to begin.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hallows_kv_engine::{Config, Engine, Progress, Random, Seed, Session};
use libtest_mimic::{Arguments, Trial};

/// Commands of a sequence.
const COMMANDS: usize = 400;

fn main() {
    let has_redis = redis_server().arg("--version").stdout(Stdio::null()).status().is_ok();
    let tests = vec![
        Trial::test("arbitrary_commands_are_answered_as_redis_answers_them", || {
            same_answers();
            Ok(())
        })
        .with_ignored_flag(!has_redis),
    ];
    libtest_mimic::run(&Arguments::from_args(), tests).exit();
}

/// An answer, taken apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reply {
    Line(String),
    Bulk(Option<Vec<u8>>),
    Array(Option<Vec<Reply>>),
}

fn read(input: &mut impl BufRead) -> Reply {
    let mut line = Vec::new();
    input.read_until(b'\n', &mut line).expect("an answer");
    let line = String::from_utf8(line).expect("text").trim_end().to_owned();
    let count = || line[1..].parse::<i64>().expect("a count");
    match line.as_bytes().first() {
        Some(b'$') => {
            let Ok(length) = usize::try_from(count()) else { return Reply::Bulk(None) };
            let mut bytes = vec![0; length + 2];
            input.read_exact(&mut bytes).expect("a string");
            bytes.truncate(length);
            Reply::Bulk(Some(bytes))
        }
        Some(b'*') => {
            let Ok(length) = usize::try_from(count()) else { return Reply::Array(None) };
            Reply::Array(Some((0..length).map(|_| read(input)).collect()))
        }
        _ => Reply::Line(line),
    }
}

/// The server. All of redis is one executable, which looks at how it is called; Debian's package `redis-server` adds little but a service that is started.
fn redis_server() -> Command {
    let mut command = Command::new("redis-check-rdb");
    command.arg0("redis-server");
    command
}

/// Redis, on a socket in a folder of its own.
struct Redis {
    server: Child,
    folder: std::path::PathBuf,
}

impl Redis {
    fn start() -> Self {
        let folder = std::env::temp_dir().join(format!("kv-against-redis-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let socket = folder.join("socket");
        let server = redis_server()
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
            .arg(&socket)
            .arg("--dir")
            .arg(&folder)
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server starts");
        Self { server, folder }
    }

    fn connect(&self) -> UnixStream {
        let began = Instant::now();
        loop {
            match UnixStream::connect(self.folder.join("socket")) {
                Ok(stream) => return stream,
                // It is being started: there is no other sign of it than the socket.
                Err(error) => assert!(began.elapsed() < Duration::from_secs(60), "{error}"),
            }
            std::thread::yield_now();
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

type Words = Vec<Vec<u8>>;

fn request(words: &Words) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

fn ours(engine: &mut Engine, session: &mut Session, bytes: &[u8]) -> Vec<u8> {
    let mut answer = Vec::new();
    session.receive(bytes);
    loop {
        let progress = engine.run(session, 1_700_000_000_000);
        while let Some(piece) = session.output().take() {
            answer.extend_from_slice(piece.bytes());
        }
        match progress {
            Progress::Idle => return answer,
            Progress::Leaving => panic!("the connection ends"),
            Progress::More | Progress::Waiting => drop(engine.work(1_700_000_000_000)),
        }
    }
}

/// What may be sent, as patterns: `K` any of a few keys, `S` a key of strings and so on with other letters, `V` a value, `I` a whole number, `F` a score, `C` a small count, `M` a
/// member, `B` a bound of scores, `X` a bound of names, `a|b` one of both, `?word` perhaps this one, `@n` a list of one to three of these.
const GRAMMAR: &[&str] = &[
    "SET K V",
    "SET S V",
    "SET S I",
    "SET S V nx|xx",
    "SET S V get",
    "SET S V keepttl",
    "SET S V exat 99999999999 ?xx",
    "SET S V px 0",
    "SET S V nx get",
    "SET S V foo",
    "GET K",
    "GET S",
    "GETSET S V",
    "GETDEL S",
    "GETEX S persist",
    "GETEX S pxat 99999999999999",
    "GETEX S exat 1 2",
    "MGET S K S L",
    "MSET S V S I",
    "MSET S V S",
    "MSETNX S V S V",
    "SETNX S V",
    "SETEX S 0 V",
    "SETEX S x V",
    "PSETEX S -1 V",
    "APPEND S V",
    "STRLEN K",
    "INCR K",
    "DECR S",
    "INCRBY S I",
    "DECRBY S I",
    "INCR S",
    "INCRBY S 9223372036854775807",
    "INCRBY S x",
    "INCRBYFLOAT f1 F",
    "INCRBYFLOAT S x",
    "INCRBYFLOAT L 1.5",
    "GETRANGE S I I",
    "SUBSTR S 0 -2",
    "SETRANGE S C V",
    "SETRANGE S -1 V",
    "SETBIT S C 0|1",
    "SETBIT S C 2",
    "GETBIT S C",
    "BITCOUNT S",
    "BITCOUNT S I I",
    "BITCOUNT S I I bit|byte",
    "BITCOUNT S 1",
    "BITPOS S 0|1",
    "BITPOS S 0|1 I",
    "BITPOS S 0|1 I I",
    "BITPOS S 0|1 I I bit|byte",
    "BITPOS S 2",
    "BITOP and|or|xor S S S",
    "BITOP not S S",
    "BITOP not S S S",
    "DEL K K",
    "UNLINK K",
    "EXISTS K K S",
    "TYPE K",
    "TOUCH K L",
    "RENAME K K",
    "RENAMENX K K",
    "COPY K K",
    "COPY K K replace",
    "COPY K K db 1",
    "MOVE K 1",
    "EXPIREAT K 99999999999",
    "PEXPIREAT K 99999999999999 nx|xx|gt|lt",
    "EXPIREAT K 99999999998 nx|xx|gt|lt",
    "EXPIRE K -1",
    "EXPIRE K x",
    "EXPIRE K 9223372036854775807",
    "EXPIREAT K 1 nx gt",
    "EXPIREAT K 1 gt lt",
    "EXPIREAT K 1 foo",
    "EXPIRETIME K",
    "PEXPIRETIME K",
    "PERSIST K",
    "DBSIZE",
    "KEYS *",
    "KEYS [kls]*",
    "SELECT 0",
    "SELECT 99",
    "SELECT x",
    "ECHO V",
    "PING",
    "PING V",
    "PING V V",
    "LPUSH L V",
    "RPUSH L V V",
    "RPUSH L I I I",
    "LPUSHX L V",
    "RPUSHX L V",
    "LPUSH K V",
    "LPOP L",
    "RPOP L",
    "LPOP L C",
    "RPOP L C",
    "LPOP L -1",
    "LLEN L",
    "LLEN K",
    "LINDEX L I",
    "LINDEX L x",
    "LSET L I V",
    "LSET L 99 V",
    "LRANGE L I I",
    "LRANGE L 0 -1",
    "LRANGE K 0 -1",
    "LTRIM L I I",
    "LTRIM L 0 5",
    "LREM L I V",
    "LREM L 0 V",
    "LINSERT L before|after V V",
    "LINSERT L x V V",
    "LPOS L V",
    "LPOS L V rank I",
    "LPOS L V count C",
    "LPOS L V rank -1 count 0",
    "LPOS L V count 0 maxlen C",
    "LPOS L V rank 0",
    "LMOVE L L left|right left|right",
    "LMOVE L K left up",
    "RPOPLPUSH L L",
    "LMPOP 2 L L left|right",
    "LMPOP 2 L L left|right count C",
    "LMPOP 0 L left",
    "LMPOP 1 L up",
    "SADD T M M",
    "SADD T I",
    "SADD K M",
    "SREM T M M",
    "SMEMBERS T",
    "SMEMBERS K",
    "SISMEMBER T M",
    "SMISMEMBER T M M",
    "SCARD T",
    "SMOVE T T M",
    "SMOVE T K M",
    "SINTER T T",
    "SUNION T T K",
    "SDIFF T T T",
    "SINTERSTORE T T T",
    "SUNIONSTORE T T T",
    "SDIFFSTORE T T T",
    "SINTERCARD 2 T T",
    "SINTERCARD 2 T T limit C",
    "SINTERCARD 0 T",
    "SINTERCARD 3 T T",
    "SINTERCARD 1 T limit -1",
    "SPOP N",
    "SRANDMEMBER N",
    "SRANDMEMBER N 3",
    "HSET H M V",
    "HSET H M I M V",
    "HSET H M",
    "HMSET H M V",
    "HSETNX H M V",
    "HSET K M V",
    "HGET H M",
    "HMGET H M M M",
    "HGETALL H",
    "HKEYS H",
    "HVALS H",
    "HDEL H M M",
    "HEXISTS H M",
    "HLEN H",
    "HSTRLEN H M",
    "HINCRBY H M I",
    "HINCRBY H M 9223372036854775807",
    "HINCRBYFLOAT h3 M F",
    "HINCRBYFLOAT S M F",
    "HGET K M",
    "HRANDFIELD N",
    "HRANDFIELD N 2 withvalues",
    "ZADD Z F M",
    "ZADD Z F M F M",
    "ZADD Z nx|xx|gt|lt F M",
    "ZADD Z nx|xx|gt|lt ch F M F M",
    "ZADD Z incr F M",
    "ZADD Z nx|xx|gt|lt incr F M",
    "ZADD Z nx xx 1 M",
    "ZADD Z gt lt 1 M",
    "ZADD Z nx gt 1 M",
    "ZADD Z incr 1 M 2 M",
    "ZADD Z x M",
    "ZADD Z 1",
    "ZADD K F M",
    "ZADD Z inf M",
    "ZADD Z incr -inf M",
    "ZINCRBY Z F M",
    "ZREM Z M M",
    "ZSCORE Z M",
    "ZMSCORE Z M M",
    "ZCARD Z",
    "ZCOUNT Z B B",
    "ZCOUNT Z x 1",
    "ZLEXCOUNT Y X X",
    "ZLEXCOUNT Y x x",
    "ZRANK Z M",
    "ZREVRANK Z M",
    "ZRANGE Z I I",
    "ZRANGE Z I I withscores",
    "ZRANGE Z I I rev ?withscores",
    "ZRANGE Z B B byscore ?withscores",
    "ZRANGE Z B B byscore rev",
    "ZRANGE Z B B byscore limit I I",
    "ZRANGE Y X X bylex",
    "ZRANGE Y X X bylex rev limit C C",
    "ZRANGE Z 0 1 limit 0 1",
    "ZRANGE Y - + bylex withscores",
    "ZRANGE Z x y",
    "ZREVRANGE Z I I ?withscores",
    "ZRANGEBYSCORE Z B B ?withscores",
    "ZRANGEBYSCORE Z B B limit I I",
    "ZREVRANGEBYSCORE Z B B ?withscores",
    "ZREVRANGEBYSCORE Z B B withscores limit C C",
    "ZRANGEBYLEX Y X X",
    "ZREVRANGEBYLEX Y X X limit C C",
    "ZRANGESTORE Z Z I I",
    "ZRANGESTORE Z Z B B byscore limit C C",
    "ZRANGESTORE Y Y X X bylex rev",
    "ZREMRANGEBYRANK Z I I",
    "ZREMRANGEBYSCORE Z B B",
    "ZREMRANGEBYLEX Y X X",
    "ZPOPMIN Z",
    "ZPOPMAX Z C",
    "ZPOPMIN Z -1",
    "ZMPOP 2 Z Z min|max",
    "ZMPOP 1 Z min|max count C",
    "ZMPOP 1 Z up",
    "ZADD Y 0 M 0 M 0 M",
    "ZUNION 2 Z Z",
    "ZUNION 2 Z Z withscores",
    "ZUNION 2 Z T weights 2 F aggregate sum|min|max withscores",
    "ZINTER 2 Z Z withscores",
    "ZINTER 2 Z Z aggregate sum|min|max withscores",
    "ZDIFF 2 Z Z withscores",
    "ZDIFF 3 Z T Z",
    "ZUNIONSTORE Z 2 Z Z",
    "ZUNIONSTORE Z 2 Z Z weights 1 F",
    "ZINTERSTORE Z 2 Z T aggregate max",
    "ZDIFFSTORE Z 2 Z Z",
    "ZINTERCARD 2 Z Z",
    "ZINTERCARD 2 Z Z limit C",
    "ZUNION 0 Z",
    "ZUNION x Z",
    "ZUNIONSTORE Z 3 Z Z",
    "ZUNION 1 Z weights x",
    "ZUNION 1 K",
    "SORT L",
    "SORT L desc",
    "SORT L alpha",
    "SORT L alpha desc limit I C",
    "SORT L limit C C",
    "SORT T alpha",
    "SORT L by nosort",
    "SORT L by nosort get #",
    "SORT L alpha get # get s*",
    "SORT L by w* alpha get #",
    "SORT L alpha store L",
    "SORT Z alpha",
    "SORT K",
    "SORT L foo",
    "SORT_RO L alpha",
    "SORT L alpha by H->* get #",
    "MULTI",
    "EXEC",
    "DISCARD",
    "WATCH K",
    "UNWATCH",
    "NOSUCH I",
    "GET",
    "SET S",
    "FLUSHDB",
    "SWAPDB 0 1",
    "SCAN x",
    "SSCAN T x",
    "LOLWUT2",
];

/// How often a command may come among a thousand.
fn is_rare(words: &str) -> bool {
    ["FLUSHDB", "SWAPDB", "MULTI", "WATCH"].iter().any(|name| words.starts_with(name))
}

fn make(random: &mut Random) -> Words {
    let mut pattern = GRAMMAR[random.below(GRAMMAR.len())];
    while is_rare(pattern) && random.below(8) != 0 {
        pattern = GRAMMAR[random.below(GRAMMAR.len())];
    }
    let pick = |random: &mut Random, of: &[&str]| of[random.below(of.len())].to_owned();
    let mut words = Vec::new();
    for (place, part) in pattern.split(' ').enumerate() {
        if place == 0 {
            words.push(part.to_owned());
            continue;
        }
        let word = match part {
            "K" => pick(random, &["k1", "s1", "l1", "t1", "h1", "z1", "none"]),
            "S" => pick(random, &["s1", "s2", "s3"]),
            "L" => pick(random, &["l1", "l2"]),
            "T" => pick(random, &["t1", "t2", "t3"]),
            "H" => pick(random, &["h1", "h2"]),
            "Z" => pick(random, &["z1", "z2"]),
            "Y" => "y1".to_owned(),
            "N" => "nothing".to_owned(),
            "V" => pick(
                random,
                &[
                    "a",
                    "b",
                    "",
                    "hello world",
                    "10",
                    "-3",
                    "3.5",
                    "v\r\n\0x",
                    "01",
                    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                ],
            ),
            "M" => pick(random, &["a", "b", "c", "d", "bb", "5", "", "m\0"]),
            "I" => pick(random, &["0", "1", "-1", "2", "-2", "5", "-7", "100", "-100"]),
            "C" => pick(random, &["0", "1", "2", "3", "17"]),
            "F" => pick(random, &["1", "2", "-1.5", "0", "3.25", "1000000", "0.5"]),
            "B" => pick(random, &["0", "1", "(1", "-inf", "+inf", "inf", "(2.5", "-2"]),
            "X" => pick(random, &["-", "+", "[a", "(a", "[b", "(bb", "[c", "["]),
            part if part.starts_with('?') => {
                if random.below(2) == 0 {
                    continue;
                }
                part[1..].to_owned()
            }
            part if part.contains('|') => pick(random, &part.split('|').collect::<Vec<_>>()),
            part => part.to_owned(),
        };
        words.push(word);
    }
    words.into_iter().map(String::into_bytes).collect()
}

/// What has no order is put in one.
fn put_in_order(words: &Words, reply: Reply) -> Reply {
    let name = String::from_utf8_lossy(&words[0]).to_uppercase();
    match reply {
        Reply::Array(Some(mut items)) => {
            if ["SMEMBERS", "SINTER", "SUNION", "SDIFF", "HKEYS", "HVALS", "KEYS"].contains(&&*name) {
                items.sort();
            }
            // Items of equal weight have no order among each other.
            if name == "SORT" && words.iter().any(|word| word == b"by") {
                items.sort();
            }
            if name == "HGETALL" {
                let mut pairs: Vec<_> = items.chunks(2).map(<[_]>::to_vec).collect();
                pairs.sort();
                items = pairs.concat();
            }
            Reply::Array(Some(items))
        }
        other => other,
    }
}

fn same_answers() {
    let number = |name: &str, otherwise: u64| {
        std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
    };
    let (rounds, seed) = (number("KV_ROUNDS", 150), number("KV_SEED", 1));
    let redis = Redis::start();
    let mut stream = redis.connect();
    let mut answers = BufReader::new(stream.try_clone().expect("a socket"));
    // Of each sequence the first difference: what follows it differs for that.
    let mut different = Vec::new();
    'sequences: for round in seed..seed + rounds {
        let mut random = Random::new(round.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut engine = Engine::new(Config::default(), Seed(round, 7), 1_700_000_000_000);
        let mut session = engine.connect("test".into()).expect("there is room");
        stream.write_all(b"DISCARD\r\nUNWATCH\r\nSELECT 0\r\nFLUSHALL\r\n").expect("redis listens");
        (0..4).for_each(|_| drop(read(&mut answers)));
        let (mut said, mut queued): (String, Option<Vec<Words>>) = (String::new(), None);
        let mut differ = |said: &str, ours: &Reply, theirs: &Reply| {
            let last: Vec<_> = said.lines().rev().take(4).collect();
            different.push(format!(
                "seed {round}: {}\n  ours   {ours:?}\n  theirs {theirs:?}",
                last.join("  <-  ")
            ));
        };
        for _ in 0..COMMANDS {
            let words = make(&mut random);
            let shown = words
                .iter()
                .map(|word| format!("{:?}", String::from_utf8_lossy(word)))
                .collect::<Vec<_>>()
                .join(" ");
            let _ = writeln!(said, "{shown}");
            let bytes = request(&words);
            stream.write_all(&bytes).expect("redis listens");
            let theirs = read(&mut answers);
            let ours = ours(&mut engine, &mut session, &bytes);
            let mut rest = &*ours;
            let ours = read(&mut rest);
            assert!(rest.is_empty(), "one answer to {shown}, not {:?}", String::from_utf8_lossy(rest));
            let is_queued = ours == Reply::Line("+QUEUED".to_owned());
            match &*words[0] {
                b"MULTI" => drop(queued.get_or_insert_default()),
                b"EXEC" => {
                    let (queued, order) = (queued.take().unwrap_or_default(), |reply: Reply| match reply {
                        Reply::Array(Some(items)) => items,
                        other => vec![other],
                    });
                    let (ours, theirs) = (order(ours), order(theirs));
                    for (number, (ours, theirs)) in ours.into_iter().zip(theirs).enumerate() {
                        let (ours, theirs) = match queued.get(number) {
                            Some(words) => (put_in_order(words, ours), put_in_order(words, theirs)),
                            None => (ours, theirs),
                        };
                        if ours != theirs {
                            let shown = queued
                                .get(number)
                                .map(|words| format!("{:?}", String::from_utf8_lossy(&words.join(&b' '))));
                            differ(&format!("{said}of EXEC {shown:?}"), &ours, &theirs);
                            continue 'sequences;
                        }
                    }
                    continue;
                }
                b"DISCARD" => queued = None,
                _ => {}
            }
            if is_queued && let Some(queued) = &mut queued {
                queued.push(words.clone());
            }
            let (ours, theirs) = (put_in_order(&words, ours), put_in_order(&words, theirs));
            if ours != theirs {
                differ(&said, &ours, &theirs);
                continue 'sequences;
            }
        }
    }
    assert!(
        different.is_empty(),
        "{} of {rounds} sequences differ:\n{}",
        different.len(),
        different.join("\n")
    );
}
