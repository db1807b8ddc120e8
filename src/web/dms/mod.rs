pub mod link;
pub mod media;
pub mod range;
pub mod show;
