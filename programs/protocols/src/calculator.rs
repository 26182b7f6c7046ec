//! The calculator: two numbers and an operation, one number or a reason.

/// What to calculate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Operation {
    /// `a + b`
    Add = 1,
    /// `a - b`
    Subtract = 2,
    /// `a * b`
    Multiply = 3,
    /// `a / b`, cut towards zero
    Divide = 4,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 4] = [Self::Add, Self::Subtract, Self::Multiply, Self::Divide];

    /// The operation of this number.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| *operation as u32 == number)
    }

    /// As it is written between its numbers.
    #[must_use]
    pub const fn sign(self) -> char {
        match self {
            Self::Add => '+',
            Self::Subtract => '-',
            Self::Multiply => '*',
            Self::Divide => '/',
        }
    }
}

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Refusal {
    /// Division by zero.
    DivisionByZero = 1,
    /// The result has more than 64 bits.
    Overflow = 2,
    /// There is no operation of this number.
    UnknownOperation = 3,
}

impl Refusal {
    /// Every refusal.
    pub const ALL: [Self; 3] = [Self::DivisionByZero, Self::Overflow, Self::UnknownOperation];
}

hallows_sdk::form! {
    /// A question.
    pub struct Request {
        /// The number of the [`Operation`].
        pub operation: u32,
        /// The left number.
        pub a: i64,
        /// The right number.
        pub b: i64,
    }

    /// Its answer.
    pub struct Response {
        /// 0, or the number of the [`Refusal`].
        pub refusal: u32,
        /// The result, or 0.
        pub value: i64,
    }
}

impl Response {
    /// From a result.
    #[must_use]
    pub fn new(result: Result<i64, Refusal>) -> Self {
        match result {
            Ok(value) => Self { refusal: 0, value },
            Err(refusal) => Self { refusal: refusal as u32, value: 0 },
        }
    }

    /// The result; a refusal of an unknown number is an unknown operation.
    ///
    /// # Errors
    ///
    /// The server's refusal.
    pub fn result(self) -> Result<i64, Refusal> {
        if self.refusal == 0 {
            return Ok(self.value);
        }
        let known = Refusal::ALL.into_iter().find(|refusal| *refusal as u32 == self.refusal);
        Err(known.unwrap_or(Refusal::UnknownOperation))
    }
}

#[cfg(test)]
mod tests {
    use super::{Operation, Refusal, Response};

    #[test]
    fn every_number_names_its_operation() {
        for operation in Operation::ALL {
            assert_eq!(Operation::from_number(operation as u32), Some(operation));
        }
        assert_eq!(Operation::from_number(0), None);
    }

    #[test]
    fn a_result_survives_its_response() {
        for result in [Ok(0), Ok(i64::MIN)].into_iter().chain(Refusal::ALL.map(Err)) {
            assert_eq!(Response::new(result).result(), result);
        }
    }
}
