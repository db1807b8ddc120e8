//! Where the mail of which provider lies: the table `providers.toml`, looked up by the domain of an address or by name.

use std::sync::OnceLock;

use serde::Deserialize;

use super::Encryption;

/// What people need to know before they log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hint {
    /// The usual password does not do.
    AppPassword,
    /// The usual password does not do, and Google lets no device ask for mail.
    Google,
    /// Passwords are not taken at all: one signs in with a code.
    SignIn,
    /// IMAP is off until somebody switches it on.
    SwitchOn,
    /// A password of its own for mail programs.
    Telekom,
    /// With a second factor, a password for this program.
    SecondFactor,
    /// With a second factor, a password for this device.
    Device,
    /// One logs in with the name of the mailbox.
    MailboxName,
    /// Each customer has another server.
    Ask,
}

/// What one logs in with, where nobody says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Login {
    #[default]
    Address,
    /// What stands before the @.
    LocalPart,
}

/// One provider.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    pub name: String,
    #[serde(default)]
    pub domains: Vec<String>,
    /// Empty where each customer has another one.
    #[serde(default)]
    pub server: String,
    #[serde(default = "usual_port")]
    pub port: u16,
    #[serde(default)]
    pub encryption: Encryption,
    #[serde(default)]
    login: Login,
    pub hint: Option<Hint>,
}

fn usual_port() -> u16 {
    993
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    provider: Vec<Provider>,
}

/// All providers, in the order of the table.
pub fn all() -> &'static [Provider] {
    static ALL: OnceLock<Vec<Provider>> = OnceLock::new();
    ALL.get_or_init(|| {
        // That it can be read, a test looks at.
        toml::from_str::<Table>(include_str!("providers.toml")).map(|table| table.provider).unwrap_or_default()
    })
}

/// The provider of an address, by its domain.
pub fn of_address(address: &str) -> Option<&'static Provider> {
    let domain = domain(address)?;
    all().iter().find(|provider| provider.domains.iter().any(|known| known.eq_ignore_ascii_case(domain)))
}

pub fn named(name: &str) -> Option<&'static Provider> {
    all().iter().find(|provider| provider.name == name)
}

/// The domain of an address; `None` where it is none.
pub fn domain(address: &str) -> Option<&str> {
    let (local, domain) = address.trim().rsplit_once('@')?;
    let is_label = |label: &str| {
        !label.is_empty()
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let fits = !local.is_empty()
        && !local.contains(|c: char| c.is_whitespace() || c.is_control())
        && address.len() <= 320
        && domain.contains('.')
        && domain.split('.').all(is_label);
    fits.then_some(domain)
}

impl Provider {
    /// What one logs in with.
    pub fn login<'a>(&self, address: &'a str) -> &'a str {
        match self.login {
            Login::Address => address,
            Login::LocalPart => address.rsplit_once('@').map_or(address, |(local, _)| local),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_table_is_read_and_names_no_domain_twice() {
        let (mut domains, mut names) = (BTreeSet::new(), BTreeSet::new());
        for provider in all() {
            assert!(names.insert(&provider.name), "{} twice", provider.name);
            assert_eq!(provider.server.is_empty(), provider.hint == Some(Hint::Ask), "{}", provider.name);
            assert!(!provider.server.is_empty() || provider.domains.is_empty(), "{}", provider.name);
            assert!(provider.server.is_empty() || domain(&format!("x@{}", provider.server)).is_some());
            for of in &provider.domains {
                assert_eq!(domain(&format!("x@{of}")), Some(of.as_str()));
                assert_eq!(*of, of.to_lowercase());
                assert!(domains.insert(of), "{of} twice");
                assert_eq!(of_address(&format!("Anna.Muster@{}", of.to_uppercase())), Some(provider));
            }
            assert_eq!(named(&provider.name), Some(provider));
        }
        assert!(names.len() > 30, "only {}", names.len());
    }

    #[test]
    fn providers_are_known_by_the_domain_alone() {
        let server = |address: &str| of_address(address).map(|provider| provider.server.as_str());
        assert_eq!(server("anna@bluewin.ch"), Some("imaps.bluewin.ch"));
        assert_eq!(server("anna@gmx.ch"), Some("imap.gmx.net"));
        for unknown in ["anna@muster.ch", "anna@bluewin.ch.example", "bluewin.ch", "@bluewin.ch", "", "a b@gmx.ch"] {
            assert_eq!(server(unknown), None, "{unknown}");
        }
        assert_eq!(of_address("anna@icloud.com").unwrap().login("anna@icloud.com"), "anna");
        assert_eq!(of_address("anna@gmx.ch").unwrap().login("anna@gmx.ch"), "anna@gmx.ch");
    }

    proptest! {
        #[test]
        fn no_text_is_a_panic(text in ".*") {
            let _ = of_address(&text);
            let _ = of_address(&format!("{text}@gmx.ch")).map(|provider| provider.login(&text));
        }
    }
}
