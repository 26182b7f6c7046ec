//! Rights in types: a call that needs a right which a handle lacks does not compile.
//!
//! Every handle has a set of rights as its type parameter: `Endpoint<rights!(SEND | WATCH)>`. The default, [`All`], claims every right, so
//! that `Endpoint` alone is an endpoint of which nothing is known: a use that its capability does not allow ends with
//! [`Error::NoRight`](crate::Error::NoRight), from the kernel. Sets cost nothing at run time.
//!
//! ```
//! use hallows_sdk::{Endpoint, Error, rights};
//!
//! fn hello(endpoint: Endpoint<rights!(SEND)>) -> Result<(), Error> {
//!     endpoint.send(b"hello", &[], 0).map(|_| ())
//! }
//! ```
//!
//! ```compile_fail,E0599
//! use hallows_sdk::{Endpoint, Error, rights};
//!
//! fn hello(endpoint: Endpoint<rights!(RECEIVE)>) -> Result<(), Error> {
//!     endpoint.send(b"hello", &[], 0).map(|_| ())
//! }
//! ```
//!
//! A set becomes smaller with [`Object::restrict`](crate::Object::restrict), and never larger:
//!
//! ```
//! # use hallows_sdk::{Object, Timer, rights};
//! fn less(timer: Timer<rights!(SEND | MANAGE)>) -> Timer<rights!(SEND)> {
//!     timer.restrict()
//! }
//! ```
//!
//! ```compile_fail,E0277
//! # use hallows_sdk::{Object, Timer, rights};
//! fn more(timer: Timer<rights!(SEND)>) -> Timer<rights!(SEND | MANAGE)> {
//!     timer.restrict()
//! }
//! ```
//!
//! What comes from elsewhere is looked at once, with `TryFrom`, [`Start::grant`](crate::Start::grant) or [`Object::check`](crate::Object::check).

use core::fmt::Debug;
use core::hash::Hash;

use hallows_abi::Rights;

/// A set of rights as a type, one parameter for each in the order of [`Rights`]. [`rights!`](crate::rights!) writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Set<
    const SEND: bool,
    const RECEIVE: bool,
    const TRANSFER: bool,
    const MANAGE: bool,
    const READ: bool,
    const WRITE: bool,
    const WATCH: bool,
>;

/// Every right, or those that a handle is taken to have as long as nothing is known of it.
pub type All = Set<true, true, true, true, true, true, true>;

/// A type that stands for a set of rights: [`Set`].
pub trait RightSet: Copy + Debug + Eq + Hash + Send + Sync + 'static {
    /// The set.
    const RIGHTS: Rights;
}

const fn when(holds: bool, right: Rights) -> Rights {
    if holds { right } else { Rights::NONE }
}

impl<
    const SEND: bool,
    const RECEIVE: bool,
    const TRANSFER: bool,
    const MANAGE: bool,
    const READ: bool,
    const WRITE: bool,
    const WATCH: bool,
> RightSet for Set<SEND, RECEIVE, TRANSFER, MANAGE, READ, WRITE, WATCH>
{
    const RIGHTS: Rights = when(SEND, Rights::SEND)
        .union(when(RECEIVE, Rights::RECEIVE))
        .union(when(TRANSFER, Rights::TRANSFER))
        .union(when(MANAGE, Rights::MANAGE))
        .union(when(READ, Rights::READ))
        .union(when(WRITE, Rights::WRITE))
        .union(when(WATCH, Rights::WATCH));
}

macro_rules! right {
    ($trait:ident, $right:literal, $does:literal, [$($before:ident),*], [$($after:ident),*]) => {
        #[doc = concat!("Sets with the right ", $right, ": ", $does, ".")]
        #[diagnostic::on_unimplemented(
            message = "this handle lacks the right that the call needs",
            label = "the handle's set of rights stands in its type",
            note = "ask for more where the handle comes from, as in `Endpoint<rights!(SEND | WATCH)>`"
        )]
        pub trait $trait: RightSet {}

        impl<$(const $before: bool,)* $(const $after: bool,)*> $trait for Set<$($before,)* true, $($after,)*> {}
    };
}

