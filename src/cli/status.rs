//! `status`: is everything archived? By definition and folder, with every reason.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::source::expiry;
use super::terminal::Terminal;
use super::{Exit, Session, fetch};
use crate::archive::rows::FolderRow;
use crate::clock;
use crate::fetch::completeness::{self, Counts, FolderCounts};
use crate::fetch::wait::Wait;
use crate::language::Lang;
use crate::settings::o365::WARN_DAYS;
use crate::settings::verifications::{Standing, Verification};

pub fn run(session: &Session<'_>, as_json: bool, terminal: &mut dyn Terminal) -> anyhow::Result<Exit> {
    let view = session.archive.view()?;
    let (definitions, mut exit) = session.definitions(terminal)?;
    if !session.archive.findings().is_empty() {
        exit = Exit::Trouble;
    }
    let wait = session.fetcher.waits(session.archive);
    if wait.is_some_and(Wait::is_trouble) {
        exit = Exit::Trouble;
    }
    let verified = Standing::at(session.archive, clock::now())?;
    if verified.last.as_ref().is_some_and(|last| !last.is_clean()) || verified.late.is_some() {
        exit = Exit::Trouble;
    }
    let mut objects = Vec::new();
    let documents = view.count()?;
    if !as_json {
        terminal.line(&format!("{documents} documents"))?;
        for finding in session.archive.findings().lines() {
            terminal.line(&format!("! {finding}"))?;
        }
        for line in verification(&verified) {
            terminal.line(&line)?;
        }
        if let Some(wait) = wait {
            terminal.line(&format!("! {}", wait.sentence(Lang::En)))?;
        }
    }
    for definition in definitions {
        let last = view.runs(&definition.name, 1, usize::MAX)?.pop();
        // What has ended is looked at for what it archived, and is no trouble any more.
        if !definition.ended && last.as_ref().is_some_and(|run| run.has_trouble() || run.unexplained > 0) {
            exit = Exit::Trouble;
        }
        if let Some(days) = definition.secret_expires_in_days(clock::now()).filter(|days| *days <= WARN_DAYS) {
            terminal.log(&expiry(&definition.name, days, Lang::from_env()));
        }
        if !as_json {
            let state = match (definition.ended, definition.inactive) {
                (true, _) => " (ended)",
                (false, true) => " (inactive)",
                (false, false) => "",
            };
            terminal.line(&format!("{}{state}", definition.name))?;
            match &last {
                Some(run) => terminal.line(&format!("  last run {} UTC", clock::short(run.ended)))?,
                None => terminal.line("  never run")?,
            }
            if let Some(run) = last.as_ref().filter(|run| !run.trouble.is_empty() && !definition.ended) {
                terminal.line(&format!("  ! {}", run.trouble))?;
            }
        }
        let mut folder_objects = Vec::new();
        completeness::of(&view, &definition.name, |FolderCounts { row, counts, reconciled }| {
            if as_json {
                folder_objects.push(json!({
                    "mailbox": row.folder.mailbox_name,
                    "folder": row.folder.name,
                    "on_server": counts.on_server,
                    "archived": counts.archived,
                    "same": counts.same,
                    "left_out": by_name(&counts),
                    "deleted": counts.deleted,
                    "failed": counts.failed,
                    "unexplained": counts.unexplained,
                    "after_due": counts.after_due,
                    "reconciled": reconciled.map(clock::rfc3339),
                }));
            } else {
                terminal.line(&as_text(&row, &counts))?;
            }
            anyhow::Ok(())
        })?;
        objects.push(json!({
            "name": definition.name,
            "module": definition.module.code(),
            "inactive": definition.inactive,
            "ended": definition.ended,
            "owner": definition.owner,
            "last_run": last.as_ref().map(fetch::as_object),
            "trouble": last.as_ref().map_or("", |run| run.trouble.as_str()),
            "folders": folder_objects,
        }));
    }
    if as_json {
        let findings: Vec<String> = session.archive.findings().lines().collect();
        let object: Value = json!({
            "documents": documents,
            "definitions": objects,
            "waits": wait.map(Wait::code),
            "findings": findings,
            "verification": verified.last.as_ref().map(verification_object),
            "verification_late": verified.late.is_some(),
        });
        terminal.line(&object.to_string())?;
    }
    Ok(exit)
}

fn verification_object(last: &Verification) -> Value {
    json!({
        "number": last.number,
        "ended": clock::rfc3339(last.ended),
        "clean": last.is_clean(),
        "findings": last.findings,
        "damaged": last.damaged,
    })
}

/// What the last verification of the whole archive found.
fn verification(verified: &Standing) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(last) = &verified.last {
        let at = clock::short(last.ended);
        if last.is_clean() {
            lines.push(format!("last verification {at} UTC: clean"));
        } else {
            lines.push(format!("! last verification {at} UTC: DAMAGED, {} findings", last.findings));
            let numbers: Vec<String> = last.damaged.iter().map(u64::to_string).collect();
            if !numbers.is_empty() {
                lines.push(format!("! damaged documents: {}", numbers.join(", ")));
            }
        }
    }
    lines.extend(verified.late.map(|days| format!("! not verified as a whole for {days} days")));
    lines
}

fn by_name(counts: &Counts) -> BTreeMap<&'static str, u64> {
    counts.left_out.iter().map(|(why, count)| (completeness::left_out(*why), *count)).collect()
}

fn as_text(row: &FolderRow, counts: &Counts) -> String {
    let mut text = format!(
        "  {} {}: {} on the server, {} archived, {} same",
        row.folder.mailbox_name, row.folder.name, counts.on_server, counts.archived, counts.same
    );
    for (why, count) in by_name(counts) {
        text += &format!(", {count} left out ({why})");
    }
    for (why, count) in &counts.failed {
        text += &format!(", {count} failed ({why})");
    }
    if counts.after_due > 0 {
        text += &format!(", {} still to be moved or deleted there", counts.after_due);
    }
    text + &format!(", {} unexplained", counts.unexplained)
}
