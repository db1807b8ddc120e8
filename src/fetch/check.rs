//! Tries every mailbox of a definition, step by step: a login may work and a policy still keep it out of some of them.

use std::sync::Arc;

use super::job::{self, Turn};
use super::tokens::Tokens;
use crate::archive::Archive;
use crate::pulse::Pulse;
use crate::settings::o365::Which;
use crate::settings::{Definition, Module, O365};
use crate::source::graph::GraphSource;
use crate::source::{MailSource, SourceError, Step};

/// Hears the steps: which mailbox, and what became of it.
pub type Report<'a> = dyn FnMut(&str, Step) + 'a;

/// Connects to each mailbox and reads the first message of its inbox. Ends early when `pulse` is cancelled.
pub fn run(archive: &Archive, tokens: &Tokens, definition: &Definition, pulse: &Pulse, report: &mut Report<'_>) {
    let tried = match &definition.module {
        Module::O365(o365) => tenant(o365, pulse, report).map_err(|error| (o365.tenant.clone(), error)),
        Module::Imap(_) => {
            accounts(archive, tokens, definition, pulse, report).map_err(|error| (definition.name.clone(), error))
        }
    };
    if let Err((place, error)) = tried {
        report(&place, Step::Failed(Arc::new(error)));
    }
}

fn accounts(
    archive: &Archive,
    tokens: &Tokens,
    definition: &Definition,
    pulse: &Pulse,
    report: &mut Report<'_>,
) -> Result<(), SourceError> {
    for (label, mut source) in job::open(archive, tokens, definition, pulse, Turn::AtOnce)? {
        source.check(&mut |step| report(&label, step));
    }
    Ok(())
}

fn tenant(o365: &O365, pulse: &Pulse, report: &mut Report<'_>) -> Result<(), SourceError> {
    let mut source = GraphSource::new(o365.tenant(), pulse.clone())?;
    let names = match &o365.mailboxes {
        Which::These(names) => names.clone(),
        Which::All => source.mailboxes()?.into_iter().map(|mailbox| mailbox.name).collect(),
    };
    for name in &names {
        pulse.go_on().map_err(|_| SourceError::Cancelled)?;
        source.check_mailbox(name, &mut |step| report(name, step));
    }
    Ok(())
}
