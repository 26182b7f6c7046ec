//! Long work in pieces: futures that give way after a number of steps, and own all that they look at.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};

use crate::output::Output;
use crate::store::Change;

/// Steps of a piece: each is one element looked at, or one comparison, some 20 to 80 ns; so a piece takes some 10 µs.
const PIECE: u32 = 256;
/// Who has at most so many steps in all is done at once.
pub const SHORT: usize = 128;

/// Counts the steps of some work.
#[derive(Debug)]
pub struct Pace {
    left: u32,
    piece: u32,
}

impl Pace {
    /// Gives way after [`PIECE`] steps.
    pub const fn in_pieces() -> Self {
        Self { left: PIECE, piece: PIECE }
    }

    /// Never gives way.
    pub const fn at_once() -> Self {
        Self { left: u32::MAX, piece: u32::MAX }
    }

    /// Says that so many steps were done, and gives way if that is enough for once.
    pub async fn steps(&mut self, count: usize) {
        if self.piece == u32::MAX {
            return;
        }
        self.left = self.left.saturating_sub(u32::try_from(count).unwrap_or(u32::MAX));
        if self.left == 0 {
            self.left = self.piece;
            GiveWay(false).await;
        }
    }

    /// Sorts, in pieces: runs of [`PIECE`] items, which are then merged.
    pub async fn sort<T>(
        &mut self,
        items: Vec<T>,
        compare: impl Fn(&T, &T) -> core::cmp::Ordering,
    ) -> Vec<T> {
        const RUN: usize = 64;
        let (mut runs, mut rest) = (Vec::new(), items.into_iter());
        loop {
            let mut run: Vec<T> = rest.by_ref().take(RUN).collect();
            if run.is_empty() {
                break;
            }
            run.sort_by(&compare);
            self.steps(run.len() * 4).await;
            runs.push(run);
        }
        while runs.len() > 1 {
            let mut merged = Vec::with_capacity(runs.len().div_ceil(2));
            let mut pairs = runs.into_iter();
            while let Some(first) = pairs.next() {
                merged.push(match pairs.next() {
                    Some(second) => self.merge(first, second, &compare).await,
                    None => first,
                });
            }
            runs = merged;
        }
        runs.pop().unwrap_or_default()
    }

    async fn merge<T>(
        &mut self,
        a: Vec<T>,
        b: Vec<T>,
        compare: &impl Fn(&T, &T) -> core::cmp::Ordering,
    ) -> Vec<T> {
        let mut merged = Vec::with_capacity(a.len() + b.len());
        let (mut a, mut b) = (a.into_iter().peekable(), b.into_iter().peekable());
        loop {
            let next = match (a.peek(), b.peek()) {
                (Some(first), Some(second)) if compare(first, second).is_gt() => b.next(),
                (Some(_), _) => a.next(),
                (None, _) => b.next(),
            };
            let Some(next) = next else { return merged };
            merged.push(next);
            self.steps(1).await;
        }
    }
}

struct GiveWay(bool);

impl Future for GiveWay {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if core::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// What work gave.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What is answered.
    pub output: Output,
    /// What becomes of keys.
    pub changes: Vec<Change>,
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        Self { output, changes: Vec::new() }
    }
}

/// Work under way. It owns all that it looks at, so any thread may do its pieces.
pub type Work = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// What a future gives that waits for nothing but its turn.
pub fn ready<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorting_in_pieces_sorts_stably_and_gives_way() {
        let items: Vec<(u64, usize)> =
            (0..5_000).map(|place| ((place as u64).wrapping_mul(2_654_435_761) % 700, place)).collect();
        let mut expected = items.clone();
        expected.sort_by_key(|item| item.0);
        let mut sorted = Vec::new();
        let mut pace = Pace::in_pieces();
        let mut pieces = 0;
        {
            let mut sorting = pin!(async { sorted = pace.sort(items, |a, b| a.0.cmp(&b.0)).await });
            while sorting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
                pieces += 1;
            }
        }
        assert_eq!(sorted, expected);
        assert!(pieces > 100, "{pieces} pieces");
    }
}
