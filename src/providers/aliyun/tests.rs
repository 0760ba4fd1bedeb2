//! What one side writes the other reads back; and what neither may take.

use std::sync::{Arc, LazyLock};

use http::StatusCode;
use jiff::Timestamp;
use proptest::{collection::vec, option, prelude::*, sample::select};

use super::PROVIDER;
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

fn word() -> impl Strategy<Value = String> {
    "[a-z0-9-]{1,20}"
}

fn name() -> impl Strategy<Value = String> {
    // Whatever a person types, but for the comma that separates names.
    "[^,]{1,80}"
}

fn any_place() -> impl Strategy<Value = Place> {
    option::of(word()).prop_map(|region| Place { region: region.and_then(RegionId::new), project: None })
}

fn any_port() -> impl Strategy<Value = Port> {
    (1_u32..=65_535).prop_map(|port| Port::new(port).unwrap())
}

fn any_target() -> impl Strategy<Value = Target> {
    let kind = select(vec![Kind::Instance, Kind::Interface, Kind::Container]);
    (kind, word(), any::<Option<[u8; 4]>>()).prop_map(|(kind, id, ip)| {
        let address = ip.filter(|_| kind.has_addresses()).map(Into::into);
        Target::Resource { kind, id: ResourceId::new(id).unwrap(), address }
    })
}

fn any_backend() -> impl Strategy<Value = Backend> {
    let traffic =
        (0_u32..=100).prop_map(|weight| Weight::new(weight).map_or(Traffic::Off(None), Traffic::On));
    (any_target(), any_port(), traffic, option::of(".{1,80}")).prop_map(
        |(target, port, traffic, description)| Backend { target, port, traffic, standby: false, description },
    )
}

/// Backends of which no two are one entry.
fn some_backends() -> impl Strategy<Value = Vec<Backend>> {
    vec(any_backend(), 0..6).prop_map(|mut backends: Vec<Backend>| {
        let known = backends.clone();
        let mut place = 0..;
        backends.retain(|later| {
            let before = place.next().unwrap();
            !known.iter().take(before).any(|earlier| earlier.same_entry(later))
        });
        backends
    })
}

fn some_members() -> impl Strategy<Value = Vec<Member>> {
    some_backends().prop_map(|backends| backends.into_iter().map(in_group).collect())
}

fn any_group_ref() -> impl Strategy<Value = GroupRef> {
    (word(), any_place()).prop_map(|(id, place)| GroupRef { place, ..group(&id) })
}

fn any_balancer_ref() -> impl Strategy<Value = LoadBalancerRef> {
    (word(), any_place()).prop_map(|(id, place)| LoadBalancerRef { place, ..balancer(&id) })
}

fn any_moment() -> impl Strategy<Value = Timestamp> {
    (0_i64..4_000_000_000).prop_map(|second| Timestamp::from_second(second).unwrap())
}

fn any_listener() -> impl Strategy<Value = Listener> {
    let protocol = select(Protocol::ALL.to_vec());
    (protocol, any_port()).prop_map(|(protocol, port)| Listener { protocol, port })
}

fn any_balancer(place: Place) -> impl Strategy<Value = LoadBalancer> {
    let reach = select(vec![Reach::Internet, Reach::Intranet]);
    let texts = (option::of(name()), option::of(word()), option::of(word()), option::of(word()));
    (word(), texts, reach, option::of(any_moment())).prop_map(
        move |(id, (name, address, vpc, subnet), reach, created)| LoadBalancer {
            id: LoadBalancerId::new(id).unwrap(),
            place: place.clone(),
            name,
            address,
            reach,
            vpc: vpc.and_then(VpcId::new),
            subnet: subnet.and_then(SubnetId::new),
            created,
            listeners: Vec::new(),
            groups: Vec::new(),
            group_count: 0,
        },
    )
}

