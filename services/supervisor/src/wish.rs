//! What an operator asks of the supervisor, as a message on its fault endpoint.
//!
//! Only the machine can send it: it comes with a badge that no capability of a cell has.

use alloc::format;
use alloc::string::String;

/// The badge that such messages come with. A cell's faults come with badge 0.
pub const OPERATOR: u64 = u64::MAX;

/// What is wanted of a cell, whatever its policy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// It begins another life: at once if it is down, else when the present one, which is ended for it, is over. Its failures are
    /// forgiven.
    Restart,
    /// It ends, and stays down until it is wished otherwise. Who depends on it is told.
    Stop,
}

impl Wish {
    /// The message for the cell of that number.
    #[must_use]
    pub fn message(self, cell: u64) -> String {
        match self {
            Self::Restart => format!("restart {cell}"),
            Self::Stop => format!("stop {cell}"),
        }
    }

    /// What a message asks, and of which cell; nothing if it is none.
    #[must_use]
    pub fn parse(message: &[u8]) -> Option<(Self, u64)> {
        let (word, number) = core::str::from_utf8(message).ok()?.split_once(' ')?;
        let wish = match word {
            "restart" => Self::Restart,
            "stop" => Self::Stop,
            _ => return None,
        };
        Some((wish, number.parse().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::Wish;

    #[test]
    fn a_wish_survives_its_message_and_nothing_else_is_one() {
        for wish in [Wish::Restart, Wish::Stop] {
            for cell in [0, 7, u64::MAX] {
                assert_eq!(Wish::parse(wish.message(cell).as_bytes()), Some((wish, cell)));
            }
        }
        for other in ["", "restart", "restart ", "restart x", "start 1", "restart 1 ", "stop -1"] {
            assert_eq!(Wish::parse(other.as_bytes()), None, "{other}");
        }
        assert_eq!(Wish::parse(b"stop \xff"), None);
    }
}
