//! Users, what they may read, and the tokens that act for them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::Response;
use super::super::entry::users as pages;
use super::call::{Answer, Asked, Body, Call, Result, json as answer, maybe_time, nothing, time};
use super::problem::{Problem, Reason};
use super::schema::{MAYBE_TIME, Member, Named, SAID, Schema, Wrong, has, may};
use super::{Right, bearer};
use crate::limits::API_SENT;
use crate::settings::tokens::{self, Token};
use crate::settings::users::{self, MailboxId, NAME_CHARS, PASSWORD_CHARS, PASSWORD_MOST, Role, User};

pub const CALLS: &[Call] = &[
    Call::get("/users", "listUsers", "All users", Answer::Json(200, &USERS), list),
    Call::post("/users", "addUser", "Add a user, who reads nothing yet", Answer::Json(201, &USER), add)
        .sent(Body::Json(&NEW)),
    Call::get("/users/{name}", "getUser", "One user", Answer::Json(200, &USER), one),
    Call::patch(
        "/users/{name}",
        "changeUser",
        "Change a user, its rights or its password",
        Answer::Json(200, &USER),
        change,
    )
    .sent(Body::Json(&CHANGE)),
    Call::delete("/users/{name}", "removeUser", "Remove a user; its tokens end, its uploads stay", remove)
        .conflicting(),
    Call::get(
        "/mailboxes",
        "listMailboxes",
        "All mailboxes that a user may be given",
        Answer::Json(200, &MAILBOXES),
        mailboxes,
    ),
    Call::get(
        "/tokens",
        "listTokens",
        "Own tokens; with the right to administer, everybody's. They are made on pages only",
        Answer::Json(200, &TOKENS),
        list_tokens,
    )
    .with(Right::Token),
    Call::delete("/tokens/{id}", "revokeToken", "End a token, this one too", revoke).with(Right::Token),
];

pub const ROLES: [&str; 3] = ["administrator", "auditor", "user"];
const ROLE: Schema = Schema::Word(&ROLES);

pub const MAILBOX: &[Member] = &[
    has("definition", Schema::Text(0, 64), "Empty: uploads of a user"),
    has("mailbox", Schema::Text(1, 1000), "Its identity"),
];

const USER: Named = Named {
    name: "User",
    schema: Schema::Object(&[
        has("name", SAID, ""),
        has("role", ROLE, ""),
        has("inactive", Schema::Flag, "May not log in, and its tokens do not count"),
        has("reads_all", Schema::Flag, "An administrator who may read all documents"),
        has(
            "mailboxes",
            Schema::List(&Schema::Object(MAILBOX), 1_000_000),
            "Whose documents the user reads, beside own uploads",
        ),
        has("created", MAYBE_TIME, ""),
    ]),
};
const USERS: Named = Named {
    name: "Users",
    schema: Schema::Object(&[has("users", Schema::List(&Schema::Named(&USER), 1_000_000), "")]),
};

const PASSWORD: Schema = Schema::Text(PASSWORD_CHARS, PASSWORD_MOST);

const NEW: Named = Named {
    name: "NewUser",
    schema: Schema::Object(&[
        has("name", Schema::Text(1, NAME_CHARS), "Letters, digits and . - _ @ +; never changes"),
        has("role", ROLE, ""),
        has("password", PASSWORD, ""),
    ]),
};
const CHANGE: Named = Named {
    name: "UserChange",
    schema: Schema::Object(&[
        may("role", ROLE, ""),
        may("inactive", Schema::Flag, ""),
        may("reads_all", Schema::Flag, "Of somebody who is an administrator already"),
        may("password", PASSWORD, "Ends the sessions of the user"),
        may("mailboxes", Schema::List(&Schema::Object(MAILBOX), API_SENT), "All of them, as listMailboxes gives them"),
    ]),
};

const MAILBOXES: Named = Named {
    name: "Mailboxes",
    schema: Schema::Object(&[has(
        "mailboxes",
        Schema::List(
            &Schema::Object(&[
                has("definition", SAID, "Empty: uploads"),
                has("mailbox", SAID, ""),
                has("name", SAID, "For people"),
            ]),
            1_000_000,
        ),
        "",
    )]),
};

const TOKEN: Named = Named {
    name: "Token",
    schema: Schema::Object(&[
        has("id", SAID, ""),
        has("name", SAID, ""),
        has("owner", SAID, ""),
        has("rights", Schema::List(&Schema::Word(&["read", "change", "administer", "metrics"]), 4), ""),
        has("created", MAYBE_TIME, ""),
        has("ends", MAYBE_TIME, ""),
        has("last_use", MAYBE_TIME, ""),
    ]),
};
const TOKENS: Named = Named {
    name: "Tokens",
    schema: Schema::Object(&[has("tokens", Schema::List(&Schema::Named(&TOKEN), 1_000_000), "Newest first")]),
};

/// Mailboxes that are given, as [`MAILBOX`] says.
pub fn given(mailboxes: &[MailboxId]) -> Value {
    mailboxes.iter().map(|id| json!({ "definition": id.definition, "mailbox": id.mailbox })).collect()
}

