//! `SCAN` and its like: cursors that live through any change.

use alloc::string::ToString;
use alloc::vec::Vec;

use crate::call::{Call, int, is};
use crate::output::Output;
use crate::refusal::Refusal;

/// The most items that are looked at for one answer, whatever is asked for: more would keep others waiting.
pub const MOST: usize = 1_000;

/// How a scan is asked for.
#[derive(Debug)]
pub struct Asked<'a> {
    /// Where it goes on.
    pub cursor: u64,
    /// Which ones are wanted.
    pub pattern: Option<&'a [u8]>,
    /// About how many are looked at.
    pub count: usize,
    /// Of which kind, for `SCAN`.
    pub kind: Option<&'a [u8]>,
    /// Without values, for `HSCAN`.
    pub only_names: bool,
}

impl<'a> Asked<'a> {
    /// What stands from a place on: a cursor and options.
    pub fn at(call: &Call<'a>, place: usize) -> Result<Self, Refusal> {
        let cursor = core::str::from_utf8(call.words[place]).ok().and_then(|text| text.parse().ok());
        let cursor = cursor.ok_or(Refusal::of("ERR invalid cursor"))?;
        let mut asked = Self { cursor, pattern: None, count: 10, kind: None, only_names: false };
        let mut options = call.words.get(place + 1..).unwrap_or_default();
        while let [option, rest @ ..] = options {
            options = match rest {
                [pattern, rest @ ..] if is(option, "match") => {
                    asked.pattern = Some(*pattern).filter(|pattern| *pattern != b"*");
                    rest
                }
                [count, rest @ ..] if is(option, "count") => {
                    let count = usize::try_from(int(count)?).ok().filter(|count| *count > 0);
                    asked.count = count.ok_or(Refusal::SYNTAX)?.min(MOST);
                    rest
                }
                [kind, rest @ ..] if is(option, "type") && place == 1 => {
                    asked.kind = Some(kind);
                    rest
                }
                rest if is(option, "novalues") && call.command.name == "hscan" => {
                    asked.only_names = true;
                    rest
                }
                _ => return Err(Refusal::SYNTAX),
            };
        }
        Ok(asked)
    }

    /// Whether a name is wanted.
    pub fn wants(&self, name: &[u8]) -> bool {
        self.pattern.is_none_or(|pattern| crate::pattern::matches(pattern, name))
    }

    /// Walks on, bucket by bucket, until enough was looked at: `step` takes a cursor, and gives the next one and how many it saw.
    pub fn walk(&mut self, mut step: impl FnMut(&Self, u64) -> (u64, usize)) {
        let mut seen = 0;
        loop {
            let (cursor, count) = step(self, self.cursor);
            self.cursor = cursor;
            // An empty bucket is looked at as well.
            seen += count.max(1);
            if cursor == 0 || seen >= self.count {
                return;
            }
        }
    }

    /// Answers with the next cursor, and what was found.
    pub fn answer(&self, out: &mut Output, found: &Found) {
        out.array(2);
        out.bulk(self.cursor.to_string().as_bytes());
        out.array(found.0.len());
        found.0.iter().for_each(|one| out.bulk(one));
    }
}

/// What a scan found.
#[derive(Debug, Default)]
pub struct Found(pub Vec<Vec<u8>>);
