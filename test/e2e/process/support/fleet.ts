import { isDeepStrictEqual } from 'node:util';
import type { ClientCertificateStatus } from '../../../../src/api/generated/types.ts';
import { CLIENT_CERTIFICATES, SECRETS } from '../../../../src/api/names.ts';
import type { RawObject } from '../../../../src/api/parse.ts';
import type { LogLine } from '../../support/controller-process.ts';
import { eventually, PATIENCE_MS } from '../../support/eventually.ts';
import { clientCertificate, conditionOf, create } from '../../support/objects.ts';
import type { World } from '../../support/world.ts';

/** Certificates of one minute of which the next is due after 8 to 10 s: the quickest that there is. */
export const QUICK = { duration: '1m', renewBefore: '50s' };

export function numbered(count: number, prefix = 'c'): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

export async function createAll(
  world: World,
  namespace: string,
  names: readonly string[],
  spec: Record<string, unknown> = {},
): Promise<void> {
  await Promise.all(names.map((name) => create(world, clientCertificate(namespace, name, spec))));
}

/** So that the next test of the file finds nothing that comes due. */
export async function deleteAll(world: World, namespace: string): Promise<void> {
  const all = await list(world, namespace);
  await Promise.all(
    all.map(({ metadata }) => world.client.delete(CLIENT_CERTIFICATES, namespace, metadata?.name ?? '')),
  );
}

export async function list({ client }: World, namespace: string): Promise<readonly RawObject[]> {
  return (await client.list(CLIENT_CERTIFICATES, { namespace })).items;
}

export function isReady({ metadata, status }: RawObject): boolean {
  const told = (status ?? {}) as ClientCertificateStatus;
  return told.observedGeneration === metadata?.generation && conditionOf(told, 'Ready')?.status === 'True';
}

/** Waits until so many certificates are there and all are Ready; answers after how many milliseconds. */
export async function untilAllReady(
  world: World,
  namespace: string,
  count: number,
  withinMs = 2 * PATIENCE_MS,
): Promise<number> {
  const startedMs = performance.now();
  let last: readonly RawObject[] = [];
  await eventually(
    `${count} certificates of ${namespace} are Ready`,
    async () => {
      last = await list(world, namespace).catch(() => []);
      return last.length === count && last.every(isReady);
    },
    withinMs,
  ).catch((error: Error) => {
    const stuck = last.filter((each) => !isReady(each)).slice(0, 3);
    throw new Error(`${error.message}; such as ${JSON.stringify(stuck.map(({ status }) => status))}`);
  });
  return Math.round(performance.now() - startedMs);
}

/** uid, version and serial of everything that a controller writes: equal snapshots mean that nothing was written. */
export async function snapshot({ client }: World, namespace: string): Promise<Record<string, string>> {
  const [certificates, secrets] = await Promise.all([
    client.list(CLIENT_CERTIFICATES, { namespace }),
    client.list(SECRETS, { namespace }),
  ]);
  const entries = [...certificates.items, ...secrets.items].map(({ metadata, status, data }) => {
    const serial = (status as ClientCertificateStatus | undefined)?.serialNumber ?? data?.['tls.crt']?.length;
    return [`${metadata?.name}`, `${metadata?.uid} ${metadata?.resourceVersion} ${serial}`];
  });
  return Object.fromEntries(entries);
}

/** Waits until two looks a second apart see the same. */
export async function untilQuiet(world: World, namespace: string): Promise<Record<string, string>> {
  let before = await snapshot(world, namespace);
  return eventually(`${namespace} is quiet`, async () => {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const now = await snapshot(world, namespace);
    const quiet = isDeepStrictEqual(now, before);
    before = now;
    return quiet && now;
  });
}

/** The lines of one message, optionally of one certificate. */
export function lines(logs: readonly LogLine[], message: string, name?: string): LogLine[] {
  return logs.filter((line) => line.message === message && (name === undefined || line.name === name));
}

/** What a controller calls a bug of its own. */
export function bugs(logs: readonly LogLine[]): LogLine[] {
  return logs.filter(({ message }) =>
    /unexpected error|unhandled rejection|uncaught exception|by a bug|which is a bug/.test(message),
  );
}
