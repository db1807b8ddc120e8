//! A scripted IMAP server plays the dialogues of `tests/imap_dialogues/`, each in one go and byte by byte.
//!
//! A dialogue is a text file:
//! - `# …` is a comment, `account …` changes the account (`token`, `user=…`, `starttls`)
//! - `! …` is what the client is asked to do, one after the other
//! - `C: …` is a line that it has to send, without its tag; `C+: …` one without a tag, `C=n …` the bytes of a literal
//! - `S: …` is a line that the server sends, `S-: …` one without line end; a leading `T ` is the client's last tag;
//!   `\r \n \\ \xNN` are bytes
//! - `<accept>` waits for a new connection, `<close>` ends one, `<stall>` says nothing until the client is gone
//! - `@login CAPABILITIES`, `@examine EXISTS UIDVALIDITY UIDNEXT`, `@select …` stand for the usual lines
//! - `<whole>`: played in one go only
//! - `= …` is what has to come out, line by line

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use archivista::language::Lang;
use archivista::pulse::Pulse;
use archivista::source::imap::{Account, Auth, Encryption, ImapSource};
use archivista::source::{
    After, Arrival, Cursor, Folder, MailSource, Mailbox, Missing, RemoteId, Role, Sink, SourceError, Step,
};
use zeroize::Zeroizing;

#[derive(Clone, Debug)]
enum Turn {
    Accept,
    Hears(String),
    HearsBare(String),
    HearsBytes(usize, Vec<u8>),
    Says(Vec<u8>),
    Close,
    Stall,
}

#[derive(Default)]
struct Dialogue {
    turns: VecDeque<Turn>,
    wishes: Vec<String>,
    outcome: Vec<String>,
    account: Vec<String>,
    whole: bool,
}

fn bytes(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next().expect("an escape ends") {
                'r' => out.push(b'\r'),
                'n' => out.push(b'\n'),
                'x' => {
                    let hex: String = chars.by_ref().take(2).collect();
                    out.push(u8::from_str_radix(&hex, 16).expect("two hexadecimal digits"));
                }
                // `\Seen` needs no second backslash.
                '\\' => out.push(b'\\'),
                other => out.extend([b'\\', u8::try_from(other).expect("ASCII")]),
            },
            (c, false) => out.extend(c.to_string().bytes()),
        }
    }
    out
}

fn parse(text: &str) -> Dialogue {
    let mut dialogue = Dialogue::default();
    let mut text = text.to_owned();
    // Macros become lines first.
    let mut lines = String::new();
    for line in text.lines() {
        if let Some(capabilities) = line.strip_prefix("@login") {
            write!(
                lines,
                "<accept>\nS: * OK [CAPABILITY IMAP4rev1] ready\nC: LOGIN \"anna\" \"geheim\"\n\
                 S: T OK [CAPABILITY IMAP4rev1{capabilities}] in\n"
            )
            .unwrap();
        } else if let Some(rest) = line.strip_prefix("@examine ").or(line.strip_prefix("@select ")) {
            let words: Vec<&str> = rest.split(' ').collect();
            let verb = if line.starts_with("@examine") { "EXAMINE" } else { "SELECT" };
            writeln!(lines, "C: {verb} \"INBOX\"\nS: * {} EXISTS", words[0]).unwrap();
            for (name, value) in ["UIDVALIDITY", "UIDNEXT"].iter().zip(&words[1..]) {
                if *value != "-" {
                    writeln!(lines, "S: * OK [{name} {value}] so").unwrap();
                }
            }
            writeln!(lines, "S: T OK [{}] done", if verb == "SELECT" { "READ-WRITE" } else { "READ-ONLY" }).unwrap();
        } else {
            writeln!(lines, "{line}").unwrap();
        }
    }
    text.clear();
    for line in lines.lines() {
        let (key, rest) = line.split_once(' ').unwrap_or((line, ""));
        match key {
            "" | "#" => {}
            "account" => dialogue.account.push(rest.to_owned()),
            "<whole>" => dialogue.whole = true,
            "!" => dialogue.wishes.push(rest.to_owned()),
            "=" => dialogue.outcome.push(rest.to_owned()),
            "C:" => dialogue.turns.push_back(Turn::Hears(rest.to_owned())),
            "C+:" => dialogue.turns.push_back(Turn::HearsBare(rest.to_owned())),
            "S:" => dialogue.turns.push_back(Turn::Says([bytes(rest), b"\r\n".to_vec()].concat())),
            "S-:" => dialogue.turns.push_back(Turn::Says(bytes(rest))),
            "<accept>" => dialogue.turns.push_back(Turn::Accept),
            "<close>" => dialogue.turns.push_back(Turn::Close),
            "<stall>" => dialogue.turns.push_back(Turn::Stall),
            key => {
                let len = key.strip_prefix("C=").unwrap_or_else(|| panic!("what is {line:?}?"));
                dialogue.turns.push_back(Turn::HearsBytes(len.parse().unwrap(), bytes(rest)));
            }
        }
    }
    dialogue
}

