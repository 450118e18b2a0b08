import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  CERTIFICATE_AUTHORITIES,
  CLUSTER_CERTIFICATE_AUTHORITIES,
  CERTIFICATE_SIGNING_REQUESTS as CSRS,
  NAMESPACES,
} from '../../../src/api/names.ts';
import { kubernetesCSR } from '../../../src/backends/kubernetes-csr.ts';
import { but } from '../../forgeries/forgery.ts';
import { inHours } from '../../forgeries/forging.ts';
import { deskOf, SIGNER } from '../backends/csr-desk.ts';
import { signedStage } from '../backends/forging-signer.ts';
import { untilClusterAuthority } from '../backends/place.ts';
import { awaitedRequest } from '../backends/support.ts';
import { requestsOf, writesTo } from '../process/support/audit.ts';
import { patch } from '../support/edits.ts';
import { eventually } from '../support/eventually.ts';
import { lazily } from '../support/lazily.ts';
import { clientCertificate, conditionOf, create, readSecret, untilReady } from '../support/objects.ts';
import { oneWorld, type World } from '../support/world.ts';

// The attack: a namespace loses its right to an organization after the certificate was signed and before it is published. The
// signer dates certificates ahead, so each is held back for so long:

const HELD_BACK_S = 15;
/** Whom signedStage lets the controller be. */
const CONTROLLER = 'asking';

const worlds = oneWorld();
const scene = lazily(async () => {
  const world = await worlds.get();
  const stage = await signedStage(world, kubernetesCSR.type, { signerName: SIGNER }, deskOf(world));
  const { namespace } = await stage.place();
  const namespaced = await world.client.get(CERTIFICATE_AUTHORITIES, namespace, 'ca');
  const { kubernetesCSR: backend } = (namespaced?.spec ?? {}) as { kubernetesCSR?: object };
  return { world, stage, backend };
});
test.after(async () => {
  await (await scene.get()).stage.stop();
  await worlds.stop();
});

let clients = 0;

/** A certificate of a cluster authority by a rule for labelled namespaces; comes back once it is signed and held back. */
async function heldBack(world: World) {
  const { stage, backend } = await scene.get();
  const namespace = await world.namespace({ tier: 'platform' });
  const rules = [
    {
      name: 'platform',
      namespaces: { selector: { matchLabels: { tier: 'platform' } } },
      commonNames: ['*'],
      dnsNames: ['*.example.com'],
      subject: { organizations: ['platform-admins'] },
    },
  ];
  await world.client.create(CLUSTER_CERTIFICATE_AUTHORITIES, {
    metadata: { name: namespace },
    spec: { kubernetesCSR: backend, allowedNamespaces: { all: true }, issuancePolicy: { rules } },
  });
  await untilClusterAuthority(world, namespace);
  const name = `fresh-${++clients}`;
  stage.forged.tell(
    name,
    but(() => ({ notBefore: inHours(HELD_BACK_S / 3_600) })),
  );
  const spec = {
    authorityRef: { kind: 'ClusterCertificateAuthority', name: namespace },
    dnsNames: [`${name}.example.com`],
    subject: { organizations: ['platform-admins'] },
  };
  await create(world, clientCertificate(namespace, name, spec));
  await untilAnswerIsRead(world, await awaitedRequest(world, CSRS, namespace, name));
  return { namespace, name };
}

/** By the API server's own book: the controller has read the request since the signer answered it. */
async function untilAnswerIsRead(world: World, request: string): Promise<void> {
  await eventually(`the answer to ${request} is read`, async () => {
    const [signedAt] = await writesTo(world, 'certificatesigningrequests/status', undefined, request);
    if (signedAt === undefined) return false;
    const asked = await requestsOf(world, CONTROLLER, signedAt);
    return asked.some(({ verb, objectRef }) => verb === 'get' && objectRef?.name === request);
  });
}

test('the control: what was held back is published when it begins', async () => {
  const { world } = await scene.get();
  const { namespace, name } = await heldBack(world);
  await untilReady(world, namespace, name);
  assert.match((await readSecret(world, namespace, `${name}-tls`))?.leaf.subject ?? '', 'O=platform-admins');
});

interface Way {
  readonly change: (world: World, namespace: string) => Promise<unknown>;
  readonly reason: string;
  readonly message: string;
}

const changeAuthority = (spec: object) => (world: World, namespace: string) =>
  patch(world, CLUSTER_CERTIFICATE_AUTHORITIES, undefined, namespace, { spec });
const byPolicy = { reason: 'DeniedByPolicy', message: 'it has none for this namespace' };

const WAYS: Readonly<Record<string, Way>> = {
  'whose namespace loses the label of the rule': {
    change: (world, namespace) =>
      patch(world, NAMESPACES, undefined, namespace, { metadata: { labels: { tier: null } } }),
    ...byPolicy,
  },
  'whose rule is taken away': { change: changeAuthority({ issuancePolicy: { rules: [] } }), ...byPolicy },
  'whose duration the limits of the authority forbid': {
    change: changeAuthority({ limits: { maxDuration: '1h' } }),
    reason: 'LimitExceeded',
    message: "duration 24h exceeds the authority's maxDuration 1h",
  },
};

for (const [sentence, { change, reason, message }] of Object.entries(WAYS))
  test(`a signed certificate ${sentence} before it begins is never published`, async () => {
    const { world } = await scene.get();
    const { namespace, name } = await heldBack(world);
    await change(world, namespace);
    const status = await untilReady(world, namespace, name, { status: 'False', reason });
    assert.match(conditionOf(status, 'Ready')?.message ?? '', message);
    await untilReady(world, namespace, name, { type: 'Stalled', reason });
    assert.is(await readSecret(world, namespace, `${name}-tls`), undefined);
  });

test.run();
