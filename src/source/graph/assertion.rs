//! A certificate instead of a secret: a JSON Web Token that we sign with its key (RFC 7523).
//! <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;
use zeroize::Zeroizing;

/// How long an assertion counts, seconds: one request is made with it at once.
const LIFETIME: i64 = 300;

enum Key {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
}

/// Signs an assertion for `app` at the token endpoint `audience`; `now` in Unix seconds. An error says what is wrong with
/// certificate or key.
pub fn sign(cert_pem: &str, key_pem: &str, app: &str, audience: &str, now: i64) -> Result<Zeroizing<String>, String> {
    let certificate = CertificateDer::from_pem_slice(cert_pem.as_bytes())
        .map_err(|_| "the certificate file holds no certificate in PEM form".to_owned())?;
    let key = key(key_pem)?;
    let algorithm = match &key {
        Key::Rsa(_) => "RS256",
        Key::P256(_) => "ES256",
    };
    let thumbprint = URL_SAFE_NO_PAD.encode(digest(&SHA256, &certificate));
    let random = SystemRandom::new();
    let mut id = [0; 16];
    random.fill(&mut id).map_err(|_| "no random numbers".to_owned())?;
    let header = json!({ "alg": algorithm, "typ": "JWT", "x5t#S256": thumbprint });
    let claims = json!({
        "aud": audience,
        "iss": app,
        "sub": app,
        "jti": URL_SAFE_NO_PAD.encode(id),
        // A clock that is a little fast must not make it one from the future.
        "nbf": now - 60,
        "iat": now - 60,
        "exp": now + LIFETIME,
    });
    let encode = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let mut token = Zeroizing::new(format!("{}.{}", encode(header), encode(claims)));
    let signature = match key {
        Key::Rsa(key) => {
            let mut signature = vec![0; key.public().modulus_len()];
            key.sign(&RSA_PKCS1_SHA256, &random, token.as_bytes(), &mut signature)
                .map_err(|_| "the RSA key does not sign".to_owned())?;
            signature
        }
        Key::P256(key) => {
            let signature =
                key.sign(&random, token.as_bytes()).map_err(|_| "the P-256 key does not sign".to_owned())?;
            signature.as_ref().to_vec()
        }
    };
    token.push('.');
    token.push_str(&URL_SAFE_NO_PAD.encode(signature));
    Ok(token)
}

fn key(pem: &str) -> Result<Key, String> {
    let der = PrivateKeyDer::from_pem_slice(pem.as_bytes())
        .map_err(|_| "the key file holds no private key in PEM form, or an encrypted one".to_owned())?;
    let wrong = |what: &dyn std::fmt::Display| format!("the key cannot be used: {what}");
    match &der {
        PrivateKeyDer::Pkcs1(der) => {
            RsaKeyPair::from_der(der.secret_pkcs1_der()).map(Key::Rsa).map_err(|error| wrong(&error))
        }
        PrivateKeyDer::Pkcs8(der) => {
            let der = der.secret_pkcs8_der();
            if let Ok(key) = RsaKeyPair::from_pkcs8(der) {
                return Ok(Key::Rsa(key));
            }
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der, &SystemRandom::new())
                .map(Key::P256)
                .map_err(|error| wrong(&error))
        }
        _ => Err("the key is in an old form: convert it with `openssl pkcs8 -topk8 -nodes`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use ring::signature::{ECDSA_P256_SHA256_FIXED, KeyPair, UnparsedPublicKey};

    use super::*;

    fn pem(label: &str, der: &[u8]) -> String {
        let text = base64::engine::general_purpose::STANDARD.encode(der);
        format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
    }

    #[test]
    fn an_assertion_names_the_certificate_and_can_be_checked() {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
        let certificate = pem("CERTIFICATE", b"any bytes: only their hash counts here");
        let token = sign(&certificate, &pem("PRIVATE KEY", pkcs8.as_ref()), "app", "https://x/token", 1000).unwrap();
        let parts: Vec<&str> = token.split('.').collect();
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
        let header: serde_json::Value = serde_json::from_slice(&decode(parts[0])).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&decode(parts[1])).unwrap();
        assert_eq!((header["alg"].as_str(), claims["exp"].as_i64()), (Some("ES256"), Some(1300)));
        assert_eq!((claims["aud"].as_str(), claims["sub"].as_str()), (Some("https://x/token"), Some("app")));
        assert_eq!(header["x5t#S256"].as_str().map(str::len), Some(43));
        let signed = format!("{}.{}", parts[0], parts[1]);
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref())
            .verify(signed.as_bytes(), &decode(parts[2]))
            .unwrap();
    }

    #[test]
    fn what_is_wrong_with_it_is_said() {
        let certificate = pem("CERTIFICATE", b"x");
        for (cert, key, want) in [
            ("", "", "no certificate"),
            (&*certificate, "", "no private key"),
            (&*certificate, &*pem("PRIVATE KEY", b"x"), "cannot be used"),
            (&*certificate, &*pem("RSA PRIVATE KEY", b"x"), "cannot be used"),
            (&*certificate, &*pem("EC PRIVATE KEY", b"x"), "openssl pkcs8"),
        ] {
            let told = sign(cert, key, "app", "x", 0).unwrap_err();
            assert!(told.contains(want), "{told}");
        }
    }
}
