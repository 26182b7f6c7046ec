//! Policies answer as the engine's wasmtime does: programs made at random, without loops, run in both on the same threads.
#![expect(clippy::unwrap_used, reason = "a test's panic is its failure")]

use std::fmt::Write;

use hallows_policy::{Function, Module, Reason, Seen, Trap};
use wasmtime::{Caller, Engine, Linker, Store};

/// Programs that are compared.
const PROGRAMS: usize = 1_500;
/// Threads that each is asked of.
const THREADS: usize = 12;

/// A small generator (xorshift64*, Vigna 2016) so that every run tests the same.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 16) % bound
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

/// A type of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    I32,
    I64,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::I32 => "i32",
            Self::I64 => "i64",
        }
    }

    const fn other(self) -> Self {
        match self {
            Self::I32 => Self::I64,
            Self::I64 => Self::I32,
        }
    }
}

/// Writes the inside of a function, instruction by instruction.
struct Writer<'r> {
    random: &'r mut Random,
    /// Blocks inside of each other, from the function: what each gives.
    labels: Vec<Option<Kind>>,
    /// Functions that may be called: those before this one.
    functions: u64,
}

const BINARY: [&str; 25] = [
    "add", "sub", "mul", "div_s", "div_u", "rem_s", "rem_u", "and", "or", "xor", "shl", "shr_s", "shr_u",
    "rotl", "rotr", "eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u",
];
/// Of [`BINARY`], those before this one give a value of their own type.
const COMPARISONS: usize = 15;

