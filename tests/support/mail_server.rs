//! Cyrus and Courier on loopback ports of their own: what an archiver believes of IMAP must not come from Dovecot alone.
//!
//! They are spoken to as any client speaks to them; nothing here looks into their files.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::definition::Definition;
use super::dialogue::{Dialogue, quoted};
use super::dovecot::{Message, PASSWORD, USER, message};
use super::hash::sha256;
use super::proof::Place;
use super::{folder_name, tool};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Folders below the inbox, levels by dots.
    CyrusDots,
    /// Folders beside the inbox, levels by slashes.
    CyrusSlashes,
    /// Folders below the inbox, levels by dots; no MOVE, no UIDNEXT, no SPECIAL-USE.
    Courier,
}

pub const KINDS: [Kind; 3] = [Kind::CyrusDots, Kind::CyrusSlashes, Kind::Courier];

/// One server with the account [`USER`]. Lives in the thread that started it: if that ends, the server ends too.
pub struct MailServer {
    pub kind: Kind,
    dir: TempDir,
    master: Option<Child>,
    port: u16,
}

impl MailServer {
    pub fn start(kind: Kind) -> Self {
        // Not below target/: the path of a Unix socket is short, and the server's own users have to reach it.
        let dir = tempfile::Builder::new().prefix("mail-").tempdir().unwrap();
        fs::write(dir.path().join("users"), format!("{USER} {PASSWORD}\n")).unwrap();
        let mut server = Self { kind, dir, master: None, port: 0 };
        // Between choosing a free port and listening on it, another test may have taken it.
        for _ in 0..10 {
            server.port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
            if server.launch() {
                return server;
            }
        }
        panic!("{kind:?} does not start\n{}", server.log());
    }

