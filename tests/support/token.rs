//! Access tokens as a private Dovecot accepts them: JSON Web Tokens, signed by HMAC with SHA-256.

use std::time::{SystemTime, UNIX_EPOCH};

use ring::hmac;

/// A token for `user` that expires in so many seconds; a negative number makes one that has expired.
pub fn token(key: &[u8], user: &str, expires_in: i64) -> String {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let claims = serde_json::json!({ "sub": user, "upn": user, "iat": now - 3600, "exp": now + expires_in });
    let signed =
        format!("{}.{}", base64_url(br#"{"alg":"HS256","typ":"JWT"}"#), base64_url(claims.to_string().as_bytes()));
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), signed.as_bytes());
    format!("{signed}.{}", base64_url(signature.as_ref()))
}

pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let number = three.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)) << (8 * (3 - three.len()));
        for digit in 0..4 {
            let sextet = number >> (18 - 6 * digit) & 63;
            text.push(if digit <= three.len() { char::from(DIGITS[sextet]) } else { '=' });
        }
    }
    text
}

fn base64_url(bytes: &[u8]) -> String {
    base64(bytes).replace('+', "-").replace('/', "_").replace('=', "")
}
