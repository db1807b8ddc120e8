#!/usr/bin/env python3
"""company.py DIR: the mailboxes of a made-up Swiss company, Muster & Söhne AG, the same ones every time.

Writes DIR/ADDRESS/FOLDER/00001.eml ... as the simulator reads them (`--mailbox ADDRESS=DIR/ADDRESS`).
"""

import datetime
import email.policy
import email.utils
import pathlib
import random
import sys
from email.headerregistry import Address
from email.message import EmailMessage

import company_special
import company_words
import sample_files

DOMAIN = "muster-soehne.ch"
FIRST, LAST = datetime.datetime(2019, 2, 4, 7), datetime.datetime(2025, 11, 28, 17)
THREADS, NEWSLETTERS = 120, 28
BIG = 30_000_000  # Bytes of the largest mail, nearly.

# Who works here: mailbox, name, languages, and the folders that a person files mail in.
STAFF = {
    "anna.muster": ("Anna Muster", "de en", ["Inbox", "Kunden/Müller & Co", "Kunden/Gemeinde Küsnacht", "Verwaltungsrat"]),
    "beat.kaeser": ("Beat Käser", "de", ["Inbox", "Projekte/Büro Zürich", "Projekte/Schulhaus Küsnacht/Pläne", "Projekte/Brücke Emmental"]),
    "chloe.rochat": ("Chloé Rochat", "fr de", ["Inbox", "Projets/Rénovation Genève", "Projets/Lycée de Neuchâtel", "Fournisseurs"]),
    "david.oeztuerk": ("David Öztürk", "de en", ["Inbox", "Buchhaltung/Rechnungen 2023", "Buchhaltung/Rechnungen 2024", "Lieferanten/Österreich"]),
}
# A mailbox that nobody logs in to; several read it.
SHARED = "info"
SHARED_FOLDERS = ["Inbox", "Offerten %2F Aufträge", "Bewerbungen"]
# Who they write to, by language.
OTHERS = {
    "de": [("Jürg Brändli", "j.braendli@holzbau-braendli.example"), ("Ruth Hürlimann", "r.huerlimann@kuesnacht.example"),
           ("Müller & Co, Einkauf", "einkauf@mueller-co.example"), ("Wolfgang Weiß", "weiss@stahl-linz.example")],
    "fr": [("Étienne Lefèvre", "e.lefevre@atelier-lefevre.example"), ("Hôtel du Lac, Réception", "reception@hoteldulac.example"),
           ("François Dubœuf", "f.duboeuf@ville-geneve.example")],
    "en": [("Siobhán O’Connor", "siobhan@oconnor-partners.example"), ("Peter Wright", "p.wright@wright-steel.example"),
           ("Zoë Anderson", "zoe.anderson@nordlicht.example")],
}  # fmt: skip


