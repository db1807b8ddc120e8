//! Addresses of Graph: paths that we build, links that the server gives.

use std::fmt::Write;

use ureq::http::Uri;

use super::trouble::Trouble;
use crate::source::error::words;
use crate::source::{Result, SourceError};

/// One segment of a path: everything that could mean something else is percent-encoded.
pub fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@=".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// A user by object id or user principal name. One that starts with `$` cannot stand as a segment.
/// <https://learn.microsoft.com/graph/api/user-get#request>
pub fn user(name: &str) -> String {
    if name.starts_with('$') {
        format!("/v1.0/users('{}')", segment(&name.replace('\'', "''")))
    } else {
        format!("/v1.0/users/{}", segment(name))
    }
}

/// Checks that a link of the server leads to `base`, where alone the token may be sent. The link itself stays as it is.
pub fn link<'a>(base: &str, link: &'a str) -> Result<&'a str> {
    let place = |text: &str| -> Option<(String, String, u16)> {
        let uri: Uri = text.parse().ok()?;
        let (scheme, authority) = (uri.scheme_str()?.to_ascii_lowercase(), uri.authority()?);
        // A name in front of the host would become a second credential.
        if authority.as_str().contains('@') {
            return None;
        }
        let port = authority.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
        Some((scheme, authority.host().to_ascii_lowercase(), port))
    };
    match (place(base), place(link)) {
        (Some(ours), Some(theirs)) if ours == theirs => Ok(link),
        (_, Some((scheme, host, port))) => Err(Trouble::OtherHost { host: format!("{scheme}://{host}:{port}") }.into()),
        (_, None) => {
            let detail = format!("a link that is none: {}", words(link.get(..100).unwrap_or(link).as_bytes()));
            Err(SourceError::Protocol { detail })
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn users() {
        assert_eq!(user("a@example.ch"), "/v1.0/users/a@example.ch");
        assert_eq!(user("b_x.ch#EXT#@c.onmicrosoft.com"), "/v1.0/users/b_x.ch%23EXT%23@c.onmicrosoft.com");
        assert_eq!(user("$x'y@c.ch"), "/v1.0/users('%24x%27%27y@c.ch')");
        assert_eq!(segment("AAMk-_/+= ü"), "AAMk-_%2F%2B=%20%C3%BC");
    }

    #[test]
    fn links_stay_on_the_host() {
        let base = "https://graph.microsoft.com";
        for good in [
            "https://graph.microsoft.com/v1.0/users('1')/mailfolders('AQMk=')/messages/delta?$skiptoken=a%20b",
            "https://GRAPH.microsoft.com:443/v1.0/x",
        ] {
            assert_eq!(link(base, good).unwrap(), good);
        }
        for bad in [
            "http://graph.microsoft.com/v1.0/x",
            "https://graph.microsoft.com:444/x",
            "https://graph.microsoft.com.example.org/x",
            "https://graph.microsoft.com@example.org/x",
            "https://x@graph.microsoft.com/x",
            "//graph.microsoft.com/x",
            "/v1.0/users",
            "",
        ] {
            assert!(link(base, bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_link_is_a_panic(text in ".*") {
            let _ = link("https://graph.microsoft.com", &text);
            let _ = user(&text).parse::<Uri>();
        }
    }
}
