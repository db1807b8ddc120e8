//! A scripted server plays Entra ID and Microsoft Graph with the dialogues of `tests/graph_dialogues/`.
//!
//! A dialogue is a text file:
//! - `# …` is a comment, `tenant …` changes the tenant (`number=N`, `all`, `mailboxes=a,b`, `secret=…`)
//! - `! …` is what the source is asked to do, one after the other; `! slow …` also tells the whole seconds that it took
//! - `> METHOD PATH` is the request that has to come next, `>h NAME: VALUE` a header that it has to have, `>b …` its body
//! - `< STATUS` is the answer, `<h NAME: VALUE` a header of it, `<b …` its body (`\r \n \\ \xNN` are bytes), lines are joined;
//!   `<endless` sends it without telling its end, then closes the connection;
//!   `<cut N` announces N bytes more than it sends and closes the connection, `<chunked` sends it without a length
//! - `@token` is a login that succeeds; `{G}` is the address of the server
//! - `= …` is what has to come out, line by line; `=~ …` a part of a line
//!
//! Every request to Graph has to ask for immutable ids, to carry the latest token and an id of its own.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use archivista::language::Lang;
use archivista::pulse::Pulse;
use archivista::source::graph::{Credential, GraphSource, Mailboxes, Pace, Tenant};
use archivista::source::{
    After, Arrival, Cursor, Folder, MailSource, Mailbox, Missing, RemoteId, Role, Sink, SourceError, Step,
};
use zeroize::Zeroizing;

#[derive(Clone, Debug, Default)]
struct Turn {
    request: String,
    wants: Vec<String>,
    wants_body: Option<Vec<u8>>,
    status: String,
    headers: Vec<String>,
    body: Vec<u8>,
    cut: Option<usize>,
    chunked: bool,
    endless: bool,
    is_login: bool,
}

#[derive(Default)]
struct Dialogue {
    turns: VecDeque<Turn>,
    wishes: Vec<String>,
    outcome: Vec<String>,
    tenant: Vec<String>,
}

fn bytes(text: &str) -> Vec<u8> {
    let (mut out, mut chars) = (Vec::new(), text.chars());
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.extend(c.to_string().bytes());
            continue;
        }
        match chars.next().expect("an escape ends") {
            'r' => out.push(b'\r'),
            'n' => out.push(b'\n'),
            'x' => {
                let hex: String = chars.by_ref().take(2).collect();
                out.push(u8::from_str_radix(&hex, 16).expect("two hexadecimal digits"));
            }
            '\\' => out.push(b'\\'),
            // JSON's own escapes need no second backslash.
            other => out.extend([b'\\', u8::try_from(other).expect("ASCII")]),
        }
    }
    out
}

fn parse(text: &str, base: &str) -> Dialogue {
    let mut dialogue = Dialogue::default();
    for line in text.lines() {
        let line = line.replace("{G}", base);
        let (key, rest) = line.split_once(' ').unwrap_or((line.as_str(), ""));
        let turns = &mut dialogue.turns;
        match key {
            "" | "#" => {}
            "tenant" => dialogue.tenant.push(rest.to_owned()),
            "!" => dialogue.wishes.push(rest.to_owned()),
            "=" | "=~" => dialogue.outcome.push(line.clone()),
            "@token" => turns.push_back(Turn { is_login: true, ..Turn::default() }),
            ">" => turns.push_back(Turn { request: rest.to_owned(), ..Turn::default() }),
            key => {
                let turn = turns.back_mut().unwrap_or_else(|| panic!("{line:?} stands before the first request"));
                match key {
                    ">h" => turn.wants.push(rest.to_owned()),
                    ">b" => turn.wants_body = Some(bytes(rest)),
                    "<" => rest.clone_into(&mut turn.status),
                    "<h" => turn.headers.push(rest.to_owned()),
                    "<b" => turn.body.extend(bytes(rest)),
                    "<cut" => turn.cut = Some(rest.parse().unwrap()),
                    "<chunked" => turn.chunked = true,
                    "<endless" => turn.endless = true,
                    _ => panic!("what is {line:?}?"),
                }
            }
        }
    }
    dialogue
}

