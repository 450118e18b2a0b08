import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CONFIG_MAPS } from '../../../src/api/names.ts';
import { parseCertificates } from '../../../src/pki/certificate.ts';
import { clientCertificate, create, readSecret, untilReady } from '../support/objects.ts';
import { makeCa, openssl, withFiles } from '../support/openssl.ts';
import { eventsOf } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';
import { eventually } from '../support/world.ts';
import {
  ALL_KINDS,
  clusterStatus,
  createClusterAuthority,
  createConfigMap,
  edit,
  inTeam,
  pemOf,
  readConfigMap,
  untilHeld,
} from '../trust-targets/support.ts';

// The attack: a partner puts CA certificates with the name and the key id of the authority's CA into its bundle. OpenSSL takes
// the first one of the issuer's name in the file, and so refuses every client of the authority.

const scene = oneScene({ authority: false, isHome: true, flags: ALL_KINDS });
test.after(scene.stop);

/** A target is sorted by fingerprint, so that one of them stands before the authority's own but once in 2^12. */
const FORGERIES = 12;

/** Whether OpenSSL accepts the client. */
function accepts(bundle: string, leaf: string): Promise<boolean> {
  return withFiles({ bundle, leaf }, (folder) =>
    openssl(folder, 'verify', '-CAfile', 'bundle', 'leaf').then(
      () => true,
      () => false,
    ),
  );
}

test('a partner whose CA bears the name of the authority cuts off no client, and is named', async () => {
  const { world, namespace: home } = await scene.get();
  const namespace = await world.namespace({ team: 'namesake' });
  const partner = await makeCa('partner');
  await createConfigMap(world, home, { 'ca.crt': partner.certificate }, { name: 'partner-ca' });
  const sources = [{ name: 'partner', configMap: { name: 'partner-ca' } }];
  await createClusterAuthority(world, 'namesake', [], { trust: { sources, targets: [inTeam('namesake')] } });
  const authorityRef = { kind: 'ClusterCertificateAuthority', name: 'namesake' };
  await create(world, clientCertificate(namespace, 'client', { authorityRef }));
  await untilReady(world, namespace, 'client');
  const stored = pemOf(await untilHeld(world, namespace, 2));
  const secret = await readSecret(world, namespace, 'client-tls');
  const leaf = secret?.leaf.toString() ?? '';
  const [own] = parseCertificates(secret?.bundle ?? '');
  assert.ok(own);
  assert.ok(await accepts(stored, leaf));

  const extensions = [
    'basicConstraints = critical, CA:true',
    'keyUsage = critical, keyCertSign, cRLSign',
    `subjectKeyIdentifier = ${own.subjectKeyId}`,
  ];
  const name = own.subject.commonName ?? '';
  const forged = await Promise.all(
    Array.from({ length: FORGERIES }, (_, index) => makeCa(index % 2 ? name : name.toUpperCase(), { extensions })),
  );
  const further = forged.map(({ certificate }) => certificate).join('');
  const sorted = [...parseCertificates(stored + further)]
    .sort((one, other) => (one.fingerprintSHA256 < other.fingerprintSHA256 ? -1 : 1))
    .map(({ pem }) => pem);
  assert.is(await accepts(sorted.join(''), leaf), false, 'the control');

  const another = await makeCa('another partner');
  const content = partner.certificate + further + another.certificate;
  await edit(world, CONFIG_MAPS, home, 'partner-ca', { data: { 'ca.crt': content } });
  // Both of the partner's, and the authority's own.
  const after = pemOf(await untilHeld(world, namespace, 3));
  assert.ok(await accepts(after, leaf));
  const { certificates } = await eventually('status names those that are left out', async () => {
    const [source] = (await clusterStatus(world, 'namesake')).trust?.sources ?? [];
    return /has the name of a CA of this authority/.test(source?.leftOut?.join() ?? '') && source;
  });
  assert.is(certificates, 2);
  await eventually('an event tells of it', async () => {
    const events = await eventsOf(world, '', 'namesake');
    return events.some(({ reason }) => reason === 'TrustSourceLeftOut');
  });
});

test('a ConfigMap that loses its CA certificates takes none out of a target', async () => {
  const { world, namespace: home } = await scene.get();
  const namespace = await world.namespace({ team: 'emptied' });
  const partner = await makeCa('partner');
  await createConfigMap(world, home, { 'ca.crt': partner.certificate }, { name: 'emptied-ca' });
  const sources = [{ name: 'partner', configMap: { name: 'emptied-ca' } }];
  await createClusterAuthority(world, 'emptied', [], { trust: { sources, targets: [inTeam('emptied')] } });
  const before = pemOf(await untilHeld(world, namespace, 2));
  const leaf = await makeCa('no CA', { extensions: ['basicConstraints = critical, CA:false'] });
  await edit(world, CONFIG_MAPS, home, 'emptied-ca', { data: { 'ca.crt': leaf.certificate } });
  await eventually('it is refused', async () => {
    const { trust } = await clusterStatus(world, 'emptied');
    return trust?.sources?.[0]?.reason === 'TrustBundleRefused';
  });
  assert.is(pemOf(await readConfigMap(world, namespace)), before);
});

test.run();
