//! What targets say.

use super::*;

fn named() -> LoadBalancerRef {
    let place = Place { region: RegionId::new("cn-bj2"), project: None };
    LoadBalancerRef { id: LoadBalancerId::new("ulb-1").unwrap(), place }
}

fn group() -> GroupRef {
    let LoadBalancerRef { id, place } = named();
    GroupRef { load_balancer: Some(id), group: GroupId::new("v-1").unwrap(), place }
}

fn update(ids: &[&str]) -> Operation {
    let change = |id: &&str| Change::of(BackendRef::Id(BackendId::new(*id).unwrap()));
    let scope = Scope { group: None, ..Scope::from(group()) };
    Operation::UpdateBackends(UpdateBackends { scope, changes: ids.iter().map(change).collect() })
}

#[test]
fn numbers_that_come_as_text_are_numbers() {
    let body = r#"{"RetCode":"0","TotalCount":"1","DataSet":[{"VServerId":"v-1","FrontendPort":"80",
        "Protocol":"TCP","CreateTime":"1529909432","ClientTimeout":"60","BackendSet":[{"BackendId":"b-1",
        "ResourceType":"UDHost","ResourceId":"udhost-1","Port":"80","Weight":"0","Enabled":"1","Status":"0"}]}]}"#;
    let Outcome::Group(found) = heard(&Operation::DescribeGroup(group()), body).unwrap() else {
        panic!("it is a group");
    };
    assert_eq!(found.id, group());
    assert_eq!(found.listeners, [Listener { protocol: Protocol::Tcp, port: Port::new(80).unwrap() }]);
    assert_eq!(found.created.map(Timestamp::as_second), Some(1_529_909_432));
    assert_eq!(found.options, [ListenerOption { name: "ClientTimeout".to_owned(), value: "60".to_owned() }]);
    let [member] = found.members.as_slice() else { panic!("it has one backend") };
    assert_eq!((member.backend.traffic, member.health), (Traffic::Off(None), Health::Healthy));
    assert_eq!(member.backend.target.kind(), Kind::Metal);
}

#[test]
fn results_are_matched_by_their_backends_and_a_missing_one_leaves_a_doubt() {
    let body = r#"{"RetCode":0,"BackendSet":[
        {"BackendId":"b-3","SubRetCode":4093,"SubMessage":"no"},{"BackendId":"b-4"},
        {"BackendId":"b-1","SubRetCode":"0","SubMessage":"success"}]}"#;
    let Outcome::Updated(found) = heard(&update(&["b-1", "b-2", "b-3", "b-4"]), body).unwrap() else {
        panic!("it is an update");
    };
    let kinds: Vec<_> = found.iter().map(|one| one.refusal.as_ref().map(|refusal| refusal.kind)).collect();
    let doubt = Some(FaultKind::TargetLost);
    assert_eq!(kinds, [None, doubt, Some(FaultKind::UnknownBackend), doubt]);
    let alone = heard(&update(&["b-1"]), r#"{"RetCode":0}"#).unwrap();
    let backend = BackendRef::Id(BackendId::new("b-1").unwrap());
    assert_eq!(alone, Outcome::Updated(vec![Updated { backend, refusal: None }]));
}

