//! The device key: Ed25519 (RFC 8032), with which this box signs its checkpoints (docs/format.md, part 7).
//!
//! It opens nothing, so a lost one costs nothing but itself: the next one takes its place, and says so in what it signs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use zeroize::Zeroizing;

use super::disk::Disk;
use super::error::{ArchiveError, Result};
use super::keys;
use crate::hash::Sha256;

/// What stands before the 32 bytes of an Ed25519 key in a `SubjectPublicKeyInfo` (RFC 8410, section 4).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// The key pair of this box: `keys/device.key`, PKCS#8, mode 0600.
pub struct Device(Ed25519KeyPair);

impl Device {
    /// Reads the key, and makes one where there is none. One that cannot be read is put beside, as `device.key.damaged`.
    pub fn open(disk: &Disk, dir: &Path) -> Result<Self> {
        let path = path(dir);
        match fs::read(&path).map(Zeroizing::new) {
            Ok(bytes) => match Ed25519KeyPair::from_pkcs8_maybe_unchecked(&bytes) {
                Ok(pair) => return Ok(Self(pair)),
                Err(_) => disk.rename(&path, &path.with_extension("key.damaged")).map_err(ArchiveError::io(&path))?,
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(ArchiveError::io(&path)(error)),
        }
        Self::make(disk, dir)
    }

    fn make(disk: &Disk, dir: &Path) -> Result<Self> {
        let path = path(dir);
        let wrong = |what: &'static str| ArchiveError::io(&path)(io::Error::other(what));
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
            .map_err(|_| wrong("the kernel gives no random numbers"))?;
        let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).map_err(|_| wrong("a new key is none"))?;
        keys::write(disk, &path, document.as_ref())?;
        Ok(Self(pair))
    }

    #[cfg(test)]
    pub(super) fn of(seed: &[u8; 32]) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(seed).unwrap())
    }

    pub fn public(&self) -> PublicKey {
        let mut key = [0; 32];
        key.copy_from_slice(self.0.public_key().as_ref());
        PublicKey(key)
    }

    /// 64 bytes.
    pub fn sign(&self, text: &[u8]) -> Vec<u8> {
        self.0.sign(text).as_ref().to_vec()
    }
}

/// The file of the key in `keys/`.
fn path(dir: &Path) -> PathBuf {
    dir.join("device.key")
}

/// The half of a device key that everybody may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(pub [u8; 32]);

impl PublicKey {
    /// `SubjectPublicKeyInfo` (RFC 5280, section 4.1).
    pub fn der(&self) -> Vec<u8> {
        [&SPKI[..], &self.0].concat()
    }

    /// The same as a text (RFC 7468, section 13).
    pub fn pem(&self) -> String {
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(self.der()))
    }

    /// By which a key is known: the hash of [`Self::der`].
    pub fn fingerprint(&self) -> Sha256 {
        Sha256::of(&self.der())
    }

    /// Whether the holder of the other half signed this text.
    pub fn has_signed(&self, text: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(text, signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_kept_and_a_lost_or_broken_one_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let first = Device::open(&Disk::default(), dir.path()).unwrap().public();
        let file = dir.path().join("device.key");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let again = Device::open(&Disk::default(), dir.path()).unwrap();
        assert_eq!(again.public(), first);
        let signature = again.sign(b"a");
        assert!(first.has_signed(b"a", &signature) && !first.has_signed(b"b", &signature));
        assert!(!first.has_signed(b"a", &signature[1..]));

        fs::write(&file, "no key").unwrap();
        let second = Device::open(&Disk::default(), dir.path()).unwrap().public();
        assert_ne!(second, first);
        assert!(!second.has_signed(b"a", &signature));
        assert_eq!(fs::read(dir.path().join("device.key.damaged")).unwrap(), b"no key");
        fs::remove_file(&file).unwrap();
        assert_ne!(Device::open(&Disk::default(), dir.path()).unwrap().public(), second);
    }
}
