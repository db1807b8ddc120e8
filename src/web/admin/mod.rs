//! WebAdmin: is everything archived, and all that an administrator sets up.
//!
//! Rules of the room: every page is for administrators alone, but for the journal and the proof, which auditors need. Secrets never go back to the browser: a field that is left
//! empty keeps what is stored. What a definition may say is checked by `settings`, for the file and the page alike.
//! Nothing here waits for a mail server: runs are asked for on the board, tests run in threads of their own.
//!
//! - `overview`; `growth`: how the archive grows, and for how long the disk will do; `state`: how a definition stands, in one sentence
//! - `sources`: the list of definitions, `form` and `fields`: one definition as a form, `entered`: from a form to a
//!   definition and back, `edit`: adding and changing
//! - `assistant`: setting up a source step by step, `sign_ins`: sign-ins by a code that are under way
//! - `runs`: what goes on, `estimate`: how fast and how long, `run_bars`: its last runs as pictures, `completeness`: what became of every message, `test`, `switch`: from Mail to O365,
//!   `fetching`: quiet hours, bandwidth and silence, `ended`: what is not fetched any more, and to whom it belongs
//! - `retention`: terms, holds, and what is to go earlier
//! - `proof`: checkpoints, `journal`: who did what
//! - `managing` with `managing_fields`: Archive administration, `define`: Define fields, `system`: the machine around the archive, `alarms`: what is wrong with it,
//!   `verification`: whether the whole archive can be read
//! - `recovery_sheet`: the key of the archive on paper

pub(super) mod alarms;
pub(super) mod assistant;
pub(super) mod completeness;
pub(super) mod define;
pub(super) mod edit;
pub(super) mod ended;
pub(super) mod entered;
mod estimate;
pub(super) mod fetching;
pub(super) mod fields;
pub(super) mod form;
mod growth;
mod journal;
pub(super) mod managing;
mod managing_fields;
mod overview;
pub mod proof;
pub(super) mod recovery_sheet;
pub(super) mod retention;
mod run_bars;
mod runs;
pub(super) mod sign_ins;
pub(super) mod sources;
pub(super) mod state;
pub(super) mod switch;
pub(super) mod system;
pub mod test;
pub(super) mod verification;

use maud::{Markup, html};

use super::error::{Result, WebError};
use super::layout::{self, Section, Width};
use super::request::encode;
use super::response::Response;
use super::routes::{Access, Route, get, post};
use super::show;
use super::{Context, Person};
use crate::settings::{self, Definition, SettingsError};

const ADMIN: Access = Access::Administrator;
const EXAMINER: Access = Access::Examiner;

pub const ROUTES: &[Route] = &[
    get("/admin", ADMIN, overview::show),
    post("/admin/pause", ADMIN, overview::pause),
    get("/admin/growth", ADMIN, growth::show),
    get("/admin/sources", ADMIN, sources::list),
    get("/admin/new/{module}", ADMIN, edit::new),
    post("/admin/new/{module}", ADMIN, edit::add),
    get("/admin/sources/{name}", ADMIN, runs::show),
    get("/admin/sources/{name}/edit", ADMIN, edit::show),
    post("/admin/sources/{name}/edit", ADMIN, edit::change),
    post("/admin/sources/{name}/run", ADMIN, sources::run),
    post("/admin/sources/{name}/cancel", ADMIN, runs::cancel),
    post("/admin/sources/{name}/inactive", ADMIN, sources::inactive),
    get("/admin/sources/{name}/end", ADMIN, ended::show),
    post("/admin/sources/{name}/end", ADMIN, ended::send),
    post("/admin/sources/{name}/owner", ADMIN, ended::owner),
    get("/admin/sources/{name}/delete", ADMIN, sources::ask_delete),
    post("/admin/sources/{name}/delete", ADMIN, sources::delete),
    get("/admin/sources/{name}/completeness", ADMIN, completeness::show),
    get("/admin/sources/{name}/failed/{folder}", ADMIN, completeness::failed),
    get("/admin/sources/{name}/test", ADMIN, test::show),
    post("/admin/sources/{name}/test", ADMIN, test::begin),
    get("/admin/sources/{name}/sign-in", ADMIN, assistant::sign_in::show),
    post("/admin/sources/{name}/sign-in", ADMIN, assistant::sign_in::begin),
    get("/admin/assistant", ADMIN, assistant::start),
    get("/admin/assistant/o365", ADMIN, assistant::o365::show),
    post("/admin/assistant/o365", ADMIN, assistant::o365::send),
    get("/admin/assistant/other", ADMIN, assistant::other::show),
    post("/admin/assistant/other", ADMIN, assistant::other::send),
    get("/admin/assistant/list", ADMIN, assistant::list::show),
    post("/admin/assistant/list", ADMIN, assistant::list::send),
    post("/admin/assistant/check", ADMIN, assistant::check::send),
    get("/admin/assistant/first/{name}", ADMIN, assistant::first::show),
    post("/admin/assistant/first/{name}", ADMIN, assistant::first::send),
    get("/admin/fetching", ADMIN, fetching::show),
    post("/admin/fetching", ADMIN, fetching::send),
    get("/admin/switch", ADMIN, switch::show),
    post("/admin/switch", ADMIN, switch::send),
    get("/admin/retention", ADMIN, retention::show),
    post("/admin/retention", ADMIN, retention::send),
    post("/admin/retention/confirm", ADMIN, retention::sure),
    get("/admin/retention/due", ADMIN, retention::show_due),
    get("/admin/retention/holds", ADMIN, retention::list_holds),
    post("/admin/retention/holds", ADMIN, retention::set),
    post("/admin/retention/holds/{name}/lift", ADMIN, retention::lift),
    get("/admin/retention/documents", ADMIN, retention::list_documents),
    get("/admin/archive", ADMIN, managing::show),
    post("/admin/archive", ADMIN, managing::send),
    get("/admin/fields", ADMIN, define::list),
    post("/admin/fields", ADMIN, define::add),
    get("/admin/fields/{name}", ADMIN, define::show),
    post("/admin/fields/{name}", ADMIN, define::change),
    post("/admin/fields/{name}/move", ADMIN, define::shift),
    post("/admin/fields/{name}/hidden", ADMIN, define::hide),
    get("/admin/proof", EXAMINER, proof::show),
    get("/admin/proof/checkpoints", EXAMINER, proof::list),
    post("/admin/proof/sign", EXAMINER, proof::sign),
    post("/admin/proof/download", EXAMINER, proof::download),
    get("/admin/proof/journal", EXAMINER, journal::export),
    get("/admin/system", ADMIN, system::show),
    post("/admin/system", ADMIN, system::send),
    get("/admin/system/network", ADMIN, system::network::show),
    post("/admin/system/network", ADMIN, system::network::send),
    get("/admin/system/restart", ADMIN, system::power::ask_restart),
    post("/admin/system/restart", ADMIN, system::power::restart),
    get("/admin/system/off", ADMIN, system::power::ask_off),
    post("/admin/system/off", ADMIN, system::power::off),
    post("/admin/system/resume", ADMIN, system::power::resume),
    get("/admin/system/log", ADMIN, system::log::show),
    get("/admin/verification", Access::Examiner, verification::list),
    post("/admin/verification", Access::Examiner, verification::begin),
    post("/admin/verification/cancel", Access::Examiner, verification::cancel),
    get("/admin/verification/{number}", Access::Examiner, verification::report),
    get("/admin/recovery-sheet", ADMIN, recovery_sheet::show),
    post("/admin/recovery-sheet", ADMIN, recovery_sheet::reveal),
    get("/admin/recovery-sheet/confirm", ADMIN, recovery_sheet::confirming),
    post("/admin/recovery-sheet/confirm", ADMIN, recovery_sheet::confirm),
    post("/admin/recovery-sheet/later", ADMIN, recovery_sheet::later),
];

