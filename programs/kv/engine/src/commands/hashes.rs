//! Hashes.

use alloc::format;
use alloc::vec::Vec;

use super::Answered;
use super::scan::{Asked, Found};
use super::sets::sample;
use crate::call::{Call, float, int, is};
use crate::command::wrong_count;
use crate::number::{Digits, double, integer};
use crate::output::Version;
use crate::pace::Outcome;
use crate::refusal::Refusal;
use crate::value::Value;

/// `HSET`.
pub fn hset(call: &mut Call<'_>) -> Answered {
    let new = put(call)?;
    call.out.count(new);
    Ok(())
}

/// `HMSET`.
pub fn hmset(call: &mut Call<'_>) -> Answered {
    put(call)?;
    call.out.ok();
    Ok(())
}

fn put(call: &mut Call<'_>) -> Result<usize, Refusal> {
    let words = call.words;
    if !words.len().is_multiple_of(2) {
        return Err(wrong_count(call.command.name));
    }
    let new = call.change(words[1], Some(Value::hash), |value| {
        let hash = value.as_hash_mut()?;
        Ok(words[2..].chunks_exact(2).filter(|pair| hash.insert(pair[0], pair[1])).count())
    })?;
    call.changed(words[1], words.len() / 2 - 1);
    Ok(new.unwrap_or(0))
}

/// `HSETNX`.
pub fn hsetnx(call: &mut Call<'_>) -> Answered {
    let words = call.words;
    let is_new = call.change(words[1], Some(Value::hash), |value| {
        let hash = value.as_hash_mut()?;
        Ok(hash.get(words[2]).is_none() && hash.insert(words[2], words[3]))
    })?;
    let is_new = is_new.unwrap_or(false);
    call.changed(words[1], is_new.into());
    call.out.yes(is_new);
    Ok(())
}

/// `HGET`.
pub fn hget(call: &mut Call<'_>) -> Answered {
    let field = call.words[2];
    let found = match call.store.read(call.client.database, call.words[1]) {
        Some(entry) => entry.value.as_hash()?.get(field),
        None => None,
    };
    match found {
        Some(value) => call.out.value(value),
        None => call.out.null(),
    }
    Ok(())
}

/// `HMGET`.
pub fn hmget(call: &mut Call<'_>) -> Answered {
    let fields = &call.words[2..];
    let hash = match call.store.read(call.client.database, call.words[1]) {
        Some(entry) => Some(entry.value.as_hash()?),
        None => None,
    };
    call.out.array(fields.len());
    for field in fields {
        match hash.and_then(|hash| hash.get(field)) {
            Some(value) => call.out.value(value),
            None => call.out.null(),
        }
    }
    Ok(())
}

/// What of each field is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Both,
    Names,
    Values,
}

/// `HGETALL`.
pub fn hgetall(call: &mut Call<'_>) -> Answered {
    all(call, Part::Both)
}

/// `HKEYS`.
pub fn hkeys(call: &mut Call<'_>) -> Answered {
    all(call, Part::Names)
}

/// `HVALS`.
pub fn hvals(call: &mut Call<'_>) -> Answered {
    all(call, Part::Values)
}

fn all(call: &mut Call<'_>, part: Part) -> Answered {
    let Some(value) = call.read(call.words[1]) else {
        if part == Part::Both {
            call.out.map(0)
        } else {
            call.out.array(0)
        }
        return Ok(());
    };
    let hash = value.as_hash()?.clone();
    call.work(hash.len(), [Value::Hash(hash.clone())], move |mut output, mut pace| async move {
        if part == Part::Both {
            output.map(hash.len())
        } else {
            output.array(hash.len())
        }
        for page in 0.. {
            let Some(page) = hash.fields().page(page) else { break };
            for field in page {
                if part != Part::Values {
                    output.value(&field.name);
                }
                if part != Part::Names {
                    output.value(&field.value);
                }
                pace.steps(2).await;
            }
        }
        Outcome::from(output)
    });
    Ok(())
}

/// `HDEL`.
pub fn hdel(call: &mut Call<'_>) -> Answered {
    let words = call.words;
    let gone = call.change(words[1], None, |value| {
        let hash = value.as_hash_mut()?;
        Ok(words[2..].iter().filter(|field| hash.remove(field)).count())
    })?;
    let gone = gone.unwrap_or(0);
    call.changed(words[1], gone);
    call.out.count(gone);
    Ok(())
}

/// `HEXISTS`.
pub fn hexists(call: &mut Call<'_>) -> Answered {
    let field = call.words[2];
    let is_there = match call.read(call.words[1]) {
        Some(value) => value.as_hash()?.get(field).is_some(),
        None => false,
    };
    call.out.yes(is_there);
    Ok(())
}

