import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  AUTHORITY_ANNOTATION,
  CERTIFICATE_AUTHORITIES,
  CLIENT_CERTIFICATES,
  ISSUED_BY_ANNOTATION,
  type Resource,
  resourcePath,
  SERIALS_ANNOTATION,
} from '../../../src/api/names.ts';
import { REVOKE_ANNOTATION, REVOKE_ISSUED_BEFORE_ANNOTATION } from '../../../src/api/revocation.ts';
import { registerManifest } from '../../../src/revocation/register-secret.ts';
import { untilListed } from '../revocation/listed.ts';
import { createSecretAuthority, pairData, putCaSecret } from '../support/ca-secret.ts';
import { createSecret, deleteSecret, patchAuthority, patchCertificate, patchSecret } from '../support/edits.ts';
import { authorityStatusOf, conditionOf, readSecret, statusOf } from '../support/objects.ts';
import { makeCa, makeLeaf } from '../support/openssl.ts';
import { plainApi } from '../support/plain-api.ts';
import { oneScene } from '../support/scene.ts';
import { eventually } from '../support/world.ts';
import {
  AUTHORITIES,
  askToRevoke,
  atShared,
  isRevoked,
  issue,
  ledgerOf,
  onlyOwnIsRevoked,
  prepareVictims,
  victimIsWell,
} from './support/revocation-victim.ts';

// The attack: a tenant knows the serial number of another namespace's certificate, which is no secret, and has the authority
// that both share revoke it. In each of them a certificate of the tenant's own is revoked, so that what it asked for was heard.

const scene = oneScene({ isHome: true, authority: false, flags: ['--allow-loopback-authorities'] }, prepareVictims);
test.after(scene.stop);

const base64 = (text: string) => Buffer.from(text).toString('base64');
/** What is asked for by then is noted down, and done. */
const BY_THEN_MS = 3_000;

