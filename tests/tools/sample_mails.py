#!/usr/bin/env python3
"""Made-up mails of a small Swiss office, the same ones every time.

    sample_mails.py mails COUNT DIR [--seed N] [--small]    writes DIR/000001.eml ...; modification time = time received
    sample_mails.py big BYTES FILE [--seed N]               writes one mail of exactly so many bytes, in constant memory

Of 100 mails 70 are text (German and English, umlauts in several encodings), 20 HTML with an inline picture, 9 carry a PDF
and 1 a large archive: 1,000 are about 111 MB. With --small all are text. No two mails and no two attachments are equal.
"""

import argparse
import base64
import os
import pathlib
import quopri
import random
import time

START = 1_672_560_000  # 1 January 2023, 9 o'clock in Zurich; one mail every 37 minutes from here on.
LINE = 57  # Bytes that fill one line of base64.

GERMAN = (
    "Guten Tag|die Rechnung|im Anhang|finden Sie|unsere Offerte|für den Auftrag|in Zürich|prüfen|die Lieferung|grösste|"
    "Bestellung|der Bericht|über das Projekt|bis Ende Monat|Freundliche Grüsse|die Unterlagen|naïve Schätzung|Ölheizung"
).split("|")
ENGLISH = (
    "Good morning|the invoice|attached|please find|our offer|for the order|in London|have a look at|the delivery|largest|"
    "purchase order|the report|about the project|by the end of the month|Kind regards|the papers|a rough estimate|boiler"
).split("|")
SUBJECTS = {
    "de": "Rechnung|Offerte für Büromöbel|Grüsse aus Zürich|Protokoll der Sitzung|Lieferschein|Rückfrage zum Auftrag".split("|"),
    "en": "Invoice|Offer|Minutes of the meeting|Delivery note|Question about your order|Travel plans".split("|"),
}
PEOPLE = "Anna Müller|Beat Käser|Chloé Rochat|David Smith|Eva Öztürk|Fritz Meier|Giulia Bianchi|Henry Jones".split("|")


def encoded_word(text, charset):
    """RFC 2047, in words short enough for its limit of 75 characters."""
    if text.isascii():
        return text
    pieces = [text[i : i + 12] for i in range(0, len(text), 12)]
    words = (f"=?{charset}?B?{base64.b64encode(p.encode(charset)).decode()}?=" for p in pieces)
    return "\r\n ".join(words)


def base64_lines(data):
    return b"".join(base64.b64encode(data[i : i + LINE]) + b"\r\n" for i in range(0, len(data), LINE))


def prose(r, language, lines):
    words = GERMAN if language == "de" else ENGLISH
    return "".join(" ".join(r.choices(words, k=7)) + ".\n" for _ in range(lines))


def text_part(r, language, charset):
    """Headers and body of a text part, in one of the three encodings that text travels in."""
    text = prose(r, language, r.randint(15, 110)).encode(charset)
    encoding = r.choice(["8bit", "quoted-printable", "base64"])
    if encoding == "8bit":
        body = text.replace(b"\n", b"\r\n")
    elif encoding == "quoted-printable":
        body = quopri.encodestring(text).replace(b"\n", b"\r\n")
    else:
        body = base64_lines(text)
    head = f"Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode() + body


def attachment(content_type, name, data, content_id=None):
    head = f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: base64\r\n"
    if content_id:
        head += f"Content-ID: <{content_id}>\r\nContent-Disposition: inline; filename={name}\r\n\r\n"
    else:
        head += f"Content-Disposition: attachment; filename*=utf-8''{name}\r\n\r\n"
    return head.encode() + base64_lines(data)


def multipart(kind, boundary, parts):
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'.encode()
    line = f"--{boundary}".encode()
    return head + b"".join(line + b"\r\n" + part + b"\r\n" for part in parts) + line + b"--\r\n"


