//! A definition as a person writes it: TOML. Files that it names are read here, by whoever adds it, so that `serve` needs
//! no right to read them; only an access token file is read later, at each login.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::definition::{Account, AfterArchiving, Definition, Encryption, FieldMap, Imap, Module, Secret};
use super::o365::{O365, Which};
use super::{Result, SettingsError, SignIn};
use crate::source::graph::{Cloud, NUMBER_OF_MAILS};

/// The longest file that is read: a definition, a password, a CA file.
const MOST: u64 = 1024 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    module: Code,
    server: Option<String>,
    port: Option<u16>,
    encryption: Option<Encryption>,
    account: Option<String>,
    password: Option<String>,
    password_file: Option<PathBuf>,
    access_token_file: Option<PathBuf>,
    oauth_client_id: Option<String>,
    oauth_tenant: Option<String>,
    oauth_login_url: Option<String>,
    #[serde(default)]
    accounts: Vec<WrittenAccount>,
    tenant: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    client_secret_file: Option<PathBuf>,
    certificate_file: Option<PathBuf>,
    key_file: Option<PathBuf>,
    secret_expires: Option<toml::Value>,
    mailboxes: Option<toml::Value>,
    number_of_mails: Option<u32>,
    cloud: Option<String>,
    login_url: Option<String>,
    graph_url: Option<String>,
    ca_file: Option<PathBuf>,
    #[serde(default)]
    folders: Vec<String>,
    #[serde(default)]
    exclude_folders: Vec<String>,
    field_from: Option<String>,
    field_cc: Option<String>,
    field_to: Option<String>,
    field_subject: Option<String>,
    #[serde(default)]
    owner: String,
    #[serde(default)]
    min_age_days: u32,
    #[serde(default)]
    after: Option<String>,
    play_back_folder: Option<String>,
    #[serde(default)]
    inactive: bool,
    #[serde(default = "usual_interval")]
    interval_minutes: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAccount {
    account: String,
    password: Option<String>,
    password_file: Option<PathBuf>,
    access_token_file: Option<PathBuf>,
    /// Signs in by a code, as this application.
    oauth_client_id: Option<String>,
    oauth_tenant: Option<String>,
    oauth_login_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Code {
    Imap,
    O365,
}

/// Minutes between two runs, unless somebody says otherwise.
pub const INTERVAL_MINUTES: u32 = 5;

fn usual_interval() -> u32 {
    INTERVAL_MINUTES
}

/// Reads and checks a definition file. Paths in it are relative to its own folder.
pub fn read(path: &Path) -> Result<Definition> {
    let text = read_text(path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    parse(&text, folder, &path.display().to_string())
}

fn read_text(path: &Path) -> Result<String> {
    use std::io::Read;
    let wrong = |what: String| SettingsError::Wrong { place: path.display().to_string(), what };
    let file = fs::File::open(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let mut text = String::new();
    file.take(MOST + 1).read_to_string(&mut text).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    if text.len() as u64 > MOST {
        return Err(wrong("is longer than 1 MiB".into()));
    }
    Ok(text)
}

/// Reads a file that a key of the definition names; an error names all three.
fn read_named(key: &str, path: &Path, place: &str) -> Result<String> {
    read_text(path).map_err(|error| SettingsError::Wrong { place: place.into(), what: format!("{key}: {error}") })
}

/// `place` names the text in errors.
fn parse(text: &str, folder: &Path, place: &str) -> Result<Definition> {
    let wrong = |what: String| SettingsError::Wrong { place: place.into(), what };
    let mut file: Written = toml::from_str(text).map_err(|error| wrong(error.to_string().trim_end().to_string()))?;
    let module = match file.module {
        Code::Imap => Module::Imap(imap(&mut file, folder, place)?),
        Code::O365 => Module::O365(o365(&mut file, folder, place)?),
    };
    let definition = Definition {
        name: file.name,
        module,
        folders: file.folders,
        exclude_folders: file.exclude_folders,
        fields: FieldMap {
            from: given(file.field_from),
            cc: given(file.field_cc),
            to: given(file.field_to),
            subject: given(file.field_subject),
        },
        owner: file.owner,
        min_age_days: file.min_age_days,
        after: after(file.after.as_deref()).map_err(wrong)?,
        play_back_folder: given(file.play_back_folder),
        inactive: file.inactive,
        ended: false,
        interval_minutes: file.interval_minutes,
        succeeds: None,
    };
    definition.check().map_err(|mistake| wrong(mistake.to_string()))?;
    Ok(definition)
}

/// A key that belongs to the other module is a mistake, not something to be ignored.
fn none_of(module: &str, keys: &[(&str, bool)]) -> std::result::Result<(), String> {
    match keys.iter().find(|(_, is_given)| *is_given) {
        Some((key, _)) => Err(format!("{key} means nothing to module {module:?}")),
        None => Ok(()),
    }
}

fn imap(file: &mut Written, folder: &Path, place: &str) -> Result<Imap> {
    let wrong = |what: String| SettingsError::Wrong { place: place.into(), what };
    none_of(
        "imap",
        &[
            ("tenant", file.tenant.is_some()),
            ("client_id", file.client_id.is_some()),
            ("client_secret", file.client_secret.is_some()),
            ("client_secret_file", file.client_secret_file.is_some()),
            ("certificate_file", file.certificate_file.is_some()),
            ("key_file", file.key_file.is_some()),
            ("secret_expires", file.secret_expires.is_some()),
            ("mailboxes", file.mailboxes.is_some()),
            ("number_of_mails", file.number_of_mails.is_some()),
            ("cloud", file.cloud.is_some()),
            ("login_url", file.login_url.is_some()),
            ("graph_url", file.graph_url.is_some()),
        ],
    )
    .map_err(wrong)?;
    let server = file.server.take().ok_or_else(|| wrong("no server: give server = \"imap.example.ch\"".into()))?;
    let single = WrittenAccount {
        account: file.account.clone().unwrap_or_default(),
        password: file.password.take(),
        password_file: file.password_file.take(),
        access_token_file: file.access_token_file.take(),
        oauth_client_id: file.oauth_client_id.take(),
        oauth_tenant: file.oauth_tenant.take(),
        oauth_login_url: file.oauth_login_url.take(),
    };
    let has_secret = single.password.is_some()
        || single.password_file.is_some()
        || single.access_token_file.is_some()
        || single.oauth_client_id.is_some();
    let accounts = match (file.account.is_some(), file.accounts.is_empty()) {
        (true, true) => vec![single],
        (true, false) => return Err(wrong("give either account or accounts, not both".into())),
        (false, _) if has_secret => return Err(wrong("a password without account: give account too".into())),
        (false, _) => std::mem::take(&mut file.accounts),
    };
    let accounts = accounts.into_iter().map(|account| login(account, folder, place)).collect::<Result<Vec<_>>>()?;
    let ca_pem = file.ca_file.take().map(|path| read_named("ca_file", &folder.join(path), place)).transpose()?;
    let encryption = file.encryption.unwrap_or_default();
    let default_port = if matches!(encryption, Encryption::Tls) { 993 } else { 143 };
    Ok(Imap { server, port: file.port.unwrap_or(default_port), encryption, accounts, ca_pem })
}

fn o365(file: &mut Written, folder: &Path, place: &str) -> Result<O365> {
    let wrong = |what: String| SettingsError::Wrong { place: place.into(), what };
    none_of(
        "o365",
        &[
            ("server", file.server.is_some()),
            ("port", file.port.is_some()),
            ("encryption", file.encryption.is_some()),
            ("account", file.account.is_some()),
            ("accounts", !file.accounts.is_empty()),
            ("password", file.password.is_some()),
            ("password_file", file.password_file.is_some()),
            ("access_token_file", file.access_token_file.is_some()),
            ("oauth_client_id", file.oauth_client_id.is_some()),
            ("oauth_tenant", file.oauth_tenant.is_some()),
            ("oauth_login_url", file.oauth_login_url.is_some()),
        ],
    )
    .map_err(wrong)?;
    let needed = |key: &str, value: Option<String>| {
        given(value).ok_or_else(|| wrong(format!("no {key}: it stands in Entra > App registrations > Overview")))
    };
    let read =
        |key: &str, path: Option<PathBuf>| path.map(|path| read_named(key, &folder.join(path), place)).transpose();
    let client_secret =
        match (given(file.client_secret.take()), read("client_secret_file", file.client_secret_file.take())?) {
            (Some(_), Some(_)) => {
                return Err(wrong("give either client_secret or client_secret_file, not both".into()));
            }
            (Some(secret), None) => Some(secret),
            (None, read) => given(read),
        };
    let mailboxes = match file.mailboxes.take() {
        Some(toml::Value::String(all)) if all.eq_ignore_ascii_case("all") => Which::All,
        Some(toml::Value::Array(names)) if names.iter().all(toml::Value::is_str) => {
            Which::These(names.iter().filter_map(|name| name.as_str()).map(|name| name.trim().to_owned()).collect())
        }
        _ => return Err(wrong("mailboxes: give a list of addresses, [\"a@example.ch\"], or \"all\"".into())),
    };
    // TOML has dates of its own; a quoted one will do.
    let secret_expires = match file.secret_expires.take() {
        None => None,
        Some(toml::Value::String(day)) => Some(day),
        Some(toml::Value::Datetime(day)) => Some(day.to_string()),
        Some(_) => return Err(wrong("secret_expires: give the day as YYYY-MM-DD".into())),
    };
    let cloud = match file.cloud.take() {
        None => Cloud::Global,
        Some(name) => Cloud::named(&name).ok_or_else(|| {
            wrong(format!("cloud = {name:?}: give \"global\", \"us-government\", \"us-defense\" or \"china\""))
        })?,
    };
    let url = |url: Option<String>, usual: &str| {
        given(url).map_or_else(|| usual.to_owned(), |url| url.trim_end_matches('/').to_owned())
    };
    if client_secret.is_none() && file.certificate_file.is_none() && file.key_file.is_none() {
        return Err(wrong(
            "no client_secret: give client_secret, client_secret_file, or certificate_file and key_file".into(),
        ));
    }
    Ok(O365 {
        tenant: needed("tenant", file.tenant.take())?,
        client_id: needed("client_id", file.client_id.take())?,
        client_secret: client_secret.map(Secret::new),
        certificate_pem: read("certificate_file", file.certificate_file.take())?,
        key_pem: read("key_file", file.key_file.take())?.map(Secret::new),
        secret_expires,
        mailboxes,
        number_of_mails: file.number_of_mails.unwrap_or(NUMBER_OF_MAILS),
        login_url: url(file.login_url.take(), cloud.login_url()),
        graph_url: url(file.graph_url.take(), cloud.graph_url()),
        ca_pem: read("ca_file", file.ca_file.take())?,
    })
}

fn given(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_string()).filter(|text| !text.is_empty())
}

fn login(account: WrittenAccount, folder: &Path, place: &str) -> Result<Account> {
    let password = match (account.password, account.password_file) {
        (Some(_), Some(_)) => {
            let what = format!("account {:?}: give either password or password_file, not both", account.account);
            return Err(SettingsError::Wrong { place: place.into(), what });
        }
        (Some(password), None) => Some(password),
        // Editors end files with a line end; no password does.
        (None, Some(path)) => {
            let text = read_named("password_file", &folder.join(path), place)?;
            Some(text.trim_end_matches(['\r', '\n']).to_string())
        }
        (None, None) => None,
    };
    let wrong = |what: &str| {
        let what = format!("account {:?}: {what}", account.account);
        SettingsError::Wrong { place: place.into(), what }
    };
    let sign_in = account.oauth_client_id.as_ref().map(|client_id| {
        let usual = SignIn::default();
        SignIn {
            client_id: client_id.trim().to_owned(),
            tenant: given(account.oauth_tenant.clone()).unwrap_or(usual.tenant),
            login_url: given(account.oauth_login_url.clone()).unwrap_or(usual.login_url),
        }
    });
    if sign_in.is_none() && (account.oauth_tenant.is_some() || account.oauth_login_url.is_some()) {
        return Err(wrong("give oauth_client_id too"));
    }
    match (&password, &account.access_token_file, &sign_in) {
        (None, None, None) => {
            return Err(wrong("give one of password, password_file, access_token_file, oauth_client_id"));
        }
        (Some(_), None, None) | (None, Some(_), None) | (None, None, Some(_)) => {}
        _ => return Err(wrong("give either a password or access_token_file or oauth_client_id, not both")),
    }
    let access_token_file = account.access_token_file.map(|path| {
        let path = folder.join(path);
        std::path::absolute(&path).unwrap_or(path)
    });
    Ok(Account { account: account.account, password: password.map(Secret::new), access_token_file, sign_in })
}

fn after(text: Option<&str>) -> std::result::Result<AfterArchiving, String> {
    match text {
        None | Some("leave" | "") => Ok(AfterArchiving::Leave),
        Some("delete") => Ok(AfterArchiving::Delete),
        Some("purge") => Ok(AfterArchiving::Purge),
        Some(text) => match text.strip_prefix("move:").map(str::trim) {
            Some(folder) if !folder.is_empty() => Ok(AfterArchiving::Move(folder.into())),
            _ => Err(format!("after = {text:?}: give \"leave\", \"move:FOLDER\", \"delete\" or \"purge\"")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        "name = 'büro'\nmodule = 'imap'\nserver = 'imap.example.ch'\naccount = 'a@example.ch'\npassword = 'x'\n";

    fn error(text: &str) -> String {
        parse(text, Path::new("/nowhere"), "büro.toml").unwrap_err().to_string()
    }

    #[test]
    fn defaults_are_the_maker_s() {
        let definition = parse(GOOD, Path::new("."), "x").unwrap();
        let port = |definition: &Definition| match &definition.module {
            Module::Imap(imap) => imap.port,
            Module::O365(_) => 0,
        };
        assert_eq!((port(&definition), definition.interval_minutes, definition.min_age_days), (993, 5, 0));
        assert_eq!(definition.after, AfterArchiving::Leave);
        let starttls = parse(&format!("{GOOD}encryption = 'starttls'"), Path::new("."), "x").unwrap();
        assert_eq!(port(&starttls), 143);
    }

    #[test]
    fn every_mistake_is_named_with_its_place_and_its_mend() {
        let cases: &[(&str, &[&str])] = &[
            ("passwort = 'x'", &["büro.toml", "line 6", "passwort", "password"]),
            ("port = '993'", &["line 6", "port"]),
            ("port = 70000", &["line 6"]),
            ("encryption = 'ssl'", &["ssl", "starttls"]),
            ("after = 'archive'", &["archive", "move:FOLDER"]),
            ("after = 'move:'", &["move:FOLDER"]),
            ("min_age_days = -1", &["line 6"]),
            ("interval_minutes = 0", &["interval_minutes"]),
            ("password_file = 'p'", &["password_file", "not both"]),
            ("access_token_file = 't'", &["not both"]),
            ("ca_file = 'missing.pem'", &["büro.toml", "ca_file", "missing.pem", "cannot be read"]),
            ("accounts = [{ account = 'b', password = 'x' }]", &["either account or accounts"]),
            ("folders = 'INBOX'", &["line 6", "folders"]),
        ];
        for (line, wants) in cases {
            let told = error(&format!("{GOOD}{line}\n"));
            for want in *wants {
                assert!(told.contains(want), "{line}: {told}");
            }
        }
        assert!(error(&GOOD.replace("'büro'", "'a/b'")).contains("name"));
        assert!(error(&GOOD.replace("'imap'", "'pop3'")).contains("pop3"));
        assert!(error(&GOOD.replace("'imap.example.ch'", "'imap://x'")).contains("host name"));
        assert!(error("name = 'x'\nmodule = 'imap'\nserver = 'y'\n").contains("no account"));
        assert!(error("name = 'x'\nmodule = 'imap'\n").contains("no server"));
        assert!(error(&format!("{GOOD}tenant = 't'\n")).contains("tenant means nothing"));
    }

    const CLOUD: &str = "name = 'büro'\nmodule = 'o365'\ntenant = 't.onmicrosoft.com'\nclient_id = 'c'\n\
                         client_secret = 'x8Q~v'\nmailboxes = ['a@example.ch']\n";

    #[test]
    fn a_tenant_has_the_maker_s_defaults() {
        let read = |more: &str| match parse(&format!("{CLOUD}{more}"), Path::new("."), "x").unwrap().module {
            Module::O365(o365) => o365,
            Module::Imap(_) => panic!(),
        };
        let plain = read("");
        assert_eq!((plain.number_of_mails, plain.graph_url.as_str()), (25, "https://graph.microsoft.com"));
        let other = read("cloud = 'china'\nsecret_expires = 2027-01-31\nlogin_url = 'https://127.0.0.1:4433/'\n");
        assert_eq!(other.graph_url, "https://microsoftgraph.chinacloudapi.cn");
        assert_eq!(other.login_url, "https://127.0.0.1:4433");
        assert_eq!(other.secret_expires.as_deref(), Some("2027-01-31"));
    }

    #[test]
    fn every_mistake_of_a_tenant_is_named_too() {
        for (from, to, want) in [
            ("'x8Q~v'", "'48d31887-5fad-4d73-a9f5-3c356e68a038'", "column Value"),
            ("client_secret = 'x8Q~v'\n", "", "no client_secret"),
            ("'x8Q~v'\n", "'x'\ncertificate_file = 'missing.pem'\n", "missing.pem"),
            ("tenant = 't.onmicrosoft.com'\n", "", "no tenant"),
            ("client_id = 'c'\n", "", "no client_id"),
            ("['a@example.ch']", "5", "a list of addresses"),
            ("['a@example.ch']", "[]", "no mailbox"),
            ("['a@example.ch']", "'all'\nnumber_of_mails = 0", "1 to 1000"),
            ("['a@example.ch']", "'all'\ncloud = 'moon'", "moon"),
            ("['a@example.ch']", "'all'\nsecret_expires = 'soon'", "YYYY-MM-DD"),
            ("['a@example.ch']", "'all'\ngraph_url = 'http://x'", "https"),
            ("['a@example.ch']", "'all'\nserver = 'x'", "server means nothing"),
            ("['a@example.ch']", "'all'\nclient_secret_file = 'x'", "\"x\""),
        ] {
            let told = error(&CLOUD.replace(from, to));
            assert!(told.contains(want) || told.contains("cannot be read"), "{to}: {told}");
        }
    }
}
