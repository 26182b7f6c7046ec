//! Paths as clients say them: checked, and taken apart into the directory and the name in it.

use hallows_system::files::Refusal;

/// Linux's own bound (`PATH_MAX`), with the zero byte behind.
const PATH_BYTES: usize = 4096;

/// A path that is not empty, does not begin with `/`, and has no zero byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Relative<'p>(&'p [u8]);

/// A path's last step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last<'p> {
    /// A name, which is neither `.` nor `..` and has no `/`, in the directory at `parent` (`None`: where the path begins).
    Name {
        /// The path of the directory.
        parent: Option<&'p [u8]>,
        /// The name in it.
        name: &'p [u8],
        /// A `/` stands behind it: it must be a directory.
        slash: bool,
    },
    /// The path ends in `.` or `..`: it is a directory, and this is no name of it.
    Dots,
}

impl<'p> Relative<'p> {
    /// Checks a path.
    ///
    /// # Errors
    ///
    /// As Linux has them: an empty path is [`Refusal::NoEntry`], one with a zero byte [`Refusal::Invalid`]; one of 4,096 bytes is
    /// [`Refusal::NameTooLong`]. An absolute one is [`Refusal::LeadsOutside`].
    pub fn new(path: &'p [u8]) -> Result<Self, Refusal> {
        match path {
            [] => Err(Refusal::NoEntry),
            [b'/', ..] => Err(Refusal::LeadsOutside),
            _ if path.len() >= PATH_BYTES => Err(Refusal::NameTooLong),
            _ if path.contains(&0) => Err(Refusal::Invalid),
            _ => Ok(Self(path)),
        }
    }

    pub const fn bytes(self) -> &'p [u8] {
        self.0
    }

    /// Takes it apart.
    pub fn last(self) -> Last<'p> {
        let is_step = |byte: &u8| *byte != b'/';
        // It does not begin with a slash, so something is left of it.
        let end = self.0.iter().rposition(is_step).map_or(0, |last| last + 1);
        let (path, slashes) = self.0.split_at_checked(end).unwrap_or((self.0, &[]));
        let (parent, name) = match path.iter().rposition(|byte| *byte == b'/') {
            Some(slash) => (path.get(..slash), path.get(slash + 1..).unwrap_or(&[])),
            None => (None, path),
        };
        match name {
            [] | b"." | b".." => Last::Dots,
            _ => Last::Name { parent, name, slash: !slashes.is_empty() },
        }
    }

    /// The name, if the path is nothing else.
    pub fn lone_name(self) -> Option<&'p [u8]> {
        match self.last() {
            Last::Name { parent: None, name, slash: false } => Some(name),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use hallows_system::files::Refusal;
    use proptest::prelude::*;

    use super::{Last, Relative};

    fn last(path: &[u8]) -> Last<'_> {
        Relative::new(path).expect("is relative").last()
    }

    #[test]
    fn paths_are_taken_apart_at_their_last_step() {
        assert_eq!(last(b"a"), Last::Name { parent: None, name: b"a", slash: false });
        assert_eq!(last(b"a//"), Last::Name { parent: None, name: b"a", slash: true });
        assert_eq!(last(b"a//b/"), Last::Name { parent: Some(b"a/"), name: b"b", slash: true });
        assert_eq!(last(b"../b"), Last::Name { parent: Some(b".."), name: b"b", slash: false });
        assert_eq!(last(b"..."), Last::Name { parent: None, name: b"...", slash: false });
        for dots in [&b"."[..], b"..", b"./", b"a/..//", b"a/.", b".//.."] {
            assert_eq!(last(dots), Last::Dots);
        }
    }

    #[test]
    fn what_is_no_relative_path_is_refused() {
        assert_eq!(Relative::new(b""), Err(Refusal::NoEntry));
        assert_eq!(Relative::new(b"/"), Err(Refusal::LeadsOutside));
        assert_eq!(Relative::new(b"/etc/passwd"), Err(Refusal::LeadsOutside));
        assert_eq!(Relative::new(b"a\0b"), Err(Refusal::Invalid));
        assert_eq!(Relative::new(&[b'a'; 4096]), Err(Refusal::NameTooLong));
        assert!(Relative::new(&[b'a'; 4095]).is_ok());
    }

    proptest! {
        #[test]
        fn a_name_is_one_step_and_together_they_are_the_path(path in "[a./]{1,12}") {
            if let Ok(path) = Relative::new(path.as_bytes())
                && let Last::Name { parent, name, slash } = path.last()
            {
                prop_assert!(!name.is_empty() && !name.contains(&b'/') && name != b"." && name != b"..");
                let mut whole = parent.map_or(Vec::new(), |parent| [parent, b"/"].concat());
                whole.extend_from_slice(name);
                let rest = path.bytes().strip_prefix(&whole[..]).expect("begins with both");
                prop_assert!(rest.iter().all(|byte| *byte == b'/'));
                prop_assert_eq!(slash, !rest.is_empty());
            }
        }
    }
}
