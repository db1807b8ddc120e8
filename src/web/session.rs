//! Who is logged in: in memory only, so that a restart ends every session.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::archive::keys::random;
use crate::archive::recovery::WORDS;
use crate::hash::Sha256;
use crate::limits::{
    ATTEMPT_ADDRESSES, ATTEMPTS, ATTEMPTS_TIME, SESSION_IDLE, SESSION_LONGEST, SESSIONS, SESSIONS_EACH, TRIES_AT_ONCE,
};
use crate::settings::networks::household;
use crate::settings::users::User;

/// `__Host-`: only over TLS, only from this host, for all paths (RFC 6265bis).
pub const COOKIE: &str = "__Host-archivista";

/// A session as a page sees it.
#[derive(Clone, Debug)]
pub struct Session {
    pub user: String,
    /// Of which user, and by which of its passwords; `None` beside a token.
    of: Option<Stamp>,
    /// Stands in every form.
    pub csrf: String,
    began: Instant,
    used: Instant,
    /// Said once, on the next page.
    notice: Option<String>,
    /// Which words of the recovery sheet it is asked for, from 1.
    asked_words: Option<[u8; ASKED_WORDS]>,
}

/// Words of the recovery sheet that somebody types to show that it was printed.
pub const ASKED_WORDS: usize = 3;

/// A user as it was when it logged in. Whoever got its name later, or whoever logged in while the password was changed, has
/// another one, so that no session outlives what it began with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    created: i64,
    password: Sha256,
}

impl Stamp {
    fn of(user: &User) -> Self {
        Self { created: user.created, password: user.password.stamp() }
    }
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
    pub fn begin(&self, user: &User) -> std::io::Result<String> {
        let (cookie, csrf) = (token()?, token()?);
        let now = Instant::now();
        let mut all = self.all();
        all.retain(|_, session| session.is_alive());
        // Whoever logs in again and again ends own sessions, and nobody else's.
        let is_own = |session: &Session| session.user == user.name;
        let has_enough = all.values().filter(|session| is_own(session)).count() >= SESSIONS_EACH;
        if has_enough || all.len() >= SESSIONS {
            let among = all.iter().filter(|(_, session)| !has_enough || is_own(session));
            let oldest = among.min_by_key(|(_, session)| session.used).map(|(id, _)| *id);
            oldest.map(|oldest| all.remove(&oldest));
        }
        let of = Some(Stamp::of(user));
        let session =
            Session { user: user.name.clone(), of, csrf, began: now, used: now, notice: None, asked_words: None };
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

    /// Ends all sessions of a user, but the one with this cookie, which goes on with the user as it is now.
    pub fn end_all(&self, user: &User, but: Option<&str>) {
        let but = but.map(|cookie| Sha256::of(cookie.as_bytes()));
        let mut all = self.all();
        all.retain(|id, session| session.user != user.name || Some(*id) == but);
        if let Some(session) = but.and_then(|but| all.get_mut(&but)).filter(|session| session.user == user.name) {
            session.of = Some(Stamp::of(user));
        }
    }

    /// Says a sentence on the next page of this session.
    pub fn notice(&self, cookie: &str, text: String) {
        if let Some(session) = self.all().get_mut(&Sha256::of(cookie.as_bytes())) {
            session.notice = Some(text);
        }
    }

    /// Which words of the recovery sheet this session is asked for, ascending; others from then on if `anew`.
    pub fn asked_words(&self, cookie: &str, anew: bool) -> std::io::Result<[u8; ASKED_WORDS]> {
        let fresh = any_words()?;
        let mut all = self.all();
        let Some(session) = all.get_mut(&Sha256::of(cookie.as_bytes())) else { return Ok(fresh) };
        if anew {
            session.asked_words = None;
        }
        Ok(*session.asked_words.get_or_insert(fresh))
    }

    pub fn take_notice(&self, cookie: &str) -> Option<String> {
        self.all().get_mut(&Sha256::of(cookie.as_bytes()))?.notice.take()
    }
}

impl Session {
    /// For one request that carries a token in place of a cookie: no cookie finds it, and no form is sent in it. `id` tells
    /// tokens apart.
    pub fn of_token(user: &str, id: &str) -> Self {
        let now = Instant::now();
        Self {
            user: user.into(),
            of: None,
            csrf: format!("token {id}"),
            began: now,
            used: now,
            notice: None,
            asked_words: None,
        }
    }