/// Which entry of WebAdmin's own menu a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Overview,
    Sources,
    Archive,
    Retention,
    Proof,
    System,
}

/// Which tab of a definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tab {
    Runs,
    Completeness,
    Settings,
    Test,
}

fn page(context: &Context<'_>, part: Part, title: &str, body: &Markup) -> Response {
    let t = &context.t.admin;
    let entry = |of: Part, path: &str, text: &str| {
        html! { a href=(path) aria-current=[(of == part).then_some("page")] { (text) } }
    };
    let administers = context.person.as_ref().is_some_and(Person::is_administrator);
    let whole = html! {
        nav.tabs aria-label=(t.sub_menu) {
            @if administers {
                (entry(Part::Overview, "/admin", t.overview))
                (entry(Part::Sources, "/admin/sources", t.sources))
                (entry(Part::Archive, "/admin/archive", t.archive))
                (entry(Part::Retention, "/admin/retention", context.t.retention.title))
            }
            (entry(Part::Proof, "/admin/proof", context.t.proof.title))
            @if administers { (entry(Part::System, "/admin/system", context.t.system.title)) }
        }
        (body)
    };
    layout::page(context, Section::Administration, Width::Usual, title, &whole)
}

/// A page about one definition.
fn source_page(context: &Context<'_>, definition: &Definition, tab: Tab, body: &Markup) -> Response {
    let t = &context.t.admin;
    let path = path(&definition.name);
    let entry = |of: Tab, ending: &str, text: &str| {
        html! { a href={ (path) (ending) } aria-current=[(of == tab).then_some("page")] { (text) } }
    };
    let whole = html! {
        p { a href="/admin/sources" { "← " (t.sources) } }
        h1 { (definition.name) " " span.tag { (module_name(context, definition)) } }
        nav.tabs aria-label=(definition.name) {
            (entry(Tab::Runs, "", t.tab_runs))
            (entry(Tab::Completeness, "/completeness", t.tab_completeness))
            (entry(Tab::Settings, "/edit", t.tab_settings))
            (entry(Tab::Test, "/test", t.tab_test))
        }
        (body)
    };
    page(context, Part::Sources, &definition.name, &whole)
}

fn module_name(context: &Context<'_>, definition: &Definition) -> &'static str {
    match definition.module {
        settings::Module::Imap(_) => context.t.admin.module_imap,
        settings::Module::O365(_) => context.t.admin.module_o365,
    }
}

fn path(name: &str) -> String {
    format!("/admin/sources/{}", encode(name))
}

/// The definition that the path names.
pub(super) fn definition(context: &Context<'_>) -> Result<Definition> {
    match settings::definition(&context.web.archive, &context.parameters[0]) {
        Err(SettingsError::NoDefinition { .. }) => Err(WebError::NotFound),
        other => Ok(other?),
    }
}

/// Lets the browser load the page again by itself, as `<meta http-equiv="refresh">` would, which may stand in a head only.
fn again(response: Response, seconds: u32) -> Response {
    response.header("Refresh", seconds.to_string())
}
