//! The View tab shows a mail as text or as safe HTML in a frame of its own, offers its attachments, and gives the mail
//! itself back byte for byte.

use crate::support::web::Site;
use archivista::settings::users::Role;

const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

fn letter() -> Vec<u8> {
    format!(
        "From: Anna Meier <anna@example.ch>\r\nTo: beat@example.ch\r\nCc: cora@example.ch\r\nSubject: Letter\r\n\
         Date: Fri, 21 Nov 2025 10:00:00 -0500\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=M\r\n\r\n\
         --M\r\nContent-Type: multipart/related; boundary=R\r\n\r\n\
         --R\r\nContent-Type: multipart/alternative; boundary=A\r\n\r\n\
         --A\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nplain text, https://example.ch/\r\n\
         --A\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p onclick=\"alert(1)\">rich<script>alert(2)</script>\
         <img src=\"cid:logo\"><img src=\"https://tracker.example/x.png\"></p>\r\n--A--\r\n\
         --R\r\nContent-Type: image/png; name=logo.png\r\nContent-ID: <logo>\r\nContent-Transfer-Encoding: base64\r\n\r\n{PNG}\r\n--R--\r\n\
         --M\r\nContent-Type: application/pdf; name=\"../../offer.pdf\"\r\nContent-Disposition: attachment\r\n\
         Content-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjc=\r\n\
         --M\r\nContent-Type: application/pdf; name=trap.pdf\r\nContent-Disposition: attachment\r\n\r\n<script>alert(3)</script>\r\n\
         --M--\r\n"
    )
    .into_bytes()
}

#[test]
fn a_letter_is_shown_as_html_or_text() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &["anna"]);
    let number = site.mail("anna", &letter(), 1);
    let page = site.get(Some(&anna), &format!("/documents/{number}"));
    let text = page.text();
    assert!(
        text.contains("Anna Meier &lt;anna@example.ch&gt;") && text.contains("21.11.2025 10:00 (-05:00)"),
        "{text}"
    );
    assert!(text.contains("1 remote picture was not loaded."), "{text}");
    assert!(text.contains(&format!("<iframe class=\"mail\" src=\"/documents/{number}/html\"")), "{text}");
    assert!(!text.contains("logo.png"), "a picture in the text is no attachment");
    assert!(text.contains("offer.pdf") && !text.contains("../"), "{text}");
    let frame = site.get(Some(&anna), &format!("/documents/{number}/html"));
    let policy = frame.header("Content-Security-Policy").unwrap();
    assert!(policy.contains("sandbox") && !policy.contains("allow-scripts") && policy.contains("default-src 'none'"));
    assert!(policy.contains("frame-ancestors 'self'"));
    let inside = frame.text();
    assert!(inside.contains("rich") && inside.contains("data:image/png;base64,"), "{inside}");
    assert!(!inside.contains("alert") && !inside.contains("tracker.example"), "{inside}");
    let plain = site.get(Some(&anna), &format!("/documents/{number}?show=text")).text();
    assert!(
        plain.contains("plain text") && plain.contains("href=\"https://example.ch/\"") && !plain.contains("<iframe")
    );
    assert_eq!(site.get(Some(&anna), &format!("/documents/{number}/download")).body, letter());
    let source = site.get(Some(&anna), &format!("/documents/{number}/source")).text();
    assert!(source.contains("Subject: Letter") && source.contains("&lt;script&gt;alert(2)"), "{source}");
}

#[test]
fn attachments_are_opened_by_what_they_are() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &["anna"]);
    let number = site.mail("anna", &letter(), 1);
    let page = site.get(Some(&anna), &format!("/documents/{number}")).text();
    let paths: Vec<String> = page
        .split(&format!("href=\"/documents/{number}/parts/"))
        .skip(1)
        .map(|rest| format!("/documents/{number}/parts/{}", rest.split('"').next().unwrap()))
        .collect();
    assert_eq!(paths.len(), 4, "{paths:?}");
    for path in &paths {
        let answer = site.get(Some(&anna), path);
        let (kind, placed) = (answer.header("Content-Type").unwrap(), answer.header("Content-Disposition").unwrap());
        let is_pdf = answer.body == b"%PDF-1.7";
        if is_pdf && path.ends_with("?open=1") {
            assert!(kind == "application/pdf" && placed.starts_with("inline"), "{path}: {kind} {placed}");
        } else {
            assert!(kind == "application/octet-stream" && placed.starts_with("attachment"), "{path}: {kind} {placed}");
        }
        assert!(is_pdf || answer.text().contains("alert(3)"));
        assert!(!placed.contains(".."), "{placed}");
    }
    for wrong in ["0", "1", "99", "x", "-1"] {
        assert_eq!(site.get(Some(&anna), &format!("/documents/{number}/parts/{wrong}")).status, 404, "{wrong}");
    }
    for wrong in ["/html?in=1", "/html?in=x", "/parts/5?file=0", "/file"] {
        assert_eq!(site.get(Some(&anna), &format!("/documents/{number}{wrong}")).status, 404, "{wrong}");
    }
}

#[test]
fn odd_mails_have_a_page_too() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &["anna"]);
    for raw in [
        &b""[..],
        b"\r\n",
        b"no header at all",
        b"Subject: =?utf-8?Q?=00=1B?=\r\nContent-Type: multipart/mixed\r\n\r\nx",
        b"Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:<b>Meeting\r\nDTSTART:20251121T090000Z\r\nEND:VEVENT\r\nEND:VCALENDAR",
        b"Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\r\n\r\nnonsense",
        b"Content-Type: application/ms-tnef; name=winmail.dat\r\n\r\nnonsense",
        b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; <a@b>\r\nStatus: 5.1.1\r\n",
        b"Content-Type: image/png\r\n\r\n\x89PNG\r\n\x1a\n",
    ] {
        let number = site.mail("anna", raw, 1);
        for page in ["", "?show=text", "/fields", "/source", "/proof", "/html", "/download"] {
            let answer = site.get(Some(&anna), &format!("/documents/{number}{page}"));
            assert_eq!(answer.status, 200, "{page}: {}", String::from_utf8_lossy(raw));
            assert!(!answer.text().contains("<b>Meeting") || page == "/download");
        }
    }
}
