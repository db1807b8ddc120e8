//! Searches that the owner of the token keeps.

use serde_json::{Value, json};

use super::super::Response;
use super::super::dms::searches::not_kept;
use super::call::{Answer, Asked, Body, Call, Result, Right, json as answer, nothing};
use super::problem::{Problem, Reason};
use super::schema::{Named, SAID, Schema, Wrong, has};
use crate::limits::{QUERY_CHARS, SAVED_SEARCHES};
use crate::settings::searches::{NAME_CHARS, Saved, Searches};

pub const CALLS: &[Call] = &[
    Call::get("/searches", "listSearches", "Searches that the owner keeps", Answer::Json(200, &SEARCHES), list)
        .with(Right::Read),
    Call::post(
        "/searches",
        "keepSearch",
        "Keep a search; one of its name is replaced",
        Answer::Json(201, &SEARCH),
        keep,
    )
    .with(Right::Change)
    .sent(Body::Json(&NEW)),
    Call::delete("/searches/{name}", "forgetSearch", "Forget a search", forget).with(Right::Change),
];

const SEARCH: Named = Named {
    name: "SavedSearch",
    schema: Schema::Object(&[has("name", SAID, ""), has("q", SAID, "As `q` of /documents")]),
};
const SEARCHES: Named = Named {
    name: "SavedSearches",
    schema: Schema::Object(&[has("searches", Schema::List(&Schema::Named(&SEARCH), SAVED_SEARCHES), "By name")]),
};
const NEW: Named = Named {
    name: "NewSavedSearch",
    schema: Schema::Object(&[
        has("name", Schema::Text(1, NAME_CHARS), ""),
        has("q", Schema::Text(1, QUERY_CHARS), "As `q` of /documents"),
    ]),
};

fn shown(saved: &Saved) -> Value {
    json!({ "name": saved.name, "q": saved.query })
}

fn list(asked: &Asked<'_>) -> Result<Response> {
    let all = Searches::of(&asked.context.web.archive, &asked.context.person()?.user.name)?.0;
    Ok(answer(200, json!({ "searches": all.iter().map(shown).collect::<Vec<_>>() })))
}

fn keep(asked: &Asked<'_>) -> Result<Response> {
    let context = &asked.context;
    let saved = Saved { name: asked.text("name").trim().into(), query: asked.text("q").into() };
    let _turn = context.web.settings();
    let kept = Searches::keep(&context.web.archive, &context.person()?.user.name, saved.clone())?;
    kept.map_err(|why| {
        let what = not_kept(&context.t.dms, why);
        Problem::of(Reason::Refused, vec![Wrong { at: "/name".into(), what }])
    })?;
    Ok(answer(201, shown(&saved)))
}

fn forget(asked: &Asked<'_>) -> Result<Response> {
    let context = &asked.context;
    let _turn = context.web.settings();
    if Searches::forget(&context.web.archive, &context.person()?.user.name, &context.parameters[0])? {
        Ok(nothing())
    } else {
        Err(Problem::new(Reason::NotFound))
    }
}
