//! The connection test, in the words and order of the maker's script (python O365), up to the subject of the first message.

use std::sync::Arc;

use serde::Deserialize;

use super::client::{Ask, Client};
use super::listing::{Listing, text};
use super::paths;
use crate::limits::GRAPH_PAGE;
use crate::source::error::words;
use crate::source::{Mailbox, Passed, Result, Step};

#[derive(Deserialize)]
struct First {
    #[serde(default, deserialize_with = "text")]
    subject: Option<String>,
}

/// Logs in, then reads each mailbox: a permission may be there and a policy may still keep the application out of some.
pub fn check(client: &Client, mailboxes: &dyn Fn() -> Result<Vec<String>>, report: &mut dyn FnMut(Step)) {
    let names = client.log_in().and_then(|()| {
        report(Step::Passed(Passed::LoggedIn));
        mailboxes()
    });
    match names {
        Ok(names) => {
            for name in names {
                if let Err(error) = inbox(client, &name, report) {
                    report(Step::Failed(Arc::new(error)));
                }
            }
        }
        Err(error) => report(Step::Failed(Arc::new(error))),
    }
}

fn inbox(client: &Client, name: &str, report: &mut dyn FnMut(Step)) -> Result<()> {
    let resource = format!("users/{name}");
    report(Step::Passed(Passed::Mailbox { resource: resource.clone() }));
    let mailbox = Mailbox { id: name.to_owned(), name: name.to_owned() };
    let url = client.url(&format!("{}/mailFolders/Inbox/messages?$top=1&$select=id,subject", paths::user(name)));
    let first: Listing<First> = client.json(&Ask::get(&mailbox, url), GRAPH_PAGE)?;
    report(Step::Passed(Passed::Inbox { resource, messages: None }));
    report(Step::Passed(match first.value.into_iter().next() {
        Some(first) => Passed::Subject(words(first.subject.unwrap_or_default().as_bytes())),
        None => Passed::InboxEmpty,
    }));
    Ok(())
}
