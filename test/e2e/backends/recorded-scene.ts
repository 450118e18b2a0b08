import * as assert from 'uvu/assert';
import { CLIENT_CERTIFICATES, resourcePath, SECRETS } from '../../../src/api/names.ts';
import { clientCertificate, mounted } from '../support/objects.ts';
import { faultsOfHistory, issuances, type StoredCertificate } from '../support/secret-witness.ts';
import { type Witness, witness } from '../support/witness.ts';
import { eventually } from '../support/world.ts';
import type { AskingPlace, Stage } from './forged-answers.ts';

const WAIT_MS = 60_000;
const LOOK_AGAIN_MS = 200;
const LONGEST_MESSAGE = 1_024;

/** A stage, with every version of its Secrets and ClientCertificates. */
export interface RecordedScene extends Stage {
  readonly secrets: Witness;
  readonly certificates: Witness<StoredCertificate>;
}

/** Starts the stage, and records every write to it from then on. */
export async function open(stage: () => Promise<Stage>): Promise<RecordedScene> {
  const started = await stage();
  const { world, controller } = started;
  const [secrets, certificates] = await Promise.all([
    witness(world, resourcePath(SECRETS)),
    witness<StoredCertificate>(world, resourcePath(CLIENT_CERTIFICATES)),
  ]);
  // A gauge of the maximum since the last scrape: the start of the controller doesn't count.
  await controller.metrics();
  return { ...started, secrets, certificates };
}

/** The ClientCertificate of that name in that place. */
export function wanted({ namespace, certificate }: AskingPlace, name: string) {
  const spec = { duration: '1h', dnsNames: [`${name}.example.com`], ...certificate?.(name) };
  return clientCertificate(namespace, name, spec);
}

/** Waits until so many certificates were published under that name; returns the last of them. */
export async function untilIssued({ secrets }: RecordedScene, name: string, count: number) {
  const object = await until(`${name} has certificate number ${count}`, () => {
    const issued = issuances(secrets.versions(`${name}-tls`));
    return issued.length >= count ? issued.at(-1)?.object : undefined;
  });
  return mounted(object);
}

/** Waits until the status has reported that failure, in a message without keys, control characters or excess length. */
export async function untilFailed(where: RecordedScene, name: string, says: string): Promise<void> {
  let last = 'nothing';
  const message = await untilSaid(where, name, ({ status }) => {
    const { reason, message: said = '' } = status?.lastFailure ?? {};
    if (reason !== undefined) last = `${reason}: ${said}`;
    return said.includes(says) ? said : undefined;
  }).catch((error: Error) => {
    const refusal = where.refusal?.(name) ?? 'nothing';
    throw new Error(`${error.message}: not ${JSON.stringify(says)}, but ${last}; the server says ${refusal}`);
  });
  assert.not.match(message, 'BEGIN');
  assert.not.match(message, /[\p{Cc}\p{Cf}]/u);
  assert.ok(message.length <= LONGEST_MESSAGE);
}

/** Searches every status so far, since the next failure may replace this one. */
export function untilSaid<T>(
  { certificates }: RecordedScene,
  name: string,
  ask: (object: StoredCertificate) => T | undefined,
) {
  return until(`the status of ${name}`, () => {
    for (const { object } of certificates.versions(name)) {
      const answer = ask(object);
      if (answer !== undefined) return answer;
    }
    return undefined;
  });
}

/** Asks less often than `eventually` does, since many tests wait here at the same time and their records grow. */
export function until<T>(what: string, ask: () => T | undefined): Promise<T> {
  return eventually<T>(what, ask, WAIT_MS, LOOK_AGAIN_MS);
}

/** Every certificate that its Secret has held was an honest answer, and every version of the Secret was good. */
export function proveHistory({ secrets, forged }: RecordedScene, name: string, count: number): void {
  const versions = secrets.versions(`${name}-tls`);
  assert.equal(faultsOfHistory(versions), []);
  const published = issuances(versions).map(({ object }) => mounted(object).chain);
  assert.ok(published.every((chain) => forged.truthsFor(name).includes(chain)));
  assert.is(published.length, count);
}
