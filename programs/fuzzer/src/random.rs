//! Random numbers that a seed determines: xorshift64* (Marsaglia 2003, Vigna 2016).

/// A generator. Its state is never 0.
pub struct Random(u64);

impl Random {
    /// From a seed; different seeds give different numbers, also 0.
    pub const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// 64 bits.
    pub const fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below a bound of at least 1. The bias of the high part of a product is far below anything that matters here.
    pub const fn below(&mut self, bound: u64) -> u64 {
        ((self.next() as u128 * bound as u128) >> 64) as u64
    }

    /// 32 bits.
    pub const fn next_u32(&mut self) -> u32 {
        (self.next() >> 32) as u32
    }

    /// True so many times out of a hundred.
    pub const fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    /// One of some values; there is at least one.
    pub fn one_of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn numbers_stay_below_their_bound_and_reach_all_of_it() {
        let mut random = Random::new(0);
        let mut seen = [false; 7];
        for _ in 0..1_000 {
            seen[random.below(7) as usize] = true;
        }
        assert_eq!(seen, [true; 7]);
        assert_eq!(random.below(1), 0);
    }

    #[test]
    fn a_seed_determines_its_numbers() {
        let [mut a, mut b, mut c] = [1, 1, 2].map(Random::new);
        let [a, b, c] = [&mut a, &mut b, &mut c].map(|random| [random.next(), random.next()]);
        assert_eq!(a, b);
        assert_ne!(a, c);
    }
}
