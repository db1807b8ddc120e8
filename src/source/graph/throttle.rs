//! How fast we may go: gates, Retry-After.
//!
//! Exchange serves four requests at a time for one application and mailbox and refuses the fifth; whether there is one
//! such limit for the whole tenant is not said, so that a second gate learns it: it shrinks when the server throttles and
//! grows while it does not, the more slowly the more often one more was too many. A pause that is long is about what the
//! mailbox had in the last minutes, and teaches nothing of the tenant.
//! <https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits>

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::tenant::Tenant;
use super::trouble::Trouble;
use crate::limits::{GRAPH_BIG_AT_ONCE, GRAPH_PER_MAILBOX, GRAPH_PER_TENANT, THROTTLED_IN_PLACE};
use crate::pulse::Pulse;
use crate::source::pace::SLICE;
use crate::source::{Result, SourceError};

/// Answers without throttling, while as many ran as may, after which the gate of the tenant grows by one; as often doubled
/// as one more was too many at this place, up to so often.
const CLEAN: usize = 25;
const DOUBLED: u32 = 6;

/// The gates of one application in one tenant, shared by all who speak for it: lanes, and definitions that run at a time.
#[derive(Default)]
pub struct Gates {
    inner: Mutex<Inner>,
    changed: Condvar,
}

struct Inner {
    tenant: Learned,
    running: usize,
    mailboxes: HashMap<String, Mailbox>,
}

/// Requests at a time for the tenant, as far as the server lets us know.
struct Learned {
    limit: usize,
    /// Answers without throttling since the limit last changed, while as many ran as may.
    clean: usize,
    /// So many at a time were well; 0: not known.
    good: usize,
    /// So many were too many, and how often in a row that was found out by trying one more.
    refused: Option<usize>,
    found: u32,
    /// What was refused together counts once: until then.
    until: Option<Instant>,
}

impl Learned {
    /// The server throttles while `running` requests are under way, and asks for a `pause`.
    fn throttled(&mut self, running: usize, pause: Duration, now: Instant) {
        // A long pause is not about how many requests there are at a time.
        if pause > THROTTLED_IN_PLACE || self.until.is_some_and(|until| now < until) {
            return;
        }
        self.until = now.checked_add(pause);
        let running = running.clamp(1, self.limit);
        self.refused = Some(running);
        self.clean = 0;
        if self.good > 0 && running == self.good + 1 {
            // The one more that was tried is one too many.
            (self.limit, self.found) = (self.good, self.found + 1);
        } else {
            (self.limit, self.found, self.good) = ((running * 3 / 4).max(1), 0, 0);
        }
    }

    /// The server answered while `running` requests were under way. Whether there is more room now.
    fn answered(&mut self, running: usize) -> bool {
        // Fewer prove nothing.
        self.clean += usize::from(running >= self.limit);
        let is_known = self.refused == Some(self.limit + 1);
        let enough = if is_known { CLEAN << self.found.min(DOUBLED) } else { CLEAN };
        if self.clean < enough || self.limit >= GRAPH_PER_TENANT {
            return false;
        }
        if self.refused.is_some_and(|refused| refused <= self.limit) {
            // It takes more by now.
            (self.refused, self.found) = (None, 0);
        }
        (self.good, self.limit, self.clean) = (self.limit, self.limit + 1, 0);
        true
    }
}

impl Default for Inner {
    fn default() -> Self {
        let tenant = Learned { limit: GRAPH_PER_TENANT, clean: 0, good: 0, refused: None, found: 0, until: None };
        Self { tenant, running: 0, mailboxes: HashMap::new() }
    }
}

#[derive(Default)]
struct Mailbox {
    running: usize,
    /// Nobody asks before, and what the server said.
    not_before: Option<(Instant, String)>,
}

