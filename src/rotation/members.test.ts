import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pairOf } from '../../test/pki/make.ts';
import { aGeneration } from '../../test/unit/a-generation.ts';
import { aCertificate, NOW } from '../../test/unit/builders.ts';
import { ca, client, object } from '../../test/unit/client-secret.ts';
import { FakeClock } from '../../test/unit/fake-clock.ts';
import { SILENT } from '../../test/unit/own-authority.ts';
import * as names from '../api/names.ts';
import type { RawObject } from '../api/parse.ts';
import { isView } from '../certificate/secret/record.ts';
import { parseCommandLine } from '../config.ts';
import { Cluster } from '../wiring/cluster.ts';
import { membersOf, ProofsOwed, proveMembers } from './members.ts';

const KEY = 'CertificateAuthority/team/ca';
const CLUSTER_KEY = 'ClusterCertificateAuthority/ca';
const generations = [aGeneration(1, 'Retiring', pairOf(ca))];
const issuerFingerprint = ca.certificate.fingerprintSHA256;
const status = { authorityGeneration: 1, notAfter: client.certificate.notAfter.toISOString() };
const resource = aCertificate().withStatus(status);
const spec = resource.raw.spec as object;

function clusterWith(shareMiB = 1): Cluster {
  const parsed = parseCommandLine([], {}, false);
  if (!('config' in parsed)) throw new Error('no config');
  const config = { ...parsed.config, namespaceShareMiB: shareMiB };
  return new Cluster(config, { client: {} as never, clock: new FakeClock(NOW), logger: SILENT });
}

/** What the caches hold of a ClientCertificate and its Secret. */
function members(secret: RawObject | undefined, { raw = resource.raw, shareMiB = 1 } = {}) {
  const cluster = clusterWith(shareMiB);
  cluster.certificates.put(structuredClone(raw));
  if (secret !== undefined) cluster.secrets.put(secret);
  return membersOf(KEY, generations, cluster);
}

function withoutAnnotation(annotation: string): RawObject {
  const { [annotation]: _, ...annotations } = object.metadata?.annotations ?? {};
  return { ...object, metadata: { ...object.metadata, annotations } };
}

