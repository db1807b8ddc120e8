//! Listings of Graph: pages of JSON that lead to each other. <https://learn.microsoft.com/graph/paging>

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::client::{Ask, Client, Fail};
use crate::limits::{GRAPH_PAGE, GRAPH_PAGES};
use crate::source::{Circle, SourceError};

/// One page. Everything that is not asked for is ignored.
#[derive(Debug, Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
pub struct Listing<T> {
    pub value: Vec<T>,
    #[serde(rename = "@odata.nextLink", default, deserialize_with = "text")]
    pub next: Option<String>,
    #[serde(rename = "@odata.deltaLink", default, deserialize_with = "text")]
    pub delta: Option<String>,
}

/// A text, or nothing where something else stands: a property that we can do without must not make a page unreadable.
pub fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(text) => Some(text),
        _ => None,
    })
}

/// The same for a truth value.
pub fn truth<'de, D: Deserializer<'de>>(from: D) -> Result<Option<bool>, D::Error> {
    Ok(Value::deserialize(from)?.as_bool())
}

/// The same for a number that is not negative.
pub fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    Ok(Value::deserialize(from)?.as_u64())
}

/// Follows a listing to its end and hands over what is on it, page by page. Links are followed as they are.
pub fn each<T: DeserializeOwned>(
    client: &Client,
    mut ask: Ask<'_>,
    take: &mut dyn FnMut(T) -> Result<(), SourceError>,
) -> Result<(), Fail> {
    let mut circle = Circle::default();
    for _ in 0..GRAPH_PAGES {
        let page: Listing<T> = client.json(&ask, GRAPH_PAGE)?;
        for item in page.value {
            take(item).map_err(Fail::Other)?;
        }
        let Some(next) = page.next else { return Ok(()) };
        let next = client.link(&next).map_err(Fail::Other)?;
        if circle.closes(&ask.url) {
            return Err(endless());
        }
        ask.url = next;
    }
    Err(endless())
}

fn endless() -> Fail {
    Fail::Other(SourceError::Protocol { detail: "a listing that has no end".to_owned() })
}
