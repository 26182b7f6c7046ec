//! Sorted sets.

use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use super::Answered;
use super::scan::{Asked, Found};
use super::sets::{Counted, sample};
use crate::Bytes;
use crate::call::{Call, count, float, int, is, span};
use crate::number::{double, integer, score as score_text};
use crate::output::{Output, Version};
use crate::pace::{Outcome, Pace, SHORT};
use crate::refusal::Refusal;
use crate::seed::Seed;
use crate::store::Change;
use crate::value::{Scored, Set, Sorted, Value};

const NOT_A_NUMBER: Refusal = Refusal::of("ERR resulting score is not a number (NaN)");

/// The sorted set of a key.
fn sorted_of(call: &mut Call<'_>, key: &[u8]) -> Result<Option<Arc<Sorted>>, Refusal> {
    call.read(key).map(|value| value.as_sorted().cloned()).transpose()
}

/// What `ZADD` may do.
#[derive(Clone, Copy, Default)]
struct Adding {
    only_new: bool,
    only_known: bool,
    only_greater: bool,
    only_less: bool,
    counts_changes: bool,
    adds: bool,
}

/// `ZADD`.
pub fn zadd(call: &mut Call<'_>) -> Answered {
    let mut how = Adding::default();
    let mut rest = &call.words[2..];
    while let [option, others @ ..] = rest {
        match option {
            option if is(option, "nx") => how.only_new = true,
            option if is(option, "xx") => how.only_known = true,
            option if is(option, "gt") => how.only_greater = true,
            option if is(option, "lt") => how.only_less = true,
            option if is(option, "ch") => how.counts_changes = true,
            option if is(option, "incr") => how.adds = true,
            _ => break,
        }
        rest = others;
    }
    if rest.is_empty() || !rest.len().is_multiple_of(2) {
        return Err(Refusal::SYNTAX);
    }
    if how.only_new && how.only_known {
        return Err(Refusal::of("ERR XX and NX options at the same time are not compatible"));
    }
    if (how.only_greater && how.only_less) || (how.only_new && (how.only_greater || how.only_less)) {
        return Err(Refusal::of("ERR GT, LT, and/or NX options at the same time are not compatible"));
    }
    if how.adds && rest.len() > 2 {
        return Err(Refusal::of("ERR INCR option supports a single increment-element pair"));
    }
    add(call, how, rest)
}

/// `ZINCRBY`.
pub fn zincrby(call: &mut Call<'_>) -> Answered {
    add(call, Adding { adds: true, ..Adding::default() }, &call.words[2..])
}

fn add(call: &mut Call<'_>, how: Adding, pairs: &[&[u8]]) -> Answered {
    let key = call.words[1];
    let pairs = pairs.chunks_exact(2).map(|pair| float(pair[0]).map(|score| (score, pair[1])));
    let pairs = pairs.collect::<Result<Vec<_>, _>>()?;
    let new: Option<fn(Seed) -> Value> = if how.only_known { None } else { Some(Value::sorted) };
    let counted = call.change(key, new, |value| {
        let sorted = value.as_sorted_mut()?;
        let (mut new, mut changed, mut last) = (0, 0, None);
        for (score, member) in &pairs {
            let before = sorted.score(member);
            let score = match before {
                Some(before) if how.adds => before + score,
                _ => *score,
            };
            if score.is_nan() {
                return Err(NOT_A_NUMBER);
            }
            let is_wanted = match before {
                None => !how.only_known,
                Some(before) => {
                    let is_excluded = how.only_new
                        || (how.only_greater && score <= before)
                        || (how.only_less && score >= before);
                    !is_excluded
                }
            };
            if is_wanted {
                sorted.insert(member, score);
                new += usize::from(before.is_none());
                changed += usize::from(before.is_some_and(|before| before != score));
                last = Some(score);
            }
        }
        Ok((new, changed, last))
    })?;
    let (new, changed, last) = counted.unwrap_or_default();
    call.changed(key, new + changed);
    match last {
        Some(score) if how.adds => call.out.double(score),
        None if how.adds => call.out.null(),
        _ => call.out.count(if how.counts_changes { new + changed } else { new }),
    }
    Ok(())
}

