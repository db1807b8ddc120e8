//! The mail folders of a mailbox, hidden ones too; search folders are views of others and are left out.
//! <https://learn.microsoft.com/graph/api/user-list-mailfolders>

use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use serde_json::json;

use super::client::{Ask, Client, Fail};
use super::listing::{self, number, text};
use super::paths;
use super::trouble::Trouble;
use crate::limits::{GRAPH_ANSWER, GRAPH_DEPTH, GRAPH_FOLDERS};
use crate::source::{Folder, Mailbox, Result, Role, SourceError};

const SELECT: &str = "$select=id,displayName,childFolderCount,totalItemCount";
/// Between the levels of a readable name; a folder's own name may contain it too.
const SEPARATOR: char = '/';

/// Folders are named in the language of their owner; these names are not. `archive` is the folder behind the button, not
/// the in-place archive, which Graph does not reach. <https://learn.microsoft.com/graph/api/resources/mailfolder>
const WELL_KNOWN: [(&str, Role); 8] = [
    ("inbox", Role::Inbox),
    ("sentitems", Role::Sent),
    ("drafts", Role::Drafts),
    ("outbox", Role::Outbox),
    ("junkemail", Role::Junk),
    ("deleteditems", Role::Trash),
    ("archive", Role::Archive),
    ("recoverableitemsdeletions", Role::Recoverable),
];

#[derive(Debug, Deserialize)]
struct Wire {
    id: String,
    #[serde(rename = "@odata.type", default, deserialize_with = "text")]
    kind: Option<String>,
    #[serde(rename = "displayName", default, deserialize_with = "text")]
    name: Option<String>,
    #[serde(rename = "childFolderCount", default, deserialize_with = "number")]
    children: Option<u64>,
    #[serde(rename = "totalItemCount", default, deserialize_with = "number")]
    items: Option<u64>,
}

impl Wire {
    fn is_search(&self) -> bool {
        self.kind.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("#microsoft.graph.mailSearchFolder"))
    }
}

/// Path of a mailbox's user.
pub fn base(mailbox: &Mailbox) -> String {
    paths::user(&mailbox.id)
}

/// Path of a folder.
pub fn folder_path(mailbox: &Mailbox, folder: &str) -> String {
    format!("{}/mailFolders/{}", base(mailbox), paths::segment(folder))
}

/// All folders, parents before children, and how many items are in each, by folder id.
pub fn list(client: &Client, mailbox: &Mailbox) -> Result<(Vec<Folder>, HashMap<String, u64>)> {
    let (mut folders, mut totals, mut met) = (Vec::new(), HashMap::new(), HashSet::new());
    // Paths whose children are to be listed, with the readable name in front of them and their depth.
    let mut open = vec![(format!("{}/mailFolders", base(mailbox)), String::new(), 0)];
    while let Some((path, prefix, depth)) = open.pop() {
        let url = client.url(&format!("{path}?includeHiddenFolders=true&{SELECT}&$top=100"));
        let mut found = Vec::new();
        let listed = listing::each(client, Ask::get(mailbox, url), &mut |folder: Wire| {
            found.push(folder);
            if found.len() > GRAPH_FOLDERS { Err(too_many()) } else { Ok(()) }
        });
        match listed {
            // Deleted since its parent was listed.
            Err(Fail::Refused(refusal, _)) if depth > 0 && refusal.is_gone() => continue,
            other => other?,
        }
        for folder in found {
            if folder.is_search() || folder.id.is_empty() || !met.insert(folder.id.clone()) {
                continue;
            }
            if met.len() > GRAPH_FOLDERS {
                return Err(too_many());
            }
            let own = folder.name.clone().unwrap_or_else(|| folder.id.clone());
            let name = if prefix.is_empty() { own } else { format!("{prefix}{SEPARATOR}{own}") };
            if folder.children != Some(0) && depth < GRAPH_DEPTH {
                open.push((format!("{}/childFolders", folder_path(mailbox, &folder.id)), name.clone(), depth + 1));
            }
            totals.extend(folder.items.map(|items| (folder.id.clone(), items)));
            folders.push(readable(folder.id, name, Role::Other));
        }
    }
    for (name, role) in WELL_KNOWN {
        let Some(known) = get(client, mailbox, name)? else { continue };
        match folders.iter_mut().find(|folder| folder.id == known.id) {
            Some(folder) => folder.role = role,
            // Recoverable items hang beside the tree.
            None if role == Role::Recoverable => {
                totals.extend(known.items.map(|items| (known.id.clone(), items)));
                folders.push(readable(known.id, "Recoverable Items".to_owned(), role));
            }
            None => {}
        }
    }
    Ok((folders, totals))
}

