import { setTimeout as sleep } from 'node:timers/promises';
import { CONFIG_MAPS } from '../../../../src/api/names.ts';
import type { RawObject } from '../../../../src/api/parse.ts';
import { go } from '../../../interop/servers/go.ts';
import { java } from '../../../interop/servers/java.ts';
import { nginx } from '../../../interop/servers/nginx.ts';
import { available } from '../../../interop/support/available.ts';
import type { ServerReader } from '../../../interop/support/reader.ts';
import { onStop } from '../../../teardown.ts';
import { certificatesOf } from '../../authority/history.ts';
import { startVerifier, type Verifying } from '../../probes/verifier-world.ts';
import { eventually } from '../../support/eventually.ts';
import type { Place } from './place.ts';

/** nginx loads new files at a signal, Go at each connection, and Java looks for them each second. */
export const READERS: readonly ServerReader[] = [nginx, go, java];

/** A server that demands client certificates of the CAs in a ConfigMap. */
export interface Verifier {
  readonly name: string;
  readonly port: number;
  readonly reader: ServerReader;
  /** Subjects of the CA certificates that it was given last, and when (performance.now). */
  readonly given: { readonly subjects: readonly string[]; readonly atMs: number };
}

/** The name of the ConfigMap. */
export const TARGET = 'client-ca';
const STORE = 'truststore.p12';
const POLL_MS = 100;

/** The target of `spec.trust.targets` that the verifiers read; Java reads the trust store in it. */
export function trustTarget(namespaces?: readonly string[]) {
  return {
    name: 'servers',
    configMap: { name: TARGET },
    additionalFormats: [{ type: 'PKCS12' }],
    requiredProof: 'Probed',
    ...(namespaces === undefined ? {} : { namespaces: { names: namespaces } }),
  };
}

/** Those that this machine has; a skipped test with the reason stands for each of the others. */
export async function installed(readers = READERS): Promise<readonly ServerReader[]> {
  const found: ServerReader[] = [];
  for (const reader of readers) {
    const program = await available(reader.title, reader.install);
    if (program !== undefined) found.push({ ...reader, install: async () => program });
  }
  return found;
}

interface Kubelet {
  /** Waits until each verifier has what the ConfigMap holds now. */
  settled(): Promise<void>;
  /** What went wrong with it. */
  failures(): readonly string[];
}

export interface Verifiers extends Kubelet {
  readonly all: readonly Verifier[];
}

/**
 * Starts the verifiers on the content of the ConfigMap, and plays the kubelet: each change of the ConfigMap becomes the file
 * of a verifier `lagMs()` later, and then the verifier reloads in its own way. Those in `forgotten` get no change.
 */
export async function startVerifiers(
  place: Place,
  readers: readonly ServerReader[],
  lagMs: () => number,
  forgotten: readonly ServerReader[] = [],
): Promise<Verifiers> {
  const first = await eventually(`ConfigMap ${TARGET} is there`, () => readTarget(place));
  const started = [];
  for (const reader of [...readers, ...forgotten]) {
    const server = await startVerifier(reader, pemOf(first), storeOf(first));
    if (typeof server === 'string') throw new Error(`${reader.title}: ${server}`);
    started.push({ reader, server, name: reader.name, port: server.port, given: givenNow(first) });
  }
  const kubelet = playKubelet(place, started.slice(0, readers.length), first, lagMs);
  return { all: started, ...kubelet };
}

interface Started extends Verifier {
  readonly server: Verifying;
  given: Verifier['given'];
}

function playKubelet(place: Place, verifiers: readonly Started[], first: RawObject, lagMs: () => number): Kubelet {
  const failures: string[] = [];
  const stopping = new AbortController();
  let current = first;
  const follow = async (verifier: Started) => {
    let held = first;
    while (!stopping.signal.aborted) {
      await sleep(POLL_MS);
      const next = current;
      if (pemOf(next) === pemOf(held)) continue;
      await sleep(lagMs());
      await verifier.server.trust(pemOf(next), storeOf(next)).catch((error: Error) => {
        failures.push(`${verifier.name} did not load its CA file: ${error.message}`);
      });
      verifier.given = givenNow(next);
      held = next;
    }
  };
  const look = async () => {
    while (!stopping.signal.aborted) {
      await sleep(POLL_MS);
      const found = await readTarget(place).catch(() => undefined);
      if (found !== undefined) current = found;
    }
  };
  const running = [look(), ...verifiers.map(follow)];
  onStop(async () => {
    stopping.abort();
    await Promise.all(running);
  });
  return {
    failures: () => failures,
    settled: async () => {
      await eventually('each verifier has the CA file of the ConfigMap', async () => {
        const wanted = subjectsOf(await readTarget(place)).join();
        return verifiers.every(({ given }) => given.subjects.join() === wanted);
      });
    },
  };
}

export function readTarget({ world, home }: Place): Promise<RawObject | undefined> {
  return world.client.get(CONFIG_MAPS, home, TARGET);
}

function pemOf(object: RawObject | undefined): string {
  return object?.data?.['ca.crt'] ?? '';
}

function storeOf(object: RawObject): Readonly<Record<string, Uint8Array>> {
  const store = object.binaryData?.[STORE];
  return store === undefined ? {} : { [STORE]: Buffer.from(store, 'base64') };
}

export function subjectsOf(object: RawObject | undefined): string[] {
  return certificatesOf(pemOf(object)).map(({ subject }) => subject);
}

function givenNow(object: RawObject): Verifier['given'] {
  return { subjects: subjectsOf(object), atMs: performance.now() };
}
