//! What a verb tells the person who started it: results, remarks, progress, files.

use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::fetch::progress::{Progress, Watch};
use crate::limits::MAILBOXES_PER_RUN;
use crate::pulse::Pulse;

/// Fills a file; an error leaves none behind.
pub type Fill<'a> = dyn FnMut(&mut dyn Write) -> anyhow::Result<()> + 'a;

/// Where a verb's words go: this process's console, or through the control socket to another one's.
pub trait Terminal: Send {
    /// A line of the result.
    fn line(&mut self, text: &str) -> io::Result<()>;
    /// A remark for a person.
    fn log(&mut self, text: &str);
    /// How far it is. An error says that nobody listens any more.
    fn progress(&mut self, progress: &Progress) -> io::Result<()>;
    /// A file in the folder that the person named, or in one below it. It appears whole or not at all.
    fn file(&mut self, name: &str, fill: &mut Fill<'_>) -> anyhow::Result<()>;
}

/// Shows a run of the fetch loop on a terminal, and ends the run when nobody is there to see it.
pub struct Watching<'a> {
    pub terminal: &'a mut dyn Terminal,
    pub pulse: &'a Pulse,
}

impl Watch for Watching<'_> {
    fn progress(&mut self, progress: &Progress) {
        if self.terminal.progress(progress).is_err() {
            self.pulse.cancel();
        }
    }

    fn tell(&mut self, line: &str) {
        self.terminal.log(line);
    }
}

/// Prints a text to standard output; a reader that left is no error here.
pub fn print(text: &str) -> io::Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// A line on standard error, wherever that leads.
pub fn remark(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// The console of this process.
pub struct Console {
    out: BufWriter<io::Stdout>,
    /// Folder for files.
    folder: Option<PathBuf>,
    reader_is_gone: bool,
    bar: Option<ProgressBar>,
    is_terminal: bool,
    /// Where each mailbox is that is worked, the one that moved last at the end.
    last: Vec<Progress>,
    said: Option<Instant>,
}

/// Time between two lines of progress where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

impl Console {
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self {
            out: BufWriter::new(io::stdout()),
            folder,
            reader_is_gone: false,
            bar: None,
            is_terminal: io::stderr().is_terminal(),
            last: Vec::new(),
            said: None,
        }
    }

    /// Shows what is still to be shown. A result that could not be written (a full disk) is an error.
    pub fn finish(&mut self) -> io::Result<()> {
        self.leave();
        let flushed = self.out.flush();
        self.unless_gone(flushed)
    }

    /// Whoever read our output may have seen enough (`list | head`): the verb goes on, and its exit code stays its own.
    fn unless_gone(&mut self, result: io::Result<()>) -> io::Result<()> {
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.reader_is_gone = true;
                Ok(())
            }
            result => result,
        }
    }

    /// All places that were shown are done.
    fn leave(&mut self) {
        for place in std::mem::take(&mut self.last) {
            self.done(&place);
        }
    }

    /// Says how a place ended.
    fn done(&mut self, place: &Progress) {
        if self.is_terminal {
            let bar = self.bar.take().unwrap_or_else(bar);
            fill(&bar, place);
            bar.finish();
        } else if let Some(line) = line(place) {
            remark(&line);
        }
    }
}

