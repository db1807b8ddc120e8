//! Promise: every page of the server asks who is there. One table says what each role gets on each route; a route that is not
//! in it fails the test, and so does a form that is taken without the token of the session.

use crate::support::web::{Answer, Site};
use archivista::settings::administration::Field;
use archivista::settings::compilations::{self, Compilation};
use archivista::settings::document_fields::{DocumentField, DocumentFields};
use archivista::settings::groups::{self, Group};
use archivista::settings::tokens::Rights;
use archivista::settings::users::Role;
use archivista::settings::{self, users};
use archivista::web::assets;
use archivista::web::request::{Method, encode};
use archivista::web::routes;

/// Nobody without the right may see it, wherever it stands.
const SECRET: &str = "Geheimsache";
const PASSWORD: &str = "a long enough password";

/// Visitor, user without the right, user with it, auditor, administrator without the right to read, administrator with it.
const ROLES: [&str; 6] = ["", "beat", "anna", "revision", "verwalter", "chefin"];
/// Those of them who may not read the documents.
const WITHOUT: [&str; 3] = ["", "beat", "verwalter"];

const READ: [u16; 6] = [303, 404, 200, 200, 404, 200];
const PEOPLE: [u16; 6] = [303, 200, 200, 200, 200, 200];
const ALL: [u16; 6] = [200; 6];
const LED: [u16; 6] = [303; 6];
const ADMIN: [u16; 6] = [303, 403, 403, 403, 200, 200];
/// What auditors need too.
const EXAMINER: [u16; 6] = [303, 403, 403, 200, 200, 200];
const ADMIN_DONE: [u16; 6] = [303, 403, 403, 403, 303, 303];
const ADMIN_WRONG: [u16; 6] = [303, 403, 403, 403, 400, 400];
/// Of what anna made: administrators help, an auditor looks.
const OWNED: [u16; 6] = [303, 404, 303, 403, 303, 303];
/// There is no box around these pages.
const ADMIN_OF_BOX: [u16; 6] = [303, 403, 403, 403, 404, 404];

struct Case {
    method: Method,
    path: &'static str,
    /// With its parameters; `M` is the mail, `F` the file.
    asked: &'static str,
    fields: &'static [(&'static str, &'static str)],
    expected: [u16; 6],
}

const fn get(path: &'static str, asked: &'static str, expected: [u16; 6]) -> Case {
    Case { method: Method::Get, path, asked, fields: &[], expected }
}

const fn post(
    path: &'static str,
    asked: &'static str,
    fields: &'static [(&'static str, &'static str)],
    expected: [u16; 6],
) -> Case {
    Case { method: Method::Post, path, asked, fields, expected }
}

