//! Whether anything is fetched at all.

use serde::{Deserialize, Serialize};

use super::{Result, read_json, write_json};
use crate::archive::Archive;

const KEY: &str = "fetching";

/// What holds for all definitions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Fetching {
    /// Somebody paused it; it stays so after a restart.
    pub paused: bool,
}

impl Fetching {
    pub fn read(archive: &Archive) -> Result<Self> {
        read_json(archive, KEY)
    }

    /// In the journal as a changed setting.
    pub fn write(self, archive: &Archive, who: &str) -> Result<()> {
        write_json(archive, KEY, &self, who)
    }
}
