//! Help, versions, completions, the manual, and arguments that make no sense.

use std::process::Command;

use crate::support::{
    program::{Ended, announce, is_there, run},
    served::{PATIENCE, ended, weighbridge},
};

const COMMANDS: [&str; 7] = ["serve", "demo", "explain", "check", "sign", "completions", "man"];

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
        &["completions"],
        &["completions", "tcsh"],
        &["sign", "--dialect", "ucloud", "--key-id", "", "--secret-from", "env:HOME", request],
        &["man", "weigh"],
        &["man", "serve", "demo"],
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
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        format!("file:{}", path.display())
    };
    let (empty, garbled) = (file("empty", "\n"), file("garbled", "Zx9Q\u{1}\n"));
    for (dialect, scheme, secret, said) in [
        ("ucloud", "v1", "env:HOME", "`ucloud` has no scheme `v1`; write one of sha1"),
        ("aliyun", "sha1", "env:HOME", "`aliyun` has no scheme `sha1`; write one of acs3, v1"),
        ("aliyun", "v2", "env:HOME", "[possible values: acs3, v1, sha1]"),
        ("ucloud", "sha1", "Zx9Q", "a secret is named by env:NAME or file:PATH"),
        ("ucloud", "sha1", "env:UNSET", "the environment variable `UNSET` is not set; export it"),
        ("ucloud", "sha1", "env:EMPTY", "what `env:EMPTY` names is empty; write it there"),
        ("ucloud", "sha1", "file:/no/such", "`/no/such` cannot be read: No such file"),
        ("ucloud", "sha1", &empty, "empty` names is empty; write it there"),
        (
            "ucloud",
            "sha1",
            &garbled,
            "garbled` names has an illegal character at place 5; write it in printable",
        ),
    ] {
        let arguments =
            ["sign", "--key-id", "k", "--dialect", dialect, "--scheme", scheme, "--secret-from", secret];
        let mut sign = weighbridge(&[&arguments[..], &["https://h/?Action=A"]].concat());
        let Ended { code, out, err } = run(sign.env_remove("UNSET").env("EMPTY", ""), "", PATIENCE);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}\n{err}");
        assert!(err.contains(said) && !err.contains("Zx9Q"), "{arguments:?}\n{err}");
    }
}

/// Each scheme signs, and the secret is nowhere in what is printed.
#[test]
fn sign_knows_every_scheme() {
    for (dialect, scheme, marks) in [
        ("aliyun", "v1", "&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0&"),
        ("aliyun", "acs3", "authorization: ACS3-HMAC-SHA256 Credential=k,SignedHeaders=host;"),
        ("ucloud", "sha1", "&PublicKey=k&Signature="),
    ] {
        let arguments = [
            "sign",
            "--key-id",
            "k",
            "--dialect",
            dialect,
            "--scheme",
            scheme,
            "--secret-from",
            "env:SECRET",
        ];
        let mut sign = weighbridge(&[&arguments[..], &["https://h/?Action=GetRegion"]].concat());
        let Ended { code, out, err } = run(sign.env("SECRET", "Zx9Q"), "", PATIENCE);
        assert_eq!(code, Some(0), "{err}");
        assert!(out.starts_with("curl ") && out.contains(marks), "{scheme}\n{out}");
        assert!(err.starts_with("string to sign:\n"), "{err}");
        assert!(!out.contains("Zx9Q") && !err.contains("Zx9Q"), "{scheme}\n{out}{err}");
    }
}

/// The long options that a command's help names.
fn options(command: Option<&str>) -> Vec<String> {
    let help = ended(&command.into_iter().chain(["--help"]).collect::<Vec<_>>()).out;
    let (_, told) = help.split_once("\nOptions:\n").expect("options");
    let (told, _) = told.split_once("\nExample").or_else(|| told.split_once("\n\n")).expect("an end");
    let words = told.split_whitespace().filter(|word| word.starts_with("--"));
    words.map(|word| word.trim_end_matches(',').to_owned()).collect()
}

