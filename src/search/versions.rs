//! Which documents are versions of one: those with the same version key, and those that were uploaded as a further version.
//!
//! The newest is the one with the highest number. Of versions that somebody may not read it learns nothing.

use std::collections::BTreeSet;

use super::places::Places;
use crate::archive::commit::{Metadata, Number};
use crate::archive::error::Result;
use crate::archive::rows::VERSION_OF;
use crate::archive::view::View;
use crate::limits::VERSIONS;
use crate::settings::administration::{Administration, Field, Versioning};

/// What ties versions together, by Archive administration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ties {
    key: Option<Field>,
    /// Further versions were uploaded under the name of a download.
    by_name: bool,
}

impl Ties {
    /// `sees`: whether whoever asks sees a further field. A key that somebody does not see ties nothing for them: it would tell
    /// which documents share its value.
    pub fn of(administration: &Administration, sees: impl Fn(&str) -> bool) -> Self {
        let is_seen = |field: &Field| !matches!(field, Field::Other(name) if !sees(name));
        let key = administration.version_key.clone().filter(is_seen);
        Self {
            key: key.filter(|_| administration.versioning != Versioning::None),
            by_name: administration.versioning == Versioning::Name,
        }
    }

    /// What the versions of a document are looked up by.
    fn keys<'a>(&'a self, number: Number, metadata: &'a Metadata) -> Vec<(&'a str, String)> {
        let mut keys = Vec::new();
        if let Some(field) = &self.key
            && let Some(name) = field.key()
        {
            let value = match field {
                Field::Other(name) => metadata.fields.get(name).map(String::as_str).unwrap_or_default(),
                // Subjects and addresses of mails say nothing of versions, and are not looked up.
                _ if metadata.is_mail() => "",
                Field::Title => &metadata.title,
                Field::From => &metadata.from,
                Field::To => &metadata.to,
                Field::Cc => &metadata.cc,
                Field::MediaName => &metadata.media_name,
                Field::Note => &metadata.note,
                Field::Date => "",
            };
            if !value.is_empty() {
                keys.push((name, value.to_owned()));
            }
        }
        if self.by_name {
            keys.push((VERSION_OF, metadata.version_of.unwrap_or(number).to_string()));
        }
        keys
    }

    /// Numbers of all versions, the oldest first, with that of the document itself; of more than [`VERSIONS`] by one tie, the
    /// newest.
    pub fn numbers(&self, view: &View, number: Number, metadata: &Metadata) -> Result<BTreeSet<Number>> {
        let mut all = BTreeSet::from([number]);
        all.extend(metadata.version_of.filter(|_| self.by_name));
        for (name, value) in self.keys(number, metadata) {
            all.extend(view.with_field(name, &value, 0, VERSIONS)?);
        }
        Ok(all)
    }

    /// Whether there is a newer version among those that somebody may read.
    pub fn has_newer(&self, view: &View, places: &Places, number: Number, metadata: &Metadata) -> Result<bool> {
        for (name, value) in self.keys(number, metadata) {
            for newer in view.with_field(name, &value, number, VERSIONS)? {
                if view.occurrences(newer)?.iter().any(|seen| places.get(seen.folder).is_some()) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}
