//! Archive administration (Archiv verwalten).

use maud::html;

use super::super::Context;
use super::super::error::Result;
use super::super::layout::{self, Field as Input, check, select};
use super::super::request::Form;
use super::super::response::Response;
use super::fields::wrong;
use super::managing_fields::{Choices, appearance, document_fields, versions};
use super::{Part, page};
use crate::language::Lang;
use crate::limits::{COMBOBOX, PUBLISHING_LOOKED};
use crate::settings::administration::{
    self, Administration, BUILT_IN, FIELD_COLUMNS, Field, Layout, TITLE_WIDTH, Usage, Versioning,
};
use crate::settings::document_fields::Kind;
use crate::settings::networks::Networks;
use crate::settings::{self, Definition};

/// What is wrong with which field.
#[derive(Default)]
pub struct Faults {
    pub name: &'static str,
    pub dns_name: &'static str,
    pub is_public: &'static str,
    pub public_mails: String,
    pub admin_networks: String,
    pub publishing: String,
    pub file_name: &'static str,
    pub field_columns: &'static str,
    pub title_width: &'static str,
    pub combobox: &'static str,
    pub version_key: &'static str,
}

impl Faults {
    /// Those that there are, by field of the form.
    pub fn named(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("name", self.name),
            ("dns_name", self.dns_name),
            ("is_public", self.is_public),
            ("public_mails", &self.public_mails),
            ("admin_networks", &self.admin_networks),
            ("publishing", &self.publishing),
            ("file_name", self.file_name),
            ("field_columns", self.field_columns),
            ("title_width", self.title_width),
            ("combobox", self.combobox),
            ("version_key", self.version_key),
        ];
        all.into_iter().filter(|(_, fault)| !fault.is_empty()).collect()
    }

    pub fn is_none(&self) -> bool {
        self.named().is_empty()
    }
}

/// The value of a field in a form; empty for none.
pub fn code(field: Option<&Field>) -> String {
    field.map(Field::code).unwrap_or_default()
}

/// All fields that a document may have: built-in and defined ones, and those that nobody defined and that definitions fill, that
/// documents have or that are chosen now.
pub fn fields(context: &Context<'_>) -> Result<Vec<Field>> {
    let defined = context.fields.shown().map(|field| field.name.clone());
    let now = &context.administration;
    let mut others = super::define::undefined(context)?;
    others.extend([&now.link_title, &now.publishing, &now.file_name, &now.version_key].into_iter().filter_map(
        |field| match field {
            Some(Field::Other(name)) if context.fields.get(name).is_none() => Some(name.clone()),
            _ => None,
        },
    ));
    others.sort();
    others.dedup();
    Ok(BUILT_IN.into_iter().chain(defined.chain(others).map(Field::Other)).collect())
}

/// Those that can hold the name of a file.
pub fn can_hold_name(context: &Context<'_>, field: &Field) -> bool {
    match field {
        Field::Date => false,
        Field::Other(name) => context.fields.kind(name) == Kind::Text,
        _ => true,
    }
}

fn name<'a>(context: &Context<'_>, field: &'a Field) -> &'a str {
    let t = &context.t.managing;
    match field {
        Field::Title => t.field_title,
        Field::Date => t.field_date,
        Field::From => t.field_from,
        Field::To => t.field_to,
        Field::Cc => t.field_cc,
        Field::MediaName => t.field_media_name,
        Field::Note => t.field_note,
        Field::Other(name) => name,
    }
}

pub fn show(context: &Context<'_>) -> Result<Response> {
    show_with(context, &form(&context.administration), &Faults::default())
}

/// What the form holds.
pub fn form(now: &Administration) -> Form {
    let mut form = Form::default();
    form.push("name", &now.archive_name);
    form.push("language", if now.language == Lang::De { "de" } else { "en" });
    form.push("dns_name", &now.dns_name);
    form.push("link_title", &code(now.link_title.as_ref()));
    form.push("publishing", &code(now.publishing.as_ref()));
    form.push("is_public", if now.is_public { "1" } else { "" });
    form.push("public_mails", if now.public_mails { "1" } else { "" });
    form.push("admin_networks", &now.admin_networks.to_string());
    form.push("usage", if now.usage == Usage::Mails { "mails" } else { "documents" });
    form.push(
        "layout",
        match now.layout {
            Layout::Bright => "bright",
            Layout::Dark => "dark",
            Layout::Automatic => "automatic",
        },
    );
    for (name, is_on) in [
        ("hides_extended", now.hides_extended),
        ("starts_reduced", now.starts_reduced),
        ("hides_internal", now.hides_internal),
        ("suppresses_title", now.suppresses_title),
        ("shows_note", now.shows_note),
    ] {
        form.push(name, if is_on { "1" } else { "" });
    }
    form.push("field_columns", &now.field_columns.to_string());
    form.push("title_width", &now.title_width.to_string());
    form.push("combobox", &now.combobox.to_string());
    form.push("file_name", &code(now.file_name.as_ref()));
    form.push("version_key", &code(now.version_key.as_ref()));
    form.push(
        "versioning",
        match now.versioning {
            Versioning::None => "",
            Versioning::Key => "key",
            Versioning::Name => "name",
        },
    );
    form
}

