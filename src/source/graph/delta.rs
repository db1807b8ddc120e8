//! What is new in a folder: delta queries. <https://learn.microsoft.com/graph/delta-query-messages>
//!
//! Links are the server's and are followed as they are: first `nextLink` after `nextLink`, which may lead to empty pages,
//! then a `deltaLink`, from which the next round starts. Both are kept as cursors. The same message may be listed again
//! and again; a message that was listed may be removed on the same page.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::client::{Ask, Client, Fail};
use super::folders;
use super::listing::{self, Listing, text, truth};
use crate::limits::GRAPH_PAGE;
use crate::source::{Circle, Cursor, Folder, Listed, Mailbox, Page, RemoteId, Result, SourceError};

/// What is asked of each message. In the first request of a round only: links carry it on.
const SELECT: &str = "$select=id,receivedDateTime,isDraft";
/// In front of a link that was not the last one of its round.
const NEXT: &str = "next ";
/// In front of a link from which the next round starts.
const DELTA: &str = "delta ";

#[derive(Debug, Deserialize)]
pub struct Item {
    pub id: String,
    #[serde(rename = "@removed", default)]
    removed: Option<IgnoredAny>,
    #[serde(rename = "receivedDateTime", default, deserialize_with = "text")]
    received: Option<String>,
    #[serde(rename = "isDraft", default, deserialize_with = "truth")]
    draft: Option<bool>,
}

impl Item {
    /// When the server received it, Unix seconds.
    pub fn received(&self) -> Option<i64> {
        let time: jiff::Timestamp = self.received.as_deref()?.parse().ok()?;
        Some(time.as_second())
    }

    /// An unsent draft.
    pub fn is_draft(&self) -> bool {
        self.draft.unwrap_or(false)
    }
}

/// Reads a page: what is listed, in its order and once each, and what is removed. What is both may be there: it is listed,
/// and whoever fetches it will learn.
fn sort(items: Vec<Item>) -> (Vec<Listed>, Vec<RemoteId>) {
    let (mut listed, mut removed, mut met) = (Vec::new(), Vec::new(), HashSet::new());
    for item in items {
        let id = RemoteId(item.id.clone().into_bytes());
        if item.removed.is_some() {
            removed.push(id);
        } else if met.insert(id.clone()) {
            listed.push(Listed { id, received: item.received(), size: None, draft: item.is_draft() });
        }
    }
    removed.retain(|id| met.insert(id.clone()));
    (listed, removed)
}

/// The next page of changes since `cursor`. `known_total` is how many items the folder had when it was last listed.
pub fn changes(
    client: &Client,
    mailbox: &Mailbox,
    folder: &Folder,
    cursor: Option<&Cursor>,
    known_total: Option<u64>,
) -> Result<Page> {
    let first = || client.url(&format!("{}/messages/delta?{SELECT}", folders::folder_path(mailbox, &folder.id)));
    let stored = cursor.and_then(|cursor| cursor.0.strip_prefix(NEXT).or_else(|| cursor.0.strip_prefix(DELTA)));
    // A cursor that we cannot read is as good as none; so is one that leads elsewhere, as after a change of the definition's
    // address: it is never followed.
    let stored = stored.and_then(|link| client.link(link).ok());
    let mut restarted = cursor.is_some() && stored.is_none();
    let is_stored = stored.is_some();
    let mut url = stored.unwrap_or_else(first);
    let page = match page(client, mailbox, &url) {
        // Whatever the server calls it: a link that it refuses once is refused in every run.
        Err(Fail::Refused(refusal, _)) if is_stored && refusal.is_lost_link() => {
            restarted = true;
            url = first();
            page(client, mailbox, &url)
        }
        other => other,
    };
    let page = match page {
        Err(Fail::Refused(refusal, _)) if refusal.is_gone() => {
            return Err(SourceError::NoFolder { name: folder.name.clone() });
        }
        other => other?,
    };
    let (next, more) = match (page.next, page.delta) {
        (Some(next), _) if page.value.is_empty() && next == url => {
            return Err(SourceError::Protocol { detail: "a page of changes that leads to itself".to_owned() });
        }
        (Some(next), _) => (format!("{NEXT}{}", client.link(&next)?), true),
        (None, Some(delta)) => (format!("{DELTA}{}", client.link(&delta)?), false),
        (None, None) => {
            return Err(SourceError::Protocol { detail: "a page of changes without a link".to_owned() });
        }
    };
    let (listed, removed) = sort(page.value);
    let total = match known_total {
        Some(total) => total,
        None => folders::total(client, mailbox, folder)?,
    };
    Ok(Page { listed, next: Cursor(next), more, restarted, renumbered: None, removed, total })
}

