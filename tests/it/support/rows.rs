//! Tables of requests: each row says what is sent, and either what the target must get or the refusal, of which nothing
//! may reach the target.

use serde_json::Value;
use weighbridge::wire::{Call, Reply};

use super::{
    caller::{aliyun_add, in_form, in_query, plain_signed, rpc_signed, told, ucloud_add},
    comparison::text_fits,
    outpost::Outpost,
    signing::Pairs,
    target::{Answers, param_of},
};
use Comes::{Carried, Lossy, Refused};

/// What is sent, and what comes of it.
pub type Row = (&'static str, Comes);

/// What comes of a request.
pub enum Comes {
    /// The target gets these names with these values, and none of a name whose value is empty here.
    Carried(&'static [(&'static str, &'static str)]),
    /// The same, and the caller is told that these were lost.
    Lossy(&'static [(&'static str, &'static str)], &'static [&'static str]),
    /// HTTP status and code, and words that the message has.
    Refused(&'static str, &'static [&'static str]),
}

/// A name for a row, the request, and what comes of it.
pub type Sent<'c> = (String, Vec<u8>, &'c Comes);

/// Each row is one item of `BackendServers`.
pub async fn check_aliyun(rows: &[Row]) {
    let outpost = Outpost::open(&[], Answers::Yes).await;
    let request = |item: &str| in_query("GET", &rpc_signed("GET", &aliyun_add(&format!("[{item}]"))));
    let rows: Vec<_> = rows.iter().map(|(item, comes)| ((*item).to_owned(), request(item), comes)).collect();
    check(&outpost, &rows).await;
}

/// Each row is a change of AllocateBackend's parameters.
pub async fn check_ucloud(rows: &[Row]) {
    let outpost = Outpost::open(&[], Answers::Yes).await;
    check(&outpost, &changed_rows(&ucloud_add(), |params| in_form("", &plain_signed(params)), rows)).await;
}

/// Each row is a change of `base`.
pub fn changed_rows<'c>(base: &Pairs, request: impl Fn(&Pairs) -> Vec<u8>, rows: &'c [Row]) -> Vec<Sent<'c>> {
    rows.iter().map(|(sent, comes)| ((*sent).to_owned(), request(&changed(base, sent)), comes)).collect()
}

/// `base` after `-Name` (left out) and `Name=value` (in place of what was there), joined by `&`.
pub fn changed(base: &Pairs, sent: &str) -> Pairs {
    let mut params = base.clone();
    for change in sent.split('&') {
        let name = change.strip_prefix('-').unwrap_or(change);
        let (name, value) = name.split_once('=').unwrap_or((name, ""));
        params.retain(|(known, _)| known != name);
        if !change.starts_with('-') {
            params.push((name.to_owned(), value.to_owned()));
        }
    }
    params
}

/// Sends each row and reports all that did not come as it says.
pub async fn check(outpost: &Outpost, rows: &[Sent<'_>]) {
    let mut problems = Vec::new();
    for (sent, request, comes) in rows {
        let reply = outpost.ask(request).await;
        let calls = outpost.target.take_calls();
        if let Err(problem) = came(comes, &reply, &calls) {
            problems.push(format!("{sent}: {problem}"));
        }
    }
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

fn came(comes: &Comes, reply: &Reply, calls: &[Call]) -> Result<(), String> {
    match comes {
        Carried(wanted) => carried(wanted, &[], reply, calls),
        Lossy(wanted, lost) => carried(wanted, lost, reply, calls),
        Refused(..) if !calls.is_empty() => Err(format!("{} calls reached the target", calls.len())),
        Refused(code, words) => refused(reply, code, words),
    }
}

fn carried(wanted: &[(&str, &str)], lost: &[&str], reply: &Reply, calls: &[Call]) -> Result<(), String> {
    if !told(reply).code.ends_with(" 0") {
        return Err(format!("it is refused: {} {}", told(reply).code, told(reply).message));
    }
    let [call] = calls else { return Err(format!("{} calls reached the target", calls.len())) };
    for (name, wanted) in wanted {
        let found = written(call, name).unwrap_or_default();
        if found != *wanted {
            return Err(format!("`{name}`: wanted `{wanted}`, found `{found}`"));
        }
    }
    let told: Vec<String> = reply
        .headers
        .get_all("x-weighbridge-loss")
        .iter()
        .map(|loss| loss.to_str().unwrap().split('=').next().unwrap().to_owned())
        .collect();
    if told == lost { Ok(()) } else { Err(format!("losses: wanted {lost:?}, found {told:?}")) }
}

/// Whether a reply is this refusal.
///
/// # Errors
/// In what it is not.
pub fn refused(reply: &Reply, code: &str, words: &[&str]) -> Result<(), String> {
    let told = told(reply);
    if !text_fits(code, &told.code) {
        return Err(format!("wanted {code}, found {}: {}", told.code, told.message));
    }
    match words.iter().find(|word| !told.message.contains(**word)) {
        None => Ok(()),
        Some(word) => Err(format!("the message does not say `{word}`: {}", told.message)),
    }
}

/// What a call says of a name: as a parameter, or in the one item of its `BackendServers`.
pub fn written(call: &Call, name: &str) -> Option<String> {
    let item = || {
        let list: Value = serde_json::from_str(&param_of(call, "BackendServers")?).ok()?;
        Some(list[0][name].as_str()?.to_owned())
    };
    param_of(call, name).or_else(item)
}
