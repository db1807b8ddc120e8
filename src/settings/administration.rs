//! Archive administration (Archiv verwalten): what holds for the whole archive.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::networks::Networks;
use super::{Result, read_json, write_json};
use crate::archive::Archive;
use crate::archive::commit::Metadata;
use crate::archive::rows;
use crate::language::Lang;

const KEY: &str = "administration";
/// The zone of an archive for which nobody chose one.
pub const ZONE: &str = "Europe/Zurich";
/// The other names of the time zone database are old ones or of no place.
const REGIONS: [&str; 10] =
    ["Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"];
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

/// The fields that every document has.
pub const BUILT_IN: [Field; 7] =
    [Field::Title, Field::Date, Field::From, Field::To, Field::Cc, Field::MediaName, Field::Note];

impl Field {
    /// Its name among all fields, as forms and addresses carry it.
    pub fn code(&self) -> String {
        match self {
            Self::Title => "title".into(),
            Self::Date => "date".into(),
            Self::From => "from".into(),
            Self::To => "to".into(),
            Self::Cc => "cc".into(),
            Self::MediaName => "media_name".into(),
            Self::Note => "note".into(),
            Self::Other(name) => format!("other:{name}"),
        }
    }

    /// Its name in the catalog's look-up by value ([`rows::field_keys`]); there is none for days.
    pub fn key(&self) -> Option<&str> {
        Some(match self {
            Self::Title => rows::FIELD_TITLE,
            Self::Date => return None,
            Self::From => rows::FIELD_FROM,
            Self::To => rows::FIELD_TO,
            Self::Cc => rows::FIELD_CC,
            Self::MediaName => rows::FIELD_MEDIA_NAME,
            Self::Note => rows::FIELD_NOTE,
            Self::Other(name) => name,
        })
    }
}

/// *Primary archive usage*: what the start view shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Usage {
    #[default]
    Documents,
    Mails,
}

/// *Layout (Theme)* for everybody who chose no other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    #[default]
    Bright,
    Dark,
    /// As the device is set.
    Automatic,
}

/// *Versioning*: what makes a document a version of another one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Versioning {
    #[default]
    None,
    /// The same value in the *field for version key*.
    Key,
    /// That, and a file that is uploaded under the name of a download, `Akte_Version_Name`.
    Name,
}

/// Twips per CSS pixel, in which *Width of field 'Title' in table* counts.
pub const TWIPS: u32 = 15;
/// Least and most twips of it.
pub const TITLE_WIDTH: std::ops::RangeInclusive<u32> = 600..=15_000;
/// Columns of the Fields tab.
pub const FIELD_COLUMNS: std::ops::RangeInclusive<u32> = 1..=3;

/// What holds for the whole archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[allow(clippy::struct_excessive_bools)] // each is a box to tick
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
    /// Where administrators work. None: everywhere, and in private networks only while the archive is public.
    pub admin_networks: Networks,
    /// In which pages show times (IANA); `None`: [`ZONE`].
    pub time_zone: Option<String>,
    pub usage: Usage,
    pub layout: Layout,
    /// *Hide extended icons*: only what is done every day is offered.
    pub hides_extended: bool,
    /// *Number of columns for fields*, within [`FIELD_COLUMNS`].
    pub field_columns: u32,
    pub starts_reduced: bool,
    /// *Hide internal fields in reduced table*: number, owner and archive date.
    pub hides_internal: bool,
    /// *Suppress field 'Title' in main view*
    pub suppresses_title: bool,
    /// *Width of field 'Title' in table*, twips, within [`TITLE_WIDTH`].
    pub title_width: u32,
    /// *Save filename in field*
    pub file_name: Option<Field>,
    pub versioning: Versioning,
    /// *Field for version key*
    pub version_key: Option<Field>,
    /// *Elements in combobox fields*: so many existing values are offered.
    pub combobox: u32,
    /// *Show note field*
    pub shows_note: bool,
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
            admin_networks: Networks::default(),
            time_zone: None,
            usage: Usage::default(),
            layout: Layout::default(),
            hides_extended: false,
            field_columns: 1,
            starts_reduced: false,
            hides_internal: false,
            suppresses_title: false,
            title_width: 3000,
            file_name: None,
            versioning: Versioning::default(),
            version_key: None,
            combobox: 0,
            shows_note: true,
        }
    }
}

