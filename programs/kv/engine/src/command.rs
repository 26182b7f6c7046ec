//! The commands that there are: names, how many arguments they take, which of those are keys, what they do.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::call::{Call, is};
use crate::commands::{connection, hashes, keys, lists, server, sets, sorted, strings, transactions};
use crate::number::integer;
use crate::refusal::Refusal;

/// Changes keys.
pub const WRITE: u32 = 1;
/// Looks at keys.
pub const READ: u32 = 2;
/// May need more memory.
pub const NEEDS_MEMORY: u32 = 4;
/// Takes no longer for larger values.
pub const FAST: u32 = 8;
/// Begins, ends or breaks a transaction: is never queued.
pub const CONTROL: u32 = 16;
/// Is about all keys of a database.
pub const EVERYTHING: u32 = 32;
/// For who looks after the server.
pub const ADMIN: u32 = 64;

/// What a command does.
pub type Run = fn(&mut Call<'_>) -> Result<(), Refusal>;

/// `EXEC`, which the engine does itself.
pub const EXEC: Run = transactions::exec;

/// A command.
#[derive(Debug)]
pub struct Command {
    /// Its name, in small letters.
    pub name: &'static str,
    /// How many words a request has; so many at least if it is negative.
    pub arity: i32,
    /// What it is.
    pub flags: u32,
    /// The first key's place, the last one's (from the end if negative), and how many places are from one to the next.
    pub keys: (i32, i32, usize),
    /// The place of a count of keys, which stand behind it; 0: there is none.
    pub counted: usize,
    /// What it does.
    pub run: Run,
}

impl Command {
    /// Whether it has one of these flags.
    pub const fn is(&self, flags: u32) -> bool {
        self.flags & flags != 0
    }

    /// The places of its keys in a request.
    pub fn keys(&self, words: &[&[u8]]) -> Vec<usize> {
        let (first, last, step) = self.keys;
        let mut places = Vec::new();
        if let Ok(first @ 1..) = usize::try_from(first) {
            let last = match usize::try_from(last) {
                Ok(last) => last,
                Err(_) => words.len().saturating_sub(usize::try_from(-last).unwrap_or(1)),
            };
            places.extend((first..=last.min(words.len().saturating_sub(1))).step_by(step));
        }
        if self.counted > 0 {
            let count = words
                .get(self.counted)
                .and_then(|word| integer(word))
                .and_then(|count| usize::try_from(count).ok());
            places.extend((self.counted + 1..words.len()).take(count.unwrap_or(0)));
        }
        if self.name == "sort" {
            let stores = words.iter().position(|word| is(word, "store"));
            places.extend(stores.map(|place| place + 1).filter(|place| *place < words.len()));
        }
        places
    }
}

/// No such command.
pub fn unknown(words: &[&[u8]]) -> Refusal {
    const SHOWN: usize = 128;
    let text = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN)]).into_owned();
    let mut arguments = String::new();
    for word in words.iter().skip(1) {
        if arguments.len() >= SHOWN {
            break;
        }
        arguments += &format!("'{}' ", text(word));
    }
    let name = text(words.first().copied().unwrap_or_default());
    Refusal::from(format!("ERR unknown command '{name}', with args beginning with: {arguments}"))
}

/// Too many or too few arguments.
pub fn wrong_count(name: &str) -> Refusal {
    Refusal::from(format!("ERR wrong number of arguments for '{name}' command"))
}

/// The commands by name.
pub struct Commands(Box<[u8]>);

impl Commands {
    const PLACES: usize = 1 << 10;

    /// All of them.
    pub fn new() -> Self {
        let mut places = alloc::vec![0; Self::PLACES].into_boxed_slice();
        for (number, command) in (1..).zip(ALL) {
            let mut place = Self::place(command.name.as_bytes());
            while places[place] != 0 {
                place = (place + 1) % Self::PLACES;
            }
            places[place] = number;
        }
        Self(places)
    }

    /// FNV-1a, over small letters.
    fn place(name: &[u8]) -> usize {
        let hash = name.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte | 0x20)).wrapping_mul(0x0100_0000_01b3)
        });
        usize::try_from(hash >> 54).unwrap_or(0) % Self::PLACES
    }

    /// The command of a name.
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<&'static Command> {
        let mut place = Self::place(name);
        loop {
            let number = usize::from(*self.0.get(place)?).checked_sub(1)?;
            let command = ALL.get(number)?;
            if command.name.as_bytes().eq_ignore_ascii_case(name) {
                return Some(command);
            }
            place = (place + 1) % Self::PLACES;
        }
    }
}

