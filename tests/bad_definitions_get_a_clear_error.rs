//! Promise: a definition with a mistake is refused as a whole, with exit code 2 and a sentence that names the file, the
//! line and the key, and what to write instead; what was stored before stays as it was.

use std::fs;

use crate::support::archivista::Archivista;

const GOOD: &str =
    "name = 'büro'\nmodule = 'imap'\nserver = 'imap.example.ch'\naccount = 'a@example.ch'\npassword = 'geheim'\n";

#[test]
fn every_mistake_is_named_with_its_file_and_its_mend() {
    let archivista = Archivista::new();
    let file = archivista.beside("büro.toml");
    let changed = |from: &str, to: &str| {
        assert!(GOOD.contains(from));
        GOOD.replace(from, to)
    };
    let with = |line: &str| format!("{GOOD}{line}\n");
    let cases: Vec<(String, &[&str])> = vec![
        // Keys.
        (with("passwort = 'x'"), &["line 6", "passwort", "password"]),
        (with("folder = ['INBOX']"), &["line 6", "`folder`", "folders"]),
        (with("name = 'zwei'"), &["line 6", "duplicate key"]),
        (changed("name = 'büro'\n", ""), &["missing field `name`"]),
        (changed("module = 'imap'\n", ""), &["missing field `module`"]),
        (changed("server = 'imap.example.ch'\n", ""), &["no server"]),
        (changed("account = 'a@example.ch'\n", ""), &["account"]),
        (changed("password = 'geheim'\n", ""), &["a@example.ch", "password, password_file, access_token_file"]),
        // Types.
        (with("port = '993'"), &["line 6", "port", "invalid type: string \"993\""]),
        (with("port = 70000"), &["line 6", "70000"]),
        (with("port = 0"), &["port 0", "993 for tls"]),
        (with("min_age_days = -1"), &["line 6", "min_age_days"]),
        (with("min_age_days = 99999"), &["min_age_days 99999", "0 (all) to 36500"]),
        (with("inactive = 'ja'"), &["line 6", "inactive"]),
        (with("folders = 'INBOX'"), &["line 6", "folders"]),
        (with("interval_minutes = 0"), &["interval_minutes 0", "1 to 10080"]),
        // Values.
        (changed("'imap'", "'pop3'"), &["line 2", "pop3", "imap"]),
        (with("encryption = 'ssl'"), &["line 6", "ssl", "`tls`", "`starttls`", "`none`"]),
        (with("after = 'archive'"), &["archive", "\"leave\", \"move:FOLDER\", \"delete\" or \"purge\""]),
        (with("after = 'move: '"), &["\"move:FOLDER\""]),
        (changed("'imap.example.ch'", "'imap://imap.example.ch'"), &["server", "without imap://"]),
        (changed("'imap.example.ch'", "''"), &["server", "imap.example.ch"]),
        // Names.
        (changed("'büro'", "''"), &["name", "1 to 64"]),
        (changed("'büro'", "'a/b'"), &["name \"a/b\"", "letters, digits"]),
        (changed("'büro'", "' büro'"), &["name \" büro\"", "no spaces at its ends"]),
        // Files.
        (with("ca_file = 'fehlt.pem'"), &["fehlt.pem", "cannot be read"]),
        (with("ca_file = 'büro.toml'"), &["ca_file", "BEGIN CERTIFICATE"]),
        (changed("password = 'geheim'", "password_file = 'fehlt.txt'"), &["fehlt.txt", "cannot be read"]),
        // Contradictions.
        (with("password_file = 'büro.toml'"), &["a@example.ch", "either password or password_file"]),
        (with("access_token_file = 'token'"), &["a@example.ch", "either a password or access_token_file"]),
        (with("accounts = [{ account = 'b', password = 'x' }]"), &["either account or accounts"]),
        (
            changed(
                "account = 'a@example.ch'\npassword = 'geheim'",
                "accounts = [{ account = 'b', password = 'x' }, { account = 'b', password = 'y' }]",
            ),
            &["account \"b\"", "given twice"],
        ),
        (
            changed("account = 'a@example.ch'\npassword = 'geheim'", "accounts = [{ account = 'b', passwort = 'x' }]"),
            &["line 4", "passwort"],
        ),
        // Not TOML at all.
        (with("port: 993"), &["line 6"]),
        ("\0\u{1}".to_owned(), &["line 1"]),
        (String::new(), &["missing field"]),
    ];
    for (text, wants) in cases {
        fs::write(&file, &text).unwrap();
        let output = archivista.run(&["source", "add", file.to_str().unwrap()]).ended_with(2);
        for want in [&["büro.toml"][..], wants].concat() {
            assert!(output.stderr.contains(want), "{text}\n{want:?} is missing:\n{}", output.stderr);
        }
        assert_eq!(output.stdout, "");
        assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
    }
    assert!(archivista.run(&["source", "list"]).succeeded().stdout.is_empty());
}

