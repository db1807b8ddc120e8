//! The setup assistant: where mail is, the steps in Entra, lists of mailboxes, sign-ins by a code, the first run.

/// See [`super::Texts`].
#[derive(Debug)]
pub struct Assistant {
    pub title: &'static str,
    pub new_with: &'static str,
    pub question: &'static str,
    pub question_help: &'static str,
    pub o365: &'static str,
    pub o365_help: &'static str,
    pub other: &'static str,
    pub other_help: &'static str,
    pub list: &'static str,
    pub list_help: &'static str,
    pub not_by_name: &'static str,
    pub by_hand: &'static str,
    pub wrong: &'static str,
    pub go_on: &'static str,
    pub source_name: &'static str,
    pub source_name_help: &'static str,
    pub advanced: &'static str,
    pub o365_title: &'static str,
    pub o365_intro: &'static str,
    pub step_app: &'static str,
    pub step_app_1: &'static str,
    pub step_app_2: &'static str,
    pub step_app_3: &'static str,
    pub client_id: &'static str,
    pub tenant: &'static str,
    pub tenant_help: &'static str,
    pub step_rights: &'static str,
    pub step_rights_1: &'static str,
    pub step_rights_2: &'static str,
    pub step_rights_3: &'static str,
    pub step_secret: &'static str,
    pub step_secret_1: &'static str,
    pub step_secret_2: &'static str,
    pub client_secret: &'static str,
    pub step_mailboxes: &'static str,
    pub rbac: &'static str,
    pub rbac_help: &'static str,
    pub rbac_after: &'static str,
    pub fault_tenant_address: fn(&str) -> String,
    pub fault_client_id: &'static str,
    pub fault_same_ids: &'static str,
    pub fault_masked: &'static str,
    pub fault_spaces: &'static str,
    pub fault_address: &'static str,
    pub fault_taken: fn(&str) -> String,
    pub fault_password: &'static str,
    pub fault_server: fn(&str) -> String,
    pub fault_ask: fn(&str) -> String,
    pub other_title: &'static str,
    pub other_intro: &'static str,
    pub address: &'static str,
    pub password: &'static str,
    pub provider: &'static str,
    pub by_address: &'static str,
    pub provider_help: &'static str,
    pub part_server: &'static str,
    pub server_empty: &'static str,
    pub login: &'static str,
    pub login_help: &'static str,
    pub port_empty: &'static str,
    pub encryption_usual: &'static str,
    pub recognised: fn(&str) -> String,
    pub hint_app_password: fn(&str) -> String,
    pub hint_google: &'static str,
    pub hint_sign_in: &'static str,
    pub hint_switch_on: fn(&str) -> String,
    pub hint_telekom: &'static str,
    pub hint_second_factor: fn(&str) -> String,
    pub hint_device: fn(&str) -> String,
    pub hint_mailbox_name: fn(&str) -> String,
    pub app_1: &'static str,
    pub app_2: &'static str,
    pub app_3: &'static str,
    pub app_4: &'static str,
    pub app_id: &'static str,
    pub app_id_help: &'static str,
    pub app_tenant: &'static str,
    pub app_tenant_help: &'static str,
    pub sign_in_title: &'static str,
    pub sign_in_none: &'static str,
    pub sign_in_asking: &'static str,
    pub sign_in_open: &'static str,
    pub sign_in_type: &'static str,
    pub sign_in_as: fn(&str) -> String,
    pub sign_in_until: &'static str,
    pub sign_in_done: &'static str,
    pub sign_in_begin: &'static str,
    pub sign_in_again: &'static str,
    pub sign_in_busy: &'static str,
    pub signs_in: &'static str,
    pub list_title: &'static str,
    pub list_intro: &'static str,
    pub list_field: &'static str,
    pub list_check: &'static str,
    pub list_good: fn(usize) -> String,
    pub list_bad: fn(usize) -> String,
    pub list_empty: &'static str,
    pub list_long: fn(usize) -> String,
    pub list_gone: &'static str,
    pub list_store: &'static str,
    pub list_line: &'static str,
    pub list_server: &'static str,
    pub list_fine: &'static str,
    pub list_stored: fn(usize) -> String,
    /// Definitions that are stored and were not tested.
    pub list_left: fn(&str) -> String,
    pub first_title: &'static str,
    pub first_test: &'static str,
    pub first_testing: &'static str,
    pub first_passed: &'static str,
    pub first_begin: &'static str,
    pub first_untested: &'static str,
    pub first_failed: &'static str,
    pub first_again: &'static str,
    pub first_change: &'static str,
    pub first_anyway: &'static str,
    pub first_waits: &'static str,
    pub first_running: &'static str,
    pub first_ended: &'static str,
    pub first_trouble: &'static str,
    pub first_archived: &'static str,
    pub first_rate: &'static str,
    pub first_left: &'static str,
    pub first_unsaid: &'static str,
    pub first_folder_only: &'static str,
    pub first_place: fn(u64, u64, u64, u64) -> String,
    pub first_documents: &'static str,
    pub first_open: &'static str,
    pub first_no_right: &'static str,
    pub first_details: &'static str,
    pub mails_per_second: fn(String) -> String,
}