for (const at of AUTHORITIES) {
  test(`at ${at}: an annotation with the serial number of another namespace`, async () => {
    const victims = await scene.get();
    const { world, tenant, stolen } = victims;
    const name = `named-${at}`;
    const own = await issue(world, tenant, name, atShared(at));
    await askToRevoke(world, tenant, name, stolen[at], own);
    await onlyOwnIsRevoked(victims, at, own);
    const { revocations = [] } = await statusOf(world, tenant, name);
    const said = revocations.find(({ serialNumber }) => serialNumber === stolen[at]);
    assert.is(said?.state, 'Refused');
    assert.match(said?.message ?? '', 'none of the valid certificates that were issued for this ClientCertificate');
  });

  const ledgers: Record<string, (own: string, others: string) => string> = {
    'the sealed ledger of the victim behind the own': (own, others) => `${own},${others}`,
    'the ledger of the victim in place of the own seal': (own, others) =>
      `${own.replace(/,seal=.*/, '')},${others.replace(/,seal=.*/, '')}${/,seal=.*/.exec(own)?.[0] ?? ''},seal=,${own}`,
    'entries without a seal': (own, others) => `${own},seal=,${others.replace(/,seal=.*/, '')}`,
  };
  for (const [index, [sentence, forge]] of Object.entries(ledgers).entries())
    test(`at ${at}: a forged ledger: ${sentence}`, async () => {
      const victims = await scene.get();
      const { world, tenant, victim, stolen } = victims;
      const name = `ledger-${index}-${at}`;
      const own = await issue(world, tenant, name, { ...atShared(at) });
      // While it is suspended nothing writes the Secret anew.
      await patchCertificate(world, tenant, name, { spec: { suspend: true } });
      const forged = forge(await ledgerOf(world, tenant, name), await ledgerOf(world, victim, at));
      assert.match(forged, stolen[at]);
      await patchSecret(world, tenant, `${name}-tls`, { metadata: { annotations: { [SERIALS_ANNOTATION]: forged } } });
      const before = new Date().toISOString();
      await patchCertificate(world, tenant, name, {
        metadata: {
          annotations: {
            [REVOKE_ANNOTATION]: `${stolen[at]}=keyCompromise`,
            [REVOKE_ISSUED_BEFORE_ANNOTATION]: before,
          },
        },
      });
      await onlyOwnIsRevoked(victims, at, own);
    });

  test(`at ${at}: a copy of the victim's certificate in the own Secret, without its key`, async () => {
    const victims = await scene.get();
    const { world, tenant, victim, stolen } = victims;
    const name = `copied-${at}`;
    const own = await issue(world, tenant, name, atShared(at));
    await patchCertificate(world, tenant, name, { spec: { suspend: true } });
    const copy = await readSecret(world, victim, `${at}-tls`);
    for (const key of [undefined, '', (await readSecret(world, tenant, `${name}-tls`))?.key]) {
      await patchSecret(world, tenant, `${name}-tls`, {
        data: { 'tls.crt': base64(copy?.chain ?? ''), ...(key !== undefined && { 'tls.key': base64(key) }) },
      });
      await askToRevoke(world, tenant, name, stolen[at]);
      await sleep(BY_THEN_MS / 3);
    }
    await askToRevoke(world, tenant, name, stolen[at], own);
    await onlyOwnIsRevoked(victims, at, own);
  });

  test(`at ${at}: a CA of the tenant signs the victim's serial number, and the Secret names the shared authority`, async () => {
    const victims = await scene.get();
    const { world, home, tenant, stolen } = victims;
    const name = `mine-${at}`;
    const ca = await makeCa(name);
    await putCaSecret(world, tenant, name, pairData(ca));
    await createSecretAuthority(world, tenant, name, name, { revocation: {} });
    const own = await issue(world, tenant, name, { authorityRef: { name } });
    await patchCertificate(world, tenant, name, { spec: { suspend: true } });
    const shared = `ClusterCertificateAuthority/${at}`;
    const twin = await makeLeaf(ca, name, { serial: stolen[at] });
    const data = { 'tls.crt': base64(twin.certificate), 'tls.key': base64(twin.key), 'ca.crt': base64(ca.certificate) };
    for (const annotation of [ISSUED_BY_ANNOTATION, AUTHORITY_ANNOTATION]) {
      const annotations = { [annotation]: shared };
      await patchSecret(world, tenant, `${name}-tls`, { data, metadata: { annotations } });
      await askToRevoke(world, tenant, name, stolen[at], own);
      await sleep(BY_THEN_MS);
      await victimIsWell(victims);
    }
    // It was heard: the tenant may revoke what its own CA has signed.
    const uid = (await world.client.get(CERTIFICATE_AUTHORITIES, tenant, name))?.metadata?.uid ?? '';
    await untilListed(world, home, uid, stolen[at]);
    await victimIsWell(victims);
  });

  test(`at ${at}: that certificate in the Secret of a certificate of the shared authority`, async () => {
    const victims = await scene.get();
    const { world, tenant, stolen } = victims;
    const name = `planted-${at}`;
    const own = await issue(world, tenant, name, atShared(at));
    await patchCertificate(world, tenant, name, { spec: { suspend: true } });
    const bundle = (await readSecret(world, tenant, `${name}-tls`))?.bundle ?? '';
    const ca = await makeCa('mallory');
    const twin = await makeLeaf(ca, name, { serial: stolen[at] });
    await patchSecret(world, tenant, `${name}-tls`, {
      data: {
        'tls.crt': base64(twin.certificate + ca.certificate),
        'tls.key': base64(twin.key),
        'ca.crt': base64(bundle + ca.certificate),
      },
    });
    await askToRevoke(world, tenant, name, stolen[at], own);
    await onlyOwnIsRevoked(victims, at, own);
  });
}

