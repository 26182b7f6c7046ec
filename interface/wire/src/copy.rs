//! Copies a few bytes without a call.
//!
//! A copy of unknown length is one of WebAssembly's bulk operations, which is a call with checks of its own: dear for a
//! name of ten letters.

/// Copies; nothing, if the two are not of one length.
#[inline(always)]
pub fn copy(to: &mut [u8], from: &[u8]) -> Option<()> {
    if to.len() != from.len() {
        return None;
    }
    // Comparisons and no table of jumps, the longer ones first: who copies more has more to lose.
    let length = from.len();
    if length > 64 {
        to.copy_from_slice(from);
        Some(())
    } else if length > 32 {
        both_ends::<32>(to, from)
    } else if length >= 16 {
        both_ends::<16>(to, from)
    } else if length >= 8 {
        both_ends::<8>(to, from)
    } else if length >= 4 {
        both_ends::<4>(to, from)
    } else if length >= 2 {
        both_ends::<2>(to, from)
    } else if length == 1 {
        both_ends::<1>(to, from)
    } else {
        Some(())
    }
}

/// Copies the first and the last `N` bytes, which overlap in the middle.
#[inline(always)]
fn both_ends<const N: usize>(to: &mut [u8], from: &[u8]) -> Option<()> {
    *to.first_chunk_mut()? = *from.first_chunk::<N>()?;
    *to.last_chunk_mut()? = *from.last_chunk::<N>()?;
    Some(())
}

#[cfg(test)]
mod tests {
    use super::copy;

    #[test]
    fn every_length_is_copied_whole() {
        let from: [u8; 130] = core::array::from_fn(|place| place as u8 + 1);
        for length in 0..=from.len() {
            let mut to = [0; 130];
            assert_eq!(copy(&mut to[..length], &from[..length]), Some(()));
            assert_eq!(to[..length], from[..length]);
            assert!(to[length..].iter().all(|byte| *byte == 0));
        }
        assert_eq!(copy(&mut [0; 2], &[0; 3]), None);
    }
}
