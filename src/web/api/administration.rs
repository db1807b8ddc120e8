//! Archive administration (Archiv verwalten).

use serde_json::{Value, json};

use super::super::Response;
use super::super::admin::managing;
use super::call::{Answer, Asked, Body, Call, Result, json as answer};
use super::forms::{self, Entry};
use super::problem::{Problem, Reason};
use super::schema::{Named, SAID, Schema, Wrong, has};
use crate::limits::{API_LIST, COMBOBOX};
use crate::settings::administration::{Administration, FIELD_COLUMNS, Field, NAME_CHARS, TITLE_WIDTH};

pub const CALLS: &[Call] = &[
    Call::get(
        "/administration",
        "getAdministration",
        "What holds for the whole archive",
        Answer::Json(200, &SHOWN),
        show,
    ),
    Call::patch(
        "/administration",
        "changeAdministration",
        "Change that; what is not sent stays",
        Answer::Json(200, &SHOWN),
        change,
    )
    .sent(Body::Json(&SETTINGS)),
];

const ENTRIES: &[Entry; 23] = &[
    Entry::text("name", "name", NAME_CHARS, "Name of the archive"),
    Entry::word("language", &["de", "en"], ""),
    Entry::text("dns_name", "dns_name", 300, "DNS name for API call"),
    Entry::text("link_title", "link_title", 300, "Title field for API link: one of fields, or empty"),
    Entry::text("publishing", "publishing", 300, "Field for publishing: one of fields, or empty"),
    Entry::flag("is_public", "Published documents open without a login"),
    Entry::flag("is_public_sure", "Needed where is_public becomes true, and where it is and publishing changes"),
    Entry::flag("public_mails", "Published mails too"),
    Entry::flag("public_mails_sure", "Needed where public_mails becomes true, and where it is and publishing changes"),
    Entry::text(
        "admin_networks",
        "admin_networks",
        2000,
        "Networks from which /admin and the API are reached and administrators log in, such as 192.168.1.0/24, with commas \
         between; empty: everywhere, and private networks where the archive is public",
    ),
    Entry::word("usage", &["documents", "mails"], "Primary archive usage: what the table shows first"),
    Entry::word("layout", &["bright", "dark", "automatic"], "Of everybody who chose no other"),
    Entry::flag("hides_extended", "Hide extended icons"),
    Entry::number(
        "field_columns",
        *FIELD_COLUMNS.start() as i64,
        *FIELD_COLUMNS.end() as i64,
        "Number of columns for fields",
    ),
    Entry::flag("starts_reduced", "The table starts with its main columns"),
    Entry::flag("hides_internal", "Hide internal fields in reduced table"),
    Entry::flag("suppresses_title", "Suppress field 'Title' in main view"),
    Entry::number(
        "title_width",
        *TITLE_WIDTH.start() as i64,
        *TITLE_WIDTH.end() as i64,
        "Width of field 'Title' in table: twips",
    ),
    Entry::text("file_name", "file_name", 300, "Save filename in field: one of fields that holds text, or empty"),
    Entry::word(
        "versioning",
        &["", "key", "name"],
        "Empty: none; key: by the field for version key; name: also by names of downloads",
    ),
    Entry::text("version_key", "version_key", 300, "Field for version key: one of fields but date, or empty"),
    Entry::number("combobox", 0, COMBOBOX as i64, "Elements in combobox fields"),
    Entry::flag("shows_note", "Show note field"),
];

const SETTINGS: Named = Named { name: "AdministrationSettings", schema: Schema::Object(&forms::members(ENTRIES)) };

const SHOWN: Named = Named {
    name: "Administration",
    schema: Schema::Object(&[
        has("settings", Schema::Named(&SETTINGS), ""),
        has(
            "fields",
            Schema::List(&SAID, API_LIST),
            "Fields that link_title, publishing, file_name and version_key may name",
        ),
    ]),
};

fn shown(asked: &Asked<'_>, now: &Administration) -> Result<Value> {
    let fields: Vec<String> =
        managing::fields(&asked.context)?.iter().map(|field| managing::code(Some(field))).collect();
    Ok(json!({ "settings": forms::read(&managing::form(now), ENTRIES), "fields": fields }))
}

fn show(asked: &Asked<'_>) -> Result<Response> {
    Ok(answer(200, shown(asked, &asked.context.administration)?))
}

fn change(asked: &Asked<'_>) -> Result<Response> {
    let context = &asked.context;
    let _turn = context.web.settings();
    let now = Administration::read(&context.web.archive)?;
    let mut form = managing::form(&now);
    let sent = asked.body.as_object();
    if let Some(sent) = sent {
        forms::fill(&mut form, ENTRIES, sent);
    }
    // The page offers only what there is; here anything can be named.
    let known = managing::fields(context)?;
    let is_sent = |key: &&str| sent.is_some_and(|sent| sent.contains_key(*key));
    for key in ["link_title", "publishing", "file_name", "version_key"].into_iter().filter(is_sent) {
        let fits = |field: &Field| match key {
            "file_name" => managing::can_hold_name(context, field),
            "version_key" => field.key().is_some(),
            _ => true,
        };
        let code = form.text(key);
        if !code.is_empty() && !known.iter().any(|field| field.code() == code && fits(field)) {
            return Err(Problem::at(
                Reason::Refused,
                format!("/{key}"),
                "This is none of the fields that it may name.",
            ));
        }
    }
    let (new, faults) = managing::take(context, &now, &form)?;
    if !faults.is_none() {
        let errors =
            faults.named().into_iter().map(|(key, what)| Wrong { at: forms::pointer(ENTRIES, key), what: what.into() });
        return Err(Problem::of(Reason::Refused, errors.collect()));
    }
    Ok(answer(200, shown(asked, &new)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_the_form_is_a_member() {
        for key in managing::form(&Administration::default()).names() {
            assert!(ENTRIES.iter().any(|entry| entry.key == key), "the API does not know the field {key}");
        }
    }
}
