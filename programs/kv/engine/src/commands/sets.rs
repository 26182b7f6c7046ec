//! Sets.

use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Answered;
use super::scan::{Asked, Found};
use crate::Bytes;
use crate::call::{Call, count, int, is};
use crate::number::integer;
use crate::output::Output;
use crate::pace::{Outcome, Pace};
use crate::refusal::Refusal;
use crate::seed::{Random, Seed};
use crate::store::Change;
use crate::table::{Keyed, Place, Table};
use crate::value::{Set, Value};

/// The most places that are chosen at once, with repetition: more is more than anybody's answer should be.
const MOST_CHOSEN: usize = 1 << 20;

/// `SADD`.
pub fn sadd(call: &mut Call<'_>) -> Answered {
    let words = call.words;
    let new = call.change(words[1], Some(Value::set), |value| {
        let set = value.as_set_mut()?;
        Ok(words[2..].iter().filter(|member| set.insert(member)).count())
    })?;
    let new = new.unwrap_or(0);
    call.changed(words[1], new);
    call.out.count(new);
    Ok(())
}

/// `SREM`.
pub fn srem(call: &mut Call<'_>) -> Answered {
    let words = call.words;
    let gone = call.change(words[1], None, |value| {
        let set = value.as_set_mut()?;
        Ok(words[2..].iter().filter(|member| set.remove(member)).count())
    })?;
    let gone = gone.unwrap_or(0);
    call.changed(words[1], gone);
    call.out.count(gone);
    Ok(())
}

/// The set of a key.
fn set_of(call: &mut Call<'_>, key: &[u8]) -> Result<Option<Arc<Set>>, Refusal> {
    call.read(key).map(|value| value.as_set().cloned()).transpose()
}

/// `SMEMBERS`.
pub fn smembers(call: &mut Call<'_>) -> Answered {
    let Some(set) = set_of(call, call.words[1])? else {
        call.out.set(0);
        return Ok(());
    };
    call.work(set.len(), [Value::Set(set.clone())], |mut output, mut pace| async move {
        output.set(set.len());
        for page in 0.. {
            let Some(page) = set.members().page(page) else { break };
            for member in page {
                output.value(&member.0);
                pace.steps(1).await;
            }
        }
        Outcome::from(output)
    });
    Ok(())
}

/// `SISMEMBER`.
pub fn sismember(call: &mut Call<'_>) -> Answered {
    let member = call.words[2];
    let is_there = match call.read(call.words[1]) {
        Some(value) => value.as_set()?.members().contains(member),
        None => false,
    };
    call.out.yes(is_there);
    Ok(())
}

/// `SMISMEMBER`.
pub fn smismember(call: &mut Call<'_>) -> Answered {
    let members = &call.words[2..];
    let set = match call.store.read(call.client.database, call.words[1]) {
        Some(entry) => Some(entry.value.as_set()?),
        None => None,
    };
    call.out.array(members.len());
    for member in members {
        call.out.yes(set.is_some_and(|set| set.members().contains(member)));
    }
    Ok(())
}

/// `SCARD`.
pub fn scard(call: &mut Call<'_>) -> Answered {
    let count = match call.read(call.words[1]) {
        Some(value) => value.as_set()?.len(),
        None => 0,
    };
    call.out.count(count);
    Ok(())
}

/// `SPOP`.
pub fn spop(call: &mut Call<'_>) -> Answered {
    let words = call.words;
    if words.len() > 3 {
        return Err(Refusal::SYNTAX);
    }
    let wanted = call.word(2).map(count).transpose()?;
    let mut random = call.store.random;
    let popped = call.change(words[1], None, |value| {
        let set = value.as_set_mut()?;
        let count = wanted.unwrap_or(1).min(set.len());
        let pop = |_| set.members().random(&mut random).and_then(|place| set.remove_at(place));
        Ok((0..count).filter_map(pop).collect::<Vec<Bytes>>())
    })?;
    call.store.random = random;
    let popped = popped.unwrap_or_default();
    call.changed(words[1], popped.len());
    let gone = [&b"SREM"[..], words[1]].into_iter().chain(popped.iter().map(|member| &**member));
    call.log_instead(&gone.collect::<Vec<_>>());
    match (wanted, &*popped) {
        (Some(_), popped) => {
            call.out.set(popped.len());
            popped.iter().for_each(|member| call.out.value(member));
        }
        (None, [member]) => call.out.value(member),
        (None, _) => call.out.null(),
    }
    Ok(())
}

