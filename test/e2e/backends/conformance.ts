import type { X509Certificate } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseDuration } from '../../../src/api/duration.ts';
import { CLIENT_CERTIFICATES } from '../../../src/api/names.ts';
import type { IdentityField } from '../../../src/backends/backend.ts';
import { renewAt, untilRevision } from '../support/edits.ts';
import { lazily } from '../support/lazily.ts';
import { issuedAt } from '../support/moments.ts';
import { clientCertificate, create, readSecret, statusOf, untilReady } from '../support/objects.ts';
import { describeKey, opensslAccepts } from '../support/secret-proof.ts';
import { eventually, oneWorld, type World } from '../support/world.ts';
import { registerClientKey } from './conformance-client-key.ts';
import { registerPending } from './conformance-pending.ts';
import { registerRemote } from './conformance-remote.ts';
import { registerRevocation } from './conformance-revocation.ts';
import { createAuthority, place, readyAuthority, untilAuthority } from './place.ts';
import { ASPECTS, certificateOf, type Place, type Shared, type Subject, type Wanted } from './subject.ts';

/** An identity of nothing but this field, and what must then stand in the certificate. */
const FIELDS: Readonly<Record<IdentityField, Wanted>> = {
  commonName: { spec: { commonName: 'alice' }, holds: ['CN=alice'] },
  subject: {
    spec: {
      commonName: 'alice',
      subject: {
        organizations: ['Example', 'Example Payments'],
        organizationalUnits: ['Clients'],
        countries: ['DE'],
        provinces: ['Saxony'],
        localities: ['Leipzig'],
        streetAddresses: ['Main Street 1'],
        postalCodes: ['04103'],
        serialNumber: '4711',
      },
    },
    holds: [
      'O=Example',
      'O=Example Payments',
      'OU=Clients',
      'C=DE',
      'ST=Saxony',
      'L=Leipzig',
      'street=Main Street 1',
      'postalCode=04103',
      'serialNumber=4711',
      'CN=alice',
    ],
  },
  dnsNames: {
    spec: { dnsNames: ['a.example.com', '*.b.example.com'] },
    holds: ['DNS:a.example.com', 'DNS:*.b.example.com'],
  },
  uris: { spec: { uris: ['spiffe://example.com/ns/shop/sa/a'] }, holds: ['URI:spiffe://example.com/ns/shop/sa/a'] },
  emailAddresses: { spec: { emailAddresses: ['alice@example.com'] }, holds: ['email:alice@example.com'] },
  ipAddresses: {
    spec: { ipAddresses: ['192.0.2.1', '2001:db8::1'] },
    holds: ['IP Address:192.0.2.1', 'IP Address:2001:DB8:0:0:0:0:0:1'],
  },
};
const KEYS = { ECDSA: 'P-256', Ed25519: 'ED25519', RSA: '(2048 bit' } as const;
/** Between the moment at which a server signs and the one from which Certwheel counts. */
const TOLERANCE_SECONDS = 5;
const FLAGS = ['--allow-loopback-authorities'];

/**
 * Registers the tests that every kind of authority must pass, on a control plane and a controller of their own. Answers
 * what further tests of the same file need; `test.run()` is up to the file.
 */
