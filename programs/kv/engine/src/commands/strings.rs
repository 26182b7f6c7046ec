//! Strings, numbers in them, and bits.

use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Answered, borrowed, write_string};
use crate::call::{Call, float, int, is, span};
use crate::command::wrong_count;
use crate::number::Digits;
use crate::pace::Outcome;
use crate::refusal::Refusal;
use crate::store::NEVER;
use crate::value::Value;

/// Bytes of a string that count as one step.
const STEP: usize = 64;

/// `GET`.
pub fn get(call: &mut Call<'_>) -> Answered {
    match call.store.read(call.client.database, call.words[1]) {
        Some(entry) => write_string(call.out, &entry.value),
        None => {
            call.out.null();
            Ok(())
        }
    }
}

/// `MGET`.
pub fn mget(call: &mut Call<'_>) -> Answered {
    call.out.array(call.words.len() - 1);
    for key in &call.words[1..] {
        let entry = call.store.read(call.client.database, key);
        if entry.is_none_or(|entry| write_string(call.out, &entry.value).is_err()) {
            call.out.null();
        }
    }
    Ok(())
}

/// `STRLEN`.
pub fn strlen(call: &mut Call<'_>) -> Answered {
    let length = match call.read(call.words[1]) {
        Some(value) => value.text()?.len(),
        None => 0,
    };
    call.out.count(length);
    Ok(())
}

/// When a key expires, by the word that says so: in milliseconds since 1970.
fn moment(call: &Call<'_>, option: &[u8], word: &[u8]) -> Result<u64, Refusal> {
    let invalid = || Refusal::from(format!("ERR invalid expire time in '{}' command", call.command.name));
    let number = int(word)?;
    let is_seconds = is(option, "ex") || is(option, "exat");
    let is_absolute = is(option, "exat") || is(option, "pxat");
    if number <= 0 {
        return Err(invalid());
    }
    let milliseconds = if is_seconds { number.checked_mul(1_000).ok_or_else(invalid)? } else { number };
    let now = i64::try_from(call.store.now).unwrap_or(i64::MAX);
    let at = if is_absolute { milliseconds } else { milliseconds.checked_add(now).ok_or_else(invalid)? };
    u64::try_from(at).map_err(|_| invalid())
}

/// Gives a key a value; it expires then.
fn store(call: &mut Call<'_>, key: &[u8], value: &[u8], expires: u64) {
    call.set(key, Value::string(value));
    call.changed(key, 1);
    if expires != NEVER {
        call.store.set_expiry(call.client.database, key, expires);
        log_set(call, key, value, expires);
    }
}

fn log_set(call: &mut Call<'_>, key: &[u8], value: &[u8], expires: u64) {
    let at = Digits::of(i64::try_from(expires).unwrap_or(i64::MAX));
    call.log_instead(&[b"SET", key, value, b"PXAT", at.text()]);
}

/// `SET`.
pub fn set(call: &mut Call<'_>) -> Answered {
    let words = call.words;
    let (key, value) = (words[1], words[2]);
    if words.len() == 3 {
        call.set(key, Value::string(value));
        call.changed(key, 1);
        call.out.ok();
        return Ok(());
    }
    let (mut if_absent, mut if_there, mut gets, mut keeps, mut expires) = (false, false, false, false, None);
    let mut options = words[3..].iter();
    while let Some(option) = options.next() {
        if is(option, "nx") && !if_there {
            if_absent = true;
        } else if is(option, "xx") && !if_absent {
            if_there = true;
        } else if is(option, "get") {
            gets = true;
        } else if is(option, "keepttl") && expires.is_none() {
            keeps = true;
        } else if ["ex", "px", "exat", "pxat"].iter().any(|name| is(option, name))
            && expires.is_none()
            && !keeps
        {
            expires = Some((option, options.next().ok_or(Refusal::SYNTAX)?));
        } else {
            return Err(Refusal::SYNTAX);
        }
    }
    let expires = match expires {
        Some((option, word)) => Some(moment(call, option, word)?),
        None => None,
    };
    let database = call.database();
    let is_there = if gets {
        match call.store.read(database, key) {
            Some(entry) => {
                write_string(call.out, &entry.value)?;
                true
            }
            None => {
                call.out.null();
                false
            }
        }
    } else {
        (if_absent || if_there) && call.store.find(database, key).is_some()
    };
    if (if_absent && is_there) || (if_there && !is_there) {
        if !gets {
            call.out.null();
        }
        return Ok(());
    }
    call.store.set(database, key, Value::string(value), keeps);
    call.changed(key, 1);
    match expires {
        Some(expires) => {
            call.store.set_expiry(database, key, expires);
            log_set(call, key, value, expires);
        }
        None if keeps => call.log_instead(&[b"SET", key, value, b"KEEPTTL"]),
        None => call.log_instead(&[b"SET", key, value]),
    }
    if !gets {
        call.out.ok();
    }
    Ok(())
}