/// `HLEN`.
pub fn hlen(call: &mut Call<'_>) -> Answered {
    let count = match call.read(call.words[1]) {
        Some(value) => value.as_hash()?.len(),
        None => 0,
    };
    call.out.count(count);
    Ok(())
}

/// `HSTRLEN`.
pub fn hstrlen(call: &mut Call<'_>) -> Answered {
    let field = call.words[2];
    let length = match call.read(call.words[1]) {
        Some(value) => value.as_hash()?.get(field).map_or(0, |value| value.len()),
        None => 0,
    };
    call.out.count(length);
    Ok(())
}

/// `HINCRBY`.
pub fn hincrby(call: &mut Call<'_>) -> Answered {
    let words = call.words;
    let number = int(words[3])?;
    let sum = call.change(words[1], Some(Value::hash), |value| {
        let hash = value.as_hash_mut()?;
        let before = match hash.get(words[2]) {
            Some(value) => integer(value).ok_or(Refusal::of("ERR hash value is not an integer"))?,
            None => 0,
        };
        let sum = before.checked_add(number).ok_or(Refusal::OVERFLOW)?;
        hash.insert(words[2], Digits::of(sum).text());
        Ok(sum)
    })?;
    call.changed(words[1], 1);
    call.out.integer(sum.unwrap_or(0));
    Ok(())
}

/// `HINCRBYFLOAT`.
pub fn hincrbyfloat(call: &mut Call<'_>) -> Answered {
    let words = call.words;
    let number = float(words[3])?;
    let text = call.change(words[1], Some(Value::hash), |value| {
        let hash = value.as_hash_mut()?;
        let before = match hash.get(words[2]) {
            Some(value) => double(value).ok_or(Refusal::of("ERR hash value is not a float"))?,
            None => 0.0,
        };
        let sum = before + number;
        if !sum.is_finite() {
            return Err(Refusal::of("ERR increment would produce NaN or Infinity"));
        }
        let text = format!("{sum}");
        hash.insert(words[2], text.as_bytes());
        Ok(text)
    })?;
    let text = text.unwrap_or_default();
    call.changed(words[1], 1);
    call.log_instead(&[b"HSET", words[1], words[2], text.as_bytes()]);
    call.out.bulk(text.as_bytes());
    Ok(())
}

/// `HSCAN`.
pub fn hscan(call: &mut Call<'_>) -> Answered {
    let (mut asked, mut found) = (Asked::at(call, 2)?, Found::default());
    match call.read(call.words[1]) {
        Some(value) => {
            let hash = value.as_hash()?;
            asked.walk(|asked, cursor| {
                let mut count = 0;
                let next = hash.fields().scan(cursor, |_, field| {
                    count += 1;
                    if asked.wants(&field.name) {
                        found.0.push(field.name.to_vec());
                        if !asked.only_names {
                            found.0.push(field.value.to_vec());
                        }
                    }
                });
                (next, count)
            });
        }
        None => asked.cursor = 0,
    }
    asked.answer(call.out, &found);
    Ok(())
}

/// `HRANDFIELD`.
pub fn hrandfield(call: &mut Call<'_>) -> Answered {
    let count = call.word(2).map(int).transpose()?;
    let has_values = match &call.words[2..] {
        [] | [_] => false,
        [_, word] if is(word, "withvalues") => true,
        _ => return Err(Refusal::SYNTAX),
    };
    if count.is_some_and(|count| count.unsigned_abs() > i64::MAX as u64 / 2) {
        return Err(Refusal::of("ERR value is out of range"));
    }
    let hash = match call.read(call.words[1]) {
        Some(value) => Some(value.as_hash()?.clone()),
        None => None,
    };
    let Some(count) = count else {
        let name = hash.and_then(|hash| {
            let place = hash.fields().random(&mut call.store.random)?;
            hash.fields().at(place).map(|field| field.name.clone())
        });
        match name {
            Some(name) => call.out.value(&name),
            None => call.out.null(),
        }
        return Ok(());
    };
    let places: Vec<_> =
        hash.as_ref().map_or_else(Vec::new, |hash| sample(hash.fields(), count, &mut call.store.random));
    let (is_paired, out) = (call.out.version == Version::Resp3, &mut *call.out);
    out.array(if has_values && !is_paired { places.len() * 2 } else { places.len() });
    for place in places {
        let Some(field) = hash.as_ref().and_then(|hash| hash.fields().at(place)) else { continue };
        if has_values && is_paired {
            out.array(2);
        }
        out.value(&field.name);
        if has_values {
            out.value(&field.value);
        }
    }
    Ok(())
}
