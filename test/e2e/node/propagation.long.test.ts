/** How long a rotated Secret takes to reach the pods that mount it, with the kubelet as it is by default. */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { stopAll } from '../../teardown.ts';
import { eventually } from '../support/eventually.ts';
import { lazily } from '../support/lazily.ts';
import { saidByOrders, totals } from './support/logs.ts';
import { delays, distinct, startShop, summary } from './support/shop.ts';
import { setVariable } from './support/workloads.ts';

const PODS = 8;
const ROTATIONS = 3;
/** The kubelet looks after a pod every minute, and up to half of that later, since it spreads its work. */
const LONGEST_SECONDS = 90;
/** What it takes to hear of the change, to write the files, and to look at them. */
const SLACK_SECONDS = 5;

const shared = lazily(() =>
  startShop({
    // Renewed every 96 to 120 seconds, so that a pod sees each certificate before the next one comes.
    life: { duration: '5m', renewBefore: '3m' },
    change: (deployment) => {
      setVariable(deployment, 'PAUSE_MS', '250');
      if (deployment.metadata.name === 'orders') deployment.spec.replicas = PODS;
    },
  }),
);
test.after(stopAll);

test('with the default sync period every pod uses the new certificate within 95 seconds, and no request fails', async () => {
  const { node, secrets } = await shared.get();
  const said = await eventually(
    `${ROTATIONS} rotations have been used by all`,
    async () => {
      await sleep(5000);
      const seen = await saidByOrders(node);
      const pods = Map.groupBy(seen, ({ pod }) => pod);
      const counts = [...pods.values()].map((each) => distinct(each.map(({ loaded }) => loaded)));
      const servers = distinct(seen.map(({ server }) => server));
      return counts.length === PODS && Math.min(servers, ...counts) > ROTATIONS && seen;
    },
    9 * 60_000,
  );
  const clients = delays(said, secrets, 'loaded', 'orders-tls');
  const { succeeded, failed, errors } = totals(said);
  console.log(`# requests: ${succeeded} of ${PODS} pods; the kubelet syncs every minute, its default`);
  console.log(`# Secret written to used by a client: ${summary(clients)}`);
  console.log(`# Secret written to served by nginx: ${summary(delays(said, secrets, 'server', 'web-tls'))}`);
  assert.equal({ failed, errors }, { failed: 0, errors: [] });
  assert.ok(clients.length >= PODS * ROTATIONS);
  assert.ok(Math.max(...clients) < LONGEST_SECONDS + SLACK_SECONDS, summary(clients));
  assert.ok(Math.max(...clients) > 10, 'what was measured is the default, and not a fast kubelet');
});

test.run();
