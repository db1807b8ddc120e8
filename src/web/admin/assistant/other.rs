//! A mailbox of any other provider: an address and a password, or an address and a sign-in by a code.

use maud::{Markup, html};

use super::super::super::Context;
use super::super::super::error::Result;
use super::super::super::layout::{self, select};
use super::super::super::request::{Form, encode};
use super::super::super::response::Response;
use super::super::fields::{area, line, number};
use super::super::form::Kind;
use super::super::{Part, entered, page, sign_ins, test};
use super::{Checked, all, check, first_path, free_name, old, read, sign_in, taken, wrong};
use crate::settings::providers::{self, Hint, Provider};
use crate::settings::sign_in::SignIn;
use crate::settings::{self, Definition, Module};

/// The fields of the page that a definition has as well.
const KEYS: [&str; 10] = [
    "name",
    "server",
    "port",
    "encryption",
    "account",
    "password",
    "oauth_client_id",
    "oauth_tenant",
    "oauth_login_url",
    "ca_file",
];

/// A definition with one account, whose values are entered again.
fn single(context: &Context<'_>, name: &str) -> Result<Option<Definition>> {
    Ok(old(context, name, Kind::Imap)?.filter(is_single))
}

/// Whether this page shows all that there is to enter of it.
pub fn is_single(definition: &Definition) -> bool {
    matches!(&definition.module, Module::Imap(imap) if imap.accounts.len() == 1)
}

pub fn show(context: &Context<'_>) -> Result<Response> {
    let old = single(context, context.request.query.text("of"))?;
    let form = old.as_ref().map_or_else(|| entered::new(Kind::Imap), |old| prefilled(&entered::form(old), &old.name));
    Ok(shown(context, &form, &[], old.as_ref()))
}

/// The form of a stored definition. What the address tells is left out, so that it follows a corrected address.
fn prefilled(form: &Form, name: &str) -> Form {
    let mut form = form.clone();
    let account = form.text("account").to_owned();
    // Where one logs in with something else, the name is what was typed in at first.
    let is_address = |text: &str| providers::domain(text).is_some();
    let address = if is_address(&account) || !is_address(name) { account.as_str() } else { name };
    let known = providers::of_address(address);
    form.set("address", address);
    if known.map_or(address, |provider| provider.login(address)) == account {
        form.set("account", "");
    }
    let is_usual = known.is_some_and(|provider| {
        form.text("server") == provider.server
            && form.text("port") == provider.port.to_string()
            && form.text("encryption") == check::encryption(provider.encryption)
    });
    if is_usual {
        for key in ["server", "port", "encryption"] {
            form.set(key, "");
        }
    }
    form
}

/// Whether one signs in by a code there: as the provider has it, and where that is unknown, as it was.
fn signs_in(form: &Form, old: Option<&Definition>) -> bool {
    match (provider(form), old.map(|old| &old.module)) {
        (Some(provider), _) => provider.hint == Some(Hint::SignIn),
        (None, Some(Module::Imap(imap))) => imap.accounts.iter().any(|account| account.sign_in.is_some()),
        (None, _) => false,
    }
}

/// The provider that was chosen, or that the address tells.
fn provider(form: &Form) -> Option<&'static Provider> {
    providers::named(form.text("provider")).or_else(|| providers::of_address(form.text("address")))
}

