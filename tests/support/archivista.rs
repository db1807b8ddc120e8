//! The real program on a data folder of its own.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::definition::Definition;

/// No verb of a test takes this long: one that does hangs, and fails the test instead of stopping it.
const HANGS_AFTER: Duration = Duration::from_mins(10);

/// The program that is tested: the one that was built with the tests, or another build of it, by its absolute path in
/// `ARCHIVISTA_BINARY`. That may be a script too, as long as it becomes the program: tests kill what they started.
pub fn program() -> PathBuf {
    env::var_os("ARCHIVISTA_BINARY").map_or_else(|| env!("CARGO_BIN_EXE_archivista").into(), PathBuf::from)
}

/// A data folder, empty at first, removed at the end.
pub struct Archivista {
    dir: TempDir,
}

/// What a verb left behind.
#[derive(Debug)]
pub struct Output {
    /// `None` if a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    /// Most memory it ever held at once, in KiB; looked at every few milliseconds, so never too high.
    pub peak_memory: u64,
}

/// A verb that still runs; killed when dropped.
pub struct Running {
    child: Child,
    stdout: Option<JoinHandle<String>>,
    stderr: Option<JoinHandle<String>>,
    memory: Option<JoinHandle<()>>,
    peak_memory: Arc<AtomicU64>,
    ended: Arc<AtomicBool>,
    verb: String,
}

impl Archivista {
    pub fn new() -> Self {
        Self { dir: tempfile::Builder::new().prefix("archivista-").tempdir().unwrap() }
    }

    /// The data folder. It does not exist before the first verb.
    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// A path beside the data folder, for whatever a test needs.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs a verb to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.spawn(arguments).wait()
    }

    /// Runs a verb to its end, in the language of this locale.
    pub fn run_in(&self, locale: &str, arguments: &[&str]) -> Output {
        Running::start(&mut self.command(locale, arguments)).wait()
    }

    /// Starts a verb on the data folder, in English.
    pub fn spawn(&self, arguments: &[&str]) -> Running {
        Running::start(&mut self.command("en_US.UTF-8", arguments))
    }

    fn command(&self, locale: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.arg("--data").arg(self.data()).args(arguments);
        command.env_remove("LC_ALL").env_remove("LC_MESSAGES").env("LANG", locale);
        command
    }

    /// Adds a definition; it has to be accepted.
    pub fn define(&self, definition: &Definition) {
        let file = self.beside(&format!("{}.toml", definition.name));
        fs::write(&file, definition.toml()).unwrap();
        self.run(&["source", "add", file.to_str().unwrap()]).succeeded();
    }

    /// Fetches everything; all has to be explained.
    pub fn fetch(&self) -> Vec<Value> {
        self.run(&["fetch", "--json"]).succeeded().json_lines()
    }

    /// Fetches the only definition; all has to be explained.
    pub fn fetch_counts(&self) -> Counts {
        Counts::of(&self.run(&["fetch", "--json"]).succeeded())
    }

    /// All documents.
    pub fn list(&self) -> Vec<Value> {
        self.run(&["list", "--json"]).succeeded().json_lines()
    }

    /// Exports all documents: their bytes by number. Nothing but `N.eml` may be written.
    pub fn export(&self) -> BTreeMap<u64, Vec<u8>> {
        let out = tempfile::tempdir_in(self.dir.path()).unwrap();
        let to = out.path().join("out");
        self.run(&["export", "--all", "--format", "eml", "--out", to.to_str().unwrap()]).succeeded();
        let Ok(files) = fs::read_dir(&to) else { return BTreeMap::new() };
        let number = |path: &Path| path.file_name()?.to_str()?.strip_suffix(".eml")?.parse().ok();
        files
            .map(|file| file.unwrap().path())
            .map(|path| {
                (number(&path).unwrap_or_else(|| panic!("exported too: {}", path.display())), fs::read(&path).unwrap())
            })
            .collect()
    }

    /// Everything in the archive has to be whole.
    pub fn verify(&self) {
        self.run(&["verify"]).succeeded();
    }

    /// What `status` says of a folder of the only mailbox.
    pub fn folder_status(&self, folder: &str) -> Value {
        let status = self.run(&["status", "--json"]).json_lines().remove(0);
        let folders =
            status["definitions"].as_array().unwrap().iter().flat_map(|one| one["folders"].as_array().unwrap());
        let mut found = folders.filter(|one| one["folder"] == folder);
        found.next().unwrap_or_else(|| panic!("no {folder} in {status}")).clone()
    }
}