/// `ZREM`.
pub fn zrem(call: &mut Call<'_>) -> Answered {
    let words = call.words;
    let gone = call.change(words[1], None, |value| {
        let sorted = value.as_sorted_mut()?;
        Ok(words[2..].iter().filter(|member| sorted.remove(member).is_some()).count())
    })?;
    let gone = gone.unwrap_or(0);
    call.changed(words[1], gone);
    call.out.count(gone);
    Ok(())
}

/// `ZSCORE`.
pub fn zscore(call: &mut Call<'_>) -> Answered {
    let member = call.words[2];
    let score = match call.read(call.words[1]) {
        Some(value) => value.as_sorted()?.score(member),
        None => None,
    };
    match score {
        Some(score) => call.out.double(score),
        None => call.out.null(),
    }
    Ok(())
}

/// `ZMSCORE`.
pub fn zmscore(call: &mut Call<'_>) -> Answered {
    let sorted = sorted_of(call, call.words[1])?;
    call.out.array(call.words.len() - 2);
    for member in &call.words[2..] {
        match sorted.as_ref().and_then(|sorted| sorted.score(member)) {
            Some(score) => call.out.double(score),
            None => call.out.null(),
        }
    }
    Ok(())
}

/// `ZCARD`.
pub fn zcard(call: &mut Call<'_>) -> Answered {
    let count = match call.read(call.words[1]) {
        Some(value) => value.as_sorted()?.len(),
        None => 0,
    };
    call.out.count(count);
    Ok(())
}

/// `ZRANK`.
pub fn zrank(call: &mut Call<'_>) -> Answered {
    rank(call, false)
}

/// `ZREVRANK`.
pub fn zrevrank(call: &mut Call<'_>) -> Answered {
    rank(call, true)
}

fn rank(call: &mut Call<'_>, is_reversed: bool) -> Answered {
    let has_score = match &call.words[3..] {
        [] => false,
        [word] if is(word, "withscore") => true,
        _ => return Err(Refusal::SYNTAX),
    };
    let member = call.words[2];
    let found = sorted_of(call, call.words[1])?.and_then(|sorted| {
        let score = sorted.score(member)?;
        let rank = sorted.rank(score, member);
        Some((if is_reversed { sorted.len() - 1 - rank } else { rank }, score))
    });
    match found {
        Some((rank, score)) => {
            if has_score {
                call.out.array(2);
            }
            call.out.count(rank);
            if has_score {
                call.out.double(score);
            }
        }
        None if has_score => call.out.null_array(),
        None => call.out.null(),
    }
    Ok(())
}

/// By what a range is bounded.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Rank,
    Score,
    Name,
}

/// An end of a range of names.
#[derive(Clone, Copy)]
enum NameEnd<'a> {
    First,
    Last,
    At(&'a [u8]),
    Beside(&'a [u8]),
}

/// The end of a range of scores, and whether it is outside of the range.
fn score_end(word: &[u8]) -> Result<(f64, bool), Refusal> {
    let (text, is_outside) = word.strip_prefix(b"(").map_or((word, false), |text| (text, true));
    double(text).map(|score| (score, is_outside)).ok_or(Refusal::of("ERR min or max is not a float"))
}

fn name_end(word: &[u8]) -> Result<NameEnd<'_>, Refusal> {
    match word {
        b"-" => Ok(NameEnd::First),
        b"+" => Ok(NameEnd::Last),
        [b'[', name @ ..] => Ok(NameEnd::At(name)),
        [b'(', name @ ..] => Ok(NameEnd::Beside(name)),
        _ => Err(Refusal::of("ERR min or max not valid string range item")),
    }
}

