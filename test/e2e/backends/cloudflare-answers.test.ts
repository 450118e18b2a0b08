import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Issued, IssueRequest } from '../../../src/backends/backend.ts';
import { AuthorityError, DeniedError } from '../../../src/errors.ts';
import { makeCsr } from '../../../src/pki/csr.ts';
import { generateKey, publicKeyDer } from '../../../src/pki/keys.ts';
import { stopAll } from '../../teardown.ts';
import { issueRequest, leafOf } from '../../unit/issue-request.ts';
import { type Direct, direct } from './cloudflare-direct.ts';
import { cloudflareSpec, startCloudflare } from './cloudflare-world.ts';
import { startMeddler } from './intercepting-proxy.ts';

// The backend by itself against the fake: lost answers, the quota, what is revoked, and hostnames.

const { signal } = new AbortController();
const MINUTE = 60_000;
test.after(stopAll);

async function failure(asking: Promise<unknown>): Promise<AuthorityError> {
  const thrown = await asking.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(thrown instanceof AuthorityError || thrown instanceof DeniedError, String(thrown));
  return thrown as AuthorityError;
}

async function issue({ backend }: Direct, request: IssueRequest): Promise<Issued> {
  return (await backend.issue(request, signal)) as Issued;
}

/** One more certificate, which the Secret of that name now holds in place of the one before. */
async function renew(on: Direct, held?: Issued): Promise<Issued> {
  const next = await issue(on, await issueRequest());
  const entry = (issued: Issued, supersededAt?: Date) => ({
    serialNumber: leafOf(issued).serialNumber,
    externalId: issued.externalId,
    supersededAt,
  });
  const others = on.booked.filter(({ externalId }) => externalId !== held?.externalId);
  const now = new Date(Date.now() + on.laterMs);
  on.booked = [entry(next), ...(held === undefined ? [] : [entry(held, now)]), ...others];
  return next;
}

test('a create whose answer is lost is not repeated: the next try finds its certificate, in this process or another', async () => {
  const world = await startCloudflare();
  const { fake } = world;
  const proxy = await startMeddler({ url: fake.origin, ca: fake.ca }, fake.tls);
  const behind = direct(world, { server: `${proxy.url}/client/v4` });
  const request = await issueRequest();
  proxy.meddle(async ({ method }, pass) => {
    const answer = await pass();
    return method === 'POST' ? { status: 502, body: '' } : answer;
  });
  assert.is((await failure(behind.backend.issue(request, signal))).code, 'AuthorityUnavailable');
  proxy.meddle(undefined);
  // As after a crash: another process with the same key makes the same request.
  const found = await issue(direct(world), request);
  assert.ok(leafOf(found).publicKeyDer.equals(request.publicKey));
  assert.is(leafOf(await issue(behind, request)).serialNumber, leafOf(found).serialNumber);
  assert.is(fake.zone.issued.length, 1);
});

test('two replicas that ask at once have one certificate at their next try, and neither is revoked that may be in use', async () => {
  const world = await startCloudflare();
  const replicas = [direct(world), direct(world)];
  const request = await issueRequest();
  const answers = await Promise.all(replicas.map((each) => issue(each, request)));
  const again = await Promise.all(replicas.map((each) => issue(each, request)));
  assert.is(new Set(again.map((each) => each.externalId)).size, 1);
  // The first one published what it had; both learn that the request is over.
  const [published] = answers;
  assert.ok(published);
  for (const each of replicas) {
    each.booked = [{ serialNumber: leafOf(published).serialNumber, externalId: published.externalId }];
    await each.backend.forget(request, signal);
    each.laterMs = 6 * MINUTE;
    await each.backend.check(signal);
  }
  assert.ok(world.fake.zone.active.some(({ id }) => id === published.externalId));
});

test('a key that is kept over a renewal gets a new certificate, not the one that was published', async () => {
  const world = await startCloudflare();
  const on = direct(world);
  const request = await issueRequest();
  const first = await issue(on, request);
  on.booked = [{ serialNumber: leafOf(first).serialNumber, externalId: first.externalId }];
  const second = await issue(on, { ...request, id: 'another' });
  assert.is.not(leafOf(second).serialNumber, leafOf(first).serialNumber);
});