const R: u32 = READ;
const RF: u32 = READ | FAST;
const W: u32 = WRITE;
const WF: u32 = WRITE | FAST;
const WM: u32 = WRITE | NEEDS_MEMORY;
const WMF: u32 = WRITE | NEEDS_MEMORY | FAST;
const NO: (i32, i32, usize) = (0, 0, 0);
const ONE: (i32, i32, usize) = (1, 1, 1);
const TWO: (i32, i32, usize) = (1, 2, 1);
const ALL_KEYS: (i32, i32, usize) = (1, -1, 1);

const fn new(name: &'static str, arity: i32, flags: u32, keys: (i32, i32, usize), run: Run) -> Command {
    Command { name, arity, flags, keys, counted: 0, run }
}

/// One whose keys are counted.
const fn counted(
    name: &'static str,
    arity: i32,
    flags: u32,
    keys: (i32, i32, usize),
    place: usize,
    run: Run,
) -> Command {
    Command { name, arity, flags, keys, counted: place, run }
}

/// Every command.
pub static ALL: &[Command] = &[
    // Connections.
    new("ping", -1, FAST, NO, connection::ping),
    new("echo", 2, FAST, NO, connection::echo),
    new("select", 2, FAST, NO, connection::select),
    new("hello", -1, FAST, NO, connection::hello),
    new("auth", -2, FAST | CONTROL, NO, connection::auth),
    new("quit", -1, FAST | CONTROL, NO, connection::quit),
    new("reset", 1, FAST | CONTROL, NO, connection::reset),
    new("client", -2, ADMIN, NO, connection::client),
    new("command", -1, 0, NO, server::command),
    new("config", -2, ADMIN, NO, server::config),
    new("info", -1, 0, NO, server::info),
    new("dbsize", 1, RF, NO, server::dbsize),
    new("time", 1, FAST, NO, server::time),
    new("lastsave", 1, FAST, NO, server::lastsave),
    new("save", 1, ADMIN, NO, server::save),
    new("bgsave", -1, ADMIN, NO, server::save),
    new("bgrewriteaof", 1, ADMIN, NO, server::rewrite),
    new("flushdb", -1, W | EVERYTHING, NO, server::flushdb),
    new("flushall", -1, W | EVERYTHING, NO, server::flushall),
    new("swapdb", 3, WF | EVERYTHING, NO, server::swapdb),
    new("memory", -2, R, NO, server::memory),
    new("latency", -2, ADMIN, NO, server::latency),
    new("slowlog", -2, ADMIN, NO, server::slowlog),
    new("role", 1, FAST, NO, server::role),
    new("wait", 3, 0, NO, server::wait),
    new("acl", -2, ADMIN, NO, server::acl),
    new("shutdown", -1, ADMIN | CONTROL, NO, server::shutdown),
    // Transactions.
    new("multi", 1, FAST | CONTROL, NO, transactions::multi),
    new("exec", 1, CONTROL, NO, transactions::exec),
    new("discard", 1, FAST | CONTROL, NO, transactions::discard),
    new("watch", -2, FAST | CONTROL, ALL_KEYS, transactions::watch),
    new("unwatch", 1, FAST, NO, transactions::unwatch),
    // Keys.
    new("del", -2, W, ALL_KEYS, keys::del),
    new("unlink", -2, WF, ALL_KEYS, keys::del),
    new("exists", -2, RF, ALL_KEYS, keys::exists),
    new("touch", -2, RF, ALL_KEYS, keys::exists),
    new("type", 2, RF, ONE, keys::kind),
    new("expire", -3, WF, ONE, keys::expire),
    new("pexpire", -3, WF, ONE, keys::pexpire),
    new("expireat", -3, WF, ONE, keys::expireat),
    new("pexpireat", -3, WF, ONE, keys::pexpireat),
    new("ttl", 2, RF, ONE, keys::ttl),
    new("pttl", 2, RF, ONE, keys::pttl),
    new("expiretime", 2, RF, ONE, keys::expiretime),
    new("pexpiretime", 2, RF, ONE, keys::pexpiretime),
    new("persist", 2, WF, ONE, keys::persist),
    new("keys", 2, R, NO, keys::keys),
    new("scan", -2, R, NO, keys::scan),
    new("randomkey", 1, R, NO, keys::randomkey),
    new("rename", 3, W, TWO, keys::rename),
    new("renamenx", 3, WF, TWO, keys::renamenx),
    new("copy", -3, WM, TWO, keys::copy),
    new("move", 3, WF, ONE, keys::move_key),
    new("object", -2, R, (2, 2, 1), keys::object),
    new("sort", -2, WM, ONE, keys::sort),
    new("sort_ro", -2, R, ONE, keys::sort_ro),
    // Strings.
    new("get", 2, RF, ONE, strings::get),
    new("set", -3, WM, ONE, strings::set),
    new("setnx", 3, WMF, ONE, strings::setnx),
    new("setex", 4, WM, ONE, strings::setex),
    new("psetex", 4, WM, ONE, strings::psetex),
    new("getset", 3, WMF, ONE, strings::getset),
    new("getdel", 2, WF, ONE, strings::getdel),
    new("getex", -2, WF, ONE, strings::getex),
    new("mget", -2, RF, ALL_KEYS, strings::mget),
    new("mset", -3, WM, (1, -1, 2), strings::mset),
    new("msetnx", -3, WM, (1, -1, 2), strings::msetnx),
    new("append", 3, WMF, ONE, strings::append),
    new("strlen", 2, RF, ONE, strings::strlen),
    new("incr", 2, WMF, ONE, strings::incr),
    new("decr", 2, WMF, ONE, strings::decr),
    new("incrby", 3, WMF, ONE, strings::incrby),
    new("decrby", 3, WMF, ONE, strings::decrby),
    new("incrbyfloat", 3, WMF, ONE, strings::incrbyfloat),
    new("getrange", 4, R, ONE, strings::getrange),
    new("substr", 4, R, ONE, strings::getrange),
    new("setrange", 4, WM, ONE, strings::setrange),
    new("setbit", 4, WM, ONE, strings::setbit),
    new("getbit", 3, RF, ONE, strings::getbit),
    new("bitcount", -2, R, ONE, strings::bitcount),
    new("bitpos", -3, R, ONE, strings::bitpos),
    new("bitop", -4, WM, (2, -1, 1), strings::bitop),
    // Hashes.
    new("hset", -4, WMF, ONE, hashes::hset),
    new("hmset", -4, WMF, ONE, hashes::hmset),
    new("hsetnx", 4, WMF, ONE, hashes::hsetnx),
    new("hget", 3, RF, ONE, hashes::hget),
    new("hmget", -3, RF, ONE, hashes::hmget),
    new("hgetall", 2, R, ONE, hashes::hgetall),
    new("hkeys", 2, R, ONE, hashes::hkeys),
    new("hvals", 2, R, ONE, hashes::hvals),
    new("hdel", -3, WF, ONE, hashes::hdel),
    new("hexists", 3, RF, ONE, hashes::hexists),
    new("hlen", 2, RF, ONE, hashes::hlen),
    new("hstrlen", 3, RF, ONE, hashes::hstrlen),
    new("hincrby", 4, WMF, ONE, hashes::hincrby),
    new("hincrbyfloat", 4, WMF, ONE, hashes::hincrbyfloat),
    new("hscan", -3, R, ONE, hashes::hscan),
    new("hrandfield", -2, R, ONE, hashes::hrandfield),
    // Lists.
    new("lpush", -3, WMF, ONE, lists::lpush),
    new("rpush", -3, WMF, ONE, lists::rpush),
    new("lpushx", -3, WMF, ONE, lists::lpushx),
    new("rpushx", -3, WMF, ONE, lists::rpushx),
    new("lpop", -2, WF, ONE, lists::lpop),
    new("rpop", -2, WF, ONE, lists::rpop),
    new("llen", 2, RF, ONE, lists::llen),
    new("lindex", 3, R, ONE, lists::lindex),
    new("lset", 4, WM, ONE, lists::lset),
    new("lrange", 4, R, ONE, lists::lrange),
    new("ltrim", 4, W, ONE, lists::ltrim),
    new("lrem", 4, W, ONE, lists::lrem),
    new("linsert", 5, WM, ONE, lists::linsert),
    new("lpos", -3, R, ONE, lists::lpos),
    new("lmove", 5, WM, TWO, lists::lmove),
    new("rpoplpush", 3, WM, TWO, lists::rpoplpush),
    counted("lmpop", -4, W, NO, 1, lists::lmpop),
    // Sets.
    new("sadd", -3, WMF, ONE, sets::sadd),
    new("srem", -3, WF, ONE, sets::srem),
    new("smembers", 2, R, ONE, sets::smembers),
    new("sismember", 3, RF, ONE, sets::sismember),
    new("smismember", -3, RF, ONE, sets::smismember),
    new("scard", 2, RF, ONE, sets::scard),
    new("spop", -2, WF, ONE, sets::spop),
    new("srandmember", -2, R, ONE, sets::srandmember),
    new("smove", 4, WF, TWO, sets::smove),
    new("sinter", -2, R, ALL_KEYS, sets::sinter),
    new("sunion", -2, R, ALL_KEYS, sets::sunion),
    new("sdiff", -2, R, ALL_KEYS, sets::sdiff),
    new("sinterstore", -3, WM, ALL_KEYS, sets::sinterstore),
    new("sunionstore", -3, WM, ALL_KEYS, sets::sunionstore),
    new("sdiffstore", -3, WM, ALL_KEYS, sets::sdiffstore),
    counted("sintercard", -3, R, NO, 1, sets::sintercard),
    new("sscan", -3, R, ONE, sets::sscan),
    // Sorted sets.
    new("zadd", -4, WMF, ONE, sorted::zadd),
    new("zincrby", 4, WMF, ONE, sorted::zincrby),
    new("zrem", -3, WF, ONE, sorted::zrem),
    new("zscore", 3, RF, ONE, sorted::zscore),
    new("zmscore", -3, RF, ONE, sorted::zmscore),
    new("zcard", 2, RF, ONE, sorted::zcard),
    new("zcount", 4, RF, ONE, sorted::zcount),
    new("zlexcount", 4, RF, ONE, sorted::zlexcount),
    new("zrank", -3, RF, ONE, sorted::zrank),
    new("zrevrank", -3, RF, ONE, sorted::zrevrank),
    new("zrange", -4, R, ONE, sorted::zrange),
    new("zrevrange", -4, R, ONE, sorted::zrevrange),
    new("zrangebyscore", -4, R, ONE, sorted::zrangebyscore),
    new("zrevrangebyscore", -4, R, ONE, sorted::zrevrangebyscore),
    new("zrangebylex", -4, R, ONE, sorted::zrangebylex),
    new("zrevrangebylex", -4, R, ONE, sorted::zrevrangebylex),
    new("zrangestore", -5, WM, TWO, sorted::zrangestore),
    new("zremrangebyrank", 4, W, ONE, sorted::zremrangebyrank),
    new("zremrangebyscore", 4, W, ONE, sorted::zremrangebyscore),
    new("zremrangebylex", 4, W, ONE, sorted::zremrangebylex),
    new("zpopmin", -2, WF, ONE, sorted::zpopmin),
    new("zpopmax", -2, WF, ONE, sorted::zpopmax),
    counted("zmpop", -4, W, NO, 1, sorted::zmpop),
    counted("zunion", -3, R, NO, 1, sorted::zunion),
    counted("zinter", -3, R, NO, 1, sorted::zinter),
    counted("zdiff", -3, R, NO, 1, sorted::zdiff),
    counted("zunionstore", -4, WM, ONE, 2, sorted::zunionstore),
    counted("zinterstore", -4, WM, ONE, 2, sorted::zinterstore),
    counted("zdiffstore", -4, WM, ONE, 2, sorted::zdiffstore),
    counted("zintercard", -3, R, NO, 1, sorted::zintercard),
    new("zrandmember", -2, R, ONE, sorted::zrandmember),
    new("zscan", -3, R, ONE, sorted::zscan),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_found_by_its_name_and_nothing_else_is() {
        assert!(ALL.len() < 255);
        let commands = Commands::new();
        for command in ALL {
            assert_eq!(
                commands.find(command.name.to_uppercase().as_bytes()).map(|found| found.name),
                Some(command.name)
            );
            assert_eq!(command.name, command.name.to_lowercase());
        }
        for name in ["", "ge", "gett", "nonsense", "\0"] {
            assert!(commands.find(name.as_bytes()).is_none());
        }
    }
}
