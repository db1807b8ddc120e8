//! The simulator as a program of its own.

use std::io::Write;

use anyhow::Result;
use simulator::{Config, Simulator};

fn main() -> Result<()> {
    let Some(config) = Config::from_args()? else { return Ok(()) };
    let simulator = Simulator::start(config)?;
    println!("{}\nready", simulator.url());
    std::io::stdout().flush()?;
    simulator.wait();
    Ok(())
}
