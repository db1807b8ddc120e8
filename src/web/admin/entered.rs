//! From what was entered to a definition and its mistakes, and from a definition to what the form holds.

use super::super::request::Form;
use super::fields::{list, listed};
use super::form::Kind;
use crate::settings::definition_file::INTERVAL_MINUTES;
use crate::settings::mistake::{Mistake, What};
use crate::settings::o365::Which;
use crate::settings::{Account, AfterArchiving, Definition, Encryption, FieldMap, Imap, Module, O365, Secret, SignIn};
use crate::source::graph::{Cloud, NUMBER_OF_MAILS};

/// What the form of a new definition holds.
pub fn new(kind: Kind) -> Form {
    let mut form = Form::default();
    form.push("interval_minutes", &INTERVAL_MINUTES.to_string());
    form.push("min_age_days", "0");
    if kind == Kind::O365 {
        form.push("number_of_mails", &NUMBER_OF_MAILS.to_string());
        form.push("cloud", Cloud::Global.name());
    }
    form
}

/// What the form of a stored definition holds: all but its secrets.
pub fn form(definition: &Definition) -> Form {
    let mut form = Form::default();
    let mut put = |key: &str, value: &str| form.push(key, value);
    put("name", &definition.name);
    match &definition.module {
        Module::Imap(imap) => {
            put("server", &imap.server);
            put("port", &imap.port.to_string());
            let encryption = match imap.encryption {
                Encryption::Tls => "tls",
                Encryption::StartTls => "starttls",
                Encryption::None => "none",
            };
            put("encryption", encryption);
            for account in &imap.accounts {
                put("account", &account.account);
                // Of every row, so that they stay beside each other.
                let of = |what: fn(&SignIn) -> &String| account.sign_in.as_ref().map_or("", |sign_in| what(sign_in));
                put("oauth_client_id", of(|sign_in| &sign_in.client_id));
                put("oauth_tenant", of(|sign_in| &sign_in.tenant));
                put("oauth_login_url", of(|sign_in| &sign_in.login_url));
            }
            put("ca_file", imap.ca_pem.as_deref().unwrap_or_default());
        }
        Module::O365(o365) => {
            put("tenant", &o365.tenant);
            put("client_id", &o365.client_id);
            put("certificate_file", o365.certificate_pem.as_deref().unwrap_or_default());
            put("secret_expires", o365.secret_expires.as_deref().unwrap_or_default());
            match &o365.mailboxes {
                Which::All => put("all_mailboxes", "1"),
                Which::These(names) => put("mailboxes", &names.join("\n")),
            }
            put("number_of_mails", &o365.number_of_mails.to_string());
            let is_its = |cloud: &Cloud| cloud.login_url() == o365.login_url && cloud.graph_url() == o365.graph_url;
            let cloud = Cloud::ALL.into_iter().find(is_its);
            put("cloud", cloud.unwrap_or_default().name());
            if cloud.is_none() {
                put("login_url", &o365.login_url);
                put("graph_url", &o365.graph_url);
            }
            put("ca_file", o365.ca_pem.as_deref().unwrap_or_default());
        }
    }
    put("folders", &listed(&definition.folders));
    put("exclude_folders", &listed(&definition.exclude_folders));
    let field = |field: &Option<String>| field.clone().unwrap_or_default();
    put("field_from", &field(&definition.fields.from));
    put("field_cc", &field(&definition.fields.cc));
    put("field_to", &field(&definition.fields.to));
    put("field_subject", &field(&definition.fields.subject));
    put("owner", &definition.owner);
    put("min_age_days", &definition.min_age_days.to_string());
    let (after, folder) = match &definition.after {
        AfterArchiving::Leave => ("leave", ""),
        AfterArchiving::Move(folder) => ("move", folder.as_str()),
        AfterArchiving::Delete => ("delete", ""),
        AfterArchiving::Purge => ("purge", ""),
    };
    put("after", after);
    put("move_to", folder);
    put("play_back_folder", &field(&definition.play_back_folder));
    put("interval_minutes", &definition.interval_minutes.to_string());
    put("inactive", if definition.inactive { "1" } else { "" });
    form
}

