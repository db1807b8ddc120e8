//! Archive administration (Archiv verwalten).

use maud::html;

use super::super::Context;
use super::super::error::Result;
use super::super::layout::{self, Field as Input, check, select};
use super::super::request::Form;
use super::super::response::Response;
use super::fields::wrong;
use super::{Part, page};
use crate::language::Lang;
use crate::settings;
use crate::settings::administration::{self, Administration, Field};

/// What is wrong with which field.
#[derive(Default)]
struct Faults {
    name: &'static str,
    dns_name: &'static str,
    is_public: &'static str,
    public_mails: &'static str,
}

impl Faults {
    fn is_none(&self) -> bool {
        [self.name, self.dns_name, self.is_public, self.public_mails].iter().all(|fault| fault.is_empty())
    }
}

/// The value of a field in a form; empty for none.
fn code(field: Option<&Field>) -> String {
    match field {
        None => String::new(),
        Some(Field::Title) => "title".into(),
        Some(Field::Date) => "date".into(),
        Some(Field::From) => "from".into(),
        Some(Field::To) => "to".into(),
        Some(Field::Cc) => "cc".into(),
        Some(Field::MediaName) => "media_name".into(),
        Some(Field::Note) => "note".into(),
        Some(Field::Other(name)) => format!("other:{name}"),
    }
}

/// All fields that a document may have: built-in ones, and those that definitions fill or that are chosen now.
fn fields(context: &Context<'_>) -> Result<Vec<Field>> {
    let mut others: Vec<String> = Vec::new();
    for definition in settings::definitions(&context.web.archive)?.into_iter().flatten() {
        let map = definition.fields;
        others.extend([map.from, map.cc, map.to, map.subject].into_iter().flatten());
    }
    let chosen = [&context.administration.link_title, &context.administration.publishing];
    others.extend(chosen.into_iter().filter_map(|field| match field {
        Some(Field::Other(name)) => Some(name.clone()),
        _ => None,
    }));
    others.sort();
    others.dedup();
    let built_in = [Field::Title, Field::Date, Field::From, Field::To, Field::Cc, Field::MediaName, Field::Note];
    Ok(built_in.into_iter().chain(others.into_iter().map(Field::Other)).collect())
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
    let now = &context.administration;
    let mut form = Form::default();
    form.push("name", &now.archive_name);
    form.push("language", if now.language == Lang::De { "de" } else { "en" });
    form.push("dns_name", &now.dns_name);
    form.push("link_title", &code(now.link_title.as_ref()));
    form.push("publishing", &code(now.publishing.as_ref()));
    form.push("is_public", if now.is_public { "1" } else { "" });
    form.push("public_mails", if now.public_mails { "1" } else { "" });
    show_with(context, &form, &Faults::default())
}

fn show_with(context: &Context<'_>, form: &Form, faults: &Faults) -> Result<Response> {
    let (t, common) = (&context.t.managing, &context.t.page);
    let now = &context.administration;
    let fields = fields(context)?;
    let codes: Vec<(String, &str)> = fields.iter().map(|field| (code(Some(field)), name(context, field))).collect();
    let mut options = vec![("", t.none)];
    options.extend(codes.iter().map(|(code, name)| (code.as_str(), *name)));
    let body = html! {
        h1 { (t.title) }
        @if !faults.is_none() { (layout::trouble(common.wrong)) }
        form method="post" action="/admin/archive" {
            (layout::token(context))
            section.card {
                (Input { name: "name", label: t.name, value: form.text("name"), wrong: faults.name, fill: "organization",
                    ..Input::default() })
                (select("language", t.language, form.text("language"), &[("de", "Deutsch"), ("en", "English")], ""))
            }
            section.card {
                h2 { (t.links) }
                (Input { name: "dns_name", label: t.dns_name, value: form.text("dns_name"), help: t.dns_name_help,
                    wrong: faults.dns_name, fill: "off", ..Input::default() })
                (select("link_title", t.link_title, form.text("link_title"), &options, t.link_title_help))
                (select("publishing", t.publishing, form.text("publishing"), &options, t.publishing_help))
            }
            section.card {
                h2 { (t.public) }
                (check("is_public", t.is_public, form.is_on("is_public"), t.is_public_help))
                (wrong(faults.is_public))
                @if !now.is_public { (check("is_public_sure", t.is_public_sure, form.is_on("is_public_sure"), "")) }
                (check("public_mails", t.public_mails, form.is_on("public_mails"), t.public_mails_help))
                (wrong(faults.public_mails))
                @if !now.public_mails {
                    (check("public_mails_sure", t.public_mails_sure, form.is_on("public_mails_sure"), ""))
                }
            }
            button.first { (common.save) }
        }
    };
    Ok(page(context, Part::Archive, t.title, &body))
}

pub fn send(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let t = &context.t.managing;
    let now = &context.administration;
    let known = fields(context)?;
    let field = |key: &str| known.iter().find(|field| code(Some(field)) == form.text(key)).cloned();
    let new = Administration {
        archive_name: form.text("name").to_owned(),
        language: if form.text("language") == "de" { Lang::De } else { Lang::En },
        dns_name: form.text("dns_name").to_owned(),
        link_title: field("link_title"),
        publishing: field("publishing"),
        is_public: form.is_on("is_public"),
        public_mails: form.is_on("public_mails"),
    };
    let mut faults = Faults::default();
    if new.archive_name.is_empty() || new.archive_name.chars().count() > administration::NAME_CHARS {
        faults.name = t.name_wrong;
    }
    if !administration::is_dns_name(&new.dns_name) {
        faults.dns_name = t.dns_name_wrong;
    }
    if new.is_public && new.publishing.is_none() {
        faults.is_public = t.publishing_missing;
    } else if new.is_public && !now.is_public && !form.is_on("is_public_sure") {
        faults.is_public = t.sure_missing;
    }
    if new.public_mails && !new.is_public {
        faults.public_mails = t.public_missing;
    } else if new.public_mails && !now.public_mails && !form.is_on("public_mails_sure") {
        faults.public_mails = t.sure_missing;
    }
    if !faults.is_none() {
        return Ok(show_with(context, &form, &faults)?.status(400));
    }
    if new != *now {
        new.write(&context.web.archive, &context.who())?;
    }
    let lang = context.person()?.user.language.unwrap_or(new.language);
    context.notice(super::super::texts::of(lang).page.saved);
    Ok(Response::redirect("/admin/archive"))
}
