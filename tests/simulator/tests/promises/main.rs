//! Promises of the simulator, asked over its own TLS by a client that shares nothing with it.

mod client;
mod control;
mod delta;
mod entra;
mod fault;
mod mail;
mod schema;
mod stage;
