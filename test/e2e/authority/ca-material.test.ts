import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseCertificates } from '../../../src/pki/certificate.ts';
import { lines } from '../process/support/fleet.ts';
import { createSecretAuthority, pairData, putCaSecret } from '../support/ca-secret.ts';
import type { ControllerProcess } from '../support/controller-process.ts';
import { eventually } from '../support/eventually.ts';
import {
  authorityStatusOf,
  clientCertificate,
  conditionOf,
  create,
  readSecret,
  statusOf,
  untilReady,
} from '../support/objects.ts';
import { makeCa, opensslVerify } from '../support/openssl.ts';
import { oneScene } from '../support/scene.ts';
import type { World } from '../support/world.ts';

// CA files as operators bring them, from the key of a Secret to the verdict of a verifier on the client's certificate.

const run = promisify(execFile);
const CA = [
  'basicConstraints = critical, CA:true',
  'keyUsage = critical, keyCertSign, cRLSign',
  'subjectKeyIdentifier = hash',
];
const scene = oneScene({ authority: false, flags: ['--trust-propagation', '2s'] });
test.after(scene.stop);

interface Place {
  readonly world: World;
  readonly controller: ControllerProcess;
  readonly namespace: string;
  put(content: Readonly<Record<string, string>>): Promise<void>;
  untilAuthority(type: string, status: string, reason: string): Promise<string>;
}

/** A namespace with an authority `ca` over the Secret `pair`. */
async function place(content: Readonly<Record<string, string>>, partialChain = false): Promise<Place> {
  const { world, controller } = await scene.get();
  const namespace = await world.namespace();
  const put = (data: Readonly<Record<string, string>>) => putCaSecret(world, namespace, 'pair', data);
  await put(content);
  await createSecretAuthority(world, namespace, 'ca', 'pair', { secret: { name: 'pair', partialChain } });
  const untilAuthority = (type: string, status: string, reason: string) =>
    eventually(`${type}=${status} ${reason}`, async () => {
      const found = conditionOf(await authorityStatusOf(world, namespace, 'ca'), type);
      return found?.status === status && found.reason === reason && found.message;
    });
  return { world, controller, namespace, put, untilAuthority };
}

async function issued({ world, namespace }: Place, name: string, spec: Record<string, unknown> = {}) {
  await create(world, clientCertificate(namespace, name, spec));
  await untilReady(world, namespace, name);
  const secret = await readSecret(world, namespace, `${name}-tls`);
  assert.ok(secret);
  return { chain: parseCertificates(secret.chain), anchors: parseCertificates(secret.bundle), secret };
}

async function assertRefused(verifying: Promise<string>): Promise<void> {
  const outcome = await verifying.catch((error: Error) => error);
  assert.instance(outcome, Error, 'OpenSSL accepts it');
}

test('a CA for servers alone is refused, and does not replace a good one', async () => {
  const good = await makeCa('Good');
  const servers = await makeCa('Servers', { extensions: [...CA, 'extendedKeyUsage = serverAuth'] });
  const here = await place(pairData(good));
  const { chain } = await issued(here, 'alice');
  await here.put(pairData(servers));
  const message = await here.untilAuthority('Stalled', 'True', 'CAPairRefused');
  assert.match(message, /Secret .*\/pair, key tls\.crt: .*client auth.*CN=Servers.*generation 1 stays in use/);
  const after = await issued(here, 'bob');
  assert.equal(after.chain[0]?.issuerDer, chain[0]?.issuerDer);
  assert.is((await authorityStatusOf(here.world, here.namespace, 'ca')).generations?.length, 1);
});

test('a name outside the permitted subtree is refused before anything is signed, and one inside is issued', async () => {
  const zoo = await makeCa('Zoo', {
    extensions: [...CA, 'nameConstraints = critical, permitted;DNS:zoo.example'],
  });
  const here = await place(pairData(zoo));
  await here.untilAuthority('Ready', 'True', 'Verified');
  await create(here.world, clientCertificate(here.namespace, 'shop', { dnsNames: ['payments.shop.svc'] }));
  await untilReady(here.world, here.namespace, 'shop', { status: 'False', reason: 'ForbiddenByCA' });
  const { message } = conditionOf(await statusOf(here.world, here.namespace, 'shop'), 'Ready') ?? {};
  assert.match(
    message ?? '',
    /spec\.dnsNames holds "payments\.shop\.svc".*CN=Zoo.*zoo\.example; ask for what the CA permits/,
  );
  const signed = lines(here.controller.logs, 'signing').filter(({ namespace }) => namespace === here.namespace);
  assert.equal(signed, []);
  const { secret } = await issued(here, 'lion', { dnsNames: ['lion.zoo.example'] });
  assert.is(await opensslVerify(secret.chain, secret.bundle), 'chain.pem: OK');
});

