import { X509Certificate } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecretAuthority, pairData, putCaSecret } from './ca-secret.ts';
import { eventually } from './eventually.ts';
import { authorityStatusOf, conditionOf, createAuthority, selfManaged, statusOf } from './objects.ts';
import { makeCa } from './openssl.ts';
import type { World } from './world.ts';

/** Time for an authority to take the pair. */
const LIFE_MS = 8_000;

/**
 * A CertificateAuthority whose CA has ended: in trouble, with CA certificates that are known. `putPair` puts a new pair into
 * its Secret, with which it can issue again.
 */
export async function createLapsed(
  world: World,
  namespace: string,
  name: string,
  more: Record<string, unknown> = {},
): Promise<{ putPair(): Promise<unknown> }> {
  const put = async (commonName: string, notAfter?: Date) =>
    putCaSecret(world, namespace, `${name}-pair`, pairData(await makeCa(commonName, notAfter && { notAfter })));
  const endsAt = new Date(Date.now() + LIFE_MS);
  await put(`Lapsed ${name}`, endsAt);
  await createSecretAuthority(world, namespace, name, `${name}-pair`, more);
  const ready = async (status: string) =>
    conditionOf(await authorityStatusOf(world, namespace, name), 'Ready')?.status === status;
  await eventually(`${name} has its CA`, () => ready('True'));
  await sleep(Math.max(0, endsAt.getTime() - Date.now()));
  await eventually(`the CA of ${name} has ended`, () => ready('False'));
  return { putPair: () => put(`Second ${name}`) };
}

/** A first issue of such a certificate comes from the fallback after a tenth of this. */
export const SHORT = { duration: '1m' };
export const FALLBACK = { fallback: { name: 'reserve' } };

/** A namespace with the authority `ca`, which can't issue, and its fallback `reserve` with that spec. */
export async function playFallback(world: World, reserve: Record<string, unknown> = {}) {
  const namespace = await world.namespace();
  await createAuthority(world, selfManaged(namespace, 'reserve', reserve));
  const { putPair } = await createLapsed(world, namespace, 'ca', FALLBACK);
  await untilFallback(world, namespace, 'True');
  return { world, namespace, putPair };
}

/** Waits for the condition of the authority `ca`. */
export async function untilFallback(world: World, namespace: string, status: string, reason?: string): Promise<void> {
  await eventually(`FallbackReady is ${status} ${reason ?? ''}`, async () => {
    const found = conditionOf(await authorityStatusOf(world, namespace, 'ca'), 'FallbackReady');
    return found?.status === status && (reason ?? found.reason) === found.reason;
  });
}

export function untilIssuingSays(world: World, namespace: string, name: string, says: RegExp): Promise<true> {
  return eventually(`Issuing of ${name} says ${says}`, async () => {
    const message = conditionOf(await statusOf(world, namespace, name), 'Issuing')?.message ?? '';
    return says.test(message) || undefined;
  });
}

/** The subjects of a bundle, such as `CN=Test reserve`. */
export function subjectsIn(bundle = ''): string[] {
  const blocks = bundle.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((each) => new X509Certificate(each).subject);
}
