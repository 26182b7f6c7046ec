//! A log as short as it can be: what a store has at one moment, as requests, piece by piece, while the store goes on.

use alloc::vec;
use alloc::vec::Vec;

use crate::log::Log;
use crate::number::{Digits, score};
use crate::paged::LEAF;
use crate::store::{Entry, NEVER};
use crate::table::{Keyed, Table};
use crate::value::Value;

/// Bytes from which on a piece is enough.
const PIECE: usize = 16 << 10;
/// Parts that are looked at for a piece: most of them may be empty.
const PARTS: usize = 256;

/// What a store has at one moment.
#[derive(Debug)]
pub struct Picture {
    /// Databases that are not written down yet, and pages of each that are not.
    databases: Vec<(usize, Table<Entry>, usize)>,
    /// What is left of a page.
    entries: vec::IntoIter<Entry>,
    /// A key that is written down in parts, and where the next one begins.
    begun: Option<(Entry, usize)>,
    /// What was written down and is large: to be freed in pieces.
    pub(crate) written: Vec<Value>,
    log: Log,
}

impl Picture {
    /// Of these databases, by their numbers. They share what they have with the picture until they change it.
    pub fn new(databases: impl Iterator<Item = (usize, Table<Entry>)>) -> Self {
        let databases = databases.map(|(number, entries)| {
            let pages = entries.pages();
            (number, entries, pages)
        });
        let mut log = Log::default();
        log.is_on = true;
        let (entries, written) = (Vec::new().into_iter(), Vec::new());
        Self { databases: databases.collect(), entries, begun: None, written, log }
    }

    /// What is left of it, when it is not needed: values and tables.
    pub(crate) fn give_up(self) -> (Vec<Value>, Vec<Table<Entry>>) {
        let Self { databases, entries, begun, mut written, .. } = self;
        written.extend(entries.chain(begun.map(|(entry, _)| entry)).map(|entry| entry.value));
        (written, databases.into_iter().map(|(_, entries, _)| entries).collect())
    }
}

/// Its pieces, some of which may be empty.
impl Iterator for Picture {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut parts = 0;
        while self.log.waiting() < PIECE {
            let Some((database, entries, left)) = self.databases.last_mut() else {
                return self.log.take();
            };
            parts += 1;
            if parts > PARTS {
                break;
            }
            if let Some((entry, from)) = self.begun.take() {
                match write(&mut self.log, *database, &entry, from) {
                    Some(next) => self.begun = Some((entry, next)),
                    None if entry.value.is_light() => {}
                    None => self.written.push(entry.value),
                }
            } else if let Some(entry) = self.entries.next() {
                self.begun = Some((entry, 0));
            } else if let Some(page) = left.checked_sub(1) {
                // From the last one on, so that each is freed when it was written down.
                let items = entries.page(page).map(|page| page.cloned().collect::<Vec<_>>());
                self.entries = items.unwrap_or_default().into_iter();
                entries.free_slots();
                *left = page;
            } else {
                self.databases.pop();
            }
        }
        Some(self.log.take().unwrap_or_default())
    }
}

/// Some of a table's items from a place on, as many as a piece has room for, and where the next ones begin; `None` behind the last one.
fn some<T: Keyed + Clone>(
    table: &Table<T>,
    from: usize,
    size: impl Fn(&T) -> usize,
) -> Option<(Vec<&T>, usize)> {
    // A page and how many of its items were taken before.
    let (page, before) = (from / LEAF, from % LEAF);
    let (mut bytes, mut items) = (0, Vec::new());
    for item in table.page(page)?.skip(before) {
        if bytes >= PIECE {
            let next = from + items.len();
            return Some((items, next));
        }
        bytes += size(item);
        items.push(item);
    }
    Some((items, (page + 1) * LEAF))
}

/// Writes a key down, or a part of what it has; where the next part begins.
fn write(log: &mut Log, database: usize, entry: &Entry, from: usize) -> Option<usize> {
    let key = &*entry.key;
    let mut append = |name: &[u8], items: &[&[u8]]| {
        if !items.is_empty() {
            let words: Vec<&[u8]> = [name, key].into_iter().chain(items.iter().copied()).collect();
            log.append(database, words.into_iter());
        }
    };
    let next = match &entry.value {
        Value::Integer(_) | Value::Raw(_) | Value::Grown(_) => {
            if let Ok(text) = entry.value.text() {
                append(b"SET", &[&text]);
            }
            None
        }
        Value::List(list) => {
            let (mut bytes, mut items) = (0, Vec::new());
            for item in list.items().from(from) {
                if bytes >= PIECE {
                    break;
                }
                bytes += item.len();
                items.push(&**item);
            }
            append(b"RPUSH", &items);
            (!items.is_empty()).then_some(from + items.len())
        }
        Value::Set(set) => some(set.members(), from, |member| member.0.len()).map(|(members, next)| {
            append(b"SADD", &members.iter().map(|member| &*member.0).collect::<Vec<_>>());
            next
        }),
        Value::Hash(hash) => {
            some(hash.fields(), from, |field| field.name.len() + field.value.len()).map(|(fields, next)| {
                append(
                    b"HSET",
                    &fields.iter().flat_map(|field| [&*field.name, &*field.value]).collect::<Vec<_>>(),
                );
                next
            })
        }
        Value::Sorted(sorted) => {
            some(sorted.scores(), from, |scored| scored.member.len()).map(|(members, next)| {
                let members: Vec<_> =
                    members.iter().map(|scored| (score(scored.score), &scored.member)).collect();
                append(
                    b"ZADD",
                    &members
                        .iter()
                        .flat_map(|(score, member)| [score.as_bytes(), &***member])
                        .collect::<Vec<_>>(),
                );
                next
            })
        }
    };
    if next.is_none() && entry.expires != NEVER {
        append(b"PEXPIREAT", &[Digits::of(i64::try_from(entry.expires).unwrap_or(i64::MAX)).text()]);
    }
    next
}
