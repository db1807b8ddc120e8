//! All that lies in the tenant: its users and their mailboxes, the tokens given out, and the faults in force.

use std::collections::HashMap;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use crate::chance::{guid, hash};
use crate::config::{Config, Extra};
use crate::device::Devices;
use crate::failure::{self, Failure};
use crate::faults::Faults;
use crate::journal::Journal;
use crate::lanes::Quotas;
use crate::mailbox::{Mailbox, ROOT};
use crate::source::Source;
use crate::{generate, load};

#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // Each is a fact of its own.
pub struct User {
    /// Stays when the user is renamed.
    pub id: String,
    pub upn: String,
    pub mail: Option<String>,
    pub name: String,
    pub enabled: bool,
    pub guest: bool,
    /// `userPurpose` of the mailboxSettings.
    pub purpose: String,
    pub mailbox: Option<usize>,
    /// Left out by an application access policy.
    pub policy: bool,
    /// Left out by an RBAC scope.
    pub denied: bool,
    /// Came after the start.
    pub fresh: bool,
}

#[derive(Debug)]
pub struct Tenant {
    pub config: Config,
    pub id: String,
    pub users: Vec<User>,
    pub mailboxes: Vec<Mailbox>,
    /// Tokens and when they end.
    pub tokens: HashMap<String, i64>,
    /// Sign-ins of personal accounts.
    pub devices: Devices,
    pub faults: Faults,
    pub journal: Journal,
    pub quotas: Quotas,
    /// Counts what needs a number of its own: tokens, request ids.
    pub counter: u64,
}

impl Tenant {
    pub fn new(config: Config) -> Result<Self> {
        let mut tenant = Self {
            id: if is_guid(&config.tenant) { config.tenant.clone() } else { guid(hash(&[config.tenant.as_bytes()])) },
            users: Vec::new(),
            mailboxes: Vec::new(),
            tokens: HashMap::new(),
            devices: Devices::default(),
            faults: Faults::new(config.seed, &config.faults),
            journal: Journal::new(config.log.as_deref())?,
            quotas: Quotas::default(),
            counter: 0,
            config,
        };
        for (address, path) in tenant.config.mailboxes.clone() {
            let at = tenant.add_user(&Extra { address, traits: Vec::new() });
            let (folders, found) = load::mailbox(&path)?;
            let mailbox = tenant.users[at].mailbox.context("a mailbox")?;
            let mailbox = &mut tenant.mailboxes[mailbox];
            for folder in folders {
                mailbox.folder_of(&folder);
            }
            for mail in found {
                let folder = mailbox.folder_of(&mail.folder);
                let (received, sent) = load::dates(&mail.source);
                mailbox.add_message(folder, mail.source, received, sent);
            }
        }
        if let Some((users, messages, seed)) = tenant.config.generate {
            for user in 0..users {
                let at = tenant.add_user(&Extra { address: generate::address(user), traits: Vec::new() });
                let Some(mailbox) = tenant.users[at].mailbox.and_then(|at| tenant.mailboxes.get_mut(at)) else {
                    continue;
                };
                for number in 0..messages {
                    let folder = mailbox.folder_of(generate::folder(number));
                    let received = generate::received(number);
                    mailbox.add_message(folder, Source::Generated { seed, user, number }, received, received);
                }
            }
        }
        for extra in tenant.config.users.clone() {
            tenant.add_user(&extra);
        }
        tenant.search_folders();
        for message in tenant.mailboxes.iter_mut().flat_map(|mailbox| &mut mailbox.messages) {
            message.fresh = false;
        }
        tenant.users.iter_mut().for_each(|user| user.fresh = false);
        Ok(tenant)
    }

    /// Every mailbox has a search folder among its folders, as in the examples of the documentation. A client that reads it
    /// sees every message of the inbox twice.
    fn search_folders(&mut self) {
        for mailbox in &mut self.mailboxes {
            let inbox = mailbox.inbox();
            let number = mailbox.add_folder("Weekly digests", Some(ROOT), false);
            mailbox.folders[number].searches = Some(inbox);
        }
    }