fn any_listing() -> impl Strategy<Value = ListLoadBalancers> {
    let reach = option::of(select(vec![Reach::Internet, Reach::Intranet]));
    let texts = (vec(word(), 0..=10), option::of(word()), option::of(word()), option::of(word()));
    (any_place(), vec(word(), 0..=10), texts, reach, 0_usize..1000, 1_usize..=100).prop_map(
        |(place, ids, (names, address, vpc, subnet), reach, page, limit)| {
            let ids = ids.into_iter().filter_map(LoadBalancerId::new).collect();
            let (vpc, subnet) = (vpc.and_then(VpcId::new), subnet.and_then(SubnetId::new));
            let filter = LoadBalancerFilter { ids, names, address, reach, vpc, subnet };
            ListLoadBalancers {
                place,
                filter,
                page: Page { offset: page * limit, limit },
                detail: Detail::Summary,
            }
        },
    )
}

fn any_update() -> impl Strategy<Value = UpdateGroup> {
    let change = |backend: Backend| {
        let (weight, enabled) = match backend.traffic {
            Traffic::On(weight) => (Some(weight), Some(true)),
            Traffic::Off(_) => (None, Some(false)),
        };
        let named = Change::of(at(&backend));
        Change { weight, enabled, description: backend.description, ..named }
    };
    (any_group_ref(), option::of(name()), some_backends()).prop_map(move |(group, name, backends)| {
        let changes = backends.into_iter().map(change).collect();
        UpdateGroup { group, name, options: Vec::new(), changes }
    })
}

/// What every request may ask for, as its reader understands it.
fn any_operation() -> impl Strategy<Value = Operation> {
    let references = || some_backends().prop_map(|backends| backends.iter().map(at).collect::<Vec<_>>());
    prop_oneof![
        (any_group_ref(), some_backends())
            .prop_map(|(group, backends)| Operation::AddBackends(AddBackends { group, backends })),
        (any_group_ref(), references()).prop_map(|(group, backends)| {
            Operation::RemoveBackends(RemoveBackends { scope: group.into(), backends })
        }),
        (any_group_ref(), references(), some_backends())
            .prop_map(|(group, old, new)| Operation::ReplaceBackends(ReplaceBackends { group, old, new })),
        any_group_ref().prop_map(Operation::DescribeGroup),
        any_group_ref().prop_map(Operation::DeleteGroup),
        (any_balancer_ref(), option::of(any_port()), option::of(select(Protocol::ALL.to_vec()))).prop_map(
            |(load_balancer, port, protocol)| {
                Operation::DescribeHealth(DescribeHealth { load_balancer, port, protocol })
            }
        ),
        (any_balancer_ref(), any::<bool>()).prop_map(|(load_balancer, listeners)| {
            let page = super::groups::ALL;
            Operation::ListGroups(ListGroups { load_balancer, page, listeners, members: false })
        }),
        (any_balancer_ref(), name(), some_backends()).prop_map(|(load_balancer, name, backends)| {
            let (name, listener, options) = (Some(name), None, Vec::new());
            Operation::CreateGroup(CreateGroup { load_balancer, name, listener, options, backends })
        }),
        any_update().prop_map(Operation::UpdateGroup),
        any_listing().prop_map(Operation::ListLoadBalancers),
        any_balancer_ref().prop_map(Operation::DescribeLoadBalancer),
    ]
}

