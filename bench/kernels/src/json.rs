//! JSON: a document of records like a web service's, and a walk that parses every value of it.
//!
//! The parser is `serde_json` over borrowed bytes. Values are folded into a checksum as they are met and never
//! stored, so the figure is the parser's and not the allocator's (native and WebAssembly have different ones).

use alloc::format;
use alloc::string::String;
use core::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::random::Random;

/// A document with this many records of about 200 bytes: integers, floats, plain and escaped strings, nesting.
#[must_use]
pub fn document(records: u32) -> String {
    let mut random = Random::new(0x15_0A);
    let mut text = String::from("{\"version\":3,\"records\":[");
    for id in 0..records {
        if id > 0 {
            text.push(',');
        }
        let [a, b, c] = [random.next(), random.next(), random.next()];
        text.push_str(&format!(
            "{{\"id\":{id},\"owner\":\"user-{:x}\",\"note\":\"line one\\nline \\\"two\\\" \\u00e9\",\
             \"balance\":{}.{:02},\"delta\":-{}.5e-3,\"active\":{},\"parent\":null,\
             \"tags\":[\"t{}\",\"t{}\",\"t{}\"],\"place\":{{\"x\":{},\"y\":{}}}}}",
            a >> 24,
            b % 1_000_000,
            b % 100,
            c % 10_000,
            a & 1 == 0,
            a % 97,
            b % 89,
            c % 83,
            a % 4096,
            b % 4096,
        ));
    }
    text.push_str("]}");
    text
}

/// Parses a document and folds every key and value into a checksum; `None` if it is not valid JSON.
#[must_use]
pub fn checksum(document: &[u8]) -> Option<u64> {
    let mut deserializer = serde_json::Deserializer::from_slice(document);
    let sum = Walk.deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    Some(sum)
}

/// Multiply-rotate mixing, so order matters; the constant is the golden ratio's fraction.
const fn mix(sum: u64, value: u64) -> u64 {
    (sum.rotate_left(5) ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// Eight bytes at a time: hashing must not outweigh the parsing.
fn mix_text(text: &str) -> u64 {
    let mut chunks = text.as_bytes().chunks_exact(8);
    let mut sum = text.len() as u64;
    for chunk in &mut chunks {
        sum = mix(sum, chunk.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)));
    }
    mix(sum, chunks.remainder().iter().fold(0, |word, byte| word << 8 | u64::from(*byte)))
}

/// Visits any JSON value and gives its checksum.
struct Walk;

impl<'de> DeserializeSeed<'de> for Walk {
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u64, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk {
    type Value = u64;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<u64, E> {
        Ok(mix(1, u64::from(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<u64, E> {
        Ok(mix(2, value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<u64, E> {
        Ok(mix(3, value.cast_unsigned()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<u64, E> {
        Ok(mix(4, value.to_bits()))
    }

    fn visit_str<E>(self, value: &str) -> Result<u64, E> {
        Ok(mix(5, mix_text(value)))
    }

    fn visit_unit<E>(self) -> Result<u64, E> {
        Ok(mix(6, 0))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<u64, A::Error> {
        let mut sum = 7;
        while let Some(item) = items.next_element_seed(Self)? {
            sum = mix(sum, item);
        }
        Ok(sum)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<u64, A::Error> {
        let mut sum = 8;
        while let Some(key) = entries.next_key_seed(Self)? {
            sum = mix(mix(sum, key), entries.next_value_seed(Self)?);
        }
        Ok(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_valid_and_of_the_size_the_bench_promises() {
        let text = document(1_300);
        let value: serde_json::Value = serde_json::from_str(&text).expect("our own document parses");
        assert_eq!(value["records"].as_array().map(alloc::vec::Vec::len), Some(1_300));
        assert!((200_000..320_000).contains(&text.len()), "{} bytes", text.len());
    }

    #[test]
    fn every_value_and_its_place_counts_in_the_checksum() {
        let sum = |text: &str| checksum(text.as_bytes()).expect("valid");
        let base = sum(r#"{"a":[1,2.5,"xy",true,null],"b":-3}"#);
        for changed in [
            r#"{"a":[2,2.5,"xy",true,null],"b":-3}"#,
            r#"{"a":[1,2.6,"xy",true,null],"b":-3}"#,
            r#"{"a":[1,2.5,"xz",true,null],"b":-3}"#,
            r#"{"a":[1,2.5,"xy",false,null],"b":-3}"#,
            r#"{"a":[1,2.5,"xy",true],"b":-3}"#,
            r#"{"a":[2.5,1,"xy",true,null],"b":-3}"#,
            r#"{"c":[1,2.5,"xy",true,null],"b":-3}"#,
            r#"{"a":[1,2.5,"xy",true,null],"b":3}"#,
        ] {
            assert_ne!(base, sum(changed), "{changed}");
        }
    }

    #[test]
    fn broken_documents_have_no_checksum() {
        for text in ["", "{", "[1,]", "{\"a\":}", "[1] 2", "\"\\q\""] {
            assert_eq!(checksum(text.as_bytes()), None, "{text}");
        }
    }
}
