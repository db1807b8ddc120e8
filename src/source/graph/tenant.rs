//! One Microsoft 365 tenant, as a definition describes it.

use std::fmt;

use zeroize::Zeroizing;

use super::mistake::Mistake;

/// Mails that one call asks for unless the definition says otherwise: the field "Anzahl Mails (Office 365)".
pub const NUMBER_OF_MAILS: u32 = 25;

/// What proves that we are the application that was registered in Entra.
#[derive(Clone)]
pub enum Credential {
    /// The *value* of a client secret, not its id.
    Secret(Zeroizing<String>),
    /// A certificate whose public part was uploaded to the registration, and its private key (PKCS #8, or PKCS #1 for RSA),
    /// both PEM. RSA keys sign with RS256, P-256 keys with ES256.
    Certificate { cert_pem: String, key_pem: Zeroizing<String> },
}

/// Which mailboxes of the tenant are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mailboxes {
    /// Every user that has a mailbox, shared ones too; new ones are found by themselves.
    All,
    /// These addresses, user principal names or object ids.
    These(Vec<String>),
}

/// The clouds of Microsoft 365, each with its own login and its own Graph; tokens of one are worth nothing in another.
/// <https://learn.microsoft.com/graph/deployments>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cloud {
    #[default]
    Global,
    /// US Government L4 (GCC High). GCC itself is in the global cloud.
    UsGovernment,
    /// US Government L5, the Department of Defense.
    UsDefense,
    /// Operated by 21Vianet.
    China,
}

impl Cloud {
    pub const ALL: [Self; 4] = [Self::Global, Self::UsGovernment, Self::UsDefense, Self::China];

    /// Its name in a definition.
    pub fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::UsGovernment => "us-government",
            Self::UsDefense => "us-defense",
            Self::China => "china",
        }
    }

    /// By its name in a definition: `global`, `us-government`, `us-defense`, `china`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cloud| cloud.name() == name)
    }

    /// Where Entra ID answers.
    pub fn login_url(self) -> &'static str {
        match self {
            Self::Global => "https://login.microsoftonline.com",
            Self::UsGovernment | Self::UsDefense => "https://login.microsoftonline.us",
            Self::China => "https://login.chinacloudapi.cn",
        }
    }

    /// Where Microsoft Graph answers.
    pub fn graph_url(self) -> &'static str {
        match self {
            Self::Global => "https://graph.microsoft.com",
            Self::UsGovernment => "https://graph.microsoft.us",
            Self::UsDefense => "https://dod-graph.microsoft.us",
            Self::China => "https://microsoftgraph.chinacloudapi.cn",
        }
    }
}

/// Where to log in, as which application, and what to read.
#[derive(Clone)]
pub struct Tenant {
    /// Directory id, or one of the tenant's domains.
    pub tenant: String,
    /// Application id.
    pub client_id: String,
    pub credential: Credential,
    pub mailboxes: Mailboxes,
    /// How many mails one call asks for, 1 to 1000. A page size: every listing is followed to its end.
    pub number_of_mails: u32,
    /// Without a path, such as `https://login.microsoftonline.com`.
    pub login_url: String,
    /// Without a path, such as `https://graph.microsoft.com`. Links of the server must stay on it.
    pub graph_url: String,
    /// Certificates in PEM form that are trusted *instead* of the public authorities.
    pub ca_pem: Option<String>,
}

impl Tenant {
    /// Finds what cannot work whatever the server says.
    pub fn check(&self) -> std::result::Result<(), Mistake> {
        self.mistakes().into_iter().next().map_or(Ok(()), Err)
    }