def headers(r, number, language, charset):
    sender, receiver = r.sample(range(len(PEOPLE)), 2)
    subject = f"{r.choice(SUBJECTS[language])} {number}"
    date = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(received(number)))
    return (
        f"Received: from mx.example.com by mail.example.ch; {date}\r\n"
        f"From: {encoded_word(PEOPLE[sender], charset)} <person{sender}@example.ch>\r\n"
        f"To: {encoded_word(PEOPLE[receiver], charset)} <person{receiver}@example.ch>\r\n"
        f"Subject: {encoded_word(subject, charset)}\r\n"
        f"Date: {date}\r\n"
        f"Message-ID: <{number}.{r.getrandbits(64):016x}@example.ch>\r\n"
        "MIME-Version: 1.0\r\n"
    ).encode()


def received(number):
    """When the server took the mail in, Unix seconds."""
    return START + 37 * 60 * (number - 1)


def mail(number, seed=1, small=False):
    """The mail with this number (from 1), with CRLF line ends."""
    r = random.Random(f"{seed}/{number}")
    language = "de" if number % 3 else "en"
    charset = "iso-8859-1" if number % 7 == 3 else "utf-8"
    kind = 0 if small else number * 37 % 100  # 37 spreads the kinds evenly over the numbers.
    head = headers(r, number, language, charset)
    text = text_part(r, language, charset)
    boundary = f"=_{r.getrandbits(64):016x}"
    if kind < 70:
        return head + text
    if kind < 90:
        picture = b"\x89PNG\r\n\x1a\n" + r.randbytes(r.randint(60_000, 140_000))
        html = f'<html><body><p>{prose(r, language, 20)}</p><img src="cid:logo{number}"></body></html>'.encode()
        html = b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64_lines(html)
        related = multipart("related", boundary + "r", [html, attachment("image/png", "logo.png", picture, f"logo{number}")])
        return head + multipart("alternative", boundary, [text, related])
    if kind < 99:
        data = b"%PDF-1.4\n" + r.randbytes(r.randint(150_000, 450_000))
        file = attachment("application/pdf", f"Rechnung%20f%C3%BCr%20{number}.pdf", data)
    else:
        file = attachment("application/zip", f"gro%C3%9F-{number}.zip", b"PK\x03\x04" + r.randbytes(r.randint(2_400_000, 3_200_000)))
    return head + multipart("mixed", boundary, [text, file])


def big(size, file, seed=1):
    """Writes one mail with one attachment to `file`, `size` bytes in all."""
    r = random.Random(f"{seed}/big")
    boundary = f"=_{r.getrandbits(64):016x}"
    head = headers(r, 1, "de", "utf-8") + f'Content-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n'.encode()
    start = f"\r\n--{boundary}\r\n".encode() + text_part(r, "de", "utf-8") + f"\r\n--{boundary}\r\n".encode()
    start += attachment("application/octet-stream", "film.mp4", b"")
    end = f"\r\n--{boundary}--\r\n".encode()
    left = size - len(head) - len(start) - len(end)
    if left < 0:
        raise SystemExit(f"a mail like this has at least {size - left} bytes")
    lines, rest = divmod(left, LINE // 3 * 4 + 2)
    # What does not fill a line is blank before the first part, where it means nothing.
    file.write(head + b" " * rest + start)
    while lines:
        block = min(lines, 1000)
        file.write(base64_lines(r.randbytes(block * LINE)))
        lines -= block
    file.write(end)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = arguments.add_subparsers(dest="verb", required=True)
    many = verbs.add_parser("mails")
    many.add_argument("count", type=int)
    many.add_argument("dir", type=pathlib.Path)
    many.add_argument("--small", action="store_true")
    one = verbs.add_parser("big")
    one.add_argument("bytes", type=int)
    one.add_argument("file", type=pathlib.Path)
    for verb in (many, one):
        verb.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    if given.verb == "big":
        with open(given.file, "wb") as file:
            big(given.bytes, file, given.seed)
        return
    given.dir.mkdir(parents=True, exist_ok=True)
    for number in range(1, given.count + 1):
        path = given.dir / f"{number:06}.eml"
        path.write_bytes(mail(number, given.seed, given.small))
        os.utime(path, (received(number), received(number)))


if __name__ == "__main__":
    main()
