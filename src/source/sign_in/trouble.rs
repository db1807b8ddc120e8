//! What can go wrong with a sign-in, and what a person does about it.

use std::time::Duration;

use crate::language::Lang;
use crate::source::Retry;

/// A sign-in that came to nothing. `said` are the server's own words, one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    #[error("nobody has signed in to {account} yet")]
    Never { account: String },
    #[error("the sign-in counts no longer: {said}")]
    Ended { said: String },
    #[error("Microsoft knows no application {app} for this account: {said}")]
    UnknownApp { app: String, said: String },
    /// The application is for personal accounts, and those sign in at a place of their own.
    #[error("the application is for personal accounts only, and tenant {tenant} is not where they sign in")]
    PersonalOnly { tenant: String },
    #[error("there is no directory {tenant}: {said}")]
    WrongTenant { tenant: String, said: String },
    #[error("application {app} may not sign in by a code: public client flows are not allowed")]
    NotPublic { app: String },
    #[error("application {app} may not ask for IMAP: {said}")]
    NoImap { app: String, said: String },
    #[error("the sign-in was declined")]
    Declined,
    #[error("the code was not typed in in time")]
    CodeExpired,
    /// The code ended while nobody could be asked whether it was typed in.
    #[error("Microsoft could not be asked until the code ended: {said}")]
    CutOff { said: String },
    #[error("Microsoft has trouble: {said}")]
    ServerTrouble { said: String },
    #[error("Microsoft refuses the sign-in: {said}")]
    Refused { said: String },
    /// The new refresh token could not be kept.
    #[error("the sign-in could not be stored: {said}")]
    NotStored { said: String },
    #[error("the sign-in that is stored could not be read: {said}")]
    NotRead { said: String },
}

impl Trouble {
    /// When it makes sense to try again.
    pub fn retry(&self) -> Retry {
        match self {
            Self::ServerTrouble { .. } => Retry::After(Duration::from_mins(5)),
            Self::Refused { .. } => Retry::After(Duration::from_mins(10)),
            Self::NotStored { .. } | Self::NotRead { .. } => Retry::After(Duration::from_mins(1)),
            _ => Retry::Never,
        }
    }

    /// What is wrong, and what to do.
    pub fn sentence(&self, lang: Lang) -> String {
        match lang {
            Lang::De => self.german(),
            Lang::En => self.english(),
        }
    }

    fn german(&self) -> String {
        match self {
            Self::Never { account } => format!(
                "Für {account} hat sich noch niemand bei Microsoft angemeldet. Öffnen Sie die Einstellungen der Definition, und wählen Sie «Anmelden»."
            ),
            Self::Ended { said } => format!(
                "Die Anmeldung bei Microsoft gilt nicht mehr («{said}»). Öffnen Sie die Einstellungen der Definition, und melden Sie das Konto neu an."
            ),
            Self::UnknownApp { app, said } => format!(
                "Microsoft kennt die Anwendung {app} für dieses Konto nicht («{said}»). Vergleichen Sie die Anwendungs-ID mit Entra > App-Registrierungen; unter «Unterstützte Kontotypen» müssen persönliche Microsoft-Konten dabei sein."
            ),
            Self::PersonalOnly { tenant } => format!(
                "Die Anwendung ist nur für persönliche Konten, und diese melden sich nicht im Mandanten {tenant} an. Tragen Sie bei «Mandant der Anmeldung» consumers ein."
            ),
            Self::WrongTenant { tenant, said } => format!(
                "Das Verzeichnis {tenant} gibt es bei Microsoft nicht («{said}»). Tragen Sie bei «Mandant der Anmeldung» für persönliche Konten consumers ein, sonst die Verzeichnis-ID (Mandant) aus Entra > App-Registrierungen > Übersicht."
            ),
            Self::NotPublic { app } => format!(
                "Die Anwendung {app} darf sich nicht mit einem Code anmelden. Stellen Sie in Entra > App-Registrierungen > Authentifizierung «Öffentliche Clientflows zulassen» auf Ja."
            ),
            Self::NoImap { app, said } => format!(
                "Die Anwendung {app} darf nicht nach IMAP fragen («{said}»). Fügen Sie in Entra > App-Registrierungen > API-Berechtigungen die delegierte Berechtigung IMAP.AccessAsUser.All hinzu."
            ),
            Self::Declined => {
                "Die Anmeldung wurde abgelehnt. Beginnen Sie neu, und stimmen Sie bei Microsoft zu.".to_owned()
            }
            Self::CodeExpired => "Der Code wurde nicht rechtzeitig eingegeben. Fordern Sie einen neuen an.".to_owned(),
            Self::CutOff { said } => format!(
                "Microsoft war nicht zu erreichen, bis der Code abgelaufen ist ({said}). Prüfen Sie den Netzanschluss der Box, und fordern Sie einen neuen Code an."
            ),
            Self::ServerTrouble { said } => format!(
                "Die Anmeldung von Microsoft ist gestört («{said}»). Versuchen Sie es in einigen Minuten noch einmal."
            ),
            Self::Refused { said } => format!(
                "Microsoft hat die Anmeldung abgelehnt («{said}»). Prüfen Sie die Anwendungs-ID, und beginnen Sie neu."
            ),
            Self::NotStored { said } => format!(
                "Die neue Anmeldung konnte nicht gespeichert werden ({said}). Prüfen Sie den freien Platz des Archivs; die Box versucht es wieder."
            ),
            Self::NotRead { said } => format!(
                "Die gespeicherte Anmeldung ist nicht lesbar ({said}). Prüfen Sie den Datenträger des Archivs; hilft das nicht, melden Sie das Konto neu an."
            ),
        }
    }