/// Plays the server's part; returns what went wrong.
fn serve(listener: &TcpListener, mut turns: VecDeque<Turn>, dribble: bool, over: &AtomicBool) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut line: Option<(BufReader<TcpStream>, String)> = None;
    listener.set_nonblocking(true).unwrap();
    while let Some(turn) = turns.pop_front() {
        let said = format!("{turn:?}");
        let done = match (turn, &mut line) {
            (Turn::Accept, _) => {
                line = loop {
                    match listener.accept() {
                        Ok((stream, _)) => {
                            stream.set_nonblocking(false).unwrap();
                            stream.set_nodelay(true).unwrap();
                            stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
                            break Some((BufReader::new(stream), String::new()));
                        }
                        Err(_) if over.load(Ordering::Relaxed) => break None,
                        Err(_) => thread::sleep(Duration::from_millis(2)),
                    }
                };
                if line.is_some() { Ok(()) } else { Err("nobody came".to_owned()) }
            }
            (Turn::Close, _) => {
                line = None;
                Ok(())
            }
            (_, None) => Err("no connection".to_owned()),
            (Turn::Stall, Some((reader, _))) => {
                let _ = io::copy(reader, &mut io::sink());
                line = None;
                Ok(())
            }
            (Turn::Hears(want), Some((reader, tag))) => hear(reader).and_then(|got| {
                let (now, rest) = got.split_once(' ').unwrap_or((&got, ""));
                now.clone_into(tag);
                if rest == want { Ok(()) } else { Err(format!("client said {got:?}")) }
            }),
            (Turn::HearsBare(want), Some((reader, _))) => {
                hear(reader).and_then(|got| if got == want { Ok(()) } else { Err(format!("client said {got:?}")) })
            }
            (Turn::HearsBytes(len, want), Some((reader, _))) => {
                let mut got = vec![0; len];
                match reader.read_exact(&mut got) {
                    Ok(()) if got == want => Ok(()),
                    other => Err(format!("{other:?} {}", got.escape_ascii())),
                }
            }
            (Turn::Says(text), Some((reader, tag))) => {
                let text = text.strip_prefix(b"T ").map_or(text.clone(), |rest| [tag.as_bytes(), b" ", rest].concat());
                let stream = reader.get_mut();
                let step = if dribble { 1 } else { text.len().max(1) };
                // The client may have left already, which its outcome tells.
                let _ = text.chunks(step).try_for_each(|chunk| stream.write_all(chunk));
                Ok(())
            }
        };
        if let Err(why) = done {
            wrong.push(format!("at {said}: {why}"));
            return wrong;
        }
    }
    if let Some((mut reader, _)) = line {
        while let Ok(got) = hear(&mut reader) {
            if !got.ends_with(" LOGOUT") {
                wrong.push(format!("after the end: client said {got:?}"));
            }
        }
    }
    wrong
}

