//! How large an interface may be: what would take endless time or memory is refused before it does.

use hallows_interface::{Interface, Package, differences};

fn read(text: &str) -> Interface {
    let package = Package::parse("large.wit", text).unwrap_or_else(|problem| panic!("{problem}"));
    package.interface("main").unwrap_or_else(|problem| panic!("{problem}"))
}

#[test]
fn types_that_double_with_every_line_are_refused_in_no_time() {
    let mut text = "package a:b; interface main { record r0 { a: u8, b: u8 }".to_owned();
    for number in 1..60 {
        let before = number - 1;
        text += &format!("record r{number} {{ a: r{before}, b: r{before} }}");
    }
    text += "f: func(r: r59); }";
    let problem = Package::parse("x.wit", &text).expect("WIT").interface("main").expect_err("too large");
    assert!(problem.to_string().contains("100000"), "{problem}");
}

/// Interfaces of which each has a function with a resource of the next one; the first is `main`.
fn chain(length: usize) -> String {
    let name = |number: usize| if number == 0 { "main".to_owned() } else { format!("i{number}") };
    let mut text = "package a:b;".to_owned();
    for number in 0..length {
        let next = name(number + 1);
        let uses = if number + 1 < length {
            format!("use {next}.{{r as other}}; f: func(r: other);")
        } else {
            String::new()
        };
        text += &format!("interface {} {{ resource r; {uses} }}\n", name(number));
    }
    text
}

#[test]
fn a_chain_of_interfaces_is_bounded_from_wherever_it_is_looked_at() {
    let package = Package::parse("x.wit", &chain(2_000)).expect("WIT");
    for problem in [package.interface("main").map(|_| ()), package.interfaces().map(|_| ())] {
        let problem = problem.expect_err("too long").to_string();
        assert!(problem.contains("a chain of more than 100 interfaces"), "{problem}");
    }
    // Those at its end are short enough, and the longest chain that may be is.
    package.interface("i1900").expect("a chain of a hundred");
    package.interface("i1899").map(|_| ()).expect_err("one more");
    let package = Package::parse("x.wit", &chain(100)).expect("WIT");
    let main = package.interface("main").expect("a hundred");
    assert_eq!(package.interfaces().expect("a hundred").last().map(Interface::hash), Some(main.hash()));
}

#[test]
fn names_that_are_written_out_in_many_places_are_counted_before_they_are_collected() {
    // 34 KB that would be some 4 GB: two thousand cases in thirty thousand places.
    let cases: Vec<String> = (0..2_000).map(|number| format!("case-{number:08}")).collect();
    let comment = "x".repeat(34_000);
    for first in [
        format!("enum r0 {{ {} }}", cases.join(", ")),
        format!("record r0 {{ a{}: u8 }}", "a".repeat(34_000)),
        format!("/// {comment}\nrecord r0 {{ a: u8 }}"),
        format!("record r0 {{\n/// {comment}\na: u8 }}"),
    ] {
        let mut text = format!("package a:b; interface main {{ {first}\n");
        for number in 1..16 {
            let before = number - 1;
            text += &format!("record r{number} {{ a: r{before}, b: r{before} }}");
        }
        text += "f: func(r: r15); }";
        assert!(text.len() < 36_000);
        let problem = Package::parse("x.wit", &text).expect("WIT").interface("main").expect_err("too long");
        assert!(problem.to_string().contains("more than 16 MiB"), "{problem}");
    }
    // What a whole package needs is counted together.
    let one = format!("{{ enum r {{ {} }} f: func(r: r); }}", cases.join(", "));
    let all: String = (0..150).map(|number| format!("interface i{number} {one}")).collect();
    let package = Package::parse("x.wit", &format!("package a:b; {all}")).expect("WIT");
    package.interface("i99").expect("one is small");
    package.interfaces().map(|all| all.len()).expect_err("a hundred and fifty are not");
}

#[test]
fn aliases_nest_nothing() {
    // A hundred records in each other, the innermost number not counted, with forty names for each.
    let text = |records: usize| {
        let mut text = "package a:b; interface main { type a0 = u8;".to_owned();
        for number in 1..=records {
            let name = format!("b{number}");
            text += &format!("record {name}x0 {{ x: a{} }}", number - 1);
            for alias in 0..40 {
                text += &format!("type {name}x{} = {name}x{alias};", alias + 1);
            }
            text += &format!("type a{number} = {name}x40;");
        }
        text + &format!("f: func(x: a{records}); }}")
    };
    let interface = |records| Package::parse("x.wit", &text(records)).expect("WIT").interface("main");
    let plain = |records: usize| {
        let (open, close) = ("record{x: ".repeat(records), "}".repeat(records));
        format!("interface 1\nfunc f(x: {open}u8{close})\n")
    };
    assert_eq!(interface(99).expect("a hundred with the number").canonical(), plain(99));
    let told = interface(100).expect_err("one more").to_string();
    assert!(told.contains("a hundred deep"), "{told}");
    // Nor are they parts.
    let many: String = (0..300).map(|number| format!("p{number}: u, ")).collect();
    let mut names = "type n0 = u8;".to_owned();
    for number in 1..400 {
        names += &format!("type n{number} = n{};", number - 1);
    }
    read(&format!(
        "package a:b; interface main {{ {names} type u = n399; record r {{ {many} }} f: func(r: r); }}"
    ));
}

#[test]
fn differences_of_large_interfaces_are_found_in_no_time() {
    let interface = |cases: Vec<usize>, functions: std::ops::Range<usize>| {
        let cases: String = cases.iter().map(|number| format!("c{number}, ")).collect();
        let functions: String = functions.map(|number| format!("g{number}: func();")).collect();
        read(&format!("package a:b; interface main {{ enum e {{ {cases} }} f: func(e: e); {functions} }}"))
    };
    let before = interface((0..40_000).collect(), 0..30_000);
    let after = interface((0..40_000).rev().collect(), 10..30_010);
    let found = differences(&before, &after);
    assert_eq!(found.len(), 21);
    assert_eq!(found[0].place, "f: parameter 1");
    assert!(found[0].what.starts_with("order of cases c0, c1, "));
}
