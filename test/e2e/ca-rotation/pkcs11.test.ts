/** Another key of a token: both keys sign while the rotation runs, and no key leaves the token. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AUTHORITY_NAME_LABEL, CERTIFICATE_AUTHORITIES, CONFIG_MAPS, SECRETS } from '../../../src/api/names.ts';
import { pkcs11Spec, putCertificate, putPin } from '../backends/pkcs11-subject.ts';
import { type SoftHsm, startSoftHsm, type TokenAccess } from '../backends/servers/pkcs11.ts';
import { patchAuthority } from '../support/edits.ts';
import { eventually } from '../support/eventually.ts';
import { lazily } from '../support/lazily.ts';
import { AT_ONCE, authorityStatusOf, conditionOf, readSecret } from '../support/objects.ts';
import { faultsOfHistory, watchSecrets } from '../support/secret-witness.ts';
import { oneWorld } from '../support/world.ts';
import { underTraffic } from './under-traffic.ts';

const USAGES = ['digital signature', 'client auth', 'server auth'];
const TOKEN: TokenAccess = { token: 'rotating', pin: '4711' };

const worlds = oneWorld();
const shared = lazily(async () => {
  const hsm = await startSoftHsm(`*/${TOKEN.token}`);
  await hsm.addToken(TOKEN.token, TOKEN.pin);
  const world = await worlds.get();
  return { hsm, world, controller: await world.controller([...hsm.flags]) };
});
test.after(worlds.stop);

/** A key with its certificate: `n` is its number in the token. */
async function newCa(hsm: SoftHsm, n: number) {
  const label = `ca-v${n}`;
  await hsm.addKey(TOKEN, { label, id: `0${n}` });
  const uri = `pkcs11:token=${TOKEN.token};object=${label}`;
  return { uri, certificate: await hsm.selfSign(uri, TOKEN.pin, `/CN=HSM v${n}`) };
}

test('another key and certificate of the token: trusted before it signs, and the former one leaves', async () => {
  const { hsm, world } = await shared.get();
  const namespace = await world.namespace();
  const here = { world, namespace };
  const [first, second] = [await newCa(hsm, 1), await newCa(hsm, 2)];
  await putPin(here, TOKEN.pin);
  await putCertificate(here, first.certificate);
  await world.client.create(CERTIFICATE_AUTHORITIES, {
    metadata: { namespace, name: 'ca' },
    spec: { pkcs11: pkcs11Spec(first.uri), caRotation: { ...AT_ONCE, propagation: '1s' } },
  });
  const secrets = await watchSecrets(world, namespace);
  const place = await underTraffic(world, namespace, { usages: USAGES });
  await place.until('Active');

  // First the certificate alone, by mistake: it is told, and the CA that signs goes on.
  await putCertificate(here, second.certificate);
  await eventually('the mistake is told', async () => {
    const status = await authorityStatusOf(world, namespace, 'ca');
    const told = conditionOf(status, 'Stalled')?.message ?? '';
    return told.includes('is not the key of CN=HSM v2') && conditionOf(status, 'Ready')?.status === 'True';
  });
  await putCertificate(here, first.certificate);

  // As the page has it: the new certificate in a ConfigMap of its own, and then one change of the authority.
  await world.client.create(CONFIG_MAPS, {
    metadata: { namespace, name: 'hsm-ca-v2' },
    data: { 'tls.crt': second.certificate },
  });
  const next = { uri: second.uri, certificate: { configMap: { name: 'hsm-ca-v2' } } };
  await patchAuthority(world, namespace, 'ca', { spec: { pkcs11: next } });
  await place.until('Retired', 'Active');
  assert.is((await readSecret(world, namespace, 'alice-tls'))?.leaf.issuer, 'CN=HSM v2');
  await eventually('its Secret trusts the new CA alone', async () => {
    const alice = await readSecret(world, namespace, 'alice-tls');
    return alice?.bundle.match(/BEGIN/g)?.length === 1;
  });
  await place.end();
  assert.equal(faultsOfHistory(secrets.versions('alice-tls')), []);

  const generations = secrets.all().filter(({ object }) => object.metadata?.labels?.[AUTHORITY_NAME_LABEL] === 'ca');
  assert.ok(generations.length > 0);
  for (const { object } of generations) assert.is(object.data?.['tls.key'] ?? '', '');
});

test('a generation is signed with after a restart of the controller, from nothing but the cluster and the token', async () => {
  const { hsm, world, controller } = await shared.get();
  const namespace = await world.namespace();
  const here = { world, namespace };
  const ca = await newCa(hsm, 3);
  await putPin(here, TOKEN.pin);
  await putCertificate(here, ca.certificate);
  await world.client.create(CERTIFICATE_AUTHORITIES, {
    metadata: { namespace, name: 'ca' },
    spec: { pkcs11: pkcs11Spec(ca.uri), caRotation: AT_ONCE },
  });
  const place = await underTraffic(world, namespace, { usages: USAGES });
  await place.until('Active');
  await controller.kill();
  await world.controller([...hsm.flags]);
  await eventually('its generation is the only one', async () => {
    const { items } = await world.client.list(SECRETS, { namespace, labelSelector: `${AUTHORITY_NAME_LABEL}=ca` });
    const { generations, conditions } = await authorityStatusOf(world, namespace, 'ca');
    return (
      items.length === 1 &&
      generations?.length === 1 &&
      conditions?.find(({ type }) => type === 'Ready')?.status === 'True'
    );
  });
  await place.end();
});

test.run();
