//! Microsoft 365: the steps in Entra with a field for each value beside the step where it arises.

use maud::{Markup, Render, html};

use super::super::super::Context;
use super::super::super::error::Result;
use super::super::super::layout::{self, Field};
use super::super::super::request::{Form, encode};
use super::super::super::response::Response;
use super::super::fields::{area, line};
use super::super::form::Kind;
use super::super::{Part, entered, page, test};
use super::{Checked, check, first_path, free_name, old, read, wrong};
use crate::settings::{self, Definition, Module};
use crate::source::graph::tenant::is_guid;

/// The fields of the page.
const KEYS: [&str; 10] = [
    "name",
    "client_id",
    "tenant",
    "client_secret",
    "secret_expires",
    "all_mailboxes",
    "mailboxes",
    "login_url",
    "graph_url",
    "ca_file",
];

pub fn show(context: &Context<'_>) -> Result<Response> {
    let old = old(context, context.request.query.text("of"), Kind::O365)?;
    let form = if let Some(old) = &old {
        entered::form(old)
    } else {
        let mut form = entered::new(Kind::O365);
        form.set("name", &free_name(context, "Microsoft 365", &[])?);
        form.set("all_mailboxes", "1");
        form
    };
    Ok(shown(context, &form, &[], old.as_ref()))
}

fn shown(context: &Context<'_>, form: &Form, mistakes: &[(String, String)], old: Option<&Definition>) -> Response {
    let t = &context.t.assistant;
    let body = html! {
        p { a href="/admin/assistant" { "← " (t.question) } }
        h1 { (t.o365_title) }
        p { (t.o365_intro) }
        @if !mistakes.is_empty() { (layout::trouble(t.wrong)) }
        form.guide method="post" action="/admin/assistant/o365" autocomplete="off" {
            (layout::token(context))
            @if let Some(old) = old { input type="hidden" name="of" value=(old.name); }
            ol.guide {
                li.card { (application(context, form, mistakes)) }
                li.card { (rights(context)) }
                li.card { (secret(context, form, mistakes, old)) }
                li.card { (mailboxes(context, form, mistakes, old.is_none())) }
            }
            (advanced(context, form, mistakes))
            p.row.actions {
                button.first { (t.go_on) }
                a.button href="/admin/sources" { (context.t.page.cancel) }
            }
        }
    };
    page(context, Part::Sources, t.o365_title, &body)
}

fn application(context: &Context<'_>, form: &Form, mistakes: &[(String, String)]) -> Markup {
    let t = &context.t.assistant;
    html! {
        h2 { (t.step_app) }
        ul { li { (t.step_app_1) } li { (t.step_app_2) } li { (t.step_app_3) } }
        (Checked { name: "client_id", label: t.client_id, value: form.text("client_id"),
            wrong: &wrong(mistakes, "client_id"), ..Checked::default() })
        (Checked { name: "tenant", label: t.tenant, value: form.text("tenant"), help: t.tenant_help,
            wrong: &wrong(mistakes, "tenant"), ..Checked::default() })
    }
}

fn rights(context: &Context<'_>) -> Markup {
    let t = &context.t.assistant;
    html! {
        h2 { (t.step_rights) }
        ul { li { (t.step_rights_1) } li { (t.step_rights_2) } li { (t.step_rights_3) } }
    }
}

fn secret(context: &Context<'_>, form: &Form, mistakes: &[(String, String)], old: Option<&Definition>) -> Markup {
    let (t, d) = (&context.t.assistant, &context.t.definition);
    let is_stored = matches!(old.map(|old| &old.module), Some(Module::O365(o365)) if o365.client_secret.is_some());
    html! {
        h2 { (t.step_secret) }
        ul { li { (t.step_secret_1) } li { (t.step_secret_2) } }
        (Checked { name: "client_secret", label: t.client_secret, kind: "password", help: if is_stored { d.stored } else { "" },
            wrong: &wrong(mistakes, "client_secret"), fill: "new-password", ..Checked::default() })
        (Field { name: "secret_expires", label: d.secret_expires, value: form.text("secret_expires"), kind: "date",
            help: d.secret_expires_help, wrong: &wrong(mistakes, "secret_expires"), ..Field::default() }.render())
    }
}