fn readable(id: String, name: String, role: Role) -> Folder {
    Folder { id, name, separator: Some(SEPARATOR), role, selectable: true, ..Folder::default() }
}

fn too_many() -> SourceError {
    SourceError::Protocol { detail: format!("more than {GRAPH_FOLDERS} folders in one mailbox") }
}

/// One folder by id or well-known name; `None` where it does not exist or is not shown to us.
fn get(client: &Client, mailbox: &Mailbox, name: &str) -> Result<Option<Wire>> {
    let url = client.url(&format!("{}?{SELECT}", folder_path(mailbox, name)));
    match client.json::<Wire>(&Ask::get(mailbox, url), GRAPH_ANSWER) {
        Ok(folder) => Ok(Some(folder)),
        Err(Fail::Refused(refusal, _)) if matches!(refusal.status, 400 | 403 | 404 | 410) => Ok(None),
        Err(fail) => Err(fail.into()),
    }
}

/// How many items are in a folder now. Graph counts all kinds of items, so it is never less than the messages.
pub fn total(client: &Client, mailbox: &Mailbox, folder: &Folder) -> Result<u64> {
    Ok(get(client, mailbox, &folder.id)?.and_then(|folder| folder.items).unwrap_or(0))
}

/// The folder that a person calls `wanted`, made with all its levels where it is missing.
pub fn find_or_make(client: &Client, mailbox: &Mailbox, wanted: &str) -> Result<Folder> {
    let (folders, _) = list(client, mailbox)?;
    if let Some(folder) = folders.iter().find(|folder| folder.is_named(wanted)) {
        return Ok(folder.clone());
    }
    let mut parent: Option<Folder> = None;
    for level in wanted.split(SEPARATOR).filter(|level| !level.is_empty()) {
        let name = parent.as_ref().map_or(level.to_owned(), |parent| format!("{}{SEPARATOR}{level}", parent.name));
        let there = folders.iter().find(|folder| folder.is_named(&name)).cloned();
        parent = Some(match there {
            Some(folder) => folder,
            None => make(client, mailbox, parent.as_ref(), level, name)?,
        });
    }
    parent.ok_or_else(|| SourceError::NoFolder { name: wanted.to_owned() })
}

/// <https://learn.microsoft.com/graph/api/mailfolder-post-childfolders>
fn make(client: &Client, mailbox: &Mailbox, parent: Option<&Folder>, level: &str, name: String) -> Result<Folder> {
    let path = match parent {
        Some(parent) => format!("{}/childFolders", folder_path(mailbox, &parent.id)),
        None => format!("{}/mailFolders", base(mailbox)),
    };
    let body = json!({ "displayName": level }).to_string();
    let ask = Ask::create(mailbox, client.url(&path), ("application/json", body.as_bytes()));
    let made = client.json::<Wire>(&ask, GRAPH_ANSWER).map_err(|fail| match SourceError::from(fail) {
        // Whether the folder is there shows when it is looked for the next time; nothing was put into it.
        SourceError::Graph(Trouble::Unsure { said }) => Trouble::ServerTrouble { said }.into(),
        error => error,
    })?;
    Ok(readable(made.id, name, Role::Other))
}

#[cfg(test)]
mod tests {
    use super::super::listing::Listing;
    use super::*;

    #[test]
    fn documented_folders() {
        // Example of "List mailFolders", microsoft-graph-docs.
        let json = br##"{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users('68ca8ec0')/mailFolders","value":[
            {"id":"AQMkADYAAAIBDAAAAA==","displayName":"Inbox","parentFolderId":"AQMkADYAAAIBCAAAAA==","childFolderCount":1,
             "unreadItemCount":70,"totalItemCount":71,"isHidden":false},
            {"@odata.type":"#microsoft.graph.mailSearchFolder","id":"AAMkADYRAAAZg1yTAAA=","displayName":"Weekly digests",
             "childFolderCount":0,"totalItemCount":5,"isSupported":true,"filterQuery":"contains(subject, 'weekly digest')"}]}"##;
        let page: Listing<Wire> = serde_json::from_slice(json).unwrap();
        let of = |folder: &Wire| (folder.is_search(), folder.children, folder.items);
        assert_eq!(
            page.value.iter().map(of).collect::<Vec<_>>(),
            [(false, Some(1), Some(71)), (true, Some(0), Some(5))]
        );
    }
}
