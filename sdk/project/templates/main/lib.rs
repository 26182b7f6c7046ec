//! Greets everybody whom it is told of.
#![cfg_attr(target_arch = "wasm32", no_std)]

use hallows::{Error, Start, println};

#[hallows::main]
fn main(start: Start) -> Result<(), Error> {
    for name in start.info().arguments() {
        println!("hello, {name}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use hallows_testing::Machine;

    #[test]
    fn it_greets_everybody() {
        let ended = Machine::new().argument("Ada").argument("Grace").run(|| crate::PROGRAM.run());
        assert_eq!(ended.log, ["hello, Ada", "hello, Grace"]);
        assert_eq!(ended.status, 0);
    }
}
