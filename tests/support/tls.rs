//! Certificates of private servers, made by OpenSSL.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use super::{must_run, tool};

/// A server certificate with its key, and the authority that signed it, all PEM.
#[derive(Clone)]
pub struct Certificates {
    pub ca: String,
    pub certificate: String,
    pub key: String,
}

/// For localhost and 127.0.0.1, made once per run of a test binary.
pub fn localhost() -> &'static Certificates {
    static ONCE: OnceLock<Certificates> = OnceLock::new();
    ONCE.get_or_init(|| make(&[]))
}

/// For another name, by an authority of its own.
pub fn for_name(name: &str) -> Certificates {
    make(&[name])
}

fn make(names: &[&str]) -> Certificates {
    let dir = tempfile::tempdir().unwrap();
    must_run(Command::new(tool("certificate.sh")).arg(dir.path()).args(names));
    let read = |name| fs::read_to_string(dir.path().join(name)).unwrap();
    Certificates { ca: read("ca.pem"), certificate: read("server.pem"), key: read("server.key") }
}

impl Certificates {
    pub fn write(&self, dir: &Path) {
        fs::create_dir_all(dir).unwrap();
        for (name, pem) in [("ca.pem", &self.ca), ("server.pem", &self.certificate), ("server.key", &self.key)] {
            fs::write(dir.join(name), pem).unwrap();
        }
    }
}
