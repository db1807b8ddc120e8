//! The machine around the archive; what a box alone has is not found elsewhere.

use serde_json::{Map, Value, json};

use super::super::Response;
use super::super::admin::alarms;
use super::super::admin::state::Mood;
use super::super::admin::system::{facts, link, network, power, set_zone};
use super::super::entry::monitored;
use super::call::{Answer, Asked, Body, Call, Result, json as answer, maybe_time, nothing, time};
use super::problem::{Problem, Reason};
use super::schema::{COUNT, MAYBE_TIME, Named, SAID, Schema, Wrong, has, may};
use super::verifications;
use crate::appliance::settings::{self, Mistake};
use crate::appliance::state::{BoxSettings, BoxState, Clock, Power, Storage};
use crate::clock;
use crate::disk::Room;
use crate::language::Lang;
use crate::limits::{BOX_DNS, BOX_INTERFACES, BOX_LOG_LINES, BOX_TIME_SERVERS, NETWORKS};
use crate::settings::administration::is_zone;
use crate::settings::monitoring::Monitoring;
use crate::settings::networks::Networks;

pub const CALLS: &[Call] = &[
    Call::get(
        "/system",
        "getSystem",
        "How the machine is, and what is wrong with it",
        Answer::Json(200, &SYSTEM),
        show,
    ),
    Call::patch("/system", "changeSystem", "Set the time zone of pages and searches", Answer::Nothing, change)
        .sent(Body::Json(&CHANGE)),
    Call::get(
        "/system/network",
        "getNetwork",
        "Addresses and time servers that were set on the box",
        Answer::Json(200, &NETWORK),
        show_network,
    ),
    Call::patch(
        "/system/network",
        "changeNetwork",
        "Set them; the box may be reached elsewhere afterwards",
        Answer::Json(202, &NETWORK),
        change_network,
    )
    .sent(Body::Json(&NETWORK_CHANGE)),
    Call::get(
        "/monitoring",
        "getMonitoring",
        "Networks that may read /metrics without a token",
        Answer::Json(200, &MONITORING),
        show_monitoring,
    ),
    Call::patch("/monitoring", "changeMonitoring", "Set them", Answer::Json(200, &MONITORING), change_monitoring)
        .sent(Body::Json(&MONITORING)),
    Call::get("/system/log", "getLog", "The last lines of the box's log, oldest first", Answer::Json(200, &LOG), log)
        .asking(&[may("word", Schema::Text(0, 200), "Lines that hold it, in upper or lower case")]),
    Call::post("/system/restart", "restart", "Start the box again", Answer::Json(202, &DONE), restart),
    Call::post("/system/off", "powerOff", "Turn the box off", Answer::Json(202, &DONE), off),
    Call::post(
        "/system/resume",
        "resume",
        "Let fetching go on after too many starts by the watchdog",
        Answer::Json(202, &DONE),
        resume,
    ),
];

const DONE: Named = Named { name: "Done", schema: Schema::Object(&[has("is_asked", Schema::Flag, "")]) };

const CHANGE: Named = Named {
    name: "SystemChange",
    schema: Schema::Object(&[has("time_zone", Schema::Text(1, 100), "As in Europe/Zurich")]),
};

const MONITORING: Named = Named {
    name: "Monitoring",
    schema: Schema::Object(&[has("networks", Schema::List(&SAID, NETWORKS), "As 192.0.2.0/24; none: nobody")]),
};

const LOG: Named =
    Named { name: "Log", schema: Schema::Object(&[has("lines", Schema::List(&SAID, BOX_LOG_LINES), "")]) };

const MAYBE_COUNT: Schema = Schema::Maybe(&COUNT);
const MAYBE_SAID: Schema = Schema::Maybe(&SAID);

const BOX: Named = Named {
    name: "Box",
    schema: Schema::Object(&[
        has("name", SAID, ""),
        has("release", SAID, ""),
        has("slot", Schema::Maybe(&Schema::Word(&["a", "b"])), "That runs"),
        has("next_slot", Schema::Maybe(&Schema::Word(&["a", "b"])), "That the next start takes"),
        has("mended", SAID, "What of the disk was mended at this start"),
        has("clock", Schema::Word(&["unknown", "own", "server"]), "Where the time comes from"),
        has("time_server", MAYBE_SAID, ""),
        has("interfaces", Schema::List(&INTERFACE, 1000), ""),
        has("watchdog", Schema::Maybe(&WATCHDOG), "null: there is none"),
        has("watchdog_starts", COUNT, "Starts in a row that the watchdog caused"),
        has("fetching_is_paused", Schema::Flag, "Because of those"),
    ]),
};

const INTERFACE: Schema = Schema::Object(&[
    has("name", SAID, ""),
    has("hardware_address", SAID, ""),
    has("has_carrier", Schema::Flag, ""),
    has("is_static", Schema::Flag, ""),
    has("addresses", Schema::List(&SAID, 1000), ""),
    has("router", MAYBE_SAID, ""),
    has("dns", Schema::List(&SAID, 100), ""),
]);

