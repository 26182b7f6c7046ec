//! Hostile programs end in a clear error, or in an artefact, within a stated time and memory.
//!
//! Every program goes the way a user's does: through the cache into the sandboxed process. The time asserted is the
//! processor time limit given to the compiler (enforced by the kernel) and a wall-clock bound that is generous, because test
//! machines are shared; the memory is the limit given, which the kernel enforces as well.
use hallows_cache::{Cache, CompileError, Compiler, CpuFeatures, Limit, Limits, Platform, Settings};
use std::{
    borrow::Cow,
    time::{Duration, Instant},
};
use wasm_encoder::{
    BlockType, CodeSection, CustomSection, DataSection, ElementSection, Elements, EntityType, ExportKind,
    ExportSection, Function, FunctionSection, GlobalSection, ImportSection, MemorySection, MemoryType,
    Module, RawSection, TableSection, TypeSection, ValType,
};

/// Processor seconds that the compiler gets in these tests unless one says otherwise.
const SECONDS: u64 = 30;
/// Wall time after which its parent kills it; a test that needs it has failed.
const WALL_SECONDS: u64 = 300;
/// Bytes that the compiler may allocate in these tests unless one says otherwise.
const MEMORY_BYTES: u64 = 1 << 30;

fn limits() -> Limits {
    Limits::DEFAULT
        .with(Limit::CompilerSeconds, SECONDS)
        .with(Limit::WallSeconds, WALL_SECONDS)
        .with(Limit::CompilerMemoryBytes, MEMORY_BYTES)
}

/// Compiles; says how long the artefact is.
fn compile_with(program: &[u8], limits: &Limits) -> Result<usize, CompileError> {
    let directory = tempfile::tempdir().unwrap();
    let compiler = Compiler::from_path(env!("CARGO_BIN_EXE_hallows-compiler").into());
    let cache = Cache::open(directory.path(), compiler).unwrap();
    let settings = Settings::new(Platform::Linux, CpuFeatures::BASELINE).unwrap();
    let started = Instant::now();
    let result = cache.artifact(program, &settings, limits);
    assert!(started.elapsed() < Duration::from_secs(WALL_SECONDS), "{:?}", started.elapsed());
    result.map(|compiled| compiled.bytes().len())
}

fn compile(program: &[u8]) -> Result<usize, CompileError> {
    compile_with(program, &limits())
}

/// The compiler must refuse the program as invalid, at some place and for some reason.
fn assert_invalid(program: &[u8]) -> String {
    match compile(program) {
        Err(error @ CompileError::Invalid { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

fn assert_too_large(program: &[u8], expected: Limit) {
    match compile(program) {
        Err(CompileError::TooLarge { limit, allowed, found }) if limit == expected => {
            assert!(found > allowed)
        }
        other => panic!("{expected}: {other:?}"),
    }
}

/// It compiles, or ends by one of the limits on the process; it does not crash and does not hang.
fn assert_bounded(program: &[u8], limits: &Limits) -> Result<usize, CompileError> {
    let result = compile_with(program, limits);
    match &result {
        Ok(_) | Err(CompileError::OutOfMemory { .. }) => {}
        Err(CompileError::TimedOut { limit: Limit::CompilerSeconds, .. }) => {}
        other => panic!("{other:?}"),
    }
    result
}

/// A module of `count` functions of type `() -> ()` with this body.
fn functions(count: u32, body: &Function) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let (mut functions, mut code) = (FunctionSection::new(), CodeSection::new());
    for _ in 0..count {
        functions.function(0);
        code.function(body);
    }
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&code);
    module.finish()
}

fn empty_function() -> Function {
    let mut function = Function::new([]);
    function.instructions().end();
    function
}

/// A section of arbitrary bytes in an otherwise empty module.
fn section(id: u8, data: &[u8]) -> Vec<u8> {
    let mut module = Module::new();
    module.section(&RawSection { id, data });
    module.finish()
}

/// The largest LEB128 number of 32 bits.
const MANY: [u8; 5] = [0xff, 0xff, 0xff, 0xff, 0x0f];

#[test]
fn bytes_that_are_no_program_are_invalid() {
    let mut noise = 0x1234_5678u32;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (noise >> 24) as u8
    })
    .take(100_000)
    .collect();
    assert!(assert_invalid(&noise).contains("neither"));
    assert!(assert_invalid(b"").contains("empty"));
    assert!(assert_invalid(b"\x7fELF\x02\x01\x01").contains("native executable"));
    assert_invalid(&[b"\0asm\x01\0\0\0".as_slice(), &noise].concat());
    assert_invalid(b"\0asm\xff\xff\xff\xff");
    assert_invalid(b"\0asm");
}

