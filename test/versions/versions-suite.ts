import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLIENTS, startSwap } from '../e2e/authority/swap.ts';
import { provesThreeSteps } from '../e2e/authority/three-steps.ts';
import { connect } from '../e2e/crds/api.ts';
import { DEFINITIONS } from '../e2e/crds/definitions.ts';
import { provesRow, ROWS } from '../e2e/crds/row-proof.ts';
import { type Matcher, startFaultProxy } from '../e2e/kube/fault-proxy.ts';
import {
  bugs,
  createAll,
  lines,
  numbered,
  QUICK,
  snapshot,
  untilAllReady,
  untilQuiet,
} from '../e2e/process/support/fleet.ts';
import { faultsOf, publishedSerials, unjustified } from '../e2e/process/support/justified.ts';
import type { ControllerProcess } from '../e2e/support/controller-process.ts';
import { untilRevision } from '../e2e/support/edits.ts';
import { lazily } from '../e2e/support/lazily.ts';
import { createAuthority, selfManaged } from '../e2e/support/objects.ts';
import { watchSecrets } from '../e2e/support/secret-witness.ts';
import { eventually, type World } from '../e2e/support/world.ts';
import { provesAdmission } from './admission.ts';
import { type Listed, listsOfController, whyNoStream } from './asked.ts';
import type { OlderVersion } from './programs.ts';
import { openScene, PROPAGATION_MS, whileServed } from './scene.ts';

/** What every controller keeps in its cache. */
const LISTED = ['/clientcertificates', '/certificateauthorities', '/clustercertificateauthorities', '/secrets'];

