//! Promise: a mailbox whose provider takes no passwords is archived by a sign-in with a code. Each refresh token that the server
//! gives in place of another is durable before the one before is forgotten, so that no restart and no long run asks the person again.

use std::fs;

use serde_json::{Value, json};

use crate::support::administering::{Administering, with};
use crate::support::archivista::Archivista;
use crate::support::dovecot::{Dovecot, Setup};
use crate::support::mails;
use crate::support::serving::{ADMINISTRATOR, Serving};
use crate::support::tenant::{CLIENT, Tenant};

const ANNA: &str = "anna.muster@outlook.com";

/// A mail server that takes access tokens, and who gives them.
struct World {
    dovecot: Dovecot,
    tenant: Tenant,
}

impl World {
    fn new(token_life: i64) -> Self {
        let dovecot = Dovecot::start_with(&Setup { users: vec![ANNA.into()], ..Setup::default() });
        let config = simulator::Config { imap_key: dovecot.token_key(), token_life, ..simulator::Config::default() };
        Self { dovecot, tenant: Tenant::start(&[], config) }
    }

    /// Of both servers.
    fn authorities(&self) -> String {
        fs::read_to_string(self.dovecot.ca_file()).unwrap() + &fs::read_to_string(self.tenant.ca_file()).unwrap()
    }

    fn fields<'a>(url: &'a str, port: &'a str, authorities: &'a str) -> Vec<(&'a str, &'a str)> {
        vec![
            ("address", ANNA),
            ("oauth_client_id", CLIENT),
            ("oauth_login_url", url),
            ("server", "localhost"),
            ("port", port),
            ("encryption", "tls"),
            ("ca_file", authorities),
        ]
    }

    fn sign_ins(&self) -> Value {
        self.tenant.control(&json!({ "op": "sign_ins" }))
    }
}

/// What stands between two marks.
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("no {start:?} in {text}"));
    rest.split_once(end).unwrap().0
}

/// Where the documents of the archive are counted.
fn documents(archivista: &Archivista) -> usize {
    archivista.list().len()
}

