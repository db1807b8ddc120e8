//! Definitions of Mail archiving. Secrets are taken and never given.

use serde_json::{Map, Value, json};

use super::super::admin::form::Kind;
use super::super::admin::state::{Mood, State};
use super::super::admin::{definition, edit, ended, entered, sources, switch};
use super::super::request::Form;
use super::super::{Context, Response};
use super::call::{Answer, Asked, Body, Call, Result, json as answer, maybe_time, nothing};
use super::forms::{self, Entry, How};
use super::problem::{Problem, Reason};
use super::schema::{COUNT, MAYBE_TIME, Named, SAID, Schema, Wrong, has, may};
use crate::archive::view::View;
use crate::fetch::progress::Progress;
use crate::language::Lang;
use crate::limits::API_SENT;
use crate::settings::mistake::Mistake;
use crate::settings::{self, Definition, Module};

pub const CALLS: &[Call] = &[
    Call::get(
        "/definitions",
        "listDefinitions",
        "All definitions, and how they stand",
        Answer::Json(200, &DEFINITIONS),
        list,
    ),
    Call::post("/definitions", "addDefinition", "Add a definition", Answer::Json(201, &DEFINITION), add)
        .sent(Body::Json(&NEW)),
    Call::get(
        "/definitions/{name}",
        "getDefinition",
        "One definition, without its secrets",
        Answer::Json(200, &DEFINITION),
        one,
    ),
    Call::patch(
        "/definitions/{name}",
        "changeDefinition",
        "Change a definition; what is not sent stays, secrets too",
        Answer::Json(200, &DEFINITION),
        change,
    )
    .sent(Body::Json(&SETTINGS)),
    Call::delete("/definitions/{name}", "removeDefinition", "Take a definition away; what it archived stays", remove),
    Call::post(
        "/switch",
        "switchModule",
        "Switch from a definition of module imap to one of module o365",
        Answer::Nothing,
        change_over,
    )
    .sent(Body::Json(&SWITCH)),
];

/// The longest certificate or key, in characters.
const PEM: usize = 200_000;
const NAME: Schema = Schema::Text(1, 500);
const LINE: usize = 1000;

const ACCOUNT: Schema = Schema::Object(&[
    has("account", Schema::Text(1, 500), ""),
    may("password", Schema::Text(0, 1000), "Never answered; left out: the one there is"),
    may("sign_in", SIGN_IN, "In place of a password: by a code, see signIn"),
]);

const SIGN_IN: Schema = Schema::Object(&[
    has("client_id", Schema::Text(1, 100), "Of an application that is registered in Entra"),
    may("tenant", Schema::Text(0, 300), "consumers for personal accounts, by default"),
    may("login_url", Schema::Text(0, LINE), "Another one than Microsoft's"),
]);

/// Everything that the form of a definition has, of both modules.
const ENTRIES: &[Entry; 29] = &[
    Entry::text("server", "server", 300, "imap: Mail-Server (Host)"),
    Entry::number("port", 1, 65_535, "imap: 993 with tls, else 143"),
    Entry::word("encryption", &["tls", "starttls", "none"], "imap"),
    Entry {
        member: may("accounts", Schema::List(&ACCOUNT, API_SENT), "imap: all of them"),
        key: "account",
        how: How::Apart,
    },
    Entry::text("tenant", "tenant", 300, "o365"),
    Entry::text("client_id", "client_id", 100, "o365"),
    Entry::secret("client_secret", "client_secret", 1000, "o365: never answered; the value, not its ID"),
    Entry::text("certificate_pem", "certificate_file", PEM, "o365: in place of a secret"),
    Entry::secret("key_pem", "key_file", PEM, "o365: never answered"),
    Entry::flag("forget_secret", "o365: the secret there is goes"),
    Entry::flag("forget_key", "o365: certificate and key go"),
    Entry::text("secret_expires", "secret_expires", 10, "o365: YYYY-MM-DD, as Entra shows it"),
    Entry::flag("all_mailboxes", "o365: all of the tenant"),
    Entry {
        member: may("mailboxes", Schema::List(&NAME, API_SENT), "o365: addresses, unless all_mailboxes"),
        key: "mailboxes",
        how: How::Lines,
    },
    Entry::number("number_of_mails", 1, 1000, "o365: Number of mails that one call asks for"),
    Entry::word("cloud", &["global", "us-government", "us-defense", "china"], "o365"),
    Entry::text("login_url", "login_url", LINE, "o365: another one than the cloud's"),
    Entry::text("graph_url", "graph_url", LINE, "o365: another one than the cloud's"),
    Entry::text("ca_pem", "ca_file", PEM, "Trusted in place of the public authorities"),
    Entry {
        member: may("folders", Schema::List(&NAME, API_SENT), "None: all but drafts, outbox and junk"),
        key: "folders",
        how: How::Names,
    },
    Entry {
        member: may("exclude_folders", Schema::List(&NAME, API_SENT), ""),
        key: "exclude_folders",
        how: How::Names,
    },
    Entry::text(
        "owner",
        "owner",
        200,
        "Name of a user or a group, who reads all that the definition archives; empty: nobody",
    ),
    Entry::number("min_age_days", 0, 36_500, "0: all"),
    Entry::word(
        "after",
        &["leave", "move", "delete", "purge"],
        "What happens on the server to a mail that is archived",
    ),
    Entry::text("move_to", "move_to", 500, "The folder, where after is move"),
    Entry::flag("sure", "Needed where after becomes delete or purge"),
    Entry::text("play_back_folder", "play_back_folder", 500, ""),
    Entry::number("interval_minutes", 1, 10_080, "Minutes between two runs"),
    Entry::flag("inactive", "Nothing is fetched"),
];

