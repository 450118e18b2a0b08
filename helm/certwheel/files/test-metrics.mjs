// Run by `helm test`: asks the replicas behind the Service for their metrics until one says that it leads, or, where a token
// is needed, until one asks for it. The address is taken from the environment that Kubernetes gives every Pod, so no DNS is
// needed. Whether the certificate can be trusted is for Prometheus to find out: this Pod has no CA.
import { once } from 'node:events';
import * as http from 'node:http';
import * as https from 'node:https';
import { text } from 'node:stream/consumers';

const service = process.env.METRICS_SERVICE.toUpperCase().replaceAll('-', '_');
const host = process.env[`${service}_SERVICE_HOST`] ?? '';
const port = process.env[`${service}_SERVICE_PORT`];
const scheme = process.env.METRICS_SCHEME;
const needsToken = process.env.METRICS_AUTHENTICATION === 'true';
const url = `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}/metrics`;
// A connection of its own for each question, so that another replica may answer.
const options = { agent: false, rejectUnauthorized: false, timeout: 5_000 };
const deadline = Date.now() + 60_000;
let last = 'nobody was asked';
while (Date.now() < deadline) {
  try {
    const question = { http, https }[scheme].get(url, options);
    question.on('timeout', () => question.destroy(new Error('no answer within 5 s')));
    const [answer] = await once(question, 'response');
    const lines = await text(answer);
    if (needsToken && answer.statusCode === 401) {
      console.log(`${url} asks for a token`);
      process.exit(0);
    }
    if (!needsToken && /^certwheel_leader 1$/m.test(lines)) {
      console.log(`a replica leads, and ${url} answers with ${lines.split('\n').length} lines`);
      process.exit(0);
    }
    last = `status ${answer.statusCode}, and no leader in ${lines.split('\n').length} lines`;
  } catch (error) {
    last = error.message;
  }
  await new Promise((resolve) => setTimeout(resolve, 500));
}
console.error(`${url} did not ${needsToken ? 'ask for a token' : 'show a leader'} within a minute: ${last}`);
process.exit(1);