export function conformance(subject: Subject) {
  const { capabilities, type } = subject;
  const worlds = oneWorld();
  const servers = lazily(() => subject.start(worlds.get()));
  let controller: Promise<Shared['controller']> | undefined;
  // Where the controller keeps the key of its books.
  const home = lazily(async () => ({ name: await (await worlds.get()).namespace(), stop: async () => {} }));
  const launch = async (world: World) =>
    world.controller([
      ...FLAGS,
      '--controller-namespace',
      (await home.get()).name,
      ...((await subject.flags?.()) ?? []),
    ]);
  const shared = async (): Promise<Shared> => {
    const [world, served] = await Promise.all([worlds.get(), servers.get()]);
    controller ??= launch(world);
    return { world, served, controller: await controller };
  };
  const crash = async () => {
    const { world, controller: former } = await shared();
    await former.kill();
    controller = launch(world);
    await controller;
  };
  test.after(worlds.stop);

  for (const aspect of ASPECTS)
    if (subject.exempt[aspect] !== undefined)
      console.log(`# not asked of ${type}: ${aspect} (${subject.exempt[aspect]})`);

  for (const field of Object.keys(FIELDS) as IdentityField[]) {
    const asked = subject.identities?.[field] ?? FIELDS[field];
    if (typeof asked === 'string') {
      test.skip(`${type}: ${field}: ${asked}`, () => {});
      continue;
    }
    const { spec, holds } = asked;
    const carried = capabilities.identity.includes(field);
    test(`${type}: ${field} is ${carried ? 'carried' : 'refused before it is asked'}`, async () => {
      const { world, namespace } = await readyAuthority(await shared(), subject);
      await create(world, clientCertificate(namespace, 'alice', { commonName: undefined, ...spec }));
      if (!carried) {
        await untilReady(world, namespace, 'alice', { status: 'False', reason: 'UnsupportedByAuthority' });
        assert.is(await readSecret(world, namespace, 'alice-tls'), undefined);
        return;
      }
      await untilReady(world, namespace, 'alice');
      const leaf = await provenLeaf({ world, namespace });
      const found = [...(leaf.subject ?? '').split(/\n| \+ /), ...(leaf.subjectAltName ?? '').split(', ')];
      assert.equal(found.filter((each) => each !== '').sort(), [...holds].sort());
      assert.ok(leaf.keyUsage?.includes('1.3.6.1.5.5.7.3.2'), 'it is good for clients');
    });
  }

  test(`${type}: the kinds of keys are ${capabilities.keyAlgorithms.join(', ')}`, async () => {
    const { world, namespace } = await readyAuthority(await shared(), subject);
    for (const [algorithm, shown] of Object.entries(KEYS)) {
      const name = algorithm.toLowerCase();
      await create(world, certificateOf(subject, namespace, name, { privateKey: { algorithm } }));
      if (!(capabilities.keyAlgorithms as readonly string[]).includes(algorithm)) {
        await untilReady(world, namespace, name, { status: 'False', reason: 'UnsupportedByAuthority' });
        continue;
      }
      await untilReady(world, namespace, name);
      const secret = await readSecret(world, namespace, `${name}-tls`);
      assert.match(await describeKey(secret?.object ?? {}), shown);
    }
  });

  for (const duration of subject.lives) {
    test(`${type}: a life of ${duration} is ${capabilities.lifetime}`, async () => {
      const { world, namespace } = await readyAuthority(await shared(), subject);
      await create(world, certificateOf(subject, namespace, 'alice', { duration }));
      const status = await untilReady(world, namespace, 'alice');
      const leaf = await provenLeaf({ world, namespace });
      const issued = issuedAt((await readSecret(world, namespace, 'alice-tls'))?.object ?? {});
      const seconds = (Date.parse(leaf.validTo) - issued.getTime()) / 1000;
      const wanted = (parseDuration(duration) ?? 0) / 1000;
      assert.is(Date.parse(status.notAfter ?? ''), Date.parse(leaf.validTo));
      if (capabilities.lifetime !== 'rounded')
        assert.ok(seconds <= wanted + TOLERANCE_SECONDS, `${seconds} s, which is longer`);
      if (capabilities.lifetime === 'exact')
        assert.ok(seconds >= wanted - TOLERANCE_SECONDS, `${seconds} s, which is shorter`);
      // Its renewal would count among what later tests ask of the authority.
      await world.client.delete(CLIENT_CERTIFICATES, namespace, 'alice');
    });
  }

  for (const { duration, says } of subject.refusedLives) {
    test(`${type}: a life of ${duration} is refused, and told of in the words of the server`, async () => {
      const { world, namespace } = await readyAuthority(await shared(), subject);
      await create(world, certificateOf(subject, namespace, 'alice', { duration }));
      const failure = await eventually('the refusal is in the status', async () => {
        return (await statusOf(world, namespace, 'alice')).lastFailure;
      });
      assert.is(failure.reason, 'RequestDenied');
      assert.match(failure.message, says);
      assert.is(await readSecret(world, namespace, 'alice-tls'), undefined);
    });
  }

  test(`${type}: renew-at brings another certificate over another key`, async () => {
    const { world, namespace } = await readyAuthority(await shared(), subject);
    await create(world, certificateOf(subject, namespace, 'alice'));
    await untilReady(world, namespace, 'alice');
    const keys = new Set<string>();
    const serials = new Set<string>();
    for (const revision of [1, 2, 3]) {
      if (revision > 1) await renewAt(world, namespace, 'alice', new Date().toISOString());
      const { leaf, object } = await untilRevision(world, namespace, 'alice-tls', revision);
      await opensslAccepts(object);
      keys.add(leaf.publicKey.export({ type: 'spki', format: 'der' }).toString('hex'));
      serials.add(leaf.serialNumber);
    }
    assert.equal([keys.size, serials.size], [3, 3]);
  });

  for (const { step, reason, says, spoil } of subject.checks) {
    test(`${type}: the authority says what is wrong: ${step}`, async () => {
      const { world, served } = await shared();
      const where = await place(world);
      const spec = await spoil(await served.prepare(where), where);
      await createAuthority(where, type, spec);
      const ready = await untilAuthority(where, { status: 'False' });
      assert.equal([ready.reason, ready.message.includes(says)], [reason, true], ready.message);
    });
  }

  registerRemote(subject, shared);
  registerPending(subject, shared, crash);
  registerRevocation(subject, shared);
  registerClientKey(subject, shared, crash);
  return { shared, ready: async () => readyAuthority(await shared(), subject) };
}

/** What the Secret of `alice` holds, after openssl has accepted it. */
async function provenLeaf({ world, namespace }: Place): Promise<X509Certificate> {
  const secret = await readSecret(world, namespace, 'alice-tls');
  if (secret === undefined) throw new Error('there is no Secret');
  await opensslAccepts(secret.object);
  return secret.leaf;
}
