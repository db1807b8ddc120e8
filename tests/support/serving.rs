//! The real program serving pages.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::archivista::{Archivista, program};
use super::https::Https;

/// A person who is set up by [`Serving::set_up`].
pub const ADMINISTRATOR: (&str, &str) = ("anna", "Ein ganzer Satz ist gut.");

/// What that person writes into the page on which an archive is set up; the last one: whether everything may be read.
pub fn setup_fields(code: &str) -> [(&str, &str); 7] {
    let (name, password) = ADMINISTRATOR;
    [
        ("code", code),
        ("language", "en"),
        ("archive", "Muster AG"),
        ("user", name),
        ("password", password),
        ("again", password),
        ("reads_all", "1"),
    ]
}

/// `serve --listen`; ended when dropped.
pub struct Serving {
    child: Child,
    pub address: SocketAddr,
    /// Until somebody has set up the archive.
    pub setup_code: Option<String>,
    certificate: String,
}

impl Serving {
    /// Starts it on a free port, and returns when its pages can be asked for.
    pub fn start(archivista: &Archivista, arguments: &[&str]) -> Self {
        let mut child = Command::new(program())
            .arg("--data")
            .arg(archivista.data())
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(fs::OpenOptions::new().create(true).append(true).open(archivista.beside("serve.log")).unwrap())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let log = || fs::read_to_string(archivista.beside("serve.log")).unwrap_or_default();
        let mut line = || lines.next().unwrap_or_else(|| panic!("serve ended: {}", log())).unwrap();
        let address = line().strip_prefix("https://").expect("the address").parse().unwrap();
        let setup_code = match line().as_str() {
            "ready" => None,
            code => Some(code.strip_prefix("setup code: ").expect("the setup code").to_string()),
        };
        let certificate = fs::read_to_string(archivista.data().join("keys/tls.pem")).unwrap();
        Self { child, address, setup_code, certificate }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, once it has ended on its own.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    pub fn origin(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// Somebody who is not logged in.
    pub fn visitor(&self) -> Https {
        Https::new(self.address, &self.certificate)
    }

    /// Sets up the archive; the [`ADMINISTRATOR`], logged in.
    pub fn set_up(&self) -> Https {
        let mut browser = self.visitor();
        let fields = setup_fields(self.setup_code.as_deref().expect("nobody is set up yet"));
        let answer = browser.post("/setup", &fields);
        assert_eq!(answer.status, 303, "{}", answer.text());
        // What comes before the first source is another test's.
        let csrf = browser.get("/account").csrf();
        let answer = browser.post("/admin/recovery-sheet/later", &[("csrf", &csrf)]);
        assert_eq!(answer.status, 303, "{}", answer.text());
        browser
    }

    /// Somebody with this name and password, logged in.
    pub fn log_in(&self, name: &str, password: &str) -> Https {
        let mut browser = self.visitor();
        let answer = browser.post("/login", &[("user", name), ("password", password)]);
        assert_eq!(answer.status, 303, "{}", answer.text());
        browser
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).unwrap()),
            nix::sys::signal::Signal::SIGTERM,
        );
        let _ = self.child.wait();
    }
}

/// The page of a search, once the index covers everything.
pub fn covered(browser: &mut Https, target: &str) -> String {
    let since = Instant::now();
    loop {
        let page = browser.get(target).text();
        if !page.contains("has not read everything yet") {
            return page;
        }
        assert!(since.elapsed() < Duration::from_secs(500), "{page}");
        thread::sleep(Duration::from_millis(200));
    }
}
