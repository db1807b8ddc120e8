//! How fast we may go: gates, Retry-After.
//!
//! Exchange serves four requests at a time for one application and mailbox and refuses the fifth; whether there is one
//! such limit for the whole tenant is not said, so that a second gate learns it: it shrinks when the server throttles and
//! grows slowly while it does not. <https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits>

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::tenant::Tenant;
use crate::limits::{GRAPH_BIG_AT_ONCE, GRAPH_PER_MAILBOX, GRAPH_PER_TENANT};
use crate::pulse::Pulse;
use crate::source::pace::SLICE;
use crate::source::{Result, SourceError};

/// Answers without throttling after which the gate of the tenant grows by one.
const CLEAN: usize = 50;

/// The gates of one application in one tenant, shared by all who speak for it: lanes, and definitions that run at a time.
#[derive(Default)]
pub struct Gates {
    inner: Mutex<Inner>,
    changed: Condvar,
}

struct Inner {
    /// Requests at a time for the tenant.
    limit: usize,
    running: usize,
    /// Answers without throttling since the limit last changed.
    clean: usize,
    mailboxes: HashMap<String, Mailbox>,
}

impl Default for Inner {
    fn default() -> Self {
        Self { limit: GRAPH_PER_TENANT, running: 0, clean: 0, mailboxes: HashMap::new() }
    }
}

#[derive(Default)]
struct Mailbox {
    running: usize,
    /// Nobody asks before.
    not_before: Option<Instant>,
}

/// One request that may run. It keeps its lane until it is dropped, also while it waits for the server to take it again.
pub struct Pass {
    gates: Arc<Gates>,
    mailbox: String,
}

/// The gates that are in use in this process, by Graph's address, tenant and application.
static IN_USE: Mutex<Vec<(String, Weak<Gates>)>> = Mutex::new(Vec::new());