test('an intermediate alone is refused until its root is in ca.crt, and is then part of tls.crt', async () => {
  const root = await makeCa('Root', { organization: 'Test' });
  const below = await makeCa('Int', { organization: 'Test', issuer: root });
  const here = await place({ 'tls.crt': below.certificate, 'tls.key': below.key });
  const message = await here.untilAuthority('Ready', 'False', 'CAPairRefused');
  assert.match(message, /the root O=Test, CN=Root that signed O=Test, CN=Int is missing; put it into the key ca\.crt/);
  await here.put(pairData(below));
  const { chain, anchors, secret } = await issued(here, 'alice');
  assert.equal([chain.length, anchors.length], [2, 1]);
  assert.is(anchors[0]?.fingerprintSHA256, parseCertificates(root.certificate)[0]?.fingerprintSHA256);
  assert.is(await opensslVerify(secret.chain, secret.bundle), 'chain.pem: OK');
});

test('a partial chain is used where the spec allows one, and the condition names the verifiers that refuse it', async () => {
  const root = await makeCa('Root', { organization: 'Test' });
  const below = await makeCa('Int', { organization: 'Test', issuer: root });
  const here = await place({ 'tls.crt': below.certificate, 'tls.key': below.key }, true);
  const message = await here.untilAuthority('RefusedByVerifiers', 'True', 'PartialChain');
  assert.match(message, /CN=Int, which is not self-signed: Go and Java accept it, OpenSSL refuses it/);
  const { chain, anchors, secret } = await issued(here, 'alice');
  assert.equal(
    [chain, anchors].map((list) => list.map(({ subjectText }) => subjectText)),
    [['CN=alice', 'O=Test, CN=Int'], ['O=Test, CN=Int']],
  );
  // A server that trusts the real root finds the whole path in tls.crt.
  assert.is(await opensslVerify(secret.chain, root.certificate), 'chain.pem: OK');
  await assertRefused(opensslVerify(secret.chain, secret.bundle));
  await here.put(pairData(below));
  await eventually('the root is in ca.crt', async () => {
    const renewed = await readSecret(here.world, here.namespace, 'alice-tls');
    return (
      parseCertificates(renewed?.bundle ?? '')
        .map(({ subjectText }) => subjectText)
        .join() === 'O=Test, CN=Root'
    );
  });
  const after = await readSecret(here.world, here.namespace, 'alice-tls');
  assert.is(after?.leaf.serialNumber, secret.leaf.serialNumber);
});

test('a root that is renewed above the same intermediate reaches every ca.crt, and re-issues nothing', async () => {
  const day = 24 * 3_600_000;
  const root = await makeCa('Root', { notAfter: new Date(Date.now() + 30 * day) });
  const longer = await makeCa('Root', { key: root.key, notAfter: new Date(Date.now() + 900 * day) });
  const below = await makeCa('Int', { issuer: root });
  const here = await place({ ...pairData(below), 'ca.crt': root.certificate });
  const before = await issued(here, 'alice');
  await here.put({ ...pairData(below), 'ca.crt': longer.certificate + root.certificate });
  const wanted = parseCertificates(longer.certificate)[0]?.fingerprintSHA256;
  const after = await eventually('ca.crt holds the renewed root alone', async () => {
    const secret = await readSecret(here.world, here.namespace, 'alice-tls');
    const anchors = parseCertificates(secret?.bundle ?? '');
    return anchors.length === 1 && anchors[0]?.fingerprintSHA256 === wanted && secret;
  });
  assert.is(parseCertificates(after.chain)[0]?.serialNumber, before.chain[0]?.serialNumber);
  const status = await eventually('the rotation is over', async () => {
    const found = await authorityStatusOf(here.world, here.namespace, 'ca');
    return conditionOf(found, 'Rotating') === undefined && found.activeGeneration === 2 && found;
  });
  assert.match(status.leftAside?.join('\n') ?? '', /CN=Root .* gives way to the certificate of the same key/);
});

