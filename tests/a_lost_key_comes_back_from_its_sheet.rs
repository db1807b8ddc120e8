//! Promise: a printed sheet brings a lost key back. Only an administrator who gives the password once more sees it, no browser keeps
//! it, it comes before the first source, and `recover` takes its words where the key is missing: those of this archive and no others.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::support::administering::Administering;
use crate::support::archivista::{Archivista, Output, program};
use crate::support::browser::flow;
use crate::support::serving::{ADMINISTRATOR, Serving, setup_fields};
use crate::support::sheet;
use crate::support::{must_run, small, tree};
use archivista::archive::commit::Happening;
use archivista::archive::keys::Keys;
use archivista::archive::start::{self, Paths};

const SHEET: &str = "/admin/recovery-sheet";
const CONFIRM: &str = "/admin/recovery-sheet/confirm";
const PASSWORD: &str = "Auch ein ganzer Satz.";

fn filled() -> Archivista {
    let archivista = Archivista::new();
    small::archive(&small::open(&archivista.data()), 1, 20);
    archivista
}

/// Who did what of a kind, oldest first.
fn journal(archivista: &Archivista, what: &Happening) -> Vec<String> {
    let archive = small::open(&archivista.data());
    let (events, _) = archive.view().unwrap().events(10_000, 10_000, |_| true).unwrap();
    events.into_iter().rev().filter(|event| event.what == *what).map(|event| event.who).collect()
}

/// `recover` with something on its standard input.
fn recover(archivista: &Archivista, words: &str) -> Output {
    let mut command = Command::new(program());
    command.arg("--data").arg(archivista.data()).arg("recover");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // One that refuses before it reads has gone.
    let _ = child.stdin.take().unwrap().write_all(words.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Output { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr), peak_memory: 0 }
}

/// `recover` says why not, and nothing is another than before.
fn is_refused(archivista: &Archivista, words: &str, why: &str) {
    let before = tree::hashes(&archivista.data());
    let output = recover(archivista, words).ended_with(1);
    assert!(output.stderr.contains(why), "{why}: {}", output.stderr);
    assert_eq!(tree::hashes(&archivista.data()), before, "{why}");
}

