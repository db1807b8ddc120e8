//! Compilations: public lists of documents.

use serde_json::{Value, json};

use super::super::compile;
use super::super::compile::change::{self, Faults, Wanted};
use super::super::compile::entries::{self, Entry};
use super::super::{Context, Response};
use super::call::{Answer, Asked, Body, Call, Result, Right, json as answer, maybe_time, nothing};
use super::problem::{Problem, Reason};
use super::schema::{COUNT, MAYBE_TIME, Member, Named, SAID, Schema, Wrong, has, may};
use crate::archive::commit::Number;
use crate::limits::{COMPILATION_DOCUMENTS, COMPILATION_TEXT, COMPILATION_TITLE, COMPILATIONS};
use crate::settings::compilations::{Compilation, NAME_CHARS};
use crate::settings::users;

pub const CALLS: &[Call] = &[
    Call::get(
        "/compilations",
        "listCompilations",
        "Compilations that the owner of the token manages; auditors and administrators see all",
        Answer::Json(200, &ALL),
        list,
    )
    .with(Right::Read),
    Call::post("/compilations", "addCompilation", "Make a compilation", Answer::Json(201, &COMPILATION), add)
        .with(Right::Change)
        .sent(Body::Json(&NEW)),
    Call::get("/compilations/{name}", "getCompilation", "One compilation", Answer::Json(200, &COMPILATION), one)
        .with(Right::Read),
    Call::patch(
        "/compilations/{name}",
        "changeCompilation",
        "Change a compilation, publish it or withdraw it; what is not sent stays",
        Answer::Json(200, &COMPILATION),
        alter,
    )
    .with(Right::Change)
    .sent(Body::Json(&CHANGE)),
    Call::delete("/compilations/{name}", "removeCompilation", "Delete a compilation; its documents stay", remove)
        .with(Right::Change),
];

const NUMBERS: Schema = Schema::List(&Schema::Integer(1, i64::MAX), COMPILATION_DOCUMENTS);
const TITLE: Schema = Schema::Text(1, COMPILATION_TITLE);
const TEXT: Schema = Schema::Text(0, COMPILATION_TEXT);
const NAME: Schema = Schema::Text(0, NAME_CHARS);

const COMPILATION: Named = Named { name: "Compilation", schema: Schema::Object(&shown_with(DOCUMENTS)) };
const SUMMARY: Named = Named { name: "CompilationSummary", schema: Schema::Object(&shown_with(COUNTED)) };

const DOCUMENTS: Member = has(
    "documents",
    Schema::List(
        &Schema::Object(&[
            has("number", Schema::Integer(1, i64::MAX), "The document number"),
            has("title", SAID, "Empty for a token without the right to read"),
            has("is_public", Schema::Flag, "It appears on the public page"),
        ]),
        COMPILATION_DOCUMENTS,
    ),
    "In their order: those that the owner of the token may read, and those that anybody may",
);
const COUNTED: Member = has(
    "documents",
    Schema::Maybe(&COUNT),
    "How many that the owner of the token may read or anybody may; null where too many would have to be looked at",
);

/// What both have, around what they tell of the documents.
const fn shown_with(documents: Member) -> [Member; 8] {
    [
        has("name", SAID, "The public page is at /c/NAME"),
        has("address", SAID, "Of the public page"),
        has("title", SAID, ""),
        has("introduction", SAID, ""),
        documents,
        has("is_published", Schema::Flag, ""),
        has("owner", SAID, "Whose it is"),
        has("created", MAYBE_TIME, ""),
    ]
}

const ALL: Named = Named {
    name: "Compilations",
    schema: Schema::Object(&[has(
        "compilations",
        Schema::List(&Schema::Named(&SUMMARY), COMPILATIONS),
        "Newest first",
    )]),
};

