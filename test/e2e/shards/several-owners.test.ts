/** An authority of the cluster, and its fallback that another replica has: what each of the two needs of the other one. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AuthorityStatus } from '../../../src/api/generated/types.ts';
import { CLUSTER_CERTIFICATE_AUTHORITIES, ROTATE_CA_ANNOTATION } from '../../../src/api/names.ts';
import { REVOKE_ANNOTATION } from '../../../src/api/revocation.ts';
import { rangeOf } from '../../../src/shards/ranges.ts';
import { onStop } from '../../teardown.ts';
import { bugs } from '../process/support/fleet.ts';
import { startEarly } from '../process/support/start-early.ts';
import { startController } from '../support/controller-process.ts';
import { patchCertificate } from '../support/edits.ts';
import { eventually } from '../support/eventually.ts';
import { untilNextSecond } from '../support/moments.ts';
import { AT_ONCE, statusOf } from '../support/objects.ts';
import { oneWorld } from '../support/world.ts';
import { Fleet } from './fleet.ts';

const COUNT = 16;
const NAMESPACES = 6;
const FLAGS = ['--cluster-authorities', '--trust-propagation=1s', '--kubelet-sync=1s', '--trust-targets=configMaps'];

interface AuditLine {
  readonly event: string;
  readonly serial?: string;
}

const shared = oneWorld();
test.after(shared.stop);

const story = startEarly(async () => {
  const world = await shared.get();
  const fleet = await Fleet.of(world, NAMESPACES, COUNT);
  const folder = await mkdtemp(join(tmpdir(), 'certwheel-audit-'));
  onStop(() => rm(folder, { recursive: true, force: true }));
  const files = ['one', 'other'].map((name) => join(folder, name));
  const start = (file = '') =>
    startController(world.cluster.kubeconfigPath, [...fleet.flags, ...FLAGS, '--audit-log', file]);
  const all = [await start(files[0]), await start(files[1])];
  const owners = await fleet.untilShared(all);
  const ownerOf = (name: string) => owners[rangeOf(`ClusterCertificateAuthority/${name}`, COUNT)];
  const nameFor = (prefix: string, owner: string | undefined) =>
    Array.from({ length: 100 }, (_, each) => `${prefix}-${process.pid}-${each}`).find(
      (name) => ownerOf(name) === owner,
    ) ?? prefix;
  const [primary, reserve] = [
    nameFor('primary', owners[0]),
    nameFor(
      'reserve',
      owners.find((each) => each !== owners[0]),
    ),
  ];
  const create = (name: string, spec: Record<string, unknown>) =>
    world.client.create(CLUSTER_CERTIFICATE_AUTHORITIES, {
      metadata: { name },
      spec: {
        selfManaged: { commonName: name },
        allowedNamespaces: { names: fleet.namespaces },
        caRotation: AT_ONCE,
        ...spec,
      },
    });
  const authority = async (name: string) =>
    ((await world.client.get(CLUSTER_CERTIFICATE_AUTHORITIES, undefined, name))?.status ?? {}) as AuthorityStatus;
  await create(reserve, {});
  await create(primary, {
    fallback: { name: reserve },
    revocation: { url: 'http://crl.example.com/' },
    trust: {
      targets: [{ name: 'servers', configMap: { name: 'client-ca' }, namespaces: { names: fleet.namespaces } }],
    },
  });
  await fleet.fill(['a', 'b'], { authorityRef: { kind: 'ClusterCertificateAuthority', name: primary } });
  await fleet.untilReady();

  for (const namespace of fleet.namespaces) {
    const { serialNumber } = await statusOf(world, namespace, 'a');
    const annotations = { [REVOKE_ANNOTATION]: `${serialNumber}=keyCompromise` };
    await patchCertificate(world, namespace, 'a', { metadata: { annotations } });
  }
  await untilNextSecond();
  await world.apply(CLUSTER_CERTIFICATE_AUTHORITIES, {
    metadata: { name: reserve, annotations: { [ROTATE_CA_ANNOTATION]: new Date().toISOString() } },
  });
  const revocation = await eventually('all are revoked', async () => {
    const { revocation: found } = await authority(primary);
    return found?.revoked === NAMESPACES && found;
  });
  const generations = await eventually(
    'the fallback has its second CA alone',
    async () => {
      const states = ((await authority(reserve)).generations ?? []).map(({ version, state }) => `${version} ${state}`);
      return states.includes('2 Active') && states.includes('1 Retired') && states;
    },
    60_000,
  );
  await fleet.untilReady();
  const metrics = await Promise.all(all.map((each) => each.metrics()));
  const faults = await fleet.faults(
    all.map(({ logs }) => logs),
    0,
  );
  const published = fleet.published();
  for (const each of all) await each.stop();
  const audit = await Promise.all(files.map(async (file) => readAudit(await readFile(file, 'utf8'))));
  return { revocation, generations, metrics, faults, published, audit, found: bugs(all.flatMap(({ logs }) => logs)) };
});

function readAudit(text: string): AuditLine[] {
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
}

test('the CA rotation of a fallback waits for the trust targets that another replica writes, and no longer', async () => {
  const { generations } = await story();
  assert.equal(generations, ['2 Active', '1 Retired']);
});

test('the owner revokes what other replicas have, each once, and publishes one CRL', async () => {
  const { revocation, audit } = await story();
  assert.is(revocation.owed, 0);
  assert.equal(
    revocation.crls?.map(({ generation, entries }) => [generation, entries]),
    [[1, NAMESPACES]],
  );
  const revoked = audit.map((lines) => lines.filter(({ event }) => event === 'revoked'));
  assert.is(new Set(revoked.flat().map(({ serial }) => serial)).size, NAMESPACES);
  assert.is(revoked.flat().length, NAMESPACES);
  assert.is(revoked.filter(({ length }) => length > 0).length, 1, 'by one of them');
});

test('each certificate is in one Secret, and was signed and published by one line of one audit log', async () => {
  const { audit, published, faults, found } = await story();
  assert.equal(faults, []);
  assert.equal(found, []);
  for (const event of ['signed', 'published']) {
    const serials = audit.flat().flatMap((line) => (line.event === event ? [String(line.serial)] : []));
    assert.equal(serials.sort(), [...published].sort(), event);
  }
});

test('no series of an authority or a certificate is shown by both', async () => {
  const { metrics } = await story();
  const [one = [], other = []] = metrics.map((text) =>
    text.split('\n').flatMap((line) => /^certwheel_\w+\{(?=.*(?:authority|namespace)=")[^}]*\}/.exec(line) ?? []),
  );
  assert.ok(one.length > 0 && other.length > 0);
  assert.equal(
    one.filter((each) => other.includes(each)),
    [],
  );
});

test.run();
