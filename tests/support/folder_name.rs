//! Modified UTF-7 (RFC 3501, 5.1.3), in which folder names travel and in which Dovecot's Maildir++ keeps them.

use super::token::base64;

pub fn to_wire(name: &str) -> String {
    let mut wire = String::new();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let plain = (' '..='~').contains(&first);
        let end = rest.find(|c| (' '..='~').contains(&c) != plain).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        rest = after;
        if plain {
            wire.push_str(&run.replace('&', "&-"));
        } else {
            let utf16: Vec<u8> = run.encode_utf16().flat_map(u16::to_be_bytes).collect();
            wire.push('&');
            wire.push_str(&base64(&utf16).trim_end_matches('=').replace('/', ","));
            wire.push('-');
        }
    }
    wire
}
