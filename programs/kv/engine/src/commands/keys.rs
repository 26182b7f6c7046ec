//! Commands about keys, whatever they have.

use alloc::format;
use alloc::string::String;

use super::Answered;
use super::connection::{database, unknown_subcommand};
use super::scan::{Asked, Found};
use super::sort;
use crate::call::{Call, Long, int, is};
use crate::command::wrong_count;
use crate::engine::scan_keys;
use crate::number::Digits;
use crate::output::Output;
use crate::refusal::Refusal;
use crate::store::NEVER;

/// `DEL`, `UNLINK`: large values are freed in pieces afterwards.
pub fn del(call: &mut Call<'_>) -> Answered {
    for key in &call.words[1..] {
        let is_gone = call.store.remove(call.client.database, key);
        call.changed(key, is_gone.into());
    }
    call.out.count(call.changes);
    Ok(())
}

/// `EXISTS`, `TOUCH`.
pub fn exists(call: &mut Call<'_>) -> Answered {
    let database = call.database();
    let count = call.words[1..].iter().filter(|key| call.store.read(database, key).is_some()).count();
    call.out.count(count);
    Ok(())
}

/// `TYPE`.
pub fn kind(call: &mut Call<'_>) -> Answered {
    let kind = call.read(call.words[1]).map_or("none", |value| value.kind());
    call.out.simple(kind);
    Ok(())
}

/// `EXPIRE`.
pub fn expire(call: &mut Call<'_>) -> Answered {
    set_expiry(call, 1_000, true)
}

/// `PEXPIRE`.
pub fn pexpire(call: &mut Call<'_>) -> Answered {
    set_expiry(call, 1, true)
}

/// `EXPIREAT`.
pub fn expireat(call: &mut Call<'_>) -> Answered {
    set_expiry(call, 1_000, false)
}

/// `PEXPIREAT`.
pub fn pexpireat(call: &mut Call<'_>) -> Answered {
    set_expiry(call, 1, false)
}

fn set_expiry(call: &mut Call<'_>, unit: i64, is_relative: bool) -> Answered {
    let invalid = || Refusal::from(format!("ERR invalid expire time in '{}' command", call.command.name));
    let number = int(call.words[2])?;
    let [mut if_none, mut if_any, mut if_later, mut if_sooner] = [false; 4];
    for option in &call.words[3..] {
        match option {
            option if is(option, "nx") => if_none = true,
            option if is(option, "xx") => if_any = true,
            option if is(option, "gt") => if_later = true,
            option if is(option, "lt") => if_sooner = true,
            option => {
                return Err(Refusal::from(format!(
                    "ERR Unsupported option {}",
                    String::from_utf8_lossy(option)
                )));
            }
        }
    }
    if if_none && (if_any || if_later || if_sooner) {
        return Err(Refusal::of("ERR NX and XX, GT or LT options at the same time are not compatible"));
    }
    if if_later && if_sooner {
        return Err(Refusal::of("ERR GT and LT options at the same time are not compatible"));
    }
    let now = i64::try_from(call.store.now).unwrap_or(i64::MAX);
    let at = number.checked_mul(unit).ok_or_else(invalid)?;
    let at = if is_relative { at.checked_add(now).ok_or_else(invalid)? } else { at };
    let at = u64::try_from(at).unwrap_or(0);
    let (database, key) = (call.client.database, call.words[1]);
    let before = call.store.peek(database, key).map(|entry| entry.expires);
    let is_allowed = match before {
        None => false,
        Some(before) => {
            let is_excluded = (if_none && before != NEVER)
                || (if_any && before == NEVER)
                || (if_later && at <= before)
                || (if_sooner && at >= before);
            !is_excluded
        }
    };
    if is_allowed {
        if at <= call.store.now && !call.store.is_loading {
            call.store.remove(database, key);
            call.log_instead(&[b"DEL", key]);
        } else {
            call.store.set_expiry(database, key, at);
            call.log_instead(&[b"PEXPIREAT", key, Digits::of(i64::try_from(at).unwrap_or(i64::MAX)).text()]);
        }
        call.changed(key, 1);
    }
    call.out.yes(is_allowed);
    Ok(())
}

