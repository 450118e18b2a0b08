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
import { parseCommandLine } from '../config.ts';
import { Cluster } from '../wiring/cluster.ts';
import { membersOf } from './members.ts';

const KEY = 'CertificateAuthority/team/ca';
const generations = [aGeneration(1, 'Retiring', pairOf(ca))];
const issuerFingerprint = ca.certificate.fingerprintSHA256;
const status = { authorityGeneration: 1, notAfter: client.certificate.notAfter.toISOString() };
const resource = aCertificate().withStatus(status);

/** What the caches hold of a ClientCertificate and its Secret. */
function members(secret: RawObject | undefined, { raw = resource.raw, shareMiB = 1 } = {}) {
  const parsed = parseCommandLine([], {}, false);
  if (!('config' in parsed)) throw new Error('no config');
  const config = { ...parsed.config, namespaceShareMiB: shareMiB };
  const cluster = new Cluster(config, { client: {} as never, clock: new FakeClock(NOW), logger: SILENT });
  cluster.certificates.put(structuredClone(raw));
  if (secret !== undefined) cluster.secrets.put(secret);
  return membersOf(KEY, generations, cluster);
}

function withoutAnnotation(annotation: string): RawObject {
  const { [annotation]: _, ...annotations } = object.metadata?.annotations ?? {};
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

test.run();
