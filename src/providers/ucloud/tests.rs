//! What is written for this cloud is read back as what it was, and what callers and targets spell in many ways is read
//! as one thing.

use std::sync::{Arc, LazyLock};

use http::{HeaderValue, Method, StatusCode, header};
use jiff::Timestamp;
use proptest::{collection::vec, option, prelude::*, sample::subsequence};

use super::{PROVIDER, egress, ingress, sign_sha1::Sha1};
use crate::{
    auth::{Credential, Stamps},
    crypto::Secret,
    dialect::{Arrival, Asked, Egress, Envelope, Ingress, Invocation, Scheme},
    mapping::{Cloud, Format, OptionRow, Shape, Sources, Tables},
    model::{
        AddBackends, Backend, BackendId, BackendRef, Change, CreateGroup, DescribeHealth, Detail, Fault,
        FaultKind, Group, GroupId, GroupRef, Health, Kind, ListGroups, ListLoadBalancers, Listener,
        ListenerOption, LoadBalancer, LoadBalancerFilter, LoadBalancerId, LoadBalancerRef, Member, Operation,
        Outcome, Page, Place, Port, ProjectId, Protocol, Reach, Refusal, RegionId, RemoveBackends,
        ReplaceBackends, ResourceId, Scope, SubnetId, Target, Traffic, UpdateBackends, UpdateGroup, Updated,
        VpcId, Weight,
    },
    wire::{Call, Params, Reply},
};

static CLOUD: LazyLock<Arc<Cloud>> = LazyLock::new(|| {
    let tables = Tables::compile(&Sources::embedded()).unwrap();
    Arc::clone(tables.cloud(PROVIDER.id).unwrap())
});

// === The way there and back ===

fn received(invocation: &Invocation) -> Arrival {
    let credential = Credential { key_id: "key".to_owned(), secret: Secret::new("secret"), token: None };
    let call = Sha1.sign(invocation, "", &credential, &Stamps::fixed(Timestamp::UNIX_EPOCH).next());
    ingress::Ulb.unpack(call).unwrap()
}

/// What this cloud's own ingress makes of the call that a step is.
fn there(step: &Operation) -> Asked {
    let arrival = received(&egress::Ulb.write_call(step, &CLOUD).unwrap());
    ingress::Ulb.read(&arrival, &CLOUD).unwrap()
}

/// What the egress makes of the reply in which this cloud's own ingress tells an outcome.
fn back(step: &Operation, outcome: &Outcome) -> Result<Outcome, Fault> {
    let action = egress::Ulb.write_call(step, &CLOUD).unwrap().action;
    let reply = ingress::Ulb.write_success(&envelope(&action), Some(step), outcome, &CLOUD).unwrap();
    egress::Ulb.read_reply(step, &reply, &CLOUD)
}

fn envelope(action: &str) -> Envelope {
    Envelope {
        action: action.to_owned(),
        format: Format::Json,
        shape: Shape::Live,
        request_id: "6d7cd3b6-3c4a-4c9b-9a57-2b7c5d6e8f90".to_owned(),
        host: String::new(),
    }
}

/// The body of a success.
fn told(action: &str, operation: Option<&Operation>, outcome: &Outcome) -> serde_json::Value {
    let reply = ingress::Ulb.write_success(&envelope(action), operation, outcome, &CLOUD).unwrap();
    serde_json::from_slice(&reply.body).unwrap()
}

/// What the egress makes of a body.
fn heard(step: &Operation, body: &str) -> Result<Outcome, Fault> {
    egress::Ulb.read_reply(step, &Reply::new(StatusCode::OK, "application/json", body.to_owned()), &CLOUD)
}

// === Things at random ===

fn text() -> impl Strategy<Value = String> {
    "[a-z0-9-]{1,12}"
}

prop_compose! {
    fn places()(region in text(), project in option::of(text())) -> Place {
        Place { region: RegionId::new(region), project: project.and_then(ProjectId::new) }
    }
}

prop_compose! {
    fn group_refs()(load_balancer in text(), group in text(), place in places()) -> GroupRef {
        let group = GroupId::new(group).unwrap();
        GroupRef { load_balancer: LoadBalancerId::new(load_balancer), group, place }
    }
}

prop_compose! {
    fn load_balancer_refs()(id in text(), place in places()) -> LoadBalancerRef {
        LoadBalancerRef { id: LoadBalancerId::new(id).unwrap(), place }
    }
}

