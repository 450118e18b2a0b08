import { randomInt } from 'node:crypto';
import * as assert from 'uvu/assert';
import type { ServerReader } from '../../../interop/support/reader.ts';
import { numberFrom } from '../../../pki/repeat.ts';
import { onStop } from '../../../teardown.ts';
import { FLAGS as PROBES, putServerCa, verifierAt } from '../../probes/verifier-world.ts';
import { seededRandom } from '../../process/support/chance.ts';
import { eventually } from '../../support/eventually.ts';
import { AT_ONCE, clientCertificate, create } from '../../support/objects.ts';
import { type Client, type Clients, type Member, mountClients } from './clients.ts';
import { addressOf, type Place, patchPlace, untilStatus } from './place.ts';
import { type Rogue, startRogue } from './rogue.ts';
import { startTraffic, type Traffic } from './traffic.ts';
import { startVerifiers, trustTarget, type Verifiers } from './verifiers.ts';

/** Flags of the controller; with the time that workloads have to load their Secrets. */
export function flags(propagation: string): string[] {
  return ['--trust-targets', 'configMaps', '--trust-propagation', propagation, ...PROBES];
}

export interface Wish {
  readonly readers: readonly ServerReader[];
  /** Verifiers that the authority doesn't name, and that nothing reloads. */
  readonly forgotten?: readonly ServerReader[];
  readonly members: readonly (Member & { readonly spec?: Readonly<Record<string, unknown>> })[];
  /** Of the authority, without `trust`. */
  readonly spec: Readonly<Record<string, unknown>>;
  /** Names of the CAs of the authority, present and future: the rogue's are called the same. */
  readonly caNames: readonly string[];
  readonly requestsPerSecond: number;
  /** How late clients and verifiers load at most; clients must be quicker than the propagation. */
  readonly lagMs: number;
}

/** An authority, its verifiers, its clients and a rogue, under constant traffic. */
export interface Stage {
  readonly place: Place;
  readonly verifiers: Verifiers;
  readonly clients: Clients;
  readonly traffic: Traffic;
  readonly rogue: Rogue;
  readonly seed: number;
  /** Waits until each client shows a certificate of that CA (`CN=…`). */
  untilReissued(issuer: string, clients?: readonly Client[]): Promise<void>;
  /** Ends all traffic after some more of it; fails if one request failed, or a rogue was not refused. */
  end(atLeast?: number): Promise<void>;
}

const ROGUE_EVERY_MS = 150;

/** Creates the authority and the members, starts all, and waits until the verifiers are shown to trust the first CA. */
export async function startStage(place: Place, wish: Wish): Promise<Stage> {
  const { world, home } = place;
  const seed = numberFrom('SEED') ?? randomInt(2 ** 31);
  console.log(`SEED=${seed}`);
  const random = seededRandom(seed);
  const lagMs = () => random() * wish.lagMs;
  await putServerCa(world, home);
  await createAuthority(place, wish.spec);
  for (const { namespace, name, spec } of wish.members)
    await create(world, clientCertificate(namespace, name, { ...authorityRef(place), ...spec }));
  const verifiers = await startVerifiers(place, wish.readers, lagMs, wish.forgotten);
  const declared = verifiers.all.slice(0, wish.readers.length).map(({ name, port }) => verifierAt(name, port));
  await patchPlace(place, { spec: { trust: { verifiers: declared } } });
  await untilStatus(place, 'the verifiers trust the CA', ({ verifiers: shown = [] }) => {
    return shown.length === declared.length && shown.every(({ generations }) => generations?.[0]?.verdict === 'Trusts');
  });
  const clients = await mountClients(world, wish.members, lagMs);
  const client = clients.all[0]?.commonName ?? '';
  const rogue = await startRogue(verifiers.all, { cas: wish.caNames, client }, ROGUE_EVERY_MS);
  const traffic = startTraffic(clients.all, verifiers.all, { perSecond: wish.requestsPerSecond });
  const halt = () => Promise.all([traffic.stop(), rogue.stop()]);
  // Also after an assertion that fails.
  onStop(halt);
  return {
    place,
    verifiers,
    clients,
    traffic,
    rogue,
    seed,
    untilReissued: async (issuer, of = clients.all) => {
      await eventually(`each client has a certificate of ${issuer}`, () =>
        of.every(({ held }) => held().issuer === issuer),
      );
    },
    end: async (atLeast = 0) => {
      const enough = Math.max(atLeast, traffic.requests() + 2 * clients.all.length * verifiers.all.length);
      await eventually('there is traffic', () => traffic.requests() >= enough, LONGEST_TRAFFIC_MS);
      await halt();
      const failed = [...traffic.failures(), ...verifiers.failures(), ...rogue.accepted(), ...rogue.odd()];
      assert.equal(failed, [], `${failed.length} failures`);
      for (const { name } of verifiers.all) assert.ok(rogue.refusals(name) > 0, `${name} has refused the rogue`);
      for (const { states } of clients.histories)
        for (const { name, issuer, trusted } of states)
          assert.ok(trusted.includes(issuer), `ca.crt of ${name} has the CA of its certificate`);
    },
  };
}

const LONGEST_TRAFFIC_MS = 600_000;

async function createAuthority(place: Place, spec: Readonly<Record<string, unknown>>): Promise<void> {
  const { resource, namespace, name } = addressOf(place);
  const targets = [trustTarget(resource.namespaced ? undefined : [place.home])];
  await place.world.client.create(resource, {
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    spec: { caRotation: AT_ONCE, ...spec, trust: { targets } },
  });
}

function authorityRef({ kind, name }: Place) {
  return { authorityRef: { kind, name } };
}

/** How many certificates the histories of Secrets show. */
export function certificatesIssued({ clients }: Stage): number {
  const serials = clients.histories.flatMap(({ states }) => states.map(({ secret }) => secret.leaf.serialNumber));
  return new Set(serials).size;
}
