import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  CERTIFICATE_APPROVALS,
  CERTIFICATE_REQUESTS,
  CLIENT_CERTIFICATES,
  CLUSTER_CERTIFICATE_AUTHORITIES,
  ISSUERS,
  SECRETS,
} from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { foreignCondition } from '../../../src/backends/kubernetes/conditions.ts';
import { nextName } from '../../../src/certificate/request/next-key.ts';
import { onStop } from '../../teardown.ts';
import { decide as answer } from '../backends/approver.ts';
import { prepareCertManager } from '../backends/servers/cert-manager.ts';
import { requestsFor } from '../backends/support.ts';
import { decide } from '../support/approvals.ts';
import { createSecret, patch, renewAt } from '../support/edits.ts';
import { QUIET_MS } from '../support/eventually.ts';
import { untilNextSecond } from '../support/moments.ts';
import { clientCertificate, conditionOf, create, readSecret, statusOf, untilReady } from '../support/objects.ts';
import { makeCa, tlsData } from '../support/openssl.ts';
import { authorityWithRules, setRules } from '../support/rules.ts';
import { oneScene } from '../support/scene.ts';
import { eventually, type World } from '../support/world.ts';

// The attack: a tenant has a request under way at cert-manager while the permission for it ends, and has it approved and signed
// there all the same. The tenant reads the Secret NAME-next, so whatever is signed for its key is a certificate of the tenant.

const scene = oneScene(
  { own: true, authority: false, isHome: true, flags: ['--approvals'] },
  async ({ world, namespace: home }) => {
    const certManager = await prepareCertManager(world.cluster);
    onStop(certManager.stop);
    // The approver is the test.
    await certManager.start({ approver: false });
    await createSecret(world, home, 'pair', { type: 'kubernetes.io/tls', data: tlsData(await makeCa('Teams')) });
    await world.client.create(ISSUERS, {
      metadata: { namespace: home, name: 'issuer' },
      spec: { ca: { secretName: 'pair' } },
    });
    return { home };
  },
);
test.after(scene.stop);

const NAME = 'client';
const RULE = { name: 'clients', namespaces: { all: true }, commonNames: ['*'] };

/** Waits for a request of the certificate, which is in the controller's namespace; answers its name. */
const asked = (world: World, namespace: string, name = NAME, other = '') =>
  eventually(`${namespace}/${name} has asked`, async () => {
    const requests = await requestsFor(world, CERTIFICATE_REQUESTS, namespace);
    const message = conditionOf(await statusOf(world, namespace, name), 'Issuing')?.message ?? '';
    const found = requests.flatMap(({ metadata }) => metadata?.name ?? []);
    return found.find((each) => each !== other && message.includes(each));
  });

/** An authority with that rule, and a namespace of the same name in which one request waits at cert-manager. */
async function pending(terms: object = {}) {
  const { world, home } = await scene.get();
  const namespace = await world.namespace({ team: 'yes' });
  const backend = { certManager: { issuerRef: { name: 'issuer' } } };
  const authorityRef = await authorityWithRules(world, namespace, [{ ...RULE, ...terms }], backend);
  await create(world, clientCertificate(namespace, NAME, { authorityRef }));
  let approval: RawObject | undefined;
  if ('approval' in terms) {
    await untilReady(world, namespace, NAME, { status: 'False', reason: 'ApprovalPending' });
    approval = await decide(world, namespace, NAME);
  }
  const request = await asked(world, namespace);
  return { world, home, namespace, authorityRef, request, approval: approval?.metadata?.name ?? '' };
}

type Pending = Awaited<ReturnType<typeof pending>>;

/** What an approver at cert-manager does that follows the request and nothing else; false where there is none any more. */
async function approveAtCertManager({ world, home, request }: Pending): Promise<boolean> {
  const found = await world.client.get(CERTIFICATE_REQUESTS, home, request);
  if (found === undefined) return false;
  return answer(world, CERTIFICATE_REQUESTS, found, 'Approved').then(
    () => true,
    () => false,
  );
}

test('the control: what is approved at cert-manager while the rule stands is issued', async () => {
  for (const terms of [{}, { approval: 'Required' }, { maxCertificates: 1 }]) {
    const place = await pending(terms);
    assert.ok(await approveAtCertManager(place));
    await untilReady(place.world, place.namespace, NAME);
  }
});

interface End {
  readonly terms?: object;
  /** Ends the permission. */
  readonly end: (place: Pending) => Promise<unknown>;
  readonly reason: string;
  /** Of the condition that says so. */
  readonly type?: string;
}

