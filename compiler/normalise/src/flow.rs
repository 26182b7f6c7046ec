//! Where straight-line code needs a check: a walk over a function body that knows the worst path to each point.
//!
//! All control flow but branches to loop headers goes forward in the text, and loop headers check. So one walk
//! suffices: it keeps how many units may still run before a check must come, and where paths
//! meet the smaller number holds. A conditional branch around a loop must not be credited with the loop's check; hence the
//! bookkeeping per label instead of a count between loops.
use hallows_artifact::Bounds;
use wasmparser::Operator;

/// Units that may still run on the worst path to a point; `None` where no path leads.
type Remaining = Option<u32>;

/// An open block, by what branches to its label do.
enum Frame {
    /// Branches go forward to its end; the worst of them.
    Forward { exits: Remaining },
    /// Branches go back to its header, which checks.
    Loop,
    /// Like a block; without an `else`, its condition's path goes to the end too.
    If { exits: Remaining, entry: Remaining },
}

/// Whether a check must come before an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    /// The bound holds without.
    NotNeeded,
    /// Put one right before the instruction.
    Insert,
}

/// What an instruction does to the count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// Takes its weight off it.
    Continue,
    /// A function of the module ran, whose entry checked; but it and whatever it called returned without.
    DefinedCall,
    /// Perhaps the one, perhaps the other (an indirect call may reach an import).
    EitherCall,
}

/// The walk over one function body.
pub(crate) struct Flow {
    bounds: Bounds,
    remaining: Remaining,
    frames: Vec<Frame>,
}

impl Flow {
    /// At the entry of a function, which checks.
    pub(crate) fn new(bounds: Bounds) -> Flow {
        // The body itself is a block: branches to its label return.
        Flow {
            bounds,
            remaining: Some(bounds.straight_line_units),
            frames: vec![Frame::Forward { exits: None }],
        }
    }

    /// Passes an instruction that weighs `units`; whether a check must come before it.
    pub(crate) fn operator(&mut self, operator: &Operator<'_>, units: u32, after: After) -> Check {
        match operator {
            // Where an arm or a block ends, paths meet; a check here would stand on one of them only.
            Operator::Else => {
                self.enter_else();
                return Check::NotNeeded;
            }
            Operator::End => {
                self.end();
                return Check::NotNeeded;
            }
            Operator::Loop { .. } => {
                self.enter_loop();
                return Check::NotNeeded;
            }
            _ => {}
        }
        let check = self.pass(units, after);
        match operator {
            Operator::Block { .. } => self.block(),
            Operator::If { .. } => self.enter_if(),
            Operator::Br { relative_depth } => {
                self.branch(*relative_depth);
                self.never();
            }
            Operator::BrIf { relative_depth } => self.branch(*relative_depth),
            Operator::BrTable { targets } => {
                self.branch(targets.default());
                for target in targets.targets().flatten() {
                    self.branch(target);
                }
                self.never();
            }
            Operator::Unreachable
            | Operator::Return
            | Operator::ReturnCall { .. }
            | Operator::ReturnCallIndirect { .. } => self.never(),
            _ => {}
        }
        check
    }

    /// Takes an instruction's weight off.
    fn pass(&mut self, units: u32, after: After) -> Check {
        let Some(remaining) = self.remaining else { return Check::NotNeeded };
        let (check, remaining) = match remaining.checked_sub(units) {
            Some(rest) => (Check::NotNeeded, rest),
            // One that weighs more than the whole bound stands alone between two checks.
            None => (Check::Insert, self.bounds.straight_line_units.saturating_sub(units)),
        };
        let tail = self.bounds.tail_units;
        self.remaining = Some(match after {
            After::Continue => remaining,
            After::DefinedCall => tail,
            After::EitherCall => remaining.min(tail),
        });
        check
    }

    /// Enters a `block`.
    fn block(&mut self) {
        self.frames.push(Frame::Forward { exits: None });
    }

    /// Enters a `loop`; its header checks.
    fn enter_loop(&mut self) {
        self.frames.push(Frame::Loop);
        self.remaining = self.remaining.map(|_| self.bounds.straight_line_units);
    }

    /// Enters an `if`.
    fn enter_if(&mut self) {
        self.frames.push(Frame::If { exits: None, entry: self.remaining });
    }