fn shown(context: &Context<'_>, form: &Form, mistakes: &[(String, String)], old: Option<&Definition>) -> Response {
    let t = &context.t.assistant;
    let known = provider(form);
    let signs_in = signs_in(form, old);
    let keys = ["server", "port", "account", "ca_file"];
    let is_open =
        old.is_some() || keys.iter().any(|key| !form.text(key).is_empty() || !wrong(mistakes, key).is_empty());
    let mut names = vec![("", t.by_address)];
    names.extend(providers::all().iter().map(|provider| (provider.name.as_str(), provider.name.as_str())));
    let body = html! {
        p { a href="/admin/assistant" { "← " (t.question) } }
        h1 { (t.other_title) }
        p { (t.other_intro) }
        @if !mistakes.is_empty() { (layout::trouble(t.wrong)) }
        form.guide method="post" action="/admin/assistant/other" autocomplete="off" {
            (layout::token(context))
            @if let Some(old) = old { input type="hidden" name="of" value=(old.name); }
            section.card {
                (Checked { name: "address", label: t.address, value: form.text("address"), kind: "email",
                    wrong: &wrong(mistakes, "address"), ..Checked::default() })
                div.field data-check="provider" {
                    (select("provider", t.provider, form.text("provider"), &names, t.provider_help))
                }
                p.note.says role="status" hidden[known.is_none()] {
                    @if let Some(provider) = known { (check::said(context, provider)) }
                }
                div.with-password hidden[signs_in] {
                    (Checked { name: "password", label: t.password, kind: "password", fill: "new-password",
                        help: if old.is_some() { context.t.definition.stored } else { "" },
                        wrong: &wrong(mistakes, "password"), ..Checked::default() })
                }
                div.with-code hidden[!signs_in] { (code(context, form, mistakes)) }
            }
            details.card open[is_open] {
                summary { (t.part_server) }
                (server(context, form, mistakes))
            }
            p.row.actions {
                button.first { (t.go_on) }
                a.button href="/admin/sources" { (context.t.page.cancel) }
            }
        }
    };
    page(context, Part::Sources, t.other_title, &body)
}

/// What a sign-in by a code needs.
fn code(context: &Context<'_>, form: &Form, mistakes: &[(String, String)]) -> Markup {
    let (t, d) = (&context.t.assistant, &context.t.definition);
    let is_open = ["oauth_tenant", "oauth_login_url"].iter().any(|key| !wrong(mistakes, key).is_empty());
    let usual = SignIn::default();
    let or =
        |key: &str, usual: &str| if form.text(key).is_empty() { usual.to_owned() } else { form.text(key).to_owned() };
    html! {
        ol { li { (t.app_1) } li { (t.app_2) } li { (t.app_3) } li { (t.app_4) } }
        (Checked { name: "oauth_client_id", label: t.app_id, value: form.text("oauth_client_id"), help: t.app_id_help,
            wrong: &wrong(mistakes, "oauth_client_id"), ..Checked::default() })
        details open[is_open] {
            summary { (t.advanced) }
            (line("oauth_tenant", t.app_tenant, &or("oauth_tenant", &usual.tenant), t.app_tenant_help,
                &wrong(mistakes, "oauth_tenant")))
            (line("oauth_login_url", d.login_url, &or("oauth_login_url", &usual.login_url), "",
                &wrong(mistakes, "oauth_login_url")))
        }
    }
}

fn server(context: &Context<'_>, form: &Form, mistakes: &[(String, String)]) -> Markup {
    let (t, d) = (&context.t.assistant, &context.t.definition);
    let encryptions = [("", t.encryption_usual), ("tls", d.tls), ("starttls", d.starttls), ("none", d.unencrypted)];
    html! {
        (Checked { name: "server", label: d.server, value: form.text("server"), help: t.server_empty,
            wrong: &wrong(mistakes, "server"), ..Checked::default() })
        (select("encryption", d.encryption, form.text("encryption"), &encryptions, ""))
        (number("port", d.port, form.text("port"), t.port_empty, &wrong(mistakes, "port")))
        (line("account", t.login, form.text("account"), t.login_help, &wrong(mistakes, "account")))
        (area("ca_file", d.authority, form.text("ca_file"), d.authority_help, &wrong(mistakes, "ca_file")))
    }
}

