//! What a key may have. Clones are cheap, and stay as they are whatever becomes of the key: that is how long work sees one moment.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Ordering;

use crate::Bytes;
use crate::number::Digits;
use crate::refusal::Refusal;
use crate::seed::Seed;
use crate::sequence::Sequence;
use crate::table::{Keyed, Place, Table};

/// What the heap and a counted pointer add to some bytes.
const BESIDE: usize = 24;
/// What a value of many items has before it has any.
const FRAME: usize = 128;
/// Items that are freed at once.
const AT_ONCE: usize = 64;

/// A value.
#[derive(Clone, Debug)]
pub enum Value {
    /// A string that is a whole number.
    Integer(i64),
    /// A string.
    Raw(Bytes),
    /// A string that was changed in place.
    Grown(Arc<Vec<u8>>),
    /// A list.
    List(List),
    /// A set.
    Set(Arc<Set>),
    /// A hash.
    Hash(Arc<Hash>),
    /// A sorted set.
    Sorted(Arc<Sorted>),
}

/// A list.
#[derive(Clone, Debug, Default)]
pub struct List {
    items: Sequence<Bytes>,
    bytes: usize,
}

/// A member of a set.
#[derive(Clone, Debug)]
pub struct Member(pub Bytes);

/// A set.
#[derive(Clone, Debug)]
pub struct Set {
    members: Table<Member>,
    bytes: usize,
}

/// A field of a hash.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub name: Bytes,
    /// What it has.
    pub value: Bytes,
}

/// A hash.
#[derive(Clone, Debug)]
pub struct Hash {
    fields: Table<Field>,
    bytes: usize,
}

/// A member of a sorted set.
#[derive(Clone, Debug)]
pub struct Scored {
    /// Its score, which is a number.
    pub score: f64,
    /// Itself.
    pub member: Bytes,
}

/// A sorted set: its members by name, and in their order.
#[derive(Clone, Debug)]
pub struct Sorted {
    scores: Table<Scored>,
    order: Sequence<Scored>,
    bytes: usize,
}

impl Keyed for Member {
    fn key(&self) -> &[u8] {
        &self.0
    }
}

impl Keyed for Field {
    fn key(&self) -> &[u8] {
        &self.name
    }
}

impl Keyed for Scored {
    fn key(&self) -> &[u8] {
        &self.member
    }
}

/// The text of a string: in its value, or made for it.
pub enum Text<'a> {
    /// As it is stored.
    Stored(&'a [u8]),
    /// Of a whole number.
    Made(Digits),
}

impl core::ops::Deref for Text<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Stored(bytes) => bytes,
            Self::Made(digits) => digits.text(),
        }
    }
}

impl Value {
    /// A string, as a number if it is one.
    pub fn string(bytes: &[u8]) -> Self {
        match crate::number::integer(bytes) {
            Some(number) => Self::Integer(number),
            None => Self::Raw(bytes.into()),
        }
    }

    /// An empty list.
    pub fn list(_: Seed) -> Self {
        Self::List(List::default())
    }

    /// An empty set.
    pub fn set(seed: Seed) -> Self {
        Self::Set(Arc::new(Set::new(seed)))
    }

    /// An empty hash.
    pub fn hash(seed: Seed) -> Self {
        Self::Hash(Arc::new(Hash { fields: Table::new(seed), bytes: FRAME }))
    }

    /// An empty sorted set.
    pub fn sorted(seed: Seed) -> Self {
        Self::Sorted(Arc::new(Sorted::new(seed)))
    }

