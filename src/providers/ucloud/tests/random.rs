//! Things at random.

use super::*;

pub(super) fn text() -> impl Strategy<Value = String> {
    "[a-z0-9-]{1,12}"
}

prop_compose! {
    pub(super) fn places()(region in text(), project in option::of(text())) -> Place {
        Place { region: RegionId::new(region), project: project.and_then(ProjectId::new) }
    }
}

prop_compose! {
    pub(super) fn group_refs()(load_balancer in text(), group in text(), place in places()) -> GroupRef {
        let group = GroupId::new(group).unwrap();
        GroupRef { load_balancer: LoadBalancerId::new(load_balancer), group, place }
    }
}

prop_compose! {
    pub(super) fn load_balancer_refs()(id in text(), place in places()) -> LoadBalancerRef {
        LoadBalancerRef { id: LoadBalancerId::new(id).unwrap(), place }
    }
}

prop_compose! {
    pub(super) fn scopes()(load_balancer in text(), place in places()) -> Scope {
        Scope { load_balancer: LoadBalancerId::new(load_balancer), group: None, place }
    }
}

pub(super) fn ports() -> impl Strategy<Value = Port> {
    (1_u32..=65_535).prop_map(|number| Port::new(number).unwrap())
}

pub(super) fn weights() -> impl Strategy<Value = Weight> {
    (1_u32..=100).prop_map(|number| Weight::new(number).unwrap())
}

pub(super) fn targets() -> impl Strategy<Value = Target> {
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
    pub(super) fn backends()(
        target in targets(), port in ports(), weight in weights(), on in any::<bool>(), standby in any::<bool>(),
    ) -> Backend {
        let traffic = if on { Traffic::On(weight) } else { Traffic::Off(Some(weight)) };
        Backend { target, port, traffic, standby, description: None }
    }
}

prop_compose! {
    pub(super) fn members()(backend in backends(), id in text(), healthy in any::<bool>()) -> Member {
        let health = if healthy { Health::Healthy } else { Health::Unhealthy };
        Member { backend, id: BackendId::new(id), health, also: None }
    }
}

pub(super) fn changes(most: usize) -> impl Strategy<Value = Vec<Change>> {
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
pub(super) fn options_of(rows: Vec<OptionRow>) -> impl Strategy<Value = Vec<ListenerOption>> {
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
pub(super) fn options(action: &str) -> impl Strategy<Value = Vec<ListenerOption>> {
    let known = CLOUD.actions.named(action).unwrap();
    let rows: Vec<OptionRow> =
        CLOUD.group.options.iter().filter(|row| known.optional.contains(&row.wire)).cloned().collect();
    let count = rows.len();
    subsequence(rows, 0..=count).prop_flat_map(options_of)
}

pub(super) fn listeners() -> impl Strategy<Value = Listener> {
    (prop::sample::select(Protocol::ALL.to_vec()), ports())
        .prop_map(|(protocol, port)| Listener { protocol, port })
}

pub(super) fn pages() -> impl Strategy<Value = Page> {
    (0_usize..100_000, 0_usize..100_000).prop_map(|(offset, limit)| Page { offset, limit })
}

pub(super) fn moments() -> impl Strategy<Value = Option<Timestamp>> {
    option::of((1_i64..4_000_000_000).prop_map(|second| Timestamp::from_second(second).unwrap()))
}

/// A group as the cloud tells of it in full.
pub(super) fn groups(id: GroupRef) -> impl Strategy<Value = Group> {
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

pub(super) fn groups_within(load_balancer: LoadBalancerRef) -> impl Strategy<Value = Vec<Group>> {
    let LoadBalancerRef { id, place } = load_balancer;
    let group = text().prop_flat_map(move |group| {
        let group = GroupId::new(group).unwrap();
        groups(GroupRef { load_balancer: Some(id.clone()), group, place: place.clone() })
    });
    vec(group, 0..3)
}

pub(super) fn load_balancers(named: LoadBalancerRef) -> impl Strategy<Value = LoadBalancer> {
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
    pub(super) fn lists()(
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
    pub(super) fn creations()(
        load_balancer in load_balancer_refs(), name in "[A-Za-z][A-Za-z0-9 ]{0,49}", listener in listeners(),
        options in options("CreateVServer"),
    ) -> CreateGroup {
        let (name, listener) = (Some(name), Some(listener));
        CreateGroup { load_balancer, name, listener, options, backends: Vec::new() }
    }
}

prop_compose! {
    pub(super) fn group_updates()(
        group in group_refs(), name in option::of("[A-Za-z][A-Za-z0-9 ]{0,49}"),
        options in options("UpdateVServerAttribute"),
    ) -> UpdateGroup {
        UpdateGroup { group, name, options, changes: Vec::new() }
    }
}

/// Every step that reads back as the operation that it is.
pub(super) fn steps() -> impl Strategy<Value = Operation> {
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
pub(super) fn bodies() -> impl Strategy<Value = serde_json::Value> {
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
