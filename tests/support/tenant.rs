//! A tenant of Microsoft 365: the simulator with mailboxes on disk, and what lies in them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use simulator::{Config, Simulator};
use tempfile::TempDir;

use super::hash::sha256;
use super::mails;
use super::must_run;
use super::proof::Place;

pub const TENANT: &str = "mymail.onmicrosoft.com";
pub const CLIENT: &str = "48d31887-5fad-4d73-a9f5-3c356e68a038";
pub const SECRET: &str = "x8Q~geheimer.Wert";

/// Folders that a definition leaves out by itself.
const LEFT_OUT: [&str; 4] = ["Drafts", "Outbox", "Junk Email", "Deletions"];

pub struct Tenant {
    pub simulator: Simulator,
    dir: TempDir,
}

/// Mails of one mailbox by the path of their folder (`%2F` is a slash within a name).
pub type Folders<'a> = BTreeMap<&'a str, Vec<Vec<u8>>>;

impl Tenant {
    /// A tenant whose mailboxes hold these mails.
    pub fn with(mailboxes: &[(&str, Folders<'_>)]) -> Self {
        Self::start(mailboxes, Config::default())
    }

    /// The same with settings of the simulator, whose own mailboxes are kept.
    pub fn start(mailboxes: &[(&str, Folders<'_>)], config: Config) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut places: Vec<(String, PathBuf)> = config.mailboxes.clone();
        for (address, folders) in mailboxes {
            let root = dir.path().join(address);
            fs::create_dir_all(&root).unwrap();
            for (folder, mails) in folders {
                let folder = root.join(folder);
                fs::create_dir_all(&folder).unwrap();
                for (number, mail) in mails.iter().enumerate() {
                    fs::write(folder.join(format!("{number:05}.eml")), mail).unwrap();
                }
            }
            places.push(((*address).to_owned(), root));
        }
        let config = Config {
            ca_dir: Some(dir.path().to_owned()),
            tenant: TENANT.to_owned(),
            client_id: CLIENT.to_owned(),
            client_secret: SECRET.to_owned(),
            mailboxes: places,
            retry_after: 0,
            ..config
        };
        Self { simulator: Simulator::start(config).unwrap(), dir }
    }

    pub fn ca_file(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// Does what the control interface offers.
    ///
    /// # Panics
    /// If that fails.
    pub fn control(&self, asked: &Value) -> Value {
        let answer = self.simulator.control(asked);
        assert!(answer.get("error").is_none(), "{asked}: {answer}");
        answer
    }

    pub fn fault(&self, fault: &str) {
        self.control(&json!({ "op": "fault", "fault": fault }));
    }

    pub fn counters(&self) -> Value {
        self.control(&json!({ "op": "counters" }))
    }

    /// How often something was asked for since the counters were last put back, such as `value`.
    pub fn calls(&self, kind: &str) -> u64 {
        self.counters()["calls"][kind].as_u64().unwrap_or(0)
    }

    /// Adds a mail and tells its ids.
    pub fn add(&self, mailbox: &str, folder: &str, mail: &[u8]) -> Value {
        let path = self.dir.path().join(format!("{}.eml", sha256(mail)));
        fs::write(&path, mail).unwrap();
        self.control(&json!({ "op": "add", "mailbox": mailbox, "folder": folder, "path": path }))
    }

    /// All messages that are to be archived, as the files hold them that the simulator serves.
    pub fn places(&self, mailboxes: &[&str]) -> BTreeSet<Place> {
        let mut places = BTreeSet::new();
        for mailbox in mailboxes {
            let messages = self.control(&json!({ "op": "messages", "mailbox": mailbox }));
            for message in messages.as_array().unwrap() {
                let folder = message["folder"].as_str().unwrap().replace("%2F", "/");
                if LEFT_OUT.contains(&folder.as_str()) {
                    continue;
                }
                places.insert(Place {
                    mailbox: (*mailbox).to_owned(),
                    folder,
                    remote: message["immutable_id"].as_str().unwrap().to_owned(),
                    sha256: sha256(&fs::read(message["file"].as_str().unwrap()).unwrap()),
                });
            }
        }
        places
    }
}

/// `count` mails of one line, all different: two thirds in the inbox, the rest below it.
pub fn tiny(address: &str, count: usize) -> Folders<'static> {
    let mut folders = Folders::new();
    for number in 0..count {
        let folder = if number % 3 == 2 { "Inbox/Projekte" } else { "Inbox" };
        let mail = mails::tiny(&format!("{number}.{address}"), &format!("Mail {number}"));
        folders.entry(folder).or_default().push(mail);
    }
    folders
}

/// Fails with what differs.
///
/// # Panics
/// Unless both are the same.
pub fn same(archive: &BTreeSet<Place>, server: &BTreeSet<Place>) {
    let missing: Vec<_> = server.difference(archive).collect();
    let too_much: Vec<_> = archive.difference(server).collect();
    assert!(missing.is_empty() && too_much.is_empty(), "missing: {missing:#?}\ntoo much: {too_much:#?}");
}

/// A certificate signed by itself, as one uploads it to Entra, and its key; both as files.
pub fn certificate(dir: &Path, name: &str, key: &[&str]) -> (String, String) {
    let path = |end: &str| dir.join(format!("{name}.{end}")).to_str().unwrap().to_owned();
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-nodes", "-days", "30", "-subj", "/CN=Archivista", "-newkey"]).args(key);
    must_run(command.args(["-keyout", &path("key"), "-out", &path("pem")]));
    (path("pem"), path("key"))
}
