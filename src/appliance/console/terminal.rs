//! A terminal: lines come from it, text goes to it. It never keeps its thread waiting for long.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::termios::{
    ControlFlags, FlushArg, InputFlags, LocalFlags, OutputFlags, SetArg, SpecialCharacterIndices, Termios, tcflush,
    tcgetattr, tcsetattr,
};

use super::super::shared::Shared;
use crate::limits::{CONSOLE_INPUT, CONSOLE_WRITE};
use crate::pulse::Pulse;

/// On a screen the old text goes and umlauts are shown; a serial line gets plain ASCII, one text after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Screen,
    Serial,
}

/// UTF-8, no colours, an empty screen, begin at its top.
const CLEAR: &str = "\x1b%G\x1b[0m\x1b[2J\x1b[H";
/// No character: in the place of those that would mean something to the terminal's driver.
const NO_CHARACTER: u8 = 0;
const NAP: Duration = Duration::from_millis(500);

pub struct Terminal<I, O> {
    input: I,
    output: O,
    style: Style,
    /// Lines that are whole, and the beginning of the next one.
    typed: Vec<u8>,
    /// The end of a line that was too long is passed over.
    is_too_long: bool,
    after_return: bool,
}

impl<I: Read + AsFd, O: Write> Terminal<I, O> {
    pub fn new(input: I, output: O, style: Style) -> Self {
        Self { input, output, style, typed: Vec::new(), is_too_long: false, after_return: false }
    }

    /// A line without its end, control characters and spaces around it; `None` where none came in this time. A line that
    /// is too long is cut.
    pub fn line(&mut self, patience: Duration) -> io::Result<Option<String>> {
        if let Some(line) = self.whole_line() {
            return Ok(Some(line));
        }
        let patience = PollTimeout::try_from(patience).unwrap_or(PollTimeout::ZERO);
        match poll(&mut [PollFd::new(self.input.as_fd(), PollFlags::POLLIN)], patience) {
            Ok(0) | Err(nix::errno::Errno::EINTR) => return Ok(None),
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        let mut bytes = [0; CONSOLE_INPUT];
        let length = match self.input.read(&mut bytes) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(length) => length,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => return Ok(None),
            Err(error) => return Err(error),
        };
        for byte in &bytes[..length] {
            self.take(*byte);
        }
        Ok(self.whole_line())
    }

    /// Shows text; lines end with `\n`.
    pub fn show(&mut self, text: &str) -> io::Result<()> {
        let text: String = text.chars().flat_map(|c| shown(c, self.style)).collect();
        self.output.write_all(text.as_bytes())?;
        self.output.flush()
    }

    /// Takes away what is there, where that can be.
    pub fn clear(&mut self) -> io::Result<()> {
        self.output.write_all(if self.style == Style::Screen { CLEAR.as_bytes() } else { b"\n\n" })
    }

    /// Forgets what was typed before a question was asked.
    pub fn forget_typed(&mut self) {
        self.typed.clear();
    }

    fn take(&mut self, byte: u8) {
        let follows_return = std::mem::replace(&mut self.after_return, byte == b'\r');
        if matches!(byte, b'\r' | b'\n') {
            // Both together are one end; what was cut off ends here too.
            if !(byte == b'\n' && follows_return) {
                self.typed.push(b'\n');
            }
            self.is_too_long = false;
            return;
        }
        let begun = self.typed.iter().rev().take_while(|byte| **byte != b'\n').count();
        self.is_too_long |= begun >= CONSOLE_INPUT;
        if !self.is_too_long {
            self.typed.push(byte);
        }
    }

    fn whole_line(&mut self) -> Option<String> {
        let end = self.typed.iter().position(|byte| *byte == b'\n')?;
        let line: Vec<u8> = self.typed.drain(..=end).collect();
        let text = String::from_utf8_lossy(&line);
        Some(text.chars().filter(|c| !c.is_control()).collect::<String>().trim().into())
    }
}

/// A character as the terminal shows it: one place wide, and no control of it.
fn shown(c: char, style: Style) -> impl Iterator<Item = char> {
    let ascii = match (c, style) {
        ('\n' | ' '..='~', _) => "",
        ('\u{a1}'..='\u{ff}', Style::Screen) if c != '\u{ad}' => "",
        ('ä', _) => "ae",
        ('ö', _) => "oe",
        ('ü', _) => "ue",
        ('Ä', _) => "Ae",
        ('Ö', _) => "Oe",
        ('Ü', _) => "Ue",
        _ => "?",
    };
    ascii.chars().chain(ascii.is_empty().then_some(c))
}

