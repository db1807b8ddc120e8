//! `password`: a new password for an administrator who cannot log in, as the console of a box gives one.

use super::terminal::Terminal;
use super::{Exit, Session};
use crate::settings::rescue;
use crate::web::session::setup_code;

/// Sessions of the user end by themselves: they were begun with another password.
pub fn run(session: &Session<'_>, terminal: &mut dyn Terminal) -> anyhow::Result<Exit> {
    let password = setup_code()?;
    let Some(rescued) = rescue::let_in(session.archive, &password)? else {
        terminal.log("Nobody is set up yet: use the setup code that `serve` shows.");
        return Ok(Exit::Trouble);
    };
    terminal.line(&format!("{}: {password}", rescued.user.name))?;
    terminal.log(if rescued.only_from_private_networks {
        "The archive is public: administrators log in from private networks only."
    } else {
        "Administrators log in from everywhere."
    });
    Ok(Exit::Fine)
}
