//! What one side writes the other reads back; and what neither may take.

mod random;
mod round_trips;

use std::sync::{Arc, LazyLock};

use http::StatusCode;
use jiff::Timestamp;
use proptest::{collection::vec, option, prelude::*, sample::select};

use super::{PROVIDER, backends, groups};
use crate::{
    auth::{Credential, Stamp, Stamps},
    crypto::Secret,
    dialect::{Arrival, Asked, Envelope},
    mapping::{Cloud, Format, Shape, Sources, Tables},
    model::{
        AddBackends, Backend, BackendRef, Change, Checked, CreateGroup, DescribeHealth, Detail, Fault,
        FaultKind, Group, GroupId, GroupRef, Health, Kind, ListGroups, ListLoadBalancers, Listener,
        LoadBalancer, LoadBalancerFilter, LoadBalancerId, LoadBalancerRef, Member, Operation, Outcome, Page,
        Place, Port, Protocol, Reach, RegionId, RemoveBackends, ReplaceBackends, ResourceId, Scope, SubnetId,
        Target, Traffic, UpdateBackends, UpdateGroup, Updated, VpcId, Weight,
    },
    wire::{Call, Document, Params, Reply},
};

static CLOUD: LazyLock<Arc<Cloud>> = LazyLock::new(|| {
    let tables = Tables::compile(&Sources::embedded()).unwrap();
    Arc::clone(tables.cloud(PROVIDER.id).unwrap())
});

fn stamp() -> Stamp {
    Stamps::fixed("2026-01-02T03:04:05Z".parse().unwrap()).next()
}

/// The operation that a signed call of `step` means to whoever receives it.
fn received(step: &Operation, scheme: usize) -> Result<Asked, Fault> {
    let invocation = PROVIDER.egress.write_call(step, &CLOUD)?;
    let credential =
        Credential { key_id: "testid".to_owned(), secret: Secret::new("testsecret".to_owned()), token: None };
    let call = PROVIDER.schemes[scheme].sign(&invocation, "http://slb.example", &credential, &stamp());
    PROVIDER.ingress.read(&PROVIDER.ingress.unpack(call)?, &CLOUD)
}

/// What a request of these parameters asks for.
fn asked(query: &str) -> Result<Asked, Fault> {
    let call = Call::new(http::Method::GET, "http://slb.example", "/", query.to_owned());
    let params = Params::decode(query).unwrap();
    PROVIDER.ingress.read(&Arrival { call, params, signed: None }, &CLOUD)
}

fn envelope(action: &str, format: Format, shape: Shape) -> Envelope {
    let (request_id, host) =
        ("5B0C2C9E-0000-4000-8000-000000000000".to_owned(), "gw.example:8443".to_owned());
    Envelope { action: action.to_owned(), format, shape, request_id, host }
}

fn answered(step: Option<&Operation>, outcome: &Outcome, format: Format, shape: Shape) -> Reply {
    let action = step.map_or("Any", |step| &CLOUD.actions.calling(step.name()).unwrap().name);
    PROVIDER.ingress.write_success(&envelope(action, format, shape), step, outcome, &CLOUD).unwrap()
}

fn live(step: &Operation, outcome: &Outcome) -> Document {
    Document::from_json(&answered(Some(step), outcome, Format::Json, Shape::Live).body).unwrap()
}

/// What the caller of `step` reads of the reply that tells of `outcome`.
fn read_back(step: &Operation, outcome: &Outcome) -> Result<Outcome, Fault> {
    let reply = answered(Some(step), outcome, Format::Json, Shape::Live);
    PROVIDER.egress.read_reply(step, &reply, &CLOUD)
}

fn replied(step: &Operation, status: u16, body: &str) -> Result<Outcome, Fault> {
    let reply = Reply::new(StatusCode::from_u16(status).unwrap(), "application/json", body.to_owned());
    PROVIDER.egress.read_reply(step, &reply, &CLOUD)
}

fn json(text: &str) -> Document {
    Document::from_json(text.as_bytes()).unwrap()
}

fn group(id: &str) -> GroupRef {
    GroupRef { load_balancer: None, group: GroupId::new(id).unwrap(), place: Place::default() }
}

fn balancer(id: &str) -> LoadBalancerRef {
    LoadBalancerRef { id: LoadBalancerId::new(id).unwrap(), place: Place::default() }
}

fn server(id: &str, port: u32) -> Backend {
    let target = Target::Resource { kind: Kind::Instance, id: ResourceId::new(id).unwrap(), address: None };
    let traffic = Traffic::On(Weight::new(100).unwrap());
    Backend { target, port: Port::new(port).unwrap(), traffic, standby: false, description: None }
}