#[test]
fn from_the_code_to_the_archive_and_on_with_every_new_token() {
    // So short that each run needs a new access token.
    let world = World::new(2);
    for number in 0..3 {
        world.dovecot.deliver(ANNA, "INBOX", &mails::tiny(&format!("{number}@x"), &format!("Mail {number}")));
    }
    let (url, port, authorities) =
        (world.tenant.simulator.url(), world.dovecot.tls_port().to_string(), world.authorities());
    let good = World::fields(&url, &port, &authorities);
    let archivista = Archivista::new();
    let (serving, mut admin) = Administering::start(&archivista, &[]);

    // Nobody has to know what is missing.
    let answer = admin.post("/admin/assistant/other", &[("address", ANNA), ("password", "vergeblich")]);
    assert!(
        answer.status == 400 && answer.text().contains("Outlook.com and Hotmail take no passwords"),
        "{}",
        answer.text()
    );
    assert!(answer.text().contains("This is no application ID"), "{}", answer.text());
    let answer = admin.post("/admin/assistant/other", &with(&good, "oauth_client_id", "keine ID"));
    assert!(answer.status == 400 && answer.text().contains("This is no application ID"), "{}", answer.text());

    let to = admin.done("/admin/assistant/other", &good);
    assert_eq!(to, "/admin/sources/anna.muster%40outlook.com/sign-in?account=anna.muster%40outlook.com");
    let page = admin.when(&to, |answer| answer.text().contains("user-code"));
    let code = between(&page, "user-code\">", "<").to_owned();
    assert!(page.contains("href=\"https://www.microsoft.com/link\"") && code.len() == 8, "{page}");
    // Until somebody types it in nothing is fetched and nothing is red.
    assert!(admin.page("/admin/sources").contains("Inactive</span>"));
    world.tenant.control(&json!({ "op": "sign_in", "user": ANNA, "user_code": code }));
    // From there the page leads on to the test and the first run.
    let first = "/admin/assistant/first/anna.muster%40outlook.com";
    let since = std::time::Instant::now();
    loop {
        let answer = admin.get(&to);
        if answer.status == 303 {
            assert_eq!(answer.header("location"), Some(first));
            break;
        }
        // Or it is all done already.
        if answer.text().contains("Signed in. The box renews the sign-in by itself.") {
            break;
        }
        assert!(since.elapsed().as_secs() < 60, "{}", answer.text());
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let page = admin.when(first, |answer| answer.text().contains("The first run has ended."));
    for part in ["Logged in.", "Inbox read", "The first mails are there.", "href=\"/\""] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert_eq!(documents(&archivista), 3);

    // No page and no answer shows a token.
    let tokens = world.sign_ins()["refresh_tokens"].clone();
    let secret = tokens[tokens.as_array().unwrap().len() - 1].as_str().unwrap().to_owned();
    let edit = admin.page("/admin/sources/anna.muster%40outlook.com/edit");
    assert!(edit.contains("Signs in at Microsoft, without a password.") && !edit.contains(&secret), "{edit}");
    // Changed by hand, the account stays signed in.
    let source = "/admin/sources/anna.muster%40outlook.com";
    let changed = [
        ("server", "localhost"),
        ("port", port.as_str()),
        ("encryption", "tls"),
        ("account", ANNA),
        ("password", ""),
        ("ca_file", authorities.as_str()),
        ("interval_minutes", "10080"),
    ];
    admin.done(&format!("{source}/edit"), &changed);

    // Each run uses up one refresh token; the one that it got instead survives the process.
    let used = || world.sign_ins()["used"].as_u64().unwrap();
    for round in 0..3 {
        let before = used();
        world.dovecot.deliver(ANNA, "INBOX", &mails::tiny(&format!("neu{round}@x"), "Neu"));
        std::thread::sleep(std::time::Duration::from_secs(2));
        admin.done(&format!("{source}/run"), &[]);
        admin.when(source, |answer| {
            answer.header("refresh").is_none()
                && documents(&archivista) == 4 + round
                && answer.text().contains("Complete</span>")
        });
        assert!(used() > before, "run {round} needed no new token");
    }
    drop(serving);
    world.dovecot.deliver(ANNA, "INBOX", &mails::tiny("danach@x", "Danach"));
    archivista.run(&["fetch"]).succeeded();
    assert_eq!(documents(&archivista), 7);
    archivista.run(&["verify"]).succeeded();

    // What lies on the disk holds no readable token, neither one that counts nor one that was used up.
    let tokens = world.sign_ins()["refresh_tokens"].clone();
    for token in tokens.as_array().unwrap().iter().filter_map(Value::as_str).chain([secret.as_str()]) {
        assert!(!holds(&archivista.data(), token.as_bytes()), "{token} is readable on the disk");
    }

    // Taken back at Microsoft: said, with what to do.
    world.tenant.control(&json!({ "op": "revoke_sign_ins" }));
    let run = archivista.run(&["fetch"]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr.contains("sign the account in again") || run.stderr.contains("melden Sie das Konto neu an"),
        "{}",
        run.stderr
    );
}

/// Whether any file below a folder has these bytes.
fn holds(folder: &std::path::Path, wanted: &[u8]) -> bool {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).any(|path| {
        if path.is_dir() {
            return holds(&path, wanted);
        }
        fs::read(&path).is_ok_and(|bytes| bytes.windows(wanted.len()).any(|window| window == wanted))
    })
}

