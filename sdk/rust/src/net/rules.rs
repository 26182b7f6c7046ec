//! Who may listen on which ports and reach which destinations: for services that serve networks, what their arguments say of a badge.

use alloc::vec::Vec;
use core::net::IpAddr;
use core::ops::RangeInclusive;
use core::str::FromStr;

/// Why a rule is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadRule {
    /// It does not begin with a badge.
    Badge,
    /// Something is none of `listen=`, `connect=` and `see=all`.
    Word,
    /// A port or a range of them is none.
    Ports,
    /// A destination is no address with a prefix.
    Destination,
}

impl core::fmt::Display for BadRule {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str(match self {
            Self::Badge => {
                "it begins with the badge of a client, or `operator`: BADGE listen=PORTS connect=DESTINATIONS see=all"
            }
            Self::Word => "behind the badge come listen=PORTS, connect=DESTINATIONS and see=all, one or more",
            Self::Ports => "ports are numbers from 1 to 65535, and ranges: 7,8000-8099",
            Self::Destination => "destinations are addresses with prefixes: 10.0.0.0/8,fd00::/8",
        })
    }
}

impl core::error::Error for BadRule {}

/// Addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination {
    address: IpAddr,
    prefix: u32,
}

impl Destination {
    /// Whether an address is one of them.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        // Of a shift by all bits nothing is left.
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                (own.to_bits() ^ other.to_bits()).checked_shr(32 - self.prefix).unwrap_or(0) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                (own.to_bits() ^ other.to_bits()).checked_shr(128 - self.prefix).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl core::fmt::Display for Destination {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(formatter, "{}/{}", self.address, self.prefix)
    }
}

impl FromStr for Destination {
    type Err = BadRule;

    fn from_str(text: &str) -> Result<Self, BadRule> {
        let (address, prefix) = text.split_once('/').ok_or(BadRule::Destination)?;
        let address: IpAddr = address.parse().map_err(|_| BadRule::Destination)?;
        let prefix = prefix.parse().map_err(|_| BadRule::Destination)?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        if prefix > bits { Err(BadRule::Destination) } else { Ok(Self { address, prefix }) }
    }
}

/// The bit that the badges of cells have which an operator starts while the machine runs; those of a system's cells are lower, those that servers give
/// to what they serve are higher.
pub const STARTED_BADGE: u64 = 1 << 62;
/// The highest bit: a server's own.
const OWN_BADGE: u64 = 1 << 63;

/// Who a rule is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holder {
    Badge(u64),
    /// Whatever an operator starts.
    Operator,
}

impl Holder {
    const fn is(self, badge: u64) -> bool {
        match self {
            Self::Badge(own) => own == badge,
            Self::Operator => badge & (OWN_BADGE | STARTED_BADGE) == STARTED_BADGE,
        }
    }
}

/// What holders of a badge may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    holder: Holder,
    listen: Vec<RangeInclusive<u16>>,
    connect: Vec<Destination>,
    sees_all: bool,
}

impl FromStr for Rule {
    type Err = BadRule;

    fn from_str(text: &str) -> Result<Self, BadRule> {
        let mut words = text.split_ascii_whitespace();
        let holder = match words.next() {
            Some("operator") => Holder::Operator,
            word => Holder::Badge(word.and_then(|word| word.parse().ok()).ok_or(BadRule::Badge)?),
        };
        let mut rule = Self { holder, listen: Vec::new(), connect: Vec::new(), sees_all: false };
        for word in words {
            match word.split_once('=') {
                Some(("listen", list)) => {
                    for ports in list.split(',') {
                        rule.listen.push(parse_ports(ports).ok_or(BadRule::Ports)?);
                    }
                }
                Some(("connect", list)) => {
                    for destination in list.split(',') {
                        rule.connect.push(destination.parse()?);
                    }
                }
                Some(("see", "all")) => rule.sees_all = true,
                _ => return Err(BadRule::Word),
            }
        }
        Ok(rule)
    }
}

fn parse_ports(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first > 0 && first <= last).then_some(first..=last)
}

/// All rules. What none of them allows is not permitted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules(pub Vec<Rule>);

