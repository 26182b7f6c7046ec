//! Messages of fixed layout: a pure pair of emit and parse, made from a list of fields.

use hallows_abi::{Reader, Writer};

/// A message of fixed layout: its fields one after the other, little-endian, without padding. Declared with [`crate::form!`].
pub trait Form: Sized {
    /// An array of as many bytes as the message has.
    type Bytes: FixedBytes;

    /// Its bytes.
    fn emit(&self) -> Self::Bytes;

    /// From its bytes; `None` if there are more or fewer than it has.
    fn parse(bytes: &[u8]) -> Option<Self>;
}

/// An array of bytes.
pub trait FixedBytes: AsRef<[u8]> + AsMut<[u8]> {
    /// Zeroes.
    const ZERO: Self;
}

impl<const N: usize> FixedBytes for [u8; N] {
    const ZERO: Self = [0; N];
}

/// A field of a [`Form`].
pub trait Field: Sized {
    /// Puts it; `None` if there is no room.
    fn put(&self, writer: &mut Writer<'_>) -> Option<()>;
    /// Takes it.
    fn take(reader: &mut Reader<'_>) -> Option<Self>;
}

macro_rules! integer_field {
    ($($type:ty),*) => {$(
        impl Field for $type {
            #[inline]
            fn put(&self, writer: &mut Writer<'_>) -> Option<()> {
                writer.bytes(&self.to_le_bytes())
            }

            #[inline]
            fn take(reader: &mut Reader<'_>) -> Option<Self> {
                let bytes = reader.bytes(size_of::<Self>())?;
                Some(Self::from_le_bytes(bytes.try_into().ok()?))
            }
        }
    )*};
}

integer_field!(u16, u32, u64, i64);

impl<const N: usize> Field for [u8; N] {
    #[inline]
    fn put(&self, writer: &mut Writer<'_>) -> Option<()> {
        writer.bytes(self)
    }

    #[inline]
    fn take(reader: &mut Reader<'_>) -> Option<Self> {
        reader.bytes(N)?.try_into().ok()
    }
}

/// Declares structs that are messages of fixed layout.
///
/// ```
/// hallows_sdk::form! {
///     /// Asks for a sum.
///     pub struct Add {
///         /// One number.
///         pub a: i64,
///         /// Another.
///         pub b: i64,
///     }
/// }
///
/// use hallows_sdk::form::Form;
/// let bytes = Add { a: 1, b: -2 }.emit();
/// assert_eq!(bytes.len(), 16);
/// assert_eq!(Add::parse(&bytes), Some(Add { a: 1, b: -2 }));
/// assert_eq!(Add::parse(&bytes[1..]), None);
/// ```
#[macro_export]
macro_rules! form {
    ($($(#[$meta:meta])* $visibility:vis struct $name:ident {
        $($(#[$field_meta:meta])* $field_visibility:vis $field:ident: $type:ty,)*
    })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $visibility struct $name {
            $($(#[$field_meta])* $field_visibility $field: $type,)*
        }

        impl $crate::form::Form for $name {
            // Field types are integers and arrays of bytes, so their size in memory is that on the wire.
            type Bytes = [u8; 0 $(+ ::core::mem::size_of::<$type>())*];

            #[inline]
            fn emit(&self) -> Self::Bytes {
                let mut bytes = <Self::Bytes as $crate::form::FixedBytes>::ZERO;
                let mut writer = $crate::abi::Writer::new(&mut bytes);
                // The array is as long as its fields together, so each has room.
                $(let _ = $crate::form::Field::put(&self.$field, &mut writer);)*
                bytes
            }

            #[inline]
            fn parse(bytes: &[u8]) -> ::core::option::Option<Self> {
                let mut reader = $crate::abi::Reader::new(bytes);
                let form = Self { $($field: $crate::form::Field::take(&mut reader)?,)* };
                reader.rest().is_empty().then_some(form)
            }
        }
    )*};
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Form;

    form! {
        struct Sample {
            first: u16,
            second: i64,
            third: [u8; 3],
            fourth: u32,
            fifth: u64,
        }
    }

    proptest! {
        #[test]
        fn a_form_survives_its_bytes(first: u16, second: i64, third: [u8; 3], fourth: u32, fifth: u64) {
            let sample = Sample { first, second, third, fourth, fifth };
            let bytes = sample.emit();
            prop_assert_eq!(bytes.len(), 25);
            prop_assert_eq!(Sample::parse(&bytes), Some(sample));
        }

        #[test]
        fn only_its_length_parses(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let parsed = Sample::parse(&bytes);
            prop_assert_eq!(parsed.is_some(), bytes.len() == 25);
            if let Some(sample) = parsed {
                prop_assert_eq!(&sample.emit()[..], &bytes[..]);
            }
        }
    }
}