/// The places of a range: from its least to its greatest end.
fn places(by: By, [least, most]: [&[u8]; 2]) -> Result<impl Fn(&Sorted) -> Range<usize>, Refusal> {
    let (scores, names, ranks) = match by {
        By::Rank => (None, None, Some((int(least)?, int(most)?))),
        By::Score => (Some((score_end(least)?, score_end(most)?)), None, None),
        By::Name => (None, Some((name_end(least)?, name_end(most)?)), None),
    };
    Ok(move |sorted: &Sorted| {
        let order = sorted.order();
        if let Some((start, end)) = ranks {
            return span(start, end, sorted.len());
        }
        if let Some(((least, least_is_outside), (most, most_is_outside))) = scores {
            let start = order.partition_point(|scored| {
                scored.score < least || (least_is_outside && scored.score == least)
            });
            let end = order
                .partition_point(|scored| scored.score < most || (!most_is_outside && scored.score == most));
            return start..end.max(start);
        }
        let Some((least, most)) = names else { return 0..0 };
        let start = order.partition_point(|scored| match least {
            NameEnd::First => false,
            NameEnd::Last => true,
            NameEnd::At(name) => *scored.member < *name,
            NameEnd::Beside(name) => *scored.member <= *name,
        });
        let end = order.partition_point(|scored| match most {
            NameEnd::First => false,
            NameEnd::Last => true,
            NameEnd::At(name) => *scored.member <= *name,
            NameEnd::Beside(name) => *scored.member < *name,
        });
        start..end.max(start)
    })
}

/// `ZCOUNT`.
pub fn zcount(call: &mut Call<'_>) -> Answered {
    count_range(call, By::Score)
}

/// `ZLEXCOUNT`.
pub fn zlexcount(call: &mut Call<'_>) -> Answered {
    count_range(call, By::Name)
}

fn count_range(call: &mut Call<'_>, by: By) -> Answered {
    let places = places(by, [call.words[2], call.words[3]])?;
    let count = match call.read(call.words[1]) {
        Some(value) => places(value.as_sorted()?).len(),
        None => 0,
    };
    call.out.count(count);
    Ok(())
}

/// `ZRANGE`.
pub fn zrange(call: &mut Call<'_>) -> Answered {
    range(call, 1, None, None, false)
}

/// `ZRANGESTORE`.
pub fn zrangestore(call: &mut Call<'_>) -> Answered {
    range(call, 2, None, Some(call.words[1].into()), false)
}

/// `ZREVRANGE`.
pub fn zrevrange(call: &mut Call<'_>) -> Answered {
    range(call, 1, Some(By::Rank), None, true)
}

/// `ZRANGEBYSCORE`.
pub fn zrangebyscore(call: &mut Call<'_>) -> Answered {
    range(call, 1, Some(By::Score), None, false)
}

/// `ZREVRANGEBYSCORE`.
pub fn zrevrangebyscore(call: &mut Call<'_>) -> Answered {
    range(call, 1, Some(By::Score), None, true)
}

/// `ZRANGEBYLEX`.
pub fn zrangebylex(call: &mut Call<'_>) -> Answered {
    range(call, 1, Some(By::Name), None, false)
}

/// `ZREVRANGEBYLEX`.
pub fn zrevrangebylex(call: &mut Call<'_>) -> Answered {
    range(call, 1, Some(By::Name), None, true)
}

