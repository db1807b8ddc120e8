//! `source add | list | test | remove`: the definitions.

use serde_json::json;

use super::mailtest;
use super::terminal::Terminal;
use super::{Exit, Session};
use crate::fetch::job;
use crate::settings::{self, AfterArchiving, Definition, Encryption};

/// Who stands in the journal for what is done by verbs.
pub const CONSOLE: &str = "console";

pub fn add(session: &Session<'_>, definition: &Definition, terminal: &mut dyn Terminal) -> anyhow::Result<Exit> {
    // Whoever asked through the socket may have been an older release.
    definition.check().map_err(anyhow::Error::msg)?;
    let is_new = settings::put(session.archive, definition, CONSOLE)?;
    let did = if is_new { "added" } else { "changed" };
    terminal.log(&format!("Definition {:?} {did}. Try it with `source test {}`.", definition.name, definition.name));
    Ok(Exit::Fine)
}

pub fn list(session: &Session<'_>, as_json: bool, terminal: &mut dyn Terminal) -> anyhow::Result<Exit> {
    let mut exit = Exit::Fine;
    for definition in settings::definitions(session.archive)? {
        let definition = match definition {
            Ok(definition) => definition,
            Err(error) => {
                terminal.log(&error.to_string());
                exit = Exit::Trouble;
                continue;
            }
        };
        let accounts: Vec<&str> = definition.accounts.iter().map(|account| account.account.as_str()).collect();
        let encryption = match definition.encryption {
            Encryption::Tls => "tls",
            Encryption::StartTls => "starttls",
            Encryption::None => "none",
        };
        let after = match &definition.after {
            AfterArchiving::Leave => "leave".to_string(),
            AfterArchiving::Move(folder) => format!("move:{folder}"),
            AfterArchiving::Delete => "delete".to_string(),
        };
        let line = if as_json {
            json!({
                "name": definition.name,
                "module": "imap",
                "server": definition.server,
                "port": definition.port,
                "encryption": encryption,
                "accounts": accounts,
                "folders": definition.folders,
                "exclude_folders": definition.exclude_folders,
                "field_from": definition.fields.from,
                "field_cc": definition.fields.cc,
                "field_to": definition.fields.to,
                "field_subject": definition.fields.subject,
                "owner": definition.owner,
                "min_age_days": definition.min_age_days,
                "after": after,
                "play_back_folder": definition.play_back_folder,
                "inactive": definition.inactive,
                "interval_minutes": definition.interval_minutes,
            })
            .to_string()
        } else {
            let state = if definition.inactive { ", inactive" } else { "" };
            format!(
                "{}  imap {}:{} ({encryption})  {}  every {} min, {after}{state}",
                definition.name,
                definition.server,
                definition.port,
                accounts.join(", "),
                definition.interval_minutes
            )
        };
        terminal.line(&line)?;
    }
    Ok(exit)
}

pub fn test(session: &Session<'_>, name: &str, as_json: bool, terminal: &mut dyn Terminal) -> anyhow::Result<Exit> {
    let definition = settings::definition(session.archive, name)?;
    let mut exit = Exit::Fine;
    for account in &definition.accounts {
        if definition.accounts.len() > 1 && !as_json {
            terminal.line(&account.account)?;
        }
        let mut source = job::source(&definition, account, session.pulse);
        if mailtest::check(&mut source, &account.account, as_json, terminal)? != Exit::Fine {
            exit = Exit::Trouble;
        }
    }
    Ok(exit)
}

pub fn remove(session: &Session<'_>, name: &str, terminal: &mut dyn Terminal) -> anyhow::Result<Exit> {
    settings::remove(session.archive, name, CONSOLE)?;
    terminal.log(&format!("Definition {name:?} removed. What it archived stays."));
    Ok(Exit::Fine)
}
