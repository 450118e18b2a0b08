import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as names from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { secretFields } from '../../unit/secret-fields.ts';
import type { Json } from '../crds/api.ts';
import { FULL } from '../crds/samples.ts';
import { createSecret, deleteSecret, untilRevision } from '../support/edits.ts';
import { eventually, QUIET_MS } from '../support/eventually.ts';
import { untilNextSecond } from '../support/moments.ts';
import { clientCertificate, conditionOf, create, untilReady } from '../support/objects.ts';
import { makeCa, makeLeaf, tlsData } from '../support/openssl.ts';
import { signatures } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';

const REFUSED = { status: 'False', reason: 'SecretNotOwned' };
const TLS = 'kubernetes.io/tls';

const scene = oneScene({ isHome: true }, async ({ namespace: home }) => {
  const ca = await makeCa('By hand');
  const leaf = tlsData(await makeLeaf(ca, 'by-hand'), ca.certificate);
  return { home, ca, leaf };
});
test.after(scene.stop);

/** The spec of an authority that names this Secret in this field. */
function specNaming(kind: 'CertificateAuthority' | 'ClusterCertificateAuthority', field: string, secret: string): Json {
  const path = pathOf(field).split('.');
  const at = (spec: unknown, keys: readonly string[]) =>
    keys.reduce<unknown>((value, key) => (value as Json | undefined)?.[key], spec);
  const sample = FULL[kind].map(({ spec }) => spec as Json).find((spec) => at(spec, path) !== undefined);
  assert.ok(sample, `no sample sets ${field}`);
  const spec = structuredClone(sample);
  Object.assign(at(spec, path.slice(0, -1)) as object, { [path.at(-1) ?? '']: secret });
  return spec;
}

/** Of the first member of each list: `trust.verifiers.0.serverCA`. */
function pathOf(field: string): string {
  return field.replaceAll('[]', '.0');
}

const WHAT = [
  [/^secret\./, 'holds the CA of'],
  [/trustBundle/, 'holds a trust bundle of'],
  [/./, 'holds credentials of'],
] as const;

/** Creates a Secret that is handed over for adoption, and the certificate that may adopt it. */
async function handOver(name: string, content: Parameters<typeof createSecret>[3]): Promise<RawObject> {
  const { world, home } = await scene.get();
  const annotations = { ...content?.annotations, [names.ADOPT_ANNOTATION]: name };
  const before = await createSecret(world, home, `${name}-tls`, { ...content, annotations });
  await create(world, clientCertificate(home, name));
  return before;
}

/** Proves that the adoption is refused with these words, without advice that would harm the Secret, and without a write. */
async function staysAsItIs(
  name: string,
  before: RawObject | undefined,
  words: string | RegExp,
  reason = REFUSED.reason,
) {
  const { world, controller, home } = await scene.get();
  const status = await untilReady(world, home, name, { ...REFUSED, reason });
  const message = conditionOf(status, 'Ready')?.message ?? '';
  assert.match(message, words);
  assert.not.match(message, /annotate|adopt|delete|rename|overwrite/);
  await sleep(QUIET_MS);
  assert.equal(await world.client.get(names.SECRETS, home, `${name}-tls`), before, name);
  assert.is(signatures(controller, home, name), 0);
}

for (const kind of ['CertificateAuthority', 'ClusterCertificateAuthority'] as const) {
  test(`no Secret that a ${kind} refers to can be adopted, by whichever field`, async () => {
    const { world, home, leaf } = await scene.get();
    const resource =
      kind === 'CertificateAuthority' ? names.CERTIFICATE_AUTHORITIES : names.CLUSTER_CERTIFICATE_AUTHORITIES;
    const place = kind === 'CertificateAuthority' ? { namespace: home } : {};
    const fields = secretFields(kind);
    assert.ok(fields.length >= 6, `${fields}`);
    const prefix = kind === 'CertificateAuthority' ? 'near' : 'wide';
    const befores = await Promise.all(
      fields.map(async (field, index) => {
        const name = `${prefix}-${index}`;
        await world.client.create(resource, {
          metadata: { ...place, name },
          spec: specNaming(kind, field, `${name}-tls`),
        });
        return handOver(name, { type: TLS, data: leaf });
      }),
    );
    for (const [index, field] of fields.entries()) {
      const name = `${prefix}-${index}`;
      const what = WHAT.find(([pattern]) => pattern.test(field))?.[1];
      const words = `Secret ${name}-tls ${what} ${kind} ${name} \\(spec.${pathOf(field).replace(/\.name$/, '')}\\); create`;
      await staysAsItIs(name, befores[index], new RegExp(words));
    }
  });
}