/// What is left to be said, and what went wrong.
#[derive(Default)]
struct Script {
    turns: VecDeque<Turn>,
    logins: usize,
    wrong: Vec<String>,
}

fn serve(listener: &TcpListener, script: &Arc<Mutex<Script>>) {
    for stream in listener.incoming() {
        let script = script.clone();
        thread::spawn(move || {
            let stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            while let Ok(true) = answer(&mut reader, &stream, &script) {}
        });
    }
}

/// Answers one request; whether the connection stays open.
fn answer(reader: &mut BufReader<TcpStream>, mut stream: &TcpStream, script: &Mutex<Script>) -> io::Result<bool> {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(false);
        }
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let header = |name: &str| {
        head.iter()
            .filter_map(|line| line.split_once(": "))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, v)| v)
    };
    let length: usize = header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let request = head[0].trim_end_matches(" HTTP/1.1").to_owned();
    let mut script = script.lock().unwrap();
    let turn = script.turns.pop_front().unwrap_or_default();
    if turn.is_login {
        script.logins += 1;
        let text = String::from_utf8_lossy(&body).into_owned();
        let scope = format!("scope=http%3A%2F%2F{}%2F.default", header("host").unwrap().replace(':', "%3A"));
        for part in ["grant_type=client_credentials", "client_id=app", "client_secret=s%26cret", &scope] {
            if !text.contains(part) {
                script.wrong.push(format!("the login {text:?} lacks {part}"));
            }
        }
        if request != "POST /t.example/oauth2/v2.0/token" {
            script.wrong.push(format!("{request} instead of a login"));
        }
        let json = format!(r#"{{"token_type":"Bearer","expires_in":3599,"access_token":"T{}"}}"#, script.logins);
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{json}",
            json.len()
        )?;
        return Ok(true);
    }
    if request != turn.request {
        script.wrong.push(format!("{request} instead of {:?}", turn.request));
        script.turns.clear();
    }
    if !request.contains("/oauth2/") {
        let bearer = format!("Bearer T{}", script.logins);
        let is_right = header("authorization") == Some(&bearer)
            && header("prefer").is_some_and(|prefer| prefer.contains("IdType=\"ImmutableId\""))
            && header("client-request-id").is_some_and(|id| id.len() == 36);
        if !is_right {
            script.wrong.push(format!("{request} without the usual headers: {head:?}"));
        }
    }
    for want in &turn.wants {
        let (name, value) = want.split_once(": ").unwrap();
        if header(name) != Some(value) {
            script.wrong.push(format!("{request}: {name} is {:?}, not {value:?}", header(name)));
        }
    }
    if turn.wants_body.as_ref().is_some_and(|want| *want != body) {
        script.wrong.push(format!("{request}: the body is {:?}", String::from_utf8_lossy(&body)));
    }
    drop(script);
    let status = if turn.status.is_empty() { "599" } else { &turn.status };
    let mut out = format!("HTTP/1.1 {status} so\r\n");
    turn.headers.iter().for_each(|header| out += &format!("{header}\r\n"));
    let bytes = if turn.chunked {
        out += "Transfer-Encoding: chunked\r\n\r\n";
        let mut bytes: Vec<u8> = Vec::new();
        for chunk in turn.body.chunks(7) {
            bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
            bytes.extend(chunk);
            bytes.extend(b"\r\n");
        }
        // A body without length that is cut lacks its last chunk.
        bytes.extend(if turn.cut.is_some() { &b""[..] } else { b"0\r\n\r\n" });
        bytes
    } else {
        let is_empty = turn.status == "204";
        if !is_empty && !turn.endless {
            out += &format!("Content-Length: {}\r\n", turn.body.len() + turn.cut.unwrap_or(0));
        }
        out += "\r\n";
        turn.body.clone()
    };
    stream.write_all(out.as_bytes())?;
    stream.write_all(&bytes)?;
    let closes = turn.cut.is_some() || turn.endless;
    if closes {
        stream.shutdown(std::net::Shutdown::Both)?;
    }
    Ok(!closes)
}

