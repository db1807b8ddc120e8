//! A session: commands and their answers, capabilities, the selected folder.

use std::time::{Duration, Instant};

use super::account::{AccessTokens, Account};
use super::connect::connect;
use super::lines::{Status, Verdict};
use super::login::login;
use super::names;
use super::stream::{Deaf, Ear, Stop, protocol};
use super::wire::{Handle, Wire, farewell};
use crate::pulse::Pulse;
use crate::source::{Folder, Result, SourceError};

/// The folder that is selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    /// What the server calls it.
    pub id: String,
    /// Selected by SELECT, not EXAMINE.
    pub writable: bool,
    /// 1 where the server names none: it promises nothing then, and a constant is the most that can be made of it.
    pub uid_validity: u32,
    /// One more than the highest UID; `None` where the server names none.
    pub uid_next: Option<u32>,
    pub exists: u32,
}

/// An account that is logged in.
pub struct Session {
    imap: imap::Session<Handle>,
    handle: Handle,
    /// Commands sent so far: the number in the tags of the crate.
    commands: u32,
    capabilities: Vec<String>,
    selected: Option<Selected>,
    /// Once the server was asked for it.
    prefix: Option<String>,
    /// When the last answer came.
    used: Instant,
}

impl Session {
    /// Connects and logs in. `connected` is told when the connection stands, and what protects it.
    pub fn open(
        account: &Account,
        tokens: Option<&mut (dyn AccessTokens + '_)>,
        pulse: &Pulse,
        patience: Duration,
        connected: &mut dyn FnMut(Option<&'static str>),
    ) -> Result<Self> {
        let (wire, protection) = connect(account, pulse, patience)?;
        connected(protection);
        let wire = ask_before_login(wire)?;
        let (imap, handle) = login(account, tokens, wire, pulse)?;
        let told = handle.wire().heard.capabilities.take();
        let mut session = Self {
            imap,
            handle,
            commands: 1,
            capabilities: Vec::new(),
            selected: None,
            prefix: None,
            used: Instant::now(),
        };
        let told = if let Some(told) = told {
            told
        } else {
            session.run("CAPABILITY", &mut Deaf)?;
            session.handle.wire().heard.capabilities.take().unwrap_or_default()
        };
        session.capabilities = told;
        Ok(session)
    }

    /// Whether the server offers a capability, written in upper case.
    pub fn can(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|offered| offered == capability)
    }

    /// What the names of one's own folders begin with (RFC 2342): `INBOX.` with Courier and Cyrus, mostly nothing.
    pub fn prefix(&mut self) -> Result<String> {
        if let Some(prefix) = &self.prefix {
            return Ok(prefix.clone());
        }
        if self.can("NAMESPACE") {
            self.run("NAMESPACE", &mut Deaf)?;
        }
        let prefix = self.handle.wire().heard.prefix.take().map(|prefix| names::decode(&prefix)).unwrap_or_default();
        self.prefix = Some(prefix.clone());
        Ok(prefix)
    }

    /// Whether the connection can still be used.
    pub fn is_dead(&self) -> bool {
        self.handle.wire().is_dead()
    }

    /// How long nothing was said.
    pub fn idle(&self) -> Duration {
        self.used.elapsed()
    }

    /// Runs a command and lets `ear` hear its answer.
    pub fn run(&mut self, command: &str, ear: &mut dyn Ear) -> Result<Status> {
        self.write(command)?;
        self.answer(ear)
    }

    /// Runs a command that has to succeed.
    pub fn demand(&mut self, command: &str, ear: &mut dyn Ear) -> Result<()> {
        let status = self.run(command, ear)?;
        demand(command, status)
    }

    /// Sends a command that ends in the announcement of a literal, and waits until the server wants it. `Err(status)`
    /// inside is the server's refusal.
    pub fn announce(&mut self, command: &str) -> Result<std::result::Result<(), Status>> {
        self.write(command)?;
        let stop = self.handle.wire().pump(&mut Deaf)?;
        match stop {
            Stop::Continue(_) => Ok(Ok(())),
            Stop::Tagged(tag, status) => self.tagged(&tag, status).map(Err),
            Stop::Greeting => Err(protocol("a second greeting")),
        }
    }

    /// Sends bytes of a literal.
    pub fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.handle.wire().send(bytes)
    }

