//! What is wrong with a value: said while it is typed, and again when the page is sent.

use serde_json::{Value, json};

use super::super::super::Context;
use super::super::super::error::Result;
use super::super::super::request::Form;
use super::super::super::response::{Body, Response};
use super::super::super::texts::Assistant;
use crate::language::Lang;
use crate::settings::mistake::{Mistake, What};
use crate::settings::providers::{self, Hint, Provider};
use crate::settings::{Encryption, Imap};
use crate::source::graph::mistake::Mistake as TenantMistake;
use crate::source::graph::tenant::is_guid;

/// Characters of a value that is looked at.
const LONGEST: usize = 20_000;

/// What is wrong with what stands in a field; nothing where it is empty, or where nothing is known of the field.
pub fn fault(context: &Context<'_>, field: &str, value: &str) -> Option<String> {
    let (t, lang, value) = (&context.t.assistant, context.lang, value.trim());
    if value.is_empty() || value.len() > LONGEST {
        return None;
    }
    match field {
        "tenant" => tenant(t, value, lang),
        "client_id" | "oauth_client_id" => (!is_guid(value)).then(|| t.fault_client_id.to_owned()),
        "client_secret" => secret(t, value, lang),
        "mailboxes" => mailboxes(value, lang),
        "address" => providers::domain(value).is_none().then(|| t.fault_address.to_owned()),
        "server" => (!Imap::is_host(value)).then(|| Mistake::new("server", What::Server).sentence(lang)),
        _ => None,
    }
}

fn tenant(t: &Assistant, value: &str, lang: Lang) -> Option<String> {
    if let Some((_, domain)) = value.rsplit_once('@') {
        return Some((t.fault_tenant_address)(domain));
    }
    let is_domain = || providers::domain(&format!("x@{value}")).is_some();
    (!is_guid(value) && !is_domain()).then(|| TenantMistake::Tenant(value.to_owned()).sentence(lang))
}

fn secret(t: &Assistant, value: &str, lang: Lang) -> Option<String> {
    if is_guid(value) {
        return Some(Mistake::new("client_secret", What::SecretIsId).sentence(lang));
    }
    if value.contains("**") || value.contains("••") {
        return Some(t.fault_masked.to_owned());
    }
    value.contains(char::is_whitespace).then(|| t.fault_spaces.to_owned())
}

fn mailboxes(value: &str, lang: Lang) -> Option<String> {
    let lines = value.lines().map(str::trim).filter(|line| !line.is_empty());
    let bad = lines.enumerate().find(|(_, line)| providers::domain(line).is_none() && !is_guid(line));
    bad.map(|(row, line)| TenantMistake::Mailbox(row, line.to_owned()).sentence(lang))
}

/// All that is wrong with the fields of a page, each with its key: what only the assistant finds, and what the definition says.
pub fn all(context: &Context<'_>, form: &Form, keys: &[&str], mistakes: &[Mistake]) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for key in keys {
        if let Some(fault) = fault(context, key, form.text(key)) {
            found.push(((*key).to_owned(), fault));
        }
    }
    for mistake in mistakes {
        // One sentence about a field is enough.
        if !found.iter().any(|(key, _)| key == mistake.key) {
            found.push((mistake.key.to_owned(), mistake.sentence(context.lang)));
        }
    }
    found
}

/// What people need to know of a provider; empty where there is nothing.
pub fn hint(context: &Context<'_>, provider: &Provider) -> String {
    let (t, name) = (&context.t.assistant, provider.name.as_str());
    match provider.hint {
        None => String::new(),
        Some(Hint::AppPassword) => (t.hint_app_password)(name),
        Some(Hint::Google) => t.hint_google.to_owned(),
        Some(Hint::SignIn) => t.hint_sign_in.to_owned(),
        Some(Hint::SwitchOn) => (t.hint_switch_on)(name),
        Some(Hint::Telekom) => t.hint_telekom.to_owned(),
        Some(Hint::SecondFactor) => (t.hint_second_factor)(name),
        Some(Hint::Device) => (t.hint_device)(name),
        Some(Hint::MailboxName) => (t.hint_mailbox_name)(name),
        Some(Hint::Ask) => (t.fault_ask)(name),
    }
}

pub fn encryption(encryption: Encryption) -> &'static str {
    match encryption {
        Encryption::Tls => "tls",
        Encryption::StartTls => "starttls",
        Encryption::None => "none",
    }
}

/// For the script: what is wrong with a field, and what is known by it.
pub fn send(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let (field, value) = (form.text("field"), form.text("value"));
    let wrong = fault(context, field, value).unwrap_or_default();
    let mut answer = json!({ "wrong": wrong });
    let provider = match field {
        "address" => providers::of_address(value),
        "provider" => providers::named(value),
        _ => None,
    };
    if let Some(provider) = provider {
        answer["says"] = said(context, provider).into();
        answer["signs_in"] = (provider.hint == Some(Hint::SignIn)).into();
        answer["set"] = json!({
            "server": provider.server,
            "port": if provider.server.is_empty() { Value::from("") } else { provider.port.to_string().into() },
            "encryption": encryption(provider.encryption),
        });
    }
    Ok(Response::new(200, "application/json", Body::Bytes(answer.to_string().into_bytes())))
}

/// That a provider was recognised, and what there is to know of it.
pub fn said(context: &Context<'_>, provider: &Provider) -> String {
    let recognised = (context.t.assistant.recognised)(&provider.name);
    format!("{recognised} {}", hint(context, provider)).trim_end().to_owned()
}
