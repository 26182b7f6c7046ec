//! Commands about the server.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write as _;

use super::Answered;
use super::connection::{VERSION, database, unknown_subcommand};
use crate::call::{Call, is};
use crate::command::{self, ALL, Command, wrong_count};
use crate::config::NAMES;
use crate::pattern;
use crate::refusal::Refusal;
use crate::store::Store;

/// `DBSIZE`.
pub fn dbsize(call: &mut Call<'_>) -> Answered {
    call.out.count(call.store.size(call.client.database).0);
    Ok(())
}

/// `TIME`.
pub fn time(call: &mut Call<'_>) -> Answered {
    let now = call.store.now;
    call.out.array(2);
    call.out.bulk((now / 1_000).to_string().as_bytes());
    call.out.bulk((now % 1_000 * 1_000).to_string().as_bytes());
    Ok(())
}

/// `LASTSAVE`: there are no snapshots, so it is when the server began.
pub fn lastsave(call: &mut Call<'_>) -> Answered {
    call.out.integer(i64::try_from(call.server.since / 1_000).unwrap_or(i64::MAX));
    Ok(())
}

/// `SAVE`, `BGSAVE`.
pub fn save(_: &mut Call<'_>) -> Answered {
    Err(Refusal::of("ERR there are no snapshots here: use appendonly"))
}

/// `BGREWRITEAOF`.
pub fn rewrite(call: &mut Call<'_>) -> Answered {
    let log = &mut call.store.log;
    if !log.is_on {
        return Err(Refusal::of("ERR there is no log: say appendonly=yes"));
    }
    if log.file.is_being_rewritten || log.file.asked_to_rewrite {
        return Err(Refusal::of("ERR Background append only file rewriting already in progress"));
    }
    log.file.asked_to_rewrite = true;
    call.out.simple("Background append only file rewriting started");
    Ok(())
}

/// How a flush is asked for; it is never waited for.
fn flush_option(call: &Call<'_>) -> Answered {
    match &call.words[1..] {
        [] => Ok(()),
        [word] if is(word, "async") || is(word, "sync") => Ok(()),
        _ => Err(Refusal::SYNTAX),
    }
}

/// `FLUSHDB`.
pub fn flushdb(call: &mut Call<'_>) -> Answered {
    flush_option(call)?;
    call.store.flush(call.client.database);
    call.changes += 1;
    call.out.ok();
    Ok(())
}

/// `FLUSHALL`.
pub fn flushall(call: &mut Call<'_>) -> Answered {
    flush_option(call)?;
    for database in 0..call.store.config.databases {
        call.store.flush(database);
    }
    call.changes += 1;
    call.out.ok();
    Ok(())
}

/// `SWAPDB`.
pub fn swapdb(call: &mut Call<'_>) -> Answered {
    let first = database(call, call.words[1]).map_err(|_| Refusal::of("ERR invalid first DB index"))?;
    let second = database(call, call.words[2]).map_err(|_| Refusal::of("ERR invalid second DB index"))?;
    call.store.swap(first, second);
    call.changes += 1;
    call.out.ok();
    Ok(())
}

/// `CONFIG`.
pub fn config(call: &mut Call<'_>) -> Answered {
    match &call.words[1..] {
        [word, patterns @ ..] if is(word, "get") && !patterns.is_empty() => {
            let is_meant = |name: &str| {
                patterns.iter().any(|pattern| pattern::matches_any_case(pattern, name.as_bytes()))
            };
            let found: Vec<_> = NAMES.iter().map(|(name, _)| *name).filter(|name| is_meant(name)).collect();
            call.out.map(found.len());
            for name in found {
                call.out.bulk(name.as_bytes());
                call.out.bulk(call.store.config.get(name).unwrap_or_default().as_bytes());
            }
        }
        [word, settings @ ..]
            if is(word, "set") && !settings.is_empty() && settings.len().is_multiple_of(2) =>
        {
            set(call, settings)?;
            call.out.ok();
        }
        [word] if is(word, "resetstat") => {
            let counts = &mut call.store.counts;
            *counts =
                crate::store::Counts { changes: counts.changes, peak: counts.peak, ..Default::default() };
            call.out.ok();
        }
        [word] if is(word, "rewrite") => {
            return Err(Refusal::of("ERR The server is running without a config file"));
        }
        [word, ..] if is(word, "get") => return Err(wrong_count("config|get")),
        [word, ..] if is(word, "set") => return Err(wrong_count("config|set")),
        [word, ..] => return Err(unknown_subcommand(word, "CONFIG")),
        [] => return Err(wrong_count("config")),
    }
    Ok(())
}

