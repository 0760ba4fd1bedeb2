//! The servers that tests of the store run against are real ones, and go away with the tests.

use std::{fs, path::Path, process::Command, time::Duration};

use crate::support::{postgres::Postgres, program::run};

#[test]
fn postgres_gives_each_test_an_empty_database() {
    let Some(postgres) = Postgres::shared() else { return };
    let (one, other) = (postgres.database(), postgres.database());
    one.query("create table kept (id int primary key, word text); insert into kept values (1, 'gewölbe')");
    assert_eq!(one.query("select * from kept"), "1|gewölbe");
    assert_eq!(other.query("select count(*) from pg_tables where schemaname = 'public'"), "0");
    assert_ne!(one.url(), other.url());
}

#[test]
fn postgres_lets_nobody_in_without_the_password() {
    let Some(postgres) = Postgres::shared() else { return };
    let methods = postgres.database().query("select distinct auth_method from pg_hba_file_rules");
    assert_eq!(methods, "scram-sha-256");
}

#[test]
fn postgres_comes_back_where_it_was_with_what_it_had() {
    let Some(mut postgres) = Postgres::own() else { return };
    let database = postgres.database();
    database.query("create table kept (id int); insert into kept values (7)");
    postgres.stop();
    let told = database.psql("select 1");
    assert!(told.err.contains("Connection refused"), "{told:?}");
    postgres.start();
    assert_eq!(database.query("select id from kept"), "7");
}

#[test]
fn postgres_leaves_nothing_behind() {
    let Some(postgres) = Postgres::own() else { return };
    let data = postgres.database().query("show data_directory");
    let data = Path::new(&data);
    let papers = fs::read_to_string(data.join("postmaster.pid")).unwrap();
    let is_alive = format!("kill -0 {}", papers.lines().next().unwrap());
    let is_alive = || run(Command::new("sh").args(["-c", &is_alive]), "", Duration::from_secs(10)).code;
    assert_eq!(is_alive(), Some(0));
    drop(postgres);
    assert_eq!(is_alive(), Some(1));
    assert!(!data.parent().unwrap().exists(), "{data:?}");
}