impl Rules {
    /// Whether holders of a badge may have connections or datagrams come to a port.
    #[must_use]
    pub fn may_listen(&self, badge: u64, port: u16) -> bool {
        self.of(badge).any(|rule| rule.listen.iter().any(|ports| ports.contains(&port)))
    }

    /// Whether they may send to an address.
    #[must_use]
    pub fn may_reach(&self, badge: u64, address: IpAddr) -> bool {
        self.of(badge).any(|rule| rule.connect.iter().any(|destination| destination.contains(address)))
    }

    /// Whether they may send anywhere.
    #[must_use]
    pub fn may_send(&self, badge: u64) -> bool {
        self.of(badge).any(|rule| !rule.connect.is_empty())
    }

    /// Whether they are told of the sockets of others.
    #[must_use]
    pub fn may_see_all(&self, badge: u64) -> bool {
        self.of(badge).any(|rule| rule.sees_all)
    }

    fn of(&self, badge: u64) -> impl Iterator<Item = &Rule> {
        self.0.iter().filter(move |rule| rule.holder.is(badge))
    }
}

#[cfg(test)]
mod tests {
    use std::vec;

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn only_what_a_rule_of_the_badge_says_is_permitted() {
        let texts =
            ["3 listen=7,8000-8099", "3 connect=10.0.0.0/8", "4 connect=fd00::/8,0.0.0.0/0 listen=80", "5"];
        let rules = Rules(texts.map(|rule| rule.parse().expect("a rule")).into());
        for (badge, port, may) in [
            (3, 7, true),
            (3, 8_000, true),
            (3, 8_099, true),
            (3, 8_100, false),
            (3, 80, false),
            (4, 80, true),
            (5, 7, false),
            (0, 7, false),
        ] {
            assert_eq!(rules.may_listen(badge, port), may, "{badge} {port}");
        }
        for (badge, to, may) in [
            (3, "10.255.0.1", true),
            (3, "11.0.0.1", false),
            (3, "fd00::1", false),
            (4, "fd12::1", true),
            (4, "fe80::1", false),
            (4, "1.1.1.1", true),
            (5, "10.0.0.1", false),
        ] {
            assert_eq!(rules.may_reach(badge, address(to)), may, "{badge} {to}");
        }
        assert!(rules.may_send(3) && rules.may_send(4) && !rules.may_send(5) && !rules.may_send(9));
    }

    #[test]
    fn a_rule_for_operators_is_for_all_that_they_start_and_for_nobody_else() {
        let rules = Rules(vec![
            "operator connect=0.0.0.0/0 see=all".parse().expect("a rule"),
            "3 listen=7".parse().expect("a rule"),
        ]);
        for (badge, may) in
            [(STARTED_BADGE | 9, true), (9, false), (3, false), (OWN_BADGE | STARTED_BADGE, false)]
        {
            assert_eq!(rules.may_reach(badge, address("10.0.0.1")), may, "{badge:x}");
            assert_eq!(rules.may_see_all(badge), may, "{badge:x}");
        }
    }

    #[test]
    fn what_is_no_rule_is_refused_by_what_is_wrong() {
        for (text, wrong) in [
            ("", BadRule::Badge),
            ("listen=7", BadRule::Badge),
            ("3 listen", BadRule::Word),
            ("3 ports=7", BadRule::Word),
            ("3 see=", BadRule::Word),
            ("operators listen=7", BadRule::Badge),
            ("3 listen=", BadRule::Ports),
            ("3 listen=0", BadRule::Ports),
            ("3 listen=9-7", BadRule::Ports),
            ("3 listen=65536", BadRule::Ports),
            ("3 connect=10.0.0.0", BadRule::Destination),
            ("3 connect=10.0.0.0/33", BadRule::Destination),
            ("3 connect=somewhere/8", BadRule::Destination),
        ] {
            assert_eq!(text.parse::<Rule>(), Err(wrong), "{text}");
        }
        let rule: Rule = "7 listen=1-65535".parse().expect("a rule");
        assert_eq!(rule.listen, vec![1..=65_535]);
    }
}
