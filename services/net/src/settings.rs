//! What the service is told: its addresses, its gateways, and who may do what.

use alloc::vec::Vec;

use hallows_sdk::net::rules::Rules;
use hallows_sdk::{Error, Start, log};
use smoltcp::wire::{IpAddress, IpCidr};

/// Addresses that one interface can have.
const MOST_ADDRESSES: usize = 8;

/// The settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    pub addresses: Vec<IpCidr>,
    pub gateways: Vec<IpAddress>,
    pub rules: Rules,
}

impl Settings {
    /// From the arguments. What is wrong is said in the log.
    pub fn read(start: &Start<'_>) -> Result<Self, Error> {
        let mut settings = Self::default();
        for argument in start.info().arguments() {
            if let Err(why) = settings.take(argument) {
                log!("cannot read the argument `{argument}`: {why}");
                return Err(Error::BadArgument);
            }
        }
        if settings.addresses.is_empty() {
            log!("an address is missing: address=ADDRESS/PREFIX, for example address=10.0.0.2/24");
            return Err(Error::BadArgument);
        }
        Ok(settings)
    }

    fn take(&mut self, argument: &str) -> Result<(), &'static str> {
        match argument.split_once('=') {
            Some(("address", text)) => {
                let address: IpCidr = text.parse().map_err(|()| "it is no address with a prefix")?;
                if !address.address().is_unicast() {
                    return Err("nobody can have this address");
                }
                if self.addresses.len() == MOST_ADDRESSES {
                    return Err("there are eight addresses already");
                }
                self.addresses.push(address);
            }
            Some(("gateway", text)) => {
                let gateway: IpAddress = text.parse().map_err(|()| "it is no address")?;
                if self.gateways.iter().any(|known| known.version() == gateway.version()) {
                    return Err("there is a gateway of this version already");
                }
                self.gateways.push(gateway);
            }
            Some(("allow", text)) => match text.parse() {
                Ok(rule) => self.rules.0.push(rule),
                Err(wrong) => {
                    log!("{wrong}");
                    return Err("it is no rule");
                }
            },
            _ => return Err("there are address=, gateway= and allow="),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_gateways_and_rules_are_taken_and_others_refused() {
        let mut settings = Settings::default();
        for argument in [
            "address=10.0.0.2/24",
            "address=fd00::2/64",
            "gateway=10.0.0.1",
            "gateway=fd00::1",
            "allow=3 listen=7",
        ] {
            assert_eq!(settings.take(argument), Ok(()), "{argument}");
        }
        assert_eq!((settings.addresses.len(), settings.gateways.len(), settings.rules.0.len()), (2, 2, 1));
        for argument in
            ["address=10.0.0.2", "address=224.0.0.1/24", "gateway=10.0.0.3", "gateway=x", "name=x", "x"]
        {
            assert!(settings.take(argument).is_err(), "{argument}");
        }
    }
}
