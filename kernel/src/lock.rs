//! Spin locks whose order is in their types: taking two in the wrong order does not compile, nor does holding one while a
//! thread is suspended.
//!
//! Every lock has a [level](level). To take one needs `&mut` of a [`Token`] of a lower level, and gives a token of its own
//! level for what may be taken inside. A suspension needs the token of level 0, which is borrowed while any lock is held.

use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

use crate::sync::{SpinMutex, SpinMutexGuard};

/// The levels, from the outermost.
pub mod level {
    /// No lock is held.
    pub const NONE: u8 = 0;
    /// The derivation tree of all capabilities.
    pub const TREE: u8 = 1;
    /// A change that is noted in several control blocks: who serves one endpoint, where one cell has regions.
    pub const SERVING: u8 = 2;
    /// The control block of one object: cell, endpoint, region, monitor.
    pub const CONTROL: u8 = 3;
    /// The inbox of one cell.
    pub const INBOX: u8 = 4;
    /// Run queues, timer queues, pools: leaves, nothing is taken inside.
    pub const LEAF: u8 = 5;
}

/// Proof that no lock of a level above `L` is held by this thread of execution.
#[derive(Debug)]
pub struct Token<'t, const L: u8>(PhantomData<&'t mut ()>);

impl Token<'static, { level::NONE }> {
    /// For the ways into the kernel only: a host call, the core's loop, the timekeeper's tick.
    pub(crate) const fn at_entry() -> Self {
        Self(PhantomData)
    }
}

/// A value behind a spin lock of level `L`.
#[derive(Debug, Default)]
pub struct Lock<const L: u8, T>(SpinMutex<T>);

impl<const L: u8, T> Lock<L, T> {
    /// Not taken.
    pub const fn new(value: T) -> Self {
        Self(SpinMutex::new(value))
    }

    /// Spins until it is free. Every stretch under a lock of the kernel is short and bounded.
    pub fn lock<'g, const M: u8>(&'g self, _below: &'g mut Token<'_, M>) -> (Guard<'g, T>, Token<'g, L>) {
        const { assert!(M < L, "locks are taken from the outermost level inwards") };
        (Guard(self.0.lock()), Token(PhantomData))
    }

    /// Takes it if it is free.
    pub fn try_lock<'g, const M: u8>(&'g self, _below: &'g mut Token<'_, M>) -> Option<Guard<'g, T>> {
        const { assert!(M < L, "locks are taken from the outermost level inwards") };
        self.0.try_lock().map(Guard)
    }
}

/// Access to a locked value.
pub struct Guard<'g, T>(SpinMutexGuard<'g, T>);

impl<T> Deref for Guard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}
