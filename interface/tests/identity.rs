//! An identity stays under everything that no caller can notice, changes with everything that one can, and the differences say so too.
//!
//! Interfaces are made at random and written as WIT in several ways: other order, names of types, aliases, comments, packages, files.

mod support;

use hallows_interface::{Interface, Package, differences};
use proptest::prelude::*;
use support::{Model, Style, model, style};

fn read(text: &str) -> Interface {
    let package = Package::parse("random.wit", text).unwrap_or_else(|problem| panic!("{problem}\n{text}"));
    package.interface("main").unwrap_or_else(|problem| panic!("{problem}\n{text}"))
}

fn written(model: &Model, style: &Style) -> Interface {
    read(&support::write(model, style))
}

proptest! {
    #[test]
    fn what_no_caller_can_notice_changes_nothing(model in model(), one in style(), other in style()) {
        let (before, after) = (written(&model, &one), written(&model, &other));
        prop_assert_eq!(before.canonical(), after.canonical());
        prop_assert_eq!(before.hash(), after.hash());
        prop_assert_eq!(differences(&before, &after), []);
    }

    #[test]
    fn what_a_caller_can_notice_changes_the_identity_and_is_told(
        model in model(), style in style(), place: prop::sample::Index, change in 0_usize..support::CHANGES,
    ) {
        let mut changed = model.clone();
        prop_assume!(support::change(&mut changed, place, change));
        let (before, after) = (written(&model, &style), written(&changed, &style));
        prop_assert_ne!(before.hash(), after.hash(), "{}\n{}", before.canonical(), after.canonical());
        prop_assert!(!differences(&before, &after).is_empty());
        prop_assert!(!differences(&after, &before).is_empty());
    }

    #[test]
    fn two_interfaces_have_the_same_identity_exactly_if_nothing_differs(one in model(), other in model(), style in style()) {
        let (one, other) = (written(&one, &style), written(&other, &style));
        prop_assert_eq!(one.hash() == other.hash(), differences(&one, &other).is_empty());
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[a-z{}<>(),:;@/ \\-]{0,60}") {
        let _ = Package::parse("random.wit", &text).map(|package| package.interfaces().map(|all| all.len()));
        let _ = Package::parse("random.wit", &format!("package a:b; interface main {{ {text} }}"));
    }
}

#[test]
fn differences_name_place_kind_and_victims() {
    let interface = |body: &str| read(&format!("package a:b; interface main {{ {body} }}"));
    let told = |before: &str, after: &str| -> Vec<String> {
        differences(&interface(before), &interface(after)).iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        told("write: func(to: u8, what: list<u8>);", "write: func(to: u8, what: string);"),
        ["write: parameter 2: list<u8> -> string (breaks callers and servers)"]
    );
    assert_eq!(told("a: func();", "a: func(); b: func();"), ["b: added (breaks servers)"]);
    assert_eq!(told("a: func(); b: func();", "b: func();"), ["a: removed (breaks callers)"]);
    assert_eq!(
        told("a: func(x: u8) -> u8;", "a: func(y: u8);"),
        [
            "a: parameter 1: renamed x -> y (breaks callers and servers)",
            "a: result: u8 -> nothing (breaks callers and servers)"
        ]
    );
    assert_eq!(
        told(
            "enum e { one, two } a: func() -> result<list<option<e>>, string>;",
            "enum e { zero, two, one } a: func() -> result<list<option<e>>>;"
        ),
        [
            "a: result: error: string -> nothing (breaks callers and servers)",
            "a: result: ok: element: value: case zero added as number 1 (breaks callers and servers)",
            "a: result: ok: element: value: order of cases one, two -> two, one (breaks callers and servers)"
        ]
    );
    assert_eq!(
        told("resource r { a: func(); }", "resource r { a: static func(); constructor(); }"),
        ["r (constructor): added (breaks servers)", "r.a: method -> static (breaks callers and servers)"]
    );
    assert_eq!(
        told("resource r;", "resource s;"),
        ["resource r: removed (breaks callers)", "resource s: added (breaks servers)"]
    );
}

