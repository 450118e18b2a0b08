/** Repair: the Secret is written again with the certificate that it already holds. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { leaf, root, signIntermediate } from '../../test/pki/make.ts';
import { aCertificate, DAY, HOUR, NOW } from '../../test/unit/builders.ts';
import { CertificateWorld, refusal } from '../../test/unit/certificate-world.ts';
import { ca } from '../../test/unit/journaled-authority.ts';
import { bytesOf, foreignWrite } from '../../test/unit/stored-bytes.ts';
import { thrownBy } from '../../test/unit/thrown-by.ts';
import type { ClientCertificate } from '../api/client-certificate.ts';
import * as names from '../api/names.ts';
import type { RawObject } from '../api/parse.ts';
import { ApiError, CertwheelError } from '../errors.ts';
import { bundleOf } from '../pki/bundle.ts';
import { keyEncodingOf, parsePrivateKey, publicKeyDer } from '../pki/keys.ts';
import type { AuthorityView, SigningView } from './authority-view.ts';
import { readStorePasswords } from './secret/store-passwords.ts';

const coming = await root({ commonName: 'Coming' });
const intermediate = await signIntermediate(ca);
const foreign = await leaf(coming);

async function issued(raw?: RawObject): Promise<CertificateWorld> {
  const world = new CertificateWorld(structuredClone(raw));
  await world.settle();
  await world.clock.advance(HOUR);
  return world;
}

interface Change {
  readonly spec?: object;
  readonly view?: (view: AuthorityView) => Partial<AuthorityView>;
  readonly object?: (object: RawObject) => Partial<RawObject>;
  /** The keys of the Secret whose bytes the repair changes. */
  readonly changes: readonly ('tls.crt' | 'tls.key' | 'ca.crt')[];
}

const without = (object: RawObject, annotation: string): Partial<RawObject> => {
  const { [annotation]: _, ...annotations } = object.metadata?.annotations ?? {};
  return { metadata: { ...object.metadata, annotations } };
};

const CHANGES: Readonly<Record<string, Change>> = {
  'no difference': { changes: [] },
  'a new label in secretTemplate': { spec: { secretTemplate: { labels: { a: 'b' } } }, changes: [] },
  'a second CA in the trust bundle': {
    view: () => ({ trust: bundleOf([ca.certificate, coming.certificate]) }),
    changes: ['ca.crt'],
  },
  'a trust bundle that is not known yet': { view: ({ trust }) => ({ trust: { ...trust, pem: '' } }), changes: [] },
  'another encoding of the private key': { spec: { privateKey: { encoding: 'PKCS1' } }, changes: ['tls.key'] },
  'new intermediates above the CA that signed the leaf': {
    view: () => ({ issuers: [intermediate.certificate] }),
    changes: ['tls.crt'],
  },
  'new intermediates above a CA that did not sign the leaf': {
    view: ({ signing }) => ({
      issuers: [intermediate.certificate],
      signing: { ...(signing as SigningView), fingerprintSHA256: 'of another' },
    }),
    changes: [],
  },
  'a private key to which another program added a line break': {
    object: ({ data }) => ({
      data: {
        ...data,
        'tls.key': Buffer.from(`${bytesOf({ data } as RawObject).key}\n`).toString('base64'),
      } as NonNullable<RawObject['data']>,
    }),
    changes: [],
  },
  'a missing revision annotation': {
    object: (object) => without(object, names.REVISION_ANNOTATION),
    changes: [],
  },
};

for (const [what, { spec, view, object, changes }] of Object.entries(CHANGES))
  test(`${what}: a repair is one write without a signature, and changes ${changes.join() || 'no bytes'}`, async () => {
    const world = await issued();
    if (spec !== undefined) world.edit({ metadata: { generation: 2 }, spec: aCertificate(spec).raw.spec });
    const stored = world.store.object as RawObject;
    world.store.object = object === undefined ? stored : foreignWrite(stored, object(stored));
    const { length } = world.journal.lines;
    const before = world.store.object;
    await world.repair({ ...world.ca.view, ...view?.(world.ca.view) });
    assert.equal(world.journal.since(length), ['leading', 'Secret']);
    const after = world.store.object;
    const changed = ['tls.crt', 'tls.key', 'ca.crt'].filter((key) => before.data?.[key] !== after?.data?.[key]);
    assert.equal(changed, changes);
    const [one, other] = [bytesOf(before), bytesOf(after)];
    assert.is(one.chain[0]?.fingerprintSHA256, other.chain[0]?.fingerprintSHA256);
    assert.equal(publicKeyDer(parsePrivateKey(one.key)), publicKeyDer(parsePrivateKey(other.key)));
    const memory = world.store.view()?.memory;
    assert.equal([memory?.revision, memory?.issuedAt], [1, NOW], 'it is the same issue');
  });

test('a repair writes the private key in the encoding of the spec', async () => {
  for (const [algorithm, encoding] of [
    ['ECDSA', 'PKCS1'],
    ['RSA', 'PKCS1'],
  ] as const) {
    const world = await issued(aCertificate({ privateKey: { algorithm } }).raw);
    world.edit({ spec: aCertificate({ privateKey: { algorithm, encoding } }).raw.spec });
    await world.repair();
    assert.is(keyEncodingOf(bytesOf(world.store.object).key), encoding, algorithm);
  }
});

