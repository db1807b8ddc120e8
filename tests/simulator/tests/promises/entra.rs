//! Tokens, and each way not to get one.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde_json::{Value, json};
use simulator::Config;

use crate::client::Reply;
use crate::stage::Stage;

fn token(stage: &Stage, tenant: &str, form: &str) -> Reply {
    stage.client.ask("POST", &format!("/{tenant}/oauth2/v2.0/token"), &[], form.as_bytes())
}

fn refused(reply: &Reply) -> (u16, Value, Value) {
    let body = reply.json();
    let text = body["error_description"].as_str().unwrap();
    assert!(text.starts_with(&format!("AADSTS{}: ", body["error_codes"][0])), "{text}");
    (reply.status, body["error"].clone(), body["error_codes"][0].clone())
}

const GOOD: [(&str, &str); 4] = [
    ("client_id", "client"),
    ("client_secret", "secret"),
    ("grant_type", "client_credentials"),
    ("scope", "https://graph.microsoft.com/.default"),
];

fn form_with(changed: &str, value: &str) -> String {
    let fields = GOOD.iter().map(|(name, good)| format!("{name}={}", if *name == changed { value } else { good }));
    fields.collect::<Vec<_>>().join("&")
}

#[test]
fn every_refusal_is_the_one_of_entra() {
    let stage = Stage::new(0);
    let cases = [
        ("client_secret", "wrong", 401, "invalid_client", 7_000_215),
        ("client_id", "other", 400, "unauthorized_client", 700_016),
        ("grant_type", "", 400, "invalid_request", 900_144),
        ("grant_type", "password", 400, "unsupported_grant_type", 70003),
        ("client_secret", "", 401, "invalid_client", 7_000_218),
        ("scope", "Mail.Read", 400, "invalid_scope", 1_002_012),
        ("scope", "https://example.org/.default", 400, "invalid_resource", 500_011),
    ];
    for (field, value, status, error, number) in cases {
        let reply = token(&stage, "tenant", &form_with(field, value));
        assert_eq!(refused(&reply), (status, json!(error), json!(number)), "{field}={value}");
    }
    let good = form_with("", "");
    assert_eq!(refused(&token(&stage, "nobody.example", &good)), (400, json!("invalid_request"), json!(90002)));
    assert_eq!(refused(&token(&stage, "nobody", &good)), (400, json!("invalid_request"), json!(900_023)));
    let discovery = stage.client.ask("GET", "/nobody.example/v2.0/.well-known/openid-configuration", &[], b"");
    assert_eq!(refused(&discovery), (400, json!("invalid_request"), json!(90002)));
    stage.control(json!({ "op": "configure", "secret_expired": true }));
    assert_eq!(refused(&token(&stage, "tenant", &good)), (401, json!("invalid_client"), json!(7_000_222)));
}

#[test]
fn a_token_opens_what_it_was_given_for() {
    let mut stage = Stage::new(1);
    let address = "users/anna@example.org/mailFolders/inbox/messages";
    assert_eq!(stage.get(address).status, 200);
    let bare = stage.client.ask("GET", &format!("/v1.0/{address}"), &[], b"");
    assert_eq!(bare.error(), (401, "InvalidAuthenticationToken".to_owned()));
    stage.control(json!({ "op": "expire_tokens" }));
    let expired = stage.get(address);
    assert_eq!(expired.json()["error"]["message"], "Lifetime validation failed, the token is expired.");
    stage.renew();
    assert_eq!(stage.get(address).status, 200);
    stage.control(json!({ "op": "configure", "permissions": ["User.Read.All"] }));
    assert_eq!(stage.get(address).error(), (403, "ErrorAccessDenied".to_owned()));
    assert_eq!(stage.get("users").status, 200);
    stage.control(json!({ "op": "configure", "permissions": ["Mail.Read"] }));
    assert_eq!(stage.get("users").error(), (403, "Authorization_RequestDenied".to_owned()));
    assert_eq!(
        stage.post("mailFolders", &json!({ "displayName": "x" })).error(),
        (403, "ErrorAccessDenied".to_owned())
    );
    stage.control(json!({ "op": "set_user", "user": "anna@example.org", "policy": true }));
    assert_eq!(stage.get(address).json()["error"]["message"], "Access to OData is disabled.");
}

