//! A definition as a form: shown, and read back. Mistakes stand at the fields that they are about.

use maud::{Markup, html};

use super::super::Context;
use super::super::layout::{self, Field, check, select};
use super::super::request::Form;
use super::assistant::sign_in;
use super::fields::{area, line, number, secret, wrong};
use super::show;
use crate::settings::mistake::Mistake;
use crate::settings::{AfterArchiving, Definition, Module};

/// Rows for accounts beyond those that are there.
const EMPTY_ROWS: usize = 3;

/// Which module a new definition is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Imap,
    O365,
}

impl Kind {
    pub fn named(code: &str) -> Option<Self> {
        match code {
            "imap" => Some(Self::Imap),
            "o365" => Some(Self::O365),
            _ => None,
        }
    }

    pub fn of(definition: &Definition) -> Self {
        match definition.module {
            Module::Imap(_) => Self::Imap,
            Module::O365(_) => Self::O365,
        }
    }
}

/// What the form shows.
pub struct Shown<'a> {
    pub kind: Kind,
    pub values: &'a Form,
    pub mistakes: &'a [Mistake],
    /// The definition as it is stored; `None`: a new one.
    pub old: Option<&'a Definition>,
}

impl Shown<'_> {
    /// The sentences about a field, or about one row of it.
    fn wrong(&self, context: &Context<'_>, key: &str, row: Option<usize>) -> String {
        let at = |mistake: &&Mistake| mistake.key == key && (row.is_none() || mistake.row == row);
        let sentences = self.mistakes.iter().filter(at).map(|mistake| mistake.sentence(context.lang));
        sentences.collect::<Vec<_>>().join(" ")
    }

    pub fn markup(&self, context: &Context<'_>, action: &str) -> Markup {
        let (t, common) = (&context.t.definition, &context.t.page);
        html! {
            @if !self.mistakes.is_empty() { (layout::trouble(t.wrong)) }
            form.definition method="post" action=(action) autocomplete="off" {
                (layout::token(context))
                section.card {
                    h2 { (t.part_server) }
                    @if self.old.is_some() {
                        p.field { span.label { (t.name) } (self.values.text("name")) " " small { (t.name_fixed) } }
                    } @else {
                        (line("name", t.name, self.values.text("name"), t.name_help, &self.wrong(context, "name", None)))
                    }
                    @match self.kind { Kind::Imap => (self.imap(context)), Kind::O365 => (self.o365(context)) }
                }
                (self.what(context))
                (self.after(context))
                section.card {
                    h2 { (t.part_when) }
                    (number("interval_minutes", t.interval, self.values.text("interval_minutes"), "",
                        &self.wrong(context, "interval_minutes", None)))
                    (check("inactive", t.inactive, self.values.is_on("inactive"), t.inactive_help))
                }
                (self.advanced(context))
                p.row.actions {
                    button.first name="then" value="test" { (t.save_and_test) }
                    button name="then" value="" { (common.save) }
                    a.button href="/admin/sources" { (common.cancel) }
                }
            }
        }
    }

    fn imap(&self, context: &Context<'_>) -> Markup {
        let (t, values) = (&context.t.definition, self.values);
        html! {
            (line("server", t.server, values.text("server"), t.server_help, &self.wrong(context, "server", None)))
            (select("encryption", t.encryption, values.text("encryption"),
                &[("tls", t.tls), ("starttls", t.starttls), ("none", t.unencrypted)], ""))
            (number("port", t.port, values.text("port"), t.port_help, &self.wrong(context, "port", None)))
            (self.accounts(context))
        }
    }

    /// A row per mailbox, and some empty ones.
    fn accounts(&self, context: &Context<'_>) -> Markup {
        let t = &context.t.definition;
        let mut rows: Vec<&str> = self.values.all("account").collect();
        while rows.last().is_some_and(|row| row.trim().is_empty()) {
            rows.pop();
        }
        let stored = |name: &str| {
            let Some(Module::Imap(imap)) = self.old.map(|old| &old.module) else { return None };
            imap.accounts.iter().find(|account| account.account == name)
        };
        // A mistake that is about no row, such as that there is none.
        let general = self.mistakes.iter().filter(|mistake| mistake.key == "account" && mistake.row.is_none());
        let general: Vec<String> = general.map(|mistake| mistake.sentence(context.lang)).collect();
        let mistaken =
            self.mistakes.iter().filter(|mistake| mistake.key == "account").filter_map(|mistake| mistake.row);
        let count = mistaken.map(|row| row + 1).max().unwrap_or_default().max(rows.len());
        rows.resize(count + EMPTY_ROWS, "");
        html! {
            fieldset.accounts {
                legend { (t.account) " / " (t.password) }
                (wrong(&general.join(" ")))
                @for (row, name) in rows.iter().enumerate() {
                    @let fault = self.wrong(context, "account", Some(row));
                    @let (account, password) = (format!("account-{row}"), format!("password-{row}"));
                    @let kept = stored(name.trim());
                    div.pair {
                        div.field {
                            label for=(account) { (t.account) }
                            input id=(account) name="account" value=(name) autocomplete="off" spellcheck="false"
                                aria-invalid=[(!fault.is_empty()).then_some("true")]
                                aria-describedby=[(!fault.is_empty()).then(|| format!("{account}-help"))];
                            @if !fault.is_empty() { small id={ (account) "-help" } { span.wrong { (fault) } } }
                        }
                        div.field {
                            label for=(password) { (t.password) }
                            input id=(password) name="password" type="password" value="" autocomplete="new-password"
                                aria-describedby=[kept.map(|_| format!("{password}-help"))];
                            @if let Some(kept) = kept {
                                small id={ (password) "-help" } {
                                    @if let (Some(_), Some(old)) = (&kept.sign_in, self.old) {
                                        (context.t.assistant.signs_in) " "
                                        a href=(sign_in::path(&old.name, &kept.account)) { (context.t.assistant.sign_in_begin) }
                                    } @else { (if kept.access_token_file.is_some() { t.token_file } else { t.stored }) }
                                }
                                label.check {
                                    input type="checkbox" name="remove" value=(row);
                                    span { (t.remove_account) }
                                }
                            }
                        }
                    }
                }
                p { small { (t.accounts_help) } }
            }
        }
    }

    fn o365(&self, context: &Context<'_>) -> Markup {
        let (t, values) = (&context.t.definition, self.values);
        let text = |key: &str| values.text(key);
        let at = |key: &str| self.wrong(context, key, None);
        let (has_secret, has_key) = match self.old.map(|old| &old.module) {
            Some(Module::O365(o365)) => (o365.client_secret.is_some(), o365.key_pem.is_some()),
            _ => (false, false),
        };
        let certificate_is_open = has_key || !at("key_file").is_empty() || !at("certificate_file").is_empty();
        let clouds = [
            ("global", t.cloud_global),
            ("us-government", t.cloud_us),
            ("us-defense", t.cloud_defense),
            ("china", t.cloud_china),
        ];
        html! {
            (line("tenant", t.tenant, text("tenant"), t.tenant_help, &at("tenant")))
            (line("client_id", t.client_id, text("client_id"), t.client_id_help, &at("client_id")))
            (secret("client_secret", t.client_secret, if has_secret { t.stored } else { t.client_secret_help },
                &at("client_secret")))
            @if has_secret { (check("forget_secret", t.forget_secret, values.is_on("forget_secret"), "")) }
            (Field { name: "secret_expires", label: t.secret_expires, value: text("secret_expires"), kind: "date",
                help: t.secret_expires_help, wrong: &at("secret_expires"), ..Field::default() })
            details open[certificate_is_open] {
                summary { (t.instead) }
                (area("certificate_file", t.certificate, text("certificate_file"), "", &at("certificate_file")))
                (area("key_file", t.key, "", if has_key { t.stored } else { "" }, &at("key_file")))
                @if has_key { (check("forget_key", t.forget_key, values.is_on("forget_key"), "")) }
            }
            (select("cloud", t.cloud, text("cloud"), &clouds, ""))
            (check("all_mailboxes", t.all_mailboxes, values.is_on("all_mailboxes"), ""))
            (area("mailboxes", t.mailboxes, text("mailboxes"), t.mailboxes_help, &at("mailboxes")))
            (number("number_of_mails", t.number_of_mails, text("number_of_mails"), t.number_of_mails_help,
                &at("number_of_mails")))
        }
    }

    fn what(&self, context: &Context<'_>) -> Markup {
        let (t, values) = (&context.t.definition, self.values);
        let at = |key: &str| self.wrong(context, key, None);
        html! {
            section.card {
                h2 { (t.part_what) }
                (line("folders", t.folders, values.text("folders"), t.folders_help, &at("folders")))
                (line("exclude_folders", t.exclude, values.text("exclude_folders"), "", &at("exclude_folders")))
                (number("min_age_days", t.min_age, values.text("min_age_days"), t.min_age_help, &at("min_age_days")))
                (super::ended::owners(context, values.text("owner"), &at("owner")))
            }
            section.card {
                h2 { (t.part_fields) }
                p.soft { (t.field_help) }
                (line("field_from", t.field_from, values.text("field_from"), "", ""))
                (line("field_cc", t.field_cc, values.text("field_cc"), "", ""))
                (line("field_to", t.field_to, values.text("field_to"), "", ""))
                (line("field_subject", t.field_subject, values.text("field_subject"), "", ""))
            }
        }
    }

    fn after(&self, context: &Context<'_>) -> Markup {
        let (t, values) = (&context.t.definition, self.values);
        let mut options = vec![("leave", t.leave), ("move", t.move_), ("delete", t.delete)];
        let purges = self.old.is_some_and(|old| old.after == AfterArchiving::Purge);
        // On an IMAP server deleting is final anyway.
        if self.kind == Kind::O365 || purges {
            options.push(("purge", t.purge));
        }
        html! {
            section.card {
                h2 { (t.part_after) }
                (select("after", t.after, values.text("after"), &options, ""))
                (line("move_to", t.move_to, values.text("move_to"), "", &self.wrong(context, "move_to", None)))
                div.note.warn {
                    p { (t.delete_warning) }
                    p { (context.t.manage.delete_when) }
                    @if let Some(old) = self.old { p { (deleted_from(context, old)) } }
                }
                (wrong(&self.wrong(context, "after", None)))
                (check("sure", t.delete_sure, values.is_on("sure"), ""))
                (line("play_back_folder", t.play_back, values.text("play_back_folder"), t.play_back_help,
                    &self.wrong(context, "play_back_folder", None)))
            }
        }
    }

    fn advanced(&self, context: &Context<'_>) -> Markup {
        let (t, values) = (&context.t.definition, self.values);
        let at = |key: &str| self.wrong(context, key, None);
        let keys = ["ca_file", "login_url", "graph_url"];
        let is_open = keys.iter().any(|key| !values.text(key).is_empty() || !at(key).is_empty());
        html! {
            details.card open[is_open] {
                summary { (t.advanced) }
                (area("ca_file", t.authority, values.text("ca_file"), t.authority_help, &at("ca_file")))
                @if self.kind == Kind::O365 {
                    (line("login_url", t.login_url, values.text("login_url"), t.url_help, &at("login_url")))
                    (line("graph_url", t.graph_url, values.text("graph_url"), t.url_help, &at("graph_url")))
                }
            }
        }
    }
}

/// How many mails are archived already and stay, and from when others are deleted.
fn deleted_from(context: &Context<'_>, old: &Definition) -> String {
    let m = &context.t.manage;
    let folders = context.view().ok().and_then(|view| view.folders().ok()).unwrap_or_default();
    let rows = folders.iter().filter(|row| row.folder.definition == old.name);
    let booked: u64 = rows.map(|row| row.booked).sum();
    let next = context.web.fetcher.board.standing(&old.name).next.filter(|_| old.is_fetched());
    let when = next.map_or_else(|| m.next_run_soon.to_owned(), show::minute);
    (m.delete_from)(&show::number(context.lang, booked), &when)
}
