//! What each instruction becomes, and what that weighs.
use crate::{
    Checks, cost,
    flow::After,
    helper::{Helper, SharedCall},
    rewrite::Rewriter,
    survey::SegmentLength,
};
use wasmparser::Operator;

/// What an instruction becomes.
pub(crate) enum Replacement {
    /// What it was, with its weight.
    Itself { units: u32 },
    /// A call to a helper.
    Call { function: u32 },
    /// Itself if its length is at most `step`, else a call to a helper.
    Guarded { step: u32, function: u32 },
    /// A segment is dropped: its global says so.
    Drop { left: u32 },
}

impl Rewriter<'_> {
    /// The index of a helper, which is appended if it is not there yet.
    fn helper(&mut self, helper: Helper) -> u32 {
        let next = self.survey.functions + self.survey.added_imports() + self.helpers.len() as u32;
        *self.helpers.entry(helper).or_insert(next)
    }

    /// What an instruction becomes, if not itself. `length` is the constant before it.
    pub(crate) fn replacement(&mut self, operator: &Operator<'_>, length: Option<u32>) -> Replacement {
        let Checks::Bounded(bounds) = self.options.checks else {
            return self.necessary_replacement(operator);
        };
        let short = |step: u32, unit_bytes: u32| {
            let units =
                length.filter(|length| *length <= step).map(|length| length.saturating_mul(unit_bytes));
            units.map(|bytes| Replacement::Itself { units: cost::bulk(bytes) })
        };
        // An entry of a table is a pointer, and copying it takes a handful of instructions.
        let (memory, table) = (short(bounds.bulk_bytes, 1), short(bounds.bulk_elements, 64));
        let guarded = |step: u32, helper: u32| Replacement::Guarded { step, function: helper };
        let (kept, helper) = match *operator {
            // The common ones are short: only the long go through the call.
            Operator::MemoryFill { .. } => {
                return memory.unwrap_or_else(|| guarded(bounds.bulk_bytes, self.helper(Helper::MemoryFill)));
            }
            Operator::MemoryCopy { .. } => {
                return memory.unwrap_or_else(|| guarded(bounds.bulk_bytes, self.helper(Helper::MemoryCopy)));
            }
            Operator::MemoryInit { data_index: segment, .. } => {
                let droppable = matches!(self.survey.data_length(segment), SegmentLength::Global(_));
                (if droppable { None } else { memory }, Helper::MemoryInit { segment })
            }
            Operator::TableInit { elem_index: segment, table: to } => {
                let droppable = matches!(self.survey.element_length(segment), SegmentLength::Global(_));
                (if droppable { None } else { table }, Helper::TableInit { segment, table: to })
            }
            Operator::TableFill { table: to } => (table, Helper::TableFill { table: to }),
            Operator::TableCopy { dst_table: to, src_table: from } => (table, Helper::TableCopy { to, from }),
            Operator::TableGrow { table } => (None, Helper::TableGrow { table }),
            _ => return self.necessary_replacement(operator),
        };
        kept.unwrap_or_else(|| Replacement::Call { function: self.helper(helper) })
    }

    /// The replacements that the engine relies on, checks or not.
    fn necessary_replacement(&mut self, operator: &Operator<'_>) -> Replacement {
        let atomic = |call, memory: &wasmparser::MemArg| {
            // Offsets into a 32-bit memory are 32-bit numbers.
            Helper::Atomic { call, offset: u32::try_from(memory.offset).unwrap_or(u32::MAX) }
        };
        let helper = match operator {
            Operator::DataDrop { data_index } => match self.survey.data_length(*data_index) {
                SegmentLength::Global(left) => return Replacement::Drop { left },
                SegmentLength::Constant(_) => return Replacement::Itself { units: 1 },
            },
            Operator::ElemDrop { elem_index } => match self.survey.element_length(*elem_index) {
                SegmentLength::Global(left) => return Replacement::Drop { left },
                SegmentLength::Constant(_) => return Replacement::Itself { units: 1 },
            },
            Operator::MemoryInit { data_index, .. }
                if matches!(self.survey.data_length(*data_index), SegmentLength::Global(_)) =>
            {
                Helper::MemoryInit { segment: *data_index }
            }
            Operator::TableInit { elem_index, table }
                if matches!(self.survey.element_length(*elem_index), SegmentLength::Global(_)) =>
            {
                Helper::TableInit { segment: *elem_index, table: *table }
            }
            Operator::MemoryAtomicWait32 { memarg } => atomic(SharedCall::Wait32, memarg),
            Operator::MemoryAtomicWait64 { memarg } => atomic(SharedCall::Wait64, memarg),
            Operator::MemoryAtomicNotify { memarg } => atomic(SharedCall::Notify, memarg),
            Operator::MemoryGrow { .. } if self.survey.import_of(SharedCall::Grow).is_some() => {
                Helper::MemoryGrow
            }
            _ => return Replacement::Itself { units: cost::of(operator) },
        };
        Replacement::Call { function: self.helper(helper) }
    }

    /// What an instruction weighs and calls.
    pub(crate) fn weigh(&self, operator: &Operator<'_>, replacement: &Replacement) -> (u32, After) {
        match (replacement, operator) {
            // Both ways a check comes: in the helper, or wasmtime's before a bulk operation of unknown length.
            (Replacement::Call { .. } | Replacement::Guarded { .. }, _) => {
                (cost::HOST_CALL, After::DefinedCall)
            }
            (Replacement::Drop { .. }, _) => (2, After::Continue),
            (Replacement::Itself { units }, Operator::Call { function_index })
                if *function_index >= self.survey.imported_functions =>
            {
                (*units, After::DefinedCall)
            }
            (Replacement::Itself { units }, Operator::CallIndirect { .. }) => (*units, After::EitherCall),
            (Replacement::Itself { units }, _) => (*units, After::Continue),
        }
    }
}
