//! What only files can go through: growth, reuse, other processes' remains. What every store does is in `tests/it/stores.rs`.

use std::{fs, sync::Arc, thread};

use jiff::SignedDuration;
use tempfile::TempDir;

use super::*;
use crate::crypto::sha256;

const KEEP: Duration = Duration::from_mins(30);

fn now() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

fn after(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

fn group(name: &str) -> GroupKey {
    GroupKey { cloud: "prod".into(), group: name.into() }
}

fn digest_of(number: usize) -> [u8; 32] {
    sha256(&number.to_le_bytes())
}

/// A folder with a database that nothing here looks into.
fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    fs::write(&path, "").unwrap();
    (folder, path)
}

fn index(path: &Path) -> Result<Index<8>, Unavailable> {
    Index::open(Series::beside(path, "nonces"))
}

/// The names of the files beside the database, and their bytes together.
fn files(folder: &TempDir) -> (Vec<String>, u64) {
    let files = fs::read_dir(folder.path()).unwrap().map(Result::unwrap);
    let files = files.map(|file| (file.file_name().into_string().unwrap(), file.metadata().unwrap().len()));
    let mut files: Vec<(String, u64)> = files.filter(|(name, _)| name.starts_with("a.db.")).collect();
    files.sort();
    let bytes = files.iter().map(|(_, bytes)| bytes).sum();
    (files.into_iter().map(|(name, _)| name.trim_start_matches("a.db.").to_owned()).collect(), bytes)
}

#[test]
fn a_full_bucket_begins_the_next_table_and_nothing_is_lost() {
    let (folder, path) = folder();
    let mut table = index(&path).unwrap();
    let value = |number: usize| (number as u64).to_le_bytes();
    // More than the 21 slots in each of the 2,048 and 16,384 buckets of the first two tables.
    let count = 390_000;
    for number in 0..count {
        assert!(table.put_first(&digest_of(number), after(60), value(number), now()).unwrap());
    }
    let (names, _) = files(&folder);
    assert!(names.len() > 2, "{names:?}");
    for mut table in [table, index(&path).unwrap()] {
        for number in (0..count).step_by(7) {
            assert_eq!(table.look(&digest_of(number), now()).unwrap(), Some(value(number)));
            assert!(!table.put_first(&digest_of(number), after(60), value(0), now()).unwrap());
        }
        assert_eq!(table.look(&digest_of(count), now()).unwrap(), None);
        assert_eq!(table.look(&digest_of(1), after(61)).unwrap(), None);
    }
}

#[test]
fn what_is_out_of_date_gives_its_slot_to_what_comes_after_it() {
    let (folder, path) = folder();
    let mut table = index(&path).unwrap();
    for minute in 0..20 {
        let at = after(60 * minute);
        for number in 0..5_000 {
            let digest = digest_of(usize::try_from(minute).unwrap() * 5_000 + number);
            assert!(table.put_first(&digest, at + SignedDuration::from_secs(59), [1; 8], at).unwrap());
        }
        table.forget(at).unwrap();
    }
    assert_eq!(files(&folder).0, ["nonces.1"], "100 000 in the 43 008 slots of one table");
}

#[test]
fn what_is_put_again_stands_where_it_stood() {
    let (folder, path) = folder();
    let mut table = index(&path).unwrap();
    for value in 0..200 {
        table.put(&digest_of(1), after(60), [value; 8], now()).unwrap();
        assert_eq!(table.look(&digest_of(1), now()).unwrap(), Some([value; 8]));
    }
    assert_eq!(files(&folder).0, ["nonces.1"]);
}