/// `SETNX`.
pub fn setnx(call: &mut Call<'_>) -> Answered {
    let (key, value) = (call.words[1], call.words[2]);
    let is_new = call.store.find(call.client.database, key).is_none();
    if is_new {
        store(call, key, value, NEVER);
    }
    call.out.yes(is_new);
    Ok(())
}

/// `SETEX`.
pub fn setex(call: &mut Call<'_>) -> Answered {
    set_expiring(call, b"ex")
}

/// `PSETEX`.
pub fn psetex(call: &mut Call<'_>) -> Answered {
    set_expiring(call, b"px")
}

fn set_expiring(call: &mut Call<'_>, unit: &[u8]) -> Answered {
    let expires = moment(call, unit, call.words[2])?;
    store(call, call.words[1], call.words[3], expires);
    call.out.ok();
    Ok(())
}

/// `GETSET`.
pub fn getset(call: &mut Call<'_>) -> Answered {
    let (key, value) = (call.words[1], call.words[2]);
    get(call)?;
    store(call, key, value, NEVER);
    call.log_instead(&[b"SET", key, value]);
    Ok(())
}

/// `GETDEL`.
pub fn getdel(call: &mut Call<'_>) -> Answered {
    let key = call.words[1];
    get(call)?;
    let is_gone = call.store.remove(call.client.database, key);
    call.changed(key, is_gone.into());
    call.log_instead(&[b"DEL", key]);
    Ok(())
}

/// `GETEX`.
pub fn getex(call: &mut Call<'_>) -> Answered {
    let (key, database) = (call.words[1], call.client.database);
    let expires = match &call.words[2..] {
        [] => None,
        [option] if is(option, "persist") => Some(NEVER),
        [option, word] if ["ex", "px", "exat", "pxat"].iter().any(|name| is(option, name)) => {
            Some(moment(call, option, word)?)
        }
        _ => return Err(Refusal::SYNTAX),
    };
    get(call)?;
    let Some(before) = call.store.peek(database, key).map(|entry| entry.expires) else { return Ok(()) };
    match expires {
        Some(NEVER) if before != NEVER => {
            call.store.set_expiry(database, key, NEVER);
            call.changed(key, 1);
            call.log_instead(&[b"PERSIST", key]);
        }
        None | Some(NEVER) => {}
        Some(at) if at <= call.store.now && !call.store.is_loading => {
            call.store.remove(database, key);
            call.changed(key, 1);
            call.log_instead(&[b"DEL", key]);
        }
        Some(at) => {
            call.store.set_expiry(database, key, at);
            call.changed(key, 1);
            call.log_instead(&[b"PEXPIREAT", key, Digits::of(i64::try_from(at).unwrap_or(i64::MAX)).text()]);
        }
    }
    Ok(())
}

/// `MSET`.
pub fn mset(call: &mut Call<'_>) -> Answered {
    if call.words.len().is_multiple_of(2) {
        return Err(wrong_count(call.command.name));
    }
    for pair in call.words[1..].chunks_exact(2) {
        store(call, pair[0], pair[1], NEVER);
    }
    call.out.ok();
    Ok(())
}

