"""The mails of the sample company that are not like the others: each kind once."""

import datetime
import email.policy
from email.message import EmailMessage

import sample_files

DAY = datetime.datetime(2025, 11, 3, 9, 12, 5)
ANNA = ("Anna Muster", "anna.muster@muster-soehne.ch")
BEAT = ("Beat Käser", "beat.kaeser@muster-soehne.ch")
CHLOE = ("Chloé Rochat", "chloe.rochat@muster-soehne.ch")
DAVID = ("David Öztürk", "david.oeztuerk@muster-soehne.ch")
INFO = ("Muster & Söhne AG", "info@muster-soehne.ch")


def deliver_all(company, big):
    kinds = [video, invitation, signed, winmail, nested, emoji, without_subject, without_message_id, draft, junk, deleted]
    for number, make in enumerate(kinds):
        mail, places = make(company, DAY + datetime.timedelta(days=2 * number, minutes=37 * number))
        company.deliver(mail, *places)
    company.deliver(*large(company, datetime.datetime(2024, 6, 17, 16, 40, 12), big))


def video(company, date):
    text = "Hallo Anna\n\nHier das Video vom Testlauf. Bitte im Archiv ablegen und mir den Zugriffslink schicken.\n\nGruss, Beat\n"
    mail = company.message(BEAT, [ANNA], "Video Testlauf Förderband", date, text)
    mail.add_attachment(sample_files.VIDEO.read_bytes(), maintype="video", subtype="mp4", filename=sample_files.VIDEO.name)
    return mail, [("beat.kaeser", "Sent Items"), ("anna.muster", "Inbox")]


def invitation(company, date):
    start = date.replace(hour=13, minute=0, second=0) + datetime.timedelta(days=9)
    summary, place = "Bausitzung Büro Zürich", "Hofackerstrasse 12\\, Sitzungszimmer «Föhre»"
    mail = company.message(ANNA, [BEAT], f"Einladung: {summary}", date, "Bitte zusagen oder absagen.\n", cc=[CHLOE])
    calendar = sample_files.invitation(
        "b1f0c2@muster-soehne.ch", start, start + datetime.timedelta(hours=1), summary, place, ANNA[1], BEAT[1]
    )
    mail.add_alternative(calendar, subtype="calendar", params={"method": "REQUEST"}, cte="base64")
    return mail, [("anna.muster", "Sent Items"), ("beat.kaeser", "Inbox"), ("chloe.rochat", "Inbox")]


def signed(company, date):
    """multipart/signed (RFC 8551): the shape, with a signature that proves nothing."""
    mail = company.message(("Ruth Hürlimann", "r.huerlimann@kuesnacht.example"), [DAVID], "Signiert: Vertrag Schulhaus", date, "")
    part = EmailMessage(policy=email.policy.SMTP)
    part.set_content("Guten Tag Herr Öztürk\n\nDer Vertrag ist unterzeichnet und gilt ab heute.\n\nRuth Hürlimann\n", cte="quoted-printable")
    boundary = "----signed-5f1c3a9be7"
    protocol = 'protocol="application/pkcs7-signature"; micalg=sha-256'
    head = [f"{name}: {value}" for name, value in folded(mail)]
    body = part.as_bytes().replace(b"MIME-Version: 1.0\r\n", b"")
    signature = EmailMessage(policy=email.policy.SMTP)
    signature.set_content(
        sample_files.signature(company.r.randbytes(1200)),
        maintype="application", subtype="pkcs7-signature", params={"name": "smime.p7s"}, disposition="attachment", filename="smime.p7s",
    )  # fmt: skip
    signature = signature.as_bytes().replace(b"MIME-Version: 1.0\r\n", b"")
    head += ["MIME-Version: 1.0", f'Content-Type: multipart/signed; {protocol};\r\n boundary="{boundary}"', "", ""]
    line = b"\r\n--" + boundary.encode()
    data = "\r\n".join(head).encode() + line[2:] + b"\r\n" + body + line + b"\r\n" + signature + line + b"--\r\n"
    return data, [("david.oeztuerk", "Inbox")]


def folded(mail):
    """The fields of a mail that are not about its body, as they are written."""
    for name, value in mail.items():
        if name.lower() not in ("content-type", "content-transfer-encoding", "mime-version"):
            yield name, mail.policy.clone(linesep="\r\n").fold(name, value).partition(": ")[2].rstrip("\r\n")