#[test]
fn a_table_is_deleted_once_everything_in_it_is_out_of_date() {
    let (folder, path) = folder();
    let mut table = index(&path).unwrap();
    let mut number = 0;
    while files(&folder).0.len() < 2 {
        number += 1;
        table.put(&digest_of(number), after(60), [1; 8], now()).unwrap();
    }
    table.put(&digest_of(0), after(5_000), [2; 8], now()).unwrap();
    let mut table = index(&path).unwrap();
    table.forget(after(60)).unwrap();
    assert_eq!(files(&folder).0, ["nonces.1", "nonces.2"]);
    table.forget(after(2_000)).unwrap();
    assert_eq!(files(&folder).0, ["nonces.2"]);
    assert_eq!(table.look(&digest_of(0), after(2_000)).unwrap(), Some([2; 8]));
    table.forget(after(10_000)).unwrap();
    assert_eq!(files(&folder).0, [""; 0]);
    assert!(table.put_first(&digest_of(0), after(10_060), [3; 8], after(10_000)).unwrap());
}

#[test]
fn what_is_no_table_of_this_kind_is_named_and_left_alone() {
    for (place, byte) in [(0, b'W'), (20, 16), (24, 1), (31, 0xff)] {
        let (folder, path) = folder();
        index(&path).unwrap().put(&digest_of(1), after(60), [1; 8], now()).unwrap();
        let file = folder.path().join("a.db.nonces.1");
        let mut bytes = fs::read(&file).unwrap();
        bytes[place] = byte;
        fs::write(&file, &bytes).unwrap();
        let why = index(&path).unwrap_err().to_string();
        assert!(why.contains("a.db.nonces.1`: it is damaged"), "{place}: {why}");
        assert_eq!(fs::read(&file).unwrap(), bytes);
    }
    let (folder, path) = folder();
    fs::write(folder.path().join("a.db.answers.7"), "somebody's notes").unwrap();
    let why = Answers::open(&path).unwrap_err().to_string();
    assert!(why.contains("a.db.answers.7`: it is damaged"), "{why}");
}

/// By a process that was killed as it began, or a machine that lost its power.
#[test]
fn what_was_made_and_never_written_is_begun_anew() {
    for blank in [0, 10, 5_000] {
        let (folder, path) = folder();
        for name in ["a.db.nonces.1", "a.db.answers.1", "a.db.answers.more", "a.db.nonces.01"] {
            fs::write(folder.path().join(name), vec![0; blank]).unwrap();
        }
        assert!(index(&path).unwrap().put_first(&digest_of(1), after(60), [1; 8], now()).unwrap());
        assert!(!index(&path).unwrap().put_first(&digest_of(1), after(60), [1; 8], now()).unwrap());
        Answers::open(&path).unwrap();
        assert_eq!(files(&folder).0, ["answers.more", "nonces.01", "nonces.1"]);
    }
}

#[test]
fn a_table_that_lost_its_end_has_lost_what_was_there_and_no_more() {
    let (folder, path) = folder();
    index(&path).unwrap().put(&digest_of(1), after(60), [1; 8], now()).unwrap();
    let file = fs::OpenOptions::new().write(true).open(folder.path().join("a.db.nonces.1")).unwrap();
    file.set_len(48).unwrap();
    let mut table = index(&path).unwrap();
    assert!(table.put_first(&digest_of(1), after(60), [1; 8], now()).unwrap());
    assert!(!table.put_first(&digest_of(1), after(60), [1; 8], now()).unwrap());
}

fn record(answers: &mut Answers, number: usize, group: Option<GroupKey>, until: Timestamp) {
    answers.record(digest_of(number), group, until, format!("answer {number}")).unwrap();
}

fn told(answers: &mut Answers, number: usize, at: Timestamp) -> bool {
    let told = answers.answer(&digest_of(number), at).unwrap();
    assert!(told.as_ref().is_none_or(|told| *told == format!("answer {number}")), "{told:?}");
    told.is_some()
}