struct Seen<'a>(&'a mut Vec<String>, Vec<u8>);

impl Sink for Seen<'_> {
    fn begin(&mut self, len: Option<u64>) -> io::Result<()> {
        self.0.push(len.map_or("begin".to_owned(), |len| format!("begin {len}")));
        self.1.clear();
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.1.extend(bytes);
        Ok(())
    }

    fn end(&mut self, arrival: Arrival) -> io::Result<()> {
        let text = String::from_utf8_lossy(&self.1).escape_debug().to_string();
        let Arrival { id, received, flags, reconstructed } = arrival;
        let more = if reconstructed { " reconstructed" } else { "" };
        self.0.push(format!("end {id} {received:?} {flags:?}{more} {text}"));
        Ok(())
    }

    fn abort(&mut self) {
        self.0.push("abort".to_owned());
    }

    fn missing(&mut self, id: RemoteId, why: Missing) -> io::Result<()> {
        self.0.push(format!("missing {id} {why:?}"));
        Ok(())
    }
}

fn ids(words: &[&str]) -> Vec<RemoteId> {
    words.iter().map(|word| RemoteId(word.as_bytes().to_vec())).collect()
}

fn ask(source: &mut GraphSource, wish: &str, cursor: &mut Option<Cursor>, out: &mut Vec<String>) {
    let mailbox = Mailbox { id: "u1".into(), name: "a@example.ch".into() };
    let folder = Folder {
        id: "F=".into(),
        name: "Inbox".into(),
        separator: Some('/'),
        role: Role::Inbox,
        selectable: true,
        ..Folder::default()
    };
    let words: Vec<&str> = wish.split(' ').collect();
    let began = Instant::now();
    let (is_slow, words) = if words[0] == "slow" { (true, &words[1..]) } else { (false, &words[..]) };
    let result = match words[0] {
        "mailboxes" => source
            .mailboxes()
            .map(|all| all.iter().for_each(|mailbox| out.push(format!("{} {}", mailbox.id, mailbox.name)))),
        "folders" => source.folders(&mailbox).map(|all| {
            out.extend(all.iter().map(|folder| format!("{} {} {:?}", folder.id, folder.name, folder.role)));
        }),
        "changes" => {
            if let Some(given) = words.get(1) {
                *cursor = Some(Cursor(given.replace('+', " ")));
            }
            source.changes(&mailbox, &folder, cursor.as_ref(), true).map(|page| {
                let listed = page.listed.iter().map(|listed| {
                    let draft = if listed.draft { "*" } else { "" };
                    format!("{}{draft}@{}", listed.id, listed.received.unwrap_or(0))
                });
                let listed: Vec<String> = listed.collect();
                let removed: Vec<String> = page.removed.iter().map(ToString::to_string).collect();
                let mut line = format!("listed [{}] removed [{}]", listed.join(" "), removed.join(" "));
                line += &format!(" of {} more {} restarted {}", page.total, page.more, page.restarted);
                out.push(line);
                *cursor = Some(page.next);
            })
        }
        "cursor" => {
            out.push(cursor.as_ref().unwrap().0.clone());
            Ok(())
        }
        "fetch" => source.fetch(&mailbox, &folder, &ids(&words[1..]), &mut Seen(out, Vec::new())),
        "list_ids" => {
            let mut all = Vec::new();
            source
                .list_ids(&mailbox, &folder, &mut |id| {
                    all.push(id.to_string());
                    Ok(())
                })
                .map(|count| out.push(format!("{count}: {}", all.join(" "))))
        }
        "move" | "delete" | "purge" => {
            let (action, of) = match words[0] {
                "move" => (After::Move(words[1].to_owned()), &words[2..]),
                "delete" => (After::Delete, &words[1..]),
                _ => (After::Purge, &words[1..]),
            };
            source.after(&mailbox, &folder, &ids(of), &action).map(|done| {
                for done in done {
                    let to = done.moved_to.map(|(name, id)| format!(" -> {name} {id}")).unwrap_or_default();
                    out.push(format!("done {}{to}", done.id));
                }
            })
        }
        "play_back" => {
            let raw = bytes(words[2]);
            source
                .play_back(&mailbox, words[1], &mut raw.as_slice(), raw.len() as u64, None)
                .map(|()| out.push("played back".into()))
        }
        "check" => {
            source.check(&mut |step| {
                out.push(match step {
                    Step::Passed(passed) => passed.to_string(),
                    Step::Failed(error) => format!("failed: {}", error.sentence(Lang::En)),
                });
            });
            Ok(())
        }
        other => panic!("what is {other}?"),
    };
    if let Err(error) = result {
        let kind = match &error {
            SourceError::Graph(trouble) => format!("{trouble:?}"),
            error => format!("{error:?}"),
        };
        out.push(format!("error {}", kind.split([' ', '{', '(']).next().unwrap()));
        for lang in [Lang::De, Lang::En] {
            assert!(error.sentence(lang).ends_with('.'), "{}", error.sentence(lang));
        }
    }
    if is_slow {
        out.push(format!("after {} s", began.elapsed().as_secs()));
    }
}

