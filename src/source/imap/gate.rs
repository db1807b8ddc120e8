//! How many connections a server takes at a time. It is not said beforehand, so it is learned: a refused one lowers the limit
//! to what stood, and a while without a refusal raises it by one.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::account::Account;
use super::lines::Status;
use crate::limits::{IMAP_CLEAN, IMAP_FIRST, IMAP_LEFT, IMAP_PER_SERVER};
use crate::pulse::Pulse;
use crate::source::pace::SLICE;
use crate::source::{Result, SourceError};

/// How servers say that there are too many connections: who says it so, and a part of it in lower case. Codes differ even
/// where the words are the same: Dovecot has said the same with `[ALERT]`, `[LIMIT]`, `[UNAVAILABLE]` and without any.
const CROWDED: [(&str, &str); 7] = [
    ("Dovecot", "maximum number of connections"),
    ("Gmail", "too many simultaneous connections"),
    ("Courier", "maximum connection limit"),
    ("Courier under Plesk", "exceeded the maximum number of connections"),
    ("Cyrus", "too many open connections"),
    ("several", "too many connections"),
    ("several", "connection limit"),
];

/// Whether a server says that it has as many connections as it allows. RFC 5530: `LIMIT` of a login is one of connections.
pub fn is_crowded(status: &Status) -> bool {
    let said = status.said.to_ascii_lowercase();
    CROWDED.iter().any(|(_, words)| said.contains(words)) || status.has_code("LIMIT") && !said.contains("rate limit")
}

/// The gate of one server, shared by all accounts of all definitions that fetch from it.
pub struct Gate {
    server: String,
    inner: Mutex<Inner>,
    changed: Condvar,
}

struct Inner {
    /// Connections at a time.
    limit: usize,
    /// Those that are being made, and those that stand.
    open: usize,
    standing: usize,
    /// When others ended: a server may count them for a while.
    left: Vec<Instant>,
    /// When the limit last changed.
    since: Instant,
}

/// One connection.
pub struct Pass {
    gate: Arc<Gate>,
    stands: bool,
}

/// The gates that are in use in this process, and those that have learned something.
static IN_USE: Mutex<Vec<Arc<Gate>>> = Mutex::new(Vec::new());

impl Gate {
    /// The gate of the account's server: the same one for everybody.
    pub fn of(account: &Account) -> Arc<Self> {
        let server = format!("{}:{}", account.server.to_ascii_lowercase(), account.port);
        let mut all = IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|gate| Arc::strong_count(gate) > 1 || gate.inner().limit < IMAP_FIRST);
        let found = all.iter().find(|gate| gate.server == server).cloned();
        found.unwrap_or_else(|| {
            let gate = Arc::new(Self::new(server));
            all.push(gate.clone());
            gate
        })
    }

    fn new(server: String) -> Self {
        let inner = Inner { limit: IMAP_FIRST, open: 0, standing: 0, left: Vec::new(), since: Instant::now() };
        Self { server, inner: Mutex::new(inner), changed: Condvar::new() }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a connection may be made.
    pub fn enter(self: &Arc<Self>, pulse: &Pulse) -> Result<Pass> {
        let mut inner = self.inner();
        loop {
            pulse.go_on().map_err(|_| SourceError::Cancelled)?;
            let is_full = inner.open >= inner.limit;
            if is_full && inner.limit < IMAP_PER_SERVER && inner.since.elapsed() >= IMAP_CLEAN {
                inner.limit += 1;
                inner.since = Instant::now();
            } else if !is_full {
                inner.open += 1;
                return Ok(Pass { gate: self.clone(), stands: false });
            }
            inner = self.changed.wait_timeout(inner, SLICE).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Pass {
    /// The server took the connection and the login.
    pub fn stands(&mut self) {
        self.gate.inner().standing += usize::from(!self.stands);
        self.stands = true;
    }

    /// The server has too many connections: no more than stand now, and at least one.
    pub fn refused(self) {
        let mut inner = self.gate.inner();
        inner.left.retain(|left| left.elapsed() < IMAP_LEFT);
        inner.limit = inner.limit.min((inner.standing + inner.left.len()).max(1));
        inner.since = Instant::now();
        tracing::info!("{} takes {} connections at a time", self.gate.server, inner.limit);
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut inner = self.gate.inner();
        inner.open = inner.open.saturating_sub(1);
        if self.stands {
            inner.standing = inner.standing.saturating_sub(1);
            inner.left.retain(|left| left.elapsed() < IMAP_LEFT);
            inner.left.push(Instant::now());
        }
        drop(inner);
        self.gate.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::super::lines::{Line, parse};
    use super::*;

    #[test]
    fn servers_say_it_in_their_own_words() {
        for (line, want) in [
            (
                "a1 NO [UNAVAILABLE] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=16)",
                true,
            ),
            ("a1 NO [ALERT] Maximum number of connections from user+IP exceeded", true),
            ("a1 NO [ALERT] Too many simultaneous connections. (Failure)", true),
            ("a1 NO [LIMIT] no", true),
            ("a1 NO Too many open connections", true),
            ("a1 NO [UNAVAILABLE] Temporary authentication failure", false),
            ("a1 NO [AUTHENTICATIONFAILED] Too many failed logins", false),
            ("a1 NO Invalid credentials", false),
        ] {
            let Line::Tagged(_, status) = parse(line.as_bytes()) else { panic!("{line}") };
            assert_eq!(is_crowded(&status), want, "{line}");
        }
    }

    #[test]
    fn a_refusal_lowers_the_limit_to_what_stood_and_time_raises_it() {
        let gate = Arc::new(Gate::new("x:993".into()));
        let pulse = Pulse::new();
        let mut passes: Vec<Pass> = (0..IMAP_FIRST).map(|_| gate.enter(&pulse).unwrap()).collect();
        passes.iter_mut().take(2).for_each(Pass::stands);
        passes.pop().unwrap().refused();
        assert_eq!(gate.inner().limit, 2);
        passes.truncate(2);
        // Also when a second one is told the same while fewer stand: one is always tried.
        let third = {
            let (gate, pulse) = (gate.clone(), pulse.clone());
            std::thread::spawn(move || gate.enter(&pulse).map(drop))
        };
        std::thread::sleep(SLICE / 4);
        assert!(!third.is_finished());
        passes.clear();
        third.join().unwrap().unwrap();
        // Those that have just ended may still be counted there.
        gate.enter(&pulse).unwrap().refused();
        assert_eq!(gate.inner().limit, 2);
        gate.inner().left.clear();
        gate.enter(&pulse).unwrap().refused();
        assert_eq!(gate.inner().limit, 1);
        let only = gate.enter(&pulse).unwrap();
        gate.inner().since = Instant::now().checked_sub(IMAP_CLEAN).unwrap();
        drop(gate.enter(&pulse).unwrap());
        assert_eq!(gate.inner().limit, 2);
        drop(only);
        pulse.cancel();
        assert!(matches!(gate.enter(&pulse), Err(SourceError::Cancelled)));
    }
}
