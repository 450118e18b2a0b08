/** Pods that mount rotated Secrets and shake hands all the while: not one request may fail. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startNode } from '../../cluster/node/node.ts';
import { startController, stopControllers } from '../support/controller-process.ts';
import { eventually } from '../support/eventually.ts';
import { lazily } from '../support/lazily.ts';
import { importWorkloadImages } from './support/images.ts';
import { applyWorkloads, isDeployment, linesOf, setVariable, untilRolledOut } from './support/workloads.ts';

const ROTATIONS = 10;
/** Renewed every 10 to 12 seconds, with 48 left; the kubelet looks every 3 to 5. */
const LIFE = { duration: '1m', renewBefore: '48s' };

const shared = lazily(async () => {
  const node = await startNode({ syncFrequency: '3s', keepLogs: true });
  await node.cluster.kubectl(['apply', '--server-side', '-f', `${import.meta.dirname}/../../../crds`]);
  await node.cluster.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=20s']);
  await startController(node.cluster.kubeconfigPath);
  importWorkloadImages(node);
  return node;
});
test.after(async () => {
  await stopControllers();
  await shared.stop();
});

interface Line {
  readonly at: number;
  readonly loaded?: string;
  readonly server?: string;
  readonly error?: string;
  readonly succeeded?: number;
  readonly failed?: number;
}

test('thousands of requests over ten rotations of server and clients: none fails', async () => {
  const node = await shared.get();
  const started = performance.now();
  await applyWorkloads(node, (manifest) => {
    if (manifest.kind === 'ClientCertificate') Object.assign(manifest.spec, LIFE);
    if (!isDeployment(manifest)) return;
    setVariable(manifest, 'PAUSE_MS', '10');
    setVariable(manifest, 'PAUSE', '0');
  });
  await untilRolledOut(node, 'shop', 'web', 'orders', 'reports');
  console.error('rolled out', performance.now() - started);

  const look = async () => {
    const orders = (await linesOf(node, 'shop', 'orders')).map((line): Line => JSON.parse(line));
    const reports = await linesOf(node, 'shop', 'reports');
    const web = await linesOf(node, 'shop', 'web');
    return { orders, reports, web };
  };
  await eventually(
    'ten rotations',
    async () => {
      const { orders, web } = await look();
      const seen = {
        orders: distinct(orders.map(({ loaded }) => loaded)),
        web: distinct(orders.map(({ server }) => server)),
        reports: distinct(web.filter((l) => l.includes('CN=reports')).map((l) => l.split(' ')[2])),
      };
      console.error(
        JSON.stringify(seen),
        JSON.stringify(orders.findLast((l) => l.succeeded !== undefined)),
        orders.filter((l) => l.error),
        web.length,
        web.filter((l) => !l.startsWith('200')).slice(-5),
      );
      await new Promise((r) => setTimeout(r, 5000));
      return Object.values(seen).every((count) => count > ROTATIONS);
    },
    240_000,
  );
  const { reports } = await look();
  console.error(
    reports.slice(-5),
    reports.filter((l) => l.startsWith('err')),
  );
});

function distinct(values: readonly (string | undefined)[]): number {
  return new Set(values.filter((value) => value !== undefined)).size;
}

test.run();