const CASES: &[Case] = &[
    get("/", "/", PEOPLE),
    get("/", "/?q=geheimsache&sort=title", PEOPLE),
    get("/", "/?sort=title&at=0.18446744073709551615", PEOPLE),
    get("/", "/?sort=size&at=1.M&back=1", PEOPLE),
    get("/documents/{number}", "/documents/M", READ),
    get("/documents/{number}", "/documents/M?show=text&list=1", READ),
    get("/documents/{number}", "/documents/F", READ),
    get("/documents/{number}/fields", "/documents/M/fields", READ),
    post("/documents/{number}/fields", "/documents/M/fields", &[("note", "x")], [303, 404, 303, 403, 404, 303]),
    get("/documents/{number}/source", "/documents/M/source", READ),
    get("/documents/{number}/proof", "/documents/M/proof", READ),
    get("/documents/{number}/retention", "/documents/M/retention", [303, 403, 403, 200, 200, 200]),
    get("/documents/{number}/retention", "/documents/4711/retention", [303, 403, 403, 404, 404, 404]),
    post("/documents/{number}/retention", "/documents/M/retention", &[("do", "ask")], [303, 403, 403, 400, 400, 400]),
    get("/documents/{number}/html", "/documents/M/html", READ),
    get("/documents/{number}/html", "/documents/M/html?print=1", READ),
    get("/documents/{number}/file", "/documents/F/file", READ),
    get("/documents/{number}/file", "/documents/M/file", [303, 404, 404, 404, 404, 404]),
    get("/documents/{number}/download", "/documents/M/download", READ),
    get("/documents/{number}/download", "/documents/F/download", READ),
    get("/documents/{number}/parts/{part}", "/documents/M/parts/1", READ),
    get("/documents/{number}/parts/{part}", "/documents/M/parts/2?open=1", READ),
    get("/documents/{number}/parts/{part}", "/documents/M/parts/2?in=1", [303, 404, 404, 404, 404, 404]),
    get("/documents/{number}/parts/{part}", "/documents/M/parts/2?file=0", [303, 404, 404, 404, 404, 404]),
    get("/documents/{number}/parts/{part}", "/documents/M/parts/4711", [303, 404, 404, 404, 404, 404]),
    get("/go/{number}", "/go/M", [303, 404, 303, 303, 404, 303]),
    get("/go/{number}", "/go/x", [303, 404, 404, 404, 404, 404]),
    get("/perl/avclient/index.pl", "/perl/avclient/index.pl?target=new&go=M", [303, 404, 303, 303, 404, 303]),
    get("/perl/avclient/index.pl", "/perl/avclient/index.pl", LED),
    post("/selection", "/selection", &[("action", "links"), ("number", "1")], [303, 303, 200, 200, 303, 200]),
    post("/selection", "/selection", &[("action", "links"), ("number", "18446744073709551615")], LED),
    post("/selection", "/selection", &[("action", "withdraw"), ("number", "1")], [303, 303, 404, 403, 303, 404]),
    post("/selection", "/selection", &[("action", "forward"), ("number", "1")], [303, 303, 200, 200, 303, 200]),
    post("/selection", "/selection", &[("action", "export"), ("number", "1")], [303, 303, 200, 200, 303, 200]),
    post("/selection", "/selection", &[("action", "restore"), ("number", "1")], [303, 303, 303, 403, 303, 303]),
    get("/export", "/export", PEOPLE),
    post("/searches", "/searches", &[("name", "Offerten"), ("q", "offert*")], LED),
    post("/export", "/export", &[], PEOPLE),
    get("/documents/{number}/restore", "/documents/M/restore", [303, 404, 200, 403, 404, 200]),
    get("/documents/{number}/restore", "/documents/F/restore", [303, 404, 200, 403, 404, 200]),
    post("/documents/{number}/restore", "/documents/M/restore", &[], [303, 404, 303, 403, 404, 303]),
    post(
        "/documents/{number}/restore",
        "/documents/M/restore",
        &[("into", "company\nbeat")],
        [303, 404, 404, 403, 404, 404],
    ),
    get("/restores/{id}", "/restores/4711", [303, 404, 404, 404, 404, 404]),
    get("/upload", "/upload", [303, 200, 200, 403, 200, 200]),
    // What is sent here is no form with files.
    post("/upload", "/upload", &[], [303, 400, 400, 403, 400, 400]),
    get("/setup", "/setup", LED),
    post("/setup", "/setup", &[], LED),
    get("/login", "/login", [200, 303, 303, 303, 303, 303]),
    post("/login", "/login", &[("user", "beat"), ("password", PASSWORD)], LED),
    post("/logout", "/logout", &[], LED),
    get("/account", "/account", PEOPLE),
    post("/account", "/account", &[("language", "de")], LED),
    post("/account/password", "/account/password", &[("now", PASSWORD)], [303, 400, 400, 400, 400, 400]),
    get("/account/tokens", "/account/tokens", PEOPLE),
    post("/account/tokens", "/account/tokens", &[], [303, 400, 400, 400, 400, 400]),
    post("/account/tokens/{id}/revoke", "/account/tokens/0123456789abcdef/revoke", &[], [303, 404, 404, 404, 404, 404]),
    get("/admin/tokens", "/admin/tokens", ADMIN),
    post("/admin/tokens", "/admin/tokens", &[], ADMIN_WRONG),
    post("/admin/tokens/{id}/revoke", "/admin/tokens/0123456789abcdef/revoke", &[], ADMIN_OF_BOX),
    post("/admin/metrics", "/admin/metrics", &[("networks", "x")], ADMIN_WRONG),
    post("/admin/metrics", "/admin/metrics", &[], ADMIN_DONE),
    // A cookie counts for nothing there.
    get("/metrics", "/metrics", [401; 6]),
    get("/admin", "/admin", ADMIN),
    post("/admin/pause", "/admin/pause", &[("paused", "1")], ADMIN_DONE),
    post("/admin/pause", "/admin/pause", &[], ADMIN_DONE),
    get("/admin/growth", "/admin/growth", ADMIN),
    get("/admin/sources", "/admin/sources", ADMIN),
    get("/admin/new/{module}", "/admin/new/o365", ADMIN),
    post("/admin/new/{module}", "/admin/new/imap", &[], ADMIN_WRONG),
    get("/admin/sources/{name}", "/admin/sources/company", ADMIN),
    get("/admin/sources/{name}/edit", "/admin/sources/company/edit", ADMIN),
    post("/admin/sources/{name}/edit", "/admin/sources/company/edit", &[], ADMIN_WRONG),
    post("/admin/sources/{name}/run", "/admin/sources/company/run", &[], ADMIN_DONE),
    post("/admin/sources/{name}/cancel", "/admin/sources/company/cancel", &[], ADMIN_DONE),
    post("/admin/sources/{name}/inactive", "/admin/sources/company/inactive", &[], ADMIN_DONE),
    get("/admin/sources/{name}/end", "/admin/sources/company/end", ADMIN),
    post("/admin/sources/{name}/end", "/admin/sources/company/end", &[("ended", "1")], ADMIN_DONE),
    post("/admin/sources/{name}/owner", "/admin/sources/company/owner", &[("owner", "")], ADMIN_DONE),
    get("/admin/sources/{name}/delete", "/admin/sources/company/delete", ADMIN),
    post("/admin/sources/{name}/delete", "/admin/sources/company/delete", &[], ADMIN_DONE),
    get("/admin/sources/{name}/completeness", "/admin/sources/company/completeness", ADMIN),
    get("/admin/sources/{name}/failed/{folder}", "/admin/sources/company/failed/1", ADMIN),
    get("/admin/sources/{name}/test", "/admin/sources/company/test", ADMIN),
    post("/admin/sources/{name}/test", "/admin/sources/company/test", &[], ADMIN_DONE),
    // No account of it signs in by a code.
    get("/admin/sources/{name}/sign-in", "/admin/sources/company/sign-in?account=anna", ADMIN_OF_BOX),
    post("/admin/sources/{name}/sign-in", "/admin/sources/company/sign-in", &[("account", "anna")], ADMIN_OF_BOX),
    get("/admin/assistant", "/admin/assistant", ADMIN),
    get("/admin/assistant/o365", "/admin/assistant/o365", ADMIN),
    post("/admin/assistant/o365", "/admin/assistant/o365", &[], ADMIN_WRONG),
    get("/admin/assistant/other", "/admin/assistant/other", ADMIN),
    post("/admin/assistant/other", "/admin/assistant/other", &[], ADMIN_WRONG),
    get("/admin/assistant/list", "/admin/assistant/list", ADMIN),
    post("/admin/assistant/list", "/admin/assistant/list", &[("list", "anna@gmx.ch")], ADMIN_WRONG),
    post("/admin/assistant/list", "/admin/assistant/list", &[("stored", "x")], ADMIN_WRONG),
    post("/admin/assistant/check", "/admin/assistant/check", &[("field", "tenant"), ("value", "x")], ADMIN),
    get("/admin/assistant/first/{name}", "/admin/assistant/first/company", ADMIN),
    post("/admin/assistant/first/{name}", "/admin/assistant/first/company", &[("do", "start")], ADMIN_DONE),
    get("/admin/fetching", "/admin/fetching", ADMIN),
    post("/admin/fetching", "/admin/fetching", &[("quiet", "never")], ADMIN_WRONG),
    get("/admin/switch", "/admin/switch", ADMIN),
    post("/admin/switch", "/admin/switch", &[], ADMIN_WRONG),
    get("/admin/retention", "/admin/retention", ADMIN),
    post("/admin/retention", "/admin/retention", &[], ADMIN_WRONG),
    post("/admin/retention/confirm", "/admin/retention/confirm", &[], ADMIN_WRONG),
    get("/admin/retention/due", "/admin/retention/due", ADMIN),
    get("/admin/retention/holds", "/admin/retention/holds", ADMIN),
    post("/admin/retention/holds", "/admin/retention/holds", &[], ADMIN_WRONG),
    post("/admin/retention/holds/{name}/lift", "/admin/retention/holds/nothing/lift", &[], ADMIN_OF_BOX),
    get("/admin/retention/documents", "/admin/retention/documents", ADMIN),
    get("/admin/archive", "/admin/archive", ADMIN),
    post("/admin/archive", "/admin/archive", &[], ADMIN_WRONG),
    get("/admin/fields", "/admin/fields", ADMIN),
    post("/admin/fields", "/admin/fields", &[], ADMIN_WRONG),
    get("/admin/fields/{name}", "/admin/fields/Kunde", ADMIN),
    post("/admin/fields/{name}", "/admin/fields/Kunde", &[("kind", "text")], ADMIN_DONE),
    post("/admin/fields/{name}/move", "/admin/fields/Kunde/move", &[("up", "1")], ADMIN_DONE),
    post("/admin/fields/{name}/hidden", "/admin/fields/Kunde/hidden", &[], ADMIN_DONE),
    get("/admin/proof", "/admin/proof", EXAMINER),
    get("/admin/proof", "/admin/proof?number=x", [303, 403, 403, 400, 400, 400]),
    get("/admin/proof/checkpoints", "/admin/proof/checkpoints", EXAMINER),
    get("/admin/proof/journal", "/admin/proof/journal", EXAMINER),
    post("/admin/proof/sign", "/admin/proof/sign", &[], [303, 403, 403, 303, 303, 303]),
    post("/admin/proof/download", "/admin/proof/download", &[], EXAMINER),
    get("/admin/system", "/admin/system", ADMIN),
    post("/admin/system", "/admin/system", &[], ADMIN_WRONG),
    post("/admin/system", "/admin/system", &[("time_zone", "Europe/Zurich")], ADMIN_DONE),
    get("/admin/system/network", "/admin/system/network", ADMIN_OF_BOX),
    post("/admin/system/network", "/admin/system/network", &[], ADMIN_OF_BOX),
    get("/admin/system/restart", "/admin/system/restart", ADMIN_OF_BOX),
    post("/admin/system/restart", "/admin/system/restart", &[], ADMIN_OF_BOX),
    get("/admin/system/off", "/admin/system/off", ADMIN_OF_BOX),
    post("/admin/system/off", "/admin/system/off", &[], ADMIN_OF_BOX),
    post("/admin/system/resume", "/admin/system/resume", &[], ADMIN_OF_BOX),
    get("/admin/system/log", "/admin/system/log", ADMIN_OF_BOX),
    get("/admin/verification", "/admin/verification", EXAMINER),
    post("/admin/verification", "/admin/verification", &[], [303, 403, 403, 303, 303, 303]),
    post("/admin/verification/cancel", "/admin/verification/cancel", &[("id", "4711")], [303, 403, 403, 303, 303, 303]),
    get("/admin/verification/{number}", "/admin/verification/4711", [303, 403, 403, 404, 404, 404]),
    get("/admin/recovery-sheet", "/admin/recovery-sheet", ADMIN),
    post("/admin/recovery-sheet", "/admin/recovery-sheet", &[], ADMIN_WRONG),
    post("/admin/recovery-sheet", "/admin/recovery-sheet", &[("password", PASSWORD)], ADMIN),
    get("/admin/recovery-sheet/confirm", "/admin/recovery-sheet/confirm", ADMIN),
    post("/admin/recovery-sheet/confirm", "/admin/recovery-sheet/confirm", &[], ADMIN_WRONG),
    post("/admin/recovery-sheet/later", "/admin/recovery-sheet/later", &[], ADMIN_DONE),
    get("/admin/users", "/admin/users", ADMIN),
    post("/admin/users", "/admin/users", &[], ADMIN_WRONG),
    get("/admin/users/{name}", "/admin/users/spare", ADMIN),
    post("/admin/users/{name}", "/admin/users/spare", &[("role", "auditor")], ADMIN_DONE),
    post("/admin/users/{name}/delete", "/admin/users/spare/delete", &[], ADMIN_DONE),
    get("/admin/groups", "/admin/groups", ADMIN),
    post("/admin/groups", "/admin/groups", &[], ADMIN_WRONG),
    get("/admin/groups/{name}", "/admin/groups/Verkauf", ADMIN),
    post("/admin/groups/{name}", "/admin/groups/Verkauf", &[("member", "beat")], ADMIN_DONE),
    post("/admin/groups/{name}/delete", "/admin/groups/Verkauf/delete", &[], ADMIN_DONE),
    get("/admin/rights", "/admin/rights", ADMIN),
    post("/admin/rights", "/admin/rights", &[], ADMIN_DONE),
    get("/compilations", "/compilations", PEOPLE),
    post("/compilations", "/compilations", &[], [303, 400, 400, 403, 400, 400]),
    post("/compilations", "/compilations", &[("into", "brief"), ("number", "1")], [303, 404, 303, 403, 400, 303]),
    get("/compilations/{name}", "/compilations/brief", [303, 404, 200, 200, 200, 200]),
    post("/compilations/{name}", "/compilations/brief", &[], [303, 404, 400, 403, 400, 400]),
    post("/compilations/{name}/documents", "/compilations/brief/documents", &[], [303, 404, 400, 403, 400, 400]),
    post("/compilations/{name}/published", "/compilations/brief/published", &[("published", "1")], OWNED),
    post("/compilations/{name}/delete", "/compilations/brief/delete", &[], OWNED),
    // The archive is not public.
    get("/c/{name}", "/c/brief", [404; 6]),
    get("/c/{name}", "/c/nothing", [404; 6]),
    get("/robots.txt", "/robots.txt", ALL),
    get("/assets/{name}", "STYLE", ALL),
    get("/favicon.ico", "/favicon.ico", ALL),
];