/// `MSETNX`.
pub fn msetnx(call: &mut Call<'_>) -> Answered {
    if call.words.len().is_multiple_of(2) {
        return Err(wrong_count(call.command.name));
    }
    let database = call.database();
    let is_new = call.words[1..].iter().step_by(2).all(|key| call.store.find(database, key).is_none());
    if is_new {
        for pair in call.words[1..].chunks_exact(2) {
            store(call, pair[0], pair[1], NEVER);
        }
    }
    call.out.yes(is_new);
    Ok(())
}

/// `APPEND`.
pub fn append(call: &mut Call<'_>) -> Answered {
    let (key, more, longest) = (call.words[1], call.words[2], call.store.config.longest);
    let length = call.change(key, None, |value| {
        if value.text()?.len() + more.len() > longest {
            return Err(Refusal::TOO_LONG);
        }
        let bytes = value.grown()?;
        bytes.extend_from_slice(more);
        Ok(bytes.len())
    })?;
    let length = length.unwrap_or_else(|| {
        call.set(key, Value::string(more));
        more.len()
    });
    call.changed(key, 1);
    call.out.count(length);
    Ok(())
}

/// `INCR`.
pub fn incr(call: &mut Call<'_>) -> Answered {
    add(call, 1)
}

/// `DECR`.
pub fn decr(call: &mut Call<'_>) -> Answered {
    add(call, -1)
}

/// `INCRBY`.
pub fn incrby(call: &mut Call<'_>) -> Answered {
    add(call, int(call.words[2])?)
}

/// `DECRBY`.
pub fn decrby(call: &mut Call<'_>) -> Answered {
    let number = int(call.words[2])?;
    add(call, number.checked_neg().ok_or(Refusal::of("ERR decrement would overflow"))?)
}

fn add(call: &mut Call<'_>, number: i64) -> Answered {
    let key = call.words[1];
    let sum = call.change(key, None, |value| {
        let before = if let Value::Integer(before) = value { *before } else { int(&value.text()?)? };
        let sum = before.checked_add(number).ok_or(Refusal::OVERFLOW)?;
        *value = Value::Integer(sum);
        Ok(sum)
    })?;
    let sum = sum.unwrap_or_else(|| {
        call.set(key, Value::Integer(number));
        number
    });
    call.changed(key, 1);
    call.out.integer(sum);
    Ok(())
}

/// `INCRBYFLOAT`.
pub fn incrbyfloat(call: &mut Call<'_>) -> Answered {
    let (key, database) = (call.words[1], call.client.database);
    let before = match call.store.peek(database, key) {
        Some(entry) => float(&entry.value.text()?)?,
        None => 0.0,
    };
    let sum = before + float(call.words[2])?;
    if !sum.is_finite() {
        return Err(Refusal::of("ERR increment would produce NaN or Infinity"));
    }
    let text = format!("{sum}");
    call.store.set(database, key, Value::string(text.as_bytes()), true);
    call.changed(key, 1);
    call.log_instead(&[b"SET", key, text.as_bytes(), b"KEEPTTL"]);
    call.out.bulk(text.as_bytes());
    Ok(())
}

/// `GETRANGE`.
pub fn getrange(call: &mut Call<'_>) -> Answered {
    let (start, end) = (int(call.words[2])?, int(call.words[3])?);
    match call.store.read(call.client.database, call.words[1]) {
        Some(entry) => {
            let text = entry.value.text()?;
            // Both count from the end, and the first is behind the second: nothing.
            let is_none = start < 0 && end < 0 && start > end;
            let span = if is_none { 0..0 } else { span_or_first(start, end, text.len()) };
            call.out.bulk(&text[span]);
        }
        None => call.out.bulk(b""),
    }
    Ok(())
}

/// As [`span`], but an end before the beginning means the first byte.
fn span_or_first(start: i64, end: i64, len: usize) -> core::ops::Range<usize> {
    let size = i64::try_from(len).unwrap_or(i64::MAX);
    let end = if end < 0 { end.saturating_add(size).max(0) } else { end };
    span(start, end, len)
}