/// A step and what may come of it, as far as this cloud tells it.
fn any_end() -> impl Strategy<Value = (Operation, Outcome)> {
    let with_created = || (option::of(name()), option::of(any_moment()));
    prop_oneof![
        (any_group_ref(), some_backends()).prop_map(|(group, backends)| {
            let members = backends.iter().cloned().map(in_group).collect();
            (Operation::AddBackends(AddBackends { group, backends }), Outcome::Added(members))
        }),
        (any_group_ref(), some_backends()).prop_map(|(group, backends)| {
            let told = |backend: &Backend| in_group(Backend { description: None, ..backend.clone() });
            let outcome = Outcome::Removed(backends.iter().map(told).collect());
            let backends = backends.iter().map(at).collect();
            (Operation::RemoveBackends(RemoveBackends { scope: group.into(), backends }), outcome)
        }),
        (any_group_ref(), some_backends()).prop_map(|(group, new)| {
            let outcome = Outcome::Replaced(new.iter().cloned().map(in_group).collect());
            (Operation::ReplaceBackends(ReplaceBackends { group, old: Vec::new(), new }), outcome)
        }),
        (any_group_ref(), option::of(word()), with_created(), some_members()).prop_map(
            |(group, balancer, (name, created), members)| {
                let id = GroupRef { load_balancer: balancer.and_then(LoadBalancerId::new), ..group.clone() };
                let told = Group { name, created, ..Group::of(id, members) };
                (Operation::DescribeGroup(group), Outcome::Group(told))
            }
        ),
        any_group_ref().prop_map(|group| (Operation::DeleteGroup(group), Outcome::Deleted)),
        (any_balancer_ref(), vec((any_target(), any_port(), option::of(any_listener()), 0_usize..3), 0..6))
            .prop_map(|(load_balancer, checked)| {
                let checked = checked.into_iter().map(|(target, port, listener, health)| Checked {
                    target,
                    port,
                    listener,
                    health: Health::ALL[health],
                });
                let step = DescribeHealth { load_balancer, port: None, protocol: None };
                (Operation::DescribeHealth(step), Outcome::Health(checked.collect()))
            }),
        (any_balancer_ref(), vec((word(), with_created(), vec(any_listener(), 0..3), 0_usize..200), 0..5))
            .prop_map(|(load_balancer, groups)| {
                let told = groups.into_iter().map(|(id, (name, created), listeners, count)| {
                    let LoadBalancerRef { id: balancer, place } = load_balancer.clone();
                    let id = GroupRef { load_balancer: Some(balancer), place, ..group(&id) };
                    Group { name, listeners, created, count, ..Group::of(id, Vec::new()) }
                });
                let (told, page): (Vec<_>, _) = (told.collect(), Page::FIRST);
                let outcome = Outcome::Groups(told.clone(), told.len());
                let step = ListGroups { load_balancer, page, listeners: true, members: false };
                (Operation::ListGroups(step), outcome)
            }),
        (any_balancer_ref(), word(), option::of(name()), some_backends()).prop_map(
            |(load_balancer, id, name, backends)| {
                let LoadBalancerRef { id: balancer, place } = load_balancer.clone();
                let id = GroupRef { load_balancer: Some(balancer), place, ..group(&id) };
                let members = backends.iter().cloned().map(in_group).collect();
                let made = Group { name: name.clone(), ..Group::of(id, members) };
                let (listener, options) = (None, Vec::new());
                let step = CreateGroup { load_balancer, name, listener, options, backends };
                (Operation::CreateGroup(step), Outcome::Created(made))
            }
        ),
        (any_group_ref(), option::of(name()), some_members()).prop_map(|(group, name, members)| {
            let told = Group { name: name.clone(), ..Group::of(group.clone(), members) };
            let changes =
                told.members.iter().map(|member| super::backends::change_to(member.backend.clone()));
            let step = UpdateGroup { group, name, options: Vec::new(), changes: changes.collect() };
            (Operation::UpdateGroup(step), Outcome::GroupUpdated(told))
        }),
        (any_listing(), 0_usize..1000).prop_flat_map(|(listing, total)| {
            vec(any_balancer(listing.place.clone()), 0..5).prop_map(move |balancers| {
                (Operation::ListLoadBalancers(listing.clone()), Outcome::LoadBalancers(balancers, total))
            })
        }),
        any_place().prop_flat_map(|place| {
            (any_balancer(place), vec(any_listener(), 0..4)).prop_map(|(balancer, listeners)| {
                let told = LoadBalancer { listeners, ..balancer };
                let step = LoadBalancerRef { id: told.id.clone(), place: told.place.clone() };
                (Operation::DescribeLoadBalancer(step), Outcome::LoadBalancer(Box::new(told)))
            })
        }),
    ]
}