impl Writer<'_> {
    /// Instructions that leave a value.
    fn value(&mut self, kind: Kind, depth: u32) -> String {
        let name = kind.name();
        if depth == 0 {
            return self.leaf(kind);
        }
        match self.random.below(17) {
            0..=2 => {
                let operation = self.random.below(COMPARISONS as u64) as usize;
                let (left, right) = (self.value(kind, depth - 1), self.value(kind, depth - 1));
                format!("{left} {right} {name}.{}", BINARY[operation])
            }
            3 | 4 if kind == Kind::I32 => {
                let of = self.random.of(&[Kind::I32, Kind::I64]);
                let operation = self.random.of(&BINARY[COMPARISONS..]);
                let (left, right) = (self.value(of, depth - 1), self.value(of, depth - 1));
                format!("{left} {right} {}.{operation}", of.name())
            }
            3 => {
                format!("{} i64.extend_i32_{}", self.value(Kind::I32, depth - 1), self.random.of(&["s", "u"]))
            }
            4 => format!("{} i64.extend32_s", self.value(kind, depth - 1)),
            5 if kind == Kind::I32 => format!("{} i32.wrap_i64", self.value(Kind::I64, depth - 1)),
            5 | 6 => {
                let operation = self.random.of(&["clz", "ctz", "popcnt", "extend8_s", "extend16_s"]);
                format!("{} {name}.{operation}", self.value(kind, depth - 1))
            }
            7 => {
                let of = self.random.of(&[Kind::I32, Kind::I64]);
                let value = self.value(of, depth - 1);
                if kind == Kind::I32 {
                    format!("{value} {}.eqz", of.name())
                } else {
                    format!("{value} drop {}", self.leaf(kind))
                }
            }
            8 => {
                let (one, other) = (self.value(kind, depth - 1), self.value(kind, depth - 1));
                format!("{one} {other} {} select", self.value(Kind::I32, depth - 1))
            }
            9 => self.load(kind, depth),
            10 => format!("{} local.tee {}", self.value(kind, depth - 1), self.local(kind)),
            11 => self.arms(kind, depth),
            12 => self.block(kind, depth),
            13 => format!("{} {}", self.statement(depth - 1), self.value(kind, depth - 1)),
            14 if self.functions > 0 => {
                let function = self.random.below(self.functions);
                let (first, second) = (self.value(Kind::I32, depth - 1), self.value(Kind::I64, depth - 1));
                let rest = if kind == Kind::I64 { "drop" } else { "local.set 0 drop local.get 0" };
                format!("{first} {second} call $f{function} {rest}")
            }
            15 => {
                // Parameters of a block: what it takes is on the stack before it.
                let (one, other) = (self.value(kind, depth - 1), self.value(kind, depth - 1));
                let condition = self.value(Kind::I32, depth - 1);
                self.labels.push(Some(kind));
                let text = format!(
                    "{one} {other} {condition} if (param {name} {name}) (result {name}) {name}.sub {} else drop end",
                    if self.random.below(2) == 0 { "nop".to_owned() } else { self.statement(depth - 1) }
                );
                self.labels.pop();
                text
            }
            _ => format!("{} {} {name}.xor", self.value(kind, depth - 1), self.leaf(kind)),
        }
    }

    fn leaf(&mut self, kind: Kind) -> String {
        let numbers = [
            0,
            1,
            2,
            7,
            31,
            32,
            63,
            64,
            255,
            65_535,
            50_000,
            u64::MAX,
            1 << 31,
            (1 << 31) - 1,
            1 << 63,
            (1 << 63) - 1,
        ];
        match (self.random.below(6), kind) {
            (0 | 1, _) => format!("local.get {}", self.local(kind)),
            (2, Kind::I32) => format!("call ${}", self.random.of(&["cell", "is_fresh"])),
            (2, Kind::I64) => format!("call ${}", self.random.of(&["expected_ns", "ran_ns"])),
            (3, _) => format!("global.get ${}", kind.name()),
            (_, Kind::I32) => format!("i32.const {}", self.random.of(&numbers) as u32),
            (_, Kind::I64) => format!("i64.const {}", self.random.of(&numbers)),
        }
    }

    /// Parameters and locals: 0 and 2 are an i32, 1 and 3 an i64.
    fn local(&mut self, kind: Kind) -> u64 {
        2 * self.random.below(2) + u64::from(kind == Kind::I64)
    }

    fn load(&mut self, kind: Kind, depth: u32) -> String {
        let width = match kind {
            Kind::I32 => self.random.of(&["load", "load8_s", "load8_u", "load16_s", "load16_u"]),
            Kind::I64 => self
                .random
                .of(&["load", "load8_s", "load8_u", "load16_s", "load16_u", "load32_s", "load32_u"]),
        };
        // Mostly where the constants are.
        let mask = self.random.of(&[
            "i32.const 31 i32.and",
            "i32.const 31 i32.and",
            "i32.const 0xffff i32.and",
            "nop",
        ]);
        let offset = self.random.of(&[0, 1000, 1010, 65_530, u32::MAX]);
        format!("{} {mask} {}.{width} offset={offset}", self.value(Kind::I32, depth - 1), kind.name())
    }

    fn arms(&mut self, kind: Kind, depth: u32) -> String {
        let condition = self.value(Kind::I32, depth - 1);
        self.labels.push(Some(kind));
        let first = if self.random.below(4) == 0 { self.leave() } else { self.value(kind, depth - 1) };
        let second = self.value(kind, depth - 1);
        self.labels.pop();
        format!("{condition} if (result {}) {first} else {second} end", kind.name())
    }

    /// A block with a value that may be left before its end, or by a table.
    fn block(&mut self, kind: Kind, depth: u32) -> String {
        let loops = self.random.below(8) == 0;
        let before = self.value(kind, depth - 1);
        // Nothing goes back to a loop.
        self.labels.push(Some(kind).filter(|_| !loops));
        let mut text = format!("{before} {} (result {})", if loops { "loop" } else { "block" }, kind.name());
        if self.random.below(3) == 0 && !loops {
            let (value, number) = (self.value(kind, depth - 1), self.value(Kind::I32, depth - 1));
            let targets = self.targets(kind);
            let _ = write!(text, " {value} {number} br_table {targets} end");
        } else {
            let (jump, rest) = (self.jump_if(depth - 1), self.value(kind, depth - 1));
            let _ = write!(text, " {jump} {rest} end");
        }
        self.labels.pop();
        format!("{text} {}.add", kind.name())
    }

    /// Labels that take a value of a type, for a table.
    fn targets(&mut self, kind: Kind) -> String {
        let all: Vec<usize> =
            (0..self.labels.len()).filter(|depth| self.label(*depth) == Some(kind)).collect();
        (0..=self.random.below(4)).map(|_| format!("{} ", self.random.of(&all))).collect()
    }

    fn label(&self, depth: usize) -> Option<Kind> {
        self.labels[self.labels.len() - 1 - depth]
    }

    /// Leaves some block, perhaps.
    fn jump_if(&mut self, depth: u32) -> String {
        let all: Vec<usize> = (0..self.labels.len()).filter(|depth| self.label(*depth).is_some()).collect();
        if all.is_empty() {
            return "nop".to_owned();
        }
        let target = self.random.of(&all);
        let (value, condition) =
            (self.value(self.label(target).unwrap(), depth), self.value(Kind::I32, depth));
        format!("{value} {condition} br_if {target} drop")
    }

    /// Does not come to what is behind.
    fn leave(&mut self) -> String {
        match self.random.below(3) {
            0 => "unreachable".to_owned(),
            // The function gives an i64, in helpers and an i32.
            1 if self.labels.iter().any(Option::is_some) => {
                let all: Vec<usize> =
                    (0..self.labels.len()).filter(|depth| self.label(*depth).is_some()).collect();
                let target = self.random.of(&all);
                format!("{} br {target}", self.leaf(self.label(target).unwrap()))
            }
            _ => self.results() + " return",
        }
    }

    /// What the function gives.
    fn results(&mut self) -> String {
        match self.labels[0] {
            Some(kind) => self.leaf(kind),
            None => self.leaf(Kind::I64) + " " + &self.leaf(Kind::I32),
        }
    }

    /// Instructions that leave nothing.
    fn statement(&mut self, depth: u32) -> String {
        let kind = self.random.of(&[Kind::I32, Kind::I64]);
        if depth == 0 {
            return format!("{} local.set {}", self.leaf(kind), self.local(kind));
        }
        match self.random.below(4) {
            0 => {
                let condition = self.value(Kind::I32, depth - 1);
                self.labels.push(None);
                let text = format!("{condition} if {} end", self.statement(depth - 1));
                self.labels.pop();
                text
            }
            1 => {
                self.labels.push(None);
                let depth = depth - 1;
                let text =
                    format!("block {} br_if 0 {} end", self.value(Kind::I32, depth), self.statement(depth));
                self.labels.pop();
                text
            }
            // The old value of the local below the new one.
            2 => {
                let local = self.local(kind);
                let name = kind.name();
                let value = self.value(kind, depth - 1);
                format!(
                    "local.get {local} {value} local.set {local} local.get {local} {name}.sub local.set {local}"
                )
            }
            _ => format!("{} local.set {}", self.value(kind.other(), depth - 1), self.local(kind.other())),
        }
    }
}

