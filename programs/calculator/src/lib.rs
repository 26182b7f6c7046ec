//! A server that calculates: the smallest reactor. It works passive and active, as the system description says.
#![no_std]
#![forbid(unsafe_code)]

use hallows_protocols::calculator::{Operation, Refusal, Request, Response};
use hallows_sdk::{Answer, Error, Form, Message, Server, Start};

/// It remembers nothing.
pub struct Calculator;

impl Server for Calculator {
    const INBOX_BYTES: usize = 64;
    const REPLY_BYTES: usize = 64;

    fn new(_: &Start<'_>) -> Result<Self, Error> {
        Ok(Self)
    }

    #[inline]
    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        match Request::parse(message.bytes) {
            Some(request) => message.reply.form(&Response::new(calculate(request))),
            None => Answer::EMPTY,
        }
    }
}

fn calculate(Request { operation, a, b }: Request) -> Result<i64, Refusal> {
    match Operation::from_number(operation).ok_or(Refusal::UnknownOperation)? {
        Operation::Add => a.checked_add(b),
        Operation::Subtract => a.checked_sub(b),
        Operation::Multiply => a.checked_mul(b),
        Operation::Divide if b == 0 => return Err(Refusal::DivisionByZero),
        Operation::Divide => a.checked_div(b),
    }
    .ok_or(Refusal::Overflow)
}

hallows_sdk::server!(Calculator);

#[cfg(test)]
mod tests {
    use super::{Operation, Refusal, Request, calculate};

    fn calculated(operation: Operation, a: i64, b: i64) -> Result<i64, Refusal> {
        calculate(Request { operation: operation as u32, a, b })
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
        assert_eq!(calculate(Request { operation: 9, a: 1, b: 1 }), Err(Refusal::UnknownOperation));
    }
}
