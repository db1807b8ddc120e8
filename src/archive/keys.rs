//! The archive key and what is sealed with it: secrets of settings now, records later (docs/format.md, part 5).
//!
//! The key lies beside the data: sealing protects what leaves the box (a backup, a copied pack), not a stolen box.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use super::error::{ArchiveError, Result};
use super::pack::sync_dir;

/// The archive key: 32 random bytes in `keys/archive.key`, mode 0600.
pub struct Keys {
    archive: Zeroizing<[u8; 32]>,
}

/// Fills `bytes` from the kernel.
pub fn random(bytes: &mut [u8]) -> std::io::Result<()> {
    SystemRandom::new().fill(bytes).map_err(|_| std::io::Error::other("the kernel gives no random numbers"))
}

impl Keys {
    /// Reads the key; makes one where the archive is `new`. A missing key of an archive that exists is an error: a fresh
    /// one would make its secrets unreadable for good.
    pub fn open(dir: &Path, new: bool) -> Result<Self> {
        fs::create_dir_all(dir)
            .and_then(|()| fs::set_permissions(dir, fs::Permissions::from_mode(0o700)))
            .map_err(ArchiveError::io(dir))?;
        let path = dir.join("archive.key");
        let mut archive = Zeroizing::new([0; 32]);
        match fs::read(&path).map(Zeroizing::new) {
            Ok(bytes) if bytes.len() == archive.len() => archive.copy_from_slice(&bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && new => {
                random(&mut *archive).map_err(ArchiveError::io(&path))?;
                let half = dir.join("archive.key.new");
                OpenOptions::new()
                    .write(true)
                    .create(true)
                    .truncate(true)
                    .mode(0o600)
                    .open(&half)
                    .and_then(|mut file| file.write_all(&*archive).and_then(|()| file.sync_all()))
                    .and_then(|()| fs::rename(&half, &path))
                    .map_err(ArchiveError::io(&path))?;
                sync_dir(dir)?;
            }
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(ArchiveError::io(&path)(error)),
            _ => return Err(ArchiveError::Key { path }),
        }
        Ok(Self { archive })
    }

    fn settings_key(&self) -> LessSafeKey {
        // Neither step can fail: both lengths are the algorithm's own.
        let mut key = Zeroizing::new([0; 32]);
        let prk = Salt::new(HKDF_SHA256, b"archivista settings").extract(&*self.archive);
        let filled = prk.expand(&[b"seal"], HKDF_SHA256).and_then(|okm| okm.fill(&mut *key));
        let key = filled.and_then(|()| UnboundKey::new(&AES_256_GCM, &*key));
        LessSafeKey::new(key.expect("HKDF-SHA-256 gives a key of AES-256"))
    }

    /// Seals a secret: 12-byte random nonce, then AES-256-GCM with `name` as additional data, so that a sealed secret
    /// cannot be put in another's place.
    pub fn seal(&self, name: &str, secret: &[u8]) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        random(&mut nonce).map_err(ArchiveError::io("keys"))?;
        let mut sealed = nonce.to_vec();
        let mut body = secret.to_vec();
        self.settings_key()
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(name), &mut body)
            .map_err(|_| ArchiveError::Sealed { name: name.into() })?;
        sealed.append(&mut body);
        Ok(sealed)
    }

    /// Opens what [`Self::seal`] sealed under the same name.
    pub fn unseal(&self, name: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let refused = || ArchiveError::Sealed { name: name.into() };
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or_else(refused)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| refused())?;
        let mut body = Zeroizing::new(body.to_vec());
        let len =
            self.settings_key().open_in_place(nonce, Aad::from(name), &mut body).map_err(|_| refused())?.len();
        body.truncate(len);
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_only_under_its_name_and_key() {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keys::open(&dir.path().join("keys"), true).unwrap();
        let sealed = keys.seal("a", b"geheim").unwrap();
        assert_ne!(sealed, keys.seal("a", b"geheim").unwrap());
        assert_eq!(*keys.unseal("a", &sealed).unwrap(), b"geheim");
        assert!(keys.unseal("b", &sealed).is_err());
        assert!(keys.unseal("a", &sealed[..5]).is_err());

        let again = Keys::open(&dir.path().join("keys"), false).unwrap();
        assert_eq!(*again.unseal("a", &sealed).unwrap(), b"geheim");
        fs::remove_file(dir.path().join("keys/archive.key")).unwrap();
        assert!(matches!(Keys::open(&dir.path().join("keys"), false), Err(ArchiveError::Key { .. })));
    }
}
