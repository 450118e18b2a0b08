import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { CLIENT_CERTIFICATES, resourcePath, SECRETS } from '../../../src/api/names.ts';
import { clientCertificate, mounted } from '../support/objects.ts';
import { faultsOfHistory, issuances, type StoredCertificate } from '../support/secret-witness.ts';
import { type Witness, witness } from '../support/witness.ts';
import { eventually } from '../support/world.ts';
import type { Stage } from './forged-answers.ts';
import type { Place } from './subject.ts';

const WAIT_MS = 60_000;
const LOOK_AGAIN_MS = 200;
const LONGEST_MESSAGE = 1_024;

/** A stage, and all that was ever seen of Secrets and certificates on it. */
export interface RecordedScene extends Stage {
  readonly secrets: Witness;
  readonly certificates: Witness<StoredCertificate>;
}

/** Takes the stage, and sees all that happens on it from then on. */
export async function open(stage: () => Promise<Stage>): Promise<RecordedScene> {
  const started = await stage();
  const { world, controller } = started;
  const [secrets, certificates] = await Promise.all([
    witness(world, resourcePath(SECRETS)),
    witness<StoredCertificate>(world, resourcePath(CLIENT_CERTIFICATES)),
  ]);
  // The greatest since the last scrape: what it took to start doesn't count.
  await controller.metrics();
  return { ...started, secrets, certificates };
}

/** The ClientCertificate of that name in that place. */
export function wanted({ namespace }: Place, name: string) {
  return clientCertificate(namespace, name, { duration: '1h', dnsNames: [`${name}.example.com`] });
}

/** Waits until so many certificates were published under that name; answers the last of them. */
export async function untilIssued({ secrets }: RecordedScene, name: string, count: number) {
  const object = await until(`${name} has certificate number ${count}`, () => {
    const issued = issuances(secrets.versions(`${name}-tls`));
    return issued.length >= count ? issued.at(-1)?.object : undefined;
  });
  return mounted(object);
}

/** Waits until the status has said that of a failure, in a message that is fit to be shown. */
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

/** Asks all that its status has ever said, since the next failure may be another one. */
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

/** Not as often as `eventually` asks: many wait here, and what they look through grows. */
export function until<T>(what: string, ask: () => T | undefined): Promise<T> {
  const asking = async () => {
    await sleep(LOOK_AGAIN_MS);
    return ask();
  };
  return eventually<T>(what, asking, WAIT_MS);
}

/** Whatever its Secret has held was answered honestly, and at no moment was it anything less than good. */
export function proveHistory({ secrets, forged }: RecordedScene, name: string, count: number): void {
  const versions = secrets.versions(`${name}-tls`);
  assert.equal(faultsOfHistory(versions), []);
  const published = issuances(versions).map(({ object }) => mounted(object).chain);
  assert.ok(published.every((chain) => forged.truthsFor(name).includes(chain)));
  assert.is(published.length, count);
}
