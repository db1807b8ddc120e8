//! Promise: the simulator is what the maker's own test script takes for Microsoft 365. The script is the one that the
//! announcement of the module O365 prints, word for word, on the python package `O365`; only the names of Microsoft's hosts
//! lead to the simulator. So the simulator is held to what a client expects that knows nothing of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use simulator::{Config, Simulator};
use tempfile::TempDir;

const SCRIPT: &str = include_str!("tools/o365/mailtest.py");

const TENANT: &str = "8c3f5a4e-7f5d-4c3e-9d0e-2b0f5d1c7a11";
const CLIENT: &str = "4b0d2f8c-1111-4a55-8f3e-6f1d2c3b4a59";
const SECRET: &str = "Uep8Q~secret.of-the_app";

struct Stage {
    dir: TempDir,
    simulator: Simulator,
}

impl Stage {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let mails = dir.path().join("mails");
        fs::create_dir_all(mails.join("INBOX")).unwrap();
        for (number, day) in [(1, 3), (2, 4)] {
            let mail = format!(
                "From: Anna <anna@example.org>\r\nTo: test@mymail.ch\r\nSubject: Grüsse {number}\r\n\
                 Date: Mon, {day} Jun 2002 12:00:00 +0000\r\nMessage-ID: <{number}@example.org>\r\n\r\nText\r\n"
            );
            fs::write(mails.join("INBOX").join(format!("{number}.eml")), mail).unwrap();
        }
        let simulator = Simulator::start(Config {
            ca_dir: Some(dir.path().to_owned()),
            tenant: TENANT.to_owned(),
            client_id: CLIENT.to_owned(),
            client_secret: SECRET.to_owned(),
            mailboxes: vec![("test@mymail.ch".to_owned(), mails)],
            ..Config::default()
        })
        .unwrap();
        Self { dir, simulator }
    }

    /// Runs the script after what has to be put in was put in.
    fn run(&self, client: &str, secret: &str, tenant: &str, mailbox: &str) -> Output {
        let script = SCRIPT
            .replace("'xxxx'", &format!("'{client}'"))
            .replace("'yyyy'", &format!("'{secret}'"))
            .replace("'zzzz'", &format!("'{tenant}'"))
            .replace("test@mymail.ch", mailbox);
        // The package keeps its token in the folder it is started in.
        let home = TempDir::new_in(self.dir.path()).unwrap();
        fs::write(home.path().join("mailtest.py"), script).unwrap();
        let python: PathBuf = [env!("CARGO_MANIFEST_DIR"), "target/tools/o365/bin/python3"].iter().collect();
        assert!(Path::exists(&python), "{} is missing; run: make tools", python.display());
        Command::new(python)
            .arg("mailtest.py")
            .current_dir(home.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", home.path())
            .env("PYTHONPATH", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/o365"))
            .env("PYTHONIOENCODING", "utf-8")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("SIMULATOR_PORT", self.simulator.address.port().to_string())
            .env("REQUESTS_CA_BUNDLE", self.dir.path().join("ca.pem"))
            .output()
            .unwrap()
    }
}

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_script_prints_the_subject_of_the_first_mail() {
    let stage = Stage::new();
    let output = stage.run(CLIENT, SECRET, TENANT, "test@mymail.ch");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(
        printed(&output),
        "Authenticated!\n\
         MailBox from resource: users/test@mymail.ch\n\
         Inbox from resource: users/test@mymail.ch\n\
         Subject: Grüsse 2\n"
    );
    let counters = stage.simulator.control(&serde_json::json!({ "op": "counters" }));
    assert_eq!(counters["calls"], serde_json::json!({ "discovery": 1, "token": 1, "list": 1 }));
    assert_eq!(counters["page_sizes"], serde_json::json!([25]), "25 mails a call are the default");
}

#[test]
fn the_script_says_nothing_where_the_secret_is_wrong() {
    let output = Stage::new().run(CLIENT, "wrong", TENANT, "test@mymail.ch");
    assert!(output.status.success());
    assert_eq!(printed(&output), "");
    assert!(String::from_utf8_lossy(&output.stderr).contains("AADSTS7000215"), "it is logged alone");
}

#[test]
fn the_script_breaks_where_the_tenant_is_wrong() {
    let output = Stage::new().run(CLIENT, SECRET, "11111111-2222-3333-4444-555555555555", "test@mymail.ch");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("ValueError"));
}

#[test]
fn the_script_breaks_where_the_mailbox_is_wrong() {
    let output = Stage::new().run(CLIENT, SECRET, TENANT, "nobody@mymail.ch");
    assert!(!output.status.success());
    assert!(printed(&output).starts_with("Authenticated!\nMailBox from resource: users/nobody@mymail.ch\n"));
    assert!(String::from_utf8_lossy(&output.stderr).contains("HTTPError: 404"));
}
