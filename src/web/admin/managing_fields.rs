//! The parts of Archive administration that say how WebDMS looks, which fields do what, and what a version is.

use maud::{Markup, html};

use super::super::Context;
use super::super::layout::{check, select};
use super::super::request::Form;
use super::fields::{number, wrong};
use super::managing::Faults;

/// Fields that can be chosen: codes and what they are called, the first of them for none.
pub struct Choices<'a> {
    pub all: &'a [(&'a str, &'a str)],
    /// Those that can hold the name of a file.
    pub names: &'a [(&'a str, &'a str)],
    /// Those whose values can be looked up.
    pub keys: &'a [(&'a str, &'a str)],
}

pub fn appearance(context: &Context<'_>, form: &Form, faults: &Faults) -> Markup {
    let t = &context.t.fields;
    let tick = |name: &str, label: &str, help: &str| check(name, label, form.is_on(name), help);
    let layouts = [("bright", t.layout_bright), ("dark", t.layout_dark), ("automatic", t.layout_automatic)];
    html! {
        section.card {
            h2 { (t.look) }
            (select("usage", t.usage, form.text("usage"), &[("documents", t.usage_documents), ("mails", t.usage_mails)],
                t.usage_help))
            (select("layout", t.layout, form.text("layout"), &layouts, t.layout_help))
            (tick("hides_extended", t.hides_extended, t.hides_extended_help))
            (number("field_columns", t.columns, form.text("field_columns"), t.columns_help, faults.field_columns))
            (tick("suppresses_title", t.suppresses_title, t.suppresses_title_help))
        }
        section.card {
            h2 { (t.table) }
            (tick("starts_reduced", t.starts_reduced, t.starts_reduced_help))
            (tick("hides_internal", t.hides_internal, t.hides_internal_help))
            (number("title_width", t.title_width, form.text("title_width"), t.title_width_help, faults.title_width))
        }
    }
}

pub fn document_fields(context: &Context<'_>, form: &Form, faults: &Faults, choices: &Choices<'_>) -> Markup {
    let (t, managing) = (&context.t.fields, &context.t.managing);
    html! {
        section.card {
            h2 { (t.fields) }
            (select("publishing", managing.publishing, form.text("publishing"), choices.all, managing.publishing_help))
            (wrong(&faults.publishing))
            (select("file_name", t.file_name, form.text("file_name"), choices.names, t.file_name_help))
            (wrong(faults.file_name))
            (number("combobox", t.combobox, form.text("combobox"), t.combobox_help, faults.combobox))
            (check("shows_note", t.shows_note, form.is_on("shows_note"), t.shows_note_help))
        }
    }
}

pub fn versions(context: &Context<'_>, form: &Form, faults: &Faults, choices: &Choices<'_>) -> Markup {
    let t = &context.t.fields;
    let ways = [("", t.versioning_none), ("key", t.versioning_key), ("name", t.versioning_name)];
    html! {
        section.card {
            h2 { (t.versions) }
            (select("versioning", t.versioning, form.text("versioning"), &ways, t.versioning_help))
            (select("version_key", t.version_key, form.text("version_key"), choices.keys, t.version_key_help))
            (wrong(faults.version_key))
        }
    }
}
