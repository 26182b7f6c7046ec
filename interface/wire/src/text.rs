//! Texts and bytes: views of the message that they came in.

use crate::{Decoder, Encoder, Value};

impl<'m> Value<'m> for &'m [u8] {
    #[inline(always)]
    fn put(&self, encoder: &mut Encoder<'_>) -> Option<()> {
        encoder.count(self.len())?;
        encoder.bytes(self)
    }

    #[inline(always)]
    fn take(decoder: &mut Decoder<'m>) -> Option<Self> {
        let length = decoder.count()?;
        decoder.bytes(length)
    }
}

impl<'m> Value<'m> for &'m str {
    #[inline(always)]
    fn put(&self, encoder: &mut Encoder<'_>) -> Option<()> {
        self.as_bytes().put(encoder)
    }

    #[inline(always)]
    fn take(decoder: &mut Decoder<'m>) -> Option<Self> {
        core::str::from_utf8(<&[u8]>::take(decoder)?).ok()
    }
}
