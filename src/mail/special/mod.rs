//! Parts that are neither text nor a file to save: signatures, encrypted mail, Outlook's `winmail.dat`, appointments, reports.

pub mod calendar;
pub mod cms;
pub mod report;
pub mod tnef;

use super::part_header::Part;
use crate::language::Lang;

/// What a part is, beyond its media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    /// S/MIME (RFC 8551): the message is inside its signature; [`cms::open`] takes it out.
    SmimeSigned,
    /// S/MIME: encrypted.
    SmimeEncrypted,
    /// S/MIME: the signature of another part.
    SmimeSignature,
    /// PGP/MIME (RFC 3156): encrypted.
    PgpEncrypted,
    /// PGP/MIME: the signature of another part.
    PgpSignature,
    /// `winmail.dat`; [`tnef::read`] takes out what is in it.
    Tnef,
    /// An appointment; [`calendar::events`] reads it.
    Calendar,
    /// What became of a message; [`report::read`] reads it.
    DeliveryReport,
    /// Whether a message was displayed (RFC 8098); [`report::read`] reads it.
    ReadReceipt,
}

impl Special {
    /// What a part is; none for text, pictures, files. For `application/pkcs7-mime` that does not say what it is, the
    /// content decides: [`cms::open`].
    pub fn of(part: &Part) -> Option<Self> {
        let name = part.name.to_ascii_lowercase();
        let ends = |ending: &str| name.rsplit_once('.').is_some_and(|(_, found)| found == ending);
        Some(match part.media_type.as_str() {
            "application/pkcs7-mime" | "application/x-pkcs7-mime" => match part.kind.as_str() {
                "signed-data" | "signed-receipt" => Self::SmimeSigned,
                _ if ends("p7s") => Self::SmimeSignature,
                "certs-only" => Self::SmimeSignature,
                _ => Self::SmimeEncrypted,
            },
            "application/pkcs7-signature" | "application/x-pkcs7-signature" => Self::SmimeSignature,
            "application/pgp-encrypted" => Self::PgpEncrypted,
            "application/pgp-signature" => Self::PgpSignature,
            "application/ms-tnef" | "application/vnd.ms-tnef" => Self::Tnef,
            "text/calendar" | "application/ics" => Self::Calendar,
            "message/delivery-status" | "message/global-delivery-status" => Self::DeliveryReport,
            "message/disposition-notification" | "message/global-disposition-notification" => Self::ReadReceipt,
            "application/octet-stream" if name == "winmail.dat" || name == "win.dat" => Self::Tnef,
            "application/octet-stream" if ends("p7m") => Self::SmimeEncrypted,
            "application/octet-stream" if ends("p7s") => Self::SmimeSignature,
            "application/octet-stream" if ends("ics") => Self::Calendar,
            _ => return None,
        })
    }

    /// One sentence for people.
    pub fn sentence(self, lang: Lang) -> &'static str {
        match (self, lang) {
            (Self::SmimeSigned, Lang::En) => "This mail is signed (S/MIME), its content is part of the signature.",
            (Self::SmimeSigned, Lang::De) => "Diese Mail ist signiert (S/MIME), ihr Inhalt ist Teil der Signatur.",
            (Self::SmimeEncrypted, Lang::En) => {
                "This mail is encrypted (S/MIME). It is archived as it came; open it in a mail program that has the key."
            }
            (Self::SmimeEncrypted, Lang::De) => {
                "Diese Mail ist verschlüsselt (S/MIME). Sie ist archiviert, wie sie kam; öffnen Sie sie in einem Mailprogramm mit dem Schlüssel."
            }
            (Self::SmimeSignature, Lang::En) => {
                "This mail is signed (S/MIME). The archive does not check the signature."
            }
            (Self::SmimeSignature, Lang::De) => {
                "Diese Mail ist signiert (S/MIME). Das Archiv prüft die Signatur nicht."
            }
            (Self::PgpEncrypted, Lang::En) => {
                "This mail is encrypted (PGP). It is archived as it came; open it in a mail program that has the key."
            }
            (Self::PgpEncrypted, Lang::De) => {
                "Diese Mail ist verschlüsselt (PGP). Sie ist archiviert, wie sie kam; öffnen Sie sie in einem Mailprogramm mit dem Schlüssel."
            }
            (Self::PgpSignature, Lang::En) => "This mail is signed (PGP). The archive does not check the signature.",
            (Self::PgpSignature, Lang::De) => "Diese Mail ist signiert (PGP). Das Archiv prüft die Signatur nicht.",
            (Self::Tnef, Lang::En) => "Outlook packed text and attachments of this mail into one file (winmail.dat).",
            (Self::Tnef, Lang::De) => "Outlook hat Text und Anhänge dieser Mail in eine Datei gepackt (winmail.dat).",
            (Self::Calendar, Lang::En) => "This mail contains an appointment.",
            (Self::Calendar, Lang::De) => "Diese Mail enthält einen Termin.",
            (Self::DeliveryReport, Lang::En) => "This is a report on the delivery of a mail.",
            (Self::DeliveryReport, Lang::De) => "Dies ist ein Bericht über die Zustellung einer Mail.",
            (Self::ReadReceipt, Lang::En) => "This is a confirmation that a mail was displayed.",
            (Self::ReadReceipt, Lang::De) => "Dies ist eine Bestätigung, dass eine Mail angezeigt wurde.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_recognised() {
        for (media_type, kind, name, expected) in [
            ("application/pkcs7-mime", "signed-data", "smime.p7m", Some(Special::SmimeSigned)),
            ("application/x-pkcs7-mime", "enveloped-data", "smime.p7m", Some(Special::SmimeEncrypted)),
            ("application/pkcs7-signature", "", "", Some(Special::SmimeSignature)),
            ("application/octet-stream", "", "WINMAIL.DAT", Some(Special::Tnef)),
            ("application/octet-stream", "", "a.bin", None),
            ("text/plain", "", "a.ics", None),
        ] {
            let part = Part { media_type: media_type.into(), kind: kind.into(), name: name.into(), ..Part::default() };
            assert_eq!(Special::of(&part), expected, "{media_type} {kind} {name}");
        }
    }
}
