//! `weighbridge check`.

use crate::support::{
    program::Ended,
    served::ended,
    site::{Site, config},
};

#[test]
fn check_passes_a_good_config() {
    let site = Site::with(&config("https://slb.{region}.aliyuncs.com", "https://api.ucloud.cn"));
    let Ended { code, out, err } = ended(&["check", "--config", &site.config()]);
    assert_eq!(code, Some(0), "{out}{err}");
    let embedded = ended(&["check"]);
    assert_eq!(embedded.code, Some(0), "{}{}", embedded.out, embedded.err);
}

#[test]
fn check_prints_every_problem_with_file_line_and_column() {
    let text = config("ftp://slb.aliyuncs.com", "https://api.ucloud.cn")
        .replace("127.0.0.1:0", "localhost")
        .replace("target = \"ucloud-simulated\"", "target = \"ucloud-simulatd\"\non_loss = \"ignore\"")
        .replace("demo-ucloud-secret", "env:WEIGHBRIDGE_TEST_UNSET");
    let site = Site::with(&(text + "\n[limits]\nclock_skw = \"15m\"\n"));
    let server = "[[server]]\naliyun = \"i-1\"\nucloud = \"uhost-1\"\n";
    site.write("resources.toml", &format!("{server}\n{server}"));
    let Ended { code, out, err } = ended(&["check", "--config", &site.config()]);
    assert_eq!(code, Some(1), "{out}{err}");
    let config = site.config();
    for (place, said) in [
        (format!("{config}:1:10: "), "localhost"),
        (format!("{config}:6:12: "), "ftp://slb.aliyuncs.com"),
        (format!("{config}:23:10: "), "ucloud-simulatd"),
        (format!("{config}:24:11: "), "ignore"),
        (format!("{config}:29:10: "), "WEIGHBRIDGE_TEST_UNSET"),
        (format!("{config}:33:1: "), "clock_skew"),
        (format!("{}:6:10: ", site.path("resources.toml")), "line 2"),
        (format!("{}:7:10: ", site.path("resources.toml")), "line 3"),
    ] {
        let line = out.lines().find(|line| line.starts_with(&place) && line.contains(said));
        assert!(line.is_some(), "{place}{said}\n{out}");
    }
}
