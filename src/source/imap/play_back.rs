//! Play back: a message returns to a folder by APPEND (RFC 9051, 6.3.12), streamed.

use std::io::Read;

use super::lines::Verdict;
use super::session::{Session, demand};
use super::stream::Deaf;
use super::{dates, folders, names};
use crate::source::{Arrival, Result, SourceError};

/// Bytes that are sent at once.
const CHUNK: usize = 64 * 1024;

/// Appends exactly `len` bytes of `raw` to the folder that a person calls `folder`, which is made if it is missing.
/// After an error the session is of no more use.
pub fn play_back(
    session: &mut Session,
    folder: &str,
    raw: &mut dyn Read,
    len: u64,
    arrival: Option<&Arrival>,
) -> Result<()> {
    let id = folders::find_or_make(session, folder)?;
    let command = command(&id, len, arrival)?;
    let mut answer = session.announce(&command)?;
    if let Err(status) = &answer
        && status.has_code("TRYCREATE")
    {
        folders::make(session, &id)?;
        answer = session.announce(&command)?;
    }
    if let Err(status) = answer {
        // An OK without the message is no success.
        let verdict = if status.verdict == Verdict::Ok { Verdict::Bad } else { status.verdict };
        return demand(&command, super::lines::Status { verdict, ..status });
    }
    stream(session, raw, len)?;
    session.send(b"\r\n")?;
    let status = session.answer(&mut Deaf)?;
    demand(&command, status)
}

fn command(id: &str, len: u64, arrival: Option<&Arrival>) -> Result<String> {
    let name = names::quoted(id)?;
    let flags: Vec<&str> = arrival
        .map(|arrival| arrival.flags.iter().map(String::as_str).filter(|flag| may_be_set(flag)).collect())
        .unwrap_or_default();
    let date = arrival
        .and_then(|arrival| arrival.received)
        .and_then(dates::format)
        .map(|date| format!(" \"{date}\""))
        .unwrap_or_default();
    Ok(format!("APPEND {name} ({}){date} {{{len}}}", flags.join(" ")))
}

/// `\Recent` is the server's own; `\Deleted` would throw away what was just put back. A keyword has to be an atom.
fn may_be_set(flag: &str) -> bool {
    const SYSTEM: [&str; 4] = ["\\Seen", "\\Answered", "\\Flagged", "\\Draft"];
    let is_keyword = !flag.is_empty() && flag.bytes().all(|c| c.is_ascii_graphic() && !b"(){%*\"\\]".contains(&c));
    is_keyword || SYSTEM.iter().any(|known| known.eq_ignore_ascii_case(flag))
}

fn stream(session: &mut Session, raw: &mut dyn Read, len: u64) -> Result<()> {
    let bad = |detail: &str| SourceError::File { path: "the message".to_owned(), detail: detail.to_owned() };
    let mut buffer = vec![0; CHUNK];
    let mut left = len;
    while left > 0 {
        let most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let room = buffer.get_mut(..most).unwrap_or_default();
        match raw.read(room) {
            Ok(0) => return Err(bad("it is shorter than announced")),
            Ok(read) => {
                session.send(room.get(..read).unwrap_or_default())?;
                left = left.saturating_sub(read as u64);
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(bad(&error.to_string())),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::sets::remote_id;
    use super::*;

    #[test]
    fn commands() {
        let arrival = |flags: &[&str], received| Arrival {
            id: remote_id(1, 1),
            received,
            flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
            reconstructed: false,
        };
        let mixed =
            arrival(&["\\Seen", "\\recent", "\\Deleted", "$Label1", "a b", "x\r\ny", "\\Bogus", ""], Some(837_596_665));
        assert_eq!(
            command("A \"b\"", 3, Some(&mixed)).unwrap(),
            "APPEND \"A \\\"b\\\"\" (\\Seen $Label1) \"17-Jul-1996 09:44:25 +0000\" {3}"
        );
        assert_eq!(command("A", 3, Some(&arrival(&[], None))).unwrap(), "APPEND \"A\" () {3}");
        assert_eq!(command("A", 3, None).unwrap(), "APPEND \"A\" () {3}");
    }
}