/** The tests of a file that runs Certwheel on the API server of another Kubernetes. */
export function testsVersion(version: OlderVersion): void {
  const shared = lazily(() => openScene(version));
  test.after(shared.stop);

  test(`the API server is that of Kubernetes ${version}, and stores the CRDs as they are`, async () => {
    const { world, gitVersion } = await shared.get();
    console.log(`# kube-apiserver ${gitVersion}`);
    assert.ok(gitVersion.startsWith(`v${version}.`), gitVersion);
    for (const { crd } of DEFINITIONS) {
      const { stdout } = await world.cluster.kubectl(['get', 'crd', crd.metadata.name, '--output=json']);
      const stored = JSON.parse(stdout) as StoredCrd;
      assert.equal(missing(crd.spec, stored.spec), []);
      const conditions = stored.status.conditions.filter(({ status }) => status === 'True').map(({ type }) => type);
      assert.equal(conditions.sort(), ['Established', 'NamesAccepted']);
    }
  });

  test('each CEL rule of the CRDs refuses what it should, with its message, and not more than that', async () => {
    const { world } = await shared.get();
    const api = await connect(world.cluster);
    assert.ok(ROWS.length > 40);
    for (const row of ROWS) await provesRow(api, row);
  });

  test('the admission policies of the chart allow and deny what they should', async () => {
    const { world } = await shared.get();
    await provesAdmission(world, await world.namespace());
  });

  test('the controller lists by streams where the API server has them, else by pages, and is refused once each', async () => {
    const scene = await shared.get();
    const reason = await whyNoStream(scene.world);
    console.log(`# lists by stream: ${reason ?? 'yes'}`);
    await whileServed(scene.kubeconfig, async ({ logs }) => {
      assert.equal(
        logs.filter(({ level }) => level === 'warn' || level === 'error'),
        [],
      );
    });
    const lists = await eventually('each list is in the audit log', async () => {
      const found = await listsOfController(scene.world);
      const isWhole = ({ streams, pages }: Listed) => streams.length > 0 && (reason === undefined || pages > 0);
      return found.length >= LISTED.length && found.every(isWhole) && found;
    });
    for (const plural of LISTED)
      assert.ok(
        lists.some(({ path }) => path.includes(plural)),
        plural,
      );
    const expected = reason === undefined ? { streams: [200], pages: 0 } : { streams: [422], pages: 1 };
    assert.equal(
      lists,
      lists.map(({ path }) => ({ path, ...expected })),
    );
  });

  test('a first certificate is issued and renewed in time, each version of its Secret as promised', async () => {
    const scene = await shared.get();
    const { world } = scene;
    const namespace = await world.namespace();
    const names = numbered(3);
    await whileServed(scene.kubeconfig, async ({ logs }) => {
      const secrets = await watchSecrets(world, namespace);
      await createAuthority(world, selfManaged(namespace));
      await createAll(world, namespace, names, QUICK);
      await untilAllReady(world, namespace, names.length);
      for (const name of names) await untilRevision(world, namespace, `${name}-tls`, 2);
      await eventually('the witness has seen it', () => publishedSerials(secrets, names).length >= 2 * names.length);
      assert.equal(faultsOf(secrets, names), []);
      assert.equal(unjustified(secrets, names, 7_000), []);
      assert.equal(bugs(logs), []);
      secrets.stop();
    });
  });

  test('a CA that is replaced by hand under traffic fails no handshake, and goes out in three steps', async () => {
    const scene = await shared.get();
    await whileServed(scene.kubeconfig, async ({ logs }) => {
      const swap = await startSwap(scene.world);
      const { cas, history, traffic } = swap;
      await swap.put(cas.v2);
      await swap.untilOnly(cas.v2);
      const atEnd = traffic.handshakes();
      await eventually('there is traffic after the swap', () => traffic.handshakes() > atEnd + 100);
      await swap.stop();
      assert.equal(traffic.failures(), []);
      const names = ['server', ...CLIENTS].map((each) => `${each}-tls`);
      provesThreeSteps(history, names, PROPAGATION_MS);
      assert.equal(bugs(logs), []);
    });
  });

  test('a controller that was killed and starts again issues nothing and writes nothing', async () => {
    const scene = await shared.get();
    const { namespace, quiet } = await whileServed(scene.kubeconfig, () => issueTen(scene.world));
    await whileServed(scene.kubeconfig, async ({ logs }) => {
      await sleep(3_000);
      assert.equal(await snapshot(scene.world, namespace), quiet);
      assert.is(signed(logs, namespace), 0);
    });
  });

  test('watches that are cut, and an API server that restarts, are survived: nothing is missed or issued twice', async () => {
    const { world } = await shared.get();
    const proxy = await startFaultProxy(world.cluster.kubeconfigPath);
    try {
      await whileServed(proxy.kubeconfigPath, async ({ logs }) => {
        const { namespace, quiet } = await issueTen(world);
        await eventually('certificates are watched', () => proxy.watches(watchesCertificates).length > 0);
        const cut = proxy.watches();
        for (const watch of cut) watch.cut();
        await createAll(world, namespace, ['during-cut']);
        await untilAllReady(world, namespace, 11);
        assert.ok(proxy.watches(watchesCertificates).every((each) => !cut.includes(each)));
        await world.cluster.restartApiServer({ downForMs: 500 });
        await createAll(world, namespace, ['after-restart']);
        await untilAllReady(world, namespace, 12);
        assert.is(signed(logs, namespace), 12);
        assert.equal(bugs(logs), []);
        const now = await snapshot(world, namespace);
        assert.equal(Object.fromEntries(Object.keys(quiet).map((name) => [name, now[name]])), quiet);
      });
    } finally {
      await proxy.close();
    }
  });
}

interface StoredCrd {
  readonly spec: object;
  readonly status: { readonly conditions: readonly { readonly type: string; readonly status: string }[] };
}

/** Ten certificates that are not due, and what is stored of them. */
async function issueTen(world: World) {
  const namespace = await world.namespace();
  await createAuthority(world, selfManaged(namespace));
  await createAll(world, namespace, numbered(10));
  await untilAllReady(world, namespace, 10);
  return { namespace, quiet: await untilQuiet(world, namespace) };
}

function signed(logs: ControllerProcess['logs'], namespace: string): number {
  return lines(logs, 'signing').filter((line) => line.namespace === namespace).length;
}

/** After the list, which may be a stream itself. */
const watchesCertificates: Matcher = ({ path, query }) =>
  path.endsWith('/clientcertificates') && !query.has('sendInitialEvents');

/** Paths of what the API server has dropped or changed; what it adds are defaults. */
function missing(wanted: unknown, stored: unknown, path = ''): string[] {
  if (typeof wanted !== 'object' || wanted === null) return wanted === stored ? [] : [path];
  if (typeof stored !== 'object' || stored === null) return [path];
  return Object.entries(wanted).flatMap(([key, value]) =>
    missing(value, (stored as Record<string, unknown>)[key], `${path}.${key}`),
  );
}