const WATCHDOG: Schema = Schema::Object(&[
    has("identity", SAID, ""),
    has("is_hardware", Schema::Flag, ""),
    has("timeout", COUNT, "Seconds"),
    has("caused_start", Schema::Flag, "The last one"),
]);

const SYSTEM: Named = Named {
    name: "System",
    schema: Schema::Object(&[
        has("release", SAID, ""),
        has("now", MAYBE_TIME, ""),
        has("started", MAYBE_TIME, "When the program began"),
        has("time_zone", SAID, ""),
        has("documents", COUNT, ""),
        has("disk_free", MAYBE_COUNT, "Bytes"),
        has("disk_size", MAYBE_COUNT, ""),
        has("disk_reserve", MAYBE_COUNT, "What fetching leaves free"),
        has("memory", MAYBE_COUNT, "Of the program, bytes"),
        has("memory_most", MAYBE_COUNT, ""),
        has("machine_uptime", MAYBE_COUNT, "Seconds"),
        has("machine_memory", MAYBE_COUNT, ""),
        has("machine_memory_free", MAYBE_COUNT, ""),
        has(
            "certificate",
            Schema::Maybe(&Schema::Object(&[has("sha256", SAID, ""), has("not_after", MAYBE_TIME, "")])),
            "",
        ),
        has(
            "alarms",
            Schema::List(
                &Schema::Object(&[has("is_bad", Schema::Flag, "Else a warning"), has("sentence", SAID, "")]),
                100,
            ),
            "The worst first",
        ),
        has("stopped", MAYBE_SAID, "Why the archive takes nothing any more"),
        has("findings", Schema::List(&SAID, 10_000), "What the start healed or found damaged"),
        has(
            "verification",
            Schema::Maybe(&verifications::STANDING),
            "The last one of the whole archive; null: none yet",
        ),
        has("box", Schema::Maybe(&Schema::Named(&BOX)), "null: the program runs on a computer of somebody's own"),
    ]),
};

const ADDRESS: Schema = Schema::Object(&[
    has("address", Schema::Text(1, 50), "As 192.168.1.20/24"),
    may("router", Schema::Text(0, 50), ""),
    may("dns", Schema::List(&Schema::Text(1, 50), BOX_DNS), ""),
]);
const ADDRESSES: Schema = Schema::Map(&ADDRESS, BOX_INTERFACES);

const NETWORK: Named = Named {
    name: "Network",
    schema: Schema::Object(&[
        has("static_addresses", ADDRESSES, "By name of the interface; all others ask by DHCP"),
        has("time_servers", Schema::List(&SAID, 100), "Asked before those of DHCP and the usual ones"),
    ]),
};

const NETWORK_CHANGE: Named = Named {
    name: "NetworkChange",
    schema: Schema::Object(&[
        may("static_addresses", ADDRESSES, "All of them"),
        may("time_servers", Schema::List(&Schema::Text(1, 253), BOX_TIME_SERVERS), "All of them"),
    ]),
};

fn boxed(state: &BoxState) -> Value {
    let texts = |all: &[std::net::IpAddr]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
    let interface = |interface: &crate::appliance::state::Interface| {
        json!({
            "name": interface.name,
            "hardware_address": interface.hardware_address,
            "has_carrier": interface.has_carrier,
            "is_static": interface.is_static,
            "addresses": interface.addresses,
            "router": interface.router.map(|router| router.to_string()),
            "dns": texts(&interface.dns),
        })
    };
    let (clock, server) = match &state.clock {
        Clock::Unknown => ("unknown", None),
        Clock::Own => ("own", None),
        Clock::Server { server, .. } => ("server", Some(server)),
    };
    let watchdog = state.watchdog.as_ref().map(|watchdog| {
        json!({
            "identity": watchdog.identity,
            "is_hardware": watchdog.is_hardware,
            "timeout": watchdog.timeout,
            "caused_start": watchdog.caused_start,
        })
    });
    let mended = match &state.storage {
        Storage::Ready { mended, .. } => mended.as_str(),
        _ => "",
    };
    json!({
        "name": state.name,
        "release": state.release,
        "slot": state.slot.map(|slot| slot.to_string()),
        "next_slot": state.committed.map(|slot| slot.to_string()),
        "mended": mended,
        "clock": clock,
        "time_server": server,
        "interfaces": state.interfaces.iter().map(interface).collect::<Vec<_>>(),
        "watchdog": watchdog,
        "watchdog_starts": state.watchdog_starts,
        "fetching_is_paused": state.fetching_is_paused,
    })
}

