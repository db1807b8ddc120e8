//! The door without protection: it sends everybody to the one with it, path and query kept.

use super::head::{Head, Method};
use super::refusal::plain;

/// The port that an address without one means.
const HTTPS: u16 = 443;

/// The answer to `head`: the same host and target over HTTPS at `port`. The host is a checked name or address and the target
/// printable ASCII that begins with a single `/`, so nothing a client sends leads to another host or adds a field.
pub(super) fn answer(head: &Head, port: u16) -> Vec<u8> {
    // 308 keeps method and body; an old script that only knows 301 asks with GET anyway (RFC 9110, 15.4).
    let (code, name) = match head.method {
        Method::Get | Method::Head => (301, "Moved Permanently"),
        _ => (308, "Permanent Redirect"),
    };
    let host = head.host.host();
    let port = if port == HTTPS { String::new() } else { format!(":{port}") };
    let location = format!("https://{host}{port}{}", head.target);
    plain(code, name, &format!("Location: {location}\r\n"), &format!("{location}\n"), head.method != Method::Head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(line: &str, host: &str, port: u16) -> String {
        let head = Head::parse(format!("{line} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes(), 0).unwrap();
        let answer = String::from_utf8(answer(&head, port)).unwrap();
        let (status, fields) = answer.split_once("\r\n").unwrap();
        let location = fields.split("\r\n").find_map(|field| field.strip_prefix("Location: ")).unwrap();
        format!("{} {location}", status.split(' ').nth(1).unwrap())
    }

    #[test]
    fn path_and_query_are_kept() {
        assert_eq!(
            location("GET /perl/avclient/index.pl?target=new&go=8441", "box:80", 443),
            "301 https://box/perl/avclient/index.pl?target=new&go=8441"
        );
        assert_eq!(location("POST /a", "[::1]", 8443), "308 https://[::1]:8443/a");
    }
}