const MAIL: &str = "From: a@example.ch\r\nSubject: Geheimsache\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\nContent-Type: text/html\r\n\r\n<p>Geheimsache</p>\r\n\
    --B\r\nContent-Type: application/pdf; name=Geheimsache.pdf\r\nContent-Disposition: attachment\r\n\r\n%PDF-1.7\r\n--B--\r\n";

struct Stage {
    site: Site,
    mail: u64,
    file: u64,
}

impl Stage {
    fn new() -> Self {
        let site = Site::new();
        let mail = site.mail("anna", MAIL.as_bytes(), 1_700_000_000);
        site.user("beat", Role::User, &["beat"]);
        let anna = site.user("anna", Role::User, &["anna"]);
        site.user("revision", Role::Auditor, &[]);
        site.user("chefin", Role::Administrator, &[]);
        site.user("verwalter", Role::Administrator, &[]);
        let mut user = users::user(&site.web.archive, "verwalter").unwrap().unwrap();
        user.reads_all = false;
        users::put_user(&site.web.archive, &user, "test").unwrap();
        let file = site.file(&anna, "Geheimsache.pdf", b"%PDF-1.7 Geheimsache");
        assert_eq!((mail, file), (1, 2));
        Self { site, mail, file }
    }

    /// Puts back what a case took away or changed; what is as it was costs nothing.
    fn define(&self) {
        let archive = &self.site.web.archive;
        if settings::definition(archive, "company").is_err() {
            let file = self.site.data().with_file_name("company.toml");
            let text = "name = 'company'\nmodule = 'imap'\nserver = '127.0.0.1'\nport = 9\nencryption = 'none'\n\
                account = 'anna'\npassword = 'geheim'\n";
            std::fs::write(&file, text).unwrap();
            let definition = settings::definition_file::read(&file).unwrap();
            settings::put(archive, &definition, "test").unwrap();
        }
        settings::end(archive, "company", false, "test").unwrap();
        if users::user(archive, "spare").unwrap().is_none() {
            self.site.user("spare", Role::User, &[]);
        }
        let fields = DocumentFields(vec![DocumentField { name: "Kunde".into(), ..DocumentField::default() }]);
        if DocumentFields::read(archive).unwrap() != fields {
            fields.write(archive, "test").unwrap();
        }
        if groups::group(archive, "Verkauf").unwrap().is_none() {
            groups::put_group(archive, &Group { name: "Verkauf".into(), ..Group::default() }, "test").unwrap();
        }
        let anna = users::user(archive, "anna").unwrap().unwrap();
        let brief = Compilation {
            name: "brief".into(),
            title: "Frühlingsbrief".into(),
            documents: vec![2, 1, 4, 3],
            is_published: true,
            owner: anna.name,
            owner_created: anna.created,
            ..Compilation::default()
        };
        if compilations::compilation(archive, "brief").unwrap().as_ref() != Some(&brief) {
            compilations::put_compilation(archive, None, &brief, "test").unwrap();
        }
    }

