//! Access tokens: client credentials (RFC 6749, 4.4) at the v2.0 endpoint of Entra ID, through crate `oauth2`.
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>

use std::cell::RefCell;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth2::basic::BasicClient;
use oauth2::{AuthType, ClientId, ClientSecret, HttpRequest, HttpResponse, Scope, TokenResponse, TokenUrl};
use serde_json::Value;
use zeroize::Zeroizing;

use super::errors;
use super::tenant::{Credential, Tenant};
use super::trouble::Trouble;
use crate::clock;
use crate::source::error::words;
use crate::source::{Result, SourceError};

/// A token is renewed so long before it expires: an answer that takes long must not outlive it.
const BEFORE: Duration = Duration::from_mins(5);
/// What counts where the server does not say how long.
const LIFETIME: Duration = Duration::from_mins(30);

/// A token and what is known of it.
#[derive(Clone)]
pub struct Token {
    pub value: Zeroizing<String>,
    /// Application permissions in it; empty where it cannot be read (Microsoft promises no format).
    pub granted: Vec<String>,
    /// Which one it is: tells lanes whether another one has renewed it already.
    pub serial: u64,
    renew: Instant,
}

/// The token of one tenant, shared between lanes.
#[derive(Default)]
pub struct Tokens(Mutex<Option<Token>>);

impl Tokens {
    /// The token that counts now; asked for where there is none or it is about to expire. `refused` names one that the
    /// server did not take. `ask` carries one request to Entra.
    pub fn get(
        &self,
        tenant: &Tenant,
        refused: Option<u64>,
        ask: &dyn Fn(HttpRequest) -> Result<HttpResponse>,
    ) -> Result<Token> {
        // Other lanes wait here for the one token; the lane that asks beats for all of them.
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = held.as_ref().map_or(0, |token| token.serial);
        if let Some(token) = held.as_ref()
            && Some(token.serial) != refused
            && token.renew > Instant::now()
        {
            return Ok(token.clone());
        }
        let mut token = request(tenant, ask)?;
        token.serial = last + 1;
        Ok(held.insert(token).clone())
    }
}

fn request(tenant: &Tenant, ask: &dyn Fn(HttpRequest) -> Result<HttpResponse>) -> Result<Token> {
    let endpoint = format!("{}/{}/oauth2/v2.0/token", tenant.login_url.trim_end_matches('/'), tenant.tenant);
    let malformed = |said: String| Trouble::MalformedTenant { tenant: tenant.tenant.clone(), said };
    let url = TokenUrl::new(endpoint.clone()).map_err(|error| malformed(error.to_string()))?;
    let mut client = BasicClient::new(ClientId::new(tenant.client_id.clone()))
        .set_token_uri(url)
        .set_auth_type(AuthType::RequestBody);
    let mut assertion = None;
    match &tenant.credential {
        Credential::Secret(secret) => client = client.set_client_secret(ClientSecret::new(secret.as_str().to_owned())),
        Credential::Certificate { cert_pem, key_pem } => {
            let unusable = |said: String| Trouble::CertificateUnusable { app: tenant.client_id.clone(), said };
            let signed = super::assertion::sign(cert_pem, key_pem, &tenant.client_id, &endpoint, clock::now());
            assertion = Some(signed.map_err(unusable)?);
        }
    }
    let mut exchange = client
        .exchange_client_credentials()
        .add_scope(Scope::new(format!("{}/.default", tenant.graph_url.trim_end_matches('/'))));
    if let Some(assertion) = &assertion {
        exchange = exchange
            .add_extra_param("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
            .add_extra_param("client_assertion", assertion.as_str());
    }
    // What oauth2 makes of an error loses the number that says which one it is.
    let refusal: RefCell<Option<(u16, Vec<u8>)>> = RefCell::new(None);
    let watched = |request: HttpRequest| {
        let response = ask(request)?;
        if !response.status().is_success() {
            *refusal.borrow_mut() = Some((response.status().as_u16(), response.body().clone()));
        }
        Ok::<_, SourceError>(response)
    };
    let answer = exchange.request(&watched);
    if let Some((status, body)) = refusal.into_inner() {
        let secret = match &tenant.credential {
            Credential::Secret(secret) => Some(secret.as_str()),
            Credential::Certificate { .. } => None,
        };
        return Err(errors::entra(status, &body, &tenant.client_id, &tenant.tenant, secret).into());
    }
    match answer {
        Ok(answer) => {
            let value = Zeroizing::new(answer.access_token().secret().clone());
            let lifetime = answer.expires_in().unwrap_or(LIFETIME);
            // One that lives shorter than the margin is used for half its life.
            let usable = lifetime.checked_sub(BEFORE).filter(|left| !left.is_zero()).unwrap_or(lifetime / 2);
            let renew = Instant::now().checked_add(usable).unwrap_or_else(Instant::now);
            Ok(Token { granted: granted(&value), value, serial: 0, renew })
        }
        Err(oauth2::RequestTokenError::Request(error)) => Err(error),
        // The words of a parser may show what it read; a token is no one's business.
        Err(_) => Err(SourceError::Protocol { detail: "an access token that is none".to_owned() }),
    }
}

/// The application permissions in a token, where it is a JSON Web Token: only to say what is missing.
fn granted(token: &str) -> Vec<String> {
    let claims = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok());
    let claims: Value = claims.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default();
    let roles = claims["roles"].as_array().map(Vec::as_slice).unwrap_or_default();
    roles.iter().filter_map(Value::as_str).take(100).map(|role| words(role.as_bytes())).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn permissions_are_read_where_they_can_be() {
        let token = format!("x.{}.y", URL_SAFE_NO_PAD.encode(r#"{"roles":["Mail.Read","User.Read.All",7]}"#));
        assert_eq!(granted(&token), ["Mail.Read", "User.Read.All"]);
        for opaque in ["", "abc", "a.b.c", "a.e30.c"] {
            assert!(granted(opaque).is_empty());
        }
    }

    proptest! {
        #[test]
        fn no_token_is_a_panic(token in ".*", claims in ".*") {
            let _ = granted(&token);
            let _ = granted(&format!("a.{}.b", URL_SAFE_NO_PAD.encode(claims)));
        }
    }
}