test('where the annotation with the moment of issue is missing, a repair takes the moment from the certificate, never a future one', async () => {
  const world = await issued();
  const stored = world.store.object as RawObject;
  world.store.object = foreignWrite(stored, without(stored, names.ISSUED_AT_ANNOTATION));
  await world.repair();
  const noted = world.store.view()?.memory.issuedAt;
  assert.ok(noted !== undefined && Math.abs(noted.getTime() - NOW.getTime()) < 1_000, `${noted?.toISOString()}`);
  world.clock.jump(-3 * DAY);
  const again = world.store.object as RawObject;
  world.store.object = foreignWrite(again, without(again, names.ISSUED_AT_ANNOTATION));
  await world.repair();
  assert.ok((world.store.view()?.memory.issuedAt as Date) <= world.clock.now());
});

/** What happens to the Secret between the observe of a run and its repair. */
const MEANWHILE: Readonly<Record<string, (object: RawObject) => RawObject | undefined>> = {
  'is gone': () => undefined,
  'has changed': (object) => foreignWrite(object, {}),
  'holds another certificate': (object) =>
    foreignWrite(object, {
      data: { ...object.data, 'tls.crt': Buffer.from(foreign.certificate.pem).toString('base64') },
    }),
};
for (const [what, change] of Object.entries(MEANWHILE))
  test(`a Secret that ${what} since it was observed is not written`, async () => {
    const world = await issued();
    const seen = world.seen();
    world.store.object = change(world.store.object as RawObject);
    const before = structuredClone(world.store.object);
    const { length } = world.journal.lines;
    const error = await thrownBy(world.repair(world.ca.view, seen));
    assert.is(error instanceof CertwheelError && error.code, 'Conflict');
    assert.equal(world.journal.since(length), []);
    assert.equal(world.store.object, before);
  });

test('a repair of a Secret without a usable certificate fails with Conflict and writes nothing', async () => {
  const world = await issued();
  const seen = world.seen();
  const { secret } = seen;
  const { length } = world.journal.lines;
  const error = await thrownBy(
    world.repair(world.ca.view, seen.with({ secret: secret && { ...secret, certificate: undefined } })),
  );
  assert.is(error instanceof CertwheelError && error.code, 'Conflict');
  assert.equal(world.journal.since(length), []);
});

test('a repair does not retry a failed write; the next run does', async () => {
  for (const status of [0, 403, 409, 422, 429, 500]) {
    const world = await issued();
    world.journal.refuse('Secret', refusal(status));
    const { length } = world.journal.lines;
    const error = await thrownBy(world.repair());
    assert.is(error instanceof ApiError && error.status, status);
    assert.equal(world.journal.since(length), ['leading', 'Secret refused']);
  }
});

test('a replica that lost the lease writes no repair', async () => {
  const world = await issued();
  world.loseLeadAfter(0);
  const { writes } = world;
  await thrownBy(world.repair());
  assert.equal(world.writes, writes);
});

test('after a write that admission altered, a repair is a dry run first, and is written only if the dry run stores it unchanged', async () => {
  const world = await issued();
  world.authority = { ...world.ca.view, trust: bundleOf([ca.certificate, coming.certificate]) };
  world.store.mutate = ({ data, ...rest }) => ({
    ...rest,
    data: { ...data, 'ca.crt': Buffer.from(ca.certificate.pem).toString('base64') } as NonNullable<RawObject['data']>,
  });
  await world.run();
  const { length } = world.journal.lines;
  const error = await thrownBy(world.repair(world.authority));
  assert.is(error instanceof CertwheelError && error.code, 'SecretAltered');
  assert.equal(world.journal.since(length), ['rehearsal']);
  world.store.mutate = (object) => object;
  await world.repair(world.authority);
  assert.equal(world.journal.since(length), ['rehearsal', 'rehearsal', 'leading', 'Secret']);
});

test('a repair does not write a template annotation whose prefix is denied', async () => {
  const world = await issued();
  const label = 'replicator.example.com/to';
  world.edit({ spec: aCertificate({ secretTemplate: { annotations: { [label]: 'all', mine: 'x' } } }).raw.spec });
  await world.repair(world.ca.view, world.seen().with({ deniedPrefixes: ['replicator.example.com/'] }));
  const { annotations = {} } = world.store.object?.metadata ?? {};
  assert.equal([annotations[label], annotations.mine], [undefined, 'x']);
});

test('a replica whose watch of the password is behind writes the stores as the other one has written them', async () => {
  const passwordSecretRef = { name: 'store', key: 'password' };
  const { raw } = aCertificate({ keystores: { jks: { create: true, passwordSecretRef } } });
  const world = new CertificateWorld(raw);
  const passwords = (text: string) =>
    readStorePasswords(world.resource as ClientCertificate, async () => ({
      data: { password: Buffer.from(text).toString('base64') },
    }));
  const [former, present] = [await passwords('former'), await passwords('present')];
  const seenWith = (storePasswords: typeof former) => world.seen().with({ storePasswords });
  const stores = () => [world.store.object?.data?.['keystore.jks'], world.store.object?.data?.['truststore.jks']];
  world.deps = { ...world.deps, freshPasswords: async () => present };
  await world.issue(world.ca.view, seenWith(former));
  const first = stores();
  await world.repair(world.ca.view, seenWith(present));
  const second = stores();
  assert.ok(first.every((each, index) => each !== undefined && each !== second[index]));
  await world.repair(world.ca.view, seenWith(former));
  assert.equal(stores(), second);
});

test.run();
