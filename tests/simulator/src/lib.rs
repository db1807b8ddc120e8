//! Entra ID and the mail part of Microsoft Graph v1.0, as a test tool: a tenant whose mailboxes are folders of mails.
//!
//! From the shell (`--help` lists all options and faults):
//!
//! ```text
//! cargo run -p simulator -- --listen 127.0.0.1:8443 --ca-dir DIR --tenant T --client-id C --client-secret S \
//!     --mailbox anna@example.org=MAILS --fault throttle:0.05
//! ```
//!
//! It prints `https://127.0.0.1:8443` and `ready`; `DIR/ca.pem` is the authority of its certificate, which names localhost,
//! 127.0.0.1, login.microsoftonline.com and graph.microsoft.com. Entra and Graph are on the same port.
//!
//! From Rust:
//!
//! ```no_run
//! # use simulator::{Config, Simulator};
//! # use serde_json::json;
//! let config = Config { mailboxes: vec![("anna@example.org".into(), "mails".into())], ..Config::default() };
//! let simulator = Simulator::start(config).unwrap();
//! let (url, ca) = (simulator.url(), &simulator.ca_pem);
//! simulator.control(&json!({ "op": "expire_tokens" }));
//! ```
//!
//! # Control
//!
//! `POST /_control` with one JSON object or a list; the answer is an object, with `error` where it failed. A `mailbox` is the
//! user's name or object id, a `folder` is a path (`Inbox/Projects`, `%2F` for a slash in a name) and is made if missing.
//! `PICK` is any of `id` (either kind), `message_id`, `folder`, `first`; none means all of the mailbox.
//!
//! | `op` | with | does |
//! |---|---|---|
//! | `add` | `mailbox`, `folder`, one of `path`, `mime`, `mime_base64`; `is_draft` | adds a message, tells its ids |
//! | `move` | `mailbox`, PICK, `to` | moves messages |
//! | `delete` | `mailbox`, PICK, `soft` | purges, or puts among the recoverable items |
//! | `touch` | `mailbox`, PICK | turns `isRead`, so that delta tells of a change |
//! | `send_draft` | `mailbox`, PICK | drafts become sent mail |
//! | `poison` | `mailbox`, PICK | `$value` fails for good |
//! | `messages` | `mailbox`, PICK; `sha256` | tells ids, folder and file of each, and the hash of its bytes and whether it is poisoned |
//! | `folders` | `mailbox` | tells path, id and number of messages of each |
//! | `add_folder` | `mailbox`, `folder`, `hidden`, `search` | adds a folder, or makes it a search folder over the inbox |
//! | `hide_folder`, `rename_folder`, `remove_folder` | `mailbox`, `folder`; `hidden`; `name` | |
//! | `add_user` | `address`, `traits` | as `--user` |
//! | `rename_user` | `user`, `upn` | the object id stays |
//! | `set_user` | `user`; `enabled`, `policy`, `denied` | |
//! | `fault` | `fault` (`KIND[:rate[:times or always]]`) | sets the faults of a kind; rate 0 ends it |
//! | `clear_faults` | | |
//! | `expire_tokens`, `expire_delta_tokens` | (`mailbox`) | 401, 410 |
//! | `sign_in` | `user`; `user_code`, `decline` | somebody types in the code that was given last, or this one |
//! | `sign_ins`, `revoke_sign_ins` | | tells the refresh tokens that count and how many were used up; ends all of them |
//! | `configure` | `public_client`, `code_life`, `client_secret`, `secret_expired`, `permissions`, `token_life`, `retry_after`, `latency`, `concurrency`, `tenant_concurrency` | |
//! | `counters`, `reset_counters` | | requests, statuses, calls, faults, page sizes, most requests at a time per mailbox, requests of each mailbox that were not throttled, requests without `ImmutableId` |
//! | `log` | | the last 20,000 requests |
//!
//! # What is not simulated
//!
//! `$batch`, subscriptions, `mailFolders/delta`, `translateExchangeIds`, `$search`, sending, upload sessions, in-place archives,
//! national clouds, the hour that Entra takes until a consent is in force.

mod actions;
mod answer;
mod attachments;
mod certificate;
mod chance;
mod config;
mod control;
mod date;
mod delta;
mod device;
mod entra;
mod failure;
mod faults;
mod folders;
mod generate;
mod graph;
mod identifier;
mod journal;
mod lanes;
mod load;
mod mailbox;
mod messages;
mod properties;
mod question;
mod render;
mod select;
mod server;
mod source;
mod tenant;
mod token;
mod users;
mod value;

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

pub use config::{Config, Extra};
pub use faults::{Fault, Kind};
pub use render::Render;

/// A running simulator; it ends when this is dropped.
pub struct Simulator {
    pub address: SocketAddr,
    /// The certificate authority that a client has to trust.
    pub ca_pem: String,
    shared: Arc<server::Shared>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Simulator {
    pub fn start(config: Config) -> Result<Self> {
        let certificate = certificate::Certificate::make()?;
        if let Some(dir) = &config.ca_dir {
            std::fs::create_dir_all(dir)?;
            std::fs::write(dir.join("ca.pem"), &certificate.ca_pem).with_context(|| dir.display().to_string())?;
        }
        let listen = config.listen;
        let shared =
            Arc::new(server::Shared { tenant: tenant::Tenant::new(config)?.into(), lanes: lanes::Lanes::default() });
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind(listen)).with_context(|| listen.to_string())?;
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let tls = TlsAcceptor::from(Arc::new(certificate.server));
        let served = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("simulator".to_owned()).spawn(move || {
            runtime.block_on(server::serve(listener, tls, served, stopped));
            runtime.shutdown_timeout(Duration::from_millis(200));
        })?;
        Ok(Self { address, ca_pem: certificate.ca_pem, shared, stop, thread: Some(thread) })
    }

    /// `https://127.0.0.1:PORT`, for both Entra and Graph.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The same as `POST /_control`.
    pub fn control(&self, asked: &Value) -> Value {
        control::control(&mut server::lock(&self.shared), asked)
    }

    /// Waits as long as it runs.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
