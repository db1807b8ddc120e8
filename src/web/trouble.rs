//! The one page of a box that cannot open its archive: what is wrong and what to do, behind the same gate as all others.

use std::os::unix::net::UnixListener;
use std::time::Duration;

use anyhow::anyhow;
use maud::{DOCTYPE, html};

use super::assets;
use super::request::Method;
use super::response::Response;
use super::texts;
use crate::appliance::state::{BoxState, Storage};
use crate::language::Lang;
use crate::pulse::Pulse;

/// How often a wait looks whether to go on.
const LOOK: Duration = Duration::from_millis(500);
/// Seconds after which a browser looks again.
const AGAIN: &str = "10";

/// Serves the page until `pulse` is cancelled. `state` tells how the box is, `wrong` why the archive could not be opened.
pub fn run(
    listener: UnixListener,
    state: &dyn Fn() -> BoxState,
    wrong: Option<&str>,
    pulse: &Pulse,
) -> anyhow::Result<()> {
    let server = tiny_http::Server::from_listener(listener, None).map_err(|error| anyhow!("{error}"))?;
    while pulse.go_on().is_ok() {
        let Some(incoming) = server.recv_timeout(LOOK)? else { continue };
        let method = match incoming.method() {
            tiny_http::Method::Head => Method::Head,
            tiny_http::Method::Get => Method::Get,
            _ => Method::Post,
        };
        let accepted = incoming.headers().iter().find(|header| header.field.equiv("accept-language"));
        let lang = accepted.map_or(Lang::En, |header| Lang::accepted(header.value.as_str()));
        let response = match incoming.url().strip_prefix("/assets/") {
            Some(name) => assets::find(name).unwrap_or_else(|| Response::text(404, "not found\n")),
            None => page(lang, &state(), wrong),
        };
        // A reader that goes away is no event.
        let _ = response.write(method, &mut incoming.into_writer());
    }
    Ok(())
}

fn page(lang: Lang, state: &BoxState, wrong: Option<&str>) -> Response {
    let texts = texts::of(lang);
    let t = &texts.trouble;
    let [style, _, icon, ..] = assets::paths();
    let (title, sentence, todo) = match (&state.storage, wrong) {
        (Storage::Preparing, _) => (t.preparing, t.preparing_more.to_string(), t.preparing_todo),
        (Storage::Trouble(trouble), _) => {
            let (sentence, todo) = t.storage(trouble);
            (t.disk, sentence, todo)
        }
        (Storage::Ready { .. }, Some(wrong)) => (t.archive, wrong.to_string(), t.archive_todo),
        (Storage::Ready { .. }, None) => (t.preparing, t.starting_more.to_string(), t.preparing_todo),
    };
    let addresses: Vec<&String> = state.interfaces.iter().flat_map(|interface| &interface.addresses).collect();
    let markup = html! {
        (DOCTYPE)
        html lang=(texts.code) data-theme="auto" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) " – Archivista Box" }
                link rel="icon" href=(icon) type="image/svg+xml";
                link rel="stylesheet" href=(style);
            }
            body {
                header.bar { a.name href="/" { img src=(icon) alt=""; "Archivista Box" } }
                main #main.narrow {
                    h1 { (title) }
                    div.note.bad role="alert" { p { (sentence) } }
                    p { (todo) }
                    p { (t.nothing_is_lost) }
                    table {
                        tbody {
                            tr { th scope="row" { (t.name) } td { (state.name) } }
                            tr { th scope="row" { (t.release) } td { (state.release) } }
                            @for address in addresses { tr { th scope="row" { (t.address) } td { (address) } } }
                        }
                    }
                }
            }
        }
    };
    Response::html(markup).status(503).header("Retry-After", AGAIN).header("Refresh", AGAIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::appliance::state::StorageTrouble;

    #[test]
    fn every_trouble_is_said_in_both_languages() {
        let troubles = [
            StorageTrouble::NoDisk,
            StorageTrouble::NoPartition { disk: "sda".into() },
            StorageTrouble::Damaged { partition: "sda4".into(), what: "<bad superblock>".into() },
            StorageTrouble::NotMounted { partition: "sda4".into(), what: "EIO".into() },
        ];
        for trouble in troubles {
            let state = BoxState { storage: Storage::Trouble(trouble), ..BoxState::default() };
            let said = |lang| {
                let mut out = Vec::new();
                page(lang, &state, None).write(Method::Get, &mut out).unwrap();
                String::from_utf8(out).unwrap()
            };
            let (de, en) = (said(Lang::De), said(Lang::En));
            assert!(de.starts_with("HTTP/1.1 503 ") && en.starts_with("HTTP/1.1 503 "));
            assert!(de.contains("Datenträger") && en.contains("disk"), "{de}\n{en}");
            assert!(!de.contains("<bad"));
        }
    }
}
