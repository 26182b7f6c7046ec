//! What a program says of itself: the interfaces that it uses and serves. They stand in a custom section of its WebAssembly, so that a
//! system can be looked through before it starts. The section is specified in `docs/interfaces.md`.

/// Bytes of a record beside its name.
pub const RECORD_BYTES: usize = 3 + 32;

/// A record of the section: `N` is [`RECORD_BYTES`] and the name's length. `direction` is 1 for an interface that is used, 2 for one that is
/// served.
///
/// # Panics
///
/// At compile time: the name is longer than 64 bytes, or `N` is another number.
#[must_use]
pub const fn record<const N: usize>(direction: u8, hash: &[u8; 32], name: &str) -> [u8; N] {
    let name = name.as_bytes();
    assert!(name.len() <= 64, "an interface's name has at most 64 bytes");
    assert!(N == RECORD_BYTES + name.len(), "a record is as long as what is in it");
    let mut bytes = [0; N];
    bytes[0] = 1;
    bytes[1] = direction;
    #[expect(clippy::cast_possible_truncation, reason = "at most 64")]
    let length = name.len() as u8;
    bytes[2] = length;
    let mut place = 0;
    while place < hash.len() {
        bytes[3 + place] = hash[place];
        place += 1;
    }
    let mut place = 0;
    while place < name.len() {
        bytes[RECORD_BYTES + place] = name[place];
        place += 1;
    }
    bytes
}

/// Says which interfaces a program uses: modules of stubs. A system in which nobody serves one of them does not start.
///
/// ```
/// # mod calc { pub const NAME: &str = "calc"; pub const HASH: [u8; 32] = [0; 32]; }
/// hallows_sdk::uses!(calc);
/// ```
#[macro_export]
macro_rules! uses {
    ($($($segment:ident)::+),+ $(,)?) => { $($crate::declare_interface!(1, $($segment)::+);)+ };
}

/// Says which interfaces a program serves: modules of stubs.
///
/// ```
/// # mod calc { pub const NAME: &str = "calc"; pub const HASH: [u8; 32] = [0; 32]; }
/// hallows_sdk::serves!(calc);
/// ```
#[macro_export]
macro_rules! serves {
    ($($($segment:ident)::+),+ $(,)?) => { $($crate::declare_interface!(2, $($segment)::+);)+ };
}

/// One record of the section.
#[doc(hidden)]
#[macro_export]
macro_rules! declare_interface {
    ($direction:literal, $($segment:ident)::+) => {
        const _: () = {
            #[cfg_attr(target_arch = "wasm32", unsafe(link_section = "hallows.interfaces"))]
            #[cfg_attr(target_arch = "wasm32", used)]
            #[cfg_attr(not(target_arch = "wasm32"), expect(dead_code, reason = "a native program has no sections"))]
            static RECORD: [u8; $crate::interface::RECORD_BYTES + $($segment)::+::NAME.len()] =
                $crate::interface::record($direction, &$($segment)::+::HASH, $($segment)::+::NAME);
        };
    };
}

#[cfg(test)]
mod tests {
    use super::record;

    #[test]
    fn a_record_has_form_direction_length_hash_and_name() {
        let bytes: [u8; 39] = record(2, &[7; 32], "calc");
        assert_eq!(bytes[..3], [1, 2, 4]);
        assert_eq!(bytes[3..35], [7; 32]);
        assert_eq!(&bytes[35..], b"calc");
    }
}