/// What one run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub archived: u64,
    pub same: u64,
    pub left_out: u64,
    pub failed: u64,
}

impl Counts {
    /// Of the only run that a `fetch --json` tells of.
    ///
    /// # Panics
    /// If there are several, or the sum is wrong, or something has no outcome.
    pub fn of(output: &Output) -> Self {
        let runs = output.json_lines();
        assert_eq!(runs.len(), 1, "{output:?}");
        let number = |key: &str| runs[0][key].as_u64().unwrap_or_else(|| panic!("{key} in {output:?}"));
        let counts = Self {
            archived: number("archived"),
            same: number("same"),
            left_out: number("left_out"),
            failed: number("failed"),
        };
        assert_eq!(number("seen"), counts.archived + counts.same + counts.left_out + counts.failed, "{output:?}");
        assert_eq!(number("unexplained"), 0, "{output:?}");
        // What is recognised by its id is not downloaded.
        assert!(number("bytes") > 0 || counts.archived == 0, "{output:?}");
        counts
    }

    pub fn archived(archived: u64) -> Self {
        Self { archived, ..Self::default() }
    }

    pub fn same(same: u64) -> Self {
        Self { same, ..Self::default() }
    }
}

impl Output {
    /// # Panics
    /// Unless the verb ended with 0.
    pub fn succeeded(self) -> Self {
        self.ended_with(0)
    }

    /// # Panics
    /// Unless the verb ended with this code.
    pub fn ended_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// One value per line of standard output.
    pub fn json_lines(&self) -> Vec<Value> {
        let value = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.stdout.lines().map(value).collect()
    }
}

impl Running {
    pub fn start(command: &mut Command) -> Self {
        let verb = format!("{command:?}");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let peak_memory = Arc::new(AtomicU64::new(0));
        let ended = Arc::new(AtomicBool::new(false));
        let memory = {
            let (pid, peak_memory, ended) = (child.id(), Arc::clone(&peak_memory), Arc::clone(&ended));
            thread::spawn(move || {
                while !ended.load(Ordering::Relaxed) {
                    peak_memory.fetch_max(of_status(pid, "VmHWM"), Ordering::Relaxed);
                    thread::sleep(Duration::from_millis(3));
                }
            })
        };
        Self {
            stdout: Some(reader(child.stdout.take().unwrap())),
            stderr: Some(reader(child.stderr.take().unwrap())),
            memory: Some(memory),
            child,
            peak_memory,
            ended,
            verb,
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Kills it without a chance to tidy up, like a power cut as far as the program can tell.
    pub fn kill(mut self) -> Output {
        self.child.kill().unwrap();
        self.wait()
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Output {
        let started = Instant::now();
        let mut pause = Duration::from_millis(1);
        let status: ExitStatus = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(started.elapsed() < HANGS_AFTER, "it hangs: {}", self.verb);
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        };
        self.ended.store(true, Ordering::Relaxed);
        self.memory.take().unwrap().join().unwrap();
        Output {
            code: status.code(),
            stdout: self.stdout.take().unwrap().join().unwrap(),
            stderr: self.stderr.take().unwrap().join().unwrap(),
            peak_memory: self.peak_memory.load(Ordering::Relaxed),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A figure of a process (`VmHWM`, `VmRSS`), in KiB; 0 once it has ended.
pub fn of_status(pid: u32, key: &str) -> u64 {
    let status = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    line.and_then(|value| value.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0)
}

fn reader(mut stream: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    })
}