/// One page. A single message that the server cannot read makes the whole page fail with 500: it is asked for in halves
/// until the page is small enough to go round it or to stand alone. The pages behind it grow again by doubling.
fn page(client: &Client, mailbox: &Mailbox, url: &str) -> std::result::Result<Listing<Item>, Fail> {
    let most = client.tenant.number_of_mails;
    let mut size = client.page_size.load(Ordering::Relaxed).clamp(1, most);
    loop {
        let mut ask = Ask::get(mailbox, url.to_owned());
        ask.page = Some(size);
        // Asked for again at once, smaller: no pause is needed before that.
        ask.hasty = size > 1;
        match client.json(&ask, GRAPH_PAGE) {
            Err(Fail::Refused(refusal, _)) if matches!(refusal.status, 500 | 504) && size > 1 => size /= 2,
            Ok(page) => {
                client.page_size.store(size.saturating_mul(2).min(most), Ordering::Relaxed);
                return Ok(page);
            }
            other => return other,
        }
    }
}

/// Every id in a folder, 1000 at a time. <https://learn.microsoft.com/graph/api/mailfolder-list-messages>
pub fn list_ids(
    client: &Client,
    mailbox: &Mailbox,
    folder: &Folder,
    each: &mut dyn FnMut(RemoteId) -> Result<()>,
) -> Result<u64> {
    let path = format!("{}/messages?$select=id&$top=1000", folders::folder_path(mailbox, &folder.id));
    let mut count = 0;
    let listed = listing::each(client, Ask::get(mailbox, client.url(&path)), &mut |item: Item| {
        count += 1;
        each(RemoteId(item.id.into_bytes()))
    });
    match listed {
        Ok(()) => Ok(count),
        Err(Fail::Refused(refusal, _)) if refusal.is_gone() => Err(SourceError::NoFolder { name: folder.name.clone() }),
        // A message that spoils its page: a first round of changes names them all too, and goes round it in small pages.
        Err(Fail::Refused(refusal, _)) if matches!(refusal.status, 500 | 504) => {
            by_rounds(client, mailbox, folder, each)
        }
        Err(fail) => Err(fail.into()),
    }
}

/// The same by a first round of changes, which is not remembered.
fn by_rounds(
    client: &Client,
    mailbox: &Mailbox,
    folder: &Folder,
    each: &mut dyn FnMut(RemoteId) -> Result<()>,
) -> Result<u64> {
    let mut count = 0;
    let mut cursor: Option<Cursor> = None;
    let mut circle = Circle::default();
    loop {
        if cursor.as_ref().is_some_and(|cursor| circle.closes(&cursor.0)) {
            return Err(SourceError::Protocol { detail: "pages of changes that lead in a circle".to_owned() });
        }
        let page = changes(client, mailbox, folder, cursor.as_ref(), Some(0))?;
        for listed in page.listed {
            count += 1;
            each(listed.id)?;
        }
        if !page.more {
            return Ok(count);
        }
        cursor = Some(page.next);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(json: &[u8]) -> Listing<Item> {
        serde_json::from_slice(json).unwrap()
    }

    #[test]
    fn pages() {
        let page = read(
            br##"{"@odata.context":"c","@odata.nextLink":"https://graph.microsoft.com/v1.0/me/mailfolders('A')/messages/delta?$skiptoken=x",
            "value":[{"@odata.type":"#microsoft.graph.message","@odata.etag":"W/\"1\"","receivedDateTime":"2018-08-12T08:43:22Z","isDraft":true,"id":"AAa="},
            {"id":"AAA=","receivedDateTime":"datetime-value"},{"id":"AAa="},
            {"@odata.type":"#microsoft.graph.message","id":"BB=","@removed":{"reason":"deleted"}},
            {"id":"AAA=","@removed":{"reason":"changed"}},{"id":"BB=","@removed":{"reason":"changed"}}]}"##,
        );
        let (listed, removed) = sort(page.value);
        let of = |listed: &Listed| (listed.id.to_string(), listed.received, listed.draft);
        assert_eq!(
            listed.iter().map(of).collect::<Vec<_>>(),
            [("AAa=".to_owned(), Some(1_534_063_402), true), ("AAA=".to_owned(), None, false)]
        );
        assert_eq!(removed, [RemoteId(b"BB=".to_vec())]);
        // The documented example leaves the id out; nothing could be fetched by it.
        assert!(serde_json::from_slice::<Listing<Item>>(br#"{"value":[{"subject":"x"}]}"#).is_err());
    }

    proptest! {
        #[test]
        fn no_page_is_a_panic(bytes: Vec<u8>, id in ".*", received in ".*") {
            let _ = serde_json::from_slice::<Listing<Item>>(&bytes);
            let json = serde_json::json!({ "value": [{ "id": id, "receivedDateTime": received, "isDraft": received }] });
            sort(read(json.to_string().as_bytes()).value);
        }
    }
}
