//! Several gateways with one store before the same clouds: each does as if it were alone, and none undoes what another did.

mod kept;
mod killed;
mod nonces;
mod outages;
mod repeats;
mod writers;

use std::time::Duration;

use tokio::time::{Instant, sleep};
use weighbridge::{crypto::Secret, store::StoreAt};

use crate::support::{
    house::Clouds,
    postgres::Database,
    replica::Replica,
    site::{Site, config_of},
};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

const ALIYUN: &str = "aliyun-simulated";
const UCLOUD: &str = "ucloud-simulated";
const RSP: &str = "rsp-cige6j5e7p";
const VSERVER: &str = "vserver-def456";

fn in_postgres(database: &Database) -> StoreAt {
    StoreAt::Postgres(Secret::new(database.url()))
}

/// Two gateways with one database.
async fn two(clouds: &Clouds, database: &Database) -> (Replica, Replica) {
    let store = in_postgres(database);
    tokio::join!(Replica::open(clouds, &store), Replica::open(clouds, &store))
}

/// A config of these clouds with a store.
fn site(clouds: &Clouds, store: &str) -> Site {
    Site::with(&format!("store = \"{store}\"\n{}", config_of(clouds)))
}

/// An add by a caller of UCloud.
fn allocate(server: usize, port: usize) -> String {
    let group = "ProjectId=org-abc123&Region=cn-bj2&ULBId=ulb-abc123&VServerId=vserver-def456";
    format!("Action=AllocateBackend&{group}&ResourceId=uhost-demo{server:02}&Port={port}&Weight=50")
}

/// A change of a backend by a caller of UCloud: what is asked, and of which one.
fn of_backend(action: &str, id: &str) -> String {
    format!("Action={action}&ProjectId=org-abc123&Region=cn-bj2&ULBId=ulb-abc123&BackendId={id}")
}

/// What a caller of UCloud reads of the group.
fn describe_vserver() -> String {
    "Action=DescribeVServer&ProjectId=org-abc123&Region=cn-bj2&ULBId=ulb-abc123&VServerId=vserver-def456"
        .to_owned()
}

/// An add by a caller of Alibaba Cloud, of the server 1 at ports from this one on.
fn add(first: usize, count: usize) -> String {
    let server = |port: usize| format!("{{'ServerId':'i-bp1example00000001','Port':{port}}}");
    let servers: Vec<String> = (first..first + count).map(server).collect();
    format!("Action=AddVServerGroupBackendServers&{GROUP}&BackendServers=[{}]", servers.join(","))
}

const GROUP: &str = "RegionId=cn-hangzhou&VServerGroupId=rsp-cige6j5e7p";

/// The id of a backend in an answer to a caller of UCloud.
fn backend_id(answer: &str) -> String {
    let (_, rest) = answer.split_once("\"BackendId\":\"").unwrap_or_else(|| panic!("no id in {answer}"));
    rest.split('"').next().unwrap().to_owned()
}

/// Waits until something is so; how long that took.
async fn until(what: &str, is_so: impl AsyncFn() -> bool) -> Duration {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < PATIENCE, "not {what} after {PATIENCE:?}");
        sleep(Duration::from_millis(20)).await;
    }
    began.elapsed()
}