#[test]
fn every_cut_of_a_module_is_invalid() {
    let mut body = Function::new([(3, ValType::I64)]);
    body.instructions().i32_const(7).drop().block(BlockType::Empty).end().end();
    let module = functions(3, &body);
    assert!(compile(&module).is_ok());
    // The header alone and the header with whole sections but without their counterparts; cuts inside sections.
    for length in (9..module.len()).step_by(7) {
        assert_invalid(&module[..length]);
    }
}

#[test]
fn declared_sizes_without_contents_are_refused_at_once() {
    assert_too_large(&section(1, &MANY), Limit::Types);
    assert_too_large(&section(3, &MANY), Limit::Functions);
    assert_too_large(&section(4, &MANY), Limit::Tables);
    assert_too_large(&section(6, &MANY), Limit::Globals);
    assert_too_large(&section(7, &MANY), Limit::Exports);
    assert_too_large(&section(9, &MANY), Limit::ElementSegments);
    assert_too_large(&section(11, &MANY), Limit::DataSegments);
    assert_invalid(&section(2, &MANY));
    // A body of four billion locals, in groups and in one.
    let body = [&[1u8, 14, 2][..], &MANY, &[0x7f], &MANY, &[0x7f], &[0x0b]].concat();
    let with_body = |code: &[u8]| {
        let mut module = Module::new();
        let mut types = TypeSection::new();
        types.ty().function([], []);
        let mut functions = FunctionSection::new();
        functions.function(0);
        module.section(&types).section(&functions).section(&RawSection { id: 10, data: code });
        module.finish()
    };
    match compile(&with_body(&body)) {
        Err(CompileError::TooLarge { limit: Limit::Locals, .. } | CompileError::Invalid { .. }) => {}
        other => panic!("{other:?}"),
    }
    // A branch table of four billion targets.
    let table = [&[1u8, 11, 0, 0x41, 0, 0x0e][..], &MANY, &[0x0b]].concat();
    assert_invalid(&with_body(&table));
}

#[test]
fn tables_and_memories_larger_than_allowed_are_refused() {
    let text = |what: &str| format!("(module {what})").into_bytes();
    assert_too_large(&text("(table 4000000000 funcref)"), Limit::TableEntries);
    assert_too_large(&text("(import \"a\" \"b\" (table 4000000000 funcref))"), Limit::TableEntries);
    let small = limits().with(Limit::MemoryPages, 100);
    let program = text("(memory 101)");
    let refused = compile_with(&program, &small);
    assert_eq!(refused, Err(CompileError::TooLarge { limit: Limit::MemoryPages, allowed: 100, found: 101 }));
    assert_too_large(&text("(memory 65537)"), Limit::MemoryPages);
    // A limit that is raised beyond what WebAssembly knows.
    let large = limits().with(Limit::MemoryPages, u64::MAX);
    assert!(matches!(compile_with(&text("(memory 65537)"), &large), Err(CompileError::Invalid { .. })));
}

#[test]
fn a_program_longer_than_allowed_is_refused_before_it_is_read() {
    let program = vec![0; (64 << 20) + 1];
    assert_too_large(&program, Limit::SourceBytes);
}

#[test]
fn a_memory_with_data_at_both_ends_takes_no_memory_to_compile() {
    let text = "(module (memory 65536) (data (i32.const 0) \"a\") (data (i32.const 0xfffffff0) \"b\"))";
    let length =
        compile_with(text.as_bytes(), &limits().with(Limit::CompilerMemoryBytes, 200 << 20)).unwrap();
    assert!(length < 100_000, "{length}");
}

#[test]
fn a_million_functions_are_refused_and_as_many_as_allowed_end() {
    assert_too_large(&functions(1_000_000, &empty_function()), Limit::Functions);
    // 200,000, within the time or not.
    let _ =
        assert_bounded(&functions(200_000, &empty_function()), &limits().with(Limit::CompilerSeconds, 10));
    // And certainly not within one second.
    let hasty = limits().with(Limit::CompilerSeconds, 1);
    assert_eq!(
        compile_with(&functions(200_000, &empty_function()), &hasty),
        Err(CompileError::TimedOut { limit: Limit::CompilerSeconds, seconds: 1 })
    );
}

