//! What can go wrong with Microsoft 365 beyond a connection, and what a person has to click in Entra to mend it.

use std::time::Duration;

use crate::language::Lang;
use crate::source::Retry;

/// A failure that only Microsoft 365 knows. `said` are the server's own words, one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    #[error("Entra knows another client secret for application {app}: {said}")]
    WrongSecret { app: String, said: String },
    #[error("the client secret of application {app} is the secret's ID, not its value")]
    SecretIdGiven { app: String },
    #[error("the client secret of application {app} has expired: {said}")]
    SecretExpired { app: String, said: String },
    #[error("Entra does not take the certificate of application {app}: {said}")]
    CertificateRefused { app: String, said: String },
    /// The certificate or key of the definition cannot be used; nothing was sent.
    #[error("the certificate of application {app} cannot be used: {said}")]
    CertificateUnusable { app: String, said: String },
    #[error("tenant {tenant} has no application {app}: {said}")]
    UnknownApp { app: String, tenant: String, said: String },
    #[error("there is no tenant {tenant}: {said}")]
    UnknownTenant { tenant: String, said: String },
    #[error("{tenant} is no tenant's name: {said}")]
    MalformedTenant { tenant: String, said: String },
    #[error("Entra refuses the login: {said}")]
    LoginRefused { said: String },
    #[error("Graph does not take the access token: {said}")]
    TokenRefused { said: String },
    #[error("permission {permission} is missing: {said}")]
    ConsentMissing { permission: &'static str, said: String },
    #[error("the application may not read {mailbox}: {said}")]
    AccessPolicy { mailbox: String, said: String },
    #[error("there is no mailbox {mailbox}: {said}")]
    NoSuchMailbox { mailbox: String, said: String },
    #[error("{mailbox} has no mailbox in Exchange Online: {said}")]
    NotInTheCloud { mailbox: String, said: String },
    #[error("Microsoft 365 throttles for {seconds} s: {said}")]
    Throttled { said: String, seconds: u64 },
    #[error("Microsoft 365 has trouble: {said}")]
    ServerTrouble { said: String },
    /// Something was to be made, and whether it was cannot be told from the answer.
    #[error("Microsoft 365 has trouble, and may have done it all the same: {said}")]
    Unsure { said: String },
    #[error("Graph refuses: {said}")]
    Refused { said: String },
    /// A link or redirection that leads to another server: the token is not sent there.
    #[error("a link leads away from Graph, to {host}")]
    OtherHost { host: String },
}