    /// What `TYPE` calls it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Integer(_) | Self::Raw(_) | Self::Grown(_) => "string",
            Self::List(_) => "list",
            Self::Set(_) => "set",
            Self::Hash(_) => "hash",
            Self::Sorted(_) => "zset",
        }
    }

    /// How many items it has; 1 for a string.
    pub fn len(&self) -> usize {
        match self {
            Self::Integer(_) | Self::Raw(_) | Self::Grown(_) => 1,
            Self::List(list) => list.len(),
            Self::Set(set) => set.len(),
            Self::Hash(hash) => hash.len(),
            Self::Sorted(sorted) => sorted.len(),
        }
    }

    /// Bytes of memory that it takes, as an estimate.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Integer(_) => 0,
            Self::Raw(bytes) => BESIDE + bytes.len(),
            Self::Grown(bytes) => BESIDE + bytes.capacity(),
            Self::List(list) => FRAME + list.bytes,
            Self::Set(set) => set.bytes,
            Self::Hash(hash) => hash.bytes,
            Self::Sorted(sorted) => sorted.bytes,
        }
    }

    /// The text of a string.
    pub fn text(&self) -> Result<Text<'_>, Refusal> {
        match self {
            Self::Integer(number) => Ok(Text::Made(Digits::of(*number))),
            Self::Raw(bytes) => Ok(Text::Stored(bytes)),
            Self::Grown(bytes) => Ok(Text::Stored(bytes)),
            _ => Err(Refusal::WRONG_TYPE),
        }
    }

    /// A string's bytes, to change them in place.
    pub fn grown(&mut self) -> Result<&mut Vec<u8>, Refusal> {
        if !matches!(self, Self::Grown(_)) {
            let bytes = self.text()?.to_vec();
            *self = Self::Grown(Arc::new(bytes));
        }
        match self {
            Self::Grown(bytes) => Ok(Arc::make_mut(bytes)),
            _ => Err(Refusal::WRONG_TYPE),
        }
    }

    /// As a list.
    pub fn as_list(&self) -> Result<&List, Refusal> {
        if let Self::List(list) = self { Ok(list) } else { Err(Refusal::WRONG_TYPE) }
    }

    /// As a list, to change it.
    pub fn as_list_mut(&mut self) -> Result<&mut List, Refusal> {
        if let Self::List(list) = self { Ok(list) } else { Err(Refusal::WRONG_TYPE) }
    }

    /// As a set.
    pub fn as_set(&self) -> Result<&Arc<Set>, Refusal> {
        if let Self::Set(set) = self { Ok(set) } else { Err(Refusal::WRONG_TYPE) }
    }

    /// As a set, to change it.
    pub fn as_set_mut(&mut self) -> Result<&mut Set, Refusal> {
        if let Self::Set(set) = self { Ok(Arc::make_mut(set)) } else { Err(Refusal::WRONG_TYPE) }
    }

    /// As a hash.
    pub fn as_hash(&self) -> Result<&Arc<Hash>, Refusal> {
        if let Self::Hash(hash) = self { Ok(hash) } else { Err(Refusal::WRONG_TYPE) }
    }

    /// As a hash, to change it.
    pub fn as_hash_mut(&mut self) -> Result<&mut Hash, Refusal> {
        if let Self::Hash(hash) = self { Ok(Arc::make_mut(hash)) } else { Err(Refusal::WRONG_TYPE) }
    }

    /// As a sorted set.
    pub fn as_sorted(&self) -> Result<&Arc<Sorted>, Refusal> {
        if let Self::Sorted(sorted) = self { Ok(sorted) } else { Err(Refusal::WRONG_TYPE) }
    }

    /// As a sorted set, to change it.
    pub fn as_sorted_mut(&mut self) -> Result<&mut Sorted, Refusal> {
        if let Self::Sorted(sorted) = self { Ok(Arc::make_mut(sorted)) } else { Err(Refusal::WRONG_TYPE) }
    }

    /// What `OBJECT ENCODING` calls it: what redis would have made of a value of this size. It is of no consequence here.
    pub fn encoding(&self) -> &'static str {
        const SMALL: usize = 64;
        let is_small = |bytes: &Bytes| bytes.len() <= SMALL;
        match self {
            Self::Integer(_) => "int",
            Self::Raw(bytes) if bytes.len() <= 44 => "embstr",
            Self::Raw(_) | Self::Grown(_) => "raw",
            Self::List(list) if list.bytes <= 8 << 10 => "listpack",
            Self::List(_) => "quicklist",
            Self::Set(set) => {
                if set.len() <= 512
                    && set.members.iter().all(|member| crate::number::integer(&member.0).is_some())
                {
                    "intset"
                } else if set.len() <= 128 && set.members.iter().all(|member| is_small(&member.0)) {
                    "listpack"
                } else {
                    "hashtable"
                }
            }
            Self::Hash(hash)
                if hash.len() <= 128
                    && hash.fields.iter().all(|field| is_small(&field.name) && is_small(&field.value)) =>
            {
                "listpack"
            }
            Self::Hash(_) => "hashtable",
            Self::Sorted(sorted)
                if sorted.len() <= 128 && sorted.scores.iter().all(|scored| is_small(&scored.member)) =>
            {
                "listpack"
            }
            Self::Sorted(_) => "skiplist",
        }
    }

    /// Whether freeing it takes no time to speak of.
    pub fn is_light(&self) -> bool {
        self.len() <= AT_ONCE
    }

    /// Frees some of it; whether there is nothing left. Only for one that no key has any more.
    pub fn free_some(&mut self) -> bool {
        match self {
            Self::Integer(_) | Self::Raw(_) | Self::Grown(_) => true,
            Self::List(list) => list.items.free_some(),
            Self::Set(set) => !Arc::get_mut(set).is_some_and(|set| set.members.free_page()),
            Self::Hash(hash) => !Arc::get_mut(hash).is_some_and(|hash| hash.fields.free_page()),
            Self::Sorted(sorted) => !Arc::get_mut(sorted).is_some_and(Sorted::free_some),
        }
    }
}