    /// Adds a user with a mailbox, or changes what is special about one that is there.
    pub fn add_user(&mut self, extra: &Extra) -> usize {
        let is = |name: &str| extra.traits.iter().any(|each| each == name);
        let address = &extra.address;
        let at = self.find_user(address).unwrap_or_else(|| {
            let id = guid(hash(&[address.to_lowercase().as_bytes()]));
            let local = address.split('@').next().unwrap_or_default();
            let guest = is("guest") || address.contains("#EXT#");
            let upn = if guest && !address.contains("#EXT#") {
                format!("{}#EXT#@{}.onmicrosoft.com", address.replace('@', "_"), "contoso")
            } else {
                address.clone()
            };
            self.users.push(User {
                id,
                upn,
                mail: (!address.contains("#EXT#")).then(|| address.clone()),
                name: local.split(['.', '_', '#']).next().unwrap_or_default().to_owned(),
                enabled: true,
                guest,
                purpose: "user".to_owned(),
                mailbox: None,
                policy: false,
                denied: false,
                fresh: true,
            });
            self.users.len() - 1
        });
        let with_mailbox = !is("no-mailbox") && !self.users[at].guest;
        if with_mailbox && self.users[at].mailbox.is_none() {
            self.mailboxes.push(Mailbox::new(&self.users[at].id, self.config.german));
            self.users[at].mailbox = Some(self.mailboxes.len() - 1);
        }
        let user = &mut self.users[at];
        user.policy |= is("policy");
        user.denied |= is("denied");
        // Shared mailboxes are users that nobody may log in as.
        user.enabled &= !(is("disabled") || is("shared") || is("room") || is("equipment"));
        if let Some(purpose) = ["shared", "room", "equipment"].iter().find(|name| is(name)) {
            (*purpose).clone_into(&mut user.purpose);
        }
        at
    }

    pub fn find_user(&self, name: &str) -> Option<usize> {
        let same = |user: &User| user.id.eq_ignore_ascii_case(name) || user.upn.eq_ignore_ascii_case(name);
        self.users.iter().position(same)
    }

    pub fn may(&self, any_of: &[&str]) -> bool {
        any_of.iter().any(|name| self.config.permissions.contains(*name))
    }

    /// The mailbox that a path names, with its user, if the app may open it.
    pub fn mailbox_of(&self, name: &str, write: bool) -> Result<(usize, usize), Failure> {
        let rights: &[&str] = if write { &["Mail.ReadWrite"] } else { &["Mail.Read", "Mail.ReadWrite"] };
        if !self.may(rights) {
            return Err(failure::access_denied());
        }
        let at = self.find_user(name).ok_or_else(|| failure::no_such_mail_user(name))?;
        let user = &self.users[at];
        let mailbox = user.mailbox.ok_or_else(failure::no_mailbox)?;
        if user.policy {
            return Err(failure::access_policy());
        }
        if user.denied {
            return Err(failure::access_denied());
        }
        Ok((at, mailbox))
    }

    pub fn next(&mut self) -> u64 {
        self.counter += 1;
        hash(&[&self.config.seed.to_le_bytes(), &self.counter.to_le_bytes()])
    }
}

impl User {
    /// Graph docs: 'user resource type'; without `$select` these properties are given.
    pub fn properties(&self, select: Option<&[String]>) -> Value {
        let all = json!({
            "businessPhones": [], "displayName": self.name, "givenName": self.name, "jobTitle": null, "mail": self.mail,
            "mobilePhone": null, "officeLocation": null, "preferredLanguage": null, "surname": null,
            "userPrincipalName": self.upn, "id": self.id, "accountEnabled": self.enabled,
            "userType": if self.guest { "Guest" } else { "Member" },
        });
        let Value::Object(all) = all else { return Value::Null };
        let asked = |name: &str| match select {
            Some(select) => select.iter().any(|each| each.eq_ignore_ascii_case(name)),
            None => !["accountEnabled", "userType"].contains(&name),
        };
        Value::Object(all.into_iter().filter(|(name, _)| asked(name)).collect::<Map<_, _>>())
    }
}

pub fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.split('-').map(str::len).eq([8, 4, 4, 4, 12])
        && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}
