//! What callers are told.

use super::*;

fn sample() -> Group {
    let id = GroupRef {
        load_balancer: LoadBalancerId::new("ulb-abc123"),
        group: GroupId::new("vserver-def456").unwrap(),
        place: Place::default(),
    };
    let backend = Backend {
        target: Target::Resource {
            kind: Kind::Instance,
            id: ResourceId::new("uhost-ghi789").unwrap(),
            address: Some("10.25.0.17".parse().unwrap()),
        },
        port: Port::new(8080).unwrap(),
        traffic: Traffic::On(Weight::new(50).unwrap()),
        standby: false,
        description: None,
    };
    let member =
        Member { backend, id: BackendId::new("backend-hjz2421u"), health: Health::Healthy, also: None };
    let method = ListenerOption { name: "Method".to_owned(), value: "WeightRoundrobin".to_owned() };
    Group {
        name: Some("VServer".to_owned()),
        listeners: vec![Listener { protocol: Protocol::Http, port: Port::new(80).unwrap() }],
        options: vec![method],
        created: Some(Timestamp::from_second(1_529_909_432).unwrap()),
        ..Group::of(id, vec![member])
    }
}

#[test]
fn a_vserver_is_told_in_full() {
    let wanted: serde_json::Value = serde_json::from_str(
        r#"{
            "Action": "DescribeVServerResponse", "RetCode": 0, "TotalCount": 1,
            "DataSet": [{
                "ULBId": "ulb-abc123", "VServerId": "vserver-def456", "VServerName": "VServer",
                "Protocol": "HTTP", "FrontendPort": 80, "Method": "WeightRoundrobin",
                "ListenType": "RequestProxy", "ClientTimeout": 60,
                "PersistenceType": "None", "PersistenceInfo": "",
                "MonitorType": "Port", "Domain": "", "Path": "", "RequestMsg": "", "ResponseMsg": "",
                "Status": 0, "EnableCompression": 0, "EnableHTTP2": 0, "ForwardPort": 0,
                "CreateTime": 1529909432, "SSLSet": [], "SecurityPolicy": {},
                "PolicySet": [{
                    "PolicyId": "", "PolicyType": "Default", "Type": "", "Match": "",
                    "PolicyPriority": 0, "TotalCount": 1, "VServerId": "vserver-def456",
                    "BackendSet": [{
                        "BackendId": "backend-hjz2421u", "ObjectId": "", "ResourceName": "",
                        "PrivateIP": "10.25.0.17", "Port": 8080
                    }]
                }],
                "BackendSet": [{
                    "BackendId": "backend-hjz2421u",
                    "ResourceType": "UHost", "ResourceId": "uhost-ghi789", "ResourceName": "",
                    "SubResourceType": "", "SubResourceId": "", "SubResourceName": "",
                    "PrivateIP": "10.25.0.17", "Port": 8080, "Enabled": 1, "Weight": 50, "Status": 0,
                    "SubnetId": "", "VPCId": "", "IsBackup": 0
                }]
            }]
        }"#,
    )
    .unwrap();
    assert_eq!(told("DescribeVServer", None, &Outcome::Group(sample())), wanted);
}

#[test]
fn a_group_that_is_no_listener_and_holds_nothing_has_its_numbers_all_the_same() {
    let id = GroupRef { load_balancer: None, ..sample().id };
    let asked = Operation::DescribeGroup(sample().id);
    let told = told("DescribeVServer", Some(&asked), &Outcome::Group(Group::of(id, Vec::new())));
    let vserver = &told["DataSet"][0];
    assert_eq!((&vserver["ULBId"], &vserver["Protocol"]), (&"ulb-abc123".into(), &"".into()));
    assert_eq!((&vserver["FrontendPort"], &vserver["CreateTime"]), (&0.into(), &0.into()));
    assert_eq!((&vserver["Status"], &vserver["PolicySet"]), (&0.into(), &serde_json::json!([])));
    assert_eq!(vserver["BackendSet"], serde_json::json!([]));
}

#[test]
fn a_vserver_is_as_well_as_its_backends() {
    let [well, ill, new] = [Health::Healthy, Health::Unhealthy, Health::Unknown];
    for (health, status) in [
        (vec![well, well], 0),
        (vec![ill, ill], 1),
        (vec![new], 1),
        (vec![well, ill], 2),
        (vec![well, new], 2),
    ] {
        let group = sample();
        let member = |health| Member { health, ..group.members[0].clone() };
        let members = health.iter().copied().map(member).collect();
        let told = told("DescribeVServer", None, &Outcome::Group(Group { members, ..group.clone() }));
        assert_eq!(told["DataSet"][0]["Status"], status, "{health:?}");
    }
}