impl Trouble {
    /// When it makes sense to try again.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Throttled { seconds, .. } => Retry::After(Duration::from_secs(*seconds)),
            Self::ServerTrouble { .. } | Self::TokenRefused { .. } => Retry::After(Duration::from_mins(5)),
            Self::Refused { .. } => Retry::After(Duration::from_mins(10)),
            _ => Retry::Never,
        }
    }

    /// What is wrong, where, and what to click.
    pub fn sentence(&self, lang: Lang) -> String {
        match lang {
            Lang::De => self.german(),
            Lang::En => self.english(),
        }
    }

    fn german(&self) -> String {
        match self {
            Self::WrongSecret { app, said } => format!(
                "Das Client-Secret der Anwendung {app} stimmt nicht («{said}»). Erstellen Sie in Entra unter App-Registrierungen > Zertifikate & Geheimnisse ein neues Secret und tragen Sie dessen Spalte «Wert» ein."
            ),
            Self::SecretIdGiven { app } => format!(
                "Als Client-Secret der Anwendung {app} ist die Geheime ID eingetragen, nicht der Wert. Tragen Sie aus Entra > App-Registrierungen > Zertifikate & Geheimnisse die Spalte «Wert» ein; sie wird nur einmal gezeigt, erstellen Sie sonst ein neues Secret."
            ),
            Self::SecretExpired { app, said } => format!(
                "Das Client-Secret der Anwendung {app} ist abgelaufen («{said}»). Erstellen Sie in Entra unter App-Registrierungen > Zertifikate & Geheimnisse ein neues und tragen Sie dessen «Wert» ein."
            ),
            Self::CertificateRefused { app, said } => format!(
                "Entra nimmt das Zertifikat der Anwendung {app} nicht an («{said}»). Laden Sie in Entra unter App-Registrierungen > Zertifikate & Geheimnisse > Zertifikate genau dieses Zertifikat hoch, und prüfen Sie Datum und Uhrzeit der Box."
            ),
            Self::CertificateUnusable { app, said } => format!(
                "Zertifikat oder Schlüssel der Anwendung {app} sind nicht zu gebrauchen ({said}). Hinterlegen Sie beide als PEM; der Schlüssel ist RSA (2048 bis 4096 Bit) oder P-256, als PKCS #8."
            ),
            Self::UnknownApp { app, tenant, said } => format!(
                "Im Mandanten {tenant} gibt es keine Anwendung {app} («{said}»). Vergleichen Sie in Entra > App-Registrierungen > Übersicht die Anwendungs-ID (Client) und die Verzeichnis-ID (Mandant)."
            ),
            Self::UnknownTenant { tenant, said } => format!(
                "Den Mandanten {tenant} gibt es nicht («{said}»). Tragen Sie aus Entra > App-Registrierungen > Übersicht die Verzeichnis-ID (Mandant) ein."
            ),
            Self::MalformedTenant { tenant, said } => format!(
                "«{tenant}» ist weder eine Mandanten-ID noch eine Domäne («{said}»). Tragen Sie aus Entra > App-Registrierungen > Übersicht die Verzeichnis-ID (Mandant) ein."
            ),
            Self::LoginRefused { said } => format!(
                "Entra lehnt die Anmeldung ab («{said}»). Vergleichen Sie Mandant, Client-ID und Client-Secret mit Entra > App-Registrierungen, und prüfen Sie unter Unternehmensanwendungen, ob die Anwendung aktiviert ist."
            ),
            Self::TokenRefused { said } => format!(
                "Microsoft 365 nimmt das Zugriffstoken nicht an («{said}»). Prüfen Sie Datum und Uhrzeit der Box, und ob Anmelde- und Graph-Adresse zur selben Cloud gehören."
            ),
            Self::ConsentMissing { permission, said } => format!(
                "Der Anwendung fehlt die Berechtigung {permission} («{said}»). Wählen Sie in Entra unter App-Registrierungen > API-Berechtigungen: Berechtigung hinzufügen > Microsoft Graph > Anwendungsberechtigungen > {permission}, dann «Administratorzustimmung erteilen»; ist der Zugriff über RBAC in Exchange Online geregelt, prüfen Sie dort Rolle und Bereich."
            ),
            Self::AccessPolicy { mailbox, said } => format!(
                "Die Anwendung darf das Postfach {mailbox} nicht lesen («{said}»). Nehmen Sie es in Exchange Online in die Anwendungszugriffsrichtlinie oder den RBAC-Bereich der Anwendung auf; die Änderung wirkt nach etwa einer Stunde."
            ),
            Self::NoSuchMailbox { mailbox, said } => format!(
                "Das Postfach {mailbox} gibt es in diesem Mandanten nicht («{said}»). Prüfen Sie die Adresse in Entra > Benutzer; ein neues Postfach ist bis zu 15 Minuten lang noch nicht erreichbar."
            ),
            Self::NotInTheCloud { mailbox, said } => format!(
                "{mailbox} hat kein Postfach in Exchange Online («{said}»). Es liegt auf einem eigenen Server, ist inaktiv oder ohne Lizenz: prüfen Sie im Microsoft 365 Admin Center unter Benutzer > Lizenzen und Apps, oder archivieren Sie es mit dem Modul Mail über IMAP."
            ),
            Self::Throttled { said, seconds } => format!(
                "Microsoft 365 bremst die Zugriffe («{said}»). Die Box versucht es nach {seconds} Sekunden von selbst wieder; beenden Sie andere Programme, die dieselben Postfächer lesen, falls es so bleibt."
            ),
            Self::ServerTrouble { said } => format!(
                "Microsoft 365 ist gestört («{said}»). Die Box versucht es von selbst wieder; der Zustand der Dienste steht im Microsoft 365 Admin Center unter Integrität."
            ),
            Self::Unsure { said } => format!(
                "Microsoft 365 ist gestört («{said}»), und ob es trotzdem geschehen ist, sagt die Antwort nicht. Sehen Sie im Postfach nach, bevor Sie es wiederholen."
            ),
            Self::Refused { said } => format!(
                "Microsoft Graph hat die Anfrage abgelehnt («{said}»). Die Box versucht es wieder; bleibt es so, melden Sie uns diesen Wortlaut."
            ),
            Self::OtherHost { host } => format!(
                "Microsoft Graph verweist auf einen anderen Server ({host}); das Zugriffstoken wird nicht dorthin gesandt. Prüfen Sie die Graph-Adresse der Definition und einen Proxy dazwischen."
            ),
        }
    }

    fn english(&self) -> String {
        match self {
            Self::WrongSecret { app, said } => format!(
                "The client secret of application {app} is wrong (\"{said}\"). In Entra, under App registrations > Certificates & secrets, make a new secret and enter its column \"Value\"."
            ),
            Self::SecretIdGiven { app } => format!(
                "The client secret of application {app} is the Secret ID, not the value. Enter the column \"Value\" from Entra > App registrations > Certificates & secrets; it is shown only once, so make a new secret if need be."
            ),
            Self::SecretExpired { app, said } => format!(
                "The client secret of application {app} has expired (\"{said}\"). In Entra, under App registrations > Certificates & secrets, make a new one and enter its \"Value\"."
            ),
            Self::CertificateRefused { app, said } => format!(
                "Entra does not take the certificate of application {app} (\"{said}\"). In Entra, under App registrations > Certificates & secrets > Certificates, upload exactly this certificate, and check the date and time of the box."
            ),
            Self::CertificateUnusable { app, said } => format!(
                "Certificate or key of application {app} cannot be used ({said}). Give both as PEM; the key is RSA (2048 to 4096 bits) or P-256, as PKCS #8."
            ),
            Self::UnknownApp { app, tenant, said } => format!(
                "Tenant {tenant} has no application {app} (\"{said}\"). Compare Application (client) ID and Directory (tenant) ID with Entra > App registrations > Overview."
            ),
            Self::UnknownTenant { tenant, said } => format!(
                "There is no tenant {tenant} (\"{said}\"). Enter the Directory (tenant) ID from Entra > App registrations > Overview."
            ),
            Self::MalformedTenant { tenant, said } => format!(
                "\"{tenant}\" is neither a tenant ID nor a domain (\"{said}\"). Enter the Directory (tenant) ID from Entra > App registrations > Overview."
            ),
            Self::LoginRefused { said } => format!(
                "Entra refuses the login (\"{said}\"). Compare tenant, client ID and client secret with Entra > App registrations, and check under Enterprise applications that the application is enabled."
            ),
            Self::TokenRefused { said } => format!(
                "Microsoft 365 does not take the access token (\"{said}\"). Check the date and time of the box, and that login and Graph addresses are of the same cloud."
            ),
            Self::ConsentMissing { permission, said } => format!(
                "The application lacks the permission {permission} (\"{said}\"). In Entra, under App registrations > API permissions, choose Add a permission > Microsoft Graph > Application permissions > {permission}, then \"Grant admin consent\"; where access is ruled by RBAC in Exchange Online, check role and scope there."
            ),
            Self::AccessPolicy { mailbox, said } => format!(
                "The application may not read the mailbox {mailbox} (\"{said}\"). In Exchange Online, add it to the application access policy or the RBAC scope of the application; a change takes about an hour."
            ),
            Self::NoSuchMailbox { mailbox, said } => format!(
                "There is no mailbox {mailbox} in this tenant (\"{said}\"). Check the address in Entra > Users; a new mailbox cannot be reached for up to 15 minutes."
            ),
            Self::NotInTheCloud { mailbox, said } => format!(
                "{mailbox} has no mailbox in Exchange Online (\"{said}\"). It is on a server of your own, inactive or without licence: look in the Microsoft 365 admin center under Users > Licenses and apps, or archive it by IMAP with the module Mail."
            ),
            Self::Throttled { said, seconds } => format!(
                "Microsoft 365 slows down access (\"{said}\"). The box tries again by itself after {seconds} seconds; if it stays like this, stop other programs that read the same mailboxes."
            ),
            Self::ServerTrouble { said } => format!(
                "Microsoft 365 has trouble (\"{said}\"). The box tries again by itself; the state of the services is shown in the Microsoft 365 admin center under Health."
            ),
            Self::Unsure { said } => format!(
                "Microsoft 365 has trouble (\"{said}\"), and the answer does not say whether it was done all the same. Look in the mailbox before you repeat it."
            ),
            Self::Refused { said } => format!(
                "Microsoft Graph refused the request (\"{said}\"). The box tries again; if it stays like this, report these words to us."
            ),
            Self::OtherHost { host } => format!(
                "Microsoft Graph points to another server ({host}); the access token is not sent there. Check the Graph address of the definition, and any proxy in between."
            ),
        }
    }
}