pub const DE: Assistant = Assistant {
    title: "Assistent",
    new_with: "Neue Quelle mit dem Assistenten",
    question: "Wo liegen Ihre Mails?",
    question_help: "Wählen Sie, von wo die Box archivieren soll. Auf dem Server wird nichts verändert. Weitere Quellen können Sie jederzeit hinzufügen.",
    o365: "Microsoft 365 (Firma)",
    o365_help: "Firmenadressen bei Microsoft, die man in Outlook oder unter outlook.office.com liest. Jemand, der Ihren Mandanten verwaltet, braucht dafür einmal zehn Minuten.",
    other: "Anderer Anbieter",
    other_help: "Bluewin, Hostpoint, Infomaniak, GMX, Gmail, Outlook.com, ein eigener Server … Meist genügen Adresse und Passwort.",
    list: "Mehrere Postfächer auf einmal",
    list_help: "Eine Liste mit Adressen und Passwörtern, zum Beispiel aus Excel.",
    not_by_name: "Ob eine Firmenadresse bei Microsoft 365 liegt, sieht man ihr nicht an. Fragen Sie, wer Ihre Mails betreut, wenn Sie es nicht wissen.",
    by_hand: "Ohne Assistenten, mit allen Feldern auf einer Seite",
    wrong: "Bitte verbessern Sie die markierten Felder. Passwörter und Secrets sind noch einmal einzugeben.",
    go_on: "Speichern und testen",
    source_name: "Name dieser Quelle",
    source_name_help: "Er steht in Listen und lässt sich später nicht mehr ändern.",
    advanced: "Weitere Einstellungen",
    o365_title: "Microsoft 365 einrichten",
    o365_intro: "Die Box meldet sich mit einer eigenen Anwendung an, nicht mit dem Passwort einer Person. Gehen Sie die Schritte in Entra durch; jeder Wert hat sein Feld dort, wo er entsteht.",
    step_app: "Anwendung registrieren",
    step_app_1: "Öffnen Sie https://entra.microsoft.com, und melden Sie sich als Administrator an.",
    step_app_2: "App-Registrierungen > Neue Registrierung. Name zum Beispiel «Archivista Box», «Nur Konten in diesem Organisationsverzeichnis», ohne Umleitungs-URI. Dann «Registrieren».",
    step_app_3: "Auf der Seite «Übersicht», die dann erscheint, stehen zwei IDs. Kopieren Sie beide hierher:",
    client_id: "Anwendungs-ID (Client)",
    tenant: "Verzeichnis-ID (Mandant)",
    tenant_help: "Oder eine Domäne des Mandanten, zum Beispiel firma.onmicrosoft.com",
    step_rights: "Berechtigungen geben",
    step_rights_1: "API-Berechtigungen > Berechtigung hinzufügen > Microsoft Graph > Anwendungsberechtigungen (nicht «Delegierte Berechtigungen»).",
    step_rights_2: "Kreuzen Sie Mail.Read und User.Read.All an, dann «Berechtigungen hinzufügen». Mail.ReadWrite anstelle von Mail.Read braucht es nur, wenn die Box Mails verschieben, löschen oder zurückspielen soll.",
    step_rights_3: "Klicken Sie «Administratorzustimmung erteilen» an. In der Spalte «Status» muss bei beiden ein grünes Häkchen stehen.",
    step_secret: "Secret erstellen",
    step_secret_1: "Zertifikate & Geheimnisse > Geheime Clientschlüssel > Neuer geheimer Clientschlüssel. Als Ablauf zum Beispiel 24 Monate.",
    step_secret_2: "Kopieren Sie sofort die Spalte «Wert»; sie wird nur einmal gezeigt. Die Spalte «Geheime ID» wird nicht gebraucht.",
    client_secret: "Wert des Secrets",
    step_mailboxes: "Postfächer wählen",
    rbac: "Die Anwendung auf einzelne Postfächer beschränken",
    rbac_help: "Mit Mail.Read in Entra darf die Anwendung alle Postfächer des Mandanten lesen. Soll sie das nicht, so lassen Sie Mail.Read in Entra weg, und geben Sie das Recht in Exchange Online mit RBAC for Applications, beschränkt auf die Mitglieder einer Gruppe. Die Objekt-ID steht in Entra unter «Unternehmensanwendungen», nicht unter «App-Registrierungen». In PowerShell:",
    rbac_after: "Geben Sie dann oben die Adressen einzeln an. Eine Änderung wirkt nach etwa einer Stunde; den ganzen Bereich prüft",
    fault_tenant_address: |name| {
        format!(
            "Das ist eine Mail-Adresse. Geben Sie nur {name} an, oder die Verzeichnis-ID (Mandant) aus der Übersicht."
        )
    },
    fault_client_id: "Das ist keine Anwendungs-ID: sie sieht aus wie 48d31887-5fad-4d73-a9f5-3c356e68a038. Kopieren Sie sie aus Entra > App-Registrierungen > Übersicht.",
    fault_same_ids: "Hier steht dieselbe ID wie im anderen Feld. In Entra > App-Registrierungen > Übersicht stehen zwei verschiedene: Anwendungs-ID (Client) und Verzeichnis-ID (Mandant).",
    fault_masked: "Das ist der verdeckte Wert, den Entra später zeigt. Er lässt sich nicht mehr ansehen; erstellen Sie ein neues Secret, und kopieren Sie «Wert» sofort.",
    fault_spaces: "Im Secret stehen Leerzeichen. Kopieren Sie nur die Spalte «Wert», mit dem Knopf daneben.",
    fault_taken: |name| {
        format!(
            "Die Definition «{name}» archiviert dieses Postfach schon. Ändern Sie jene, oder beenden Sie sie zuerst."
        )
    },
    fault_address: "Das ist keine Mail-Adresse. Geben Sie sie an wie anna@example.ch.",
    fault_password: "Es fehlt das Passwort. Geben Sie das des Postfachs an.",
    fault_server: |name| {
        format!(
            "Für {name} kennt die Box keinen Mail-Server. Wählen Sie den Anbieter aus der Liste, oder tragen Sie den Server ein. Oft heisst er imap.{name}; das ist nur eine Vermutung."
        )
    },
    fault_ask: |name| {
        format!("Bei {name} hat jeder Kunde einen anderen Server. Tragen Sie den ein, der im Kundenbereich steht.")
    },
    other_title: "Ein Postfach hinzufügen",
    other_intro: "Geben Sie Adresse und Passwort an. Die Box erkennt an der Adresse, wo die Mails liegen.",
    address: "Mail-Adresse",
    password: "Passwort",
    provider: "Anbieter",
    by_address: "An der Adresse erkennen",
    provider_help: "Für Adressen mit eigener Domäne: bei wem das Postfach liegt.",
    part_server: "Mail-Server",
    server_empty: "Leer: nach dem Anbieter.",
    login: "Benutzerkonto",
    login_help: "Womit man sich anmeldet. Leer: wie es beim Anbieter üblich ist, meist die Mail-Adresse.",
    port_empty: "Leer: wie üblich.",
    encryption_usual: "Wie üblich",
    recognised: |name| format!("Erkannt: {name}."),
    hint_app_password: |name| {
        format!(
            "{name} nimmt hier nur ein App-Passwort an, nicht das gewöhnliche. Erstellen Sie eines in den Sicherheitseinstellungen Ihres Kontos."
        )
    },
    hint_google: "Gmail nimmt hier nur ein App-Passwort an: myaccount.google.com > Sicherheit > Bestätigung in zwei Schritten, dann App-Passwörter. Eine Anmeldung mit Code gibt es bei Google für Mails nicht; Google lässt Geräte nicht nach Mails fragen.",
    hint_sign_in: "Outlook.com und Hotmail nehmen keine Passwörter an. Statt des Passworts braucht es eine Anmeldung mit einem Code und dafür die ID einer Anwendung:",
    hint_switch_on: |name| {
        format!(
            "Bei {name} muss IMAP zuerst eingeschaltet werden: im Postfach unter Einstellungen > POP3/IMAP-Abruf. Mit Zwei-Faktor-Anmeldung braucht es zudem ein Passwort für Anwendungen."
        )
    },
    hint_telekom: "Die Telekom verlangt das «Passwort für E-Mail-Programme», nicht das der Website. Sie legen es im Kundencenter fest.",
    hint_second_factor: |name| {
        format!(
            "Ist bei {name} die Zwei-Faktor-Anmeldung eingeschaltet, braucht es ein Passwort für Anwendungen statt des gewöhnlichen."
        )
    },
    hint_device: |name| {
        format!("Mit Zwei-Faktor-Anmeldung braucht es bei {name} ein Gerätepasswort statt des gewöhnlichen.")
    },
    hint_mailbox_name: |name| {
        format!(
            "Bei {name} meldet man sich bei älteren Postfächern mit dem Namen des Postfachs aus dem Kundenbereich an, nicht mit der Adresse. Tragen Sie ihn bei «Benutzerkonto» ein."
        )
    },
    app_1: "Öffnen Sie https://entra.microsoft.com mit irgendeinem Mandanten, zum Beispiel dem Ihrer Firma. App-Registrierungen > Neue Registrierung, Kontotypen: «Nur persönliche Microsoft-Konten», ohne Umleitungs-URI.",
    app_2: "Authentifizierung > Erweiterte Einstellungen > «Öffentliche Clientflows zulassen»: Ja.",
    app_3: "API-Berechtigungen > Microsoft Graph > Delegierte Berechtigungen: IMAP.AccessAsUser.All und offline_access.",
    app_4: "Schalten Sie im Postfach IMAP ein: outlook.live.com > Einstellungen > E-Mail > Weiterleitung und IMAP.",
    app_id: "ID der Anwendung",
    app_id_help: "Anwendungs-ID (Client) aus der Übersicht dieser Registrierung",
    app_tenant: "Mandant der Anmeldung",
    app_tenant_help: "consumers für persönliche Konten",
    sign_in_title: "Bei Microsoft anmelden",
    sign_in_none: "Noch ist keine Anmeldung im Gang.",
    sign_in_asking: "Ein Code wird angefordert …",
    sign_in_open: "Öffnen Sie auf irgendeinem Gerät diese Adresse:",
    sign_in_type: "Geben Sie dort diesen Code ein:",
    sign_in_as: |name| {
        format!(
            "Melden Sie sich als {name} an, und stimmen Sie zu. Diese Seite merkt von selbst, wenn Sie fertig sind."
        )
    },
    sign_in_until: "Der Code gilt noch bis",
    sign_in_done: "Angemeldet. Die Box erneuert die Anmeldung von selbst.",
    sign_in_begin: "Anmelden",
    sign_in_again: "Neuen Code anfordern",
    sign_in_busy: "Es sind schon zu viele Anmeldungen im Gang. Versuchen Sie es in einigen Minuten noch einmal.",
    signs_in: "Meldet sich bei Microsoft an, ohne Passwort.",
    list_title: "Mehrere Postfächer hinzufügen",
    list_intro: "Fügen Sie eine Tabelle ein: Adresse und Passwort, wenn nötig auch Server, Port und Verschlüsselung (TLS, STARTTLS, keine). Dazwischen steht ein Strichpunkt, ein Komma oder ein Tabulator; eine Kopfzeile darf da sein. Es wird noch nichts gespeichert.",
    list_field: "Postfächer",
    list_check: "Prüfen",
    list_good: |count| format!("Postfächer: {count}. Alle Zeilen sind in Ordnung; gespeichert ist noch nichts."),
    list_bad: |count| {
        format!(
            "Zeilen mit Fehlern: {count}. Verbessern Sie diese in Ihrer Tabelle, und fügen Sie sie noch einmal ein. Es ist nichts gespeichert."
        )
    },
    list_empty: "Darin steht kein Postfach. Fügen Sie mindestens eine Zeile wie anna@example.ch;Passwort ein.",
    list_long: |count| format!("Es sind mehr als {count} Zeilen. Teilen Sie die Liste auf."),
    list_gone: "Diese Liste wartet nicht mehr. Fügen Sie sie noch einmal ein.",
    list_store: "Speichern und testen",
    list_line: "Zeile",
    list_server: "Mail-Server",
    list_fine: "In Ordnung",
    list_stored: |count| {
        format!(
            "Gespeichert. Definitionen: {count}, für jeden Mail-Server eine. Sie werden nacheinander getestet und beginnen dann von selbst; was inaktiv bleibt, steht unten mit einem Knopf."
        )
    },
    list_left: |names| {
        format!("Noch nicht getestet und inaktiv: {names}. Wählen Sie unten bei jeder «Testen und beginnen».")
    },
    first_title: "Erster Lauf",
    first_test: "Test",
    first_testing: "Die Verbindung wird getestet. Wenn alles gelingt, beginnt die Archivierung von selbst.",
    first_passed: "Der Test ist bestanden; archiviert wird noch nichts. Beginnen Sie, wenn alles stimmt.",
    first_begin: "Beginnen",
    first_untested: "Noch nicht getestet.",
    first_failed: "Der Test hat Fehler gefunden. Bringen Sie in Ordnung, was unten steht, und testen Sie noch einmal.",
    first_again: "Noch einmal testen",
    first_change: "Werte ändern",
    first_anyway: "Trotzdem beginnen",
    first_waits: "Die Archivierung beginnt, sobald die Box frei ist.",
    first_running: "Die Mails werden archiviert. Sie können diese Seite schliessen; die Box arbeitet weiter.",
    first_ended: "Der erste Lauf ist beendet. Die Box schaut von jetzt an von selbst alle paar Minuten nach.",
    first_trouble: "Der Lauf ist mit einer Störung beendet. Die Box versucht es wieder.",
    first_archived: "Bisher archiviert",
    first_rate: "Tempo",
    first_left: "Dauert noch",
    first_unsaid: "lässt sich noch nicht sagen",
    first_folder_only: "für diesen Ordner; für das Ganze lässt es sich noch nicht sagen",
    first_place: |mailbox, mailboxes, folder, folders| {
        format!("Postfach {mailbox} von {mailboxes}, Ordner {folder} von {folders}")
    },
    first_documents: "Die ersten Mails sind da.",
    first_open: "Ansehen in WebDMS",
    first_no_right: "Sie dürfen keine Akten lesen. Geben Sie unter Benutzer jemandem das Recht dazu.",
    first_details: "Alles über diese Quelle",
    mails_per_second: |count| format!("{count} Mails pro Sekunde"),
};