#[test]
fn the_codes_for_what_is_not_there_mean_what_was_asked_for() {
    let list = ListGroups { load_balancer: named(), page: Page::FIRST, listeners: true, members: true };
    let create = CreateGroup {
        load_balancer: named(),
        name: None,
        listener: None,
        options: Vec::new(),
        backends: Vec::new(),
    };
    let all = ListLoadBalancers {
        place: named().place,
        filter: LoadBalancerFilter::default(),
        page: Page::FIRST,
        detail: Detail::Groups,
    };
    let steps = [
        (Operation::DescribeGroup(group()), FaultKind::UnknownGroup),
        (Operation::DeleteGroup(group()), FaultKind::UnknownGroup),
        (Operation::ListGroups(list), FaultKind::UnknownLoadBalancer),
        (Operation::CreateGroup(create), FaultKind::UnknownLoadBalancer),
        (Operation::ListLoadBalancers(all), FaultKind::UnknownLoadBalancer),
        (Operation::DescribeLoadBalancer(named()), FaultKind::UnknownLoadBalancer),
    ];
    for (step, kind) in steps {
        for code in [4086, 4103] {
            let fault = heard(&step, &format!(r#"{{"RetCode":{code},"Message":"gone"}}"#)).unwrap_err();
            assert_eq!(fault.kind, kind, "{code} to {step:?}");
        }
    }
    let none = r#"{"RetCode":0,"TotalCount":0,"DataSet":[]}"#;
    let kind = |step| heard(&step, none).unwrap_err().kind;
    assert_eq!(kind(Operation::DescribeGroup(group())), FaultKind::UnknownGroup);
    assert_eq!(kind(Operation::DescribeLoadBalancer(named())), FaultKind::UnknownLoadBalancer);
}

#[test]
fn a_reply_that_makes_no_sense_is_a_lost_one() {
    let list = ListGroups { load_balancer: named(), page: Page::FIRST, listeners: true, members: true };
    for (step, body) in [
        (Operation::DescribeGroup(group()), r#"{"RetCode":0}"#),
        (Operation::DescribeGroup(group()), r#"{"RetCode":0,"DataSet":{}}"#),
        (Operation::DescribeGroup(group()), r#"{"RetCode":0,"DataSet":[{"BackendSet":"none"}]}"#),
        (Operation::DescribeGroup(group()), r#"{"RetCode":0,"DataSet":[{"BackendSet":[{"Port":80}]}]}"#),
        (
            Operation::DescribeGroup(group()),
            r#"{"RetCode":0,"DataSet":[{"BackendSet":[{"ResourceType":"UHost","ResourceId":"uhost-1"}]}]}"#,
        ),
        (Operation::ListGroups(list.clone()), r#"{"RetCode":0,"DataSet":[]}"#),
        (Operation::ListGroups(list), r#"{"RetCode":0,"TotalCount":1,"DataSet":[{"VServerName":"x"}]}"#),
        (Operation::DescribeLoadBalancer(named()), r#"{"RetCode":0,"DataSet":[{"Name":"x"}]}"#),
        (update(&["b-1"]), r#"{"RetCode":0,"BackendSet":7}"#),
        (update(&["b-1"]), "[]"),
    ] {
        assert_eq!(heard(&step, body).unwrap_err().kind, FaultKind::TargetLost, "{body}");
    }
}

#[test]
fn what_is_no_call_here_is_the_gateways_own_fault() {
    let health = DescribeHealth { load_balancer: named(), port: None, protocol: None };
    let replace = ReplaceBackends { group: group(), old: Vec::new(), new: Vec::new() };
    let both = UpdateGroup {
        group: group(),
        name: None,
        options: Vec::new(),
        changes: vec![Change::of(BackendRef::Id(BackendId::new("b-1").unwrap()))],
    };
    let ids: Vec<String> = (0..41).map(|at| format!("b-{at}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let steps = [
        Operation::DescribeHealth(health),
        Operation::ReplaceBackends(replace),
        Operation::ListRegions,
        Operation::ListProjects,
        Operation::UpdateGroup(both),
        update(&[]),
        update(&ids),
    ];
    for step in steps {
        let fault = egress::Ulb.write_call(&step, &CLOUD).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Internal, "{step:?}");
    }
}

#[test]
fn more_changes_than_one_go_in_one_batch() {
    let params = |step| -> (String, Params) {
        let Invocation { action, version: _, params } = egress::Ulb.write_call(&step, &CLOUD).unwrap();
        (action, params)
    };
    let scope = Scope { group: None, ..Scope::from(group()) };
    let changes = vec![change("b-1", 5, true, false), change("b-2", 7, false, true)];
    let (action, one) = params(Operation::UpdateBackends(UpdateBackends {
        scope: scope.clone(),
        changes: changes[..1].to_vec(),
    }));
    assert_eq!(action, "UpdateBackendAttribute");
    assert_eq!(one.to_query(), "Region=cn-bj2&ULBId=ulb-1&BackendId=b-1&Weight=5&Enabled=1&IsBackup=0");
    let (action, both) = params(Operation::UpdateBackends(UpdateBackends { scope, changes }));
    assert_eq!(action, "UpdateBackendBatch");
    assert_eq!(
        (both.get("Attributes.1.BackendId"), both.get("Attributes.1.Enabled")),
        (Some("b-2"), Some("0"))
    );
    assert_eq!(both.len(), 2 + 2 * 4);
}
