//! A question for the addresses of a name, which the parent answers.

use std::net::IpAddr;

use hallows_sdk::net::READABLE;
use hallows_sdk::net::protocol::{Address, Refusal};

/// A question.
#[derive(Debug)]
pub(super) struct Lookup {
    /// The badge by which its maker holds the network.
    owner: u64,
    /// When there is one.
    answer: Option<Result<Vec<Address>, Refusal>>,
}

impl Lookup {
    /// One that nobody has answered.
    pub const fn new(owner: u64) -> Self {
        Self { owner, answer: None }
    }

    /// Its answer: the addresses among these that its owner may reach.
    pub fn found(&mut self, found: Result<Vec<IpAddr>, Refusal>, may_reach: impl Fn(u64, IpAddr) -> bool) {
        self.answer = Some(found.and_then(|found| {
            let permitted = found.into_iter().filter(|address| may_reach(self.owner, address.to_canonical()));
            let permitted: Vec<Address> = permitted.map(Address::from).collect();
            if permitted.is_empty() { Err(Refusal::NotPermitted) } else { Ok(permitted) }
        }));
    }

    /// What there is for whoever waits: bits of its bell.
    pub fn ready(&self) -> u64 {
        if self.answer.is_some() { READABLE } else { 0 }
    }

    /// The addresses, at least one.
    pub fn addresses(&self) -> Result<&[Address], Refusal> {
        match &self.answer {
            Some(Ok(addresses)) => Ok(addresses),
            Some(Err(why)) => Err(*why),
            None => Err(Refusal::NotNow),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_the_addresses_that_its_owner_may_reach() {
        let found: Vec<IpAddr> =
            ["10.0.0.1", "::1", "::ffff:10.0.0.2"].map(|text| text.parse().unwrap()).into();
        let answer = |owner| {
            let mut lookup = Lookup::new(owner);
            assert_eq!((lookup.ready(), lookup.addresses()), (0, Err(Refusal::NotNow)));
            let may_reach = |owner, address: IpAddr| match owner {
                1 => true,
                2 => address.is_ipv4(),
                _ => false,
            };
            lookup.found(Ok(found.clone()), may_reach);
            assert_eq!(lookup.ready(), READABLE);
            lookup.addresses().map(|addresses| addresses.iter().copied().map(IpAddr::from).collect())
        };
        assert_eq!(answer(1), Ok(found.clone()));
        assert_eq!(answer(2), Ok(vec![found[0], found[2]]));
        assert_eq!(answer(3), Err(Refusal::NotPermitted));
        let mut lookup = Lookup::new(1);
        lookup.found(Err(Refusal::NoAddress), |_, _| true);
        assert_eq!(lookup.addresses(), Err(Refusal::NoAddress));
    }
}
