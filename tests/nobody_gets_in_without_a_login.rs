//! Setup, login and sessions: what lets a person in, and what keeps everybody else out.

use crate::support::archivista::Archivista;
use crate::support::serving::{ADMINISTRATOR, Serving};

const COOKIE: &str = "__Host-archivista";

#[test]
fn whoever_has_the_code_sets_up_the_archive_once() {
    let archivista = Archivista::new();
    let serving = Serving::start(&archivista, &[]);
    let mut browser = serving.visitor();
    for target in ["/", "/admin", "/documents/1", "/login"] {
        let answer = browser.get(target);
        if target != "/" {
            assert!(matches!(answer.status, 303 | 404), "{target}: {}", answer.status);
        }
        assert!(matches!(answer.header("location"), Some("/setup") | None), "{target}");
    }
    let page = browser.get("/setup");
    assert_eq!(page.status, 200);
    assert!(page.header("content-security-policy").unwrap().contains("default-src 'none'"));

    let good = [
        ("code", serving.setup_code.as_deref().unwrap()),
        ("language", "en"),
        ("archive", "Muster AG"),
        ("user", "anna"),
        ("password", "Ein ganzer Satz ist gut."),
        ("again", "Ein ganzer Satz ist gut."),
    ];
    let mistakes = [
        ("archive", "", "The name of the archive is missing"),
        ("user", "anna meier", "A user name has only letters"),
        ("password", "short", "too short"),
        ("again", "Ein anderer Satz.", "not the same"),
        ("code", "AAAA-AAAA-AAAA", "The setup code is not right"),
    ];
    for (name, value, sentence) in mistakes {
        let fields: Vec<(&str, &str)> =
            good.iter().map(|(other, was)| (*other, if *other == name { value } else { was })).collect();
        let answer = browser.post("/setup", &fields);
        assert_eq!(answer.status, 400, "{name}");
        assert!(answer.text().contains(sentence), "{name}: {}", answer.text());
        assert!(!answer.text().contains("Ein ganzer Satz"), "a password in a page");
        assert!(browser.cookies.is_empty());
    }
    assert_eq!(browser.post_from("https://evil.example", "/setup", &good).status, 403);
    // Case and dashes do not matter.
    let code = serving.setup_code.as_deref().unwrap().replace('-', " ").to_lowercase();
    let fields: Vec<(&str, &str)> =
        good.iter().map(|(name, was)| (*name, if *name == "code" { code.as_str() } else { was })).collect();
    let answer = browser.post("/setup", &fields);
    assert_eq!((answer.status, answer.header("location")), (303, Some("/admin/recovery-sheet")), "{}", answer.text());
    let cookie = answer.header("set-cookie").unwrap();
    for part in ["__Host-archivista=", "Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert_eq!(browser.get("/account").status, 200);
    // Once is enough.
    let mut second = serving.visitor();
    assert_eq!(second.get("/setup").header("location"), Some("/"));
    assert_eq!(second.post("/setup", &good).header("location"), Some("/"));
    drop(serving);
    let again = Serving::start(&archivista, &[]);
    assert_eq!(again.setup_code, None);
    again.log_in("ANNA", "Ein ganzer Satz ist gut.");
}

#[test]
fn a_setup_code_cannot_be_guessed() {
    let archivista = Archivista::new();
    let serving = Serving::start(&archivista, &[]);
    let mut browser = serving.visitor();
    let answers: Vec<u16> =
        (0..8).map(|n| browser.post("/setup", &[("code", &format!("AAAA-AAAA-AAA{n}"))]).status).collect();
    assert_eq!(answers, [400, 400, 400, 400, 400, 429, 429, 429]);
}

#[test]
fn a_password_cannot_be_guessed_and_a_wrong_name_looks_the_same() {
    let archivista = Archivista::new();
    let serving = Serving::start(&archivista, &[]);
    serving.set_up();
    let mut browser = serving.visitor();
    let unknown = browser.post("/login", &[("user", "nobody"), ("password", "x")]);
    let wrong = browser.post("/login", &[("user", "anna"), ("password", "x")]);
    assert_eq!((unknown.status, wrong.status), (403, 403));
    assert_eq!(unknown.text().replace("nobody", "anna"), wrong.text());
    for _ in 0..3 {
        assert_eq!(browser.post("/login", &[("user", "anna"), ("password", "x")]).status, 403);
    }
    // From here on even the right one has to wait, so that guessing is of no use.
    let (name, password) = ADMINISTRATOR;
    assert_eq!(browser.post("/login", &[("user", name), ("password", password)]).status, 429);
    assert!(!browser.cookies.contains_key(COOKIE));
}

#[test]
fn a_session_belongs_to_its_login() {
    let archivista = Archivista::new();
    let serving = Serving::start(&archivista, &[]);
    let mut browser = serving.set_up();
    let first = browser.cookies[COOKIE].clone();

    // A cookie that somebody else prepared does not become a session.
    let mut victim = serving.visitor();
    victim.cookies.insert(COOKIE.into(), "prepared".into());
    assert_eq!(victim.get("/account").status, 303);
    let (name, password) = ADMINISTRATOR;
    assert_eq!(victim.post("/login", &[("user", name), ("password", password)]).status, 303);
    assert_ne!(victim.cookies[COOKIE], "prepared");
    assert_ne!(victim.cookies[COOKIE], first);

    // Logging in again ends the session before.
    browser.post("/login", &[("user", name), ("password", password)]);
    let mut old = serving.visitor();
    old.cookies.insert(COOKIE.into(), first);
    assert_eq!(old.get("/account").status, 303);

    // A changed password ends the others.
    let csrf = browser.get("/account").csrf();
    let fields =
        [("csrf", csrf.as_str()), ("now", password), ("password", "Ein neuer Satz."), ("again", "Ein neuer Satz.")];
    assert_eq!(browser.post("/account/password", &fields).status, 303);
    assert!(browser.get("/account").text().contains("The password is changed"));
    assert_eq!(victim.get("/account").status, 303);

    let csrf = browser.get("/account").csrf();
    let ended = browser.cookies[COOKIE].clone();
    assert_eq!(browser.post("/logout", &[("csrf", &csrf)]).header("location"), Some("/login?out=1"));
    let mut old = serving.visitor();
    old.cookies.insert(COOKIE.into(), ended);
    assert_eq!(old.get("/account").status, 303);
}

#[test]
fn a_form_of_another_page_changes_nothing() {
    let archivista = Archivista::new();
    let serving = Serving::start(&archivista, &[]);
    let mut browser = serving.set_up();
    let csrf = browser.get("/admin/users").csrf();
    let fields = |csrf: &str| {
        [
            ("csrf", csrf.to_string()),
            ("user", "mallory".into()),
            ("role", "administrator".into()),
            ("password", "Ein dritter Satz.".into()),
            ("again", "Ein dritter Satz.".into()),
        ]
    };
    let send = |browser: &mut crate::support::https::Https, origin: &str, csrf: &str| {
        let fields = fields(csrf);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        browser.post_from(origin, "/admin/users", &fields).status
    };
    let own = serving.origin();
    assert_eq!(send(&mut browser, &own, ""), 403);
    assert_eq!(send(&mut browser, &own, &csrf[1..]), 403);
    assert_eq!(send(&mut browser, "https://evil.example", &csrf), 403);
    assert_eq!(send(&mut browser, "null", &csrf), 403);
    assert_eq!(send(&mut browser, &format!("{own}.evil.example"), &csrf), 403);
    assert!(!browser.get("/admin/users").text().contains("mallory"));
    assert_eq!(send(&mut browser, &own, &csrf), 303);
    assert!(browser.get("/admin/users").text().contains("mallory"));
}

#[test]
fn the_login_leads_back_and_nowhere_else() {
    let archivista = Archivista::new();
    let serving = Serving::start(&archivista, &[]);
    serving.set_up();
    let (name, password) = ADMINISTRATOR;
    let asked = serving.visitor().get("/account?x=1&y=%C3%BC");
    assert_eq!(asked.header("location"), Some("/login?next=%2Faccount%3Fx%3D1%26y%3D%25C3%25BC"));
    let targets = [
        ("/account?x=1&y=%C3%BC", "/account?x=1&y=%C3%BC"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/x\r\nSet-Cookie: a=b", "/"),
        ("", "/"),
    ];
    for (next, to) in targets {
        let mut browser = serving.visitor();
        let answer = browser.post("/login", &[("user", name), ("password", password), ("next", next)]);
        assert_eq!((answer.status, answer.header("location")), (303, Some(to)), "{next:?}");
        assert_eq!(answer.headers.iter().filter(|(name, _)| name == "set-cookie").count(), 1);
    }
}

#[test]
fn rights_are_given_seen_and_taken_away() {
    let archivista = Archivista::new();
    let serving = Serving::start(&archivista, &[]);
    let mut anna = serving.set_up();
    let csrf = anna.get("/admin/users").csrf();
    let password = "Noch ein ganzer Satz.";
    for (name, role) in [("beat", "user"), ("rita", "auditor")] {
        let fields =
            [("csrf", csrf.as_str()), ("user", name), ("role", role), ("password", password), ("again", password)];
        assert_eq!(anna.post("/admin/users", &fields).status, 303);
    }
    let taken =
        [("csrf", csrf.as_str()), ("user", "Beat"), ("role", "user"), ("password", password), ("again", password)];
    assert_eq!(anna.post("/admin/users", &taken).status, 400);
    for name in ["beat", "rita"] {
        let mut browser = serving.log_in(name, password);
        for target in ["/admin", "/admin/users", "/admin/users/anna"] {
            assert!(matches!(browser.get(target).status, 403 | 404), "{name} {target}");
        }
        let csrf = browser.get("/account").csrf();
        assert_eq!(browser.post("/admin/users/anna/delete", &[("csrf", &csrf)]).status, 403);
    }
    // The right of the first administrator can be taken away, the administration itself not.
    let without = [("csrf", csrf.as_str()), ("role", "administrator"), ("was:reads_all", "1")];
    assert_eq!(anna.post("/admin/users/anna", &without).status, 303);
    assert!(!anna.get("/admin/users/anna").text().contains("name=\"reads_all\" value=\"1\" checked"));
    let last = [("csrf", csrf.as_str()), ("role", "user")];
    assert_eq!(anna.post("/admin/users/anna", &last).status, 400);
    assert_eq!(anna.post("/admin/users/anna/delete", &[("csrf", &csrf)]).status, 400);
    // Whoever is made inactive is out at once.
    let mut beat = serving.log_in("beat", password);
    assert_eq!(anna.post("/admin/users/beat", &[("csrf", &csrf), ("role", "user"), ("inactive", "1")]).status, 303);
    assert_eq!(beat.get("/account").status, 303);
    assert_eq!(serving.visitor().post("/login", &[("user", "beat"), ("password", password)]).status, 403);
}
