//! The handle on the program and the writer of definitions tell the other tests the truth.

use std::process::Command;

use crate::support::archivista::{Archivista, Output, Running};
use crate::support::definition::Definition;
use crate::support::dovecot::Dovecot;

#[test]
fn code_and_output_of_a_program_are_kept() {
    let output =
        python("import sys; print('{\"a\": 1}\\n{\"a\": 2}'); print('oh', file=sys.stderr); sys.exit(3)").wait();
    let output = output.ended_with(3);
    assert_eq!(output.stderr, "oh\n");
    assert_eq!(output.json_lines(), [serde_json::json!({"a": 1}), serde_json::json!({"a": 2})]);
}

#[test]
#[should_panic(expected = "oh")]
fn a_program_that_fails_fails_the_test_and_shows_why() {
    python("import sys; sys.exit('oh')").wait().succeeded();
}

#[test]
fn the_peak_of_memory_is_seen_after_it_has_passed() {
    // What is freed before the end counts as well.
    let peak = |bytes: u32| {
        let program = format!("import time; held = b'x' * {bytes}; del held; time.sleep(0.1)");
        python(&program).wait().succeeded().peak_memory
    };
    let (without, with) = (peak(0), peak(100_000_000));
    assert!((90_000..120_000).contains(&(with - without)), "{without} KiB, {with} KiB");
}

#[test]
fn a_killed_program_has_no_code() {
    let mut running = python("import time; time.sleep(600)");
    assert!(running.is_running());
    let Output { code, .. } = running.kill();
    assert_eq!(code, None);
}

#[test]
fn a_dropped_program_is_gone() {
    let running = python("import time; time.sleep(600)");
    let process = std::path::PathBuf::from(format!("/proc/{}", running.id()));
    assert!(process.exists());
    drop(running);
    assert!(!process.exists());
}

#[test]
fn every_program_has_a_data_folder_of_its_own() {
    let (one, other) = (Archivista::new(), Archivista::new());
    assert_ne!(one.data(), other.data());
    let place = one.beside("x");
    std::fs::write(&place, "").unwrap();
    drop(one);
    assert!(!place.exists());
}

#[test]
fn definitions_are_toml() {
    let server = Dovecot::start();
    let definition = Definition::of(&server, "Büro \"A\"")
        .with("folders", vec!["INBOX", "Kunden/Müller \\ Söhne"])
        .with("min_age_days", 3)
        .with("inactive", true)
        .accounts(&["a@mymail.ch", "b@mymail.ch"]);
    let table: toml::Table = toml::from_str(&definition.toml()).unwrap();
    assert_eq!(table["name"].as_str(), Some("Büro \"A\""));
    assert_eq!(table["port"].as_integer(), Some(server.tls_port().into()));
    assert_eq!(table["folders"].as_array().unwrap()[1].as_str(), Some("Kunden/Müller \\ Söhne"));
    assert_eq!(table["min_age_days"].as_integer(), Some(3));
    assert_eq!(table["inactive"].as_bool(), Some(true));
    assert_eq!(table["accounts"][1]["account"].as_str(), Some("b@mymail.ch"));
    assert!(!table.contains_key("account") && !table.contains_key("password"));
}

fn python(program: &str) -> Running {
    Running::start(Command::new("python3").args(["-c", program]))
}
