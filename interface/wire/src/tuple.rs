//! Tuples: one after the other. The empty one is what a function without a result gives.

use crate::{Decoder, Encoder, Value};

macro_rules! tuple {
    ($($type:ident $place:tt),*) => {
        impl<'m, $($type: Value<'m>),*> Value<'m> for ($($type,)*) {
            #[inline(always)]
            fn put(&self, encoder: &mut Encoder<'_>) -> Option<()> {
                let _ = &encoder;
                $(self.$place.put(encoder)?;)*
                Some(())
            }

            #[inline(always)]
            fn take(decoder: &mut Decoder<'m>) -> Option<Self> {
                let _ = &decoder;
                Some(($($type::take(decoder)?,)*))
            }
        }
    };
}

tuple!();
tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);