fn show_with(context: &Context<'_>, form: &Form, faults: &Faults) -> Result<Response> {
    let (t, common) = (&context.t.managing, &context.t.page);
    let now = &context.administration;
    // Another field for publishing publishes other documents: that is confirmed as the switch itself is.
    let is_other = form.text("publishing") != code(now.publishing.as_ref());
    let fields = fields(context)?;
    let codes: Vec<(String, &str)> = fields.iter().map(|field| (code(Some(field)), name(context, field))).collect();
    let mut options = vec![("", t.none)];
    options.extend(codes.iter().map(|(code, name)| (code.as_str(), *name)));
    let some = |fits: &dyn Fn(&Field) -> bool| {
        let fitting = fields.iter().zip(&options[1..]).filter(|(field, _)| fits(field)).map(|(_, option)| *option);
        [("", t.none)].into_iter().chain(fitting).collect::<Vec<_>>()
    };
    let choices = Choices {
        all: &options,
        names: &some(&|field| can_hold_name(context, field)),
        keys: &some(&|field| field.key().is_some()),
    };
    let body = html! {
        h1 { (t.title) }
        p { a.button href="/admin/fields" { (context.t.fields.define) } }
        @if !faults.is_none() { (layout::trouble(common.wrong)) }
        form method="post" action="/admin/archive" {
            (layout::token(context))
            section.card {
                (Input { name: "name", label: t.name, value: form.text("name"), wrong: faults.name, fill: "organization",
                    ..Input::default() })
                (select("language", t.language, form.text("language"), &[("de", "Deutsch"), ("en", "English")], ""))
            }
            (appearance(context, form, faults))
            (document_fields(context, form, faults, &choices))
            (versions(context, form, faults, &choices))
            section.card {
                h2 { (t.links) }
                (Input { name: "dns_name", label: t.dns_name, value: form.text("dns_name"), help: t.dns_name_help,
                    wrong: faults.dns_name, fill: "off", ..Input::default() })
                (select("link_title", t.link_title, form.text("link_title"), &options, t.link_title_help))
            }
            section.card {
                h2 { (t.public) }
                (check("is_public", t.is_public, form.is_on("is_public"), t.is_public_help))
                (wrong(faults.is_public))
                @if !now.is_public || is_other {
                    (check("is_public_sure", t.is_public_sure, form.is_on("is_public_sure"), ""))
                }
                (check("public_mails", t.public_mails, form.is_on("public_mails"), t.public_mails_help))
                (wrong(&faults.public_mails))
                @if !now.public_mails || is_other {
                    (check("public_mails_sure", t.public_mails_sure, form.is_on("public_mails_sure"), ""))
                }
                (Input { name: "admin_networks", label: context.t.public.networks, value: form.text("admin_networks"),
                    help: context.t.public.networks_help, wrong: &faults.admin_networks, fill: "off", ..Input::default() })
            }
            button.first { (common.save) }
        }
    };
    Ok(page(context, Part::Archive, t.title, &body))
}

pub fn send(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let turn = context.web.settings();
    let (new, faults) = take(context, &Administration::read(&context.web.archive)?, &form)?;
    drop(turn);
    if !faults.is_none() {
        return Ok(show_with(context, &form, &faults)?.status(400));
    }
    let lang = context.person()?.user.language.unwrap_or(new.language);
    context.notice(super::super::texts::of(lang).page.saved);
    Ok(Response::redirect("/admin/archive"))
}