/// Which field of a document takes which field of a mail.
const FIELDS: &[Entry; 4] = &[
    Entry::text("from", "field_from", 200, ""),
    Entry::text("cc", "field_cc", 200, ""),
    Entry::text("to", "field_to", 200, ""),
    Entry::text("subject", "field_subject", 200, ""),
];

const ALL: [super::schema::Member; 30] = {
    let mut all = [may("fields", Schema::Object(&forms::members(FIELDS)), "Further fields of documents, by name"); 30];
    let members = forms::members(ENTRIES);
    let mut place = 0;
    while place < 29 {
        all[place + 1] = members[place];
        place += 1;
    }
    all
};

const SETTINGS: Named = Named { name: "DefinitionSettings", schema: Schema::Object(&ALL) };

const MODULE: Schema = Schema::Word(&["imap", "o365"]);

const NEW: Named = Named {
    name: "NewDefinition",
    schema: Schema::Object(&[
        has("name", Schema::Text(1, 64), "Never changes"),
        has("module", MODULE, ""),
        has("settings", Schema::Named(&SETTINGS), ""),
    ]),
};

const SWITCH: Named = Named {
    name: "Switch",
    schema: Schema::Object(&[
        has("from", Schema::Text(1, 64), "A definition of module imap"),
        has("to", Schema::Text(1, 64), "A definition of module o365"),
    ]),
};

const MOOD: Schema = Schema::Word(&["ended", "inactive", "good", "running", "warning", "bad"]);

const STATE: Named = Named {
    name: "DefinitionState",
    schema: Schema::Object(&[
        has("mood", MOOD, ""),
        has("sentence", SAID, ""),
        has("further", Schema::List(&Schema::Object(&[has("mood", MOOD, ""), has("sentence", SAID, "")]), 10), ""),
        has("running_since", MAYBE_TIME, ""),
        has("progress", Schema::Maybe(&Schema::Named(&PROGRESS)), ""),
        has("is_asked", Schema::Flag, "A run was asked for and has not begun yet"),
        has("last_run", MAYBE_TIME, "When it ended"),
        has("next_run", MAYBE_TIME, ""),
        has("mailboxes", COUNT, ""),
        has("unexplained", COUNT, "Mails on the server without an outcome"),
        has("failed", COUNT, "Mails that the server did not hand out, some of each folder at least"),
    ]),
};

const PROGRESS: Named = Named {
    name: "Progress",
    schema: Schema::Object(&[
        has("mailbox", SAID, ""),
        has("folder", SAID, ""),
        has("done", COUNT, ""),
        has("of", COUNT, "As far as known"),
        has("bytes", COUNT, ""),
    ]),
};

pub const DEFINITION: Named = Named {
    name: "Definition",
    schema: Schema::Object(&[
        has("name", SAID, ""),
        has("module", MODULE, ""),
        has("succeeds", Schema::Maybe(&SAID), "The definition that it took the place of"),
        has("ended", Schema::Flag, "Not fetched any more; changed by end and resume"),
        has("settings", Schema::Named(&SETTINGS), "Without secrets"),
        has("state", Schema::Named(&STATE), ""),
    ]),
};

