//! The certificate authority of one run, and the certificate of the hosts that are simulated.

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// The hosts of the real service, and those that a test can reach, also from a virtual machine.
const HOSTS: [&str; 5] = ["localhost", "127.0.0.1", "10.0.2.100", "login.microsoftonline.com", "graph.microsoft.com"];

pub struct Certificate {
    pub ca_pem: String,
    pub server: rustls::ServerConfig,
}

impl Certificate {
    pub fn make() -> Result<Self> {
        let mut authority = CertificateParams::new(Vec::new())?;
        authority.distinguished_name.push(DnType::CommonName, "Simulator test authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages =
            vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
        let authority_key = KeyPair::generate()?;
        let ca_pem = authority.self_signed(&authority_key)?.pem();
        let issuer = Issuer::new(authority, authority_key);

        let mut host = CertificateParams::new(HOSTS.map(ToOwned::to_owned).to_vec())?;
        host.distinguished_name.push(DnType::CommonName, "graph.microsoft.com");
        // Python since 3.13 asks for the identifier of the authority's key.
        host.use_authority_key_identifier_extension = true;
        host.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        host.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let host_key = KeyPair::generate()?;
        let host = host.signed_by(&host_key, &issuer)?;

        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(host_key.serialize_der()));
        let mut server = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![host.der().clone()], key)?;
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { ca_pem, server })
    }
}
