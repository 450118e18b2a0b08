import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BOOKS_NAME } from '../../../src/api/books-names.ts';
import { CLUSTER_CERTIFICATE_AUTHORITIES, SECRETS, SERIALS_ANNOTATION } from '../../../src/api/names.ts';
import { readLedgerSecret } from '../../../src/authority/ledger-secret.ts';
import { readLedger, sealedEntries } from '../../../src/certificate/secret/ledger.ts';
import { BooksKey } from '../../../src/revocation/books-key.ts';
import { patchSecret, renewAt, untilRevision } from '../support/edits.ts';
import { clientCertificate, create, readSecret, untilReady } from '../support/objects.ts';
import { oneScene } from '../support/scene.ts';
import { eventually, type World } from '../support/world.ts';

// The attack: a tenant who may write its own Secrets, and so their ledgers, puts the serial number of another namespace into
// one, so that its revocation would be asked for in the name of the authority that both share.

const SHARED = 'ClusterCertificateAuthority/shared';

const scene = oneScene({ isHome: true, authority: false }, async ({ world, namespace: home }) => {
  const [victim, tenant, other] = [await world.namespace(), await world.namespace(), await world.namespace()];
  await world.client.create(CLUSTER_CERTIFICATE_AUTHORITIES, {
    metadata: { name: 'shared' },
    spec: { selfManaged: { commonName: 'shared' }, allowedNamespaces: { names: [victim, tenant, other] } },
  });
  const stolen = await issued(world, victim, 'victim');
  const books = new BooksKey();
  const stored = await world.client.get(SECRETS, home, BOOKS_NAME);
  books.learn(Buffer.from(stored?.data?.key ?? '', 'base64'));
  return { victim, tenant, other, stolen, seal: books.seal };
});
test.after(scene.stop);

async function issued(world: World, namespace: string, name: string): Promise<string> {
  const authorityRef = { kind: 'ClusterCertificateAuthority', name: 'shared' };
  await create(world, clientCertificate(namespace, name, { authorityRef }));
  await untilReady(world, namespace, name);
  return serialOf(world, namespace, name);
}

async function serialOf(world: World, namespace: string, name: string): Promise<string> {
  return (await readSecret(world, namespace, `${name}-tls`))?.leaf.serialNumber.toLowerCase() ?? 'no certificate';
}

async function ledgerOf({ client }: World, namespace: string, name: string): Promise<string> {
  const { annotations = {} } = (await client.get(SECRETS, namespace, `${name}-tls`))?.metadata ?? {};
  return annotations[SERIALS_ANNOTATION] ?? '';
}

async function sealedIn(text: string, namespace: string): Promise<string[]> {
  const { seal } = await scene.get();
  return sealedEntries(text, { authority: SHARED, namespace }, seal).map(({ serialNumber }) => serialNumber);
}

const listedIn = (text: string) => readLedger(text).entries.map(({ serialNumber }) => serialNumber);

/** What a tenant may make of its own ledger and of that of the victim, which it has read somewhere. */
const FORGERIES: Readonly<Record<string, (own: string, others: string) => string>> = {
  'an entry of its own making behind the seal': (own, others) => `${own},${others.replace(/,issued=.*/, '')}`,
  'an entry of its own making before the seal': (own, others) => `${others.replace(/,issued=.*/, '')},${own}`,
  'the whole sealed ledger of another namespace': (_, others) => others,
  'both, one after the other': (own, others) => `${own},${others}`,
  'the entries of another namespace under the own seal': (own, others) =>
    `${others.replace(/,seal=.*/, '')}${/,seal=.*/.exec(own)?.[0] ?? ''}`,
};

for (const [index, [name, forge]] of Object.entries(FORGERIES).entries())
  test(`a forged ledger proves nothing, not even after the next write of the controller: ${name}`, async () => {
    const { world, victim, tenant, stolen } = await scene.get();
    const client = `mallory-${index}`;
    const first = await issued(world, tenant, client);
    const [own, others] = [await ledgerOf(world, tenant, client), await ledgerOf(world, victim, 'victim')];
    assert.equal(await sealedIn(own, tenant), [first], 'what was issued there is sealed');
    assert.equal(await sealedIn(others, victim), [stolen]);
    const forged = forge(own, others);
    assert.ok(listedIn(forged).includes(stolen));
    assert.not.ok((await sealedIn(forged, tenant)).includes(stolen));
    await patchSecret(world, tenant, `${client}-tls`, { metadata: { annotations: { [SERIALS_ANNOTATION]: forged } } });
    await renewAt(world, tenant, client);
    await untilRevision(world, tenant, `${client}-tls`, 2);
    const second = await serialOf(world, tenant, client);
    const written = await ledgerOf(world, tenant, client);
    assert.ok(listedIn(written).includes(stolen), 'a list may say what it likes');
    assert.equal(await sealedIn(written, tenant), [second, first], 'and its own stay sealed, or are again');
  });

test('what is forged is not sealed either where the ledgers of lost Secrets are kept, and what was issued is', async () => {
  const { world, namespace: home, victim, other: tenant, stolen } = await scene.get();
  const own = await issued(world, tenant, 'trudy');
  const forged = `${await ledgerOf(world, tenant, 'trudy')},${await ledgerOf(world, victim, 'victim')}`;
  await patchSecret(world, tenant, 'trudy-tls', { metadata: { annotations: { [SERIALS_ANNOTATION]: forged } } });
  await world.client.delete(SECRETS, tenant, 'trudy-tls');
  const kept = async () => readLedgerSecret((await world.client.get(SECRETS, home, 'shared-clusterca-ledger')) ?? {});
  const text = await eventually('it is kept', async () => {
    const found = (await kept()).get(tenant) ?? '';
    return listedIn(found).includes(own) && found;
  });
  assert.ok(listedIn(text).includes(stolen));
  assert.equal(await sealedIn(text, tenant), [own]);
});

test('a ledger that lost its seal, or an entry of it, is in the books all the same', async () => {
  const { world, namespace: home, tenant } = await scene.get();
  const own = await issued(world, tenant, 'erin');
  const text = await ledgerOf(world, tenant, 'erin');
  const change = { metadata: { annotations: { [SERIALS_ANNOTATION]: text.replace(/,seal=.*/, '') } } };
  await patchSecret(world, tenant, 'erin-tls', change);
  await eventually('it is kept, sealed', async () => {
    const secret = await world.client.get(SECRETS, home, 'shared-clusterca-ledger');
    return (await sealedIn(readLedgerSecret(secret ?? {}).get(tenant) ?? '', tenant)).includes(own);
  });
});

test.run();
