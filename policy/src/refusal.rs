//! Why a module is no policy: what is wrong, where, and what to do about it.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use crate::function::Trap;
use crate::{
    DEEPEST_CALLS, IMPORT_MODULE, LARGEST_MODULE_BYTES, MOST_CONSTANT_BYTES, MOST_INSTRUCTIONS,
    MOST_REGISTERS, MOST_STEPS, MOST_STEPS_TOGETHER, ORDER, QUANTUM_NS,
};

/// A module that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong.
    pub reason: Reason,
    /// Where, in bytes from the module's begin; nothing of the module as a whole.
    pub offset: Option<usize>,
    /// In which function: its name if the module has names, else its number.
    pub function: Option<Box<str>>,
}

/// What is wrong with a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It has more than [`LARGEST_MODULE_BYTES`].
    TooLarge {
        /// As many.
        bytes: usize,
    },
    /// It is a component, and not a core module.
    Component,
    /// It is no valid module of WebAssembly 2.0.
    Invalid {
        /// As its validator says it.
        message: String,
    },
    /// It exports neither `order` nor `quantum_ns`.
    AnswersNothing,
    /// What it exports under one of these names is no function of the right type.
    Export {
        /// The name.
        name: &'static str,
    },
    /// It imports something that there is not.
    Import {
        /// From where.
        module: Box<str>,
        /// What.
        name: Box<str>,
    },
    /// It imports what there is, as something else.
    ImportType {
        /// What.
        name: &'static str,
        /// The type of its result.
        result: &'static str,
    },
    /// It has a start function.
    Start,
    /// It puts constants where its memory is not.
    ConstantsOutside,
    /// Where it puts constants is known only when it runs.
    ConstantsSomewhere,
    /// Its first and last constant in memory are too far apart.
    ConstantsApart {
        /// Bytes from the begin of the first to the end of the last.
        bytes: u64,
    },
    /// A jump backwards.
    Loop {
        /// Where the loop begins that it goes back to.
        begins: usize,
    },
    /// A function calls itself, by way of others or not.
    Recursion {
        /// The function, as in [`Refusal::function`].
        called: Box<str>,
    },
    /// More calls inside of each other than [`DEEPEST_CALLS`].
    CallsTooDeep,
    /// An instruction that no policy has.
    Instruction {
        /// Its name, as in WebAssembly's text form.
        name: String,
    },
    /// A global whose value is known only when it runs.
    Global,
    /// An instruction that never has a result.
    Traps {
        /// Why.
        trap: Trap,
    },
    /// The longest way through it has more than [`MOST_STEPS`].
    TooLong {
        /// Steps.
        steps: u32,
    },
    /// It has more than [`MOST_STEPS_TOGETHER`].
    TooManySteps,
    /// It needs more than [`MOST_REGISTERS`].
    TooManyRegisters {
        /// As many, or more.
        registers: usize,
    },
    /// It has more than [`MOST_INSTRUCTIONS`], what it calls as often as that is called.
    TooManyInstructions,
}

impl Reason {
    pub(crate) const fn somewhere(self) -> Refusal {
        Refusal { reason: self, offset: None, function: None }
    }

    pub(crate) const fn at(self, offset: usize) -> Refusal {
        Refusal { reason: self, offset: Some(offset), function: None }
    }

    /// What to do about it; nothing where that is plain.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::TooLarge { .. } => "build it optimised and without debugging sections (`strip = true`)",
            Self::Component => "hand in the core module that the component was made from",
            Self::Invalid { .. } | Self::ConstantsOutside => return None,
            Self::AnswersNothing | Self::Export { .. } => {
                "a policy exports `order`, which takes nothing and gives an i64, or `quantum_ns`, which takes an i64 and gives one, or both"
            }
            Self::Import { .. } | Self::ImportType { .. } => {
                "a policy imports functions of the module `candidate`: `cell` and `is_fresh`, which give an i32, `expected_ns` and `ran_ns`, which give an i64"
            }
            Self::Start => "a policy keeps nothing, so there is nothing to make ready",
            Self::ConstantsSomewhere => "put them at addresses that are written down",
            Self::ConstantsApart { .. } => "let the linker put them beside each other, or have fewer",
            Self::Loop { .. } => {
                "a policy has no loops, so that it is known when it ends: count up to a constant, optimised, or write the rounds out"
            }
            Self::Recursion { .. } | Self::CallsTooDeep => {
                "a policy's calls are inlined, so it is known how deep they are"
            }
            Self::Instruction { name } => return Some(instruction_help(name)),
            Self::Global => "let it have a constant",
            Self::Traps { .. } => "write what shall be in that case",
            Self::TooLong { .. }
            | Self::TooManySteps
            | Self::TooManyRegisters { .. }
            | Self::TooManyInstructions => {
                "it is asked at every wake-up: let it do less, and build it optimised"
            }
        })
    }
}