impl Gates {
    /// The gates of this application: the same ones for everybody who has them in use.
    pub fn of(tenant: &Tenant) -> Arc<Self> {
        let name = format!("{} {} {}", tenant.graph_url, tenant.tenant, tenant.client_id).to_ascii_lowercase();
        let mut all = IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(_, gates)| gates.strong_count() > 0);
        let found = all.iter().find(|(other, _)| *other == name).and_then(|(_, gates)| gates.upgrade());
        found.unwrap_or_else(|| {
            let gates = Arc::default();
            all.push((name, Arc::downgrade(&gates)));
            gates
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a request for this mailbox may run; `""` is the directory.
    pub fn enter(self: &Arc<Self>, mailbox: &str, pulse: &Pulse) -> Result<Pass> {
        let mut inner = self.inner();
        loop {
            pulse.go_on().map_err(|_| SourceError::Cancelled)?;
            let has_room = inner.running < inner.limit;
            let gate = inner.mailboxes.entry(mailbox.to_owned()).or_default();
            let may = gate.not_before.is_none_or(|at| at <= Instant::now());
            if has_room && may && gate.running < GRAPH_PER_MAILBOX {
                gate.not_before = None;
                gate.running += 1;
                inner.running += 1;
                return Ok(Pass { gates: self.clone(), mailbox: mailbox.to_owned() });
            }
            inner = self.changed.wait_timeout(inner, SLICE).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Pass {
    /// The server throttles: nobody asks for this mailbox before `pause` has passed, and fewer ask for the tenant.
    pub fn throttled(&self, pause: Duration) {
        let mut inner = self.gates.inner();
        inner.limit = (inner.limit.min(inner.running.max(1)) / 2).max(1);
        inner.clean = 0;
        let until = Instant::now() + pause;
        if let Some(gate) = inner.mailboxes.get_mut(&self.mailbox) {
            gate.not_before = Some(gate.not_before.map_or(until, |at| at.max(until)));
        }
    }

    /// The server answered.
    pub fn answered(&self) {
        let mut inner = self.gates.inner();
        inner.clean += 1;
        if inner.clean >= CLEAN && inner.limit < GRAPH_PER_TENANT {
            inner.limit += 1;
            inner.clean = 0;
            self.gates.changed.notify_all();
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut inner = self.gates.inner();
        inner.running = inner.running.saturating_sub(1);
        if let Some(gate) = inner.mailboxes.get_mut(&self.mailbox) {
            gate.running = gate.running.saturating_sub(1);
            // Mailboxes come and go; only what is in use is remembered.
            if gate.running == 0 && gate.not_before.is_none_or(|at| at <= Instant::now()) {
                inner.mailboxes.remove(&self.mailbox);
            }
        }
        drop(inner);
        self.gates.changed.notify_all();
    }
}

/// One large page or message of JSON that may be in memory; few of them at a time in the whole process.
pub struct Big(());

static BIG: (Mutex<usize>, Condvar) = (Mutex::new(0), Condvar::new());

impl Big {
    /// Waits until there is room for one.
    pub fn enter(pulse: &Pulse) -> Result<Self> {
        let mut held = BIG.0.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            pulse.go_on().map_err(|_| SourceError::Cancelled)?;
            if *held < GRAPH_BIG_AT_ONCE {
                *held += 1;
                return Ok(Self(()));
            }
            held = BIG.1.wait_timeout(held, SLICE).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Big {
    fn drop(&mut self) {
        let mut held = BIG.0.lock().unwrap_or_else(PoisonError::into_inner);
        *held = held.saturating_sub(1);
        drop(held);
        BIG.1.notify_one();
    }
}

/// What Retry-After says (RFC 9110, 10.2.3): seconds, or a date, which is read by the server's own clock where it tells it.
/// `now` in Unix seconds counts where it does not. A date in the past is no pause.
pub fn retry_after(value: &str, date: Option<&str>, now: i64) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|c| c.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let then = http_date(value)?;
    let now = date.and_then(http_date).unwrap_or(now);
    Some(Duration::from_secs(u64::try_from(then.saturating_sub(now)).unwrap_or(0)))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7) in Unix seconds.
fn http_date(text: &str) -> Option<i64> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok().map(jiff::Timestamp::as_second)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn retry_after_has_two_forms() {
        let seconds = |text, date, now| retry_after(text, date, now).map(|pause| pause.as_secs());
        assert_eq!(seconds(" 17 ", None, 0), Some(17));
        assert_eq!(seconds("0", None, 0), Some(0));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:37 GMT", None, 784_111_770), Some(7));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:37 GMT", Some("Sun, 06 Nov 1994 08:49:30 GMT"), 0), Some(7));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:37 GMT", None, 784_111_778), Some(0));
        for nothing in ["", "soon", "-1", "1.5"] {
            assert_eq!(seconds(nothing, None, 0), None, "{nothing}");
        }
    }

    #[test]
    fn one_application_has_one_gate() {
        let tenant = |client_id: &str| Tenant {
            tenant: "gates.example".into(),
            client_id: client_id.into(),
            credential: super::super::Credential::Secret(zeroize::Zeroizing::default()),
            mailboxes: super::super::Mailboxes::All,
            number_of_mails: 1,
            login_url: String::new(),
            graph_url: String::new(),
            ca_pem: None,
        };
        let one = Gates::of(&tenant("a"));
        assert!(Arc::ptr_eq(&one, &Gates::of(&tenant("A"))));
        assert!(!Arc::ptr_eq(&one, &Gates::of(&tenant("b"))));
    }

    #[test]
    fn the_fifth_waits_and_the_tenant_s_gate_learns() {
        let gates = Arc::new(Gates::default());
        let pulse = Pulse::new();
        let passes: Vec<Pass> = (0..4).map(|_| gates.enter("a", &pulse).unwrap()).collect();
        let other = gates.enter("b", &pulse).unwrap();
        let fifth = {
            let (gates, pulse) = (gates.clone(), pulse.clone());
            std::thread::spawn(move || gates.enter("a", &pulse).map(drop))
        };
        std::thread::sleep(Duration::from_millis(50));
        assert!(!fifth.is_finished());
        drop(passes);
        fifth.join().unwrap().unwrap();
        other.throttled(Duration::ZERO);
        assert_eq!(gates.inner().limit, 1);
        (0..CLEAN).for_each(|_| other.answered());
        assert_eq!(gates.inner().limit, 2);
        drop(other);
        pulse.cancel();
        assert!(matches!(gates.enter("a", &pulse), Err(SourceError::Cancelled)));
    }

    proptest! {
        #[test]
        fn no_header_is_a_panic(value in ".*", date in proptest::option::of(".*"), now: i64) {
            let _ = retry_after(&value, date.as_deref(), now);
        }
    }
}
