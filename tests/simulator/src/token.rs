//! Access tokens, and the assertions that an app with a certificate sends in place of a secret. Entra docs: 'Microsoft
//! identity platform application authentication certificate credentials'.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use ring::digest;
use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm, pem::PemObject};
use serde_json::{Value, json};
use webpki::EndEntityCert;

use crate::chance::{hash, mix};
use crate::date;
use crate::tenant::Tenant;

/// A token looks like one of Graph and is worth nothing but here.
pub fn make(tenant: &Tenant, number: u64, ends: i64) -> String {
    let roles: Vec<&String> = tenant.config.permissions.iter().collect();
    let head = json!({ "typ": "JWT", "alg": "RS256", "kid": format!("{:016x}", hash(&[b"kid"])) });
    let claims = json!({
        "aud": "https://graph.microsoft.com", "iss": format!("https://sts.windows.net/{}/", tenant.id), "exp": ends,
        "appid": tenant.config.client_id, "idtyp": "app", "roles": roles, "tid": tenant.id, "uti": format!("{number:016x}"),
    });
    let signature: Vec<u8> = (0..32).flat_map(|part| mix(number ^ part).to_le_bytes()).collect();
    format!("{}.{}.{}", BASE64.encode(head.to_string()), BASE64.encode(claims.to_string()), BASE64.encode(signature))
}

type Refusal = (u16, &'static str, u32, String);

/// Checks an assertion: signed by a registered certificate, for this app, for this endpoint, now.
pub fn check_assertion(tenant: &Tenant, assertion: &str, name: &str, host: &str) -> Result<(), Refusal> {
    let refuse = |number: u32, text: &str| (401, "invalid_client", number, format!("AADSTS{number}: {text}"));
    let malformed = || (400, "invalid_request", 50027, "AADSTS50027: JWT token is invalid or malformed.".to_owned());
    let mut parts = assertion.rsplitn(2, '.');
    let (signature, signed) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let json = |part: Option<&str>| -> Option<Value> { serde_json::from_slice(&BASE64.decode(part?).ok()?).ok() };
    let head = json(signed.split('.').next()).ok_or_else(malformed)?;
    let claims = json(signed.split('.').nth(1)).ok_or_else(malformed)?;
    let signature = BASE64.decode(signature).map_err(|_| malformed())?;
    let certificate = registered(tenant, &head).ok_or_else(|| {
        refuse(
            700_027,
            "The certificate with identifier used to sign the client assertion is not registered on application.",
        )
    })?;
    let valid = match head["alg"].as_str() {
        Some("RS256") => verify(&certificate, webpki::ring::RSA_PKCS1_2048_8192_SHA256, signed, &signature),
        Some("PS256") => verify(&certificate, webpki::ring::RSA_PSS_2048_8192_SHA256_LEGACY_KEY, signed, &signature),
        Some("ES256") => verify(&certificate, webpki::ring::ECDSA_P256_SHA256, signed, &ecdsa(&signature)),
        _ => return Err(refuse(700_027, "Client assertion failed signature validation: unsupported algorithm.")),
    };
    if !valid {
        return Err(refuse(700_027, "Client assertion failed signature validation."));
    }
    let client = Some(tenant.config.client_id.as_str());
    if claims["iss"].as_str() != client || claims["sub"].as_str() != client {
        return Err(refuse(700_021, "Client assertion application identifier doesn't match 'client_id' parameter."));
    }
    let endpoints = ["login.microsoftonline.com", host].map(|host| format!("https://{host}/{name}/oauth2/v2.0/token"));
    if !claims["aud"].as_str().is_some_and(|audience| endpoints.iter().any(|endpoint| endpoint == audience)) {
        return Err(refuse(700_023, "Client assertion audience claim does not match Realm issuer."));
    }
    let now = date::now();
    let (from, to) = (claims["nbf"].as_i64().unwrap_or(0), claims["exp"].as_i64().unwrap_or(0));
    if now + 300 < from || now > to + 300 {
        return Err(refuse(700_024, "Client assertion is not within its valid time range."));
    }
    Ok(())
}

/// The certificate that the header of an assertion names by its thumbprint.
fn registered(tenant: &Tenant, head: &Value) -> Option<CertificateDer<'static>> {
    let certificates = tenant.config.certificates.iter().filter_map(|path| CertificateDer::from_pem_file(path).ok());
    certificates.into_iter().find(|certificate| {
        let is = |name: &str, algorithm| {
            let print = BASE64.encode(digest::digest(algorithm, certificate));
            head[name].as_str().is_some_and(|given| given.trim_end_matches('=') == print)
        };
        is("x5t", &digest::SHA1_FOR_LEGACY_USE_ONLY) || is("x5t#S256", &digest::SHA256)
    })
}

fn verify(
    certificate: &CertificateDer<'_>,
    algorithm: &dyn SignatureVerificationAlgorithm,
    signed: &str,
    signature: &[u8],
) -> bool {
    let Ok(certificate) = EndEntityCert::try_from(certificate) else { return false };
    certificate.verify_signature(algorithm, signed.as_bytes(), signature).is_ok()
}

/// The two halves of a JWT's ECDSA signature as the ASN.1 that a certificate's key is checked with.
fn ecdsa(signature: &[u8]) -> Vec<u8> {
    let integer = |half: &[u8]| {
        let mut half: Vec<u8> = half.iter().copied().skip_while(|byte| *byte == 0).collect();
        if half.first().is_none_or(|byte| byte & 0x80 != 0) {
            half.insert(0, 0);
        }
        [&[2, u8::try_from(half.len()).unwrap_or(0)][..], &half].concat()
    };
    let (first, second) = signature.split_at(signature.len() / 2);
    let body = [integer(first), integer(second)].concat();
    [&[0x30, u8::try_from(body.len()).unwrap_or(0)][..], &body].concat()
}
