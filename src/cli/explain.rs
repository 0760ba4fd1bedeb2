//! `weighbridge explain`.

use std::{
    io::{self, Write},
    sync::Arc,
};

use super::{ConfigFile, Ending, fields::write_tables, request_text};
use crate::{
    auth::Stamps,
    gateway::{ExplainedCall, ExplainedCaller, Explanation, Fate, Refusal, explain},
    model::Loss,
    wire::{Params, read_request},
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
            (Ok(explanation), true) => writeln!(out, "{}", explanation.to_json().to_json()),
            (Err(refusal), false) => write_refusal(&mut out, refusal),
            (Err(refusal), true) => writeln!(out, "{}", refusal.to_json().to_json()),
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
        tables,
        losses,
        passed,
    } = explanation;
    let here = &route.here.title;
    let there = if *passed { here } else { &route.there.title };
    writeln!(out, "{action} of {here}, as client {}", route.client.credential.key_id)?;
    if calls.is_empty() {
        writeln!(out, "is answered by the gateway itself; no target is asked.")?;
    } else if *passed {
        writeln!(out, "goes on as it came, signed anew, to target {}:", target.name)?;
    } else {
        writeln!(out, "becomes {} of {there}, target {}:", count(calls.len()), target.name)?;
    }
    write_calls(out, calls, &target.scheme)?;
    write_tables(out, [here, there], tables)?;
    let in_a_table = |loss: &Loss| {
        let mut ways = tables.iter().flat_map(|table| &table.ways);
        ways.any(|way| way.fate == Fate::Reported && way.why.as_deref() == Some(&loss.reason))
    };
    for loss in losses.iter().filter(|loss| !in_a_table(loss)) {
        writeln!(out, "\n  lost: {}: {}", route.here.name_of(&loss.field), loss.reason)?;
    }
    Ok(())
}

fn count(calls: usize) -> String {
    if calls == 1 { "1 call".to_owned() } else { format!("{calls} calls") }
}

/// Of a call like the one before it only what differs is printed: twenty adds are one of which all can be seen.
fn write_calls(out: &mut impl Write, calls: &[ExplainedCall], scheme: &str) -> io::Result<()> {
    let mut before: Option<&ExplainedCall> = None;
    for (at, call) in calls.iter().enumerate() {
        let ExplainedCall { origin, invocation } = call;
        let (number, action) = (at + 1, &invocation.action);
        let like = before.filter(|before| {
            let names = |call: &ExplainedCall| {
                call.invocation.params.iter().map(|param| param.name.clone()).collect::<Vec<_>>()
            };
            before.invocation.action == *action && before.origin == *origin && names(before) == names(call)
        });
        if let Some(before) = like {
            let other = differences(&invocation.params, &before.invocation.params);
            writeln!(out, "  {number}. {action}, as {at} but {}", other.join(" "))?;
        } else {
            writeln!(out, "\n  {number}. {action} at {origin}, signed with {scheme}")?;
            for param in &invocation.params {
                writeln!(out, "       {}={}", param.name, param.value)?;
            }
        }
        before = Some(call);
    }
    Ok(())
}

fn differences(params: &Params, before: &Params) -> Vec<String> {
    let pairs = params.iter().zip(before.iter()).filter(|(now, before)| now.value != before.value);
    pairs.map(|(param, _)| format!("{}={}", param.name, param.value)).collect()
}

fn write_refusal(out: &mut impl Write, refusal: &Refusal) -> io::Result<()> {
    let Refusal { reply, kind, caller, tables } = refusal;
    if let Some(ExplainedCaller { title, action, .. }) =
        caller.as_ref().filter(|caller| !caller.action.is_empty())
    {
        write!(out, "{action} of {title} is ")?;
    }
    writeln!(
        out,
        "refused ({}); nothing is sent, and the client would see:\n\nHTTP/1.1 {}",
        kind.name(),
        reply.status
    )?;
    for (name, value) in &reply.headers {
        writeln!(out, "{name}: {}", String::from_utf8_lossy(value.as_bytes()))?;
    }
    writeln!(out, "\n{}", String::from_utf8_lossy(&reply.body))?;
    let Some(ExplainedCaller { title, there, .. }) = caller else { return Ok(()) };
    write_tables(out, [title, there.as_deref().unwrap_or("the target")], tables)
}
