import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES } from '../../../src/api/names.ts';
import { createSecret, patchAuthority } from '../support/edits.ts';
import { eventually, QUIET_MS } from '../support/eventually.ts';
import {
  createLapsed,
  FALLBACK,
  playFallback,
  SHORT,
  subjectsIn,
  untilFallback,
  untilIssuingSays,
} from '../support/lapsed.ts';
import { clientCertificate, create, createAuthority, readSecret, selfManaged, untilReady } from '../support/objects.ts';
import { makeCa, makeLeaf } from '../support/openssl.ts';
import { eventsOf } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';

const scene = oneScene({ authority: false });
test.after(scene.stop);

test('a certificate must fit the rules of both authorities, and the fallback that denies it is named', async () => {
  const { world, namespace } = await playFallback((await scene.get()).world, {
    issuancePolicy: { rules: [{ name: 'some', commonNames: ['allowed'] }] },
    limits: { maxDuration: '1m' },
  });
  await create(world, clientCertificate(namespace, 'allowed', SHORT));
  await create(world, clientCertificate(namespace, 'denied', SHORT));
  await create(world, clientCertificate(namespace, 'long', { commonName: 'allowed', duration: '2m' }));
  const ready = await untilReady(world, namespace, 'allowed', { reason: 'IssuedByFallback' });
  assert.is(ready.issuedBy, 'CertificateAuthority/reserve');
  await untilIssuingSays(
    world,
    namespace,
    'denied',
    /nor can the fallback CertificateAuthority\/reserve issue it: DeniedByPolicy/,
  );
  const told = await eventually('the event is there', async () => {
    const found = (await eventsOf(world, namespace, 'allowed')).find(({ reason }) => reason === 'IssuedByFallback');
    return found;
  });
  assert.match(told.note, /the fallback CertificateAuthority\/reserve issued it/);
  assert.is(await readSecret(world, namespace, 'denied-tls'), undefined);
  await untilIssuingSays(world, namespace, 'long', /reserve issue it: LimitExceeded/);
});

test('what the authority itself denies, its fallback doesn’t issue', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace();
  await createAuthority(world, selfManaged(namespace, 'reserve'));
  const issuancePolicy = { rules: [{ name: 'none', commonNames: ['other'] }] };
  await createLapsed(world, namespace, 'ca', { ...FALLBACK, issuancePolicy });
  await create(world, clientCertificate(namespace, 'one', SHORT));
  await untilReady(world, namespace, 'one', { type: 'Stalled', reason: 'DeniedByPolicy' });
  await sleep(6_000 + QUIET_MS);
  assert.is(await readSecret(world, namespace, 'one-tls'), undefined);
});

test('a fallback of another namespace can’t be named, and one of the same name there isn’t used', async () => {
  const { world } = await scene.get();
  const [namespace, other] = [await world.namespace(), await world.namespace()];
  await createAuthority(world, selfManaged(other, 'reserve'));
  for (const fallback of [{ name: `${other}/reserve` }, { name: 'reserve', namespace: other }]) {
    const named = { metadata: { namespace, name: 'named' }, spec: { selfManaged: { commonName: 'x' }, fallback } };
    const stored = await world.client.create(CERTIFICATE_AUTHORITIES, named).catch(() => undefined);
    assert.is((stored?.spec as { fallback?: { namespace?: string } })?.fallback?.namespace, undefined);
  }
  await createLapsed(world, namespace, 'ca', FALLBACK);
  await untilFallback(world, namespace, 'False', 'AuthorityNotFound');
  await create(world, clientCertificate(namespace, 'one', SHORT));
  await untilIssuingSays(world, namespace, 'one', /fallback CertificateAuthority\/reserve issue it: AuthorityNotFound/);
  assert.is(await readSecret(world, namespace, 'one-tls'), undefined);
});

test('a forged Secret with the marks of the authority and of its fallback brings no CA into the bundle', async () => {
  const { world, namespace } = await playFallback((await scene.get()).world);
  const foreign = await makeCa('Foreign CA');
  const leaf = await makeLeaf(foreign, 'forged');
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  await createSecret(world, namespace, 'forged', {
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': base64(leaf.certificate), 'tls.key': base64(leaf.key), 'ca.crt': base64(foreign.certificate) },
    labels: { 'certwheel.io/certificate-name': 'forged' },
    annotations: {
      'certwheel.io/certificate-uid': 'made-up',
      'certwheel.io/authority': 'CertificateAuthority/ca',
      'certwheel.io/issued-by': 'CertificateAuthority/evil',
    },
  });
  await create(world, clientCertificate(namespace, 'one', SHORT));
  await untilReady(world, namespace, 'one', { reason: 'IssuedByFallback' });
  await patchAuthority(world, namespace, 'ca', { spec: { fallback: null } });
  await untilFallback(world, namespace, 'False', 'Removed');
  const secret = await readSecret(world, namespace, 'one-tls');
  assert.is(subjectsIn(secret?.bundle).length, 2);
  assert.not.match(secret?.bundle ?? '', foreign.certificate.trim().split('\n')[1] ?? 'nothing');
});

test.run();