/// JSON of the names that replies have, in no order that makes sense.
fn any_json() -> impl Strategy<Value = Document> {
    const NAMES: [&str; 24] = [
        "BackendServers",
        "BackendServer",
        "VServerGroupId",
        "VServerGroups",
        "VServerGroup",
        "ServerId",
        "Port",
        "Weight",
        "Type",
        "LoadBalancers",
        "LoadBalancer",
        "LoadBalancerId",
        "AddressType",
        "TotalCount",
        "CreateTime",
        "ServerCount",
        "AssociatedObjects",
        "Listeners",
        "Listener",
        "Protocol",
        "ListenerPort",
        "ListenerPortsAndProtocal",
        "ListenerPortAndProtocal",
        "ServerHealthStatus",
    ];
    let leaf = prop_oneof![
        Just(Document::Null),
        any::<bool>().prop_map(Document::Bool),
        any::<i64>().prop_map(Document::number),
        (0_i64..200).prop_map(Document::number),
        ".{0,8}".prop_map(Document::Text),
        select(vec!["internet", "tcp", "ecs", "rsp-1", "lb-1", "i-1"]).prop_map(Document::text),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        let member = (select(NAMES.to_vec()).prop_map(str::to_owned), inner.clone());
        prop_oneof![vec(inner, 0..4).prop_map(Document::List), vec(member, 0..6).prop_map(Document::Record)]
    })
}

proptest! {
    #[test]
    fn what_the_gateway_asks_reads_back(operation in any_operation(), scheme in 0_usize..2) {
        let asked = Asked { given: Vec::new(), ..received(&operation, scheme).unwrap() };
        prop_assert_eq!(asked, Asked::all(operation));
    }

    #[test]
    fn a_change_of_backends_is_one_of_the_group(update in any_update(), scheme in 0_usize..2) {
        let UpdateGroup { group, changes, .. } = update.clone();
        let step = Operation::UpdateBackends(UpdateBackends { scope: group.into(), changes });
        let asked = received(&step, scheme).unwrap();
        prop_assert_eq!(asked.operation, Operation::UpdateGroup(UpdateGroup { name: None, ..update }));
    }

    #[test]
    fn what_came_of_it_reads_back((step, outcome) in any_end()) {
        prop_assert_eq!(read_back(&step, &outcome).unwrap(), outcome);
    }

    #[test]
    fn what_came_of_a_change_of_backends_reads_back(group in any_group_ref(), backends in some_backends()) {
        let changes: Vec<Change> = backends.iter().cloned().map(super::backends::change_to).collect();
        let scope = group.clone().into();
        let step = Operation::UpdateBackends(UpdateBackends { scope, changes: changes.clone() });
        let told = Group::of(group, backends.into_iter().map(in_group).collect());
        let updated = changes.into_iter().map(|change| Updated { backend: change.backend, refusal: None });
        let read = read_back(&step, &Outcome::GroupUpdated(told)).unwrap();
        prop_assert_eq!(read, Outcome::Updated(updated.collect()));
    }

    #[test]
    fn every_shape_and_format_is_written((step, outcome) in any_end()) {
        for (format, shape) in [
            (Format::Json, Shape::Documented),
            (Format::Xml, Shape::Live),
            (Format::Xml, Shape::Documented),
        ] {
            let reply = answered(Some(&step), &outcome, format, shape);
            prop_assert_eq!(reply.status, StatusCode::OK);
        }
    }

    #[test]
    fn a_reply_that_makes_no_sense_is_a_fault_of_the_target(operation in any_operation(), body in any_json()) {
        if let Err(fault) = replied(&operation, 200, &body.to_json()) {
            let known = [FaultKind::TargetLost, FaultKind::AlreadyPresent];
            prop_assert!(known.contains(&fault.kind), "{}", fault);
        }
    }
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
    let changes = vec![super::backends::change_to(server("i-1", 80))];
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
