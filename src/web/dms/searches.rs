//! The searches that a person keeps: a list beside the search field, without script.

use maud::{Markup, html};

use super::super::Context;
use super::super::error::Result;
use super::super::layout;
use super::super::response::Response;
use super::super::texts;
use super::state::State;
use crate::limits::SAVED_SEARCHES;
use crate::settings::searches::{NAME_CHARS, NotKept, Saved, Searches};

/// Names of kept searches with their tables, and a form that keeps the present one or forgets one.
pub fn list(context: &Context<'_>, state: &State) -> Result<Markup> {
    let t = &context.t.dms;
    let Some(person) = &context.person else { return Ok(html! {}) };
    let saved = Searches::of(&context.web.archive, &person.user.name)?.0;
    let known = saved.iter().find(|saved| saved.query == state.query);
    Ok(html! {
        @if !saved.is_empty() || !state.query.is_empty() {
            details.help.saved {
                summary { (t.saved_searches) }
                @for one in &saved {
                    p.row {
                        a href=(state.looking_for(&one.query).table()) { (one.name) }
                        span.soft { (one.query) }
                        form method="post" action="/searches" {
                            (layout::token(context))
                            input type="hidden" name="forget" value=(one.name);
                            input type="hidden" name="q" value=(state.query);
                            button.plain aria-label={ (t.forget_search) " " (one.name) } { (t.forget_search) }
                        }
                    }
                }
                @if !state.query.is_empty() && known.is_none() {
                    form.row method="post" action="/searches" {
                        (layout::token(context))
                        input type="hidden" name="q" value=(state.query);
                        label { (t.search_name) " " input name="name" required maxlength=(NAME_CHARS) value=(state.query); }
                        button { (t.keep_search) }
                    }
                }
            }
        }
    })
}

/// Why a search was not kept, in a sentence.
pub fn not_kept(t: &texts::Dms, why: NotKept) -> String {
    match why {
        NotKept::Name => (t.search_needs_name)(NAME_CHARS),
        NotKept::Full => (t.too_many_searches)(SAVED_SEARCHES),
    }
}

/// `POST /searches`: keeps the search `q` as `name`, or forgets the one that is called `forget`.
pub fn change(context: &Context<'_>) -> Result<Response> {
    let t = &context.t.dms;
    let form = context.form()?;
    let user = context.person()?.user.name.clone();
    let archive = &context.web.archive;
    let (forget, query) = (form.text("forget"), form.text("q"));
    let _turn = context.web.settings();
    if forget.is_empty() {
        let saved = Saved { name: form.text("name").trim().into(), query: query.into() };
        match Searches::keep(archive, &user, saved)? {
            Ok(()) => {}
            Err(why) => context.notice(not_kept(t, why)),
        }
    } else {
        Searches::forget(archive, &user, forget)?;
    }
    Ok(Response::redirect(&State::default().looking_for(query).table()))
}
