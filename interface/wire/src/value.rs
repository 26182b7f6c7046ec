//! What all values of interfaces have in common.

use crate::{Decoder, Encoder};

/// A value of an interface's type. `'m` is the message that it was taken from, or whatever it is a view of.
///
/// Values are small and copied freely: what is long in them is a reference.
pub trait Value<'m>: Copy {
    /// Puts it; `None` if there is no room.
    fn put(&self, encoder: &mut Encoder<'_>) -> Option<()>;

    /// Takes it; `None` if the next bytes are not its encoding.
    fn take(decoder: &mut Decoder<'m>) -> Option<Self>;
}