const DEFINITIONS: Named = Named {
    name: "Definitions",
    schema: Schema::Object(&[
        has("definitions", Schema::List(&Schema::Named(&DEFINITION), 1_000_000), ""),
        has("unreadable", Schema::List(&SAID, 1_000_000), "Why some cannot be shown"),
    ]),
};

fn mood(mood: Mood) -> &'static str {
    match mood {
        Mood::Ended => "ended",
        Mood::Inactive => "inactive",
        Mood::Good => "good",
        Mood::Running => "running",
        Mood::Warn => "warning",
        Mood::Bad => "bad",
    }
}

fn shown(context: &Context<'_>, view: &View, definition: &Definition) -> Result<Value> {
    let form = entered::form(definition);
    let mut settings = forms::read(&form, ENTRIES);
    if let Module::Imap(imap) = &definition.module {
        let shown = |account: &settings::Account| {
            let mut shown = json!({ "account": account.account });
            if let Some(sign_in) = &account.sign_in {
                shown["sign_in"] = json!(sign_in);
            }
            shown
        };
        settings.insert("accounts".into(), imap.accounts.iter().map(shown).collect());
    }
    settings.insert("fields".into(), forms::read(&form, FIELDS).into());
    let state = State::of(context, view, definition)?;
    let standing = &state.standing;
    let further = state.further.iter().map(|(of, sentence)| json!({ "mood": mood(*of), "sentence": sentence }));
    let progress = standing.progress.as_ref().and_then(|progress| match progress {
        Progress::Folder { mailbox, folder, done, of, bytes, .. } => {
            Some(json!({ "mailbox": mailbox, "folder": folder, "done": done, "of": of, "bytes": bytes }))
        }
        Progress::Ended => None,
    });
    Ok(json!({
        "name": definition.name,
        "module": definition.module.code(),
        "succeeds": definition.succeeds,
        "ended": definition.ended,
        "settings": settings,
        "state": {
            "mood": mood(state.mood),
            "sentence": state.sentence,
            "further": further.collect::<Vec<_>>(),
            "running_since": maybe_time(standing.running_since),
            "progress": progress,
            "is_asked": standing.is_asked,
            "last_run": maybe_time(state.last.as_ref().map(|run| run.ended)),
            "next_run": maybe_time(standing.next.filter(|_| !state.inactive)),
            "mailboxes": state.open.mailboxes,
            "unexplained": state.open.unexplained,
            "failed": state.open.failed,
        },
    }))
}

fn list(asked: &Asked<'_>) -> Result<Response> {
    let context = &asked.context;
    let view = context.view()?;
    let (mut definitions, mut unreadable) = (Vec::new(), Vec::new());
    for definition in settings::definitions(&context.web.archive)? {
        match definition {
            Ok(definition) => definitions.push(shown(context, &view, &definition)?),
            Err(error) => unreadable.push(error.to_string()),
        }
    }
    Ok(answer(200, json!({ "definitions": definitions, "unreadable": unreadable })))
}

pub fn one(asked: &Asked<'_>) -> Result<Response> {
    let definition = definition(&asked.context)?;
    Ok(answer(200, shown(&asked.context, &asked.context.view()?, &definition)?))
}

/// Puts settings that were sent into a form.
fn fill(form: &mut Form, sent: &Map<String, Value>) {
    forms::fill(form, ENTRIES, sent);
    if let Some(fields) = sent.get("fields").and_then(Value::as_object) {
        forms::fill(form, FIELDS, fields);
    }
    if let Some(accounts) = sent.get("accounts").and_then(Value::as_array) {
        const OF_ACCOUNT: [(&str, &str); 5] = [
            ("account", "/account"),
            ("password", "/password"),
            ("oauth_client_id", "/sign_in/client_id"),
            ("oauth_tenant", "/sign_in/tenant"),
            ("oauth_login_url", "/sign_in/login_url"),
        ];
        for (key, pointer) in OF_ACCOUNT {
            form.remove(key);
            for account in accounts {
                form.push(key, account.pointer(pointer).and_then(Value::as_str).unwrap_or_default());
            }
        }
    }
    // An address of another cloud stands in the way of the cloud that is chosen now.
    if sent.contains_key("cloud") {
        for url in ["login_url", "graph_url"].into_iter().filter(|url| !sent.contains_key(*url)) {
            form.remove(url);
        }
    }
}