/// `SETRANGE`.
pub fn setrange(call: &mut Call<'_>) -> Answered {
    let (key, piece, longest) = (call.words[1], call.words[3], call.store.config.longest);
    let offset = int(call.words[2])?;
    let offset = usize::try_from(offset).map_err(|_| Refusal::of("ERR offset is out of range"))?;
    if piece.is_empty() {
        return strlen(call);
    }
    let end = offset.checked_add(piece.len()).filter(|end| *end <= longest).ok_or(Refusal::TOO_LONG)?;
    let length = call.change(key, Some(|_| Value::Raw(Arc::from([]))), |value| {
        let bytes = value.grown()?;
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        bytes[offset..end].copy_from_slice(piece);
        Ok(bytes.len())
    })?;
    call.changed(key, 1);
    call.out.count(length.unwrap_or(0));
    Ok(())
}

/// The place of a bit.
fn bit_place(call: &Call<'_>, word: &[u8]) -> Result<usize, Refusal> {
    let refusal = Refusal::of("ERR bit offset is not an integer or out of range");
    let place = int(word).ok().and_then(|place| usize::try_from(place).ok());
    place.filter(|place| place / 8 < call.store.config.longest).ok_or(refusal)
}

/// `SETBIT`.
pub fn setbit(call: &mut Call<'_>) -> Answered {
    let (key, place) = (call.words[1], bit_place(call, call.words[2])?);
    let is_set = match call.words[3] {
        b"0" => false,
        b"1" => true,
        _ => return Err(Refusal::of("ERR bit is not an integer or out of range")),
    };
    let before = call.change(key, Some(|_| Value::Raw(Arc::from([]))), |value| {
        let bytes = value.grown()?;
        if bytes.len() <= place / 8 {
            bytes.resize(place / 8 + 1, 0);
        }
        let (byte, mask) = (&mut bytes[place / 8], 0x80 >> (place % 8));
        let before = *byte & mask != 0;
        *byte = if is_set { *byte | mask } else { *byte & !mask };
        Ok(before)
    })?;
    call.changed(key, 1);
    call.out.yes(before.unwrap_or(false));
    Ok(())
}

/// `GETBIT`.
pub fn getbit(call: &mut Call<'_>) -> Answered {
    let place = bit_place(call, call.words[2])?;
    let is_set = match call.read(call.words[1]) {
        Some(value) => value.text()?.get(place / 8).is_some_and(|byte| byte & (0x80 >> (place % 8)) != 0),
        None => false,
    };
    call.out.yes(is_set);
    Ok(())
}

/// Which bits of so many bytes are meant, by up to two places and a unit.
fn bit_span(words: &[&[u8]], len: usize) -> Result<core::ops::Range<usize>, Refusal> {
    let bits = match words.get(2) {
        None => false,
        Some(unit) if is(unit, "bit") => true,
        Some(unit) if is(unit, "byte") => false,
        Some(_) => return Err(Refusal::SYNTAX),
    };
    let start = words.first().map_or(Ok(0), |word| int(word))?;
    let end = words.get(1).map_or(Ok(-1), |word| int(word))?;
    let unit = if bits { 1 } else { 8 };
    let span = span_or_first(start, end, len * 8 / unit);
    Ok(span.start * unit..span.end * unit)
}

/// The bit at a place.
fn bit(bytes: &[u8], place: usize) -> bool {
    bytes.get(place / 8).is_some_and(|byte| byte & (0x80 >> (place % 8)) != 0)
}

