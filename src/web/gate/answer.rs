//! The head of the server's answer, on its way to the client.

/// The head for the client: without what the server says of itself and of its connection. `None` where it is not a sound head
/// of HTTP/1.1, so that nothing the server took over from a mail can pass for another field by its line end.
pub(super) fn for_client(head: &[u8]) -> Option<Vec<u8>> {
    let lines = head.strip_suffix(b"\r\n\r\n").filter(|lines| lines.starts_with(b"HTTP/1.1 "))?;
    let mut sound = Vec::with_capacity(head.len() + 32);
    for line in lines.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() || line.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
            return None;
        }
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        if !["server", "connection", "keep-alive"].iter().any(|dropped| name.eq_ignore_ascii_case(dropped.as_bytes())) {
            sound.extend_from_slice(line);
            sound.extend_from_slice(b"\r\n");
        }
    }
    sound.extend_from_slice(b"Connection: close\r\n\r\n");
    Some(sound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_does_not_say_what_it_is() {
        let head = b"HTTP/1.1 200 OK\r\nServer: x\r\nDate: now\r\nconnection: keep-alive\r\nA: \xc3\xa4\r\n\r\n";
        let expected = b"HTTP/1.1 200 OK\r\nDate: now\r\nA: \xc3\xa4\r\nConnection: close\r\n\r\n";
        assert_eq!(for_client(head).as_deref(), Some(&expected[..]));
    }

    #[test]
    fn a_broken_head_does_not_pass() {
        for broken in
            ["", "HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n", "HTTP/1.1 200 OK\r\nA: \0\r\n\r\n"]
        {
            assert_eq!(for_client(broken.as_bytes()), None, "{broken:?}");
        }
    }
}