#[test]
fn a_resource_of_another_interface_is_known_by_that_interface() {
    let interface = |other: &str| {
        read(&format!(
            "package a:b; interface other {{ resource r {{ {other} }} }}
             interface main {{ use other.{{r as mine}}; a: func(r: borrow<mine>); }}"
        ))
    };
    let (one, other) = (interface("x: func();"), interface("y: func();"));
    assert_ne!(one.hash(), other.hash());
    let [difference] = &differences(&one, &other)[..] else { panic!("one difference") };
    assert_eq!(difference.place, "a: parameter 1");
}

#[test]
fn resources_of_two_interfaces_that_are_one_and_the_same_are_refused() {
    let package = |one: &str, other: &str, body: &str| {
        let text = format!(
            "package a:b; interface one {{ resource r {{ {one} }} }} interface other {{ resource r {{ {other} }} }}
             interface main {{ use one.{{r as x}}; use other.{{r as y}}; {body} }}"
        );
        Package::parse("x.wit", &text).unwrap_or_else(|problem| panic!("{problem}"))
    };
    let interface = |one: &str, other: &str, body: &str| package(one, other, body).interface("main");
    for body in ["f: func(%from: borrow<x>, to: borrow<y>);", "f: func(y: list<y>); g: func() -> option<x>;"]
    {
        let told = interface("", "", body).expect_err(body).to_string();
        assert!(told.contains("`a:b/one`") && told.contains("`a:b/other`"), "{told}");
        assert!(package("", "", body).interfaces().is_err());
        interface("", "g: func();", body).expect("they differ");
    }
    // Only one of the two is in a message.
    let one = interface("", "", "f: func(%from: borrow<x>, to: borrow<x>);").expect("one of them");
    let other = interface("", "", "f: func(%from: borrow<y>, to: borrow<y>);").expect("one of them");
    assert_eq!(one.hash(), other.hash());
    // If they differ, then it matters which is which.
    let one = interface("", "g: func();", "f: func(%from: borrow<x>, to: borrow<y>);").expect("they differ");
    let other =
        interface("", "g: func();", "f: func(%from: borrow<y>, to: borrow<x>);").expect("they differ");
    assert_ne!(one.hash(), other.hash());
}

#[test]
fn what_is_unstable_counts_as_everything_else() {
    let interface = |gate: &str, more: &str| {
        read(&format!(
            "package a:b@1.0.0; interface main {{ {gate} enum e {{ one, two }} {gate} f: func(e: e{more});
             {gate} resource r {{ {gate} g: func(); }} h: func(); }}"
        ))
    };
    let stable = interface("", "");
    assert_eq!(stable.functions.len(), 3);
    for gate in [
        "@unstable(feature = fancy)",
        "@since(version = 1.0.0)",
        "@since(version = 1.0.0) @deprecated(version = 1.0.0)",
    ] {
        let gated = interface(gate, "");
        assert_eq!(gated.canonical(), stable.canonical());
        assert_ne!(interface(gate, ", x: u8").hash(), stable.hash());
    }
}

#[test]
fn a_package_without_interfaces_is_an_error() {
    for rest in ["", "world w { export f: func(); }"] {
        let package = Package::parse("x.wit", &format!("package a:b@1.2.3; {rest}")).expect("WIT");
        let told = package.interfaces().map(|all| all.len()).expect_err("none").to_string();
        assert!(told.contains("`a:b@1.2.3` has no interfaces"), "{told}");
    }
}

#[test]
fn what_cannot_be_a_message_is_refused_with_its_place() {
    for (body, expected) in [
        ("a: async func();", "deadline"),
        ("a: func() -> stream<u8>;", "streams"),
        ("a: func() -> future;", "futures"),
        ("a: func(x: map<u8, u8>);", "pairs"),
    ] {
        let text = format!("package a:b; interface main {{ {body} }}");
        let told = match Package::parse("x.wit", &text) {
            Err(problem) => problem.to_string(),
            Ok(package) => package.interface("main").expect_err(body).to_string(),
        };
        // What the parser itself does not take yet is refused by the parser.
        assert!(told.contains(expected) || told.contains("x.wit:1:"), "{body}: {told}");
    }
}

#[test]
fn an_interface_that_there_is_not_is_an_error_with_those_that_there_are() {
    let package = Package::parse("x.wit", "package a:b; interface c {} interface d {}").expect("WIT");
    let told = package.interface("e").expect_err("none").to_string();
    assert_eq!(told, "there is no interface `e`; there are c, d");
}
