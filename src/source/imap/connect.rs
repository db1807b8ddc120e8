//! From an account to a connection that has greeted: encryption, STARTTLS, the greeting.

use std::time::Duration;

use super::account::{Account, Encryption};
use super::lines::Verdict;
use super::stream::{Deaf, Stop, protocol};
use super::wire::{Wire, busy, is_busy};
use crate::pulse::Pulse;
pub use crate::source::socket::Socket;
use crate::source::socket::tls_config;
use crate::source::{Result, SourceError};

/// Connects as the account says, and reads the greeting. `patience` is how long the server may stay silent.
/// Returns the wire, and what protects it.
pub fn connect(account: &Account, pulse: &Pulse, patience: Duration) -> Result<(Wire, Option<&'static str>)> {
    let socket = Socket::dial(&account.server, account.port, pulse, patience)?;
    let wire = match account.encryption {
        Encryption::Tls => {
            let mut wire = Wire::new(protect(account, socket)?);
            greet(account, &mut wire)?;
            wire
        }
        Encryption::None => {
            let mut wire = Wire::new(socket);
            greet(account, &mut wire)?;
            wire
        }
        Encryption::StartTls => start_tls(account, Wire::new(socket))?,
    };
    let protection = wire.protection();
    Ok((wire, protection))
}

fn protect(account: &Account, socket: Socket) -> Result<Socket> {
    socket.into_tls(&account.server, account.port, tls_config(&account.server, account.ca_pem.as_deref())?)
}

/// Reads the greeting (RFC 9051, 7.1).
fn greet(account: &Account, wire: &mut Wire) -> Result<()> {
    let not_imap = |wire: &Wire| SourceError::NotImap {
        server: account.server.clone(),
        port: account.port,
        said: wire.first_words(),
    };
    match wire.pump(&mut Deaf) {
        Ok(Stop::Greeting) => {}
        Ok(_) | Err(SourceError::Protocol { .. }) => return Err(not_imap(wire)),
        Err(error) => return Err(error),
    }
    let Some(greeting) = &wire.heard.greeting else { return Err(not_imap(wire)) };
    match greeting.verdict {
        Verdict::Ok => Ok(()),
        // Who is turned away at the door is one too many, whatever words are used.
        Verdict::Bye => Err(SourceError::Busy { said: greeting.said.clone(), crowded: true }),
        _ if is_busy(greeting) => Err(busy(greeting)),
        // Logged in before we said who we are: nobody knows whose mail this is; in front of STARTTLS it is an attack
        // (RFC 9051, 11.1).
        Verdict::PreAuth => Err(SourceError::Unsupported { what: "a login of our own (PREAUTH)".to_owned() }),
        Verdict::No | Verdict::Bad => Err(not_imap(wire)),
    }
}

/// Asks for TLS. Nothing that was said before counts after it, and nothing may wait in between (CVE-2011-0411).
fn start_tls(account: &Account, mut wire: Wire) -> Result<Wire> {
    greet(account, &mut wire)?;
    wire.send(b"s1 STARTTLS\r\n")?;
    match wire.pump(&mut Deaf)? {
        Stop::Tagged(tag, status) if tag == "s1" && status.verdict == Verdict::Ok => {}
        Stop::Tagged(..) => return Err(SourceError::NoStartTls { server: account.server.clone() }),
        Stop::Continue(_) | Stop::Greeting => return Err(protocol("an answer to STARTTLS that is none")),
    }
    if !wire.is_drained() {
        return Err(protocol("words in front of the encryption that was agreed"));
    }
    Ok(Wire::after_greeting(protect(account, wire.into_socket())?))
}
