//! `proof FOLDER`: the whole proof, for somebody who trusts neither the box nor this program.

use std::io;

use super::terminal::Terminal;
use super::{Exit, Session};
use crate::proof::export;
use crate::settings::users::CONSOLE;

/// Signs what is not signed yet, and writes all files. What does not fit is named, and the rest is written all the same.
pub fn run(session: &Session<'_>, terminal: &mut dyn Terminal) -> anyhow::Result<Exit> {
    let given = export::hand_out(session.archive, CONSOLE, session.pulse, &mut |name, file| {
        let filled = terminal.file(name, &mut |out| Ok(io::copy(&mut file.reader()?, out).map(drop)?));
        filled.map_err(io::Error::other)
    })?;
    for (number, what) in &given.wrong {
        terminal.log(&format!("! checkpoint {number}: {what}"));
    }
    let said = match given.last {
        1 => "1 checkpoint is written".to_owned(),
        last => format!("{last} checkpoints are written"),
    };
    terminal.log(&format!("{said}, {} of them wrong.", given.wrong.len()));
    Ok(if given.wrong.is_empty() { Exit::Fine } else { Exit::Trouble })
}