/// How long a key lives: −2 if there is none, −1 if for ever.
fn lifetime(call: &mut Call<'_>, of: impl Fn(u64, u64) -> u64) -> Answered {
    let now = call.store.now;
    let number = match call.store.peek(call.client.database, call.words[1]) {
        None => -2,
        Some(entry) if entry.expires == NEVER => -1,
        Some(entry) => i64::try_from(of(entry.expires, now)).unwrap_or(i64::MAX),
    };
    call.out.integer(number);
    Ok(())
}

/// `TTL`.
pub fn ttl(call: &mut Call<'_>) -> Answered {
    lifetime(call, |at, now| (at.saturating_sub(now) + 500) / 1_000)
}

/// `PTTL`.
pub fn pttl(call: &mut Call<'_>) -> Answered {
    lifetime(call, u64::saturating_sub)
}

/// `EXPIRETIME`.
pub fn expiretime(call: &mut Call<'_>) -> Answered {
    lifetime(call, |at, _| (at + 500) / 1_000)
}

/// `PEXPIRETIME`.
pub fn pexpiretime(call: &mut Call<'_>) -> Answered {
    lifetime(call, |at, _| at)
}

/// `PERSIST`.
pub fn persist(call: &mut Call<'_>) -> Answered {
    let (database, key) = (call.client.database, call.words[1]);
    let expires = call.store.peek(database, key).is_some_and(|entry| entry.expires != NEVER);
    if expires {
        call.store.set_expiry(database, key, NEVER);
        call.changed(key, 1);
    }
    call.out.yes(expires);
    Ok(())
}

/// `KEYS`.
pub fn keys(call: &mut Call<'_>) -> Answered {
    let pattern = call.words[1];
    if !call.in_one_piece && call.store.size(call.client.database).0 > crate::pace::SHORT {
        call.long = Some(Long::Keys(pattern.to_vec()));
        return Ok(());
    }
    let (mut found, mut count, mut cursor) = (Output::new(call.out.version), 0, 0);
    loop {
        cursor = scan_keys(call.store, call.client.database, cursor, pattern, &mut |key| {
            found.bulk(key);
            count += 1;
        });
        if cursor == 0 {
            break;
        }
    }
    call.out.array(count);
    call.out.append(found);
    Ok(())
}

/// `SCAN`.
pub fn scan(call: &mut Call<'_>) -> Answered {
    if call.words.len() < 2 {
        return Err(wrong_count("scan"));
    }
    let mut asked = Asked::at(call, 1)?;
    let (store, number, mut found) = (&*call.store, call.client.database, Found::default());
    let Some(entries) = store.entries(number) else { return Ok(()) };
    asked.walk(|asked, cursor| {
        let mut count = 0;
        let next = entries.scan(cursor, |_, entry| {
            count += 1;
            if asked.wants(&entry.key)
                && asked.kind.is_none_or(|kind| is(kind, entry.value.kind()))
                && store.is_live(number, entry)
            {
                found.0.push(entry.key.to_vec());
            }
        });
        (next, count)
    });
    asked.answer(call.out, &found);
    Ok(())
}

/// `RANDOMKEY`.
pub fn randomkey(call: &mut Call<'_>) -> Answered {
    match call.store.any(call.client.database) {
        Some(key) => call.out.bulk(&key),
        None => call.out.null(),
    }
    Ok(())
}

/// `RENAME`.
pub fn rename(call: &mut Call<'_>) -> Answered {
    rename_to(call)?;
    call.out.ok();
    Ok(())
}

/// `RENAMENX`.
pub fn renamenx(call: &mut Call<'_>) -> Answered {
    let (database, from, to) = (call.client.database, call.words[1], call.words[2]);
    if call.store.find(database, from).is_none() {
        return Err(Refusal::NO_KEY);
    }
    let is_free = call.store.find(database, to).is_none();
    if is_free {
        rename_to(call)?;
    }
    call.out.yes(is_free);
    Ok(())
}

