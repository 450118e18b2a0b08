import * as assert from 'uvu/assert';
import { ROLLBACK_CA_ANNOTATION } from '../../../../src/api/names.ts';
import type { ServerReader } from '../../../interop/support/reader.ts';
import { generationSecrets } from '../../authority/swap.ts';
import { numbered } from '../../process/support/fleet.ts';
import { eventually } from '../../support/eventually.ts';
import { makeLeaf, type Pair } from '../../support/openssl.ts';
import type { World } from '../../support/world.ts';
import { annotatePlace, askForRotation, type Place, statusOfPlace, untilOnly, untilSigns } from './place.ts';
import { showTo } from './rogue.ts';
import { certificatesIssued, flags, type Stage, startStage } from './stage.ts';
import { readTarget, subjectsOf } from './verifiers.ts';

export interface Size {
  readonly clients: number;
  /** The lives of the certificates, in turn. */
  readonly durations: readonly string[];
  /** At least, in all. */
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly propagation: string;
  readonly lagMs: number;
}

/** What happens to the CA while clients send requests. */
export interface Course {
  readonly rotations: number;
  /** Whether one more is rolled back in the end, when clients use its CA already. */
  readonly isRolledBack: boolean;
}

const CA = 'Handshakes';
const nameOf = (version: number) => `${CA} v${version}`;

/** No request fails and no rogue is accepted. Prints what was counted. */
export async function prove(world: World, readers: readonly ServerReader[], size: Size, course: Course): Promise<void> {
  const { rotations, isRolledBack } = course;
  const versions = 1 + rotations + (isRolledBack ? 1 : 0);
  const { stage, stop } = await begin(world, readers, size, versions);
  const former: Pair[] = [];
  const seconds: number[] = [];
  for (let version = 1; version <= rotations; version++) {
    former.push(await leafOf(stage.place, version));
    seconds.push(await rotate(stage, version));
  }
  if (isRolledBack) former.push(await rollBack(stage, rotations + 1));
  await finish(stage, size, former, versions);
  await stop();
  const passed = [
    ...(rotations > 0 ? [`${rotations} CA rotations, of ${seconds.join(', ')} s`] : []),
    ...(isRolledBack ? ['a roll-back'] : []),
  ];
  console.log(figures(stage, readers, passed.join(', and ')));
}

/** How many seconds it took until nothing was left of the CA generation of that version. */
async function rotate(stage: Stage, version: number): Promise<number> {
  const startMs = performance.now();
  await askForRotation(stage.place);
  await untilOnly(stage.place, version + 1);
  const seconds = Math.round((performance.now() - startMs) / 1_000);
  await provesOnly(stage, version + 1);
  return seconds;
}

/** Rolls the next CA back to the one of that version. Returns a certificate that the next CA has signed. */
async function rollBack(stage: Stage, version: number): Promise<Pair> {
  const { place, traffic, verifiers } = stage;
  const next = version + 1;
  await askForRotation(place);
  await untilSigns(place, next);
  const rejected = await leafOf(place, next);
  await eventually('each verifier has served clients of the new CA', () =>
    verifiers.all.every(({ name }) => traffic.served(name, `CN=${nameOf(next)}`) > 0),
  );
  await annotatePlace(place, ROLLBACK_CA_ANNOTATION, String(next));
  await untilSigns(place, version);
  await untilOnly(place, version);
  await provesOnly(stage, version);
  return rejected;
}

/** `stop` ends the controller. */
async function begin(world: World, readers: readonly ServerReader[], size: Size, versions: number) {
  const home = await world.namespace();
  const place: Place = { world, kind: 'CertificateAuthority', name: 'ca', home };
  const { stop } = await world.controller(['--namespaces', home, ...flags(size.propagation)]);
  const members = numbered(size.clients).map((name, index) => {
    const duration = size.durations[index % size.durations.length];
    return { namespace: home, name, spec: { duration } };
  });
  const stage = await startStage(place, {
    readers,
    members,
    spec: { selfManaged: { commonName: CA } },
    caNames: Array.from({ length: versions }, (_, index) => nameOf(index + 1)),
    requestsPerSecond: size.requestsPerSecond,
    lagMs: size.lagMs,
  });
  return { stage, stop };
}

/** Each client has a certificate of that CA, and each verifier and its ConfigMap have no other. */
async function provesOnly({ place, verifiers, untilReissued }: Stage, version: number): Promise<void> {
  await untilReissued(`CN=${nameOf(version)}`);
  await eventually('the ConfigMap has one CA certificate', async () => {
    return subjectsOf(await readTarget(place)).join() === `CN=${nameOf(version)}`;
  });
  await verifiers.settled();
}

/** The verifiers refuse what former CAs have signed, and each CA had its turn. */
async function finish(stage: Stage, size: Size, former: readonly Pair[], versions: number): Promise<void> {
  const { place, traffic, verifiers } = stage;
  await stage.end(size.requests);
  // A reload may be on its way still: Java looks for new files each second.
  for (const verifier of verifiers.all)
    for (const client of former)
      await eventually(
        `${verifier.name} refuses a client of a former CA`,
        async () => (await showTo(verifier, client)) === 'refused',
      );
  for (const { name } of verifiers.all)
    for (let version = 1; version <= versions; version++)
      assert.ok(traffic.served(name, `CN=${nameOf(version)}`) > 0, `${name} has served clients of v${version}`);
  const { generations = [] } = await statusOfPlace(place);
  assert.is(generations.length, versions, 'each request has made one CA');
}

/** A certificate by the key of a CA generation, which its Secret has until it is retired. */
async function leafOf({ world, home }: Place, version: number): Promise<Pair> {
  const secret = (await generationSecrets(world, home)).find(({ metadata }) =>
    metadata?.name?.endsWith(`-v${version}`),
  );
  const text = (key: string) => Buffer.from(secret?.data?.[key] ?? '', 'base64').toString();
  return makeLeaf({ certificate: text('tls.crt'), key: text('tls.key') }, 'late');
}

function figures(stage: Stage, readers: readonly ServerReader[], what: string): string {
  const { traffic, rogue, clients } = stage;
  const programs = readers.map(({ name }) => name).join(', ');
  return [
    `# ${what}: ${traffic.requests()} requests of ${clients.all.length} clients to ${programs}, ${traffic.failures().length} failed`,
    `${rogue.attempts()} of a rogue, ${rogue.accepted().length} accepted`,
    `${certificatesIssued(stage)} certificates`,
  ].join('; ');
}
