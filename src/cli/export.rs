//! `export (N… | --all) --format eml --out DIR`: the bytes as they came.

use super::source::CONSOLE;
use super::terminal::Terminal;
use super::{Exit, Session};
use crate::archive::ArchiveError;
use crate::archive::commit::{Happening, Number};

/// Writes `N.eml` for each number; for every document where there are none. What cannot be exported is named and the rest
/// is exported all the same.
pub fn run(session: &Session<'_>, numbers: &[Number], terminal: &mut dyn Terminal) -> anyhow::Result<Exit> {
    let mut exported = 0;
    let mut failed = 0;
    let mut bounds: Option<(Number, Number)> = None;
    let mut one = |number: Number| -> anyhow::Result<()> {
        session.pulse.go_on()?;
        // The hash is checked while the bytes are written, so a damaged document leaves no file.
        let written = terminal.file(&format!("{number}.eml"), &mut |out| Ok(session.archive.read(number, out)?));
        match written {
            Ok(()) => {
                exported += 1;
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
    if let Some((low, high)) = bounds {
        session.archive.journal(CONSOLE, Happening::Exported(low, high, exported))?;
    }
    result?;
    terminal.log(&format!("{exported} exported, {failed} not."));
    Ok(if failed == 0 { Exit::Fine } else { Exit::Trouble })
}