/// A range of the key at a place; what it is bounded by and its direction are known, or stand in its options.
fn range(
    call: &mut Call<'_>,
    place: usize,
    known: Option<By>,
    target: Option<Bytes>,
    mut is_reversed: bool,
) -> Answered {
    let words = call.words;
    let (mut by, mut limit, mut has_scores) = (known.unwrap_or(By::Rank), None, false);
    let mut options = &words[place + 3..];
    while let [option, rest @ ..] = options {
        options = match rest {
            rest if is(option, "withscores") && target.is_none() => {
                has_scores = true;
                rest
            }
            [offset, most, rest @ ..] if is(option, "limit") => {
                limit = Some((int(offset)?, int(most)?));
                rest
            }
            rest if is(option, "byscore") && known.is_none() => {
                by = By::Score;
                rest
            }
            rest if is(option, "bylex") && known.is_none() => {
                by = By::Name;
                rest
            }
            rest if is(option, "rev") && known.is_none() => {
                is_reversed = true;
                rest
            }
            _ => return Err(Refusal::SYNTAX),
        };
    }
    if limit.is_some() && by == By::Rank {
        return Err(Refusal::of(
            "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
        ));
    }
    if has_scores && by == By::Name {
        return Err(Refusal::of("ERR syntax error, WITHSCORES not supported in combination with BYLEX"));
    }
    let ends = [words[place + 1], words[place + 2]];
    let places = places(by, if is_reversed && by != By::Rank { [ends[1], ends[0]] } else { ends })?;
    let sorted = sorted_of(call, words[place])?;
    let sorted = sorted.unwrap_or_else(|| Arc::new(Sorted::new(call.store.seed())));
    let mut places = places(&sorted);
    if is_reversed && by == By::Rank {
        places = sorted.len() - places.end..sorted.len() - places.start;
    }
    if let Some((offset, most)) = limit {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX).min(places.len());
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(places.len() - offset);
        places = if is_reversed {
            places.end - offset - most..places.end - offset
        } else {
            places.start + offset..places.start + offset + most
        };
    }
    let seed = call.store.seed();
    let inputs = [Value::Sorted(sorted.clone())];
    call.work(places.len(), inputs, move |mut output, mut pace| async move {
        let Some(key) = target else {
            head(&mut output, places.len(), has_scores);
            let (mut done, count) = (0, places.len());
            while done < count {
                let order = sorted.order();
                let some = if is_reversed {
                    order.up_to(places.end - 1 - done)
                } else {
                    order.from(places.start + done)
                };
                let taken = some.len().min(count - done);
                for number in 0..taken {
                    let scored = if is_reversed { &some[some.len() - 1 - number] } else { &some[number] };
                    one(&mut output, scored, has_scores);
                }
                done += taken;
                pace.steps(taken * 3).await;
            }
            return Outcome::from(output);
        };
        let mut result = Sorted::new(seed);
        while result.len() < places.len() {
            let some = sorted.order().from(places.start + result.len());
            for scored in &some[..some.len().min(places.len() - result.len())] {
                result.insert_new(scored.clone());
                pace.steps(6).await;
            }
        }
        output.count(result.len());
        let value = (result.len() > 0).then(|| Value::Sorted(Arc::new(result)));
        Outcome { output, changes: alloc::vec![Change { key, value, keeps_expiry: false }] }
    });
    Ok(())
}

/// The beginning of an answer of members, with their scores or not.
fn head(output: &mut Output, count: usize, has_scores: bool) {
    let is_flat = has_scores && output.version == Version::Resp2;
    output.array(if is_flat { count * 2 } else { count });
}

/// A member of it.
fn one(output: &mut Output, scored: &Scored, has_score: bool) {
    if has_score && output.version == Version::Resp3 {
        output.array(2);
    }
    output.value(&scored.member);
    if has_score {
        output.double(scored.score);
    }
}

/// `ZREMRANGEBYRANK`.
pub fn zremrangebyrank(call: &mut Call<'_>) -> Answered {
    remove_range(call, By::Rank)
}

/// `ZREMRANGEBYSCORE`.
pub fn zremrangebyscore(call: &mut Call<'_>) -> Answered {
    remove_range(call, By::Score)
}

/// `ZREMRANGEBYLEX`.
pub fn zremrangebylex(call: &mut Call<'_>) -> Answered {
    remove_range(call, By::Name)
}

