//! What the rewritten module looks like from outside: exports, names, sections, imports, refusals.
mod common;

use common::{ENGINE, Outcome, Running, TINY, normalised, options};
use hallows_normalise::{Bounds, Checks, Error, Metadata, Options, normalise};
use wasmtime::{Module, Val, WasmBacktrace};

fn wasm(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the text is right")
}

fn printed(text: &str) -> String {
    wasmprinter::print_bytes(normalised(&wasm(text), TINY).wasm).expect("it is valid")
}

fn exports(metadata: &Metadata) -> Vec<&str> {
    metadata.exports.iter().map(|export| export.name.as_str()).collect()
}

#[test]
fn all_state_is_exported_under_reserved_names() {
    let text = "(module (import \"env\" \"base\" (global $base (mut i32))) (memory 1) (global $sp (mut i32) (i32.const 9))
        (global $constant i32 (i32.const 5)) (table $fixed 3 funcref) (table $changed 3 funcref) (data $d \"x\")
        (func (export \"run\") (table.set $changed (i32.const 0) (ref.null func)) (data.drop $d)
            (call_indirect $fixed (i32.const 0))))";
    let metadata = normalised(&wasm(text), TINY).metadata;
    assert_eq!(
        exports(&metadata),
        [
            "run",
            "hallows:memory",
            "hallows:global:0",
            "hallows:global:1",
            "hallows:global:3",
            "hallows:table:1"
        ]
    );
    assert_eq!(metadata.memory.unwrap().minimum_pages, 1);
    assert_eq!(metadata.imports[0].name, "base");
}

#[test]
fn metadata_says_what_the_module_says() {
    let text = "(module (import \"hallows\" \"call\" (func (param i32))) (import \"env\" \"memory\" (memory 2 7 shared))
        (func $wait (export \"go\") (drop (memory.atomic.notify (i32.const 0) (i32.const 1)))) (start $wait2) (func $wait2)
        (@custom \"hallows.interfaces\" \"abc\") (@custom \"other\" \"def\"))";
    let normalised = normalised(&wasm(text), TINY);
    let memory = normalised.metadata.memory.unwrap();
    assert!(memory.imported && memory.shared && normalised.metadata.has_start);
    assert_eq!((memory.minimum_pages, memory.maximum_pages), (2, Some(7)));
    let sections = &normalised.metadata.custom_sections;
    assert_eq!(sections.len(), 1);
    assert_eq!(
        (sections[0].name.as_str(), sections[0].bytes.as_slice()),
        ("hallows.interfaces", b"abc".as_slice())
    );
    // The same as a compiler reads in the module itself, in the same order.
    let module = Module::new(&ENGINE, &normalised.wasm).unwrap();
    let names: Vec<_> = module.imports().map(|import| import.name().to_string()).collect();
    assert_eq!(names, ["call", "memory", "atomic_notify"]);
    assert_eq!(
        normalised.metadata.imports.iter().map(|import| import.name.clone()).collect::<Vec<_>>(),
        names
    );
    let names: Vec<_> = module.exports().map(|export| export.name().to_string()).collect();
    assert_eq!(exports(&normalised.metadata), names);
    assert_eq!(normalised.metadata.exports[0].index, 2, "moved behind the added import");
}

#[test]
fn functions_keep_their_names_and_helpers_have_theirs() {
    let text =
        "(module (memory 1 1 shared) (func $outer (export \"run\") (param i32) (call $inner (local.get 0)))
        (func $inner (param i32) (memory.fill (i32.const 0) (i32.const 0) (local.get 0)))
        (func (export \"wait\") (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const 0)))))";
    let upper = Options { rename_function: &|name| name.to_uppercase(), ..options(TINY) };
    let rewritten = normalise(&wasm(text), upper).unwrap().wasm;
    let mut running = Running::new(&rewritten).unwrap();
    let run = running.instance.get_func(&mut running.store, "run").unwrap();
    let error = run.call(&mut running.store, &[Val::I32(-1)], &mut []).unwrap_err();
    let trace = error.downcast_ref::<WasmBacktrace>().unwrap();
    let names: Vec<_> = trace.frames().iter().map(|frame| frame.func_name()).collect();
    assert_eq!(names, [Some("hallows:memory.fill"), Some("INNER"), Some("OUTER")]);
}

#[test]
fn debugging_sections_go_and_others_stay() {
    let text = printed(
        "(module (@custom \".debug_info\" \"x\") (@custom \"producers2\" \"y\") (@custom \"metadata.code.branch_hint\" \"z\")
            (@custom \"linking\" \"z\") (@custom \"dylink.0\" \"z\"))",
    );
    assert!(text.contains("producers2") && text.contains("dylink.0"), "{text}");
    assert!(
        !text.contains("debug_info") && !text.contains("branch_hint") && !text.contains("linking"),
        "{text}"
    );
}

#[test]
fn short_constant_lengths_stay_inline() {
    let text = printed(
        "(module (memory 1) (func (memory.fill (i32.const 0) (i32.const 1) (i32.const 4)))
            (func (param i32) (memory.copy (i32.const 0) (local.get 0) (i32.const 5))))",
    );
    assert_eq!(text.matches("memory.fill").count(), 1, "{text}");
    assert!(text.contains("call $hallows:memory.copy"), "{text}");
}

#[test]
fn a_grown_table_gets_a_maximum() {
    let text = printed(
        "(module (table 5 funcref) (table 7 funcref) (func (drop (table.grow 1 (ref.null func) (i32.const 1)))))",
    );
    assert!(text.contains("5 funcref") && text.contains("7 131072 funcref"), "{text}");
}

#[test]
fn straight_line_code_is_checked_and_stays_right() {
    let additions = "(local.set 0 (i64.add (local.get 0) (i64.const 3)))".repeat(5_000);
    let text = format!("(module (func (export \"run\") (param i64) (result i64) {additions} (local.get 0)))");
    let mut original = Running::new(&wasm(&text)).unwrap();
    let mut rewritten = Running::new(&normalised(&wasm(&text), Bounds::DEFAULT).wasm).unwrap();
    let expected = Outcome::Returned(vec!["I64(15007)".into()]);
    assert_eq!(original.call("run", &[Val::I64(7)]), expected);
    assert_eq!(rewritten.call("run", &[Val::I64(7)]), expected);
    assert_eq!(original.store.data().checks, 1, "wasmtime checks at the entry only");
    // 20,000 instructions at 1,000 units a check.
    assert_eq!(rewritten.store.data().checks, 1 + 20);
}

#[test]
fn without_checks_code_stays_and_state_is_reachable_all_the_same() {
    let text = "(module (memory 1) (global (mut i32) (i32.const 0)) (func (export \"run\") (param i32)
        (memory.fill (i32.const 0) (i32.const 0) (local.get 0))))";
    let plain = Options { checks: Checks::None, ..options(TINY) };
    let rewritten = normalise(&wasm(text), plain).unwrap();
    let text = wasmprinter::print_bytes(&rewritten.wasm).unwrap();
    assert!(!text.contains("loop") && !text.contains("call") && text.contains("memory.fill"), "{text}");
    assert_eq!(exports(&rewritten.metadata), ["run", "hallows:memory", "hallows:global:0"]);
}

#[test]
fn waiting_and_notifying_on_a_shared_memory_are_calls_to_the_kernel() {
    let text = "(module (import \"hallows\" \"first\" (func $first)) (memory 1 2 shared)
        (global $reference funcref (ref.func $run)) (elem declare func $run)
        (func $run (export \"run\") (param i32) (result i32) (call $first)
            (memory.atomic.wait32 offset=16 (local.get 0) (i32.const 5) (i64.const -1)))
        (func (export \"wait64\") (param i32) (result i32)
            (memory.atomic.wait64 (local.get 0) (i64.const 6) (i64.const 1000)))
        (func (export \"notify\") (param i32) (result i32) (memory.atomic.notify (local.get 0) (i32.const 3)))
        (func (export \"add\") (result i32) (i32.atomic.rmw.add (i32.const 8) (i32.const 2)))
        (func (export \"size\") (result i32) (drop (memory.grow (i32.const 1))) (memory.size)))";
    let mut running = Running::new(&normalised(&wasm(text), TINY).wasm).unwrap();
    let zero = Outcome::Returned(vec!["I32(0)".into()]);
    assert_eq!(running.call("run", &[Val::I32(32)]), zero);
    assert_eq!(running.call("wait64", &[Val::I32(64)]), zero);
    assert_eq!(running.call("notify", &[Val::I32(4)]), zero);
    assert_eq!(running.call("add", &[]), zero);
    assert_eq!(running.call("size", &[]), Outcome::Returned(vec!["I32(2)".into()]));
    let calls = [
        ("first".to_string(), vec![]),
        ("atomic_wait32".to_string(), vec![48, 5, u64::MAX]),
        ("atomic_wait64".to_string(), vec![64, 6, 1000]),
        ("atomic_notify".to_string(), vec![4, 3]),
        ("memory_grow".to_string(), vec![1]),
    ];
    assert_eq!(running.store.data().calls, calls);
    // The instruction's own checks come first, and nobody is called.
    assert_eq!(running.call("notify", &[Val::I32(2)]), Outcome::Trapped(wasmtime::Trap::HeapMisaligned));
    assert_eq!(
        running.call("wait64", &[Val::I32(131_072)]),
        Outcome::Trapped(wasmtime::Trap::MemoryOutOfBounds)
    );
    assert_eq!(running.call("run", &[Val::I32(-4)]), Outcome::Trapped(wasmtime::Trap::MemoryOutOfBounds));
    assert_eq!(running.store.data().calls.iter().filter(|call| call.0 != "first").count(), 4);
}

#[test]
fn a_shared_memory_grows_by_a_call_and_another_by_itself() {
    let grows = "(func (export \"run\") (param i32) (result i32) (memory.grow (local.get 0)))";
    let shared = normalised(&wasm(&format!("(module (memory 1 9 shared) {grows})")), TINY);
    assert_eq!(shared.metadata.imports[0].name, "memory_grow");
    let text = wasmprinter::print_bytes(&shared.wasm).expect("it is valid");
    assert!(text.contains("call $hallows:memory.grow") && !text.contains(" memory.grow"), "{text}");
    let own = normalised(&wasm(&format!("(module (memory 1 9) {grows})")), TINY);
    assert!(own.metadata.imports.is_empty());
}

#[test]
fn on_an_unshared_memory_nobody_waits() {
    let text = "(module (memory 1)
        (func (export \"notify\") (result i32) (memory.atomic.notify (i32.const 0) (i32.const 3)))
        (func (export \"wait\") (result i32) (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const 0))))";
    let rewritten = normalised(&wasm(text), TINY);
    assert!(rewritten.metadata.imports.is_empty());
    let mut running = Running::new(&rewritten.wasm).unwrap();
    assert_eq!(running.call("notify", &[]), Outcome::Returned(vec!["I32(0)".into()]));
    assert_eq!(running.call("wait", &[]), Outcome::Trapped(wasmtime::Trap::UnreachableCodeReached));
}

#[test]
fn refused_features_are_named() {
    for (text, feature) in [
        ("(module (memory i64 1))", "memory64"),
        ("(module (memory 1) (memory 1))", "multi-memory"),
        ("(module (import \"a\" \"b\" (tag)))", "imported exception tags"),
        ("(module (func (param externref)))", "externref"),
        ("(module (type (struct)))", "gc"),
        ("(module (type $f (func)) (func (param (ref $f))))", "function-references"),
        ("component", "the component model"),
    ] {
        let bytes = if text == "component" { b"\0asm\x0d\0\x01\0".to_vec() } else { wasm(text) };
        match normalise(&bytes, options(TINY)) {
            Err(Error::Unsupported { features, .. }) => {
                assert!(features.contains(feature), "{text}: {features}")
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn reserved_exports_and_invalid_code_are_refused() {
    let reserved = normalise(&wasm("(module (func (export \"hallows:memory\")))"), options(TINY));
    assert_eq!(reserved.unwrap_err(), Error::ReservedExport { name: "hallows:memory".into() });
    let invalid = normalise(&wasm("(module (func (result i32) (i64.const 0)))"), options(TINY)).unwrap_err();
    assert!(matches!(&invalid, Error::Invalid { offset, .. } if *offset > 8), "{invalid}");
    assert!(invalid.to_string().contains("type mismatch"), "{invalid}");
    assert!(matches!(normalise(b"\0asm", options(TINY)), Err(Error::Invalid { .. })));
    assert!(matches!(normalise(b"", options(TINY)), Err(Error::Invalid { .. })));
}
