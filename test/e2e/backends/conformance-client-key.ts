import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SECRETS } from '../../../src/api/names.ts';
import { clientKey, csrIn, goesWith, putCsr } from '../support/client-keys.ts';
import { untilRevision } from '../support/edits.ts';
import { conditionOf, create, readSecret, untilReady } from '../support/objects.ts';
import { eventually } from '../support/world.ts';
import { requestsAt } from './conformance-pending.ts';
import { readyAuthority } from './place.ts';
import { certificateOf, type Shared, type Spec, type Subject } from './subject.ts';
import { nextSecret, untilTidy } from './support.ts';

/** Registers the tests of a client that keeps its private key itself, and of the request that it makes with openssl. */
export function registerClientKey(subject: Subject, shared: () => Promise<Shared>, crash: () => Promise<void>): void {
  const { type, capabilities, exempt } = subject;
  if (exempt["a client's own CSR"] !== undefined) return;

  test(`${type}: a client's own CSR is issued over its key, and the next one over the next key`, async () => {
    const { world, namespace } = await readyAuthority(await shared(), subject);
    const asked = wishFor(subject, namespace);
    for (const revision of [1, 2]) {
      const client = await clientKey(asked);
      await putCsr(world, namespace, 'alice-request', client.csr);
      if (revision === 1) await create(world, keyless(subject, namespace, csrIn('alice-request')));
      const { object } = await untilRevision(world, namespace, 'alice-tls', revision);
      const leaf = await goesWith(object, client);
      assert.ok(leaf.keyUsage?.includes('1.3.6.1.5.5.7.3.2'), 'it is good for clients');
      assert.is(leaf.ca, false);
    }
    await eventually('nothing is kept for it', async () => {
      return (await nextSecret(world, namespace, 'alice')) === undefined;
    });
  });

  const refused = 'is refused before the authority is asked';
  const named = capabilities.signsPublicKey ? 'leaves it to the spec' : refused;
  test(`${type}: a client's own CSR without a name of the spec ${named}`, async () => {
    const { world, served, namespace } = await readyWith(await shared(), subject);
    const booked = await served.signer?.booked();
    const client = await clientKey({ subject: '/' });
    await create(world, keyless(subject, namespace, { inline: client.csr }));
    if (capabilities.signsPublicKey) {
      await untilReady(world, namespace, 'alice');
      await goesWith((await world.client.get(SECRETS, namespace, 'alice-tls')) ?? {}, client);
      return;
    }
    const status = await untilReady(world, namespace, 'alice', { status: 'False', reason: 'UnsupportedByAuthority' });
    assert.match(conditionOf(status, 'Ready')?.message ?? '', 'gets the certificate request of the client as it is');
    assert.is(await readSecret(world, namespace, 'alice-tls'), undefined);
    assert.is(await served.signer?.booked(), booked);
  });

  if (exempt['requests that are answered later'] === undefined)
    test(`${type}: a client's own CSR that is answered later: a crash, another key in its place, and no key that is kept`, async () => {
      const { world, served, namespace } = await readyWith(await shared(), subject);
      const { later } = served;
      if (later === undefined) throw new Error(`${type} answers later, and the suite can't hold that back`);
      later.approver.leave(namespace);
      const [first, second] = [
        await clientKey(wishFor(subject, namespace)),
        await clientKey(wishFor(subject, namespace)),
      ];
      await putCsr(world, namespace, 'alice-request', first.csr);
      await create(world, keyless(subject, namespace, csrIn('alice-request')));
      const { asked, requests, decide } = requestsAt({ world, namespace }, later);
      const former = await asked('alice');
      assert.is((await nextSecret(world, namespace, 'alice'))?.data?.['tls.key'], '');
      await putCsr(world, namespace, 'alice-request', second.csr);
      const request = await asked('alice', former);
      await eventually('the former request is gone', async () => (await requests()).length === 1);
      await crash();
      assert.equal(await asked('alice'), request);
      await decide(request, 'Approved');
      const { object } = await untilRevision(world, namespace, 'alice-tls', 1);
      await goesWith(object, second);
      await untilTidy(world, later.resource, namespace);
    });

  if (capabilities.signsPublicKey) return;
  if (subject.clientCsr !== undefined)
    test(`${type}: a client's own CSR without the usages of the spec is denied before the authority is asked`, async () => {
      const { world, served, namespace } = await readyWith(await shared(), subject);
      const booked = await served.signer?.booked();
      const { extensions, ...asked } = wishFor({ ...subject, clientCsr: { extensions: [] } }, namespace);
      await putCsr(world, namespace, 'alice-request', (await clientKey({ ...asked, extensions })).csr);
      await create(world, keyless(subject, namespace, csrIn('alice-request')));
      const denied = await untilReady(world, namespace, 'alice', { status: 'False', reason: 'RequestDenied' });
      assert.match(conditionOf(denied, 'Ready')?.message ?? '', 'which asks for none where spec.usages has');
      assert.is(await served.signer?.booked(), booked);
      const client = await clientKey(wishFor(subject, namespace));
      await putCsr(world, namespace, 'alice-request', client.csr);
      await goesWith((await untilRevision(world, namespace, 'alice-tls', 1)).object, client);
    });

  test(`${type}: a client's own CSR for a CA certificate is refused before the authority is asked`, async () => {
    const { world, namespace } = await readyAuthority(await shared(), subject);
    const { extensions, ...asked } = wishFor(subject, namespace);
    const client = await clientKey({ ...asked, extensions: [...extensions, 'basicConstraints = CA:TRUE'] });
    await create(world, keyless(subject, namespace, { inline: client.csr }));
    const status = await untilReady(world, namespace, 'alice', { status: 'False', reason: 'UnsupportedByAuthority' });
    assert.match(conditionOf(status, 'Ready')?.message ?? '', 'asks for a CA certificate');
  });
}

async function readyWith(shared: Shared, subject: Subject) {
  return { ...shared, ...(await readyAuthority(shared, subject)) };
}

/** A certificate of that request, which decides about the kind of the key. */
function keyless(subject: Subject, namespace: string, csr: object) {
  const { metadata, spec } = certificateOf(subject, namespace, 'alice', { csr });
  const { privateKey: _, ...rest } = { privateKey: undefined, ...spec };
  return { metadata, spec: rest };
}

/** What a client asks openssl for, to have the names of the spec. */
function wishFor(subject: Subject, namespace: string) {
  const spec: Spec = certificateOf(subject, namespace, 'alice').spec;
  const { commonName, dnsNames = [], uris = [], emailAddresses = [], ipAddresses = [] } = spec;
  const names = [
    ...dnsNames.map((name: string) => `DNS:${name}`),
    ...uris.map((name: string) => `URI:${name}`),
    ...emailAddresses.map((name: string) => `email:${name}`),
    ...ipAddresses.map((name: string) => `IP:${name}`),
  ];
  const alternatives = names.length === 0 ? [] : [`subjectAltName = ${names.join(', ')}`];
  return {
    subject: commonName === undefined ? '/' : `/CN=${commonName}`,
    extensions: [...alternatives, ...(subject.clientCsr?.extensions ?? [])],
  };
}