function withAnnotation(annotation: string, value: string): RawObject {
  const annotations = { ...object.metadata?.annotations, [annotation]: value };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

const held = { key: 'team/client', issuerFingerprint, notAfter: client.certificate.notAfter };
const short = (each: ReturnType<typeof members>[number]) => ({
  key: each.key,
  issuerFingerprint: each.issuerFingerprint,
  notAfter: each.notAfter,
});

test('the control: a Secret with the mark of its authority is a member, once', () => {
  const found = members(object);
  assert.equal(found.map(short), [held]);
  assert.is(found[0]?.fromStatus, undefined);
});

test('a Secret that lost the annotation of its authority stays a member by the ClientCertificate that names it', () => {
  const found = members(withoutAnnotation(names.AUTHORITY_ANNOTATION));
  assert.equal(found.map(short), [held]);
  assert.is(found[0]?.fromStatus, undefined, 'by what it holds');
});

test('a Secret for which its namespace has no room is a member by the status of its ClientCertificate', () => {
  const found = members(object, { shareMiB: 0.0025 });
  assert.equal(found.map(short), [held]);
  assert.is(found[0]?.fromStatus, true);
});

test('so is one that lost the label by which it is watched', () => {
  assert.equal(members(undefined).map(short), [held]);
});

test('a status speaks for no generation that is not there, and no certificate that has no end', () => {
  assert.equal(members(undefined, { raw: aCertificate().raw }), []);
  assert.equal(members(undefined, { raw: aCertificate().withStatus({ ...status, authorityGeneration: 2 }).raw }), []);
  assert.equal(members(undefined, { raw: aCertificate().withStatus({ authorityGeneration: 1 }).raw }), []);
});

test('a Secret that its ClientCertificate names no more is a member by its mark', () => {
  const raw = { ...resource.raw, spec: { ...spec, secretName: 'other' } };
  const found = members(object, { raw });
  assert.equal(
    found.map(short),
    [held, { ...held, key: 'Secret team/client-tls' }],
    'one by its status, one by its mark',
  );
  assert.equal(
    found.map(({ fromStatus }) => fromStatus),
    [true, undefined],
  );
});

test('a marked Secret is no member in a namespace that its authority does not serve', () => {
  const cluster = clusterWith();
  cluster.secrets.put(withAnnotation(names.AUTHORITY_ANNOTATION, 'ClusterCertificateAuthority/ca'));
  const found = () => membersOf(CLUSTER_KEY, generations, cluster).map(short);
  assert.equal(found(), [{ ...held, key: 'Secret team/client-tls' }], 'of an authority that is gone');
  const serve = (resourceVersion: string, allowed: readonly string[]) =>
    cluster.clusterAuthorities.put({
      metadata: { name: 'ca', resourceVersion },
      spec: { selfManaged: { commonName: 'CA' }, allowedNamespaces: { names: allowed } },
    });
  serve('1', ['other']);
  assert.equal(found(), []);
  serve('2', ['team']);
  assert.is(found().length, 1);
});

test('nothing is proven that a namespace holds which is not served', () => {
  const cluster = clusterWith();
  cluster.clusterAuthorities.put({
    metadata: { name: 'ca', resourceVersion: '1' },
    spec: { selfManaged: { commonName: 'CA' }, allowedNamespaces: { names: ['other'] } },
  });
  const marked = withAnnotation(names.AUTHORITY_ANNOTATION, CLUSTER_KEY);
  for (let index = 0; index < 40; index++) {
    const name = `tls-${index}`;
    cluster.certificates.put({
      ...resource.raw,
      metadata: { ...resource.raw.metadata, name },
      spec: { ...spec, secretName: name },
    });
    cluster.secrets.put({ ...marked, metadata: { ...marked.metadata, name } });
  }
  assert.equal(membersOf(CLUSTER_KEY, generations, cluster), []);
  assert.ok([...cluster.secrets.values()].every((kept) => isView(kept) && !kept.isProven));
});

test('proofs that many certificates owe are made over many turns; until then the members are not known', async () => {
  const count = 60;
  const cluster = clusterWith();
  const authorityRef = { kind: 'ClusterCertificateAuthority', name: 'ca' };
  for (let index = 0; index < count; index++) {
    const namespace = `team-${index}`;
    cluster.certificates.put({
      ...resource.raw,
      metadata: { ...resource.raw.metadata, namespace },
      spec: { ...spec, authorityRef },
    });
    // One in three still carries the mark of the authority from before.
    const authority = index % 3 === 0 ? 'ClusterCertificateAuthority/former' : 'ClusterCertificateAuthority/ca';
    const marked = withAnnotation(names.AUTHORITY_ANNOTATION, authority);
    cluster.secrets.put({ ...marked, metadata: { ...marked.metadata, namespace } });
  }
  const owed = () => [...cluster.secrets.values()].filter((kept) => isView(kept) && !kept.isProven).length;
  assert.is(owed(), count);
  assert.throws(
    () => membersOf(CLUSTER_KEY, generations, cluster),
    (error: Error) => error instanceof ProofsOwed,
  );
  assert.is(owed(), count - 25, 'no more in one turn');
  const left: number[] = [];
  const stop = new AbortController();
  const end = async () => {
    left.push(owed());
    if (left.length === 40) stop.abort();
  };
  await proveMembers(CLUSTER_KEY, cluster, { end }, stop.signal);
  assert.is(left.length, 40, 'it ends with the process');
  await proveMembers(CLUSTER_KEY, cluster, { end }, new AbortController().signal);
  assert.is(owed(), 0);
  for (const [index, each] of left.entries()) assert.ok((left[index - 1] ?? each) - each <= 1, 'each may end a turn');
  assert.is(membersOf(CLUSTER_KEY, generations, cluster).length, count);
});

test.run();
