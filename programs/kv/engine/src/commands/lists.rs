//! Lists.

use alloc::vec::Vec;

use super::Answered;
use super::sets::counted_keys;
use crate::Bytes;
use crate::call::{Call, count, int, is, span};
use crate::number::integer;
use crate::output::Output;
use crate::pace::{Outcome, SHORT};
use crate::refusal::Refusal;
use crate::store::Change;
use crate::value::{List, Value};

/// An end of a list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Left,
    Right,
}

impl End {
    fn of(word: &[u8]) -> Result<Self, Refusal> {
        match word {
            word if is(word, "left") => Ok(Self::Left),
            word if is(word, "right") => Ok(Self::Right),
            _ => Err(Refusal::SYNTAX),
        }
    }

    fn push(self, list: &mut List, item: Bytes) {
        match self {
            Self::Left => list.insert(0, item),
            Self::Right => list.push(item),
        }
    }

    fn pop(self, list: &mut List) -> Option<Bytes> {
        match self {
            Self::Left => list.remove(0),
            Self::Right => list.remove(list.len().checked_sub(1)?),
        }
    }
}

/// `LPUSH`.
pub fn lpush(call: &mut Call<'_>) -> Answered {
    push(call, End::Left, Some(Value::list))
}

/// `RPUSH`.
pub fn rpush(call: &mut Call<'_>) -> Answered {
    push(call, End::Right, Some(Value::list))
}

/// `LPUSHX`.
pub fn lpushx(call: &mut Call<'_>) -> Answered {
    push(call, End::Left, None)
}

/// `RPUSHX`.
pub fn rpushx(call: &mut Call<'_>) -> Answered {
    push(call, End::Right, None)
}

fn push(call: &mut Call<'_>, end: End, new: Option<fn(crate::Seed) -> Value>) -> Answered {
    let words = call.words;
    let length = call.change(words[1], new, |value| {
        let list = value.as_list_mut()?;
        words[2..].iter().for_each(|item| end.push(list, Bytes::from(*item)));
        Ok(list.len())
    })?;
    if length.is_some() {
        call.changed(words[1], words.len() - 2);
    }
    call.out.count(length.unwrap_or(0));
    Ok(())
}

/// `LPOP`.
pub fn lpop(call: &mut Call<'_>) -> Answered {
    pop(call, End::Left)
}

/// `RPOP`.
pub fn rpop(call: &mut Call<'_>) -> Answered {
    pop(call, End::Right)
}

fn pop(call: &mut Call<'_>, end: End) -> Answered {
    let words = call.words;
    if words.len() > 3 {
        return Err(crate::command::wrong_count(call.command.name));
    }
    let wanted = call.word(2).map(count).transpose()?;
    if let Some(value) = call.store.peek(call.client.database, words[1]).map(|entry| &entry.value)
        && wanted.is_some_and(|wanted| wanted > SHORT)
    {
        let list = value.as_list()?.clone();
        pop_many(call, list, end, wanted.unwrap_or(0));
        return Ok(());
    }
    let popped = take(call, words[1], end, wanted.unwrap_or(1))?;
    match (popped, wanted) {
        (None, None) => call.out.null(),
        (None, Some(_)) => call.out.null_array(),
        (Some(items), None) => match &*items {
            [item] => call.out.value(item),
            _ => call.out.null(),
        },
        (Some(items), Some(_)) => write_items(call.out, &items),
    }
    Ok(())
}

fn write_items(out: &mut Output, items: &[Bytes]) {
    out.array(items.len());
    items.iter().for_each(|item| out.value(item));
}

/// Items from an end; `None` if there is no such key.
fn take(call: &mut Call<'_>, key: &[u8], end: End, wanted: usize) -> Result<Option<Vec<Bytes>>, Refusal> {
    let items = call.change(key, None, |value| {
        let list = value.as_list_mut()?;
        let count = wanted.min(list.len());
        Ok((0..count).filter_map(|_| end.pop(list)).collect::<Vec<_>>())
    })?;
    call.changed(key, items.as_ref().map_or(0, Vec::len));
    Ok(items)
}

