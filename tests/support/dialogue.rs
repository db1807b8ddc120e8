//! IMAP spoken by hand over plain TCP, so that what a test knows of a server does not come from the client under test.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

pub struct Dialogue {
    server: BufReader<TcpStream>,
    commands: u32,
}

/// One response, with its literals taken out: `{5}` stays in the text, the five bytes are in `literals`.
#[derive(Debug)]
pub struct Response {
    pub text: String,
    pub literals: Vec<Vec<u8>>,
}

impl Dialogue {
    /// Connects and waits for the greeting.
    pub fn connect(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        // A server that falls silent fails the test instead of stopping it.
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        let mut dialogue = Self { server: BufReader::new(stream), commands: 0 };
        let greeting = dialogue.response();
        assert!(greeting.text.starts_with("* OK"), "{greeting:?}");
        dialogue
    }

    pub fn login(port: u16, user: &str, password: &str) -> Self {
        let mut dialogue = Self::connect(port);
        dialogue.ok(&format!("LOGIN {} {}", quoted(user), quoted(password)));
        dialogue
    }

    /// Sends a command; returns all responses, the tagged one last and without its tag (`OK ...`, `NO ...`, `BAD ...`).
    pub fn command(&mut self, command: &str) -> Vec<Response> {
        self.commands += 1;
        let tag = format!("t{} ", self.commands);
        write!(self.server.get_mut(), "{tag}{command}\r\n").unwrap();
        let mut responses = Vec::new();
        loop {
            let mut response = self.response();
            if let Some(result) = response.text.strip_prefix(&tag) {
                response.text = result.to_string();
                responses.push(response);
                return responses;
            }
            if response.text.starts_with('+') {
                // Our commands are whole: whatever else the server asks for gets an empty answer.
                self.server.get_mut().write_all(b"\r\n").unwrap();
            }
            responses.push(response);
        }
    }

    /// Sends a command that has to succeed.
    pub fn ok(&mut self, command: &str) -> Vec<Response> {
        let responses = self.command(command);
        assert!(responses.last().unwrap().text.starts_with("OK"), "{command}: {:?}", responses.last());
        responses
    }

    /// Appends a message to a folder, given as a string of a command; `how` is its flags and date.
    pub fn append(&mut self, folder: &str, how: &str, bytes: &[u8]) {
        self.commands += 1;
        let tag = format!("t{} ", self.commands);
        write!(self.server.get_mut(), "{tag}APPEND {folder} {how} {{{}}}\r\n", bytes.len()).unwrap();
        loop {
            let response = self.response();
            if response.text.starts_with('+') {
                self.server.get_mut().write_all(&[bytes, b"\r\n"].concat()).unwrap();
            }
            if let Some(result) = response.text.strip_prefix(&tag) {
                assert!(result.starts_with("OK"), "APPEND {folder}: {result}");
                return;
            }
        }
    }

    fn response(&mut self) -> Response {
        let mut text = Vec::new();
        let mut literals = Vec::new();
        loop {
            assert_ne!(self.server.read_until(b'\n', &mut text).unwrap(), 0, "the server hung up");
            let line = text.strip_suffix(b"\r\n").unwrap();
            let Some(length) = literal_length(line) else { break };
            text.truncate(text.len() - 2);
            let mut literal = vec![0; length];
            self.server.read_exact(&mut literal).unwrap();
            literals.push(literal);
        }
        text.truncate(text.len() - 2);
        Response { text: String::from_utf8_lossy(&text).into_owned(), literals }
    }
}

impl Drop for Dialogue {
    fn drop(&mut self) {
        // Until the server has hung up it may still be writing its index.
        let _ = write!(self.server.get_mut(), "bye LOGOUT\r\n");
        let _ = self.server.read_to_end(&mut Vec::new());
    }
}

pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn literal_length(line: &[u8]) -> Option<usize> {
    let open = line.strip_suffix(b"}")?.iter().rposition(|byte| *byte == b'{')?;
    std::str::from_utf8(&line[open + 1..line.len() - 1]).ok()?.parse().ok()
}
