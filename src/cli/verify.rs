//! `verify [--quick]`: the proof that nothing is missing or altered. Changes nothing, but leaves a report where it looked at
//! everything and `serve` has the folder.

use serde_json::json;

use super::terminal::{Console, Terminal};
use super::{Exit, Session};
use crate::archive::Result;
use crate::archive::start::{self, Paths};
use crate::archive::verify::{self, Report};
use crate::pulse::Pulse;
use crate::settings::users::CONSOLE;
use crate::settings::verifications::By;

/// Of the archive that this process has open.
pub fn run(session: &Session<'_>, quick: bool, json: bool, terminal: &mut dyn Terminal) -> anyhow::Result<Exit> {
    let report = if quick {
        verify::open(session.archive, true, &mut progress(session.pulse))
    } else {
        session.verifier.run(session.archive, By::Console, CONSOLE, session.pulse)
    };
    show(report, json, terminal)
}

/// Of an archive that nobody has open.
pub fn run_closed(paths: &Paths, quick: bool, json: bool, console: &mut Console) -> anyhow::Result<Exit> {
    paths.make()?;
    let _lock = start::lock(paths)?;
    let pulse = Pulse::new();
    let report = verify::closed(paths, quick, &mut progress(&pulse));
    show(report, json, console)
}

fn progress(pulse: &Pulse) -> impl FnMut(u64, u64) -> Result<()> {
    |_, _| Ok(pulse.go_on()?)
}

fn show(report: Result<Report>, as_json: bool, terminal: &mut dyn Terminal) -> anyhow::Result<Exit> {
    let report = report?;
    let is_clean = report.findings.is_empty();
    if as_json {
        let object = json!({
            "clean": is_clean,
            "quick": report.quick,
            "opened": report.opened,
            "packs": report.packs,
            "bytes": report.bytes,
            "commits": report.commits,
            "documents": report.documents,
            "erased": report.erased,
            "head": report.head,
            "findings": report.findings.lines().collect::<Vec<_>>(),
            "notes": report.notes,
        });
        terminal.line(&object.to_string())?;
    } else {
        for finding in report.findings.lines() {
            terminal.line(&format!("! {finding}"))?;
        }
        for note in &report.notes {
            terminal.line(note)?;
        }
        let how = match (report.quick, report.opened) {
            (true, true) => "quick: structure and chain",
            (false, true) => "every byte",
            (true, false) => "quick: structure, without the key",
            (false, false) => "every stored byte and the chain, without the key: nothing was opened",
        };
        let result = if is_clean { "clean" } else { "DAMAGED" };
        let documents = if report.opened { format!("{} documents in ", report.documents) } else { String::new() };
        terminal.line(&format!(
            "{result} ({how}): {documents}{} commits, {} packs, {} bytes, last commit {}",
            report.commits, report.packs, report.bytes, report.head
        ))?;
    }
    Ok(if is_clean { Exit::Fine } else { Exit::Trouble })
}