#[test]
fn files_that_cannot_be_read() {
    let archivista = Archivista::new();
    fs::create_dir_all(archivista.beside("ordner.toml")).unwrap();
    fs::write(archivista.beside("latin.toml"), b"name = 'b\xfcro'\n").unwrap();
    fs::write(archivista.beside("lang.toml"), " ".repeat(1024 * 1024 + 1)).unwrap();
    for (name, why) in [
        ("fehlt.toml", "cannot be read: No such file"),
        ("ordner.toml", "cannot be read"),
        ("latin.toml", "UTF-8"),
        ("lang.toml", "longer than 1 MiB"),
    ] {
        let output = archivista.run(&["source", "add", archivista.beside(name).to_str().unwrap()]).ended_with(2);
        assert!(output.stderr.contains(name) && output.stderr.contains(why), "{}", output.stderr);
    }
    archivista.run(&["source", "add"]).ended_with(2);
}

#[test]
fn a_refused_change_leaves_the_old_definition() {
    let archivista = Archivista::new();
    let file = archivista.beside("büro.toml");
    let add = |text: &str| {
        fs::write(&file, text).unwrap();
        archivista.run(&["source", "add", file.to_str().unwrap()])
    };
    add(GOOD).succeeded();
    let before = archivista.run(&["source", "list", "--json"]).succeeded().stdout;
    add(&format!("{GOOD}after = 'weg'\n")).ended_with(2);
    assert_eq!(archivista.run(&["source", "list", "--json"]).succeeded().stdout, before);
    add(&format!("{GOOD}after = 'delete'\n")).succeeded();
    let after = archivista.run(&["source", "list", "--json"]).succeeded().json_lines();
    assert_eq!((after.len(), &after[0]["after"]), (1, &"delete".into()), "changed, not added");
}

#[test]
fn no_password_is_shown_or_lies_open_in_the_data_folder() {
    let archivista = Archivista::new();
    let file = archivista.beside("büro.toml");
    fs::write(archivista.beside("passwort.txt"), "streng geheim zwei\n").unwrap();
    fs::write(&file, GOOD.replace("'geheim'", "'streng geheim'")).unwrap();
    archivista.run(&["source", "add", file.to_str().unwrap()]).succeeded();
    fs::write(&file, GOOD.replace("'büro'", "'zwei'").replace("password = 'geheim'", "password_file = 'passwort.txt'"))
        .unwrap();
    archivista.run(&["source", "add", file.to_str().unwrap()]).succeeded();
    let list = archivista.run(&["source", "list", "--json"]).succeeded();
    assert_eq!(list.json_lines().len(), 2);
    assert!(!list.stdout.contains("geheim"), "{}", list.stdout);
    let mut folders = vec![archivista.data()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                files += 1;
                let bytes = fs::read(&path).unwrap();
                assert!(!bytes.windows(13).any(|window| window == b"streng geheim"), "{}", path.display());
            }
        }
    }
    assert!(files >= 3, "{files}");
}

#[test]
fn a_removed_definition_leaves_its_mails_and_an_unknown_one_is_named() {
    let archivista = Archivista::new();
    let file = archivista.beside("büro.toml");
    fs::write(&file, GOOD).unwrap();
    archivista.run(&["source", "add", file.to_str().unwrap()]).succeeded();
    let unknown = archivista.run(&["source", "remove", "buero"]).ended_with(1);
    assert!(unknown.stderr.contains("there is no definition \"buero\"; defined are: büro"), "{}", unknown.stderr);
    archivista.run(&["source", "remove", "büro"]).succeeded();
    assert!(archivista.run(&["source", "list"]).succeeded().stdout.is_empty());
    let none = archivista.run(&["source", "test", "büro"]).ended_with(1);
    assert!(none.stderr.contains("source add FILE.toml"), "{}", none.stderr);
}
