//! What `serve` does all the time on a box, beside what it does everywhere.

use std::sync::Arc;
use std::time::Duration;

use super::link::Link;
use super::mdns;
use super::sntp::Sntp;
use crate::roles::Role;

/// Looking up the name of a time server may take long where no server for names answers.
const SNTP_DEADLINE: Duration = Duration::from_mins(2);
const MDNS_DEADLINE: Duration = Duration::from_secs(30);

/// Asks time servers, and answers for the box's names. `floor`: when the archive was last written to, Unix seconds.
pub fn of_serve(link: &Arc<Link>, floor: i64) -> [Role; 2] {
    let (asking, speaking) = (link.clone(), link.clone());
    [
        Role::new("sntp", SNTP_DEADLINE, move |pulse| {
            Sntp::new(floor).run(&asking, pulse);
            Ok(())
        }),
        Role::new("mdns", MDNS_DEADLINE, move |pulse| Ok(mdns::run(&speaking, pulse)?)),
    ]
}
