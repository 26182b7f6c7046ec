//! What the service is told: its addresses, its gateways, its servers of names, and who may do what.

use alloc::vec::Vec;

use hallows_sdk::net::rules::Rules;
use hallows_sdk::{Error, Start, log};
use smoltcp::wire::{IpAddress, IpCidr};

use crate::sockets::MOST_SERVERS;

/// Addresses that one interface can have.
const MOST_ADDRESSES: usize = 8;

/// The settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    pub addresses: Vec<IpCidr>,
    /// Whether one more, of version 4, is asked for by DHCP.
    pub is_leased: bool,
    pub gateways: Vec<IpAddress>,
    /// Of names.
    pub servers: Vec<IpAddress>,
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
        if settings.addresses.is_empty() && !settings.is_leased {
            log!(
                "an address is missing: address=ADDRESS/PREFIX, for example address=10.0.0.2/24, or address=dhcp"
            );
            return Err(Error::BadArgument);
        }
        Ok(settings)
    }

    fn take(&mut self, argument: &str) -> Result<(), &'static str> {
        match argument.split_once('=') {
            Some(("address", "dhcp")) => {
                if self.is_leased {
                    return Err("one address is asked for by DHCP already");
                }
                self.has_room()?;
                self.is_leased = true;
            }
            Some(("address", text)) => {
                let address: IpCidr = text.parse().map_err(|()| "it is no address with a prefix")?;
                if !address.address().is_unicast() {
                    return Err("nobody can have this address");
                }
                self.has_room()?;
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
            Some(("dns", text)) => {
                let server: IpAddress = text.parse().map_err(|()| "it is no address")?;
                if !server.is_unicast() {
                    return Err("nobody can have this address");
                }
                if self.servers.len() == MOST_SERVERS {
                    return Err("there are four servers of names already");
                }
                self.servers.push(server);
            }
            _ => return Err("there are address=, gateway=, dns= and allow="),
        }
        Ok(())
    }

    fn has_room(&self) -> Result<(), &'static str> {
        let count = self.addresses.len() + usize::from(self.is_leased);
        if count < MOST_ADDRESSES { Ok(()) } else { Err("there are eight addresses already") }
    }
}

#[cfg(test)]
mod tests {
    use std::format;

    use super::*;

    #[test]
    fn addresses_gateways_and_rules_are_taken_and_others_refused() {
        let mut settings = Settings::default();
        for argument in [
            "address=10.0.0.2/24",
            "address=fd00::2/64",
            "gateway=10.0.0.1",
            "gateway=fd00::1",
            "address=dhcp",
            "dns=10.0.0.1",
            "dns=fd00::1",
            "allow=3 listen=7",
        ] {
            assert_eq!(settings.take(argument), Ok(()), "{argument}");
        }
        assert_eq!((settings.addresses.len(), settings.gateways.len(), settings.rules.0.len()), (2, 2, 1));
        assert_eq!((settings.is_leased, settings.servers.len()), (true, 2));
        for argument in [
            "address=10.0.0.2",
            "address=224.0.0.1/24",
            "address=dhcp",
            "gateway=10.0.0.3",
            "gateway=x",
            "dns=x",
            "dns=0.0.0.0",
            "dns=255.255.255.255",
            "name=x",
            "x",
        ] {
            assert!(settings.take(argument).is_err(), "{argument}");
        }
        for number in 0..5 {
            assert_eq!(settings.take(&format!("address=10.0.1.{number}/24")), Ok(()));
        }
        assert!(settings.take("address=10.0.2.1/24").is_err(), "with the one by DHCP there are eight");
        assert!(settings.take("dns=10.0.0.3").is_ok() && settings.take("dns=10.0.0.4").is_ok());
        assert!(settings.take("dns=10.0.0.5").is_err());
    }
}
