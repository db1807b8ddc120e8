//! Pages without sockets: an archive in this process, asked as the gate would ask.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::{self, JoinHandle};

use archivista::appliance::link::Link;
use archivista::archive::Archive;
use archivista::archive::commit::{Attachment, Event, Folder, Happening, Metadata, Number};
use archivista::archive::writer::{NewMessage, Task};
use archivista::clock;
use archivista::fetch::Fetcher;
use archivista::ingest::{Incoming, Spool};
use archivista::language::Lang;
use archivista::pulse::Pulse;
use archivista::search::index;
use archivista::settings;
use archivista::settings::administration::Administration;
use archivista::settings::password::Password;
use archivista::settings::recovery_sheet::RecoverySheet;
use archivista::settings::tokens::{self, New, Rights};
use archivista::settings::users::{self, MailboxId, Role, User};
use archivista::web::request::{Body, Method, encode};
use archivista::web::session::COOKIE;
use archivista::web::{Request, Web, routes};
use tempfile::TempDir;

use super::small;

/// Where the pages stand, as a browser knows it.
pub const HOST: &str = "box.example:8443";

/// Where whoever asks comes from, unless a test says otherwise: a network of nobody's (RFC 5737), and no private one.
pub const PEER: &str = "192.0.2.7";

/// The pages of an archive of its own.
pub struct Site {
    pub web: Arc<Web>,
    dir: TempDir,
    /// Keeps the index of words behind the log, as `serve` does.
    following: Option<(Pulse, JoinHandle<()>)>,
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Some((pulse, following)) = self.following.take() {
            pulse.cancel();
            let ended = following.join();
            assert!(ended.is_ok() || thread::panicking());
        }
    }
}

/// What a browser gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn location(&self) -> &str {
        self.header("Location").unwrap_or_default()
    }

    /// What stands between two marks, the first time.
    pub fn between(&self, begin: &str, end: &str) -> Option<String> {
        let text = self.text();
        let (_, rest) = text.split_once(begin)?;
        Some(rest.split_once(end)?.0.to_string())
    }
}

/// Text as it was before it was escaped for HTML.
pub fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

impl Site {
    /// An archive that is set up, its recovery sheet confirmed, in English, without a user.
    pub fn new() -> Self {
        Self::with(None)
    }

    /// The same, with a box around it.
    pub fn on_box(link: Arc<Link>) -> Self {
        Self::with(Some(link))
    }

    fn with(link: Option<Arc<Link>>) -> Self {
        let dir = tempfile::Builder::new().prefix("archivista-").tempdir().unwrap();
        let archive = Archive::open(&dir.path().join("data"), &Pulse::new()).unwrap();
        let mut web = Web::new(Arc::new(archive), Arc::new(Fetcher::new(link.clone())), link).unwrap();
        web.index = Arc::new(small::index(&web.archive));
        let web = Arc::new(web);
        let (pulse, follower) = (Pulse::new(), web.clone());
        let hears = pulse.clone();
        let following = thread::spawn(move || index::follow(&follower.archive, &follower.index, &hears).unwrap());
        let site = Self { web, dir, following: Some((pulse, following)) };
        site.administer(|administration| administration.archive_name = "Test".into());
        RecoverySheet::confirm(&site.web.archive, "test").unwrap();
        site
    }

    pub fn data(&self) -> std::path::PathBuf {
        self.dir.path().join("data")
    }

    pub fn administer(&self, change: impl FnOnce(&mut Administration)) {
        let mut administration = Administration::read(&self.web.archive).unwrap();
        administration.language = Lang::En;
        change(&mut administration);
        administration.write(&self.web.archive, "test").unwrap();
    }

    /// Adds a user and logs it in; returns its cookie. Mailboxes are those of the definition `company`.
    pub fn user(&self, name: &str, role: Role, mailboxes: &[&str]) -> String {
        let mailboxes =
            mailboxes.iter().map(|name| MailboxId { definition: "company".into(), mailbox: (*name).into() }).collect();
        let user = User {
            name: name.into(),
            role,
            reads_all: role == Role::Administrator,
            mailboxes,
            language: None,
            password: Password::new("a long enough password").unwrap(),
            inactive: false,
            created: clock::now(),
        };
        users::put_user(&self.web.archive, &user, "test").unwrap();
        self.session(name)
    }

    /// Logs somebody in once more; returns its cookie.
    pub fn session(&self, name: &str) -> String {
        let user = users::user(&self.web.archive, name).unwrap().unwrap();
        self.web.sessions.begin(&user).unwrap()
    }

    /// Archives a mail as a fetch would, in a mailbox of the definition `company`.
    pub fn mail(&self, mailbox: &str, raw: &[u8], received: i64) -> Number {
        self.mail_of("company", (mailbox, &format!("{mailbox}@example.ch")), raw, received)
    }

    /// The same in any definition, which gives what it archives its owner; `mailbox`: identity and name.
    pub fn mail_of(&self, definition: &str, mailbox: (&str, &str), raw: &[u8], received: i64) -> Number {
        let owner = settings::definition(&self.web.archive, definition).map(|definition| definition.owner);
        let folder = Folder {
            definition: definition.into(),
            mailbox: mailbox.0.into(),
            id: "INBOX".into(),
            name: "INBOX".into(),
            mailbox_name: mailbox.1.into(),
            ..Folder::default()
        };
        let folder = self.web.archive.folder(folder).unwrap();
        let spool = Spool::new(self.data().join("spool")).unwrap();
        let mut incoming = Incoming::new(&spool);
        std::io::Write::write_all(&mut incoming, raw).unwrap();
        let message = incoming.finish().unwrap();
        let head = message.head.clone();
        let metadata = Metadata {
            title: head.subject,
            from: head.from,
            to: head.to,
            cc: head.cc,
            date: head.date,
            owner: owner.unwrap_or_default(),
            attachments: head
                .attachments
                .into_iter()
                .map(|part| Attachment { name: part.name, media_type: part.media_type })
                .collect(),
            ..Metadata::default()
        };
        let (ticket, tickets) = channel();
        let new = NewMessage {
            remote: message.sha256.0.to_vec(),
            message,
            metadata,
            folder,
            received: Some(received),
            flags: Vec::new(),
            after_due: false,
            variant_of: None,
            brought_by: None,
            ticket,
        };
        self.web.archive.send(Task::Message(Box::new(new))).unwrap();
        self.web.archive.flush().unwrap();
        tickets.recv().unwrap().outcome.unwrap().document().unwrap()
    }