fn mailboxes(context: &Context<'_>, form: &Form, mistakes: &[(String, String)], is_new: bool) -> Markup {
    let (t, d) = (&context.t.assistant, &context.t.definition);
    html! {
        h2 { (t.step_mailboxes) }
        (layout::check("all_mailboxes", d.all_mailboxes, form.is_on("all_mailboxes"), ""))
        (Checked { name: "mailboxes", label: d.mailboxes, value: form.text("mailboxes"), kind: "area", help: d.mailboxes_help,
            wrong: &wrong(mistakes, "mailboxes"), ..Checked::default() })
        details {
            summary { (t.rbac) }
            p { (t.rbac_help) }
            pre.lines tabindex="0" { (power_shell(form.text("client_id"))) }
            p { (t.rbac_after) " " code { "Test-ServicePrincipalAuthorization" } "." }
        }
        @if is_new {
            (line("name", t.source_name, form.text("name"), t.source_name_help, &wrong(mistakes, "name")))
        }
    }
}

/// Lines that limit the application to the members of a group.
/// <https://learn.microsoft.com/exchange/permissions-exo/application-rbac>
fn power_shell(client_id: &str) -> String {
    // What was entered is shown in a line that people run: nothing but an id gets there.
    let app = if is_guid(client_id) { client_id.trim() } else { "CLIENT-ID" };
    format!(
        "Connect-ExchangeOnline\n\
         New-ServicePrincipal -AppId {app} -ObjectId OBJECT-ID -DisplayName \"Archivista Box\"\n\
         $group = (Get-Group \"GROUP\").DistinguishedName\n\
         New-ManagementScope \"Archivista Box\" -RecipientRestrictionFilter \"MemberOfGroup -eq '$group'\"\n\
         New-ManagementRoleAssignment -App {app} -Role \"Application Mail.Read\" -CustomResourceScope \"Archivista Box\"\n\
         Test-ServicePrincipalAuthorization -Identity {app} -Resource anna@example.ch"
    )
}

fn advanced(context: &Context<'_>, form: &Form, mistakes: &[(String, String)]) -> Markup {
    let (t, d) = (&context.t.assistant, &context.t.definition);
    let keys = ["login_url", "graph_url", "ca_file"];
    let is_open = keys.iter().any(|key| !form.text(key).is_empty() || !wrong(mistakes, key).is_empty());
    html! {
        details.card open[is_open] {
            summary { (t.advanced) }
            (line("login_url", d.login_url, form.text("login_url"), d.url_help, &wrong(mistakes, "login_url")))
            (line("graph_url", d.graph_url, form.text("graph_url"), d.url_help, &wrong(mistakes, "graph_url")))
            (area("ca_file", d.authority, form.text("ca_file"), d.authority_help, &wrong(mistakes, "ca_file")))
        }
    }
}

pub fn send(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let turn = context.web.settings();
    let old = old(context, form.text("of"), Kind::O365)?;
    let (definition, mistakes) = read(context, &form, &KEYS, Kind::O365, old.as_ref());
    let mut mistakes = check::all(context, &form, &KEYS, &mistakes);
    let (client_id, tenant) = (form.text("client_id"), form.text("tenant"));
    if is_guid(client_id) && client_id.eq_ignore_ascii_case(tenant) {
        mistakes.push(("client_id".into(), context.t.assistant.fault_same_ids.into()));
    }
    if form.is_on("all_mailboxes") {
        // What stands in the field then means nothing.
        mistakes.retain(|(key, _)| key != "mailboxes");
    }
    if !mistakes.is_empty() {
        return Ok(shown(context, &form, &mistakes, old.as_ref()).status(400));
    }
    settings::put(&context.web.archive, &definition, &context.who())?;
    drop(turn);
    let to = first_path(&definition.name);
    if !test::test(context, definition, true)? {
        context.notice(context.t.admin.test_busy);
    }
    Ok(Response::redirect(&to))
}

/// Where the values of a definition are entered again.
pub fn path(name: &str) -> String {
    format!("/admin/assistant/o365?of={}", encode(name))
}
