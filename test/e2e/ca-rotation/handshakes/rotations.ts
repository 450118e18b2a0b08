import * as assert from 'uvu/assert';
import { ROLLBACK_CA_ANNOTATION } from '../../../../src/api/names.ts';
import type { ServerReader } from '../../../interop/support/reader.ts';
import { generationSecrets } from '../../authority/swap.ts';
import { numbered } from '../../process/support/fleet.ts';
import { eventually } from '../../support/eventually.ts';
import { makeLeaf, type Pair } from '../../support/openssl.ts';
import type { World } from '../../support/world.ts';
import {
  annotatePlace,
  askForRotation,
  type Place,
  statusOfPlace,
  untilOnly,
  untilSigns,
  untilStatus,
} from './place.ts';
import { showTo } from './rogue.ts';
import { certificatesIssued, flags, type Stage, startStage } from './stage.ts';
import { readTarget, subjectsOf } from './verifiers.ts';

interface Size {
  readonly clients: number;
  /** The lives of the certificates, in turn. */
  readonly durations: readonly string[];
  /** At least, in all. */
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly propagation: string;
  readonly lagMs: number;
}

const ROTATIONS = 3;
const CA = 'Handshakes';
const nameOf = (version: number) => `${CA} v${version}`;

/** Three CA rotations, and a fourth that is rolled back while clients use its CA. Prints what was counted. */
export async function proveRotations(world: World, readers: readonly ServerReader[], size: Size): Promise<void> {
  const home = await world.namespace();
  const place: Place = { world, kind: 'CertificateAuthority', name: 'ca', home };
  await world.controller(['--namespaces', home, ...flags(size.propagation)]);
  const members = numbered(size.clients).map((name, index) => {
    const duration = size.durations[index % size.durations.length];
    return { namespace: home, name, spec: { duration } };
  });
  const versions = Array.from({ length: ROTATIONS + 2 }, (_, index) => index + 1);
  const stage = await startStage(place, {
    readers,
    members,
    spec: { selfManaged: { commonName: CA } },
    caNames: versions.map(nameOf),
    requestsPerSecond: size.requestsPerSecond,
    lagMs: size.lagMs,
  });
  const retired: Pair[] = [];
  const seconds: number[] = [];
  for (let version = 1; version <= ROTATIONS; version++) {
    retired.push(await leafOf(place, version));
    const startMs = performance.now();
    await askForRotation(place);
    await untilOnly(place, version + 1);
    seconds.push((performance.now() - startMs) / 1_000);
    await provesOnly(stage, version + 1);
  }
  retired.push(await rollBack(stage, ROTATIONS + 2, ROTATIONS + 1));
  await provesOnly(stage, ROTATIONS + 1);
  for (const verifier of stage.verifiers.all)
    for (const client of retired) assert.is(await showTo(verifier, client), 'refused', `${verifier.name}: a former CA`);
  await stage.end(size.requests);
  const { generations = [] } = await statusOfPlace(place);
  assert.is(generations.length, versions.length, 'each request has made one CA');
  for (const { name } of stage.verifiers.all)
    for (const version of versions)
      assert.ok(stage.traffic.served(name, `CN=${nameOf(version)}`) > 0, `${name} has served clients of v${version}`);
  console.log(figures(stage, readers, seconds));
}

/** Each client has a certificate of that CA, and each verifier and its ConfigMap have no other. */
async function provesOnly({ place, verifiers, untilReissued }: Stage, version: number): Promise<void> {
  await untilReissued(`CN=${nameOf(version)}`);
  await eventually('the ConfigMap has one CA certificate', async () => {
    return subjectsOf(await readTarget(place)).join() === `CN=${nameOf(version)}`;
  });
  await verifiers.settled();
}

/** Rolls a new CA back when each verifier has served a client of it. Answers a certificate of it. */
async function rollBack({ place, traffic, verifiers }: Stage, version: number, former: number): Promise<Pair> {
  await askForRotation(place);
  await untilSigns(place, version);
  const leaf = await leafOf(place, version);
  await eventually('each verifier has served clients of the new CA', () =>
    verifiers.all.every(({ name }) => traffic.served(name, `CN=${nameOf(version)}`) > 0),
  );
  await annotatePlace(place, ROLLBACK_CA_ANNOTATION, String(version));
  await untilStatus(place, 'the former CA signs again', ({ activeGeneration, generations = [] }) => {
    const state = generations.find((each) => each.version === version)?.state;
    return activeGeneration === former && (state === 'RolledBack' || state === 'Retired');
  });
  await untilOnly(place, former);
  return leaf;
}

/** A certificate by the key of a CA generation, which its Secret has until it is retired. */
async function leafOf({ world, home }: Place, version: number): Promise<Pair> {
  const secret = (await generationSecrets(world, home)).find(({ metadata }) =>
    metadata?.name?.endsWith(`-v${version}`),
  );
  const text = (key: string) => Buffer.from(secret?.data?.[key] ?? '', 'base64').toString();
  return makeLeaf({ certificate: text('tls.crt'), key: text('tls.key') }, 'late');
}

function figures(stage: Stage, readers: readonly ServerReader[], seconds: readonly number[]): string {
  const { traffic, rogue, clients } = stage;
  const programs = readers.map(({ name }) => name).join(', ');
  return [
    `# ${traffic.requests()} requests of ${clients.all.length} clients to ${programs}: ${traffic.failures().length} failed`,
    `${rogue.attempts()} of a rogue: ${rogue.accepted().length} accepted`,
    `${ROTATIONS} CA rotations of ${seconds.map((each) => each.toFixed(0)).join(', ')} s and a roll-back`,
    `${certificatesIssued(stage)} certificates`,
  ].join('; ');
}