/// More of them than is done at once.
fn pop_many(call: &mut Call<'_>, mut list: List, end: End, wanted: usize) {
    let key = Bytes::from(call.words[1]);
    let wanted = wanted.min(list.len());
    call.work(wanted * 4, [Value::List(list.clone())], move |mut output, mut pace| async move {
        output.array(wanted);
        for _ in 0..wanted {
            if let Some(item) = end.pop(&mut list) {
                output.value(&item);
            }
            pace.steps(4).await;
        }
        let value = (list.len() > 0).then_some(Value::List(list));
        Outcome { output, changes: alloc::vec![Change { key, value, keeps_expiry: true }] }
    });
}

/// `LLEN`.
pub fn llen(call: &mut Call<'_>) -> Answered {
    let count = match call.read(call.words[1]) {
        Some(value) => value.as_list()?.len(),
        None => 0,
    };
    call.out.count(count);
    Ok(())
}

/// A place that may be counted from the end.
fn place(index: i64, len: usize) -> Option<usize> {
    let size = i64::try_from(len).unwrap_or(i64::MAX);
    let index = if index < 0 { index.checked_add(size)? } else { index };
    usize::try_from(index).ok().filter(|place| *place < len)
}

/// `LINDEX`.
pub fn lindex(call: &mut Call<'_>) -> Answered {
    let index = int(call.words[2]);
    let item = match call.store.read(call.client.database, call.words[1]) {
        Some(entry) => {
            let list = entry.value.as_list()?;
            place(index?, list.len()).and_then(|place| list.items().get(place))
        }
        None => None,
    };
    match item {
        Some(item) => call.out.value(item),
        None => call.out.null(),
    }
    Ok(())
}

/// `LSET`.
pub fn lset(call: &mut Call<'_>) -> Answered {
    let [_, key, index, item] = *call.words else { return Err(Refusal::SYNTAX) };
    let done = call.change(key, None, |value| {
        let list = value.as_list_mut()?;
        let place = place(int(index)?, list.len()).ok_or(Refusal::OUT_OF_RANGE)?;
        list.replace(place, item.into());
        Ok(())
    })?;
    done.ok_or(Refusal::NO_KEY)?;
    call.changed(key, 1);
    call.out.ok();
    Ok(())
}

/// `LRANGE`.
pub fn lrange(call: &mut Call<'_>) -> Answered {
    let (start, end) = (int(call.words[2])?, int(call.words[3])?);
    let Some(value) = call.read(call.words[1]) else {
        call.out.array(0);
        return Ok(());
    };
    let list = value.as_list()?.clone();
    let span = span(start, end, list.len());
    call.work(span.len(), [Value::List(list.clone())], move |mut output, mut pace| async move {
        output.array(span.len());
        let mut at = span.start;
        while at < span.end {
            let some = list.items().from(at);
            let some = &some[..some.len().min(span.end - at)];
            some.iter().for_each(|item| output.value(item));
            at += some.len();
            pace.steps(some.len() * 2).await;
        }
        Outcome::from(output)
    });
    Ok(())
}

/// `LTRIM`: pops what is too much if that is little, or else takes what is to stay into a new list.
pub fn ltrim(call: &mut Call<'_>) -> Answered {
    let (key, start, end) = (call.words[1], int(call.words[2])?, int(call.words[3])?);
    let Some(value) = call.store.peek(call.client.database, key).map(|entry| &entry.value) else {
        call.out.ok();
        return Ok(());
    };
    let list = value.as_list()?.clone();
    let kept = span(start, end, list.len());
    let gone = list.len() - kept.len();
    if kept.is_empty() {
        let is_gone = call.store.remove(call.client.database, key);
        call.changed(key, is_gone.into());
        call.out.ok();
        return Ok(());
    }
    if gone <= SHORT {
        drop(list);
        call.change(key, None, |value| {
            let list = value.as_list_mut()?;
            (kept.end..list.len()).for_each(|_| drop(End::Right.pop(list)));
            (0..kept.start).for_each(|_| drop(End::Left.pop(list)));
            Ok(())
        })?;
        call.changed(key, gone);
        call.out.ok();
        return Ok(());
    }
    let key = Bytes::from(key);
    call.work(kept.len() * 4, [Value::List(list.clone())], move |mut output, mut pace| async move {
        let mut rest = List::default();
        while rest.len() < kept.len() {
            let some = list.items().from(kept.start + rest.len());
            for item in &some[..some.len().min(kept.len() - rest.len())] {
                rest.push(item.clone());
                pace.steps(2).await;
            }
        }
        output.ok();
        Outcome {
            output,
            changes: alloc::vec![Change { key, value: Some(Value::List(rest)), keeps_expiry: true }],
        }
    });
    Ok(())
}

