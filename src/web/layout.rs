//! What all pages share: the bar on top, notices, forms, sentences for what went wrong.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::error::WebError;
use super::response::Response;
use super::{Context, assets};
use crate::settings::administration::Layout;

/// Which entry of the main menu a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    Archive,
    Compilations,
    Administration,
    Users,
    Account,
    None,
}

/// How much room a page takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    Narrow,
    Usual,
    Wide,
}

/// Name of the cookie that remembers light or dark.
pub const THEME: &str = "theme";
/// What it may hold; without it the archive's own layout is shown.
pub const THEMES: [&str; 3] = ["auto", "light", "dark"];

/// A whole page.
pub fn page(context: &Context<'_>, section: Section, width: Width, title: &str, body: &Markup) -> Response {
    let t = &context.t.page;
    let [style, script, icon, more_style, more_script] = assets::paths();
    let of_archive = match context.administration.layout {
        Layout::Bright => "light",
        Layout::Dark => "dark",
        Layout::Automatic => "auto",
    };
    let theme = context.request.cookie(THEME).filter(|theme| THEMES.contains(theme)).unwrap_or(of_archive);
    let name = match context.administration.archive_name.as_str() {
        "" => "Archivista Box",
        name => name,
    };
    let notice = context.person.as_ref().and_then(|person| context.web.sessions.take_notice(&person.cookie));
    let main = match width {
        Width::Narrow => "narrow",
        Width::Usual => "",
        Width::Wide => "wide",
    };
    Response::html(html! {
        (DOCTYPE)
        html lang=(context.t.code) data-theme=(theme) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) " – " (name) }
                link rel="icon" href=(icon) type="image/svg+xml";
                link rel="stylesheet" href=(style);
                @if section != Section::Archive { link rel="stylesheet" href=(more_style); }
                script src=(script) defer {}
                @if section == Section::Administration { script src=(more_script) defer {} }
            }
            body {
                a.skip href="#main" { (t.skip) }
                header.bar {
                    a.name href="/" { img src=(icon) alt=""; (name) }
                    @if let Some(person) = &context.person {
                        nav aria-label=(t.menu) {
                            (entry(section == Section::Archive, "/", t.archive))
                            @if context.administration.publishing.is_some() {
                                (entry(section == Section::Compilations, "/compilations", context.t.public.title))
                            }
                            @if person.is_administrator() {
                                (entry(section == Section::Administration, "/admin", t.administration))
                                (entry(section == Section::Users, "/admin/users", t.users))
                            } @else if person.examines() {
                                (entry(section == Section::Administration, "/admin/proof", context.t.proof.title))
                            }
                        }
                        div.who {
                            a href="/account" title=(t.own_account) aria-current=[(section == Section::Account).then_some("page")] {
                                (person.user.name)
                            }
                            form method="post" action="/logout" {
                                (token(context))
                                button.plain { (t.log_out) }
                            }
                        }
                    }
                }
                main #main class=(main) {
                    @if let Some(notice) = notice { div.note.good role="status" { (notice) } }
                    (body)
                }
            }
        }
    })
}

fn entry(is_here: bool, path: &str, text: &str) -> Markup {
    html! { a href=(path) aria-current=[is_here.then_some("page")] { (text) } }
}

/// What every form that changes something carries.
pub fn token(context: &Context<'_>) -> Markup {
    match &context.person {
        Some(person) => html! { input type="hidden" name="csrf" value=(person.session.csrf); },
        None => PreEscaped(String::new()),
    }
}

/// One field of a form with its label, help, and what is wrong with it.
pub struct Field<'a> {
    pub name: &'a str,
    pub label: &'a str,
    pub value: &'a str,
    /// `text`, `password`, `number`, `date`, `email`, …
    pub kind: &'a str,
    pub help: &'a str,
    pub wrong: &'a str,
    pub required: bool,
    /// `autocomplete` (HTML, section 4.10.18.7); empty: as the browser likes.
    pub fill: &'a str,
}

impl Default for Field<'_> {
    fn default() -> Self {
        Self { name: "", label: "", value: "", kind: "text", help: "", wrong: "", required: false, fill: "" }
    }
}

impl maud::Render for Field<'_> {
    fn render(&self) -> Markup {
        let help = format!("{}-help", self.name);
        let said = !(self.help.is_empty() && self.wrong.is_empty());
        html! {
            div.field {
                label for=(self.name) { (self.label) }
                input id=(self.name) name=(self.name) type=(self.kind) value=(self.value) required[self.required]
                    aria-invalid=[(!self.wrong.is_empty()).then_some("true")]
                    aria-describedby=[said.then_some(&help)]
                    autocomplete=[(!self.fill.is_empty()).then_some(self.fill)];
                @if said {
                    small id=(help) {
                        @if !self.wrong.is_empty() { span.wrong { (self.wrong) " " } }
                        (self.help)
                    }
                }
            }
        }
    }
}

/// A box to tick.
pub fn check(name: &str, label: &str, is_on: bool, help: &str) -> Markup {
    let described = format!("{name}-help");
    html! {
        div.field {
            label.check {
                input type="checkbox" name=(name) value="1" checked[is_on]
                    aria-describedby=[(!help.is_empty()).then_some(&described)];
                span { (label) }
            }
            @if !help.is_empty() { small id=(described) { (help) } }
        }
    }
}

/// One of several; `options` are values and what they are called.
pub fn select(name: &str, label: &str, value: &str, options: &[(&str, &str)], help: &str) -> Markup {
    let described = format!("{name}-help");
    html! {
        div.field {
            label for=(name) { (label) }
            select id=(name) name=(name) aria-describedby=[(!help.is_empty()).then_some(&described)] {
                @for (option, text) in options { option value=(option) selected[*option == value] { (text) } }
            }
            @if !help.is_empty() { small id=(described) { (help) } }
        }
    }
}

/// What went wrong, on top of a form.
pub fn trouble(text: &str) -> Markup {
    html! { @if !text.is_empty() { div.note.bad role="alert" { p { (text) } } } }
}

/// The page for a request that gets none.
pub fn failed(context: &Context<'_>, error: &WebError) -> Response {
    let t = &context.t.page;
    let (title, more) = match error.status() {
        404 | 405 => (t.not_found, t.not_found_more.to_string()),
        403 if matches!(error, WebError::Stale) => (t.stale, t.stale_more.to_string()),
        403 if matches!(error, WebError::Elsewhere) => (t.not_allowed, context.t.public.elsewhere.to_string()),
        403 => (t.not_allowed, t.not_allowed_more.to_string()),
        400 => (t.wrong, error.to_string()),
        413 => (t.wrong, t.too_long_more.to_string()),
        429 => (t.too_many, t.too_many_more.to_string()),
        _ => (t.broken, t.broken_more.to_string()),
    };
    let body = html! {
        h1 { (title) }
        p { (more) }
        p { a.button href="/" { (t.to_start) } }
    };
    page(context, Section::None, Width::Narrow, title, &body).status(error.status())
}
