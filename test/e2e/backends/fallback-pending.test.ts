import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_REQUESTS, ISSUERS } from '../../../src/api/names.ts';
import { onStop } from '../../teardown.ts';
import { createSecret } from '../support/edits.ts';
import { eventually } from '../support/eventually.ts';
import { createLapsed, FALLBACK, SHORT, subjectsIn, untilFallback, untilIssuingSays } from '../support/lapsed.ts';
import { lazily } from '../support/lazily.ts';
import { clientCertificate, create, readSecret, statusOf, untilReady } from '../support/objects.ts';
import { makeCa, tlsData } from '../support/openssl.ts';
import { opensslAccepts } from '../support/secret-proof.ts';
import { oneWorld } from '../support/world.ts';
import { decide } from './approver.ts';
import { createAuthority, untilAuthority } from './place.ts';
import { prepareCertManager } from './servers/cert-manager.ts';
import { awaitedRequest, untilTidy } from './support.ts';

// A fallback that answers later: cert-manager, whose requests a person approves.

const worlds = oneWorld();
const shared = lazily(async () => {
  const world = await worlds.get();
  const certManager = await prepareCertManager(world.cluster);
  onStop(certManager.stop);
  await certManager.start({ approver: false });
  await world.controller();
  return world;
});
test.after(worlds.stop);

/** A namespace with the authority `ca`, which can't issue, and its fallback `reserve` at cert-manager. */
async function place() {
  const world = await shared.get();
  const namespace = await world.namespace();
  const pair = await makeCa('Reserve');
  await createSecret(world, namespace, 'pair', { type: 'kubernetes.io/tls', data: tlsData(pair) });
  await world.client.create(ISSUERS, { metadata: { namespace, name: 'issuer' }, spec: { ca: { secretName: 'pair' } } });
  const trustBundle = { secret: { name: 'pair', key: 'tls.crt' } };
  const where = { world, namespace };
  await createAuthority(where, 'certManager', { issuerRef: { name: 'issuer' }, trustBundle }, 'reserve');
  await untilAuthority(where, {}, { name: 'reserve' });
  const { putPair } = await createLapsed(world, namespace, 'ca', FALLBACK);
  await untilFallback(world, namespace, 'True');
  await create(world, clientCertificate(namespace, 'client', SHORT));
  const request = await awaitedRequest(world, CERTIFICATE_REQUESTS, namespace, 'client');
  return { ...where, putPair, request };
}

test('what the fallback answers later is published when it comes, with the CA of both', async () => {
  const { world, namespace, request } = await place();
  await untilIssuingSays(world, namespace, 'client', new RegExp(`CertificateRequest ${namespace}/${request}`));
  assert.is(await readSecret(world, namespace, 'client-tls'), undefined);
  const found = await world.client.get(CERTIFICATE_REQUESTS, namespace, request);
  await decide(world, CERTIFICATE_REQUESTS, found ?? {}, 'Approved');
  const status = await untilReady(world, namespace, 'client', { reason: 'IssuedByFallback' });
  assert.is(status.issuedBy, 'CertificateAuthority/reserve');
  const secret = await readSecret(world, namespace, 'client-tls');
  assert.is(secret?.leaf.issuer, 'CN=Reserve');
  assert.is(subjectsIn(secret?.bundle).length, 2);
  await opensslAccepts(secret?.object ?? {});
  await untilTidy(world, CERTIFICATE_REQUESTS, namespace);
});

test('where the authority is back before the fallback answers, it issues, and nothing of the request stays', async () => {
  const { world, namespace, putPair } = await place();
  await putPair();
  await eventually('the authority issues it', async () => {
    const { issuedBy, revision } = await statusOf(world, namespace, 'client');
    return revision === 1 && issuedBy === undefined;
  });
  assert.is((await readSecret(world, namespace, 'client-tls'))?.leaf.issuer, 'CN=Second ca');
  await untilTidy(world, CERTIFICATE_REQUESTS, namespace);
});

test.run();