fn remove_range(call: &mut Call<'_>, by: By) -> Answered {
    let key = call.words[1];
    let places = places(by, [call.words[2], call.words[3]])?;
    let Some(value) = call.store.peek(call.client.database, key).map(|entry| &entry.value) else {
        call.out.integer(0);
        return Ok(());
    };
    let mut sorted = value.as_sorted()?.clone();
    let places = places(&sorted);
    if places.len() <= SHORT / 4 {
        drop(sorted);
        call.change(key, None, |value| {
            let sorted = value.as_sorted_mut()?;
            places.clone().for_each(|_| drop(sorted.remove_at(places.start)));
            Ok(())
        })?;
        call.changed(key, places.len());
        call.out.count(places.len());
        return Ok(());
    }
    let key = Bytes::from(key);
    call.work(places.len() * 8, [Value::Sorted(sorted.clone())], move |mut output, mut pace| async move {
        let rest = Arc::make_mut(&mut sorted);
        for _ in places.clone() {
            rest.remove_at(places.start);
            pace.steps(16).await;
        }
        output.count(places.len());
        let value = (sorted.len() > 0).then_some(Value::Sorted(sorted));
        Outcome { output, changes: alloc::vec![Change { key, value, keeps_expiry: true }] }
    });
    Ok(())
}

/// `ZPOPMIN`.
pub fn zpopmin(call: &mut Call<'_>) -> Answered {
    pop(call, false)
}

/// `ZPOPMAX`.
pub fn zpopmax(call: &mut Call<'_>) -> Answered {
    pop(call, true)
}

fn pop(call: &mut Call<'_>, is_last: bool) -> Answered {
    if call.words.len() > 3 {
        return Err(Refusal::SYNTAX);
    }
    let wanted = call.word(2).map(count).transpose()?;
    let popped = take(call, call.words[1], is_last, wanted.unwrap_or(1))?.unwrap_or_default();
    let out = &mut *call.out;
    if wanted.is_none() {
        out.array(popped.len() * 2);
        popped.iter().for_each(|scored| {
            out.value(&scored.member);
            out.double(scored.score);
        });
    } else {
        head(out, popped.len(), true);
        popped.iter().for_each(|scored| one(out, scored, true));
    }
    Ok(())
}

/// Members from an end; `None` if there is no such key.
fn take(
    call: &mut Call<'_>,
    key: &[u8],
    is_last: bool,
    wanted: usize,
) -> Result<Option<Vec<Scored>>, Refusal> {
    let popped = call.change(key, None, |value| {
        let sorted = value.as_sorted_mut()?;
        let count = wanted.min(sorted.len());
        let pop = |_| sorted.remove_at(if is_last { sorted.len() - 1 } else { 0 });
        Ok((0..count).filter_map(pop).collect::<Vec<_>>())
    })?;
    call.changed(key, popped.as_ref().map_or(0, Vec::len));
    Ok(popped)
}

/// `ZMPOP`.
pub fn zmpop(call: &mut Call<'_>) -> Answered {
    let (keys, rest) = counted(call, 1, |_| Refusal::of("ERR numkeys should be greater than 0"))?;
    let (end, wanted) = match rest {
        [end] => (*end, 1),
        [end, word, count] if is(word, "count") => {
            let count =
                integer(count).filter(|count| *count > 0).and_then(|count| usize::try_from(count).ok());
            (*end, count.ok_or(Refusal::of("ERR count should be greater than 0"))?)
        }
        _ => return Err(Refusal::SYNTAX),
    };
    let is_last = match end {
        end if is(end, "min") => false,
        end if is(end, "max") => true,
        _ => return Err(Refusal::SYNTAX),
    };
    for key in keys {
        let Some(popped) = take(call, key, is_last, wanted)? else { continue };
        let out = &mut *call.out;
        out.array(2);
        out.bulk(key);
        out.array(popped.len());
        for scored in popped {
            out.array(2);
            out.value(&scored.member);
            out.double(scored.score);
        }
        return Ok(());
    }
    call.out.null_array();
    Ok(())
}