prop_compose! {
    fn scopes()(load_balancer in text(), place in places()) -> Scope {
        Scope { load_balancer: LoadBalancerId::new(load_balancer), group: None, place }
    }
}

fn ports() -> impl Strategy<Value = Port> {
    (1_u32..=65_535).prop_map(|number| Port::new(number).unwrap())
}

fn weights() -> impl Strategy<Value = Weight> {
    (1_u32..=100).prop_map(|number| Weight::new(number).unwrap())
}

fn targets() -> impl Strategy<Value = Target> {
    let (resources, addresses): (Vec<Kind>, Vec<Kind>) = (
        Kind::ALL.into_iter().filter(|kind| !kind.is_address()).collect(),
        vec![Kind::Address, Kind::Hybrid],
    );
    let resource = (prop::sample::select(resources), text()).prop_map(|(kind, id)| Target::Resource {
        kind,
        id: ResourceId::new(id).unwrap(),
        address: None,
    });
    let address = (prop::sample::select(addresses), any::<[u8; 4]>(), text(), text());
    let address = address.prop_map(|(kind, ip, vpc, subnet)| Target::Address {
        kind,
        ip: ip.into(),
        vpc: VpcId::new(vpc),
        subnet: SubnetId::new(subnet),
    });
    prop_oneof![resource, address]
}

prop_compose! {
    fn backends()(
        target in targets(), port in ports(), weight in weights(), on in any::<bool>(), standby in any::<bool>(),
    ) -> Backend {
        let traffic = if on { Traffic::On(weight) } else { Traffic::Off(Some(weight)) };
        Backend { target, port, traffic, standby, description: None }
    }
}

prop_compose! {
    fn members()(backend in backends(), id in text(), healthy in any::<bool>()) -> Member {
        let health = if healthy { Health::Healthy } else { Health::Unhealthy };
        Member { backend, id: BackendId::new(id), health, also: None }
    }
}

fn changes(most: usize) -> impl Strategy<Value = Vec<Change>> {
    let change =
        (option::of(ports()), option::of(weights()), option::of(any::<bool>()), option::of(any::<bool>()));
    vec(change, 1..=most).prop_map(|changes| {
        let numbered = changes.into_iter().enumerate();
        let named = numbered.map(|(number, (port, weight, enabled, standby))| Change {
            port,
            weight,
            enabled,
            standby,
            ..Change::of(BackendRef::Id(BackendId::new(format!("backend-{number}")).unwrap()))
        });
        named.collect()
    })
}

/// Settings of these names, in the order of the table.
fn options_of(rows: Vec<OptionRow>) -> impl Strategy<Value = Vec<ListenerOption>> {
    vec((0_u32..100_000, "[A-Za-z/.]{1,10}"), rows.len()).prop_map(move |values| {
        let value = |row: &OptionRow, number: u32, text: String| match (row.values.as_slice(), row.range) {
            ([], Some((low, high))) => (low + number % (high - low + 1)).to_string(),
            ([], None) if row.number => number.to_string(),
            ([], None) => text,
            (words, _) => words[number as usize % words.len()].clone(),
        };
        let set = rows.iter().zip(values).map(|(row, (number, text))| ListenerOption {
            name: row.wire.clone(),
            value: value(row, number, text),
        });
        set.collect()
    })
}

/// Some of the settings that an action has.
fn options(action: &str) -> impl Strategy<Value = Vec<ListenerOption>> {
    let known = CLOUD.actions.named(action).unwrap();
    let rows: Vec<OptionRow> =
        CLOUD.group.options.iter().filter(|row| known.optional.contains(&row.wire)).cloned().collect();
    let count = rows.len();
    subsequence(rows, 0..=count).prop_flat_map(options_of)
}

fn listeners() -> impl Strategy<Value = Listener> {
    (prop::sample::select(Protocol::ALL.to_vec()), ports())
        .prop_map(|(protocol, port)| Listener { protocol, port })
}

fn pages() -> impl Strategy<Value = Page> {
    (0_usize..100_000, 0_usize..100_000).prop_map(|(offset, limit)| Page { offset, limit })
}

fn moments() -> impl Strategy<Value = Option<Timestamp>> {
    option::of((1_i64..4_000_000_000).prop_map(|second| Timestamp::from_second(second).unwrap()))
}