test('old and new certificates of one key in one file are read as the new CA, in any order', async () => {
  const hour = 3_600_000;
  const old = await makeCa('Again', {
    notBefore: new Date(Date.now() - 9 * hour),
    notAfter: new Date(Date.now() - hour),
  });
  const renewed = await makeCa('Again', { key: old.key });
  const here = await place({ 'tls.crt': old.certificate + renewed.certificate, 'tls.key': old.key });
  const { anchors } = await issued(here, 'alice');
  assert.is(anchors[0]?.fingerprintSHA256, parseCertificates(renewed.certificate)[0]?.fingerprintSHA256);
  const { leftAside = [] } = await authorityStatusOf(here.world, here.namespace, 'ca');
  assert.match(leftAside.join('\n'), /CN=Again .* has expired at/);
});

test('a renewed CA certificate that is not valid yet takes over when it becomes valid, without any other event', async () => {
  const old = await makeCa('Soon', { notAfter: new Date(Date.now() + 24 * 3_600_000) });
  const begin = new Date(Date.now() + 8_000);
  const coming = await makeCa('Soon', { key: old.key, notBefore: begin });
  const here = await place({ 'tls.crt': old.certificate + coming.certificate, 'tls.key': old.key });
  const { leftAside = [] } = await eventually('it signs with the old one', async () => {
    const found = await authorityStatusOf(here.world, here.namespace, 'ca');
    return found.activeGeneration === 1 && found;
  });
  assert.match(leftAside.join('\n'), /CN=Soon .* is not valid before/);
  const { generations = [] } = await eventually('it signs with the new one', async () => {
    const found = await authorityStatusOf(here.world, here.namespace, 'ca');
    return found.activeGeneration === 2 && found;
  });
  const since = new Date(generations.find(({ version }) => version === 2)?.since ?? 0);
  assert.ok(since.getTime() >= begin.getTime() - 1_000, `signs since ${since.toISOString()}`);
});

test('a CA as openssl req -x509 makes it is ready, and the condition names the verifiers that refuse it', async () => {
  const plain = await makeCa('Plain', {
    extensions: ['basicConstraints = critical, CA:true', 'subjectKeyIdentifier = hash'],
  });
  const here = await place(pairData(plain));
  const message = await here.untilAuthority('RefusedByVerifiers', 'True', 'NotStrict');
  assert.match(
    message,
    /CN=Plain has no key usage: Python 3\.13 and later and "openssl verify -x509_strict" refuse it/,
  );
  await issued(here, 'alice');
});

test('text around the PEM blocks is skipped', async () => {
  const ca = await makeCa('Text');
  const running = run('openssl', ['x509', '-text']);
  running.child.stdin?.end(ca.certificate);
  const { stdout } = await running;
  assert.match(stdout, /Certificate:\n/);
  await issued(
    await place({ 'tls.crt': stdout, 'tls.key': `Bag Attributes\n    friendlyName: ca\n${ca.key}` }),
    'alice',
  );
});

test('a CA that requires a policy gets it into its certificates', async () => {
  const policy = ['certificatePolicies = 1.2.3.4', 'policyConstraints = requireExplicitPolicy:0'];
  const root = await makeCa('Root');
  const below = await makeCa('Int', { issuer: root, extensions: [...CA, ...policy] });
  const { chain } = await issued(await place(pairData(below)), 'alice');
  assert.equal(chain[0]?.policies, ['1.2.3.4']);
});

test('an unusable CA pair is reported with the key of the Secret and the command that mends it', async () => {
  const ca = await makeCa('Binary');
  const here = await place({ 'tls.crt': ca.x509.raw.toString('latin1'), 'tls.key': ca.key });
  const message = await here.untilAuthority('Ready', 'False', 'CAPairRefused');
  assert.match(message, /Secret .*\/pair, key tls\.crt: this is .*DER.*openssl x509 -inform DER/);
});

test.run();