#[test]
fn what_goes_wrong_with_a_code_is_explained() {
    let world = World::new(3600);
    let (url, port, authorities) =
        (world.tenant.simulator.url(), world.dovecot.tls_port().to_string(), world.authorities());
    let archivista = Archivista::new();
    let (_serving, mut admin) = Administering::start(&archivista, &[]);
    let good = World::fields(&url, &port, &authorities);
    let unknown = with(&good, "oauth_client_id", "11111111-2222-3333-4444-555555555555");
    let to = admin.done("/admin/assistant/other", &unknown);
    let page = admin.ended(&to);
    assert!(page.contains("has to include personal Microsoft accounts"), "{page}");

    let of = [good.as_slice(), &[("of", ANNA)]].concat();
    world.tenant.control(&json!({ "op": "configure", "public_client": false }));
    admin.done("/admin/assistant/other", &of);
    assert!(admin.ended(&to).contains("Allow public client flows"));

    world.tenant.control(&json!({ "op": "configure", "public_client": true }));
    let sign_in = "/admin/sources/anna.muster%40outlook.com/sign-in";
    admin.done(sign_in, &[("account", ANNA)]);
    admin.when(&to, |answer| answer.text().contains("user-code"));
    world.tenant.control(&json!({ "op": "sign_in", "user": ANNA, "decline": true }));
    assert!(admin.ended(&to).contains("The sign-in was declined. Begin again"));

    world.tenant.control(&json!({ "op": "configure", "code_life": 2 }));
    admin.done(sign_in, &[("account", ANNA)]);
    assert!(admin.ended(&to).contains("The code was not typed in in time."));

    // Somebody else's account: the mail server says so at the test, and nothing is archived as if it were Anna's.
    world.tenant.control(&json!({ "op": "configure", "code_life": 900 }));
    admin.done(sign_in, &[("account", ANNA)]);
    admin.when(&to, |answer| answer.text().contains("user-code"));
    world.tenant.control(&json!({ "op": "sign_in", "user": "beat@outlook.com" }));
    let first = "/admin/assistant/first/anna.muster%40outlook.com";
    let page = admin.when(first, |answer| answer.text().contains("The test has found errors."));
    assert!(page.contains("refused the access token"), "{page}");
    assert_eq!(documents(&archivista), 0);

    // Nor is that the end: one signs in again where one signed in, and it goes on from there.
    let page = admin.page(&to);
    assert!(page.contains("Ask for a new code"), "{page}");
    world.tenant.control(&json!({ "op": "configure", "code_life": 3 }));
    admin.done(sign_in, &[("account", ANNA)]);
    admin.when(&to, |answer| answer.text().contains("user-code"));
    world.tenant.fault("token-unavailable:1:always");
    let page = admin.ended(&to);
    assert!(page.contains("could not be reached until the code ended"), "{page}");
    world.tenant.control(&json!({ "op": "clear_faults" }));
    world.tenant.control(&json!({ "op": "configure", "code_life": 900 }));
    admin.done(sign_in, &[("account", ANNA)]);
    admin.when(&to, |answer| answer.text().contains("user-code"));
    world.tenant.control(&json!({ "op": "sign_in", "user": ANNA }));
    admin.when(first, |answer| answer.text().contains("The first run has ended."));
}

