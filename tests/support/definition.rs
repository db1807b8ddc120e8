//! Writes the definition of a mail source, as an administrator would.

use std::fmt::Write;

use serde_json::{Value, json};

use super::dovecot::{Dovecot, PASSWORD, USER};
use super::tenant::{CLIENT, SECRET, TENANT, Tenant};

#[derive(Clone)]
pub struct Definition {
    pub name: String,
    keys: Vec<(String, Value)>,
}

impl Definition {
    /// All folders of [`USER`] on this server, over TLS.
    pub fn of(dovecot: &Dovecot, name: &str) -> Self {
        let definition = Self { name: name.to_owned(), keys: Vec::new() };
        definition
            .with("name", name)
            .with("module", "imap")
            .with("server", "localhost")
            .with("port", dovecot.tls_port())
            .with("encryption", "tls")
            .with("ca_file", dovecot.ca_file().to_str().unwrap())
            .with("account", USER)
            .with("password", PASSWORD)
    }

    /// A tenant of Microsoft 365, at the address of a simulator; `mailboxes` is a list of addresses or `"all"`.
    pub fn o365(tenant: &Tenant, name: &str, mailboxes: impl Into<Value>) -> Self {
        let definition = Self { name: name.to_owned(), keys: Vec::new() };
        definition
            .with("name", name)
            .with("module", "o365")
            .with("tenant", TENANT)
            .with("client_id", CLIENT)
            .with("client_secret", SECRET)
            .with("mailboxes", mailboxes)
            .with("login_url", tenant.simulator.url())
            .with("graph_url", tenant.simulator.url())
            .with("ca_file", tenant.ca_file().to_str().unwrap())
    }

    /// Several accounts of the same server, all with the usual password.
    pub fn accounts(self, users: &[&str]) -> Self {
        let accounts: Vec<_> = users.iter().map(|user| json!({ "account": user, "password": PASSWORD })).collect();
        self.without("account").without("password").with("accounts", accounts)
    }

    /// With nothing but its name.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), keys: Vec::new() }.with("name", name)
    }

    /// Sets a key: text, number, truth value or list.
    pub fn with(self, key: &str, value: impl Into<Value>) -> Self {
        let mut definition = self.without(key);
        definition.keys.push((key.to_owned(), value.into()));
        definition
    }

    pub fn without(mut self, key: &str) -> Self {
        self.keys.retain(|(known, _)| known != key);
        self
    }

    pub fn toml(&self) -> String {
        let mut toml = String::new();
        for (key, value) in &self.keys {
            writeln!(toml, "{key} = {}", toml_value(value)).unwrap();
        }
        toml
    }
}

/// Strings, numbers and truth values are written in TOML as in JSON.
fn toml_value(value: &Value) -> String {
    let list = |parts: Vec<String>| parts.join(", ");
    match value {
        Value::Array(values) => format!("[{}]", list(values.iter().map(toml_value).collect())),
        Value::Object(keys) => {
            format!(
                "{{ {} }}",
                list(keys.iter().map(|(key, value)| format!("{key} = {}", toml_value(value))).collect())
            )
        }
        other => other.to_string(),
    }
}

/// A definition of these accounts at a port of this machine, as the program reads it from a file in `dir`.
///
/// # Panics
/// If it cannot be read.
pub fn imap(dir: &std::path::Path, name: &str, port: u16, accounts: &[&str]) -> archivista::settings::Definition {
    let accounts: Vec<String> =
        accounts.iter().map(|account| format!("{{ account = '{account}', password = '{PASSWORD}' }}")).collect();
    let text = format!(
        "name = '{name}'\nmodule = 'imap'\nserver = '127.0.0.1'\nport = {port}\nencryption = 'none'\naccounts = [{}]\n",
        accounts.join(", ")
    );
    let file = dir.join(format!("{name}.toml"));
    std::fs::write(&file, text).unwrap();
    archivista::settings::definition_file::read(&file).unwrap()
}
