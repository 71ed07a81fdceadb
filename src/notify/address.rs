//! Which addresses may be pushed to: none that a stranger's URL could use against the network that this machine is in.
//!
//! A host is resolved once, every address that it has is checked, and the connection goes to one of exactly those. Refused
//! is everything but global unicast: this host, private and shared networks, link-local, multicast, documentation,
//! benchmarking and reserved ranges, and IPv6 forms that carry such an IPv4 address (RFC 6890 and the IANA registries of
//! special-purpose addresses), unless the host was allowed by name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Hosts that may be pushed to whatever their address is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed {
    names: Vec<String>,
}

impl Allowed {
    /// Hosts as they stand in URLs: a name or an address, with `:port` for that port alone.
    pub fn new(names: impl IntoIterator<Item = String>) -> Allowed {
        Allowed { names: names.into_iter().map(|name| name.to_ascii_lowercase()).collect() }
    }

    /// Whether a host was allowed by name.
    pub(super) fn has(&self, host: &str, port: u16) -> bool {
        let host = host.to_ascii_lowercase();
        self.names.iter().any(|name| *name == host || *name == format!("{host}:{port}"))
    }
}

/// Whether an address is one of the open internet's.
pub fn is_global(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_global_v4(address),
        IpAddr::V6(address) => is_global_v6(address),
    }
}

fn is_global_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = match (a, b, c) {
        // "This network" (RFC 791), loopback, private use (RFC 1918), multicast and beyond (RFC 1112).
        (0 | 10 | 127, _, _) | (224..=255, _, _) => true,
        // Shared address space of carriers (RFC 6598).
        (100, 64..=127, _) => true,
        // Link-local (RFC 3927): where clouds answer with credentials.
        (169, 254, _) => true,
        (172, 16..=31, _) | (192, 168, _) => true,
        // Protocol assignments (RFC 6890), documentation (RFC 5737), 6to4 relays (RFC 7526), AS112 (RFC 7534, 7535).
        (192, 0, 0 | 2) | (192, 88, 99) | (192, 31, 196) | (192, 52, 193) | (192, 175, 48) => true,
        // Benchmarking (RFC 2544).
        (198, 18 | 19, _) => true,
        (198, 51, 100) | (203, 0, 113) => true,
        _ => false,
    };
    !special
}

