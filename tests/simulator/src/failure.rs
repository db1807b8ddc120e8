//! The error bodies of Graph, as the real service words them. Graph docs: 'Microsoft Graph error responses'; the texts are
//! those that users of the service have recorded.

use serde_json::{Value, json};

/// An answer that is an error: status, code, message.
#[derive(Clone, Debug)]
pub struct Failure {
    pub status: u16,
    pub code: &'static str,
    pub message: String,
    pub headers: Vec<(&'static str, String)>,
    /// Samples of a throttled answer have no `innerError`.
    pub bare: bool,
}

impl Failure {
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), headers: Vec::new(), bare: false }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn body(&self, request_id: &str, client_request_id: &str, now: i64) -> Value {
        if self.bare {
            return json!({ "error": { "code": self.code, "message": self.message } });
        }
        json!({ "error": {
            "code": self.code,
            "message": self.message,
            "innerError": {
                "date": crate::date::plain(now),
                "request-id": request_id,
                "client-request-id": client_request_id,
            },
        } })
    }
}

pub fn no_token() -> Failure {
    Failure::new(401, "InvalidAuthenticationToken", "Access token is empty.")
}

pub fn expired_token() -> Failure {
    Failure::new(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
}

pub fn wrong_token() -> Failure {
    Failure::new(401, "InvalidAuthenticationToken", "CompactToken parsing failed with error code: 80049217")
}

/// The app lacks a permission on mail, or an RBAC scope leaves the mailbox out.
pub fn access_denied() -> Failure {
    Failure::new(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
}

/// An application access policy leaves the mailbox out.
pub fn access_policy() -> Failure {
    Failure::new(403, "ErrorAccessDenied", "Access to OData is disabled.")
}

/// A call to the directory without its permission.
pub fn insufficient() -> Failure {
    Failure::new(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
}

pub fn no_item() -> Failure {
    Failure::new(
        404,
        "ErrorItemNotFound",
        "The specified object was not found in the store., The process failed to get the correct properties.",
    )
}

pub fn no_folder() -> Failure {
    Failure::new(404, "ErrorItemNotFound", "The specified folder could not be found in the store.")
}

pub fn no_mailbox() -> Failure {
    Failure::new(
        404,
        "MailboxNotEnabledForRESTAPI",
        "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
    )
}

pub fn no_such_mail_user(user: &str) -> Failure {
    Failure::new(404, "ErrorInvalidUser", format!("The requested user '{user}' is invalid."))
}

pub fn no_such_user(user: &str) -> Failure {
    Failure::new(
        404,
        "Request_ResourceNotFound",
        format!("Resource '{user}' does not exist or one of its queried reference-property objects are not present."),
    )
}

pub fn malformed_id() -> Failure {
    Failure::new(400, "ErrorInvalidIdMalformed", "Id is malformed.")
}

pub fn malformed(message: impl Into<String>) -> Failure {
    Failure::new(400, "BadRequest", message)
}

pub fn unsupported() -> Failure {
    Failure::new(400, "ErrorInvalidRequest", "The OData request is not supported.")
}

pub fn too_complex() -> Failure {
    Failure::new(400, "InefficientFilter", "The restriction or sort order is too complex for this operation.")
}

pub fn no_segment(segment: &str) -> Failure {
    Failure::new(400, "BadRequest", format!("Resource not found for the segment '{segment}'."))
}

pub fn poisoned() -> Failure {
    Failure::new(500, "ErrorMimeContentConversionFailed", "MIME content conversion failed.")
}

pub fn poisoned_page() -> Failure {
    Failure::new(500, "InternalServerError", "Error while processing response.")
}

pub fn throttled(message: &str, retry_after: impl Into<String>) -> Failure {
    let mut failure = Failure::new(429, "ApplicationThrottled", message).with("Retry-After", retry_after);
    failure.bare = true;
    failure
}

/// The sync state is lost: the client starts again at the address in `Location`.
pub fn sync_state_lost(location: String) -> Failure {
    Failure::new(
        410,
        "SyncStateNotFound",
        "The sync state generation is not found; generation=149;[highest=157][157][155][156].",
    )
    .with("Location", location)
}
