//! Promise: WebAdmin works with real clicks, scrolls nowhere sideways from 360 px on, and has nothing that axe finds serious,
//! light and dark.

use crate::support::archivista::Archivista;
use crate::support::browser::flow;
use crate::support::serving::{ADMINISTRATOR, Serving};
use crate::support::tenant::{CLIENT, SECRET, TENANT, Tenant, tiny};
use serde_json::json;

#[test]
fn a_tenant_is_set_up_and_every_page_fits() {
    let anna = "anna@example.ch";
    let tenant = Tenant::with(&[(anna, tiny(anna, 9))]);
    let archivista = Archivista::new();
    let serving = Serving::start(&archivista, &[]);
    serving.set_up();
    let config = json!({
        "user": ADMINISTRATOR.0,
        "password": ADMINISTRATOR.1,
        "simulator": tenant.simulator.url(),
        "authority": tenant.ca_file(),
        "tenant": TENANT,
        "client": CLIENT,
        "secret": SECRET,
    });
    flow("administration", &serving.origin(), &config);
}