    fn target(&self, asked: &str) -> String {
        if asked == "STYLE" {
            return assets::paths()[0].clone();
        }
        asked.replace('M', &self.mail.to_string()).replace('F', &self.file.to_string())
    }

    /// Asks in a session of its own.
    fn ask(&self, role: &str, method: Method, case: &Case, token: Option<&str>, more: &[(&str, &str)]) -> Answer {
        let cookie = (!role.is_empty()).then(|| self.site.session(role));
        let mut headers = more.to_vec();
        let mut body = String::new();
        if method == Method::Post {
            headers.push(("content-type", "application/x-www-form-urlencoded"));
            let own = cookie.as_deref().map(|cookie| self.site.token(cookie)).unwrap_or_default();
            let token = token.map_or(own, Into::into);
            let fields = [("csrf", token.as_str())].into_iter().chain(case.fields.iter().copied());
            body = fields.map(|(name, value)| format!("{name}={}", encode(value))).collect::<Vec<_>>().join("&");
        }
        self.site.ask(method, cookie.as_deref(), &self.target(case.asked), &headers, body.into_bytes())
    }
}

#[test]
fn every_role_gets_on_every_route_what_it_may() {
    let stage = Stage::new();
    for route in routes::all() {
        let listed = CASES.iter().any(|case| case.method == route.method && case.path == route.path);
        assert!(listed, "{:?} {} has no row in the table of rights", route.method, route.path);
    }
    for case in CASES {
        for (role, expected) in ROLES.into_iter().zip(case.expected) {
            stage.define();
            let what = format!("{role:?} {:?} {}", case.method, case.asked);
            let answer = stage.ask(role, case.method, case, None, &[]);
            assert_eq!(answer.status, expected, "{what}: {}", answer.text());
            if WITHOUT.contains(&role) && !case.asked.contains("q=geheimsache") {
                assert!(!answer.text().contains(SECRET), "{what}");
                assert!(!answer.location().contains(SECRET), "{what}");
            }
            if case.method == Method::Get {
                let head = stage.ask(role, Method::Head, case, None, &[]);
                assert_eq!((head.status, head.body.len()), (expected, 0), "HEAD {what}");
            }
            for (name, value) in [("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer")] {
                assert_eq!(answer.header(name), Some(value), "{what}");
            }
            let policy = answer.header("Content-Security-Policy").unwrap();
            assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors"), "{what}: {policy}");
            assert!(!policy.contains("'unsafe-eval'") && !policy.contains("script-src 'unsafe"), "{what}: {policy}");
            assert_eq!(answer.header("X-Robots-Tag"), Some("noindex"), "{what}");
            if !matches!(case.asked, "STYLE" | "/favicon.ico") {
                assert_eq!(answer.header("Cache-Control"), Some("no-store"), "{what}");
            }
        }
    }
}

