//! A log as short as it can be: what a store has at one moment, as requests, piece by piece, while the store goes on.

use alloc::vec;
use alloc::vec::Vec;

use crate::Bytes;
use crate::log::Log;
use crate::number::{Digits, score};
use crate::store::{Entry, NEVER};
use crate::table::Table;
use crate::value::Value;

/// Bytes from which on a piece is enough.
const PIECE: usize = 16 << 10;
/// Pages of keys that are looked at for a piece: most of them may have none.
const PAGES: usize = 16;
/// Items of a list in one request.
const ITEMS: usize = 64;

/// What a store has at one moment.
#[derive(Debug)]
pub struct Picture {
    /// Databases that are not written down yet, and pages of each that are not.
    databases: Vec<(usize, Table<Entry>, usize)>,
    /// What is left of a page.
    entries: vec::IntoIter<Entry>,
    /// A key that is written down in parts, and where the next one begins.
    begun: Option<(Entry, usize)>,
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
        Self { databases: databases.collect(), entries: Vec::new().into_iter(), begun: None, log }
    }
}

/// Its pieces, some of which may be empty.
impl Iterator for Picture {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut pages = 0;
        while self.log.waiting() < PIECE {
            let Some((database, entries, left)) = self.databases.last_mut() else {
                return self.log.take();
            };
            if let Some((entry, from)) = self.begun.take() {
                self.begun = write(&mut self.log, *database, &entry, from).map(|next| (entry, next));
            } else if let Some(entry) = self.entries.next() {
                self.begun = Some((entry, 0));
            } else if pages == PAGES {
                break;
            } else if let Some(page) = left.checked_sub(1) {
                // From the last one on, so that each is freed when it was written down.
                let items = entries.page(page).map(|page| page.cloned().collect::<Vec<_>>());
                self.entries = items.unwrap_or_default().into_iter();
                entries.free_slots();
                *left = page;
                pages += 1;
            } else {
                self.databases.pop();
            }
        }
        Some(self.log.take().unwrap_or_default())
    }
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
            let items = list.items().from(from);
            let items: Vec<&[u8]> = items.iter().take(ITEMS).map(Bytes::as_ref).collect();
            append(b"RPUSH", &items);
            (!items.is_empty()).then_some(from + items.len())
        }
        Value::Set(set) => set.members().page(from).map(|members| {
            append(b"SADD", &members.map(|member| &*member.0).collect::<Vec<_>>());
            from + 1
        }),
        Value::Hash(hash) => hash.fields().page(from).map(|fields| {
            append(b"HSET", &fields.flat_map(|field| [&*field.name, &*field.value]).collect::<Vec<_>>());
            from + 1
        }),
        Value::Sorted(sorted) => sorted.scores().page(from).map(|members| {
            let members: Vec<_> = members.map(|scored| (score(scored.score), &scored.member)).collect();
            append(
                b"ZADD",
                &members
                    .iter()
                    .flat_map(|(score, member)| [score.as_bytes(), &***member])
                    .collect::<Vec<_>>(),
            );
            from + 1
        }),
    };
    if next.is_none() && entry.expires != NEVER {
        append(b"PEXPIREAT", &[Digits::of(i64::try_from(entry.expires).unwrap_or(i64::MAX)).text()]);
    }
    next
}
