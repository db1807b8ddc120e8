//! Whether somebody has the recovery sheet of the archive in hand (docs/format.md, part 5).

use serde::{Deserialize, Serialize};

use super::{Result, read_json, stored, write_json};
use crate::archive::Archive;
use crate::archive::recovery::digits;
use crate::clock;

const KEY: &str = "recovery-sheet";

/// What was said of the sheet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RecoverySheet {
    /// Three of its words were typed.
    pub confirmed: Option<Said>,
    /// Somebody wants to print it later.
    pub later: Option<Said>,
}

/// By whom, and of which key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    pub who: String,
    /// Unix seconds.
    pub at: i64,
    /// Check value of the key, as the sheet shows it.
    pub key: String,
}

/// Check value of the archive's key, as the sheet shows it.
pub fn check_value(archive: &Archive) -> String {
    digits(&archive.keys().check(archive.id()))
}

impl RecoverySheet {
    /// What was said of the key that the archive has now.
    pub fn read(archive: &Archive) -> Result<Self> {
        let key = check_value(archive);
        let sheet: Self = read_json(archive, KEY)?;
        let is_of_this = |said: &Said| said.key == key;
        Ok(Self { confirmed: sheet.confirmed.filter(is_of_this), later: sheet.later.filter(is_of_this) })
    }

    /// Three of its words were typed.
    pub fn confirm(archive: &Archive, who: &str) -> Result<()> {
        let confirmed = Some(Said::now(archive, who));
        write_json(archive, KEY, &Self { confirmed, later: None }, who)
    }

    /// It is put off; one that was confirmed stays so.
    pub fn put_off(archive: &Archive, who: &str) -> Result<()> {
        let sheet = Self::read(archive)?;
        if sheet.confirmed.is_some() || sheet.later.is_some() {
            return Ok(());
        }
        write_json(archive, KEY, &Self { later: Some(Said::now(archive, who)), ..sheet }, who)
    }

    /// Whether it comes before the first source, which is not there yet.
    pub fn is_next(archive: &Archive) -> Result<bool> {
        let sheet = Self::read(archive)?;
        Ok(sheet.confirmed.is_none() && sheet.later.is_none() && stored(archive)?.is_empty())
    }
}

impl Said {
    fn now(archive: &Archive, who: &str) -> Self {
        Self { who: who.into(), at: clock::now(), key: check_value(archive) }
    }
}
