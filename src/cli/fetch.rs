//! `fetch [NAME]`: archive what is new, now. `reconcile [NAME]`: the same, and compare everything on the server with the
//! ledger. `cancel NAME`, `pause` and `resume`.

use serde_json::json;

use super::source::expiry;
use super::terminal::{Terminal, Watching};
use super::{Exit, Session};
use crate::archive::commit::Run;
use crate::clock;
use crate::language::Lang;
use crate::settings;
use crate::settings::o365::WARN_DAYS;
use crate::settings::users::CONSOLE;

pub fn run(
    session: &Session<'_>,
    name: Option<&str>,
    reconcile: bool,
    as_json: bool,
    terminal: &mut dyn Terminal,
) -> anyhow::Result<Exit> {
    let (definitions, mut exit) = match name {
        Some(name) => (vec![settings::definition(session.archive, name)?], Exit::Fine),
        None => session.definitions(terminal)?,
    };
    if definitions.is_empty() {
        terminal.log("No definition yet: add one with `source add FILE.toml`.");
    }
    if let Some(wait) = session.fetcher.waits(session.archive) {
        terminal.log(&wait.sentence(Lang::from_env()));
        return Ok(Exit::Trouble);
    }
    for definition in definitions {
        if !definition.is_fetched() {
            let why = if definition.ended { "ended" } else { "inactive" };
            terminal.log(&format!("{}: {why}, left alone.", definition.name));
            continue;
        }
        if let Some(days) = definition.secret_expires_in_days(clock::now()).filter(|days| *days <= WARN_DAYS) {
            terminal.log(&expiry(&definition.name, days, Lang::from_env()));
        }
        let mut watching = Watching { terminal, pulse: session.pulse };
        let run = session.fetcher.run(session.archive, &definition, reconcile, session.pulse, &mut watching);
        if run.unexplained > 0 || !run.trouble.is_empty() {
            exit = Exit::Trouble;
        }
        let line = if as_json { as_object(&run).to_string() } else { as_text(&run) };
        terminal.line(&line)?;
    }
    Ok(exit)
}

/// `cancel NAME`: end the run that is under way; what it archived stays.
pub fn cancel(session: &Session<'_>, name: &str, terminal: &mut dyn Terminal) -> anyhow::Result<Exit> {
    let definition = settings::definition(session.archive, name)?;
    if session.fetcher.cancel(&definition.name, CONSOLE) {
        terminal.log(&format!("{name}: the run ends."));
        return Ok(Exit::Fine);
    }
    terminal.log(&format!("{name}: no run is under way."));
    Ok(Exit::Trouble)
}

/// `pause`: fetch nothing any more, also after a restart; `resume`: go on.
pub fn pause(session: &Session<'_>, is_paused: bool, terminal: &mut dyn Terminal) -> anyhow::Result<Exit> {
    session.fetcher.pause(session.archive, is_paused, CONSOLE)?;
    if let Some(wait) = session.fetcher.waits(session.archive) {
        terminal.log(&wait.sentence(Lang::from_env()));
    }
    Ok(Exit::Fine)
}

/// A run as scripts read it.
pub fn as_object(run: &Run) -> serde_json::Value {
    json!({
        "definition": run.definition,
        "started": clock::rfc3339(run.started),
        "ended": clock::rfc3339(run.ended),
        "seen": run.seen,
        "archived": run.archived,
        "same": run.same,
        "left_out": run.left_out,
        "failed": run.failed,
        "bytes": run.bytes,
        "unexplained": run.unexplained,
    })
}

fn as_text(run: &Run) -> String {
    format!(
        "{}: {} archived, {} same, {} left out, {} failed, {} unexplained",
        run.definition, run.archived, run.same, run.left_out, run.failed, run.unexplained
    )
}
