import { X509Certificate } from 'node:crypto';
import { SECRETS } from '../../../src/api/names.ts';
import { onStop } from '../../teardown.ts';
import { writtenAt } from '../support/moments.ts';
import { type MountedSecret, mounted } from '../support/objects.ts';
import { eventually, type World } from '../support/world.ts';

/** One state of one Secret, in the order in which the API server tells of them. */
export interface SecretState {
  /** When the API server wrote it, in whole seconds. */
  readonly atMs: number;
  readonly name: string;
  readonly secret: MountedSecret;
  /** The label of the CA that signed the leaf, `nobody` where none is at hand, and those of ca.crt. */
  readonly issuer: string;
  readonly trusted: readonly string[];
}

/** Watches the Secrets of certificates in a namespace, next to the controller and without its code. */
export interface History {
  readonly states: readonly SecretState[];
  /** The state of each Secret just before an index of `states`. */
  before(index: number): ReadonlyMap<string, SecretState>;
  stop(): Promise<void>;
}

export async function watchSecrets({ client }: World, namespace: string, label: Label): Promise<History> {
  const selection = { namespace, labelSelector: 'certwheel.io/certificate-name' };
  const states: SecretState[] = [];
  const { metadata, items } = await client.list(SECRETS, selection);
  for (const item of items) states.push(stateOf(mounted(item), label));
  const stopping = new AbortController();
  const stream = await client.watch(SECRETS, {
    ...selection,
    resourceVersion: metadata.resourceVersion,
    timeoutSeconds: 600,
    idleMs: 600_000,
    signal: stopping.signal,
  });
  let broken: unknown;
  const reading = (async () => {
    for await (const { type, object } of stream)
      if (type === 'ADDED' || type === 'MODIFIED') states.push(stateOf(mounted(object), label));
  })().catch((error) => {
    broken = error;
  });
  return {
    states,
    before: (index) => new Map(states.slice(0, index).map((each) => [each.name, each])),
    stop: onStop(async () => {
      stopping.abort();
      if (broken !== undefined) throw broken;
      await reading;
    }),
  };
}

/** What a CA is called in a history; one that nobody named is `?`. */
export type Label = (ca: X509Certificate) => string;

export function byFingerprint(cas: Readonly<Record<string, X509Certificate>>): Label {
  return ({ fingerprint256 }) => Object.entries(cas).find(([, ca]) => ca.fingerprint256 === fingerprint256)?.[0] ?? '?';
}

function stateOf(secret: MountedSecret, label: Label): SecretState {
  const { leaf, chain, bundle } = secret;
  const anchors = certificatesOf(bundle);
  const issuer = [...certificatesOf(chain).slice(1), ...anchors].find(
    (ca) => leaf.checkIssued(ca) && leaf.verify(ca.publicKey),
  );
  return {
    atMs: writtenAt(secret.object).getTime(),
    name: secret.object.metadata?.name ?? '',
    secret,
    issuer: issuer === undefined ? 'nobody' : label(issuer),
    trusted: anchors.map(label).sort(),
  };
}

export function certificatesOf(pem: string): X509Certificate[] {
  return (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map(
    (block) => new X509Certificate(block),
  );
}

/** Asks until each Secret of the history is, at the end of it, as wanted. */
export function untilAll(
  what: string,
  history: History,
  wanted: (state: SecretState) => boolean,
  withinMs?: number,
): Promise<boolean> {
  return eventually(
    what,
    () => {
      const last = [...history.before(history.states.length).values()];
      return last.length > 0 && last.every(wanted);
    },
    withinMs,
  );
}
