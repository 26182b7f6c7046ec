//! Every operation survives its form, and nothing else is one.

extern crate std;

use std::vec;
use std::vec::Vec;

use super::*;
use crate::{AnswerForm, CellState, Reply};

fn every() -> Vec<Operation> {
    let (what, endpoint) = (Handle(7), Handle(u32::MAX));
    let time = TimeBudget { budget_ns: 1, period_ns: u64::MAX };
    let new =
        NewCell { memory_bytes: 3, slots: Some(u32::MAX), priority: 7, running: Running::Active(Some(time)) };
    vec![
        OnObject::Null.into(),
        OnObject::Identify.into(),
        OnObject::Destroy.into(),
        OnSpace::Copy { what }.into(),
        OnSpace::Mint { what, rights: Rights::ALL, badge: u64::MAX }.into(),
        OnSpace::Move { what }.into(),
        OnSpace::Delete { what }.into(),
        OnSpace::Revoke { what }.into(),
        OnSpace::Identify { what }.into(),
        OnSpace::StartInfo.into(),
        OnSpace::Exit { status: 9 }.into(),
        OnSpace::Yield.into(),
        OnSpace::Expect { ns: 7 }.into(),
        OnSpace::Now.into(),
        OnSpace::Random.into(),
        OnSpace::Log { length: 0 }.into(),
        OnEndpoint::Watch { endpoint }.into(),
        OnEndpoint::Destroy { endpoint }.into(),
        OnEndpoint::Reassign { endpoint, to_another: true }.into(),
        OnEndpoint::Reassign { endpoint, to_another: false }.into(),
        OnEndpoint::Recognise { endpoint }.into(),
        OnBudget::CreateEndpoint { serving: Serving::Active { queue: 4_096 }, of_another: false }.into(),
        OnBudget::CreateEndpoint { serving: Serving::Passive { handler_budget_ns: None }, of_another: true }
            .into(),
        OnBudget::CreateEndpoint {
            serving: Serving::Passive { handler_budget_ns: Some(5) },
            of_another: true,
        }
        .into(),
        OnBudget::CreateNotification.into(),
        OnBudget::CreateTimer { bits: 1 << 63 }.into(),
        OnBudget::CreateRegion { bytes: 4_096 }.into(),
        OnBudget::CreateCell { with_faults: true, new }.into(),
        OnBudget::CreateCell {
            with_faults: false,
            new: NewCell { slots: None, running: Running::Active(None), ..new },
        }
        .into(),
        OnBudget::CreateCell { with_faults: false, new: NewCell { running: Running::Passive, ..new } }.into(),
        OnBudget::Split { bytes: 300 }.into(),
        OnBudget::Query.into(),
        OnNotification::Signal { bits: 1 }.into(),
        OnNotification::Bind { badge: 2 }.into(),
        OnNotification::Poll.into(),
        OnTimer::Arm { at_ns: 1, every_ns: 2, slack_ns: 3 }.into(),
        OnTimer::Disarm.into(),
        OnRegion::Map { address: 4_096, access: Access::Read }.into(),
        OnRegion::Map { address: 4_096, access: Access::ReadWrite }.into(),
        OnRegion::Unmap { address: 4_096 }.into(),
        OnRegion::Size.into(),
        OnCell::Grant { rights: Rights::SEND | Rights::WATCH, badge: 3 }.into(),
        OnCell::Start { length: 0 }.into(),
        OnCell::Kill.into(),
        OnCell::Restart.into(),
        OnCell::Inspect.into(),
    ]
}

fn parse(bytes: &[u8]) -> Result<Operation, Error> {
    Operation::parse(&bytes[..bytes.len().min(Operation::MOST_BYTES)], bytes.len())
}

#[test]
fn every_operation_survives_its_form() {
    for operation in every() {
        assert_eq!(parse(&operation.emit()), Ok(operation));
    }
    for function in Function::ALL {
        assert!(every().iter().any(|operation| operation.function() == function), "{function:?}");
        assert_eq!(Function::from_tag(function.tag()), Some(function));
    }
    let most = every().iter().map(|operation| operation.emit().len()).max();
    assert_eq!(most, Some(Operation::MOST_BYTES));
}

