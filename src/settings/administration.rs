//! Archive administration (Archiv verwalten): what holds for the whole archive.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use super::{Result, SettingsError, store_at};
use crate::archive::Archive;
use crate::language::Lang;

const KEY: &str = "administration";
/// Characters of the archive's name.
pub const NAME_CHARS: usize = 80;

/// A field of a document, by its name: a built-in one, or one that somebody defined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    Title,
    Date,
    From,
    To,
    Cc,
    MediaName,
    Note,
    Other(String),
}

/// What holds for the whole archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Administration {
    /// Shown on every page.
    pub archive_name: String,
    pub language: Lang,
    /// *DNS name for API call*: base of access links, `http://` or `https://` and a host, without a path; empty: the box's
    /// own address.
    pub dns_name: String,
    /// *Title field for API link*; `None`: number and title.
    pub link_title: Option<Field>,
    /// *Field for publishing*: a document whose field is not empty is published.
    pub publishing: Option<Field>,
    /// Published documents open without a login.
    pub is_public: bool,
    /// Published mails too.
    pub public_mails: bool,
}

impl Default for Administration {
    fn default() -> Self {
        Self {
            archive_name: String::new(),
            language: Lang::default(),
            dns_name: String::new(),
            link_title: Some(Field::MediaName),
            publishing: None,
            is_public: false,
            public_mails: false,
        }
    }
}

impl Administration {
    pub fn read(archive: &Archive) -> Result<Self> {
        let stored = archive.view()?.settings(KEY)?;
        let Some((_, value)) = stored.iter().find(|(key, _)| key == KEY) else { return Ok(Self::default()) };
        serde_json::from_slice(value)
            .map_err(|error| SettingsError::Stored { name: KEY.into(), detail: error.to_string() })
    }

    pub fn write(&self, archive: &Archive, who: &str) -> Result<()> {
        let json = serde_json::to_vec(self)
            .map_err(|error| SettingsError::Wrong { place: KEY.into(), what: error.to_string() })?;
        store_at(archive, KEY.into(), Some(json), who)
    }
}

/// Whether access links can begin with this: nothing, or `http://` or `https://`, an IP address or a domain name, and a port
/// if need be. No user, no path.
pub fn is_dns_name(text: &str) -> bool {
    if text.is_empty() {
        return true;
    }
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else { return false };
    let is_port =
        |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0);
    if let Some(rest) = rest.strip_prefix('[') {
        let Some((address, rest)) = rest.split_once(']') else { return false };
        let port_fits = rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port);
        return address.parse::<Ipv6Addr>().is_ok() && port_fits;
    }
    let (host, port) = rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port)));
    port.is_none_or(is_port) && (host.parse::<Ipv4Addr>().is_ok() || is_domain(host))
}

/// Labels of letters, digits and hyphens (RFC 1123, 2.1), also of other scripts; the last one is no number, so that a
/// mistyped IP address is none.
fn is_domain(host: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    host.len() <= 253 && host.split('.').all(is_label) && !last.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_begin_with_a_scheme_and_a_host() {
        for good in [
            "",
            "https://archivistaimnetz.ch",
            "http://192.0.2.7",
            "https://192.0.2.7:8443",
            "https://[2001:db8::1]:8443",
            "http://archiv",
            "https://zürich.example",
        ] {
            assert!(is_dns_name(good), "{good}");
        }
        for bad in [
            "archivistaimnetz.ch",
            "ftp://x.ch",
            "https://",
            "https://x.ch/",
            "https://x.ch/pfad",
            "https://x.ch?a",
            "https://x.ch:",
            "https://x.ch:0",
            "https://x.ch:70000",
            "https://x.ch:+1",
            "https://a@x.ch",
            "https://192.0.2.700",
            "https://-x.ch",
            "https://x..ch",
            "https://x .ch",
            "https://[2001:db8::1",
            "https://[::1]x",
            "javascript://x.ch",
            "https://x.ch\nhttps://y.ch",
        ] {
            assert!(!is_dns_name(bad), "{bad}");
        }
    }
}