    /// Waits for the end of the command.
    pub fn answer(&mut self, ear: &mut dyn Ear) -> Result<Status> {
        let stop = self.handle.wire().pump(ear)?;
        match stop {
            Stop::Tagged(tag, status) => self.tagged(&tag, status),
            Stop::Continue(_) | Stop::Greeting => Err(protocol("the server waits for something that nobody announced")),
        }
    }

    /// Arguments of COPYUID that the last command brought.
    pub fn copied(&mut self) -> Vec<String> {
        std::mem::take(&mut self.handle.wire().heard.copied)
    }

    /// Says goodbye without waiting for the answer.
    pub fn close(mut self) {
        if !self.is_dead() {
            let _ = self.write("LOGOUT");
        }
    }

    fn write(&mut self, command: &str) -> Result<()> {
        {
            let mut wire = self.handle.wire();
            wire.heard.copied.clear();
            // Between commands a server may have said goodbye.
            if let Some(bye) = &wire.heard.bye {
                return Err(farewell(bye));
            }
        }
        self.commands += 1;
        self.imap.run_command(command).map_err(|_| self.handle.wire().failure())
    }

    fn tagged(&mut self, tag: &str, status: Status) -> Result<Status> {
        self.used = Instant::now();
        if tag == format!("a{}", self.commands) { Ok(status) } else { Err(protocol("an answer to another command")) }
    }

    /// Selects a folder anew, so that its numbers are of now.
    pub fn select(&mut self, id: &str, writable: bool) -> Result<Selected> {
        let verb = if writable { "SELECT" } else { "EXAMINE" };
        let command = format!("{verb} {}", names::quoted(id)?);
        self.selected = None;
        self.handle.wire().heard.forget_folder();
        let status = self.run(&command, &mut Deaf)?;
        if status.verdict == Verdict::No && names_no_folder(&status) {
            return Err(SourceError::NoFolder { name: names::decode(id) });
        }
        demand(&command, status)?;
        let wire = self.handle.wire();
        if writable && wire.heard.read_only {
            return Err(SourceError::Refused { command: "SELECT".to_owned(), said: "READ-ONLY".to_owned() });
        }
        let selected = Selected {
            id: id.to_owned(),
            writable,
            uid_validity: wire.heard.uid_validity.unwrap_or(1),
            uid_next: wire.heard.uid_next.filter(|next| *next > 0),
            exists: wire.heard.exists,
        };
        drop(wire);
        self.selected = Some(selected.clone());
        Ok(selected)
    }

    /// Has a folder selected for reading, without asking again if it is.
    pub fn reading(&mut self, folder: &Folder) -> Result<Selected> {
        match &self.selected {
            Some(selected) if selected.id == folder.id && !selected.writable => Ok(selected.clone()),
            _ => self.select(&folder.id, false),
        }
    }
}

/// What a status other than OK means for a command that has to succeed.
pub fn demand(command: &str, status: Status) -> Result<()> {
    if status.verdict == Verdict::Ok {
        return Ok(());
    }
    if super::wire::is_busy(&status) {
        return Err(super::wire::busy(&status));
    }
    Err(SourceError::Refused { command: verb(command), said: status.said })
}

/// The words of a command without what it is about: folder names and sets are nobody's business in a message.
fn verb(command: &str) -> String {
    command.split(' ').take_while(|word| word.bytes().all(|c| c.is_ascii_uppercase())).collect::<Vec<_>>().join(" ")
}

fn names_no_folder(status: &Status) -> bool {
    const UNKNOWN: [&str; 5] = ["exist", "not found", "unknown", "no such", "invalid mailbox"];
    let said = status.said.to_ascii_lowercase();
    status.has_code("NONEXISTENT") || UNKNOWN.iter().any(|words| said.contains(words))
}

/// Some servers tell their capabilities in the greeting, some only when asked; the login depends on them.
fn ask_before_login(mut wire: Wire) -> Result<Wire> {
    if wire.heard.capabilities.is_none() {
        wire.send(b"c1 CAPABILITY\r\n")?;
        match wire.pump(&mut Deaf)? {
            Stop::Tagged(tag, _) if tag == "c1" => {}
            _ => return Err(protocol("an answer to CAPABILITY that is none")),
        }
    }
    Ok(wire)
}
