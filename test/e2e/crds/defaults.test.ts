/** What a new object looks like before anybody has touched it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lazily } from '../support/lazily.ts';
import { check } from './ajv.ts';
import { collection, type Json, startWithCrds } from './api.ts';
import { definitionOf } from './definitions.ts';
import { type Kind, merge, smallest } from './samples.ts';

const shared = lazily(startWithCrds);
test.after(shared.stop);

const PENDING = {
  conditions: [
    {
      type: 'Ready',
      status: 'Unknown',
      reason: 'Pending',
      message: 'Waiting for the controller',
      lastTransitionTime: '1970-01-01T00:00:00Z',
    },
  ],
};
const CA_DEFAULTS = {
  selfManaged: { duration: '87600h', privateKey: { algorithm: 'ECDSA' } },
  allowSystemIdentities: false,
};
const KINDS = [
  'ClientCertificate',
  'CertificateAuthority',
  'ClusterCertificateAuthority',
  'CertificateApproval',
] as const;
const DEFAULTS: Record<Kind, Json> = {
  ClientCertificate: {
    authorityRef: { kind: 'CertificateAuthority' },
    duration: '24h',
    privateKey: { algorithm: 'ECDSA', encoding: 'PKCS8', rotationPolicy: 'Always' },
    usages: ['digital signature', 'client auth'],
    suspend: false,
    deletionPolicy: 'Delete',
  },
  CertificateAuthority: CA_DEFAULTS,
  ClusterCertificateAuthority: CA_DEFAULTS,
  CertificateApproval: {
    authorityRef: { kind: 'CertificateAuthority' },
    request: { duration: '24h', usages: ['digital signature', 'client auth'] },
  },
};
/** A CertificateApproval has none. */
const HAVE_STATUS = KINDS.filter((kind) => definitionOf(kind).schema.properties?.status !== undefined);

for (const [kind, defaults] of Object.entries(DEFAULTS) as [Kind, Json][]) {
  const given = smallest(kind);
  const expected = merge(given, { spec: defaults });

  test(`a new ${kind} has its defaults, and is Unknown/Pending where it has a status`, async () => {
    const api = await shared.get();
    const created = await api.send('POST', collection(kind), given);
    assert.is(created.status, 201, JSON.stringify(created.causes));
    assert.equal(created.body.spec, expected.spec);
    const { body } = await api.send('GET', `${collection(kind)}/sample`);
    assert.equal(body.spec, expected.spec);
    assert.equal(body.status, HAVE_STATUS.includes(kind) ? PENDING : undefined);
  });

  test(`ajv fills the same defaults into a ${kind}`, () => {
    const { problem, filled } = check(kind, given);
    assert.is(problem, undefined);
    assert.equal(filled.spec, expected.spec);
    assert.equal(filled.status, HAVE_STATUS.includes(kind) ? PENDING : undefined);
  });
}

for (const kind of HAVE_STATUS) {
  const given = smallest(kind);

  test(`the creator of a ${kind} can't set its status`, async () => {
    const api = await shared.get();
    const forged = merge(given, {
      metadata: { name: 'forged' },
      status: { conditions: [{ ...PENDING.conditions[0], status: 'True' }] },
    });
    await api.send('POST', collection(kind), forged);
    const { body } = await api.send('GET', `${collection(kind)}/forged`);
    assert.equal(body.status, PENDING);
  });

  test(`a change of the status of a ${kind} leaves its generation alone, one of the spec raises it`, async () => {
    const api = await shared.get();
    const path = `${collection(kind)}/sample`;
    const { body } = await api.send('GET', path);
    const status = { conditions: [{ ...PENDING.conditions[0], status: 'True' }], observedGeneration: 1 };
    const reported = await api.send('PUT', `${path}/status`, { ...body, status });
    assert.equal(reported.body.status, status);
    assert.is((reported.body.metadata as Json).generation, 1);
    const patch = kind === 'ClientCertificate' ? { suspend: true } : { allowSystemIdentities: true };
    const changed = await api.send('PUT', path, merge(reported.body, { spec: patch }));
    assert.is((changed.body.metadata as Json).generation, 2, JSON.stringify(changed.body));
    assert.equal(changed.body.status, status);
  });
}

test.run();
