//! A private Dovecot 2.3 on loopback ports of its own, as many at a time as tests run.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::dialogue::{Dialogue, quoted};
use super::hash::sha256;
use super::tls::{self, Certificates};
use super::{folder_name, token, tool};

/// The user every Dovecot has, and the password of all users.
pub const USER: &str = "test@mymail.ch";
pub const PASSWORD: &str = "geheim";

/// When the first delivered message was received, if the test does not say: 1 January 2024; each later one a minute after.
const FIRST_RECEIVED: u64 = 1_704_067_200;

/// What may be set before the start.
#[derive(Default)]
pub struct Setup {
    /// Users beside [`USER`].
    pub users: Vec<String>,
    /// Lines for `dovecot.conf`, read last.
    pub config: String,
    /// Instead of one for localhost.
    pub certificates: Option<Certificates>,
}

/// A message as the server shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub uid: u32,
    pub bytes: Vec<u8>,
    pub sha256: String,
    /// Without `\Recent`.
    pub flags: Vec<String>,
    /// As the server writes it: `01-Jan-2024 00:00:00 +0000`.
    pub internal_date: String,
}

/// How a message is put into a folder.
#[derive(Default)]
pub struct Delivery<'a> {
    /// Unix seconds: becomes INTERNALDATE.
    pub received: Option<u64>,
    /// Letters of Maildir: `S` seen, `F` flagged, `D` draft, `R` answered, `T` deleted; in this order of the alphabet.
    pub flags: &'a str,
}

/// Lives in the thread that started it: if that ends, even without dropping, Dovecot ends too.
pub struct Dovecot {
    dir: TempDir,
    master: Option<Child>,
    port: u16,
    tls_port: u16,
    delivered: AtomicU64,
}

impl Dovecot {
    pub fn start() -> Self {
        Self::start_with(&Setup::default())
    }

    pub fn start_with(setup: &Setup) -> Self {
        // Not below target/: the path of a Unix socket is short, and Dovecot's users have to reach it.
        let dir = tempfile::Builder::new().prefix("dovecot-").tempdir().unwrap();
        let users = setup.users.iter().map(String::as_str).chain([USER]);
        let lines: Vec<_> = users.map(|user| format!("{user}:{{PLAIN}}{PASSWORD}\n")).collect();
        fs::write(dir.path().join("users"), lines.concat()).unwrap();
        fs::write(dir.path().join("extra.conf"), &setup.config).unwrap();
        fs::write(dir.path().join("token.key"), token::base64(&token_key(dir.path()))).unwrap();
        setup.certificates.as_ref().unwrap_or_else(|| tls::localhost()).write(&dir.path().join("tls"));

        let mut dovecot = Self { dir, master: None, port: 0, tls_port: 0, delivered: AtomicU64::new(0) };
        // Between choosing a free port and listening on it, another test may have taken it.
        for _ in 0..10 {
            (dovecot.port, dovecot.tls_port) = free_ports();
            if dovecot.launch() {
                return dovecot;
            }
        }
        panic!("no free ports for Dovecot\n{}", dovecot.log());
    }

    /// Kills it like a power cut: connections break, ports are free.
    pub fn stop(&mut self) {
        if let Some(mut master) = self.master.take() {
            // All processes of Dovecot are in the group of their master.
            let _ = killpg(Pid::from_raw(i32::try_from(master.id()).unwrap()), Signal::SIGKILL);
            master.wait().unwrap();
        }
    }

