//! `SORT`.

use alloc::vec::Vec;
use core::cmp::Ordering;

use super::Answered;
use crate::Bytes;
use crate::call::{Call, int, is, span};
use crate::number::double;
use crate::pace::{Outcome, Pace};
use crate::refusal::Refusal;
use crate::store::Change;
use crate::value::{List, Value};

/// What an item is sorted by.
#[derive(Clone, Debug)]
enum Weight {
    Number(f64),
    Text(Option<Bytes>),
}

struct Asked<'a> {
    by: Option<&'a [u8]>,
    limit: Option<(i64, i64)>,
    gets: Vec<&'a [u8]>,
    is_descending: bool,
    is_text: bool,
    stores: Option<&'a [u8]>,
}

fn parse<'a>(words: &'a [&'a [u8]], may_store: bool) -> Result<Asked<'a>, Refusal> {
    let mut asked =
        Asked { by: None, limit: None, gets: Vec::new(), is_descending: false, is_text: false, stores: None };
    let mut options = words;
    while let [option, rest @ ..] = options {
        options = match rest {
            rest if is(option, "asc") => {
                asked.is_descending = false;
                rest
            }
            rest if is(option, "desc") => {
                asked.is_descending = true;
                rest
            }
            rest if is(option, "alpha") => {
                asked.is_text = true;
                rest
            }
            [offset, count, rest @ ..] if is(option, "limit") => {
                asked.limit = Some((int(offset)?, int(count)?));
                rest
            }
            [pattern, rest @ ..] if is(option, "by") => {
                asked.by = Some(pattern);
                rest
            }
            [pattern, rest @ ..] if is(option, "get") => {
                asked.gets.push(pattern);
                rest
            }
            [key, rest @ ..] if is(option, "store") && may_store => {
                asked.stores = Some(key);
                rest
            }
            _ => return Err(Refusal::SYNTAX),
        };
    }
    Ok(asked)
}

/// What a pattern says of an item: a key, or a field of one, with the item in place of the star. `#` is the item itself.
fn look(call: &mut Call<'_>, pattern: &[u8], item: &[u8]) -> Option<Bytes> {
    if pattern == b"#" {
        return Some(item.into());
    }
    let star = pattern.iter().position(|byte| *byte == b'*')?;
    let arrow = pattern.windows(2).skip(star).position(|two| two == b"->").map(|place| place + star);
    let arrow = arrow.filter(|arrow| arrow + 2 < pattern.len());
    let end = arrow.unwrap_or(pattern.len());
    let key = [&pattern[..star], item, &pattern[star + 1..end]].concat();
    let value = call.read(&key)?;
    match arrow {
        Some(arrow) => value.as_hash().ok()?.get(&pattern[arrow + 2..]).cloned(),
        None => value.text().ok().map(|text| Bytes::from(&*text)),
    }
}

/// All items of a value, in its own order.
async fn items_of(value: &Value, pace: &mut Pace) -> Vec<Bytes> {
    let mut items = Vec::with_capacity(value.len());
    match value {
        Value::List(list) => {
            while items.len() < list.len() {
                items.extend_from_slice(list.items().from(items.len()));
                pace.steps(32).await;
            }
        }
        Value::Set(set) => {
            for page in 0.. {
                let Some(page) = set.members().page(page) else { break };
                items.extend(page.map(|member| member.0.clone()));
                pace.steps(128).await;
            }
        }
        Value::Sorted(sorted) => {
            while items.len() < sorted.len() {
                items.extend(sorted.order().from(items.len()).iter().map(|scored| scored.member.clone()));
                pace.steps(32).await;
            }
        }
        _ => {}
    }
    items
}

/// `SORT`, and `SORT_RO`, which may not store.
pub fn sort(call: &mut Call<'_>, may_store: bool) -> Answered {
    let words = call.words;
    let Asked { by, limit, gets, is_descending, is_text, stores } = parse(&words[2..], may_store)?;
    let value = call.read(words[1]).cloned();
    if matches!(value, Some(Value::Integer(_) | Value::Raw(_) | Value::Grown(_) | Value::Hash(_))) {
        return Err(Refusal::WRONG_TYPE);
    }
    let value = value.unwrap_or(Value::List(List::default()));
    // A pattern without a star says nothing of any item: they stay in their order. A set's is put in order if it is stored or sorted as text.
    let is_sorted = by.is_none_or(|pattern| pattern.contains(&b'*'));
    let is_reversed = !is_sorted && is_descending && matches!(value, Value::Sorted(_));
    let looks = gets.iter().any(|pattern| *pattern != b"#") || (is_sorted && by.is_some());
    let key: Option<Bytes> = stores.map(Bytes::from);
    if looks {
        // Other keys are looked at, and all of them at one moment.
        let items = crate::pace::ready(async {
            let mut pace = Pace::at_once();
            items_of(&value, &mut pace).await
        });
        let weighed = items.into_iter().map(|item| match by.filter(|_| is_sorted) {
            Some(pattern) => {
                let weight = look(call, pattern, &item);
                (item, weight)
            }
            None => (item.clone(), Some(item)),
        });
        let weighed: Vec<_> = weighed.collect();
        let items = crate::pace::ready(arrange(weighed, is_sorted, is_text, is_descending, Pace::at_once()))
            .map(|(items, _)| items)?;
        let items =
            crate::pace::ready(async { limited(items, is_reversed, limit, &mut Pace::at_once()).await });
        let found = items.iter().flat_map(|item| {
            if gets.is_empty() {
                return alloc::vec![Some(item.clone())];
            }
            gets.iter().map(|pattern| look(call, pattern, item)).collect()
        });
        let found: Vec<Option<Bytes>> = found.collect();
        let Outcome { output, changes } =
            crate::pace::ready(answer(core::mem::take(call.out), found, key, Pace::at_once()));
        *call.out = output;
        call.apply(changes);
        return Ok(());
    }
    let copies = gets.len().max(1);
    call.work(value.len() * 4, [value.clone()], move |output, mut pace| async move {
        let items = items_of(&value, &mut pace).await;
        let mut weighed = Vec::with_capacity(items.len());
        for item in items {
            weighed.push((item.clone(), Some(item)));
            pace.steps(1).await;
        }
        let (items, mut pace) = match arrange(weighed, is_sorted, is_text, is_descending, pace).await {
            Ok(arranged) => arranged,
            Err(refusal) => {
                let mut output = output;
                output.error(&refusal.0);
                return Outcome::from(output);
            }
        };
        let items = limited(items, is_reversed, limit, &mut pace).await;
        let mut found = Vec::with_capacity(items.len() * copies);
        for item in items {
            found.extend(core::iter::repeat_n(Some(item), copies));
            pace.steps(1).await;
        }
        answer(output, found, key, pace).await
    });
    Ok(())
}

/// Items in the order of their weights.
async fn arrange(
    items: Vec<(Bytes, Option<Bytes>)>,
    is_sorted: bool,
    is_text: bool,
    is_descending: bool,
    mut pace: Pace,
) -> Result<(Vec<Bytes>, Pace), Refusal> {
    let mut weighed = Vec::with_capacity(items.len());
    for (item, weight) in items {
        let weight = if !is_sorted {
            Weight::Number(0.0)
        } else if is_text {
            Weight::Text(weight)
        } else {
            let number = weight
                .as_ref()
                .filter(|weight| !weight.is_empty())
                .map_or(Some(0.0), |weight| double(weight));
            Weight::Number(
                number.ok_or(Refusal::of("ERR One or more scores can't be converted into double"))?,
            )
        };
        weighed.push((weight, item));
        pace.steps(1).await;
    }
    if is_sorted {
        weighed = pace
            .sort(weighed, |(weight, item), (other_weight, other)| {
                let order = match (weight, other_weight) {
                    (Weight::Number(one), Weight::Number(other)) => {
                        one.partial_cmp(other).unwrap_or(Ordering::Equal)
                    }
                    (Weight::Text(one), Weight::Text(other)) => one.cmp(other),
                    _ => Ordering::Equal,
                };
                let order = order.then_with(|| item.cmp(other));
                if is_descending { order.reverse() } else { order }
            })
            .await;
    }
    let mut sorted = Vec::with_capacity(weighed.len());
    for (_, item) in weighed {
        sorted.push(item);
        pace.steps(1).await;
    }
    Ok((sorted, pace))
}

/// As many as are asked for.
async fn limited(
    mut items: Vec<Bytes>,
    is_reversed: bool,
    limit: Option<(i64, i64)>,
    pace: &mut Pace,
) -> Vec<Bytes> {
    let span = match limit {
        None => 0..items.len(),
        // A count of none ends before it begins.
        Some((_, 0)) => 0..0,
        Some((offset, count)) => {
            let start = offset.max(0);
            let end = if count < 0 { -1 } else { start.saturating_add(count).saturating_sub(1) };
            span(start, end, items.len())
        }
    };
    let mut kept = Vec::with_capacity(span.len());
    if is_reversed {
        for place in 0..items.len() {
            kept.extend(items.pop().filter(|_| span.contains(&place)));
            pace.steps(1).await;
        }
        return kept;
    }
    for (place, item) in items.into_iter().enumerate() {
        kept.extend(span.contains(&place).then_some(item));
        pace.steps(1).await;
    }
    kept
}

/// Answers with what was found, or stores it.
async fn answer(
    mut output: crate::output::Output,
    found: Vec<Option<Bytes>>,
    key: Option<Bytes>,
    mut pace: Pace,
) -> Outcome {
    let count = found.len();
    let Some(key) = key else {
        output.array(count);
        for one in found {
            match one {
                Some(bytes) => output.value(&bytes),
                None => output.null(),
            }
            pace.steps(1).await;
        }
        return Outcome::from(output);
    };
    let mut list = List::default();
    for one in found {
        list.push(one.unwrap_or_else(|| Bytes::from([].as_slice())));
        pace.steps(2).await;
    }
    output.count(count);
    let value = (count > 0).then_some(Value::List(list));
    Outcome { output, changes: alloc::vec![Change { key, value, keeps_expiry: false }] }
}
