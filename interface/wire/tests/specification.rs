//! The golden vectors of `docs/interfaces.md`, and what no value has as its encoding.

use hallows_wire::{Decoder, Encoder, List, Value};

const SPECIFICATION: &str = include_str!("../../../docs/interfaces.md");

fn encoded<'v>(value: impl Value<'v>) -> Vec<u8> {
    let mut bytes = [0; 64];
    let mut encoder = Encoder::new(&mut bytes, &mut []);
    value.put(&mut encoder).expect("fits");
    let length = encoder.written();
    bytes[..length].to_vec()
}

fn decoded<'v, T: Value<'v>>(bytes: &'v [u8]) -> Option<T> {
    let mut decoder = Decoder::new(bytes, &[]);
    let value = T::take(&mut decoder)?;
    decoder.end().map(|()| value)
}

/// The encoding of a value that the specification names.
fn of(value: &str, type_: &str) -> Vec<u8> {
    match (value, type_) {
        ("true", "bool") => encoded(true),
        ("0x1234", "u16") => encoded(0x1234_u16),
        ("-2", "s32") => encoded(-2_i32),
        ("1.5", "f32") => encoded(1.5_f32),
        ("any that is no number", "f64") => {
            let others = [f64::from_bits(0x7ff0_0000_0000_0001), -f64::NAN, f64::from_bits(u64::MAX)];
            others.into_iter().for_each(|other| assert_eq!(encoded(other), encoded(f64::NAN)));
            encoded(f64::NAN)
        }
        ("'é'", "char") => encoded('é'),
        ("\"né\"", "string") => encoded("né"),
        ("[1, 2]", "list<u8>") => encoded(&[1_u8, 2][..]),
        ("[1, 2]", "list<u16>") => encoded(List::from(&[1_u16, 2])),
        ("some(none)", "option<option<u8>>") => encoded(Some(None::<u8>)),
        ("ok(7)", "result<u8, string>") => encoded(Ok::<u8, &str>(7)),
        ("err", "result<u8>") => encoded(Err::<u8, ()>(())),
        ("(1, \"x\")", "tuple<u16, string>") => encoded((1_u16, "x")),
        _ => panic!("{value} of {type_} stands in the specification and not in this test"),
    }
}

#[test]
fn values_have_the_bytes_that_the_specification_says() {
    let (_, table) = SPECIFICATION.split_once("| value | type | bytes |\n|---|---|---|\n").expect("a table");
    let rows: Vec<&str> = table.lines().take_while(|line| line.starts_with('|')).collect();
    assert!(rows.len() > 10);
    for row in rows {
        let cells: Vec<&str> = row.split(" | ").map(|cell| cell.trim_matches(['|', ' ', '`'])).collect();
        let [value, type_, bytes] = cells[..] else { panic!("{row}") };
        let bytes: Vec<u8> =
            bytes.split(' ').map(|byte| u8::from_str_radix(byte, 16).expect("a byte")).collect();
        assert_eq!(of(value, type_), bytes, "{row}");
    }
}

#[test]
fn what_is_no_encoding_is_refused() {
    assert_eq!(decoded::<bool>(&[2]), None);
    assert_eq!(decoded::<Option<u8>>(&[2, 0]), None);
    assert_eq!(decoded::<Result<u8, u8>>(&[2, 0]), None);
    assert_eq!(decoded::<u16>(&[1]), None);
    assert_eq!(decoded::<u16>(&[1, 2, 3]), None);
    assert_eq!(decoded::<char>(&0xd800_u32.to_le_bytes()), None);
    assert_eq!(decoded::<&str>(&[1, 0, 0, 0, 0xff]), None);
    assert!(decoded::<f32>(&f32::NAN.to_le_bytes()).is_some_and(f32::is_nan));
    assert_eq!(decoded::<f32>(&0x7fc0_0001_u32.to_le_bytes()), None);
    assert_eq!(decoded::<f64>(&u64::MAX.to_le_bytes()), None);
}

#[test]
fn a_number_of_elements_that_is_larger_than_the_message_is_refused_at_once() {
    let mut most = u32::MAX.to_le_bytes().to_vec();
    most.extend([0; 100]);
    assert_eq!(decoded::<&[u8]>(&most), None);
    assert!(decoded::<List<'_, u8>>(&most).is_none());
    assert!(decoded::<List<'_, List<'_, u8>>>(&most).is_none());
    assert_eq!(decoded::<&[u8]>(&[3, 0, 0, 0, 1, 2]), None);
}

#[test]
fn texts_and_bytes_are_views_of_the_message() {
    let message = encoded(("text", &[1_u8, 2, 3][..]));
    let (text, bytes) = decoded::<(&str, &[u8])>(&message).expect("its own encoding");
    assert_eq!((text, bytes), ("text", &[1, 2, 3][..]));
    assert!(
        message.as_ptr_range().contains(&text.as_ptr()) && message.as_ptr_range().contains(&bytes.as_ptr())
    );
}
