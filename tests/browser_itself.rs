//! The harness of the browser tests can fail: each kind of bad page makes a flow fail for its own reason, and a good one passes.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::browser::{Told, flow, try_flow};
use crate::support::pages::{Page, Pages};
use serde_json::{Value, json};

const SCRIPT: &str = r"
const output = document.querySelector('output');
document.querySelector('button').addEventListener('click', () => {
  output.textContent = 'gesucht: ' + document.querySelector('input').value;
});
document.addEventListener('keydown', (event) => {
  if (event.key === '/') output.textContent = 'gedrückt: /';
});
function copy(event) {
  if (String(event.target.ownerDocument.getSelection())) return;
  event.clipboardData.setData('text/plain',
    'viastockalperhd.mp4\nhttps://archivistaimnetz.ch/perl/avclient/index.pl?target=new&go=8441');
  event.preventDefault();
}
document.addEventListener('copy', copy);
const frame = document.querySelector('iframe');
const listen = () => frame.contentDocument.addEventListener('copy', copy);
frame.addEventListener('load', listen);
listen();
";

const STYLE: &str = "
body { font: 16px sans-serif; margin: 1rem; color: #111; background: #fff }
iframe { width: 100%; border: 0 }
#hidden { display: none }
.light { display: inline } .dark { display: none }
@media (prefers-color-scheme: dark) {
  body { color: #eee; background: #111 } a { color: #9cf }
  .light { display: none } .dark { display: inline }
}";

const GOOD: &str = r#"<main><h1>Büro Zürich</h1>
<p id="theme"><span class="light">hell</span><span class="dark">dunkel</span></p>
<label>Suche <input></label> <label>Zahl <select><option value="1">eins<option value="2">zwei</select></label>
<button>Zeigen</button> <output></output><p id="hidden">Verborgen</p>
<iframe title="Mail" sandbox="allow-same-origin" src="/mail"></iframe>
<p><a href="/file">Herunterladen</a></p><p><a href="/second" target="_blank">Neues Fenster</a></p>
<p><a href="/second">Weiter</a></p></main><script src="/script.js"></script>"#;

fn whole(body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"de\"><meta charset=\"utf-8\"><title>Büro Zürich</title>\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><link rel=\"stylesheet\" href=\"/style.css\">\
         <body>{body}</body></html>"
    )
}

fn page(body: &str) -> Page {
    Page::html(&whole(body))
}

/// A page that is in order, but for what `body` adds.
fn bad(body: &str) -> Page {
    page(&format!("<main><h1>Büro Zürich</h1>{body}</main>"))
}

fn serve(more: BTreeMap<&'static str, Page>) -> Pages {
    let mut pages = more;
    pages.insert("/", page(GOOD));
    pages.insert("/second", page("<main><h1>zweite Seite</h1></main>"));
    pages.insert("/mail", page("<p>Guten Tag</p>"));
    let name = "Content-Disposition: attachment; filename*=UTF-8''Gr%C3%B6sse.eml";
    pages.insert("/file", Page::of("message/rfc822", b"Subject: x\r\n\r\n").with(name));
    pages.insert("/style.css", Page::of("text/css", STYLE.as_bytes()));
    pages.insert("/script.js", Page::of("text/javascript; charset=utf-8", SCRIPT.as_bytes()));
    Pages::serve(pages)
}

/// The flow `itself` on a server with only this page beside the good ones.
fn on(page: Page, more: &Value) -> Told {
    let pages = serve(BTreeMap::from([("/bad", page)]));
    let mut config = json!({ "page": "/bad" });
    config.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    let told = try_flow("itself", &pages.origin(), &config, Duration::from_mins(2));
    assert!(pages.asked().iter().any(|path| path == "/bad"), "{}", told.words);
    told
}

/// It has to fail, with one of the lines that it printed saying so.
fn fails(page: Page, more: &Value, reason: &str) {
    let told = on(page, more);
    assert!(!told.passed && told.words.contains(reason), "not because of {reason:?}:\n{}", told.words);
}

#[test]
fn a_good_page_passes_and_all_that_a_person_does_works() {
    flow("itself_works", &serve(BTreeMap::new()).origin(), &Value::Null);
}

#[test]
fn a_violation_of_the_policy_is_seen() {
    let seen = "csp: ";
    fails(bad("<script>document.title = 'x'</script>"), &Value::Null, seen);
    fails(bad("<p style='color:red'>rot</p>"), &Value::Null, seen);
    // In a frame in which nothing may run.
    fails(
        bad("<iframe title=m sandbox srcdoc=\"<img alt='' src='data:image/png;base64,AA'>\"></iframe>"),
        &Value::Null,
        seen,
    );
}

#[test]
fn an_error_on_the_console_is_seen() {
    let script = |text: &str| {
        let told = serve(BTreeMap::from([
            ("/bad", bad("<script src='/bad.js'></script>")),
            ("/bad.js", Page::of("text/javascript", text.as_bytes())),
        ]));
        try_flow("itself", &told.origin(), &json!({ "page": "/bad" }), Duration::from_mins(2))
    };
    let told = script("console.error('so nicht')");
    assert!(!told.passed && told.words.contains("console: so nicht at "), "{}", told.words);
    let told = script("null.x");
    assert!(!told.passed && told.words.contains("script: TypeError"), "{}", told.words);
    let told = script("console.log('gut so')");
    assert!(told.passed, "{}", told.words);
}

#[test]
fn a_request_to_another_host_is_seen() {
    let open = || "Content-Security-Policy: default-src * data: 'unsafe-inline'";
    let free = |body: &str| Page { fields: vec!["Content-Type: text/html".into(), open().into()], ..bad(body) };
    let seen = "foreign: asked https://example.com/pixel.png";
    fails(free("<img alt='' src='https://example.com/pixel.png'>"), &Value::Null, seen);
    fails(
        free("<img alt='' src='https://example.com/pixel.png'>"),
        &Value::Null,
        "foreign: left the browser: CONNECT example.com:443",
    );
    fails(
        free("<iframe title=m sandbox srcdoc=\"<img alt='' src='https://example.com/pixel.png'>\"></iframe>"),
        &Value::Null,
        seen,
    );
    // Another port of this machine is another host.
    fails(
        free("<link rel=stylesheet href='http://127.0.0.1:9/x.css'>"),
        &Value::Null,
        "foreign: asked http://127.0.0.1:9/x.css",
    );
    // What the policy stops is seen all the same.
    fails(bad("<img alt='' src='https://example.com/pixel.png'>"), &Value::Null, "csp: img-src");
}

#[test]
fn a_failed_request_is_seen() {
    fails(bad("<img alt='' src='/none.png'>"), &Value::Null, "request: 404 ");
    fails(bad(""), &json!({ "status": 201 }), "the status of /bad");
}

#[test]
fn what_axe_finds_is_seen_under_a_strict_policy() {
    let axe = json!({ "checks": ["axe"] });
    let strict = || "Content-Security-Policy: default-src 'none'; style-src 'self'; img-src 'self'; require-trusted-types-for 'script'";
    let page = |body: &str| {
        let mut page = bad(body);
        page.fields = vec!["Content-Type: text/html; charset=utf-8".into(), strict().into()];
        page
    };
    fails(page("<img src='/style.css'><input>"), &axe, "critical label: ");
    let told = on(page("<p>gut</p>"), &axe);
    assert!(told.passed, "{}", told.words);
}

#[test]
fn sideways_scroll_is_seen_on_a_phone() {
    let wide =
        || bad("<table><tr><td><pre>0123456789012345678901234567890123456789012345678901234567890</pre></table>");
    let check = |width: u32| json!({ "checks": ["noSidewaysScroll"], "width": width });
    fails(wide(), &check(360), "px wide at 360, because of table");
    let told = on(wide(), &check(1440));
    assert!(told.passed, "{}", told.words);
}

#[test]
fn a_flow_that_hangs_is_stopped_and_tells_where() {
    let pages = serve(BTreeMap::new());
    let config = json!({ "page": "/", "checks": ["hang"] });
    // Also where a busy machine takes long to start the browser, it has come to where it hangs by then.
    let told = try_flow("itself_hangs", &pages.origin(), &config, Duration::from_secs(20));
    assert!(!told.passed && told.words.contains("itself_hangs: failed at: wait for ever"), "{}", told.words);
    assert!(told.words.contains("stopped by SIGTERM") && told.words.contains("Büro Zürich"), "{}", told.words);
}