/// The definition that was entered, and what is wrong with it. `old` is the one that is changed.
pub fn read(form: &Form, kind: Kind, old: Option<&Definition>) -> (Definition, Vec<Mistake>) {
    let mut found = Vec::new();
    let module = match kind {
        Kind::Imap => Module::Imap(imap(form, old, &mut found)),
        Kind::O365 => Module::O365(o365(form, old)),
    };
    // Rows of the form that have become accounts, in their order.
    let rows = account_rows(form);
    let folders = |key: &'static str, found: &mut Vec<Mistake>| {
        list(form.text(key)).unwrap_or_else(|| {
            found.push(Mistake::new(key, What::Folders));
            Vec::new()
        })
    };
    let definition = Definition {
        name: old.map_or_else(|| form.text("name").to_owned(), |old| old.name.clone()),
        module,
        folders: folders("folders", &mut found),
        exclude_folders: folders("exclude_folders", &mut found),
        fields: FieldMap {
            from: given(form.text("field_from")),
            cc: given(form.text("field_cc")),
            to: given(form.text("field_to")),
            subject: given(form.text("field_subject")),
        },
        owner: form.text("owner").to_owned(),
        // What is no number is out of every range.
        min_age_days: number(form.text("min_age_days"), 0, u32::MAX),
        after: after(form, old, &mut found),
        play_back_folder: given(form.text("play_back_folder")),
        inactive: form.is_on("inactive"),
        ended: old.is_some_and(|old| old.ended),
        interval_minutes: number(form.text("interval_minutes"), INTERVAL_MINUTES, 0),
        succeeds: old.and_then(|old| old.succeeds.clone()),
    };
    found.extend(definition.mistakes().into_iter().map(|mut mistake| {
        if mistake.key == "account" {
            mistake.row = mistake.row.and_then(|account| rows.get(account).copied());
        }
        again(&mut mistake, &definition, old);
        mistake
    }));
    (definition, found)
}

/// A secret that is missing only because the server is another one is asked for again.
fn again(mistake: &mut Mistake, new: &Definition, old: Option<&Definition>) {
    let was_stored = match (old.map(|old| &old.module), &new.module) {
        (Some(Module::Imap(old)), Module::Imap(new)) => {
            old.server != new.server
                && old.accounts.iter().any(|account| format!("{:?}", account.account) == mistake.given)
        }
        (Some(Module::O365(old)), Module::O365(new)) => !same_place(old, new),
        _ => false,
    };
    if was_stored && matches!(mistake.what, What::NoPassword | What::NoSecret | What::NoKey) {
        mistake.what = What::SecretAgain;
    }
}

/// Rows that count: with an account, and not to be removed.
fn account_rows(form: &Form) -> Vec<usize> {
    let is_removed = |row: usize| form.all("remove").any(|removed| removed == row.to_string());
    let rows = form.all("account").enumerate().filter(|(row, name)| !name.trim().is_empty() && !is_removed(*row));
    rows.map(|(row, _)| row).collect()
}

fn imap(form: &Form, old: Option<&Definition>, found: &mut Vec<Mistake>) -> Imap {
    let server = form.text("server").to_owned();
    let encryption = match form.text("encryption") {
        "starttls" => Encryption::StartTls,
        "none" => Encryption::None,
        _ => Encryption::Tls,
    };
    // A stored secret goes to the server that it was entered for, and to no other.
    let stored: &[Account] = match old.map(|old| &old.module) {
        Some(Module::Imap(old)) if old.server == server => &old.accounts,
        _ => &[],
    };
    let names: Vec<&str> = form.all("account").map(str::trim).collect();
    let passwords: Vec<&str> = form.all("password").collect();
    let password = |row: usize| passwords.get(row).copied().unwrap_or_default();
    for (row, name) in names.iter().enumerate() {
        if name.is_empty() && !password(row).is_empty() {
            found.push(Mistake::new("account", What::Account).row(row));
        }
    }
    let account = |row: usize| {
        let name = names[row];
        let kept = stored.iter().find(|account| account.account == name);
        match (password(row), sign_in(form, row), kept) {
            ("", Some(sign_in), _) => {
                Account { account: name.into(), password: None, access_token_file: None, sign_in: Some(sign_in) }
            }
            ("", None, Some(kept)) => kept.clone(),
            ("", None, None) => {
                Account { account: name.into(), password: None, access_token_file: None, sign_in: None }
            }
            (password, ..) => Account::with_password(name, Secret::new(password.into())),
        }
    };
    let usual = if encryption == Encryption::Tls { 993 } else { 143 };
    Imap {
        server,
        port: number(form.text("port"), usual, 0),
        encryption,
        accounts: account_rows(form).into_iter().map(account).collect(),
        ca_pem: given(form.text("ca_file")),
    }
}

