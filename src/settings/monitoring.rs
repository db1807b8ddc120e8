//! Which networks may ask for the figures of `/metrics` without a token.

use serde::{Deserialize, Serialize};

use super::networks::Networks;
use super::{Result, read_json, write_json};
use crate::archive::Archive;

const KEY: &str = "monitoring";

/// What an administrator set of monitoring.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Monitoring {
    /// None: nobody without a token.
    pub networks: Networks,
}

impl Monitoring {
    pub fn read(archive: &Archive) -> Result<Self> {
        read_json(archive, KEY)
    }

    pub fn write(&self, archive: &Archive, who: &str) -> Result<()> {
        write_json(archive, KEY, self, who)
    }
}