    fn launch(&mut self) -> bool {
        static LAUNCHED: AtomicU64 = AtomicU64::new(0);
        let name = format!("test-{}-{}", std::process::id(), LAUNCHED.fetch_add(1, Ordering::Relaxed));
        let (script, root) = match self.kind {
            Kind::CyrusDots | Kind::CyrusSlashes => ("cyrus.sh", "cyrus"),
            Kind::Courier => ("courier.sh", "courier"),
        };
        let root: PathBuf = [env!("CARGO_MANIFEST_DIR"), "target", "tools", root].iter().collect();
        assert!(root.exists(), "{} is missing; run: make tools", root.display());
        let mut command = Command::new(tool(script));
        command.arg(root).arg(self.dir.path()).arg(self.port.to_string());
        match self.kind {
            Kind::CyrusDots => command.args([&name, "."]),
            Kind::CyrusSlashes => command.args([&name, "/"]),
            Kind::Courier => &mut command,
        };
        let log = File::create(self.dir.path().join("log")).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.master = Some(command.process_group(0).spawn().unwrap());
        let end = Instant::now() + Duration::from_mins(1);
        while Instant::now() < end {
            if self.master.as_mut().unwrap().try_wait().unwrap().is_some() {
                self.stop();
                return false;
            }
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() && self.lets_in() {
                return true;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("{:?} does not answer\n{}", self.kind, self.log());
    }

    /// Whether its processes for logins are there too.
    fn lets_in(&self) -> bool {
        let port = self.port;
        let try_login = move || drop(Dialogue::login(port, USER, PASSWORD));
        thread::spawn(try_login).join().is_ok()
    }

    fn stop(&mut self) {
        if let Some(mut master) = self.master.take() {
            let _ = killpg(Pid::from_raw(i32::try_from(master.id()).unwrap()), Signal::SIGKILL);
            master.wait().unwrap();
        }
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    pub fn dialogue(&self) -> Dialogue {
        Dialogue::login(self.port, USER, PASSWORD)
    }

    /// All folders of the account, over plain TCP.
    pub fn definition(&self, name: &str) -> Definition {
        Definition::named(name)
            .with("module", "imap")
            .with("server", "127.0.0.1")
            .with("port", self.port)
            .with("encryption", "none")
            .with("account", USER)
            .with("password", PASSWORD)
    }

    /// The server's name of a folder that people call so: levels by slashes, beside the inbox.
    pub fn name(&self, folder: &str) -> String {
        match self.kind {
            _ if folder == "INBOX" => folder.to_owned(),
            Kind::CyrusSlashes => folder.to_owned(),
            Kind::CyrusDots | Kind::Courier => format!("INBOX.{}", folder.replace('/', ".")),
        }
    }

    fn wire(&self, folder: &str) -> String {
        quoted(&folder_name::to_wire(&self.name(folder)))
    }

    pub fn create(&self, folder: &str) {
        self.dialogue().ok(&format!("CREATE {}", self.wire(folder)));
    }

    pub fn delete(&self, folder: &str) {
        self.dialogue().ok(&format!("DELETE {}", self.wire(folder)));
    }

    /// Puts messages into a folder that is there.
    pub fn append(&self, folder: &str, flags: &str, mails: &[Vec<u8>]) {
        let mut dialogue = self.dialogue();
        for mail in mails {
            dialogue.append(&self.wire(folder), &format!("({flags}) \"01-Jan-2024 00:00:00 +0000\""), mail);
        }
    }

    /// Moves one message as clients do that know no MOVE.
    pub fn relocate(&self, from: &str, uid: u32, to: &str) {
        let mut dialogue = self.dialogue();
        dialogue.ok(&format!("SELECT {}", self.wire(from)));
        dialogue.ok(&format!("UID COPY {uid} {}", self.wire(to)));
        Self::expunge(&mut dialogue, uid);
    }

    pub fn remove(&self, folder: &str, uid: u32) {
        let mut dialogue = self.dialogue();
        dialogue.ok(&format!("SELECT {}", self.wire(folder)));
        Self::expunge(&mut dialogue, uid);
    }

    fn expunge(dialogue: &mut Dialogue, uid: u32) {
        dialogue.ok(&format!("UID STORE {uid} +FLAGS.SILENT (\\Deleted)"));
        dialogue.ok(&format!("UID EXPUNGE {uid}"));
    }

    /// All messages of a folder in the order of their UIDs.
    pub fn messages(&self, folder: &str) -> Vec<Message> {
        let mut dialogue = self.dialogue();
        dialogue.ok(&format!("EXAMINE {}", self.wire(folder)));
        if self.uid_next(folder) == 1 {
            return Vec::new();
        }
        let responses = dialogue.ok("UID FETCH 1:* (UID FLAGS INTERNALDATE BODY.PEEK[])");
        responses.into_iter().filter(|response| response.text.contains(" FETCH (")).map(message).collect()
    }

    pub fn uid_validity(&self, folder: &str) -> u32 {
        self.status(folder, "UIDVALIDITY")
    }

    fn uid_next(&self, folder: &str) -> u32 {
        self.status(folder, "UIDNEXT")
    }

    fn status(&self, folder: &str, item: &str) -> u32 {
        let responses = self.dialogue().ok(&format!("STATUS {} ({item})", self.wire(folder)));
        let status = responses.iter().find(|response| response.text.starts_with("* STATUS")).unwrap();
        let (_, rest) = status.text.rsplit_once(&format!("{item} ")).unwrap();
        rest.trim_end_matches(')').parse().unwrap()
    }

    /// Deletes a folder and makes it anew with the same messages: they get another UIDVALIDITY and UIDs from 1.
    pub fn renumber(&self, folder: &str) {
        let before = self.uid_validity(folder);
        let mails: Vec<_> = self.messages(folder).into_iter().map(|message| message.bytes).collect();
        self.delete(folder);
        // Both count their UIDVALIDITY in seconds.
        thread::sleep(Duration::from_millis(1100));
        self.create(folder);
        self.append(folder, "", &mails);
        assert_ne!(self.uid_validity(folder), before, "the server kept its UIDVALIDITY");
    }

    /// All messages in these folders, as the server shows them.
    pub fn places(&self, folders: &[&str]) -> BTreeSet<Place> {
        let mut places = BTreeSet::new();
        for folder in folders {
            let uid_validity = self.uid_validity(folder);
            for message in self.messages(folder) {
                places.insert(Place {
                    mailbox: USER.to_owned(),
                    folder: self.name(folder),
                    remote: format!("{uid_validity}:{}", message.uid),
                    sha256: sha256(&message.bytes),
                });
            }
        }
        places
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.stop();
        if thread::panicking() {
            eprintln!("The log of {:?}:\n{}", self.kind, self.log());
        }
    }
}
