//! `weighbridge explain`.

use std::{
    io::{self, Write},
    sync::Arc,
};

use super::{ConfigFile, Ending, fields::write_fields, request_text};
use crate::{
    auth::Stamps,
    gateway::{ExplainedCall, Explanation, explain},
    mapping::Trace,
    wire::{Document, Reply, read_request},
};

pub(super) const EXAMPLES: &str = "\
REQUEST is a URL, a curl command line, or a raw HTTP request, in either cloud's dialect; without it, standard input.
It needs no signature. Exit code 1: the request would be refused, and the refusal is printed as the client would see it.
Nothing is sent, so a group is taken to hold the backends that the request names, and what only an answer tells stands in <>.

Examples:
  weighbridge explain 'https://slb.aliyuncs.com/?Action=AddVServerGroupBackendServers&VServerGroupId=rsp-cige6j5e7p&BackendServers=[{\"ServerId\":\"i-bp1example00000001\",\"Port\":80}]'
  weighbridge explain 'https://api.ucloud.cn/?Action=DescribeVServer&Region=cn-bj2&ULBId=ulb-abc123&VServerId=vserver-def456'
  weighbridge explain --json --config weighbridge.toml < captured-request.http";

/// Print the calls that the target would get for a request; sends nothing.
#[derive(Debug, clap::Args)]
pub(super) struct Explain {
    #[command(flatten)]
    file: ConfigFile,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// A URL, a curl command line, or a raw HTTP request
    #[arg(value_name = "REQUEST")]
    request: Option<String>,
}

impl Explain {
    pub(super) fn run(&self) -> Ending {
        let config = self.file.load()?;
        let call = read_request(&request_text(self.request.as_deref())?)?;
        let stamp = Stamps::system()?.next();
        let mut out = io::stdout().lock();
        let config = Arc::new(config);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let explained = runtime.block_on(explain(&config, call, &stamp));
        let printed = match (&explained, self.json) {
            (Ok(explanation), false) => write_explanation(&mut out, explanation),
            (Ok(explanation), true) => writeln!(out, "{}", explanation_json(explanation).to_json()),
            (Err(refusal), false) => write_refusal(&mut out, refusal),
            (Err(refusal), true) => writeln!(out, "{}", refusal_json(refusal).to_json()),
        };
        printed?;
        Ok(explained.is_ok())
    }
}

fn write_explanation(out: &mut impl Write, explanation: &Explanation<'_>) -> io::Result<()> {
    let Explanation {
        route,
        target,
        action,
        operation: _,
        items: _,
        group: _,
        calls,
        fields,
        losses,
        passed,
    } = explanation;
    let (here, there) = (route.here, route.there);
    writeln!(out, "{action} of {}, as client {}", here.title, route.client.credential.key_id)?;
    if calls.is_empty() {
        writeln!(out, "is answered by the gateway itself")?;
    } else if *passed {
        writeln!(out, "goes on as it came, signed anew:")?;
    } else {
        writeln!(out, "becomes {} of {}, target {}:", count(calls.len()), there.title, target.name)?;
    }
    for (at, call) in calls.iter().enumerate() {
        let ExplainedCall { origin, invocation } = call;
        writeln!(out, "\n  {}. {} at {origin}, signed with {}", at + 1, invocation.action, target.scheme)?;
        for param in &invocation.params {
            writeln!(out, "       {}={}", param.name, param.value)?;
        }
    }
    for (backend, traces) in fields {
        writeln!(out, "\n  {backend}:")?;
        write_fields(out, here, there, traces)?;
    }
    for loss in losses {
        writeln!(out, "\n  lost: {}: {}", here.name_of(&loss.field), loss.reason)?;
    }
    Ok(())
}

fn count(calls: usize) -> String {
    if calls == 1 { "1 call".to_owned() } else { format!("{calls} calls") }
}

fn write_refusal(out: &mut impl Write, refusal: &Reply) -> io::Result<()> {
    writeln!(out, "refused; the client would see:\n\nHTTP/1.1 {}", refusal.status)?;
    for (name, value) in &refusal.headers {
        writeln!(out, "{name}: {}", String::from_utf8_lossy(value.as_bytes()))?;
    }
    writeln!(out, "\n{}", String::from_utf8_lossy(&refusal.body))
}

fn explanation_json(explanation: &Explanation<'_>) -> Document {
    let Explanation {
        route,
        target,
        action,
        operation: _,
        items: _,
        group: _,
        calls,
        fields,
        losses,
        passed,
    } = explanation;
    let loss = |loss: &crate::model::Loss| {
        let name = route.here.name_of(&loss.field);
        Document::record([("field", Document::text(name)), ("reason", Document::text(&loss.reason))])
    };
    let backend = |(backend, traces): &(String, Vec<Trace>)| {
        let fields = Document::List(traces.iter().map(trace_json).collect());
        Document::record([("backend", Document::text(backend)), ("fields", fields)])
    };
    Document::record([
        ("dialect", Document::text(&route.here.id)),
        ("action", Document::text(action)),
        ("client", Document::text(&route.client.credential.key_id)),
        ("target", Document::text(&target.name)),
        ("calls", Document::List(calls.iter().map(|call| call_json(call, &target.scheme)).collect())),
        ("backends", Document::List(fields.iter().map(backend).collect())),
        ("passed_on", Document::Bool(*passed)),
        ("losses", Document::List(losses.iter().map(loss).collect())),
    ])
}

fn call_json(call: &ExplainedCall, scheme: &str) -> Document {
    let params =
        call.invocation.params.iter().map(|param| (param.name.clone(), Document::text(&param.value)));
    Document::record([
        ("endpoint", Document::text(&call.origin)),
        ("action", Document::text(&call.invocation.action)),
        ("signature", Document::text(scheme)),
        ("params", Document::Record(params.collect())),
    ])
}

fn trace_json(step: &Trace) -> Document {
    let cell = |cell: &Option<(String, String)>| match cell {
        Some((name, text)) => {
            Document::record([("name", Document::text(name)), ("value", Document::text(text))])
        }
        None => Document::Null,
    };
    Document::record([
        ("field", Document::text(step.field.name())),
        ("from", cell(&step.from)),
        ("to", cell(&step.to)),
        ("loss", step.loss.map_or(Document::Null, |policy| Document::text(policy.name()))),
    ])
}

fn refusal_json(refusal: &Reply) -> Document {
    let body = String::from_utf8_lossy(&refusal.body);
    let body = Document::from_json(&refusal.body).unwrap_or_else(|_| Document::text(body));
    let status = Document::number(i64::from(refusal.status.as_u16()));
    Document::record([("refused", Document::record([("status", status), ("body", body)]))])
}