    /// Whether this user, as it is stored now, is the one who logged in.
    pub fn is_of(&self, user: &User) -> bool {
        self.of == Some(Stamp::of(user))
    }

    fn is_alive(&self) -> bool {
        self.used.elapsed() < SESSION_IDLE && self.began.elapsed() < SESSION_LONGEST
    }
}

/// Failed logins, by address: a few at once, then one in a while. No account is ever locked, so that nobody can lock out
/// somebody else.
#[derive(Default)]
pub struct Attempts {
    failed: Mutex<HashMap<IpAddr, (f64, Instant)>>,
    under_way: AtomicUsize,
}

/// A try that is under way. It counts as failed until it is said to be right, so that many at once are no way around the
/// bound.
pub struct Try<'a> {
    attempts: &'a Attempts,
    network: IpAddr,
}

impl Try<'_> {
    /// Takes back this try alone: whoever has an account of his own guesses no faster at those of others.
    pub fn was_right(&self) {
        let mut failed = self.attempts.failed();
        if let Some((count, _)) = failed.get_mut(&self.network) {
            *count = (*count - 1.0).max(0.0);
        }
    }
}

impl Drop for Try<'_> {
    fn drop(&mut self) {
        self.attempts.under_way.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Attempts {
    fn failed(&self) -> MutexGuard<'_, HashMap<IpAddr, (f64, Instant)>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a try; `None` where too many failed from here, or where so many are under way that they would keep the threads
    /// that make pages.
    pub fn begin(&self, peer: IpAddr) -> Option<Try<'_>> {
        let more = |count| (count < TRIES_AT_ONCE).then_some(count + 1);
        self.under_way.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).ok()?;
        let attempt = Try { attempts: self, network: household(peer) };
        let mut failed = self.failed();
        failed.retain(|_, (count, since)| *count - forgiven(since.elapsed()) > 0.0);
        if failed.len() >= ATTEMPT_ADDRESSES {
            failed.clear();
        }
        let (count, since) = failed.entry(attempt.network).or_insert((0.0, Instant::now()));
        let now = (*count - forgiven(since.elapsed())).max(0.0);
        if now > f64::from(ATTEMPTS - 1) {
            return None;
        }
        (*count, *since) = (now + 1.0, Instant::now());
        drop(failed);
        Some(attempt)
    }
}

/// Different ones, ascending.
fn any_words() -> std::io::Result<[u8; ASKED_WORDS]> {
    let mut left: Vec<u8> = (1..=WORDS).filter_map(|place| u8::try_from(place).ok()).collect();
    let mut bytes = [0; ASKED_WORDS];
    random(&mut bytes)?;
    let mut chosen = bytes.map(|byte| left.swap_remove(usize::from(byte) % left.len()));
    chosen.sort_unstable();
    Ok(chosen)
}

fn forgiven(time: Duration) -> f64 {
    time.as_secs_f64() / ATTEMPTS_TIME.as_secs_f64()
}