const ENDS: Readonly<Record<string, End>> = {
  'its rule is removed': {
    end: ({ world, namespace }) => setRules(world, namespace, []),
    reason: 'DeniedByPolicy',
  },
  'its rule demands an approval from now on': {
    end: ({ world, namespace }) => setRules(world, namespace, [{ ...RULE, approval: 'Required' }]),
    reason: 'ApprovalPending',
  },
  'its approval is deleted': {
    terms: { approval: 'Required' },
    end: ({ world, namespace, approval }) => world.client.delete(CERTIFICATE_APPROVALS, namespace, approval),
    reason: 'ApprovalPending',
  },
  'it is denied': {
    terms: { approval: 'Required' },
    end: ({ world, namespace }) => decide(world, namespace, NAME, { decision: 'Denied' }),
    reason: 'ApprovalDenied',
  },
  'the authority serves its namespace no more': {
    end: ({ world, namespace }) =>
      patch(world, CLUSTER_CERTIFICATE_AUTHORITIES, undefined, namespace, {
        spec: { allowedNamespaces: { all: null, names: ['other'] } },
      }),
    reason: 'NamespaceNotAllowed',
  },
};

for (const [sentence, { terms, end, reason }] of Object.entries(ENDS)) {
  test(`a request that waits at cert-manager is withdrawn with its key when ${sentence}`, async () => {
    const place = await pending(terms);
    const { world, namespace } = place;
    await end(place);
    await untilReady(world, namespace, NAME, { status: 'False', reason });
    await eventually('the request and its key are gone', async () => {
      const requests = await requestsFor(world, CERTIFICATE_REQUESTS, namespace);
      return requests.length === 0 && (await world.client.get(SECRETS, namespace, nextName(NAME))) === undefined;
    });
    assert.not(await approveAtCertManager(place));
    assert.is(await readSecret(world, namespace, `${NAME}-tls`), undefined);
  });

  test(`nothing is published that cert-manager signs in the same moment in which ${sentence}`, async () => {
    const place = await pending(terms);
    const { world, namespace, home, request } = place;
    // The end is stored before the approval is, and so before the signature; the controller may learn of it later.
    await end(place);
    const isApproved = await approveAtCertManager(place);
    if (isApproved)
      await eventually('it is signed or withdrawn', async () => {
        const found = await world.client.get(CERTIFICATE_REQUESTS, home, request);
        return found === undefined || foreignCondition(found, 'Ready')?.status === 'True';
      });
    await untilReady(world, namespace, NAME, { status: 'False', reason });
    await sleep(QUIET_MS);
    assert.is(await readSecret(world, namespace, `${NAME}-tls`), undefined);
    assert.is((await statusOf(world, namespace, NAME)).revision, undefined);
    await eventually('nothing is left of the request', async () => {
      const requests = await requestsFor(world, CERTIFICATE_REQUESTS, namespace);
      return requests.length === 0 && (await world.client.get(SECRETS, namespace, nextName(NAME))) === undefined;
    });
  });
}

test('a request under way is withdrawn when an older ClientCertificate takes the place under its rule', async () => {
  const place = await pending({ maxCertificates: 1 });
  const { world, namespace, authorityRef } = place;
  await untilNextSecond();
  // The one that is pending moves under another rule, and back when the place is taken.
  await create(world, clientCertificate(namespace, 'second', { authorityRef }));
  await untilReady(world, namespace, 'second', { status: 'False', reason: 'TooManyCertificates' });
  await setRules(world, namespace, [{ ...RULE, maxCertificates: 2 }]);
  const second = await asked(world, namespace, 'second');
  await setRules(world, namespace, [{ ...RULE, maxCertificates: 1 }]);
  await untilReady(world, namespace, 'second', { status: 'False', reason: 'TooManyCertificates' });
  await eventually('the request of the second is gone', async () => {
    const left = await requestsFor(world, CERTIFICATE_REQUESTS, namespace);
    return left.every(({ metadata }) => metadata?.name !== second);
  });
  // Removed after the request.
  await eventually('its key is gone', async () => {
    return (await world.client.get(SECRETS, namespace, nextName('second'))) === undefined;
  });
  assert.ok(await approveAtCertManager(place), 'the first keeps its request');
  await untilReady(world, namespace, NAME);
  await world.client.delete(CLIENT_CERTIFICATES, namespace, NAME);
  await asked(world, namespace, 'second', second);
});

test('a renewal that waits at cert-manager is withdrawn when its rule is removed, and the Secret stays', async () => {
  const place = await pending();
  const { world, namespace } = place;
  await approveAtCertManager(place);
  const { serialNumber } = await untilReady(world, namespace, NAME);
  await eventually('the first request is gone', async () => {
    return (await requestsFor(world, CERTIFICATE_REQUESTS, namespace)).length === 0;
  });
  await renewAt(world, namespace, NAME);
  const request = await asked(world, namespace, NAME, place.request);
  await setRules(world, namespace, []);
  await untilReady(world, namespace, NAME, { type: 'Stalled', reason: 'DeniedByPolicy' });
  await eventually('the request is gone', async () => {
    return (await requestsFor(world, CERTIFICATE_REQUESTS, namespace)).length === 0;
  });
  assert.not(await approveAtCertManager({ ...place, request }));
  const status = await untilReady(world, namespace, NAME);
  assert.equal([status.serialNumber, status.revision], [serialNumber, 1]);
});

test.run();