impl List {
    const ITEM: usize = size_of::<Bytes>() * 3 / 2 + BESIDE;

    fn bytes_of(item: &Bytes) -> usize {
        Self::ITEM + item.len()
    }

    /// How many items it has.
    pub const fn len(&self) -> usize {
        self.items.len()
    }

    /// The items, to look at.
    pub const fn items(&self) -> &Sequence<Bytes> {
        &self.items
    }

    /// Puts an item before the one at a place.
    pub fn insert(&mut self, at: usize, item: Bytes) {
        self.bytes += Self::bytes_of(&item);
        self.items.insert(at, item);
    }

    /// Adds an item at the end.
    pub fn push(&mut self, item: Bytes) {
        self.insert(self.len(), item);
    }

    /// Takes an item out.
    pub fn remove(&mut self, at: usize) -> Option<Bytes> {
        let item = self.items.remove(at)?;
        self.bytes -= Self::bytes_of(&item);
        Some(item)
    }

    /// Puts another item into a place.
    pub fn replace(&mut self, at: usize, item: Bytes) {
        let bytes = Self::bytes_of(&item);
        if let Some(old) = self.items.replace(at, item) {
            self.bytes = self.bytes + bytes - Self::bytes_of(&old);
        }
    }
}

impl Set {
    const MEMBER: usize = size_of::<Bytes>() + 24 + BESIDE;

    /// An empty set.
    pub fn new(seed: Seed) -> Self {
        Self { members: Table::new(seed), bytes: FRAME }
    }

    /// How many members it has.
    pub const fn len(&self) -> usize {
        self.members.len()
    }

    /// The members, to look at.
    pub const fn members(&self) -> &Table<Member> {
        &self.members
    }

    /// Adds a member; whether it is new.
    pub fn insert(&mut self, member: &[u8]) -> bool {
        let is_new = !self.members.contains(member);
        if is_new {
            self.insert_new(member.into());
        }
        is_new
    }

    /// Adds a member that it has not.
    pub fn insert_new(&mut self, member: Bytes) {
        self.bytes += Self::MEMBER + member.len();
        self.members.insert(Member(member));
    }

    /// Takes a member out; whether it was there.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        self.members.find(member).is_some_and(|place| self.remove_at(place).is_some())
    }

    /// Takes away what is stored last, for who empties it piece by piece.
    pub fn pop_slot(&mut self) -> Option<Option<Bytes>> {
        self.members.pop_slot().map(|member| member.map(|member| member.0))
    }

    /// Takes the member at a place out.
    pub fn remove_at(&mut self, place: Place) -> Option<Bytes> {
        let Member(member) = self.members.remove(place)?;
        self.bytes -= Self::MEMBER + member.len();
        Some(member)
    }
}

