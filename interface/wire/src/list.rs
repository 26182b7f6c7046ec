//! Lists: what is sent is a slice, what is received a view of the message, and both are one type.

use core::fmt;

use crate::{Decoder, Encoder, Value};

/// A list of an interface's type. (A list of bytes is a `&[u8]`.)
#[derive(Clone, Copy)]
pub struct List<'m, T>(Form<'m, T>);

#[derive(Clone, Copy)]
enum Form<'m, T> {
    Values(&'m [T]),
    /// In a message: each element was taken once and found good.
    Message {
        count: usize,
        elements: Decoder<'m>,
    },
}

impl<'m, T: Value<'m>> List<'m, T> {
    /// How many elements.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self.0 {
            Form::Values(values) => values.len(),
            Form::Message { count, .. } => count,
        }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements.
    #[must_use]
    pub const fn iter(&self) -> Items<'m, T> {
        Items(self.0)
    }
}

impl<'m, T> From<&'m [T]> for List<'m, T> {
    fn from(values: &'m [T]) -> Self {
        Self(Form::Values(values))
    }
}

impl<'m, T, const N: usize> From<&'m [T; N]> for List<'m, T> {
    fn from(values: &'m [T; N]) -> Self {
        Self(Form::Values(values))
    }
}

impl<'m, T: Value<'m>> IntoIterator for List<'m, T> {
    type Item = T;
    type IntoIter = Items<'m, T>;

    fn into_iter(self) -> Items<'m, T> {
        self.iter()
    }
}

impl<'m, T: Value<'m>> Value<'m> for List<'m, T> {
    fn put(&self, encoder: &mut Encoder<'_>) -> Option<()> {
        encoder.count(self.len())?;
        self.iter().try_for_each(|value| value.put(encoder))
    }

    fn take(decoder: &mut Decoder<'m>) -> Option<Self> {
        let count = decoder.count()?;
        let elements = *decoder;
        for _ in 0..count {
            T::take(decoder)?;
        }
        Some(Self(Form::Message { count, elements }))
    }
}

impl<'m, T: Value<'m> + PartialEq> PartialEq for List<'m, T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<'m, T: Value<'m> + Eq> Eq for List<'m, T> {}

impl<'m, T: Value<'m> + fmt::Debug> fmt::Debug for List<'m, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

/// The elements of a [`List`].
#[derive(Clone)]
pub struct Items<'m, T>(Form<'m, T>);

impl<'m, T: Value<'m>> Iterator for Items<'m, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        match &mut self.0 {
            Form::Values(values) => {
                let (first, rest) = values.split_first()?;
                *values = rest;
                Some(*first)
            }
            Form::Message { count, elements } => {
                *count = count.checked_sub(1)?;
                T::take(elements)
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = List(self.0).len();
        (left, Some(left))
    }
}

impl<'m, T: Value<'m>> ExactSizeIterator for Items<'m, T> {}

impl<T> fmt::Debug for Items<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Items")
    }
}