/// All settings, or none.
fn set(call: &mut Call<'_>, settings: &[&[u8]]) -> Answered {
    let mut changed = call.store.config.clone();
    for pair in settings.chunks_exact(2) {
        let [name, value] = [pair[0], pair[1]].map(|word| String::from_utf8_lossy(word).to_string());
        let name = name.to_ascii_lowercase();
        let failed = |why: &str| {
            Refusal::from(format!("ERR CONFIG SET failed (possibly related to argument '{name}') - {why}"))
        };
        match NAMES.iter().find(|(known, _)| *known == name) {
            None => {
                let text = format!("ERR Unknown option or number of arguments for CONFIG SET - '{name}'");
                return Err(Refusal::from(text));
            }
            Some((_, false)) => return Err(failed("can't set immutable config")),
            Some((_, true)) => changed.set(&name, &value).map_err(|why| failed(&why))?,
        }
    }
    call.store.config = changed;
    Ok(())
}

/// Bytes for people.
fn human(bytes: usize) -> String {
    let units = ["B", "K", "M", "G"];
    let power = (0..3).take_while(|power| bytes >> (10 * (power + 1)) > 0).count();
    let whole = bytes >> (10 * power);
    let part = ((bytes & ((1 << (10 * power)) - 1)) * 100) >> (10 * power);
    format!("{whole}.{part:02}{}", units[power])
}

/// `INFO`.
pub fn info(call: &mut Call<'_>) -> Answered {
    let wanted = &call.words[1..];
    let is_wanted = |section: &str| {
        wanted.is_empty()
            || wanted.iter().any(|word| {
                is(word, section) || is(word, "all") || is(word, "default") || is(word, "everything")
            })
    };
    let (store, server) = (&*call.store, &*call.server);
    let (config, counts) = (&store.config, &store.counts);
    let uptime = store.now.saturating_sub(server.since) / 1_000;
    let mut text = String::new();
    let mut section = |name: &str, lines: &[(&str, &dyn core::fmt::Display)]| {
        if !is_wanted(name) {
            return;
        }
        if !text.is_empty() {
            text += "\r\n";
        }
        let _ = write!(text, "# {}{}\r\n", name[..1].to_ascii_uppercase(), &name[1..]);
        for (name, value) in lines {
            let _ = write!(text, "{name}:{value}\r\n");
        }
    };
    section(
        "server",
        &[
            ("redis_version", &VERSION),
            ("redis_mode", &"standalone"),
            ("server_name", &"rusthallows-kv"),
            ("server_version", &env!("CARGO_PKG_VERSION")),
            ("arch_bits", &usize::BITS),
            ("run_id", &format!("{:016x}{:024x}", server.run, server.since)),
            ("tcp_port", &config.port),
            ("server_time_usec", &(store.now * 1_000)),
            ("uptime_in_seconds", &uptime),
            ("uptime_in_days", &(uptime / 86_400)),
        ],
    );
    section(
        "clients",
        &[
            ("connected_clients", &server.clients.len()),
            ("maxclients", &config.max_clients),
            ("blocked_clients", &0),
        ],
    );
    section(
        "memory",
        &[
            ("used_memory", &store.bytes()),
            ("used_memory_human", &human(store.bytes())),
            ("used_memory_peak", &counts.peak),
            ("used_memory_peak_human", &human(counts.peak)),
            ("maxmemory", &config.max_memory),
            ("maxmemory_human", &human(config.max_memory)),
            ("maxmemory_policy", &config.policy()),
        ],
    );
    section(
        "persistence",
        &[
            ("loading", &u8::from(store.is_loading)),
            ("rdb_changes_since_last_save", &counts.changes),
            ("rdb_bgsave_in_progress", &0),
            ("aof_enabled", &u8::from(config.append_only)),
            ("aof_rewrite_in_progress", &u8::from(store.log.file.is_being_rewritten)),
            ("aof_rewrite_scheduled", &u8::from(store.log.file.asked_to_rewrite)),
            ("aof_last_bgrewrite_status", &if store.log.file.failed_to_rewrite { "err" } else { "ok" }),
            ("aof_current_size", &store.log.file.bytes),
            ("aof_base_size", &store.log.file.base_bytes),
        ],
    );
    section(
        "stats",
        &[
            ("total_connections_received", &counts.connections),
            ("total_commands_processed", &counts.commands),
            ("expired_keys", &counts.expired),
            ("evicted_keys", &counts.evicted),
            ("keyspace_hits", &counts.hits),
            ("keyspace_misses", &counts.misses),
            ("slow_commands_under_way", &server.jobs.len()),
        ],
    );
    section("replication", &[("role", &"master"), ("connected_slaves", &0)]);
    section("cpu", &[]);
    section("cluster", &[("cluster_enabled", &0)]);
    let sizes: Vec<_> = (0..config.databases)
        .map(|number| (number, store.size(number)))
        .filter(|(_, size)| size.0 > 0)
        .collect();
    let keyspace: Vec<_> = sizes
        .iter()
        .map(|(number, (keys, expires))| {
            (format!("db{number}"), format!("keys={keys},expires={expires},avg_ttl=0"))
        })
        .collect();
    let lines: Vec<(&str, &dyn core::fmt::Display)> =
        keyspace.iter().map(|(name, value)| (&**name, value as _)).collect();
    section("keyspace", &lines);
    call.out.verbatim(&text);
    Ok(())
}