/// Places of a table by chance: so many different ones, or, if the number is negative, so many with repetition.
pub fn sample<T: Keyed + Clone>(table: &Table<T>, count: i64, random: &mut Random) -> Vec<Place> {
    let wanted = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    if count < 0 {
        return (0..wanted.min(MOST_CHOSEN)).filter_map(|_| table.random(random)).collect();
    }
    if wanted.saturating_mul(3) < table.len() {
        let mut chosen = BTreeSet::new();
        while chosen.len() < wanted {
            chosen.extend(table.random(random));
        }
        return chosen.into_iter().collect();
    }
    let mut all = Vec::with_capacity(table.len());
    let mut cursor = 0;
    loop {
        cursor = table.scan(cursor, |place, _| all.push(place));
        if cursor == 0 {
            break;
        }
    }
    let wanted = wanted.min(all.len());
    for place in 0..wanted {
        let other = place + random.below(all.len() - place);
        all.swap(place, other);
    }
    all.truncate(wanted);
    all
}

/// `SRANDMEMBER`.
pub fn srandmember(call: &mut Call<'_>) -> Answered {
    let count = match call.words.len() {
        2 => None,
        3 => Some(int(call.words[2])?),
        _ => return Err(Refusal::SYNTAX),
    };
    if count.is_some_and(|count| count < -(i64::MAX / 2)) {
        return Err(Refusal::of("ERR value is out of range"));
    }
    let set = set_of(call, call.words[1])?;
    let Some(count) = count else {
        let place = set.as_ref().and_then(|set| set.members().random(&mut call.store.random));
        match set.as_ref().zip(place).and_then(|(set, place)| set.members().at(place)) {
            Some(member) => call.out.value(&member.0),
            None => call.out.null(),
        }
        return Ok(());
    };
    let places =
        set.as_ref().map_or_else(Vec::new, |set| sample(set.members(), count, &mut call.store.random));
    call.out.array(places.len());
    for place in places {
        if let Some(member) = set.as_ref().and_then(|set| set.members().at(place)) {
            call.out.value(&member.0);
        }
    }
    Ok(())
}

/// `SMOVE`.
pub fn smove(call: &mut Call<'_>) -> Answered {
    let [_, from, to, member] = *call.words else { return Err(Refusal::SYNTAX) };
    let Some(source) = call.read(from).cloned() else {
        call.out.integer(0);
        return Ok(());
    };
    let is_there = source.as_set()?.members().contains(member);
    set_of(call, to)?;
    drop(source);
    if is_there && from != to {
        call.change(from, None, |value| Ok(value.as_set_mut()?.remove(member)))?;
        call.change(to, Some(Value::set), |value| Ok(value.as_set_mut()?.insert(member)))?;
        call.changed(from, 1);
        call.changed(to, 1);
    }
    call.out.yes(is_there);
    Ok(())
}

/// How sets become one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Intersection,
    Union,
    Difference,
}

/// `SINTER`.
pub fn sinter(call: &mut Call<'_>) -> Answered {
    combine(call, Kind::Intersection, None)
}

/// `SUNION`.
pub fn sunion(call: &mut Call<'_>) -> Answered {
    combine(call, Kind::Union, None)
}

/// `SDIFF`.
pub fn sdiff(call: &mut Call<'_>) -> Answered {
    combine(call, Kind::Difference, None)
}

/// `SINTERSTORE`.
pub fn sinterstore(call: &mut Call<'_>) -> Answered {
    combine(call, Kind::Intersection, Some(call.words[1].into()))
}

/// `SUNIONSTORE`.
pub fn sunionstore(call: &mut Call<'_>) -> Answered {
    combine(call, Kind::Union, Some(call.words[1].into()))
}

/// `SDIFFSTORE`.
pub fn sdiffstore(call: &mut Call<'_>) -> Answered {
    combine(call, Kind::Difference, Some(call.words[1].into()))
}

fn combine(call: &mut Call<'_>, kind: Kind, target: Option<Bytes>) -> Answered {
    let keys = &call.words[1 + usize::from(target.is_some())..];
    let sets = keys.iter().map(|key| set_of(call, key)).collect::<Result<Vec<_>, _>>()?;
    let steps = sets.iter().flatten().map(|set| set.len()).sum();
    let inputs: Vec<_> = sets.iter().flatten().map(|set| Value::Set(set.clone())).collect();
    let seed = call.store.seed();
    call.work(steps, inputs, move |mut output, mut pace| async move {
        let result = of_sets(kind, sets, seed, &mut pace).await;
        let Some(key) = target else {
            answer(&mut output, result, &mut pace).await;
            return Outcome::from(output);
        };
        output.count(result.len());
        let value = (result.len() > 0).then(|| Value::Set(Arc::new(result)));
        Outcome { output, changes: alloc::vec![Change { key, value, keeps_expiry: false }] }
    });
    Ok(())
}