#[test]
fn an_answer_is_told_by_whoever_opens_the_log_up_to_its_last_moment() {
    let (folder, path) = folder();
    let mut answers = Answers::open(&path).unwrap();
    let until = now() + SignedDuration::from_millis(1_500);
    record(&mut answers, 1, Some(group("g1")), until);
    let long = "long ".repeat(100_000);
    answers.record(digest_of(2), None, until, long.clone()).unwrap();
    let mut reopened = Answers::open(&path).unwrap();
    record(&mut reopened, 3, None, until);
    for answers in [&mut answers, &mut reopened] {
        assert!(told(answers, 1, until - SignedDuration::from_millis(1)));
        assert!(!told(answers, 1, until));
        assert_eq!(answers.answer(&digest_of(2), now()).unwrap().as_ref(), Some(&long));
        assert!(told(answers, 3, now()) && !told(answers, 4, now()));
    }
    assert_eq!(files(&folder).0, ["answers.1", "answers.2", "index.1"]);
}

#[test]
fn a_record_that_was_cut_off_hides_none_of_those_before_it() {
    let (folder, path) = folder();
    let mut answers = Answers::open(&path).unwrap();
    record(&mut answers, 1, Some(group("g1")), after(10));
    record(&mut answers, 2, Some(group("g2")), after(10));
    answers.forget(&group("g1")).unwrap();
    record(&mut answers, 3, Some(group("g2")), after(10));
    let file = folder.path().join("a.db.answers.1");
    let bytes = fs::read(&file).unwrap();
    for cut in 1..30 {
        fs::write(&file, &bytes[..bytes.len() - cut]).unwrap();
        let mut answers = Answers::open(&path).unwrap();
        assert!(!told(&mut answers, 1, now()) && told(&mut answers, 2, now()));
        assert!(!told(&mut answers, 3, now()));
        // Nothing is written behind the rest of it.
        record(&mut answers, 4, Some(group("g1")), after(10));
        assert!(told(&mut answers, 4, now()));
    }
}

#[test]
fn what_is_void_is_void_for_whoever_opens_the_log() {
    let (_folder, path) = folder();
    let other = |name: &str| GroupKey { cloud: "other".into(), group: name.into() };
    let mut answers = Answers::open(&path).unwrap();
    answers.forget(&group("g1")).unwrap();
    for (number, group) in
        [Some(group("g1")), Some(group("g2")), Some(other("g1")), None].into_iter().enumerate()
    {
        record(&mut answers, number, group, after(10));
    }
    answers.forget(&group("g1")).unwrap();
    let found = |answers: &mut Answers| (0..6).map(|number| told(answers, number, now())).collect::<Vec<_>>();
    assert_eq!(found(&mut answers), [false, true, true, true, false, false]);
    assert_eq!(found(&mut Answers::open(&path).unwrap()), [false, true, true, true, false, false]);
    record(&mut answers, 4, Some(group("g1")), after(10));
    answers.forget_target("prod").unwrap();
    record(&mut answers, 5, None, after(10));
    assert_eq!(found(&mut answers), [false, false, true, false, false, true]);
    let mut answers = Answers::open(&path).unwrap();
    assert_eq!(found(&mut answers), [false, false, true, false, false, true]);
    record(&mut answers, 0, Some(group("g1")), after(10));
    assert!(told(&mut answers, 0, now()), "it was told anew");
}

#[test]
fn the_log_takes_no_more_room_than_what_counts() {
    let (folder, path) = folder();
    let mut answers = Answers::open(&path).unwrap();
    let (mut most, text) = (0, "x".repeat(1_000));
    for second in 0..60 {
        for number in 0..500 {
            let request = digest_of(usize::try_from(second).unwrap() * 500 + number);
            answers.answer(&request, after(second)).unwrap();
            answers.record(request, Some(group("g1")), after(second + 10), text.clone()).unwrap();
        }
        answers.forget(&group("g2")).unwrap();
        answers.tidy(after(second)).unwrap();
        most = most.max(files(&folder).1);
    }
    // Five megabytes of them, the file that has begun before them, and the index.
    assert!(most < 10 << 20, "{most}");
    answers.tidy(after(70)).unwrap();
    assert_eq!(files(&folder).0, ["index.1"]);
    answers.forget(&group("g1")).unwrap();
    answers.tidy(after(2_000)).unwrap();
    assert_eq!(files(&folder).0, [""; 0], "what nothing is void of is not recorded");
    record(&mut answers, 1, None, after(2_010));
    assert!(told(&mut answers, 1, after(2_000)));
}