/// Places of items that are the same as this one, in the direction that is asked for.
struct Search<'a> {
    list: &'a List,
    from_end: bool,
    /// Items that were looked at.
    at: usize,
}

impl Search<'_> {
    /// Looks at the next few items, and shows the places of those that match; how many were looked at.
    fn step(&mut self, wanted: &[u8], mut show: impl FnMut(usize) -> bool) -> usize {
        let len = self.list.len();
        if self.at >= len {
            return 0;
        }
        let items = self.list.items();
        let some = if self.from_end { items.up_to(len - 1 - self.at) } else { items.from(self.at) };
        for number in 0..some.len() {
            let (item, place) = if self.from_end {
                (&some[some.len() - 1 - number], len - 1 - self.at - number)
            } else {
                (&some[number], self.at + number)
            };
            if **item == *wanted && !show(place) {
                break;
            }
        }
        self.at += some.len();
        some.len()
    }
}

/// `LREM`.
pub fn lrem(call: &mut Call<'_>) -> Answered {
    let [_, key, wanted, item] = *call.words else { return Err(Refusal::SYNTAX) };
    let wanted = int(wanted)?;
    let Some(value) = call.store.peek(call.client.database, key).map(|entry| &entry.value) else {
        call.out.integer(0);
        return Ok(());
    };
    let mut list = value.as_list()?.clone();
    let (key, item) = (Bytes::from(key), Bytes::from(item));
    call.work(list.len(), [Value::List(list.clone())], move |mut output, mut pace| async move {
        let most = if wanted == 0 {
            usize::MAX
        } else {
            usize::try_from(wanted.unsigned_abs()).unwrap_or(usize::MAX)
        };
        let mut places = Vec::new();
        let mut search = Search { list: &list, from_end: wanted < 0, at: 0 };
        while places.len() < most {
            let looked = search.step(&item, |place| {
                places.push(place);
                places.len() < most
            });
            if looked == 0 {
                break;
            }
            pace.steps(looked).await;
        }
        places.sort_unstable();
        let count = places.len();
        for place in places.into_iter().rev() {
            list.remove(place);
            pace.steps(8).await;
        }
        output.count(count);
        if count == 0 {
            return Outcome::from(output);
        }
        let value = (list.len() > 0).then_some(Value::List(list));
        Outcome { output, changes: alloc::vec![Change { key, value, keeps_expiry: true }] }
    });
    Ok(())
}

/// `LINSERT`.
pub fn linsert(call: &mut Call<'_>) -> Answered {
    let [_, key, side, pivot, item] = *call.words else { return Err(Refusal::SYNTAX) };
    let behind = match side {
        side if is(side, "before") => 0,
        side if is(side, "after") => 1,
        _ => return Err(Refusal::SYNTAX),
    };
    let Some(value) = call.store.peek(call.client.database, key).map(|entry| &entry.value) else {
        call.out.integer(0);
        return Ok(());
    };
    let mut list = value.as_list()?.clone();
    let [key, pivot, item] = [key, pivot, item].map(Bytes::from);
    call.work(list.len(), [Value::List(list.clone())], move |mut output, mut pace| async move {
        let mut found = None;
        let mut search = Search { list: &list, from_end: false, at: 0 };
        while found.is_none() {
            let looked = search.step(&pivot, |place| {
                found = Some(place);
                false
            });
            if looked == 0 {
                output.integer(-1);
                return Outcome::from(output);
            }
            pace.steps(looked).await;
        }
        list.insert(found.unwrap_or(0) + behind, item);
        output.count(list.len());
        Outcome {
            output,
            changes: alloc::vec![Change { key, value: Some(Value::List(list)), keeps_expiry: true }],
        }
    });
    Ok(())
}