/// Keeps what was entered, unless something is wrong with it. `now` is what holds so far, read in this turn of
/// [`Web::settings`](super::super::Web::settings).
pub fn take(context: &Context<'_>, now: &Administration, form: &Form) -> Result<(Administration, Faults)> {
    let t = &context.t.managing;
    let known = fields(context)?;
    let field = |key: &str| known.iter().find(|field| code(Some(field)) == form.text(key)).cloned();
    let tf = &context.t.fields;
    let mut faults = Faults::default();
    // What a form does not have stays as it is; a box that is not ticked is not sent.
    let number = |key: &str, now: u32, range: std::ops::RangeInclusive<u32>| match form.get(key) {
        None => Some(now),
        Some(text) => text.trim().parse().ok().filter(|number| range.contains(number)),
    };
    let chosen = |key: &str, now: &Option<Field>| if form.get(key).is_some() { field(key) } else { now.clone() };
    let field_columns = number("field_columns", now.field_columns, FIELD_COLUMNS);
    let title_width = number("title_width", now.title_width, TITLE_WIDTH);
    let combobox = number("combobox", now.combobox, 0..=COMBOBOX);
    if field_columns.is_none() {
        faults.field_columns = tf.columns_wrong;
    }
    if title_width.is_none() {
        faults.title_width = tf.title_width_wrong;
    }
    if combobox.is_none() {
        faults.combobox = tf.combobox_wrong;
    }
    let new = Administration {
        archive_name: form.text("name").to_owned(),
        language: if form.text("language") == "de" { Lang::De } else { Lang::En },
        dns_name: form.text("dns_name").to_owned(),
        link_title: field("link_title"),
        publishing: field("publishing"),
        is_public: form.is_on("is_public"),
        public_mails: form.is_on("public_mails"),
        admin_networks: match form.get("admin_networks") {
            None => now.admin_networks.clone(),
            Some(text) => Networks::entered(text).unwrap_or_else(|wrong| {
                faults.admin_networks = format!("{} {wrong}", context.t.public.networks_wrong);
                now.admin_networks.clone()
            }),
        },
        usage: match form.text("usage") {
            "documents" => Usage::Documents,
            "mails" => Usage::Mails,
            _ => now.usage,
        },
        layout: match form.text("layout") {
            "bright" => Layout::Bright,
            "dark" => Layout::Dark,
            "automatic" => Layout::Automatic,
            _ => now.layout,
        },
        hides_extended: form.is_on("hides_extended"),
        field_columns: field_columns.unwrap_or(now.field_columns),
        starts_reduced: form.is_on("starts_reduced"),
        hides_internal: form.is_on("hides_internal"),
        suppresses_title: form.is_on("suppresses_title"),
        title_width: title_width.unwrap_or(now.title_width),
        file_name: chosen("file_name", &now.file_name).filter(|field| can_hold_name(context, field)),
        versioning: match form.get("versioning") {
            Some("") => Versioning::None,
            Some("key") => Versioning::Key,
            Some("name") => Versioning::Name,
            _ => now.versioning,
        },
        version_key: chosen("version_key", &now.version_key).filter(|field| field.key().is_some()),
        combobox: combobox.unwrap_or(now.combobox),
        shows_note: form.is_on("shows_note"),
        ..now.clone()
    };
    if new.versioning == Versioning::Key && new.version_key.is_none() {
        faults.version_key = tf.version_key_missing;
    }
    if new.archive_name.is_empty() || new.archive_name.chars().count() > administration::NAME_CHARS {
        faults.name = t.name_wrong;
    }
    if !administration::is_dns_name(&new.dns_name) {
        faults.dns_name = t.dns_name_wrong;
    }
    // What was confirmed was confirmed of the documents that the field of then published.
    let is_other = new.publishing != now.publishing;
    if new.is_public && new.publishing.is_none() {
        faults.is_public = t.publishing_missing;
    } else if new.is_public && (!now.is_public || is_other) && !form.is_on("is_public_sure") {
        faults.is_public = t.sure_missing;
    }
    if new.public_mails && !new.is_public {
        faults.public_mails = t.public_missing.into();
    } else if new.public_mails && (!now.public_mails || is_other) && !form.is_on("public_mails_sure") {
        faults.public_mails = format!("{} {}", t.sure_missing, at_once(context, &new)?).trim_end().into();
    }
    if new.file_name.is_some() && new.file_name == new.publishing {
        faults.file_name = t.file_name_publishes;
    }
    if faults.admin_networks.is_empty() && !new.administers_from(context.request.peer) {
        faults.admin_networks = format!("{} {}", context.t.public.locks_out, context.request.peer);
    }
    if let Some(name) = filled_by(context, now, &new)? {
        faults.publishing = format!("{} {name}", context.t.public.filled_by);
    }
    if faults.is_none() && new != *now {
        new.write(&context.web.archive, &context.who())?;
    }
    Ok((new, faults))
}

/// How many mails have a value in the field for publishing already; empty where none has.
fn at_once(context: &Context<'_>, new: &Administration) -> Result<String> {
    let Some(key) = new.publishing.as_ref().and_then(Field::key).filter(|_| new.publishes_mails()) else {
        return Ok(String::new());
    };
    let (count, is_cut) = context.view()?.mails_with(key, PUBLISHING_LOOKED)?;
    let said = || (context.t.managing.mails_at_once)(is_cut, &super::super::show::number(context.lang, count));
    Ok(if count == 0 && !is_cut { String::new() } else { said() })
}

/// A definition that fills the new field for publishing with every mail: what it archived already would be published at once.
fn filled_by(context: &Context<'_>, now: &Administration, new: &Administration) -> Result<Option<String>> {
    let Some(Field::Other(name)) = &new.publishing else { return Ok(None) };
    if now.publishing == new.publishing {
        return Ok(None);
    }
    let fills = |definition: &Definition| {
        let map = &definition.fields;
        [&map.from, &map.cc, &map.to, &map.subject].into_iter().flatten().any(|target| target == name)
    };
    let all = settings::definitions(&context.web.archive)?;
    Ok(all.into_iter().flatten().find(fills).map(|definition| definition.name))
}