#[test]
fn nesting_is_bounded_and_as_deep_as_allowed_ends() {
    let nested = |depth: usize| {
        let mut function = Function::new([]);
        let mut code = function.instructions();
        for _ in 0..depth {
            code.block(BlockType::Empty);
        }
        for _ in 0..=depth {
            code.end();
        }
        functions(1, &function)
    };
    assert_too_large(&nested(10_001), Limit::Nesting);
    assert!(compile(&nested(10_000)).is_ok());
    let loops = {
        let mut function = Function::new([(1, ValType::I32)]);
        let mut code = function.instructions();
        for _ in 0..10_000 {
            code.loop_(BlockType::Empty).local_get(0).br_if(0);
        }
        for _ in 0..=10_000 {
            code.end();
        }
        functions(1, &function)
    };
    let _ = assert_bounded(&loops, &limits().with(Limit::CompilerSeconds, 10));
}

#[test]
fn bodies_are_bounded_and_one_as_long_as_allowed_ends() {
    let long = |bytes: usize| {
        let mut function = Function::new([]);
        let mut code = function.instructions();
        for _ in 0..bytes / 4 {
            code.i32_const(1).drop().nop();
        }
        code.end();
        functions(1, &function)
    };
    assert_too_large(&long((1 << 20) + 100), Limit::BodyBytes);
    assert!(compile(&long((1 << 20) - 100)).is_ok());
}

#[test]
fn branch_tables_as_large_as_a_body_end() {
    // Two labels that all targets meet at.
    let table = |length: u32| {
        let mut function = Function::new([]);
        let targets: Vec<u32> = (1..length).map(|at| at % 2).collect();
        let mut code = function.instructions();
        code.block(BlockType::Empty).block(BlockType::Empty).i32_const(0).br_table(targets, 1);
        code.end().end().end();
        functions(1, &function)
    };
    assert_too_large(&table(500_000), Limit::BranchTargets);
    assert!(compile(&table(65_520)).is_ok());
    // A thousand tables of five hundred targets, each of its own.
    let mut function = Function::new([]);
    let mut code = function.instructions();
    for _ in 0..500 {
        code.block(BlockType::Empty);
    }
    for _ in 0..1_000 {
        let targets: Vec<u32> = (0..500).collect();
        code.block(BlockType::Empty).i32_const(3).br_table(targets, 1).end();
    }
    for _ in 0..=500 {
        code.end();
    }
    let _ = assert_bounded(&functions(1, &function), &limits());
}

#[test]
fn values_that_meet_everywhere_end_within_the_limits() {
    // As many locals as allowed, all changed in every one of thousands of loops: every header joins all of them.
    let mut function = Function::new([(20_000, ValType::I64)]);
    let mut code = function.instructions();
    for round in 0..3_000u32 {
        code.loop_(BlockType::Empty);
        for local in 0..20 {
            let index = (round * 20 + local) * 7 % 20_000;
            code.local_get(index).i64_const(1).i64_add().local_set((index + 1) % 20_000);
        }
        code.local_get(round).i32_wrap_i64().br_if(0).end();
    }
    code.end();
    let _ = assert_bounded(&functions(1, &function), &limits().with(Limit::CompilerSeconds, 10));
    // Nested, so that what is live in one is live in all.
    let mut function = Function::new([(5_000, ValType::F64)]);
    let mut code = function.instructions();
    for round in 0..2_000u32 {
        code.loop_(BlockType::Empty);
        code.local_get(round).local_get(round + 1).f64_add().local_set(round + 2);
    }
    for round in 0..2_000u32 {
        code.local_get(round * 2).f64_const(1.5.into()).f64_gt().br_if(0).end();
    }
    code.end();
    let _ = assert_bounded(&functions(1, &function), &limits().with(Limit::CompilerSeconds, 10));
}

#[test]
fn one_expression_of_a_hundred_thousand_values_ends() {
    let mut function = Function::new([(1, ValType::I64)]);
    let mut code = function.instructions();
    for value in 0..100_000 {
        code.local_get(0).i64_const(value).i64_xor();
    }
    for _ in 0..99_999 {
        code.i64_mul();
    }
    code.drop().end();
    let _ = assert_bounded(&functions(1, &function), &limits());
}

