//! The mails of the other tests are what they believe them to be.

use std::collections::BTreeSet;

use crate::support::{corpus, hash, mails};

#[test]
fn real_mails_are_as_a_server_would_send_them() {
    let mails = corpus::mails();
    assert_eq!(mails.len(), 6046);
    for mail in &mails {
        assert!(!mail.bytes.starts_with(b"From "), "{}", mail.name);
        let bare = memchr::memchr_iter(b'\n', &mail.bytes).any(|at| at == 0 || mail.bytes[at - 1] != b'\r');
        assert!(!bare, "{} has a bare line feed", mail.name);
    }
    let unique: BTreeSet<_> = mails.iter().map(|mail| hash::sha256(&mail.bytes)).collect();
    assert!(unique.len() > 5900, "{}", unique.len());
}

#[test]
fn sample_mails_are_the_same_every_time_and_all_different() {
    let (once, again) = (mails::sample(100), mails::sample(100));
    assert_eq!(once, again);
    assert_eq!(once.iter().collect::<BTreeSet<_>>().len(), 100);
    let total: usize = once.iter().map(Vec::len).sum();
    assert!((9_000_000..13_000_000).contains(&total), "{total}");
    assert!(mails::small(100).iter().all(|mail| mail.len() < 20_000));
}

#[test]
fn sample_mails_never_change() {
    // Documented numbers were measured with these very bytes.
    let all = [mails::sample(100).concat(), mails::small(100).concat()].concat();
    assert_eq!(hash::sha256(&all), "36573708d5e923885d4a69d3b6a3c111f43e3c9b5afd7a6f0165db5996c80b9b");
}

#[test]
fn a_big_mail_has_the_size_that_was_asked_for() {
    let file = tempfile::NamedTempFile::new().unwrap();
    for size in [50_000, 50_001, 3_000_077] {
        mails::big(size, file.path());
        assert_eq!(file.as_file().metadata().unwrap().len(), size);
    }
    let bytes = std::fs::read(file.path()).unwrap();
    let parsed = mail_parser::MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(parsed.attachment_count(), 1);
    assert!(parsed.attachment(0).unwrap().len() > 2_000_000);
}