#[test]
fn a_certificate_is_as_good_as_a_secret() {
    let dir = tempfile::tempdir().unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["app".to_owned()]).unwrap().self_signed(&key).unwrap();
    let path = dir.path().join("app.pem");
    std::fs::write(&path, certificate.pem()).unwrap();
    let stage = Stage::with(0, Config { certificates: vec![path.clone()], ..Config::default() });
    let print = ring::digest::digest(&ring::digest::SHA256, &CertificateDer::from_pem_file(&path).unwrap());
    let now = jiff::Timestamp::now().as_second();
    let assertion = |audience: &str, ends: i64, spoil: bool| {
        let head = json!({ "alg": "ES256", "typ": "JWT", "x5t#S256": BASE64.encode(print) });
        let claims =
            json!({ "aud": audience, "iss": "client", "sub": "client", "jti": "1", "nbf": now - 10, "exp": ends });
        let signed = format!("{}.{}", BASE64.encode(head.to_string()), BASE64.encode(claims.to_string()));
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key.serialize_der(), &random).unwrap();
        let mut signature = pair.sign(&random, signed.as_bytes()).unwrap().as_ref().to_vec();
        signature[9] ^= u8::from(spoil);
        let kind = "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
        let form = form_with("client_secret", "");
        token(&stage, "tenant", &format!("{form}&{kind}&client_assertion={signed}.{}", BASE64.encode(signature)))
    };
    let audience = "https://login.microsoftonline.com/tenant/oauth2/v2.0/token";
    assert_eq!(assertion(audience, now + 300, false).status, 200);
    assert_eq!(refused(&assertion(audience, now + 300, true)).2, json!(700_027));
    assert_eq!(refused(&assertion(audience, now - 3600, false)).2, json!(700_024));
    assert_eq!(refused(&assertion("https://example.org", now + 300, false)).2, json!(700_023));
}

/// What is answered at an endpoint of personal accounts.
fn consumers(stage: &Stage, endpoint: &str, form: &str) -> Reply {
    stage.client.ask("POST", &format!("/consumers/oauth2/v2.0/{endpoint}"), &[], form.as_bytes())
}

#[test]
fn a_code_is_typed_in_and_a_refresh_token_counts_once() {
    let stage = Stage::new(0);
    let scope = "scope=https%3A%2F%2Foutlook.office.com%2FIMAP.AccessAsUser.All%20offline_access";
    assert_eq!(refused(&consumers(&stage, "devicecode", &format!("client_id=other&{scope}"))).2, json!(700_016));
    assert_eq!(refused(&consumers(&stage, "devicecode", "client_id=client&scope=openid")).2, json!(70_011));
    let given = consumers(&stage, "devicecode", &format!("client_id=client&{scope}")).json();
    let code = given["device_code"].as_str().unwrap();
    let ask = format!("client_id=client&grant_type=urn:ietf:params:oauth:grant-type:device_code&device_code={code}");
    assert_eq!(refused(&consumers(&stage, "token", &ask)).1, json!("authorization_pending"));
    stage.control(json!({ "op": "sign_in", "user": "anna@outlook.com", "user_code": given["user_code"] }));
    let first = consumers(&stage, "token", &ask).json();
    assert_eq!(refused(&consumers(&stage, "token", &ask)).1, json!("bad_verification_code"));
    let refresh = |token: &Value| {
        let form = format!("client_id=client&grant_type=refresh_token&refresh_token={}", token.as_str().unwrap());
        consumers(&stage, "token", &form)
    };
    let second = refresh(&first["refresh_token"]).json();
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    assert_eq!(refused(&refresh(&first["refresh_token"])).1, json!("invalid_grant"));
    assert_eq!(stage.control(json!({ "op": "sign_ins" }))["used"], 1);
    stage.control(json!({ "op": "revoke_sign_ins" }));
    assert_eq!(refused(&refresh(&second["refresh_token"])).2, json!(70_008));

    consumers(&stage, "devicecode", &format!("client_id=client&{scope}"));
    stage.control(json!({ "op": "configure", "public_client": false }));
    assert_eq!(refused(&consumers(&stage, "devicecode", &format!("client_id=client&{scope}"))).2, json!(7_000_218));
}