async fn opened(path: &Path) -> Disk {
    let store = Disk::at(path);
    store.tend(now()).await;
    assert_eq!(store.trouble(), None);
    store
}

#[tokio::test]
async fn of_many_who_use_a_nonce_at_once_one_is_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(opened(&folder.path().join("a.db")).await);
    let offer = |store: Arc<Disk>| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let first =
            async |number: usize| store.first_use("key", &number.to_string(), now(), KEEP).await.unwrap();
        (0..5_000).map(|number| runtime.block_on(first(number))).collect::<Vec<_>>()
    };
    let threads: Vec<_> =
        (0..4).map(|_| Arc::clone(&store)).map(|store| thread::spawn(move || offer(store))).collect();
    let firsts: Vec<Vec<bool>> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    for number in 0..5_000 {
        assert_eq!(firsts.iter().filter(|firsts| firsts[number]).count(), 1, "{number}");
    }
}

#[tokio::test]
async fn what_an_earlier_version_has_left_in_sqlite_counts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let answered = |number: u8| {
        let answer = format!("answer {number}");
        Write::Answered { request: [number; 32], group: Some(group("g1")), until: after(10), answer }
    };
    let before = Sql::in_file(&path);
    before.tend(now()).await;
    assert!(before.first_use("a", "n", now(), KEEP).await.unwrap());
    before.write(vec![answered(1)]).await.unwrap();
    drop(before);

    let store = opened(&path).await;
    let first = async |key: &str, at: Timestamp| store.first_use(key, "n", at, KEEP).await.unwrap();
    assert!(!first("a", now()).await && first("b", now()).await);
    assert!(first("a", after(1_801)).await, "its time is over");
    store.write(vec![answered(2)]).await.unwrap();
    let told = async |number: u8| store.answer(&[number; 32], now()).await.unwrap().is_some();
    assert!(told(1).await && told(2).await && !told(3).await);
    store.write(vec![Write::ForgetAnswers(group("g1"))]).await.unwrap();
    assert!(!told(1).await && !told(2).await);
    store.write(vec![answered(1), answered(2)]).await.unwrap();
    store.write(vec![answered(3)]).await.unwrap();
    assert!(told(1).await && told(2).await && told(3).await);
    store.tend(after(11)).await;
    store.write(vec![answered(3)]).await.unwrap();
    assert!(!told(1).await && told(3).await);
    store.write(vec![Write::ForgetAnswersOf("prod".to_owned())]).await.unwrap();
    assert!(!told(3).await);
}

#[tokio::test]
async fn files_in_trouble_are_opened_again_as_they_are_then() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    fs::write(folder.path().join("a.db.nonces.1"), "somebody's notes").unwrap();
    let store = Disk::at(&path);
    store.tend(now()).await;
    let why = store.trouble().unwrap();
    assert!(why.contains("a.db.nonces.1`: it is damaged"), "{why}");
    assert!(store.first_use("a", "n", now(), KEEP).await.unwrap_err().0.contains("it is damaged"));
    fs::remove_file(folder.path().join("a.db.nonces.1")).unwrap();
    store.tend(now()).await;
    assert_eq!(store.trouble(), None);
    assert!(store.first_use("a", "n", now(), KEEP).await.unwrap());

    // A file that is cut short while it is open cannot be read.
    let file = fs::OpenOptions::new().write(true).open(folder.path().join("a.db.nonces.1")).unwrap();
    file.set_len(100).unwrap();
    assert!(store.first_use("a", "m", now(), KEEP).await.is_err());
    assert!(store.trouble().unwrap().contains("a.db.nonces.1"));
    store.tend(now()).await;
    assert_eq!(store.trouble(), None);
    assert!(store.first_use("a", "m", now(), KEEP).await.unwrap());
    assert!(!store.first_use("a", "m", now(), KEEP).await.unwrap());
}