/// Mailbox of a definition, and its folder.
fn place(progress: &Progress) -> Option<((&str, &str), &str)> {
    match progress {
        Progress::Folder { definition, mailbox, folder, .. } => Some(((definition, mailbox), folder)),
        Progress::Ended => None,
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    // The template is ours, so it is valid.
    match ProgressStyle::with_template("{prefix} {wide_bar} {pos} of {len} {msg}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn fill(bar: &ProgressBar, progress: &Progress) {
    if let Progress::Folder { mailbox, folder, done, of, bytes, seconds, .. } = progress {
        bar.set_prefix(format!("{mailbox} {folder}"));
        bar.set_length(*of);
        bar.set_position(*done);
        bar.set_message(rates(*done, *of, *bytes, *seconds));
    }
}

/// Time left at the rate so far, seconds.
#[expect(clippy::cast_precision_loss, reason = "an estimate for people")]
fn left(done: u64, of: u64, seconds: f64) -> Option<f64> {
    (done > 0 && of > done).then(|| seconds / done as f64 * (of - done) as f64)
}

fn bytes(count: u64) -> String {
    indicatif::DecimalBytes(count).to_string()
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "for people")]
fn rates(done: u64, of: u64, received: u64, seconds: f64) -> String {
    let rate = bytes((received as f64 / seconds.max(0.001)) as u64);
    let mut text = format!("{}, {rate}/s", bytes(received));
    if let Some(left) = left(done, of, seconds) {
        text += &format!(", {left:.0} s left");
    }
    text
}

fn line(progress: &Progress) -> Option<String> {
    match progress {
        Progress::Folder { mailbox, folder, done, of, bytes, seconds, .. } if *of > 0 => {
            Some(format!("{mailbox} {folder}: {done} of {of}, {}", rates(*done, *of, *bytes, *seconds)))
        }
        _ => None,
    }
}

impl Terminal for Console {
    fn line(&mut self, text: &str) -> io::Result<()> {
        if self.reader_is_gone {
            return Ok(());
        }
        let written = self.out.write_all(text.as_bytes()).and_then(|()| self.out.write_all(b"\n"));
        self.unless_gone(written)
    }

    fn log(&mut self, text: &str) {
        let _ = self.out.flush();
        match &self.bar {
            Some(bar) => bar.suspend(|| remark(text)),
            None => remark(text),
        }
    }

    fn progress(&mut self, progress: &Progress) -> io::Result<()> {
        let Some((mailbox, folder)) = place(progress) else {
            self.leave();
            return Ok(());
        };
        if matches!(progress, Progress::Folder { of: 0, .. }) {
            return Ok(());
        }
        // Several mailboxes move at a time; a folder of one is done when that goes on to another one.
        let known = self.last.iter().position(|last| place(last).is_some_and(|(other, _)| other == mailbox));
        let before = known.map(|known| self.last.remove(known));
        if before.is_none() && self.last.len() >= MAILBOXES_PER_RUN {
            // It has not moved for longest.
            let ended = self.last.remove(0);
            self.done(&ended);
        }
        let is_same = before.as_ref().and_then(place).is_some_and(|(_, other)| other == folder);
        if let Some(ended) = before.filter(|_| !is_same) {
            self.done(&ended);
        }
        if !is_same && self.last.is_empty() {
            self.said = Some(Instant::now());
        }
        if self.is_terminal {
            let bar = self.bar.get_or_insert_with(bar);
            fill(bar, progress);
        } else if self.said.is_none_or(|said| said.elapsed() >= LINE_EVERY) {
            self.said = Some(Instant::now());
            if let Some(line) = line(progress) {
                remark(&line);
            }
        }
        self.last.push(progress.clone());
        Ok(())
    }

    fn file(&mut self, name: &str, fill: &mut Fill<'_>) -> anyhow::Result<()> {
        let whole = self.folder.as_deref().unwrap_or(Path::new(".")).join(name);
        let folder = whole.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)
            .map_err(|error| anyhow::anyhow!("the folder {} cannot be made: {error}", folder.display()))?;
        let part = folder.join(format!(".{}.part", name.rsplit('/').next().unwrap_or(name)));
        let wrong = |error: io::Error| anyhow::anyhow!("{} cannot be written: {error}", whole.display());
        let mut out = BufWriter::new(File::create(&part).map_err(wrong)?);
        let filled = fill(&mut out).and_then(|()| out.flush().map_err(wrong));
        let done = filled.and_then(|()| fs::rename(&part, &whole).map_err(wrong));
        if done.is_err() {
            let _ = fs::remove_file(&part);
        }
        done
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        let _ = self.finish();
    }
}