test('a Secret cannot be adopted while an authority refers to it', async () => {
  const { world, home } = await scene.get();
  await createSecret(world, home, 'turning-tls', { type: TLS, data: tlsData(await makeCa('Turning')) });
  await create(world, clientCertificate(home, 'turning'));
  await staysAsItIs('turning', await world.client.get(names.SECRETS, home, 'turning-tls'), 'holds a CA certificate');
  await world.client.create(names.CERTIFICATE_AUTHORITIES, {
    metadata: { namespace: home, name: 'turning' },
    spec: { secret: { name: 'turning-tls' } },
  });
  const told = (words: string) =>
    eventually(`Ready says: ${words}`, async () => {
      const status = await untilReady(world, home, 'turning', REFUSED);
      return conditionOf(status, 'Ready')?.message?.includes(words);
    });
  await told('holds the CA of CertificateAuthority turning');
  await world.client.delete(names.CERTIFICATE_AUTHORITIES, home, 'turning');
  // It still holds the key of a CA.
  await told('holds a CA certificate');
});

test('a CA generation, a pending key and a CA that no authority uses cannot be adopted, whatever their marks', async () => {
  const { ca, leaf } = await scene.get();
  const generation = { [names.AUTHORITY_NAME_LABEL]: 'gone', [names.AUTHORITY_KIND_LABEL]: 'CertificateAuthority' };
  const cases = {
    generation: [{ type: TLS, data: leaf, labels: generation }, 'holds a CA generation of CertificateAuthority gone'],
    waiting: [
      { type: TLS, data: leaf, labels: { [names.NEXT_OF_LABEL]: 'bob' } },
      'keeps the key of ClientCertificate bob, which awaits an answer',
    ],
    root: [{ type: TLS, data: tlsData(ca) }, 'holds a CA certificate'],
  } as const;
  for (const [name, [content, words]] of Object.entries(cases))
    await staysAsItIs(name, await handOver(name, content), words);
});

test('a name that Certwheel needs is refused before there is a Secret', async () => {
  const { world, home } = await scene.get();
  await create(world, clientCertificate(home, 'own', { secretName: 'own-next' }));
  const own = await untilReady(world, home, 'own', { status: 'False', reason: 'InvalidSpec' });
  assert.match(conditionOf(own, 'Ready')?.message ?? '', 'Certwheel keeps the key of ClientCertificate own');

  await create(world, clientCertificate(home, 'late', { secretName: 'early-next' }));
  await untilReady(world, home, 'late');
  // Times of creation are whole seconds.
  await untilNextSecond();
  await create(world, clientCertificate(home, 'early'));
  await untilReady(world, home, 'early');
  // A lost Secret does not cost the older resource its name.
  await deleteSecret(world, home, 'early-next');
  await untilRevision(world, home, 'early-next', 2);
  await untilReady(world, home, 'late');
  await create(world, clientCertificate(home, 'later', { secretName: 'late-next' }));
  await untilReady(world, home, 'later', { status: 'False', reason: 'InvalidSpec' });
  await world.client.delete(names.CLIENT_CERTIFICATES, home, 'late');
  await untilReady(world, home, 'later');

  await world.client.create(names.CERTIFICATE_AUTHORITIES, {
    metadata: { namespace: home, name: 'expectant' },
    spec: { secret: { name: 'hoped-for-tls' } },
  });
  await create(world, clientCertificate(home, 'hoped-for'));
  await staysAsItIs('hoped-for', undefined, 'is to hold the CA of CertificateAuthority expectant');
});

test('a certificate is still renewed after an authority refers to its Secret', async () => {
  const { world, home } = await scene.get();
  await create(world, clientCertificate(home, 'referred', { duration: '1m' }));
  const { revision = 0 } = await untilReady(world, home, 'referred');
  await world.client.create(names.CERTIFICATE_AUTHORITIES, {
    metadata: { namespace: home, name: 'referring' },
    spec: specNaming('CertificateAuthority', 'certManager.trustBundle.secret.name', 'referred-tls'),
  });
  const renewed = async () => ((await untilReady(world, home, 'referred')).revision ?? 0) > revision;
  await eventually('it is renewed', renewed);
});

test.run();