impl Hash {
    const FIELD: usize = size_of::<Field>() + 24 + 2 * BESIDE;

    /// How many fields it has.
    pub const fn len(&self) -> usize {
        self.fields.len()
    }

    /// The fields, to look at.
    pub const fn fields(&self) -> &Table<Field> {
        &self.fields
    }

    /// What a field has.
    pub fn get(&self, name: &[u8]) -> Option<&Bytes> {
        self.fields.get(name).map(|field| &field.value)
    }

    /// Gives a field a value; whether it is new.
    pub fn insert(&mut self, name: &[u8], value: &[u8]) -> bool {
        let place = self.fields.find(name);
        if let Some(field) = place.and_then(|place| self.fields.at_mut(place)) {
            self.bytes = self.bytes + value.len() - field.value.len();
            field.value = value.into();
            return false;
        }
        self.bytes += Self::FIELD + name.len() + value.len();
        self.fields.insert(Field { name: name.into(), value: value.into() });
        true
    }

    /// Takes a field out; whether it was there.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        let Some(field) = self.fields.remove_key(name) else { return false };
        self.bytes -= Self::FIELD + field.name.len() + field.value.len();
        true
    }
}

impl Scored {
    /// By score, and by name where scores are the same.
    pub fn order(&self, score: f64, member: &[u8]) -> Ordering {
        // Scores are never NaN, and 0 is -0.
        self.score.partial_cmp(&score).unwrap_or(Ordering::Equal).then_with(|| (*self.member).cmp(member))
    }
}

impl Sorted {
    const MEMBER: usize = size_of::<Scored>() * 5 / 2 + 24 + BESIDE;

    /// An empty sorted set.
    pub fn new(seed: Seed) -> Self {
        Self { scores: Table::new(seed), order: Sequence::default(), bytes: FRAME }
    }

    /// How many members it has.
    pub const fn len(&self) -> usize {
        self.order.len()
    }

    /// The members in their order.
    pub const fn order(&self) -> &Sequence<Scored> {
        &self.order
    }

    /// The members by name.
    pub const fn scores(&self) -> &Table<Scored> {
        &self.scores
    }

    /// A member's score.
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        self.scores.get(member).map(|scored| scored.score)
    }

    /// How many come before this one.
    pub fn rank(&self, score: f64, member: &[u8]) -> usize {
        self.order.partition_point(|scored| scored.order(score, member).is_lt())
    }

    /// Gives a member a score; the one that it had.
    pub fn insert(&mut self, member: &[u8], score: f64) -> Option<f64> {
        // There is one zero.
        let score = score + 0.0;
        match self.scores.find(member) {
            Some(place) => {
                let old = self.scores.at(place)?.score;
                if old.to_bits() != score.to_bits() {
                    let scored = self.order.remove(self.rank(old, member))?;
                    self.scores.at_mut(place)?.score = score;
                    self.order.insert(self.rank(score, member), Scored { score, ..scored });
                }
                Some(old)
            }
            None => {
                self.insert_new(Scored { score, member: member.into() });
                None
            }
        }
    }

    /// Adds a member that it has not.
    pub fn insert_new(&mut self, scored: Scored) {
        let scored = Scored { score: scored.score + 0.0, ..scored };
        self.bytes += Self::MEMBER + scored.member.len();
        self.order.insert(self.rank(scored.score, &scored.member), scored.clone());
        self.scores.insert(scored);
    }

    /// Takes a member out; its score.
    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let scored = self.scores.remove_key(member)?;
        self.bytes -= Self::MEMBER + scored.member.len();
        self.order.remove(self.rank(scored.score, member));
        Some(scored.score)
    }

    /// Frees some of it; whether there was anything. Only for one that nobody asks any more.
    pub fn free_some(&mut self) -> bool {
        !self.order.free_some() || self.scores.free_page()
    }

    /// Takes the member at a place out.
    pub fn remove_at(&mut self, at: usize) -> Option<Scored> {
        let scored = self.order.remove(at)?;
        self.bytes -= Self::MEMBER + scored.member.len();
        self.scores.remove_key(&scored.member);
        Some(scored)
    }
}
