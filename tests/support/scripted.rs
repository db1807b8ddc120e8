//! A server of a few lines, for what Dovecot cannot be made to say.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// Says `greeting` to everybody, and to each line what `answer` makes of it; hangs up where that is `None`.
/// Returns its port on 127.0.0.1.
pub fn serve(greeting: &'static str, answer: impl Fn(&str) -> Option<String> + Send + 'static) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            // A client that hangs up in the middle is the test's business, not ours.
            let _ = converse(client, greeting, &answer);
        }
    });
    port
}

/// A server that greets and hangs up at the first line.
pub fn greeting_only(greeting: &'static str) -> u16 {
    serve(greeting, |_| None)
}

/// A port where nobody listens.
pub fn closed_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

fn converse(client: TcpStream, greeting: &str, answer: &impl Fn(&str) -> Option<String>) -> std::io::Result<()> {
    let mut out = client.try_clone()?;
    out.write_all(greeting.as_bytes())?;
    for line in BufReader::new(client).lines() {
        match answer(&line?) {
            Some(text) => out.write_all(text.as_bytes())?,
            None => break,
        }
    }
    Ok(())
}
