//! Numbers, truth values and characters.

use crate::{Decoder, Encoder, Value};

macro_rules! integer {
    ($($type:ty),*) => {$(
        impl<'m> Value<'m> for $type {
            #[inline(always)]
            fn put(&self, encoder: &mut Encoder<'_>) -> Option<()> {
                encoder.bytes(&self.to_le_bytes())
            }

            #[inline(always)]
            fn take(decoder: &mut Decoder<'m>) -> Option<Self> {
                decoder.array().map(Self::from_le_bytes)
            }
        }
    )*};
}

integer!(u8, u16, u32, u64, i8, i16, i32, i64);

macro_rules! float {
    ($($type:ty, $not_a_number:literal;)*) => {$(
        impl<'m> Value<'m> for $type {
            #[inline(always)]
            fn put(&self, encoder: &mut Encoder<'_>) -> Option<()> {
                // All that are no number are one value, so they have one encoding.
                let bits = if self.is_nan() { $not_a_number } else { self.to_bits() };
                encoder.bytes(&bits.to_le_bytes())
            }

            #[inline(always)]
            fn take(decoder: &mut Decoder<'m>) -> Option<Self> {
                let value = Self::from_le_bytes(decoder.array()?);
                (!value.is_nan() || value.to_bits() == $not_a_number).then_some(value)
            }
        }
    )*};
}

float! {
    f32, 0x7fc0_0000;
    f64, 0x7ff8_0000_0000_0000;
}

impl<'m> Value<'m> for bool {
    #[inline(always)]
    fn put(&self, encoder: &mut Encoder<'_>) -> Option<()> {
        encoder.bytes(&[u8::from(*self)])
    }

    #[inline(always)]
    fn take(decoder: &mut Decoder<'m>) -> Option<Self> {
        // A comparison: a match is a table of jumps.
        let [byte] = decoder.array()?;
        (byte <= 1).then_some(byte == 1)
    }
}

impl<'m> Value<'m> for char {
    #[inline(always)]
    fn put(&self, encoder: &mut Encoder<'_>) -> Option<()> {
        u32::from(*self).put(encoder)
    }

    #[inline(always)]
    fn take(decoder: &mut Decoder<'m>) -> Option<Self> {
        Self::from_u32(u32::take(decoder)?)
    }
}
