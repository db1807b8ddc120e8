//! The archive key and what is sealed with it: records and secrets of settings (docs/format.md, part 5).
//!
//! The key lies beside the data: sealing protects what leaves the box (a backup, a copied pack), not a stolen box.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use super::disk::Disk;
use super::error::{ArchiveError, Result};
use super::pack::PackHeader;
use super::record::{ArchiveId, RecordSalt};
use super::recovery::{self, WORDS};

/// The archive key: 32 random bytes in `keys/archive.key`, mode 0600.
#[derive(Clone)]
pub struct Keys {
    archive: Zeroizing<[u8; 32]>,
}

/// Tells one archive key from another in the head of a pack. Derived from it, and says nothing about it.
pub type KeyCheck = [u8; 12];

/// Fills `bytes` from the kernel.
pub fn random(bytes: &mut [u8]) -> std::io::Result<()> {
    SystemRandom::new().fill(bytes).map_err(|_| std::io::Error::other("the kernel gives no random numbers"))
}

/// The file of the key in `keys/`.
pub fn path(dir: &Path) -> PathBuf {
    dir.join("archive.key")
}

/// Writes a key, which is its owner's alone, to a file; durable on return.
pub(super) fn write(disk: &Disk, path: &Path, key: &[u8]) -> Result<()> {
    let half = path.with_extension("key.new");
    disk.open(&half, OpenOptions::new().write(true).create(true).truncate(true).mode(0o600))
        .and_then(|mut file| file.write_all(key).and_then(|()| file.sync_all()))
        .and_then(|()| disk.rename(&half, path))
        .and_then(|()| path.parent().map_or(Ok(()), |dir| disk.sync_folder(dir)))
        .map_err(ArchiveError::io(path))
}

/// Makes the folder of the key, which is its owner's alone.
pub(super) fn make_dir(disk: &Disk, dir: &Path) -> Result<()> {
    disk.make_folder(dir, 0o700).and_then(|()| disk.set_mode(dir, 0o700)).map_err(ArchiveError::io(dir))
}

impl Keys {
    /// Reads the key; `None` where there is no file. Changes nothing.
    pub fn read(dir: &Path) -> Result<Option<Self>> {
        let path = path(dir);
        let mut archive = Zeroizing::new([0; 32]);
        match fs::read(&path).map(Zeroizing::new) {
            Ok(bytes) if bytes.len() == archive.len() => archive.copy_from_slice(&bytes),
            Ok(_) => return Err(ArchiveError::Key { path }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(ArchiveError::io(&path)(error)),
        }
        Ok(Some(Self { archive }))
    }

    /// Reads the key; makes one where the archive is `new`. A missing key of an archive that exists is an error: a fresh
    /// one would make it unreadable for good.
    pub fn open(disk: &Disk, dir: &Path, new: bool) -> Result<Self> {
        make_dir(disk, dir)?;
        match Self::read(dir)? {
            Some(keys) => Ok(keys),
            None if new => Self::make(disk, dir),
            None => Err(ArchiveError::Key { path: path(dir) }),
        }
    }

    fn make(disk: &Disk, dir: &Path) -> Result<Self> {
        let mut archive = Zeroizing::new([0; 32]);
        random(&mut *archive).map_err(ArchiveError::io(path(dir)))?;
        let keys = Self { archive };
        keys.write(disk, dir)?;
        Ok(keys)
    }

    /// Writes the key where there is none; durable on return.
    pub(super) fn write(&self, disk: &Disk, dir: &Path) -> Result<()> {
        // Without it nothing that follows can be read: it is durable before anything is sealed.
        write(disk, &path(dir), &*self.archive)?;
        dir.parent().map_or(Ok(()), |data| disk.sync_folder(data).map_err(ArchiveError::io(data)))
    }

    /// The key as the words of a recovery sheet.
    pub fn words(&self) -> [&'static str; WORDS] {
        recovery::words(&self.archive)
    }

    /// The key that the words of a recovery sheet stand for.
    pub fn of_words(words: &str) -> Result<Self> {
        Ok(Self { archive: recovery::key(words)? })
    }

    #[cfg(test)]
    pub fn of(archive: [u8; 32]) -> Self {
        Self { archive: Zeroizing::new(archive) }
    }

    fn derive(&self, salt: &[u8], info: &str) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        let prk = Salt::new(HKDF_SHA256, salt).extract(&*self.archive);
        let filled = prk.expand(&[info.as_bytes()], HKDF_SHA256).and_then(|okm| okm.fill(&mut *key));
        // The length is the algorithm's own.
        filled.expect("HKDF-SHA-256 gives 32 bytes");
        key
    }

    fn sealing_key(&self, salt: &[u8], info: &str) -> LessSafeKey {
        let key = UnboundKey::new(&AES_256_GCM, &*self.derive(salt, info));
        LessSafeKey::new(key.expect("a key of AES-256 has 32 bytes"))
    }

    fn settings_key(&self) -> LessSafeKey {
        self.sealing_key(b"archivista settings", "seal")
    }

    /// The key of the record with this salt.
    pub fn record(&self, salt: &RecordSalt) -> LessSafeKey {
        self.sealing_key(salt, "archivista record")
    }

    /// The key of what stands in the place of an erased record whose stored bytes had this hash.
    pub fn erased(&self, sha256: &[u8; 32]) -> LessSafeKey {
        self.sealing_key(sha256, "archivista erased")
    }

    /// What the heads of this archive's packs say of its key.
    pub fn check(&self, archive: ArchiveId) -> KeyCheck {
        let mut check = KeyCheck::default();
        let len = check.len();
        check.copy_from_slice(&self.derive(&archive, "archivista key check")[..len]);
        check
    }

    /// Whether the records of the pack with this head were sealed with this key.
    pub fn fit(&self, head: &PackHeader) -> bool {
        self.check(head.archive) == head.key
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
        let len = self.settings_key().open_in_place(nonce, Aad::from(name), &mut body).map_err(|_| refused())?.len();
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
        let keys = Keys::open(&Disk::default(), &dir.path().join("keys"), true).unwrap();
        let sealed = keys.seal("a", b"geheim").unwrap();
        assert_ne!(sealed, keys.seal("a", b"geheim").unwrap());
        assert_eq!(*keys.unseal("a", &sealed).unwrap(), b"geheim");
        assert!(keys.unseal("b", &sealed).is_err());
        assert!(keys.unseal("a", &sealed[..5]).is_err());

        let again = Keys::open(&Disk::default(), &dir.path().join("keys"), false).unwrap();
        assert_eq!(*again.unseal("a", &sealed).unwrap(), b"geheim");
        fs::remove_file(dir.path().join("keys/archive.key")).unwrap();
        assert!(matches!(Keys::open(&Disk::default(), &dir.path().join("keys"), false), Err(ArchiveError::Key { .. })));
    }

    /// The check value of docs/format.md, part 1.
    #[test]
    fn a_key_is_known_by_its_check_value() {
        let keys = Keys::of(std::array::from_fn(|n| u8::try_from(n).unwrap()));
        let check = keys.check(std::array::from_fn(|n| 0xa0 + u8::try_from(n).unwrap()));
        let hex = crate::hash::hex(&check);
        assert!(include_str!("../../docs/format.md").contains(&format!("`{hex}`")), "{hex}");
        assert_ne!(check, Keys::of([1; 32]).check(std::array::from_fn(|n| 0xa0 + u8::try_from(n).unwrap())));
    }
}