/// The role on one terminal device. A device without a terminal behind it (the kernel names serial ports that a machine lacks)
/// is left alone.
pub fn run_tty(shared: &Shared, path: &Path, pulse: &Pulse) -> io::Result<()> {
    let flags = OFlag::O_NOCTTY | OFlag::O_NONBLOCK;
    let tty = OpenOptions::new().read(true).write(true).custom_flags(flags.bits()).open(path)?;
    let Ok(mut termios) = tcgetattr(&tty) else {
        while pulse.go_on().is_ok() {
            std::thread::sleep(NAP);
        }
        return Ok(());
    };
    make_sane(&mut termios);
    tcsetattr(&tty, SetArg::TCSANOW, &termios)?;
    let is_screen = path.file_name().is_some_and(|name| name == "tty1");
    let style = if is_screen { Style::Screen } else { Style::Serial };
    let ended = super::run(shared, tty.try_clone()?, Patient(tty.try_clone()?), style, pulse);
    // Else closing it may wait for a line that takes nothing.
    let _ = tcflush(&tty, FlushArg::TCIOFLUSH);
    ended
}

/// Lines are edited and shown by the driver; nobody can stop the output or send signals, nor does a line need a modem.
fn make_sane(termios: &mut Termios) {
    let unwanted = InputFlags::IXON | InputFlags::IXOFF | InputFlags::IXANY | InputFlags::ISTRIP | InputFlags::INLCR;
    termios.input_flags.remove(unwanted | InputFlags::IGNCR);
    termios.input_flags.insert(InputFlags::ICRNL | InputFlags::IGNBRK | InputFlags::IUTF8);
    termios.output_flags.insert(OutputFlags::OPOST | OutputFlags::ONLCR);
    termios.control_flags.remove(ControlFlags::CRTSCTS);
    termios.control_flags.insert(ControlFlags::CLOCAL | ControlFlags::CREAD);
    termios.local_flags.remove(LocalFlags::ISIG);
    let editing = LocalFlags::ECHO | LocalFlags::ECHOE | LocalFlags::ECHOK;
    termios.local_flags.insert(LocalFlags::ICANON | LocalFlags::IEXTEN | editing);
    // Otherwise Ctrl+D looks like a terminal that is gone.
    termios.control_chars[SpecialCharacterIndices::VEOF as usize] = NO_CHARACTER;
}

/// A terminal that takes no more for a while loses what is written then.
struct Patient(File);

impl Write for Patient {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let since = Instant::now();
        loop {
            match self.0.write(bytes) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let left = CONSOLE_WRITE.saturating_sub(since.elapsed());
                    if left.is_zero() {
                        return Ok(bytes.len());
                    }
                    let left = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
                    let _ = poll(&mut [PollFd::new(self.0.as_fd(), PollFlags::POLLOUT)], left);
                }
                other => return other,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8]) -> Vec<String> {
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(input).unwrap();
        drop(writer);
        let mut terminal = Terminal::new(reader, io::sink(), Style::Serial);
        let mut lines = Vec::new();
        loop {
            match terminal.line(NAP) {
                Ok(line) => lines.extend(line),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
                    return lines;
                }
            }
        }
    }

    #[test]
    fn lines_come_whole_and_bounded() {
        assert_eq!(lines(b"1\n  yes \r\n\r\n2\rja\n"), ["1", "yes", "", "2", "ja"]);
        assert_eq!(lines(b"unfinished"), [""; 0]);
        assert_eq!(lines(b"a\x1b[Ab\x07\xff\n"), ["a[Ab\u{fffd}"]);
        let long = [vec![b'x'; 100_000], b"\nnext\n".to_vec()].concat();
        // A pipe holds 64 KiB: the writer goes on while the terminal reads.
        let (reader, mut writer) = io::pipe().unwrap();
        let writing = std::thread::spawn(move || writer.write_all(&long).unwrap());
        let mut terminal = Terminal::new(reader, io::sink(), Style::Serial);
        let mut got = Vec::new();
        while got.len() < 2 {
            got.extend(terminal.line(NAP).unwrap());
            assert!(terminal.typed.len() <= 2 * CONSOLE_INPUT + 2);
        }
        writing.join().unwrap();
        assert_eq!(got, ["x".repeat(CONSOLE_INPUT), "next".into()]);
    }

    #[test]
    fn a_serial_line_gets_ascii_and_a_screen_its_umlauts() {
        let text = "für Ärger\u{1b}[2J\u{202e}日本\u{ad}\u{9b}\n";
        let all = |style| text.chars().flat_map(|c| shown(c, style)).collect::<String>();
        assert_eq!(all(Style::Serial), "fuer Aerger?[2J?????\n");
        assert_eq!(all(Style::Screen), "für Ärger?[2J?????\n");
    }
}