    /// All that [`Self::check`] would find.
    pub fn mistakes(&self) -> Vec<Mistake> {
        let mut found = Vec::new();
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
        if self.tenant.is_empty() || !self.tenant.chars().all(is_name) {
            found.push(Mistake::Tenant(self.tenant.clone()));
        }
        if !is_guid(&self.client_id) && !is_plain_id(&self.client_id) {
            found.push(Mistake::ClientId(self.client_id.clone()));
        }
        if matches!(&self.credential, Credential::Secret(secret) if secret.is_empty()) {
            found.push(Mistake::SecretEmpty);
        }
        if !(1..=1000).contains(&self.number_of_mails) {
            found.push(Mistake::NumberOfMails(self.number_of_mails));
        }
        if let Mailboxes::These(names) = &self.mailboxes {
            if names.is_empty() {
                found.push(Mistake::NoMailbox);
            }
            for (place, name) in names.iter().enumerate() {
                if name.is_empty() || name.len() > 400 || name.contains(|c: char| c.is_control() || c == '/') {
                    found.push(Mistake::Mailbox(place, name.clone()));
                }
                if names.iter().take(place).any(|other| other.eq_ignore_ascii_case(name)) {
                    found.push(Mistake::MailboxTwice(place, name.clone()));
                }
            }
        }
        if !is_url(&self.login_url) {
            found.push(Mistake::LoginUrl(self.login_url.clone()));
        }
        if !is_url(&self.graph_url) {
            found.push(Mistake::GraphUrl(self.graph_url.clone()));
        }
        found
    }
}

/// Secrets and tokens travel by these addresses: TLS always, except to this very computer.
pub fn is_url(url: &str) -> bool {
    let Ok(parsed) = url.parse::<ureq::http::Uri>() else { return false };
    let (Some(host), Some(authority)) = (parsed.host(), parsed.authority()) else { return false };
    if parsed.query().is_some() || !matches!(parsed.path(), "" | "/") || authority.as_str().contains('@') {
        return false;
    }
    match parsed.scheme_str() {
        Some("https") => true,
        Some("http") => matches!(host, "localhost" | "127.0.0.1" | "[::1]"),
        _ => false,
    }
}

/// Whether a text has the shape of a GUID: the ids that Entra shows beside what one really wants.
pub fn is_guid(text: &str) -> bool {
    let groups: Vec<&str> = text.trim().split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12] && groups.iter().all(|group| group.bytes().all(|c| c.is_ascii_hexdigit()))
}

fn is_plain_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 100 && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"-._".contains(&c))
}

/// Shows everything but what proves who we are.
impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenant")
            .field("tenant", &self.tenant)
            .field("client_id", &self.client_id)
            .field("mailboxes", &self.mailboxes)
            .field("number_of_mails", &self.number_of_mails)
            .field("login_url", &self.login_url)
            .field("graph_url", &self.graph_url)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guids() {
        assert!(is_guid("48d31887-5fad-4d73-a9f5-3c356e68a038"));
        for other in ["", "48d31887", "48d31887-5fad-4d73-a9f5-3c356e68a03g", "x8Q~abcdefghijkl.mnop-qrstuvwxyz1234"] {
            assert!(!is_guid(other), "{other}");
        }
    }

    type Change = fn(&mut Tenant);

    #[test]
    fn mistakes_are_named() {
        let good = Tenant {
            tenant: "example.onmicrosoft.com".into(),
            client_id: "48d31887-5fad-4d73-a9f5-3c356e68a038".into(),
            credential: Credential::Secret(Zeroizing::new("x8Q~value".into())),
            mailboxes: Mailboxes::These(vec!["a@example.ch".into()]),
            number_of_mails: NUMBER_OF_MAILS,
            login_url: Cloud::Global.login_url().into(),
            graph_url: Cloud::Global.graph_url().into(),
            ca_pem: None,
        };
        good.check().unwrap();
        assert!(!format!("{good:?}").contains("x8Q"));
        let cases: [(Change, &str); 10] = [
            (|t| t.tenant = "a b".into(), "tenant"),
            (|t| t.tenant = String::new(), "tenant"),
            (|t| t.client_id = String::new(), "client_id"),
            (|t| t.credential = Credential::Secret(Zeroizing::default()), "empty"),
            (|t| t.number_of_mails = 0, "1 to 1000"),
            (|t| t.number_of_mails = 1001, "1 to 1000"),
            (|t| t.mailboxes = Mailboxes::These(vec![]), "mailboxes"),
            (|t| t.mailboxes = Mailboxes::These(vec!["a@b".into(), "A@b".into()]), "twice"),
            (|t| t.graph_url = "http://graph.microsoft.com".into(), "https"),
            (|t| t.login_url = "https://x/y".into(), "without a path"),
        ];
        for (change, want) in cases {
            let mut tenant = good.clone();
            change(&mut tenant);
            let told = tenant.check().unwrap_err().to_string();
            assert!(told.contains(want), "{told}");
        }
    }
}
