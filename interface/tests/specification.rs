//! The golden vectors of `docs/interfaces.md`.

use hallows_interface::Package;

const SPECIFICATION: &str = include_str!("../../docs/interfaces.md");

/// The blocks of code of a language, in order.
fn blocks(language: &str) -> Vec<&str> {
    let fence = format!("```{language}\n");
    SPECIFICATION.split(&fence).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn the_interface_of_the_specification_has_the_form_and_the_identity_that_it_says() {
    let ([wit], [canonical, hash]) = (&blocks("wit")[..], &blocks("text")[..]) else {
        panic!("the specification has one interface, its form and its hash");
    };
    let interface =
        Package::parse("interfaces.md", wit).expect("WIT").interface("store").expect("an interface");
    assert_eq!(interface.canonical(), *canonical);
    assert_eq!(interface.hash().to_string(), hash.trim());
}

#[test]
fn the_identity_is_blake3_as_specified() {
    let interface = Package::parse("x.wit", "package a:b; interface c { d: func(); }").expect("WIT");
    let interface = interface.interface("c").expect("an interface");
    let canonical = "interface 1\nfunc d()\n";
    assert_eq!(interface.canonical(), canonical);
    let contexts: Vec<&str> =
        SPECIFICATION.split('`').filter(|text| text.starts_with("RustHallows 2026")).collect();
    let [identity, tag] = contexts[..] else { panic!("the specification has two contexts: {contexts:?}") };
    assert_eq!(interface.hash().0, blake3::derive_key(identity, canonical.as_bytes()));
    let tag = blake3::derive_key(tag, b"func d()");
    assert_eq!(interface.functions[0].tag().to_le_bytes(), tag[..4]);
}
