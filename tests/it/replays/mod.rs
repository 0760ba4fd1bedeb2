//! The calls that other people's tools make, one after the other and in their own spelling, and whether they find in the
//! answers what they look for: Terraform, the Kubernetes controller, Ansible, the command line.
//!
//! The tools themselves are not run. What they send and how they read is taken from their source, and the requests are
//! signed apart from the code under test.

mod ansible;
mod command_line;
mod controller;
mod late;
mod markup;
mod terraform_alicloud;
mod terraform_ucloud;
mod tools;