right!(CanSend, "SEND", "messages, signals, timers, questions", [], [A, B, C, D, E, F]);
right!(CanReceive, "RECEIVE", "what is signalled or sent", [A], [B, C, D, E, F]);
right!(CanTransfer, "TRANSFER", "giving it away", [A, B], [C, D, E, F]);
right!(CanManage, "MANAGE", "making, changing, ending", [A, B, C], [D, E, F]);
right!(CanRead, "READ", "seeing a region", [A, B, C, D], [E, F]);
right!(CanWrite, "WRITE", "changing a region", [A, B, C, D, E], [F]);
right!(CanWatch, "WATCH", "being told of room, death and rebirth", [A, B, C, D, E, F], []);

/// Whether one right may be in a set that is made from another.
#[derive(Debug)]
pub struct Step<const SMALL: bool, const LARGE: bool>;

/// A step that gives no right that was not there.
pub trait NoGain {}

impl NoGain for Step<false, false> {}
impl NoGain for Step<false, true> {}
impl NoGain for Step<true, true> {}

/// Sets that have no right which `Larger` lacks.
#[diagnostic::on_unimplemented(
    message = "a handle cannot be given more rights than it has",
    note = "the set that is asked for has a right which the handle's own set lacks"
)]
pub trait Within<Larger: RightSet>: RightSet {}

impl<
    const SEND: bool,
    const RECEIVE: bool,
    const TRANSFER: bool,
    const MANAGE: bool,
    const READ: bool,
    const WRITE: bool,
    const WATCH: bool,
    const S: bool,
    const R: bool,
    const T: bool,
    const M: bool,
    const RD: bool,
    const WR: bool,
    const W: bool,
> Within<Set<S, R, T, M, RD, WR, W>> for Set<SEND, RECEIVE, TRANSFER, MANAGE, READ, WRITE, WATCH>
where
    Step<SEND, S>: NoGain,
    Step<RECEIVE, R>: NoGain,
    Step<TRANSFER, T>: NoGain,
    Step<MANAGE, M>: NoGain,
    Step<READ, RD>: NoGain,
    Step<WRITE, WR>: NoGain,
    Step<WATCH, W>: NoGain,
{
}

/// The type of a set of rights: `rights!(SEND | WATCH)`, with the names of [`Rights`].
///
/// ```
/// use hallows_sdk::{Rights, rights, rights::RightSet};
/// assert_eq!(<rights!(SEND | WATCH)>::RIGHTS, Rights::SEND | Rights::WATCH);
/// assert_eq!(<rights!()>::RIGHTS, Rights::NONE);
/// ```
#[macro_export]
macro_rules! rights {
    ($($right:ident)|*) => {
        $crate::rights::Set<
            { $crate::rights::among(&[$($crate::Rights::$right),*], $crate::Rights::SEND) },
            { $crate::rights::among(&[$($crate::Rights::$right),*], $crate::Rights::RECEIVE) },
            { $crate::rights::among(&[$($crate::Rights::$right),*], $crate::Rights::TRANSFER) },
            { $crate::rights::among(&[$($crate::Rights::$right),*], $crate::Rights::MANAGE) },
            { $crate::rights::among(&[$($crate::Rights::$right),*], $crate::Rights::READ) },
            { $crate::rights::among(&[$($crate::Rights::$right),*], $crate::Rights::WRITE) },
            { $crate::rights::among(&[$($crate::Rights::$right),*], $crate::Rights::WATCH) },
        >
    };
}

/// Whether a right is among these; what [`rights!`](crate::rights!) asks.
#[doc(hidden)]
#[must_use]
pub const fn among(rights: &[Rights], right: Rights) -> bool {
    let mut place = 0;
    while place < rights.len() {
        if rights[place].contains(right) {
            return true;
        }
        place += 1;
    }
    false
}
