import type { AuthorityStatus } from '../../../src/api/generated/types.ts';
import { EVENTS, SECRETS } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { createSecretAuthority, pairData, putCaSecret } from '../support/ca-secret.ts';
import { eventually, PATIENCE_MS } from '../support/eventually.ts';
import { authorityStatusOf, conditionOf } from '../support/objects.ts';
import { type CaFiles, makeCa } from '../support/openssl.ts';
import type { World } from '../support/world.ts';
import { byFingerprint, type History, watchSecrets } from './history.ts';
import { createMembers, startTraffic, type Traffic } from './traffic.ts';

export const CLIENTS = ['alice', 'bob', 'carol'] as const;

/** An authority `ca` of the backend `secret` in a namespace of its own, with a server, clients and a record of their Secrets. */
export interface Swap {
  readonly namespace: string;
  readonly cas: Readonly<Record<'v1' | 'v2' | 'v3', CaFiles>>;
  readonly history: History;
  readonly traffic: Traffic;
  /** Writes another pair into the Secret of the CA, as an operator does. */
  put(ca: CaFiles): Promise<void>;
  status(): Promise<AuthorityStatus>;
  /** Waits until the generation of this CA is the only one in use. */
  untilOnly(ca: CaFiles): Promise<AuthorityStatus>;
  stop(): Promise<void>;
}

interface SwapWish {
  readonly clients?: readonly string[];
  readonly duration?: string;
  readonly cas?: Swap['cas'];
}

export async function startSwap(
  world: World,
  { clients = CLIENTS, duration = '1m', cas: given }: SwapWish = {},
): Promise<Swap> {
  const namespace = await world.namespace();
  const cas = given ?? (await makeCas());
  const put = (ca: CaFiles) => putCaSecret(world, namespace, 'ca-pair', pairData(ca));
  await put(cas.v1);
  await createSecretAuthority(world, namespace, 'ca', 'ca-pair');
  await createMembers(world, namespace, clients, duration);
  const named = { v1: cas.v1.x509, v2: cas.v2.x509, v3: cas.v3.x509 };
  const history = await watchSecrets(world, namespace, byFingerprint(named));
  const traffic = await startTraffic(world, namespace, clients);
  const status = () => authorityStatusOf(world, namespace, 'ca');
  return {
    namespace,
    cas,
    history,
    traffic,
    put,
    status,
    untilOnly: (ca) =>
      eventually(
        `${ca.x509.subject} is the only generation in use`,
        async () => onlyGeneration(await status(), ca),
        2 * PATIENCE_MS,
      ),
    stop: async () => {
      await traffic.stop();
      await history.stop();
    },
  };
}

async function makeCas(): Promise<Swap['cas']> {
  const [v1, v2, v3] = await Promise.all(['v1', 'v2', 'v3'].map((each) => makeCa(`Swap ${each}`)));
  return { v1, v2, v3 } as Swap['cas'];
}

function onlyGeneration(status: AuthorityStatus, ca: CaFiles): AuthorityStatus | undefined {
  const inUse = (status.generations ?? []).filter(({ state }) => state !== 'Retired');
  const [only] = inUse;
  const settled = inUse.length === 1 && conditionOf(status, 'Rotating') === undefined;
  return settled && only?.state === 'Active' && only.fingerprintSHA256 === fingerprintOf(ca) ? status : undefined;
}

export function fingerprintOf({ x509 }: CaFiles): string {
  return x509.fingerprint256.replaceAll(':', '').toLowerCase();
}

/** The Secrets of CA generations in a namespace. */
export async function generationSecrets({ client }: World, namespace: string): Promise<readonly RawObject[]> {
  return (await client.list(SECRETS, { namespace, labelSelector: 'certwheel.io/authority-name' })).items;
}

export interface EventObject {
  readonly reason: string;
  readonly note: string;
  readonly type: string;
  readonly regarding: { readonly kind: string; readonly name: string };
}

export async function eventsIn({ client }: World, namespace: string): Promise<readonly EventObject[]> {
  return (await client.list<EventObject>(EVENTS, { namespace })).items;
}
