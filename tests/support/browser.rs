//! Flows of `tests/browser/flows/` in a real browser.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use serde_json::{Value, json};

/// A flow that needs longer hangs: it is stopped, and tells where it was.
const HANGS_AFTER: Duration = Duration::from_mins(6);
/// What a stopped flow has for its last picture.
const LAST_WORDS: Duration = Duration::from_secs(15);

/// What a flow printed, and whether it passed.
#[derive(Debug)]
pub struct Told {
    pub passed: bool,
    pub words: String,
}

/// Runs `flows/NAME.mjs` on this origin. `more` is an object with whatever else the flow reads from `t.config`;
/// `also`, `width`, `theme` and `language` in it are understood by every flow.
///
/// # Panics
/// If it fails, with what it printed; or if node, Chromium or their packages are not there.
pub fn flow(name: &str, origin: &str, more: &Value) {
    let told = try_flow(name, origin, more, HANGS_AFTER);
    println!("{}", told.words);
    assert!(told.passed, "the flow {name} failed:\n{}", told.words);
}

/// The same; a flow may fail, and is stopped after `hangs_after`.
pub fn try_flow(name: &str, origin: &str, more: &Value, hangs_after: Duration) -> Told {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR"));
    let installed = tree.join("target/tools/browser/installed");
    assert!(installed.is_file(), "{} is missing; run: make tools", installed.display());
    let mut config = more.as_object().cloned().unwrap_or_default();
    config.insert("origin".to_owned(), json!(origin));
    let flow: PathBuf = tree.join("tests/browser/flows").join(format!("{name}.mjs"));
    assert!(flow.is_file(), "there is no flow {}", flow.display());
    // Whatever a browser that had to be killed leaves behind goes with this.
    let temporary = tempfile::Builder::new().prefix("archivista-flow-").tempdir().unwrap();
    let mut command = Command::new("node");
    command
        .arg(tree.join("tests/browser/run.mjs"))
        .arg(&flow)
        .arg(Value::Object(config).to_string())
        .env("TMPDIR", temporary.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let mut child = command.spawn().unwrap_or_else(|error| panic!("node: {error}; run: make tools"));
    let (stdout, stderr) = (reader(child.stdout.take().unwrap()), reader(child.stderr.take().unwrap()));
    let pid = Pid::from_raw(child.id().cast_signed());
    let started = Instant::now();
    let mut asked = false;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if started.elapsed() > hangs_after && !asked {
            asked = true;
            let _ = kill(pid, Signal::SIGTERM);
        }
        if started.elapsed() > hangs_after + LAST_WORDS {
            // The browser ends by itself when the other end of its pipe is gone.
            let _ = killpg(pid, Signal::SIGKILL);
        }
        thread::sleep(Duration::from_millis(20));
    };
    let words = stdout.join().unwrap() + &stderr.join().unwrap();
    Told { passed: status.success(), words }
}

fn reader(mut stream: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