/// One byte more or less, and each byte with each other value: another operation of another form, or none.
#[test]
fn no_operation_has_two_forms() {
    for operation in every() {
        let bytes = operation.emit().to_vec();
        for shorter in 0..bytes.len() {
            assert_eq!(parse(&bytes[..shorter]), Err(Error::BadArgument), "{operation:?}");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert_eq!(parse(&longer), Err(Error::BadArgument), "{operation:?}");
        for place in 0..bytes.len() {
            for value in 0..=u8::MAX {
                let mut changed = bytes.clone();
                changed[place] = value;
                match parse(&changed) {
                    Ok(other) => assert_eq!(&other.emit()[..], &changed[..], "{operation:?}"),
                    Err(error) if place < Operation::TAG_BYTES => {
                        assert!(matches!(error, Error::UnknownOperation | Error::BadArgument));
                    }
                    Err(error) => assert_eq!(error, Error::BadArgument),
                }
            }
        }
    }
}

#[test]
fn a_text_is_as_long_as_its_operation_says() {
    for operation in [Operation::from(OnSpace::Log { length: 40 }), OnCell::Start { length: 40 }.into()] {
        let mut bytes = operation.emit().to_vec();
        assert_eq!(bytes.len(), Operation::TEXT_START);
        bytes.extend([b'x'; 39]);
        assert_eq!(parse(&bytes), Err(Error::BadArgument));
        bytes.push(b'x');
        // Of a long message the front is enough.
        assert_eq!(Operation::parse(&bytes[..Operation::TEXT_START], bytes.len()), Ok(operation));
        bytes.push(b'x');
        assert_eq!(parse(&bytes), Err(Error::BadArgument));
    }
    let most = Operation::from(OnSpace::Log { length: u32::MAX });
    assert_eq!(parse(&most.emit()), Err(Error::BadArgument));
}

#[test]
fn every_function_has_an_operation_out_of_any_numbers() {
    for function in Function::ALL {
        for start in [0, 1, u64::MAX] {
            let mut last = start;
            let operation = Operation::from_words(function, || {
                last = last.rotate_left(7) ^ start;
                last
            });
            assert_eq!(operation.function(), function);
            let form = operation.emit();
            assert_eq!(Operation::parse(&form, form.len() + operation.text_bytes()), Ok(operation));
        }
    }
}

#[test]
fn every_answer_survives_its_form_and_is_as_long_as_was_said() {
    let identity = crate::Identity { kind: ObjectKind::Program, rights: Rights::ALL, badge: 1 };
    let account = crate::Account { total_bytes: 1, used_bytes: 2 };
    let inspection = crate::Inspection { state: CellState::Dead, generation: 3, memory_bytes: 4 };
    for (form, reply) in [
        (AnswerForm::Done, Reply::Done),
        (AnswerForm::Capability, Reply::Done),
        (AnswerForm::Handle, Reply::Handle(Handle(3))),
        (AnswerForm::Life, Reply::Life(2)),
        (AnswerForm::Number, Reply::Number(u64::MAX)),
        (AnswerForm::Identity, Reply::Identity(identity)),
        (AnswerForm::Random, Reply::Random([1, 2])),
        (AnswerForm::Account, Reply::Account(account)),
        (AnswerForm::Inspection, Reply::Inspection(inspection)),
    ] {
        let bytes = reply.emit();
        assert_eq!(bytes.len(), form.bytes());
        assert_eq!(Reply::parse(form, &bytes), Some(reply));
        assert_eq!(Reply::parse(form, &bytes[1..]), None);
        let mut other = bytes.to_vec();
        other[0] = 1;
        assert_eq!(Reply::parse(form, &other), None);
        other.push(0);
        assert_eq!(Reply::parse(form, &other), None);
    }
    assert_eq!(Reply::parse_bytes(&[0, 2, 0, 0, 0, 8, 9]), Some(&[8, 9][..]));
    assert_eq!(Reply::parse_bytes(&[0, 2, 0, 0, 0, 8]), None);
    assert_eq!(Reply::parse_bytes(&[1, 0, 0, 0, 0]), None);
}

#[test]
fn kinds_and_states_are_numbered_as_their_cases_are() {
    for (place, kind) in ObjectKind::ALL.into_iter().enumerate() {
        assert_eq!(kind as usize, place + 1);
    }
    for (place, state) in CellState::ALL.into_iter().enumerate() {
        assert_eq!(state as usize, place + 1);
    }
}