fn counted<'a>(
    call: &Call<'a>,
    place: usize,
    none: impl Fn(&str) -> Refusal,
) -> Result<Counted<'a>, Refusal> {
    let count = integer(call.words[place]).ok_or(Refusal::NO_INTEGER)?;
    let count =
        usize::try_from(count).ok().filter(|count| *count > 0).ok_or_else(|| none(call.command.name))?;
    call.words[place + 1..].split_at_checked(count).ok_or(Refusal::SYNTAX)
}

/// How sorted sets become one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Union,
    Intersection,
    Difference,
}

/// How scores become one.
#[derive(Clone, Copy)]
enum Aggregate {
    Sum,
    Least,
    Greatest,
}

/// A set, sorted or not.
#[derive(Clone)]
enum Source {
    Sorted(Arc<Sorted>),
    Set(Arc<Set>),
}

impl Source {
    fn len(&self) -> usize {
        match self {
            Self::Sorted(sorted) => sorted.len(),
            Self::Set(set) => set.len(),
        }
    }

    /// Members of a plain set count as 1.
    fn score(&self, member: &[u8]) -> Option<f64> {
        match self {
            Self::Sorted(sorted) => sorted.score(member),
            Self::Set(set) => set.members().contains(member).then_some(1.0),
        }
    }

    fn page(&self, page: usize) -> Option<Vec<Scored>> {
        match self {
            Self::Sorted(sorted) => sorted.scores().page(page).map(|page| page.cloned().collect()),
            Self::Set(set) => {
                let scored = |member: &Bytes| Scored { score: 1.0, member: member.clone() };
                set.members().page(page).map(|page| page.map(|member| scored(&member.0)).collect())
            }
        }
    }

    fn value(&self) -> Value {
        match self {
            Self::Sorted(sorted) => Value::Sorted(sorted.clone()),
            Self::Set(set) => Value::Set(set.clone()),
        }
    }
}

impl Aggregate {
    fn of(self, one: f64, other: f64) -> f64 {
        match self {
            Self::Sum => {
                let sum = one + other;
                // Infinities that cancel each other out are nothing.
                if sum.is_nan() { 0.0 } else { sum }
            }
            Self::Least => one.min(other),
            Self::Greatest => one.max(other),
        }
    }
}

/// A score that was weighed.
fn weigh(score: f64, weight: f64) -> f64 {
    let weighed = score * weight;
    if weighed.is_nan() { 0.0 } else { weighed }
}

/// `ZUNION`.
pub fn zunion(call: &mut Call<'_>) -> Answered {
    combine(call, Kind::Union, None)
}

/// `ZINTER`.
pub fn zinter(call: &mut Call<'_>) -> Answered {
    combine(call, Kind::Intersection, None)
}

/// `ZDIFF`.
pub fn zdiff(call: &mut Call<'_>) -> Answered {
    combine(call, Kind::Difference, None)
}

/// `ZUNIONSTORE`.
pub fn zunionstore(call: &mut Call<'_>) -> Answered {
    combine(call, Kind::Union, Some(call.words[1].into()))
}

/// `ZINTERSTORE`.
pub fn zinterstore(call: &mut Call<'_>) -> Answered {
    combine(call, Kind::Intersection, Some(call.words[1].into()))
}

/// `ZDIFFSTORE`.
pub fn zdiffstore(call: &mut Call<'_>) -> Answered {
    combine(call, Kind::Difference, Some(call.words[1].into()))
}

/// The sets of some keys.
fn sources(call: &mut Call<'_>, keys: &[&[u8]]) -> Result<Vec<Option<Source>>, Refusal> {
    let source = |key: &&[u8]| match call.read(key) {
        None => Ok(None),
        Some(Value::Set(set)) => Ok(Some(Source::Set(set.clone()))),
        Some(value) => value.as_sorted().map(|sorted| Some(Source::Sorted(sorted.clone()))),
    };
    keys.iter().map(source).collect()
}

