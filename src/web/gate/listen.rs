//! Listening sockets: from an address as a person writes it to a socket, or a sentence that says what to do.

use std::io;
use std::net::{SocketAddr, TcpListener};

use super::GateError;

/// The first port that everybody may use.
const FIRST_FREE_PORT: u16 = 1024;

/// Binds `address` (`0.0.0.0:8443`, `[::]:443`, which also hears IPv4).
pub fn bind(address: &str) -> Result<TcpListener, GateError> {
    let wrong = || GateError::Address { address: address.to_owned() };
    let parsed: SocketAddr = address.parse().map_err(|_| wrong())?;
    let port = parsed.port();
    TcpListener::bind(parsed).map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => GateError::InUse { address: address.to_owned(), port },
        io::ErrorKind::PermissionDenied if port < FIRST_FREE_PORT => {
            GateError::NotAllowed { address: address.to_owned(), port }
        }
        io::ErrorKind::AddrNotAvailable => GateError::NotHere { address: address.to_owned() },
        _ => GateError::Listen { address: address.to_owned(), source },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_bound_is_explained() {
        let first = bind("127.0.0.1:0").unwrap();
        let taken = first.local_addr().unwrap().to_string();
        assert!(matches!(bind(&taken), Err(GateError::InUse { .. })));
        assert!(matches!(bind("localhost"), Err(GateError::Address { .. })));
        assert!(matches!(bind("192.0.2.1:0"), Err(GateError::NotHere { .. })));
    }
}