/// What belongs to the other module is a mistake, not something to be ignored.
fn fits_module(kind: Kind, sent: &Map<String, Value>, at: &str) -> Result<()> {
    let other = match kind {
        Kind::Imap => "o365",
        Kind::O365 => "imap",
    };
    let is_of_other = |name: &String| {
        let known = ENTRIES.iter().find(|entry| entry.member.name == name);
        known.is_some_and(|entry| entry.member.what.split(':').next() == Some(other))
    };
    match sent.keys().find(|name| is_of_other(name)) {
        Some(name) => Err(Problem::at(
            Reason::Refused,
            format!("{at}/{name}"),
            format!("This means something for module {other} only."),
        )),
        None => Ok(()),
    }
}

pub fn wrong(mistakes: &[Mistake], at: &str) -> Result<()> {
    if mistakes.is_empty() {
        return Ok(());
    }
    let pointer = |mistake: &Mistake| {
        let field = FIELDS.iter().find(|entry| entry.key == mistake.key);
        let place = match field {
            _ if mistake.key == "name" => return "/name".to_owned(),
            Some(entry) => format!("/fields/{}", entry.member.name),
            None if mistake.key.starts_with("oauth_") => "/accounts".to_owned(),
            None => forms::pointer(ENTRIES, mistake.key),
        };
        mistake.row.map_or_else(|| format!("{at}{place}"), |row| format!("{at}{place}/{row}"))
    };
    let errors = mistakes.iter().map(|mistake| Wrong { at: pointer(mistake), what: mistake.sentence(Lang::En) });
    Err(Problem::of(Reason::Refused, errors.collect()))
}

fn add(asked: &Asked<'_>) -> Result<Response> {
    let context = &asked.context;
    let Some(kind) = Kind::named(asked.text("module")) else { return Err(Problem::new(Reason::Invalid)) };
    let mut form = entered::new(kind);
    form.push("name", asked.text("name"));
    if let Some(sent) = asked.body["settings"].as_object() {
        fits_module(kind, sent, "/settings")?;
        fill(&mut form, sent);
    }
    let _turn = context.web.settings();
    let (definition, mistakes) = edit::read_new(context, &form, kind);
    wrong(&mistakes, "/settings")?;
    settings::put(&context.web.archive, &definition, &context.who())?;
    Ok(answer(201, shown(context, &context.view()?, &definition)?))
}

fn change(asked: &Asked<'_>) -> Result<Response> {
    let context = &asked.context;
    let _turn = context.web.settings();
    let old = definition(context)?;
    let mut form = entered::form(&old);
    if let Some(sent) = asked.body.as_object() {
        fits_module(Kind::of(&old), sent, "")?;
        fill(&mut form, sent);
    }
    let (definition, mut mistakes) = entered::read(&form, Kind::of(&old), Some(&old));
    mistakes.extend(ended::owner_mistake(context, &definition, Some(&old)));
    wrong(&mistakes, "")?;
    settings::put(&context.web.archive, &definition, &context.who())?;
    Ok(answer(200, shown(context, &context.view()?, &definition)?))
}

fn remove(asked: &Asked<'_>) -> Result<Response> {
    let definition = definition(&asked.context)?;
    sources::remove(&asked.context, &definition)?;
    Ok(nothing())
}

fn change_over(asked: &Asked<'_>) -> Result<Response> {
    switch::change(&asked.context, asked.text("from"), asked.text("to"))?;
    Ok(nothing())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_the_form_is_a_member() {
        let pem = |text: &str| text.to_owned();
        let text = |module: &str| match module {
            "imap" => pem("server = 'x.ch'\naccount = 'a'\npassword = 'b'\n"),
            _ => pem(
                "tenant = 't'\nclient_id = 'c'\nclient_secret = 's'\nmailboxes = 'all'\nlogin_url = 'https://x.ch'\n",
            ),
        };
        for module in ["imap", "o365"] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("x.toml");
            std::fs::write(&path, format!("name = 'x'\nmodule = '{module}'\n{}", text(module))).unwrap();
            let form = entered::form(&settings::definition_file::read(&path).unwrap());
            for key in form.names() {
                let known = ENTRIES.iter().chain(FIELDS).any(|entry| entry.key == key);
                // How an account signs in is a part of it.
                let is_of_account = key.starts_with("oauth_");
                assert!(known || is_of_account || key == "name", "{module}: the API does not know the field {key}");
            }
        }
    }
}