async fn of_sets(kind: Kind, sets: Vec<Option<Arc<Set>>>, seed: Seed, pace: &mut Pace) -> Set {
    let mut result = Set::new(seed);
    match kind {
        Kind::Union => {
            for set in sets.iter().flatten() {
                add(&mut result, set, |_| true, pace).await;
            }
        }
        Kind::Intersection => {
            let mut sets: Vec<_> = match sets.into_iter().collect::<Option<Vec<_>>>() {
                Some(sets) => sets,
                None => return result,
            };
            sets.sort_by_key(|set| set.len());
            if let [smallest, others @ ..] = &*sets {
                add(
                    &mut result,
                    smallest,
                    |member| others.iter().all(|set| set.members().contains(member)),
                    pace,
                )
                .await;
            }
        }
        Kind::Difference => {
            if let [Some(first), others @ ..] = &*sets {
                let others: Vec<_> = others.iter().flatten().collect();
                add(
                    &mut result,
                    first,
                    |member| !others.iter().any(|set| set.members().contains(member)),
                    pace,
                )
                .await;
            }
        }
    }
    result
}

async fn add(result: &mut Set, set: &Set, wanted: impl Fn(&[u8]) -> bool, pace: &mut Pace) {
    for page in 0.. {
        let Some(page) = set.members().page(page) else { return };
        for member in page {
            if wanted(&member.0) && !result.members().contains(&member.0) {
                result.insert_new(member.0.clone());
            }
            pace.steps(8).await;
        }
    }
}

/// Answers with members, and frees them on the way.
async fn answer(output: &mut Output, mut set: Set, pace: &mut Pace) {
    output.set(set.len());
    while let Some(slot) = set.pop_slot() {
        if let Some(member) = slot {
            output.value(&member);
        }
        pace.steps(1).await;
    }
}

/// `SINTERCARD`.
pub fn sintercard(call: &mut Call<'_>) -> Answered {
    let (keys, limit) = counted_keys(call.words, 1)?;
    let limit = match limit {
        [] => 0,
        [word, limit] if is(word, "limit") => {
            let limit = integer(limit).and_then(|limit| usize::try_from(limit).ok());
            limit.ok_or(Refusal::of("ERR LIMIT can't be negative"))?
        }
        _ => return Err(Refusal::SYNTAX),
    };
    let sets = keys.iter().map(|key| set_of(call, key)).collect::<Result<Vec<_>, _>>()?;
    let steps = sets.iter().flatten().map(|set| set.len()).min().unwrap_or(0);
    let inputs: Vec<_> = sets.iter().flatten().map(|set| Value::Set(set.clone())).collect();
    let seed = call.store.seed();
    call.work(steps, inputs, move |mut output, mut pace| async move {
        let mut result = of_sets(Kind::Intersection, sets, seed, &mut pace).await;
        let count = result.len();
        output.count(if limit > 0 { count.min(limit) } else { count });
        while result.pop_slot().is_some() {
            pace.steps(1).await;
        }
        Outcome::from(output)
    });
    Ok(())
}

/// Keys behind their count, and what stands behind them.
pub type Counted<'a> = (&'a [&'a [u8]], &'a [&'a [u8]]);

/// Keys behind their count, which stands at this place.
pub fn counted_keys<'a>(words: &'a [&'a [u8]], place: usize) -> Result<Counted<'a>, Refusal> {
    let count =
        integer(words[place]).filter(|count| *count > 0).and_then(|count| usize::try_from(count).ok());
    let count = count.ok_or(Refusal::of("ERR numkeys should be greater than 0"))?;
    let rest = &words[place + 1..];
    rest.split_at_checked(count).ok_or(Refusal::of("ERR Number of keys can't be greater than number of args"))
}

/// `SSCAN`.
pub fn sscan(call: &mut Call<'_>) -> Answered {
    let (mut asked, mut found) = (Asked::at(call, 2)?, Found::default());
    match call.read(call.words[1]) {
        Some(value) => {
            let set = value.as_set()?;
            asked.walk(|asked, cursor| {
                let mut count = 0;
                let next = set.members().scan(cursor, |_, member| {
                    count += 1;
                    if asked.wants(&member.0) {
                        found.0.push(member.0.to_vec());
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