/// `LPOS`.
pub fn lpos(call: &mut Call<'_>) -> Answered {
    let (mut rank, mut wanted, mut most) = (1, None, 0);
    let mut options = &call.words[3..];
    while let [option, value, rest @ ..] = options {
        let number = int(value)?;
        let not_negative = |text| usize::try_from(number).map_err(|_| Refusal::of(text));
        match option {
            option if is(option, "rank") => rank = number,
            option if is(option, "count") => wanted = Some(not_negative("ERR COUNT can't be negative")?),
            option if is(option, "maxlen") => most = not_negative("ERR MAXLEN can't be negative")?,
            _ => return Err(Refusal::SYNTAX),
        }
        options = rest;
    }
    if !options.is_empty() {
        return Err(Refusal::SYNTAX);
    }
    if rank == 0 {
        return Err(Refusal::of(
            "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list",
        ));
    }
    if rank == i64::MIN {
        return Err(Refusal::of("ERR value is out of range"));
    }
    let Some(value) = call.read(call.words[1]) else {
        if wanted.is_some() {
            call.out.array(0)
        } else {
            call.out.null()
        }
        return Ok(());
    };
    let list = value.as_list()?.clone();
    let item = Bytes::from(call.words[2]);
    call.work(list.len(), [Value::List(list.clone())], move |mut output, mut pace| async move {
        let mut skipped = rank.unsigned_abs() - 1;
        let limit = if most == 0 { list.len() } else { most };
        let enough = match wanted {
            None => 1,
            Some(0) => usize::MAX,
            Some(wanted) => wanted,
        };
        let mut places = Vec::new();
        let mut search = Search { list: &list, from_end: rank < 0, at: 0 };
        while places.len() < enough && search.at < limit {
            let looked = search.step(&item, |place| {
                let looked_at = if rank < 0 { list.len() - 1 - place } else { place };
                if looked_at >= limit {
                    return false;
                }
                if skipped > 0 {
                    skipped -= 1;
                } else {
                    places.push(place);
                }
                places.len() < enough
            });
            if looked == 0 {
                break;
            }
            pace.steps(looked).await;
        }
        if wanted.is_some() {
            output.array(places.len());
            places.iter().for_each(|place| output.count(*place));
        } else {
            match places.first() {
                Some(place) => output.count(*place),
                None => output.null(),
            }
        }
        Outcome::from(output)
    });
    Ok(())
}

/// `LMOVE`.
pub fn lmove(call: &mut Call<'_>) -> Answered {
    let (from, to) = (End::of(call.words[3])?, End::of(call.words[4])?);
    move_item(call, from, to)
}

/// `RPOPLPUSH`.
pub fn rpoplpush(call: &mut Call<'_>) -> Answered {
    move_item(call, End::Right, End::Left)
}

fn move_item(call: &mut Call<'_>, from: End, to: End) -> Answered {
    let (source, target) = (call.words[1], call.words[2]);
    match call.read(source) {
        Some(value) => value.as_list().map(drop)?,
        None => {
            call.out.null();
            return Ok(());
        }
    }
    if let Some(value) = call.read(target) {
        value.as_list()?;
    }
    if source == target {
        // The key stays, also if this is its only item.
        let item = call.change(source, None, |value| {
            let list = value.as_list_mut()?;
            let item = from.pop(list);
            item.iter().for_each(|item| to.push(list, item.clone()));
            Ok(item)
        })?;
        call.changed(source, 1);
        item.flatten().iter().for_each(|item| call.out.value(item));
        return Ok(());
    }
    let item = take(call, source, from, 1)?.and_then(|mut items| items.pop());
    let Some(item) = item else {
        call.out.null();
        return Ok(());
    };
    call.out.value(&item);
    call.change(target, Some(Value::list), |value| {
        to.push(value.as_list_mut()?, item);
        Ok(())
    })?;
    call.changed(target, 1);
    Ok(())
}

/// `LMPOP`.
pub fn lmpop(call: &mut Call<'_>) -> Answered {
    let (keys, rest) = counted_keys(call.words, 1)
        .map_err(|refusal| if refusal.0.contains("greater than 0") { refusal } else { Refusal::SYNTAX })?;
    let (end, wanted) = match rest {
        [end] => (End::of(end)?, 1),
        [end, word, count] if is(word, "count") => {
            let count =
                integer(count).filter(|count| *count > 0).and_then(|count| usize::try_from(count).ok());
            (End::of(end)?, count.ok_or(Refusal::of("ERR count should be greater than 0"))?)
        }
        _ => return Err(Refusal::SYNTAX),
    };
    for key in keys {
        if let Some(items) = take(call, key, end, wanted)? {
            call.out.array(2);
            call.out.bulk(key);
            write_items(call.out, &items);
            return Ok(());
        }
    }
    call.out.null_array();
    Ok(())
}
