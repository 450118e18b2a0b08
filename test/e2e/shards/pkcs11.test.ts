/** A key in a token, with which several replicas sign at the same time, each by a process of its own. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AuthorityStatus } from '../../../src/api/generated/types.ts';
import { CLUSTER_CERTIFICATE_AUTHORITIES, CONFIG_MAPS } from '../../../src/api/names.ts';
import { pkcs11Spec, putCertificate, putPin } from '../backends/pkcs11-subject.ts';
import { startSoftHsm, type TokenAccess } from '../backends/servers/pkcs11.ts';
import { bugs, lines } from '../process/support/fleet.ts';
import { startEarly } from '../process/support/start-early.ts';
import { startController } from '../support/controller-process.ts';
import { eventually } from '../support/eventually.ts';
import { AT_ONCE, readSecret } from '../support/objects.ts';
import { oneWorld } from '../support/world.ts';
import { Fleet, identityOf } from './fleet.ts';

const COUNT = 16;
const NAMESPACES = 12;
const NAME = 'hsm-ca';
const KEY = `ClusterCertificateAuthority/${NAME}`;
const TOKEN: TokenAccess = { token: 'shared', pin: '4711' };
const URI = `pkcs11:token=${TOKEN.token};object=`;

const shared = oneWorld();
test.after(shared.stop);

/** Two replicas sign with one key, which another key of the token replaces; then the owner of the authority is killed. */
const story = startEarly(async () => {
  const hsm = await startSoftHsm('');
  await hsm.addToken(TOKEN.token, TOKEN.pin);
  const newCa = async (n: number) => {
    await hsm.addKey(TOKEN, { label: `v${n}`, id: `0${n}` });
    return hsm.selfSign(`${URI}v${n}`, TOKEN.pin, `/CN=HSM v${n}`);
  };
  const [first, second] = [await newCa(1), await newCa(2)];
  const world = await shared.get();
  const { client } = world;
  const fleet = await Fleet.of(world, NAMESPACES, COUNT);
  const where = { world, namespace: fleet.home };
  await putPin(where, TOKEN.pin);
  await putCertificate(where, first);
  await client.create(CONFIG_MAPS, {
    metadata: { namespace: fleet.home, name: 'hsm-ca-v2' },
    data: { 'tls.crt': second },
  });
  const flags = [...fleet.flags, ...hsm.flags, '--cluster-authorities', '--trust-propagation', '1s'];
  const start = () => startController(world.cluster.kubeconfigPath, flags);
  const all = [await start(), await start()];
  await fleet.untilShared(all);
  const spec = (pkcs11: object) => ({
    metadata: { name: NAME },
    spec: { pkcs11, allowedNamespaces: { names: fleet.namespaces }, caRotation: AT_ONCE },
  });
  await client.create(CLUSTER_CERTIFICATE_AUTHORITIES, spec(pkcs11Spec(`${URI}v1`)));
  await fleet.fill(['a', 'b'], { authorityRef: { kind: 'ClusterCertificateAuthority', name: NAME } });
  await fleet.untilReady();
  const signed = all.map(({ logs }) => lines(logs, 'signing').length);

  const next = { ...pkcs11Spec(`${URI}v2`), certificate: { configMap: { name: 'hsm-ca-v2' } } };
  await world.apply(CLUSTER_CERTIFICATE_AUTHORITIES, spec(next));
  await eventually(
    'the second key alone is left',
    async () => {
      const found = await client.get(CLUSTER_CERTIFICATE_AUTHORITIES, undefined, NAME);
      const { generations = [] } = (found?.status ?? {}) as AuthorityStatus;
      const states = generations.map(({ version, state }) => `${version} ${state}`);
      return states.includes('2 Active') && states.includes('1 Retired');
    },
    120_000,
  );
  await fleet.untilReady();
  const issuers = await Promise.all(
    fleet.namespaces.map(async (namespace) => (await readSecret(world, namespace, 'a-tls'))?.leaf.issuer),
  );

  const owner = await fleet.ownerOf(KEY);
  const killed = all.find((each) => identityOf(each) === owner);
  const heir = all.find((each) => each !== killed);
  if (killed === undefined || heir === undefined) throw new Error(`no replica has the identity ${owner}`);
  await killed.kill();
  await fleet.fill(['c'], { authorityRef: { kind: 'ClusterCertificateAuthority', name: NAME } });
  await fleet.untilHeldBy([heir]);
  await fleet.untilReady();
  const lives = all.map(({ logs }) => logs);
  return { signed, issuers, logins: hsm.logins(), faults: await fleet.faults(lives), found: bugs(lives.flat()) };
});

test('both replicas sign with the key', async () => {
  const { signed, logins } = await story();
  console.log(`# signed by each: ${signed}; ${logins} logins`);
  for (const each of signed) assert.ok(each > 0, String(signed));
});

test('after its rotation both sign with the other key, and nothing is left of the former one', async () => {
  const { issuers } = await story();
  assert.equal([...new Set(issuers)], ['CN=HSM v2']);
});

test('the replica that is left has the authority, and no certificate was issued twice for one reason', async () => {
  const { faults, found } = await story();
  assert.equal(faults.slice(0, 5), []);
  assert.equal(found, []);
});

test.run();