fn at(backend: &Backend) -> BackendRef {
    BackendRef::At { target: backend.target.clone(), port: backend.port }
}

fn in_group(backend: Backend) -> Member {
    Member { backend, id: None, health: Health::Unknown, also: None }
}

fn groups_of(id: &str) -> Operation {
    let load_balancer = balancer(id);
    Operation::ListGroups(ListGroups { load_balancer, page: Page::FIRST, listeners: true, members: false })
}

#[test]
fn what_no_request_says_is_no_step() {
    for step in [Operation::ListRegions, Operation::ListProjects] {
        assert_eq!(PROVIDER.egress.write_call(&step, &CLOUD).unwrap_err().kind, FaultKind::Internal);
        assert_eq!(replied(&step, 200, "{}").unwrap_err().kind, FaultKind::Internal);
    }
    let nowhere = Operation::RemoveBackends(RemoveBackends { scope: Scope::default(), backends: Vec::new() });
    assert_eq!(PROVIDER.egress.write_call(&nowhere, &CLOUD).unwrap_err().kind, FaultKind::Internal);
}

#[test]
fn a_change_that_would_take_a_default_is_not_written() {
    let change = Change { weight: Weight::new(5), ..Change::of(at(&server("i-1", 80))) };
    for change in [change.clone(), Change { enabled: Some(true), port: Port::new(81), ..change }] {
        let step = UpdateBackends { scope: group("rsp-1").into(), changes: vec![change] };
        let fault = PROVIDER.egress.write_call(&Operation::UpdateBackends(step), &CLOUD).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Internal);
    }
}

#[test]
fn a_weight_of_zero_says_disabled_and_of_no_weight() {
    let query = "Action=SetVServerGroupAttribute&VServerGroupId=rsp-1&VServerGroupName=web&BackendServers=\
                 [{'ServerId':'i-1','Port':'80','Weight':'0'},{'ServerId':'i-2','Port':'80'}]";
    let Operation::UpdateGroup(update) = asked(query).unwrap().operation else {
        panic!("a change of a group")
    };
    assert_eq!(update.name.as_deref(), Some("web"));
    let said: Vec<_> = update.changes.iter().map(|change| (change.weight, change.enabled)).collect();
    assert_eq!(said, [(None, Some(false)), (Weight::new(100), Some(true))]);
}

#[test]
fn the_lists_of_a_replacement_are_read_in_every_spelling() {
    let item = r#"[{"serverId":"i-1","port":80}]"#;
    for (old, new) in [
        (format!("OldBackendServers={item}"), "NewBackendServers=[{'ServerId':'i-2','Port':'80'}]"),
        (
            "OldBackendServers.1.ServerId=i-1&OldBackendServers.1.Port=80".to_owned(),
            "NewBackendServers.0.ServerId=i-2&NewBackendServers.0.Port=80",
        ),
    ] {
        let query = format!("Action=ModifyVServerGroupBackendServers&VServerGroupId=rsp-1&{old}&{new}");
        let wanted = ReplaceBackends {
            group: group("rsp-1"),
            old: vec![at(&server("i-1", 80))],
            new: vec![server("i-2", 80)],
        };
        assert_eq!(asked(&query).unwrap().operation, Operation::ReplaceBackends(wanted));
    }
    let wrong = "Action=ModifyVServerGroupBackendServers&VServerGroupId=rsp-1&NewBackendServers=\
                 [{'ServerId':'i-1','Port':80},{'ServerId':'i-2','Port':0}]";
    assert_eq!(asked(wrong).unwrap_err().field.unwrap(), "NewBackendServers.2.Port");
}

#[test]
fn a_group_that_is_made_without_a_name_gets_the_default() {
    let query = "Action=CreateVServerGroup&LoadBalancerId=lb-1";
    let Operation::CreateGroup(create) = asked(query).unwrap().operation else { panic!("a new group") };
    assert_eq!((create.name, create.backends), (Some(CLOUD.group.default_name.clone()), Vec::new()));
}

#[test]
fn a_page_that_is_left_out_is_the_first_of_fifty() {
    let Operation::ListLoadBalancers(list) = asked("Action=DescribeLoadBalancers").unwrap().operation else {
        panic!("a list of load balancers")
    };
    assert_eq!((list.page, list.filter), (Page { offset: 0, limit: 50 }, LoadBalancerFilter::default()));
    let third = "Action=DescribeLoadBalancers&PageNumber=3&PageSize=20";
    let Operation::ListLoadBalancers(list) = asked(third).unwrap().operation else { panic!("a list") };
    assert_eq!(list.page, Page { offset: 40, limit: 20 });
}