/// The group of a command, as the documentation of redis has it.
fn group(command: &Command) -> &'static str {
    let begins = |letters: &[u8]| letters.contains(&command.name.as_bytes()[0]);
    match command.name {
        "multi" | "exec" | "discard" | "watch" | "unwatch" => "transactions",
        "ping" | "echo" | "select" | "hello" | "auth" | "quit" | "reset" | "client" => "connection",
        "setbit" | "getbit" | "bitcount" | "bitpos" | "bitop" => "bitmap",
        _ if command.keys == (0, 0, 0) && command.counted == 0 && !command.is(command::READ) => "server",
        name if name.starts_with("sort")
            || ["scan", "keys", "randomkey", "object", "memory"].contains(&name) =>
        {
            "generic"
        }
        name if ["set", "setnx", "setex", "setrange", "strlen", "substr"].contains(&name) => "string",
        _ if begins(b"h") => "hash",
        _ if begins(b"lr") && !command.name.starts_with("rename") => "list",
        _ if begins(b"s") => "set",
        _ if begins(b"z") => "sorted-set",
        name if ["get", "mget", "mset", "msetnx", "append", "psetex"].contains(&name)
            || name.starts_with("get")
            || name.starts_with("incr")
            || name.starts_with("decr") =>
        {
            "string"
        }
        _ => "generic",
    }
}

/// What is known of a command.
fn describe(call: &mut Call<'_>, command: &Command) {
    let out = &mut *call.out;
    out.array(10);
    out.bulk(command.name.as_bytes());
    out.integer(command.arity.into());
    let flags = [
        (command::WRITE, "write"),
        (command::READ, "readonly"),
        (command::NEEDS_MEMORY, "denyoom"),
        (command::FAST, "fast"),
        (command::ADMIN, "admin"),
    ];
    let flags: Vec<_> = flags.iter().filter(|(flag, _)| command.is(*flag)).map(|(_, name)| *name).collect();
    let is_movable = command.counted > 0 || command.name == "sort";
    out.set(flags.len() + usize::from(is_movable));
    for flag in flags.iter().chain(is_movable.then_some(&"movablekeys")) {
        out.simple(flag);
    }
    let (first, last, step) = command.keys;
    out.integer(first.into());
    out.integer(last.into());
    out.count(if first == 0 { 0 } else { step });
    // Categories, tips, key specifications, subcommands.
    for _ in 0..4 {
        out.array(0);
    }
}