/// What a visitor gets of a published document, for the rows of the table that ask for one.
const PUBLISHED: &[(&str, u16)] = &[
    ("/documents/M/html", 200),
    ("/documents/M/html?print=1", 200),
    ("/documents/F/file", 200),
    ("/documents/M/file", 404),
    ("/documents/F/download", 200),
    // The source of a mail is more than its View.
    ("/documents/M/download", 303),
    ("/documents/M/parts/1", 200),
    ("/documents/M/parts/2?open=1", 200),
    ("/documents/M/parts/2?in=1", 404),
    ("/documents/M/parts/2?file=0", 404),
    ("/documents/M/parts/4711", 404),
    ("/go/M", 200),
    ("/perl/avclient/index.pl?target=new&go=M", 200),
];

#[test]
fn a_visitor_of_a_public_archive_sees_what_is_published_and_nothing_else() {
    let mut stage = Stage::new();
    let anna = stage.site.session("anna");
    let file = stage.site.file(&anna, "Prospekt.pdf", b"%PDF-1.7 Prospekt");
    let mail = stage.site.mail("anna", MAIL.replace(SECRET, "Prospekt").as_bytes(), 1_700_000_001);
    assert_eq!((file, mail), (3, 4));
    for number in [file, mail] {
        stage.site.change(number, |metadata| drop(metadata.fields.insert("Web".into(), "x".into())));
    }
    stage.site.administer(|all| {
        all.publishing = Some(Field::Other("Web".into()));
        (all.is_public, all.public_mails) = (true, true);
    });
    for is_published in [false, true] {
        if is_published {
            (stage.mail, stage.file) = (mail, file);
        }
        for case in CASES {
            // What an administrator may there is not for whoever comes from outside.
            let is_administering = case.path.starts_with("/admin") || case.path == "/setup";
            let published = PUBLISHED.iter().find(|(asked, _)| is_published && *asked == case.asked);
            let expected = match published {
                _ if is_administering => 403,
                Some((_, status)) => *status,
                None if case.asked == "/c/brief" => 200,
                None => case.expected[0],
            };
            stage.site.web.archive.flush().unwrap();
            stage.define();
            let answer = stage.ask("", case.method, case, None, &[("x-peer", "198.51.100.9")]);
            let what = format!("{:?} {} published: {is_published}", case.method, case.asked);
            assert_eq!(answer.status, expected, "{what}: {}", answer.text());
            assert!(!answer.text().contains(SECRET) && !answer.location().contains(SECRET), "{what}");
            assert_eq!(answer.header("X-Robots-Tag"), Some("noindex"), "{what}");
            if published.is_some_and(|(_, status)| *status == 200) && case.asked.starts_with("/go") {
                let page = answer.text();
                for more in ["/fields", "/source", "/proof", "/download", "anna"] {
                    assert!(!page.contains(more), "{what} shows {more}: {page}");
                }
            }
            if case.asked == "/c/brief" {
                assert!(answer.text().contains("Prospekt"), "{what}");
            }
        }
    }
}

