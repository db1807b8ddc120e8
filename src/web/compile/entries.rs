//! What of a compilation somebody may know.

use std::collections::HashMap;

use super::super::Context;
use super::super::dms::link;
use super::super::error::Result;
use super::super::show;
use crate::archive::commit::{Metadata, Number};
use crate::archive::view::{Reads, View};
use crate::limits::{COMPILATIONS_LOOKED, TABLE_CHARS};
use crate::settings::compilations::Compilation;

/// One document of a compilation.
pub struct Entry {
    pub number: Number,
    /// Empty where it has none.
    pub title: String,
    /// Unix seconds.
    pub time: i64,
    pub is_mail: bool,
    /// Anybody may see it.
    pub is_public: bool,
}

fn title(metadata: &Metadata) -> String {
    let title = if metadata.title.trim().is_empty() { &metadata.media_name } else { &metadata.title };
    show::cut(title, TABLE_CHARS)
}

fn entry(context: &Context<'_>, view: &View, reads: &Reads, number: Number) -> Result<Option<Entry>> {
    let Some(document) = view.document(number)? else { return Ok(None) };
    let is_public = link::is_public(&context.administration, &document.metadata) && !view.is_blocked(number)?;
    if !is_public && !view.may_read(reads, number)? {
        return Ok(None);
    }
    Ok(Some(Entry {
        number,
        title: title(&document.metadata),
        time: document.time,
        is_mail: document.metadata.is_mail(),
        is_public,
    }))
}

/// Its documents that the person may read, and those that anybody may.
pub fn known(context: &Context<'_>, compilation: &Compilation) -> Result<Vec<Entry>> {
    of(context, &compilation.documents)
}

/// Those of these documents.
pub fn of(context: &Context<'_>, numbers: &[Number]) -> Result<Vec<Entry>> {
    let view = context.view()?;
    let reads = context.reads(&view)?;
    let mut found = Vec::new();
    for number in numbers {
        found.extend(entry(context, &view, &reads, *number)?);
    }
    Ok(found)
}

/// How many documents of each of these the person knows of; `None` from where on too many would have to be looked at.
pub fn counts(context: &Context<'_>, all: &[Compilation]) -> Result<Vec<Option<u64>>> {
    let view = context.view()?;
    let reads = context.reads(&view)?;
    let mut looked: HashMap<Number, bool> = HashMap::new();
    let mut counts = Vec::with_capacity(all.len());
    for compilation in all {
        let mut count = Some(0);
        for number in &compilation.documents {
            let is_known = match looked.get(number) {
                Some(is_known) => *is_known,
                None if looked.len() == COMPILATIONS_LOOKED => {
                    count = None;
                    break;
                }
                None => entry(context, &view, &reads, *number)?.is_some(),
            };
            looked.insert(*number, is_known);
            count = count.map(|count| count + u64::from(is_known));
        }
        counts.push(count);
    }
    Ok(counts)
}

/// Its documents that anybody may see, whoever asks.
pub fn public(context: &Context<'_>, compilation: &Compilation) -> Result<Vec<Entry>> {
    let view = context.view()?;
    let nobody = Reads::Places(Vec::new());
    let mut found = Vec::new();
    for number in &compilation.documents {
        found.extend(entry(context, &view, &nobody, *number)?);
    }
    Ok(found)
}