/// A group as the cloud tells of it in full.
fn groups(id: GroupRef) -> impl Strategy<Value = Group> {
    let parts = (
        option::of("[A-Za-z][A-Za-z0-9 ]{0,20}"),
        option::of(listeners()),
        options_of(CLOUD.group.options.clone()),
        moments(),
        vec(members(), 0..4),
    );
    parts.prop_map(move |(name, listener, options, created, members)| Group {
        name,
        listeners: listener.into_iter().collect(),
        options,
        created,
        ..Group::of(id.clone(), members)
    })
}

fn groups_within(load_balancer: LoadBalancerRef) -> impl Strategy<Value = Vec<Group>> {
    let LoadBalancerRef { id, place } = load_balancer;
    let group = text().prop_flat_map(move |group| {
        let group = GroupId::new(group).unwrap();
        groups(GroupRef { load_balancer: Some(id.clone()), group, place: place.clone() })
    });
    vec(group, 0..3)
}

fn load_balancers(named: LoadBalancerRef) -> impl Strategy<Value = LoadBalancer> {
    let parts = (
        option::of("[A-Za-z][A-Za-z0-9 ]{0,20}"),
        option::of(text()),
        prop::sample::select(vec![Reach::Internet, Reach::Intranet]),
        (option::of(text()), option::of(text())),
        moments(),
        groups_within(named.clone()),
    );
    parts.prop_map(move |(name, address, reach, (vpc, subnet), created, groups)| LoadBalancer {
        id: named.id.clone(),
        place: named.place.clone(),
        name,
        address,
        reach,
        vpc: vpc.and_then(VpcId::new),
        subnet: subnet.and_then(SubnetId::new),
        created,
        listeners: groups.iter().flat_map(|group| group.listeners.clone()).collect(),
        group_count: groups.len(),
        groups,
    })
}

prop_compose! {
    fn lists()(
        place in places(), id in option::of(text()), vpc in option::of(text()), subnet in option::of(text()),
        page in pages(),
    ) -> ListLoadBalancers {
        let filter = LoadBalancerFilter {
            ids: id.and_then(LoadBalancerId::new).into_iter().collect(),
            vpc: vpc.and_then(VpcId::new),
            subnet: subnet.and_then(SubnetId::new),
            ..LoadBalancerFilter::default()
        };
        ListLoadBalancers { place, filter, page, detail: Detail::Groups }
    }
}

prop_compose! {
    fn creations()(
        load_balancer in load_balancer_refs(), name in "[A-Za-z][A-Za-z0-9 ]{0,49}", listener in listeners(),
        options in options("CreateVServer"),
    ) -> CreateGroup {
        let (name, listener) = (Some(name), Some(listener));
        CreateGroup { load_balancer, name, listener, options, backends: Vec::new() }
    }
}

prop_compose! {
    fn group_updates()(
        group in group_refs(), name in option::of("[A-Za-z][A-Za-z0-9 ]{0,49}"),
        options in options("UpdateVServerAttribute"),
    ) -> UpdateGroup {
        UpdateGroup { group, name, options, changes: Vec::new() }
    }
}

/// Every step that reads back as the operation that it is.
fn steps() -> impl Strategy<Value = Operation> {
    let add = (group_refs(), backends())
        .prop_map(|(group, backend)| Operation::AddBackends(AddBackends { group, backends: vec![backend] }));
    let remove = (scopes(), text()).prop_map(|(scope, id)| {
        let backends = vec![BackendRef::Id(BackendId::new(id).unwrap())];
        Operation::RemoveBackends(RemoveBackends { scope, backends })
    });
    let update = (scopes(), changes(20))
        .prop_map(|(scope, changes)| Operation::UpdateBackends(UpdateBackends { scope, changes }));
    let list = (load_balancer_refs(), pages()).prop_map(|(load_balancer, page)| {
        Operation::ListGroups(ListGroups { load_balancer, page, listeners: true, members: true })
    });
    prop_oneof![
        add,
        remove,
        update,
        group_refs().prop_map(Operation::DescribeGroup),
        list,
        creations().prop_map(Operation::CreateGroup),
        group_updates().prop_map(Operation::UpdateGroup),
        group_refs().prop_map(Operation::DeleteGroup),
        lists().prop_map(Operation::ListLoadBalancers),
    ]
}