test('an authority of the tenant at the same step-ca, with the serial number in spec.revocation.serials', async () => {
  const victims = await scene.get();
  const { world, tenant, stepCa, stolen } = victims;
  const stepCA = await stepCa(tenant);
  await world.client.create(CERTIFICATE_AUTHORITIES, {
    metadata: { namespace: tenant, name: 'same' },
    spec: { stepCA },
  });
  const own = await issue(world, tenant, 'same', { authorityRef: { name: 'same' } });
  const serials = [`${stolen['shared-step']}=keyCompromise`, own];
  await patchAuthority(world, tenant, 'same', { spec: { revocation: { serials } } });
  await onlyOwnIsRevoked(victims, 'shared-step', own);
  const { revocation } = await eventually('status says so', async () => {
    const now = await authorityStatusOf(world, tenant, 'same');
    return (now.revocation?.problems?.length ?? 0) > 0 && now;
  });
  assert.equal(
    revocation?.problems?.map(({ serialNumber, reason }) => [serialNumber, reason]),
    [[stolen['shared-step'], 'NotInLedger']],
  );
});

test('a register Secret that the tenant has planted, for the shared authority and for one of its own', async () => {
  const victims = await scene.get();
  const { world, tenant, stepCa, stolen } = victims;
  const serialNumber = stolen['shared-step'];
  const entry = {
    serialNumber,
    notAfter: new Date(Date.now() + 3_600_000),
    askedAt: new Date(),
    reason: 'keyCompromise',
  };
  const register = new Map([[serialNumber, entry as never]]);
  const plant = async (owner: Parameters<typeof registerManifest>[0]) => {
    const { metadata, data } = registerManifest(owner, tenant, register, { metadata: { uid: 'guessed' } });
    await createSecret(world, tenant, metadata.name, { labels: metadata.labels, data });
    return metadata.name;
  };
  await plant({ kind: 'ClusterCertificateAuthority', name: 'shared-step' });
  const planted = await plant({ kind: 'CertificateAuthority', name: 'planted' });
  const stepCA = await stepCa(tenant);
  await world.client.create(CERTIFICATE_AUTHORITIES, {
    metadata: { namespace: tenant, name: 'planted' },
    spec: { stepCA },
  });
  const own = await issue(world, tenant, 'planted', { authorityRef: { name: 'planted' } });
  await askToRevoke(world, tenant, 'planted', own);
  const stalled = await eventually('the authority says so', async () =>
    conditionOf(await authorityStatusOf(world, tenant, 'planted'), 'RevocationStalled'),
  );
  assert.is(stalled.reason, 'RegisterUnusable');
  assert.match(stalled.message ?? '', planted);
  await victimIsWell(victims);
  assert.not.ok(await isRevoked(victims, 'shared-step', own));
  await deleteSecret(world, tenant, planted);
  await onlyOwnIsRevoked(victims, 'shared-step', own);
});

test('a forged status of the certificate and of an authority', async () => {
  const victims = await scene.get();
  const { world, tenant, stepCa, stolen } = victims;
  const serialNumber = stolen['shared-step'];
  const stepCA = await stepCa(tenant);
  const metadata = { namespace: tenant, name: 'stated' };
  await world.client.create(CERTIFICATE_AUTHORITIES, { metadata, spec: { stepCA, revocation: { deleted: 'Revoke' } } });
  const own = await issue(world, tenant, 'stated', { authorityRef: { name: 'stated' } });
  await patchCertificate(world, tenant, 'stated', { spec: { suspend: true } });
  const send = (resource: Resource, status: object) =>
    plainApi(world.cluster).send(
      'PATCH',
      `${resourcePath(resource, tenant, 'stated')}/status`,
      { status },
      'application/merge-patch+json',
    );
  await send(CLIENT_CERTIFICATES, { serialNumber, revocations: [{ serialNumber, state: 'Owed' }] });
  const problems = [{ serialNumber, reason: 'Owed', message: 'owed' }];
  await send(CERTIFICATE_AUTHORITIES, { revocation: { owed: 1, revoked: 0, problems } });
  await askToRevoke(world, tenant, 'stated', serialNumber, own);
  await onlyOwnIsRevoked(victims, 'shared-step', own);
});

test('and the victim may revoke its own by the same annotation', async () => {
  const victims = await scene.get();
  const { world, victim, stolen } = victims;
  await victimIsWell(victims);
  for (const at of AUTHORITIES) await askToRevoke(world, victim, at, stolen[at]);
  for (const at of AUTHORITIES)
    await eventually(`${stolen[at]} of ${at} is revoked`, () => isRevoked(victims, at, stolen[at]));
});

test.run();