fn none_given(name: &str) -> Refusal {
    Refusal::from(format!("ERR at least 1 input key is needed for '{name}' command"))
}

fn combine(call: &mut Call<'_>, kind: Kind, target: Option<Bytes>) -> Answered {
    let (keys, mut options) = counted(call, if target.is_some() { 2 } else { 1 }, none_given)?;
    let sources = sources(call, keys)?;
    let (mut weights, mut aggregate, mut has_scores) = (alloc::vec![1.0; keys.len()], Aggregate::Sum, false);
    while let [option, rest @ ..] = options {
        options = match rest {
            rest if is(option, "withscores") && target.is_none() => {
                has_scores = true;
                rest
            }
            rest if is(option, "weights") && kind != Kind::Difference && rest.len() >= keys.len() => {
                for (weight, word) in weights.iter_mut().zip(rest) {
                    *weight = double(word).ok_or(Refusal::of("ERR weight value is not a float"))?;
                }
                &rest[keys.len()..]
            }
            [word, rest @ ..] if is(option, "aggregate") && kind != Kind::Difference => {
                aggregate = match word {
                    word if is(word, "sum") => Aggregate::Sum,
                    word if is(word, "min") => Aggregate::Least,
                    word if is(word, "max") => Aggregate::Greatest,
                    _ => return Err(Refusal::SYNTAX),
                };
                rest
            }
            _ => return Err(Refusal::SYNTAX),
        };
    }
    let steps = sources.iter().flatten().map(Source::len).sum::<usize>() * 2;
    let inputs: Vec<_> = sources.iter().flatten().map(Source::value).collect();
    let seed = call.store.seed();
    call.work(steps, inputs, move |mut output, mut pace| async move {
        let mut result = of_sources(kind, sources, weights, aggregate, seed, &mut pace).await;
        if let Some(key) = target {
            output.count(result.len());
            let value = (result.len() > 0).then(|| Value::Sorted(Arc::new(result)));
            return Outcome { output, changes: alloc::vec![Change { key, value, keeps_expiry: false }] };
        }
        head(&mut output, result.len(), has_scores);
        let mut at = 0;
        while at < result.len() {
            let some = result.order().from(at);
            some.iter().for_each(|scored| one(&mut output, scored, has_scores));
            at += some.len();
            pace.steps(some.len()).await;
        }
        while result.free_some() {
            pace.steps(64).await;
        }
        Outcome::from(output)
    });
    Ok(())
}

async fn of_sources(
    kind: Kind,
    sources: Vec<Option<Source>>,
    weights: Vec<f64>,
    aggregate: Aggregate,
    seed: Seed,
    pace: &mut Pace,
) -> Sorted {
    let mut result = Sorted::new(seed);
    if kind != Kind::Union && !matches!(sources.first(), Some(Some(_))) {
        return result;
    }
    if kind == Kind::Intersection && sources.iter().any(Option::is_none) {
        return result;
    }
    for (number, source) in sources.iter().enumerate() {
        let Some(source) = source else { continue };
        for page in 0.. {
            let Some(page) = source.page(page) else { break };
            for scored in page {
                let others =
                    || sources.iter().zip(&weights).enumerate().filter(|(other, _)| *other != number);
                let known = |(_, (source, weight)): (usize, (&Option<Source>, &f64))| {
                    Some(weigh(source.as_ref()?.score(&scored.member)?, *weight))
                };
                let score = weigh(scored.score, weights[number]);
                let score = match kind {
                    // A later set adds only what no earlier one had.
                    Kind::Union if result.score(&scored.member).is_some() => continue,
                    Kind::Union => {
                        Some(others().filter_map(known).fold(score, |sum, other| aggregate.of(sum, other)))
                    }
                    Kind::Intersection => {
                        others().map(known).try_fold(score, |sum, other| Some(aggregate.of(sum, other?)))
                    }
                    Kind::Difference => others().all(|other| known(other).is_none()).then_some(scored.score),
                };
                if let Some(score) = score {
                    result.insert_new(Scored { score, member: scored.member });
                }
                pace.steps(16).await;
            }
        }
        if kind != Kind::Union {
            break;
        }
    }
    result
}

