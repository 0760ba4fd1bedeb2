//! Where a call goes: which group, which load balancer, which region and project.

use crate::support::{
    caller::{aliyun_add, in_form, in_query, plain_signed, rpc_signed, ucloud_add},
    outpost::Outpost,
    rows::{
        Comes::{self, Carried, Refused},
        changed_rows, check,
    },
    signing::Pairs,
    target::Answers,
};

#[tokio::test]
async fn a_group_that_is_passed_on_as_it_is_names_its_load_balancer() {
    const NAMELESS: Comes = Refused("404 InvalidParameter", &["VServerGroupId", "ID/ID"]);
    let outpost =
        Outpost::open(&[("unmapped    = \"refuse\"", "unmapped    = \"same\"")], Answers::Yes).await;
    let base = aliyun_add(r#"[{"ServerId":"uhost-x","Port":80}]"#);
    check(
        &outpost,
        &changed_rows(
            &base,
            |params| in_query("GET", &rpc_signed("GET", params)),
            &[
                (
                    "VServerGroupId=ulb-x/vserver-x",
                    Carried(&[("ULBId", "ulb-x"), ("VServerId", "vserver-x"), ("ResourceId", "uhost-x")]),
                ),
                ("VServerGroupId=vserver-x", NAMELESS),
                ("VServerGroupId=ulb-x/", NAMELESS),
                ("VServerGroupId=/vserver-x", NAMELESS),
            ],
        ),
    )
    .await;
}

#[tokio::test]
async fn a_region_comes_from_the_table_where_no_row_says_it_then_from_the_target_or_nowhere() {
    let settled = Outpost::open(&[], Answers::Yes).await;
    let open = [("region      = \"cn-gd\"", ""), ("region      = \"cn-shenzhen\"", "")];
    let unsettled = Outpost::open(&open, Answers::Yes).await;
    let mut base = aliyun_add(r#"[{"ServerId":"i-bp1example00000001","Port":80}]"#);
    base[1].1 = "rsp-bp1page".to_owned();
    let asked = |params: &Pairs| in_query("GET", &rpc_signed("GET", params));
    check(
        &settled,
        &changed_rows(
            &base,
            asked,
            &[
                ("RegionId=cn-beijing", Carried(&[("Region", "cn-bj2"), ("ProjectId", "org-abc123")])),
                ("RegionId=cn-nowhere", Carried(&[("Region", "cn-gd")])),
                ("-RegionId", Carried(&[("Region", "cn-gd")])),
            ],
        ),
    )
    .await;
    check(
        &unsettled,
        &changed_rows(
            &base,
            asked,
            &[
                ("RegionId=cn-beijing", Carried(&[("Region", "cn-bj2")])),
                ("RegionId=cn-nowhere", Refused("404 InvalidRegionId.NotFound", &["cn-nowhere"])),
                ("-RegionId", Refused("404 InvalidRegionId.NotFound", &["RegionId"])),
            ],
        ),
    )
    .await;
    let mut base = ucloud_add();
    (base[2].1, base[3].1) = ("ulb-XXXXX".to_owned(), "vserver-XXXXX".to_owned());
    let asked = |params: &Pairs| in_form("", &plain_signed(params));
    check(
        &settled,
        &changed_rows(
            &base,
            asked,
            &[
                ("Region=cn-bj2", Carried(&[("RegionId", "cn-beijing"), ("VServerGroupId", "rsp-bp1page")])),
                ("Region=cn-nowhere", Carried(&[("RegionId", "cn-shenzhen")])),
            ],
        ),
    )
    .await;
    check(
        &unsettled,
        &changed_rows(
            &base,
            asked,
            &[("Region=cn-nowhere", Refused("200 230", &["Params [Region] not available", "cn-nowhere"]))],
        ),
    )
    .await;
}