/// One request that may run. It keeps its lane until it is dropped.
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

    /// Waits until a request for this mailbox may run; `""` is the directory. Where the server wants it left alone for
    /// longer than `in_place`, that is said at once.
    pub fn enter(self: &Arc<Self>, mailbox: &str, in_place: Duration, pulse: &Pulse) -> Result<Pass> {
        let mut inner = self.inner();
        loop {
            pulse.go_on().map_err(|_| SourceError::Cancelled)?;
            let has_room = inner.running < inner.tenant.limit;
            let gate = inner.mailboxes.entry(mailbox.to_owned()).or_default();
            let left = gate.not_before.as_ref().map(|(at, _)| at.saturating_duration_since(Instant::now()));
            let left = left.unwrap_or_default();
            if let Some((_, said)) = &gate.not_before
                && left > in_place
            {
                // Not a second too early.
                return Err(Trouble::Throttled { said: said.clone(), seconds: left.as_secs() + 1 }.into());
            }
            if has_room && left.is_zero() && gate.running < GRAPH_PER_MAILBOX {
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
    /// The server throttles, by these words: nobody asks for this mailbox before `pause` has passed, and where that is
    /// short, fewer ask for the tenant.
    pub fn throttled(&self, pause: Duration, said: String) {
        let mut inner = self.gates.inner();
        let (running, now) = (inner.running, Instant::now());
        inner.tenant.throttled(running, pause, now);
        let until = now + pause;
        if let Some(gate) = inner.mailboxes.get_mut(&self.mailbox)
            && gate.not_before.as_ref().is_none_or(|(at, _)| *at < until)
        {
            gate.not_before = Some((until, said));
        }
    }

    /// The server answered.
    pub fn answered(&self) {
        let mut inner = self.gates.inner();
        let running = inner.running;
        if inner.tenant.answered(running) {
            drop(inner);
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
            if gate.running == 0 && gate.not_before.as_ref().is_none_or(|(at, _)| *at <= Instant::now()) {
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
    fn the_fifth_waits() {
        let gates = Arc::new(Gates::default());
        let pulse = Pulse::new();
        let minute = Duration::from_mins(1);
        let passes: Vec<Pass> = (0..4).map(|_| gates.enter("a", minute, &pulse).unwrap()).collect();
        let other = gates.enter("b", minute, &pulse).unwrap();
        let fifth = {
            let (gates, pulse) = (gates.clone(), pulse.clone());
            std::thread::spawn(move || gates.enter("a", minute, &pulse).map(drop))
        };
        std::thread::sleep(Duration::from_millis(50));
        assert!(!fifth.is_finished());
        drop(passes);
        fifth.join().unwrap().unwrap();
        drop(other);
        pulse.cancel();
        assert!(matches!(gates.enter("a", minute, &pulse), Err(SourceError::Cancelled)));
    }

    #[test]
    fn who_is_to_be_left_alone_for_long_is_not_waited_for() {
        let gates = Arc::new(Gates::default());
        let (pulse, short) = (Pulse::new(), Duration::from_secs(5));
        gates.enter("a", short, &pulse).unwrap().throttled(Duration::from_mins(5), "slowly".into());
        let refused = gates.enter("a", short, &pulse).map(drop);
        let Err(SourceError::Graph(Trouble::Throttled { said, seconds: 299..=300 })) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(said, "slowly");
        gates.enter("b", short, &pulse).unwrap();
        assert_eq!(gates.inner().tenant.limit, GRAPH_PER_TENANT, "that is the mailbox's own affair");
    }

    /// A server that takes so many at a time, of a client that has as many as the gate lets it: what part of them all is
    /// used, and what part of all requests is refused.
    fn play(takes: usize, requests: usize) -> (f64, f64) {
        let mut tenant = Inner::default().tenant;
        let mut now = Instant::now();
        let (mut refused, mut used) = (0, 0);
        for _ in 0..requests {
            now += Duration::from_secs(2);
            if tenant.limit > takes {
                refused += 1;
                tenant.throttled(tenant.limit, Duration::from_secs(1), now);
            } else {
                used += tenant.limit;
                tenant.answered(tenant.limit);
            }
        }
        let part =
            |of: usize, all: usize| f64::from(u32::try_from(of).unwrap()) / f64::from(u32::try_from(all).unwrap());
        (part(used, takes * requests), part(refused, requests))
    }

    #[test]
    fn the_tenant_s_gate_learns_how_many_the_server_takes() {
        for takes in [1, 2, 4, 7, 8, 20, 31] {
            let (used, refused) = play(takes, 20_000);
            assert!(used > 0.95 && refused < 0.005, "{takes}: {used} used, {refused} refused");
        }
        assert_eq!(play(GRAPH_PER_TENANT, 1000), (1.0, 0.0));
        let mut tenant = Inner::default().tenant;
        (0..4).for_each(|second| tenant.throttled(4, Duration::ZERO, Instant::now() + Duration::from_secs(second)));
        assert_eq!(tenant.limit, 1);
        let grown = (0..GRAPH_PER_TENANT * CLEAN * 3).filter(|_| tenant.answered(tenant.limit)).count();
        assert_eq!(grown, GRAPH_PER_TENANT - 1);
        assert!(!tenant.answered(1));
        assert_eq!(tenant.limit, GRAPH_PER_TENANT, "what was so once need not stay so");
    }

    #[test]
    fn what_is_refused_together_counts_once() {
        let (mut tenant, now) = (Inner::default().tenant, Instant::now());
        (0..5).for_each(|_| tenant.throttled(8, Duration::from_secs(1), now));
        assert_eq!(tenant.limit, 6);
    }

    proptest! {
        #[test]
        fn no_header_is_a_panic(value in ".*", date in proptest::option::of(".*"), now: i64) {
            let _ = retry_after(&value, date.as_deref(), now);
        }
    }
}
