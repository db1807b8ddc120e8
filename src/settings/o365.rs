//! What a definition of module O365 says: a Microsoft 365 tenant.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::definition::Secret;
use super::mistake::{Mistake, What};
use crate::source::graph::tenant::is_guid;
use crate::source::graph::{Credential, Mailboxes, Tenant};

/// Days before the end of a secret on which people are warned.
pub const WARN_DAYS: i64 = 30;

/// Which mailboxes are archived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Which {
    /// All of the tenant; new ones by themselves.
    All,
    These(Vec<String>),
}

/// One tenant of module O365 (`o365`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct O365 {
    pub tenant: String,
    pub client_id: String,
    /// The value of the secret. Either this, or certificate and key. Not in the stored form, where it stands sealed elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<Secret>,
    /// PEM.
    pub certificate_pem: Option<String>,
    /// Its private key, PEM; sealed like the secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_pem: Option<Secret>,
    /// The last day of secret or certificate, `YYYY-MM-DD`, as Entra shows it.
    pub secret_expires: Option<String>,
    pub mailboxes: Which,
    /// Anzahl Mails (Office 365): mails that one call asks for, 1 to 1000.
    pub number_of_mails: u32,
    pub login_url: String,
    pub graph_url: String,
    /// Trusted instead of the public authorities, PEM.
    pub ca_pem: Option<String>,
}

impl O365 {
    /// What the mail source needs to know.
    pub fn tenant(&self) -> Tenant {
        let secret =
            |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.reveal().clone()).unwrap_or_default();
        let credential = match &self.certificate_pem {
            Some(cert_pem) => Credential::Certificate { cert_pem: cert_pem.clone(), key_pem: secret(&self.key_pem) },
            None => Credential::Secret(Zeroizing::new(secret(&self.client_secret).trim().to_owned())),
        };
        Tenant {
            tenant: self.tenant.clone(),
            client_id: self.client_id.clone(),
            credential,
            mailboxes: match &self.mailboxes {
                Which::All => Mailboxes::All,
                Which::These(names) => Mailboxes::These(names.clone()),
            },
            number_of_mails: self.number_of_mails,
            login_url: self.login_url.clone(),
            graph_url: self.graph_url.clone(),
            ca_pem: self.ca_pem.clone(),
        }
    }

    /// What a person has to put right before this can work.
    pub(super) fn find(&self, found: &mut Vec<Mistake>) {
        let credentials = (self.client_secret.is_some(), self.certificate_pem.is_some(), self.key_pem.is_some());
        match credentials {
            (true, false, false) | (false, true, true) => {}
            (false, false, false) => found.push(Mistake::new("client_secret", What::NoSecret)),
            (true, ..) => found.push(Mistake::new("client_secret", What::TwoSecrets)),
            (false, true, false) => found.push(Mistake::new("key_file", What::NoKey)),
            (false, false, true) => found.push(Mistake::new("certificate_file", What::NoCertificate)),
        }
        if let Some(day) = self.secret_expires.as_deref().filter(|day| day.parse::<Date>().is_err()) {
            found.push(Mistake::new("secret_expires", What::SecretExpires).given(day));
        }
        // Where a person pastes it into a definition, the most frequent mistake of all is worth a word before the first run.
        if self.client_secret.as_ref().is_some_and(|secret| is_guid(secret.reveal())) {
            found.push(Mistake::new("client_secret", What::SecretIsId));
        }
        let is_secret_told = found.iter().any(|mistake| mistake.key == "client_secret");
        let rest = self.tenant().mistakes().into_iter().map(Mistake::from);
        found.extend(rest.filter(|mistake| mistake.key != "client_secret" || !is_secret_told));
    }

    /// Days until the secret ends; negative when it has ended, `None` where nobody said when.
    pub fn expires_in_days(&self, today: Date) -> Option<i64> {
        let end: Date = self.secret_expires.as_deref()?.parse().ok()?;
        let span = end.since((jiff::Unit::Day, today)).ok()?;
        Some(i64::from(span.get_days()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::definition_file;

    #[test]
    fn days_until_the_secret_ends() {
        let text = "name = 'x'\nmodule = 'o365'\ntenant = 't'\nclient_id = 'c'\nclient_secret = 's'\n\
                    mailboxes = 'all'\nsecret_expires = '2026-03-01'\n";
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.toml");
        std::fs::write(&path, text).unwrap();
        let definition = definition_file::read(&path).unwrap();
        let super::super::Module::O365(o365) = &definition.module else { panic!("{definition:?}") };
        assert_eq!(o365.expires_in_days("2026-01-30".parse().unwrap()), Some(30));
        assert_eq!(o365.expires_in_days("2026-03-02".parse().unwrap()), Some(-1));
    }
}