pub const EN: Assistant = Assistant {
    title: "Assistant",
    new_with: "New source with the assistant",
    question: "Where is your mail?",
    question_help: "Choose where the box is to archive from. Nothing is changed on the server. You can add further sources at any time.",
    o365: "Microsoft 365 (organisation)",
    o365_help: "Addresses of an organisation at Microsoft, read in Outlook or at outlook.office.com. Somebody who administers your tenant needs ten minutes for it, once.",
    other: "Another provider",
    other_help: "Bluewin, Hostpoint, Infomaniak, GMX, Gmail, Outlook.com, a server of your own … Address and password mostly do.",
    list: "Several mailboxes at once",
    list_help: "A list of addresses and passwords, from Excel for example.",
    not_by_name: "Whether the address of an organisation is at Microsoft 365 cannot be seen from it. If you do not know, ask whoever looks after your mail.",
    by_hand: "Without the assistant, with all fields on one page",
    wrong: "Please correct the marked fields. Passwords and secrets have to be entered again.",
    go_on: "Save and test",
    source_name: "Name of this source",
    source_name_help: "It stands in lists, and cannot be changed later.",
    advanced: "Further settings",
    o365_title: "Set up Microsoft 365",
    o365_intro: "The box logs in by an application of its own, not by the password of a person. Go through the steps in Entra; each value has its field where it arises.",
    step_app: "Register an application",
    step_app_1: "Open https://entra.microsoft.com, and log in as an administrator.",
    step_app_2: "App registrations > New registration. Name, for example, \"Archivista Box\"; accounts in this organizational directory only; no redirect URI. Then \"Register\".",
    step_app_3: "The page \"Overview\" that appears then shows two IDs. Copy both here:",
    client_id: "Application (client) ID",
    tenant: "Directory (tenant) ID",
    tenant_help: "Or a domain of the tenant, such as company.onmicrosoft.com",
    step_rights: "Give permissions",
    step_rights_1: "API permissions > Add a permission > Microsoft Graph > Application permissions (not \"Delegated permissions\").",
    step_rights_2: "Tick Mail.Read and User.Read.All, then \"Add permissions\". Mail.ReadWrite in place of Mail.Read is needed only if the box is to move, delete or play back mails.",
    step_rights_3: "Click \"Grant admin consent\". In the column \"Status\" both have to show a green check mark.",
    step_secret: "Make a secret",
    step_secret_1: "Certificates & secrets > Client secrets > New client secret. Expires, for example, after 24 months.",
    step_secret_2: "Copy the column \"Value\" at once; it is shown only once. The column \"Secret ID\" is not needed.",
    client_secret: "Value of the secret",
    step_mailboxes: "Choose mailboxes",
    rbac: "Limit the application to some mailboxes",
    rbac_help: "With Mail.Read in Entra the application may read all mailboxes of the tenant. If it is not to, leave Mail.Read out in Entra, and give the right in Exchange Online by RBAC for Applications, limited to the members of a group. The object ID is the one under \"Enterprise applications\" in Entra, not under \"App registrations\". In PowerShell:",
    rbac_after: "Then give the addresses one by one above. A change takes about an hour; the whole scope is tested by",
    fault_tenant_address: |name| {
        format!("This is a mail address. Give only {name}, or the Directory (tenant) ID from the overview.")
    },
    fault_client_id: "This is no application ID: it looks like 48d31887-5fad-4d73-a9f5-3c356e68a038. Copy it from Entra > App registrations > Overview.",
    fault_same_ids: "This is the same ID as in the other field. Entra > App registrations > Overview shows two different ones: Application (client) ID and Directory (tenant) ID.",
    fault_masked: "This is the masked value that Entra shows later. It can no longer be seen; make a new secret, and copy \"Value\" at once.",
    fault_spaces: "There are spaces in the secret. Copy the column \"Value\" only, by the button beside it.",
    fault_taken: |name| {
        format!("The definition \"{name}\" archives this mailbox already. Change that one, or end it first.")
    },
    fault_address: "This is no mail address. Give it as in anna@example.ch.",
    fault_password: "The password is missing. Give that of the mailbox.",
    fault_server: |name| {
        format!(
            "The box knows no mail server for {name}. Choose the provider from the list, or enter the server. Often it is called imap.{name}; that is only a guess."
        )
    },
    fault_ask: |name| {
        format!("At {name} each customer has another server. Enter the one that stands in the customer area.")
    },
    other_title: "Add a mailbox",
    other_intro: "Give address and password. The box recognises by the address where the mails lie.",
    address: "Mail address",
    password: "Password",
    provider: "Provider",
    by_address: "Recognise by the address",
    provider_help: "For addresses with a domain of their own: where the mailbox lies.",
    part_server: "Mail server",
    server_empty: "Empty: as the provider has it.",
    login: "Account",
    login_help: "What one logs in with. Empty: as usual at the provider, mostly the mail address.",
    port_empty: "Empty: as usual.",
    encryption_usual: "As usual",
    recognised: |name| format!("Recognised: {name}."),
    hint_app_password: |name| {
        format!(
            "{name} takes only an app password here, not the usual one. Make one in the security settings of your account."
        )
    },
    hint_google: "Gmail takes only an app password here: myaccount.google.com > Security > 2-Step Verification, then App passwords. There is no sign-in by a code for mail at Google; Google lets no device ask for mail.",
    hint_sign_in: "Outlook.com and Hotmail take no passwords. In place of the password a sign-in by a code is needed, and for that the ID of an application:",
    hint_switch_on: |name| {
        format!(
            "At {name} IMAP has to be switched on first: in the mailbox under settings > POP3/IMAP. With two-factor login an application password is needed as well."
        )
    },
    hint_telekom: "Telekom wants the \"password for e-mail programs\", not that of the website. It is set in the customer centre.",
    hint_second_factor: |name| {
        format!("With two-factor login at {name} an application password is needed in place of the usual one.")
    },
    hint_device: |name| {
        format!("With two-factor login a device password is needed at {name} in place of the usual one.")
    },
    hint_mailbox_name: |name| {
        format!(
            "At {name} one logs in to older mailboxes with the name of the mailbox from the customer area, not with the address. Enter it at \"Account\"."
        )
    },
    app_1: "Open https://entra.microsoft.com with any tenant, for example that of your organisation. App registrations > New registration, account types: \"Personal Microsoft accounts only\", no redirect URI.",
    app_2: "Authentication > Advanced settings > \"Allow public client flows\": Yes.",
    app_3: "API permissions > Microsoft Graph > Delegated permissions: IMAP.AccessAsUser.All and offline_access.",
    app_4: "Switch on IMAP in the mailbox: outlook.live.com > Settings > Mail > Forwarding and IMAP.",
    app_id: "ID of the application",
    app_id_help: "Application (client) ID from the overview of this registration",
    app_tenant: "Tenant of the sign-in",
    app_tenant_help: "consumers for personal accounts",
    sign_in_title: "Sign in at Microsoft",
    sign_in_none: "No sign-in is under way yet.",
    sign_in_asking: "A code is asked for …",
    sign_in_open: "On any device, open this address:",
    sign_in_type: "Enter this code there:",
    sign_in_as: |name| format!("Log in as {name}, and agree. This page notices by itself when you are done."),
    sign_in_until: "The code holds until",
    sign_in_done: "Signed in. The box renews the sign-in by itself.",
    sign_in_begin: "Sign in",
    sign_in_again: "Ask for a new code",
    sign_in_busy: "Too many sign-ins are under way. Try again in some minutes.",
    signs_in: "Signs in at Microsoft, without a password.",
    list_title: "Add several mailboxes",
    list_intro: "Paste a table: address and password, and where needed server, port and encryption (TLS, STARTTLS, none). Semicolons, commas or tabs stand between; there may be a header line. Nothing is stored yet.",
    list_field: "Mailboxes",
    list_check: "Check",
    list_good: |count| format!("Mailboxes: {count}. All lines are in order; nothing is stored yet."),
    list_bad: |count| {
        format!("Lines with mistakes: {count}. Correct them in your table, and paste it again. Nothing is stored.")
    },
    list_empty: "There is no mailbox in it. Paste at least one line such as anna@example.ch;password.",
    list_long: |count| format!("There are more than {count} lines. Split the list."),
    list_gone: "This list waits no longer. Paste it again.",
    list_store: "Save and test",
    list_line: "Line",
    list_server: "Mail server",
    list_fine: "In order",
    list_stored: |count| {
        format!(
            "Stored. Definitions: {count}, one for each mail server. They are tested one after the other, and then begin by themselves; what stays inactive stands below with a button."
        )
    },
    list_left: |names| {
        format!("Not tested yet and inactive: {names}. Choose \"Test and begin\" at each of them below.")
    },
    first_title: "First run",
    first_test: "Test",
    first_testing: "The connection is being tested. If all goes well, archiving begins by itself.",
    first_passed: "The test has passed; nothing is archived yet. Begin when everything is right.",
    first_begin: "Begin",
    first_untested: "Not tested yet.",
    first_failed: "The test has found errors. Put right what stands below, and test again.",
    first_again: "Test again",
    first_change: "Change values",
    first_anyway: "Begin anyway",
    first_waits: "Archiving begins as soon as the box is free.",
    first_running: "The mails are being archived. You can close this page; the box goes on.",
    first_ended: "The first run has ended. From now on the box looks every few minutes by itself.",
    first_trouble: "The run has ended with trouble. The box tries again.",
    first_archived: "Archived so far",
    first_rate: "Rate",
    first_left: "Time left",
    first_unsaid: "can't be said yet",
    first_folder_only: "for this folder; for the whole it can't be said yet",
    first_place: |mailbox, mailboxes, folder, folders| {
        format!("Mailbox {mailbox} of {mailboxes}, folder {folder} of {folders}")
    },
    first_documents: "The first mails are there.",
    first_open: "Look at them in WebDMS",
    first_no_right: "You may read no documents. Give somebody the right to under Users.",
    first_details: "All about this source",
    mails_per_second: |count| format!("{count} mails per second"),
};
