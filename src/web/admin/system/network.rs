//! Addresses of the box and the time servers that it asks.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use maud::{Markup, html};

use super::super::super::Context;
use super::super::super::error::Result;
use super::super::super::layout::{self, Field, select};
use super::super::super::request::Form;
use super::super::super::response::Response;
use super::super::{Part, page};
use super::link;
use crate::appliance::channel::Ask;
use crate::appliance::link::Link;
use crate::appliance::settings::{self, Mistake};
use crate::appliance::state::{BoxSettings, BoxState, Interface};
use crate::archive::commit::Happening;

/// As the journal names them.
const NETWORK: &str = "box/network";
const TIME_SERVERS: &str = "box/time_servers";

/// What is wrong, by name of the field.
type Faults = Vec<(String, String)>;

pub fn card(context: &Context<'_>, state: &BoxState) -> Markup {
    let t = &context.t.system;
    html! {
        section.card {
            h2 { (t.network) }
            @if state.interfaces.is_empty() { p { (t.no_interface) } }
            @for interface in &state.interfaces {
                h3 { (interface.name) @if !interface.has_carrier { " " span.tag.warn { (t.no_cable) } } }
                dl {
                    dt { (t.addresses) }
                    dd {
                        @if interface.addresses.is_empty() { "–" }
                        @for address in &interface.addresses { span.mono.breaks { (address) } br; }
                        small { @if interface.is_static { (t.by_hand) } @else { (t.by_dhcp) } }
                    }
                    @if let Some(router) = interface.router { dt { (t.router) } dd.mono { (router) } }
                    @if !interface.dns.is_empty() { dt { (t.dns) } dd.mono { (joined(&interface.dns)) } }
                    @if !interface.time_servers.is_empty() {
                        dt { (t.time_servers) } dd.mono { (joined(&interface.time_servers)) }
                    }
                    dt { (t.hardware_address) } dd.mono { (interface.hardware_address) }
                }
            }
            p { a.button href="/admin/system/network" { (t.network_change) } }
        }
    }
}

