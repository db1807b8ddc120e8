//! A mailbox that moved from IMAP to Microsoft 365 is archived on without a second document for any mail, although the new
//! server renders each of them anew. Only renderings of one mail are one: the sent copy with its Bcc and the received copy
//! stay two.

use std::fs;

use crate::support::archivista::Archivista;
use crate::support::definition::Definition;
use crate::support::dovecot::{Dovecot, USER};
use crate::support::mails;
use simulator::{Config, Simulator};

const TENANT: &str = "11111111-2222-3333-4444-555555555555";

/// What is sent, with its Bcc, and what arrives.
const SENT: &str = "From: Chef <test@mymail.ch>\r\nTo: all@example.ch\r\nBcc: geheim@example.ch\r\nSubject: Einladung\r\n\
    Date: Tue, 14 Nov 2023 22:13:20 +0000\r\nMessage-ID: <einladung@mymail.ch>\r\n\r\nKommt alle.\r\n";

fn received() -> String {
    SENT.replace("Bcc: geheim@example.ch\r\n", "")
}

#[test]
fn from_imap_to_microsoft_365() {
    let server = Dovecot::start();
    let archivista = Archivista::new();
    let store = archivista.beside("tenant");
    for folder in ["Inbox", "Sent Items"] {
        fs::create_dir_all(store.join(folder)).unwrap();
    }
    let mut count = 0;
    let mut mails = mails::sample(61);
    let fresh = mails.pop().unwrap();
    for (number, mail) in mails.iter().enumerate() {
        server.deliver(USER, "INBOX", mail);
        fs::write(store.join("Inbox").join(format!("{number:03}.eml")), mail).unwrap();
        count += 1;
    }
    server.deliver(USER, "Sent", SENT.as_bytes());
    fs::write(store.join("Sent Items").join("a.eml"), SENT).unwrap();
    server.deliver(USER, "INBOX", received().as_bytes());
    fs::write(store.join("Inbox").join("b.eml"), received()).unwrap();
    count += 2;

    archivista.define(&Definition::of(&server, "mail"));
    archivista.fetch();
    let before = archivista.list();
    assert_eq!(before.len(), count);

    // The new server renders as Exchange does, and knows one mail more.
    fs::write(store.join("Inbox").join("c.eml"), &fresh).unwrap();
    let config = Config {
        tenant: TENANT.into(),
        mailboxes: vec![(USER.into(), store)],
        render: simulator::Render::Exchange,
        ..Config::default()
    };
    let simulator = Simulator::start(config).unwrap();
    let ca = archivista.beside("simulator.pem");
    fs::write(&ca, &simulator.ca_pem).unwrap();
    let definition = archivista.beside("cloud.toml");
    let url = simulator.url();
    fs::write(
        &definition,
        format!(
            "name = 'cloud'\nmodule = 'o365'\ntenant = '{TENANT}'\nclient_id = 'client'\nclient_secret = 'secret'\n\
             mailboxes = ['{USER}']\nlogin_url = '{url}'\ngraph_url = '{url}'\nca_file = 'simulator.pem'\n"
        ),
    )
    .unwrap();
    archivista.run(&["source", "add", definition.to_str().unwrap()]).succeeded();
    archivista.run(&["switch", "cloud", "mail"]).ended_with(1);
    archivista.run(&["switch", "mail", "nobody"]).ended_with(1);
    archivista.run(&["switch", "mail", "cloud"]).succeeded();

    let runs = archivista.fetch();
    assert_eq!(runs.len(), 1, "the definition before is silent: {runs:?}");
    assert_eq!(runs[0]["archived"], 1, "{runs:?}");
    assert_eq!(runs[0]["same"], count, "{runs:?}");
    assert_eq!(runs[0]["unexplained"], 0, "{runs:?}");
    let after = archivista.list();
    assert_eq!(after.len(), count + 1);
    // Each is seen in both places, and what the new server gave is kept.
    for (old, new) in before.iter().zip(&after) {
        assert_eq!(old["sha256"], new["sha256"]);
        assert_eq!(new["occurrences"].as_array().unwrap().len(), 2, "{new}");
    }
    let kept = after.iter().filter(|document| !document["variants"].as_array().unwrap().is_empty()).count();
    assert!(kept > count / 2, "the simulator renders nothing anew: {kept}");
    archivista.run(&["verify"]).succeeded();
    archivista.run(&["rebuild", "catalog"]).succeeded();
    assert_eq!(archivista.list(), after);
    archivista.run(&["verify"]).succeeded();

    // A changed definition does not forget what it succeeds, and a second run finds nothing new.
    archivista.run(&["source", "add", definition.to_str().unwrap()]).succeeded();
    assert_eq!(archivista.fetch()[0]["seen"], 0);
}