#[test]
fn a_compiler_without_enough_memory_says_so() {
    let mut function = Function::new([(1, ValType::I64)]);
    let mut code = function.instructions();
    for value in 0..80_000 {
        code.local_get(0).i64_const(value).i64_mul().local_set(0);
    }
    code.end();
    let limit_bytes = 24 << 20;
    let little = limits().with(Limit::CompilerMemoryBytes, limit_bytes);
    assert_eq!(
        compile_with(&functions(20, &function), &little),
        Err(CompileError::OutOfMemory { limit_bytes })
    );
}

#[test]
fn many_large_types_imports_exports_and_segments_end() {
    let mut types = TypeSection::new();
    for _ in 0..50_000 {
        types.ty().function([ValType::I64; 1_000], []);
    }
    let mut module = Module::new();
    module.section(&types);
    let _ = assert_bounded(&module.finish(), &limits());

    let mut module = Module::new();
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut imports = ImportSection::new();
    for _ in 0..10_000 {
        imports.import(&"m".repeat(1_000), &"n".repeat(1_000), EntityType::Function(0));
    }
    let mut exports = ExportSection::new();
    for at in 0..100_000u32 {
        exports.export(&format!("{at:0>200}"), ExportKind::Func, at % 10_000);
    }
    module.section(&types).section(&imports).section(&exports);
    let _ = assert_bounded(&module.finish(), &limits());

    let mut module = Module::new();
    let (mut tables, mut memories, mut elements) =
        (TableSection::new(), MemorySection::new(), ElementSection::new());
    let element_type = wasm_encoder::RefType::FUNCREF;
    let (minimum, maximum) = (1_000_000, None);
    for _ in 0..100 {
        tables.table(wasm_encoder::TableType {
            element_type,
            minimum,
            maximum,
            table64: false,
            shared: false,
        });
    }
    memories.memory(MemoryType { minimum: 1, maximum, memory64: false, shared: false, page_size_log2: None });
    for at in 0..100_000 {
        let offset = wasm_encoder::ConstExpr::i32_const(at);
        elements.active(Some(at as u32 % 100), &offset, Elements::Functions(Cow::Borrowed(&[0])));
    }
    let mut data = DataSection::new();
    for at in 0..100_000 {
        data.active(0, &wasm_encoder::ConstExpr::i32_const(at), [1]);
    }
    let (mut functions, mut code, mut types) =
        (FunctionSection::new(), CodeSection::new(), TypeSection::new());
    types.ty().function([], []);
    functions.function(0);
    code.function(&empty_function());
    module.section(&types).section(&functions).section(&tables).section(&memories);
    module.section(&elements).section(&code).section(&data);
    let _ = assert_bounded(&module.finish(), &limits());
}

#[test]
fn long_constant_expressions_are_refused_and_as_long_as_allowed_end() {
    let global = |additions: usize| {
        let bytes = [&[0x41, 0][..], &[0x41, 1, 0x6a].repeat(additions)].concat();
        let ty = wasm_encoder::GlobalType { val_type: ValType::I32, mutable: false, shared: false };
        let mut globals = GlobalSection::new();
        for _ in 0..20 {
            globals.global(ty, &wasm_encoder::ConstExpr::raw(bytes.iter().copied()));
        }
        let mut module = Module::new();
        module.section(&globals);
        module.finish()
    };
    assert_too_large(&global(1_000_000), Limit::ConstantBytes);
    assert!(compile(&global(3_300)).is_ok());
}

#[test]
fn names_that_explode_when_demangled_are_cut() {
    let mut names = wasm_encoder::NameMap::new();
    let bombs = [
        format!("_Z1fI{}E", "1AIS_S_E".repeat(5_000)),
        format!("_RINvC1a1b{}E", "TB4_B4_E".repeat(5_000)),
        format!("_RYNt{}", "C1a".repeat(20_000)),
        format!("_Z{}", "N".repeat(100_000)),
        "x".repeat(1 << 20),
    ];
    for (at, bomb) in (0..).zip(&bombs) {
        names.append(at, bomb);
    }
    let mut section = wasm_encoder::NameSection::new();
    section.functions(&names);
    let mut module = functions(bombs.len() as u32, &empty_function());
    // A name section stands behind the others.
    let mut extra = Module::new();
    extra.section(&section);
    module.extend_from_slice(&extra.finish()[8..]);
    let length = compile(&module).unwrap();
    assert!(length < 60_000, "{length}");
}

