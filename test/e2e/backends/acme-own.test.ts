import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isPending } from '../../../src/backends/backend.ts';
import { RetryableError } from '../../../src/errors.ts';
import { parseCertificates } from '../../../src/pki/certificate.ts';
import { chainsTo } from '../../../src/pki/chain.ts';
import { NO_NAMES } from '../../../src/pki/san.ts';
import { leafOf } from '../../unit/issue-request.ts';
import { thrownBy } from '../../unit/thrown-by.ts';
import { lazily } from '../support/lazily.ts';
import { acmeDirect, acmeRequest, dnsSolver, httpSolver, issueAll, StateInMemory } from './acme-direct.ts';
import { makeAcmeStepCa, startAcmeVault, stepCaSpec, vaultAcmeSpec } from './acme-servers.ts';
import { startChallengeServer } from './servers/challenges.ts';
import { startPebble } from './servers/pebble.ts';
import { base64 } from './vault-world.ts';

// The backend without a cluster, in front of three real servers.

const { signal } = new AbortController();
const challenges = lazily(startChallengeServer);
const pebble = lazily(async () => startPebble(await challenges.get(), { alternateRoots: 1 }));
const stepCa = lazily(async () => {
  const { dns, httpPort } = await challenges.get();
  const ca = await makeAcmeStepCa({ dns, httpPort });
  await ca.start();
  return ca;
});
const vault = lazily(async () => startAcmeVault(await challenges.get()));

const SERVERS = {
  'step-ca': async () => stepCaSpec(await stepCa.get()),
  Vault: async () => vaultAcmeSpec(await vault.get()),
};

async function ofPebble() {
  const server = await pebble.get();
  const trustBundle = { inline: await server.root(), partialChain: false };
  return { server, spec: { server: server.directory, caBundle: base64(server.ca), trustBundle } };
}

test('Pebble, which refuses every fifth nonce, takes each request; its certificate for servers is refused', async () => {
  const { spec } = await ofPebble();
  const answers = await challenges.get();
  const { backend, logged } = acmeDirect(spec, { solverFor: () => dnsSolver(answers) });
  await backend.check(signal);
  for (let times = 0; times < 5; times++) {
    const names = { dnsNames: [`a${times}.example.com`, `*.b${times}.example.com`] };
    const error = (await thrownBy(issueAll(backend, await acmeRequest({ names })))) as Error;
    assert.match(error.message, 'issued a certificate for servers alone, without the usage client auth');
  }
  assert.equal(
    logged.filter((line) => !line.startsWith('ACME account registered')),
    [],
  );
});

test('Pebble: of two chains the one is taken that leads to the trust bundle', async () => {
  const { server, spec } = await ofPebble();
  const answers = await challenges.get();
  const roots = [await server.root(0), await server.root(1)].flatMap((pem) => parseCertificates(pem));
  const { certificateOf, backend } = acmeDirect(spec, { solverFor: () => dnsSolver(answers) });
  const request = await acmeRequest();
  const first = await backend.issue(request, signal);
  assert.ok(isPending(first));
  await thrownBy(issueAll(backend, { ...request, ticket: first.ticket }));
  for (const root of roots) {
    const chain = await certificateOf(first.ticket, [root]);
    assert.ok(chainsTo(chain, [root]), root.subjectText);
  }
});

test('Pebble: renewal information is had for a certificate, and an order may say which one it replaces', async () => {
  const { spec } = await ofPebble();
  const answers = await challenges.get();
  const { backend, certificateOf } = acmeDirect(spec, { solverFor: () => dnsSolver(answers) });
  const dnsNames = ['replaced.example.com'];
  const request = await acmeRequest({ names: { dnsNames } });
  const first = await backend.issue(request, signal);
  assert.ok(isPending(first));
  await thrownBy(issueAll(backend, { ...request, ticket: first.ticket }));
  const [leaf] = await certificateOf(first.ticket);
  assert.ok(leaf);
  const info = await backend.renewalInfo?.(leaf, signal);
  assert.ok(info?.suggested && info.suggested < leaf.notAfter && info.askAgainInMs >= 60_000);
  // It takes an order that replaces one of the same account alone; any other is made without.
  const error = (await thrownBy(
    issueAll(backend, await acmeRequest({ names: { dnsNames }, replaced: leaf })),
  )) as Error;
  assert.match(error.message, 'issued a certificate for servers alone');
  const unknown = { authorityKeyId: 'ab'.repeat(20), serialNumber: '01' };
  assert.is((await backend.renewalInfo?.(unknown, signal))?.suggested, undefined);
});

