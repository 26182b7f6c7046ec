// Stubs of the interface `every-type`, made by `hallows interface stubs`: change that, not this.
//! Every type that there is, and names that are awkward in Rust.
#![allow(
    clippy::type_complexity,
    clippy::result_unit_err,
    reason = "types are as the interface has them"
)]
use hallows_sdk::stub;
/// What its authors call the interface.
pub const NAME: &str = "every-type";
/// The interface's identity: `a976ddfeec3e326408c2de7b709ae86210e87ed33910b545713519e9b19c67c6`.
pub const HASH: [u8; 32] = [
    0xa9, 0x76, 0xdd, 0xfe, 0xec, 0x3e, 0x32, 0x64, 0x08, 0xc2, 0xde, 0x7b, 0x70, 0x9a,
    0xe8, 0x62, 0x10, 0xe8, 0x7e, 0xd3, 0x39, 0x10, 0xb5, 0x45, 0x71, 0x35, 0x19, 0xe9,
    0xb1, 0x9c, 0x67, 0xc6,
];
pub(crate) mod tag {
    //! What requests call the functions.
    pub(crate) const FILE_NEW: u32 = 0x41568712;
    pub(crate) const FILE_READ: u32 = 0xb4ae5dca;
    pub(crate) const FILE_LENGTH: u32 = 0xe645439f;
    pub(crate) const FILE_JOINED: u32 = 0xaf645ca9;
    pub(crate) const FOLDER_LENGTH: u32 = 0x4312606f;
    pub(crate) const TARGET_: u32 = 0xc8c3bd81;
    pub(crate) const SAY_NUMBERS: u32 = 0x07dacfc0;
    pub(crate) const SAY_FLAGS: u32 = 0xef74a7fb;
    pub(crate) const SAY_NESTED: u32 = 0x592bb275;
    pub(crate) const OPTIONS: u32 = 0xdd0f05cc;
    pub(crate) const MANY: u32 = 0xbf679732;
    pub(crate) const LISTS: u32 = 0x8b7446eb;
    pub(crate) const NOTHING: u32 = 0xe74d7200;
    pub(crate) const THINGS: u32 = 0x9c94dea8;
    pub(crate) const MEASURE: u32 = 0xb63cb302;
    pub(crate) const TURN: u32 = 0x75b2dcce;
}
/// Has the name of the generic of stubs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum C_ {
    /// The case `only`.
    Only = 0,
}
impl C_ {
    /// Every case, in order.
    pub const ALL: [Self; 1] = [Self::Only];
}
impl<'m> stub::Value<'m> for C_ {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&(*self as u8), encoder)
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        <u8 as stub::Value>::take(decoder)
            .and_then(|number| Self::ALL.get(usize::from(number)).copied())
    }
}
/// The enum `colour`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Colour {
    /// The case `red`.
    Red = 0,
    /// The case `self`.
    Self_ = 1,
    /// The case `green`.
    Green = 2,
}
impl Colour {
    /// Every case, in order.
    pub const ALL: [Self; 3] = [Self::Red, Self::Self_, Self::Green];
}
impl<'m> stub::Value<'m> for Colour {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&(*self as u8), encoder)
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        <u8 as stub::Value>::take(decoder)
            .and_then(|number| Self::ALL.get(usize::from(number)).copied())
    }
}
/// Stands for an open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File<C = stub::Endpoint>(
    /// What it is called through: the capability that stands for it.
    pub C,
);
impl stub::Resource for File {
    const KIND: u8 = Target::File as u8;
    fn from_capability(handle: stub::Handle) -> Self {
        Self(stub::Resource::from_capability(handle))
    }
    fn capability(self) -> stub::Handle {
        stub::Resource::capability(self.0)
    }
}
impl<C: stub::Caller> File<C> {
    /// Reads from it.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn read<'m>(
        &self,
        offset: u64,
        length: u32,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<&'m [u8], Colour>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_READ, deadline)
            .within(&self.0, &(offset, length), room)
    }
    /// How long it is.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn length(&self, deadline: stub::Deadline) -> Result<u64, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_LENGTH, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 9])
    }
}
impl<C: stub::AsyncCaller> File<C> {
    /// Reads from it.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn read_async<'m>(
        &self,
        offset: u64,
        length: u32,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<Result<&'m [u8], Colour>, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_READ, deadline)
            .within_async(&self.0, &(offset, length), room)
            .await
    }
    /// How long it is.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn length_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<u64, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_LENGTH, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 9])
            .await
    }
}
impl<C: stub::Sender> File<C> {
    /// Sends a call of `file.read`; its answer comes as an event, for `read_answer`. The answer has at most `answer_most` bytes.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn read_send(
        &self,
        offset: u64,
        length: u32,
        answer_most: u32,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_READ, stub::Deadline::NEVER)
            .send(&self.0, &(offset, length), &mut [0; 16], answer_most)
    }
    /// Sends a call of `file.length`; its answer comes as an event, for `length_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn length_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::FILE_LENGTH, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 9)
    }
}
impl File {
    /// The answer to `read_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn read_answer<'m>(
        received: stub::Received<'m>,
    ) -> Result<Result<&'m [u8], Colour>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `length_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn length_answer(received: stub::Received<'_>) -> Result<u64, stub::Error> {
        stub::answered(received)
    }
}
/// Stands for a place where files are; no relation of a file's functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Folder<C = stub::Endpoint>(
    /// What it is called through: the capability that stands for it.
    pub C,
);
impl stub::Resource for Folder {
    const KIND: u8 = Target::Folder as u8;
    fn from_capability(handle: stub::Handle) -> Self {
        Self(stub::Resource::from_capability(handle))
    }
    fn capability(self) -> stub::Handle {
        stub::Resource::capability(self.0)
    }
}
impl<C: stub::Caller> Folder<C> {
    /// How many files are in it.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn length(&self, deadline: stub::Deadline) -> Result<u32, stub::Error> {
        stub::Call::<0, 0>::new(tag::FOLDER_LENGTH, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 5])
    }
}
impl<C: stub::AsyncCaller> Folder<C> {
    /// How many files are in it.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn length_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<u32, stub::Error> {
        stub::Call::<0, 0>::new(tag::FOLDER_LENGTH, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 5])
            .await
    }
}
impl<C: stub::Sender> Folder<C> {
    /// Sends a call of `folder.length`; its answer comes as an event, for `length_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn length_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::FOLDER_LENGTH, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 5)
    }
}
impl Folder {
    /// The answer to `length_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn length_answer(received: stub::Received<'_>) -> Result<u32, stub::Error> {
        stub::answered(received)
    }
}
/// The resource `thing` of the interface `20eb0bd68b25`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForeignThing<C = stub::Endpoint>(
    /// What it is called through: the capability that stands for it.
    pub C,
);
impl stub::Resource for ForeignThing {
    fn from_capability(handle: stub::Handle) -> Self {
        Self(stub::Resource::from_capability(handle))
    }
    fn capability(self) -> stub::Handle {
        stub::Resource::capability(self.0)
    }
}
/// A resource that nothing can be done with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interface_<C = stub::Endpoint>(
    /// What it is called through: the capability that stands for it.
    pub C,
);
impl stub::Resource for Interface_ {
    const KIND: u8 = Target::Interface_ as u8;
    fn from_capability(handle: stub::Handle) -> Self {
        Self(stub::Resource::from_capability(handle))
    }
    fn capability(self) -> stub::Handle {
        stub::Resource::capability(self.0)
    }
}
/// The record `nested`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nested<'m> {
    /// The field `type`.
    pub type_: &'m str,
    /// The field `shapes`.
    pub shapes: stub::List<'m, Shape<'m>>,
    /// The field `colour`.
    pub colour: Option<Colour>,
    /// The field `flags`.
    pub flags: Small,
    /// The field `blob`.
    pub blob: &'m [u8],
    /// The field `names`.
    pub names: stub::List<'m, &'m str>,
}
impl<'m> stub::Value<'m> for Nested<'m> {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&self.type_, encoder)?;
        stub::Value::put(&self.shapes, encoder)?;
        stub::Value::put(&self.colour, encoder)?;
        stub::Value::put(&self.flags, encoder)?;
        stub::Value::put(&self.blob, encoder)?;
        stub::Value::put(&self.names, encoder)?;
        Some(())
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        Some(Self {
            type_: stub::Value::take(decoder)?,
            shapes: stub::Value::take(decoder)?,
            colour: stub::Value::take(decoder)?,
            flags: stub::Value::take(decoder)?,
            blob: stub::Value::take(decoder)?,
            names: stub::Value::take(decoder)?,
        })
    }
}
/// All numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Numbers {
    /// The field `a`.
    pub a: u8,
    /// The field `b`.
    pub b: u16,
    /// The field `c`.
    pub c: u32,
    /// The field `d`.
    pub d: u64,
    /// The field `e`.
    pub e: i8,
    /// The field `f`.
    pub f: i16,
    /// The field `g`.
    pub g: i32,
    /// The field `h`.
    pub h: i64,
    /// The field `i`.
    pub i: f32,
    /// The field `j`.
    pub j: f64,
    /// The field `k`.
    pub k: bool,
    /// The field `l`.
    pub l: char,
}
impl<'m> stub::Value<'m> for Numbers {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&self.a, encoder)?;
        stub::Value::put(&self.b, encoder)?;
        stub::Value::put(&self.c, encoder)?;
        stub::Value::put(&self.d, encoder)?;
        stub::Value::put(&self.e, encoder)?;
        stub::Value::put(&self.f, encoder)?;
        stub::Value::put(&self.g, encoder)?;
        stub::Value::put(&self.h, encoder)?;
        stub::Value::put(&self.i, encoder)?;
        stub::Value::put(&self.j, encoder)?;
        stub::Value::put(&self.k, encoder)?;
        stub::Value::put(&self.l, encoder)?;
        Some(())
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        Some(Self {
            a: stub::Value::take(decoder)?,
            b: stub::Value::take(decoder)?,
            c: stub::Value::take(decoder)?,
            d: stub::Value::take(decoder)?,
            e: stub::Value::take(decoder)?,
            f: stub::Value::take(decoder)?,
            g: stub::Value::take(decoder)?,
            h: stub::Value::take(decoder)?,
            i: stub::Value::take(decoder)?,
            j: stub::Value::take(decoder)?,
            k: stub::Value::take(decoder)?,
            l: stub::Value::take(decoder)?,
        })
    }
}
/// A pair of another interface.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OtherPair<'m> {
    /// The field `left`.
    pub left: u8,
    /// The field `right`.
    pub right: &'m str,
}
impl<'m> stub::Value<'m> for OtherPair<'m> {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&self.left, encoder)?;
        stub::Value::put(&self.right, encoder)?;
        Some(())
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        Some(Self {
            left: stub::Value::take(decoder)?,
            right: stub::Value::take(decoder)?,
        })
    }
}
/// The variant `shape`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape<'m> {
    /// The case `point`.
    Point,
    /// The case `circle`.
    Circle(f64),
    /// The case `polygon`.
    Polygon(stub::List<'m, (i32, i32)>),
    /// The case `named`.
    Named(&'m str),
}
impl<'m> stub::Value<'m> for Shape<'m> {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        match self {
            Self::Point => stub::Value::put(&0u8, encoder),
            Self::Circle(value) => {
                stub::Value::put(&1u8, encoder)?;
                stub::Value::put(value, encoder)
            }
            Self::Polygon(value) => {
                stub::Value::put(&2u8, encoder)?;
                stub::Value::put(value, encoder)
            }
            Self::Named(value) => {
                stub::Value::put(&3u8, encoder)?;
                stub::Value::put(value, encoder)
            }
        }
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        match <u8 as stub::Value>::take(decoder)? {
            0 => Some(Self::Point),
            1 => stub::Value::take(decoder).map(Self::Circle),
            2 => stub::Value::take(decoder).map(Self::Polygon),
            3 => stub::Value::take(decoder).map(Self::Named),
            _ => None,
        }
    }
}
/// The flags `small`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Small(u8);
impl Small {
    /// The flag `type`.
    pub const TYPE: Self = Self(1 << 0);
    /// The flag `read`.
    pub const READ: Self = Self(1 << 1);
    /// The flag `write`.
    pub const WRITE: Self = Self(1 << 2);
    /// Whether every flag of `other` is here too.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}
impl ::core::ops::BitOr for Small {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
impl<'m> stub::Value<'m> for Small {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&self.0, encoder)
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        let bits = <u8 as stub::Value>::take(decoder)?;
        (bits <= 0x7).then_some(Self(bits))
    }
}
/// Has the name of a resource of another interface, which is used by another name here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thing<C = stub::Endpoint>(
    /// What it is called through: the capability that stands for it.
    pub C,
);
impl stub::Resource for Thing {
    const KIND: u8 = Target::Thing as u8;
    fn from_capability(handle: stub::Handle) -> Self {
        Self(stub::Resource::from_capability(handle))
    }
    fn capability(self) -> stub::Handle {
        stub::Resource::capability(self.0)
    }
}
/// The flags `wide`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Wide(u32);
impl Wide {
    /// The flag `flag00`.
    pub const FLAG00: Self = Self(1 << 0);
    /// The flag `flag01`.
    pub const FLAG01: Self = Self(1 << 1);
    /// The flag `flag02`.
    pub const FLAG02: Self = Self(1 << 2);
    /// The flag `flag03`.
    pub const FLAG03: Self = Self(1 << 3);
    /// The flag `flag04`.
    pub const FLAG04: Self = Self(1 << 4);
    /// The flag `flag05`.
    pub const FLAG05: Self = Self(1 << 5);
    /// The flag `flag06`.
    pub const FLAG06: Self = Self(1 << 6);
    /// The flag `flag07`.
    pub const FLAG07: Self = Self(1 << 7);
    /// The flag `flag08`.
    pub const FLAG08: Self = Self(1 << 8);
    /// The flag `flag09`.
    pub const FLAG09: Self = Self(1 << 9);
    /// The flag `flag10`.
    pub const FLAG10: Self = Self(1 << 10);
    /// The flag `flag11`.
    pub const FLAG11: Self = Self(1 << 11);
    /// The flag `flag12`.
    pub const FLAG12: Self = Self(1 << 12);
    /// The flag `flag13`.
    pub const FLAG13: Self = Self(1 << 13);
    /// The flag `flag14`.
    pub const FLAG14: Self = Self(1 << 14);
    /// The flag `flag15`.
    pub const FLAG15: Self = Self(1 << 15);
    /// The flag `flag16`.
    pub const FLAG16: Self = Self(1 << 16);
    /// The flag `flag17`.
    pub const FLAG17: Self = Self(1 << 17);
    /// The flag `flag18`.
    pub const FLAG18: Self = Self(1 << 18);
    /// The flag `flag19`.
    pub const FLAG19: Self = Self(1 << 19);
    /// The flag `flag20`.
    pub const FLAG20: Self = Self(1 << 20);
    /// The flag `flag21`.
    pub const FLAG21: Self = Self(1 << 21);
    /// The flag `flag22`.
    pub const FLAG22: Self = Self(1 << 22);
    /// The flag `flag23`.
    pub const FLAG23: Self = Self(1 << 23);
    /// The flag `flag24`.
    pub const FLAG24: Self = Self(1 << 24);
    /// The flag `flag25`.
    pub const FLAG25: Self = Self(1 << 25);
    /// The flag `flag26`.
    pub const FLAG26: Self = Self(1 << 26);
    /// The flag `flag27`.
    pub const FLAG27: Self = Self(1 << 27);
    /// The flag `flag28`.
    pub const FLAG28: Self = Self(1 << 28);
    /// The flag `flag29`.
    pub const FLAG29: Self = Self(1 << 29);
    /// The flag `flag30`.
    pub const FLAG30: Self = Self(1 << 30);
    /// The flag `last`.
    pub const LAST: Self = Self(1 << 31);
    /// Whether every flag of `other` is here too.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}
impl ::core::ops::BitOr for Wide {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
impl<'m> stub::Value<'m> for Wide {
    #[inline(always)]
    fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {
        stub::Value::put(&self.0, encoder)
    }
    #[inline(always)]
    fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {
        <u32 as stub::Value>::take(decoder).map(Self)
    }
}
/// A client of `every-type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client<C = stub::Endpoint>(
    /// What it calls through.
    pub C,
);
impl stub::Interface for Client {
    const NAME: &'static str = NAME;
    const HASH: [u8; 32] = HASH;
    fn through(endpoint: stub::Endpoint) -> Self {
        Self(endpoint)
    }
}
impl<C: stub::Caller> Client<C> {
    /// Opens one.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn file_new(
        &self,
        name: &str,
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<stub::Own<File>, stub::Error> {
        stub::Call::<0, 1>::new(tag::FILE_NEW, deadline).within(&self.0, &(name,), room)
    }
    /// Two files as one.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn file_joined(
        &self,
        first: stub::Own<File>,
        second: stub::Own<File>,
        deadline: stub::Deadline,
    ) -> Result<stub::Own<File>, stub::Error> {
        stub::Call::<2, 1>::new(tag::FILE_JOINED, deadline)
            .between(&self.0, &(first, second), &mut [0; 4], &mut [0; 1])
    }
    /// A function with the name of one of the stubs' own.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn target_(&self, deadline: stub::Deadline) -> Result<u8, stub::Error> {
        stub::Call::<0, 0>::new(tag::TARGET_, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 2])
    }
    /// Says numbers back.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn say_numbers(
        &self,
        numbers: Numbers,
        deadline: stub::Deadline,
    ) -> Result<Numbers, stub::Error> {
        stub::Call::<0, 0>::new(tag::SAY_NUMBERS, deadline)
            .between(&self.0, &(numbers,), &mut [0; 51], &mut [0; 48])
    }
    /// Calls `say-flags`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn say_flags(
        &self,
        small: Small,
        wide: Wide,
        deadline: stub::Deadline,
    ) -> Result<(Small, Wide), stub::Error> {
        stub::Call::<0, 0>::new(tag::SAY_FLAGS, deadline)
            .between(&self.0, &(small, wide), &mut [0; 9], &mut [0; 6])
    }
    /// Calls `say-nested`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn say_nested<'m>(
        &self,
        nested: Nested<'_>,
        pair: OtherPair<'_>,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<(Nested<'m>, OtherPair<'m>), stub::Error> {
        stub::Call::<0, 0>::new(tag::SAY_NESTED, deadline)
            .within(&self.0, &(nested, pair), room)
    }
    /// Calls `options`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    #[expect(clippy::too_many_arguments, reason = "as many as the interface has")]
    pub fn options<'m>(
        &self,
        a: Option<Option<u8>>,
        b: Result<u8, &str>,
        c: Result<(), Colour>,
        d: Result<i16, ()>,
        e: Result<(), ()>,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<
        (
            Option<Option<u8>>,
            Result<u8, &'m str>,
            Result<(), Colour>,
            Result<i16, ()>,
            Result<(), ()>,
        ),
        stub::Error,
    > {
        stub::Call::<0, 0>::new(tag::OPTIONS, deadline)
            .within(&self.0, &(a, b, c, d, e), room)
    }
    /// Calls `many`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    #[expect(clippy::too_many_arguments, reason = "as many as the interface has")]
    pub fn many<'m>(
        &self,
        deadline_: u8,
        client_: u8,
        room_: u8,
        request_: u8,
        server_: u8,
        match_: u8,
        g: u8,
        h: u8,
        i: u8,
        j: u8,
        k: u8,
        l: u8,
        m: u8,
        n: u8,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<stub::List<'m, u64>, stub::Error> {
        stub::Call::<0, 0>::new(tag::MANY, deadline)
            .within(
                &self.0,
                &(
                    (
                        deadline_,
                        client_,
                        room_,
                        request_,
                        server_,
                        match_,
                        g,
                        h,
                        i,
                        j,
                        k,
                        l,
                    ),
                    (m, n),
                ),
                room,
            )
    }
    /// Calls `lists`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn lists<'m>(
        &self,
        a: stub::List<'_, stub::List<'_, u16>>,
        b: stub::List<'_, Numbers>,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<
        (stub::List<'m, stub::List<'m, u16>>, stub::List<'m, Numbers>),
        stub::Error,
    > {
        stub::Call::<0, 0>::new(tag::LISTS, deadline).within(&self.0, &(a, b), room)
    }
    /// Calls `nothing`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn nothing(&self, deadline: stub::Deadline) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::NOTHING, deadline)
            .between(&self.0, &(), &mut [0; 4], &mut [0; 1])
    }
    /// Calls `things`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn things(
        &self,
        c: C_,
        ours: stub::Borrow<Thing>,
        foreign: stub::Borrow<ForeignThing>,
        deadline: stub::Deadline,
    ) -> Result<C_, stub::Error> {
        stub::Call::<2, 0>::new(tag::THINGS, deadline)
            .between(&self.0, &(c, ours, foreign), &mut [0; 5], &mut [0; 2])
    }
    /// Looks at a file without keeping it.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between`].
    #[inline]
    pub fn measure(
        &self,
        file: stub::Borrow<File>,
        thing: stub::Borrow<ForeignThing>,
        deadline: stub::Deadline,
    ) -> Result<u64, stub::Error> {
        stub::Call::<2, 0>::new(tag::MEASURE, deadline)
            .between(&self.0, &(file, thing), &mut [0; 4], &mut [0; 9])
    }
    /// Gives files away, and gets them back in the opposite order.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within`]; `room` is for both messages.
    #[inline]
    pub fn turn<'m>(
        &self,
        files: stub::List<'_, stub::Own<File>>,
        more: Option<stub::Own<ForeignThing>>,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<
        (stub::List<'m, stub::Own<File>>, Option<stub::Own<ForeignThing>>),
        stub::Error,
    > {
        stub::Call::<8, 8>::new(tag::TURN, deadline)
            .within(&self.0, &(files, more), room)
    }
}
impl<C: stub::AsyncCaller> Client<C> {
    /// Opens one.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn file_new_async(
        &self,
        name: &str,
        room: &mut [u8],
        deadline: stub::Deadline,
    ) -> Result<stub::Own<File>, stub::Error> {
        stub::Call::<0, 1>::new(tag::FILE_NEW, deadline)
            .within_async(&self.0, &(name,), room)
            .await
    }
    /// Two files as one.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn file_joined_async(
        &self,
        first: stub::Own<File>,
        second: stub::Own<File>,
        deadline: stub::Deadline,
    ) -> Result<stub::Own<File>, stub::Error> {
        stub::Call::<2, 1>::new(tag::FILE_JOINED, deadline)
            .between_async(&self.0, &(first, second), &mut [0; 4], &mut [0; 1])
            .await
    }
    /// A function with the name of one of the stubs' own.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn target_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<u8, stub::Error> {
        stub::Call::<0, 0>::new(tag::TARGET_, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 2])
            .await
    }
    /// Says numbers back.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn say_numbers_async(
        &self,
        numbers: Numbers,
        deadline: stub::Deadline,
    ) -> Result<Numbers, stub::Error> {
        stub::Call::<0, 0>::new(tag::SAY_NUMBERS, deadline)
            .between_async(&self.0, &(numbers,), &mut [0; 51], &mut [0; 48])
            .await
    }
    /// Calls `say-flags`.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn say_flags_async(
        &self,
        small: Small,
        wide: Wide,
        deadline: stub::Deadline,
    ) -> Result<(Small, Wide), stub::Error> {
        stub::Call::<0, 0>::new(tag::SAY_FLAGS, deadline)
            .between_async(&self.0, &(small, wide), &mut [0; 9], &mut [0; 6])
            .await
    }
    /// Calls `say-nested`.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn say_nested_async<'m>(
        &self,
        nested: Nested<'_>,
        pair: OtherPair<'_>,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<(Nested<'m>, OtherPair<'m>), stub::Error> {
        stub::Call::<0, 0>::new(tag::SAY_NESTED, deadline)
            .within_async(&self.0, &(nested, pair), room)
            .await
    }
    /// Calls `options`.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    #[expect(clippy::too_many_arguments, reason = "as many as the interface has")]
    pub async fn options_async<'m>(
        &self,
        a: Option<Option<u8>>,
        b: Result<u8, &str>,
        c: Result<(), Colour>,
        d: Result<i16, ()>,
        e: Result<(), ()>,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<
        (
            Option<Option<u8>>,
            Result<u8, &'m str>,
            Result<(), Colour>,
            Result<i16, ()>,
            Result<(), ()>,
        ),
        stub::Error,
    > {
        stub::Call::<0, 0>::new(tag::OPTIONS, deadline)
            .within_async(&self.0, &(a, b, c, d, e), room)
            .await
    }
    /// Calls `many`.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    #[expect(clippy::too_many_arguments, reason = "as many as the interface has")]
    pub async fn many_async<'m>(
        &self,
        deadline_: u8,
        client_: u8,
        room_: u8,
        request_: u8,
        server_: u8,
        match_: u8,
        g: u8,
        h: u8,
        i: u8,
        j: u8,
        k: u8,
        l: u8,
        m: u8,
        n: u8,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<stub::List<'m, u64>, stub::Error> {
        stub::Call::<0, 0>::new(tag::MANY, deadline)
            .within_async(
                &self.0,
                &(
                    (
                        deadline_,
                        client_,
                        room_,
                        request_,
                        server_,
                        match_,
                        g,
                        h,
                        i,
                        j,
                        k,
                        l,
                    ),
                    (m, n),
                ),
                room,
            )
            .await
    }
    /// Calls `lists`.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn lists_async<'m>(
        &self,
        a: stub::List<'_, stub::List<'_, u16>>,
        b: stub::List<'_, Numbers>,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<
        (stub::List<'m, stub::List<'m, u16>>, stub::List<'m, Numbers>),
        stub::Error,
    > {
        stub::Call::<0, 0>::new(tag::LISTS, deadline)
            .within_async(&self.0, &(a, b), room)
            .await
    }
    /// Calls `nothing`.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn nothing_async(
        &self,
        deadline: stub::Deadline,
    ) -> Result<(), stub::Error> {
        stub::Call::<0, 0>::new(tag::NOTHING, deadline)
            .between_async(&self.0, &(), &mut [0; 4], &mut [0; 1])
            .await
    }
    /// Calls `things`.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn things_async(
        &self,
        c: C_,
        ours: stub::Borrow<Thing>,
        foreign: stub::Borrow<ForeignThing>,
        deadline: stub::Deadline,
    ) -> Result<C_, stub::Error> {
        stub::Call::<2, 0>::new(tag::THINGS, deadline)
            .between_async(&self.0, &(c, ours, foreign), &mut [0; 5], &mut [0; 2])
            .await
    }
    /// Looks at a file without keeping it.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::between_async`].
    pub async fn measure_async(
        &self,
        file: stub::Borrow<File>,
        thing: stub::Borrow<ForeignThing>,
        deadline: stub::Deadline,
    ) -> Result<u64, stub::Error> {
        stub::Call::<2, 0>::new(tag::MEASURE, deadline)
            .between_async(&self.0, &(file, thing), &mut [0; 4], &mut [0; 9])
            .await
    }
    /// Gives files away, and gets them back in the opposite order.
    ///
    /// Others go on while it waits; to drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::within_async`]; `room` is for both messages.
    pub async fn turn_async<'m>(
        &self,
        files: stub::List<'_, stub::Own<File>>,
        more: Option<stub::Own<ForeignThing>>,
        room: &'m mut [u8],
        deadline: stub::Deadline,
    ) -> Result<
        (stub::List<'m, stub::Own<File>>, Option<stub::Own<ForeignThing>>),
        stub::Error,
    > {
        stub::Call::<8, 8>::new(tag::TURN, deadline)
            .within_async(&self.0, &(files, more), room)
            .await
    }
}
impl<C: stub::Sender> Client<C> {
    /// Sends a call of `file`; its answer comes as an event, for `file_new_answer`. `request` is for the message.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn file_new_send(
        &self,
        name: &str,
        request: &mut [u8],
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 1>::new(tag::FILE_NEW, stub::Deadline::NEVER)
            .send(&self.0, &(name,), request, 1)
    }
    /// Sends a call of `file.joined`; its answer comes as an event, for `file_joined_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn file_joined_send(
        &self,
        first: stub::Own<File>,
        second: stub::Own<File>,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<2, 1>::new(tag::FILE_JOINED, stub::Deadline::NEVER)
            .send(&self.0, &(first, second), &mut [0; 4], 1)
    }
    /// Sends a call of `target`; its answer comes as an event, for `target_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn target_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::TARGET_, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 2)
    }
    /// Sends a call of `say-numbers`; its answer comes as an event, for `say_numbers_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn say_numbers_send(
        &self,
        numbers: Numbers,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::SAY_NUMBERS, stub::Deadline::NEVER)
            .send(&self.0, &(numbers,), &mut [0; 51], 48)
    }
    /// Sends a call of `say-flags`; its answer comes as an event, for `say_flags_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn say_flags_send(
        &self,
        small: Small,
        wide: Wide,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::SAY_FLAGS, stub::Deadline::NEVER)
            .send(&self.0, &(small, wide), &mut [0; 9], 6)
    }
    /// Sends a call of `say-nested`; its answer comes as an event, for `say_nested_answer`. `request` is for the message; the answer has at most `answer_most` bytes.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn say_nested_send(
        &self,
        nested: Nested<'_>,
        pair: OtherPair<'_>,
        request: &mut [u8],
        answer_most: u32,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::SAY_NESTED, stub::Deadline::NEVER)
            .send(&self.0, &(nested, pair), request, answer_most)
    }
    /// Sends a call of `options`; its answer comes as an event, for `options_answer`. `request` is for the message; the answer has at most `answer_most` bytes.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    #[expect(clippy::too_many_arguments, reason = "as many as the interface has")]
    pub fn options_send(
        &self,
        a: Option<Option<u8>>,
        b: Result<u8, &str>,
        c: Result<(), Colour>,
        d: Result<i16, ()>,
        e: Result<(), ()>,
        request: &mut [u8],
        answer_most: u32,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::OPTIONS, stub::Deadline::NEVER)
            .send(&self.0, &(a, b, c, d, e), request, answer_most)
    }
    /// Sends a call of `many`; its answer comes as an event, for `many_answer`. The answer has at most `answer_most` bytes.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    #[expect(clippy::too_many_arguments, reason = "as many as the interface has")]
    pub fn many_send(
        &self,
        deadline_: u8,
        client_: u8,
        room_: u8,
        request_: u8,
        server_: u8,
        match_: u8,
        g: u8,
        h: u8,
        i: u8,
        j: u8,
        k: u8,
        l: u8,
        m: u8,
        n: u8,
        answer_most: u32,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::MANY, stub::Deadline::NEVER)
            .send(
                &self.0,
                &(
                    (
                        deadline_,
                        client_,
                        room_,
                        request_,
                        server_,
                        match_,
                        g,
                        h,
                        i,
                        j,
                        k,
                        l,
                    ),
                    (m, n),
                ),
                &mut [0; 18],
                answer_most,
            )
    }
    /// Sends a call of `lists`; its answer comes as an event, for `lists_answer`. `request` is for the message; the answer has at most `answer_most` bytes.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn lists_send(
        &self,
        a: stub::List<'_, stub::List<'_, u16>>,
        b: stub::List<'_, Numbers>,
        request: &mut [u8],
        answer_most: u32,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::LISTS, stub::Deadline::NEVER)
            .send(&self.0, &(a, b), request, answer_most)
    }
    /// Sends a call of `nothing`; its answer comes as an event, for `nothing_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn nothing_send(&self) -> Result<stub::Token, stub::Error> {
        stub::Call::<0, 0>::new(tag::NOTHING, stub::Deadline::NEVER)
            .send(&self.0, &(), &mut [0; 4], 1)
    }
    /// Sends a call of `things`; its answer comes as an event, for `things_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn things_send(
        &self,
        c: C_,
        ours: stub::Borrow<Thing>,
        foreign: stub::Borrow<ForeignThing>,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<2, 0>::new(tag::THINGS, stub::Deadline::NEVER)
            .send(&self.0, &(c, ours, foreign), &mut [0; 5], 2)
    }
    /// Sends a call of `measure`; its answer comes as an event, for `measure_answer`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn measure_send(
        &self,
        file: stub::Borrow<File>,
        thing: stub::Borrow<ForeignThing>,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<2, 0>::new(tag::MEASURE, stub::Deadline::NEVER)
            .send(&self.0, &(file, thing), &mut [0; 4], 9)
    }
    /// Sends a call of `turn`; its answer comes as an event, for `turn_answer`. `request` is for the message; the answer has at most `answer_most` bytes.
    ///
    /// # Errors
    ///
    /// Those of [`stub::Call::send`].
    pub fn turn_send(
        &self,
        files: stub::List<'_, stub::Own<File>>,
        more: Option<stub::Own<ForeignThing>>,
        request: &mut [u8],
        answer_most: u32,
    ) -> Result<stub::Token, stub::Error> {
        stub::Call::<8, 8>::new(tag::TURN, stub::Deadline::NEVER)
            .send(&self.0, &(files, more), request, answer_most)
    }
}
impl Client {
    /// The answer to `file_new_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn file_new_answer(
        received: stub::Received<'_>,
    ) -> Result<stub::Own<File>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `file_joined_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn file_joined_answer(
        received: stub::Received<'_>,
    ) -> Result<stub::Own<File>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `target_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn target_answer(received: stub::Received<'_>) -> Result<u8, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `say_numbers_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn say_numbers_answer(
        received: stub::Received<'_>,
    ) -> Result<Numbers, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `say_flags_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn say_flags_answer(
        received: stub::Received<'_>,
    ) -> Result<(Small, Wide), stub::Error> {
        stub::answered(received)
    }
    /// The answer to `say_nested_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn say_nested_answer<'m>(
        received: stub::Received<'m>,
    ) -> Result<(Nested<'m>, OtherPair<'m>), stub::Error> {
        stub::answered(received)
    }
    /// The answer to `options_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn options_answer<'m>(
        received: stub::Received<'m>,
    ) -> Result<
        (
            Option<Option<u8>>,
            Result<u8, &'m str>,
            Result<(), Colour>,
            Result<i16, ()>,
            Result<(), ()>,
        ),
        stub::Error,
    > {
        stub::answered(received)
    }
    /// The answer to `many_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn many_answer<'m>(
        received: stub::Received<'m>,
    ) -> Result<stub::List<'m, u64>, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `lists_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn lists_answer<'m>(
        received: stub::Received<'m>,
    ) -> Result<
        (stub::List<'m, stub::List<'m, u16>>, stub::List<'m, Numbers>),
        stub::Error,
    > {
        stub::answered(received)
    }
    /// The answer to `nothing_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn nothing_answer(received: stub::Received<'_>) -> Result<(), stub::Error> {
        stub::answered(received)
    }
    /// The answer to `things_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn things_answer(received: stub::Received<'_>) -> Result<C_, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `measure_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn measure_answer(received: stub::Received<'_>) -> Result<u64, stub::Error> {
        stub::answered(received)
    }
    /// The answer to `turn_send`.
    ///
    /// # Errors
    ///
    /// Those of [`stub::answered`].
    pub fn turn_answer<'m>(
        received: stub::Received<'m>,
    ) -> Result<
        (stub::List<'m, stub::Own<File>>, Option<stub::Own<ForeignThing>>),
        stub::Error,
    > {
        stub::answered(received)
    }
}
/// What a message is to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Target {
    /// The interface itself.
    Interface,
    /// A `thing`.
    Thing,
    /// A `file`.
    File,
    /// A `folder`.
    Folder,
    /// A `interface`.
    Interface_,
}
/// A server of `every-type`. Where a function is of a resource, the client's badge says which one is called.
pub trait Service {
    /// What a capability with this badge stands for: only its functions can be called through it. `None` if it is nothing, or nothing any more.
    fn target(&self, badge: u64) -> Option<Target>;
    /// Opens one.
    fn file_new(&mut self, client: stub::Client, name: &str) -> stub::Own<File>;
    /// Reads from it.
    fn file_read(
        &mut self,
        client: stub::Client,
        offset: u64,
        length: u32,
    ) -> Result<&[u8], Colour>;
    /// How long it is.
    fn file_length(&mut self, client: stub::Client) -> u64;
    /// Two files as one.
    fn file_joined(
        &mut self,
        client: stub::Client,
        first: stub::Own<File>,
        second: stub::Own<File>,
    ) -> stub::Own<File>;
    /// How many files are in it.
    fn folder_length(&mut self, client: stub::Client) -> u32;
    /// A function with the name of one of the stubs' own.
    fn target_(&mut self, client: stub::Client) -> u8;
    /// Says numbers back.
    fn say_numbers(&mut self, client: stub::Client, numbers: Numbers) -> Numbers;
    /// Answers `say-flags`.
    fn say_flags(
        &mut self,
        client: stub::Client,
        small: Small,
        wide: Wide,
    ) -> (Small, Wide);
    /// Answers `say-nested`.
    fn say_nested<'m>(
        &'m mut self,
        client: stub::Client,
        nested: Nested<'m>,
        pair: OtherPair<'m>,
    ) -> (Nested<'m>, OtherPair<'m>);
    /// Answers `options`.
    fn options<'m>(
        &'m mut self,
        client: stub::Client,
        a: Option<Option<u8>>,
        b: Result<u8, &'m str>,
        c: Result<(), Colour>,
        d: Result<i16, ()>,
        e: Result<(), ()>,
    ) -> (
        Option<Option<u8>>,
        Result<u8, &'m str>,
        Result<(), Colour>,
        Result<i16, ()>,
        Result<(), ()>,
    );
    /// Answers `many`.
    #[expect(clippy::too_many_arguments, reason = "as many as the interface has")]
    fn many(
        &mut self,
        client: stub::Client,
        deadline_: u8,
        client_: u8,
        room_: u8,
        request_: u8,
        server_: u8,
        match_: u8,
        g: u8,
        h: u8,
        i: u8,
        j: u8,
        k: u8,
        l: u8,
        m: u8,
        n: u8,
    ) -> stub::List<'_, u64>;
    /// Answers `lists`.
    fn lists<'m>(
        &'m mut self,
        client: stub::Client,
        a: stub::List<'m, stub::List<'m, u16>>,
        b: stub::List<'m, Numbers>,
    ) -> (stub::List<'m, stub::List<'m, u16>>, stub::List<'m, Numbers>);
    /// Answers `nothing`.
    fn nothing(&mut self, client: stub::Client);
    /// Answers `things`.
    fn things(
        &mut self,
        client: stub::Client,
        c: C_,
        ours: stub::Borrow<Thing>,
        foreign: stub::Borrow<ForeignThing>,
    ) -> C_;
    /// Looks at a file without keeping it.
    fn measure(
        &mut self,
        client: stub::Client,
        file: stub::Borrow<File>,
        thing: stub::Borrow<ForeignThing>,
    ) -> u64;
    /// Gives files away, and gets them back in the opposite order.
    fn turn<'m>(
        &'m mut self,
        client: stub::Client,
        files: stub::List<'m, stub::Own<File>>,
        more: Option<stub::Own<ForeignThing>>,
    ) -> (stub::List<'m, stub::Own<File>>, Option<stub::Own<ForeignThing>>);
}
/// Hands a message to a server, and makes its answer.
#[inline]
pub fn serve<'m>(
    server: &'m mut impl Service,
    message: stub::Message<'m>,
) -> stub::Answer<'m> {
    let mut request = match stub::Request::open(message) {
        Ok(request) => request,
        Err(answer) => return answer,
    };
    let Some(target) = server.target(request.client().badge) else {
        return request.gone()
    };
    match (target, request.tag()) {
        (Target::Interface, tag::FILE_NEW) => {
            let Some((name,)) = request.parameters::<(&str,)>() else {
                return request.malformed()
            };
            let result = server.file_new(request.client(), name);
            request.answer::<1, _>(&result)
        }
        (Target::File, tag::FILE_READ) => {
            let Some((offset, length)) = request.parameters::<(u64, u32)>() else {
                return request.malformed()
            };
            let result = server.file_read(request.client(), offset, length);
            request.answer::<0, _>(&result)
        }
        (Target::File, tag::FILE_LENGTH) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.file_length(request.client());
            request.answer::<0, _>(&result)
        }
        (Target::Interface, tag::FILE_JOINED) => {
            let Some((first, second)) = request
                .recognised::<
                    (stub::Own<File>, stub::Own<File>),
                >(|badge| server.target(badge).map(|target| target as u8)) else {
                return request.malformed()
            };
            let result = server.file_joined(request.client(), first, second);
            request.answer::<1, _>(&result)
        }
        (Target::Folder, tag::FOLDER_LENGTH) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.folder_length(request.client());
            request.answer::<0, _>(&result)
        }
        (Target::Interface, tag::TARGET_) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            let result = server.target_(request.client());
            request.answer::<0, _>(&result)
        }
        (Target::Interface, tag::SAY_NUMBERS) => {
            let Some((numbers,)) = request.parameters::<(Numbers,)>() else {
                return request.malformed()
            };
            let result = server.say_numbers(request.client(), numbers);
            request.answer::<0, _>(&result)
        }
        (Target::Interface, tag::SAY_FLAGS) => {
            let Some((small, wide)) = request.parameters::<(Small, Wide)>() else {
                return request.malformed()
            };
            let result = server.say_flags(request.client(), small, wide);
            request.answer::<0, _>(&result)
        }
        (Target::Interface, tag::SAY_NESTED) => {
            let Some((nested, pair)) = request
                .parameters::<(Nested<'_>, OtherPair<'_>)>() else {
                return request.malformed()
            };
            let result = server.say_nested(request.client(), nested, pair);
            request.answer::<0, _>(&result)
        }
        (Target::Interface, tag::OPTIONS) => {
            let Some((a, b, c, d, e)) = request
                .parameters::<
                    (
                        Option<Option<u8>>,
                        Result<u8, &str>,
                        Result<(), Colour>,
                        Result<i16, ()>,
                        Result<(), ()>,
                    ),
                >() else { return request.malformed() };
            let result = server.options(request.client(), a, b, c, d, e);
            request.answer::<0, _>(&result)
        }
        (Target::Interface, tag::MANY) => {
            let Some(
                (
                    (
                        deadline_,
                        client_,
                        room_,
                        request_,
                        server_,
                        match_,
                        g,
                        h,
                        i,
                        j,
                        k,
                        l,
                    ),
                    (m, n),
                ),
            ) = request
                .parameters::<
                    ((u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8), (u8, u8)),
                >() else { return request.malformed() };
            let result = server
                .many(
                    request.client(),
                    deadline_,
                    client_,
                    room_,
                    request_,
                    server_,
                    match_,
                    g,
                    h,
                    i,
                    j,
                    k,
                    l,
                    m,
                    n,
                );
            request.answer::<0, _>(&result)
        }
        (Target::Interface, tag::LISTS) => {
            let Some((a, b)) = request
                .parameters::<
                    (stub::List<'_, stub::List<'_, u16>>, stub::List<'_, Numbers>),
                >() else { return request.malformed() };
            let result = server.lists(request.client(), a, b);
            request.answer::<0, _>(&result)
        }
        (Target::Interface, tag::NOTHING) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.nothing(request.client());
            request.answer::<0, _>(&())
        }
        (Target::Interface, tag::THINGS) => {
            let Some((c, ours, foreign)) = request
                .recognised::<
                    (C_, stub::Borrow<Thing>, stub::Borrow<ForeignThing>),
                >(|badge| server.target(badge).map(|target| target as u8)) else {
                return request.malformed()
            };
            let result = server.things(request.client(), c, ours, foreign);
            request.answer::<0, _>(&result)
        }
        (Target::Interface, tag::MEASURE) => {
            let Some((file, thing)) = request
                .recognised::<
                    (stub::Borrow<File>, stub::Borrow<ForeignThing>),
                >(|badge| server.target(badge).map(|target| target as u8)) else {
                return request.malformed()
            };
            let result = server.measure(request.client(), file, thing);
            request.answer::<0, _>(&result)
        }
        (Target::Interface, tag::TURN) => {
            let Some((files, more)) = request
                .recognised::<
                    (stub::List<'_, stub::Own<File>>, Option<stub::Own<ForeignThing>>),
                >(|badge| server.target(badge).map(|target| target as u8)) else {
                return request.malformed()
            };
            let result = server.turn(request.client(), files, more);
            request.answer::<8, _>(&result)
        }
        _ => request.unknown(),
    }
}
pub mod later {
    //! What stands for the functions where they are answered later.
    /// `file`
    #[derive(Clone, Copy, Debug)]
    pub enum FileNew {}
    /// `file.read`
    #[derive(Clone, Copy, Debug)]
    pub enum FileRead {}
    /// `file.length`
    #[derive(Clone, Copy, Debug)]
    pub enum FileLength {}
    /// `file.joined`
    #[derive(Clone, Copy, Debug)]
    pub enum FileJoined {}
    /// `folder.length`
    #[derive(Clone, Copy, Debug)]
    pub enum FolderLength {}
    /// `target`
    #[derive(Clone, Copy, Debug)]
    pub enum Target {}
    /// `say-numbers`
    #[derive(Clone, Copy, Debug)]
    pub enum SayNumbers {}
    /// `say-flags`
    #[derive(Clone, Copy, Debug)]
    pub enum SayFlags {}
    /// `say-nested`
    #[derive(Clone, Copy, Debug)]
    pub enum SayNested {}
    /// `options`
    #[derive(Clone, Copy, Debug)]
    pub enum Options {}
    /// `many`
    #[derive(Clone, Copy, Debug)]
    pub enum Many {}
    /// `lists`
    #[derive(Clone, Copy, Debug)]
    pub enum Lists {}
    /// `nothing`
    #[derive(Clone, Copy, Debug)]
    pub enum Nothing {}
    /// `things`
    #[derive(Clone, Copy, Debug)]
    pub enum Things {}
    /// `measure`
    #[derive(Clone, Copy, Debug)]
    pub enum Measure {}
    /// `turn`
    #[derive(Clone, Copy, Debug)]
    pub enum Turn {}
}
impl stub::Function for later::FileNew {
    type Answer<'m> = stub::Own<File>;
}
impl stub::Function for later::FileRead {
    type Answer<'m> = Result<&'m [u8], Colour>;
}
impl stub::Function for later::FileLength {
    type Answer<'m> = u64;
}
impl stub::Function for later::FileJoined {
    type Answer<'m> = stub::Own<File>;
}
impl stub::Function for later::FolderLength {
    type Answer<'m> = u32;
}
impl stub::Function for later::Target {
    type Answer<'m> = u8;
}
impl stub::Function for later::SayNumbers {
    type Answer<'m> = Numbers;
}
impl stub::Function for later::SayFlags {
    type Answer<'m> = (Small, Wide);
}
impl stub::Function for later::SayNested {
    type Answer<'m> = (Nested<'m>, OtherPair<'m>);
}
impl stub::Function for later::Options {
    type Answer<'m> = (
        Option<Option<u8>>,
        Result<u8, &'m str>,
        Result<(), Colour>,
        Result<i16, ()>,
        Result<(), ()>,
    );
}
impl stub::Function for later::Many {
    type Answer<'m> = stub::List<'m, u64>;
}
impl stub::Function for later::Lists {
    type Answer<'m> = (stub::List<'m, stub::List<'m, u16>>, stub::List<'m, Numbers>);
}
impl stub::Function for later::Nothing {
    type Answer<'m> = ();
}
impl stub::Function for later::Things {
    type Answer<'m> = C_;
}
impl stub::Function for later::Measure {
    type Answer<'m> = u64;
}
impl stub::Function for later::Turn {
    type Answer<'m> = (stub::List<'m, stub::Own<File>>, Option<stub::Own<ForeignThing>>);
}
/// An active server of `every-type` that answers when it can: each function is given the answer that it owes. Where a function is of a resource, the client's badge says which one is called.
pub trait LaterService {
    /// What a capability with this badge stands for: only its functions can be called through it. `None` if it is nothing, or nothing any more.
    fn target(&self, badge: u64) -> Option<Target>;
    /// Opens one.
    fn file_new(
        &mut self,
        later: stub::Later<later::FileNew>,
        client: stub::Client,
        name: &str,
    );
    /// Reads from it.
    fn file_read(
        &mut self,
        later: stub::Later<later::FileRead>,
        client: stub::Client,
        offset: u64,
        length: u32,
    );
    /// How long it is.
    fn file_length(
        &mut self,
        later: stub::Later<later::FileLength>,
        client: stub::Client,
    );
    /// Two files as one.
    fn file_joined(
        &mut self,
        later: stub::Later<later::FileJoined>,
        client: stub::Client,
        first: stub::Own<File>,
        second: stub::Own<File>,
    );
    /// How many files are in it.
    fn folder_length(
        &mut self,
        later: stub::Later<later::FolderLength>,
        client: stub::Client,
    );
    /// A function with the name of one of the stubs' own.
    fn target_(&mut self, later: stub::Later<later::Target>, client: stub::Client);
    /// Says numbers back.
    fn say_numbers(
        &mut self,
        later: stub::Later<later::SayNumbers>,
        client: stub::Client,
        numbers: Numbers,
    );
    /// Answers `say-flags`.
    fn say_flags(
        &mut self,
        later: stub::Later<later::SayFlags>,
        client: stub::Client,
        small: Small,
        wide: Wide,
    );
    /// Answers `say-nested`.
    fn say_nested(
        &mut self,
        later: stub::Later<later::SayNested>,
        client: stub::Client,
        nested: Nested<'_>,
        pair: OtherPair<'_>,
    );
    /// Answers `options`.
    #[expect(clippy::too_many_arguments, reason = "as many as the interface has")]
    fn options(
        &mut self,
        later: stub::Later<later::Options>,
        client: stub::Client,
        a: Option<Option<u8>>,
        b: Result<u8, &str>,
        c: Result<(), Colour>,
        d: Result<i16, ()>,
        e: Result<(), ()>,
    );
    /// Answers `many`.
    #[expect(clippy::too_many_arguments, reason = "as many as the interface has")]
    fn many(
        &mut self,
        later: stub::Later<later::Many>,
        client: stub::Client,
        deadline_: u8,
        client_: u8,
        room_: u8,
        request_: u8,
        server_: u8,
        match_: u8,
        g: u8,
        h: u8,
        i: u8,
        j: u8,
        k: u8,
        l: u8,
        m: u8,
        n: u8,
    );
    /// Answers `lists`.
    fn lists(
        &mut self,
        later: stub::Later<later::Lists>,
        client: stub::Client,
        a: stub::List<'_, stub::List<'_, u16>>,
        b: stub::List<'_, Numbers>,
    );
    /// Answers `nothing`.
    fn nothing(&mut self, later: stub::Later<later::Nothing>, client: stub::Client);
    /// Answers `things`.
    fn things(
        &mut self,
        later: stub::Later<later::Things>,
        client: stub::Client,
        c: C_,
        ours: stub::Borrow<Thing>,
        foreign: stub::Borrow<ForeignThing>,
    );
    /// Looks at a file without keeping it.
    fn measure(
        &mut self,
        later: stub::Later<later::Measure>,
        client: stub::Client,
        file: stub::Borrow<File>,
        thing: stub::Borrow<ForeignThing>,
    );
    /// Gives files away, and gets them back in the opposite order.
    fn turn(
        &mut self,
        later: stub::Later<later::Turn>,
        client: stub::Client,
        files: stub::List<'_, stub::Own<File>>,
        more: Option<stub::Own<ForeignThing>>,
    );
}
/// Hands a message to a server that answers when it can.
pub fn serve_later<'m>(
    server: &mut impl LaterService,
    message: stub::Message<'m>,
) -> stub::Answer<'m> {
    let token = message.token;
    let mut request = match stub::Request::open(message) {
        Ok(request) => request,
        Err(answer) => return answer,
    };
    let Some(target) = server.target(request.client().badge) else {
        return request.gone()
    };
    match (target, request.tag()) {
        (Target::Interface, tag::FILE_NEW) => {
            let Some((name,)) = request.parameters::<(&str,)>() else {
                return request.malformed()
            };
            server.file_new(request.later(token), request.client(), name);
            request.deferred()
        }
        (Target::File, tag::FILE_READ) => {
            let Some((offset, length)) = request.parameters::<(u64, u32)>() else {
                return request.malformed()
            };
            server.file_read(request.later(token), request.client(), offset, length);
            request.deferred()
        }
        (Target::File, tag::FILE_LENGTH) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.file_length(request.later(token), request.client());
            request.deferred()
        }
        (Target::Interface, tag::FILE_JOINED) => {
            let Some((first, second)) = request
                .recognised::<
                    (stub::Own<File>, stub::Own<File>),
                >(|badge| server.target(badge).map(|target| target as u8)) else {
                return request.malformed()
            };
            server.file_joined(request.later(token), request.client(), first, second);
            request.deferred()
        }
        (Target::Folder, tag::FOLDER_LENGTH) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.folder_length(request.later(token), request.client());
            request.deferred()
        }
        (Target::Interface, tag::TARGET_) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.target_(request.later(token), request.client());
            request.deferred()
        }
        (Target::Interface, tag::SAY_NUMBERS) => {
            let Some((numbers,)) = request.parameters::<(Numbers,)>() else {
                return request.malformed()
            };
            server.say_numbers(request.later(token), request.client(), numbers);
            request.deferred()
        }
        (Target::Interface, tag::SAY_FLAGS) => {
            let Some((small, wide)) = request.parameters::<(Small, Wide)>() else {
                return request.malformed()
            };
            server.say_flags(request.later(token), request.client(), small, wide);
            request.deferred()
        }
        (Target::Interface, tag::SAY_NESTED) => {
            let Some((nested, pair)) = request
                .parameters::<(Nested<'_>, OtherPair<'_>)>() else {
                return request.malformed()
            };
            server.say_nested(request.later(token), request.client(), nested, pair);
            request.deferred()
        }
        (Target::Interface, tag::OPTIONS) => {
            let Some((a, b, c, d, e)) = request
                .parameters::<
                    (
                        Option<Option<u8>>,
                        Result<u8, &str>,
                        Result<(), Colour>,
                        Result<i16, ()>,
                        Result<(), ()>,
                    ),
                >() else { return request.malformed() };
            server.options(request.later(token), request.client(), a, b, c, d, e);
            request.deferred()
        }
        (Target::Interface, tag::MANY) => {
            let Some(
                (
                    (
                        deadline_,
                        client_,
                        room_,
                        request_,
                        server_,
                        match_,
                        g,
                        h,
                        i,
                        j,
                        k,
                        l,
                    ),
                    (m, n),
                ),
            ) = request
                .parameters::<
                    ((u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8), (u8, u8)),
                >() else { return request.malformed() };
            server
                .many(
                    request.later(token),
                    request.client(),
                    deadline_,
                    client_,
                    room_,
                    request_,
                    server_,
                    match_,
                    g,
                    h,
                    i,
                    j,
                    k,
                    l,
                    m,
                    n,
                );
            request.deferred()
        }
        (Target::Interface, tag::LISTS) => {
            let Some((a, b)) = request
                .parameters::<
                    (stub::List<'_, stub::List<'_, u16>>, stub::List<'_, Numbers>),
                >() else { return request.malformed() };
            server.lists(request.later(token), request.client(), a, b);
            request.deferred()
        }
        (Target::Interface, tag::NOTHING) => {
            let Some(()) = request.parameters::<()>() else {
                return request.malformed()
            };
            server.nothing(request.later(token), request.client());
            request.deferred()
        }
        (Target::Interface, tag::THINGS) => {
            let Some((c, ours, foreign)) = request
                .recognised::<
                    (C_, stub::Borrow<Thing>, stub::Borrow<ForeignThing>),
                >(|badge| server.target(badge).map(|target| target as u8)) else {
                return request.malformed()
            };
            server.things(request.later(token), request.client(), c, ours, foreign);
            request.deferred()
        }
        (Target::Interface, tag::MEASURE) => {
            let Some((file, thing)) = request
                .recognised::<
                    (stub::Borrow<File>, stub::Borrow<ForeignThing>),
                >(|badge| server.target(badge).map(|target| target as u8)) else {
                return request.malformed()
            };
            server.measure(request.later(token), request.client(), file, thing);
            request.deferred()
        }
        (Target::Interface, tag::TURN) => {
            let Some((files, more)) = request
                .recognised::<
                    (stub::List<'_, stub::Own<File>>, Option<stub::Own<ForeignThing>>),
                >(|badge| server.target(badge).map(|target| target as u8)) else {
                return request.malformed()
            };
            server.turn(request.later(token), request.client(), files, more);
            request.deferred()
        }
        _ => request.unknown(),
    }
}
