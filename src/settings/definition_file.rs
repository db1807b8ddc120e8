//! A definition as a person writes it: TOML. Files that it names are read here, by whoever adds it, so that `serve` needs
//! no right to read them; only an access token file is read later, at each login.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::definition::{Account, AfterArchiving, Definition, Encryption, FieldMap, Secret};
use super::{Result, SettingsError};

/// The longest file that is read: a definition, a password, a CA file.
const MOST: u64 = 1024 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    #[serde(rename = "module")]
    _module: Module,
    server: String,
    port: Option<u16>,
    #[serde(default)]
    encryption: Encryption,
    account: Option<String>,
    password: Option<String>,
    password_file: Option<PathBuf>,
    access_token_file: Option<PathBuf>,
    #[serde(default)]
    accounts: Vec<WrittenAccount>,
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
    #[serde(default = "five")]
    interval_minutes: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAccount {
    account: String,
    password: Option<String>,
    password_file: Option<PathBuf>,
    access_token_file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Module {
    Imap,
}

fn five() -> u32 {
    5
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
    let file: Written = toml::from_str(text).map_err(|error| wrong(error.to_string().trim_end().to_string()))?;
    let single = WrittenAccount {
        account: file.account.clone().unwrap_or_default(),
        password: file.password,
        password_file: file.password_file,
        access_token_file: file.access_token_file,
    };
    let has_secret = single.password.is_some() || single.password_file.is_some() || single.access_token_file.is_some();
    let accounts = match (file.account.is_some(), file.accounts.is_empty()) {
        (true, true) => vec![single],
        (true, false) => return Err(wrong("give either account or accounts, not both".into())),
        (false, _) if has_secret => return Err(wrong("a password without account: give account too".into())),
        (false, _) => file.accounts,
    };
    let accounts = accounts.into_iter().map(|account| login(account, folder, place)).collect::<Result<Vec<_>>>()?;
    let ca_pem = file.ca_file.map(|path| read_named("ca_file", &folder.join(path), place)).transpose()?;
    let default_port = if matches!(file.encryption, Encryption::Tls) { 993 } else { 143 };
    let definition = Definition {
        name: file.name,
        server: file.server,
        port: file.port.unwrap_or(default_port),
        encryption: file.encryption,
        accounts,
        ca_pem,
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
        interval_minutes: file.interval_minutes,
    };
    definition.check().map_err(wrong)?;
    Ok(definition)
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
    let access_token_file = account.access_token_file.map(|path| {
        let path = folder.join(path);
        std::path::absolute(&path).unwrap_or(path)
    });
    Ok(Account { account: account.account, password: password.map(Secret::new), access_token_file })
}

fn after(text: Option<&str>) -> std::result::Result<AfterArchiving, String> {
    match text {
        None | Some("leave" | "") => Ok(AfterArchiving::Leave),
        Some("delete") => Ok(AfterArchiving::Delete),
        Some(text) => match text.strip_prefix("move:").map(str::trim) {
            Some(folder) if !folder.is_empty() => Ok(AfterArchiving::Move(folder.into())),
            _ => Err(format!("after = {text:?}: give \"leave\", \"move:FOLDER\" or \"delete\"")),
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
        assert_eq!((definition.port, definition.interval_minutes, definition.min_age_days), (993, 5, 0));
        assert_eq!(definition.after, AfterArchiving::Leave);
        let starttls = parse(&format!("{GOOD}encryption = 'starttls'"), Path::new("."), "x").unwrap();
        assert_eq!(starttls.port, 143);
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
    }
}
