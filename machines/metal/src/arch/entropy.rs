//! Randomness, from the processor's own generator.

use core::arch::x86_64::_rdrand64_step;

/// Tries before a draw counts as failed: Intel's guide says that ten failures in a row mean broken hardware
/// ("Digital Random Number Generator software implementation guide", 5.2.1).
const TRIES: u32 = 10;

/// 16 random bytes.
///
/// # Panics
/// If the generator fails: a machine without randomness must not hand out tokens.
pub fn random_bytes() -> [u8; 16] {
    let mut bytes = [0; 16];
    for word in bytes.chunks_exact_mut(8) {
        // SAFETY: `features::enable` refused to boot without the instruction.
        let random =
            unsafe { draw() }.expect("the processor's random number generator fails; replace the processor");
        word.copy_from_slice(&random.to_ne_bytes());
    }
    bytes
}

/// # Safety
/// The processor has `rdrand`.
#[target_feature(enable = "rdrand")]
unsafe fn draw() -> Option<u64> {
    (0..TRIES).find_map(|_| {
        let mut word = 0;
        (_rdrand64_step(&mut word) == 1).then_some(word)
    })
}
