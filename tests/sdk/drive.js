// Drive @alicloud/pop-core against a running gateway: node drive.js < job.json
//
// Job and result are those of drive.py, and so is the rule for errors: what the SDK reports is a result, anything else
// is a crash. A job with "method": "POST" sends everything in a form body; the SDK's own default is GET. With --lines,
// standard input holds a job a line.
'use strict';

const fs = require('node:fs');
const readline = require('node:readline');
const RPCClient = require('@alicloud/pop-core');

/**
 * @typedef {Record<string, string | number>} Backend
 * @typedef {{endpoint: string, key_id: string, secret: string, region?: string, group: string, backends: Backend[],
 *            call?: string, params?: Record<string, any>,
 *            spelling?: 'json' | 'single-quoted', method?: 'GET' | 'POST'}} Job
 */

/** @type {Record<string, (backends: Backend[]) => string>} */
const SPELLINGS = {
  'json': (backends) => JSON.stringify(backends),
  'single-quoted': (backends) => `[${backends.map(singleQuoted).join(',')}]`,
};

/**
 * Every value as text in single quotes, as Terraform sends it.
 * @param {Backend} backend
 */
function singleQuoted(backend) {
  const fields = Object.entries(backend).map(([name, value]) => `'${name}':'${value}'`);
  return `{${fields.join(',')}}`;
}

/**
 * The action of a job and its parameters; lists of backends become text.
 * @param {Job} job
 * @returns {[string, Record<string, any>]}
 */
function callOf(job) {
  const spelt = SPELLINGS[job.spelling ?? 'json'];
  if (job.call === undefined) {
    return ['AddVServerGroupBackendServers', { VServerGroupId: job.group, BackendServers: spelt(job.backends) }];
  }
  const params = Object.entries(job.params ?? {});
  return [job.call, Object.fromEntries(params.map(([name, value]) => [name, Array.isArray(value) ? spelt(value) : value]))];
}

/** @param {Job} job */
function ask(job) {
  const client = new RPCClient({
    endpoint: `http://${job.endpoint}`,
    apiVersion: '2014-05-15',
    accessKeyId: job.key_id,
    accessKeySecret: job.secret,
  });
  const [action, params] = callOf(job);
  const method = { method: job.method ?? 'GET' };
  return client.request(action, { ...(job.region && { RegionId: job.region }), ...params }, method);
}

/**
 * The SDK has no error class of its own: its errors are the ones with an `entry`, and the time-outs of its transport.
 * @param {any} error
 */
function reportOf(error) {
  if (!error.entry && error.name !== 'RequestTimeoutError') {
    throw error;
  }
  return {
    class: error.name,
    code: error.code ?? null,
    message: error.message,
    status: error.entry?.response.statusCode ?? null,
    request_id: error.data?.RequestId ?? null,
  };
}

/** @param {Job} job */
function drive(job) {
  return ask(job).then(
    (answer) => ({ ok: true, answer }),
    (error) => ({ ok: false, error: reportOf(error) }),
  );
}

async function main() {
  const jobs = process.argv.includes('--lines') ? readline.createInterface({ input: process.stdin }) : [fs.readFileSync(0, 'utf8')];
  for await (const job of jobs) {
    console.log(JSON.stringify(await drive(JSON.parse(job))));
  }
}

main();
