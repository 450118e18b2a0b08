import { generateKeyPairSync } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HOUR, hoursFromNow, NOW, P256, pairOf, root } from '../../../test/pki/make.ts';
import { FakeClock } from '../../../test/unit/fake-clock.ts';
import type { CaPair } from '../../pki/ca.ts';
import { generateKey, publicKeyDer } from '../../pki/keys.ts';
import { NO_NAMES } from '../../pki/san.ts';
import { isIssuedBy } from '../../pki/signed-by.ts';
import type { IssueRequest } from '../backend.ts';
import type { BackendDeps } from '../backend-deps.ts';
import { ownCA } from './own-ca.ts';

const MINUTE = 60_000;
const { signal } = new AbortController();
const key = await generateKey(P256);
const pair = pairOf(await root());

function authority(signing: CaPair | undefined) {
  const logged: [string, object][] = [];
  const deps = {
    name: 'ns/ca',
    clock: new FakeClock(NOW),
    log: { info: (message: string, fields: object) => logged.push([message, fields]) },
    signing: () => signing && { version: 4, path: signing, signer: signing.signer },
    trusted: () => (signing === undefined ? [] : [signing]),
  } as unknown as BackendDeps;
  return { logged, ...ownCA(deps) };
}

function request(lifetimeMs: number): IssueRequest {
  return {
    lifetimeMs,
    id: 'uid-1',
    requester: { namespace: 'ns', name: 'client', uid: 'uid' },
    publicKey: publicKeyDer(key),
    csr: () => Buffer.alloc(0),
    identity: {
      subject: { commonName: 'client' },
      names: NO_NAMES,
      usages: ['digital signature', 'client auth'],
    },
  };
}

async function issue(signing: CaPair, lifetimeMs: number) {
  const { chain, generation } = await authority(signing).issue(request(lifetimeMs), signal);
  const [leaf, ...issuers] = chain;
  if (leaf === undefined) throw new Error('no certificate');
  return { leaf, issuers, generation };
}

test('a certificate reaches back by a tenth of its life, a minute at most', async () => {
  const short = await issue(pair, 2 * MINUTE);
  assert.equal(short.leaf.notBefore, new Date(NOW.getTime() - 12_000));
  assert.equal(short.leaf.notAfter, new Date(NOW.getTime() + 2 * MINUTE));
  assert.is(short.generation, 4);
  assert.equal(
    short.issuers.map(({ fingerprintSHA256 }) => fingerprintSHA256),
    [pair.certificate.fingerprintSHA256],
  );
  const long = await issue(pair, 24 * HOUR);
  assert.equal(long.leaf.notBefore, new Date(NOW.getTime() - MINUTE));
});

test('it begins no earlier and ends no later than its CA', async () => {
  const young = pairOf(await root({ notBefore: new Date(NOW.getTime() - 5_000), notAfter: hoursFromNow(2) }));
  const { leaf } = await issue(young, 24 * HOUR);
  assert.equal(leaf.notBefore, young.certificate.notBefore);
  assert.equal(leaf.notAfter, young.certificate.notAfter);
});

test('a signature that takes long is made off the event loop, and others are made at once', async () => {
  const large = generateKeyPairSync('rsa', { modulusLength: 4608 }).privateKey;
  const dear = pairOf(await root({ key: large }));
  for (const [signing, first] of [
    [pair, 'signed'],
    [dear, 'event loop'],
  ] as const) {
    const signed = issue(signing, HOUR);
    const order = await Promise.race([signed.then(() => 'signed'), setImmediate('event loop')]);
    assert.is(order, first, signing.certificate.keySpec?.algorithm);
    assert.ok(isIssuedBy((await signed).leaf, signing.certificate));
  }
});

test('each signature is logged before it is made, with its requester and without any private key', async () => {
  const { logged, issue: ask } = authority(pair);
  const { chain } = await ask(request(HOUR), signal);
  assert.equal(logged, [
    [
      'signing',
      {
        authority: 'ns/ca',
        generation: 4,
        serial: chain[0]?.serialNumber,
        namespace: 'ns',
        name: 'client',
        uid: 'uid',
      },
    ],
  ]);
});

test('the line before a signature names the rule that permits it, where one is needed', async () => {
  const { logged, issue: ask } = authority(pair);
  await ask({ ...request(HOUR), rule: 'web' }, signal);
  assert.equal(
    logged.map(([, fields]) => (fields as { rule?: string }).rule),
    ['web'],
  );
});

test('a certificate whose signature comes later is in the log before that, and not in the answer before', async () => {
  const gate = Promise.withResolvers<void>();
  const sign = async (tbs: Uint8Array) => {
    await gate.promise;
    return pair.signer.sign(tbs);
  };
  const { logged, issue: ask } = authority({ ...pair, signer: { ...pair.signer, sign } });
  const answer = ask(request(HOUR), signal);
  assert.is(await Promise.race([answer.then(() => 'answered'), setImmediate('waiting')]), 'waiting');
  assert.is(logged.length, 1);
  gate.resolve();
  const [leaf] = (await answer).chain;
  assert.ok(leaf !== undefined && isIssuedBy(leaf, pair.certificate));
});

test('without a generation that signs it is not healthy, and issues nothing', async () => {
  const { check, issue: ask, trust } = authority(undefined);
  for (const call of [() => check(signal), () => ask(request(HOUR), signal)]) {
    const error = await call().then(
      () => undefined,
      (thrown) => thrown,
    );
    assert.is(error?.code, 'CAExpired');
  }
  assert.equal(await trust(signal), { anchors: [], intermediates: [] });
});

test('the last second of a CA signs nothing', async () => {
  const ending = pairOf(await root({ notAfter: new Date(NOW.getTime() + 900) }));
  const { logged, issue: ask } = authority(ending);
  const error = await ask(request(HOUR), signal).catch((thrown) => thrown);
  assert.is(error.code, 'CAExpired');
  assert.equal(logged, []);
});

test('a CA that is not valid yet is called that, as where the clock of another replica is ahead', async () => {
  const early = pairOf(await root({ notBefore: hoursFromNow(1) }));
  const deps = {
    name: 'ns/ca',
    clock: new FakeClock(NOW),
    signing: () => undefined,
    trusted: () => [early],
  } as unknown as BackendDeps;
  const said = await ownCA(deps).check(signal).catch(String);
  assert.match(String(said), `is not valid before ${hoursFromNow(1).toISOString()} by the clock of this replica`);
  const without = await ownCA({ ...deps, trusted: () => [] })
    .check(signal)
    .catch(String);
  assert.match(String(without), /has no CA generation that is valid$/);
});

test.run();
