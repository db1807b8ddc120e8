//! `recover`: takes the archive key from its recovery sheet, where it is missing. The words come from the terminal, or from a pipe.

use std::io::{self, BufRead, IsTerminal, Read};
use std::path::Path;

use zeroize::Zeroizing;

use super::Exit;
use super::terminal::{print, remark};
use crate::archive::Archive;
use crate::archive::recovery::{self, Recovery, WORDS, digits};
use crate::archive::start::Paths;
use crate::limits::RECOVERY_TEXT;
use crate::pulse::Pulse;
use crate::settings::users::CONSOLE;

pub fn run(data: &Path) -> anyhow::Result<Exit> {
    // All that can be refused is refused before somebody types.
    let paths = Paths::new(data);
    let recovery = Recovery::begin(&paths)?;
    let archive = recovery.archive();
    remark(&match archive {
        Some(archive) => format!("The packs in {} belong to the archive {}.", data.display(), digits(&archive)),
        None => format!(
            "There is no pack with a whole head in {} yet: the words cannot be held against one.",
            data.display()
        ),
    });
    let stdin = io::stdin();
    let words = if stdin.is_terminal() { typed(&mut stdin.lock())? } else { piped(&mut stdin.lock())? };
    recovery.with(&words, CONSOLE)?;
    print("The key is back.\n")?;
    if archive.is_none() {
        print(&format!(
            "Now put the packs of the archive into {}, before anything else is done with this folder; then prove that all is there: archivista verify\n",
            paths.packs.display()
        ))?;
        return Ok(Exit::Fine);
    }
    // The journal is told by opening; what else opening finds is for `verify` to say.
    let exit = match Archive::open(data, &Pulse::new()) {
        Ok(_) => Exit::Fine,
        Err(error) => {
            remark(&format!("The archive cannot be opened all the same: {error}"));
            Exit::Trouble
        }
    };
    print("Now prove that all is there: archivista verify\n")?;
    Ok(exit)
}

fn piped(from: &mut impl Read) -> io::Result<Zeroizing<String>> {
    let mut words = Zeroizing::new(String::new());
    from.take(RECOVERY_TEXT).read_to_string(&mut words)?;
    Ok(words)
}

/// Line by line, until all words are there or an empty line says that there are no more.
fn typed(from: &mut impl BufRead) -> io::Result<Zeroizing<String>> {
    remark(&format!("Type the {WORDS} words of the recovery sheet, as many on a line as you like:"));
    let mut words = Zeroizing::new(String::new());
    while recovery::split(&words).count() < WORDS {
        let mut line = Zeroizing::new(String::new());
        from.by_ref().take(RECOVERY_TEXT).read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(wrong) = recovery::split(&line).find(|typed| recovery::word(typed).is_none()) {
            remark(&format!("{wrong:?} is not in the list of words: type this line again, as it stands on the sheet."));
            continue;
        }
        words.push_str(&line);
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_a_slip_is_typed_again() {
        let line = "abandon ability able about above absent\n";
        let text = [line, "1. absorb 2. hose\n", line, line, line, "zoo\n"].concat();
        let words = typed(&mut text.as_bytes()).unwrap();
        assert_eq!(*words, line.repeat(4));
        assert_eq!(*typed(&mut "zoo\n\nzoo\n".as_bytes()).unwrap(), "zoo\n");
        assert_eq!(*typed(&mut "".as_bytes()).unwrap(), "");
    }
}
