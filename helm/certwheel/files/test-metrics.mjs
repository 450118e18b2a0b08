// Run by `helm test`: asks the replicas behind the Service for their metrics until one says that it leads. The address is
// taken from the environment that Kubernetes gives every Pod, so no DNS is needed.
const service = process.env.METRICS_SERVICE.toUpperCase().replaceAll('-', '_');
const host = process.env[`${service}_SERVICE_HOST`] ?? '';
const port = process.env[`${service}_SERVICE_PORT`];
const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}/metrics`;
const deadline = Date.now() + 60_000;
let last = 'nobody was asked';
while (Date.now() < deadline) {
  try {
    // A connection of its own for each question, so that another replica may answer.
    const answer = await fetch(url, { headers: { connection: 'close' }, signal: AbortSignal.timeout(5_000) });
    const text = await answer.text();
    if (/^certwheel_leader 1$/m.test(text)) {
      console.log(`a replica leads, and ${url} answers with ${text.split('\n').length} lines`);
      process.exit(0);
    }
    last = `status ${answer.status}, and no leader in ${text.split('\n').length} lines`;
  } catch (error) {
    last = `${error.message}${error.cause ? `: ${error.cause.message}` : ''}`;
  }
  await new Promise((resolve) => setTimeout(resolve, 500));
}
console.error(`${url} did not show a leader within a minute: ${last}`);
process.exit(1);