    /// Turns to the `else` of the innermost `if`.
    fn enter_else(&mut self) {
        if let Some(Frame::If { exits, entry }) = self.frames.pop() {
            self.frames.push(Frame::Forward { exits: worse(exits, self.remaining) });
            self.remaining = entry;
        }
    }

    /// Leaves the innermost block.
    fn end(&mut self) {
        let arriving = match self.frames.pop() {
            Some(Frame::Forward { exits }) => exits,
            Some(Frame::If { exits, entry }) => worse(exits, entry),
            Some(Frame::Loop) | None => None,
        };
        self.remaining = worse(self.remaining, arriving);
    }

    /// A branch to the label `depth` blocks out may be taken here.
    fn branch(&mut self, depth: u32) {
        let index = self.frames.len().checked_sub(1 + depth as usize);
        match index.and_then(|index| self.frames.get_mut(index)) {
            Some(Frame::Forward { exits } | Frame::If { exits, .. }) => {
                *exits = worse(*exits, self.remaining)
            }
            Some(Frame::Loop) | None => {}
        }
    }

    /// The next instruction is not reached from this one.
    fn never(&mut self) {
        self.remaining = None;
    }
}

/// Where two paths meet, the worse one counts.
fn worse(one: Remaining, other: Remaining) -> Remaining {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, None) => one,
        (None, other) => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { straight_line_units: 10, tail_units: 3, bulk_bytes: 1, bulk_elements: 1 };

    fn pass(flow: &mut Flow, units: u32) -> Check {
        flow.pass(units, After::Continue)
    }

    #[test]
    fn a_check_comes_when_the_bound_is_used_up() {
        let mut flow = Flow::new(BOUNDS);
        assert_eq!(pass(&mut flow, 10), Check::NotNeeded);
        assert_eq!(pass(&mut flow, 1), Check::Insert);
        assert_eq!(pass(&mut flow, 9), Check::NotNeeded);
        assert_eq!(pass(&mut flow, 25), Check::Insert);
        assert_eq!(pass(&mut flow, 1), Check::Insert);
    }

    #[test]
    fn a_branch_around_a_loop_is_not_credited_with_its_check() {
        let mut flow = Flow::new(BOUNDS);
        flow.block();
        assert_eq!(pass(&mut flow, 8), Check::NotNeeded);
        flow.branch(0);
        flow.enter_loop();
        assert_eq!(pass(&mut flow, 8), Check::NotNeeded);
        flow.end();
        flow.end();
        assert_eq!(pass(&mut flow, 3), Check::Insert);
    }

    #[test]
    fn an_if_without_else_is_a_path_of_its_own() {
        let mut flow = Flow::new(BOUNDS);
        pass(&mut flow, 6);
        flow.enter_if();
        flow.enter_loop();
        flow.end();
        flow.end();
        assert_eq!(pass(&mut flow, 5), Check::Insert);
    }

    #[test]
    fn both_arms_start_from_the_condition() {
        let mut flow = Flow::new(BOUNDS);
        pass(&mut flow, 6);
        flow.enter_if();
        assert_eq!(pass(&mut flow, 4), Check::NotNeeded);
        flow.enter_else();
        assert_eq!(pass(&mut flow, 3), Check::NotNeeded);
        flow.end();
        assert_eq!(pass(&mut flow, 1), Check::Insert);
    }

    #[test]
    fn unreachable_code_needs_none_and_adds_none() {
        let mut flow = Flow::new(BOUNDS);
        flow.block();
        pass(&mut flow, 2);
        flow.branch(0);
        flow.never();
        assert_eq!(pass(&mut flow, 1000), Check::NotNeeded);
        flow.end();
        assert_eq!(pass(&mut flow, 8), Check::NotNeeded);
        assert_eq!(pass(&mut flow, 1), Check::Insert);
    }

    #[test]
    fn after_a_call_only_the_tail_is_free() {
        let mut flow = Flow::new(BOUNDS);
        assert_eq!(flow.pass(1, After::DefinedCall), Check::NotNeeded);
        assert_eq!(pass(&mut flow, 3), Check::NotNeeded);
        assert_eq!(pass(&mut flow, 1), Check::Insert);
        assert_eq!(pass(&mut flow, 9), Check::NotNeeded);
        // An indirect call may have reached an import, which does not check.
        let mut flow = Flow::new(BOUNDS);
        pass(&mut flow, 8);
        assert_eq!(flow.pass(1, After::EitherCall), Check::NotNeeded);
        assert_eq!(pass(&mut flow, 2), Check::Insert);
    }
}
