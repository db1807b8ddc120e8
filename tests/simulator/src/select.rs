//! `$select`, `$filter` and `$orderby` of messages.

use crate::date;
use crate::failure::{self, Failure};
use crate::mailbox::Message;

/// Every property of a message that may be asked for. There is no `size` in v1.0.
pub const PROPERTIES: [&str; 33] = [
    "id",
    "createdDateTime",
    "lastModifiedDateTime",
    "changeKey",
    "categories",
    "receivedDateTime",
    "sentDateTime",
    "hasAttachments",
    "internetMessageId",
    "subject",
    "bodyPreview",
    "importance",
    "parentFolderId",
    "conversationId",
    "conversationIndex",
    "isDeliveryReceiptRequested",
    "isReadReceiptRequested",
    "isRead",
    "isDraft",
    "webLink",
    "inferenceClassification",
    "body",
    "sender",
    "from",
    "toRecipients",
    "ccRecipients",
    "bccRecipients",
    "replyTo",
    "flag",
    "internetMessageHeaders",
    "uniqueBody",
    "attachments",
    "singleValueExtendedProperties",
];

/// Refuses a property that does not exist.
pub fn check(select: &str) -> Result<(), Failure> {
    for name in select.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        if !PROPERTIES.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            let message = format!("Could not find a property named '{name}' on type 'microsoft.graph.message'.");
            return Err(Failure::new(400, "RequestBroker--ParseUri", message));
        }
    }
    Ok(())
}

/// One comparison of a `$filter`.
#[derive(Debug)]
pub struct Clause {
    property: String,
    operator: String,
    value: String,
}

/// Reads a filter of comparisons that all must hold. Where there is an order as well, its property must be the first of
/// the filter (`InefficientFilter`).
pub fn filter(text: Option<&str>, order: Option<&str>) -> Result<Vec<Clause>, Failure> {
    let clauses: Vec<Clause> = text
        .unwrap_or_default()
        .split(" and ")
        .filter(|clause| !clause.trim().is_empty())
        .map(|clause| {
            let mut words = clause.trim().splitn(3, ' ').map(ToOwned::to_owned);
            let (Some(property), Some(operator), Some(value)) = (words.next(), words.next(), words.next()) else {
                return Err(failure::malformed("Invalid filter clause"));
            };
            check(&property)?;
            Ok(Clause { property, operator, value: value.trim_matches('\'').to_owned() })
        })
        .collect::<Result<_, _>>()?;
    let by = order.and_then(|order| order.split([' ', ',']).next()).unwrap_or_default();
    if !by.is_empty() && clauses.first().is_some_and(|first| !first.property.eq_ignore_ascii_case(by)) {
        return Err(failure::too_complex());
    }
    Ok(clauses)
}

impl Clause {
    /// Whether it holds. `subject` and `id` are read only where they are asked for.
    pub fn holds(&self, message: &Message, text_of: &dyn Fn(&str) -> String) -> bool {
        let number = match self.property.to_lowercase().as_str() {
            "receiveddatetime" => Some((message.received, date::parse(&self.value).unwrap_or(0))),
            "sentdatetime" => Some((message.sent, date::parse(&self.value).unwrap_or(0))),
            "isread" => Some((i64::from(message.is_read), i64::from(self.value == "true"))),
            "isdraft" => Some((i64::from(message.is_draft), i64::from(self.value == "true"))),
            _ => None,
        };
        let order = number.map_or_else(|| text_of(&self.property).cmp(&self.value), |(left, right)| left.cmp(&right));
        match self.operator.as_str() {
            "eq" => order.is_eq(),
            "ne" => order.is_ne(),
            "gt" => order.is_gt(),
            "ge" => order.is_ge(),
            "lt" => order.is_lt(),
            "le" => order.is_le(),
            _ => false,
        }
    }
}
