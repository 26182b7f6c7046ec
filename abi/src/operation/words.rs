//! An operation of any function, out of numbers: for those who try them all, and want to be understood.

use super::{
    Access, Function, NewCell, OnBudget, OnCell, OnEndpoint, OnNotification, OnObject, OnRegion, OnSpace,
    OnTimer, Operation, Running, Serving,
};
use crate::{Handle, Rights, TimeBudget};

impl Operation {
    /// An operation of a function. Each of its parameters is made of the next number, in their order: cut to its size, 0 for what may be absent, the
    /// remainder for which of several cases. (How a cell runs takes three: 0 on its own time, 1 on its callers', 2 with a budget; and that.)
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "numbers are cut to the size of what they stand for")]
    pub fn from_words(function: Function, mut word: impl FnMut() -> u64) -> Self {
        let some = |word: u64| (word != 0).then_some(word);
        match function {
            Function::ObjectNull => OnObject::Null.into(),
            Function::ObjectIdentify => OnObject::Identify.into(),
            Function::ObjectDestroy => OnObject::Destroy.into(),
            Function::SpaceCopy => OnSpace::Copy { what: Handle(word() as u32) }.into(),
            Function::SpaceMint => {
                let (what, rights) = (Handle(word() as u32), Rights(word() as u16 & Rights::ALL.0));
                OnSpace::Mint { what, rights, badge: word() }.into()
            }
            Function::SpaceMove => OnSpace::Move { what: Handle(word() as u32) }.into(),
            Function::SpaceDelete => OnSpace::Delete { what: Handle(word() as u32) }.into(),
            Function::SpaceRevoke => OnSpace::Revoke { what: Handle(word() as u32) }.into(),
            Function::SpaceIdentify => OnSpace::Identify { what: Handle(word() as u32) }.into(),
            Function::SpaceStartInfo => OnSpace::StartInfo.into(),
            Function::SpaceExit => OnSpace::Exit { status: word() as u32 }.into(),
            Function::SpaceYield => OnSpace::Yield.into(),
            Function::SpaceExpect => OnSpace::Expect { ns: word() }.into(),
            Function::SpaceNow => OnSpace::Now.into(),
            Function::SpaceRandom => OnSpace::Random.into(),
            Function::SpaceLog => OnSpace::Log { length: word() as u32 }.into(),
            Function::EndpointWatch => OnEndpoint::Watch { endpoint: Handle(word() as u32) }.into(),
            Function::EndpointDestroy => OnEndpoint::Destroy { endpoint: Handle(word() as u32) }.into(),
            Function::EndpointReassign => {
                OnEndpoint::Reassign { endpoint: Handle(word() as u32), to_another: word() % 2 == 1 }.into()
            }
            Function::EndpointRecognise => OnEndpoint::Recognise { endpoint: Handle(word() as u32) }.into(),
            Function::BudgetCreateEndpoint => {
                let serving = match word() % 2 {
                    0 => Serving::Active { queue: word() as u16 },
                    _ => Serving::Passive { handler_budget_ns: some(word()) },
                };
                OnBudget::CreateEndpoint { serving, of_another: word() % 2 == 1 }.into()
            }
            Function::BudgetCreateNotification => OnBudget::CreateNotification.into(),
            Function::BudgetCreateTimer => OnBudget::CreateTimer { bits: word() }.into(),
            Function::BudgetCreateRegion => OnBudget::CreateRegion { bytes: word() }.into(),
            Function::BudgetCreateCell => {
                let with_faults = word() % 2 == 1;
                let (memory_bytes, slots, priority) =
                    (word(), some(word()).map(|slots| slots as u32), word() as u8);
                let (form, budget_ns, period_ns) = (word() % 3, word(), word());
                let running = match form {
                    0 => Running::Active(None),
                    1 => Running::Passive,
                    _ => Running::Active(Some(TimeBudget { budget_ns, period_ns })),
                };
                OnBudget::CreateCell { with_faults, new: NewCell { memory_bytes, slots, priority, running } }
                    .into()
            }
            Function::BudgetSplit => OnBudget::Split { bytes: word() }.into(),
            Function::BudgetQuery => OnBudget::Query.into(),
            Function::NotificationSignal => OnNotification::Signal { bits: word() }.into(),
            Function::NotificationBind => OnNotification::Bind { badge: word() }.into(),
            Function::NotificationPoll => OnNotification::Poll.into(),
            Function::TimerArm => OnTimer::Arm { at_ns: word(), every_ns: word(), slack_ns: word() }.into(),
            Function::TimerDisarm => OnTimer::Disarm.into(),
            Function::RegionMap => {
                let address = word();
                let access = if word() % 2 == 1 { Access::ReadWrite } else { Access::Read };
                OnRegion::Map { address, access }.into()
            }
            Function::RegionUnmap => OnRegion::Unmap { address: word() }.into(),
            Function::RegionSize => OnRegion::Size.into(),
            Function::CellGrant => {
                OnCell::Grant { rights: Rights(word() as u16 & Rights::ALL.0), badge: word() }.into()
            }
            Function::CellStart => OnCell::Start { length: word() as u32 }.into(),
            Function::CellKill => OnCell::Kill.into(),
            Function::CellRestart => OnCell::Restart.into(),
            Function::CellInspect => OnCell::Inspect.into(),
        }
    }
}
