//! The whole life of groups and their backends, in both directions, before clouds that show changes at once or late.

mod faults;
mod from_aliyun;
mod from_ucloud;
mod sequences;
pub mod stage;
