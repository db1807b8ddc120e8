//! The image in virtual machines, by software emulation: a program of its own, since it needs `make image` first.
//!
//! What is not ignored belongs to `make test`, the rest to `make test-box`.

mod support;

#[path = "box/a_hung_box_is_started_again.rs"]
mod a_hung_box_is_started_again;
#[path = "box/a_lost_slot_leads_to_the_other.rs"]
mod a_lost_slot_leads_to_the_other;
#[path = "box/a_pulled_plug_loses_nothing.rs"]
mod a_pulled_plug_loses_nothing;
#[path = "box/a_stick_installs_the_box.rs"]
mod a_stick_installs_the_box;
#[path = "box/figures.rs"]
mod figures;
#[path = "box/it_boots_from_every_disk.rs"]
mod it_boots_from_every_disk;
#[path = "box/people.rs"]
mod people;
#[path = "box/surroundings_do_not_matter.rs"]
mod surroundings_do_not_matter;
#[path = "box/the_image_does_the_main_job.rs"]
mod the_image_does_the_main_job;
#[path = "box/trouble_is_said_on_the_page.rs"]
mod trouble_is_said_on_the_page;