/// The form with what the provider and the address tell in place of what was left empty.
fn completed(context: &Context<'_>, form: &Form, old: Option<&Definition>) -> Result<Form> {
    let mut form = form.clone();
    let address = form.text("address").to_owned();
    let known = provider(&form);
    if let Some(provider) = known.filter(|_| form.text("server").is_empty()) {
        form.set("server", &provider.server);
        if form.text("port").is_empty() {
            form.set("port", &provider.port.to_string());
        }
        if form.text("encryption").is_empty() {
            form.set("encryption", check::encryption(provider.encryption));
        }
    }
    if form.text("account").is_empty() {
        form.set("account", known.map_or(address.as_str(), |provider| provider.login(&address)));
    }
    if signs_in(&form, old) {
        form.remove("password");
    } else {
        for key in ["oauth_client_id", "oauth_tenant", "oauth_login_url"] {
            form.remove(key);
        }
    }
    if old.is_none() {
        form.set("name", &free_name(context, &address, &[])?);
    }
    Ok(form)
}

/// What is missing, in the words of this page.
fn missing(context: &Context<'_>, form: &Form, old: Option<&Definition>, mistakes: &mut Vec<(String, String)>) {
    let (t, address) = (&context.t.assistant, form.text("address"));
    let known = provider(form);
    let domain = providers::domain(address);
    if address.is_empty() {
        mistakes.retain(|(key, _)| key != "account" && key != "name");
        mistakes.insert(0, ("address".into(), t.fault_address.into()));
    }
    if form.text("server").is_empty() {
        mistakes.retain(|(key, _)| key != "server");
        let sentence = match (known, domain) {
            (Some(provider), _) if provider.server.is_empty() => Some((t.fault_ask)(&provider.name)),
            (None, Some(domain)) => Some((t.fault_server)(domain)),
            _ => None,
        };
        mistakes.extend(sentence.map(|sentence| ("server".to_owned(), sentence)));
    }
    for (key, sentence) in mistakes.iter_mut().filter(|(key, _)| key == "account") {
        let (to, instead) = if signs_in(form, old) {
            ("oauth_client_id", t.fault_client_id)
        } else if form.text("password").is_empty() {
            ("password", t.fault_password)
        } else {
            continue;
        };
        to.clone_into(key);
        instead.clone_into(sentence);
    }
}

pub fn send(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let turn = context.web.settings();
    let old = single(context, form.text("of"))?;
    let complete = completed(context, &form, old.as_ref())?;
    let (definition, found) = read(context, &complete, &KEYS, Kind::Imap, old.as_ref());
    let checked = ["address", "server", "oauth_client_id"];
    let mut mistakes = check::all(context, &complete, &checked, &found);
    missing(context, &complete, old.as_ref(), &mut mistakes);
    let login = |definition: &Definition| match &definition.module {
        Module::Imap(imap) => imap.accounts.first().map(|account| (imap.server.clone(), account.account.clone())),
        Module::O365(_) => None,
    };
    // One that is twice already is not made worse by what else is changed of it.
    if mistakes.is_empty()
        && let Some((server, account)) = login(&definition)
        && old.as_ref().and_then(login).is_none_or(|old| old != (server.clone(), account.clone()))
        && let Some(name) = taken(&all(context)?, &server, &account, &definition.name)
    {
        mistakes.push(("address".into(), (context.t.assistant.fault_taken)(name)));
    }
    if !mistakes.is_empty() {
        return Ok(shown(context, &form, &mistakes, old.as_ref()).status(400));
    }
    settings::put(&context.web.archive, &definition, &context.who())?;
    drop(turn);
    let account = match &definition.module {
        Module::Imap(imap) => imap.accounts.first(),
        Module::O365(_) => None,
    };
    if let Some(account) = account.filter(|account| account.sign_in.is_some()) {
        let to = sign_in::path(&definition.name, &account.account);
        if !sign_ins::begin(context, &definition, &account.account, true)? {
            context.notice(context.t.assistant.sign_in_busy);
        }
        return Ok(Response::redirect(&to));
    }
    let to = first_path(&definition.name);
    if !test::test(context, definition, true)? {
        context.notice(context.t.admin.test_busy);
    }
    Ok(Response::redirect(&to))
}

/// Where the values of a definition with one account are entered again.
pub fn path(name: &str) -> String {
    format!("/admin/assistant/other?of={}", encode(name))
}
