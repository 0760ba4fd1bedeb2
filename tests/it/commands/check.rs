//! `weighbridge check`.

use std::{fs, net::TcpListener};

use crate::support::{
    postgres::Postgres,
    program::{Ended, run},
    served::{PATIENCE, Served, ended, weighbridge},
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

/// A config with a store, between lines that push it down.
fn with_store(store: &str) -> Site {
    let text = config("https://slb.{region}.aliyuncs.com", "https://api.ucloud.cn");
    Site::with(&text.replace("[targets.aliyun", &format!("store = \"{store}\"\n\n[targets.aliyun")))
}

fn checked(site: &Site) -> Ended {
    let mut check = weighbridge(&["check", "--config", &site.config()]);
    run(
        check.env("RUST_LOG", "trace").env("WEIGHBRIDGE_TEST_STORE", "postgres://a:Zx9Q@127.0.0.1:1/b"),
        "",
        PATIENCE,
    )
}

#[test]
fn check_opens_the_store_and_says_where_it_is_named_when_it_cannot() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (store, said) in [
        (format!("postgres://a:Zx9Q@{nobody}/b"), "refused"),
        (format!("postgres://a:Zx9Q@{nobody}/b?password=Zx9Q"), "refused"),
        ("env:WEIGHBRIDGE_TEST_STORE".to_owned(), "refused"),
        ("file:store.txt".to_owned(), "refused"),
        ("postgres://a:Zx9Q@127.0.0.1:Zx9Q/b".to_owned(), "cannot be used"),
        ("postgres://a:Zx9Q@/Zx9Q@127.0.0.1/b?sslmode=Zx9Q".to_owned(), "cannot be used"),
        ("sqlite:no such folder/weighbridge.db".to_owned(), "no such folder"),
        ("sqlite:resources.toml".to_owned(), "not a database"),
        ("sqlite:.".to_owned(), "cannot be used"),
    ] {
        let site = with_store(&store);
        site.write("store.txt", "postgres://a:Zx9Q@127.0.0.1:1/b\n");
        let Ended { code, out, err } = checked(&site);
        assert_eq!(code, Some(1), "{store}\n{out}{err}");
        let place = format!("{}:4:9: the store cannot be used: ", site.config());
        let told = out.lines().any(|line| line.starts_with(&place) && line.contains(said));
        assert!(told, "{place}{said}\n{out}");
        assert!(!out.contains("Zx9Q") && !err.contains("Zx9Q"), "{out}{err}");
    }
}

#[test]
fn check_names_the_whole_file_for_a_store_that_is_not_named() {
    let site = Site::with(&config("https://slb.{region}.aliyuncs.com", "https://api.ucloud.cn"));
    fs::create_dir(site.path("weighbridge.db")).unwrap();
    let Ended { code, out, err } = checked(&site);
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(out.contains(&format!("{}:1:1: the store cannot be used: ", site.config())), "{out}");
}

#[test]
fn check_warns_of_a_password_that_stands_in_the_config() {
    let password = "postgres://a:Zx9Q@127.0.0.1:1/b";
    for (store, warned) in [
        (password, true),
        ("postgres://a@127.0.0.1:1/b?sslmode=disable&password=Zx9Q", true),
        ("postgres://a@127.0.0.1:1/b", false),
        ("env:WEIGHBRIDGE_TEST_STORE", false),
    ] {
        let site = with_store(store);
        let Ended { out, .. } = checked(&site);
        let warning = format!("{}:4:9: warning: the password of the `store`", site.config());
        assert_eq!(out.contains(&warning), warned, "{store}\n{out}");
    }
}

#[test]
fn check_leaves_its_store_to_a_running_gateway_and_to_the_next() {
    let site = with_store("sqlite:kept/weighbridge.db");
    fs::create_dir(site.path("kept")).unwrap();
    assert_eq!(checked(&site).code, Some(0));
    let served = Served::by(&site.config());
    for _ in 0..2 {
        let Ended { code, out, err } = checked(&site);
        assert_eq!(code, Some(0), "{out}{err}");
    }
    let Ended { code, err, .. } = served.stop();
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("store=sqlite:") && !err.contains("cannot be used"), "{err}");
}

#[test]
fn check_opens_a_store_in_postgres_beside_its_replicas() {
    let Some(postgres) = Postgres::shared() else { return };
    let database = postgres.database();
    let password = database.url().split(['@', ':']).nth(2).unwrap().to_owned();
    let site = with_store("file:store.txt");
    site.write("store.txt", database.url());
    let Ended { code, out, err } = checked(&site);
    assert_eq!(code, Some(0), "{out}{err}");
    assert_eq!(database.query("select count(*) from journal"), "0", "the tables are there");
    let served = Served::start(weighbridge(&["serve", "--config", &site.config()]).env("RUST_LOG", "trace"));
    let beside = checked(&site);
    assert_eq!(beside.code, Some(0), "{beside:?}");
    let served = served.stop();
    assert!(served.err.contains("store=postgres://"), "{}", served.err);
    for said in [out, err, beside.out, beside.err, served.err] {
        assert!(!said.contains(&password), "{said}");
    }
}
