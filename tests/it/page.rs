//! The page on the admin listener: what a person sees who looks, and what nobody else gets to do through a browser.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Method};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use weighbridge::wire::{Call, Reply, read_request};

use crate::support::{
    admin::Admin,
    browser::Browser,
    house::Clouds,
    program::{Ended, run},
    served::{PATIENCE, Served, send, weighbridge},
    signer::{ACS3, SHA1, Signer, V1},
    site::{Site, config_of},
};

const RSP: &str = "Action=AddVServerGroupBackendServers&RegionId=cn-hangzhou&VServerGroupId=rsp-cige6j5e7p";
const VSERVER: &str = "ProjectId=org-abc123&Region=cn-bj2&ULBId=ulb-abc123&VServerId=vserver-def456";
const HOSTILE: &str = "<img src=x onerror=alert(1)>";

/// A gateway with an admin listener, before simulated clouds.
struct Watched {
    admin: Admin,
    served: Served,
    site: Site,
    _clouds: Clouds,
}

impl Watched {
    fn gateway() -> Self {
        let clouds = Clouds::open(Duration::ZERO);
        let reporting = "target = \"aliyun-simulated\"\non_loss = \"report\"";
        let config = config_of(&clouds).replace("target = \"aliyun-simulated\"", reporting);
        let site = Site::with(&format!("admin = \"127.0.0.1:0\"\nstore = \"memory\"\n{config}"));
        let served = Served::by(&site.config());
        Self { admin: Admin::of(&served), served, site, _clouds: clouds }
    }

    fn ask(&self, signer: Signer, query: &str) {
        send(read_request(&signer.curl_line(&self.served.endpoint, query)).unwrap());
    }

