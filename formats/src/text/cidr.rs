//! Addresses and networks.

use std::net::IpAddr;

use ipnet::IpNet;

/// A network such as `10.0.0.0/8`, `fe80::/10` or the single address `192.168.1.1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(IpNet);

impl Network {
    /// The network that a text names; bits behind the prefix do not count.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let network = match text.contains('/') {
            true => text.parse().ok()?,
            false => IpNet::from(text.parse::<IpAddr>().ok()?),
        };
        Some(Self(network))
    }

    /// Whether an address is in the network; nothing when `text` is no address. An IPv4 address
    /// that is written as one of IPv6, `::ffff:10.0.0.1`, is in IPv4 networks too. A scope, as in
    /// `fe80::1%eth0`, is left out.
    pub fn contains(&self, text: &str) -> Option<bool> {
        let text = text.trim();
        let address = text.split_once('%').map_or(text, |(address, _)| address);
        let address: IpAddr = address.parse().ok()?;
        Some(self.0.contains(&address) || self.0.contains(&address.to_canonical()))
    }
}

/// Whether address `ip` is in network `cidr`; nothing when one of them is none.
pub fn ip_in_cidr(ip: &str, cidr: &str) -> Option<bool> {
    Network::parse(cidr)?.contains(ip)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_are_in_networks() {
        let check = |ip, cidr, expected| assert_eq!(ip_in_cidr(ip, cidr), expected, "{ip} {cidr}");
        check("10.1.2.3", "10.0.0.0/8", Some(true));
        check("10.1.2.3", "10.9.9.9/8", Some(true));
        check("11.1.2.3", "10.0.0.0/8", Some(false));
        check("1.2.3.4", "0.0.0.0/0", Some(true));
        check("1.2.3.4", "1.2.3.4", Some(true));
        check("1.2.3.5", "1.2.3.4/32", Some(false));
        check("fe80::1%eth0", "fe80::/10", Some(true));
        check("2001:db8::1", "2001:db8::/32", Some(true));
        check("1.2.3.4", "::/0", Some(false));
        check("::ffff:10.0.0.1", "10.0.0.0/8", Some(true));
        check("::ffff:10.0.0.1", "::ffff:0:0/96", Some(true));
        check("example.com", "10.0.0.0/8", None);
        check("10.0.0.256", "10.0.0.0/8", None);
        check("10.0.0.1", "10.0.0.0/33", None);
        check("10.0.0.1", "10.0/8", None);
    }

    proptest! {
        #[test]
        fn it_is_the_first_bits_that_count(ip: u32, other: u32, bits in 0..=32_u32) {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            let cidr = format!("{}/{bits}", Ipv4Addr::from(other));
            let expected = ip & mask == other & mask;
            prop_assert_eq!(ip_in_cidr(&Ipv4Addr::from(ip).to_string(), &cidr), Some(expected));
        }

        #[test]
        fn so_it_is_with_version_6(ip: u128, flipped in 0..128_u32, bits in 0..=128_u32) {
            let other = Ipv6Addr::from(ip ^ (1 << (127 - flipped)));
            let cidr = format!("{}/{bits}", Ipv6Addr::from(ip));
            // The other address is a flip away, which is in front of the prefix or behind it.
            if other.to_ipv4_mapped().is_none() {
                prop_assert_eq!(ip_in_cidr(&other.to_string(), &cidr), Some(flipped >= bits));
            }
        }

        #[test]
        fn no_text_panics(ip in "[0-9a-f.:%/]{0,20}|\\PC{0,20}", cidr in "[0-9a-f.:/]{0,20}") {
            let _ = ip_in_cidr(&ip, &cidr);
        }
    }
}
