//! The mailboxes of a tenant. Identity is the Entra object id, so that a renamed mailbox stays the same one.
//! <https://learn.microsoft.com/graph/api/user-list>

use std::collections::HashSet;

use serde::Deserialize;
use ureq::http::Method;

use super::client::{Ask, Client, Fail, USERS_READ};
use super::listing::{self, text};
use super::paths;
use super::tenant::Mailboxes;
use crate::limits::{GRAPH_ANSWER, GRAPH_USERS};
use crate::source::{Mailbox, Result, SourceError};

const SELECT: &str = "$select=id,userPrincipalName,mail";

#[derive(Deserialize)]
struct User {
    #[serde(default, deserialize_with = "text")]
    id: Option<String>,
    #[serde(rename = "userPrincipalName", default, deserialize_with = "text")]
    principal: Option<String>,
    #[serde(default, deserialize_with = "text")]
    mail: Option<String>,
}

impl User {
    fn mailbox(self) -> Option<Mailbox> {
        let id = self.id.filter(|id| !id.is_empty())?;
        let name = self.mail.or(self.principal).filter(|name| !name.is_empty()).unwrap_or_else(|| id.clone());
        Some(Mailbox { id, name })
    }
}

fn ask(label: &str, url: String) -> Ask<'_> {
    Ask {
        mailbox: "",
        label,
        method: Method::GET,
        url,
        page: None,
        body: None,
        permission: USERS_READ,
        hasty: false,
        creates: false,
    }
}

/// The mailboxes of the definition. With "all", every user of the tenant: disabled ones are kept, as shared mailboxes are
/// users that cannot log in; whether one has a mailbox shows when its folders are asked for.
pub fn list(client: &Client) -> Result<Vec<Mailbox>> {
    match &client.tenant.mailboxes {
        Mailboxes::All => {
            let (mut all, mut met) = (Vec::new(), HashSet::new());
            let first = ask("", client.url(&format!("/v1.0/users?{SELECT}&$top=999")));
            listing::each(client, first, &mut |user: User| {
                all.extend(user.mailbox().filter(|mailbox| met.insert(mailbox.id.clone())));
                if all.len() > GRAPH_USERS {
                    let detail = format!("more than {GRAPH_USERS} users in one tenant: name the mailboxes");
                    return Err(SourceError::Protocol { detail });
                }
                Ok(())
            })?;
            Ok(all)
        }
        Mailboxes::These(names) => names.iter().map(|name| find(client, name)).collect(),
    }
}

/// A mailbox by its address. The name stays as the definition writes it.
pub fn find(client: &Client, name: &str) -> Result<Mailbox> {
    let as_written = || Mailbox { id: name.to_lowercase(), name: name.to_owned() };
    let url = client.url(&format!("{}?{SELECT}", paths::user(name)));
    match client.json::<User>(&ask(name, url), GRAPH_ANSWER) {
        Ok(user) => Ok(user.mailbox().map_or_else(as_written, |mailbox| Mailbox { name: name.to_owned(), ..mailbox })),
        // Who may read mail need not be allowed to read the directory: then the address is all that there is. An address
        // that does not exist must not keep the others from being read; its folders will say so.
        Err(Fail::Refused(refusal, _)) if matches!(refusal.status, 400 | 403 | 404) => Ok(as_written()),
        Err(fail) => Err(SourceError::from(fail)),
    }
}
