//! What the setup assistant knows and does: where whose mail lies, and sign-ins by a code.

use serde_json::{Value, json};

use super::super::admin::assistant::check::{encryption, hint};
use super::super::admin::definition;
use super::super::admin::sign_ins::{self, State};
use super::super::{Context, Response};
use super::call::{Answer, Asked, Body, Call, Result, json as answer, time};
use super::problem::{Problem, Reason};
use super::schema::{MAYBE_TIME, Named, SAID, Schema, has, may};
use crate::language::Lang;
use crate::settings::providers::{self, Hint, Provider};
use crate::settings::{Definition, Module};

pub const CALLS: &[Call] = &[
    Call::get(
        "/providers",
        "listProviders",
        "Where the mail of which provider is read by IMAP",
        Answer::Json(200, &PROVIDERS),
        list,
    )
    .asking(&[may(
        "address",
        Schema::Text(1, 400),
        "Only the provider of this mail address, where its domain tells",
    )]),
    Call::get(
        "/definitions/{name}/sign-in",
        "getSignIn",
        "How the sign-in of an account stands",
        Answer::Json(200, &SIGN_IN),
        state,
    )
    .asking(&[may(
        "account",
        Schema::Text(1, 500),
        "The first account that signs in by a code, unless this says which",
    )]),
    Call::post(
        "/definitions/{name}/sign-in",
        "signIn",
        "Ask for a code by which a person signs in to an account",
        Answer::Json(202, &ASKED),
        begin,
    )
    .sent(Body::Json(&WHICH))
    .conflicting(),
];

const PROVIDER: Schema = Schema::Object(&[
    has("name", SAID, ""),
    has("domains", Schema::List(&SAID, 1000), "Mail domains by which it is recognised"),
    has("server", SAID, "Empty where each customer has another one"),
    has("port", Schema::Integer(1, 65_535), ""),
    has("encryption", Schema::Word(&["tls", "starttls", "none"]), ""),
    has("signs_in", Schema::Flag, "Takes no passwords: accounts have sign_in in place of a password"),
    has("hint", SAID, "What people need to know first; may be empty"),
]);

const PROVIDERS: Named =
    Named { name: "Providers", schema: Schema::Object(&[has("providers", Schema::List(&PROVIDER, 1000), "")]) };

const WHICH: Named = Named {
    name: "SignInAsked",
    schema: Schema::Object(&[may(
        "account",
        Schema::Text(1, 500),
        "The first one that signs in by a code, by default",
    )]),
};

const ASKED: Named = Named {
    name: "SignInBegun",
    schema: Schema::Object(&[has("is_asked", Schema::Flag, "Ask how it stands: the code is there in a moment")]),
};

const SIGN_IN: Named = Named {
    name: "SignIn",
    schema: Schema::Object(&[
        has("account", SAID, ""),
        has("state", Schema::Word(&["none", "asking", "code", "done", "failed"]), ""),
        has("user_code", Schema::Maybe(&SAID), "What the person types in"),
        has("address", Schema::Maybe(&SAID), "Where"),
        has("ends", MAYBE_TIME, "Until when the code holds"),
        has("sentence", SAID, "Why it failed; empty where it did not"),
    ]),
};

#[expect(clippy::unnecessary_wraps, reason = "every call has this form")]
fn list(asked: &Asked<'_>) -> Result<Response> {
    let address = asked.asked_text("address");
    let found: Vec<&Provider> = if address.is_empty() {
        providers::all().iter().collect()
    } else {
        providers::of_address(address).into_iter().collect()
    };
    let shown = |provider: &&Provider| {
        json!({
            "name": provider.name,
            "domains": provider.domains,
            "server": provider.server,
            "port": provider.port,
            "encryption": encryption(provider.encryption),
            "signs_in": provider.hint == Some(Hint::SignIn),
            "hint": hint(&asked.context, provider),
        })
    };
    Ok(answer(200, json!({ "providers": found.iter().map(shown).collect::<Vec<_>>() })))
}

/// The definition, and the account of it that is meant.
fn account(context: &Context<'_>, wanted: &str) -> Result<(Definition, String)> {
    let definition = definition(context)?;
    let found = match &definition.module {
        Module::Imap(imap) => imap
            .accounts
            .iter()
            .filter(|account| account.sign_in.is_some())
            .find(|account| wanted.is_empty() || account.account == wanted)
            .map(|account| account.account.clone()),
        Module::O365(_) => None,
    };
    let account = found.ok_or_else(|| Problem::new(Reason::NotFound))?;
    Ok((definition, account))
}

fn state(asked: &Asked<'_>) -> Result<Response> {
    let context = &asked.context;
    let (definition, account) = account(context, asked.asked_text("account"))?;
    let mut shown = json!({
        "account": account, "state": "none", "user_code": null, "address": null, "ends": null, "sentence": "",
    });
    match context.web.sign_ins.of(&definition.name, &account).map(|sign_in| sign_in.state) {
        None => {}
        Some(State::Asking) => shown["state"] = "asking".into(),
        Some(State::Code { user_code, address, ends }) => {
            shown["state"] = "code".into();
            (shown["user_code"], shown["address"]) = (Value::from(user_code), Value::from(address));
            shown["ends"] = time(ends);
        }
        Some(State::Done) => shown["state"] = "done".into(),
        Some(State::Failed(error)) => {
            (shown["state"], shown["sentence"]) = ("failed".into(), error.sentence(Lang::En).into());
        }
    }
    Ok(answer(200, shown))
}

fn begin(asked: &Asked<'_>) -> Result<Response> {
    let context = &asked.context;
    let (definition, account) = account(context, asked.text("account"))?;
    if sign_ins::begin(context, &definition, &account, false)? {
        return Ok(answer(202, json!({ "is_asked": true })));
    }
    Err(Problem::new(Reason::Conflict).saying(context.t.assistant.sign_in_busy))
}
