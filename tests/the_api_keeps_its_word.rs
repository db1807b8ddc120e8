//! Promise: whatever is sent to the API, its answer is one that its `OpenAPI` document tells of: never an error of the server, never
//! another status, never JSON of another shape. Held against it by schemathesis, for every role, behind the real gate.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::served::Served;
use crate::support::web::Site;
use archivista::settings::administration::Field;
use archivista::settings::tokens::Rights;
use archivista::settings::users::Role;

const ALL: Rights = Rights { read: true, change: true, administer: true, metrics: true };

const MAIL: &str = "From: a@example.ch\r\nTo: b@example.ch\r\nSubject: Offerte\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\nContent-Type: text/html\r\n\r\n<p>Offerte</p>\r\n\
    --B\r\nContent-Type: application/pdf; name=Offerte.pdf\r\nContent-Disposition: attachment\r\n\r\n%PDF-1.7\r\n--B--\r\n";

fn stage() -> Site {
    let site = Site::new();
    site.administer(|administration| administration.publishing = Some(Field::Other("Publikation".into())));
    for number in 0..5 {
        site.mail("anna", MAIL.replace("Offerte", &format!("Offerte {number}")).as_bytes(), 1_700_000_000 + number);
    }
    site.user("anna", Role::User, &["anna"]);
    site.user("revision", Role::Auditor, &[]);
    site.user("chefin", Role::Administrator, &[]);
    let text = "name = 'company'\nmodule = 'imap'\nserver = '127.0.0.1'\nport = 9\nencryption = 'none'\n\
        account = 'anna'\npassword = 'geheim'\ninactive = true\n";
    let file = site.data().with_file_name("company.toml");
    std::fs::write(&file, text).unwrap();
    let definition = archivista::settings::definition_file::read(&file).unwrap();
    archivista::settings::put(&site.web.archive, &definition, "test").unwrap();
    site
}

/// What of a request that does not fit may be said beside the usual: the gate refuses long heads and bodies by their length.
const CONFIG: &str = "[checks]\nnegative_data_rejection.expected-statuses = \
    [400, 401, 403, 404, 405, 409, 413, 414, 415, 429, 431]\n";

/// Holds the API of a fresh archive against its document, as somebody with this token.
fn keeps_its_word(phases: &str, cases: u32, token: impl Fn(&Site) -> String) {
    let site = stage();
    let served = Served::plainly(&site);
    let program: PathBuf = [env!("CARGO_MANIFEST_DIR"), "target/tools/schemathesis/bin/schemathesis"].iter().collect();
    assert!(Path::exists(&program), "{} is missing; run: make tools", program.display());
    let folder = site.data().with_file_name("schemathesis");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("openapi.json"), archivista::web::api::document().to_string()).unwrap();
    std::fs::write(folder.join("schemathesis.toml"), CONFIG).unwrap();
    let token = token(&site);
    let mut command = Command::new(program);
    command
        .args(["run", "openapi.json", "--url"])
        .arg(format!("{}/api/v1", served.origin))
        .args(["--no-color", "--seed", "5", "--max-examples", &cases.to_string(), "--no-shrink", "--phases", phases])
        // Other methods are looked at elsewhere: the gate refuses those that it does not know (OPTIONS, TRACE), and a body where
        // none belongs, before anybody knows what the path is.
        .args([
            "--checks",
            "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
             response_schema_conformance,negative_data_rejection",
        ])
        .args(["--suppress-health-check", "all", "--generation-database", "none", "--warnings", "off"])
        .env("NO_PROXY", "*")
        .current_dir(&folder);
    if !token.is_empty() {
        command.args(["-H", &format!("Authorization: Bearer {token}")]);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let calls = archivista::web::api::calls().count();
    assert!(said.contains(&format!("Tested: {calls}")), "{said}");
}

#[test]
fn to_an_administrator() {
    keeps_its_word("coverage,fuzzing", 4, |site| site.api_token("chefin", ALL));
}

#[test]
fn to_an_auditor() {
    keeps_its_word("fuzzing", 6, |site| site.api_token("revision", ALL));
}

#[test]
fn to_a_user() {
    keeps_its_word("fuzzing", 6, |site| site.api_token("anna", ALL));
}

#[test]
fn to_somebody_without_a_token() {
    keeps_its_word("fuzzing", 4, |_| String::new());
}

#[test]
fn to_somebody_with_a_wrong_token() {
    keeps_its_word("fuzzing", 4, |_| format!("archivista_0123456789abcdef_{}", "x".repeat(43)));
}
