//! `status`: is everything archived? By definition and folder, with every reason.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::source::expiry;
use super::terminal::Terminal;
use super::{Exit, Session, fetch};
use crate::archive::catalog::FolderRow;
use crate::archive::commit::{LeftOut, Outcome};
use crate::archive::view::View;
use crate::clock;
use crate::language::Lang;
use crate::settings::o365::WARN_DAYS;

/// Reasons of failures that are told apart in one folder.
const REASONS: usize = 20;

/// The ledger of one folder, counted.
#[derive(Default)]
struct Counts {
    archived: u64,
    same: u64,
    deleted: u64,
    left_out: BTreeMap<&'static str, u64>,
    failed: BTreeMap<String, u64>,
    after_due: u64,
}

impl Counts {
    fn of(view: &View, row: &FolderRow) -> anyhow::Result<Self> {
        let mut counts = Self::default();
        view.ledger(row.folder.number, |entry| {
            counts.after_due += u64::from(entry.after_due);
            match entry.outcome {
                Outcome::Archived(_) => counts.archived += 1,
                Outcome::Same(_) => counts.same += 1,
                Outcome::Deleted(_) => counts.deleted += 1,
                Outcome::LeftOut { why, .. } => *counts.left_out.entry(reason(why)).or_default() += 1,
                Outcome::Failed { why, .. } => {
                    // Servers have many words for the same trouble.
                    let known = counts.failed.contains_key(&why) || counts.failed.len() < REASONS;
                    let why = if known { why } else { "other reasons".into() };
                    *counts.failed.entry(why).or_default() += 1;
                }
            }
        })?;
        Ok(counts)
    }
}

fn reason(why: LeftOut) -> &'static str {
    match why {
        LeftOut::Draft => "draft",
        LeftOut::TooYoung => "too young",
        LeftOut::Gone => "gone before its turn",
    }
}

pub fn run(session: &Session<'_>, as_json: bool, terminal: &mut dyn Terminal) -> anyhow::Result<Exit> {
    let view = session.archive.view()?;
    let folders = view.folders()?;
    let (definitions, mut exit) = session.definitions(terminal)?;
    if !session.archive.findings().is_empty() {
        exit = Exit::Trouble;
    }
    let mut objects = Vec::new();
    let documents = view.count()?;
    if !as_json {
        terminal.line(&format!("{documents} documents"))?;
        for finding in session.archive.findings().lines() {
            terminal.line(&format!("! {finding}"))?;
        }
    }
    for definition in definitions {
        let last = view.runs(&definition.name, 1)?.pop();
        if last.as_ref().is_some_and(|run| !run.trouble.is_empty() || run.unexplained > 0) {
            exit = Exit::Trouble;
        }
        if let Some(days) = definition.secret_expires_in_days(clock::now()).filter(|days| *days <= WARN_DAYS) {
            terminal.log(&expiry(&definition.name, days, Lang::from_env()));
        }
        if !as_json {
            let state = if definition.inactive { " (inactive)" } else { "" };
            terminal.line(&format!("{}{state}", definition.name))?;
            match &last {
                Some(run) => terminal.line(&format!("  last run {} UTC", clock::short(run.ended)))?,
                None => terminal.line("  never run")?,
            }
            if let Some(run) = last.as_ref().filter(|run| !run.trouble.is_empty()) {
                terminal.line(&format!("  ! {}", run.trouble))?;
            }
        }
        let mut folder_objects = Vec::new();
        for row in folders.iter().filter(|row| row.folder.definition == definition.name) {
            let counts = Counts::of(&view, row)?;
            let cursor = view.cursor(row.folder.number)?;
            let on_server = cursor.as_ref().map_or(0, |cursor| cursor.on_server);
            let unexplained = cursor.as_ref().map_or(0, |cursor| cursor.unexplained);
            if as_json {
                folder_objects.push(json!({
                    "mailbox": row.folder.mailbox_name,
                    "folder": row.folder.name,
                    "on_server": on_server,
                    "archived": counts.archived,
                    "same": counts.same,
                    "left_out": counts.left_out,
                    "deleted": counts.deleted,
                    "failed": counts.failed,
                    "unexplained": unexplained,
                    "after_due": counts.after_due,
                    "reconciled": cursor.and_then(|cursor| cursor.reconciled).map(clock::rfc3339),
                }));
            } else {
                terminal.line(&as_text(row, &counts, on_server, unexplained))?;
            }
        }
        objects.push(json!({
            "name": definition.name,
            "module": definition.module.code(),
            "inactive": definition.inactive,
            "last_run": last.as_ref().map(fetch::as_object),
            "trouble": last.as_ref().map_or("", |run| run.trouble.as_str()),
            "folders": folder_objects,
        }));
    }
    if as_json {
        let findings: Vec<String> = session.archive.findings().lines().collect();
        let object: Value = json!({ "documents": documents, "definitions": objects, "findings": findings });
        terminal.line(&object.to_string())?;
    }
    Ok(exit)
}

fn as_text(row: &FolderRow, counts: &Counts, on_server: u64, unexplained: u64) -> String {
    let mut text = format!(
        "  {} {}: {on_server} on the server, {} archived, {} same",
        row.folder.mailbox_name, row.folder.name, counts.archived, counts.same
    );
    for (why, count) in &counts.left_out {
        text += &format!(", {count} left out ({why})");
    }
    for (why, count) in &counts.failed {
        text += &format!(", {count} failed ({why})");
    }
    if counts.after_due > 0 {
        text += &format!(", {} still to be moved or deleted there", counts.after_due);
    }
    text + &format!(", {unexplained} unexplained")
}