/// `BITCOUNT`.
pub fn bitcount(call: &mut Call<'_>) -> Answered {
    let options = &call.words[2..];
    let Some(value) = call.read(call.words[1]).cloned() else {
        call.out.integer(0);
        return Ok(());
    };
    let len = value.text()?.len();
    if options.len() == 1 || options.len() > 3 {
        return Err(Refusal::SYNTAX);
    }
    let span = bit_span(options, len)?;
    // Both count from the end, and the first is behind the second: nothing. For `BITPOS` it is not.
    let ends =
        (options.first().map_or(Ok(0), |word| int(word))?, options.get(1).map_or(Ok(-1), |word| int(word))?);
    let span = if ends.0 < 0 && ends.1 < 0 && ends.0 > ends.1 { 0..0 } else { span };
    call.work(span.len() / 8 / STEP, [], |mut output, mut pace| async move {
        let (mut count, mut at) = (0, span.start);
        while at < span.end {
            let text = value.text();
            let text = text.as_deref().unwrap_or_default();
            let end = span.end.min(at + STEP * 8);
            if at.is_multiple_of(8) && end.is_multiple_of(8) {
                count += text[at / 8..end / 8].iter().map(|byte| byte.count_ones() as usize).sum::<usize>();
            } else {
                count += (at..end).filter(|place| bit(text, *place)).count();
            }
            at = end;
            pace.steps(1).await;
        }
        output.count(count);
        Outcome::from(output)
    });
    Ok(())
}

/// `BITPOS`.
pub fn bitpos(call: &mut Call<'_>) -> Answered {
    let wanted = match call.words[2] {
        b"0" => false,
        b"1" => true,
        word => {
            int(word)?;
            return Err(Refusal::of("ERR The bit argument must be 1 or 0."));
        }
    };
    let options = &call.words[3..];
    if options.len() > 3 {
        return Err(Refusal::SYNTAX);
    }
    let value = call.read(call.words[1]).cloned();
    let len = value.as_ref().map_or(Ok(0), |value| value.text().map(|text| text.len()))?;
    let span = bit_span(options, len)?;
    // Behind a string there are only zeros, unless it is said where to end.
    let has_end = options.len() > 1;
    let Some(value) = value else {
        call.out.integer(if wanted { -1 } else { 0 });
        return Ok(());
    };
    call.work(span.len() / 8 / STEP, [], move |mut output, mut pace| async move {
        let mut at = span.start;
        while at < span.end {
            let text = value.text();
            let text = text.as_deref().unwrap_or_default();
            let end = span.end.min(at + STEP * 8);
            if let Some(found) = (at..end).find(|place| bit(text, *place) == wanted) {
                output.count(found);
                return Outcome::from(output);
            }
            at = end;
            pace.steps(8).await;
        }
        if wanted || has_end || span.is_empty() {
            output.integer(-1)
        } else {
            output.count(span.end)
        }
        Outcome::from(output)
    });
    Ok(())
}

/// `BITOP`.
pub fn bitop(call: &mut Call<'_>) -> Answered {
    let (operation, key) = (call.words[1], call.words[2]);
    let combine: fn(u8, u8) -> u8 = match operation {
        name if is(name, "and") => |a, b| a & b,
        name if is(name, "or") => |a, b| a | b,
        name if is(name, "xor") => |a, b| a ^ b,
        name if is(name, "not") => |a, _| !a,
        _ => return Err(Refusal::SYNTAX),
    };
    let sources = &call.words[3..];
    if is(operation, "not") && sources.len() != 1 {
        return Err(Refusal::of("ERR BITOP NOT must be called with a single source key."));
    }
    let mut texts: Vec<Vec<u8>> = Vec::new();
    for source in sources {
        texts.push(match call.read(source) {
            Some(value) => value.text()?.to_vec(),
            None => Vec::new(),
        });
    }
    let length = texts.iter().map(Vec::len).max().unwrap_or(0);
    texts.iter_mut().for_each(|text| text.resize(length, 0));
    let texts = borrowed(&texts);
    let mut result = texts[0].to_vec();
    if is(operation, "not") {
        result.iter_mut().for_each(|byte| *byte = combine(*byte, 0));
    }
    for text in &texts[1..] {
        result.iter_mut().zip(*text).for_each(|(byte, other)| *byte = combine(*byte, *other));
    }
    if length > 0 {
        call.set(key, Value::string(&result));
        call.changed(key, 1);
    } else {
        let is_gone = call.store.remove(call.client.database, key);
        call.changed(key, is_gone.into());
    }
    call.out.count(length);
    Ok(())
}
