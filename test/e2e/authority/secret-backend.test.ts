import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { msBetween } from '../process/support/audit.ts';
import { createSecretAuthority, pairData, putCaSecret } from '../support/ca-secret.ts';
import { deleteSecret, renewAt } from '../support/edits.ts';
import {
  authorityStatusOf,
  clientCertificate,
  conditionOf,
  create,
  readSecret,
  untilReady,
} from '../support/objects.ts';
import { type CaFiles, makeCa, opensslVerify } from '../support/openssl.ts';
import { oneScene } from '../support/scene.ts';
import { eventually } from '../support/world.ts';
import { eventsIn } from './swap.ts';

const scene = oneScene({ authority: false });
test.after(scene.stop);

type Data = Readonly<Record<string, string>>;

async function below(keyKind: 'P-256' | 'RSA'): Promise<CaFiles & { root: string }> {
  const root = await makeCa('Root');
  return { ...(await makeCa('Intermediate', { keyKind, issuer: root })), root: root.certificate };
}

const PAIRS: Readonly<Record<string, () => Promise<Data>>> = {
  'RSA, PKCS#8': async () => pairData(await makeCa('CA', { keyKind: 'RSA' })),
  'RSA, PKCS#1': async () => pairData(await makeCa('CA', { keyKind: 'RSA', keyForm: 'PKCS1' })),
  'P-256, PKCS#8': async () => pairData(await makeCa('CA')),
  'P-256, SEC1': async () => pairData(await makeCa('CA', { keyForm: 'SEC1' })),
  'P-384, PKCS#8': async () => pairData(await makeCa('CA', { keyKind: 'P-384' })),
  'P-384, SEC1': async () => pairData(await makeCa('CA', { keyKind: 'P-384', keyForm: 'SEC1' })),
  Ed25519: async () => pairData(await makeCa('CA', { keyKind: 'Ed25519' })),
  'an intermediate with its root in ca.crt': async () => pairData(await below('P-256')),
  'an intermediate with its root in tls.crt': async () => {
    const { certificate, key, root } = await below('RSA');
    return { 'tls.crt': certificate + root, 'tls.key': key };
  },
  'an intermediate with its root before it in tls.crt': async () => {
    const { certificate, key, root } = await below('P-256');
    return { 'tls.crt': root + certificate, 'tls.key': key };
  },
};

for (const [name, make] of Object.entries(PAIRS)) {
  test(`${name}: certificates are what openssl accepts at its strictest`, async () => {
    const { world: here } = await scene.get();
    const namespace = await here.namespace();
    const data = await make();
    await putCaSecret(here, namespace, 'pair', data);
    await createSecretAuthority(here, namespace, 'ca', 'pair');
    const keys = ['ECDSA', 'Ed25519', 'RSA'];
    for (const algorithm of keys) {
      const spec = { privateKey: { algorithm }, dnsNames: ['alice.example.com'] };
      await create(here, clientCertificate(namespace, algorithm.toLowerCase(), spec));
    }
    for (const algorithm of keys) {
      const client = algorithm.toLowerCase();
      await untilReady(here, namespace, client);
      const secret = await readSecret(here, namespace, `${client}-tls`);
      if (secret === undefined) throw new Error('there is no Secret');
      assert.is(await opensslVerify(secret.chain, secret.bundle), 'chain.pem: OK');
      const anchors = secret.bundle.match(/BEGIN CERTIFICATE/g)?.length;
      const links = secret.chain.match(/BEGIN CERTIFICATE/g)?.length;
      assert.equal([anchors, links], [1, name.startsWith('an intermediate') ? 2 : 1]);
    }
  });
}

/** What takes the place of a CA pair that was good before. */
interface Flaw {
  readonly reason: 'CAPairRefused' | 'CASecretNotFound';
  readonly says: string;
  make(good: CaFiles): Promise<Data | undefined>;
}

const FLAWS: Readonly<Record<string, Flaw>> = {
  'the key of another CA': {
    reason: 'CAPairRefused',
    says: 'key tls.key: this is not the key of O=Test, CN=good in tls.crt',
    make: async (good) => ({ 'tls.crt': good.certificate, 'tls.key': (await makeCa('other')).key }),
  },
  'an expired CA': {
    reason: 'CAPairRefused',
    says: 'has expired at',
    make: async () => pairData(await makeCa('old', { notAfter: new Date(Date.now() - 60_000) })),
  },
  'a certificate that is no CA': {
    reason: 'CAPairRefused',
    says: 'key tls.crt: O=Test, CN=leaf is not a CA: its basic constraints lack CA:TRUE',
    make: async () =>
      pairData(await makeCa('leaf', { organization: 'Test', extensions: ['basicConstraints = CA:false'] })),
  },
  'a CA that may not sign certificates': {
    reason: 'CAPairRefused',
    says: 'is not a CA: its key usage lacks keyCertSign',
    make: async () => {
      const extensions = ['basicConstraints = critical, CA:true', 'keyUsage = critical, cRLSign'];
      return pairData(await makeCa('crl', { extensions }));
    },
  },
  'no key': {
    reason: 'CAPairRefused',
    says: '/pair has no key tls.key',
    make: async () => ({ 'tls.crt': (await makeCa('half')).certificate }),
  },
  'half a certificate': {
    reason: 'CAPairRefused',
    says: 'key tls.crt, block 1: this is',
    make: async () => {
      const { certificate, key } = await makeCa('half');
      return { 'tls.crt': certificate.slice(0, certificate.length / 2), 'tls.key': key };
    },
  },
  'more than 100 kB': {
    reason: 'CAPairRefused',
    says: 'key tls.crt: this is',
    make: async (good) => {
      const { certificate, key } = await makeCa('huge');
      return { 'tls.crt': certificate + good.certificate.repeat(200), 'tls.key': key };
    },
  },
  'an encrypted key': {
    reason: 'CAPairRefused',
    says: 'encrypted',
    make: async () => pairData(await makeCa('locked', { encryptedWith: 'open-sesame' })),
  },
  'no Secret': {
    reason: 'CASecretNotFound',
    says: '/pair; make it with: kubectl create secret generic pair -n ',
    make: async () => undefined,
  },
};

