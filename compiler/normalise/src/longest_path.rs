//! A second opinion on the bounds: the longest path without a check, from an explicit graph of the rewritten module.
//!
//! It shares the weights with the pass, and nothing else: not the walk, not the labels. Functions may have any shape.
use crate::{Bounds, Checks, FEATURES, Options, cost, normalise};
use wasmparser::{FunctionBody, Operator, Parser, Payload};

/// A function as a graph: instructions, and for each block where it ends and where its `else` is.
struct Graph<'a> {
    operators: Vec<Operator<'a>>,
    /// For every instruction, the index of the block instruction that encloses it and its depth.
    enclosing: Vec<Option<usize>>,
    ends: Vec<usize>,
    elses: Vec<Option<usize>>,
}

impl<'a> Graph<'a> {
    fn of(body: &FunctionBody<'a>) -> Graph<'a> {
        let reader = body.get_operators_reader().unwrap();
        let operators: Vec<_> = reader.into_iter().map(Result::unwrap).collect();
        let count = operators.len();
        let mut graph = Graph {
            operators,
            enclosing: vec![None; count],
            ends: vec![count - 1; count],
            elses: vec![None; count],
        };
        let mut open: Vec<usize> = Vec::new();
        for at in 0..count {
            graph.enclosing[at] = open.last().copied();
            match graph.operators[at] {
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => open.push(at),
                Operator::Else => graph.elses[open[open.len() - 1]] = Some(at),
                Operator::End => {
                    if let Some(block) = open.pop() {
                        graph.ends[block] = at;
                        graph.enclosing[at] = open.last().copied();
                    }
                }
                _ => {}
            }
        }
        graph
    }

    /// Where a branch leads: the end of a block, the function's end, or nowhere new (a loop's header checks).
    fn target(&self, at: usize, depth: u32) -> Option<usize> {
        let mut block = self.enclosing[at];
        for _ in 0..depth {
            block = block.and_then(|block| self.enclosing[block]);
        }
        match block {
            Some(block) if matches!(self.operators[block], Operator::Loop { .. }) => None,
            Some(block) => Some(self.ends[block]),
            None => Some(self.operators.len() - 1),
        }
    }

    fn successors(&self, at: usize) -> Vec<usize> {
        let next = at + 1;
        match &self.operators[at] {
            Operator::Br { relative_depth } => self.target(at, *relative_depth).into_iter().collect(),
            Operator::BrIf { relative_depth } => {
                self.target(at, *relative_depth).into_iter().chain([next]).collect()
            }
            Operator::BrTable { targets } => {
                let depths = targets.targets().map(Result::unwrap).chain([targets.default()]);
                depths.filter_map(|depth| self.target(at, depth)).collect()
            }
            Operator::If { .. } => vec![next, self.elses[at].map_or(self.ends[at], |other| other + 1)],
            // Reached from the first arm only.
            Operator::Else => vec![self.ends[self.enclosing[at].unwrap()]],
            Operator::Return
            | Operator::Unreachable
            | Operator::ReturnCall { .. }
            | Operator::ReturnCallIndirect { .. } => vec![],
            _ if next < self.operators.len() => vec![next],
            _ => vec![],
        }
    }

    /// Asserts both bounds on every path; says how many instructions are reachable.
    fn assert_bounded(&self, bounds: Bounds, imported: u32, about: &str) -> usize {
        /// Units since the last check, and since the last call if no check came after it.
        type Spent = (Option<u32>, Option<u32>);
        let mut spent: Vec<Option<Spent>> = vec![None; self.operators.len()];
        spent[0] = Some((Some(0), None));
        let mut reachable = 0;
        for at in 0..self.operators.len() {
            let Some((since_check, since_call)) = spent[at] else { continue };
            reachable += 1;
            let operator = &self.operators[at];
            let constant = at > 0 && matches!(self.operators[at - 1], Operator::I32Const { .. });
            let units = match operator {
                Operator::Loop { .. } | Operator::Else | Operator::End => 0,
                operator => weight(operator),
            };
            let add = |spent: Option<u32>, bound: u32| {
                let sum = spent.map(|spent| spent + units);
                // What weighs more than the bound stands alone.
                assert!(
                    sum.is_none_or(|sum| sum <= bound || spent == Some(0)),
                    "{about}: {sum:?} units at {at} {operator:?}"
                );
                sum
            };
            let after = match operator {
                Operator::Loop { .. } => (Some(0), None),
                Operator::Call { function_index } if *function_index >= imported => {
                    add(since_check, bounds.straight_line_units);
                    add(since_call, bounds.tail_units);
                    (None, Some(0))
                }
                // Of unknown length: wasmtime checks before it. (A short constant length is weighed as nothing here.)
                Operator::MemoryFill { .. } | Operator::MemoryCopy { .. } if !constant => {
                    add(since_check, bounds.straight_line_units);
                    add(since_call, bounds.tail_units);
                    (None, Some(0))
                }
                Operator::CallIndirect { .. } => {
                    let since_call = add(since_call, bounds.tail_units);
                    (add(since_check, bounds.straight_line_units), Some(since_call.unwrap_or(0)))
                }
                _ => (add(since_check, bounds.straight_line_units), add(since_call, bounds.tail_units)),
            };
            for next in self.successors(at) {
                assert!(next > at, "only branches to loops go back");
                let (check, call) = spent[next].unwrap_or((None, None));
                spent[next] = Some((check.max(after.0), call.max(after.1)));
            }
        }
        reachable
    }
}

/// What the pass weighs in the module that comes out: bulk operations that stayed are short.
fn weight(operator: &Operator<'_>) -> u32 {
    match operator {
        Operator::MemoryFill { .. }
        | Operator::MemoryCopy { .. }
        | Operator::MemoryInit { .. }
        | Operator::TableInit { .. }
        | Operator::TableFill { .. }
        | Operator::TableCopy { .. } => cost::bulk(0),
        operator => cost::of(operator),
    }
}

/// Normalises and checks every function; says how many instructions were reachable and how many checks were put in.
fn check(wasm: &[u8], bounds: Bounds, about: &str) -> (usize, usize) {
    let options = Options { checks: Checks::Bounded(bounds), rename_function: &|name| name.into() };
    let rewritten = normalise(wasm, options).unwrap().wasm;
    // Helpers are few and fixed, and fit the real bounds; these tests' bounds are smaller than their straight parts.
    let bodies = |wasm| {
        let payloads = Parser::new(0).parse_all(wasm).map(Result::unwrap);
        payloads.filter(|payload| matches!(payload, Payload::CodeSectionEntry(_))).count()
    };
    let (mut imported, mut reachable, mut inserted, mut programs) = (0, 0, 0, bodies(wasm));
    for payload in Parser::new(0).parse_all(&rewritten) {
        match payload.unwrap() {
            Payload::ImportSection(section) => {
                let types = section.into_imports().map(|import| import.unwrap().ty);
                imported = types.filter(|ty| matches!(ty, wasmparser::TypeRef::Func(_))).count() as u32;
            }
            Payload::CodeSectionEntry(body) if programs > 0 => {
                programs -= 1;
                let graph = Graph::of(&body);
                reachable += graph.assert_bounded(bounds, imported, about);
                let pairs = graph.operators.windows(2);
                let empty = |pair: &&[Operator<'_>]| matches!(pair, [Operator::Loop { .. }, Operator::End]);
                inserted += pairs.filter(empty).count();
            }
            _ => {}
        }
    }
    (reachable, inserted)
}

const BOUNDS: Bounds = Bounds { straight_line_units: 70, tail_units: 40, bulk_bytes: 4, bulk_elements: 3 };

#[test]
fn no_path_of_a_generated_module_exceeds_the_bounds() {
    let (mut reachable, mut inserted, mut state) = (0, 0, 1u64);
    for seed in 0..400 {
        let bytes: Vec<u8> = std::iter::repeat_with(|| {
            // Knuth's linear congruential generator.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .take(4_000)
        .collect();
        let config = wasm_smith::Config {
            reference_types_enabled: false,
            exceptions_enabled: false,
            gc_enabled: false,
            memory64_enabled: false,
            max_instructions: 600,
            min_funcs: 3,
            max_imports: 5,
            ..wasm_smith::Config::default()
        };
        let mut bytes = arbitrary::Unstructured::new(&bytes);
        let Ok(module) = wasm_smith::Module::new(config, &mut bytes) else { continue };
        let wasm = module.to_bytes();
        if wasmparser::Validator::new_with_features(FEATURES).validate_all(&wasm).is_ok() {
            let (more, checks) = check(&wasm, BOUNDS, &format!("seed {seed}"));
            (reachable, inserted) = (reachable + more, inserted + checks);
        }
    }
    assert!(reachable > 15_000 && inserted > 500, "{reachable} instructions, {inserted} checks");
}

#[test]
fn lowered_exceptions_are_bounded() {
    let sums = "(drop (i32.add (i32.const 1) (i32.const 2)))".repeat(12);
    let throwing =
        format!("(call $f (local.get 0)) {sums} (if (local.get 0) (then (throw $t (i32.const 1)))) {sums}");
    let caught =
        format!("(drop (block (result i32) (try_table (catch $t 0) {throwing}) (i32.const 0))) {sums}");
    let older = format!("try {throwing} catch $t (drop) {sums} catch_all rethrow 0 end {sums}");
    for body in [throwing.repeat(20), caught.repeat(20), older.repeat(20)] {
        let text = format!("(module (tag $t (param i32)) (func $f (param i32) {body}))");
        let (_, inserted) = check(&wat::parse_str(&text).unwrap(), BOUNDS, &body[..40]);
        assert!(inserted > 5, "{inserted} in {}", &body[..40]);
    }
}

#[test]
fn branches_around_loops_and_deep_tails_are_bounded() {
    let sums = "(drop (i32.add (i32.const 1) (i32.const 2)))".repeat(12);
    let around = format!("(block (br_if 0 (local.get 0)) (loop)) {sums}").repeat(20);
    let arms = format!("(if (local.get 0) (then (loop) {sums}) (else {sums}))").repeat(20);
    let tails = format!("(call $f (local.get 0)) {sums}").repeat(20);
    let table = format!("(block (block (block (br_table 0 1 2 (local.get 0))) {sums}) (loop {sums})) {sums}")
        .repeat(9);
    for body in [around, arms, tails, table] {
        let text = format!("(module (func $f (param i32) {body}))");
        let (_, inserted) = check(&wat::parse_str(&text).unwrap(), BOUNDS, &body[..40]);
        assert!(inserted > 5, "{inserted} in {}", &body[..40]);
    }
}
