//! `mailtest`: a login tried step by step, as the maker's script does it, but it says what is wrong.

use std::path::Path;
use std::sync::Arc;
use std::{fs, io};

use anyhow::Context;
use serde_json::json;

use super::Exit;
use super::terminal::Terminal;
use crate::language::Lang;
use crate::pulse::Pulse;
use crate::source::graph::{GraphSource, Mailboxes, Tenant};
use crate::source::imap::{Account, ImapSource};
use crate::source::{MailSource, SourceError, Step};

/// What is tried: an account of an IMAP server, or one mailbox of a tenant.
pub enum Login {
    Imap(Account),
    Graph(Tenant),
}

pub fn run(login: Login, as_json: bool, terminal: &mut dyn Terminal) -> anyhow::Result<Exit> {
    match login {
        Login::Imap(account) => {
            let user = account.user.clone();
            check(&mut ImapSource::new(account, Pulse::new()), &user, as_json, terminal)
        }
        Login::Graph(tenant) => {
            let mailbox = match &tenant.mailboxes {
                Mailboxes::These(names) => names.join(", "),
                Mailboxes::All => String::new(),
            };
            match GraphSource::new(tenant, Pulse::new()) {
                Ok(mut source) => check(&mut source, &mailbox, as_json, terminal),
                Err(error) => Ok(show(Step::Failed(Arc::new(error)), &mailbox, as_json, terminal)?),
            }
        }
    }
}

/// Shows the steps of a check as they happen.
fn check(
    source: &mut dyn MailSource,
    mailbox: &str,
    as_json: bool,
    terminal: &mut dyn Terminal,
) -> anyhow::Result<Exit> {
    let mut exit = Exit::Fine;
    let mut trouble = None;
    source.check(&mut |step| match show(step, mailbox, as_json, terminal) {
        Ok(Exit::Fine) => {}
        Ok(other) => exit = other,
        Err(error) => trouble = Some(error),
    });
    match trouble {
        Some(error) => Err(error.into()),
        None => Ok(exit),
    }
}

/// Shows one step: results on standard output, the reason of a failure beside them.
pub fn show(step: Step, mailbox: &str, as_json: bool, terminal: &mut dyn Terminal) -> io::Result<Exit> {
    match step {
        Step::Passed(passed) if as_json => {
            let step = passed.to_string();
            terminal.line(&json!({ "mailbox": mailbox, "passed": true, "step": step }).to_string())?;
        }
        Step::Passed(passed) => terminal.line(&passed.to_string())?,
        Step::Failed(error) if as_json => {
            terminal.line(&as_object(&error, mailbox))?;
            return Ok(Exit::Trouble);
        }
        Step::Failed(error) => {
            terminal.log(&error.sentence(Lang::from_env()));
            return Ok(Exit::Trouble);
        }
    }
    Ok(Exit::Fine)
}

fn as_object(error: &SourceError, mailbox: &str) -> String {
    json!({
        "mailbox": mailbox,
        "passed": false,
        "step": error.to_string(),
        "de": error.sentence(Lang::De),
        "en": error.sentence(Lang::En),
    })
    .to_string()
}

/// A password from a file, without the line end that editors add.
pub fn read_password(path: &Path) -> anyhow::Result<String> {
    let text = fs::read_to_string(path).with_context(|| format!("--password-file {}", path.display()))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_string())
}

/// Certificates in PEM form.
pub fn read_ca(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("--ca-file {}", path.display()))
}