test('what was superseded is revoked after revokeAfter, and neither what is held nor what others made', async () => {
  const world = await startCloudflare();
  const on = direct(world, { revokeAfter: '5m' });
  const foreign = await issue(direct(world), await issueRequest('of a person'));
  const first = await renew(on);
  const second = await renew(on, first);
  await on.backend.check(signal);
  assert.is(world.fake.zone.active.length, 3);
  on.laterMs = 5 * MINUTE + 1_000;
  await on.backend.check(signal);
  const active = world.fake.zone.active.map(({ id }) => id);
  assert.equal(active.sort(), [foreign.externalId, second.externalId].sort());
  assert.ok(on.logged.some(({ message }) => message === 'a superseded certificate was revoked'));
});

test('a revocation is of the certificate with that serial number, whatever id a Secret was made to list for it', async () => {
  const world = await startCloudflare();
  const on = direct(world);
  const mine = await issue(on, await issueRequest('mine'));
  const other = await issue(on, await issueRequest('of another tenant'));
  const { serialNumber } = leafOf(mine);
  await on.backend.revoke({ serialNumber: 'ab'.repeat(16), externalId: other.externalId }, 'superseded', signal);
  assert.is(world.fake.zone.active.length, 2);
  await on.backend.revoke({ serialNumber, externalId: other.externalId }, 'superseded', signal);
  assert.equal(
    world.fake.zone.active.map(({ id }) => id),
    [other.externalId],
  );
});

test('at the quota what was superseded makes room at once, and only as much as is needed', async () => {
  const world = await startCloudflare(3);
  const on = direct(world, { maxCertificates: 3 });
  const first = await renew(on);
  const second = await renew(on, first);
  const third = await renew(on, second);
  await on.backend.check(signal);
  assert.is(world.fake.zone.active.length, 3);
  const fourth = await renew(on, third);
  assert.equal(
    world.fake.zone.active.map(({ id }) => id),
    [second, third, fourth].map((each) => each.externalId),
  );
});

test('at the quota with nothing superseded, nothing is requested, and the reason names the zone and the figures', async () => {
  const world = await startCloudflare(2);
  const on = direct(world, { maxCertificates: 2 });
  await renew(on);
  await renew(on);
  const before = world.fake.calls.filter((call) => call.startsWith('POST')).length;
  const request = await issueRequest();
  for (const ask of [() => on.backend.issue(request, signal), () => on.backend.check(signal)]) {
    const { code, message } = await failure(ask());
    assert.is(code, 'AuthorityBusy');
    assert.match(message, `2 of 2 client certificates of zone ${world.fake.zone.zone} are in use`);
  }
  assert.is(world.fake.calls.filter((call) => call.startsWith('POST')).length, before);
});

test('a life beyond that of the CA is cut to the whole days that it has left', async () => {
  const world = await startCloudflare();
  const { backend } = direct(world);
  const request = await issueRequest();
  await backend.issue({ ...request, lifetimeMs: 20 * 365 * 86_400_000 }, signal);
  const [made] = world.fake.zone.issued;
  assert.is(made?.validity_days, 208, 'the CA of the fake has 5,000 hours left');
});

test("a quota below maxCertificates is told of as Cloudflare's", async () => {
  const world = await startCloudflare(1);
  const on = direct(world, { maxCertificates: 100 });
  await renew(on);
  const { code, message } = await failure(on.backend.issue(await issueRequest(), signal));
  assert.is(code, 'AuthorityBusy');
  assert.match(message, /error 1445\) at 1 active ones, below maxCertificates 100: set maxCertificates/);
});

