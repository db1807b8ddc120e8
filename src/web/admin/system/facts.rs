//! What the kernel and the certificate say of themselves.

use std::fs;
use std::path::Path;

use ring::digest::{SHA256, digest};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::web::gate::{tls, validity};

/// The certificate that browsers see.
pub struct Certificate {
    /// SHA-256, as browsers show it.
    pub fingerprint: String,
    /// Unix seconds.
    pub not_after: Option<i64>,
}

/// The certificate in the folder of keys; `None` where there is none that can be read.
pub fn certificate(keys: &Path) -> Option<Certificate> {
    let der = CertificateDer::from_pem_file(tls::certificate_files(keys).chain).ok()?;
    let pairs: Vec<String> = digest(&SHA256, &der).as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    Some(Certificate { fingerprint: pairs.join(":"), not_after: validity::not_after(&der) })
}

/// Seconds since the kernel started (proc(5), `/proc/uptime`).
pub fn uptime() -> Option<i64> {
    fs::read_to_string("/proc/uptime").ok()?.split('.').next()?.parse().ok()
}

/// Memory of the machine: all of it, and what can be had without swapping, in bytes.
pub fn machine_memory() -> Option<[u64; 2]> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    Some([kilobytes(&text, "MemTotal:")?, kilobytes(&text, "MemAvailable:")?])
}

/// Resident memory of this process, now and at most, in bytes (proc(5), `VmRSS` and `VmHWM`).
pub fn own_memory() -> [Option<u64>; 2] {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    ["VmRSS:", "VmHWM:"].map(|name| kilobytes(&text, name))
}

/// A line `Name:  123 kB` of the kernel's, in bytes.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    value.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_the_kernel_s_words() {
        let text = "Name:\tx\nVmHWM:\t   2048 kB\nVmRSS:\t  1024 kB\n";
        assert_eq!([kilobytes(text, "VmRSS:"), kilobytes(text, "VmHWM:")], [Some(1_048_576), Some(2_097_152)]);
        assert_eq!(kilobytes("", "VmRSS:"), None);
        assert!(own_memory().iter().all(Option::is_some));
        assert!(machine_memory().is_some_and(|[all, free]| all >= free));
        assert!(uptime().is_some());
    }
}
