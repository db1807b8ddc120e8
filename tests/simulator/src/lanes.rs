//! How many requests of a mailbox are under way. Graph docs: 'Outlook service limits': four at a time for one app and one
//! mailbox; the fifth is refused with 429.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Clone, Debug, Default)]
pub struct Lanes(Arc<Mutex<HashMap<String, usize>>>);

/// A request under way; ends when it is dropped.
#[derive(Debug)]
pub struct Lane {
    lanes: Lanes,
    mailbox: String,
    /// With this one, how many the mailbox has.
    pub of_mailbox: usize,
    /// With this one, how many all mailboxes have.
    pub of_all: usize,
}

impl Lanes {
    pub fn enter(&self, mailbox: &str) -> Lane {
        let mut lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *lanes.entry(mailbox.to_owned()).or_default() += 1;
        Lane {
            lanes: self.clone(),
            mailbox: mailbox.to_owned(),
            of_mailbox: lanes[mailbox],
            of_all: lanes.values().sum(),
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        let mut lanes = self.lanes.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = lanes.get_mut(&self.mailbox) {
            *count -= 1;
            if *count == 0 {
                lanes.remove(&self.mailbox);
            }
        }
    }
}