fn joined<T: ToString>(all: &[T]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Interfaces that are there, and those that have an address for when they are.
fn names(state: &BoxState) -> BTreeSet<String> {
    let there = state.interfaces.iter().map(|interface| interface.name.clone());
    there.chain(state.settings.static_addresses.keys().cloned()).collect()
}

pub fn show(context: &Context<'_>) -> Result<Response> {
    let state = link(context)?.state();
    let mut form = Form::default();
    for name in names(&state) {
        let known = state.settings.static_addresses.get(&name);
        form.push(&format!("method_{name}"), if known.is_some() { "static" } else { "dhcp" });
        if let Some(known) = known {
            form.push(&format!("address_{name}"), &format!("{}/{}", known.address, known.prefix));
            form.push(&format!("router_{name}"), &known.router.map(|router| router.to_string()).unwrap_or_default());
            form.push(&format!("dns_{name}"), &joined(&known.dns));
        } else if let Some(interface) = state.interfaces.iter().find(|interface| interface.name == name) {
            // What DHCP gave is a good beginning.
            suggest(&mut form, interface);
        }
    }
    form.push("time_servers", &state.settings.time_servers.join(", "));
    Ok(show_with(context, &state, &form, &Faults::new()))
}

fn suggest(form: &mut Form, interface: &Interface) {
    let name = &interface.name;
    if let Some(address) = interface.addresses.iter().find(|address| is_ipv4(address)) {
        form.push(&format!("address_{name}"), address);
    }
    form.push(&format!("router_{name}"), &interface.router.map(|router| router.to_string()).unwrap_or_default());
    form.push(&format!("dns_{name}"), &joined(&interface.dns));
}

fn show_with(context: &Context<'_>, state: &BoxState, form: &Form, faults: &Faults) -> Response {
    let (t, common) = (&context.t.system, &context.t.page);
    let wrong = |name: &str| {
        let said: Vec<&str> =
            faults.iter().filter(|(field, _)| field == name).map(|(_, sentence)| sentence.as_str()).collect();
        said.join(" ")
    };
    let field = |name: &str, label: &str, help: &str| -> Markup {
        html! {
            (Field { name, label, value: form.text(name), help, wrong: &wrong(name), fill: "off", ..Field::default() })
        }
    };
    let methods = [("dhcp", t.method_dhcp), ("static", t.method_static)];
    let body = html! {
        p { a href="/admin/system" { "← " (t.title) } }
        h1 { (t.network_change) }
        @if !faults.is_empty() { (layout::trouble(common.wrong)) }
        div.note.warn { p { (t.network_help) } }
        form method="post" action="/admin/system/network" {
            (layout::token(context))
            @for name in names(state) {
                @let is_there = state.interfaces.iter().any(|interface| interface.name == name);
                section.card {
                    h2 { (name) @if !is_there { " " span.tag.warn { (t.not_there) } } }
                    (select(&format!("method_{name}"), t.method, form.text(&format!("method_{name}")), &methods, ""))
                    (field(&format!("address_{name}"), t.address, t.address_help))
                    (field(&format!("router_{name}"), t.router, ""))
                    (field(&format!("dns_{name}"), t.dns, t.dns_help))
                }
            }
            section.card {
                h2 { (t.clock) }
                (field("time_servers", t.time_servers, t.time_servers_help))
            }
            p.row {
                button.first { (common.save) }
                a.button href="/admin/system" { (common.cancel) }
            }
        }
    };
    page(context, Part::System, t.network_change, &body)
}

pub fn send(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let link = link(context)?;
    let state = link.state();
    let (settings, mut mistakes) = entered(&names(&state), &form);
    for mistake in settings::validate(&settings) {
        if !mistakes.contains(&mistake) {
            mistakes.push(mistake);
        }
    }
    let faults: Faults = mistakes.iter().map(|mistake| (field_of(mistake), mistake.sentence(context.lang))).collect();
    if !faults.is_empty() {
        return Ok(show_with(context, &state, &form, &faults).status(400));
    }
    if !keep(context, link, &state, &settings)? {
        context.notice(context.t.page.saved);
        return Ok(Response::redirect("/admin/system"));
    }
    Ok(changed(context, &state, &settings))
}

/// Hands new settings, which were checked, to the box; returns whether its addresses change.
pub fn keep(context: &Context<'_>, link: &Link, state: &BoxState, settings: &BoxSettings) -> Result<bool> {
    let old = &state.settings;
    let network_changes = settings.static_addresses != old.static_addresses;
    for (key, changes) in [(NETWORK, network_changes), (TIME_SERVERS, settings.time_servers != old.time_servers)] {
        if changes {
            context.web.archive.journal(&context.who(), Happening::SettingChanged(key.into()))?;
        }
    }
    if settings != old {
        link.ask(&Ask::Settings(settings.clone()));
    }
    Ok(network_changes)
}

/// Where the box is from now on; the page that leads here may not be reached any more.
fn changed(context: &Context<'_>, state: &BoxState, new: &BoxSettings) -> Response {
    let t = &context.t.system;
    let (old, new) = (&state.settings.static_addresses, &new.static_addresses);
    let by_dhcp = old.keys().any(|name| !new.contains_key(name));
    let link = |host: &str| -> Markup {
        let address = format!("https://{host}/admin/system");
        html! { li { a href=(address) { (address) } } }
    };
    let body = html! {
        h1 { (t.changed) }
        @if !new.is_empty() {
            p { (t.changed_static) }
            ul { @for address in new.values() { (link(&address.address.to_string())) } }
        }
        @if by_dhcp {
            p { (t.changed_dhcp) }
            ul { (link(&format!("{}.local", state.name))) }
        }
        p { (t.changed_cookie) }
    };
    page(context, Part::System, t.changed, &body)
}

/// What the form says, and what is wrong with it.
fn entered(names: &BTreeSet<String>, form: &Form) -> (BoxSettings, Vec<Mistake>) {
    let (mut settings, mut mistakes) = (BoxSettings::default(), Vec::new());
    for name in names.iter().filter(|name| form.text(&format!("method_{name}")) == "static") {
        let [address, router, dns] = ["address", "router", "dns"].map(|field| form.text(&format!("{field}_{name}")));
        match settings::static_address(name, address, router, dns) {
            Ok(address) => drop(settings.static_addresses.insert(name.clone(), address)),
            Err(wrong) => mistakes.extend(wrong),
        }
    }
    settings.time_servers = settings::time_servers(form.text("time_servers"));
    (settings, mistakes)
}

/// The field of the form that a mistake stands beside.
fn field_of(mistake: &Mistake) -> String {
    match mistake.key {
        "time_servers" => "time_servers".into(),
        key @ ("router" | "dns") => format!("{key}_{}", mistake.interface),
        _ => format!("address_{}", mistake.interface),
    }
}

/// Whether this is `192.168.1.20/24` and no IPv6 address.
fn is_ipv4(address: &str) -> bool {
    address.split('/').next().is_some_and(|address| address.parse::<Ipv4Addr>().is_ok())
}
