//! Addresses, as Rust has them and as messages have them.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::protocol::{Address, Place, V6};

/// To a message's form.
impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::V4(address.to_bits()),
            IpAddr::V6(address) => {
                let bits = address.to_bits();
                // Cut in two halves on purpose.
                Self::V6(V6 { high: (bits >> 64) as u64, low: bits as u64 })
            }
        }
    }
}

/// From a message's form.
impl From<Address> for IpAddr {
    fn from(address: Address) -> Self {
        match address {
            Address::V4(bits) => Self::V4(Ipv4Addr::from_bits(bits)),
            Address::V6(V6 { high, low }) => {
                Self::V6(Ipv6Addr::from_bits(u128::from(high) << 64 | u128::from(low)))
            }
        }
    }
}

/// To a message's form. Flow labels and scopes have none.
impl From<SocketAddr> for Place {
    fn from(address: SocketAddr) -> Self {
        Self { address: address.ip().into(), port: address.port() }
    }
}

/// From a message's form.
impl From<Place> for SocketAddr {
    fn from(place: Place) -> Self {
        Self::new(place.address.into(), place.port)
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn addresses_survive_their_form() {
        for text in ["10.1.2.3:7", "[fd00::1:2]:65535", "0.0.0.0:0"] {
            let address: SocketAddr = text.parse().expect("an address");
            assert_eq!(SocketAddr::from(Place::from(address)).to_string(), text);
        }
    }
}