const NEW: Named = Named {
    name: "NewCompilation",
    schema: Schema::Object(&[
        has("title", TITLE, ""),
        may("name", NAME, "a to z, 0 to 9 and hyphens; left out: made from the title"),
        may("introduction", TEXT, ""),
        may("documents", NUMBERS, "In their order"),
        may("is_published", Schema::Flag, ""),
    ]),
};
const CHANGE: Named = Named {
    name: "CompilationChange",
    schema: Schema::Object(&[
        may("title", TITLE, ""),
        may("name", NAME, "Another address; the old one does not count any more"),
        may("introduction", TEXT, ""),
        may("documents", NUMBERS, "All of them, in their order"),
        may("is_published", Schema::Flag, ""),
        may("owner", Schema::Text(1, users::NAME_CHARS), "Whose it is from now on; only administrators give it away"),
    ]),
};

fn summary(context: &Context<'_>, one: &Compilation) -> Value {
    json!({
        "name": one.name,
        "address": compile::address(context, one),
        "title": one.title,
        "introduction": one.introduction,
        "is_published": one.is_published,
        "owner": one.owner,
        "created": maybe_time(Some(one.created)),
    })
}

fn shown(context: &Context<'_>, one: &Compilation) -> Result<Value> {
    // Whoever may only change documents puts them together by their numbers.
    let reads = context.person()?.token.as_ref().is_some_and(|token| token.rights.read);
    let title = |entry: &Entry| if reads { entry.title.clone() } else { String::new() };
    let entries = entries::known(context, one)?;
    let entry = |entry: &Entry| json!({ "number": entry.number, "title": title(entry), "is_public": entry.is_public });
    let mut json = summary(context, one);
    json["documents"] = entries.iter().map(entry).collect();
    Ok(json)
}

fn list(asked: &Asked<'_>) -> Result<Response> {
    let context = &asked.context;
    let all = compile::all(context)?;
    let counts = entries::counts(context, &all)?;
    let counted = |(one, count): (&Compilation, Option<u64>)| {
        let mut json = summary(context, one);
        json["documents"] = count.into();
        json
    };
    Ok(answer(200, json!({ "compilations": all.iter().zip(counts).map(counted).collect::<Vec<_>>() })))
}

fn one(asked: &Asked<'_>) -> Result<Response> {
    let context = &asked.context;
    Ok(answer(200, shown(context, &compile::seen(context, &context.parameters[0])?)?))
}

fn wanted(asked: &Asked<'_>) -> Wanted {
    let body = &asked.body;
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let numbers = |all: &Vec<Value>| all.iter().filter_map(Value::as_u64).collect::<Vec<Number>>();
    Wanted {
        name: text("name"),
        title: text("title"),
        introduction: text("introduction"),
        documents: body["documents"].as_array().map(numbers),
        is_published: body["is_published"].as_bool(),
        owner: text("owner"),
    }
}

fn refused(faults: &Faults) -> Problem {
    let all = [
        ("/title", faults.title),
        ("/name", faults.name),
        ("/documents", faults.documents.as_str()),
        ("/owner", faults.owner),
    ];
    let errors = all.into_iter().filter(|(_, what)| !what.is_empty());
    Problem::of(Reason::Refused, errors.map(|(at, what)| Wrong { at: at.into(), what: what.into() }).collect())
}

fn add(asked: &Asked<'_>) -> Result<Response> {
    let made = change::make(&asked.context, &wanted(asked))?.map_err(|faults| refused(&faults))?;
    Ok(answer(201, shown(&asked.context, &made)?))
}

fn alter(asked: &Asked<'_>) -> Result<Response> {
    let context = &asked.context;
    let changed = change::alter(context, &context.parameters[0], &wanted(asked))?.map_err(|faults| refused(&faults))?;
    Ok(answer(200, shown(context, &changed)?))
}

fn remove(asked: &Asked<'_>) -> Result<Response> {
    change::remove(&asked.context, &asked.context.parameters[0])?;
    Ok(nothing())
}
