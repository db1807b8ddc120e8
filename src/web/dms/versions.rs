//! Documents that are versions of one: the list beside each of them, the name of a download, and what a file that comes back
//! under that name becomes.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use maud::{Markup, html};

use super::super::Context;
use super::super::error::Result;
use super::super::request::number;
use super::access::{self, Shown};
use super::state::State;
use super::{link, show};
use crate::archive::commit::{Commit, FolderNumber, Metadata, Number, Occurrence};
use crate::archive::rows::Document;
use crate::archive::view::{Reads, View};
use crate::archive::writer::Task;
use crate::clock;
use crate::hash::Sha256;
use crate::mail::file_name;
use crate::search::Places;
use crate::settings::administration::{Field, Versioning};

/// One further version at a time, so that no two get the same number.
static TURN: Mutex<()> = Mutex::new(());

pub fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All versions of a document that `reads` allows, the oldest first, with the number of each version.
pub fn all(
    context: &Context<'_>,
    view: &View,
    reads: &Reads,
    number: Number,
    metadata: &Metadata,
) -> Result<Vec<(u32, Number, Document)>> {
    let mut found = Vec::new();
    let places = Places::of(view, reads)?;
    for number in context.ties().numbers(view, number, metadata)? {
        if !view.may_read(reads, number)? {
            continue;
        }
        if let Some(document) = view.document(number)? {
            let place = u32::try_from(found.len() + 1).unwrap_or(u32::MAX);
            let document = places.narrow(view, number, document)?;
            found.push((document.metadata.version.unwrap_or(place), number, document));
        }
    }
    Ok(found)
}

/// The versions of a document, where there are several.
pub fn list(context: &Context<'_>, shown: &Shown, state: &State) -> Result<Markup> {
    let t = &context.t.fields;
    let Some(reads) = &shown.reads else { return Ok(html! {}) };
    if context.administration.versioning == Versioning::None {
        return Ok(html! {});
    }
    let view = context.view()?;
    let all = all(context, &view, reads, shown.number, &shown.document.metadata)?;
    drop(view);
    let newest = all.last().map_or(shown.number, |(_, number, _)| *number);
    let by_name = context.administration.versioning == Versioning::Name && !shown.document.metadata.is_mail();
    let path = |number: Number| state.document(&format!("/documents/{number}"), &[]);
    Ok(html! {
        @if all.len() > 1 || (by_name && access::may_change(context)) {
            section.versions {
                h2 { (t.versions) }
                @if newest != shown.number {
                    p.note.warn { (t.newer) " " a href=(path(newest)) { (t.open_newest) } }
                }
                @if all.len() > 1 {
                    ol reversed {
                        @for (version, number, document) in all.iter().rev() {
                            li value=(version) {
                                a href=(path(*number)) aria-current=[(*number == shown.number).then_some("true")] { ((t.version)(u64::from(*version))) }
                                " " span.soft {
                                    (context.t.dms.number) " " (number) ", " (show::minute(document.metadata.archived))
                                    @if *number == shown.number { ", " (t.this_one) }
                                }
                            }
                        }
                    }
                }
                @if by_name && access::may_change(context) { p.soft { (t.version_upload) } }
            }
        }
    })
}

/// `Akte_Version_Name`: the name under which a document is offered to be saved.
pub fn download_name(number: Number, metadata: &Metadata) -> String {
    let name = if metadata.is_mail() { format!("{}.eml", metadata.title) } else { metadata.media_name.clone() };
    let name = file_name::safe(&name);
    file_name::safe(&format!("{number}_{}_{name}", metadata.version.unwrap_or(1)))
}

/// A file that came back under the name of its download.
pub enum Back {
    /// It is what the newest version is already.
    Unchanged(Number),
    Next(Box<Next>),
}

/// A further version on its way in.
pub struct Next {
    pub metadata: Metadata,
    /// Its identity in [`Self::folder`]: a version may have the bytes of an earlier one again.
    pub remote: Vec<u8>,
    /// Where the versions before lie that the person may read; the next one lies there too.
    pub folder: FolderNumber,
    others: Vec<FolderNumber>,
}

