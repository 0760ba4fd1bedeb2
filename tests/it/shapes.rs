//! Requests of a wrong shape, and of a right one that is seldom seen. Of a refused one nothing may reach the target.

use serde_json::Value;

use crate::support::{
    caller::{
        FORM, acs3_in_chunks, aliyun_add, in_form, in_json, in_query, pairs, plain_signed, raw, rpc_signed,
        told, ucloud_add,
    },
    outpost::Outpost,
    rows::{Comes::Refused, changed, changed_rows, check, written},
    signing::{Pairs, encoded},
    target::{Answers, param_of},
    xml::read_xml,
};

#[tokio::test]
async fn two_requests_that_share_a_string_to_sign_are_two_requests() {
    let outpost =
        Outpost::open(&[("unmapped    = \"refuse\"", "unmapped    = \"same\"")], Answers::Yes).await;
    let first = changed(&ucloud_add(), "ResourceId=i-x&ResourceType=UHost");
    let second = changed(&ucloud_add(), "ResourceId=i-xResourceTypeUHost&-ResourceType");
    let signature = |params: &Pairs| plain_signed(params).pop();
    assert_eq!(signature(&first), signature(&second), "the signature has no boundaries");
    let mut added = Vec::new();
    for params in [first, second] {
        outpost.ask(&in_form("", &plain_signed(&params))).await;
        added.extend(outpost.target.take_calls().iter().filter_map(|call| written(call, "ServerId")));
    }
    assert_eq!(added, ["i-x", "i-xResourceTypeUHost"]);
}

