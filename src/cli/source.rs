//! `source add | list | test | remove`: the definitions.

use serde_json::json;

use super::mailtest;
use super::terminal::Terminal;
use super::{Exit, Session};
use crate::clock;
use crate::fetch::check;
use crate::language::Lang;
use crate::settings::o365::{WARN_DAYS, Which};
use crate::settings::users::CONSOLE;
use crate::settings::{self, AfterArchiving, Definition, Encryption, Imap, Module};

pub fn add(session: &Session<'_>, definition: &Definition, terminal: &mut dyn Terminal) -> anyhow::Result<Exit> {
    // Whoever asked through the socket may have been an older release.
    definition.check()?;
    let is_new = settings::put(session.archive, definition, CONSOLE)?;
    let did = if is_new { "added" } else { "changed" };
    terminal.log(&format!("Definition {:?} {did}. Try it with `source test {}`.", definition.name, definition.name));
    Ok(Exit::Fine)
}

pub fn list(session: &Session<'_>, as_json: bool, terminal: &mut dyn Terminal) -> anyhow::Result<Exit> {
    let (definitions, exit) = session.definitions(terminal)?;
    for definition in definitions {
        let after = match &definition.after {
            AfterArchiving::Leave => "leave".to_string(),
            AfterArchiving::Move(folder) => format!("move:{folder}"),
            AfterArchiving::Delete => "delete".to_string(),
            AfterArchiving::Purge => "purge".to_string(),
        };
        let line = if as_json {
            let mut all = json!({
                "name": definition.name,
                "module": definition.module.code(),
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
                "ended": definition.ended,
                "interval_minutes": definition.interval_minutes,
            });
            if let (Some(all), Some(own)) = (all.as_object_mut(), module_as_object(&definition.module).as_object_mut())
            {
                all.append(own);
            }
            all.to_string()
        } else {
            let state = match (definition.ended, definition.inactive) {
                (true, _) => ", ended",
                (false, true) => ", inactive",
                (false, false) => "",
            };
            format!(
                "{}  {}  every {} min, {after}{state}",
                definition.name,
                module_as_text(&definition.module),
                definition.interval_minutes
            )
        };
        terminal.line(&line)?;
    }
    Ok(exit)
}

fn encryption(imap: &Imap) -> &'static str {
    match imap.encryption {
        Encryption::Tls => "tls",
        Encryption::StartTls => "starttls",
        Encryption::None => "none",
    }
}

fn accounts(imap: &Imap) -> Vec<&str> {
    imap.accounts.iter().map(|account| account.account.as_str()).collect()
}

/// What a module needs to know, without its secrets.
fn module_as_object(module: &Module) -> serde_json::Value {
    match module {
        Module::Imap(imap) => json!({
            "server": imap.server,
            "port": imap.port,
            "encryption": encryption(imap),
            "accounts": accounts(imap),
        }),
        Module::O365(o365) => json!({
            "tenant": o365.tenant,
            "client_id": o365.client_id,
            "credential": if o365.certificate_pem.is_some() { "certificate" } else { "secret" },
            "secret_expires": o365.secret_expires,
            "mailboxes": match &o365.mailboxes {
                Which::All => json!("all"),
                Which::These(names) => json!(names),
            },
            "number_of_mails": o365.number_of_mails,
            "login_url": o365.login_url,
            "graph_url": o365.graph_url,
        }),
    }
}

fn module_as_text(module: &Module) -> String {
    match module {
        Module::Imap(imap) => {
            format!("imap {}:{} ({})  {}", imap.server, imap.port, encryption(imap), accounts(imap).join(", "))
        }
        Module::O365(o365) => {
            let mailboxes = match &o365.mailboxes {
                Which::All => "all mailboxes".to_owned(),
                Which::These(names) => names.join(", "),
            };
            let ends = o365.secret_expires.as_ref().map(|day| format!(", secret until {day}")).unwrap_or_default();
            format!("o365 {} ({} at a time{ends})  {mailboxes}", o365.tenant, o365.number_of_mails)
        }
    }
}

pub fn test(session: &Session<'_>, name: &str, as_json: bool, terminal: &mut dyn Terminal) -> anyhow::Result<Exit> {
    let definition = settings::definition(session.archive, name)?;
    if let Some(days) = definition.secret_expires_in_days(clock::now()).filter(|days| *days <= WARN_DAYS) {
        terminal.log(&expiry(&definition.name, days, Lang::from_env()));
    }
    let several = matches!(&definition.module, Module::Imap(imap) if imap.accounts.len() > 1);
    let mut said = String::new();
    let mut exit = Exit::Fine;
    let mut trouble = None;
    check::run(session.archive, &session.fetcher.tokens, &definition, session.pulse, &mut |mailbox, step| {
        if several && !as_json && said != mailbox {
            mailbox.clone_into(&mut said);
            trouble = trouble.take().or(terminal.line(mailbox).err());
        }
        match mailtest::show(step, mailbox, as_json, terminal) {
            Ok(Exit::Fine) => {}
            Ok(other) => exit = other,
            Err(error) => trouble = Some(error),
        }
    });
    match trouble {
        Some(error) => Err(error.into()),
        None => Ok(exit),
    }
}

/// What people are told in the last days of a client secret.
pub fn expiry(name: &str, days: i64, lang: Lang) -> String {
    match (lang, days) {
        (Lang::De, ..0) => {
            format!("{name}: Das Client-Secret ist laut Definition abgelaufen. Erstellen Sie in Entra ein neues.")
        }
        (Lang::De, _) => {
            format!("{name}: Das Client-Secret läuft in {days} Tagen ab. Erstellen Sie in Entra rechtzeitig ein neues.")
        }
        (Lang::En, ..0) => {
            format!("{name}: The client secret has expired, says the definition. Make a new one in Entra.")
        }
        (Lang::En, _) => format!("{name}: The client secret expires in {days} days. Make a new one in Entra in time."),
    }
}

/// From module Mail to module O365.
pub fn switch(session: &Session<'_>, from: &str, to: &str, terminal: &mut dyn Terminal) -> anyhow::Result<Exit> {
    settings::switch(session.archive, from, to, CONSOLE)?;
    terminal
        .log(&format!("{from:?} is inactive now, its archive stays. {to:?} takes its place with the next `fetch`."));
    Ok(Exit::Fine)
}

/// Ends a definition, or takes one up again.
pub fn end(session: &Session<'_>, name: &str, is_ended: bool, terminal: &mut dyn Terminal) -> anyhow::Result<Exit> {
    settings::end(session.archive, name, is_ended, CONSOLE)?;
    terminal.log(&if is_ended {
        format!("Definition {name:?} has ended. What it archived stays, and is found as before.")
    } else {
        format!("Definition {name:?} is fetched again, unless it is inactive.")
    });
    Ok(Exit::Fine)
}

pub fn remove(session: &Session<'_>, name: &str, terminal: &mut dyn Terminal) -> anyhow::Result<Exit> {
    settings::remove(session.archive, name, CONSOLE)?;
    terminal.log(&format!("Definition {name:?} removed. What it archived stays."));
    Ok(Exit::Fine)
}
