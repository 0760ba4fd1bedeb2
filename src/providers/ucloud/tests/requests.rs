//! What callers spell in many ways.

use super::*;

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