#[test]
fn a_wrong_value_is_refused_by_its_name_with_what_is_allowed() {
    let long = "x".repeat(81);
    let eleven = ["lb"; 11].join(",");
    for (query, field, allowed) in [
        ("DescribeLoadBalancers&PageNumber=0", "PageNumber", "1 to 2147483647"),
        ("DescribeLoadBalancers&PageNumber=99999999999999999999", "PageNumber", "1 to 2147483647"),
        ("DescribeLoadBalancers&PageSize=101", "PageSize", "1 to 100"),
        ("DescribeLoadBalancers&PageSize=%2B5", "PageSize", "1 to 100"),
        ("DescribeLoadBalancers&AddressType=public", "AddressType", "internet, intranet"),
        (&format!("DescribeLoadBalancers&LoadBalancerId={eleven}"), "LoadBalancerId", "1 to 10"),
        ("DescribeHealthStatus&LoadBalancerId=lb-1&ListenerPort=70000", "ListenerPort", "1 to 65535"),
        ("DescribeHealthStatus&LoadBalancerId=lb-1&ListenerProtocol=quic", "ListenerProtocol", "https"),
        ("DescribeVServerGroups&LoadBalancerId=lb-1&IncludeListener=yes", "IncludeListener", "true, false"),
        ("DescribeVServerGroups&LoadBalancerId=lb-1&IncludeRule=2", "IncludeRule", "true, false"),
        (
            &format!("CreateVServerGroup&LoadBalancerId=lb-1&VServerGroupName={long}"),
            "VServerGroupName",
            "1 to 80",
        ),
        (
            &format!("SetVServerGroupAttribute&VServerGroupId=r&VServerGroupName={long}"),
            "VServerGroupName",
            "1 to 80",
        ),
    ] {
        let fault = asked(&format!("Action={query}")).unwrap_err();
        assert_eq!(
            (fault.kind, fault.field.as_deref()),
            (FaultKind::InvalidParameter, Some(field)),
            "{query}"
        );
        assert!(fault.detail.contains(allowed), "{query}: {}", fault.detail);
    }
}

#[test]
fn what_no_other_cloud_has_is_named() {
    let listed =
        asked("Action=DescribeVServerGroups&LoadBalancerId=lb-1&Tag.1.Key=a&IncludeListener=True").unwrap();
    assert_eq!(listed.untranslated, ["Tag"]);
    let Operation::ListGroups(list) = listed.operation else { panic!("a list of groups") };
    assert!(list.listeners, "Python writes True");
    let several = asked("Action=DescribeLoadBalancers&LoadBalancerName=a,%20b&PayType=x").unwrap();
    assert_eq!(several.untranslated, ["PayType"]);
    let Operation::ListLoadBalancers(list) = several.operation else { panic!("a list of load balancers") };
    assert_eq!(list.filter.names, ["a", "b"]);
}

#[test]
fn a_group_is_told_in_the_shape_that_clients_parse() {
    let id = GroupRef { load_balancer: LoadBalancerId::new("lb-1"), ..group("rsp-1") };
    let told = Group {
        name: Some("web".to_owned()),
        created: "2017-08-31T02:49:05Z".parse().ok(),
        ..Group::of(id, vec![in_group(server("i-1", 80))])
    };
    let wanted = json(
        r#"{"RequestId":"5B0C2C9E-0000-4000-8000-000000000000","VServerGroupId":"rsp-1","LoadBalancerId":"lb-1",
            "VServerGroupName":"web","CreateTime":"2017-08-31T02:49:05Z","Tags":{"Tag":[]},"BackendServers":{"BackendServer":[
            {"ServerId":"i-1","Port":80,"Weight":100,"Type":"ecs","Description":""}]}}"#,
    );
    assert_eq!(live(&Operation::DescribeGroup(group("rsp-1")), &Outcome::Group(told)), wanted);
}

