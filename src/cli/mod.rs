//! The verbs of the command line, one file each. `archivista help` is the reference.
//!
//! A verb that needs the archive is a [`Request`]: it is carried out by `serve` through `DATA/control.sock` while that
//! runs, and by this process otherwise, by the same functions ([`Request::run`]). Files that a person names are read and
//! written by the process that the person started.

mod args;
pub mod export;
pub mod fetch;
pub mod list;
pub mod mailtest;
pub mod password;
pub mod proof;
mod rebuild;
mod recover;
mod retention;
pub mod serve;
pub mod source;
pub mod status;
pub mod terminal;
pub mod verify;

use std::path::Path;

use anyhow::Context;
use nix::sys::resource::{Resource, setrlimit};
use serde::{Deserialize, Serialize};

use crate::appliance::supervise;
use crate::archive::start::Paths;
use crate::archive::{Archive, ArchiveError};
use crate::control;
use crate::extract::worker;
use crate::fetch::Fetcher;
use crate::pulse::Pulse;
use crate::search::Index;
use crate::settings::{self, Definition};
use crate::verification::Verifier;
use args::{Command, Local};
use terminal::{Console, Terminal};

/// How a verb ends; the exit code of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All explained.
    Fine = 0,
    /// Something is unexplained, damaged, or did not work.
    Trouble = 1,
    /// The command line makes no sense.
    Usage = 2,
}

/// What a verb works with.
pub struct Session<'a> {
    pub archive: &'a Archive,
    pub fetcher: &'a Fetcher,
    pub verifier: &'a Verifier,
    pub index: &'a Index,
    pub pulse: &'a Pulse,
}

impl Session<'_> {
    /// The definitions that can be opened. What is wrong with another one is told, and shows in the exit code.
    fn definitions(&self, terminal: &mut dyn Terminal) -> anyhow::Result<(Vec<Definition>, Exit)> {
        let (mut good, mut exit) = (Vec::new(), Exit::Fine);
        for definition in settings::definitions(self.archive)? {
            match definition {
                Ok(definition) => good.push(definition),
                Err(error) => {
                    terminal.log(&error.to_string());
                    exit = Exit::Trouble;
                }
            }
        }
        Ok((good, exit))
    }
}

/// A verb that needs the archive.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Request {
    SourceAdd { definition: Box<Definition> },
    SourceList { json: bool },
    SourceTest { name: String, json: bool },
    SourceRemove { name: String },
    SourceEnd { name: String, is_ended: bool },
    Switch { from: String, to: String },
    Fetch { name: Option<String>, reconcile: bool, json: bool },
    Cancel { name: String },
    Pause { is_paused: bool },
    Status { json: bool },
    List { query: String, json: bool },
    Export { numbers: Vec<u64>, zip: bool },
    Verify { quick: bool, json: bool },
    Proof,
    RebuildCatalog,
    RebuildSearch,
    Retention { dry_run: bool, json: bool },
    Password,
}

impl Request {
    /// Done at once, so that it waits for none of those that take long: it may be about one of them.
    pub fn is_brief(&self) -> bool {
        matches!(self, Self::Cancel { .. } | Self::Pause { .. })
    }

    /// Carries the verb out on an open archive.
    pub fn run(&self, session: &Session<'_>, terminal: &mut dyn Terminal) -> anyhow::Result<Exit> {
        match self {
            Self::SourceAdd { definition } => source::add(session, definition, terminal),
            Self::SourceList { json } => source::list(session, *json, terminal),
            Self::SourceTest { name, json } => source::test(session, name, *json, terminal),
            Self::SourceEnd { name, is_ended } => source::end(session, name, *is_ended, terminal),
            Self::SourceRemove { name } => source::remove(session, name, terminal),
            Self::Switch { from, to } => source::switch(session, from, to, terminal),
            Self::Fetch { name, reconcile, json } => fetch::run(session, name.as_deref(), *reconcile, *json, terminal),
            Self::Cancel { name } => fetch::cancel(session, name, terminal),
            Self::Pause { is_paused } => fetch::pause(session, *is_paused, terminal),
            Self::Status { json } => status::run(session, *json, terminal),
            Self::List { query, json } => list::run(session, query, *json, terminal),
            Self::Export { numbers, zip: false } => export::run(session, numbers, terminal),
            Self::Export { numbers, zip: true } => export::zip(session, numbers, terminal),
            Self::Verify { quick, json } => verify::run(session, *quick, *json, terminal),
            Self::Proof => proof::run(session, terminal),
            Self::RebuildCatalog => rebuild::run(session, terminal),
            Self::RebuildSearch => rebuild::search(session, terminal),
            Self::Retention { dry_run: false, json } => retention::run(session, *json, terminal),
            Self::Retention { dry_run: true, json } => retention::dry_run(session, *json, terminal),
            Self::Password => password::run(session, terminal),
        }
    }
}

/// Reads the command line, does what it says, and returns the exit code.
pub fn main() -> std::process::ExitCode {
    // Passwords and keys are in memory; they must not end up in a core file. Where this fails there is nothing better.
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    let exit = match args::parse(std::env::args_os().skip(1)) {
        Ok(Command { data, local: Some(local), .. }) => run_local(&data, local),
        Ok(Command { data, request: Some(request), out, .. }) => {
            let mut console = Console::new(out);
            let exit = run_request(&data, &request, &mut console);
            exit.and_then(|exit| console.finish().map(|()| exit).context("standard output"))
        }
        Ok(_) => Ok(Exit::Usage),
        Err(error) => {
            terminal::remark(&format!("archivista: {error:#}\nTry `archivista help`."));
            return (Exit::Usage as u8).into();
        }
    };
    match exit {
        Ok(exit) => (exit as u8).into(),
        Err(error) => {
            terminal::remark(&format!("archivista: {error:#}"));
            (Exit::Trouble as u8).into()
        }
    }
}

fn run_local(data: &Path, local: Local) -> anyhow::Result<Exit> {
    match local {
        Local::Help(text) => {
            terminal::print(text)?;
            Ok(Exit::Fine)
        }
        Local::Serve(listen) => serve::run(data, &listen),
        Local::Supervise => supervise::run().map(|()| Exit::Fine),
        Local::Recover => recover::run(data),
        Local::Extract => worker::run().map(|()| Exit::Fine).context("reading attachments"),
        Local::Mailtest { source, json } => mailtest::run(*source, json, &mut Console::new(None)),
    }
}

fn run_request(data: &Path, request: &Request, console: &mut Console) -> anyhow::Result<Exit> {
    let paths = Paths::new(data);
    if let Some(exit) = control::ask(&paths.control, request, console)? {
        return Ok(exit);
    }
    let pulse = Pulse::new();
    // `verify` never heals, so it must not open; `rebuild catalog` must work where opening does not.
    if let Request::Verify { quick, json } = request {
        return verify::run_closed(&paths, *quick, *json, console);
    }
    let archive = match Archive::open(data, &pulse) {
        Err(error) if matches!(request, Request::RebuildCatalog) && !matches!(error, ArchiveError::InUse { .. }) => {
            return rebuild::run_closed(&paths, &pulse, console);
        }
        opened => opened?,
    };
    for finding in archive.findings().lines() {
        console.log(&finding);
    }
    let (fetcher, verifier) = (Fetcher::default(), Verifier::default());
    let index = Index::new(paths.search.clone());
    let session = Session { archive: &archive, fetcher: &fetcher, verifier: &verifier, index: &index, pulse: &pulse };
    request.run(&session, console)
}