/// `XXXX-XXXX-XXXX` of letters and digits that nobody mistakes for others: 60 bits.
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
    use crate::settings::password::Password;
    use crate::settings::users::Role;

    fn user(name: &str) -> User {
        User {
            name: name.into(),
            role: Role::User,
            reads_all: false,
            mailboxes: Vec::new(),
            language: None,
            password: Password::new("a long enough password").unwrap(),
            inactive: false,
            created: 1,
        }
    }

    #[test]
    fn a_session_ends_with_what_it_began_with() {
        let sessions = Sessions::default();
        let anna = user("anna");
        let is_of = |cookie: &str, user: &User| sessions.find(cookie).is_some_and(|session| session.is_of(user));
        let cookie = sessions.begin(&anna).unwrap();
        assert!(is_of(&cookie, &anna));
        let again = User { created: 2, ..anna.clone() };
        let changed = User { password: Password::new("a long enough password").unwrap(), ..anna.clone() };
        assert!(!is_of(&cookie, &again) && !is_of(&cookie, &changed));
        // Whoever changes the own password stays.
        sessions.end_all(&changed, Some(&cookie));
        assert!(is_of(&cookie, &changed) && !is_of(&cookie, &anna));
    }

    #[test]
    fn nobody_ends_the_sessions_of_others() {
        let sessions = Sessions::default();
        let (anna, beat) = (user("anna"), user("beat"));
        let quiet = sessions.begin(&beat).unwrap();
        let first = sessions.begin(&anna).unwrap();
        for _ in 0..SESSIONS {
            sessions.begin(&anna).unwrap();
        }
        assert!(sessions.find(&quiet).is_some() && sessions.find(&first).is_none());
        assert_eq!(sessions.all().values().filter(|session| session.user == "anna").count(), SESSIONS_EACH);
    }

    #[test]
    fn a_session_is_found_by_its_cookie_alone_and_ends() {
        let sessions = Sessions::default();
        let anna = user("anna");
        let cookie = sessions.begin(&anna).unwrap();
        assert_eq!(sessions.find(&cookie).unwrap().user, "anna");
        assert!(sessions.find("").is_none() && sessions.find(&cookie[1..]).is_none());
        let other = sessions.begin(&anna).unwrap();
        sessions.end_all(&anna, Some(&other));
        assert!(sessions.find(&cookie).is_none());
        assert!(sessions.find(&other).is_some());
        sessions.end(&other);
        assert!(sessions.find(&other).is_none());
    }

    #[test]
    fn words_of_the_sheet_are_asked_by_the_server_alone() {
        let sessions = Sessions::default();
        let (one, other) = (sessions.begin(&user("anna")).unwrap(), sessions.begin(&user("beat")).unwrap());
        let asked = sessions.asked_words(&one, false).unwrap();
        assert!(asked.is_sorted_by(|a, b| a < b) && asked[0] >= 1 && usize::from(asked[2]) <= WORDS, "{asked:?}");
        assert_eq!(sessions.asked_words(&one, false).unwrap(), asked);
        let seen: std::collections::BTreeSet<_> =
            (0..200).flat_map(|_| sessions.asked_words(&other, true).unwrap()).collect();
        assert_eq!(seen.len(), WORDS);
        assert_eq!(sessions.asked_words(&one, false).unwrap(), asked);
    }

    #[test]
    fn only_so_many_tries_from_one_network() {
        let attempts = Attempts::default();
        let may_try = |peer: &str| attempts.begin(peer.parse().unwrap()).is_some();
        let (here, near, far) = ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1");
        for _ in 1..ATTEMPTS {
            assert!(may_try(here));
        }
        // A right one counts for nothing, and takes back none of those before.
        for _ in 0..3 {
            attempts.begin(near.parse().unwrap()).unwrap().was_right();
        }
        assert!(may_try(here));
        assert!(!may_try(here) && !may_try(near));
        assert!(may_try(far));
    }

    #[test]
    fn tries_at_once_keep_no_pages_waiting() {
        let attempts = Attempts::default();
        let address = |n: u8| IpAddr::from([192, 0, 2, n]);
        let under_way: Vec<_> = (0..4).filter_map(|n| attempts.begin(address(n))).collect();
        assert_eq!(under_way.len(), TRIES_AT_ONCE);
        const { assert!(TRIES_AT_ONCE < crate::limits::WEB_WORKERS) };
        drop(under_way);
        assert!(attempts.begin(address(9)).is_some());
        // Many at once do not get around the bound.
        let peer = address(10);
        assert_eq!((0..20).filter(|_| attempts.begin(peer).is_some()).count(), ATTEMPTS as usize);
    }
}