test('step-ca: a life that it does not grant is no trouble of the authority, whose other certificates go on', async () => {
  const answers = await challenges.get();
  const spec = { ...(await SERVERS['step-ca']()), enableDurationFeature: true };
  const { backend } = acmeDirect(spec, { solverFor: () => dnsSolver(answers) });
  const tooLong = { ...(await acmeRequest()), lifetimeMs: 400 * 86_400_000 };
  const error = await thrownBy(issueAll(backend, tooLong));
  assert.instance(error, RetryableError);
  assert.match((error as Error).message, 'the request was answered 500');
});

for (const [name, specOf] of Object.entries(SERVERS)) {
  test(`${name}: a certificate for clients, by dns-01, for a name, a wildcard and a common name`, async () => {
    const answers = await challenges.get();
    const { backend } = acmeDirect(await specOf(), { solverFor: () => dnsSolver(answers) });
    await backend.check(signal);
    const names = { dnsNames: ['alice.example.com', '*.b.example.com'] };
    const request = await acmeRequest({ names, commonName: 'alice.example.com' });
    const leaf = leafOf(await issueAll(backend, request));
    assert.equal(leaf.usages, ['digital signature', 'client auth']);
    assert.equal([...leaf.names.dnsNames].sort(), [...names.dnsNames].sort());
    assert.ok(leaf.publicKeyDer.equals(request.publicKey));
    assert.is(leaf.subject.commonName, 'alice.example.com');
  });

  test(`${name}: what is revoked once is revoked, and once more is no error`, async () => {
    const answers = await challenges.get();
    const { backend } = acmeDirect(await specOf(), { solverFor: () => dnsSolver(answers) });
    const issued = await issueAll(backend, await acmeRequest());
    const { serialNumber, der: leaf } = leafOf(issued);
    const { externalId } = issued;
    await backend.revoke?.({ serialNumber, externalId }, 'superseded', signal);
    await backend.revoke?.({ serialNumber, leaf, externalId }, 'superseded', signal);
  });

  test(`${name}: a URL that a Secret was made to list has no certificate of another serial number revoked`, async () => {
    const answers = await challenges.get();
    const { backend } = acmeDirect(await specOf(), { solverFor: () => dnsSolver(answers) });
    const { externalId } = await issueAll(backend, await acmeRequest());
    const error = (await thrownBy(
      backend.revoke?.({ serialNumber: 'ab'.repeat(16), externalId }, 'superseded', signal) ?? Promise.resolve(),
    )) as Error;
    assert.match(error.message, 'has another certificate than abab');
  });

  test(`${name}: it can't replace the key of an account, which is said, and the account goes on as before`, async () => {
    const answers = await challenges.get();
    const spec = await specOf();
    const state = new StateInMemory();
    await acmeDirect(spec, { state }).backend.check(signal);
    const before = state.kept?.data['account.key']?.toString();
    const error = (await thrownBy(
      acmeDirect({ ...spec, accountKeyRollover: 1 }, { state }).backend.check(signal),
    )) as Error;
    assert.match(error.message, "can't replace the key of an account (it has no keyChange)");
    const again = acmeDirect(spec, { state, solverFor: () => dnsSolver(answers) });
    await again.backend.check(signal);
    assert.is(state.kept?.data['account.key']?.toString(), before);
    assert.ok(leafOf(await issueAll(again.backend, await acmeRequest())));
  });
}

test('step-ca: an address is proven by http-01', async () => {
  const answers = await challenges.get();
  const { backend } = acmeDirect(stepCaSpec(await stepCa.get()), { solverFor: () => httpSolver(answers) });
  const names = { ...NO_NAMES, ipAddresses: ['127.0.0.1'] };
  assert.equal(leafOf(await issueAll(backend, await acmeRequest({ names }))).names.ipAddresses, ['127.0.0.1']);
});

test('step-ca: the duration is asked for where the spec says so', async () => {
  const answers = await challenges.get();
  const spec = { ...stepCaSpec(await stepCa.get()), enableDurationFeature: true };
  const { backend } = acmeDirect(spec, { solverFor: () => dnsSolver(answers) });
  const leaf = leafOf(await issueAll(backend, await acmeRequest()));
  const seconds = (leaf.notAfter.getTime() - Date.now()) / 1_000;
  assert.ok(seconds > 3_500 && seconds <= 3_600, `${seconds} s`);
});

test.after(async () => {
  await (await pebble.get()).stop();
  await (await challenges.get()).stop();
});
test.run();