class Company:
    """Delivers mails into mailboxes below a folder."""

    def __init__(self, place, seed=1):
        self.place, self.r, self.count = pathlib.Path(place), random.Random(seed), 0
        # Boundaries come from the generator that everybody shares.
        random.seed(seed)
        for mailbox, (_, _, folders) in [*STAFF.items(), (SHARED, (None, None, SHARED_FOLDERS))]:
            for folder in [*folders, "Sent Items"]:
                (self.root(mailbox) / folder).mkdir(parents=True, exist_ok=True)

    def root(self, mailbox):
        return self.place / f"{mailbox}@{DOMAIN}"

    def deliver(self, mail, *places):
        """The same bytes into each (mailbox, folder)."""
        data = mail if isinstance(mail, bytes) else mail.as_bytes(policy=email.policy.SMTP)
        self.count += 1
        for mailbox, folder in places:
            (self.root(mailbox) / folder).mkdir(parents=True, exist_ok=True)
            (self.root(mailbox) / folder / f"{self.count:05}.eml").write_bytes(data)

    def when(self, part):
        """A working hour of the last years, so far between the first and the last (0 to 1)."""
        return self.working_hour(FIRST + (LAST - FIRST) * part)

    def working_hour(self, day):
        return day.replace(hour=self.r.randint(7, 18), minute=self.r.randint(0, 59), second=self.r.randint(0, 59), microsecond=0)

    def message(self, sender, receivers, subject, date, text, *, cc=(), answers=None):
        mail = EmailMessage()
        moment = email.utils.format_datetime(date.replace(tzinfo=datetime.timezone.utc))
        mail["Received"] = f"from mx.example.net by mail.{DOMAIN} with ESMTPS; {moment}"
        mail["From"] = person(*sender)
        mail["To"] = [person(*one) for one in receivers]
        if cc:
            mail["Cc"] = [person(*one) for one in cc]
        mail["Subject"] = subject
        mail["Date"] = moment
        mail["Message-ID"] = f"<{self.r.getrandbits(64):016x}@{sender[1].partition('@')[2]}>"
        if answers is not None:
            mail["In-Reply-To"] = answers["Message-ID"]
            mail["References"] = f"{answers.get('References', '')} {answers['Message-ID']}".strip()
        mail.set_content(text, cte=self.r.choice(["8bit", "quoted-printable", "base64"]))
        return mail

    def thread(self):
        """A question and its answers, between one of us and somebody else."""
        mailbox = self.r.choice(list(STAFF))
        name, languages, folders = STAFF[mailbox]
        language = self.r.choice(languages.split())
        words = company_words.LANGUAGES[language]
        topic, about = self.r.choice(list(words["topics"].items()))
        us, them = (name, f"{mailbox}@{DOMAIN}"), self.r.choice(OTHERS[language])
        subject = topic.format(n=self.r.randint(1000, 9999), place=self.r.choice(words["places"]))
        date, before, said, folder = self.when(self.r.random()), None, None, self.r.choice(folders)
        asks_us = self.r.random() < 0.6
        colleague = self.r.choice([None, None, *(other for other in STAFF if other != mailbox)])
        for turn in range(self.r.choice([1, 1, 2, 3, 3, 4, 6])):
            from_us = (turn % 2 == 0) != asks_us
            sender, receiver = (us, them) if from_us else (them, us)
            text = company_words.letter(self.r, language, about if turn == 0 else [], sender[0], receiver[0])
            if before is not None:
                quoted = "".join(f"> {line}\n" for line in said.splitlines()[:8])
                text += f"\n{words['wrote'].format(date=date, name=receiver[0])}\n{quoted}"
            cc = [(STAFF[colleague][0], f"{colleague}@{DOMAIN}")] if colleague else []
            mail = self.message(sender, [receiver], subject, date, text, cc=cc, answers=before)
            if turn == 0:
                self.attach(mail, topic, subject, about, us[0])
            places = [(mailbox, "Sent Items" if from_us else folder)]
            if colleague:
                places.append((colleague, "Inbox"))
            if topic.startswith(("Offerte", "Devis", "Offer")):
                places.append((SHARED, "Offerten %2F Aufträge"))
            self.deliver(mail, *places)
            before, said, subject = mail, text, words["answer"] + subject.removeprefix(words["answer"])
            date = self.working_hour(date + datetime.timedelta(days=self.r.randint(1, 3)))

    def attach(self, mail, topic, subject, about, name):
        """What such a mail usually carries."""
        if topic.startswith(("Rechnung", "Facture", "Invoice", "Offerte", "Devis")):
            total = self.r.randint(900, 90_000)
            lines = [*about, "", f"Total CHF {total:,}.00".replace(",", "'"), "", f"Muster & Söhne AG, {name}"]
            mail.add_attachment(sample_files.pdf(subject, lines), maintype="application", subtype="pdf", filename=f"{subject}.pdf")
        elif topic.startswith(("Protokoll", "Procès-verbal", "Minutes")):
            kind = "vnd.openxmlformats-officedocument.wordprocessingml.document"
            mail.add_attachment(sample_files.docx([subject, *about]), maintype="application", subtype=kind, filename=f"{subject}.docx")
        elif self.r.random() < 0.15:
            picture = sample_files.landscape(self.r.randint(0, 99), 100, 70)
            mail.add_attachment(picture, maintype="image", subtype="png", filename="Baustelle übersicht.png")

    def newsletter(self, number):
        """HTML with pictures of its own, and one that lies elsewhere to see who reads it."""
        language = ["de", "fr", "en"][number % 3]
        words = company_words.LANGUAGES[language]
        title = words["newsletter"].format(n=number + 1)
        date = self.when((number + 0.5) / NEWSLETTERS)
        sender = ("Nordlicht Baustoffe", "news@nordlicht.example")
        mail = self.message(sender, [("Muster & Söhne AG", f"{SHARED}@{DOMAIN}")], title, date, words["plain"])
        mail["List-Unsubscribe"] = "<https://nordlicht.example/unsubscribe>"
        items = "".join(f"<tr><td style='padding:8px 24px'><h2>{head}</h2><p>{body}</p></td></tr>" for head, body in words["news"])
        html = (
            f"<html><head><meta charset='utf-8'><title>{title}</title></head><body style='background:#eef2f6;margin:0'>"
            "<table align='center' width='600' style='background:#fff;font-family:Helvetica,Arial,sans-serif;color:#223'>"
            "<tr><td style='background:#2f5d8a;padding:16px 24px'><img src='cid:logo@nordlicht' alt='Nordlicht'></td></tr>"
            f"<tr><td><img src='cid:picture@nordlicht' alt='' width='600'></td></tr>{items}"
            f"<tr><td style='padding:24px;font-size:12px;color:#567'>{words['footer']} "
            f"<a href='https://nordlicht.example/unsubscribe?id={number}'>{words['leave']}</a>"
            f"<img src='https://pixel.nordlicht.example/open.gif?id={number}' width='1' height='1' alt=''></td></tr></table></body></html>"
        )
        mail.add_alternative(html, subtype="html", cte="quoted-printable")
        related = mail.get_payload()[1]
        picture = sample_files.landscape(number)
        for name, data in [("logo", sample_files.logo((47, 93, 138))), ("picture", picture)]:
            cid, file = f"<{name}@nordlicht>", f"{name}.png"
            related.add_related(data, maintype="image", subtype="png", cid=cid, filename=file, disposition="inline")
        self.deliver(mail, (SHARED, "Inbox"), *([("anna.muster", "Inbox")] if number % 4 == 0 else []))


def person(name, address):
    return Address(name, addr_spec=address)


def make(place):
    """Writes everything; returns the addresses."""
    company = Company(place)
    for _ in range(THREADS):
        company.thread()
    for number in range(NEWSLETTERS):
        company.newsletter(number)
    company_special.deliver_all(company, BIG)
    return [f"{mailbox}@{DOMAIN}" for mailbox in [*STAFF, SHARED]]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    make(sys.argv[1])


if __name__ == "__main__":
    main()
