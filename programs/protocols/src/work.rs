//! The work that fan-out gives its workers: a chain of steps that cannot be taken apart, with a result that can be checked.

hallows_sdk::form! {
    /// One piece of work.
    pub struct Request {
        /// Where it starts.
        pub seed: u64,
        /// How many steps, about a nanosecond each.
        pub steps: u32,
    }

    /// Its result.
    pub struct Response {
        /// Where it ended.
        pub result: u64,
    }
}

impl Request {
    /// The longest piece that a worker takes: about a millisecond.
    pub const MAX_STEPS: u32 = 1_000_000;

    /// Does it. Of more than [`Self::MAX_STEPS`], only as many are done.
    #[must_use]
    pub fn result(&self) -> u64 {
        // The finaliser of SplitMix64 (Steele, Lea, Flood 2014): each step needs the one before.
        (0..self.steps.min(Self::MAX_STEPS)).fold(self.seed, |state, _| {
            let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Request;

    #[test]
    fn work_can_be_taken_apart_nowhere_but_between_steps() {
        let whole = Request { seed: 7, steps: 30 }.result();
        let half = Request { seed: 7, steps: 10 }.result();
        assert_eq!(Request { seed: half, steps: 20 }.result(), whole);
        assert_ne!(Request { seed: 8, steps: 30 }.result(), whole);
        assert_eq!(Request { seed: 7, steps: 0 }.result(), 7);
    }
}
