//! A simulator with a mailbox, and a client that has its token.

use std::fs;

use serde_json::{Value, json};
use simulator::{Config, Simulator};
use tempfile::TempDir;

use crate::client::{Client, Reply};

pub const USER: &str = "anna@example.org";
pub const IMMUTABLE: (&str, &str) = ("Prefer", "IdType=\"ImmutableId\"");

pub struct Stage {
    pub dir: TempDir,
    pub simulator: Simulator,
    pub client: Client,
    pub token: String,
}

pub fn mail(number: usize) -> String {
    format!(
        "From: Bert <bert@example.net>\r\nTo: {USER}\r\nSubject: Mail {number}\r\nDate: Mon, 3 Jun 2002 12:{:02}:00 +0000\r\n\
         Message-ID: <{number}@example.net>\r\n\r\nText of {number}\r\n",
        number % 60
    )
}

impl Stage {
    /// With so many mails in the inbox.
    pub fn new(mails: usize) -> Self {
        Self::with(mails, Config::default())
    }

    pub fn with(mails: usize, config: Config) -> Self {
        let dir = TempDir::new().unwrap();
        let inbox = dir.path().join("mails/Inbox");
        fs::create_dir_all(&inbox).unwrap();
        for number in 0..mails {
            fs::write(inbox.join(format!("{number:04}.eml")), mail(number)).unwrap();
        }
        let mut config = config;
        config.mailboxes.push((USER.to_owned(), dir.path().join("mails")));
        let simulator = Simulator::start(config).unwrap();
        let client = Client::new(simulator.address, &simulator.ca_pem);
        let mut stage = Self { dir, simulator, client, token: String::new() };
        stage.renew();
        stage
    }

    pub fn renew(&mut self) {
        let form = "client_id=client&client_secret=secret&grant_type=client_credentials&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default";
        let reply = self.client.ask("POST", "/tenant/oauth2/v2.0/token", &[], form.as_bytes());
        reply.json()["access_token"].as_str().unwrap_or_default().clone_into(&mut self.token);
    }

    /// A request to Graph; a whole address is taken as it is.
    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let path = path.strip_prefix(&self.simulator.url()).map_or(format!("/v1.0/{path}"), ToOwned::to_owned);
        let bearer = format!("Bearer {}", self.token);
        let mut all = vec![("Authorization", bearer.as_str())];
        all.extend(headers);
        self.client.ask(method, &path, &all, body)
    }

    pub fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, &[IMMUTABLE], b"")
    }

    /// A request below the user.
    pub fn of_user(&self, path: &str) -> Reply {
        self.get(&format!("users/{USER}/{path}"))
    }

    pub fn post(&self, path: &str, body: &Value) -> Reply {
        let headers = [IMMUTABLE, ("Content-Type", "application/json")];
        self.ask("POST", &format!("users/{USER}/{path}"), &headers, body.to_string().as_bytes())
    }

    #[allow(clippy::needless_pass_by_value)] // Its callers write it down on the spot.
    pub fn control(&self, asked: Value) -> Value {
        let told = self.simulator.control(&asked);
        assert!(told.get("error").is_none(), "{told}");
        told
    }

    /// All ids of a folder from a listing.
    pub fn listed(&self, folder: &str) -> Vec<String> {
        let mut address = format!("users/{USER}/mailFolders/{folder}/messages?$select=id&$top=7");
        let mut ids = Vec::new();
        loop {
            let page = self.get(&address).json();
            ids.extend(page["value"].as_array().unwrap().iter().map(|each| each["id"].as_str().unwrap().to_owned()));
            match page["@odata.nextLink"].as_str() {
                Some(next) => next.clone_into(&mut address),
                None => return ids,
            }
        }
    }

    /// Reads a round of a delta query to its end: what it told, its deltaLink, its pages.
    pub fn round(&self, address: &str, prefer: &str) -> (Vec<Value>, String, usize) {
        let (mut address, mut told, mut pages) = (address.to_owned(), Vec::new(), 0);
        loop {
            let reply = self.ask("GET", &address, &[("Prefer", prefer)], b"");
            assert_eq!(reply.status, 200, "{reply:?}");
            let page = reply.json();
            pages += 1;
            told.extend(page["value"].as_array().unwrap().iter().cloned());
            match (page["@odata.nextLink"].as_str(), page["@odata.deltaLink"].as_str()) {
                (Some(next), None) => next.clone_into(&mut address),
                (None, Some(delta)) => return (told, delta.to_owned(), pages),
                both => panic!("one link ends a page: {both:?}"),
            }
        }
    }
}

pub fn ids(told: &[Value]) -> Vec<&str> {
    told.iter().map(|each| each["id"].as_str().unwrap()).collect()
}

pub fn fault(text: &str) -> Value {
    json!({ "op": "fault", "fault": text })
}
