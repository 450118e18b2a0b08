/** Pods that mount rotated Secrets and shake hands all the while: not one request may fail. */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { stopAll } from '../../teardown.ts';
import { eventually } from '../support/eventually.ts';
import { lazily } from '../support/lazily.ts';
import { faultsOfHistory } from '../support/secret-witness.ts';
import { printed, saidByOrders, served, totals, totalsOfReports } from './support/logs.ts';
import { delays, distinct, startShop, summary } from './support/shop.ts';
import { setVariable } from './support/workloads.ts';

const ROTATIONS = 10;
const FROZEN = '/frozen/tls.crt';

const shared = lazily(() =>
  startShop({
    syncFrequency: '3s',
    // Renewed every 10 to 12 seconds, with 48 left.
    life: { duration: '1m', renewBefore: '48s' },
    change: (deployment) => {
      setVariable(deployment, 'PAUSE_MS', '10');
      setVariable(deployment, 'PAUSE', '0');
      if (deployment.metadata.name !== 'orders') return;
      for (const { volumeMounts } of deployment.spec.template.spec.containers)
        volumeMounts?.push({ name: 'tls', mountPath: FROZEN, subPath: 'tls.crt' });
    },
  }),
);
test.after(stopAll);

test('requests without a pause over ten rotations of server and clients: none fails', async () => {
  const { node, secrets } = await shared.get();
  const look = async () => ({ said: await saidByOrders(node), requests: served(await printed(node, 'web')) });
  const { said, requests } = await eventually(
    'ten rotations of each have been used',
    async () => {
      await sleep(3000);
      const seen = await look();
      const counts = [
        distinct(seen.said.map(({ loaded }) => loaded)),
        distinct(seen.said.map(({ server }) => server)),
        distinct(seen.requests.filter(({ subject }) => subject === 'CN=reports').map(({ serial }) => serial)),
      ];
      return counts.every((count) => count > ROTATIONS) && seen;
    },
    240_000,
  );
  const orders = totals(said);
  const reports = totalsOfReports(await printed(node, 'reports'));
  console.log(`# requests: ${orders.succeeded} of Node.js, ${reports.succeeded} of curl; the kubelet syncs every 3 s`);
  console.log(`# Secret written to used by a client: ${summary(delays(said, secrets, 'loaded', 'orders-tls'))}`);
  console.log(`# Secret written to served by nginx: ${summary(delays(said, secrets, 'server', 'web-tls'))}`);

  assert.equal({ failed: orders.failed, errors: orders.errors }, { failed: 0, errors: [] });
  assert.equal({ failed: reports.failed, errors: reports.errors }, { failed: 0, errors: [] });
  // Many to each rotation, also where the machine is busy.
  const least = 20 * ROTATIONS;
  assert.ok(orders.succeeded > least && reports.succeeded > least, `${orders.succeeded} and ${reports.succeeded}`);
  const [refused, welcome] = [false, true].map((well) => requests.filter(({ status }) => (status === '200') === well));
  assert.ok(
    welcome?.every(({ verified }) => verified === 'SUCCESS'),
    'nginx has verified every client',
  );
  // It was asked once without a certificate, to see whether it runs.
  assert.equal([...new Set(refused?.map(({ verified }) => verified))], ['NONE']);
  for (const name of ['web-tls', 'orders-tls', 'reports-tls'])
    assert.equal(faultsOfHistory(secrets.versions(name)), [], name);
});

test('a file that is mounted by subPath stays as it was when the pod started', async () => {
  const { node } = await shared.get();
  const pods = ['get', 'pods', '--namespace=shop', '--selector=app=orders', '--output=name'];
  const [pod = ''] = (await node.cluster.kubectl(pods)).stdout.split('\n');
  const script = `const [a, b] = ['/tls/tls.crt', '${FROZEN}'].map((file) => fs.readFileSync(file, 'utf8')); console.log(a === b)`;
  const { stdout } = await node.cluster.kubectl(['exec', '--namespace=shop', pod, '--', 'node', '--eval', script]);
  assert.is(stdout.trim(), 'false');
});

test.run();
