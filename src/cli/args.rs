//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use lexopt::{Arg, Parser, ValueExt};
use zeroize::Zeroizing;

use super::mailtest::Login;
use super::serve::Listen;
use super::{Request, mailtest};
use crate::settings::definition_file;
use crate::source::graph::{Cloud, Credential, Mailboxes, NUMBER_OF_MAILS, Tenant};
use crate::source::imap::{Account, Auth, Encryption};

const HELP: &str = "\
archivista: archives the mail of an organisation, complete, unaltered and findable.

  archivista VERB [--data DIR] [--json]

  serve [--listen ADDRESS:PORT]… [--redirect ADDRESS:PORT]… [--name NAME]…
                                    run: fetch what is due, answer the other verbs; with --listen
                                    the pages too, over HTTPS; --redirect leads there from HTTP
  source add FILE.toml              add or change a definition
  source list                       the definitions
  source test NAME                  log in, step by step
  source end NAME                   nothing is fetched any more, its mails stay and are found
  source resume NAME --sure         take an ended definition up again
  source remove NAME                forget a definition; its mails stay
  switch NAME_IMAP NAME_O365        from IMAP to Microsoft 365: no mail becomes a second document
  fetch [NAME]                      archive what is new, now
  reconcile [NAME]                  the same, and compare everything on the server with the ledger
  cancel NAME                       end the run of a definition; what it archived stays
  pause, resume                     fetch nothing any more, also after a restart; and go on
  status                            is everything archived? by folder
  list [QUERY]                      the documents; from: to: subject: before: after: words
  export (N… | --all) --format eml|zip --out DIR
                                    write N.eml, byte for byte as it came; or ZIP files with a list of
                                    what is in them
  verify [--quick]                  every byte, every hash, the chain, the catalog, the checkpoints
  proof FOLDER                      sign what is not signed yet, and write the whole proof: a stranger
                                    verifies it as its README.txt says, with sha256sum and openssl alone
  rebuild catalog                   make the catalog anew from the packs
  rebuild search                    make the search index anew from the archive
  recover                           the key of the archive, where it is missing, from the words of its
                                    recovery sheet: typed, or from standard input
  retention [--dry-run]             end the documents whose terms are over; or list them, and why
  password                          a new password for an administrator who cannot log in any more
  mailtest --server S [--port P] --account A (--password X | --password-file F)
           [--encryption tls|starttls|none] [--ca-file F]
                                    try a login without saving anything
  mailtest --tenant T --client-id C (--client-secret S | --client-secret-file F) --mailbox M
           [--login-url U] [--graph-url U] [--ca-file F]
                                    the same for a mailbox of Microsoft 365
  supervise                         on the box, as root: watchdog, disk, network, console, and `serve`
  help, version

  --data DIR   the data folder (default: $ARCHIVISTA_DATA, else ./data); made if it is missing
  --json       results as JSON, one object per line

Results go to standard output, everything else to standard error.
Exit code 0: all explained; 1: something is unexplained, damaged or did not work; 2: usage.

A definition file:

  name = \"office\"             # never changes
  module = \"imap\"
  server = \"imap.example.ch\"
  port = 993
  encryption = \"tls\"          # or \"starttls\", \"none\"
  account = \"office@example.ch\"
  password = \"…\"              # or password_file, or access_token_file (XOAUTH2, read at login)
  # accounts = [{ account = \"a@example.ch\", password = \"…\" }]   instead of the three lines above
  # ca_file = \"ca.pem\"        # trusted instead of the public authorities
  # folders = []              # empty: all but drafts, outbox and junk
  # exclude_folders = []
  # field_from, field_cc, field_to, field_subject = \"name of a field\"
  # owner = \"\"
  # min_age_days = 0
  # after = \"leave\"           # or \"move:FOLDER\", \"delete\", \"purge\" (cannot be restored)
  # play_back_folder = \"\"
  # inactive = false
  # interval_minutes = 5