#[test]
fn groups_are_told_with_their_listeners_only_if_these_were_asked_for() {
    let port = Port::new(443).unwrap();
    let told = Group {
        name: Some("web".to_owned()),
        listeners: vec![Listener { protocol: Protocol::Https, port }],
        count: 7,
        ..Group::of(group("rsp-1"), Vec::new())
    };
    let outcome = Outcome::Groups(vec![told], 1);
    let body = |listeners: &str| {
        json(&format!(
            r#"{{"RequestId":"5B0C2C9E-0000-4000-8000-000000000000","VServerGroups":{{"VServerGroup":[
                {{"VServerGroupId":"rsp-1","VServerGroupName":"web","Tags":{{"Tag":[]}},"ServerCount":7,"AssociatedObjects":
                {{"Listeners":{{"Listener":[{listeners}]}},"Rules":{{"Rule":[]}}}}}}]}}}}"#
        ))
    };
    assert_eq!(live(&groups_of("lb-1"), &outcome), body(r#"{"Port":443,"Protocol":"https"}"#));
    let load_balancer = balancer("lb-1");
    let plain = ListGroups { load_balancer, page: Page::FIRST, listeners: false, members: false };
    assert_eq!(live(&Operation::ListGroups(plain), &outcome), body(""));
}

#[test]
fn a_load_balancer_is_told_in_both_spellings() {
    let port = Port::new(80).unwrap();
    let told = LoadBalancer {
        id: LoadBalancerId::new("lb-1").unwrap(),
        place: Place { region: RegionId::new("cn-hangzhou"), project: None },
        name: Some("front".to_owned()),
        address: Some("203.0.113.9".to_owned()),
        reach: Reach::Internet,
        vpc: VpcId::new("vpc-1"),
        subnet: None,
        created: "2017-08-31T02:49:05Z".parse().ok(),
        listeners: vec![Listener { protocol: Protocol::Http, port }],
        groups: Vec::new(),
        group_count: 0,
    };
    let attributes = r#""LoadBalancerId":"lb-1","LoadBalancerName":"front","LoadBalancerStatus":"active",
        "Address":"203.0.113.9","AddressType":"internet","VpcId":"vpc-1","RegionId":"cn-hangzhou","NetworkType":"vpc",
        "CreateTime":"2017-08-31T02:49:05Z","CreateTimeStamp":1504147745000"#;
    let described = json(&format!(
        r#"{{"RequestId":"5B0C2C9E-0000-4000-8000-000000000000",{attributes},"ListenerPorts":{{"ListenerPort":[80]}},
        "ListenerPortsAndProtocal":{{"ListenerPortAndProtocal":[{{"ListenerPort":80,"ListenerProtocal":"http"}}]}},
        "ListenerPortsAndProtocol":{{"ListenerPortAndProtocol":[{{"ListenerPort":80,"ListenerProtocol":"http"}}]}},
        "BackendServers":{{"BackendServer":[]}}}}"#
    ));
    let one = Operation::DescribeLoadBalancer(balancer("lb-1"));
    assert_eq!(live(&one, &Outcome::LoadBalancer(Box::new(told.clone()))), described);
    let listed = json(&format!(
        r#"{{"RequestId":"5B0C2C9E-0000-4000-8000-000000000000","LoadBalancers":{{"LoadBalancer":[{{{attributes}}}]}},
        "PageNumber":2,"PageSize":1,"TotalCount":5}}"#
    ));
    let many = Operation::ListLoadBalancers(ListLoadBalancers {
        place: Place::default(),
        filter: LoadBalancerFilter::default(),
        page: Page { offset: 1, limit: 1 },
        detail: Detail::Summary,
    });
    assert_eq!(live(&many, &Outcome::LoadBalancers(vec![told], 5)), listed);
}

#[test]
fn a_region_is_reached_where_the_caller_already_is() {
    let regions = Outcome::Regions(vec![RegionId::new("cn-hangzhou").unwrap()]);
    let wanted = json(
        r#"{"RequestId":"5B0C2C9E-0000-4000-8000-000000000000","Regions":{"Region":[
            {"RegionId":"cn-hangzhou","RegionEndpoint":"gw.example:8443","LocalName":"cn-hangzhou"}]}}"#,
    );
    assert_eq!(live(&Operation::ListRegions, &regions), wanted);
}

