//! Data that each thread has of its own, made when it is first asked for and dropped with the thread.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering};

use super::block::Block;

/// Keys that were numbered so far.
static NUMBERED: AtomicU32 = AtomicU32::new(0);

/// A thread's values, by the numbers of their keys.
#[derive(Debug)]
pub struct Locals(Vec<Option<Local>>);

#[derive(Debug)]
struct Local {
    value: *mut (),
    drop: unsafe fn(*mut ()),
}

impl Locals {
    /// No values.
    pub const NONE: Self = Self(Vec::new());

    fn get<T>(&self, number: usize) -> Option<*const T> {
        self.0.get(number)?.as_ref().map(|local| local.value.cast_const().cast())
    }

    /// Drops a thread's values, also those that are made by dropping others.
    ///
    /// # Safety
    ///
    /// `locals` are the calling thread's, or those of one that is over; nobody uses a value.
    pub unsafe fn end(locals: *mut Self) {
        loop {
            // SAFETY: the caller's promise; nothing is borrowed while a value is dropped.
            let Some(last) = unsafe { &mut *locals }.0.pop() else { return };
            if let Some(Local { value, drop }) = last {
                // SAFETY: it was made for this value, which nobody uses.
                unsafe { drop(value) };
            }
        }
    }
}

/// What each thread has a value of its own for. Declared with [`thread_local!`](crate::thread_local).
#[derive(Debug)]
pub struct LocalKey<T: 'static> {
    /// Its number and 1; 0 until a thread asks.
    number: AtomicU32,
    make: fn() -> T,
}

impl<T: 'static> LocalKey<T> {
    /// What [`thread_local!`](crate::thread_local) calls.
    #[doc(hidden)]
    pub const fn new(make: fn() -> T) -> Self {
        Self { number: AtomicU32::new(0), make }
    }

    fn number(&self) -> usize {
        // Relaxed: a number says nothing of other memory.
        let mut number = self.number.load(Ordering::Relaxed);
        if number == 0 {
            let next = NUMBERED.fetch_add(1, Ordering::Relaxed) + 1;
            // Who comes second takes the first one's, and a number is nobody's.
            number = match self.number.compare_exchange(0, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => next,
                Err(first) => first,
            };
        }
        number as usize - 1
    }

    /// Lends the calling thread's value, which is made if there is none yet.
    pub fn with<R>(&'static self, body: impl FnOnce(&T) -> R) -> R {
        let (number, locals) = (self.number(), Block::own_locals());
        // SAFETY: this thread's, and nothing is borrowed.
        let value = match unsafe { &*locals }.get::<T>(number) {
            Some(value) => value,
            None => self.make(number, locals),
        };
        // SAFETY: it is dropped with the thread, which is here.
        body(unsafe { &*value })
    }

    #[cold]
    fn make(&self, number: usize, locals: *mut Locals) -> *const T {
        unsafe fn drop_value<T>(value: *mut ()) {
            // SAFETY: it came out of a box, below.
            drop(unsafe { Box::from_raw(value.cast::<T>()) });
        }
        // May ask for other values, and for this one.
        let value = Box::new((self.make)());
        // SAFETY: this thread's; nothing is borrowed while it runs code of others.
        let places = &mut unsafe { &mut *locals }.0;
        if places.len() <= number {
            places.resize_with(number + 1, || None);
        }
        let Some(place) = places.get_mut(number) else { return core::ptr::null() };
        let local =
            place.get_or_insert_with(|| Local { value: Box::into_raw(value).cast(), drop: drop_value::<T> });
        local.value.cast_const().cast()
    }
}