def winmail(company, date):
    them = ("Peter Wright", "p.wright@wright-steel.example")
    mail = company.message(them, [CHLOE], "Steel certificates", date, "The certificates are attached.\n")
    pdf = sample_files.pdf("Certificate 4711", ["Steel S355", "Batch 20-118", "Wright Steel Ltd."])
    data = sample_files.tnef("Steel certificates", "The certificates are attached.", "Certificate 4711.pdf", pdf)
    mail.add_attachment(data, maintype="application", subtype="ms-tnef", filename="winmail.dat")
    return mail, [("chloe.rochat", "Fournisseurs")]


def nested(company, date):
    """A mail within a mail."""
    inner = company.message(("Jürg Brändli", "j.braendli@holzbau-braendli.example"), [INFO], "Täferdecke: Nachtrag",
                            date - datetime.timedelta(days=1), "Grüezi\n\nDer Nachtrag für die Täferdecke folgt diese Woche.\n\nJ. Brändli\n")  # fmt: skip
    mail = company.message(INFO, [BEAT], "WG: Täferdecke: Nachtrag", date, "Zur Kenntnis, Mail im Anhang.\n")
    mail.add_attachment(inner)
    return mail, [("info", "Sent Items"), ("beat.kaeser", "Projekte/Büro Zürich")]


def emoji(company, date):
    html = (
        "<html><body style='font-family:sans-serif'><p>Salut à tous 🎉</p><p>Apéro <b>vendredi</b> à 17&nbsp;h : "
        "<img src='cid:plan@muster' alt='Plan'></p><p style='color:#2f5d8a'>À votre santé ! 🥂 Chloé</p></body></html>"
    )
    mail = company.message(CHLOE, [ANNA, BEAT, DAVID], "🎉 Apéro vendredi – 10 ans à Genève !", date, "Apéro vendredi à 17 h 🎉\n")
    mail.add_alternative(html, subtype="html", cte="base64")
    picture = sample_files.landscape(7, 120, 60)
    mail.get_payload()[1].add_related(picture, maintype="image", subtype="png", cid="<plan@muster>", filename="plan.png", disposition="inline")
    return mail, [("chloe.rochat", "Sent Items"), *((who, "Inbox") for who in ("anna.muster", "beat.kaeser", "david.oeztuerk"))]


def without_subject(company, date):
    mail = company.message(("", "scanner@muster-soehne.ch"), [DAVID], "", date, "Scan von Gerät «Empfang».\n")
    del mail["Subject"]
    mail.add_attachment(sample_files.pdf("Scan 0031", ["Lieferschein", "Stahl Linz GmbH, Österreich"]),
                        maintype="application", subtype="pdf", filename="Scan_0031.pdf")  # fmt: skip
    return mail, [("david.oeztuerk", "Lieferanten/Österreich")]


def without_message_id(company, date):
    mail = company.message(("Bewerbung", "mia.loetscher@post.example"), [INFO], "Bewerbung als Bauführerin", date,
                           "Sehr geehrte Damen und Herren\n\nGerne bewerbe ich mich um die Stelle.\n\nMia Lötscher\n")  # fmt: skip
    del mail["Message-ID"]
    mail.add_attachment(sample_files.docx(["Lebenslauf", "Mia Lötscher, Bauführerin HF"]), maintype="application",
                        subtype="vnd.openxmlformats-officedocument.wordprocessingml.document", filename="Lebenslauf Lötscher.docx")  # fmt: skip
    return mail, [("info", "Bewerbungen")]


def draft(company, date):
    return company.message(ANNA, [BEAT], "Entwurf: Lohnrunde", date, "Noch nicht senden.\n"), [("anna.muster", "Drafts")]


def junk(company, date):
    them = ("Lottery", "winner@lottery.example")
    return company.message(them, [INFO], "You have won!!!", date, "Send us your bank details.\n"), [("info", "Junk Email")]


def deleted(company, date):
    them = ("Nordlicht Baustoffe", "news@nordlicht.example")
    return company.message(them, [BEAT], "Ihr Warenkorb wartet", date, "Noch drei Artikel im Warenkorb.\n"), [("beat.kaeser", "Deleted Items")]


def large(company, date, size):
    text = "Guten Tag Herr Käser\n\nIm Anhang alle Pläne in einer Datei.\n\nWolfgang Weiß\n"
    mail = company.message(("Wolfgang Weiß", "weiss@stahl-linz.example"), [BEAT], "Gesamte Baupläne Brücke Emmental", date, text)
    # Base64 makes 78 bytes of 57.
    data = b"PK\x03\x04" + company.r.randbytes(size // 78 * 57)
    mail.add_attachment(data, maintype="application", subtype="zip", filename="Baupläne Brücke Emmental.zip")
    return mail, ("beat.kaeser", "Projekte/Brücke Emmental")
