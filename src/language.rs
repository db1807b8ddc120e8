//! The two languages in which the product speaks to people.

use serde::{Deserialize, Serialize};

/// German (Swiss spelling) or English.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    De,
    #[default]
    En,
}

impl Lang {
    /// From the environment of a terminal (`LC_ALL`, `LC_MESSAGES`, `LANG`); English unless German is asked for.
    pub fn from_env() -> Self {
        let value = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .filter_map(|name| std::env::var(name).ok())
            .find(|value| !value.is_empty())
            .unwrap_or_default();
        if value.starts_with("de") { Self::De } else { Self::En }
    }

    /// The first of ours that a browser names (RFC 9110, section 12.5.4; weights are not looked at).
    pub fn accepted(header: &str) -> Self {
        let known = header.split(',').find_map(|part| match part.trim().get(..2)?.to_ascii_lowercase().as_str() {
            "de" => Some(Self::De),
            "en" => Some(Self::En),
            _ => None,
        });
        known.unwrap_or_default()
    }
}