fn is_global_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let carried = |high: u16, low: u16| {
        let ([x, y], [z, w]) = (high.to_le_bytes(), low.to_le_bytes());
        is_global_v4(Ipv4Addr::new(y, x, w, z))
    };
    match (a, b) {
        // Mapped (::ffff:a.b.c.d) and translated (::ffff:0:a.b.c.d) IPv4; all else in ::/8 is this host or reserved.
        (0, 0) if (c, d, e, f) == (0, 0, 0, 0xFFFF) || (c, d, e, f) == (0, 0, 0xFFFF, 0) => carried(g, h),
        // Well-known translation prefix (RFC 6052); the local one (RFC 8215) is private.
        (0x0064, 0xFF9B) if (c, d, e, f) == (0, 0, 0, 0) => carried(g, h),
        // 6to4 (RFC 3056) carries the address in its prefix.
        (0x2002, _) => carried(b, c),
        // Teredo, ORCHID, benchmarking, protocol assignments (2001::/23) and documentation (2001:db8::/32, 3fff::/20).
        (0x2001, 0..=0x01FF | 0x0DB8) => false,
        (0x3FFF, 0..=0x0FFF) => false,
        // Global unicast (RFC 4291): all the rest is this host, local, multicast or reserved.
        (0x2000..=0x3FFF, _) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V4: [&str; 65] = [
        "0.0.0.0",
        "0.0.0.1",
        "0.255.255.255",
        "10.0.0.0",
        "10.0.0.1",
        "10.1.2.3",
        "10.255.255.255",
        "100.64.0.0",
        "100.64.0.1",
        "100.100.100.200",
        "100.127.255.255",
        "127.0.0.0",
        "127.0.0.1",
        "127.0.0.53",
        "127.1.1.1",
        "127.255.255.254",
        "127.255.255.255",
        "169.254.0.0",
        "169.254.0.1",
        "169.254.169.254",
        "169.254.170.2",
        "169.254.255.255",
        "172.16.0.0",
        "172.16.0.1",
        "172.17.0.1",
        "172.20.10.2",
        "172.31.255.255",
        "192.0.0.0",
        "192.0.0.1",
        "192.0.0.8",
        "192.0.0.170",
        "192.0.0.255",
        "192.0.2.0",
        "192.0.2.1",
        "192.0.2.255",
        "192.31.196.1",
        "192.52.193.1",
        "192.88.99.0",
        "192.88.99.1",
        "192.88.99.255",
        "192.168.0.0",
        "192.168.0.1",
        "192.168.1.1",
        "192.168.255.255",
        "192.175.48.1",
        "198.18.0.0",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.0",
        "198.51.100.1",
        "198.51.100.255",
        "203.0.113.0",
        "203.0.113.1",
        "203.0.113.255",
        "224.0.0.0",
        "224.0.0.1",
        "224.0.0.251",
        "232.1.1.1",
        "239.255.255.250",
        "239.255.255.255",
        "240.0.0.0",
        "240.0.0.1",
        "250.1.2.3",
        "255.255.255.254",
        "255.255.255.255",
    ];
    /// IPv4 addresses inside IPv6 ones: mapped, translated, local translation prefix, 6to4, compatible.
    const CARRIED: [&str; 60] = [
        "::ffff:127.0.0.1",
        "::ffff:0:7f00:1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::1",
        "::7f00:1",
        "::ffff:10.0.0.1",
        "::ffff:0:a00:1",
        "64:ff9b::a00:1",
        "2002:a00:1::1",
        "::a00:1",
        "::ffff:169.254.169.254",
        "::ffff:0:a9fe:a9fe",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "::a9fe:a9fe",
        "::ffff:192.168.1.1",
        "::ffff:0:c0a8:101",
        "64:ff9b::c0a8:101",
        "2002:c0a8:101::1",
        "::c0a8:101",
        "::ffff:172.16.0.1",
        "::ffff:0:ac10:1",
        "64:ff9b::ac10:1",
        "2002:ac10:1::1",
        "::ac10:1",
        "::ffff:100.64.0.1",
        "::ffff:0:6440:1",
        "64:ff9b::6440:1",
        "2002:6440:1::1",
        "::6440:1",
        "::ffff:0.0.0.0",
        "::ffff:0:0:0",
        "64:ff9b::0:0",
        "2002:0:0::1",
        "::0:0",
        "::ffff:224.0.0.1",
        "::ffff:0:e000:1",
        "64:ff9b::e000:1",
        "2002:e000:1::1",
        "::e000:1",
        "::ffff:255.255.255.255",
        "::ffff:0:ffff:ffff",
        "64:ff9b::ffff:ffff",
        "2002:ffff:ffff::1",
        "::ffff:ffff",
        "::ffff:198.18.0.1",
        "::ffff:0:c612:1",
        "64:ff9b::c612:1",
        "2002:c612:1::1",
        "::c612:1",
        "::ffff:203.0.113.1",
        "::ffff:0:cb00:7101",
        "64:ff9b::cb00:7101",
        "2002:cb00:7101::1",
        "::cb00:7101",
        "::ffff:192.0.2.1",
        "::ffff:0:c000:201",
        "64:ff9b::c000:201",
        "2002:c000:201::1",
        "::c000:201",
    ];
    const V6: [&str; 50] = [
        "::",
        "::1",
        "::2",
        "::ffff:0:0",
        "100::",
        "100::1",
        "64:ff9b:1::1",
        "64:ff9b:1::7f00:1",
        "fc00::",
        "fc00::1",
        "fd00::1",
        "fd12:3456:789a::1",
        "fdff:ffff::1",
        "fe80::",
        "fe80::1",
        "fe80::1:2:3:4",
        "febf::1",
        "fec0::1",
        "feff::1",
        "ff00::",
        "ff01::1",
        "ff02::1",
        "ff02::fb",
        "ff05::2",
        "ff0e::1",
        "2001::",
        "2001::1",
        "2001:0:1::1",
        "2001:2::1",
        "2001:3::1",
        "2001:4:112::1",
        "2001:10::1",
        "2001:20::1",
        "2001:db8::",
        "2001:db8::1",
        "2001:db8:ffff::1",
        "3fff::1",
        "3fff:fff::1",
        "4000::1",
        "5f00::1",
        "8000::1",
        "a000::1",
        "c000::1",
        "e000::1",
        "f000::1",
        "f800::1",
        "200::1",
        "400::1",
        "1000::1",
        "1fff::1",
    ];
    const GLOBAL: [&str; 38] = [
        "1.1.1.1",
        "8.8.8.8",
        "9.9.9.9",
        "11.0.0.1",
        "93.184.216.34",
        "100.63.255.255",
        "100.128.0.1",
        "126.255.255.255",
        "128.0.0.1",
        "169.253.255.255",
        "169.255.0.1",
        "172.15.255.255",
        "172.32.0.1",
        "191.255.255.255",
        "192.0.1.1",
        "192.0.3.1",
        "192.88.98.1",
        "192.167.255.255",
        "192.169.0.1",
        "198.17.255.255",
        "198.20.0.1",
        "198.51.99.1",
        "198.51.101.1",
        "203.0.112.1",
        "203.0.114.1",
        "223.255.255.255",
        "2001:200::1",
        "2001:4860:4860::8888",
        "2400:3200::1",
        "2606:4700:4700::1111",
        "2a00:1450::1",
        "2c0f:f248::1",
        "3ffe::1",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2002:808:808::1",
        "2001:db7::1",
        "2001:db9::1",
    ];

    #[test]
    fn special_addresses_are_told_from_global_ones() {
        let denied = V4.iter().chain(&CARRIED).chain(&V6);
        let wrong: Vec<&&str> = denied.filter(|text| is_global(text.parse().unwrap())).collect();
        assert!(wrong.is_empty(), "let through: {wrong:?}");
        let wrong: Vec<&&str> = GLOBAL.iter().filter(|text| !is_global(text.parse().unwrap())).collect();
        assert!(wrong.is_empty(), "refused: {wrong:?}");
    }

    #[test]
    fn names_that_are_allowed() {
        let allowed = Allowed::new(["NAS.local".to_owned(), "10.0.0.7:8080".to_owned()]);
        assert!(allowed.has("nas.LOCAL", 80) && allowed.has("nas.local", 8443) && allowed.has("10.0.0.7", 8080));
        assert!(!allowed.has("10.0.0.7", 80) && !allowed.has("evil.nas.local", 80) && !allowed.has("nas.local.", 80));
    }
}
