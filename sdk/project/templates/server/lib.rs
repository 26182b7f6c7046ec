//! A server that adds numbers up, and remembers how often it did.
#![cfg_attr(target_arch = "wasm32", no_std)]

use hallows::{Answer, Error, Form, Message, Server, Start};

hallows::form! {
    /// What it is asked.
    pub struct Add {
        pub a: i64,
        pub b: i64,
    }

    /// What it answers.
    pub struct Sum {
        pub sum: i64,
        /// How many sums it has made, with this one.
        pub count: u64,
    }
}

/// Its state. It is made anew when the server is restarted.
#[derive(Default)]
pub struct Adder {
    count: u64,
}

impl Server for Adder {
    fn new(_: &Start<'_>) -> Result<Self, Error> {
        Ok(Self::default())
    }

    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        // No bytes: it does not understand.
        let Some(Add { a, b }) = Add::parse(message.bytes) else { return Answer::EMPTY };
        self.count += 1;
        message.reply.form(&Sum { sum: a.wrapping_add(b), count: self.count })
    }
}

hallows::server!(Adder);

#[cfg(test)]
mod tests {
    use super::{Add, Adder, Form, Sum};

    #[test]
    fn it_adds_and_counts() {
        let mut adder = Adder::default();
        for (a, b, sum, count) in [(1, 2, 3, 1), (-5, 5, 0, 2)] {
            let answer = hallows_testing::ask(&mut adder, &Add { a, b }.emit()).expect("it answers at once");
            assert_eq!(Sum::parse(&answer), Some(Sum { sum, count }));
        }
        assert_eq!(hallows_testing::ask(&mut adder, b"what?"), Some(vec![]));
    }
}
