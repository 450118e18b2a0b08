import { setTimeout as sleep } from 'node:timers/promises';
import type { AuthorityStatus } from '../../../src/api/generated/types.ts';
import { CLUSTER_CERTIFICATE_AUTHORITIES, ROTATE_CA_ANNOTATION, SECRETS } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { untilNextSecond } from '../../e2e/support/moments.ts';
import { between, describeRequests, writesIn } from '../audit-tail.ts';
import { casIn } from '../certificates-in.ts';
import { pagesOf } from '../expiry-order.ts';
import { AUTHORITY, addSizes, type Fleet, type Known, moment, persistently, startKnown } from './fleet.ts';

const POLL_MS = 1_000;
/** After so long without a write, all Secrets are read to prove that the rotation has ended. */
const QUIET_MS = 10_000;

/** Replaces the CA of all certificates. */
export async function replaceCa(fleet: Fleet): Promise<void> {
  const { rows, options } = fleet;
  const known = await startKnown(fleet, 'bench-controller');
  const resting = await authority(fleet);
  rows.add('size of the status of the authority, at rest', statusBytes(resting), 'bytes');
  await untilNextSecond();
  const before = await moment(fleet, known);
  const startedAtMs = Date.now();
  await ask(fleet);
  await untilReplaced(fleet, known, startedAtMs, stepsOf(resting));
  const after = await moment(fleet, known);
  const requests = between(before.requests, after.requests);
  rows.add('writes a certificate', writesIn(requests) / options.certificates);
  rows.note('requests: CA rotation, a certificate', describeRequests(requests, options.certificates));
  rows.add('controller CPU a certificate', (after.state.cpuMs - before.state.cpuMs) / options.certificates, 'ms');
  await addSizes(fleet, known.controller);
  await known.controller.stop();
}

/** Until the former CA is in no Secret. Adds when each step was seen, and what was the largest meanwhile. */
async function untilReplaced(
  fleet: Fleet,
  { user, controller }: Known,
  startedAtMs: number,
  former: readonly string[],
): Promise<void> {
  const { rows, audit } = fleet;
  const seen = new Set(former);
  let [status, memory] = [0, 0];
  for (;;) {
    await sleep(POLL_MS);
    const object = await authority(fleet);
    status = Math.max(status, statusBytes(object));
    memory = Math.max(memory, (await controller.state()).rssBytes);
    for (const step of stepsOf(object)) {
      if (seen.has(step)) continue;
      seen.add(step);
      rows.add(`until ${step}`, (Date.now() - startedAtMs) / 1_000, 's');
    }
    await audit.requests(user);
    const lastMs = audit.lastWriteMs(user) ?? startedAtMs;
    const mayBeOver = seen.has(LAST_STEP) && Date.now() - lastMs > QUIET_MS;
    if (!mayBeOver || (await behind(fleet)) > 0) continue;
    rows.add('until the former CA is in no ca.crt', (lastMs - startedAtMs) / 1_000, 's');
    rows.add('largest resident memory', memory / 1e6, 'MB');
    rows.add('largest status of the authority', status, 'bytes');
    return;
  }
}

/** Then the former CA is taken out of every `ca.crt`. */
const LAST_STEP = 'generation 1 is Retired';

function stepsOf({ status }: RawObject): string[] {
  const { generations = [] } = (status ?? {}) as AuthorityStatus;
  return generations.map(({ version, state }) => `generation ${version} is ${state}`);
}

async function ask(fleet: Fleet): Promise<void> {
  const { spec } = await authority(fleet);
  await fleet.world.client.apply(CLUSTER_CERTIFICATE_AUTHORITIES, {
    metadata: { name: AUTHORITY, annotations: { [ROTATE_CA_ANNOTATION]: new Date().toISOString() } },
    spec,
  });
}

async function authority({
  world: { client },
}: {
  readonly world: Pick<Fleet['world'], 'client'>;
}): Promise<RawObject> {
  const found = await persistently(() => client.get(CLUSTER_CERTIFICATE_AUTHORITIES, undefined, AUTHORITY));
  if (found === undefined) throw new Error(`there is no ClusterCertificateAuthority ${AUTHORITY}`);
  return found;
}

function statusBytes({ status }: RawObject): number {
  return JSON.stringify(status ?? {}).length;
}

/** Secrets whose ca.crt doesn't hold one CA alone. */
async function behind({ world: { client } }: Fleet): Promise<number> {
  let count = 0;
  for await (const page of pagesOf(client, SECRETS, { labelSelector: 'certwheel.io/certificate-name' }))
    count += page.filter(({ data = {} }) => casIn(data['ca.crt']) !== 1).length;
  return count;
}
