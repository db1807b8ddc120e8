//! Promise: the pages about the box work with real clicks, scroll nowhere sideways from 360 px on, and have nothing that axe
//! finds serious, light and dark; also where everything is wrong at once.

use archivista::appliance::state::{Clock, Storage};
use archivista::language::Lang;
use archivista::settings::users::Role;
use serde_json::json;

use crate::support::around::Around;
use crate::support::browser::flow;
use crate::support::served::Served;
use crate::support::web::Site;

#[test]
fn every_page_of_a_box_in_trouble_fits() {
    let (mut around, link) = Around::well();
    around.change(&link, |state| {
        state.clock = Clock::Unknown;
        state.fetching_is_paused = true;
        state.watchdog.as_mut().unwrap().caused_start = true;
        state.watchdog_starts = 3;
        let mended = "/dev/sda4: recovering journal\n/dev/sda4: Inode 131073 has an invalid extent node (blk 524289, lblk 0). CLEARED.";
        state.storage = Storage::Ready { size: 500_000_000_000, mended: mended.into() };
        let mut other = state.interfaces[0].clone();
        other.name = "enp0s31f6u1u2".into();
        other.addresses = vec!["2001:db8:1234:5678:9abc:def0:1234:5678/64".into(); 3];
        other.has_carrier = false;
        state.interfaces.push(other);
    });
    let site = Site::on_box(link);
    site.administer(|administration| administration.language = Lang::De);
    site.user("chefin", Role::Administrator, &[]);
    let served = Served::of(&site);
    let words = "2026-11-22T05:40:00Z INFO eth0: lease 192.168.1.20/24 from 192.168.1.1 for 86400 s, and a line that is very long ";
    around.answer_from_now_on(&[words, &words.repeat(3)]);
    flow(
        "system",
        &served.origin,
        &json!({ "user": "chefin", "password": "a long enough password", "language": "de" }),
    );
}