fn play(text: &str) -> Vec<String> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let dialogue = parse(text, &base);
    let script = Arc::new(Mutex::new(Script { turns: dialogue.turns, ..Script::default() }));
    thread::spawn({
        let script = script.clone();
        move || serve(&listener, &script)
    });
    let mut tenant = Tenant {
        tenant: "t.example".into(),
        client_id: "app".into(),
        credential: Credential::Secret(Zeroizing::new("s&cret".into())),
        mailboxes: Mailboxes::These(vec!["a@example.ch".into()]),
        number_of_mails: 25,
        login_url: base.clone(),
        graph_url: base,
        ca_pem: None,
    };
    for change in dialogue.tenant {
        match change.split_once('=').unwrap_or((&change, "")) {
            ("number", number) => tenant.number_of_mails = number.parse().unwrap(),
            ("all", _) => tenant.mailboxes = Mailboxes::All,
            ("mailboxes", names) => {
                tenant.mailboxes = Mailboxes::These(names.split(',').map(str::to_owned).collect());
            }
            ("secret", secret) => tenant.credential = Credential::Secret(Zeroizing::new(secret.to_owned())),
            other => panic!("what is {other:?}?"),
        }
    }
    let patience = Duration::from_secs(5);
    let pace =
        Pace { first: Duration::from_millis(4), longest: Duration::from_millis(20), patience, in_place: patience };
    let mut source = GraphSource::with_patience(tenant, Pulse::new(), patience, pace).unwrap();
    let (mut out, mut cursor) = (Vec::new(), None);
    for wish in &dialogue.wishes {
        ask(&mut source, wish, &mut cursor, &mut out);
    }
    let script = script.lock().unwrap();
    let mut wrong = script.wrong.clone();
    wrong.extend(script.turns.front().map(|turn| format!("nobody asked {:?}", turn.request)));
    let mut told = out.iter();
    for want in &dialogue.outcome {
        let got = told.next().map_or("", String::as_str);
        let is_right = match want.strip_prefix("=~ ") {
            Some(part) => got.contains(part),
            None => want.strip_prefix("= ") == Some(got),
        };
        if !is_right {
            wrong.push(format!("{got:?} where {want:?} was to come"));
        }
    }
    wrong.extend(told.map(|more| format!("{more:?} at the end")));
    wrong
}