#[test]
fn a_sheet_is_shown_to_whom_it_may_and_opens_everything_again() {
    let archivista = filled();
    let exported = archivista.export();
    assert_eq!(exported.len(), 20);
    let (serving, mut admin) = Administering::start(&archivista, &[]);
    admin.done("/admin/users", &[("user", "udo"), ("role", "user"), ("password", PASSWORD), ("again", PASSWORD)]);

    // Neither without the password nor by somebody else.
    let asking = admin.page(SHEET);
    assert!(!asking.contains("<ol class=\"words\">") && !asking.contains("<svg"));
    for wrong in ["", "falsch", PASSWORD] {
        let answer = admin.post(SHEET, &[("password", wrong)]);
        assert!(answer.status == 400 && !answer.text().contains("<ol class=\"words\">"), "{}", answer.text());
    }
    let mut udo = Administering::of(serving.log_in("udo", PASSWORD), &[]);
    for answer in [udo.get(SHEET), udo.post(SHEET, &[("password", PASSWORD)]), udo.get(CONFIRM)] {
        assert_eq!(answer.status, 403);
    }
    let answer = admin.post(SHEET, &[("password", ADMINISTRATOR.1)]);
    assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")));
    let page = answer.text();
    let words = sheet::words(&page);
    let keys = archivista.data().join("keys");
    assert_eq!(words, Keys::read(&keys).unwrap().unwrap().words());
    assert_eq!(sheet::scanned(&page), words.join(" ").to_uppercase());
    assert!(admin.page("/admin").contains("The recovery sheet is not confirmed yet"));

    // Three of its words, which the page chooses.
    let asked = sheet::asked(&admin.page(CONFIRM));
    assert!(asked.len() == 3 && asked.is_sorted(), "{asked:?}");
    let given = |change: &dyn Fn(usize, &str) -> String| -> Vec<(String, String)> {
        let word = |(place, number): (usize, &usize)| (format!("word{place}"), change(place, &words[number - 1]));
        asked.iter().enumerate().map(word).collect()
    };
    let mut confirm = |change: &dyn Fn(usize, &str) -> String| {
        let given = given(change);
        let fields: Vec<(&str, &str)> = given.iter().map(|(name, word)| (name.as_str(), word.as_str())).collect();
        admin.post(CONFIRM, &fields)
    };
    let other = |word: &str| if word == "zoo" { "abandon" } else { "zoo" }.to_owned();
    for (change, said) in [
        (&(|_, _: &str| String::new()) as &dyn Fn(usize, &str) -> String, "Type the word with this number."),
        (&|_, _| "hose".to_owned(), "This word is on no sheet."),
        (&|place, word: &str| if place == 1 { other(word) } else { word.to_owned() }, "These are not the words"),
    ] {
        let answer = confirm(change);
        assert!(answer.status == 400 && answer.text().contains(said), "{said}: {}", answer.text());
        assert_eq!(sheet::asked(&answer.text()), asked);
    }
    let answer = confirm(&|_, word| format!(" {} ", word.to_uppercase()));
    assert_eq!((answer.status, answer.header("location")), (303, Some("/admin/assistant")), "{}", answer.text());
    assert!(!admin.page("/admin").contains("The recovery sheet is not confirmed yet"));
    assert!(admin.page("/admin/system").contains(&format!("by {}, ", ADMINISTRATOR.0)));
    let running = recover(&archivista, &words.join(" ")).ended_with(1);
    assert!(running.stderr.contains("is in use by another archivista"), "{}", running.stderr);
    drop((udo, serving));
    assert_eq!(journal(&archivista, &Happening::KeyShown), [ADMINISTRATOR.0]);

    // The key is lost.
    is_refused(&archivista, &words.join(" "), "is there already, and nothing was changed");
    fs::remove_dir_all(&keys).unwrap();
    let verified = archivista.run(&["verify"]).succeeded();
    assert!(verified.stdout.contains("without the key: nothing was opened"), "{}", verified.stdout);
    let failed = archivista.run(&["list"]).ended_with(1);
    assert!(failed.stderr.contains("with `archivista recover`"), "{}", failed.stderr);
    let mut wrong = words.clone();
    wrong[6] = "hose".into();
    is_refused(&archivista, &wrong.join(" "), "word 7 is not in the list of words");
    is_refused(&archivista, &words[2..].join(" "), "words are missing: 2 of 24");
    is_refused(&archivista, "", "words are missing: 24 of 24");
    is_refused(&archivista, &format!("{} zoo", words.join(" ")), "1 more than the 24");
    let stranger = filled();
    let theirs = Keys::read(&stranger.data().join("keys")).unwrap().unwrap().words().join(" ");
    let id = start::head(&Paths::new(&archivista.data())).unwrap().unwrap().archive;
    let id = archivista::archive::recovery::digits(&id);
    is_refused(&archivista, &theirs, &format!("the packs here belong to the archive {id}"));
    {
        let _open = start::lock(&Paths::new(&archivista.data())).unwrap();
        is_refused(&archivista, &words.join(" "), "is in use by another archivista");
    }

    // As somebody types it from paper.
    let typed: Vec<String> = (1..)
        .zip(&words)
        .map(|(number, word)| format!("{number}. {}\n", word[..word.len().min(4)].to_uppercase()))
        .collect();
    let output = recover(&archivista, &typed.concat()).succeeded();
    assert!(
        output.stdout.contains("The key is back.") && output.stdout.contains("archivista verify"),
        "{}",
        output.stdout
    );
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&keys), mode(&keys.join("archive.key"))), (0o700, 0o600));
    archivista.verify();
    assert_eq!(archivista.export(), exported);
    assert_eq!(exported, (1..=20).map(|number| (number, small::mail(number))).collect::<BTreeMap<_, _>>());
    assert_eq!(journal(&archivista, &Happening::Recovered), ["console"]);
    is_refused(&archivista, &words.join(" "), "is there already, and nothing was changed");
}