#[test]
fn no_form_is_taken_without_the_token_of_its_session() {
    let stage = Stage::new();
    stage.define();
    let foreign = stage.site.token(&stage.site.session("chefin"));
    let before = stage.site.journal().len();
    // These are for whoever has no session yet: where they come from is what counts.
    let without_session = ["/login", "/setup"];
    for case in CASES.iter().filter(|case| case.method == Method::Post && case.path != "/setup") {
        if !without_session.contains(&case.path) {
            for token in ["", "x", &foreign] {
                let answer = stage.ask("chefin", Method::Post, case, Some(token), &[]);
                // Without a boundary there is no token to be found.
                let refused = if case.path == "/upload" { 400 } else { 403 };
                assert_eq!(answer.status, refused, "{} with token {token:?}", case.asked);
            }
        }
        for origin in [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")] {
            if case.path == "/upload" {
                continue;
            }
            let answer = stage.ask("chefin", Method::Post, case, None, &[origin]);
            assert_eq!(answer.status, 403, "{} from {origin:?}", case.asked);
        }
    }
    // Nothing was done, and nothing noted.
    assert_eq!(stage.site.journal().len(), before);
    assert!(users::user(&stage.site.web.archive, "spare").unwrap().is_some());
}

#[test]
fn a_mail_is_not_looked_at_past_the_journal() {
    use archivista::archive::commit::Happening;
    let stage = Stage::new();
    for path in ["", "/html", "/source", "/proof", "/fields"] {
        let reader = stage.site.session("revision");
        let opened = || stage.site.journal().iter().filter(|event| event.what == Happening::Opened(stage.mail)).count();
        let before = opened();
        assert_eq!(stage.site.get(Some(&reader), &format!("/documents/{}{path}", stage.mail)).status, 200);
        assert_eq!(opened(), before + 1, "{path}");
    }
}

