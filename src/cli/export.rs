//! `export (N… | --all) --format eml|zip --out DIR`: the bytes as they came.

use std::io;

use jiff::tz::TimeZone;

use super::terminal::Terminal;
use super::{Exit, Session};
use crate::archive::ArchiveError;
use crate::archive::commit::{Happening, Number};
use crate::export::{self, Asked, Limits, index};
use crate::limits::{EXPORT_BATCH, EXPORT_BYTES, EXPORT_DOCUMENTS};
use crate::settings::administration::Administration;
use crate::settings::users::CONSOLE;

/// Writes `N.eml` for each number; for every document where there are none. What cannot be exported is named and the rest
/// is exported all the same.
pub fn run(session: &Session<'_>, numbers: &[Number], terminal: &mut dyn Terminal) -> anyhow::Result<Exit> {
    let mut exported = 0;
    let mut failed = 0;
    let mut given: Vec<Number> = Vec::new();
    let mut bounds: Option<(Number, Number)> = None;
    let mut one = |number: Number| -> anyhow::Result<()> {
        session.pulse.go_on()?;
        // The hash is checked while the bytes are written, so a damaged document leaves no file.
        let written = terminal.file(&format!("{number}.eml"), &mut |out| Ok(session.archive.read(number, out)?));
        match written {
            Ok(()) => {
                exported += 1;
                if !numbers.is_empty() {
                    given.push(number);
                }
                bounds = Some(bounds.map_or((number, number), |(low, high)| (low.min(number), high.max(number))));
            }
            Err(error) if error.downcast_ref::<ArchiveError>().is_some() => {
                failed += 1;
                terminal.log(&format!("{error:#}"));
            }
            Err(error) => return Err(error),
        }
        Ok(())
    };
    let result =
        if numbers.is_empty() {
            // Exporting takes long, so no view of the catalog is held open meanwhile.
            let last = session.archive.view()?.position()?.unwrap_or_default().last_number;
            (1..=last).try_for_each(|number| {
                if session.archive.view()?.document(number)?.is_some() { one(number) } else { Ok(()) }
            })
        } else {
            numbers.iter().try_for_each(|number| one(*number))
        };
    // What was handed out is written down, also where it ended before its time.
    match bounds {
        Some(_) if !numbers.is_empty() => note(session, &given)?,
        Some((low, high)) => session.archive.journal(CONSOLE, Happening::Exported(low, high, exported))?,
        None => {}
    }
    result?;
    terminal.log(&format!("{exported} exported, {failed} not."));
    Ok(if failed == 0 { Exit::Fine } else { Exit::Trouble })
}

/// Writes down documents that were named, each by its number: those between them were not handed out.
fn note(session: &Session<'_>, given: &[Number]) -> Result<(), ArchiveError> {
    given
        .chunks(EXPORT_BATCH)
        .try_for_each(|some| session.archive.journal(CONSOLE, Happening::ExportedSome(some.to_vec())))
}

/// Writes `documents-FROM.zip` with as many of the documents as one file takes, FROM being the first of them, and further
/// files for the rest.
pub fn zip(session: &Session<'_>, numbers: &[Number], terminal: &mut dyn Terminal) -> anyhow::Result<Exit> {
    let mut wanted = Wanted { numbers: numbers.to_vec(), is_all: numbers.is_empty() };
    wanted.numbers.sort_unstable();
    wanted.numbers.dedup();
    let view = session.archive.view()?;
    for number in &wanted.numbers {
        if view.document(*number)?.is_none() {
            return Err(ArchiveError::NoDocument { number: *number }.into());
        }
    }
    drop(view);
    let zone = Administration::read(session.archive)?.zone();
    let (mut exported, mut failed) = (0, 0);
    let mut from = wanted.from(session, 0)?;
    while let Some(first) = from {
        let (written, left) = one(session, &wanted, first, &zone, terminal)?;
        exported += written.documents;
        failed += written.damaged.len();
        for number in &written.damaged {
            terminal.log(&format!("document {number} is damaged; run archivista verify"));
        }
        from = left;
    }
    terminal.log(&format!("{exported} exported, {failed} not."));
    Ok(if failed == 0 { Exit::Fine } else { Exit::Trouble })
}

/// Which documents are asked for.
struct Wanted {
    /// Ascending; unless all are.
    numbers: Vec<Number>,
    is_all: bool,
}

impl Wanted {
    /// The first one from `from` on.
    fn from(&self, session: &Session<'_>, from: Number) -> anyhow::Result<Option<Number>> {
        Ok(self.some(session, from, 1)?.first().copied())
    }

    fn some(&self, session: &Session<'_>, from: Number, most: usize) -> Result<Vec<Number>, ArchiveError> {
        if self.is_all {
            let some = session.archive.view()?.documents(from.saturating_sub(1), most)?;
            return Ok(some.into_iter().map(|(number, _)| number).collect());
        }
        let begin = self.numbers.partition_point(|number| *number < from);
        Ok(self.numbers[begin..].iter().take(most).copied().collect())
    }
}

/// One file from `first` on, and where the next one begins.
fn one(
    session: &Session<'_>,
    wanted: &Wanted,
    first: Number,
    zone: &TimeZone,
    terminal: &mut dyn Terminal,
) -> anyhow::Result<(export::Written, Option<Number>)> {
    let limits = Limits { documents: EXPORT_DOCUMENTS, bytes: EXPORT_BYTES };
    let asked = Asked { zone: zone.clone(), words: &index::ENGLISH, limits, may: &|_| Ok(true) };
    let (mut next, mut last) = (first, first);
    let mut given: Vec<Number> = Vec::new();
    let mut more = || -> io::Result<Vec<Number>> {
        session.pulse.go_on().map_err(io::Error::other)?;
        let some = wanted.some(session, next, EXPORT_BATCH).map_err(io::Error::other)?;
        if let Some(highest) = some.last() {
            last = *highest;
            if !wanted.is_all {
                given.extend(&some);
            }
            next = highest.saturating_add(1);
        }
        Ok(some)
    };
    let mut written = export::Written::default();
    let made = terminal.file(&format!("documents-{first}.zip"), &mut |out| {
        written = export::write(session.archive, &asked, &mut more, out)?;
        Ok(())
    });
    // What was handed out is written down, also where it ended before its time.
    let high = written.left.map_or(last, |left| left.saturating_sub(1));
    if wanted.is_all {
        session.archive.journal(CONSOLE, Happening::Exported(first, high, written.documents))?;
    } else {
        given.retain(|number| *number <= high && !written.damaged.contains(number));
        note(session, &given)?;
    }
    made?;
    let left = written.left;
    Ok((written, left))
}