/// What a file of this name is a further version of, if it is one: it has the name of a download, of a file that the person
/// may read and change. To everybody else the name is one like any other. Hold the [`turn`] until it is archived.
pub fn back(context: &Context<'_>, reads: &Reads, name: &str, new: &Metadata, sha256: Sha256) -> Result<Option<Back>> {
    if context.administration.versioning != Versioning::Name || !access::may_change(context) {
        return Ok(None);
    }
    let Some((number, _, _)) = parts(name) else { return Ok(None) };
    let view = context.view()?;
    if !view.may_read(reads, number)? {
        return Ok(None);
    }
    let Some(before) = view.document(number)?.filter(|document| !document.metadata.is_mail()) else { return Ok(None) };
    let named = before.metadata;
    let (download, name) = (download_name(number, &named), file_name::safe(name));
    if download != name && download != without_copy(&name) {
        return Ok(None);
    }
    let mut version = 1;
    let known = all(context, &view, reads, number, &named)?;
    for (place, (other, ..)) in (1..).zip(&known) {
        version = version.max(place).max(*other);
    }
    if let Some((_, newest, document)) = known.last()
        && document.sha256 == sha256
    {
        return Ok(Some(Back::Unchanged(*newest)));
    }
    // A file that was downloaded once is sent again and again: what was entered since then stands in the newest version.
    let root = named.version_of.unwrap_or(number);
    let is_of_root = |number: Number, metadata: &Metadata| {
        !metadata.is_mail() && (number == root || metadata.version_of == Some(root))
    };
    let newest = known.into_iter().rfind(|(_, number, document)| is_of_root(*number, &document.metadata));
    let (number, before) = newest.map_or((number, named), |(_, number, document)| (number, document.metadata));
    let mut folders = BTreeSet::new();
    for seen in view.occurrences(number)? {
        let folder = view.folder(seen.folder)?;
        // Only uploads: what lies in a mailbox is what its server has.
        folders.extend(folder.filter(|row| row.folder.definition.is_empty()).map(|row| (row.place, seen.folder)));
    }
    drop(view);
    let may = |place: FolderNumber| {
        matches!(reads, Reads::All) || matches!(reads, Reads::Places(places) if places.contains(&place))
    };
    let Some((_, folder)) = folders.iter().copied().find(|(place, _)| may(*place)) else { return Ok(None) };
    let others = folders.into_iter().map(|(_, other)| other).filter(|other| *other != folder).collect();
    let mut metadata = Metadata {
        media_type: new.media_type.clone(),
        version_of: Some(root),
        version: Some(version.saturating_add(1)),
        message_id: String::new(),
        attachments: Vec::new(),
        defects: Vec::new(),
        ..before
    };
    // Whoever may not publish does not publish other bytes either.
    if let Some(Field::Other(publishing)) = &context.administration.publishing
        && !access::may_publish(context)
    {
        metadata.fields.remove(publishing);
    }
    let remote = [sha256.0.as_slice(), &root.to_be_bytes(), &version.to_be_bytes()].concat();
    Ok(Some(Back::Next(Box::new(Next { metadata, remote, folder, others }))))
}

impl Next {
    /// Places where it lies beside the first one, once it is archived.
    pub fn place(&self, context: &Context<'_>, number: Number) -> Result<()> {
        let occurrences = self.others.iter().map(|folder| Occurrence {
            document: number,
            folder: *folder,
            remote: self.remote.clone(),
            seen: clock::now(),
            received: None,
            flags: Vec::new(),
        });
        let note = Commit { occurrences: occurrences.collect(), ..Commit::default() };
        if !note.occurrences.is_empty() {
            context.web.archive.send(Task::Note(Box::new(note)))?;
        }
        Ok(())
    }

    pub fn is_published(&self, context: &Context<'_>) -> bool {
        link::is_published(&context.administration, &self.metadata)
    }
}

/// Akte, Version and Name.
fn parts(name: &str) -> Option<(Number, u32, &str)> {
    let (number, rest) = name.split_once('_')?;
    let (version, rest) = rest.split_once('_')?;
    // A version is counted as documents are.
    Some((self::number(number)?, u32::try_from(self::number(version)?).ok()?, rest))
}

/// `8441_1_Plan (2).pdf`, as browsers call a second download, is `8441_1_Plan.pdf`.
fn without_copy(name: &str) -> String {
    let (stem, ending) = name.rsplit_once('.').map_or((name, None), |(stem, ending)| (stem, Some(ending)));
    let Some((plain, count)) = stem.strip_suffix(')').and_then(|stem| stem.rsplit_once(" (")) else {
        return name.into();
    };
    if count.is_empty() || !count.bytes().all(|byte| byte.is_ascii_digit()) {
        return name.into();
    }
    ending.map_or_else(|| plain.to_owned(), |ending| format!("{plain}.{ending}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_downloads() {
        assert_eq!(parts("8441_2_Plan_neu.pdf"), Some((8441, 2, "Plan_neu.pdf")));
        for other in ["8441_Plan.pdf", "x_2_Plan", "8441_", "_1_x", "-1_1_x", "99999999999999999999_1_x", "Plan.pdf"] {
            assert_eq!(parts(other), None, "{other}");
        }
        assert_eq!(without_copy("8441_1_Plan (2).pdf"), "8441_1_Plan.pdf");
        for same in ["8441_1_Plan.pdf", "Plan (alt).pdf", "Plan ().pdf", "(1)"] {
            assert_eq!(without_copy(same), same);
        }
        assert_eq!(without_copy("Plan (12)"), "Plan");
    }
}
