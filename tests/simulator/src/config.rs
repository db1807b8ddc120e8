//! What the simulator is started with, from Rust or from the shell.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::faults::Fault;
use crate::render::Render;

#[derive(Clone, Debug)]
pub struct Config {
    /// Port 0 takes any free one.
    pub listen: SocketAddr,
    /// Receives `ca.pem`.
    pub ca_dir: Option<PathBuf>,
    pub tenant: String,
    pub client_id: String,
    pub client_secret: String,
    /// The secret is right, but no longer valid (`AADSTS7000222`).
    pub secret_expired: bool,
    /// Certificates (PEM) that client assertions may be signed with.
    pub certificates: Vec<PathBuf>,
    /// Addresses with a folder of `.eml` files or an mbox.
    pub mailboxes: Vec<(String, PathBuf)>,
    /// Users beside these, or what is special about one of these.
    pub users: Vec<Extra>,
    /// What the app may do.
    pub permissions: BTreeSet<String>,
    pub faults: Vec<Fault>,
    pub seed: u64,
    pub log: Option<PathBuf>,
    /// Seconds that a token lives.
    pub token_life: i64,
    /// Users, messages of each, seed.
    pub generate: Option<(u32, u32, u64)>,
    /// Standard folders have German names.
    pub german: bool,
    pub render: Render,
    /// Requests at a time for one mailbox; more are refused.
    pub concurrency: usize,
    /// Requests at a time for all mailboxes together (the documentation is of two minds here).
    pub tenant_concurrency: Option<usize>,
    /// Requests for one mailbox, and seconds in which it has so many; more are refused until these are over.
    pub quota: Option<(u32, u64)>,
    /// Seconds to wait that throttled answers ask for.
    pub retry_after: u64,
    /// Milliseconds before each answer.
    pub latency: u64,
    /// Personal accounts may sign in to the app by a code.
    pub public_client: bool,
    /// Seconds that such a code holds.
    pub code_life: i64,
    /// The key by which the IMAP server of personal accounts knows access tokens.
    pub imap_key: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            ca_dir: None,
            tenant: "tenant".to_owned(),
            client_id: "client".to_owned(),
            client_secret: "secret".to_owned(),
            secret_expired: false,
            certificates: Vec::new(),
            mailboxes: Vec::new(),
            users: Vec::new(),
            permissions: ["Mail.ReadWrite", "User.Read.All", "MailboxSettings.Read"].map(ToOwned::to_owned).into(),
            faults: Vec::new(),
            seed: 1,
            log: None,
            token_life: 3599,
            generate: None,
            german: false,
            render: Render::Verbatim,
            concurrency: 4,
            tenant_concurrency: None,
            quota: None,
            retry_after: 1,
            latency: 0,
            public_client: true,
            code_life: 900,
            imap_key: String::new(),
        }
    }
}

/// `ADDR[,guest][,disabled][,shared|room|equipment][,no-mailbox][,denied|policy]`
#[derive(Clone, Debug, Default)]
pub struct Extra {
    pub address: String,
    pub traits: Vec<String>,
}

impl std::str::FromStr for Extra {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        const TRAITS: [&str; 8] =
            ["guest", "disabled", "shared", "room", "equipment", "no-mailbox", "denied", "policy"];
        let mut parts = text.split(',').map(ToOwned::to_owned);
        let address = parts.next().unwrap_or_default();
        let traits: Vec<String> = parts.collect();
        if let Some(wrong) = traits.iter().find(|name| !TRAITS.contains(&name.as_str())) {
            bail!("a user may be {}, not {wrong}", TRAITS.join(", "));
        }
        Ok(Self { address, traits })
    }
}

impl Config {
    /// Reads the command line. `None`: help was asked for and printed.
    pub fn from_args() -> Result<Option<Self>> {
        use lexopt::prelude::*;
        let mut config = Self::default();
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next()? {
            let Long(name) = argument else { return Err(argument.unexpected().into()) };
            let name = name.to_owned();
            let flag = match name.as_str() {
                "help" => {
                    help();
                    return Ok(None);
                }
                "secret-expired" => Some(&mut config.secret_expired),
                "german" => Some(&mut config.german),
                _ => None,
            };
            if let Some(flag) = flag {
                *flag = true;
                continue;
            }
            let value = parser.value().with_context(|| format!("--{name}"))?.string()?;
            config.set(&name, value).with_context(|| format!("--{name}"))?;
        }
        Ok(Some(config))
    }

    fn set(&mut self, name: &str, value: String) -> Result<()> {
        match name {
            "listen" => self.listen = value.parse()?,
            "ca-dir" => self.ca_dir = Some(value.into()),
            "tenant" => self.tenant = value,
            "client-id" => self.client_id = value,
            "client-secret" => self.client_secret = value,
            "certificate" => self.certificates.push(value.into()),
            "mailbox" => {
                let (address, path) = value.split_once('=').context("ADDR=PATH")?;
                self.mailboxes.push((address.to_owned(), path.into()));
            }
            "user" => self.users.push(value.parse()?),
            "permissions" => {
                self.permissions = value.split(',').filter(|name| !name.is_empty()).map(ToOwned::to_owned).collect();
            }
            "fault" => self.faults.push(value.parse()?),
            "seed" => self.seed = value.parse()?,
            "log" => self.log = Some(value.into()),
            "token-life" => self.token_life = value.parse()?,
            "generate" => {
                let numbers: Vec<u64> = value.split(',').map(str::parse).collect::<Result<_, _>>()?;
                let [users, messages, seed] = numbers[..] else { bail!("USERS,MESSAGES,SEED") };
                self.generate = Some((users.try_into()?, messages.try_into()?, seed));
            }
            "render" => self.render = value.parse()?,
            "concurrency" => self.concurrency = value.parse()?,
            "tenant-concurrency" => self.tenant_concurrency = Some(value.parse()?),
            "quota" => {
                let (requests, seconds) = value.split_once('/').context("REQUESTS/SECONDS")?;
                self.quota = Some((requests.parse()?, seconds.parse()?));
            }
            "retry-after" => self.retry_after = value.parse()?,
            "latency" => self.latency = value.parse()?,
            "imap-key" => self.imap_key = value,
            _ => bail!("there is no such option"),
        }
        Ok(())
    }
}

fn help() {
    println!(
        "Entra ID and the mail part of Microsoft Graph, for tests.\n\n\
         simulator --listen 127.0.0.1:PORT --ca-dir DIR --tenant T --client-id C --client-secret S --mailbox ADDR=PATH ...\n\n\
         --mailbox ADDR=PATH      a folder of .eml files (sub-folders are mail folders) or an mbox; repeatable\n\
         --user ADDR[,TRAIT...]   guest disabled shared room equipment no-mailbox denied policy; repeatable\n\
         --generate USERS,MESSAGES,SEED   mails without files\n\
         --permissions A,B        of the app (Mail.ReadWrite,User.Read.All,MailboxSettings.Read)\n\
         --certificate FILE       that client assertions are signed with; repeatable\n\
         --secret-expired --token-life SECONDS --german --render verbatim|crlf|exchange\n\
         --concurrency 4 --tenant-concurrency N --retry-after SECONDS --latency MILLISECONDS\n\
         --quota REQUESTS/SECONDS of one mailbox\n\
         --imap-key KEY           of access tokens for personal accounts\n\
         --seed N --log FILE\n\
         --fault KIND[:rate[:times|always]]   repeatable:"
    );
    for kind in crate::faults::Kind::ALL {
        println!("    {:<20} {}", kind.name(), kind.what());
    }
}