/// `COMMAND`.
pub fn command(call: &mut Call<'_>) -> Answered {
    let named = |words: &[&[u8]]| -> Vec<Option<&'static Command>> {
        words.iter().map(|word| ALL.iter().find(|command| is(word, command.name))).collect()
    };
    match &call.words[1..] {
        [] => {
            call.out.array(ALL.len());
            ALL.iter().for_each(|command| describe(call, command));
        }
        [word] if is(word, "count") => call.out.count(ALL.len()),
        [word] if is(word, "list") => {
            call.out.array(ALL.len());
            ALL.iter().for_each(|command| call.out.bulk(command.name.as_bytes()));
        }
        [word, names @ ..] if is(word, "info") => {
            let found = if names.is_empty() { ALL.iter().map(Some).collect() } else { named(names) };
            call.out.array(found.len());
            for command in found {
                match command {
                    Some(command) => describe(call, command),
                    None => call.out.null_array(),
                }
            }
        }
        [word, names @ ..] if is(word, "docs") => {
            let found: Vec<_> = if names.is_empty() {
                ALL.iter().collect()
            } else {
                named(names).into_iter().flatten().collect()
            };
            call.out.map(found.len());
            for command in found {
                call.out.bulk(command.name.as_bytes());
                call.out.map(1);
                call.out.bulk(b"group");
                call.out.bulk(group(command).as_bytes());
            }
        }
        [word, request @ ..] if is(word, "getkeys") && !request.is_empty() => {
            let found = ALL.iter().find(|command| is(request[0], command.name));
            let command = found.ok_or(Refusal::of("ERR Invalid command specified"))?;
            let keys = command.keys(request);
            if keys.is_empty() {
                return Err(Refusal::of("ERR The command has no key arguments"));
            }
            call.out.array(keys.len());
            keys.iter().for_each(|place| call.out.bulk(request.get(*place).copied().unwrap_or_default()));
        }
        [word, ..] => return Err(unknown_subcommand(word, "COMMAND")),
    }
    Ok(())
}

/// `MEMORY`.
pub fn memory(call: &mut Call<'_>) -> Answered {
    match &call.words[1..] {
        [word, key, ..] if is(word, "usage") => match call.store.peek(call.client.database, key) {
            Some(entry) => call.out.count(Store::bytes_of(entry)),
            None => call.out.null(),
        },
        [word] if is(word, "doctor") => call.out.verbatim("Nothing is known to be wrong."),
        [word] if is(word, "purge") => call.out.ok(),
        [word, ..] => return Err(unknown_subcommand(word, "MEMORY")),
        [] => return Err(wrong_count("memory")),
    }
    Ok(())
}

/// `LATENCY`: nothing is recorded.
pub fn latency(call: &mut Call<'_>) -> Answered {
    match &call.words[1..] {
        [word] if is(word, "latest") => call.out.array(0),
        [word, _] if is(word, "history") => call.out.array(0),
        [word, ..] if is(word, "reset") => call.out.integer(0),
        [word, ..] => return Err(unknown_subcommand(word, "LATENCY")),
        [] => return Err(wrong_count("latency")),
    }
    Ok(())
}

/// `SLOWLOG`: nothing is recorded.
pub fn slowlog(call: &mut Call<'_>) -> Answered {
    match &call.words[1..] {
        [word, ..] if is(word, "get") => call.out.array(0),
        [word] if is(word, "len") => call.out.integer(0),
        [word] if is(word, "reset") => call.out.ok(),
        [word, ..] => return Err(unknown_subcommand(word, "SLOWLOG")),
        [] => return Err(wrong_count("slowlog")),
    }
    Ok(())
}

/// `ROLE`.
pub fn role(call: &mut Call<'_>) -> Answered {
    call.out.array(3);
    call.out.bulk(b"master");
    call.out.integer(0);
    call.out.array(0);
    Ok(())
}

/// `WAIT`: there are no replicas.
pub fn wait(call: &mut Call<'_>) -> Answered {
    crate::call::int(call.words[1])?;
    crate::call::int(call.words[2])?;
    call.out.integer(0);
    Ok(())
}

/// `ACL`: there is one user, who may do everything.
pub fn acl(call: &mut Call<'_>) -> Answered {
    match &call.words[1..] {
        [word] if is(word, "whoami") => call.out.bulk(b"default"),
        [word] if is(word, "users") => {
            call.out.array(1);
            call.out.bulk(b"default");
        }
        [word, ..] => return Err(unknown_subcommand(word, "ACL")),
        [] => return Err(wrong_count("acl")),
    }
    Ok(())
}

/// `SHUTDOWN`.
pub fn shutdown(call: &mut Call<'_>) -> Answered {
    let is_known = |word: &&[u8]| ["nosave", "save", "now", "force"].iter().any(|name| is(word, name));
    if !call.words[1..].iter().all(is_known) {
        return Err(Refusal::SYNTAX);
    }
    call.server.is_ending = true;
    call.client.is_leaving = true;
    Ok(())
}
