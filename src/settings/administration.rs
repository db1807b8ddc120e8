//! Archive administration (Archiv verwalten): what holds for the whole archive.

use serde::{Deserialize, Serialize};

use super::{Result, SettingsError, store_at};
use crate::archive::Archive;
use crate::language::Lang;

const KEY: &str = "administration";

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
