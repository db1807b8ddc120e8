//! Passwords of people: kept as argon2id (RFC 9106), never as they are.

use std::sync::{Mutex, PoisonError};

use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};

use crate::archive::keys::random;
use crate::hash::Sha256;
use crate::limits::{PASSWORD_MEMORY, PASSWORD_TURNS};

/// One at a time: each needs [`PASSWORD_MEMORY`].
static TURN: Mutex<()> = Mutex::new(());

/// A password as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Password {
    /// KiB, turns: kept with each, so that they can be raised for new ones.
    memory: u32,
    turns: u32,
    salt: [u8; 16],
    hash: [u8; 32],
}

impl Password {
    pub fn new(password: &str) -> std::io::Result<Self> {
        let mut salt = [0; 16];
        random(&mut salt)?;
        let (memory, turns) = (PASSWORD_MEMORY, PASSWORD_TURNS);
        let hash = hash(password, &salt, memory, turns).ok_or_else(|| std::io::Error::other("argon2id"))?;
        Ok(Self { memory, turns, salt, hash })
    }

    /// Whether `password` is this one. Takes as long for every wrong one.
    pub fn is(&self, password: &str) -> bool {
        let given = hash(password, &self.salt, self.memory, self.turns);
        given.is_some_and(|given| given.iter().zip(&self.hash).fold(0, |unequal, (a, b)| unequal | (a ^ b)) == 0)
    }

    /// Tells it from every other one that was ever stored.
    pub fn stamp(&self) -> Sha256 {
        Sha256::of(&[self.salt.as_slice(), &self.hash].concat())
    }

    /// Takes as long as a look at a password, for a name that nobody has.
    pub fn waste_time(password: &str) {
        let _ = hash(password, &[0; 16], PASSWORD_MEMORY, PASSWORD_TURNS);
    }
}

fn hash(password: &str, salt: &[u8], memory: u32, turns: u32) -> Option<[u8; 32]> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let params = Params::new(memory, turns, 1, Some(32)).ok()?;
    let mut hash = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.as_bytes(), salt, &mut hash)
        .ok()?;
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_password_is_it() {
        let password = Password::new("Zürich, immer").unwrap();
        assert!(password.is("Zürich, immer"));
        assert!(!password.is("zürich, immer") && !password.is(""));
        assert_ne!(password.hash, Password::new("Zürich, immer").unwrap().hash);
    }
}
