import { CONFIG_MAPS, ROTATE_CA_ANNOTATION } from '../../src/api/names.ts';
import { REVOKE_ANNOTATION } from '../../src/api/revocation.ts';
import { freePort } from '../cluster/ports.ts';
import { nodeServer } from '../e2e/probes/open-server.ts';
import { FLAGS, putServerCa, serverPair, verifierAt } from '../e2e/probes/verifier-world.ts';
import { createAll, numbered, QUICK, untilAllReady } from '../e2e/process/support/fleet.ts';
import { refuseSecrets } from '../e2e/support/admission.ts';
import { createSecretAuthority, pairData, putCaSecret } from '../e2e/support/ca-secret.ts';
import type { ControllerProcess } from '../e2e/support/controller-process.ts';
import { deleteSecret, patchAuthority, patchCertificate, untilRevision } from '../e2e/support/edits.ts';
import { lazily } from '../e2e/support/lazily.ts';
import { untilNextSecond } from '../e2e/support/moments.ts';
import { AT_ONCE, authorityStatusOf, createAuthority, selfManaged, untilReady } from '../e2e/support/objects.ts';
import { makeCa } from '../e2e/support/openssl.ts';
import { eventually, oneWorld, type World } from '../e2e/support/world.ts';
import { type Prometheus, startPrometheus } from './prometheus.ts';
import { RULES_FILE } from './rules.ts';

const DAY_MS = 86_400_000;
/** Time to issue one certificate. */
const LAPSES_MS = 30_000;
const TARGETS = ['--trust-targets', 'configMaps'];

/**
 * Two controllers that each serve a namespace of their own, the second with no series for single certificates, and a
 * Prometheus that scrapes both. In both namespaces there is traffic, and whatever can go wrong within a minute.
 */
export interface Scene {
  readonly controllers: readonly ControllerProcess[];
  readonly prometheus: Prometheus;
}

export function monitored() {
  const plain = oneWorld();
  return lazily(async () => startScene(await plain.get()));
}

async function startScene(world: World): Promise<Scene> {
  const namespaces = [await world.namespace(), await world.namespace()] as const;
  const controllers = await Promise.all([
    world.controller([...serving(namespaces[0]), ...FLAGS, ...TARGETS]),
    world.controller([...serving(namespaces[1]), '--certificate-series', '0', ...FLAGS, ...TARGETS]),
  ]);
  const targets = controllers.map(({ logs }) => `127.0.0.1:${logs.find((line) => 'metricsPort' in line)?.metricsPort}`);
  const prometheus = await startPrometheus(targets, RULES_FILE);
  for (const namespace of namespaces) await begin(world, namespace);
  return { controllers, prometheus };
}

/** A namespace that is the controller's own, too. */
function serving(namespace: string): readonly string[] {
  return ['--namespaces', namespace, '--controller-namespace', namespace];
}

async function begin(world: World, namespace: string): Promise<void> {
  await askServers(world, namespace);
  // Far less than what certificates that are renewed every ten seconds need.
  await createAuthority(world, selfManaged(namespace, 'ca', { quota: { issuances: 1_000 } }));
  await createAll(world, namespace, numbered(10), QUICK);
  await createAll(world, namespace, ['calm']);
  await createAll(world, namespace, ['stuck'], QUICK);
  await createRotating(world, namespace);
  await revokeOne(world, namespace);
  await untilAllReady(world, namespace, 14);
  // From now on every renewal of this one is refused, and its certificate runs out.
  await refuseSecrets(world, namespace, 'refused by a policy', [
    "object.metadata.name in ['stuck-tls', 'behind-tls', 'probe']",
  ]);

  // One whose Secret is deleted again and again.
  await createAll(world, namespace, ['contested']);
  for (const revision of [1, 2, 3]) {
    await untilRevision(world, namespace, 'contested-tls', revision);
    await deleteSecret(world, namespace, 'contested-tls');
  }

  // One whose authority has rules, and one that these deny once it is issued.
  const rules = (denied: string) => ({
    issuancePolicy: { rules: [{ name: 'clients', commonNames: ['ruled', denied] }] },
  });
  await createAuthority(world, selfManaged(namespace, 'strict', rules('denied')));
  const authorityRef = { name: 'strict' };
  await createAll(world, namespace, ['ruled'], { ...QUICK, authorityRef });
  await createAll(world, namespace, ['denied'], { authorityRef });
  for (const name of ['ruled', 'denied']) await untilReady(world, namespace, name);
  await patchAuthority(world, namespace, 'strict', { spec: rules('another') });

  // One authority whose CA was never given to it, and one whose CA of 13 days has a day left.
  const secret = (name: string) => createSecretAuthority(world, namespace, name, `${name}-pair`);
  const inDays = (days: number) => new Date(Date.now() + days * DAY_MS);
  const ending = await makeCa('Ending CA', { notBefore: inDays(-12), notAfter: inDays(1) });
  await secret('down');
  await createAll(world, namespace, ['waiting'], { authorityRef: { name: 'down' } });
  await putCaSecret(world, namespace, 'ending-pair', pairData(ending));
  await createFallbacks(world, namespace);
  await secret('ending');

  // One whose trust target is a ConfigMap of others, and has the CA of a partner that ends within days.
  await world.client.apply(CONFIG_MAPS, { metadata: { namespace, name: 'foreign' }, data: { 'ca.crt': 'of others' } });
  const trust = {
    targets: [{ name: 'servers', configMap: { name: 'foreign' } }],
    sources: [
      { name: 'partner', inline: ending.certificate },
      { name: 'gone', configMap: { name: 'gone' } },
    ],
  };
  await createAuthority(world, selfManaged(namespace, 'spread', { trust }));
  await rotateAll(world, namespace);
}