test('the certificate of a request that is given up is revoked, one that was published is not', async () => {
  const world = await startCloudflare();
  const on = direct(world, { revokeAfter: '0s' });
  const [given, published] = [await issueRequest('given up'), await issueRequest('published')];
  await issue(on, given);
  const kept = await issue(on, published);
  const unpublished = await issueRequest('over, and perhaps published');
  const over = await issue(on, unpublished);
  for (const { id, requester } of [given, published])
    await on.backend.forget({ id, requester, isAbandoned: true }, signal);
  await on.backend.forget(unpublished, signal);
  on.booked = [{ serialNumber: leafOf(kept).serialNumber, externalId: kept.externalId }];
  await on.backend.check(signal);
  assert.is(world.fake.zone.active.length, 3);
  on.laterMs = MINUTE + 1_000;
  await on.backend.check(signal);
  assert.equal(
    world.fake.zone.active.map(({ id }) => id),
    [kept, over].map((each) => each.externalId),
  );
});

test('a replica that follows the authority revokes its own requests that it gave up, and nothing else', async () => {
  const world = await startCloudflare();
  const on = direct(world, { revokeAfter: '0s', hostnames: ['a.example'] });
  on.owns = false;
  const held = await renew(on, await renew(on));
  const given = await issueRequest('given up');
  await issue(on, given);
  await on.backend.forget({ id: given.id, requester: given.requester, isAbandoned: true }, signal);
  on.laterMs = MINUTE + 1_000;
  await on.backend.check(signal);
  assert.is(world.fake.zone.active.length, 2, 'the superseded one is left to the owner');
  assert.equal(world.fake.zone.associations().hostnames, []);
  on.owns = true;
  await on.backend.check(signal);
  assert.equal(
    world.fake.zone.active.map(({ id }) => id),
    [held.externalId],
  );
  assert.equal(world.fake.zone.associations().hostnames, ['a.example']);
});

test('more certificates than a page are all found', async () => {
  const world = await startCloudflare();
  const on = direct(world);
  const first = await issueRequest('first');
  const { externalId } = await issue(on, first);
  for (let n = 0; n < 120; n++) {
    const key = await generateKey({ algorithm: 'ECDSA', size: 256 });
    const csr = makeCsr({ key, subject: { commonName: `n${n}` }, names: first.identity.names, usages: [] });
    const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${csr.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
    world.fake.zone.create({ csr: pem, validity_days: 1 });
    assert.not.equal(publicKeyDer(key), first.publicKey);
  }
  assert.is((await issue(on, first)).externalId, externalId);
  await on.backend.check(signal);
  assert.is(typeof on.backend.verified === 'function' && on.backend.verified(), VERIFIED);
});

const VERIFIED = 'zone reachable, the API token may write; at most 200 of 2000 certificates are in use';

test('hostnames are kept as they are declared, and left alone without a declaration', async () => {
  const world = await startCloudflare();
  const { hostnames } = world.fake.zone;
  hostnames.set('', ['old.example.com']);
  await direct(world).backend.check(signal);
  assert.equal(hostnames.get(''), ['old.example.com']);
  const on = direct(world, { hostnames: ['b.example.com', 'a.example.com'] });
  await on.backend.check(signal);
  assert.equal(hostnames.get(''), ['b.example.com', 'a.example.com']);
  hostnames.set('', ['a.example.com', 'b.example.com']);
  const puts = () => world.fake.calls.filter((call) => call.startsWith('PUT')).length;
  const before = puts();
  await on.backend.check(signal);
  assert.is(puts(), before);
  await direct(world, { hostnames: [] }).backend.check(signal);
  assert.equal(hostnames.get(''), []);
});

test('a CSR that is refused denies one certificate, and no message holds the token', async () => {
  const world = await startCloudflare();
  const on = direct(world);
  const request = await issueRequest();
  const denied = await failure(on.backend.issue({ ...request, csr: () => Buffer.from('30023000', 'hex') }, signal));
  assert.instance(denied, DeniedError);
  assert.match(denied.message, 'was refused: 1404 Invalid certificate signing request');
  assert.not.match(denied.message, on.token);
  world.fake.tokens.delete(on.token);
  const refused = await failure(on.backend.check(signal));
  assert.is(refused.code, 'CredentialsRefused');
  assert.not.match(refused.message, on.token);
  assert.not.match(JSON.stringify(on.logged), on.token);
  assert.not.match(JSON.stringify(cloudflareSpec(world)), on.token);
});

test.run();
