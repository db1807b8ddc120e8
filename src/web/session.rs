//! Who is logged in: in memory only, so that a restart ends every session.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::archive::keys::random;
use crate::hash::Sha256;
use crate::limits::{ATTEMPT_ADDRESSES, ATTEMPTS, ATTEMPTS_TIME, SESSION_IDLE, SESSION_LONGEST, SESSIONS};

/// `__Host-`: only over TLS, only from this host, for all paths (RFC 6265bis).
pub const COOKIE: &str = "__Host-archivista";

/// A session as a page sees it.
#[derive(Clone, Debug)]
pub struct Session {
    pub user: String,
    /// Stands in every form.
    pub csrf: String,
    began: Instant,
    used: Instant,
    /// Said once, on the next page.
    notice: Option<String>,
}

/// All sessions, by the hash of their cookie: who reads the memory of this process finds no cookie.
#[derive(Default)]
pub struct Sessions {
    all: Mutex<HashMap<Sha256, Session>>,
}

fn token() -> std::io::Result<String> {
    let mut bytes = [0; 32];
    random(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

impl Sessions {
    fn all(&self) -> MutexGuard<'_, HashMap<Sha256, Session>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a session; returns its cookie. A new one at every login, so that nobody can prepare one for somebody else.
    pub fn begin(&self, user: &str) -> std::io::Result<String> {
        let (cookie, csrf) = (token()?, token()?);
        let now = Instant::now();
        let mut all = self.all();
        all.retain(|_, session| session.is_alive());
        if all.len() >= SESSIONS
            && let Some(oldest) = all.iter().min_by_key(|(_, session)| session.used).map(|(id, _)| *id)
        {
            all.remove(&oldest);
        }
        let session = Session { user: user.into(), csrf, began: now, used: now, notice: None };
        all.insert(Sha256::of(cookie.as_bytes()), session);
        Ok(cookie)
    }

    /// The session of a cookie.
    pub fn find(&self, cookie: &str) -> Option<Session> {
        let mut all = self.all();
        let id = Sha256::of(cookie.as_bytes());
        if all.get(&id).is_some_and(|session| !session.is_alive()) {
            all.remove(&id);
        }
        let session = all.get_mut(&id)?;
        session.used = Instant::now();
        Some(session.clone())
    }

    pub fn end(&self, cookie: &str) {
        self.all().remove(&Sha256::of(cookie.as_bytes()));
    }

    /// Ends all sessions of a user, but the one with this cookie.
    pub fn end_all(&self, user: &str, but: Option<&str>) {
        let but = but.map(|cookie| Sha256::of(cookie.as_bytes()));
        self.all().retain(|id, session| session.user != user || Some(*id) == but);
    }

    /// Says a sentence on the next page of this session.
    pub fn notice(&self, cookie: &str, text: String) {
        if let Some(session) = self.all().get_mut(&Sha256::of(cookie.as_bytes())) {
            session.notice = Some(text);
        }
    }

    pub fn take_notice(&self, cookie: &str) -> Option<String> {
        self.all().get_mut(&Sha256::of(cookie.as_bytes()))?.notice.take()
    }
}

impl Session {
    fn is_alive(&self) -> bool {
        self.used.elapsed() < SESSION_IDLE && self.began.elapsed() < SESSION_LONGEST
    }
}

/// Failed logins, by address: a few at once, then one in a while. No account is ever locked, so that nobody can lock out
/// somebody else.
#[derive(Default)]
pub struct Attempts {
    failed: Mutex<HashMap<IpAddr, (f64, Instant)>>,
}

/// One network, for an address of which a single computer has very many.
fn network(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V4(_) => peer,
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & !u128::from(u64::MAX)).into()),
    }
}

impl Attempts {
    /// Whether another try may be made from here.
    pub fn may_try(&self, peer: IpAddr) -> bool {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let room = |(count, since): &(f64, Instant)| count - forgiven(since.elapsed()) <= f64::from(ATTEMPTS - 1);
        failed.get(&network(peer)).is_none_or(room)
    }

    pub fn failed(&self, peer: IpAddr) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.retain(|_, (count, since)| *count - forgiven(since.elapsed()) > 0.0);
        if failed.len() >= ATTEMPT_ADDRESSES {
            failed.clear();
        }
        let (count, since) = failed.entry(network(peer)).or_insert((0.0, Instant::now()));
        *count = (*count - forgiven(since.elapsed())).max(0.0) + 1.0;
        *since = Instant::now();
    }

    pub fn succeeded(&self, peer: IpAddr) {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).remove(&network(peer));
    }
}

fn forgiven(time: Duration) -> f64 {
    time.as_secs_f64() / ATTEMPTS_TIME.as_secs_f64()
}

/// `XXXX-XXXX-XXXX` of letters and digits that nobody mistakes for others: 58 bits.
pub fn setup_code() -> std::io::Result<String> {
    const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let mut bytes = [0; 12];
    random(&mut bytes)?;
    let letters: Vec<char> = bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    Ok(letters.chunks(4).map(|part| part.iter().collect::<String>()).collect::<Vec<_>>().join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_found_by_its_cookie_alone_and_ends() {
        let sessions = Sessions::default();
        let cookie = sessions.begin("anna").unwrap();
        assert_eq!(sessions.find(&cookie).unwrap().user, "anna");
        assert!(sessions.find("").is_none() && sessions.find(&cookie[1..]).is_none());
        let other = sessions.begin("anna").unwrap();
        sessions.end_all("anna", Some(&other));
        assert!(sessions.find(&cookie).is_none());
        assert!(sessions.find(&other).is_some());
        sessions.end(&other);
        assert!(sessions.find(&other).is_none());
    }

    #[test]
    fn only_so_many_tries_from_one_network() {
        let attempts = Attempts::default();
        let (here, near, far) = ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1");
        for _ in 0..ATTEMPTS {
            assert!(attempts.may_try(here.parse().unwrap()));
            attempts.failed(here.parse().unwrap());
        }
        assert!(!attempts.may_try(here.parse().unwrap()) && !attempts.may_try(near.parse().unwrap()));
        assert!(attempts.may_try(far.parse().unwrap()));
        attempts.succeeded(near.parse().unwrap());
        assert!(attempts.may_try(here.parse().unwrap()));
    }
}
