//! The counter: adds up, and crashes when it is told to.

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Action {
    /// Add an amount, and answer with the new value.
    Add = 1,
    /// Crash, in the middle of the message.
    Crash = 2,
}

impl Action {
    /// The action of this number.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        [Self::Add, Self::Crash].into_iter().find(|action| *action as u32 == number)
    }
}

hallows_sdk::form! {
    /// A request.
    pub struct Request {
        /// The number of the [`Action`].
        pub action: u32,
        /// What to add.
        pub amount: u64,
    }

    /// The answer.
    pub struct Response {
        /// The sum of what was added in this life of the server.
        pub value: u64,
    }
}