/// Says that something is over when it is dropped.
struct Over<'a>(&'a std::sync::atomic::AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, std::sync::atomic::Ordering::Relaxed);
    }
}

#[test]
fn rights_that_are_taken_away_do_not_come_back() {
    let stage = Stage::new();
    let site = &stage.site;
    let anna = site.session("anna");
    let chefin = site.session("chefin");
    let is_over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Also where something here fails: the scope waits for its threads.
        let _over = Over(&is_over);
        // Somebody saves the own account all the time.
        scope.spawn(|| {
            while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                assert_eq!(site.post(&anna, "/account", &[("language", "en")]).status, 303);
            }
        });
        let cell = [("mailbox", "company\nanna"), ("holder", "user:anna")];
        let (gives, takes) = ([cell[0], cell[1], ("is", "0.0")], [cell[0], cell[1], ("was", "0.0")]);
        let rights = || users::user(&site.web.archive, "anna").unwrap().unwrap().mailboxes.len();
        let mut came_back = 0;
        for _ in 0..40 {
            assert_eq!(site.post(&chefin, "/admin/rights", &gives).status, 303);
            assert_eq!(site.post(&chefin, "/admin/rights", &takes).status, 303);
            std::thread::sleep(std::time::Duration::from_millis(20));
            came_back += rights();
        }
        assert_eq!(came_back, 0);
    });
}

#[test]
fn a_table_of_rights_that_is_too_long_changes_nothing() {
    let stage = Stage::new();
    let chefin = stage.site.session("chefin");
    let mailboxes = |stage: &Stage| users::user(&stage.site.web.archive, "anna").unwrap().unwrap().mailboxes.len();
    assert_eq!(mailboxes(&stage), 1);
    let mut fields = vec![("mailbox", "company\nanna"), ("holder", "user:anna"), ("was", "0.0")];
    fields.extend(vec![("x", "x"); archivista::limits::FORM_FIELDS]);
    fields.push(("is", "0.0"));
    let answer = stage.site.post(&chefin, "/admin/rights", &fields);
    assert_eq!((answer.status, mailboxes(&stage)), (413, 1));
    let long = "x".repeat(archivista::limits::FORM_BODY);
    fields.truncate(3);
    fields.push(("x", &long));
    let answer = stage.site.post(&chefin, "/admin/rights", &fields);
    assert_eq!((answer.status, mailboxes(&stage)), (413, 1));
}