/// JSON of the names that a reply has, and of every shape that it should not have.
fn bodies() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        (-2_i64..70_000).prop_map(serde_json::Value::from),
        "[a-z0-9.]{0,6}".prop_map(serde_json::Value::from),
    ];
    let known = [
        "RetCode",
        "DataSet",
        "TotalCount",
        "BackendSet",
        "VServerSet",
        "IPSet",
        "BackendId",
        "VServerId",
        "ULBId",
        "Port",
        "Weight",
        "Enabled",
        "Status",
        "ResourceType",
        "ResourceId",
        "SubRetCode",
        "CreateTime",
        "Protocol",
        "FrontendPort",
        "ClientTimeout",
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        let members = vec((prop::sample::select(known.to_vec()), inner.clone()), 0..6);
        prop_oneof![
            vec(inner, 0..3).prop_map(serde_json::Value::from),
            members.prop_map(|members| {
                let named = members.into_iter().map(|(name, value)| (name.to_owned(), value));
                serde_json::Value::Object(named.collect())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn a_step_reads_back_as_the_operation_that_it_is(step in steps()) {
        prop_assert_eq!(there(&step), Asked::all(step));
    }

    #[test]
    fn one_load_balancer_is_asked_for_as_a_list_of_one(named in load_balancer_refs()) {
        let filter = LoadBalancerFilter { ids: vec![named.id.clone()], ..LoadBalancerFilter::default() };
        let place = named.place.clone();
        let list = ListLoadBalancers { place, filter, page: Page::FIRST, detail: Detail::Groups };
        let wanted = Asked::all(Operation::ListLoadBalancers(list));
        prop_assert_eq!(there(&Operation::DescribeLoadBalancer(named)), wanted);
    }

    #[test]
    fn an_add_and_a_removal_read_back(group in group_refs(), backend in backends(), id in text()) {
        let add = Operation::AddBackends(AddBackends { group: group.clone(), backends: vec![backend.clone()] });
        let id = BackendId::new(id).unwrap();
        let added = Outcome::Added(vec![Member { backend, id: Some(id.clone()), health: Health::Unknown, also: None }]);
        prop_assert_eq!(back(&add, &added).unwrap(), added);
        let backends = vec![BackendRef::Id(id)];
        let remove = Operation::RemoveBackends(RemoveBackends { scope: Scope::from(group), backends });
        let removed = Outcome::Removed(Vec::new());
        prop_assert_eq!(back(&remove, &removed).unwrap(), removed);
    }

    #[test]
    fn what_became_of_each_change_reads_back(
        scope in scopes(), changes in changes(20), refused in any::<[bool; 20]>(),
    ) {
        let step = Operation::UpdateBackends(UpdateBackends { scope, changes: changes.clone() });
        let kind = |refused| if refused { Some(FaultKind::UnknownBackend) } else { None };
        let updates = changes.iter().zip(refused).map(|(change, refused)| Updated {
            backend: change.backend.clone(),
            refusal: kind(refused).map(|kind| Refusal { kind, field: None, detail: "".into() }),
        });
        let outcome = Outcome::Updated(updates.collect());
        let action = egress::Ulb.write_call(&step, &CLOUD).unwrap().action;
        match ingress::Ulb.write_success(&envelope(&action), Some(&step), &outcome, &CLOUD) {
            Ok(reply) => {
                let Outcome::Updated(found) = egress::Ulb.read_reply(&step, &reply, &CLOUD).unwrap() else {
                    panic!("an update is told as one");
                };
                let named: Vec<&BackendRef> = found.iter().map(|update| &update.backend).collect();
                prop_assert_eq!(named, changes.iter().map(|change| &change.backend).collect::<Vec<_>>());
                let kinds: Vec<_> =
                    found.iter().map(|update| update.refusal.as_ref().map(|refusal| refusal.kind)).collect();
                let wanted: Vec<_> = changes.iter().zip(refused).map(|(_, refused)| kind(refused)).collect();
                prop_assert_eq!(kinds, wanted);
            }
            // A call for one backend is refused as a whole.
            Err(fault) => {
                prop_assert_eq!((changes.len(), fault.kind), (1, FaultKind::UnknownBackend));
                prop_assert!(refused[0]);
            }
        }
    }

    #[test]
    fn a_group_reads_back((id, group) in group_refs().prop_flat_map(|id| (Just(id.clone()), groups(id)))) {
        let outcome = Outcome::Group(group);
        prop_assert_eq!(back(&Operation::DescribeGroup(id), &outcome).unwrap(), outcome);
    }

    #[test]
    fn a_list_of_groups_reads_back(
        (load_balancer, groups) in
            load_balancer_refs().prop_flat_map(|named| (Just(named.clone()), groups_within(named))),
        page in pages(), more in 0_usize..1000,
    ) {
        let list = ListGroups { load_balancer, page, listeners: true, members: true };
        let count = groups.len() + more;
        let outcome = Outcome::Groups(groups, count);
        prop_assert_eq!(back(&Operation::ListGroups(list), &outcome).unwrap(), outcome);
    }

    #[test]
    fn a_new_group_reads_back(create in creations(), id in text()) {
        let LoadBalancerRef { id: load_balancer, place } = create.load_balancer.clone();
        let id = GroupRef { load_balancer: Some(load_balancer), group: GroupId::new(id).unwrap(), place };
        let outcome = Outcome::Created(Group {
            name: create.name.clone(),
            listeners: create.listener.iter().cloned().collect(),
            options: create.options.clone(),
            ..Group::of(id, Vec::new())
        });
        prop_assert_eq!(back(&Operation::CreateGroup(create), &outcome).unwrap(), outcome);
    }

    #[test]
    fn a_changed_group_and_one_that_is_gone_read_back(update in group_updates()) {
        let UpdateGroup { group, name, options, changes: _ } = update.clone();
        let delete = Operation::DeleteGroup(group.clone());
        prop_assert_eq!(back(&delete, &Outcome::Deleted).unwrap(), Outcome::Deleted);
        let outcome = Outcome::GroupUpdated(Group { name, options, ..Group::of(group, Vec::new()) });
        prop_assert_eq!(back(&Operation::UpdateGroup(update), &outcome).unwrap(), outcome);
    }

    #[test]
    fn load_balancers_read_back(
        (named, balancer) in load_balancer_refs().prop_flat_map(|named| (Just(named.clone()), load_balancers(named))),
        list in lists(), more in 0_usize..1000,
    ) {
        let place = named.place.clone();
        let list = ListLoadBalancers { place, ..list };
        let one = Outcome::LoadBalancer(Box::new(balancer.clone()));
        prop_assert_eq!(back(&Operation::DescribeLoadBalancer(named), &one).unwrap(), one);
        let count = 1 + more;
        let all = Outcome::LoadBalancers(vec![balancer.clone()], count);
        prop_assert_eq!(back(&Operation::ListLoadBalancers(list.clone()), &all).unwrap(), all);
        let bare = LoadBalancer { listeners: Vec::new(), groups: Vec::new(), ..balancer };
        let simple = Operation::ListLoadBalancers(ListLoadBalancers { detail: Detail::GroupCount, ..list });
        let all = Outcome::LoadBalancers(vec![bare], count);
        prop_assert_eq!(back(&simple, &all).unwrap(), all);
    }

    #[test]
    fn no_reply_makes_the_egress_panic(step in steps(), body in bodies()) {
        let _outcome = heard(&step, &body.to_string());
        if let serde_json::Value::Object(mut body) = body {
            body.insert("RetCode".to_owned(), 0.into());
            let _outcome = heard(&step, &serde_json::Value::Object(body).to_string());
        }
    }
}

// === What callers spell in many ways ===

fn form(body: &str) -> Call {
    let mut call = Call::new(Method::POST, "", "/", String::new());
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    call.headers.insert(header::CONTENT_TYPE, form);
    call.body = body.to_owned().into();
    call
}

fn json(body: &str) -> Call {
    let mut call = Call::new(Method::POST, "", "/", String::new());
    call.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    call.body = body.to_owned().into();
    call
}

fn asked(call: Call) -> Result<Asked, Fault> {
    ingress::Ulb.read(&ingress::Ulb.unpack(call)?, &CLOUD)
}

fn query(text: &str) -> Result<Asked, Fault> {
    asked(form(text))
}

/// The kind, the field and the words of a refusal.
fn refusal(result: Result<Asked, Fault>) -> (FaultKind, String, String) {
    let fault = result.unwrap_err();
    let field = fault.field.clone().unwrap_or_default().into_owned();
    (fault.kind, field, fault.detail.into_owned())
}

const BATCH: &str = "Action=UpdateBackendBatch&Region=cn-bj2&ULBId=ulb-1";

fn batch(attributes: &str) -> Call {
    form(&format!("{BATCH}&{attributes}"))
}

fn batch_json(attributes: &str) -> Call {
    json(&format!(r#"{{"Action":"UpdateBackendBatch","Region":"cn-bj2","ULBId":"ulb-1",{attributes}}}"#))
}

fn change(id: &str, weight: u32, enabled: bool, standby: bool) -> Change {
    let backend = BackendRef::Id(BackendId::new(id).unwrap());
    let (enabled, standby) = (Some(enabled), Some(standby));
    Change { weight: Weight::new(weight), enabled, standby, ..Change::of(backend) }
}

#[test]
fn every_spelling_of_a_batch_is_read_as_one() {
    let wanted = [change("b-1", 5, true, false), change("b-2", 7, false, true)];
    let calls = [
        batch(
            "Attributes.0.BackendId=b-1&Attributes.0.Weight=5&Attributes.0.Enabled=1&Attributes.0.IsBackup=0\
             &Attributes.1.BackendId=b-2&Attributes.1.Weight=7&Attributes.1.Enabled=0&Attributes.1.IsBackup=1",
        ),
        batch(
            "Attributes.1.BackendId=b-1&Attributes.1.Weight=5&Attributes.1.Enabled=true&Attributes.1.IsBackup=false\
             &Attributes.2.BackendId=b-2&Attributes.2.Weight=7&Attributes.2.Enabled=false&Attributes.2.IsBackup=true",
        ),
        // Sorted by name as Go sends them, with a gap: 10 comes before 2, and is the later one.
        batch(
            "Attributes.10.BackendId=b-2&Attributes.10.Enabled=0&Attributes.10.IsBackup=1&Attributes.10.Weight=7\
             &Attributes.2.BackendId=b-1&Attributes.2.Enabled=1&Attributes.2.IsBackup=0&Attributes.2.Weight=5\
             &Attributes.2.Port=",
        ),
        batch_json(
            r#""Attributes.0.BackendId":"b-1","Attributes.0.Weight":5,"Attributes.0.Enabled":1,"Attributes.0.IsBackup":0,
               "Attributes.1.BackendId":"b-2","Attributes.1.Weight":7,"Attributes.1.Enabled":0,"Attributes.1.IsBackup":1"#,
        ),
        batch_json(
            r#""Attributes":[{"BackendId":"b-1","Weight":5,"Enabled":1,"IsBackup":0},
                             {"BackendId":"b-2","Weight":"7","Enabled":"0","IsBackup":1,"Port":null}]"#,
        ),
        batch_json(
            r#""Attributes":[{"IsBackup":false,"Enabled":true,"Weight":5.0,"BackendId":"b-1"},
                             {"IsBackup":true,"Enabled":false,"Weight":7,"BackendId":"b-2"}]"#,
        ),
    ];
    for call in calls {
        let text = String::from_utf8_lossy(&call.body).into_owned();
        let Operation::UpdateBackends(UpdateBackends { scope, changes }) = asked(call).unwrap().operation
        else {
            panic!("{text} is an update");
        };
        assert_eq!((scope.load_balancer, scope.group), (LoadBalancerId::new("ulb-1"), None), "{text}");
        assert_eq!(changes, wanted, "{text}");
    }
}

#[test]
fn a_batch_that_cannot_be_read_is_refused_by_the_name_at_fault() {
    use FaultKind::{
        InvalidParameter, InvalidPort, InvalidWeight, MalformedBackends, MissingParameter, TooManyBackends,
        UnknownParameter,
    };
    let many: Vec<String> = (0..41).map(|at| format!("Attributes.{at}.BackendId=b-{at}")).collect();
    let item = "Attributes.0.BackendId=b-1";
    let cases = [
        (batch("Zone=cn-bj2-01"), MissingParameter, "Attributes"),
        (batch("Attributes="), MissingParameter, "Attributes"),
        (batch("Attributes=b-1"), MalformedBackends, "Attributes"),
        (batch("Attributes.0=b-1"), MalformedBackends, "Attributes.0"),
        (batch("Attributes.00.BackendId=b-1"), MalformedBackends, "Attributes.00.BackendId"),
        (batch("Attributes.x.BackendId=b-1"), MalformedBackends, "Attributes.x.BackendId"),
        (batch("Attributes.0.Weight=5"), MissingParameter, "Attributes.0.BackendId"),
        (batch("Attributes.3.BackendId=&Attributes.3.Port=1"), MissingParameter, "Attributes.3.BackendId"),
        (batch(&format!("{item}&Attributes.2.BackendId=b-1")), MalformedBackends, "Attributes.2.BackendId"),
        (batch(&format!("{item}&Attributes.0.Weigh=5")), UnknownParameter, "Attributes.0.Weigh"),
        (batch(&format!("{item}&Attributes.0.ResourceId=5")), UnknownParameter, "Attributes.0.ResourceId"),
        (batch(&format!("{item}&Attributes.0.Weight=0")), InvalidWeight, "Attributes.0.Weight"),
        (batch(&format!("{item}&Attributes.0.Port=65536")), InvalidPort, "Attributes.0.Port"),
        (batch(&format!("{item}&Attributes.0.Enabled=yes")), InvalidParameter, "Attributes.0.Enabled"),
        (batch(&format!("{item}&Attribute.1.BackendId=b-2")), UnknownParameter, "Attribute.1.BackendId"),
        (batch(&many.join("&")), TooManyBackends, "Attributes"),
        (batch_json(r#""Attributes":[]"#), MalformedBackends, "Attributes.0"),
        (batch_json(r#""Attributes":[{}]"#), MalformedBackends, "Attributes.0."),
        (batch_json(r#""Attributes":{"BackendId":"b-1"}"#), MalformedBackends, "Attributes.BackendId"),
        (
            batch_json(r#""Attributes":[{"BackendId":"b-1","Weight":[5]}]"#),
            UnknownParameter,
            "Attributes.0.Weight.0",
        ),
    ];
    for (call, kind, field) in cases {
        let text = String::from_utf8_lossy(&call.body).into_owned();
        let (found, name, detail) = refusal(asked(call));
        assert_eq!((found, name.as_str()), (kind, field), "{text}: {detail}");
    }
}

#[test]
fn a_change_of_nothing_is_legal_and_takes_no_default() {
    let wanted = Change::of(BackendRef::Id(BackendId::new("b-1").unwrap()));
    let single = "Action=UpdateBackendAttribute&Region=cn-bj2&ULBId=ulb-1&BackendId=b-1";
    for text in [single, &format!("{BATCH}&Attributes.0.BackendId=b-1")] {
        let Operation::UpdateBackends(update) = query(text).unwrap().operation else {
            panic!("{text} is an update");
        };
        assert_eq!(update.changes, std::slice::from_ref(&wanted), "{text}");
    }
    let (kind, field, detail) = refusal(query(&format!("{single}&Weight=101")));
    assert_eq!((kind, field.as_str()), (FaultKind::InvalidWeight, "Weight"));
    assert!(detail.contains("1 to 100"), "{detail}");
}

#[test]
fn an_action_that_is_not_translated_is_told_as_such_whatever_its_parameters() {
    for text in ["Action=CreateULB&ChargeType=Month", "Action=DescribeUHostInstance&UHostIds.0=u&Foo=1"] {
        let (kind, field, _) = refusal(query(text));
        assert_eq!(kind, FaultKind::UnknownAction, "{text}");
        assert!(text.contains(&field), "{text}");
    }
    let (kind, field, _) = refusal(query("Action=ReleaseBackend&Foo=1"));
    assert_eq!((kind, field.as_str()), (FaultKind::UnknownParameter, "Foo"));
    let (kind, field, _) = refusal(query("Action=ReleaseBackend&ULBId=ulb-1"));
    assert_eq!((kind, field.as_str()), (FaultKind::MissingParameter, "Region"));
}

const CREATE: &str = "Action=CreateVServer&Region=cn-bj2&ULBId=ulb-1";

#[test]
fn a_new_vserver_is_what_the_page_says_when_little_is_given() {
    let Operation::CreateGroup(create) = query(CREATE).unwrap().operation else { panic!("it makes a group") };
    let listener = Listener { protocol: Protocol::Http, port: Port::new(80).unwrap() };
    assert_eq!(
        (create.name.as_deref(), create.listener, create.options),
        (Some("VServer"), Some(listener), vec![])
    );
    let told = "VServerName=web&Protocol=tcp&FrontendPort=8080&ClientTimeout=90&Method=Source&Domain=";
    let Operation::CreateGroup(create) = query(&format!("{CREATE}&{told}")).unwrap().operation else {
        panic!("it makes a group");
    };
    let options: Vec<(&str, &str)> =
        create.options.iter().map(|option| (option.name.as_str(), option.value.as_str())).collect();
    assert_eq!(options, [("Method", "Source"), ("ClientTimeout", "90")]);
    let listener = Listener { protocol: Protocol::Tcp, port: Port::new(8080).unwrap() };
    assert_eq!((create.name.as_deref(), create.listener), (Some("web"), Some(listener)));
}

#[test]
fn what_a_vserver_cannot_be_is_refused_with_what_is_allowed() {
    let long = format!("VServerName={}", "x".repeat(51));
    let cases = [
        (long.as_str(), FaultKind::InvalidParameter, "VServerName", "1 to 50"),
        ("Protocol=QUIC", FaultKind::InvalidParameter, "Protocol", "HTTP, HTTPS, TCP, UDP"),
        ("FrontendPort=0", FaultKind::InvalidPort, "FrontendPort", "1 to 65535"),
        ("FrontendPort=http", FaultKind::InvalidPort, "FrontendPort", "1 to 65535"),
        ("ClientTimeout=a+minute", FaultKind::InvalidParameter, "ClientTimeout", "a whole number"),
        ("Metod=Source", FaultKind::UnknownParameter, "Metod", "no such parameter"),
    ];
    for (given, kind, field, allowed) in cases {
        let (found, name, detail) = refusal(query(&format!("{CREATE}&{given}")));
        assert_eq!((found, name.as_str()), (kind, field), "{given}");
        assert!(detail.contains(allowed), "{given}: {detail}");
    }
    let update = "Action=UpdateVServerAttribute&Region=cn-bj2&ULBId=ulb-1&VServerId=v-1";
    let (kind, field, _) = refusal(query(&format!("{update}&FrontendPort=81")));
    assert_eq!((kind, field.as_str()), (FaultKind::UnknownParameter, "FrontendPort"));
}

#[test]
fn a_page_has_the_pages_defaults_and_is_checked() {
    let page = |text: &str| {
        let operation = query(text).unwrap().operation;
        if let Operation::ListGroups(ListGroups { page, .. })
        | Operation::ListLoadBalancers(ListLoadBalancers { page, .. }) = operation
        {
            return Some(page);
        }
        assert!(matches!(operation, Operation::DescribeGroup(_)), "{text} is {operation:?}");
        None
    };
    let (groups, all, simple) = (
        "Action=DescribeVServer&Region=cn-bj2&ULBId=ulb-1",
        "Action=DescribeULB&Region=cn-bj2",
        "Action=DescribeULBSimple&Region=cn-bj2",
    );
    assert_eq!(page(groups), Some(Page { offset: 0, limit: 100 }));
    assert_eq!(page(all), Some(Page { offset: 0, limit: 20 }));
    assert_eq!(page(simple), Some(Page { offset: 0, limit: 10_000 }));
    assert_eq!(page(&format!("{all}&Limit=50&Offset=100")), Some(Page { offset: 100, limit: 50 }));
    assert_eq!(page(&format!("{groups}&VServerId=v-1&Limit=50&Offset=100")), None);
    for (text, wrong) in [(groups, "Limit=-1"), (all, "Offset=x"), (simple, "Limit=4294967296")] {
        let (kind, field, detail) = refusal(query(&format!("{text}&{wrong}")));
        assert_eq!((kind, wrong.starts_with(&field)), (FaultKind::InvalidParameter, true), "{wrong}");
        assert!(detail.contains("a whole number"), "{detail}");
    }
    let one = format!("{groups}&VServerId=v-1&Offset=one");
    assert_eq!(refusal(query(&one)).1, "Offset");
}

#[test]
fn what_no_other_cloud_has_is_named() {
    let named = query(&format!("{CREATE}&SecurityPolicyId=sp-1")).unwrap().untranslated;
    assert_eq!(named, ["SecurityPolicyId"]);
    let named = query("Action=DescribeULB&Region=cn-bj2&BusinessId=b").unwrap().untranslated;
    assert_eq!(named, ["BusinessId"]);
}

#[test]
fn regions_and_projects_need_no_region() {
    assert_eq!(query("Action=GetRegion").unwrap().operation, Operation::ListRegions);
    assert_eq!(query("Action=GetProjectList&ProjectId=org-1").unwrap().operation, Operation::ListProjects);
}

// === What callers are told ===

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

// === What targets say ===

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
