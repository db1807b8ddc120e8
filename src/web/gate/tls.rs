//! How the box proves who it is to browsers: a certificate of its own, made at first start, and the TLS in front of it.
//!
//! It names every address of the box and is made anew, with the same key, when one is missing or it is about to end: an
//! unattended box must not become unreachable after some years. It is valid no longer than 825 days, since Apple's systems refuse
//! longer ones outright, and begins in the past, for clients whose clock is behind.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{SockaddrIn, SockaddrIn6};
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use rustls::client::danger::ServerCertVerifier;
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert, ServerSessionMemoryCache};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};
use zeroize::Zeroizing;

use super::GateError;
use crate::limits::{WEB_CERTIFICATE_NAMES, WEB_TLS_SESSIONS};

const DAY: u64 = 24 * 60 * 60;
/// Together less than 825 days.
const DAYS_BACK: u64 = 60;
const DAYS_AHEAD: u64 = 760;
/// A clock beyond the year 9000 is not believed.
const LAST_DAY: u64 = 2_567_000;
/// Made anew when fewer are left.
const DAYS_LEFT: u64 = 30;

/// Where a certificate and its key lie.
#[derive(Clone, Debug)]
pub struct CertificateFiles {
    /// Private key, PKCS #8 as PEM, mode 0600.
    pub key: PathBuf,
    /// Certificate, and those of its authorities behind it, as PEM.
    pub chain: PathBuf,
}

/// The certificate that is shown, and what keeps it fresh.
#[derive(Debug)]
pub struct Identity {
    files: CertificateFiles,
    /// Names and addresses beyond those that the system knows.
    given: Vec<String>,
    current: RwLock<Arc<CertifiedKey>>,
}

/// Names that a certificate should have.
#[derive(Debug, Default)]
struct Names {
    /// Without one of these it is made anew.
    needed: BTreeSet<String>,
    /// IPv6 addresses: systems that change them daily would else change their certificate daily, and browsers ask again.
    welcome: BTreeSet<String>,
}

/// The files of the box's own certificate in the folder of keys.
pub fn certificate_files(keys: &Path) -> CertificateFiles {
    CertificateFiles { key: keys.join("tls.key"), chain: keys.join("tls.pem") }
}