#[test]
fn completions_know_every_command_and_every_option() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let Ended { code, out, err } = ended(&["completions", shell]);
        assert_eq!((code, err.as_str()), (Some(0), ""), "{shell}");
        for command in COMMANDS {
            assert!(out.contains(command), "{shell}: {command}");
        }
        for option in std::iter::once(None).chain(COMMANDS.map(Some)).flat_map(options) {
            // fish writes an option without its hyphens.
            let written = if shell == "fish" { option.replace("--", "-l ") } else { option };
            assert!(out.contains(&written), "{shell}: {written}");
        }
    }
}

#[test]
fn bash_completes_by_what_is_printed() {
    if !is_there("bash") {
        announce("bash is not there: its completions are not tried");
        return;
    }
    let script = ended(&["completions", "bash"]).out;
    let completed = |words: &str, count: usize| {
        let ask = format!(
            "{script}\nCOMP_WORDS=(weighbridge {words} '--'); COMP_CWORD={count}\n\
             _weighbridge weighbridge -- '{words}' && echo \"${{COMPREPLY[@]}}\""
        );
        let Ended { code, out, err } = run(Command::new("bash").args(["--norc", "-c", &ask]), "", PATIENCE);
        assert_eq!((code, err.as_str()), (Some(0), ""), "{words}");
        out
    };
    let serve = completed("serve", 2);
    assert!(serve.contains("--config") && serve.contains("--listen"), "{serve}");
    let sign = completed("sign", 2);
    assert!(sign.contains("--dialect") && sign.contains("--secret-from"), "{sign}");
    let checked = run(Command::new("bash").arg("-n"), &script, PATIENCE);
    assert_eq!((checked.code, checked.err.as_str()), (Some(0), ""));
}

#[test]
fn the_manual_names_every_command_and_every_option() {
    let written = |page: &str| page.replace("\\-", "-").replace("\\fB", "").replace("\\fR", "");
    let whole = written(&ended(&["man"]).out);
    for option in std::iter::once(None).chain(COMMANDS.map(Some)).flat_map(options) {
        assert!(whole.contains(&option), "{option}\n{whole}");
    }
    for command in COMMANDS {
        assert!(whole.contains(&format!("weighbridge-{command}(1)")), "{command}\n{whole}");
        let Ended { code, out, err } = ended(&["man", command]);
        assert_eq!((code, err.as_str()), (Some(0), ""), "{command}");
        let page = written(&out);
        for option in options(Some(command)) {
            assert!(page.contains(&option), "{command}: {option}\n{page}");
        }
        let help = ended(&[command, "--help"]).out;
        let examples = help.lines().filter(|line| line.trim().starts_with("weighbridge "));
        for example in examples {
            let lines = page.replace("\\*(Aq", "'").replace("\\\\", "\\");
            assert!(lines.contains(example.trim()), "{command}: {example}\n{page}");
        }
    }
}

#[test]
fn the_manual_is_sound_roff() {
    let pages = std::iter::once(vec!["man"]).chain(COMMANDS.map(|command| vec!["man", command]));
    let lint =
        [("mandoc", &["-T", "lint", "-W", "warning"][..]), ("groff", &["-man", "-ww", "-z", "-Tutf8"])];
    let Some((program, arguments)) = lint.into_iter().find(|(program, _)| is_there(program)) else {
        announce("neither mandoc nor groff is there: the manual is not looked at");
        return;
    };
    for page in pages {
        let text = ended(&page).out;
        assert!(text.contains(".TH weighbridge"), "{text}");
        let Ended { code, out, err } = run(Command::new(program).args(arguments), &text, PATIENCE);
        assert_eq!((code, out.as_str(), err.as_str()), (Some(0), "", ""), "{page:?}\n{text}");
    }
}