fn shown(user: &User) -> Value {
    json!({
        "name": user.name,
        "role": pages::role_code(user.role),
        "inactive": user.inactive,
        "reads_all": user.reads_all,
        "mailboxes": given(&user.mailboxes),
        "created": time(user.created),
    })
}

fn list(asked: &Asked<'_>) -> Result<Response> {
    let users = users::users(&asked.context.web.archive)?;
    Ok(answer(200, json!({ "users": users.iter().map(shown).collect::<Vec<_>>() })))
}

fn one(asked: &Asked<'_>) -> Result<Response> {
    Ok(answer(200, shown(&pages::user(&asked.context)?)))
}

/// What a page would say beside name, or above the form, and beside the password.
fn refused(first: &str, faults: [&'static str; 2]) -> Problem {
    let named = [first, "/password"].into_iter().zip(faults).filter(|(_, what)| !what.is_empty());
    Problem::of(Reason::Refused, named.map(|(at, what)| Wrong { at: at.into(), what: what.into() }).collect())
}

fn add(asked: &Asked<'_>) -> Result<Response> {
    let (name, password) = (asked.text("name"), asked.text("password"));
    let new = pages::NewUser { name, role: pages::role_of(asked.text("role")), password, again: password };
    if let Some(faults) = pages::create(&asked.context, &new)? {
        return Err(refused("/name", faults));
    }
    let user = users::user(&asked.context.web.archive, name)?.ok_or(Problem::new(Reason::NotFound))?;
    Ok(answer(201, shown(&user)))
}

fn change(asked: &Asked<'_>) -> Result<Response> {
    let (context, body) = (&asked.context, &asked.body);
    let mailboxes = match body["mailboxes"].as_array() {
        Some(given) => Some(known(&pages::mailboxes(context)?, given)?),
        None => None,
    };
    let password = asked.text("password").to_owned();
    let altered = |user: &User| pages::Changed {
        role: body["role"].as_str().map_or(user.role, pages::role_of),
        inactive: body["inactive"].as_bool().unwrap_or(user.inactive),
        reads_all: body["reads_all"].as_bool().unwrap_or(user.reads_all),
        again: password.clone(),
        password,
        mailboxes: mailboxes.unwrap_or_else(|| user.mailboxes.clone()),
    };
    if let Some(faults) = pages::alter(context, altered)? {
        return Err(refused("", faults));
    }
    Ok(answer(200, shown(&pages::user(context)?)))
}

/// Mailboxes that were named, each of which there is.
pub fn known(all: &BTreeMap<MailboxId, String>, given: &[Value]) -> Result<Vec<MailboxId>> {
    let mut mailboxes: Vec<MailboxId> = Vec::new();
    for (place, id) in given.iter().enumerate() {
        let text = |name: &str| id[name].as_str().unwrap_or_default().to_owned();
        let id = MailboxId { definition: text("definition"), mailbox: text("mailbox") };
        if !all.contains_key(&id) {
            return Err(Problem::at(Reason::Refused, format!("/mailboxes/{place}"), "There is no such mailbox."));
        }
        if !mailboxes.contains(&id) {
            mailboxes.push(id);
        }
    }
    Ok(mailboxes)
}

fn remove(asked: &Asked<'_>) -> Result<Response> {
    match pages::remove(&asked.context)? {
        Some(why) => Err(Problem::new(Reason::Conflict).saying(why)),
        None => Ok(nothing()),
    }
}

fn mailboxes(asked: &Asked<'_>) -> Result<Response> {
    let all = pages::mailboxes(&asked.context)?.into_iter();
    let all = all.map(|(id, name)| json!({ "definition": id.definition, "mailbox": id.mailbox, "name": name }));
    Ok(answer(200, json!({ "mailboxes": all.collect::<Vec<_>>() })))
}

/// The token of this call, and whether it gives a look at everybody's.
fn own(asked: &Asked<'_>) -> Result<(Token, bool)> {
    let (token, owner) = bearer::found(asked.context.web, asked.context.request)?;
    let administers = owner.role == Role::Administrator && bearer::rights(&token, &owner).administer;
    Ok((token, administers))
}

fn list_tokens(asked: &Asked<'_>) -> Result<Response> {
    let (own, administers) = own(asked)?;
    let web = asked.context.web;
    let mut tokens = tokens::tokens(&web.archive)?;
    tokens.retain(|token| administers || token.owner == own.owner);
    let mut shown = Vec::new();
    for token in tokens {
        shown.push(json!({
            "id": token.id,
            "name": token.name,
            "owner": token.owner,
            "rights": token.rights.names(),
            "created": time(token.created),
            "ends": time(token.ends),
            "last_use": maybe_time(bearer::last_use(web, &token.id)?),
        }));
    }
    Ok(answer(200, json!({ "tokens": shown })))
}

fn revoke(asked: &Asked<'_>) -> Result<Response> {
    let (own, administers) = own(asked)?;
    let archive = &asked.context.web.archive;
    let token = tokens::token(archive, &asked.context.parameters[0])?;
    let token = token.filter(|token| administers || token.owner == own.owner).ok_or(Problem::new(Reason::NotFound))?;
    tokens::revoke(archive, &token.id, &asked.context.who())?;
    Ok(nothing())
}
