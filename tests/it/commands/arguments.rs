//! Help, versions, and arguments that make no sense.

use crate::support::{program::Ended, served::ended};

const COMMANDS: [&str; 5] = ["serve", "demo", "explain", "check", "sign"];

#[test]
fn every_command_has_help_with_examples_and_a_version() {
    for command in std::iter::once(None).chain(COMMANDS.map(Some)) {
        let of = |option| ended(&command.into_iter().chain([option]).collect::<Vec<_>>());
        for option in ["--help", "-h"] {
            let help = of(option);
            assert_eq!(help.code, Some(0), "{}", help.err);
            let (_, examples) = help.out.split_once("\nExample").expect("examples");
            let named = format!("weighbridge {}", command.unwrap_or_default());
            assert!(examples.contains(named.trim_end()), "{}", help.out);
        }
        let version = of("--version");
        assert_eq!(version.code, Some(0), "{}", version.err);
        assert!(version.out.contains(env!("CARGO_PKG_VERSION")), "{}", version.out);
    }
}

/// A line that the help wraps is no command any more.
#[test]
fn an_example_of_the_help_stands_on_one_line() {
    for command in std::iter::once(None).chain(COMMANDS.map(Some)) {
        let help = ended(&command.into_iter().chain(["--help"]).collect::<Vec<_>>()).out;
        let (_, examples) = help.split_once("\nExample").expect("examples");
        for line in examples.lines().skip(1).filter(|line| !line.trim().is_empty()) {
            assert!(line.contains("weighbridge "), "`{line}` is cut off from its example\n{help}");
        }
    }
}

#[test]
fn usage_errors_exit_2() {
    let request = "http://h/?Action=AllocateBackend";
    for arguments in [
        &[][..],
        &["weigh"],
        &["demo", "more"],
        &["--log", "yaml", "demo"],
        &["serve", "--listen", "nowhere"],
        &["serve", "--confg", "weighbridge.toml"],
        &["explain", request, request],
        &["check", "weighbridge.toml"],
        &["sign", request],
        &["sign", "--dialect", "qcloud", "--key-id", "k", "--secret-from", "env:HOME", request],
    ] {
        let Ended { code, out, err } = ended(arguments);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}\n{err}");
        assert!(err.contains("--help"), "{arguments:?}\n{err}");
    }
}

/// Arguments that make no sense together, or not as what they are given for.
#[test]
fn arguments_that_make_no_sense_exit_2_too() {
    let sign = |rest: &[&'static str]| [&["sign", "--key-id", "k", "http://h/?Action=A"], rest].concat();
    for arguments in [
        sign(&["--dialect", "ucloud", "--scheme", "v1", "--secret-from", "env:HOME"]),
        sign(&["--dialect", "ucloud", "--secret-from", "Zx9Q"]),
    ] {
        let Ended { code, out, err } = ended(&arguments);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}\n{err}");
        assert!(!err.contains("Zx9Q"), "{err}");
    }
}