/** A fallback that can't issue, and one that issues what an authority can't whose CA has ended. */
async function createFallbacks(world: World, namespace: string): Promise<void> {
  await createAuthority(world, selfManaged(namespace, 'alone', { fallback: { name: 'down' } }));
  const lapsing = await makeCa('Lapsing CA', { notAfter: new Date(Date.now() + LAPSES_MS) });
  await putCaSecret(world, namespace, 'lapsing-pair', pairData(lapsing));
  await createSecretAuthority(world, namespace, 'lapsing', 'lapsing-pair', { fallback: { name: 'ca' } });
  await createAll(world, namespace, ['rescued'], { authorityRef: { name: 'lapsing' } });
}

/** One certificate that is revoked, so that there is a CRL. */
async function revokeOne(world: World, namespace: string): Promise<void> {
  const authorityRef = { name: 'revoking' };
  await createAuthority(world, selfManaged(namespace, authorityRef.name, { revocation: { delay: '1s' } }));
  await createAll(world, namespace, ['leaked'], { authorityRef });
  const { serialNumber = '' } = await untilReady(world, namespace, 'leaked');
  await patchCertificate(world, namespace, 'leaked', {
    metadata: { annotations: { [REVOKE_ANNOTATION]: serialNumber } },
  });
}

/** What a CA rotation may wait for: an object that can't be written, a person, and a Secret that can't be written. */
const ROTATING = {
  spread: undefined,
  manual: { mode: 'Manual', ...AT_ONCE },
  hasty: { progressDeadline: '10s', propagation: '1s', ...AT_ONCE },
} as const;

async function createRotating(world: World, namespace: string): Promise<void> {
  for (const [name, caRotation] of Object.entries(ROTATING))
    if (caRotation !== undefined) await createAuthority(world, selfManaged(namespace, name, { caRotation }));
  await createAll(world, namespace, ['behind'], { authorityRef: { name: 'hasty' } });
}

async function rotateAll(world: World, namespace: string): Promise<void> {
  await untilNextSecond();
  const annotations = { [ROTATE_CA_ANNOTATION]: new Date().toISOString() };
  for (const name of Object.keys(ROTATING)) {
    await eventually(`${name} has a CA`, async () => {
      const { activeGeneration } = await authorityStatusOf(world, namespace, name);
      return activeGeneration === 1;
    });
    await patchAuthority(world, namespace, name, { metadata: { annotations } });
  }
}

/** A verifier that accepts everybody, with a certificate that ends today, and one that isn't there. */
async function askServers(world: World, namespace: string): Promise<void> {
  await putServerCa(world, namespace);
  const open = await nodeServer({ requestCert: false }, await serverPair(3 * 3_600_000));
  const verifiers = [verifierAt('open', open), verifierAt('absent', await freePort())];
  await createAuthority(world, selfManaged(namespace, 'asked', { trust: { verifiers } }));
}