/// Why no policy has an instruction.
fn instruction_help(name: &str) -> &'static str {
    let is = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    // What converts to or from floats names them behind its own type.
    if is(&["f32", "f64", "v128", "x16", "x8", "x4", "x2"]) {
        "orders and quanta are whole numbers: compute with integers"
    } else if is(&[".store", ".set", ".grow", ".fill", ".copy", ".init", ".drop"]) {
        "a policy runs on all cores at the same time and keeps nothing: it decides by what it sees of one thread; a program in Rust keeps its locals out of memory if it is optimised and takes no references to them"
    } else if is(&["indirect", "ref", "return_call"]) {
        "whom a policy calls is known before it runs: call functions by their names"
    } else {
        "a policy computes with whole numbers, looks constants up in memory, jumps forward and calls its own functions"
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes } => {
                write!(formatter, "it has {bytes} bytes, and a policy at most {LARGEST_MODULE_BYTES}")
            }
            Self::Component => write!(formatter, "it is a component"),
            Self::Invalid { message } => write!(formatter, "it is no valid WebAssembly: {message}"),
            Self::AnswersNothing => write!(formatter, "it exports neither `{ORDER}` nor `{QUANTUM_NS}`"),
            Self::Export { name } => {
                write!(formatter, "its export `{name}` is no function of the type that this has")
            }
            // A stranger's texts, for a terminal.
            Self::Import { module, name } => {
                write!(formatter, "there is no import `{}` `{}`", module.escape_debug(), name.escape_debug())
            }
            Self::ImportType { name, result } => {
                write!(
                    formatter,
                    "`{IMPORT_MODULE}` `{name}` is a function that takes nothing and gives an {result}"
                )
            }
            Self::Start => write!(formatter, "it has a start function"),
            Self::ConstantsOutside => write!(formatter, "it has constants behind the end of its memory"),
            Self::ConstantsSomewhere => write!(formatter, "the address of constants is computed"),
            Self::ConstantsApart { bytes } => {
                write!(
                    formatter,
                    "its constants lie in {bytes} bytes of memory, and a policy's in {MOST_CONSTANT_BYTES}"
                )
            }
            Self::Loop { begins } => write!(formatter, "a jump back to the loop that begins at {begins:#x}"),
            Self::Recursion { called } => write!(formatter, "a call of {called}, which has called this"),
            Self::CallsTooDeep => write!(formatter, "more than {DEEPEST_CALLS} calls inside of each other"),
            Self::Instruction { name } => write!(formatter, "`{name}` is nothing that a policy may do"),
            Self::Global => write!(formatter, "a global without a constant"),
            Self::Traps { trap } => write!(formatter, "{trap}, always"),
            Self::TooLong { steps } => {
                write!(
                    formatter,
                    "the longest way through it has {steps} steps, and a policy's at most {MOST_STEPS}"
                )
            }
            Self::TooManySteps => write!(formatter, "it has more than {MOST_STEPS_TOGETHER} steps"),
            Self::TooManyRegisters { registers } => {
                write!(formatter, "it needs {registers} registers or more, and there are {MOST_REGISTERS}")
            }
            Self::TooManyInstructions => {
                write!(formatter, "it has more than {MOST_INSTRUCTIONS} instructions")
            }
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.reason)?;
        if let Some(offset) = self.offset {
            write!(formatter, " (at {offset:#x}")?;
            match &self.function {
                Some(function) => write!(formatter, ", in {function})"),
                None => write!(formatter, ")"),
            }?;
        }
        Ok(())
    }
}

impl core::error::Error for Refusal {}