/// `ZINTERCARD`.
pub fn zintercard(call: &mut Call<'_>) -> Answered {
    let (keys, rest) = counted(call, 1, none_given)?;
    let limit = match rest {
        [] => 0,
        [word, limit] if is(word, "limit") => {
            let limit = integer(limit).and_then(|limit| usize::try_from(limit).ok());
            limit.ok_or(Refusal::of("ERR LIMIT can't be negative"))?
        }
        _ => return Err(Refusal::SYNTAX),
    };
    let mut sources = sources(call, keys)?;
    sources.sort_by_key(|source| source.as_ref().map_or(0, Source::len));
    let steps = sources.first().and_then(Option::as_ref).map_or(0, Source::len);
    let inputs: Vec<_> = sources.iter().flatten().map(Source::value).collect();
    call.work(steps, inputs, move |mut output, mut pace| async move {
        let mut count = 0;
        if let [Some(first), others @ ..] = &*sources
            && others.iter().all(Option::is_some)
        {
            for page in 0.. {
                let Some(page) = first.page(page) else { break };
                let is_in_all = |scored: &&Scored| {
                    others.iter().flatten().all(|other| other.score(&scored.member).is_some())
                };
                for some in page.chunks(32) {
                    count += some.iter().filter(is_in_all).count();
                    pace.steps(128).await;
                }
            }
        }
        output.count(if limit > 0 { count.min(limit) } else { count });
        Outcome::from(output)
    });
    Ok(())
}

/// `ZRANDMEMBER`.
pub fn zrandmember(call: &mut Call<'_>) -> Answered {
    let wanted = call.word(2).map(int).transpose()?;
    let has_scores = match call.words.get(3..).unwrap_or_default() {
        [] => false,
        [word] if is(word, "withscores") => true,
        _ => return Err(Refusal::SYNTAX),
    };
    if wanted.is_some_and(|wanted| wanted.unsigned_abs() > i64::MAX as u64 / 2) {
        return Err(Refusal::of("ERR value is out of range"));
    }
    let sorted = sorted_of(call, call.words[1])?;
    let Some(wanted) = wanted else {
        let place = sorted.as_ref().and_then(|sorted| sorted.scores().random(&mut call.store.random));
        match sorted.as_ref().zip(place).and_then(|(sorted, place)| sorted.scores().at(place)) {
            Some(scored) => call.out.value(&scored.member),
            None => call.out.null(),
        }
        return Ok(());
    };
    let random = &mut call.store.random;
    let places = sorted.as_ref().map_or_else(Vec::new, |sorted| sample(sorted.scores(), wanted, random));
    head(call.out, places.len(), has_scores);
    for place in places {
        if let Some(scored) = sorted.as_ref().and_then(|sorted| sorted.scores().at(place)) {
            one(call.out, scored, has_scores);
        }
    }
    Ok(())
}

/// `ZSCAN`.
pub fn zscan(call: &mut Call<'_>) -> Answered {
    let (mut asked, mut found) = (Asked::at(call, 2)?, Found::default());
    match call.read(call.words[1]) {
        Some(value) => {
            let sorted = value.as_sorted()?;
            asked.walk(|asked, cursor| {
                let mut count = 0;
                let next = sorted.scores().scan(cursor, |_, scored| {
                    count += 1;
                    if asked.wants(&scored.member) {
                        found.0.push(scored.member.to_vec());
                        found.0.push(score_text(scored.score).into_bytes());
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