#[test]
fn an_empty_list_keeps_its_place_in_every_format() {
    let step = Operation::DescribeGroup(group("rsp-1"));
    let empty = Outcome::Group(Group::of(group("rsp-1"), Vec::new()));
    let text = |format, shape| {
        let body = answered(Some(&step), &empty, format, shape).body;
        String::from_utf8(body.to_vec()).unwrap()
    };
    let json = text(Format::Json, Shape::Live);
    assert!(json.contains(r#""BackendServers":{"BackendServer":[]}"#), "{json}");
    let xml = text(Format::Xml, Shape::Live);
    assert!(
        xml.contains("<BackendServers></BackendServers></DescribeVServerGroupAttributeResponse>"),
        "{xml}"
    );
    let xml = text(Format::Xml, Shape::Documented);
    assert!(xml.ends_with("<BackendServers></BackendServers></DescribeVServerGroupAttribute>"), "{xml}");
}

#[test]
fn the_documented_shape_writes_numbers_as_text() {
    let told = Group { count: 7, ..Group::of(group("rsp-1"), Vec::new()) };
    let reply =
        answered(Some(&groups_of("lb-1")), &Outcome::Groups(vec![told], 1), Format::Json, Shape::Documented);
    let text = String::from_utf8(reply.body.to_vec()).unwrap();
    assert!(text.starts_with(r#"{"DescribeVServerGroups":{"RequestId""#), "{text}");
    assert!(text.contains(r#""ServerCount":"7""#), "{text}");
}

#[test]
fn what_this_cloud_has_no_words_for_is_said() {
    for outcome in [Outcome::Updated(Vec::new()), Outcome::Projects(Vec::new())] {
        let envelope = envelope("Any", Format::Json, Shape::Live);
        let fault = PROVIDER.ingress.write_success(&envelope, None, &outcome, &CLOUD).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Internal);
    }
}

#[test]
fn one_code_stands_for_a_group_and_for_a_load_balancer() {
    let body = r#"{"RequestId":"1","HostId":"h","Code":"InvalidParameter","Message":"The specified X does not exist."}"#;
    let kind = |step: &Operation| replied(step, 404, body).unwrap_err().kind;
    assert_eq!(kind(&Operation::DescribeGroup(group("rsp-1"))), FaultKind::UnknownGroup);
    assert_eq!(kind(&groups_of("lb-1")), FaultKind::UnknownLoadBalancer);
    assert_eq!(kind(&Operation::DescribeLoadBalancer(balancer("lb-1"))), FaultKind::UnknownLoadBalancer);
}

#[test]
fn a_moment_without_seconds_is_read_and_any_other_text_is_none() {
    for (text, moment) in [
        ("2017-08-31T02:49:05Z", "2017-08-31T02:49:05Z".parse::<Timestamp>().ok()),
        ("2017-08-31T02:49Z", "2017-08-31T02:49:00Z".parse().ok()),
        ("yesterday", None),
    ] {
        let body = format!(
            r#"{{"VServerGroupId":"rsp-1","CreateTime":"{text}","BackendServers":{{"BackendServer":[]}}}}"#
        );
        let Outcome::Group(told) = replied(&Operation::DescribeGroup(group("rsp-1")), 200, &body).unwrap()
        else {
            panic!("a group")
        };
        assert_eq!(told.created, moment, "{text}");
    }
}

#[test]
fn a_success_that_says_something_else_leaves_a_doubt() {
    let scope = Scope::from(group("rsp-1"));
    let changes = vec![backends::change_to(server("i-1", 80))];
    let set = Operation::UpdateBackends(UpdateBackends { scope, changes });
    let load_balancer = balancer("lb-1");
    let (name, listener, options, backends) = (None, None, Vec::new(), Vec::new());
    let create = Operation::CreateGroup(CreateGroup { load_balancer, name, listener, options, backends });
    let describe = Operation::DescribeGroup(group("rsp-1"));
    for (step, body) in [
        (&describe, "{}"),
        (&describe, r#"{"VServerGroupId":"rsp-1"}"#),
        (&describe, r#"{"VServerGroupId":"rsp-1","BackendServers":[]}"#),
        (&describe, r#"{"VServerGroupId":"rsp-2","BackendServers":{"BackendServer":[]}}"#),
        (&create, r#"{"VServerGroupId":""}"#),
        (&set, r#"{"BackendServers":{"BackendServer":[]}}"#),
        (&set, r#"{"BackendServers":{"BackendServer":[{"ServerId":"i-1","Port":80,"Weight":99}]}}"#),
        (&groups_of("lb-1"), r#"{"VServerGroups":null}"#),
        (&groups_of("lb-1"), r#"{"VServerGroups":{"VServerGroup":[{}]}}"#),
        (
            &Operation::DescribeLoadBalancer(balancer("lb-1")),
            r#"{"LoadBalancerId":"lb-2","AddressType":"internet"}"#,
        ),
        (
            &Operation::DescribeLoadBalancer(balancer("lb-1")),
            r#"{"LoadBalancerId":"lb-1","AddressType":"moon"}"#,
        ),
    ] {
        assert_eq!(replied(step, 200, body).unwrap_err().kind, FaultKind::TargetLost, "{body}");
    }
    assert!(replied(&set, 200, r#"{"RequestId":"1"}"#).is_ok(), "no list at all is taken at its word");
}
