//! The child: reads files of strangers one after the other, bound before the first.
//!
//! What it may take is set by itself, since only then its own size is known. It has no environment, no descriptor but the socket to
//! its parent, opens no file and starts nothing. It lives until the parent goes or has nothing more to do for a while.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::{Resource, UsageWho, getrusage, setrlimit};
use nix::sys::time::TimeValLike;

use super::text::Text;
use super::{About, Unread, file, frame};
use crate::limits::{EXTRACT_CPU, EXTRACT_FILE, EXTRACT_FILES, EXTRACT_IDLE, EXTRACT_MEMORY, EXTRACT_TEXT};

/// Processor time that is never passed: that of all files, a second each for rounding.
const CPU: u64 = (EXTRACT_CPU + 1) * (EXTRACT_FILES as u64 + 1);
/// Standard input, output and error.
const DESCRIPTORS: u64 = 3;
/// What the program takes before it reads, where nobody says.
const OWN_SIZE: u64 = 64 * 1024 * 1024;
/// Steps in which room for a file is made.
const ROOM: usize = 4 * 1024 * 1024;

/// Reads files until nobody has one any more.
pub(crate) fn run() -> io::Result<()> {
    bind()?;
    // Nobody hears it.
    std::panic::set_hook(Box::new(|_| {}));
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    while has_work(&input)? {
        let Ok(media_type) = frame::word(&mut input) else { break };
        let (charset, name) = (frame::word(&mut input)?, frame::word(&mut input)?);
        allow_time()?;
        output.write_all(&[frame::READY])?;
        output.flush()?;
        let (bytes, is_longer) = take(&mut input)?;
        let about = About { media_type: &media_type, charset: &charset, name: &name };
        let mut text = Text::handed_on(EXTRACT_TEXT, &mut output);
        // A fault of a parser costs the file; where it aborts, the parent sees it.
        let read = catch_unwind(AssertUnwindSafe(|| file::read(bytes.into(), &about, is_longer, 0, &mut text)));
        let unread = read.unwrap_or(Err(Unread::Crashed)).err();
        let (_, cut) = text.finish();
        frame::end(&mut output, &[unread.map_or(0, Unread::code), cut.into()])?;
    }
    Ok(())
}

/// Waits for a file, not for long.
fn has_work(input: &io::StdinLock<'_>) -> io::Result<bool> {
    let patience = PollTimeout::try_from(EXTRACT_IDLE).unwrap_or(PollTimeout::MAX);
    Ok(poll(&mut [PollFd::new(input.as_fd(), PollFlags::POLLIN)], patience)? > 0)
}

/// Takes away all that reading a file does not need.
fn bind() -> io::Result<()> {
    close_inherited()?;
    let memory = own_size().unwrap_or(OWN_SIZE) + EXTRACT_MEMORY;
    setrlimit(Resource::RLIMIT_AS, memory, memory)?;
    setrlimit(Resource::RLIMIT_CPU, EXTRACT_CPU, CPU)?;
    setrlimit(Resource::RLIMIT_FSIZE, 0, 0)?;
    setrlimit(Resource::RLIMIT_NPROC, 0, 0)?;
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    setrlimit(Resource::RLIMIT_NOFILE, DESCRIPTORS, DESCRIPTORS)?;
    Ok(())
}

/// Closes what whoever started the parent had left open in it; its own descriptors are closed already.
fn close_inherited() -> io::Result<()> {
    let mut open: Vec<i32> = Vec::new();
    for entry in std::fs::read_dir("/proc/self/fd")? {
        open.extend(entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()));
    }
    // The folder itself was among them.
    for descriptor in open.into_iter().filter(|descriptor| *descriptor > 2) {
        let _ = nix::unistd::close(descriptor);
    }
    Ok(())
}

/// What this process has mapped, bytes.
fn own_size() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|size| size * 1024)
}

/// Processor time for one more file.
fn allow_time() -> io::Result<()> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let used = usage.user_time().num_seconds() + usage.system_time().num_seconds();
    let until = u64::try_from(used).unwrap_or(0) + 1 + EXTRACT_CPU;
    Ok(setrlimit(Resource::RLIMIT_CPU, until.min(CPU), CPU)?)
}

/// The file, and whether it is longer than what was handed over.
fn take(input: &mut impl Read) -> io::Result<(Vec<u8>, bool)> {
    let mut bytes = Vec::new();
    loop {
        let length = frame::length(input)?;
        if length == 0 {
            break;
        }
        let begin = bytes.len();
        if (begin + length) as u64 > EXTRACT_FILE {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if bytes.capacity() < begin + length {
            bytes.reserve_exact(ROOM);
        }
        bytes.resize(begin + length, 0);
        input.read_exact(&mut bytes[begin..])?;
    }
    let mut is_longer = [0];
    input.read_exact(&mut is_longer)?;
    Ok((bytes, is_longer[0] != 0))
}