fn hear(reader: &mut BufReader<TcpStream>) -> Result<String, String> {
    let mut line = String::new();
    match reader.read_line(&mut line) {
        Ok(0) => Err("client is gone".to_owned()),
        Ok(_) => Ok(line.trim_end_matches(['\r', '\n']).to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Writes down what happens, and insists on the order of calls.
#[derive(Default)]
struct Notes {
    lines: Vec<String>,
    body: Option<Vec<u8>>,
    announced: Option<u64>,
    /// Refuse bytes beyond this size.
    full: Option<usize>,
}

impl Sink for Notes {
    fn begin(&mut self, len: Option<u64>) -> io::Result<()> {
        assert!(self.body.is_none(), "begin inside a message");
        self.body = Some(Vec::new());
        self.announced = len;
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) -> io::Result<()> {
        let body = self.body.as_mut().expect("data inside a message");
        body.extend_from_slice(bytes);
        if self.full.is_some_and(|full| body.len() > full) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn end(&mut self, arrival: Arrival) -> io::Result<()> {
        let body = self.body.take().expect("end of a message");
        assert_eq!(self.announced, Some(body.len() as u64));
        let mut line = format!("end {} \"{}\"", id(&arrival.id), body.escape_ascii());
        if !arrival.flags.is_empty() {
            write!(line, " {}", arrival.flags.join(" ")).unwrap();
        }
        if let Some(received) = arrival.received {
            write!(line, " at {received}").unwrap();
        }
        self.lines.push(line);
        Ok(())
    }

    fn abort(&mut self) {
        assert!(self.body.take().is_some(), "abort of a message");
        self.lines.push("abort".to_owned());
    }

    fn missing(&mut self, gone: RemoteId, why: Missing) -> io::Result<()> {
        assert!(self.body.is_none(), "missing inside a message");
        self.lines.push(format!("missing {} {why:?}", id(&gone)));
        Ok(())
    }
}

fn id(id: &RemoteId) -> String {
    let (validity, uid) = id.0.split_at(4);
    let number = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().unwrap());
    format!("{}:{}", number(validity), number(uid))
}

fn ids(text: &str) -> Vec<RemoteId> {
    text.split(',')
        .flat_map(|id| {
            let (validity, uids) = id.split_once(':').expect("validity:uid");
            let (low, high) = uids.split_once('-').unwrap_or((uids, uids));
            let validity: u32 = validity.parse().unwrap();
            (low.parse::<u32>().unwrap()..=high.parse().unwrap())
                .map(move |uid| RemoteId([validity.to_be_bytes(), uid.to_be_bytes()].concat()))
        })
        .collect()
}

fn error(error: &SourceError) -> String {
    // Every sentence is complete in both languages, whatever the server said.
    for lang in [Lang::De, Lang::En] {
        let sentence = error.sentence(lang);
        assert!(sentence.ends_with('.') && !sentence.contains(char::is_control), "{sentence}");
    }
    format!("error {error:?}")
}

fn ask(source: &mut ImapSource, wish: &str, out: &mut Vec<String>) {
    let mailbox = Mailbox { id: "anna".into(), name: "anna".into() };
    let inbox = Folder {
        id: "INBOX".into(),
        name: "INBOX".into(),
        separator: Some('/'),
        role: Role::Inbox,
        selectable: true,
        ..Folder::default()
    };
    let words: Vec<&str> = wish.split(' ').collect();
    let result = match words[0] {
        "fetch" => {
            let full = words.get(2).map(|full| full.parse().unwrap());
            let mut notes = Notes { full, ..Notes::default() };
            let result = source.fetch(&mailbox, &inbox, &ids(words[1]), &mut notes);
            assert!(notes.body.is_none(), "a message was left open");
            out.append(&mut notes.lines);
            result
        }
        "changes" => {
            let cursor = (words[1] != "-").then(|| Cursor(words[1].to_owned()));
            source.changes(&mailbox, &inbox, cursor.as_ref(), words.contains(&"dates")).map(|page| {
                // Many are told by their first and last.
                let short = page.listed.len() > 10;
                for (n, listed) in page.listed.iter().enumerate() {
                    if short && n > 0 && n + 1 < page.listed.len() {
                        continue;
                    }
                    let mut line = format!("listed {}", id(&listed.id));
                    listed.size.iter().for_each(|size| write!(line, " size {size}").unwrap());
                    listed.received.iter().for_each(|at| write!(line, " at {at}").unwrap());
                    line.push_str(if listed.draft { " draft" } else { "" });
                    out.push(line);
                }
                out.push(format!(
                    "page {} of {} next {}{}{}",
                    page.listed.len(),
                    page.total,
                    page.next.0,
                    if page.more { " more" } else { "" },
                    if page.restarted { " restarted" } else { "" }
                ));
            })
        }
        "list_ids" => {
            let mut seen = Vec::new();
            let result = source.list_ids(&mailbox, &inbox, &mut |remote| {
                seen.push(id(&remote));
                Ok(())
            });
            result.map(|count| out.push(format!("{count} ids: {}", seen.join(" "))))
        }
        "folders" => source.folders(&mailbox).map(|folders| {
            for folder in folders {
                let separator = folder.separator.map_or("none".to_owned(), |c| c.to_string());
                let grey = if folder.selectable { "" } else { " not selectable" };
                let all = folder.shown_in.map(|all| format!(" shown in {all}")).unwrap_or_default();
                out.push(format!(
                    "folder {} | {} | {separator} | {:?}{grey}{all}",
                    folder.id, folder.name, folder.role
                ));
            }
        }),
        "move" | "delete" => {
            let action = if words[0] == "move" { After::Move(words[2].to_owned()) } else { After::Delete };
            source.after(&mailbox, &inbox, &ids(words[1]), &action).map(|done| {
                for done in done {
                    let to = done.moved_to.map(|(folder, to)| format!(" to {folder} {}", id(&to))).unwrap_or_default();
                    out.push(format!("done {}{to}", id(&done.id)));
                }
            })
        }
        "play_back" => {
            let raw = bytes(words[2]);
            let len = words.get(3).map_or(raw.len() as u64, |len| len.parse().unwrap());
            let arrival = Arrival {
                id: RemoteId(vec![]),
                received: Some(837_596_665),
                flags: vec!["\\Seen".into(), "\\Recent".into(), "bad flag".into()],
                reconstructed: false,
            };
            source
                .play_back(&mailbox, words[1], &mut raw.as_slice(), len, Some(&arrival))
                .map(|()| out.push("played back".into()))
        }
        "check" => {
            source.check(&mut |step| {
                out.push(match step {
                    Step::Passed(passed) => passed.to_string().replace(char::is_numeric, "N"),
                    Step::Failed(why) => error(&why),
                });
            });
            Ok(())
        }
        other => panic!("what is {other:?}?"),
    };
    if let Err(why) = result {
        out.push(error(&why));
    }
}

fn play(dialogue: &Dialogue, dribble: bool) -> Vec<String> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let over = Arc::new(AtomicBool::new(false));
    let server = {
        let (turns, over) = (dialogue.turns.clone(), Arc::clone(&over));
        thread::spawn(move || serve(&listener, turns, dribble, &over))
    };
    let stalls = dialogue.turns.iter().any(|turn| matches!(turn, Turn::Stall));
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    fs::write(&token, "TOKEN\n").unwrap();
    let mut account = Account {
        server: "127.0.0.1".into(),
        port,
        encryption: Encryption::None,
        user: "anna".into(),
        auth: Auth::Password(Zeroizing::new("geheim".into())),
        ca_pem: None,
    };
    for change in &dialogue.account {
        match change.split_once('=').unwrap_or((change, "")) {
            ("token", _) => account.auth = Auth::TokenFile(token.clone()),
            ("starttls", _) => account.encryption = Encryption::StartTls,
            ("user", user) => user.clone_into(&mut account.user),
            other => panic!("what is {other:?}?"),
        }
    }
    let patience = if stalls { Duration::from_millis(300) } else { Duration::from_secs(10) };
    let mut source = ImapSource::new(account, Pulse::new()).with_patience(patience);
    let mut out = Vec::new();
    for wish in &dialogue.wishes {
        ask(&mut source, wish, &mut out);
    }
    drop(source);
    over.store(true, Ordering::Relaxed);
    out.extend(server.join().expect("the server plays to its end"));
    out.iter().map(|line| line.replace(&format!("port: {port}"), "port: PORT")).collect()
}

#[test]
fn dialogues() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/imap_dialogues");
    let only = std::env::var("DIALOGUE").unwrap_or_default();
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut wrong = String::new();
    let mut played = 0;
    for file in files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        if !name.contains(&only) {
            continue;
        }
        let dialogue = parse(&fs::read_to_string(&file).unwrap());
        assert!(!dialogue.outcome.is_empty() && !dialogue.wishes.is_empty(), "{name} expects nothing");
        for dribble in [false, true].into_iter().filter(|dribble| !(*dribble && dialogue.whole)) {
            let got = play(&dialogue, dribble);
            if got != dialogue.outcome {
                let how = if dribble { "byte by byte" } else { "in one go" };
                writeln!(
                    wrong,
                    "{name}, {how}:\n  got\n    {}\n  want\n    {}",
                    got.join("\n    "),
                    dialogue.outcome.join("\n    ")
                )
                .unwrap();
            }
        }
        played += 1;
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(played > 0, "no dialogue was played");
}

#[test]
fn a_cancelled_source_ends_while_the_server_is_silent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let account = Account {
        server: "127.0.0.1".into(),
        port: listener.local_addr().unwrap().port(),
        encryption: Encryption::None,
        user: "anna".into(),
        auth: Auth::Password(Zeroizing::new("geheim".into())),
        ca_pem: None,
    };
    let pulse = Pulse::new();
    let mut source = ImapSource::new(account, pulse.clone());
    let canceller = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        thread::sleep(Duration::from_millis(50));
        pulse.cancel();
        stream
    });
    let start = std::time::Instant::now();
    let mailbox = Mailbox { id: "anna".into(), name: "anna".into() };
    assert!(matches!(source.folders(&mailbox), Err(SourceError::Cancelled)));
    assert!(start.elapsed() < Duration::from_secs(10));
    canceller.join().unwrap();
}