#[test]
fn custom_sections_are_no_way_in() {
    let mut module = Module::new();
    for name in ["name", "producers", "dylink.0", "target_features", ".debug_info", ".debug_line", "linking"]
    {
        let data = vec![0xff; 10_000];
        module.section(&CustomSection { name: name.into(), data: data.into() });
    }
    assert!(compile(&module.finish()).is_ok());
}

#[test]
fn text_that_nests_repeats_or_lies_is_refused() {
    assert_invalid("(".repeat(1_000_000).as_bytes());
    assert_invalid(format!("(module {}", "(func (block ".repeat(100_000)).as_bytes());
    assert_invalid(
        format!("(module (func {} {}))", "(i32.add".repeat(50_000), ")".repeat(50_000)).as_bytes(),
    );
    assert_invalid(b"(module (memory 99999999999999999999))");
    assert_invalid(b"(module \"\\");
    assert_invalid(b"(module binary \"\\00asm\")");
    assert_invalid(format!("({}", ";".repeat(1_000_000)).as_bytes());
}

#[test]
fn exceptions_that_nest_and_multiply_end_within_the_limits() {
    let text =
        |body: &str| format!("(module (tag $t (param i32)) (func $f (param i32) {body}))").into_bytes();
    // As deep as allowed, with a call in the innermost that every handler is in force for.
    let nested = |depth: usize| {
        let mut function = Function::new([]);
        let mut code = function.instructions();
        for _ in 0..depth {
            code.try_table(BlockType::Empty, [wasm_encoder::Catch::All { label: 0 }]);
        }
        for _ in 0..10_000 {
            code.call(0);
        }
        code.throw(0);
        for _ in 0..=depth {
            code.end();
        }
        with_tag(&function)
    };
    assert_too_large(&nested(10_001), Limit::Nesting);
    let _ = assert_bounded(&nested(10_000), &limits());
    let throws = "(if (local.get 0) (then (throw $t (local.get 0))))".repeat(20_000);
    let _ = assert_bounded(&text(&throws), &limits());
    let handlers =
        "(try_table (catch $t 0) (catch $t 0) (catch_all 1) (call $f (i32.const 1)))".repeat(5_000);
    let handlers = format!("(block (drop (block (result i32) {handlers} (i32.const 0))))");
    let _ = assert_bounded(&text(&handlers), &limits());
    let older = "try (call $f (i32.const 1)) catch $t (drop) catch_all rethrow 0 end ".repeat(5_000);
    let _ = assert_bounded(&text(&older), &limits());
    // As many results as a function may have beside exceptions, in functions that do nothing but call each other; more are refused.
    let wide = |count, functions| {
        let results = "i32 ".repeat(count);
        let calls = format!("(func (result {results}) (call $g))").repeat(functions);
        format!("(module (tag $t) (func $g (result {results}) (throw $t)) {calls})")
    };
    let _ = assert_bounded(wide(16, 50_000).as_bytes(), &limits());
    let refused = compile(wide(1_000, 1).as_bytes());
    assert!(matches!(refused, Err(CompileError::Unsupported { .. })), "{refused:?}");
}

/// A module of one function of type `() -> ()` with this body and one tag that carries nothing.
fn with_tag(body: &Function) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let (mut functions, mut code) = (FunctionSection::new(), CodeSection::new());
    functions.function(0);
    code.function(body);
    let mut tags = wasm_encoder::TagSection::new();
    tags.tag(wasm_encoder::TagType { kind: wasm_encoder::TagKind::Exception, func_type_idx: 0 });
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&tags).section(&code);
    module.finish()
}

#[test]
fn what_the_engine_does_not_run_is_named() {
    for (text, feature) in [
        ("(module (memory i64 1))", "memory64"),
        ("(module (memory 1) (memory 1))", "multi-memory"),
        ("(module (import \"a\" \"b\" (tag)))", "imported exception tags"),
    ] {
        match compile(text.as_bytes()) {
            Err(CompileError::Unsupported { features, .. }) => assert_eq!(features, feature),
            other => panic!("{text}: {other:?}"),
        }
    }
    assert!(assert_invalid(b"(module (func (export \"hallows:memory\")))").contains("reserved"));
}
