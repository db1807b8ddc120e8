"""Small files of the kinds that mails carry, each as bytes, the same ones every time. Nothing but Python is needed.

sample/viastockalperhd.mp4 was made once, with ffmpeg 5.1:
    ffmpeg -f lavfi -i testsrc=size=320x180:rate=5:duration=4 -c:v libx264 -profile:v baseline -pix_fmt yuv420p -crf 32 \\
        -preset veryslow -movflags +faststart -map_metadata -1 -fflags +bitexact -flags:v +bitexact viastockalperhd.mp4
"""

import io
import pathlib
import struct
import zipfile
import zlib

VIDEO = pathlib.Path(__file__).parent / "sample" / "viastockalperhd.mp4"


def png(width, height, pixel, scale=1):
    """A picture of red, green and blue that `pixel(x, y)` tells; each is `scale` wide and high."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"".join(bytes(pixel(x, y)) * scale for x in range(width)) for y in range(height))
    data = b"".join(row * scale for row in rows)
    head = struct.pack(">IIBBBBB", width * scale, height * scale, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b"")


def logo(colour):
    """A house on a coloured ground."""

    def pixel(x, y):
        roof = 14 <= y < 34 and abs(x - 40) < (y - 14) * 1.3
        wall = 34 <= y < 56 and 22 <= x < 58 and not (34 <= x < 46 and y >= 42)
        line = 84 <= x < 184 and (24 <= y < 30 or 40 <= y < 44 and x < 150)
        return (255, 255, 255) if roof or wall or line else colour

    return png(200, 68, pixel)


def landscape(seed, width=200, height=90):
    """Mountains under an evening sky."""
    peaks = [(width * (i + 0.5) / 4, height * (0.25 + (seed * 37 + i * 53) % 40 / 100)) for i in range(4)]

    def pixel(x, y):
        ridge = min(top + abs(x - at) * 0.8 for at, top in peaks)
        if y > ridge:
            snow = y - ridge < 6 + (x * 7 + seed) % 3
            shade = int(60 * y / height)
            return (235, 240, 248) if snow else (70 + shade // 2, 95 + shade, 90 + shade // 2)
        glow = y / height
        return (int(90 + 150 * glow), int(140 + 60 * glow), int(205 - 30 * glow))

    return png(width, height, pixel, scale=3)


def pdf(title, lines):
    """One page A4 with a title and lines of text."""

    def text(words):
        return words.encode("cp1252", "replace").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")

    content = b"BT /F2 18 Tf 60 770 Td (" + text(title) + b") Tj ET\nBT /F1 11 Tf 60 735 Td 16 TL\n"
    content += b"".join(b"(" + text(line) + b") Tj T*\n" for line in lines) + b"ET\n0.2 0.35 0.55 rg 60 758 475 2 re f\n"
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding /WinAnsiEncoding >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 6 0 R "
        b"/Resources << /Font << /F1 4 0 R /F2 5 0 R >> >> >>",
        font % b"Helvetica",
        font % b"Helvetica-Bold",
        b"<< /Length %d >>\nstream\n%sendstream" % (len(content), content),
        b"<< /Title <feff%s> /Producer (Muster) >>" % title.encode("utf-16-be").hex().encode(),
    ]
    out, places = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    end = b"trailer\n<< /Size %d /Root 1 0 R /Info 7 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n" % count + table + end


def docx(paragraphs):
    """A text document as word processors read it."""
    space = "http://schemas.openxmlformats.org"
    text = "".join(f"<w:p><w:r><w:t>{one}</w:t></w:r></w:p>" for one in paragraphs)
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    files = {
        "[Content_Types].xml": f'{head}<Types xmlns="{space}/package/2006/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>',
        "_rels/.rels": f'{head}<Relationships xmlns="{space}/package/2006/relationships"><Relationship Id="rId1" '
        f'Type="{space}/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/document.xml": f'{head}<w:document xmlns:w="{space}/wordprocessingml/2006/main"><w:body>{text}</w:body></w:document>',
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return out.getvalue()


def invitation(uid, start, end, summary, place, organiser, attendee):
    """RFC 5545, RFC 5546. `start` and `end` are UTC."""
    lines = f"""BEGIN:VCALENDAR
PRODID:-//Muster//Kalender//DE
VERSION:2.0
METHOD:REQUEST
BEGIN:VEVENT
UID:{uid}
DTSTAMP:{start:%Y%m%d}T080000Z
DTSTART:{start:%Y%m%dT%H%M%SZ}
DTEND:{end:%Y%m%dT%H%M%SZ}
SUMMARY:{summary}
LOCATION:{place}
ORGANIZER:mailto:{organiser}
ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{attendee}
SEQUENCE:0
STATUS:CONFIRMED
END:VEVENT
END:VCALENDAR
"""
    return lines.replace("\n", "\r\n")


def tnef(subject, body, name, data):
    """A winmail.dat with one attached file (MS-OXTNEF)."""

    def attribute(level, tag, value):
        return struct.pack("<BII", level, tag, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF)

    def text(words):
        return words.encode("cp1252", "replace") + b"\0"

    # File attachment, no position within the text.
    rendering = struct.pack("<HIHHI", 1, 0xFFFFFFFF, 0, 0, 0)
    return struct.pack("<IH", 0x223E9F78, 1) + b"".join(
        [
            attribute(1, 0x00089006, struct.pack("<I", 0x00010000)),
            attribute(1, 0x00069007, struct.pack("<II", 1252, 0)),
            attribute(1, 0x00078008, text("IPM.Microsoft Mail.Note")),
            attribute(1, 0x00018004, text(subject)),
            attribute(1, 0x0002800C, text(body)),
            attribute(2, 0x00069002, rendering),
            attribute(2, 0x00018010, text(name)),
            attribute(2, 0x0006800F, data),
        ]
    )


def signature(filler):
    """The shape of a detached PKCS#7 signature: the right types, nothing that can be verified."""

    def der(tag, value):
        length = len(value)
        head = bytes([length]) if length < 128 else b"\x82" + struct.pack(">H", length)
        return bytes([tag]) + head + value

    oid_data, oid_signed = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01", b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
    sha256 = der(0x30, b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01")
    signed = b"\x02\x01\x01" + der(0x31, sha256) + der(0x30, oid_data) + der(0x31, der(0x04, filler))
    return der(0x30, oid_signed + der(0xA0, der(0x30, signed)))