for (const [name, { make, reason, says }] of Object.entries(FLAWS)) {
  test(`${name} in place of a good CA is refused and reported, while the good one stays in use`, async () => {
    const { world: here } = await scene.get();
    const namespace = await here.namespace();
    const good = await makeCa('good', { organization: 'Test' });
    await putCaSecret(here, namespace, 'pair', pairData(good));
    await createSecretAuthority(here, namespace, 'ca', 'pair');
    await create(here, clientCertificate(namespace, 'alice'));
    await untilReady(here, namespace, 'alice');
    const before = (await readSecret(here, namespace, 'alice-tls'))?.leaf.serialNumber;

    const data = await make(good);
    if (data === undefined) await deleteSecret(here, namespace, 'pair');
    else await putCaSecret(here, namespace, 'pair', data);
    const stalled = await eventually('its status says so', async () => {
      const status = await authorityStatusOf(here, namespace, 'ca');
      const found = conditionOf(status, 'Stalled');
      return found && { found, ready: conditionOf(status, 'Ready')?.status, generations: status.generations };
    });
    assert.is(stalled.found.reason, reason);
    assert.match(stalled.found.message, says);
    assert.match(stalled.found.message, '; generation 1 stays in use');
    assert.not.match(stalled.found.message, 'PRIVATE');
    assert.is(stalled.ready, 'True');
    assert.is(stalled.generations?.length, 1);
    await eventually('an event says so', async () =>
      (await eventsIn(here, namespace)).some(
        (each) => each.regarding.kind === 'CertificateAuthority' && each.reason === reason && each.note.includes(says),
      ),
    );

    await renewAt(here, namespace, 'alice');
    const renewed = await eventually('certificates are renewed all the same', async () => {
      const secret = await readSecret(here, namespace, 'alice-tls');
      return secret?.leaf.serialNumber !== before && secret;
    });
    assert.ok(renewed.leaf.verify(good.x509.publicKey));

    await putCaSecret(here, namespace, 'pair', pairData(good));
    await eventually('all is well again', async () => {
      const status = await authorityStatusOf(here, namespace, 'ca');
      return conditionOf(status, 'Stalled') === undefined && status.generations?.length === 1;
    });
  });
}

test('a CA whose certificate is longer than a status may be is used all the same', async () => {
  const { world: here } = await scene.get();
  const namespace = await here.namespace();
  const extensions = ['basicConstraints = critical, CA:true', `nsComment = ${'x'.repeat(15_000)}`];
  const huge = await makeCa('huge', {
    organization: 'Test',
    extensions: [...extensions, 'keyUsage = critical, keyCertSign'],
  });
  assert.ok(huge.certificate.length > 16_384);
  await putCaSecret(here, namespace, 'pair', pairData(huge));
  await createSecretAuthority(here, namespace, 'ca', 'pair');
  await create(here, clientCertificate(namespace, 'alice'));
  await untilReady(here, namespace, 'alice');
  const status = await eventually('the authority is Ready', async () => {
    const found = await authorityStatusOf(here, namespace, 'ca');
    return conditionOf(found, 'Ready')?.status === 'True' && found;
  });
  assert.is(status.generations?.[0]?.subject, 'O=Test, CN=huge');
});

test('a CA Secret that is created late makes the authority Ready within five seconds', async () => {
  const { world: here } = await scene.get();
  const namespace = await here.namespace();
  await createSecretAuthority(here, namespace, 'ca', 'pair');
  await create(here, clientCertificate(namespace, 'alice'));
  await untilReady(here, namespace, 'alice', { type: 'Issuing', reason: 'AuthorityNotReady' });
  const condition = conditionOf(await authorityStatusOf(here, namespace, 'ca'), 'Ready');
  assert.is(condition?.reason, 'CASecretNotFound');
  assert.match(condition?.message ?? '', 'kubectl create secret generic pair');
  const data = pairData(await makeCa('late'));
  await putCaSecret(here, namespace, 'pair', data);
  await untilReady(here, namespace, 'alice');
  const tookMs = await msBetween(
    here,
    { resource: 'secrets', namespace, name: 'pair' },
    { resource: 'secrets', namespace, name: 'alice-tls' },
  );
  assert.is(conditionOf(await authorityStatusOf(here, namespace, 'ca'), 'Ready')?.status, 'True');
  assert.ok(tookMs < 5_000, `${Math.round(tookMs)} ms`);
});

test.run();
