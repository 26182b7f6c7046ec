//! A module that was verified: the functions that it answers with.

use serde::{Deserialize, Serialize};
use wasmparser::ValType;

use crate::function::Function;
use crate::refusal::{Reason, Refusal};
use crate::sections::Sections;
use crate::translate::translate;
use crate::{ORDER, QUANTUM_NS};

/// A policy in WebAssembly, verified and translated. As data it goes from who has verified it to the machine, where no WebAssembly is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Module {
    order: Option<Function>,
    quantum_ns: Option<Function>,
}

impl Module {
    /// Verifies a core module (binary). What `order` and `quantum_ns` do not reach is valid, and else not looked at.
    ///
    /// # Errors
    /// [`Refusal`]: it is no policy.
    pub fn verify(wasm: &[u8]) -> Result<Self, Refusal> {
        let sections = Sections::read(wasm)?;
        let function = |number: Option<u32>, name, parameters: &[ValType]| {
            let Some(number) = number else { return Ok(None) };
            let (function, _) =
                sections.function(number).ok_or_else(|| Reason::Export { name }.somewhere())?;
            if function.params() != parameters || function.results() != [ValType::I64] {
                return Err(Reason::Export { name }.somewhere());
            }
            translate(&sections, number).map(Some)
        };
        let order = function(sections.order, ORDER, &[])?;
        let quantum_ns = function(sections.quantum_ns, QUANTUM_NS, &[ValType::I64])?;
        if order.is_none() && quantum_ns.is_none() {
            return Err(Reason::AnswersNothing.somewhere());
        }
        Ok(Self { order, quantum_ns })
    }

    /// Where a thread is put; without it, as they come.
    #[must_use]
    pub const fn order(&self) -> Option<&Function> {
        self.order.as_ref()
    }

    /// For how long a thread runs, in ns; without it, for its class's quantum.
    #[must_use]
    pub const fn quantum_ns(&self) -> Option<&Function> {
        self.quantum_ns.as_ref()
    }
}