    /// What the page is answered for a request that is to be explained, with these headers beside its own.
    fn explain(&self, text: &str, headers: &[(&'static str, &str)]) -> Reply {
        let mut call =
            Call::new(Method::POST, &format!("http://{}", self.admin.0), "/explain", String::new());
        for (name, value) in [("host", self.admin.0.as_str()), ("content-type", "text/plain;charset=UTF-8")]
            .iter()
            .chain(headers)
        {
            call.headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        call.body = text.to_owned().into();
        send(call)
    }

    fn url(&self, fragment: &str) -> String {
        format!("http://{}/{fragment}", self.admin.0)
    }
}

fn text_of(reply: &Reply) -> String {
    String::from_utf8(reply.body.to_vec()).unwrap()
}

fn allocate(fields: &str) -> String {
    format!("Action=AllocateBackend&{VSERVER}&ResourceId=uhost-demo03&{fields}")
}

#[test]
fn the_page_and_its_files_are_told_to_browsers_as_what_they_are_and_nothing_more() {
    let watched = Watched::gateway();
    for (path, content_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/page.css", "text/css; charset=utf-8"),
        ("/page.js", "text/javascript; charset=utf-8"),
        ("/requests", "application/json"),
    ] {
        let reply = watched.admin.get(path);
        assert_eq!(
            (reply.status.as_u16(), reply.header("content-type")),
            (200, Some(content_type)),
            "{path}"
        );
        for (name, value) in [
            (
                "content-security-policy",
                "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            ),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(reply.header(name), Some(value), "{path}");
        }
    }
    assert_eq!(watched.admin.get("/page").status, 404);
}

#[test]
fn the_page_names_nothing_outside_of_itself() {
    let watched = Watched::gateway();
    let page = watched.admin.text("/");
    for (attribute, allowed) in
        [("src=\"", vec!["/page.js"]), ("href=\"", vec!["/page.css", "/readyz", "/metrics", "/requests"])]
    {
        for link in page.split(attribute).skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(allowed.contains(&link), "{link}");
        }
    }
    let script = watched.admin.text("/page.js");
    for word in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "https:"] {
        assert!(!script.contains(word), "{word}");
    }
}

#[test]
fn the_page_is_told_what_explain_prints() {
    let watched = Watched::gateway();
    let good = format!(
        "https://slb.aliyuncs.com/?{RSP}&BackendServers=[{{'ServerId':'i-bp1example00000001','Port':80}}]"
    );
    let lossy = format!("https://api.ucloud.cn/?{}", allocate("IsBackup=1"));
    let refused = format!("https://api.ucloud.cn/?{}", allocate("Port=0"));
    for (text, code) in [(good, 0), (lossy, 0), (refused, 1)] {
        let reply = watched.explain(&text, &[]);
        assert_eq!(
            (reply.status.as_u16(), reply.header("content-type")),
            (200, Some("application/json")),
            "{text}"
        );
        let config = watched.site.config();
        let mut command = weighbridge(&["explain", "--json", "--config", &config, &text]);
        let ended: Ended = run(&mut command, "", PATIENCE);
        assert_eq!(ended.code, Some(code), "{}", ended.err);
        let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let (told, printed) = (json(&text_of(&reply)), json(&ended.out));
        assert_eq!(told, printed, "{text}");
        assert_eq!(told.get("refused").is_some(), code == 1, "{told}");
    }
}

#[test]
fn what_is_no_request_is_refused_in_words() {
    let watched = Watched::gateway();
    for (text, says) in [
        ("", "there is no request"),
        ("hello", "`hello` is no request"),
        ("curl -d @file https://h/", "none is opened here"),
    ] {
        let reply = watched.explain(text, &[]);
        assert_eq!(
            (reply.status.as_u16(), reply.header("content-type")),
            (400, Some("text/plain; charset=utf-8"))
        );
        assert!(text_of(&reply).contains(says), "{}", text_of(&reply));
    }
    let long = "x".repeat(2 * 1024 * 1024);
    assert_eq!(watched.explain(&long, &[]).status, 413);
}

#[test]
fn a_foreign_page_gets_nothing_done_and_nothing_told() {
    let watched = Watched::gateway();
    let address = watched.admin.0.clone();
    let own = format!("http://{address}");
    let request = format!("https://api.ucloud.cn/?{}", allocate("Port=80"));
    for (headers, status) in [
        (vec![("origin", own.as_str())], 200),
        (vec![("origin", "http://evil.example")], 403),
        (vec![("origin", "null")], 403),
        (vec![("sec-fetch-site", "cross-site")], 403),
        // Its name has been made to lead here: then it is of the same origin, and only the name tells.
        (vec![("host", "evil.example"), ("origin", "http://evil.example")], 403),
        (vec![("host", "evil.example")], 403),
        (vec![("host", "localhost:1")], 200),
        (vec![("content-type", "application/x-www-form-urlencoded")], 415),
        (vec![("content-type", "application/json")], 415),
    ] {
        let reply = watched.explain(&request, &headers);
        assert_eq!(reply.status.as_u16(), status, "{headers:?}\n{}", text_of(&reply));
        assert_eq!(reply.header("access-control-allow-origin"), None);
    }
    for path in ["/", "/requests"] {
        let mut call = Call::new(Method::GET, &own, path, String::new());
        call.headers.insert("host", HeaderValue::from_static("evil.example"));
        assert_eq!(send(call).status, 403, "{path}");
    }
    assert_eq!(watched.admin.get("/explain").status, 405);
}

#[test]
fn the_page_shows_what_came_what_became_of_it_and_what_was_lost() {
    let Some(browser) = Browser::found() else { return };
    let watched = Watched::gateway();
    let empty = browser.dom(&watched.url(""));
    assert!(empty.contains("No request has come yet"), "{empty}");

    watched.ask(
        ACS3,
        &format!("{RSP}&BackendServers=[{{'ServerId':'i-bp1example00000001','Port':8080,'Weight':60}}]"),
    );
    watched.ask(V1, &format!("{RSP}&BackendServers=[{{'ServerId':'i-unknown','Port':80}}]"));
    watched.ask(SHA1, &allocate("Port=81&IsBackup=1"));
    watched.ask(V1, &format!("Action={HOSTILE}"));
    let page = browser.dom(&watched.url(""));
    let rows: Vec<&str> = page.split("<details").skip(1).collect();
    let [hostile, lossy, refused, added] = rows.as_slice() else {
        panic!("four rows, the newest first: {page}")
    };
    for (row, shows) in [
        // As text, and as nothing else.
        (
            hostile,
            vec!["&lt;img src=x onerror=alert(1)&gt;</span>", "unknown-action", "aliyun → ucloud-simulated"],
        ),
        (
            lossy,
            vec![
                "done, 1 loss",
                "<b>standby</b>",
                "AllocateBackend",
                "AddVServerGroupBackendServers",
                "ucloud → aliyun-simulated",
            ],
        ),
        (
            refused,
            vec![
                "unknown-server",
                "i-unknown",
                "has no row in the gateway's resource map",
                "No call was made for it",
            ],
        ),
        (
            added,
            vec![
                "class=\"badge good\">done<",
                "<dt>Weight</dt><dd>60</dd>",
                "<dt>ResourceId</dt><dd>uhost-demo01</dd>",
                "in the gateway",
                "upstream",
                "waiting",
            ],
        ),
    ] {
        for text in shows {
            assert!(row.contains(text), "{text}\n{row}");
        }
    }
    assert!(!page.contains("<img"), "{page}");
}

#[test]
fn a_link_to_an_explanation_shows_it() {
    let Some(browser) = Browser::found() else { return };
    let watched = Watched::gateway();
    let explained = |request: &str| {
        let fragment = utf8_percent_encode(request, NON_ALPHANUMERIC);
        browser.dom(&watched.url(&format!("#explain={fragment}")))
    };
    let add = format!(
        "https://slb.aliyuncs.com/?{RSP}&BackendServers=[{{'ServerId':'i-bp1example00000001','Port':80,'Description':'{HOSTILE}'}}]"
    );
    let page = explained(&add);
    for text in [
        "becomes 1 call of UCloud ULB, target ucloud-simulated",
        "VServerGroupId=rsp-cige6j5e7p",
        "VServerId=vserver-def456",
        "Region=cn-bj2",
        "Weight=100 (default)",
        "ResourceId=uhost-demo01",
        "no place for it; the gateway remembers it",
        "Description=&lt;img src=x onerror=alert(1)&gt;",
    ] {
        assert!(page.contains(text), "{text}\n{page}");
    }
    assert!(!page.contains("<img"), "{page}");
    let page = explained(&format!("https://api.ucloud.cn/?{}", allocate("Port=0")));
    assert!(page.contains("would be refused: invalid-port") && page.contains("RetCode"), "{page}");
    let page = explained("hello");
    assert!(page.contains("`hello` is no request"), "{page}");
}