/// How the account of a row signs in, where that was entered in place of a password.
fn sign_in(form: &Form, row: usize) -> Option<SignIn> {
    let text = |key| form.all(key).nth(row).map(str::trim).filter(|text| !text.is_empty());
    let usual = SignIn::default();
    Some(SignIn {
        client_id: text("oauth_client_id")?.to_owned(),
        tenant: text("oauth_tenant").map_or(usual.tenant, str::to_owned),
        login_url: text("oauth_login_url").map_or(usual.login_url, |url| url.trim_end_matches('/').to_owned()),
    })
}

/// Whether secrets of one may be sent where the other says.
fn same_place(one: &O365, other: &O365) -> bool {
    one.login_url == other.login_url && one.graph_url == other.graph_url
}

fn o365(form: &Form, old: Option<&Definition>) -> O365 {
    let cloud = Cloud::named(form.text("cloud")).unwrap_or_default();
    let url = |key: &str, usual: &str| match form.text(key).trim_end_matches('/') {
        "" => usual.to_owned(),
        url => url.to_owned(),
    };
    let mailboxes = if form.is_on("all_mailboxes") {
        Which::All
    } else {
        let lines = form.text("mailboxes").lines().map(str::trim).filter(|line| !line.is_empty());
        Which::These(lines.map(str::to_owned).collect())
    };
    let mut entered = O365 {
        tenant: form.text("tenant").to_owned(),
        client_id: form.text("client_id").to_owned(),
        client_secret: given(form.text("client_secret")).map(Secret::new),
        certificate_pem: given(form.text("certificate_file")),
        key_pem: given(form.text("key_file")).map(Secret::new),
        secret_expires: given(form.text("secret_expires")),
        mailboxes,
        number_of_mails: number(form.text("number_of_mails"), NUMBER_OF_MAILS, 0),
        login_url: url("login_url", cloud.login_url()),
        graph_url: url("graph_url", cloud.graph_url()),
        ca_pem: given(form.text("ca_file")),
    };
    let stored = match old.map(|old| &old.module) {
        Some(Module::O365(old)) if same_place(old, &entered) => Some(old),
        _ => None,
    };
    if form.is_on("forget_key") {
        (entered.certificate_pem, entered.key_pem) = (None, None);
    } else if entered.key_pem.is_none() {
        entered.key_pem = stored.and_then(|old| old.key_pem.clone());
    }
    if entered.client_secret.is_none() && !form.is_on("forget_secret") {
        entered.client_secret = stored.and_then(|old| old.client_secret.clone());
    }
    entered
}

fn after(form: &Form, old: Option<&Definition>, found: &mut Vec<Mistake>) -> AfterArchiving {
    let after = match form.text("after") {
        "move" => {
            let folder = form.text("move_to");
            if folder.is_empty() {
                found.push(Mistake::new("move_to", What::NoFolder));
            }
            AfterArchiving::Move(folder.into())
        }
        "delete" => AfterArchiving::Delete,
        "purge" => AfterArchiving::Purge,
        _ => AfterArchiving::Leave,
    };
    let deletes = matches!(after, AfterArchiving::Delete | AfterArchiving::Purge);
    if deletes && !form.is_on("sure") && old.is_none_or(|old| old.after != after) {
        found.push(Mistake::new("after", What::Unconfirmed));
    }
    after
}

/// `usual` where nothing was entered, `wrong` where it is no number.
fn number<T: std::str::FromStr>(text: &str, usual: T, wrong: T) -> T {
    if text.is_empty() { usual } else { text.parse().unwrap_or(wrong) }
}

fn given(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