impl Administration {
    /// Whether somebody at this address may administer.
    pub fn administers_from(&self, peer: IpAddr) -> bool {
        if self.admin_networks.is_empty() {
            !self.is_public || Networks::private().allows(peer)
        } else {
            self.admin_networks.allows(peer)
        }
    }

    /// Whether a mail is published by what stands in this field: one that people fill. What every mail has, such as a sender,
    /// publishes none of them.
    pub fn publishes_mails(&self) -> bool {
        matches!(self.publishing, Some(Field::Note | Field::Other(_)))
    }

    /// The zone in which pages show times.
    pub fn zone(&self) -> TimeZone {
        TimeZone::get(self.zone_name()).unwrap_or(TimeZone::UTC)
    }

    pub fn zone_name(&self) -> &str {
        self.time_zone.as_deref().unwrap_or(ZONE)
    }

    /// Writes the name of a file that comes in, by upload or import, into the field that was chosen for it. A mail keeps its
    /// own fields.
    pub fn save_file_name(&self, name: &str, metadata: &mut Metadata) {
        let is_file = !metadata.is_mail();
        if self.file_name == self.publishing {
            // Nobody has confirmed that this may be published; an older release let both be chosen.
            return;
        }
        match &self.file_name {
            Some(Field::Title) if is_file => metadata.title = name.into(),
            Some(Field::From) if is_file => metadata.from = name.into(),
            Some(Field::To) if is_file => metadata.to = name.into(),
            Some(Field::Cc) if is_file => metadata.cc = name.into(),
            Some(Field::MediaName) => metadata.media_name = name.into(),
            Some(Field::Note) => metadata.note = name.into(),
            Some(Field::Other(field)) => drop(metadata.fields.insert(field.clone(), name.into())),
            _ => {}
        }
    }

    /// The choices of fields on the page that name this one: it cannot be taken away.
    pub fn names(&self, name: &str) -> bool {
        let chosen = [&self.link_title, &self.publishing, &self.file_name, &self.version_key];
        chosen.into_iter().flatten().any(|field| matches!(field, Field::Other(other) if other == name))
    }

    pub fn read(archive: &Archive) -> Result<Self> {
        read_json(archive, KEY)
    }

    pub fn write(&self, archive: &Archive, who: &str) -> Result<()> {
        write_json(archive, KEY, self, who)
    }
}

/// Time zones by their names (IANA), those that are named after a place, and UTC.
pub fn zones() -> Vec<String> {
    let mut names: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
    names.retain(|name| is_place(name));
    names.sort_unstable();
    names.dedup();
    names
}

/// Whether [`zones`] has it.
pub fn is_zone(name: &str) -> bool {
    is_place(name) && TimeZone::get(name).is_ok_and(|zone| zone.iana_name() == Some(name))
}

fn is_place(name: &str) -> bool {
    name == "UTC" || name.split_once('/').is_some_and(|(region, _)| REGIONS.contains(&region))
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
    fn zones_have_the_names_of_places() {
        let zones = zones();
        for good in ["Europe/Zurich", "UTC", "America/Argentina/Buenos_Aires", "Asia/Kolkata"] {
            assert!(zones.iter().any(|name| name == good) && is_zone(good), "{good}");
        }
        for bad in ["", "CET", "Europe/Nowhere", "europe/zurich", "posix/Europe/Zurich", "Etc/GMT+5", "Europe/../x"] {
            assert!(!zones.iter().any(|name| name == bad) && !is_zone(bad), "{bad}");
        }
        assert!(zones.iter().all(|name| is_zone(name)));
        assert!(Administration::default().zone().iana_name() == Some(ZONE));
    }

    #[test]
    fn administrators_work_where_they_are_let() {
        let from = |administration: &Administration, peer: &str| administration.administers_from(peer.parse().unwrap());
        let mut all = Administration::default();
        assert!(from(&all, "198.51.100.7"));
        all.is_public = true;
        assert!(!from(&all, "198.51.100.7") && from(&all, "192.168.1.7") && from(&all, "::1"));
        all.admin_networks = Networks::entered("198.51.100.0/24").unwrap();
        assert!(from(&all, "198.51.100.7") && !from(&all, "192.168.1.7"));
        all.is_public = false;
        assert!(!from(&all, "192.168.1.7"));
        // What an older release stored has no networks.
        assert_eq!(serde_json::from_str::<Administration>("{}").unwrap(), Administration::default());
    }

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