#[test]
fn dialogues() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/graph_dialogues");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 20);
    let mut wrong = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for line in play(&text) {
            wrong.push(format!("{}: {line}", file.file_name().unwrap().to_string_lossy()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Four lanes of one source, five requests: the fifth waits for one of the four, and one login serves all.
#[test]
fn lanes_share_token_and_gate() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let counts = Arc::new(Mutex::new((0_usize, 0_usize, 0_usize)));
    thread::spawn({
        let counts = counts.clone();
        move || {
            for stream in listener.incoming() {
                let counts = counts.clone();
                thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    let mut reader = BufReader::new(stream.try_clone().unwrap());
                    let (mut line, mut length, mut first) = (String::new(), 0, String::new());
                    while reader.read_line(&mut line).unwrap_or(0) > 0 {
                        if first.is_empty() {
                            first.clone_from(&line);
                        }
                        if let Some(number) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
                            length = number.trim().parse().unwrap();
                        }
                        if line == "\r\n" {
                            io::copy(&mut reader.by_ref().take(length), &mut io::sink()).unwrap();
                            let body = if first.contains("/oauth2/") {
                                counts.lock().unwrap().0 += 1;
                                r#"{"token_type":"Bearer","expires_in":3599,"access_token":"T"}"#
                            } else if first.contains("/$value") {
                                let mut counts = counts.lock().unwrap();
                                counts.1 += 1;
                                counts.2 = counts.2.max(counts.1);
                                drop(counts);
                                thread::sleep(Duration::from_millis(100));
                                "Subject: x\r\n\r\n"
                            } else {
                                r#"{"id":"x"}"#
                            };
                            if first.contains("/$value") {
                                counts.lock().unwrap().1 -= 1;
                            }
                            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
                            (length, first) = (0, String::new());
                        }
                        line.clear();
                    }
                });
            }
        }
    });
    let tenant = Tenant {
        tenant: "t".into(),
        client_id: "app".into(),
        credential: Credential::Secret(Zeroizing::new("s".into())),
        mailboxes: Mailboxes::All,
        number_of_mails: 25,
        login_url: base.clone(),
        graph_url: base,
        ca_pem: None,
    };
    let source = GraphSource::new(tenant, Pulse::new()).unwrap();
    assert!(source.ids_span_folders() && source.lanes() == 4);
    let lanes: Vec<_> = (0..8).map(|_| source.another_lane().unwrap()).collect();
    let threads: Vec<_> = lanes
        .into_iter()
        .map(|mut lane| {
            thread::spawn(move || {
                let mailbox = Mailbox { id: "u".into(), name: "u".into() };
                let folder = Folder { id: "F".into(), name: "F".into(), selectable: true, ..Folder::default() };
                let mut out = Vec::new();
                lane.fetch(&mailbox, &folder, &ids(&["a", "b"]), &mut Seen(&mut out, Vec::new())).unwrap();
                assert_eq!(out.iter().filter(|line| line.starts_with("end")).count(), 2, "{out:?}");
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let counts = counts.lock().unwrap();
    assert_eq!(counts.0, 1, "one login");
    assert!(counts.2 <= 4, "{} at a time", counts.2);
}

/// One that never falls silent and never comes to its end, in the head of an answer or in a message.
#[test]
fn what_trickles_is_given_up() {
    for trickles_at in ["?$select", "/$value"] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            for stream in listener.incoming() {
                thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    let mut reader = BufReader::new(stream.try_clone().unwrap());
                    let (mut line, mut length, mut first) = (String::new(), 0, String::new());
                    while reader.read_line(&mut line).unwrap_or(0) > 0 {
                        if first.is_empty() {
                            first.clone_from(&line);
                        }
                        if let Some(number) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
                            length = number.trim().parse().unwrap();
                        }
                        if line == "\r\n" {
                            io::copy(&mut reader.by_ref().take(length), &mut io::sink()).unwrap();
                            if first.contains(trickles_at) {
                                let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
                                let (head, piece) = if trickles_at == "/$value" {
                                    (head, "1\r\nx\r\n")
                                } else {
                                    ("HTTP/1.1 200 OK\r\nX: ", "x")
                                };
                                let mut sent = stream.write_all(head.as_bytes());
                                while sent.is_ok() {
                                    thread::sleep(Duration::from_millis(50));
                                    sent = stream.write_all(piece.as_bytes());
                                }
                                return;
                            }
                            let body = if first.contains("/oauth2/") {
                                r#"{"token_type":"Bearer","expires_in":3599,"access_token":"T"}"#
                            } else {
                                r#"{"id":"x"}"#
                            };
                            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
                            (length, first) = (0, String::new());
                        }
                        line.clear();
                    }
                });
            }
        });
        let tenant = Tenant {
            tenant: "t".into(),
            client_id: "app".into(),
            credential: Credential::Secret(Zeroizing::new("s".into())),
            mailboxes: Mailboxes::All,
            number_of_mails: 25,
            login_url: base.clone(),
            graph_url: base,
            ca_pem: None,
        };
        let patience = Duration::from_millis(300);
        let mut source = GraphSource::with_patience(tenant, Pulse::new(), patience, Pace::default()).unwrap();
        let mailbox = Mailbox { id: "u".into(), name: "u".into() };
        let folder = Folder { id: "F".into(), name: "F".into(), selectable: true, ..Folder::default() };
        let (mut out, began) = (Vec::new(), Instant::now());
        let error = source.fetch(&mailbox, &folder, &ids(&["a"]), &mut Seen(&mut out, Vec::new())).unwrap_err();
        assert!(matches!(error, SourceError::Silent { .. }), "{trickles_at}: {error:?}");
        assert!((1..10).contains(&began.elapsed().as_secs()), "{trickles_at}: {:?}", began.elapsed());
    }
}

