// Drive @alicloud/pop-core against a running gateway: node drive.js < job.json
//
// Job and result are those of drive.py, and so is the rule for errors: what the SDK reports is a result, anything else
// is a crash. A job with "method": "POST" sends everything in a form body; the SDK's own default is GET.
'use strict';

const fs = require('node:fs');
const RPCClient = require('@alicloud/pop-core');

/**
 * @typedef {Record<string, string | number>} Backend
 * @typedef {{endpoint: string, key_id: string, secret: string, region?: string, group: string, backends: Backend[],
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

/** @param {Job} job */
function addBackends(job) {
  const client = new RPCClient({
    endpoint: `http://${job.endpoint}`,
    apiVersion: '2014-05-15',
    accessKeyId: job.key_id,
    accessKeySecret: job.secret,
  });
  const params = {
    ...(job.region && { RegionId: job.region }),
    VServerGroupId: job.group,
    BackendServers: SPELLINGS[job.spelling ?? 'json'](job.backends),
  };
  return client.request('AddVServerGroupBackendServers', params, { method: job.method ?? 'GET' });
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
  return addBackends(job).then(
    (answer) => ({ ok: true, answer }),
    (error) => ({ ok: false, error: reportOf(error) }),
  );
}

drive(JSON.parse(fs.readFileSync(0, 'utf8'))).then((result) => console.log(JSON.stringify(result)));
