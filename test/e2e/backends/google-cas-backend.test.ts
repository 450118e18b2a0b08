import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Backend, Issued } from '../../../src/backends/backend.ts';
import { systemClock } from '../../../src/clock.ts';
import type { CertwheelError } from '../../../src/errors.ts';
import { stopAll } from '../../teardown.ts';
import { issueRequest, leafOf } from '../../unit/issue-request.ts';
import { lazily } from '../support/lazily.ts';
import { type DirectOptions, directGoogle } from './google-cas-direct.ts';
import { googleSpec, KEY_SECRET } from './google-cas-subject.ts';
import { type GoogleCas, startGoogleCas } from './servers/google-cas.ts';
import { CERTWHEEL, REQUESTER } from './servers/google-identities.ts';
import { addCa, newPool, type Pool } from './servers/google-pools.ts';
import type { Spec } from './subject.ts';

// googleCAS by itself in front of the fake: lost answers, tiers, quotas, revocation, and what each account may do.

const { signal } = new AbortController();
const fake = lazily(startGoogleCas);
test.after(stopAll);
let count = 0;

interface Here {
  readonly google: GoogleCas;
  readonly pool: Pool;
  readonly email: string;
  readonly backend: Backend & Required<Pick<Backend, 'revoke'>>;
  /** The same authority in another replica, or after a restart. */
  another(options?: DirectOptions, spec?: Spec): Here['backend'];
}

/** A pool of its own, and an account that may do these things. */
async function here(
  tier: Pool['tier'] = 'ENTERPRISE',
  permissions: readonly string[] = [...REQUESTER, ...CERTWHEEL],
): Promise<Here> {
  const google = await fake.get();
  count += 1;
  const pool = newPool(`pool-${count}`, tier);
  await addCa(pool, 'ca-1');
  google.service.pools.set(pool.id, pool);
  const email = google.identities.addAccount(`account-${count}`, permissions);
  const secrets = { [KEY_SECRET]: { 'key.json': google.identities.keyFile(email) } };
  const another = (options: DirectOptions = {}, spec: Spec = {}) =>
    directGoogle(googleSpec(google, { caPool: pool.id, ...spec }), { secrets, ...options });
  return { google, pool, email, backend: another(), another };
}

const failure = (asking: Promise<unknown>): Promise<CertwheelError> =>
  asking.then(
    () => assert.unreachable('it was answered') as never,
    (error: CertwheelError) => error,
  );
const idOf = (issued: unknown) => (issued as Issued).externalId ?? '';

test('a repeated request, of a replica too, gets the same certificate, and one is signed', async () => {
  const { backend, another, pool } = await here();
  const request = await issueRequest();
  const answers = await Promise.all([backend, another(), another()].map((each) => each.issue(request, signal)));
  assert.is(new Set(answers.map((each) => leafOf(each).serialNumber)).size, 1);
  assert.is(pool.booked, 1);
});

test('an answer that was lost longer ago than Google remembers requests is read, and one is signed', async () => {
  const { backend, pool } = await here();
  const request = await issueRequest();
  const { serialNumber } = leafOf(await backend.issue(request, signal));
  pool.requests.clear();
  const again = await backend.issue(request, signal);
  assert.is(leafOf(again).serialNumber, serialNumber);
  assert.is(pool.booked, 1);
});

test('where that may not be read, or is for another key, another request is made', async () => {
  const { backend, pool } = await here('ENTERPRISE', [...REQUESTER, 'privateca.caPools.get']);
  const request = await issueRequest();
  await backend.issue(request, signal);
  pool.requests.clear();
  const denied = await failure(backend.issue(request, signal));
  assert.equal([denied.name, denied.code], ['RetryableError', 'RequestFailed']);
  assert.match(denied.message, 'privateca.certificates.get');
  const { backend: other, pool: otherPool } = await here();
  await other.issue(request, signal);
  otherPool.requests.clear();
  const foreign = await failure(other.issue({ ...(await issueRequest()), id: request.id }, signal));
  assert.equal([foreign.code, foreign.message.includes('is for another key')], ['RequestFailed', true]);
});

test('a chain has no root, and the anchors are the roots of all CAs, staged ones too', async () => {
  const { backend, pool } = await here();
  const staged = await addCa(pool, 'ca-2', 'STAGED');
  const { chain } = (await backend.issue(await issueRequest(), signal)) as Issued;
  assert.is(chain.length, 2);
  const { anchors, intermediates } = await backend.trust(signal);
  assert.equal(
    anchors.map(({ fingerprintSHA256 }) => fingerprintSHA256),
    pool.cas.map(({ top }) => top.certificate.fingerprintSHA256),
  );
  assert.is(intermediates.length, 2);
  assert.ok(anchors.some(({ fingerprintSHA256 }) => fingerprintSHA256 === staged.top.certificate.fingerprintSHA256));
});

test('the CA that the spec names signs', async () => {
  const { another, pool } = await here();
  const second = await addCa(pool, 'ca-2');
  const issued = await another({}, { certificateAuthority: 'ca-2' }).issue(await issueRequest(), signal);
  assert.is(leafOf(issued).issuerText, second.signer.certificate.subjectText);
});

test('a life is cut to that of the pool', async () => {
  const { backend, pool } = await here();
  pool.issuancePolicy = { maximumLifetime: '600s' };
  const leaf = leafOf(await backend.issue(await issueRequest('short', { lifetimeMs: 86_400_000 }), signal));
  assert.ok(leaf.notAfter.getTime() - Date.now() <= 601_000);
});

