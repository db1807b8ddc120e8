//! Every promise, a file each, in one program: what they share is built once, and they run side by side.
//!
//! Two are programs of their own, because they look at the memory or the descriptors of their process.

mod support;

mod a_full_disk_loses_nothing;
mod a_huge_message_needs_no_memory;
mod a_kill_loses_nothing;
mod a_mail_is_shown_with_its_attachments;
mod a_microsoft_365_tenant_is_archived_whole;
mod a_real_mailbox_is_archived_byte_for_byte;
mod a_user_sees_only_own_mailboxes;
mod access_links_are_as_the_maker_made_them;
mod after_archiving_in_microsoft_365;
mod after_archiving_the_server_is_told_what_the_definition_says;
mod an_administrator_manages_the_archive;
mod an_administrator_sets_up_a_source;
mod an_unfinished_end_is_put_aside;
mod bad_definitions_get_a_clear_error;
mod broken_mime_is_archived_byte_for_byte;
mod broken_mime_is_read_as_far_as_possible;
mod browser_itself;
mod changed_documents_are_kept_and_proved;
mod defaults_leave_out_drafts_outbox_and_junk;
mod documents_are_found;
mod dovecot_itself;
mod each_fault_alone_costs_nothing;
mod every_mail_can_be_looked_at;
mod fields_take_what_the_definition_says;
mod files_are_uploaded_and_played;
mod fixture_itself;
mod graph_dialogues;
mod hostile_mails_are_shown_harmlessly;
mod imap_dialogues;
mod imap_tls;
mod logins_are_made_or_explained;
mod mails_themselves;
mod microsoft_365_logins_are_explained;
mod microsoft_365_moves_drafts_and_gaps;
mod min_age_days_leaves_young_mail_until_it_is_old_enough;
mod nobody_gets_in_without_a_login;
mod one_process_has_the_folder;
mod only_administrators_administer;
mod only_equal_bytes_are_the_same_mail;
mod pages_in_a_browser;
mod progress_of_a_fetch_is_seen;
mod rights_hold_on_every_route;
mod secrets_are_sealed;
mod switching_modules_doubles_no_mail;
mod ten_thousand_requests_leave_memory_as_it_was;
mod the_administration_fits_every_screen;
mod the_catalog_heals;
mod the_fetch_loop_ends;
mod the_maker_s_script_runs_against_the_simulator;
mod the_pieces_of_a_message_do_not_matter;
mod the_sample_company_is_archived_whole;
mod the_server_goes_away;
mod uid_validity_change_archives_nothing_twice;
mod verify_finds_every_change;

#[test]
fn every_promise_is_in_this_program() {
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let (manifest, list) = (include_str!("../Cargo.toml"), include_str!("promises.rs"));
    for name in names.filter_map(|name| name.strip_suffix(".rs").map(String::from)) {
        let listed =
            list.contains(&format!("\nmod {name};")) || manifest.contains(&format!("path = \"tests/{name}.rs\""));
        assert!(listed, "tests/{name}.rs is run by nobody: name it in tests/promises.rs");
    }
}
