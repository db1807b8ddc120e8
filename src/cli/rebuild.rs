//! `rebuild catalog` and `rebuild search`: what is made from the packs, made anew.

use super::terminal::{Console, Terminal};
use super::{Exit, Session};
use crate::archive::log::Findings;
use crate::archive::start::{self, Paths};
use crate::pulse::Pulse;

pub fn run(session: &Session<'_>, terminal: &mut dyn Terminal) -> anyhow::Result<Exit> {
    let findings = session.archive.rebuild_catalog()?;
    let documents = session.archive.view()?.count()?;
    Ok(tell(&findings, Some(documents), terminal))
}

/// The index of words.
pub fn search(session: &Session<'_>, terminal: &mut dyn Terminal) -> anyhow::Result<Exit> {
    session.index.make_anew(session.archive, session.pulse)?;
    terminal.log("The search index was made anew from the archive.");
    Ok(Exit::Fine)
}

/// Where the archive cannot be opened because catalog and packs do not fit.
pub fn run_closed(paths: &Paths, pulse: &Pulse, console: &mut Console) -> anyhow::Result<Exit> {
    let _lock = start::lock(paths)?;
    let findings = start::rebuild_closed(paths, pulse)?;
    Ok(tell(&findings, None, console))
}

fn tell(findings: &Findings, documents: Option<u64>, terminal: &mut dyn Terminal) -> Exit {
    for finding in findings.lines() {
        terminal.log(&finding);
    }
    let count = documents.map_or(String::new(), |documents| format!(" {documents} documents."));
    terminal.log(&format!("The catalog was made anew from the packs.{count}"));
    if findings.is_empty() { Exit::Fine } else { Exit::Trouble }
}
