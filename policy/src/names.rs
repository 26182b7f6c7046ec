//! Names of WebAssembly's instructions, as its text form has them.

use alloc::string::String;

use wasmparser::Operator;

/// What stands before a dot.
const PREFIXES: [&str; 18] = [
    "i32", "i64", "f32", "f64", "v128", "i8x16", "i16x8", "i32x4", "i64x2", "f32x4", "f64x2", "local",
    "global", "table", "memory", "data", "elem", "ref",
];

macro_rules! define_visited {
    ($(@$proposal:ident $operator:ident $({ $($payload:tt)* })? => $visit:ident ($($annotation:tt)*))*) => {
        /// The name of the method that the parser has for an instruction.
        fn visited(operator: &Operator<'_>) -> &'static str {
            match operator {
                $(Operator::$operator { .. } => stringify!($visit),)*
                _ => "visit_unknown",
            }
        }
    };
}
wasmparser::for_each_operator!(define_visited);

/// An instruction's name: `i64.div_u`.
pub fn name(operator: &Operator<'_>) -> String {
    let visited = visited(operator);
    let name = visited.strip_prefix("visit_").unwrap_or(visited);
    match name.split_once('_') {
        Some((prefix, rest)) if PREFIXES.contains(&prefix) => alloc::format!("{prefix}.{rest}"),
        _ => name.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_are_called_as_in_the_text_form() {
        assert_eq!(name(&Operator::I64DivU), "i64.div_u");
        assert_eq!(name(&Operator::MemoryGrow { mem: 0 }), "memory.grow");
        assert_eq!(name(&Operator::CallIndirect { type_index: 0, table_index: 0 }), "call_indirect");
        assert_eq!(name(&Operator::Unreachable), "unreachable");
    }
}
