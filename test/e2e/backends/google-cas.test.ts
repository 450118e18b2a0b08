import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { patchAuthority } from '../support/edits.ts';
import { authorityStatusOf, clientCertificate, create, readSecret, untilReady } from '../support/objects.ts';
import { eventually } from '../support/world.ts';
import { conformance } from './conformance.ts';
import { googleCasSubject, type serve } from './google-cas-subject.ts';
import { addCa } from './servers/google-pools.ts';

const { shared, ready } = conformance(googleCasSubject);
const fake = async () => ((await shared()).served as Awaited<ReturnType<typeof serve>>).google;

test('googleCAS: a CA that is staged in the pool is in ca.crt before it signs', async () => {
  const { world, namespace } = await ready();
  await create(world, clientCertificate(namespace, 'alice'));
  await untilReady(world, namespace, 'alice');
  const { pool } = await fake();
  const { top } = await addCa(pool, 'clients-next', 'STAGED');
  await patchAuthority(world, namespace, 'ca', { metadata: { annotations: { look: 'now' } } });
  await eventually('both roots are in ca.crt', async () => {
    const { object } = (await readSecret(world, namespace, 'alice-tls')) ?? {};
    const { 'ca.crt': bundle = '' } = (object?.data ?? {}) as Record<string, string>;
    const text = Buffer.from(bundle, 'base64').toString();
    return pool.cas.every((ca) => text.includes(ca.top.certificate.pem.trim()));
  });
  const { generations = [] } = await authorityStatusOf(world, namespace, 'ca');
  assert.is(generations.length, 2);
  assert.ok(generations.some(({ fingerprintSHA256 }) => fingerprintSHA256 === top.certificate.fingerprintSHA256));
});

test('googleCAS: nothing was sent or answered that is not in the description of the API', async () => {
  const { calls, violations } = await fake();
  assert.ok(calls.length > 100);
  assert.equal(violations, []);
});

test.run();
