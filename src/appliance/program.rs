//! Small programs of the box that are run to their end: never through a shell, never for long.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::limits::BOX_PROGRAM_TIME;
use crate::pulse::Pulse;

const LOOK: Duration = Duration::from_millis(10);
/// Bytes of what a program complains of that are kept.
const COMPLAINT: usize = 300;

/// A command with nothing of our own around it: no descriptors, no environment but where programs are.
pub fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.env_clear().env("PATH", "/sbin:/usr/sbin:/bin:/usr/bin");
    command
}

/// Runs a program to its end; an error says what it complained of.
pub fn run(program: &Path, arguments: &[impl AsRef<OsStr>], pulse: &Pulse) -> io::Result<()> {
    let mut child = command(program).args(arguments).stderr(Stdio::piped()).spawn()?;
    let status = wait(&mut child, BOX_PROGRAM_TIME, pulse)?;
    if status.is_some_and(|status| status.success()) {
        return Ok(());
    }
    let how = if let Some(status) = status {
        format!("{status} {}", child.stderr.take().map(complaint).unwrap_or_default())
    } else {
        child.kill()?;
        child.wait()?;
        "it took too long".into()
    };
    let arguments: Vec<_> = arguments.iter().map(|word| word.as_ref().to_string_lossy()).collect();
    Err(io::Error::other(format!("{}: {how}", arguments.join(" "))))
}

/// What is in the pipe; without waiting, since a child of the program may keep it open.
fn complaint(mut stderr: ChildStderr) -> String {
    let mut text = [0; COMPLAINT];
    let is_there = poll(&mut [PollFd::new(stderr.as_fd(), PollFlags::POLLIN)], PollTimeout::ZERO);
    let length = if is_there.is_ok_and(|count| count > 0) { stderr.read(&mut text).unwrap_or(0) } else { 0 };
    String::from_utf8_lossy(&text[..length]).trim().into()
}

/// Waits for the end of a child for so long at most, beating the pulse.
pub fn wait(child: &mut Child, patience: Duration, pulse: &Pulse) -> io::Result<Option<ExitStatus>> {
    let since = Instant::now();
    loop {
        let status = child.try_wait()?;
        if status.is_some() || since.elapsed() >= patience {
            return Ok(status);
        }
        pulse.beat();
        std::thread::sleep(LOOK);
    }
}
