//! The file-drop: leave a capability under a name, pick one up by its name.

/// The longest name, in bytes.
pub const NAME_BYTES: usize = 28;

/// A name, filled up with zeroes.
pub type Name = [u8; NAME_BYTES];

/// The name of this text, cut to [`NAME_BYTES`].
#[must_use]
pub const fn name(text: &str) -> Name {
    let bytes = text.as_bytes();
    let mut name = [0; NAME_BYTES];
    let mut position = 0;
    while position < NAME_BYTES && position < bytes.len() {
        name[position] = bytes[position];
        position += 1;
    }
    name
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Action {
    /// Keep the one capability that comes with the message under the name.
    Put = 1,
    /// Give a copy of the capability of the name. If there is none yet, the answer comes when there is.
    Take = 2,
    /// Take back every copy that was given away, and forget the name. Only who put it may.
    Remove = 3,
}

impl Action {
    /// The action of this number.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        [Self::Put, Self::Take, Self::Remove].into_iter().find(|action| *action as u32 == number)
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Status {
    /// Done.
    Done = 0,
    /// Something is kept under this name already.
    NameTaken = 1,
    /// There is no room for one more.
    Full = 2,
    /// A `Put` needs exactly one capability, a name, and the TRANSFER right on the capability.
    BadRequest = 3,
    /// Nothing that this client put is kept under this name.
    NotYours = 4,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 5] = [Self::Done, Self::NameTaken, Self::Full, Self::BadRequest, Self::NotYours];

    /// The status of this number.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|status| *status as u32 == number)
    }
}

hallows_sdk::form! {
    /// A request.
    pub struct Request {
        /// The number of the [`Action`].
        pub action: u32,
        /// The name.
        pub name: Name,
    }

    /// The answer; that of a `Take` that was done brings the capability.
    pub struct Response {
        /// The number of the [`Status`].
        pub status: u32,
    }

    /// What the giver's endpoint is asked.
    pub struct Question {
        /// 1: goodbye, the giver takes everything back after it has answered. Else: a greeting.
        pub goodbye: u32,
    }

    /// What it answers.
    pub struct Greeting {
        /// 1 if there is a letter: a region under the name `letter`.
        pub letter: u32,
        /// A text, filled up with zeroes.
        pub text: Name,
    }
}

#[cfg(test)]
mod tests {
    use std::prelude::v1::*;

    use super::{NAME_BYTES, name};

    #[test]
    fn a_name_is_filled_up_or_cut() {
        assert_eq!(&name("ab")[..3], b"ab\0");
        assert_eq!(name(&"x".repeat(NAME_BYTES + 1)), [b'x'; NAME_BYTES]);
        assert_ne!(name("a"), name("ab"));
    }
}
