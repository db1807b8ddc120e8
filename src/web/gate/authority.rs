//! The value of a `Host` field: the only foreign text that may become part of an address we send people to.

use std::fmt;
use std::net::Ipv6Addr;

/// A host, and the port if one was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// Name or IPv4 address, or an IPv6 address in brackets, as the client wrote it.
    host: String,
    port: Option<u16>,
}

impl Authority {
    /// Reads `name`, `name:port`, `192.0.2.1`, `[2001:db8::1]:port`. Anything else is `None`: no user, no path, no empty
    /// port, no port 0, no zone.
    pub fn parse(value: &str) -> Option<Self> {
        let (host, port) = if value.starts_with('[') {
            let (address, rest) = value.get(1..)?.split_once(']')?;
            address.parse::<Ipv6Addr>().ok()?;
            let port = if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) };
            (value.get(..address.len() + 2)?, port)
        } else {
            let (host, port) = value.split_once(':').map_or((value, None), |(host, port)| (host, Some(port)));
            let is_label = |label: &str| {
                (1..=63).contains(&label.len())
                    && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            };
            // A name may end with the dot of the root.
            let labels = host.strip_suffix('.').unwrap_or(host);
            if host.len() > 254 || !labels.split('.').all(is_label) {
                return None;
            }
            (host, port)
        };
        let port = match port {
            None => None,
            Some(digits) if (1..=5).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(digits.parse::<u16>().ok().filter(|port| *port > 0)?)
            }
            Some(_) => return None,
        };
        Some(Self { host: host.to_owned(), port })
    }

    /// Name or address; IPv6 in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn port(&self) -> Option<u16> {
        self.port
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.host)?;
        self.port.map_or(Ok(()), |port| write!(out, ":{port}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_and_a_port() {
        for sound in [
            "box",
            "archivista.local",
            "archivista.local.",
            "a_b-c.example:8443",
            "192.0.2.1",
            "192.0.2.1:80",
            "[::1]",
            "[2001:db8::1]:65535",
        ] {
            assert_eq!(Authority::parse(sound).map(|host| host.to_string()).as_deref(), Some(sound));
        }
    }

    #[test]
    fn nothing_else_is_a_host() {
        for broken in [
            "",
            ".",
            "a..b",
            "-:",
            "a:",
            "a:0",
            "a:+1",
            "a:65536",
            "a:000080",
            "a:80:80",
            "a b",
            "a/b",
            "a@b",
            "a?b",
            "a#b",
            "a\\b",
            "a\"b",
            "[::1",
            "::1",
            "[::1]x",
            "[fe80::1%eth0]",
            "[1.2.3.4]",
            "[]",
            "ä",
            "a\r\nb",
            "a,b",
            "a%2eb",
        ] {
            assert_eq!(Authority::parse(broken), None, "{broken}");
        }
    }
}
