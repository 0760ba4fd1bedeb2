//! Every field of a backend add, absent, at the edges of its range, outside of them and of the wrong type, in both
//! directions.

use serde_json::Value;

use crate::support::{
    caller::{aliyun_add, in_form, in_json, in_query, pairs, plain_signed, rpc_signed, ucloud_add},
    outpost::Outpost,
    rows::{
        Comes::{self, Carried, Lossy, Refused},
        changed_rows, check, check_aliyun, check_ucloud,
    },
    target::Answers,
};

const SAID_PORT: &[&str] = &["Port", "1", "65535"];

// === Alibaba Cloud's callers: one item of BackendServers ===

#[tokio::test]
async fn a_server_id_is_a_resource_id() {
    const SAID: &[&str] = &["BackendServers.1.ServerId", "text"];
    check_aliyun(&[
        (r#"{"ServerId":"i-bp1example00000001","Port":80}"#, Carried(&[("ResourceId", "uhost-ghi789")])),
        (r#"{"SERVERID":"i-bp1example00000001","Port":80}"#, Carried(&[("ResourceId", "uhost-ghi789")])),
        (r#"{"Port":80}"#, Refused("400 MissingParameter", SAID)),
        (r#"{"ServerId":"","Port":80}"#, Refused("400 MissingParameter", SAID)),
        (r#"{"ServerId":null,"Port":80}"#, Refused("400 MissingParameter", SAID)),
        (r#"{"ServerId":true,"Port":80}"#, Refused("400 InvalidParameter", SAID)),
        (r#"{"ServerId":["i-bp1example00000001"],"Port":80}"#, Refused("400 InvalidParameter", SAID)),
        (r#"{"ServerId":{"Id":"i-bp1example00000001"},"Port":80}"#, Refused("400 InvalidParameter", SAID)),
        (r#"{"ServerId":1,"Port":80}"#, Refused("400 ObtainIpFail", &["ServerId", "`1`", "resource map"])),
        (
            r#"{"ServerId":"i-bp1example00000001","serverId":"i-bp1example00000002","Port":80}"#,
            Refused("400 InvalidParameter", &["ServerId", "twice"]),
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_port_lies_between_1_and_65535_and_is_required() {
    const WRONG: Comes = Refused("400 InvalidParameter", SAID_PORT);
    const MISSING: Comes = Refused("400 MissingParameter", SAID_PORT);
    check_aliyun(&[
        (r#"{"ServerId":"i-bp1example00000001"}"#, MISSING),
        (r#"{"ServerId":"i-bp1example00000001","Port":""}"#, MISSING),
        (r#"{"ServerId":"i-bp1example00000001","Port":null}"#, MISSING),
        (r#"{"ServerId":"i-bp1example00000001","Port":1}"#, Carried(&[("Port", "1")])),
        (r#"{"ServerId":"i-bp1example00000001","Port":"1"}"#, Carried(&[("Port", "1")])),
        (r#"{"ServerId":"i-bp1example00000001","Port":65535}"#, Carried(&[("Port", "65535")])),
        (r#"{"ServerId":"i-bp1example00000001","Port":"65535"}"#, Carried(&[("Port", "65535")])),
        (r#"{"ServerId":"i-bp1example00000001","Port":0}"#, WRONG),
        (r#"{"ServerId":"i-bp1example00000001","Port":65536}"#, WRONG),
        (r#"{"ServerId":"i-bp1example00000001","Port":"65536"}"#, WRONG),
        (r#"{"ServerId":"i-bp1example00000001","Port":4294967376}"#, WRONG),
        (r#"{"ServerId":"i-bp1example00000001","Port":-80}"#, WRONG),
        (r#"{"ServerId":"i-bp1example00000001","Port":"+80"}"#, WRONG),
        (r#"{"ServerId":"i-bp1example00000001","Port":" 80"}"#, WRONG),
        (r#"{"ServerId":"i-bp1example00000001","Port":"８０"}"#, WRONG),
        (r#"{"ServerId":"i-bp1example00000001","Port":80.5}"#, WRONG),
        (r#"{"ServerId":"i-bp1example00000001","Port":"http"}"#, WRONG),
        (r#"{"ServerId":"i-bp1example00000001","Port":true}"#, WRONG),
        (r#"{"ServerId":"i-bp1example00000001","Port":[80]}"#, WRONG),
        (r#"{"ServerId":"i-bp1example00000001","Port":{"From":80}}"#, WRONG),
        (
            r#"{"ServerId":"i-bp1example00000001","Port":80,"port":81}"#,
            Refused("400 InvalidParameter", &["Port", "twice"]),
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_weight_lies_between_0_and_100_and_is_100_when_left_out() {
    const WRONG: Comes = Refused("400 InvalidWeight.Malformed", &["Weight", "0", "100"]);
    const FULL: Comes = Carried(&[("Weight", "100"), ("Enabled", "1")]);
    const NONE: Comes = Carried(&[("Weight", "1"), ("Enabled", "0")]);
    check_aliyun(&[
        (r#"{"ServerId":"i-bp1example00000001","Port":80}"#, FULL),
        (r#"{"ServerId":"i-bp1example00000001","Port":81,"Weight":""}"#, FULL),
        (r#"{"ServerId":"i-bp1example00000001","Port":82,"Weight":null}"#, FULL),
        (r#"{"ServerId":"i-bp1example00000001","Port":83,"Weight":0}"#, NONE),
        (r#"{"ServerId":"i-bp1example00000001","Port":84,"Weight":"0"}"#, NONE),
        (
            r#"{"ServerId":"i-bp1example00000001","Port":85,"Weight":1}"#,
            Carried(&[("Weight", "1"), ("Enabled", "1")]),
        ),
        (r#"{"ServerId":"i-bp1example00000001","Port":86,"Weight":100}"#, FULL),
        (r#"{"ServerId":"i-bp1example00000001","Port":87,"Weight":"100"}"#, FULL),
        (r#"{"ServerId":"i-bp1example00000001","Port":80,"Weight":101}"#, WRONG),
        (r#"{"ServerId":"i-bp1example00000001","Port":80,"Weight":256}"#, WRONG),
        (r#"{"ServerId":"i-bp1example00000001","Port":80,"Weight":-1}"#, WRONG),
        (r#"{"ServerId":"i-bp1example00000001","Port":80,"Weight":"-0"}"#, WRONG),
        (r#"{"ServerId":"i-bp1example00000001","Port":80,"Weight":1.5}"#, WRONG),
        (r#"{"ServerId":"i-bp1example00000001","Port":80,"Weight":"much"}"#, WRONG),
        (r#"{"ServerId":"i-bp1example00000001","Port":80,"Weight":false}"#, WRONG),
        (r#"{"ServerId":"i-bp1example00000001","Port":80,"Weight":[100]}"#, WRONG),
    ])
    .await;
}

#[tokio::test]
async fn a_type_is_one_of_three_and_ecs_when_left_out() {
    const WRONG: Comes = Refused("400 BackendServer.InvalidType", &["Type", "ecs", "eni", "eci"]);
    const INSTANCE: Comes = Carried(&[("ResourceType", "UHost"), ("ResourceId", "uhost-ghi789")]);
    check_aliyun(&[
        (r#"{"ServerId":"i-bp1example00000001","Port":80}"#, INSTANCE),
        (r#"{"ServerId":"i-bp1example00000001","Port":80,"Type":""}"#, INSTANCE),
        (r#"{"ServerId":"i-bp1example00000001","Port":80,"Type":null}"#, INSTANCE),
        (r#"{"ServerId":"i-bp1example00000001","Port":80,"Type":"ecs"}"#, INSTANCE),
        (
            r#"{"ServerId":"eni-bp1example01","Port":80,"Type":"eni"}"#,
            Carried(&[("ResourceType", "UNI"), ("ResourceId", "uni-hwleiz")]),
        ),
        (
            r#"{"ServerId":"eci-bp1example01","Port":80,"Type":"eci"}"#,
            Carried(&[("ResourceType", "CUBE"), ("ResourceId", "cube-example01")]),
        ),
        (r#"{"ServerId":"i-bp1example00000001","Port":80,"Type":"vm"}"#, WRONG),
        (r#"{"ServerId":"i-bp1example00000001","Port":80,"Type":"UHost"}"#, WRONG),
        (r#"{"ServerId":"i-bp1example00000001","Port":80,"Type":1}"#, WRONG),
        (r#"{"ServerId":"i-bp1example00000001","Port":80,"Type":true}"#, WRONG),
        (r#"{"ServerId":"i-bp1example00000001","Port":80,"Type":["ecs"]}"#, WRONG),
    ])
    .await;
}

#[tokio::test]
async fn a_server_ip_has_no_carrier_and_is_never_dropped_in_silence() {
    const WRONG: Comes = Refused("400 InvalidParameter", &["ServerIp", "an IP address"]);
    check_aliyun(&[
        (r#"{"ServerId":"eni-bp1example01","Port":80,"Type":"eni"}"#, Carried(&[("ResourceIP", "")])),
        (
            r#"{"ServerId":"eni-bp1example01","Port":80,"Type":"eni","ServerIp":""}"#,
            Carried(&[("ResourceIP", "")]),
        ),
        (r#"{"ServerId":"i-bp1example00000001","Port":80,"ServerIp":null}"#, Carried(&[("ResourceIP", "")])),
        (
            r#"{"ServerId":"eni-bp1example01","Port":80,"Type":"eni","ServerIp":"192.168.0.7"}"#,
            Refused("400 InvalidParameter", &["ServerIp", "on_loss"]),
        ),
        (
            r#"{"ServerId":"eci-bp1example01","Port":80,"Type":"eci","ServerIp":"fe80::1"}"#,
            Refused("400 InvalidParameter", &["ServerIp", "on_loss"]),
        ),
        (
            r#"{"ServerId":"i-bp1example00000001","Port":80,"ServerIp":"192.168.0.7"}"#,
            Lossy(&[("ResourceIP", "")], &["ServerIp"]),
        ),
        (r#"{"ServerId":"eni-bp1example01","Port":80,"Type":"eni","ServerIp":"192.168.0.256"}"#, WRONG),
        (r#"{"ServerId":"eni-bp1example01","Port":80,"Type":"eni","ServerIp":"192.168.0"}"#, WRONG),
        (r#"{"ServerId":"eni-bp1example01","Port":80,"Type":"eni","ServerIp":7}"#, WRONG),
        (r#"{"ServerId":"eni-bp1example01","Port":80,"Type":"eni","ServerIp":["192.168.0.7"]}"#, WRONG),
    ])
    .await;
}

#[tokio::test]
async fn a_description_has_1_to_80_characters_and_is_remembered() {
    const WRONG: Comes = Refused("400 InvalidParameter", &["Description", "1", "80"]);
    const REMEMBERED: Comes = Carried(&[("ResourceId", "uhost-ghi789"), ("Description", "")]);
    check_aliyun(&[
        (r#"{"ServerId":"i-bp1example00000001","Port":80}"#, REMEMBERED),
        (r#"{"ServerId":"i-bp1example00000001","Port":80,"Description":""}"#, REMEMBERED),
        (r#"{"ServerId":"i-bp1example00000001","Port":80,"Description":null}"#, REMEMBERED),
        (r#"{"ServerId":"i-bp1example00000001","Port":80,"Description":"x"}"#, REMEMBERED),
        (r#"{"ServerId":"i-bp1example00000001","Port":80,"Description":7}"#, REMEMBERED),
        (
            r#"{"ServerId":"i-bp1example00000001","Port":80,"Description":"01234567890123456789012345678901234567890123456789012345678901234567890123456789"}"#,
            REMEMBERED,
        ),
        (
            r#"{"ServerId":"i-bp1example00000001","Port":80,"Description":"后端后端后端后端后端后端后端后端后端后端后端后端后端后端后端后端后端后端后端后端后端后端后端后端后端后端后端后端后端后端后端后端后端后端后端后端后端后端后端后端"}"#,
            REMEMBERED,
        ),
        (
            r#"{"ServerId":"i-bp1example00000001","Port":80,"Description":"012345678901234567890123456789012345678901234567890123456789012345678901234567890"}"#,
            WRONG,
        ),
        (r#"{"ServerId":"i-bp1example00000001","Port":80,"Description":true}"#, WRONG),
        (r#"{"ServerId":"i-bp1example00000001","Port":80,"Description":["x"]}"#, WRONG),
    ])
    .await;
}

#[tokio::test]
async fn the_group_is_required_and_the_row_says_where_it_is() {
    const MISSING: Comes = Refused("400 MissingParameter", &["VServerGroupId", "mandatory"]);
    const THERE: Comes =
        Carried(&[("Region", "cn-bj2"), ("ULBId", "ulb-abc123"), ("VServerId", "vserver-def456")]);
    let outpost = Outpost::open(&[], Answers::Yes).await;
    let base = aliyun_add(r#"[{"ServerId":"i-bp1example00000001","Port":80}]"#);
    check(
        &outpost,
        &changed_rows(
            &base,
            |params| in_query("GET", &rpc_signed("GET", params)),
            &[
                ("-VServerGroupId", MISSING),
                ("VServerGroupId=", MISSING),
                (
                    "VServerGroupId=rsp-nowhere",
                    Refused("404 InvalidParameter", &["rsp-nowhere", "resource map"]),
                ),
                ("-RegionId", THERE),
                ("RegionId=", THERE),
                ("RegionId=cn-nowhere", THERE),
                ("LoadBalancerId=lb-another", THERE),
            ],
        ),
    )
    .await;
}

// === UCloud's callers: the parameters of AllocateBackend ===

#[tokio::test]
async fn region_load_balancer_and_vserver_are_required_and_the_project_is_not() {
    const HERE: Comes = Carried(&[("ServerId", "i-bp1example00000001"), ("Port", "8080"), ("Weight", "50")]);
    check_ucloud(&[
        ("Region=cn-bj2", HERE),
        ("-Region", Refused("200 220", &["Missing params [Region]"])),
        ("Region=", Refused("200 220", &["Missing params [Region]"])),
        ("-ULBId", Refused("200 220", &["Missing params [ULBId]"])),
        ("-VServerId", Refused("200 220", &["Missing params [VServerId]"])),
        ("ULBId=", Refused("200 220", &["Missing params [ULBId]"])),
        ("VServerId=", Refused("200 220", &["Missing params [VServerId]"])),
        ("ProjectId=org-any", Carried(&[("Port", "8080")])),
        ("Zone=cn-bj2-02", Carried(&[("Port", "8080")])),
        ("ULBId=ulb-nowhere", Refused("200 4088", &["ulb-nowhere", "resource map"])),
        ("VServerId=vserver-nowhere", Refused("200 4088", &["vserver-nowhere", "resource map"])),
    ])
    .await;
}

#[tokio::test]
async fn a_required_parameter_is_not_there_when_only_a_list_of_its_name_is() {
    check_ucloud(&[
        ("-Region&Region.0=cn-bj2", Refused("200 2*", &["Region"])),
        ("-ULBId&ULBId.0=ulb-abc123", Refused("200 2*", &["ULBId"])),
        ("-VServerId&VServerId.0=vserver-def456", Refused("200 2*", &["VServerId"])),
    ])
    .await;
}

#[tokio::test]
async fn a_parameter_of_one_value_is_not_taken_from_a_list_and_not_dropped_either() {
    check_ucloud(&[
        ("-Port&Port.0=9090", Refused("200 230", &["Port"])),
        ("-Weight&Weight.0=9", Refused("200 230", &["Weight"])),
        ("Enabled.0=0", Refused("200 230", &["Enabled"])),
        ("IsBackup.1=1", Refused("200 230", &["IsBackup"])),
        ("-ResourceType&ResourceType.0=UNI", Refused("200 230", &["ResourceType"])),
    ])
    .await;
}

#[tokio::test]
async fn a_resource_type_is_one_of_six_and_uhost_when_left_out() {
    const WORDS: &[&str] = &["ResourceType", "UHost", "UNI", "UPM", "UHybrid", "CUBE", "IP"];
    const WRONG: Comes = Refused("200 230", WORDS);
    const INSTANCE: Comes = Carried(&[("Type", "ecs"), ("ServerId", "i-bp1example00000001")]);
    check_ucloud(&[
        ("-ResourceType", INSTANCE),
        ("ResourceType=&Port=81", INSTANCE),
        ("ResourceType=UHost&Port=82", INSTANCE),
        (
            "ResourceType=UNI&ResourceId=uni-hwleiz",
            Carried(&[("Type", "eni"), ("ServerId", "eni-bp1example01")]),
        ),
        (
            "ResourceType=CUBE&ResourceId=cube-example01",
            Carried(&[("Type", "eci"), ("ServerId", "eci-bp1example01")]),
        ),
        (
            "ResourceType=UPM&ResourceId=upm-oaix4s",
            Carried(&[("Type", "ecs"), ("ServerId", "i-bp1metal00000001")]),
        ),
        ("ResourceType=UDHost", WRONG),
        ("ResourceType=ecs", WRONG),
        ("ResourceType=0", WRONG),
    ])
    .await;
}

#[tokio::test]
async fn a_resource_is_named_by_its_id_or_by_its_address() {
    const ADDRESS: Comes = Carried(&[("ServerId", "i-bp1address01"), ("Type", "ecs")]);
    check_ucloud(&[
        ("-ResourceId", Refused("200 220", &["Missing params [ResourceId]"])),
        ("ResourceId=", Refused("200 220", &["Missing params [ResourceId]"])),
        ("ResourceId=uhost-nowhere", Refused("200 230", &["ResourceId", "uhost-nowhere", "resource map"])),
        ("-ResourceId&ResourceType=IP&ResourceIP=10.0.0.5&VPCId=uvnet-lksdw0&SubnetId=subnet-hi50vf", ADDRESS),
        (
            "ResourceType=IP&ResourceIP=10.0.0.5&VPCId=uvnet-lksdw0&SubnetId=subnet-hi50vf",
            Lossy(&[("ServerId", "i-bp1address01")], &["ResourceId"]),
        ),
        (
            "-ResourceId&ResourceType=UHybrid&ResourceIP=172.16.9.9&VPCId=uvnet-lksdw0&SubnetId=subnet-hi50vf",
            Carried(&[("ServerId", "i-bp1hybrid01")]),
        ),
        (
            "-ResourceId&ResourceType=IP&VPCId=uvnet-lksdw0&SubnetId=subnet-hi50vf",
            Refused("200 220", &["Missing params [ResourceIP]"]),
        ),
        (
            "-ResourceId&ResourceType=IP&ResourceIP=10.0.0.5&SubnetId=subnet-hi50vf",
            Refused("200 220", &["Missing params [VPCId]"]),
        ),
        (
            "-ResourceId&ResourceType=UHybrid&ResourceIP=10.0.0.5&VPCId=uvnet-lksdw0",
            Refused("200 220", &["Missing params [SubnetId]"]),
        ),
        (
            "-ResourceId&ResourceType=IP&ResourceIP=ELVhVVux&VPCId=uvnet-lksdw0&SubnetId=subnet-hi50vf",
            Refused("200 230", &["ResourceIP", "an IP address", "ELVhVVux"]),
        ),
        ("ResourceIP=ELVhVVux", Lossy(&[("ServerId", "i-bp1example00000001")], &["ResourceIP"])),
        ("VPCId=a&SubnetId=b", Lossy(&[("ServerId", "i-bp1example00000001")], &["VPCId", "SubnetId"])),
    ])
    .await;
}

#[tokio::test]
async fn a_port_of_allocate_backend_is_80_when_left_out() {
    const WRONG: Comes = Refused("200 230", SAID_PORT);
    check_ucloud(&[
        ("-Port", Carried(&[("Port", "80")])),
        ("Port=&Weight=51", Carried(&[("Port", "80")])),
        ("Port=1", Carried(&[("Port", "1")])),
        ("Port=65535", Carried(&[("Port", "65535")])),
        ("Port=0", WRONG),
        ("Port=65536", WRONG),
        ("Port=-1", WRONG),
        ("Port=+80", WRONG),
        ("Port=80.5", WRONG),
        ("Port=http", WRONG),
    ])
    .await;
}

#[tokio::test]
async fn a_weight_of_allocate_backend_lies_between_1_and_100_and_is_1_when_left_out() {
    const WRONG: Comes = Refused("200 230", &["Weight", "1", "100"]);
    check_ucloud(&[
        ("-Weight", Carried(&[("Weight", "1")])),
        ("Weight=&Port=81", Carried(&[("Weight", "1")])),
        ("Weight=1", Carried(&[("Weight", "1")])),
        ("Weight=100", Carried(&[("Weight", "100")])),
        ("Weight=0", WRONG),
        ("Weight=101", WRONG),
        ("Weight=-1", WRONG),
        ("Weight=1.5", WRONG),
        ("Weight=much", WRONG),
    ])
    .await;
}

#[tokio::test]
async fn enabled_is_0_or_1_and_1_when_left_out() {
    const WRONG: Comes = Refused("200 230", &["Enabled", "0", "1"]);
    check_ucloud(&[
        ("-Enabled", Carried(&[("Weight", "50"), ("Enabled", "")])),
        ("Enabled=", Carried(&[("Weight", "50")])),
        ("Enabled=1", Carried(&[("Weight", "50")])),
        ("Enabled=0", Carried(&[("Weight", "0")])),
        ("Enabled=0&-Weight", Carried(&[("Weight", "0")])),
        ("Enabled=2", WRONG),
        ("Enabled=-1", WRONG),
        ("Enabled=yes", WRONG),
        ("Enabled=0&Weight=101", Refused("200 230", &["Weight", "1", "100"])),
    ])
    .await;
}

#[tokio::test]
async fn is_backup_is_0_or_1_and_1_is_refused_here() {
    const WRONG: Comes = Refused("200 230", &["IsBackup", "0", "1"]);
    check_ucloud(&[
        ("-IsBackup", Carried(&[("IsBackup", ""), ("Weight", "50")])),
        ("IsBackup=", Carried(&[("IsBackup", "")])),
        ("IsBackup=0", Carried(&[("IsBackup", "")])),
        ("IsBackup=1", Refused("200 230", &["Params [IsBackup] not available", "on_loss"])),
        ("IsBackup=2", WRONG),
        ("IsBackup=4", WRONG),
        ("IsBackup=-1", WRONG),
        ("IsBackup=no", WRONG),
    ])
    .await;
}

#[tokio::test]
async fn an_item_of_the_batch_has_five_fields_or_six_and_each_is_named_when_it_is_wrong() {
    const FIELDS: Comes =
        Refused("200 230", &["Backends.1", "ResourceId|ResourceType|Port|Enabled|PrivateIP"]);
    const PORT: Comes = Refused("200 230", &["Backends.1", "Port", "1", "65535"]);
    let outpost = Outpost::open(&[], Answers::Yes).await;
    let base = pairs(&[
        ("Action", "AllocateBackendBatch"),
        ("Region", "cn-bj2"),
        ("ULBId", "ulb-abc123"),
        ("VServerId", "vserver-def456"),
        ("Backends.0", "uhost-a|UHost|80|1|10.0.0.1"),
    ]);
    check(
        &outpost,
        &changed_rows(
            &base,
            |params| in_form("", &plain_signed(params)),
            &[
                ("-Backends.0", Refused("200 220", &["Missing params [Backends]"])),
                ("Backends.1=uhost-b|UHost|80|1", FIELDS),
                ("Backends.1=uhost-b|UHost|80|1|10.0.0.2|0", FIELDS),
                ("Backends.1=uhost-b|UHost|80|1|10.0.0.2|0|0&ApiVersion=3", FIELDS),
                ("Backends.1=uhost-b|UHost|0|1|10.0.0.2", PORT),
                ("Backends.1=uhost-b|UHost|65536|1|10.0.0.2", PORT),
                (
                    "Backends.1=uhost-b|UHost|80|2|10.0.0.2",
                    Refused("200 230", &["Backends.1", "Enabled", "0", "1"]),
                ),
                (
                    "Backends.1=uhost-b|UDHost|80|1|10.0.0.2",
                    Refused("200 230", &["Backends.1", "ResourceType", "UHost"]),
                ),
                ("Backends.1=|UHost|80|1|10.0.0.2", Refused("200 220", &["Backends.1", "ResourceId"])),
                (
                    "Backends.1=uhost-nowhere|UHost|80|1|10.0.0.2",
                    Refused("200 230", &["uhost-nowhere", "resource map"]),
                ),
                (
                    "Backends.1=uhost-b|UHost|80|1|10.0.0.2|2&ApiVersion=3",
                    Refused("200 230", &["Backends.1", "IsBackup"]),
                ),
                ("Backends.one=uhost-b|UHost|80|1|10.0.0.2", Refused("200 230", &["Backends.one"])),
                ("Weight=9", Refused("200 230", &["Weight"])),
            ],
        ),
    )
    .await;
}

#[tokio::test]
async fn a_json_value_of_another_type_is_named_and_null_is_absent() {
    // Name, JSON text, the text that is signed for it, and what comes of it.
    const ROWS: &[(&str, &str, &str, Comes)] = &[
        ("Port", "8081", "8081", Carried(&[("Port", "8081")])),
        ("Port", "\"8082\"", "8082", Carried(&[("Port", "8082")])),
        ("Port", "8083.0", "8083", Carried(&[("Port", "8083")])),
        ("Port", "null", "", Carried(&[("Port", "80")])),
        ("Port", "80.5", "80.5", Refused("200 230", SAID_PORT)),
        ("Port", "true", "true", Refused("200 230", SAID_PORT)),
        ("Port", "[8080]", "8080", Refused("200 230", &["Port"])),
        ("Port", "{\"a\":1}", "a1", Refused("200 230", &["Port"])),
        ("Weight", "[9]", "9", Refused("200 230", &["Weight"])),
        ("Weight", "[]", "", Refused("200 230", &["Weight"])),
        ("Enabled", "[0]", "0", Refused("200 230", &["Enabled"])),
        ("ULBId", "[\"ulb-abc123\"]", "ulb-abc123", Refused("200 2*", &["ULBId"])),
        ("Region", "[\"cn-bj2\"]", "cn-bj2", Refused("200 2*", &["Region"])),
    ];
    let outpost = Outpost::open(&[], Answers::Yes).await;
    let rows: Vec<(String, Vec<u8>, &Comes)> = ROWS
        .iter()
        .map(|(name, json, signed, comes)| {
            let mut params = ucloud_add();
            params.retain(|(known, _)| known != name);
            params.push(((*name).to_owned(), (*signed).to_owned()));
            let member = |(known, text): &(String, String)| {
                if known == name {
                    format!("\"{known}\":{json}")
                } else {
                    format!("\"{known}\":{}", Value::from(text.as_str()))
                }
            };
            let members: Vec<String> = plain_signed(&params).iter().map(member).collect();
            (format!("{name}: {json}"), in_json(&format!("{{{}}}", members.join(","))), comes)
        })
        .collect();
    check(&outpost, &rows).await;
}