/// A module with two helpers and both exports.
fn program(random: &mut Random) -> String {
    let mut text = String::from(
        r#"(module
        (import "candidate" "cell" (func $cell (result i32)))
        (import "candidate" "is_fresh" (func $is_fresh (result i32)))
        (import "candidate" "expected_ns" (func $expected_ns (result i64)))
        (import "candidate" "ran_ns" (func $ran_ns (result i64)))
        (memory 1) (data (i32.const 1001) "\80\ff\7f\00\01\fe\dc\ba\98\76\54\32\10") (data (i32.const 1020) "\aa\55")
        (global $i32 i32 (i32.const -7)) (global $i64 (mut i64) (i64.const 0x123456789abcdef))
        "#,
    );
    for number in 0..2 {
        let mut writer = Writer { random, labels: vec![None], functions: number };
        let (statement, first, second) =
            (writer.statement(2), writer.value(Kind::I64, 2), writer.value(Kind::I32, 2));
        let _ = writeln!(
            text,
            "(func $f{number} (param i32 i64) (result i64 i32) (local i32 i64) {statement} {first} {second})"
        );
    }
    let depth = 3 + u32::from(random.below(3) == 0);
    let mut writer = Writer { random, labels: vec![Some(Kind::I64)], functions: 2 };
    let (statement, value) = (writer.statement(depth - 1), writer.value(Kind::I64, depth));
    // The first parameter of the helpers is an i32: these have a local in its place.
    let order = format!("(func (export \"order\") (result i64) (local i32 i64 i32 i64) {statement} {value})");
    let value = writer.value(Kind::I64, depth);
    // Of `quantum_ns` the parameter is an i64, so that the numbers of its locals are other ones.
    let quantum = format!(
        "(func $quantum (param i32 i64) (result i64) (local i32 i64) {value})
         (func (export \"quantum_ns\") (param i64) (result i64)
            (i64.const 1) (local.get 0) (local.set 0 (i64.add (local.get 0) (i64.const 3)))
            (call $quantum (i32.const 5) (local.get 0)) (i64.add) (i64.xor))"
    );
    let _ = write!(text, "{order} {quantum})");
    text
}

fn threads(random: &mut Random) -> Vec<Seen> {
    let number = |random: &mut Random| match random.below(3) {
        0 => random.below(4),
        1 => random.next(),
        _ => random.below(2_000_000),
    };
    let seen = |random: &mut Random| Seen {
        cell: number(random) as u32,
        is_fresh: random.below(2) == 0,
        expected_ns: number(random),
        ran_ns: number(random),
        usual_ns: number(random),
    };
    (0..THREADS).map(|_| seen(random)).collect()
}

/// What wasmtime answers.
fn answer(
    store: &mut Store<Seen>,
    linker: &Linker<Seen>,
    module: &wasmtime::Module,
    name: &str,
) -> Result<u64, Trap> {
    let instance = linker.instantiate(&mut *store, module).unwrap();
    let usual_ns = store.data().usual_ns;
    let answer = if name == "order" {
        instance.get_typed_func::<(), u64>(&mut *store, name).unwrap().call(&mut *store, ())
    } else {
        instance.get_typed_func::<u64, u64>(&mut *store, name).unwrap().call(&mut *store, usual_ns)
    };
    answer.map_err(|error| match error.downcast_ref() {
        Some(wasmtime::Trap::UnreachableCodeReached) => Trap::Unreachable,
        Some(wasmtime::Trap::IntegerDivisionByZero) => Trap::DivisionByZero,
        Some(wasmtime::Trap::IntegerOverflow) => Trap::DivisionOverflow,
        Some(wasmtime::Trap::MemoryOutOfBounds) => Trap::OutOfBounds,
        other => panic!("{other:?}: {error}"),
    })
}

#[test]
fn policies_answer_as_wasmtime_does() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let engine = Engine::default();
    let mut linker: Linker<Seen> = Linker::new(&engine);
    linker.func_wrap("candidate", "cell", |caller: Caller<'_, Seen>| caller.data().cell).unwrap();
    linker
        .func_wrap("candidate", "is_fresh", |caller: Caller<'_, Seen>| u32::from(caller.data().is_fresh))
        .unwrap();
    linker
        .func_wrap("candidate", "expected_ns", |caller: Caller<'_, Seen>| caller.data().expected_ns)
        .unwrap();
    linker.func_wrap("candidate", "ran_ns", |caller: Caller<'_, Seen>| caller.data().ran_ns).unwrap();
    let (mut compared, mut too_long, mut answers, mut traps) = (0, 0, 0, 0);
    while compared < PROGRAMS {
        let text = program(&mut random);
        let wasm = wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let module = match Module::verify(&wasm) {
            Ok(module) => module,
            Err(refusal) => {
                let is_fair = matches!(
                    refusal.reason,
                    Reason::TooLong { .. }
                        | Reason::TooManySteps
                        | Reason::TooManyRegisters { .. }
                        | Reason::Traps { .. }
                );
                assert!(is_fair, "{refusal}\n{text}");
                too_long += 1;
                continue;
            }
        };
        compared += 1;
        let compiled = wasmtime::Module::new(&engine, &wasm).unwrap();
        for seen in threads(&mut random) {
            let mut store = Store::new(&engine, seen);
            for (name, function) in [("order", module.order()), ("quantum_ns", module.quantum_ns())] {
                let ours = function.map(|function: &Function| function.run(&seen)).unwrap();
                assert_eq!(ours, answer(&mut store, &linker, &compiled, name), "{name} of {seen:?}\n{text}");
                answers += usize::from(ours.is_ok());
                traps += usize::from(ours.is_err());
            }
        }
    }
    // It is worth something only if programs get somewhere, and some do not.
    assert!(
        answers > PROGRAMS * THREADS && traps > PROGRAMS,
        "{answers} answers, {traps} traps, {too_long} refused"
    );
}
