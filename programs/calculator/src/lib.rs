//! A server that calculates: the smallest reactor. It works passive and active, as the system description says.
//!
//! It serves the interface `calc` (`wit/examples/calc.wit`), through its stubs.
#![no_std]
#![forbid(unsafe_code)]

use hallows::{Answer, Error, Message, Server, Start, stub};
use hallows_protocols::calc::{self, Operation, Refusal, Service};

/// It remembers nothing.
pub struct Calculator;

impl Service for Calculator {
    #[inline]
    fn calculate(&mut self, _: stub::Client, operation: Operation, a: i64, b: i64) -> Result<i64, Refusal> {
        match operation {
            Operation::Add => a.checked_add(b),
            Operation::Subtract => a.checked_sub(b),
            Operation::Multiply => a.checked_mul(b),
            Operation::Divide if b == 0 => return Err(Refusal::DivisionByZero),
            Operation::Divide => a.checked_div(b),
        }
        .ok_or(Refusal::Overflow)
    }
}

impl Server for Calculator {
    // Somewhat more than its requests have: whoever sends something else is told so, up to there.
    const INBOX_BYTES: usize = 64;
    const REPLY_BYTES: usize = calc::REPLY_BYTES;

    fn new(_: &Start<'_>) -> Result<Self, Error> {
        Ok(Self)
    }

    #[inline]
    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        calc::serve(self, message)
    }
}

hallows::server!(Calculator);
hallows::serves!(calc);

#[cfg(test)]
mod tests {
    use super::{Calculator, Operation, Refusal, Service};

    fn calculated(operation: Operation, a: i64, b: i64) -> Result<i64, Refusal> {
        Calculator.calculate(hallows::stub::Client { badge: 0 }, operation, a, b)
    }

    #[test]
    fn numbers_that_fit_have_a_result() {
        assert_eq!(calculated(Operation::Add, i64::MAX - 1, 1), Ok(i64::MAX));
        assert_eq!(calculated(Operation::Subtract, 1, 3), Ok(-2));
        assert_eq!(calculated(Operation::Multiply, -6, 7), Ok(-42));
        assert_eq!(calculated(Operation::Divide, -7, 2), Ok(-3));
    }

    #[test]
    fn what_has_no_result_has_a_reason() {
        assert_eq!(calculated(Operation::Add, i64::MAX, 1), Err(Refusal::Overflow));
        assert_eq!(calculated(Operation::Divide, i64::MIN, -1), Err(Refusal::Overflow));
        assert_eq!(calculated(Operation::Divide, 1, 0), Err(Refusal::DivisionByZero));
    }
}
