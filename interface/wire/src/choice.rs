//! Choices: `option` and `result`. An interface's own come with its stubs.

use crate::{Decoder, Encoder, Value};

impl<'m, T: Value<'m>> Value<'m> for Option<T> {
    #[inline(always)]
    fn put(&self, encoder: &mut Encoder<'_>) -> Option<()> {
        self.is_some().put(encoder)?;
        self.as_ref().map_or(Some(()), |value| value.put(encoder))
    }

    #[inline(always)]
    fn take(decoder: &mut Decoder<'m>) -> Option<Self> {
        if bool::take(decoder)? { T::take(decoder).map(Some) } else { Some(None) }
    }
}

impl<'m, T: Value<'m>, E: Value<'m>> Value<'m> for Result<T, E> {
    #[inline(always)]
    fn put(&self, encoder: &mut Encoder<'_>) -> Option<()> {
        self.is_err().put(encoder)?;
        match self {
            Ok(value) => value.put(encoder),
            Err(error) => error.put(encoder),
        }
    }

    #[inline(always)]
    fn take(decoder: &mut Decoder<'m>) -> Option<Self> {
        if bool::take(decoder)? { E::take(decoder).map(Err) } else { T::take(decoder).map(Ok) }
    }
}