#[test]
fn a_ulb_is_told_with_its_vservers_or_with_their_count() {
    let place = Place { region: RegionId::new("cn-bj2"), project: None };
    let balancer = LoadBalancer {
        id: LoadBalancerId::new("ulb-abc123").unwrap(),
        place: place.clone(),
        name: Some("web".to_owned()),
        address: Some("203.0.113.7".to_owned()),
        reach: Reach::Internet,
        vpc: VpcId::new("uvnet-lksdw0"),
        subnet: None,
        created: None,
        listeners: Vec::new(),
        groups: Vec::new(),
        group_count: 3,
    };
    let list = |detail| {
        let filter = LoadBalancerFilter::default();
        Operation::ListLoadBalancers(ListLoadBalancers {
            place: place.clone(),
            filter,
            page: Page::FIRST,
            detail,
        })
    };
    let mut wanted = serde_json::json!({
        "ULBId": "ulb-abc123", "Name": "web", "Tag": "Default", "Remark": "", "CreateTime": 0,
        "ULBType": "OuterMode", "ListenType": "RequestProxy", "VPCId": "uvnet-lksdw0", "SubnetId": "",
        "BusinessId": "", "PrivateIP": "",
        "IPSet": [{ "OperatorName": "", "EIP": "203.0.113.7", "EIPId": "" }],
        "Bandwidth": 0, "BandwidthType": 0, "IPVersion": "IPv4", "SnatIps": [], "FirewallSet": [],
        "EnableLog": 0, "LogSet": {}, "VServerSet": [],
    });
    let all = Outcome::LoadBalancers(vec![balancer.clone()], 7);
    let body = told("DescribeULB", Some(&list(Detail::Groups)), &all);
    assert_eq!((&body["DataSet"][0], &body["TotalCount"]), (&wanted, &7.into()));
    let fields = wanted.as_object_mut().unwrap();
    fields.remove("VServerSet");
    fields.extend([("VServerCount".to_owned(), 3.into()), ("WAFMode".to_owned(), "".into())]);
    let body = told("DescribeULBSimple", Some(&list(Detail::GroupCount)), &all);
    assert_eq!(body["DataSet"][0], wanted);
    let inner = LoadBalancer { reach: Reach::Intranet, ..balancer };
    let body = told("DescribeULB", None, &Outcome::LoadBalancer(Box::new(inner)));
    let ulb = &body["DataSet"][0];
    assert_eq!((&ulb["ULBType"], &ulb["PrivateIP"]), (&"InnerMode".into(), &"203.0.113.7".into()));
    assert_eq!(ulb["IPSet"], serde_json::json!([]));
}

#[test]
fn each_change_of_a_batch_is_told_by_its_own_code() {
    let id = |text: &str| BackendRef::Id(BackendId::new(text).unwrap());
    let field = Some("BackendId".into());
    let refusal = Refusal { kind: FaultKind::UnknownBackend, field, detail: "not here".into() };
    let refused = Updated { backend: id("b-2"), refusal: Some(refusal) };
    let outcome = Outcome::Updated(vec![Updated { backend: id("b-1"), refusal: None }, refused.clone()]);
    let wanted = serde_json::json!([
        { "BackendId": "b-1", "SubRetCode": 0, "SubMessage": "success" },
        { "BackendId": "b-2", "SubRetCode": 4093, "SubMessage": "Backend [BackendId] not exists: not here" },
    ]);
    assert_eq!(told("UpdateBackendBatch", None, &outcome)["BackendSet"], wanted);
    let (envelope, outcome) = (envelope("UpdateBackendAttribute"), Outcome::Updated(vec![refused]));
    let fault = ingress::Ulb.write_success(&envelope, None, &outcome, &CLOUD).unwrap_err();
    assert_eq!((fault.kind, fault.field.as_deref()), (FaultKind::UnknownBackend, Some("BackendId")));
}

#[test]
fn regions_and_projects_are_told_with_a_default_each() {
    let regions = Outcome::Regions(["cn-bj2", "hk"].into_iter().filter_map(RegionId::new).collect());
    let wanted = serde_json::json!([
        {
            "Region": "cn-bj2", "Zone": "cn-bj2-01", "IsDefault": true, "RegionId": 1,
            "RegionName": "cn-bj2", "BitMaps": "",
        },
        {
            "Region": "hk", "Zone": "hk-01", "IsDefault": false, "RegionId": 2, "RegionName": "hk", "BitMaps": "",
        },
    ]);
    assert_eq!(told("GetRegion", None, &regions)["Regions"], wanted);
    let projects = Outcome::Projects(ProjectId::new("org-1").into_iter().collect());
    let wanted = serde_json::json!({
        "RetCode": 0, "Action": "GetProjectListResponse", "ProjectCount": 1,
        "ProjectSet": [{
            "ProjectId": "org-1", "ProjectName": "org-1", "IsDefault": true, "CreateTime": 0,
            "ResourceCount": 0, "MemberCount": 1,
        }],
    });
    assert_eq!(told("GetProjectList", None, &projects), wanted);
}