/// Answers over TLS as long as somebody asks: a token, then an inbox with one message.
fn serve_tls(certificates: &crate::support::tls::Certificates) -> u16 {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let chain = vec![CertificateDer::from_pem_slice(certificates.certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(certificates.key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = rustls::ServerConnection::new(config.clone()).unwrap();
            let mut reader = BufReader::new(rustls::StreamOwned::new(connection, stream.unwrap()));
            let (mut line, mut length, mut first) = (String::new(), 0, String::new());
            while reader.read_line(&mut line).unwrap_or(0) > 0 {
                if first.is_empty() {
                    first.clone_from(&line);
                }
                if let Some(number) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
                    length = number.trim().parse().unwrap();
                }
                if line == "\r\n" {
                    io::copy(&mut reader.by_ref().take(length), &mut io::sink()).unwrap();
                    let body = if first.contains("/oauth2/") {
                        r#"{"token_type":"Bearer","access_token":"T"}"#
                    } else {
                        r#"{"value":[{"id":"1","subject":"Hoi"}]}"#
                    };
                    write!(reader.get_mut(), "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
                        .unwrap();
                    (length, first) = (0, String::new());
                }
                line.clear();
            }
        }
    });
    port
}

fn steps(base: &str, ca: Option<&str>) -> Vec<String> {
    let tenant = Tenant {
        tenant: "t".into(),
        client_id: "app".into(),
        credential: Credential::Secret(Zeroizing::new("s".into())),
        mailboxes: Mailboxes::These(vec!["a@x.ch".into()]),
        number_of_mails: 25,
        login_url: base.to_owned(),
        graph_url: base.to_owned(),
        ca_pem: ca.map(str::to_owned),
    };
    let mut out = Vec::new();
    let patience = Duration::from_secs(5);
    let mut source = GraphSource::with_patience(tenant, Pulse::new(), patience, Pace::default()).unwrap();
    source.check(&mut |step| {
        out.push(match step {
            Step::Passed(passed) => passed.to_string(),
            Step::Failed(error) => format!("{error:?}").split([' ', '{']).next().unwrap().to_owned(),
        });
    });
    out
}

#[test]
fn the_certificate_decides_and_the_network_is_named() {
    let certificates = crate::support::tls::localhost();
    let port = serve_tls(certificates);
    let good = steps(&format!("https://localhost:{port}"), Some(&certificates.ca));
    assert_eq!(good.last().unwrap(), "Subject: Hoi", "{good:?}");
    assert_eq!(steps(&format!("https://localhost:{port}"), None), ["CertificateUntrusted"]);
    let other = crate::support::tls::for_name("graph.example.org");
    let port = serve_tls(&other);
    assert_eq!(steps(&format!("https://localhost:{port}"), Some(&other.ca)), ["CertificateName"]);
    assert_eq!(steps("https://graph.invalid", None), ["Dns"]);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_eq!(steps(&format!("https://127.0.0.1:{nobody}"), None), ["Unreachable"]);
}