    /// Changes what is known of a document, past all pages.
    pub fn change(&self, number: Number, change: impl FnOnce(&mut Metadata) + Send + 'static) {
        let change = move |metadata: &mut Metadata| {
            change(metadata);
            vec![Event { time: 0, who: "test".into(), what: Happening::FieldsChanged(number, Vec::new()) }]
        };
        self.web.archive.change(number, Box::new(change)).unwrap();
    }

    /// Sends anything; `more` are further header fields.
    pub fn ask(
        &self,
        method: Method,
        cookie: Option<&str>,
        target: &str,
        more: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        // What a test gives comes first, and counts.
        let mut headers: Vec<(String, String)> =
            more.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        headers.extend(cookie.map(|cookie| ("cookie".into(), format!("{COOKIE}={cookie}"))));
        headers.extend(
            [("host", HOST), ("x-scheme", "https"), ("x-peer", PEER)].map(|(name, value)| (name.into(), value.into())),
        );
        let request = Request::new(method, target, headers, Body::Bytes(body));
        let mut bytes = Vec::new();
        // What breaks off is what a browser would see.
        let _ = routes::answer(&self.web, &request).write(method, &mut bytes);
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut body = bytes[end + 4..].to_vec();
        if head.contains("Transfer-Encoding: chunked") {
            body = unchunked(&body);
        }
        Answer { status: head[9..12].parse().unwrap(), head, body }
    }

    /// Makes a token of the API for somebody, for a day.
    pub fn api_token(&self, owner: &str, rights: Rights) -> String {
        let owner = users::user(&self.web.archive, owner).unwrap().unwrap();
        let created = clock::now();
        let new = New { name: "test", owner: &owner, maker: &owner, rights, created, ends: created + 86_400 };
        tokens::make(&self.web.archive, new, "test").unwrap().1
    }

    /// Calls the API below `/api/v1`; `body` is JSON unless it is null.
    pub fn call(&self, token: &str, method: Method, target: &str, body: &serde_json::Value) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        self.ask(method, None, &format!("/api/v1{target}"), &headers, body)
    }

    pub fn get(&self, cookie: Option<&str>, target: &str) -> Answer {
        self.ask(Method::Get, cookie, target, &[], Vec::new())
    }

    pub fn get_with(&self, cookie: Option<&str>, target: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask(Method::Get, cookie, target, headers, Vec::new())
    }

    pub fn token(&self, cookie: &str) -> String {
        self.web.sessions.find(cookie).unwrap().csrf
    }

    /// Sends a form with the token of the session.
    pub fn post(&self, cookie: &str, target: &str, fields: &[(&str, &str)]) -> Answer {
        let mut form = format!("csrf={}", encode(&self.token(cookie)));
        for (name, value) in fields {
            form.push_str(&format!("&{}={}", encode(name), encode(value)));
        }
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.ask(Method::Post, Some(cookie), target, &headers, form.into_bytes())
    }

    /// Sends any body.
    pub fn send(&self, cookie: Option<&str>, target: &str, content_type: &str, body: Vec<u8>) -> Answer {
        self.ask(Method::Post, cookie, target, &[("content-type", content_type)], body)
    }

    /// Uploads files as a browser does.
    pub fn upload(&self, cookie: &str, files: &[(&str, &[u8])]) -> Answer {
        let mut body = Vec::new();
        let token = self.token(cookie);
        body.extend(format!("--B\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{token}\r\n").bytes());
        for (name, bytes) in files {
            let head = format!(
                "--B\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\nContent-Type: text/html\r\n\r\n"
            );
            body.extend(head.bytes());
            body.extend_from_slice(bytes);
            body.extend(b"\r\n");
        }
        body.extend(b"--B--\r\n");
        self.send(Some(cookie), "/upload", "multipart/form-data; boundary=B", body)
    }

    /// Uploads one file; returns its number.
    pub fn file(&self, cookie: &str, name: &str, bytes: &[u8]) -> Number {
        let answer = self.upload(cookie, &[(name, bytes)]);
        assert_eq!(answer.status, 303, "{}", answer.text());
        answer.location().strip_prefix("/documents/").unwrap().parse().unwrap()
    }

    /// What the journal says, oldest first.
    pub fn journal(&self) -> Vec<Event> {
        self.web.archive.flush().unwrap();
        let (mut events, _) = self.web.archive.view().unwrap().events(10_000, 10_000, |_| true).unwrap();
        events.reverse();
        events
    }
}

fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    while let Some(end) = body.windows(2).position(|two| two == b"\r\n") {
        let len = usize::from_str_radix(std::str::from_utf8(&body[..end]).unwrap(), 16).unwrap();
        plain.extend_from_slice(&body[end + 2..end + 2 + len]);
        body = &body[end + 2 + len + 2..];
        if len == 0 {
            break;
        }
    }
    plain
}
