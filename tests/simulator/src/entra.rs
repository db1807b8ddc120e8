//! Entra ID: discovery and tokens for an app of its own ('Get access without a user'). The errors are those that the service
//! was seen to give.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::chance::{guid, hash};
use crate::date;
use crate::device;
use crate::faults::Kind;
use crate::question::{self, Question};
use crate::tenant::{Tenant, is_guid};
use crate::token;

/// A refusal: HTTP status, OAuth error, number, text.
type Refusal = (u16, &'static str, u32, String);

/// The answer of a token endpoint that has trouble, where that fault falls on it now.
fn unavailable(tenant: &mut Tenant) -> Option<Answer> {
    let thing = format!("token {}", tenant.tokens.len());
    if !tenant.faults.fall(Kind::TokenUnavailable, &thing) {
        return None;
    }
    let text = json!({ "error": "temporarily_unavailable", "error_description": "AADSTS90033: A transient error has occurred. Please try again.", "error_codes": [90033] });
    Some(Answer::json(503, &text).with("Retry-After", tenant.config.retry_after.to_string()))
}

/// Answers what is asked of login.microsoftonline.com. `None`: nothing is there.
pub fn answer(tenant: &mut Tenant, question: &Question) -> Option<(Answer, &'static str, Option<Kind>)> {
    let path: Vec<&str> = question.segments.iter().map(String::as_str).collect();
    match (question.method.as_str(), path.as_slice()) {
        ("GET", ["common", "discovery", "instance"]) => Some((instance(question), "discovery", None)),
        ("GET", [name, "v2.0", ".well-known", "openid-configuration"]) => {
            let answer = match known(tenant, name) {
                Ok(()) => configuration(tenant, name, &question.host),
                Err(refusal) => refuse(tenant, &refusal),
            };
            Some((answer, "discovery", None))
        }
        ("POST", [device::CONSUMERS, "oauth2", "v2.0", endpoint @ ("devicecode" | "token")]) => {
            let form = question::form(&String::from_utf8_lossy(&question.body));
            let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
            if *endpoint == "token"
                && let Some(answer) = unavailable(tenant)
            {
                return Some((answer, "sign_in_token", Some(Kind::TokenUnavailable)));
            }
            let work = if *endpoint == "token" { device::token } else { device::code };
            let answer = work(tenant, &field).unwrap_or_else(|refusal| refuse(tenant, &refusal));
            Some((answer, if *endpoint == "token" { "sign_in_token" } else { "device_code" }, None))
        }
        ("POST", [name, "oauth2", "v2.0", "token"]) => {
            if let Some(answer) = unavailable(tenant) {
                return Some((answer, "token", Some(Kind::TokenUnavailable)));
            }
            let answer = give(tenant, name, question).unwrap_or_else(|refusal| refuse(tenant, &refusal));
            Some((answer, "token", None))
        }
        _ => None,
    }
}

fn instance(question: &Question) -> Answer {
    let endpoint = question.option("authorization_endpoint").unwrap_or_default();
    let tenant = endpoint.split('/').nth(3).unwrap_or("common");
    Answer::json(
        200,
        &json!({
            "tenant_discovery_endpoint": format!("https://login.microsoftonline.com/{tenant}/v2.0/.well-known/openid-configuration"),
            "api-version": "1.1",
            "metadata": [{
                "preferred_network": "login.microsoftonline.com",
                "preferred_cache": "login.windows.net",
                "aliases": ["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"],
            }],
        }),
    )
}

/// The addresses in it name the host that was asked, so that a client finds its way back here.
fn configuration(tenant: &Tenant, name: &str, host: &str) -> Answer {
    let host = |path: &str| format!("https://{host}/{name}/{path}");
    let text = json!({
        "token_endpoint": host("oauth2/v2.0/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": host("discovery/v2.0/keys"),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": format!("https://login.microsoftonline.com/{}/v2.0", tenant.id),
        "request_uri_parameter_supported": false,
        "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
        "authorization_endpoint": host("oauth2/v2.0/authorize"),
        "device_authorization_endpoint": host("oauth2/v2.0/devicecode"),
        "http_logout_supported": true,
        "frontchannel_logout_supported": true,
        "end_session_endpoint": host("oauth2/v2.0/logout"),
        "tenant_region_scope": "EU",
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
        "rbac_url": "https://pas.windows.net",
    });
    Answer::json(200, &text)
}

fn known(tenant: &Tenant, name: &str) -> Result<(), Refusal> {
    if name.eq_ignore_ascii_case(&tenant.config.tenant) || name.eq_ignore_ascii_case(&tenant.id) {
        return Ok(());
    }
    if is_guid(name) || name.contains('.') {
        let text = format!(
            "AADSTS90002: Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into \
             the correct cloud. Check with your subscription administrator, this may happen if there are no active \
             subscriptions for the tenant."
        );
        return Err((400, "invalid_request", 90002, text));
    }
    let text = format!(
        "AADSTS900023: Specified tenant identifier '{name}' is neither a valid DNS name, nor a valid external domain."
    );
    Err((400, "invalid_request", 900_023, text))
}

fn give(tenant: &mut Tenant, name: &str, question: &Question) -> Result<Answer, Refusal> {
    known(tenant, name)?;
    let form = question::form(&String::from_utf8_lossy(&question.body));
    let field = |name: &str| {
        form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    };
    let need = |name: &str| {
        field(name).ok_or_else(|| {
            let text = format!("AADSTS900144: The request body must contain the following parameter: '{name}'.");
            (400, "invalid_request", 900_144, text)
        })
    };
    let grant = need("grant_type")?;
    let client = need("client_id")?;
    if grant != "client_credentials" {
        let text = format!("AADSTS70003: The app requested an unsupported grant type '{grant}'.");
        return Err((400, "unsupported_grant_type", 70003, text));
    }
    let scope = need("scope")?;
    if !client.eq_ignore_ascii_case(&tenant.config.client_id) {
        let text = format!(
            "AADSTS700016: Application with identifier '{client}' was not found in the directory '{name}'. This can happen if \
             the application has not been installed by the administrator of the tenant or consented to by any user in the \
             tenant. You may have sent your authentication request to the wrong tenant."
        );
        return Err((400, "unauthorized_client", 700_016, text));
    }
    match (field("client_assertion"), field("client_secret")) {
        (Some(assertion), _) => {
            if field("client_assertion_type") != Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer") {
                return Err((
                    400,
                    "invalid_request",
                    900_144,
                    "AADSTS900144: The request body must contain the following parameter: 'client_assertion_type'."
                        .into(),
                ));
            }
            token::check_assertion(tenant, assertion, name, &question.host)?;
        }
        (None, Some(secret)) => check_secret(tenant, client, secret)?,
        (None, None) => {
            let text = "AADSTS7000218: The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
            return Err((401, "invalid_client", 7_000_218, text.into()));
        }
    }
    check_scope(scope, name, &question.host)?;
    let life = tenant.config.token_life;
    let number = tenant.next();
    let token = token::make(tenant, number, date::now() + life);
    tenant.tokens.insert(token.clone(), date::now() + life);
    Ok(Answer::json(
        200,
        &json!({
            "token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": token,
        }),
    )
    .with("Cache-Control", "no-store, no-cache")
    .with("Pragma", "no-cache"))
}

fn check_secret(tenant: &Tenant, client: &str, secret: &str) -> Result<(), Refusal> {
    if secret != tenant.config.client_secret {
        let text = format!(
            "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret \
             value, not the client secret ID, for a secret added to app '{client}'."
        );
        return Err((401, "invalid_client", 7_000_215, text));
    }
    if tenant.config.secret_expired {
        let text = format!(
            "AADSTS7000222: The provided client secret keys for app '{client}' are expired. Visit the Azure portal to create \
             new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added \
             security: https://aka.ms/certCreds."
        );
        return Err((401, "invalid_client", 7_000_222, text));
    }
    Ok(())
}

/// An app asks for all it was consented to: the address of Graph and `/.default`. Graph may be known by the address it is
/// simulated at.
fn check_scope(scope: &str, name: &str, host: &str) -> Result<(), Refusal> {
    let Some(resource) = scope.strip_suffix("/.default") else {
        let text = format!(
            "AADSTS1002012: The provided value for scope {scope} is not valid. Client credential flows must have a scope value \
             with /.default suffixed to the resource identifier (application ID URI)."
        );
        return Err((400, "invalid_scope", 1_002_012, text));
    };
    let resource = resource.trim_end_matches('/');
    let local = resource.strip_prefix("https://").is_some_and(|at| {
        at == host || at.split(':').next().is_some_and(|name| name == "127.0.0.1" || name == "localhost")
    });
    if local || resource == "https://graph.microsoft.com" {
        return Ok(());
    }
    let text = format!(
        "AADSTS500011: The resource principal named {resource} was not found in the tenant named {name}. This can happen if the \
         application has not been installed by the administrator of the tenant or consented to by any user in the tenant."
    );
    Err((400, "invalid_resource", 500_011, text))
}

fn refuse(tenant: &mut Tenant, (status, error, number, text): &Refusal) -> Answer {
    let (trace, correlation, now) = (guid(tenant.next()), guid(tenant.next()), date::spaced(date::now()));
    let body: Value = json!({
        "error": error,
        "error_description": format!("{text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {now}"),
        "error_codes": [number],
        "timestamp": now,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": format!("https://login.microsoftonline.com/error?code={number}"),
    });
    Answer::json(*status, &body).with("x-ms-request-id", guid(hash(&[trace.as_bytes()])))
}
