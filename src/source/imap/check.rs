//! The connection test up to the subject of the first message, in the product's words.

use mail_parser::MessageParser;

use super::account::Account;
use super::fetch_line::Fetched;
use super::session::Session;
use super::stream::Ear;
use crate::source::error::words;
use crate::source::{Passed, Result};

/// Bytes of the subject that are read.
const SUBJECT: usize = 16 * 1024;

/// What the account is told when the connection stands.
pub fn connected(account: &Account, protection: Option<&'static str>) -> Passed {
    Passed::Connected { server: account.server.clone(), port: account.port, protection }
}

/// The steps after the login.
pub fn inbox(account: &Account, session: &mut Session, passed: &mut dyn FnMut(Passed)) -> Result<()> {
    passed(Passed::LoggedIn);
    passed(Passed::Mailbox { resource: account.user.clone() });
    let selected = session.select("INBOX", false)?;
    passed(Passed::Inbox { resource: "INBOX".to_owned(), messages: Some(selected.exists.into()) });
    if selected.exists == 0 {
        passed(Passed::InboxEmpty);
        return Ok(());
    }
    let mut header = Header(Vec::new());
    session.demand("FETCH 1 (BODY.PEEK[HEADER.FIELDS (SUBJECT)])", &mut header)?;
    passed(Passed::Subject(subject(&header.0)));
    Ok(())
}

struct Header(Vec<u8>);

impl Ear for Header {
    fn begin(&mut self, _so_far: &Fetched, _len: u64) -> Result<bool> {
        Ok(true)
    }

    fn data(&mut self, bytes: &[u8]) -> Result<()> {
        let room = SUBJECT.saturating_sub(self.0.len());
        self.0.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        Ok(())
    }
}

fn subject(header: &[u8]) -> String {
    let message = MessageParser::default().parse_headers(header);
    words(message.as_ref().and_then(|message| message.subject()).unwrap_or_default().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects() {
        assert_eq!(subject(b"Subject: Offerte\r\n\r\n"), "Offerte");
        assert_eq!(subject(b"Subject: =?UTF-8?Q?Gr=C3=BCezi?=\r\n =?UTF-8?Q?_mitenand?=\r\n\r\n"), "Grüezi mitenand");
        assert_eq!(subject(b"\r\n"), "");
        assert_eq!(subject(b""), "");
    }
}
