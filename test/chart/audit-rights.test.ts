/** The checkpoint of the audit log, with the rights of the chart and under its admission policies. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AUDIT_CHECKPOINT_NAME } from '../../src/api/books-names.ts';
import { CONFIG_MAPS } from '../../src/api/names.ts';
import { readCheckpoints } from '../../src/audit/checkpoint.ts';
import { Checkpoints } from '../../src/audit/checkpoints.ts';
import { systemClock } from '../../src/clock.ts';
import { KubeconfigConnection } from '../../src/kube/auth.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { oneWorld } from '../e2e/support/world.ts';
import { onStop } from '../teardown.ts';
import { accountKubeconfig } from './support/account.ts';
import { helm, install, NAMESPACE, values } from './support/helm.ts';

const QUIET = { debug() {}, info() {}, warn() {}, error() {} };
const VALUES = { auditLog: { enabled: true }, trustTargets: { configMaps: true } };
const PLACE = { segment: '0123456789abcdef', seq: 7, hash: 'a'.repeat(64) };

const shared = oneWorld({ own: true }, async (cluster) => void (await install(cluster, VALUES)));
test.after(shared.stop);

/** Writes a checkpoint as the controller's account; answers the warnings. */
async function note(seq: number): Promise<string[]> {
  const { cluster } = await shared.get();
  const kubeconfig = await accountKubeconfig(cluster);
  const connections = new KubeconfigConnection({ kubeconfig, clock: systemClock, logger: QUIET });
  const client = new KubeClient({ connections, clock: systemClock });
  onStop(() => client.close());
  const warnings: string[] = [];
  const checkpoints = new Checkpoints({
    client,
    clock: systemClock,
    log: { warn: (_message, fields) => void warnings.push(String(fields?.error)) },
    namespace: NAMESPACE,
    written: async () => ({ ...PLACE, seq, hash: seq.toString(16).padStart(64, '0') }),
  });
  await checkpoints.close();
  return warnings;
}

async function noted(): Promise<number[]> {
  const { client } = await shared.get();
  return readCheckpoints((await client.get(CONFIG_MAPS, NAMESPACE, AUDIT_CHECKPOINT_NAME)) ?? {}).map(({ seq }) => seq);
}

test('the controller creates the checkpoint and changes it', async () => {
  for (const seq of [7, 8]) {
    assert.equal(await note(seq), []);
    assert.equal(await noted(), [seq]);
  }
});

test('without auditLog.enabled it may not', async () => {
  const { cluster } = await shared.get();
  const off = { auditLog: { enabled: false }, trustTargets: { configMaps: false } };
  const chart = `${import.meta.dirname}/../../helm/certwheel`;
  await helm(cluster, ['upgrade', 'certwheel', chart, '--namespace', NAMESPACE, ...values(off)]);
  assert.match((await note(9)).join(), /forbidden/);
  assert.equal(await noted(), [8]);
});

test.run();