    fn english(&self) -> String {
        match self {
            Self::Never { account } => format!(
                "Nobody has signed in to {account} at Microsoft yet. Open the settings of the definition, and choose \"Sign in\"."
            ),
            Self::Ended { said } => format!(
                "The sign-in at Microsoft counts no longer (\"{said}\"). Open the settings of the definition, and sign the account in again."
            ),
            Self::UnknownApp { app, said } => format!(
                "Microsoft knows no application {app} for this account (\"{said}\"). Compare the application ID with Entra > App registrations; \"Supported account types\" has to include personal Microsoft accounts."
            ),
            Self::PersonalOnly { tenant } => format!(
                "The application is for personal accounts only, and these do not sign in at tenant {tenant}. Enter consumers at \"Tenant of the sign-in\"."
            ),
            Self::WrongTenant { tenant, said } => format!(
                "Microsoft has no directory {tenant} (\"{said}\"). At \"Tenant of the sign-in\" enter consumers for personal accounts, else the Directory (tenant) ID from Entra > App registrations > Overview."
            ),
            Self::NotPublic { app } => format!(
                "Application {app} may not sign in by a code. In Entra > App registrations > Authentication set \"Allow public client flows\" to Yes."
            ),
            Self::NoImap { app, said } => format!(
                "Application {app} may not ask for IMAP (\"{said}\"). In Entra > App registrations > API permissions add the delegated permission IMAP.AccessAsUser.All."
            ),
            Self::Declined => "The sign-in was declined. Begin again, and agree at Microsoft.".to_owned(),
            Self::CodeExpired => "The code was not typed in in time. Ask for a new one.".to_owned(),
            Self::CutOff { said } => format!(
                "Microsoft could not be reached until the code ended ({said}). Check the network of the box, and ask for a new code."
            ),
            Self::ServerTrouble { said } => {
                format!("Microsoft's sign-in has trouble (\"{said}\"). Try again in some minutes.")
            }
            Self::Refused { said } => {
                format!("Microsoft refused the sign-in (\"{said}\"). Check the application ID, and begin again.")
            }
            Self::NotStored { said } => format!(
                "The new sign-in could not be stored ({said}). Check the free space of the archive; the box tries again."
            ),
            Self::NotRead { said } => format!(
                "The stored sign-in cannot be read ({said}). Check the disk of the archive; if that does not help, sign the account in again."
            ),
        }
    }
}
