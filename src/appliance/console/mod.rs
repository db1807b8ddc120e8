//! The console: the screen and keyboard of the box, and its serial lines. Whoever sits at it owns the machine and need not log in.
//!
//! A calm screen says how the box is, painted again when that changed; a menu does the few things that a person needs when no
//! browser gets there. Whole lines are read, so that it works on any terminal.
//!
//! - `terminal`: a device that lines come from and text goes to; `screen`: the state of the box as text; `menu`: the dialogues

mod menu;
mod screen;
mod terminal;

use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::shared::Shared;
use crate::limits::{BOX_SYSFS, CONSOLE_PROGRESS};
use crate::pulse::Pulse;
use menu::{Leave, Menu};
use terminal::Terminal;
pub use terminal::{Style, run_tty};

/// How soon a change is shown.
const LOOK: Duration = Duration::from_millis(500);

/// The role: shows the state and carries dialogues until it is asked to end. Ends with an error when the terminal is gone.
pub fn run(
    shared: &Shared,
    input: impl Read + AsFd,
    output: impl Write,
    style: Style,
    pulse: &Pulse,
) -> io::Result<()> {
    let mut terminal = Terminal::new(input, output, style);
    let mut shown: Option<Shown> = None;
    while pulse.go_on().is_ok() {
        let state = shared.state();
        let next = Shown { text: screen::text(&state), calm: screen::calm(&state), at: Instant::now() };
        if shown.as_ref().is_none_or(|shown| next.is_due(shown, style)) {
            terminal.clear()?;
            terminal.show(&next.text)?;
            shown = Some(next);
        }
        let Some(line) = terminal.line(LOOK)? else { continue };
        match (Menu { shared, terminal: &mut terminal, pulse }).choose(&line) {
            Ok(()) | Err(Leave::Back | Leave::Ended) => shown = None,
            Err(Leave::Gone(error)) => return Err(error),
        }
    }
    Ok(())
}

/// What stands on the terminal.
struct Shown {
    text: String,
    /// Without what changes all the time.
    calm: String,
    at: Instant,
}

impl Shown {
    /// Whether this is to be shown in the place of what is there. A serial line keeps a record of all that it was sent: mere
    /// progress is shown there once in a while.
    fn is_due(&self, shown: &Self, style: Style) -> bool {
        self.text != shown.text
            && (style == Style::Screen
                || self.calm != shown.calm
                || self.at.duration_since(shown.at) >= CONSOLE_PROGRESS)
    }
}

/// The devices that have a console: the screen, and each serial line that the kernel was told to use as one.
pub fn ttys(sysfs: &Path, dev: &Path) -> Vec<PathBuf> {
    let mut active = String::new();
    let file = fs::File::open(sysfs.join("class/tty/console/active"));
    let _ = file.and_then(|file| file.take(BOX_SYSFS).read_to_string(&mut active));
    let is_serial = |name: &str| {
        ["ttyS", "ttyAMA", "hvc"].iter().any(|kind| {
            name.strip_prefix(kind).is_some_and(|number| {
                (1..=3).contains(&number.len()) && number.bytes().all(|digit| digit.is_ascii_digit())
            })
        })
    };
    let mut found = Vec::new();
    for name in ["tty1"].into_iter().chain(active.split_ascii_whitespace().filter(|name| is_serial(name))) {
        let place = dev.join(name);
        if place.exists() && !found.contains(&place) {
            found.push(place);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consoles_are_the_screen_and_the_serial_lines_of_the_kernel() {
        let folder = tempfile::tempdir().unwrap();
        let (sysfs, dev) = (folder.path().join("sys"), folder.path().join("dev"));
        fs::create_dir_all(sysfs.join("class/tty/console")).unwrap();
        fs::create_dir_all(&dev).unwrap();
        let names = || {
            let found = ttys(&sysfs, &dev);
            found.iter().map(|place| place.file_name().unwrap().to_str().unwrap().to_string()).collect::<Vec<_>>()
        };
        assert!(names().is_empty());
        for name in ["tty1", "tty0", "ttyS0", "ttyS1", "ttyAMA0", "hvc0", "ttyUSB0"] {
            fs::write(dev.join(name), "").unwrap();
        }
        assert_eq!(names(), ["tty1"]);
        let active = sysfs.join("class/tty/console/active");
        fs::write(&active, "tty0 ttyS0\n").unwrap();
        assert_eq!(names(), ["tty1", "ttyS0"]);
        fs::write(&active, "ttyS0 ttyS0 hvc0 ttyAMA0 ttyUSB0 ttyS9 ttyS ttyS../x tty1\n").unwrap();
        assert_eq!(names(), ["tty1", "ttyS0", "hvc0", "ttyAMA0"]);
    }
}
