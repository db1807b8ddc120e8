//! Signing in to one account by a code: the code and where it is typed in, until it was.

use maud::html;

use super::super::super::Context;
use super::super::super::error::{Result, WebError};
use super::super::super::layout;
use super::super::super::request::encode;
use super::super::super::response::Response;
use super::super::sign_ins::{self, State};
use super::super::{Part, again, definition, page, show as shows};
use super::first_path;
use crate::settings::{Definition, Module};

/// Seconds between two looks.
const LOOK: u32 = 3;

/// Where an account of a definition is signed in.
pub fn path(name: &str, account: &str) -> String {
    format!("/admin/sources/{}/sign-in?account={}", encode(name), encode(account))
}

/// The account that is asked for, where it signs in by a code.
fn account<'a>(definition: &Definition, wanted: &'a str) -> Result<&'a str> {
    let Module::Imap(imap) = &definition.module else { return Err(WebError::NotFound) };
    let is_it = imap.accounts.iter().any(|account| account.account == wanted && account.sign_in.is_some());
    if is_it { Ok(wanted) } else { Err(WebError::NotFound) }
}

pub fn show(context: &Context<'_>) -> Result<Response> {
    let t = &context.t.assistant;
    let definition = definition(context)?;
    let account = account(&definition, context.request.query.text("account"))?;
    let sign_in = context.web.sign_ins.of(&definition.name, account);
    let state = sign_in.as_ref().map(|sign_in| &sign_in.state);
    let test = context.web.tests.of(&definition.name);
    let goes_on = sign_in.as_ref().is_some_and(|sign_in| sign_in.starts && matches!(sign_in.state, State::Done))
        && test.is_some_and(|test| test.is_running() || !test.has_failed);
    if definition.inactive && goes_on {
        // The rest of the way is the same as with a password. Where it came to nothing, this page is where one begins anew.
        return Ok(Response::redirect(&first_path(&definition.name)));
    }
    let is_running = sign_in.as_ref().is_some_and(sign_ins::SignIn::is_running);
    let body = html! {
        p { a href=(super::super::path(&definition.name)) { "← " (definition.name) } }
        h1 { (t.sign_in_title) }
        section.card {
            @match state {
                None => p { (t.sign_in_none) },
                Some(State::Asking) => p role="status" { (t.sign_in_asking) },
                Some(State::Code { user_code, address, ends }) => {
                    ol.code {
                        li { p { (t.sign_in_open) } p { a href=(address) target="_blank" rel="noreferrer" { (address) } } }
                        li { p { (t.sign_in_type) } p.user-code { (user_code) } }
                    }
                    p role="status" { ((t.sign_in_as)(account)) }
                    p.soft { (t.sign_in_until) " " (shows::time(*ends)) }
                },
                Some(State::Done) => {
                    div.note.good role="status" { p { (t.sign_in_done) } }
                    @if definition.inactive && !definition.ended {
                        p { a href=(first_path(&definition.name)) { (context.t.admin.test_and_begin) } }
                    }
                },
                Some(State::Failed(error)) => div.note.bad role="status" { p { (error.sentence(context.lang)) } },
            }
            @if !is_running {
                form method="post" action=(path(&definition.name, account)) {
                    (layout::token(context))
                    input type="hidden" name="account" value=(account);
                    button.first { @if state.is_some() { (t.sign_in_again) } @else { (t.sign_in_begin) } }
                }
            }
        }
    };
    let response = page(context, Part::Sources, t.sign_in_title, &body);
    Ok(if is_running { again(response, LOOK) } else { response })
}

pub fn begin(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let definition = definition(context)?;
    let account = account(&definition, form.text("account"))?;
    // What the assistant began goes on; what somebody switched off on purpose stays off.
    let is_begun = context.web.sign_ins.of(&definition.name, account).is_some_and(|sign_in| sign_in.starts);
    let has_run = || context.view().and_then(|view| Ok(!view.runs(&definition.name, 1, usize::MAX)?.is_empty()));
    let starts = definition.inactive && is_begun && !has_run()?;
    if !sign_ins::begin(context, &definition, account, starts)? {
        context.notice(context.t.assistant.sign_in_busy);
    }
    Ok(Response::redirect(&path(&definition.name, account)))
}
