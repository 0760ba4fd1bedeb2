//! `weighbridge demo`.

use crate::support::{program::Ended, served::ended};

#[test]
fn demo_shows_both_directions_and_exits_0() {
    let Ended { code, out, err } = ended(&["demo"]);
    assert_eq!(code, Some(0), "{out}{err}");
    for said in [
        "A script written for Alibaba Cloud SLB calls AddVServerGroupBackendServers",
        "UCloud ULB gets AllocateBackend",
        "A script written for UCloud ULB calls AllocateBackend",
        "Alibaba Cloud SLB gets AddVServerGroupBackendServers",
        "ServerId=i-bp1example00000001  ResourceId=uhost-demo01",
        "ResourceId=uhost-demo03   ServerId=i-bp1example00000003",
        "\"RetCode\":0",
        "Everything was as expected.",
    ] {
        assert!(out.contains(said), "{said}\n{out}");
    }
    assert!(!out.contains("NOT") && !out.contains('\u{1b}'), "{out}");
}