#[tokio::test]
async fn an_alibaba_cloud_request_without_a_parameter_is_refused_by_its_name() {
    let signed = |params: &Pairs| in_query("GET", &rpc_signed("GET", params));
    let outpost = Outpost::open(&[], Answers::Yes).await;
    let base = aliyun_add(r#"[{"ServerId":"i-bp1example00000001","Port":80}]"#);
    check(
        &outpost,
        &changed_rows(
            &base,
            signed,
            &[
                ("-Action", Refused("400 MissingAction", &["Action is mandatory for this action."])),
                (
                    "-VServerGroupId",
                    Refused("400 MissingParameter", &["\"VServerGroupId\" that is mandatory"]),
                ),
                (
                    "Action=AddBackends",
                    Refused("404 Invalid*.NotFound", &["Specified api is not found", "AddBackends"]),
                ),
                (
                    "Action=DescribeTags",
                    Refused("404 Invalid*.NotFound", &["Specified api is not found", "DescribeTags"]),
                ),
                (
                    "Action=addvservergroupbackendservers",
                    Refused("404 Invalid*.NotFound", &["Specified api is not found"]),
                ),
                ("Version=2013-01-01", Refused("400 *Version", &["2014-05-15"])),
                ("SignatureMethod=HMAC-SHA256", Refused("400 InvalidSignatureMethod", &["HMAC-SHA1"])),
                ("Timestamp=yesterday", Refused("400 InvalidTimeStamp.Format", &["yesterday"])),
            ],
        ),
    )
    .await;
    let full = rpc_signed("GET", &base);
    let unsigned: Vec<_> = [
        "Version",
        "AccessKeyId",
        "Signature",
        "SignatureMethod",
        "SignatureVersion",
        "SignatureNonce",
        "Timestamp",
    ]
    .into_iter()
    .map(|name| {
        let left: Pairs = full.iter().filter(|(known, _)| known != name).cloned().collect();
        (name, in_query("GET", &left))
    })
    .collect();
    for (name, request) in unsigned {
        let reply = outpost.ask(&request).await;
        assert_eq!(told(&reply).code, format!("400 Missing{name}"));
        assert!(told(&reply).message.starts_with(&format!("{name} is mandatory for this action.")), "{name}");
    }
    assert!(outpost.target.take_calls().is_empty());
}

#[tokio::test]
async fn an_alibaba_cloud_request_of_a_wrong_shape_is_refused() {
    let list = r#"[{"ServerId":"i-bp1example00000001","Port":80}]"#;
    let signed = |method: &str| rpc_signed(method, &aliyun_add(list));
    let query = encoded(&signed("GET"));
    let mut rows = vec![
        (
            "doubled in the query".to_owned(),
            raw("GET", &format!("{query}&RegionId=cn-hangzhou"), None, ""),
            Refused("400 InvalidParameter", &["RegionId"]),
        ),
        (
            "doubled with another value".to_owned(),
            raw("GET", &format!("{query}&VServerGroupId=rsp-2"), None, ""),
            Refused("400 InvalidParameter", &["VServerGroupId"]),
        ),
        (
            "in query and form".to_owned(),
            in_form("RegionId=cn-hangzhou", &signed("POST")),
            Refused("400 InvalidParameter", &["RegionId"]),
        ),
        (
            "in form and query".to_owned(),
            in_form("VServerGroupId=rsp-2", &signed("POST")),
            Refused("400 InvalidParameter", &["VServerGroupId"]),
        ),
        ("PUT".to_owned(), in_query("PUT", &signed("PUT")), Refused("400 UnsupportedHTTPMethod", &["PUT"])),
        (
            "DELETE".to_owned(),
            in_query("DELETE", &signed("DELETE")),
            Refused("400 UnsupportedHTTPMethod", &["DELETE"]),
        ),
        (
            "%zz".to_owned(),
            raw("GET", &format!("{query}&Tag=%zz"), None, ""),
            Refused("400 InvalidParameter.Format", &["Tag"]),
        ),
        (
            "a bare %".to_owned(),
            raw("GET", &format!("{query}&Tag=10%"), None, ""),
            Refused("400 InvalidParameter.Format", &["Tag"]),
        ),
        (
            "%FF".to_owned(),
            raw("GET", &format!("{query}&Tag=%FF"), None, ""),
            Refused("400 InvalidParameter.Format", &["Tag", "UTF-8"]),
        ),
        (
            "%zz in the form".to_owned(),
            raw("POST", &query, Some(FORM), "Tag=%zz"),
            Refused("400 InvalidParameter.Format", &["Tag"]),
        ),
    ];
    for broken in [
        "[{\"ServerId\":\"i-1\"",
        "{}",
        "\"i-1\"",
        "[1]",
        "[[]]",
        "i-1",
        "80",
        "[{'ServerId':'i-1','Port':80}",
    ] {
        let request = in_query("GET", &rpc_signed("GET", &aliyun_add(broken)));
        let said: &[&str] = &["the specified parameter BackendServers is unavailable", "BackendServers"];
        rows.push((broken.to_owned(), request, Refused("400 BackendServersMalformed", said)));
    }
    let flattened = |count: usize| {
        let mut params = aliyun_add("");
        params.extend((1..=count).flat_map(|n| {
            pairs(&[
                (&format!("BackendServers.{n}.ServerId"), "i-bp1example00000001"),
                (&format!("BackendServers.{n}.Port"), &(8000 + n).to_string()),
            ])
        }));
        params
    };
    for params in [aliyun_add(&servers(41)), flattened(41)] {
        let too_many = Refused("400 TooManyBackendServers", &["41", "40"]);
        rows.push(("41 servers".to_owned(), in_form("", &rpc_signed("POST", &params)), too_many));
    }
    let outpost = Outpost::open(&[], Answers::Yes).await;
    let rows: Vec<_> =
        rows.iter().map(|(sent, request, comes)| (sent.clone(), request.clone(), comes)).collect();
    check(&outpost, &rows).await;
}

#[tokio::test]
async fn a_ucloud_request_of_a_wrong_shape_is_refused() {
    let form = encoded(&plain_signed(&ucloud_add()));
    let posted = |query: &str, form: &str| raw("POST", query, Some(FORM), form);
    let without = |name: &str| {
        let left: Pairs =
            plain_signed(&ucloud_add()).into_iter().filter(|(known, _)| known != name).collect();
        in_form("", &left)
    };
    let changed = |name: &str, value: &str| {
        in_form("", &plain_signed(&changed(&ucloud_add(), &format!("{name}={value}"))))
    };
    let mut batch = pairs(&[
        ("Action", "AllocateBackendBatch"),
        ("Region", "cn-bj2"),
        ("ULBId", "ulb-abc123"),
        ("VServerId", "vserver-def456"),
    ]);
    batch
        .extend((0..41).map(|n| (format!("Backends.{n}"), format!("uhost-a|UHost|{}|1|10.0.0.1", 8000 + n))));
    let rows = [
        (
            "no Action",
            in_form("", &plain_signed(&changed_pairs("-Action"))),
            Refused("200 160", &["Missing Action"]),
        ),
        ("no Signature", without("Signature"), Refused("200 170", &["Missing signature"])),
        ("no PublicKey", without("PublicKey"), Refused("200 17*", &[])),
        (
            "a signature that is no lower-case hex",
            posted("", &form.replace("Signature=", "Signature=A")),
            Refused("200 171", &["Signature VerifyAC Error"]),
        ),
        (
            "an unknown action",
            changed("Action", "AllocateBackends"),
            Refused("200 161", &["Action [AllocateBackends] not found"]),
        ),
        (
            "an unknown parameter",
            changed("Weigh", "t10"),
            Refused("200 230", &["Params [Weigh] not available"]),
        ),
        ("doubled", posted("", &format!("{form}&Port=8080")), Refused("200 230", &["Port"])),
        ("doubled with another value", posted("", &format!("{form}&Port=81")), Refused("200 230", &["Port"])),
        ("in query and form", posted("Port=81", &form), Refused("200 230", &["Port"])),
        (
            "another action in the query",
            posted("Action=ReleaseBackend", &form),
            Refused("200 230", &["Action"]),
        ),
        ("PUT", raw("PUT", "", Some(FORM), &form), Refused("200 230", &["PUT", "POST"])),
        (
            "%zz",
            posted("", &form.replace("Port=8080", "Port=%zz")),
            Refused("200 230", &["Params [Port] not available"]),
        ),
        (
            "%FF",
            posted("", &form.replace("Port=8080", "Port=%FF")),
            Refused("200 230", &["Params [Port] not available", "UTF-8"]),
        ),
        (
            "%zz in the query",
            raw("GET", &form.replace("Port=8080", "Port=%zz"), None, ""),
            Refused("200 230", &["Params [Port] not available"]),
        ),
        (
            "a JSON body that breaks off",
            in_json(r#"{"Action":"AllocateBackend","PublicKey":"a","#),
            Refused("200 230", &["JSON"]),
        ),
        (
            "JSON keys that stand there twice",
            in_json(r#"{"Action":"AllocateBackend","PublicKey":"a","Port":80,"Port":81}"#),
            Refused("200 230", &["Port"]),
        ),
        (
            "a body that is no form",
            raw("POST", "", Some("text/plain"), &form),
            Refused("200 230", &["text/plain"]),
        ),
        ("41 servers", in_form("", &plain_signed(&batch)), Refused("200 230", &["Backends", "41", "40"])),
    ];
    let outpost = Outpost::open(&[], Answers::Yes).await;
    let rows: Vec<_> =
        rows.iter().map(|(sent, request, comes)| ((*sent).to_owned(), request.clone(), comes)).collect();
    check(&outpost, &rows).await;
}

#[tokio::test]
async fn a_request_in_no_known_language_gets_a_body_that_clients_of_either_cloud_can_read() {
    let outpost = Outpost::open(&[], Answers::Yes).await;
    for request in
        [raw("GET", "", None, ""), raw("PUT", "a=b", None, ""), raw("POST", "", Some(FORM), "a=%zz")]
    {
        let reply = outpost.ask(&request).await;
        assert!(reply.status.is_client_error(), "{}", reply.status);
        assert!(!told(&reply).message.is_empty() && !told(&reply).code.ends_with(" 0"), "{:?}", reply.body);
    }
}

#[tokio::test]
async fn a_ucloud_refusal_names_the_action_that_was_asked_for_or_none() {
    let outpost = Outpost::open(&[], Answers::Yes).await;
    let unread = [
        in_form("", &plain_signed(&changed_pairs("-Action"))),
        in_json(r#"{"Action":"AllocateBackend","PublicKey":"a","#),
        raw("POST", "", Some(FORM), "PublicKey=a&Action=AllocateBackend&Port=%zz"),
    ];
    for request in unread {
        let body: Value = serde_json::from_slice(&outpost.ask(&request).await.body).unwrap();
        let action = body.get("Action").map(|action| action.as_str().unwrap_or_default());
        assert!(matches!(action, None | Some("AllocateBackendResponse")), "{body}");
    }
}

#[tokio::test]
async fn a_form_that_travels_in_chunks_is_one_form() {
    let outpost = Outpost::open(&[], Answers::Yes).await;
    let mut params =
        aliyun_add(r#"[{"ServerId":"i-bp1example00000001","Port":80,"Description":"a b~c*d+e/测试"}]"#);
    params.remove(0);
    let reply = outpost.ask(&acs3_in_chunks(&params)).await;
    assert_eq!(told(&reply).code, "200 0", "{:?}", reply.body);
    assert_eq!(outpost.target.take_calls().len(), 1);
}

#[tokio::test]
async fn a_list_that_is_empty_or_left_out_asks_for_the_list_as_it_is() {
    let outpost = Outpost::open(&[], Answers::Yes).await;
    for sent in ["-BackendServers", "BackendServers=", "BackendServers=[]", "BackendServers= [ ] "] {
        let params = changed(&aliyun_add(""), sent);
        let reply = outpost.ask(&in_query("GET", &rpc_signed("GET", &params))).await;
        let calls = outpost.target.take_calls();
        let actions: Vec<String> = calls.iter().filter_map(|call| param_of(call, "Action")).collect();
        assert_eq!(actions, ["DescribeVServer"], "{sent}: {:?}", reply.body);
    }
}

fn changed_pairs(sent: &str) -> Pairs {
    changed(&ucloud_add(), sent)
}

#[tokio::test]
async fn an_xml_reply_is_well_formed_whatever_a_description_holds() {
    let outpost = Outpost::open(&[], Answers::Yes).await;
    for description in [r#"a<b>&\"'"#, "]]>", r"\u0001", r"\u000b", r"\uffff"] {
        let list =
            format!(r#"[{{"ServerId":"i-bp1example00000001","Port":80,"Description":"{description}"}}]"#);
        let params = changed(&aliyun_add(&list), "Format=XML");
        let reply = outpost.ask(&in_query("GET", &rpc_signed("GET", &params))).await;
        let text = std::str::from_utf8(&reply.body).unwrap();
        read_xml(text);
        // "any Unicode character, excluding the surrogate blocks, FFFE, and FFFF" (XML 1.0, production 2)
        let foreign = |c: char| (c < ' ' && !"\t\n\r".contains(c)) || ('\u{fffe}'..='\u{ffff}').contains(&c);
        assert!(!text.contains(foreign), "{description}: {text:?}");
    }
}

/// So many servers on ports of their own.
fn servers(count: usize) -> String {
    let items: Vec<String> =
        (0..count).map(|n| format!(r#"{{"ServerId":"i-bp1example00000001","Port":{}}}"#, 8000 + n)).collect();
    format!("[{}]", items.join(","))
}
