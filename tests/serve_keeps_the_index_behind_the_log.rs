//! Promise: `serve` brings into the search index what is archived, in little memory, heals it while people search, and says what it does
//! not cover yet. Verbs ask the same index.

use std::fs;
use std::time::Duration;

use crate::support::archivista::{Archivista, of_status};
use crate::support::files::{docx, mail_with};
use crate::support::serving::{Serving, covered};
use crate::support::{corpus, small};

/// KiB, at the highest ever, while it indexes. The child that reads attachments is another process.
const MOST: u64 = 64 * 1024;

/// A mail with this text and a file.
fn with_file(number: u64, text: &str, name: &str, file: &[u8]) -> (u64, Vec<u8>) {
    let mail = mail_with(name, file).replacen("aus Zürich", text, 1);
    (
        number,
        mail.replacen("Subject: ", &format!("Message-ID: <{number}@b.example>\r\nSubject: Beilage {number}: "), 1)
            .into_bytes(),
    )
}

#[test]
fn in_little_memory_whatever_the_mails_are() {
    let archivista = Archivista::new();
    {
        let archive = small::open(&archivista.data());
        let mails = corpus::mails().into_iter().step_by(3);
        small::put(&archive, "anna", (1..).zip(mails.map(|mail| mail.bytes)).collect());
        let mut odd = Vec::new();
        // Far more text than is searched, one endless word, and very many different ones.
        let many: String = (0..400_000).map(|at| format!("wort{at:x}")).collect::<Vec<_>>().join(" ");
        odd.push(with_file(10_001, &many, "a.txt", many.as_bytes()));
        odd.push(with_file(10_002, &"x".repeat(8 << 20), "b.txt", "y".repeat(8 << 20).as_bytes()));
        odd.push(with_file(10_003, "Beilage", "plan.docx", &docx("Die Krankschreibung liegt bei")));
        odd.push(with_file(10_004, "Beilage", "big.bin", &vec![0x2b; 40 << 20]));
        odd.push(with_file(10_005, "Beilage", "big.docx", &docx(&many)));
        small::put(&archive, "anna", odd);
    }
    let serving = Serving::start(&archivista, &[]);
    let mut browser = serving.set_up();
    let page = covered(&mut browser, "/?q=krankschreibung");
    assert!(page.contains("Beilage 10003"), "{page}");
    for word in ["wort1f", "linux", "beilage+-krankschreibung", "wort*"] {
        let page = covered(&mut browser, &format!("/?q={word}"));
        assert!(page.contains("/documents/"), "{word}: {page}");
    }
    let most = of_status(serving.pid(), "VmHWM");
    println!("VmHWM while indexing: {most} KiB");
    assert!(most < MOST, "{most} KiB");
    // The page of a mail says that not all of it is searched.
    let page = covered(&mut browser, "/?q=subject:10001");
    let number =
        page.split_once("/documents/").map(|(_, rest)| rest.split(|c: char| !c.is_ascii_digit()).next().unwrap());
    let page = browser.get(&format!("/documents/{}", number.unwrap())).text();
    let (mail, attachments) = page.split_once("class=\"attachments\"").unwrap();
    for part in [mail, attachments] {
        assert!(part.contains("not all of its text could be read"), "{page}");
    }
}

#[test]
fn it_heals_while_people_search_and_says_so() {
    let archivista = Archivista::new();
    {
        let archive = small::open(&archivista.data());
        small::put(&archive, "anna", vec![with_file(1, "Aus Zürich", "a.txt", b"Die Offerte liegt bei")]);
    }
    let serving = Serving::start(&archivista, &[]);
    let mut browser = serving.set_up();
    assert!(covered(&mut browser, "/?q=zuerich").contains("Beilage 1"));
    let of_verb = |query: &str| archivista.run(&["list", query, "--json"]).succeeded().json_lines().len();
    assert_eq!((of_verb("offerte"), of_verb("nichts")), (1, 0));
    let file = archivista.data().join("search/index.db");
    // What no check finds, a person does.
    let lose = || {
        let connection = rusqlite::Connection::open(&file).unwrap();
        connection.busy_timeout(Duration::from_secs(10)).unwrap();
        connection.execute_batch("DELETE FROM documents").unwrap();
    };
    let rebuild = || {
        let said = archivista.run(&["rebuild", "search"]).succeeded();
        assert!(said.stdout.contains("search index") || said.stderr.contains("search index"), "{said:?}");
    };
    lose();
    assert_eq!(of_verb("offerte"), 0);
    rebuild();
    assert_eq!(of_verb("offerte zürich"), 1);
    // Somebody deletes it while people search.
    fs::remove_dir_all(archivista.data().join("search")).unwrap();
    rebuild();
    assert_eq!(of_verb("offerte zürich"), 1);
    assert!(covered(&mut browser, "/?q=zuerich").contains("Beilage 1"));
    // What is broken is found when it is opened.
    drop(browser);
    drop(serving);
    fs::write(&file, vec![7; 100_000]).unwrap();
    let serving = Serving::start(&archivista, &[]);
    let (name, password) = crate::support::serving::ADMINISTRATOR;
    let mut browser = serving.log_in(name, password);
    assert!(covered(&mut browser, "/?q=zuerich").contains("Beilage 1"));
    drop(serving);
    // And without `serve`.
    fs::remove_dir_all(archivista.data().join("search")).unwrap();
    assert_eq!(of_verb("offerte zürich"), 1);
    lose();
    assert_eq!(of_verb("offerte"), 0);
    rebuild();
    assert_eq!(of_verb("offerte"), 1);
}