impl Identity {
    /// Reads the box's own certificate from the folder `keys`; makes what is missing, broken, or no longer right. `given`
    /// are further names and addresses that it is reached by.
    pub fn open(keys: &Path, given: &[String]) -> Result<Arc<Self>, GateError> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(keys).map_err(GateError::io(keys))?;
        let files = certificate_files(keys);
        let given: Vec<String> =
            given.iter().filter(|name| ServerName::try_from(name.as_str()).is_ok()).cloned().collect();
        let names = Names::of_this_box(&given);
        let certified = match load(&files) {
            Ok(certified) if is_right(&certified, &names, UnixTime::now()) => certified,
            Ok(_) | Err(_) => make(&files, &names, UnixTime::now())?,
        };
        Ok(Arc::new(Self { files, given, current: RwLock::new(Arc::new(certified)) }))
    }

    /// Makes the certificate anew where that is due. Returns whether it did. Reads the clock and the system's addresses, and
    /// writes files: not for a thread that must not wait.
    pub fn refresh(&self) -> Result<bool, GateError> {
        self.refresh_at(UnixTime::now(), &Names::of_this_box(&self.given))
    }

    fn refresh_at(&self, now: UnixTime, names: &Names) -> Result<bool, GateError> {
        if is_right(&self.current(), names, now) {
            return Ok(false);
        }
        let made = Arc::new(make(&self.files, names, now)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = made;
        Ok(true)
    }

    /// SHA-256 of the certificate as browsers show it: `AB:CD:…`, 32 pairs.
    pub fn fingerprint(&self) -> String {
        let current = self.current();
        let certificate = current.cert.first().map_or(&[] as &[u8], |certificate| certificate.as_ref());
        let pairs: Vec<String> =
            digest(&SHA256, certificate).as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
        pairs.join(":")
    }

    /// TLS 1.2 and 1.3 by `ring`, HTTP/1.1 only. Always shows the current certificate.
    pub fn server_config(self: &Arc<Self>) -> Result<Arc<ServerConfig>, GateError> {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|error| GateError::Certificate { what: error.to_string() })?
            .with_no_client_auth()
            .with_cert_resolver(self.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.session_storage = ServerSessionMemoryCache::new(WEB_TLS_SESSIONS);
        config.send_tls13_tickets = 1;
        Ok(Arc::new(config))
    }

    fn current(&self) -> Arc<CertifiedKey> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ResolvesServerCert for Identity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

impl Names {
    /// What the system knows of itself, and `given`.
    fn of_this_box(given: &[String]) -> Self {
        let mut names = Self::default();
        names.needed.extend(["localhost", "127.0.0.1", "::1", "archivista.local"].map(str::to_owned));
        names.needed.extend(given.iter().cloned());
        let host = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
        names.needed.extend(host.filter(|name| ServerName::try_from(name.as_str()).is_ok()));
        for address in getifaddrs().into_iter().flatten().filter_map(|interface| interface.address) {
            if let Some(v4) = address.as_sockaddr_in().map(SockaddrIn::ip) {
                if !v4.is_loopback() && !v4.is_link_local() {
                    names.needed.insert(v4.to_string());
                }
            } else if let Some(v6) = address.as_sockaddr_in6().map(SockaddrIn6::ip)
                && !v6.is_loopback()
                && !v6.is_unicast_link_local()
            {
                names.welcome.insert(v6.to_string());
            }
        }
        while names.needed.len() > WEB_CERTIFICATE_NAMES {
            names.needed.pop_last();
        }
        names
    }

    fn all(&self) -> Vec<String> {
        self.needed.iter().chain(&self.welcome).take(WEB_CERTIFICATE_NAMES).cloned().collect()
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Reads both files, and checks that they belong together.
fn load(files: &CertificateFiles) -> Result<CertifiedKey, GateError> {
    let broken = |path: &Path, error: &dyn std::fmt::Display| GateError::Certificate {
        what: format!("{}: {error}", path.display()),
    };
    let pem = Zeroizing::new(fs::read(&files.key).map_err(GateError::io(&files.key))?);
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|error| broken(&files.key, &error))?;
    let pem = fs::read(&files.chain).map_err(GateError::io(&files.chain))?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let chain = chain.map_err(|error| broken(&files.chain, &error))?;
    CertifiedKey::from_der(chain, key, &provider()).map_err(|error| broken(&files.chain, &error))
}

/// Whether a certificate of our own holds for every name, now and for some weeks.
fn is_right(certified: &CertifiedKey, names: &Names, now: UnixTime) -> bool {
    let general = |error: InvalidDnsNameError| rustls::Error::General(error.to_string());
    let check = |certificate: &CertificateDer<'static>| -> Result<(), rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone())?;
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
            .build()
            .map_err(|error| rustls::Error::General(error.to_string()))?;
        let later = UnixTime::since_unix_epoch(Duration::from_secs(now.as_secs() + DAYS_LEFT * DAY));
        let localhost = ServerName::try_from("localhost").map_err(general)?;
        for time in [now, later] {
            verifier.verify_server_cert(certificate, &[], &localhost, &[], time)?;
        }
        let parsed = ParsedCertificate::try_from(certificate)?;
        for name in &names.needed {
            verify_server_name(&parsed, &ServerName::try_from(name.as_str()).map_err(general)?)?;
        }
        Ok(())
    };
    certified.cert.first().is_some_and(|certificate| check(certificate).is_ok())
}

/// Makes a certificate for `names` with the key that is there, else with a new one.
fn make(files: &CertificateFiles, names: &Names, now: UnixTime) -> Result<CertifiedKey, GateError> {
    let failed = |error: rcgen::Error| GateError::Certificate { what: error.to_string() };
    let old = fs::read_to_string(&files.key).map(Zeroizing::new);
    let key = if let Ok(Ok(key)) = old.map(|pem| KeyPair::from_pem(&pem)) {
        key
    } else {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(failed)?;
        put(&files.key, Zeroizing::new(key.serialize_pem()).as_bytes())?;
        key
    };
    let mut params = CertificateParams::new(names.all()).map_err(failed)?;
    // Days since 1970, by the one function of `rcgen` that makes a time.
    let midnight = |day: u64| rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(day * DAY);
    let day = (now.as_secs() / DAY).min(LAST_DAY);
    params.not_before = midnight(day.saturating_sub(DAYS_BACK));
    params.not_after = midnight(day + DAYS_AHEAD);
    // Firefox refuses two certificates of one issuer with the same number.
    let mut number = [0; 16];
    SystemRandom::new().fill(&mut number).map_err(|_| failed(rcgen::Error::RingUnspecified))?;
    number[0] = number[0] & 0x3f | 0x40;
    params.serial_number = Some(number.to_vec().into());
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Archivista Box");
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    put(&files.chain, params.self_signed(&key).map_err(failed)?.pem().as_bytes())?;
    load(files)
}

/// Writes a file that is either whole or not there, readable by its owner only.
fn put(path: &Path, bytes: &[u8]) -> Result<(), GateError> {
    let half = path.with_added_extension("new");
    let written = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&half)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&half, path)?;
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    written().map_err(GateError::io(path))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn names(needed: &[&str]) -> Names {
        Names { needed: needed.iter().map(|name| (*name).to_owned()).collect(), welcome: BTreeSet::new() }
    }

    fn after(days: u64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(UnixTime::now().as_secs() + days * DAY))
    }

    #[test]
    fn the_certificate_is_made_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys");
        let given = ["archivista-ab12.local".to_owned(), "not a name".to_owned()];
        let identity = Identity::open(&keys, &given).unwrap();
        let fingerprint = identity.fingerprint();
        assert_eq!(fingerprint.len(), 32 * 3 - 1);
        let files = certificate_files(&keys);
        for file in [&files.key, &files.chain] {
            assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(&keys).unwrap().count(), 2, "no half-written file is left");
        let wanted = names(&["localhost", "127.0.0.1", "::1", "archivista.local", "archivista-ab12.local"]);
        assert!(is_right(&identity.current(), &wanted, UnixTime::now()));
        assert!(!is_right(&identity.current(), &names(&["elsewhere.local"]), UnixTime::now()));
        assert!(!identity.refresh().unwrap());
        assert_eq!(Identity::open(&keys, &given).unwrap().fingerprint(), fingerprint);
        identity.server_config().unwrap();
    }

    #[test]
    fn it_is_made_anew_before_it_ends_when_the_clock_was_wrong_and_when_an_address_is_new() {
        let folder = tempfile::tempdir().unwrap();
        let identity = Identity::open(folder.path(), &[]).unwrap();
        let key = fs::read(certificate_files(folder.path()).key).unwrap();
        let mut seen = vec![identity.fingerprint()];
        let known = names(&["localhost"]);
        let late = DAYS_AHEAD - DAYS_LEFT + 1;
        assert!(!identity.refresh_at(after(late - 2), &known).unwrap());
        for (days, names) in [(late, known), (0, names(&["localhost", "192.0.2.7"]))] {
            assert!(identity.refresh_at(after(days), &names).unwrap());
            assert!(!identity.refresh_at(after(days), &names).unwrap());
            assert!(!seen.contains(&identity.fingerprint()));
            seen.push(identity.fingerprint());
        }
        assert_eq!(fs::read(certificate_files(folder.path()).key).unwrap(), key, "the key stays");
    }

    #[test]
    fn broken_files_are_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let files = certificate_files(folder.path());
        let first = Identity::open(folder.path(), &[]).unwrap().fingerprint();
        for file in [&files.chain, &files.key] {
            for content in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
                fs::write(file, content).unwrap();
                let identity = Identity::open(folder.path(), &[]).unwrap();
                assert_ne!(identity.fingerprint(), first);
                assert!(load(&files).is_ok());
            }
        }
    }
}