/// The runs of others are not there, on no page and in no call; not even those of somebody who had the name before.
#[test]
fn nobody_sees_what_another_person_plays_back() {
    let stage = Stage::new();
    stage.define();
    let site = &stage.site;
    let anna = site.session("anna");
    let begin = || site.post(&anna, "/documents/1/restore", &[("into", "company\nanna")]);
    let page = begin().location().to_owned();
    assert!(page.starts_with("/restores/"), "{page}");
    let change = Rights { read: true, change: true, ..Rights::default() };
    let of = |name: &str| (site.session(name), site.api_token(name, change));
    let ask = |(cookie, token): &(String, String)| {
        (site.get(Some(cookie), &page).status, site.call(token, Method::Get, &page, &serde_json::Value::Null).status)
    };
    assert_eq!(ask(&of("anna")), (200, 200));
    for other in ["beat", "chefin", "verwalter"] {
        assert_eq!(ask(&of(other)), (404, 404), "{other}");
    }
    let cookie = site.session("revision");
    assert_eq!(site.get(Some(&cookie), &page).status, 404);
    assert_eq!(site.get(None, &page).status, 303);
    // An address is met by chance alone.
    assert_eq!(site.get(Some(&anna), "/restores/1").status, 404);

    let mut user = users::user(&site.web.archive, "anna").unwrap().unwrap();
    user.created += 1;
    users::put_user(&site.web.archive, &user, "test").unwrap();
    assert_eq!(ask(&of("anna")), (404, 404));
}

/// What is sent twice goes on once.
#[test]
fn a_play_back_that_goes_on_is_not_begun_again() {
    let stage = Stage::new();
    let site = &stage.site;
    // It takes connections, and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let text = format!(
        "name = 'company'\nmodule = 'imap'\nserver = '127.0.0.1'\nport = {}\nencryption = 'none'\naccount = 'anna'\n\
         password = 'geheim'\n",
        silent.local_addr().unwrap().port()
    );
    let file = site.data().with_file_name("company.toml");
    std::fs::write(&file, text).unwrap();
    settings::put(&site.web.archive, &settings::definition_file::read(&file).unwrap(), "test").unwrap();
    let begin = |name: &str| {
        let cookie = site.session(name);
        let fields = [("into", "company\nanna")];
        site.post(&cookie, "/documents/1/restore", &fields).location().to_owned()
    };
    let first = begin("anna");
    assert!(first.starts_with("/restores/"), "{first}");
    assert_eq!(begin("anna"), first);
    let token = site.api_token("anna", Rights { read: true, change: true, ..Rights::default() });
    let wanted = serde_json::json!({ "numbers": [1], "definition": "company", "mailbox": "anna" });
    let answer = site.call(&token, Method::Post, "/restores", &wanted);
    assert_eq!(format!("/restores/{}", answer.json()["id"].as_str().unwrap()), first);
    // Somebody else's is another one.
    assert_ne!(begin("chefin"), first);
    // When the process ends nothing waits for such a server, and nothing is passed off as done.
    site.web.restores.end();
    let anna = site.session("anna");
    let since = std::time::Instant::now();
    let page = loop {
        let page = site.get(Some(&anna), &first);
        if page.header("Refresh").is_none() {
            break page.text();
        }
        assert!(since.elapsed().as_secs() < 30, "it does not end");
        std::thread::sleep(std::time::Duration::from_millis(50));
    };
    assert!(page.contains("not played back: 1"), "{page}");
}

#[test]
fn nobody_gets_the_uploads_of_a_predecessor_by_its_name() {
    let stage = Stage::new();
    let chefin = stage.site.session("chefin");
    assert_eq!(stage.site.post(&chefin, "/admin/users/anna/delete", &[]).status, 303);
    // Nobody gets a name that the journal has for somebody else, whether uploads lie under it or not.
    for name in ["other", "third"] {
        let fields = [("user", name), ("role", "user"), ("password", PASSWORD), ("again", PASSWORD)];
        assert_eq!(stage.site.post(&chefin, "/admin/users", &fields).status, 303, "{name}");
    }
    assert_eq!(stage.site.post(&chefin, "/admin/users/other/delete", &[]).status, 303);
    for (name, status) in
        [("Anna", 400), ("OTHER", 400), ("console", 400), ("Archivista", 400), ("10.1.2.3", 400), ("anna2", 303)]
    {
        let fields = [("user", name), ("role", "user"), ("password", PASSWORD), ("again", PASSWORD)];
        assert_eq!(stage.site.post(&chefin, "/admin/users", &fields).status, status, "{name}");
    }
}