fn show(asked: &Asked<'_>) -> Result<Response> {
    let context = &asked.context;
    let (web, archive) = (context.web, &context.web.archive);
    let room = Room::of(&archive.paths().data).ok();
    let [memory, memory_most] = facts::own_memory();
    let machine = facts::machine_memory();
    let certificate = facts::certificate(&archive.paths().keys)
        .map(|found| json!({ "sha256": found.fingerprint, "not_after": maybe_time(found.not_after) }));
    let alarms = alarms::of(context);
    let alarms = alarms.iter().map(|alarm| json!({ "is_bad": alarm.mood == Mood::Bad, "sentence": alarm.sentence }));
    Ok(answer(
        200,
        json!({
            "release": env!("CARGO_PKG_VERSION"),
            "now": time(clock::now()),
            "started": time(web.started),
            "time_zone": context.administration.zone_name(),
            "documents": context.view()?.count()?,
            "disk_free": room.map(|room| room.free),
            "disk_size": room.map(|room| room.size),
            "disk_reserve": room.map(Room::reserve),
            "memory": memory,
            "memory_most": memory_most,
            "machine_uptime": facts::uptime(),
            "machine_memory": machine.map(|[all, _]| all),
            "machine_memory_free": machine.map(|[_, free]| free),
            "certificate": certificate,
            "alarms": alarms.collect::<Vec<_>>(),
            "stopped": archive.stopped(),
            "findings": archive.findings().lines().collect::<Vec<_>>(),
            "verification": verifications::last(archive)?,
            "box": web.link.as_deref().map(|link| boxed(&link.state())),
        }),
    ))
}

fn change(asked: &Asked<'_>) -> Result<Response> {
    let zone = asked.text("time_zone");
    if !is_zone(zone) {
        return Err(Problem::at(Reason::Refused, "/time_zone", asked.context.t.system.time_zone_wrong));
    }
    set_zone(&asked.context, zone)?;
    Ok(nothing())
}

fn shown(settings: &BoxSettings) -> Value {
    let addresses: Map<String, Value> = settings
        .static_addresses
        .iter()
        .map(|(name, set)| {
            let dns: Vec<String> = set.dns.iter().map(ToString::to_string).collect();
            let router = set.router.map(|router| router.to_string()).unwrap_or_default();
            (
                name.clone(),
                json!({ "address": format!("{}/{}", set.address, set.prefix), "router": router, "dns": dns }),
            )
        })
        .collect();
    json!({ "static_addresses": addresses, "time_servers": settings.time_servers })
}

fn show_network(asked: &Asked<'_>) -> Result<Response> {
    Ok(answer(200, shown(&link(&asked.context)?.state().settings)))
}

fn change_network(asked: &Asked<'_>) -> Result<Response> {
    let context = &asked.context;
    let link = link(context)?;
    let state = link.state();
    let (mut new, mut mistakes) = (state.settings.clone(), Vec::new());
    if let Some(addresses) = asked.body["static_addresses"].as_object() {
        new.static_addresses.clear();
        for (name, set) in addresses {
            let text = |key: &str| set[key].as_str().unwrap_or_default();
            match settings::static_address(name, text("address"), text("router"), &texts(&set["dns"]).join(", ")) {
                Ok(address) => drop(new.static_addresses.insert(name.clone(), address)),
                Err(wrong) => mistakes.extend(wrong),
            }
        }
    }
    if asked.body.get("time_servers").is_some() {
        new.time_servers = settings::time_servers(&texts(&asked.body["time_servers"]).join(", "));
    }
    for mistake in settings::validate(&new) {
        if !mistakes.contains(&mistake) {
            mistakes.push(mistake);
        }
    }
    if !mistakes.is_empty() {
        return Err(Problem::of(Reason::Refused, mistakes.iter().map(wrong).collect()));
    }
    network::keep(context, link, &state, &new)?;
    Ok(answer(202, shown(&new)))
}

/// The texts of a list.
fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

fn wrong(mistake: &Mistake) -> Wrong {
    let at = match mistake.key {
        "time_servers" => "/time_servers".to_owned(),
        "interface" => format!("/static_addresses/{}", mistake.interface),
        "prefix" => format!("/static_addresses/{}/address", mistake.interface),
        key => format!("/static_addresses/{}/{key}", mistake.interface),
    };
    Wrong { at, what: mistake.sentence(Lang::En) }
}

fn show_monitoring(asked: &Asked<'_>) -> Result<Response> {
    Ok(answer(200, json!({ "networks": Monitoring::read(&asked.context.web.archive)?.networks })))
}

fn change_monitoring(asked: &Asked<'_>) -> Result<Response> {
    let entered = Networks::entered(&texts(&asked.body["networks"]).join(" "));
    let refused = |wrong: String| {
        let what = format!("{} {wrong}", asked.context.t.tokens.networks_wrong);
        Problem::at(Reason::Refused, "/networks", what)
    };
    monitored(&asked.context, &Monitoring { networks: entered.map_err(refused)? })?;
    show_monitoring(asked)
}

fn log(asked: &Asked<'_>) -> Result<Response> {
    let mut lines = link(&asked.context)?.log();
    let wanted = asked.asked_text("word").to_lowercase();
    lines.retain(|line| line.to_lowercase().contains(&wanted));
    Ok(answer(200, json!({ "lines": lines })))
}

fn done() -> Response {
    answer(202, json!({ "is_asked": true }))
}

fn restart(asked: &Asked<'_>) -> Result<Response> {
    power::end(&asked.context, Power::Restart)?;
    Ok(done())
}

fn off(asked: &Asked<'_>) -> Result<Response> {
    power::end(&asked.context, Power::Off)?;
    Ok(done())
}

fn resume(asked: &Asked<'_>) -> Result<Response> {
    power::go_on(&asked.context)?;
    Ok(done())
}
