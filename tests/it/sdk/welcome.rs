//! The snippets of the welcome screen: Python for each cloud's own SDK, to be pasted as they stand.

use std::process::Command;

use super::{driver::Sdk, install};
use crate::support::{
    program::{Ended, run},
    served::{PATIENCE, Served, welcome},
};

#[test]
fn the_python_snippets_of_the_welcome_screen_run_as_pasted() {
    if Sdk::Tea.driver().is_none() {
        return;
    }
    let served = Served::embedded();
    let welcome = welcome(&served);
    for (cloud, success) in
        [("aliyun", "'VServerGroupId': 'rsp-cige6j5e7p'"), ("ucloud", "'BackendId': 'backend-")]
    {
        let snippet = snippet(&welcome, cloud);
        let mut python = Command::new(install::python());
        python.arg("-I").env("NO_PROXY", "*").env_remove("HTTP_PROXY").env_remove("http_proxy");
        let Ended { code, out, err } = run(python.arg("-"), snippet, PATIENCE);
        assert_eq!(code, Some(0), "{snippet}\n{err}");
        assert!(out.contains(success), "{out}");
    }
}

fn snippet<'w>(welcome: &'w str, cloud: &str) -> &'w str {
    let (_, rest) = welcome.split_once(&format!("# {cloud} with its own Python SDK:\n")).expect("a snippet");
    rest.split_once(&format!("# {cloud} with curl:\n")).expect("its end").0
}
