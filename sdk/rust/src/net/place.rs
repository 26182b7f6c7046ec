//! Addresses, as Rust has them and as messages have them.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::protocol::{Address, Place, V6};

/// To a message's form. Flow labels and scopes have none.
impl From<SocketAddr> for Place {
    fn from(address: SocketAddr) -> Self {
        let bits = match address.ip() {
            IpAddr::V4(address) => Address::V4(address.to_bits()),
            IpAddr::V6(address) => {
                let bits = address.to_bits();
                // Cut in two halves on purpose.
                Address::V6(V6 { high: (bits >> 64) as u64, low: bits as u64 })
            }
        };
        Self { address: bits, port: address.port() }
    }
}

/// From a message's form.
impl From<Place> for SocketAddr {
    fn from(place: Place) -> Self {
        let address = match place.address {
            Address::V4(bits) => IpAddr::V4(Ipv4Addr::from_bits(bits)),
            Address::V6(V6 { high, low }) => {
                IpAddr::V6(Ipv6Addr::from_bits(u128::from(high) << 64 | u128::from(low)))
            }
        };
        Self::new(address, place.port)
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