#[test]
fn an_empty_box_takes_the_key_before_its_packs() {
    let archivista = filled();
    let words = Keys::read(&archivista.data().join("keys")).unwrap().unwrap().words().join(" ");
    let fresh = Archivista::new();
    let output = recover(&fresh, &words).succeeded();
    assert!(output.stdout.contains("Now put the packs of the archive into"), "{}", output.stdout);
    // Looking at it begins no archive of its own.
    assert!(fresh.list().is_empty());
    tree::copy(&archivista.data().join("packs"), &fresh.data().join("packs"));
    assert_eq!(fresh.export(), archivista.export());
    fresh.verify();
    assert_eq!(journal(&fresh, &Happening::Recovered), ["console"]);
    assert!(!fresh.data().join("keys/recovered").exists());
}

/// Whoever sets the archive up is led to the sheet, and by a button past it.
#[test]
fn the_sheet_comes_before_the_first_source() {
    let archivista = Archivista::new();
    let serving = Serving::start(&archivista, &[]);
    let mut browser = serving.visitor();
    let code = serving.setup_code.clone().unwrap();
    // Without the right to read: the sheet is for whoever administers.
    let [fields @ .., _] = setup_fields(&code);
    let answer = browser.post("/setup", &fields);
    assert_eq!((answer.status, answer.header("location")), (303, Some(SHEET)), "{}", answer.text());
    let mut admin = Administering::of(browser, &[]);
    for page in ["/admin/assistant", "/admin/assistant/o365", "/admin/assistant/list", "/admin/new/imap"] {
        let answer = admin.get(page);
        assert_eq!((answer.status, answer.header("location")), (303, Some(SHEET)), "{page}");
    }
    let source = [("name", "x"), ("server", "x"), ("account", "x"), ("password", "x"), ("inactive", "1")];
    assert_eq!(admin.done("/admin/new/imap", &source), SHEET);
    assert!(admin.page("/admin/sources").contains("Nothing is set up yet."));
    assert!(admin.page(SHEET).contains("Print it later: set up a source first"));
    assert_eq!(admin.done("/admin/recovery-sheet/later", &[]), "/admin/assistant");
    admin.page("/admin/assistant");
    admin.done("/admin/new/imap", &source);
    assert!(!admin.page(SHEET).contains("Print it later: set up a source first"));
    assert!(admin.page("/admin").contains("The recovery sheet is not confirmed yet"));
    assert!(admin.page("/admin").contains(&format!("href=\"{SHEET}\"")));
}

#[test]
fn somebody_prints_the_sheet_on_one_page_and_confirms_it() {
    let archivista = filled();
    let serving = Serving::start(&archivista, &[]);
    serving.set_up();
    let folder = tempfile::tempdir().unwrap();
    let words = Keys::read(&archivista.data().join("keys")).unwrap().unwrap().words();
    let pdf = folder.path().join("sheet.pdf");
    let more = json!({
        "language": "de-CH", "user": ADMINISTRATOR.0, "password": ADMINISTRATOR.1, "words": words, "pdf": pdf,
    });
    flow("recovery_sheet", &serving.origin(), &more);
    let text = must_run(Command::new("pdftotext").arg("-layout").arg(&pdf).arg("-"));
    assert_eq!(text.matches('\u{c}').count(), 1, "pages: {text}");
    for expected in words.into_iter().chain(["Muster AG", "24."]) {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    for clicked in ["Print this page", "go on", "Log out"] {
        assert!(!text.contains(clicked), "{clicked}: {text}");
    }
}
