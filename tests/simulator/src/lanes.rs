//! How many requests of a mailbox are under way, and how many it had. Graph docs: 'Outlook service limits': four at a time and
//! 10,000 in ten minutes for one app and one mailbox; more are refused with 429.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

#[derive(Clone, Debug, Default)]
pub struct Lanes(Arc<Mutex<HashMap<String, usize>>>);

/// What each mailbox had since its span began.
#[derive(Debug, Default)]
pub struct Quotas(HashMap<String, (Instant, u32)>);

impl Quotas {
    /// Counts a request. Where it is one too many: seconds until the next is taken.
    pub fn take(&mut self, mailbox: &str, (requests, seconds): (u32, u64)) -> Result<(), u64> {
        let (now, span) = (Instant::now(), Duration::from_secs(seconds));
        let (since, had) = self.0.entry(mailbox.to_owned()).or_insert((now, 0));
        if now.duration_since(*since) >= span {
            (*since, *had) = (now, 0);
        }
        if *had >= requests {
            let left = span.saturating_sub(now.duration_since(*since));
            return Err(left.as_secs() + u64::from(left.subsec_nanos() > 0));
        }
        *had += 1;
        Ok(())
    }
}

/// A request under way; ends when it is dropped.
#[derive(Debug)]
pub struct Lane {
    lanes: Lanes,
    pub mailbox: String,
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