For Microsoft 365, instead of module to ca_file:

  module = \"o365\"
  tenant = \"…\"               # Directory (tenant) ID, from Entra > App registrations > Overview
  client_id = \"…\"            # Application (client) ID
  client_secret = \"…\"        # its value, not its ID; or client_secret_file, or certificate_file and key_file
  mailboxes = [\"a@example.ch\"]   # or \"all\"
  # secret_expires = \"2027-01-31\"    # warns 30 days before
  # number_of_mails = 25      # mails that one call asks for, 1 to 1000
  # cloud = \"global\"          # or \"us-government\", \"us-defense\", \"china\"
  # login_url, graph_url, ca_file = \"…\"
";

/// What the command line asks for: a verb of this process, or a request to the archive.
pub struct Command {
    pub data: PathBuf,
    pub local: Option<Local>,
    pub request: Option<Request>,
    /// Folder for exported files.
    pub out: Option<PathBuf>,
}

/// A verb that needs no open archive.
pub enum Local {
    Help(&'static str),
    Serve(Listen),
    Supervise,
    Recover,
    Extract,
    Mailtest { source: Box<Login>, json: bool },
}

#[derive(Default)]
struct Given {
    data: Option<PathBuf>,
    out: Option<PathBuf>,
    words: Vec<String>,
    flags: Vec<&'static str>,
    values: Vec<(&'static str, OsString)>,
}

const FLAGS: [&str; 6] = ["json", "quick", "all", "supervised", "sure", "dry-run"];
const VALUES: [&str; 18] = [
    "listen",
    "redirect",
    "name",
    "format",
    "server",
    "port",
    "account",
    "password",
    "password-file",
    "encryption",
    "ca-file",
    "tenant",
    "client-id",
    "client-secret",
    "client-secret-file",
    "mailbox",
    "login-url",
    "graph-url",
];

impl Given {
    fn flag(&mut self, name: &str) -> bool {
        let before = self.flags.len();
        self.flags.retain(|flag| *flag != name);
        self.flags.len() < before
    }

    fn value(&mut self, name: &str) -> Option<OsString> {
        let place = self.values.iter().position(|(other, _)| *other == name)?;
        Some(self.values.remove(place).1)
    }

    fn text(&mut self, name: &str) -> anyhow::Result<Option<String>> {
        self.value(name).map(|value| value.string().with_context(|| format!("--{name}"))).transpose()
    }

    /// What no verb has taken.
    fn ensure_empty(&self, verb: &str) -> anyhow::Result<()> {
        if let Some(name) = self.flags.first().or(self.values.first().map(|(name, _)| name)) {
            bail!("--{name} means nothing to `{verb}`");
        }
        ensure!(self.out.is_none() || ["export", "proof"].contains(&verb), "--out means nothing to `{verb}`");
        Ok(())
    }
}

/// Reads the words after the program's name.
pub fn parse(words: impl Iterator<Item = OsString>) -> anyhow::Result<Command> {
    let mut given = read(words)?;
    let data = given.data.take().unwrap_or_else(|| {
        std::env::var_os("ARCHIVISTA_DATA").filter(|data| !data.is_empty()).map_or_else(|| "data".into(), PathBuf::from)
    });
    let verb = if given.words.is_empty() { String::new() } else { given.words.remove(0) };
    let mut command = Command { data, local: None, request: None, out: None };
    match verb.as_str() {
        "help" => command.local = Some(Local::Help(HELP)),
        "version" => command.local = Some(Local::Help(concat!("archivista ", env!("CARGO_PKG_VERSION"), "\n"))),
        "serve" => {
            none_left(&given, "serve")?;
            let mut all = |name| -> anyhow::Result<Vec<String>> {
                let mut found = Vec::new();
                while let Some(value) = given.text(name)? {
                    found.push(value);
                }
                Ok(found)
            };
            let (https, redirect, names) = (all("listen")?, all("redirect")?, all("name")?);
            let listen = Listen { https, redirect, names, supervised: given.flag("supervised") };
            ensure!(
                !listen.https.is_empty() || listen.redirect.is_empty(),
                "--redirect leads to --listen, which is missing"
            );
            command.local = Some(Local::Serve(listen));
        }
        "mailtest" => {
            none_left(&given, "mailtest")?;
            let json = given.flag("json");
            let is_tenant = given.values.iter().any(|(name, _)| ["tenant", "client-id", "mailbox"].contains(name));
            let login = if is_tenant { Login::Graph(tenant(&mut given)?) } else { Login::Imap(account(&mut given)?) };
            let source = Box::new(login);
            command.local = Some(Local::Mailtest { source, json });
        }
        "recover" => {
            none_left(&given, "recover")?;
            command.local = Some(Local::Recover);
        }
        // Verbs of the box, started by its `init`.
        "supervise" => {
            none_left(&given, "supervise")?;
            command.local = Some(Local::Supervise);
        }
        // Started by this program itself, to read what strangers wrote; nothing for people.
        "extract" => {
            none_left(&given, "extract")?;
            command.local = Some(Local::Extract);
        }
        "" => bail!("which verb?"),
        _ => command.request = Some(request(&verb, &mut given)?),
    }
    command.out.clone_from(&given.out);
    given.ensure_empty(&verb)?;
    Ok(command)
}

fn read(words: impl Iterator<Item = OsString>) -> anyhow::Result<Given> {
    let mut parser = Parser::from_args(words);
    let mut given = Given::default();
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("data") => given.data = Some(parser.value()?.into()),
            Arg::Long("out") => given.out = Some(parser.value()?.into()),
            Arg::Long("help") | Arg::Short('h') => given.words = vec!["help".into()],
            Arg::Long("version") | Arg::Short('V') => given.words = vec!["version".into()],
            Arg::Long(name) => {
                if let Some(flag) = FLAGS.iter().find(|flag| **flag == name) {
                    given.flags.push(flag);
                } else if let Some(option) = VALUES.iter().find(|option| **option == name) {
                    given.values.push((option, parser.value()?));
                } else {
                    return Err(arg.unexpected().into());
                }
            }
            Arg::Value(word) => given.words.push(word.string()?),
            Arg::Short(_) => return Err(arg.unexpected().into()),
        }
    }
    Ok(given)
}

fn none_left(given: &Given, verb: &str) -> anyhow::Result<()> {
    match given.words.first() {
        Some(word) => bail!("`{verb}` takes no {word:?}"),
        None => Ok(()),
    }
}

fn one(given: &mut Given, what: &str) -> anyhow::Result<String> {
    ensure!(given.words.len() == 1, "give {what}");
    Ok(given.words.remove(0))
}

fn request(verb: &str, given: &mut Given) -> anyhow::Result<Request> {
    match verb {
        "source" => {
            ensure!(
                !given.words.is_empty(),
                "`source` what? add FILE.toml, list, test NAME, end NAME, resume NAME or remove NAME"
            );
            let what = given.words.remove(0);
            match what.as_str() {
                "add" => {
                    let file = one(given, "one file: `source add FILE.toml`")?;
                    let definition = definition_file::read(file.as_ref())?;
                    Ok(Request::SourceAdd { definition: Box::new(definition) })
                }
                "list" => {
                    none_left(given, "source list")?;
                    Ok(Request::SourceList { json: given.flag("json") })
                }
                "test" => {
                    let name = one(given, "one name: `source test NAME`")?;
                    Ok(Request::SourceTest { name, json: given.flag("json") })
                }
                "end" => Ok(Request::SourceEnd { name: one(given, "one name: `source end NAME`")?, is_ended: true }),
                "resume" => {
                    let name = one(given, "one name: `source resume NAME --sure`")?;
                    ensure!(given.flag("sure"), "it is fetched again from then on: confirm with --sure");
                    Ok(Request::SourceEnd { name, is_ended: false })
                }
                "remove" => Ok(Request::SourceRemove { name: one(given, "one name: `source remove NAME`")? }),
                other => bail!(
                    "`source {other}`: there are add FILE.toml, list, test NAME, end NAME, resume NAME and remove NAME"
                ),
            }
        }
        "fetch" | "reconcile" => {
            ensure!(given.words.len() <= 1, "give one name: `{verb} [NAME]`");
            Ok(Request::Fetch { name: given.words.pop(), reconcile: verb == "reconcile", json: given.flag("json") })
        }
        "cancel" => Ok(Request::Cancel { name: one(given, "one name: `cancel NAME`")? }),
        "pause" | "resume" => {
            none_left(given, verb)?;
            Ok(Request::Pause { is_paused: verb == "pause" })
        }
        "status" => {
            none_left(given, "status")?;
            Ok(Request::Status { json: given.flag("json") })
        }
        "list" => {
            let query = std::mem::take(&mut given.words).join(" ");
            super::list::query(&query, &crate::search::Searchable::default())?;
            Ok(Request::List { query, json: given.flag("json") })
        }
        "export" => export(given),
        "verify" => {
            none_left(given, "verify")?;
            Ok(Request::Verify { quick: given.flag("quick"), json: given.flag("json") })
        }
        "switch" => {
            ensure!(given.words.len() == 2, "give two names: `switch NAME_IMAP NAME_O365`");
            let to = given.words.pop().unwrap_or_default();
            Ok(Request::Switch { from: given.words.pop().unwrap_or_default(), to })
        }
        "proof" => {
            ensure!(given.out.is_none(), "--out means nothing to `proof`");
            given.out = Some(one(given, "one folder: `proof FOLDER`")?.into());
            Ok(Request::Proof)
        }
        "rebuild" => match one(given, "what: `rebuild catalog` or `rebuild search`")?.as_str() {
            "catalog" => Ok(Request::RebuildCatalog),
            "search" => Ok(Request::RebuildSearch),
            what => bail!("`rebuild {what}`: there are `rebuild catalog` and `rebuild search`"),
        },
        "retention" => {
            none_left(given, "retention")?;
            Ok(Request::Retention { dry_run: given.flag("dry-run"), json: given.flag("json") })
        }
        "password" => {
            none_left(given, "password")?;
            Ok(Request::Password)
        }
        other => bail!("there is no verb {other:?}"),
    }
}

fn export(given: &mut Given) -> anyhow::Result<Request> {
    let format = given.text("format")?;
    let zip = match format.as_deref() {
        Some("eml") => false,
        Some("zip") => true,
        _ => bail!("give --format eml or --format zip"),
    };
    ensure!(given.out.is_some(), "give --out DIR");
    let all = given.flag("all");
    let mut numbers = Vec::new();
    for word in std::mem::take(&mut given.words) {
        match word.parse::<u64>() {
            Ok(number) if number > 0 => numbers.push(number),
            _ => bail!("{word:?} is no document number: they are 1, 2, 3 …"),
        }
    }
    ensure!(all == numbers.is_empty(), "give either document numbers or --all");
    Ok(Request::Export { numbers, zip })
}

fn account(given: &mut Given) -> anyhow::Result<Account> {
    let server = given.text("server")?.context("give --server, such as imap.example.ch")?;
    let user = given.text("account")?.context("give --account, the name to log in with")?;
    let port: Option<u16> = match given.text("port")? {
        Some(port) => Some(port.parse().with_context(|| format!("--port {port}: give a number from 1 to 65535"))?),
        None => None,
    };
    let encryption = match given.text("encryption")?.as_deref() {
        None if port == Some(143) => Encryption::StartTls,
        None | Some("tls") => Encryption::Tls,
        Some("starttls") => Encryption::StartTls,
        Some("none") => Encryption::None,
        Some(other) => bail!("--encryption {other}: give tls, starttls or none"),
    };
    let password = match (given.text("password")?, given.value("password-file")) {
        (Some(password), None) => password,
        (None, Some(path)) => mailtest::read_password(path.as_ref())?,
        _ => bail!("give either --password or --password-file"),
    };
    let ca_pem = match given.value("ca-file") {
        Some(path) => Some(mailtest::read_ca(path.as_ref())?),
        None => None,
    };
    Ok(Account {
        server,
        port: port.unwrap_or(if matches!(encryption, Encryption::Tls) { 993 } else { 143 }),
        encryption,
        user,
        auth: Auth::Password(Zeroizing::new(password)),
        ca_pem,
    })
}

fn tenant(given: &mut Given) -> anyhow::Result<Tenant> {
    let secret = match (given.text("client-secret")?, given.value("client-secret-file")) {
        (Some(secret), None) => secret,
        (None, Some(path)) => mailtest::read_password(path.as_ref())?,
        _ => bail!("give either --client-secret or --client-secret-file"),
    };
    let ca_pem = match given.value("ca-file") {
        Some(path) => Some(mailtest::read_ca(path.as_ref())?),
        None => None,
    };
    let mut url = |name: &str, usual: &str| -> anyhow::Result<String> {
        Ok(given.text(name)?.map_or_else(|| usual.to_owned(), |url| url.trim_end_matches('/').to_owned()))
    };
    let (login_url, graph_url) =
        (url("login-url", Cloud::Global.login_url())?, url("graph-url", Cloud::Global.graph_url())?);
    let tenant = Tenant {
        tenant: given.text("tenant")?.context("give --tenant, the Directory (tenant) ID")?,
        client_id: given.text("client-id")?.context("give --client-id, the Application (client) ID")?,
        credential: Credential::Secret(Zeroizing::new(secret.trim().to_owned())),
        mailboxes: Mailboxes::These(vec![given.text("mailbox")?.context("give --mailbox, such as a@example.ch")?]),
        number_of_mails: NUMBER_OF_MAILS,
        login_url,
        graph_url,
        ca_pem,
    };
    tenant.check()?;
    Ok(tenant)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> anyhow::Result<Command> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn data_stands_before_or_after_the_verb() {
        for line in ["--data /x fetch office", "fetch --data /x office", "fetch office --data=/x"] {
            let command = parsed(line).unwrap();
            assert_eq!(command.data, PathBuf::from("/x"));
            assert!(
                matches!(command.request, Some(Request::Fetch { name: Some(name), reconcile: false, json: false }) if name == "office")
            );
        }
    }

    #[test]
    fn nonsense_is_usage() {
        for line in [
            "",
            "frobnicate",
            "fetch a b",
            "export 1 --out x",
            "export 1 --format eml",
            "export --format eml --out x",
            "export 0 --format eml --out x",
            "export 1 --all --format eml --out x",
            "export eins --format eml --out x",
            "verify --all",
            "verify --dry-run",
            "retention now",
            "list --out x",
            "rebuild",
            "password anna",
            "recover abandon",
            "recover --sure",
            "proof",
            "proof a b",
            "proof a --json",
            "proof a --out b",
            "rebuild index",
            "source",
            "source move x",
            "cancel",
            "pause office",
            "source end",
            "source resume x",
            "source end x --sure",
            "mailtest --server s --account a",
            "mailtest --tenant t --client-id c --mailbox m",
            "mailtest --tenant t --client-id c --client-secret s",
            "mailtest --tenant t --client-secret s --mailbox m --server s",
            "mailtest --server s --account a --password p --port 99999",
            "serve now",
            "list --nonsense",
        ] {
            assert!(parsed(line).is_err(), "{line}");
        }
    }
}
