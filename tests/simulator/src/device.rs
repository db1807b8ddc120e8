//! Signing in of personal accounts by a code (RFC 8628), and refresh tokens that are replaced at each use. The access tokens are
//! for an IMAP server of a test, which checks them by a key that both know.
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code>

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use ring::hmac;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::chance::{hash, mix};
use crate::date;
use crate::tenant::Tenant;

/// The directory of personal accounts.
pub const CONSUMERS: &str = "consumers";
pub const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const SCOPE: &str = "https://outlook.office.com/IMAP.AccessAsUser.All";

/// A code that waits for somebody, or that was typed in.
#[derive(Clone, Debug)]
pub struct Device {
    /// What the app asks with.
    secret: String,
    user_code: String,
    ends: i64,
    /// Who typed it in; `Err`: somebody who declined.
    user: Option<Result<String, ()>>,
}

/// All sign-ins.
#[derive(Debug, Default)]
pub struct Devices {
    waiting: Vec<Device>,
    /// Refresh tokens that count, and whose they are.
    refresh: Vec<(String, String)>,
    /// How many were used up.
    used: u64,
}

type Refusal = (u16, &'static str, u32, String);
type Field<'a> = dyn Fn(&str) -> Option<&'a str> + 'a;

fn check_client(tenant: &Tenant, field: &Field<'_>) -> Result<(), Refusal> {
    let client = field("client_id").unwrap_or_default();
    if !client.eq_ignore_ascii_case(&tenant.config.client_id) {
        let text = format!(
            "AADSTS700016: Application with identifier '{client}' was not found in the directory 'Microsoft Accounts'. This \
             can happen if the application has not been installed by the administrator of the tenant."
        );
        return Err((400, "unauthorized_client", 700_016, text));
    }
    if !tenant.config.public_client {
        let text = "AADSTS7000218: The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
        return Err((401, "invalid_client", 7_000_218, text.into()));
    }
    Ok(())
}

/// Gives a code.
pub fn code(tenant: &mut Tenant, field: &Field<'_>) -> Result<Answer, Refusal> {
    check_client(tenant, field)?;
    let scope = field("scope").unwrap_or_default();
    if !scope.split(' ').any(|one| one == SCOPE) {
        return Err((
            400,
            "invalid_scope",
            70_011,
            format!("AADSTS70011: The provided value for the input parameter 'scope' is not valid: {scope}."),
        ));
    }
    let number = tenant.next();
    let user_code: String = (0..8u64)
        .map(|place| {
            char::from(
                b"BCDFGHJKLMNPQRSTVWXZ"
                    [usize::try_from(mix(number.wrapping_mul(8).wrapping_add(place)) % 20).unwrap_or(0)],
            )
        })
        .collect();
    let secret = BASE64.encode(hash(&[b"device", user_code.as_bytes()]).to_le_bytes());
    let device = Device { secret, user_code, ends: date::now() + tenant.config.code_life, user: None };
    let answer = json!({
        "user_code": device.user_code, "device_code": device.secret,
        "verification_uri": "https://www.microsoft.com/link", "expires_in": tenant.config.code_life, "interval": 1,
        "message": "To sign in, use a web browser to open the page.",
    });
    tenant.devices.waiting.push(device);
    Ok(Answer::json(200, &answer))
}

/// Gives tokens for a code that was typed in, or for a refresh token.
pub fn token(tenant: &mut Tenant, field: &Field<'_>) -> Result<Answer, Refusal> {
    check_client(tenant, field)?;
    let user = match field("grant_type") {
        Some(GRANT) => typed_in(tenant, field("device_code").unwrap_or_default())?,
        Some("refresh_token") => refreshed(tenant, field("refresh_token").unwrap_or_default())?,
        other => {
            let text =
                format!("AADSTS70003: The app requested an unsupported grant type '{}'.", other.unwrap_or_default());
            return Err((400, "unsupported_grant_type", 70003, text));
        }
    };
    let number = tenant.next();
    let refresh = format!("M.C5_{}", BASE64.encode(hash(&[b"refresh", &number.to_le_bytes()]).to_le_bytes()));
    tenant.devices.refresh.push((refresh.clone(), user.clone()));
    let life = tenant.config.token_life;
    Ok(Answer::json(
        200,
        &json!({
            "token_type": "Bearer", "scope": SCOPE, "expires_in": life, "access_token": access(tenant, &user, life),
            "refresh_token": refresh,
        }),
    ))
}

fn typed_in(tenant: &mut Tenant, device_code: &str) -> Result<String, Refusal> {
    let refuse = |error, number, text: &str| (400, error, number, format!("AADSTS{number}: {text}"));
    let place = tenant.devices.waiting.iter().position(|device| device.secret == device_code);
    let Some(place) = place else { return Err(refuse("bad_verification_code", 70_018, "Bad verification code.")) };
    let device = &tenant.devices.waiting[place];
    match &device.user {
        _ if device.ends <= date::now() => Err(refuse("expired_token", 70_020, "The device code is expired.")),
        None => Err(refuse("authorization_pending", 70_016, "The user has not finished signing in yet.")),
        Some(Err(())) => {
            Err(refuse("authorization_declined", 70_000, "The end user denied the authorization request."))
        }
        Some(Ok(user)) => {
            let user = user.clone();
            tenant.devices.waiting.remove(place);
            Ok(user)
        }
    }
}

/// A refresh token counts once.
fn refreshed(tenant: &mut Tenant, token: &str) -> Result<String, Refusal> {
    let devices = &mut tenant.devices;
    let place = devices.refresh.iter().position(|(known, _)| known == token).ok_or_else(|| {
        let text = "AADSTS70008: The provided authorization code or refresh token has expired due to inactivity or was revoked.";
        (400, "invalid_grant", 70_008, text.to_owned())
    })?;
    devices.used += 1;
    Ok(devices.refresh.remove(place).1)
}

/// A JSON Web Token that the IMAP server of the test reads. It is taken for a while longer than is said, so that no test depends on
/// how quick it is.
fn access(tenant: &Tenant, user: &str, life: i64) -> String {
    let now = date::now();
    let claims = json!({ "sub": user, "upn": user, "iat": now - 3600, "exp": now + life + 300 });
    let signed = format!("{}.{}", BASE64.encode(r#"{"alg":"HS256","typ":"JWT"}"#), BASE64.encode(claims.to_string()));
    let key = hmac::Key::new(hmac::HMAC_SHA256, tenant.config.imap_key.as_bytes());
    format!("{signed}.{}", BASE64.encode(hmac::sign(&key, signed.as_bytes())))
}

/// Somebody types in the code that was given last, or one that is named; with `decline` only to refuse.
pub fn sign_in(tenant: &mut Tenant, asked: &Value) -> anyhow::Result<Value> {
    let user = asked["user"].as_str().unwrap_or_default().to_owned();
    let wanted = asked["user_code"].as_str();
    let fits = |device: &&mut Device| wanted.is_none_or(|code| device.user_code == code) && device.user.is_none();
    let device = tenant.devices.waiting.iter_mut().rev().find(fits);
    let Some(device) = device else { anyhow::bail!("no code waits") };
    device.user = Some(if asked["decline"] == true { Err(()) } else { Ok(user) });
    Ok(json!({ "user_code": device.user_code }))
}

/// Refresh tokens that count, and how many were used up.
pub fn told(tenant: &Tenant) -> Value {
    let tokens: Vec<&String> = tenant.devices.refresh.iter().map(|(token, _)| token).collect();
    json!({ "refresh_tokens": tokens, "used": tenant.devices.used })
}

pub fn revoke(tenant: &mut Tenant) {
    tenant.devices.refresh.clear();
}
