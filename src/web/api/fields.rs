//! Document fields that people defined (Felder definieren).

use serde_json::{Value, json};

use super::super::Response;
use super::super::admin::define::{self, Faults, Hiding};
use super::super::request::Form;
use super::call::{Answer, Asked, Body, Call, Result, json as answer, nothing};
use super::forms::{self, Entry, How};
use super::problem::{Problem, Reason};
use super::schema::{Named, SAID, Schema, Wrong, has, may};
use crate::limits::{API_LIST, DEFINED_FIELDS, FIELD_CHARS, FIELD_NAME_CHARS, SELECTION_VALUES};
use crate::settings::document_fields::{DocumentField, DocumentFields};
use crate::settings::users::NAME_CHARS;

pub const CALLS: &[Call] = &[
    Call::get(
        "/fields",
        "listFields",
        "The defined fields of documents, in their order",
        Answer::Json(200, &LIST),
        list,
    ),
    Call::post("/fields", "defineField", "Define a field; its name never changes", Answer::Json(201, &LIST), add)
        .sent(Body::Json(&NEW)),
    Call::patch(
        "/fields/{name}",
        "changeField",
        "Change a field, move it, bring it back; what is not sent stays",
        Answer::Json(200, &LIST),
        change,
    )
    .sent(Body::Json(&CHANGE)),
    Call::delete(
        "/fields/{name}",
        "removeField",
        "Take a field away; where documents have values in it, it is hidden",
        remove,
    )
    .conflicting(),
];

const RIGHTS: [&str; 3] = ["everybody", "administrators", "users"];
const LINES: Schema = Schema::List(&Schema::Text(0, FIELD_CHARS), SELECTION_VALUES);
const USERS: Schema = Schema::List(&Schema::Text(0, NAME_CHARS), API_LIST);

const ENTRIES: &[Entry; 7] = &[
    Entry::word("kind", &["text", "number", "date", "yes_no", "selection"], "What may stand in it"),
    Entry { member: may("values", LINES, "Of a selection"), key: "values", how: How::Lines },
    Entry::word("seen_by", &RIGHTS, "Of those who may read a document"),
    Entry { member: may("seen_names", USERS, "Where seen_by is users"), key: "seen_names", how: How::Names },
    Entry::word("changed_by", &RIGHTS, "Of those who see it"),
    Entry { member: may("changed_names", USERS, "Where changed_by is users"), key: "changed_names", how: How::Names },
    Entry::flag("is_column", "It is a column of the table"),
];

const SETTINGS: Named = Named { name: "FieldSettings", schema: Schema::Object(&forms::members(ENTRIES)) };

const NEW: Named = Named {
    name: "NewField",
    schema: Schema::Object(&[
        has("name", Schema::Text(1, FIELD_NAME_CHARS), "No colon, quotation mark or star"),
        has("settings", Schema::Named(&SETTINGS), ""),
    ]),
};

const CHANGE: Named = Named {
    name: "FieldChange",
    schema: Schema::Object(&[
        may("settings", Schema::Named(&SETTINGS), ""),
        may("move", Schema::Word(&["up", "down"]), "One place among those that are not hidden"),
        may("bring_back", Schema::Flag, "A hidden one is shown again, before anything else is done"),
    ]),
};

const LIST: Named = Named {
    name: "Fields",
    schema: Schema::Object(&[has(
        "fields",
        Schema::List(
            &Schema::Object(&[
                has("name", SAID, ""),
                has("is_hidden", Schema::Flag, "It was taken away, and documents have values in it"),
                has("settings", Schema::Named(&SETTINGS), ""),
            ]),
            DEFINED_FIELDS,
        ),
        "",
    )]),
};

fn list(asked: &Asked<'_>) -> Result<Response> {
    all(asked, 200)
}

fn all(asked: &Asked<'_>, status: u16) -> Result<Response> {
    let shown = |field: &DocumentField| -> Value {
        json!({ "name": field.name, "is_hidden": field.is_hidden, "settings": forms::read(&define::entered(field), ENTRIES) })
    };
    let all = DocumentFields::read(&asked.context.web.archive)?;
    Ok(answer(status, json!({ "fields": all.0.iter().map(shown).collect::<Vec<_>>() })))
}

/// The form with what was sent in it.
fn filled(asked: &Asked<'_>, mut form: Form) -> Form {
    if let Some(sent) = asked.body["settings"].as_object() {
        forms::fill(&mut form, ENTRIES, sent);
    }
    form
}

fn refused(faults: &Faults) -> Result<()> {
    let at =
        |key: &str| if key == "name" { "/name".into() } else { format!("/settings{}", forms::pointer(ENTRIES, key)) };
    let errors = faults.named().into_iter().map(|(key, what)| Wrong { at: at(key), what: what.into() });
    if faults.is_none() { Ok(()) } else { Err(Problem::of(Reason::Refused, errors.collect())) }
}

fn add(asked: &Asked<'_>) -> Result<Response> {
    let mut form = Form::default();
    form.push("name", asked.text("name"));
    refused(&define::take_new(&asked.context, &filled(asked, form))?)?;
    all(asked, 201)
}

fn change(asked: &Asked<'_>) -> Result<Response> {
    let context = &asked.context;
    let back = asked.body["bring_back"] == true;
    if asked.body.get("settings").is_some() {
        refused(&define::take_change(context, back, |before| filled(asked, define::entered(before)))?)?;
    } else if back {
        define::hide_or_show(context, true)?;
    } else {
        define::known(context)?;
    }
    if asked.body.get("move").is_some() {
        define::shift_by(context, asked.text("move") == "up")?;
    }
    list(asked)
}

fn remove(asked: &Asked<'_>) -> Result<Response> {
    match define::hide_or_show(&asked.context, false)? {
        Hiding::InUse => Err(Problem::new(Reason::Conflict).saying(asked.context.t.fields.in_use)),
        Hiding::Shown | Hiding::Hidden | Hiding::Gone => Ok(nothing()),
    }
}