fn rename_to(call: &mut Call<'_>) -> Answered {
    let (database, from, to) = (call.client.database, call.words[1], call.words[2]);
    if from == to {
        return if call.store.find(database, from).is_some() { Ok(()) } else { Err(Refusal::NO_KEY) };
    }
    let entry = call.store.take(database, from).ok_or(Refusal::NO_KEY)?;
    call.store.set(database, to, entry.value, false);
    call.store.set_expiry(database, to, entry.expires);
    call.changed(from, 1);
    call.changed(to, 1);
    Ok(())
}

/// `COPY`: both keys have the same value until one of them changes it, so it takes no time.
pub fn copy(call: &mut Call<'_>) -> Answered {
    let (from, to) = (call.words[1], call.words[2]);
    let here = call.database();
    let (mut there, mut replaces) = (here, false);
    let mut options = &call.words[3..];
    while let [option, rest @ ..] = options {
        options = match rest {
            rest if is(option, "replace") => {
                replaces = true;
                rest
            }
            [number, rest @ ..] if is(option, "db") => {
                there = database(call, number)?;
                rest
            }
            _ => return Err(Refusal::SYNTAX),
        };
    }
    if from == to && here == there {
        return Err(Refusal::of("ERR source and destination objects are the same"));
    }
    let source = call.store.read(here, from).map(|entry| (entry.value.clone(), entry.expires));
    let is_free = replaces || call.store.find(there, to).is_none();
    let Some((value, expires)) = source.filter(|_| is_free) else {
        call.out.integer(0);
        return Ok(());
    };
    call.store.set(there, to, value, false);
    call.store.set_expiry(there, to, expires);
    call.store.touch(there, to);
    call.changes += 1;
    call.out.integer(1);
    Ok(())
}

/// `MOVE`.
pub fn move_key(call: &mut Call<'_>) -> Answered {
    let (here, key) = (call.client.database, call.words[1]);
    let there = database(call, call.words[2])?;
    if here == there {
        return Err(Refusal::of("ERR source and destination objects are the same"));
    }
    let is_free = call.store.find(there, key).is_none();
    let entry = if is_free { call.store.take(here, key) } else { None };
    call.out.yes(entry.is_some());
    if let Some(entry) = entry {
        call.store.set(there, key, entry.value, false);
        call.store.set_expiry(there, key, entry.expires);
        call.store.touch(there, key);
        call.changed(key, 1);
    }
    Ok(())
}

/// `OBJECT`.
pub fn object(call: &mut Call<'_>) -> Answered {
    let (word, key) = match call.words {
        [_, word, key] => (*word, *key),
        [_, word, ..] if ["encoding", "refcount", "idletime", "freq"].iter().any(|name| is(word, name)) => {
            return Err(wrong_count(&format!(
                "object|{}",
                String::from_utf8_lossy(word).to_ascii_lowercase()
            )));
        }
        [_, word, ..] => return Err(unknown_subcommand(word, "OBJECT")),
        _ => return Err(wrong_count("object")),
    };
    let (store, out) = (&mut *call.store, &mut *call.out);
    let idle = store.peek(call.client.database, key).cloned().map(|entry| (store.idle(&entry), entry));
    let Some((idle, entry)) = idle else {
        if !["encoding", "refcount", "idletime", "freq"].iter().any(|name| is(word, name)) {
            return Err(unknown_subcommand(word, "OBJECT"));
        }
        out.null();
        return Ok(());
    };
    match word {
        word if is(word, "encoding") => out.bulk(entry.value.encoding().as_bytes()),
        word if is(word, "refcount") => out.integer(1),
        word if is(word, "idletime") => out.integer(i64::try_from(idle).unwrap_or(i64::MAX)),
        word if is(word, "freq") => {
            return Err(Refusal::of(
                "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.",
            ));
        }
        word => return Err(unknown_subcommand(word, "OBJECT")),
    }
    Ok(())
}

/// `SORT`.
pub fn sort(call: &mut Call<'_>) -> Answered {
    sort::sort(call, true)
}

/// `SORT_RO`.
pub fn sort_ro(call: &mut Call<'_>) -> Answered {
    sort::sort(call, false)
}
