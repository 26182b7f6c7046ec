//! Asks a calculator for sums of which it knows the results.
//!
//! Granted: `calc`, the calculator's endpoint (SEND and WATCH). Argument `rounds=N` (1): how often to ask for all of them. It ends with
//! status 1 at the first wrong answer. Times are of whole calls, with the two looks at the clock around them.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod times;

use hallows::{Connection, Deadline, Error, Start, log, process};
use hallows_protocols::calc::{self, Operation, Refusal};
use times::Times;

/// Questions and the answers that are due, worked out by hand.
const QUESTIONS: [(Operation, i64, i64, Result<i64, Refusal>); 7] = [
    (Operation::Add, 1, 2, Ok(3)),
    (Operation::Subtract, 1, 2, Ok(-1)),
    (Operation::Multiply, -6, 7, Ok(-42)),
    (Operation::Divide, 100, 7, Ok(14)),
    (Operation::Divide, 1, 0, Err(Refusal::DivisionByZero)),
    (Operation::Add, i64::MAX, 1, Err(Refusal::Overflow)),
    (Operation::Multiply, 1 << 40, 1 << 40, Err(Refusal::Overflow)),
];

hallows::uses!(calc);

#[hallows::main]
fn main(start: Start<'_>) -> Result<(), Error> {
    let calculator = calc::Client(Connection::granted(&start, "calc")?);
    let rounds: u64 = start.setting("rounds", 1)?;
    let mut times = Times::default();
    for round in 0..rounds {
        for (operation, a, b, due) in QUESTIONS {
            let began_ns = process::now()?;
            let answer = calculator.calculate(operation, a, b, Deadline::NEVER)?;
            times.keep(process::now()? - began_ns);
            let sign = sign(operation);
            if answer != due {
                log!("{a} {sign} {b} gave {answer:?} instead of {due:?}");
                return Err(process::exit(1));
            }
            // Only once: a thousand rounds would flood the log.
            if round == 0 {
                match due {
                    Ok(value) => log!("{a} {sign} {b} = {value}"),
                    Err(refusal) => log!("{a} {sign} {b} is refused: {refusal:?}"),
                }
            }
        }
    }
    log!("{times}");
    log!("{} answers, all of them right", rounds.saturating_mul(QUESTIONS.len() as u64));
    Ok(())
}

/// As it is written between its numbers.
const fn sign(operation: Operation) -> char {
    match operation {
        Operation::Add => '+',
        Operation::Subtract => '-',
        Operation::Multiply => '*',
        Operation::Divide => '/',
    }
}