/// A run and a test want a token at the same time, and the process dies as soon as a mail shows that one was handed out: the token
/// that counts was durable before.
#[test]
fn no_refresh_token_is_lost_by_two_at_once_or_by_a_kill() {
    let world = World::new(2);
    let (url, port, authorities) =
        (world.tenant.simulator.url(), world.dovecot.tls_port().to_string(), world.authorities());
    let archivista = Archivista::new();
    let (mut serving, mut admin) = Administering::start(&archivista, &[]);
    let to = admin.done("/admin/assistant/other", &World::fields(&url, &port, &authorities));
    admin.when(&to, |answer| answer.text().contains("user-code"));
    world.tenant.control(&json!({ "op": "sign_in", "user": ANNA }));
    let first = "/admin/assistant/first/anna.muster%40outlook.com";
    admin.when(first, |answer| answer.text().contains("The first run has ended."));
    let source = "/admin/sources/anna.muster%40outlook.com";
    let used = || world.sign_ins()["used"].as_u64().unwrap();
    for round in 1..=4 {
        let before = used();
        world.dovecot.deliver(ANNA, "INBOX", &mails::tiny(&format!("{round}@x"), "Neu"));
        std::thread::sleep(std::time::Duration::from_secs(2));
        admin.done(&format!("{source}/test"), &[]);
        admin.done(&format!("{source}/run"), &[]);
        let since = std::time::Instant::now();
        while documents(&archivista) < round {
            assert!(since.elapsed().as_secs() < 60, "round {round}");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        assert!(used() > before, "round {round} needed no new token");
        if round % 2 == 0 {
            nix::sys::signal::kill(
                nix::unistd::Pid::from_raw(i32::try_from(serving.pid()).unwrap()),
                nix::sys::signal::Signal::SIGKILL,
            )
            .unwrap();
            drop(serving);
            serving = Serving::start(&archivista, &[]);
            let (name, password) = ADMINISTRATOR;
            admin = Administering::of(serving.log_in(name, password), &[]);
        }
        // Nobody has to sign in again.
        admin.done(&format!("{source}/test"), &[]);
        let page = admin.ended(&format!("{source}/test"));
        assert!(page.contains("The test has passed."), "round {round}: {page}");
    }

    // What somebody switched off on purpose stays off when the account is signed in anew.
    admin.done(&format!("{source}/inactive"), &[("inactive", "1")]);
    admin.done(&format!("{source}/sign-in"), &[("account", ANNA)]);
    admin.when(&to, |answer| answer.text().contains("user-code"));
    world.tenant.control(&json!({ "op": "sign_in", "user": ANNA }));
    let page = admin.ended(&to);
    assert!(page.contains("Signed in.") && page.contains("Test and begin"), "{page}");
    assert!(admin.page("/admin/sources").contains("Inactive</span>"));
}

/// The connection test once it has ended.
fn tested(call: &mut dyn FnMut(&str, &str, &Value) -> (u16, Value)) -> Value {
    loop {
        let (_, test) = call("GET", "/definitions/anna/test", &Value::Null);
        if test["is_running"] == false {
            return test;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// A token goes where its owner signed in for, and to no other server.
#[test]
fn another_server_gets_no_token_and_a_program_signs_in_too() {
    let world = World::new(3600);
    world.dovecot.deliver(ANNA, "INBOX", &mails::tiny("1@x", "Eins"));
    let archivista = Archivista::new();
    let serving = Serving::start(&archivista, &[]);
    let mut browser = serving.set_up();
    let csrf = browser.get("/account/tokens").csrf();
    let fields = [("csrf", csrf.as_str()), ("name", "x"), ("ends", "2035-01-31"), ("administer", "1")];
    let made = browser.post("/account/tokens", &fields).text();
    let token = format!("archivista_{}", between(&made, "archivista_", "<"));
    let mut program = serving.visitor();
    let mut call = |method: &str, target: &str, body: &Value| {
        let bearer = format!("Bearer {token}");
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let answer = program.ask(method, &format!("/api/v1{target}"), &headers, &body);
        (answer.status, answer.json())
    };
    let providers = call("GET", "/providers?address=anna%40outlook.com", &Value::Null).1;
    assert_eq!(providers["providers"][0]["signs_in"], true);
    assert_eq!(call("GET", "/providers?address=anna%40muster.example", &Value::Null).1["providers"], json!([]));
    assert!(call("GET", "/providers", &Value::Null).1["providers"].as_array().unwrap().len() > 30);

    let account = |url: &str| json!([{ "account": ANNA, "sign_in": { "client_id": CLIENT, "login_url": url } }]);
    let settings = json!({
        "server": "localhost", "port": world.dovecot.tls_port(), "encryption": "tls", "ca_pem": world.authorities(),
        "accounts": account(&world.tenant.simulator.url()), "interval_minutes": 10_080, "inactive": true,
    });
    let new = json!({ "name": "anna", "module": "imap", "settings": settings });
    let (status, made) = call("POST", "/definitions", &new);
    assert_eq!((status, &made["settings"]["accounts"][0]["sign_in"]["tenant"]), (201, &json!("consumers")), "{made}");
    let state = |wanted: &str, call: &mut dyn FnMut(&str, &str, &Value) -> (u16, Value)| loop {
        let (_, state) = call("GET", "/definitions/anna/sign-in", &Value::Null);
        if state["state"] == wanted {
            return state;
        }
        assert_ne!(state["state"], "failed", "{state}");
        std::thread::sleep(std::time::Duration::from_millis(50));
    };
    assert_eq!(state("none", &mut call)["account"], ANNA);
    assert_eq!(call("POST", "/definitions/anna/sign-in", &json!({ "account": "niemand" })).0, 404);
    assert_eq!(call("POST", "/definitions/anna/sign-in", &json!({})).0, 202);
    let code = state("code", &mut call)["user_code"].clone();
    world.tenant.control(&json!({ "op": "sign_in", "user": ANNA, "user_code": code }));
    state("done", &mut call);
    assert_eq!(call("POST", "/definitions/anna/test", &Value::Null).0, 202);
    let test = tested(&mut call);
    assert_eq!(test["has_failed"], false, "{test}");

    // The same server under another name is another one.
    let other = json!({ "server": "127.0.0.1" });
    assert_eq!(call("PATCH", "/definitions/anna", &other).0, 200);
    call("POST", "/definitions/anna/test", &Value::Null);
    let test = tested(&mut call).to_string();
    assert!(test.contains("Nobody has signed in"), "{test}");
}
