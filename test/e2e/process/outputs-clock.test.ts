import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SECRETS } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { startAppHere } from '../support/app-here.ts';
import { createSecret, patchSecret } from '../support/edits.ts';
import { hasItsStore } from '../support/key-stores.ts';
import { clientCertificate, create, createAuthority, mounted, selfManaged, untilReady } from '../support/objects.ts';
import { eventually, oneWorld, type World } from '../support/world.ts';
import { bugs, lines } from './support/fleet.ts';

// The clock of the controller is set while it makes the key stores of many certificates, whose password has changed.

const HOUR = 3_600_000;
const MANY = 24;
/** For this long nothing is written once all is done. */
const QUIET_MS = 5_000;
const names = Array.from({ length: MANY }, (_, index) => `client-${index}`);
const passwordSecretRef = { name: 'store', key: 'password' };
/** The slowest that there is, so that the clock is set in the middle of the work. */
const keystores = { pkcs12: { create: true, passwordSecretRef, profile: 'LegacyDES' } };
const password = (text: string) => ({ data: { password: Buffer.from(text).toString('base64') } });

const shared = oneWorld();
test.after(shared.stop);

interface Jump {
  /** By how much the clock is ahead at first, and from the middle of the work on. */
  readonly from: number;
  readonly to: number;
}

/** Sets the clock in the middle of the work, and answers what there is when all stores have the new password. */
async function jump({ from, to }: Jump) {
  const world = await shared.get();
  const namespace = await world.namespace();
  const { logs, setTo, stop } = await startAppHere(world, namespace);
  setTo(from);
  await createAuthority(world, selfManaged(namespace));
  await createSecret(world, namespace, 'store', password('first'));
  for (const name of names) await create(world, clientCertificate(namespace, name, { keystores, duration: '24h' }));
  for (const name of names) await untilReady(world, namespace, name);
  const signedBefore = lines(logs, 'signing').length;
  await patchSecret(world, namespace, 'store', password('second'));
  await eventually('a third is done', () => lines(logs, 'Secret repaired').length > MANY / 3);
  setTo(to);
  const left = MANY - lines(logs, 'Secret repaired').length;
  assert.ok(left > MANY / 4, `${left} were left when the clock was set`);
  await eventually('all stores have the new password', () => haveAll(world, namespace, 'second'), 60_000);
  const secrets = await readAll(world, namespace);
  await sleep(QUIET_MS);
  const result = {
    secrets,
    later: await readAll(world, namespace),
    signed: lines(logs, 'signing').length - signedBefore,
  };
  await stop();
  assert.equal(bugs(logs), []);
  return result;
}

async function readAll(world: World, namespace: string): Promise<RawObject[]> {
  const found = await Promise.all(names.map((name) => world.client.get(SECRETS, namespace, `${name}-tls`)));
  return found.filter((each) => each !== undefined);
}

async function haveAll(world: World, namespace: string, secret: string): Promise<boolean> {
  // One after the other: the app runs in this process, and has to come to its turn.
  for (const each of await readAll(world, namespace)) if (!(await hasItsStore(each, secret))) return false;
  return true;
}

test('a clock that is set back by two hours signs nothing, and all stores get the new password', async () => {
  const { secrets, later, signed } = await jump({ from: 0, to: -2 * HOUR });
  assert.is(signed, 0);
  assert.is(secrets.length, MANY);
  // Nothing is written once more.
  const versions = (all: readonly RawObject[]) => all.map(({ metadata }) => metadata?.resourceVersion);
  assert.equal(versions(later), versions(secrets));
});

test('a clock that is set right after it was ten years ahead ends with stores of the new password', async () => {
  const { secrets } = await jump({ from: 10 * 365 * 24 * HOUR, to: 0 });
  assert.is(secrets.length, MANY);
});

test('a clock that is set forward beyond the end of all certificates renews each once, with stores of its new pair', async () => {
  const ahead = 25 * HOUR;
  const { later, signed } = await jump({ from: 0, to: ahead });
  assert.is(signed, MANY);
  for (const secret of later) {
    assert.ok((mounted(secret).leaf.validToDate.getTime() ?? 0) > Date.now() + ahead);
    assert.ok(await hasItsStore(secret, 'second'));
  }
});

test.run();