test('each reason of a revocation is told as Google calls it, by the id and by the serial number', async () => {
  const { backend, pool } = await here();
  const states = {
    unspecified: 'REVOCATION_REASON_UNSPECIFIED',
    keyCompromise: 'KEY_COMPROMISE',
    affiliationChanged: 'AFFILIATION_CHANGED',
    superseded: 'SUPERSEDED',
    cessationOfOperation: 'CESSATION_OF_OPERATION',
  } as const;
  for (const [reason, state] of Object.entries(states)) {
    const issued = await backend.issue(await issueRequest(), signal);
    const { serialNumber } = leafOf(issued);
    const externalId = reason === 'superseded' ? undefined : idOf(issued);
    await backend.revoke({ serialNumber, externalId }, reason as keyof typeof states, signal);
    assert.is(pool.certificates.get(idOf(issued))?.revocationDetails?.revocationState, state);
  }
});

test('an id that was forged to revoke another certificate revokes nothing', async () => {
  const { backend, pool } = await here();
  const [own, other] = [
    await backend.issue(await issueRequest(), signal),
    await backend.issue(await issueRequest(), signal),
  ];
  const { serialNumber } = leafOf(own);
  for (const externalId of [idOf(other), '../../caPools/x', 'a'.repeat(64)]) {
    const error = await backend.revoke({ serialNumber, externalId }, 'superseded', signal).then(
      () => undefined,
      (thrown: CertwheelError) => thrown,
    );
    if (externalId === idOf(other)) assert.is(error?.code, 'RequestDenied');
  }
  assert.is(pool.certificates.get(idOf(other))?.revocationDetails, undefined);
});

test('the tier DevOps issues, is told of, and refuses to revoke before Google is asked', async () => {
  const { backend, pool, google } = await here('DEVOPS');
  await backend.check(signal);
  const shown = backend.verified;
  assert.match(typeof shown === 'function' ? shown() : '', 'tier DevOps keeps no certificates, so none can be revoked');
  const { serialNumber } = leafOf(await backend.issue(await issueRequest(), signal));
  const before = google.calls.length;
  const error = await failure(backend.revoke({ serialNumber }, 'superseded', signal));
  assert.equal([error.name, error.code], ['DeniedError', 'UnsupportedByAuthority']);
  assert.is(google.calls.length, before);
  assert.is(pool.booked, 1);
});

test('a quota that is used up has the pause that Google asks for', async () => {
  const { backend, google, pool } = await here();
  google.service.exhaustedFor = 7;
  const error = await failure(backend.issue(await issueRequest(), signal));
  google.service.exhaustedFor = undefined;
  assert.equal([error.code, error.retryAfterMs, pool.booked], ['AuthorityBusy', 7_000, 0]);
});

test('names that the pool refuses are denied, and the authority stays well', async () => {
  const { backend } = await here();
  const error = await failure(backend.issue(await issueRequest('forbidden'), signal));
  assert.equal([error.name, error.code], ['DeniedError', 'RequestDenied']);
  await backend.check(signal);
});

test('what the pool drops is refused before Google is asked', async () => {
  const { backend, pool, google } = await here();
  pool.issuancePolicy = { identityConstraints: { allowSubjectAltNamesPassthrough: true } };
  const before = google.calls.filter((call) => call.startsWith('POST')).length;
  const error = await failure(backend.issue(await issueRequest(), signal));
  assert.match(error.message, /drops the subject of requests, so spec\.commonName .*allowSubjectPassthrough: true/);
  assert.is(google.calls.filter((call) => call.startsWith('POST')).length, before);
});

test('a pool without a CA that is enabled is the trouble of the authority, also for a request', async () => {
  const { backend, pool } = await here();
  await backend.check(signal);
  for (const ca of pool.cas) ca.state = 'DISABLED';
  for (const asking of [backend.check(signal), backend.issue(await issueRequest(), signal)]) {
    const error = await failure(asking);
    assert.equal([error.name, error.code], ['AuthorityError', 'AuthorityMisconfigured']);
    assert.match(error.message, 'gcloud privateca roots list');
  }
});

test('a template whose limits may not be read is used; one that may not be used is named', async () => {
  const { another, google } = await here('ENTERPRISE', [...REQUESTER, 'privateca.caPools.get']);
  google.service.templates.set('client', { maximumLifetime: '600s' });
  await another({}, { certificateTemplate: 'client' }).check(signal);
  const { another: reader } = await here();
  const leaf = leafOf(await reader({}, { certificateTemplate: 'client' }).issue(await issueRequest(), signal));
  assert.ok(leaf.notAfter.getTime() - Date.now() <= 601_000);
});

test('a clock that is wrong is named as the reason, with how far it is off', async () => {
  const { another } = await here();
  for (const [minutes, side] of [
    [180, 'ahead of'],
    [-180, 'behind'],
  ] as const) {
    const now = () => new Date(Date.now() + minutes * 60_000);
    const clock = { now, monotonicMs: () => systemClock.monotonicMs(), sleep: systemClock.sleep.bind(systemClock) };
    const error = await failure(another({ clock: clock as typeof systemClock }).check(signal));
    assert.is(error.code, 'CredentialsRefused');
    assert.match(error.message, `the clock of the controller's node is about 180 min ${side} Google's`);
  }
});

test('no message has a token or part of a key', async () => {
  const { another, google, email } = await here('ENTERPRISE', []);
  const keyFile = google.identities.keyFile(email);
  google.identities.deleteKeys(email);
  const secrets = { [KEY_SECRET]: { 'key.json': keyFile } };
  for (const error of [await failure(another({ secrets }).check(signal)), await failure(another().check(signal))])
    assert.not.match(error.message, /eyJ|PRIVATE|ya29/);
});

test('nothing was sent or answered that is not in the description of the API', async () => {
  assert.equal((await fake.get()).violations, []);
});

test.run();