    /// Starts it again after [`Self::stop`], on the same ports with the same mail.
    pub fn start_again(&mut self) {
        assert!(self.master.is_none(), "stop it first");
        for _ in 0..100 {
            if self.launch() {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("the ports of Dovecot are taken\n{}", self.log());
    }

    /// IMAP in clear and with STARTTLS.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// IMAP over TLS.
    pub fn tls_port(&self) -> u16 {
        self.tls_port
    }

    /// The authority that signed its certificate.
    pub fn ca_file(&self) -> PathBuf {
        self.dir.path().join("tls/ca.pem")
    }

    /// Process group of all its processes.
    pub fn process_group(&self) -> Option<u32> {
        self.master.as_ref().map(Child::id)
    }

    pub fn log(&self) -> String {
        ["stderr.log", "dovecot.log"]
            .map(|name| fs::read_to_string(self.dir.path().join(name)).unwrap_or_default())
            .concat()
    }

    /// The key by which it knows access tokens.
    pub fn token_key(&self) -> String {
        String::from_utf8(token_key(self.dir.path())).unwrap()
    }

    /// An access token that is valid for an hour.
    pub fn access_token(&self, user: &str) -> String {
        token::token(&token_key(self.dir.path()), user, 3600)
    }

    pub fn expired_access_token(&self, user: &str) -> String {
        token::token(&token_key(self.dir.path()), user, -600)
    }

    /// Puts a message into a folder (`INBOX`, `Kunden/Müller`), which is made if it is missing.
    /// UIDs follow the order of delivery.
    pub fn deliver(&self, user: &str, folder: &str, bytes: &[u8]) {
        self.deliver_as(user, folder, bytes, &Delivery::default());
    }

    pub fn deliver_as(&self, user: &str, folder: &str, bytes: &[u8], delivery: &Delivery) {
        self.place(user, folder, delivery, |path| fs::write(path, bytes).unwrap());
    }

    /// Like [`Self::deliver`], for a message that is too large to be held; the file is taken away.
    pub fn deliver_file(&self, user: &str, folder: &str, file: &Path) {
        self.place(user, folder, &Delivery::default(), |path| {
            fs::copy(file, path).unwrap();
            fs::remove_file(file).unwrap();
        });
    }

    fn place(&self, user: &str, folder: &str, delivery: &Delivery, write: impl FnOnce(&Path)) {
        let folder = self.create_folder(user, folder);
        let number = self.delivered.fetch_add(1, Ordering::Relaxed);
        let received = delivery.received.unwrap_or(FIRST_RECEIVED + 60 * number);
        // Dovecot numbers new files in the order of their names' first number.
        let name = format!("{}.M{number}P{}.test", FIRST_RECEIVED + number, std::process::id());
        let temporary = folder.join("tmp").join(&name);
        write(&temporary);
        let time = UNIX_EPOCH + Duration::from_secs(received);
        File::options().append(true).open(&temporary).unwrap().set_modified(time).unwrap();
        self.own(&temporary);
        let size = fs::metadata(&temporary).unwrap().len();
        fs::rename(&temporary, folder.join("cur").join(format!("{name},S={size}:2,{}", delivery.flags))).unwrap();
    }

    /// Makes a folder; returns its path in the Maildir.
    pub fn create_folder(&self, user: &str, folder: &str) -> PathBuf {
        let mailbox = self.dir.path().join("mail").join(user);
        let path = self.folder_path(user, folder);
        for dir in [mailbox, path.clone(), path.join("cur"), path.join("new"), path.join("tmp")] {
            if !dir.exists() {
                fs::create_dir(&dir).unwrap();
                self.own(&dir);
            }
        }
        path
    }

    fn folder_path(&self, user: &str, folder: &str) -> PathBuf {
        let mailbox = self.dir.path().join("mail").join(user);
        if folder == "INBOX" {
            return mailbox;
        }
        assert!(!folder.contains('.'), "Maildir++ separates levels by dots: {folder}");
        mailbox.join(format!(".{}", folder_name::to_wire(folder).replace('/', ".")))
    }

    /// Gives a file to the user that Dovecot opens mail as: whoever owns the folder of all Maildirs.
    fn own(&self, path: &Path) {
        let owner = fs::metadata(self.dir.path().join("mail")).unwrap();
        chown(path, Some(owner.uid()), Some(owner.gid())).unwrap();
    }

    /// Deletes a message from the server.
    pub fn remove(&self, user: &str, folder: &str, uid: u32) {
        let mut dialogue = self.select(user, folder);
        dialogue.ok(&format!("UID STORE {uid} +FLAGS.SILENT (\\Deleted)"));
        dialogue.ok(&format!("UID EXPUNGE {uid}"));
    }

    /// Moves a message to another folder of the same user, which is made if it is missing.
    pub fn move_message(&self, user: &str, from: &str, uid: u32, to: &str) {
        self.create_folder(user, to);
        self.select(user, from).ok(&format!("UID MOVE {uid} {}", quoted(&folder_name::to_wire(to))));
    }

    /// All messages of a folder in the order of their UIDs.
    pub fn messages(&self, user: &str, folder: &str) -> Vec<Message> {
        let mut dialogue = self.dialogue(user);
        dialogue.ok(&format!("EXAMINE {}", quoted(&folder_name::to_wire(folder))));
        let responses = dialogue.ok("UID FETCH 1:* (UID FLAGS INTERNALDATE BODY.PEEK[])");
        responses.into_iter().filter(|response| response.text.contains(" FETCH (")).map(message).collect()
    }

    pub fn uid_validity(&self, user: &str, folder: &str) -> u32 {
        let command = format!("STATUS {} (UIDVALIDITY)", quoted(&folder_name::to_wire(folder)));
        let responses = self.dialogue(user).ok(&command);
        let status = responses.iter().find(|response| response.text.starts_with("* STATUS")).unwrap();
        between(&status.text, "(UIDVALIDITY ", ")").parse().unwrap()
    }

    /// Makes the server forget its numbers: the folder gets another UIDVALIDITY, and its messages new UIDs from 1.
    pub fn change_uid_validity(&self, user: &str, folder: &str) {
        let before = self.uid_validity(user, folder);
        for dir in [self.folder_path(user, folder), self.folder_path(user, "INBOX")] {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap();
                let numbers = name == "dovecot-uidlist" || name.starts_with("dovecot.index");
                let in_folder = path.parent() == Some(&self.folder_path(user, folder));
                if numbers && in_folder || name.starts_with("dovecot.list.index") {
                    fs::remove_file(path).unwrap();
                }
            }
        }
        assert_ne!(self.uid_validity(user, folder), before, "the server kept its UIDVALIDITY");
    }

    /// A conversation with the server, logged in as `user`.
    pub fn dialogue(&self, user: &str) -> Dialogue {
        Dialogue::login(self.port, user, PASSWORD)
    }

    fn select(&self, user: &str, folder: &str) -> Dialogue {
        let mut dialogue = self.dialogue(user);
        dialogue.ok(&format!("SELECT {}", quoted(&folder_name::to_wire(folder))));
        dialogue
    }

    /// Starts it on the chosen ports and waits for its greeting; false if a port is taken.
    fn launch(&mut self) -> bool {
        static LAUNCHED: AtomicU64 = AtomicU64::new(0);
        let launched = LAUNCHED.fetch_add(1, Ordering::Relaxed);
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        let greeting = format!("Dovecot {}-{launched}-{since} of a test", std::process::id());
        let _ = fs::remove_file(self.dir.path().join("dovecot.log"));
        let mut command = Command::new(tool("dovecot.sh"));
        command.arg(self.dir.path()).args([self.port.to_string(), self.tls_port.to_string(), greeting.clone()]);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(File::create(self.dir.path().join("stderr.log")).unwrap());
        self.master = Some(command.process_group(0).spawn().unwrap());

        let end = Instant::now() + Duration::from_mins(1);
        while Instant::now() < end {
            if greets(self.port, &greeting) {
                return true;
            }
            if self.master.as_mut().unwrap().try_wait().unwrap().is_some() {
                self.stop();
                assert!(self.log().contains("Address already in use"), "Dovecot did not start\n{}", self.log());
                return false;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("Dovecot does not greet\n{}", self.log());
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        self.stop();
        if thread::panicking() {
            eprintln!("The log of Dovecot:\n{}", self.log());
        }
    }
}

/// Whether this very server answers there, not one of another test.
fn greets(port: u16, greeting: &str) -> bool {
    let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    // A line before may say that it is still waiting for its own processes.
    BufReader::new(stream).lines().map_while(Result::ok).any(|line| line.contains(greeting))
}

fn free_ports() -> (u16, u16) {
    let [one, other] = [(); 2].map(|()| TcpListener::bind(("127.0.0.1", 0)).unwrap());
    (one.local_addr().unwrap().port(), other.local_addr().unwrap().port())
}

/// Every server has its own, so that it refuses the tokens of others.
fn token_key(dir: &Path) -> Vec<u8> {
    format!("key of {}", dir.display()).into_bytes()
}

/// What a FETCH response shows of a message.
pub(super) fn message(mut response: super::dialogue::Response) -> Message {
    let bytes = response.literals.pop().unwrap_or_else(|| panic!("no body: {}", response.text));
    let flags = between(&response.text, "FLAGS (", ")").split_whitespace();
    // RFC 9051 pads the day with a space, Dovecot with a zero.
    let date = between(&response.text, "INTERNALDATE \"", "\"");
    let internal_date = date.strip_prefix(' ').map_or_else(|| date.to_owned(), |rest| format!("0{rest}"));
    Message {
        uid: between(&response.text, "UID ", " ").parse().unwrap(),
        sha256: sha256(&bytes),
        bytes,
        flags: flags.filter(|flag| *flag != "\\Recent").map(str::to_owned).collect(),
        internal_date,
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("no {start:?} in {text}"));
    rest.split_once(end).unwrap_or_else(|| panic!("no {end:?} in {text}")).0
}
