/** Authorities with CRLs in their trust targets. OpenSSL, which checks the CRL of every CA of the chain, decides who is accepted. */
import { CONFIG_MAPS, SECRETS } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { opensslSays } from '../../unit/responder-world.ts';
import { authorityStatusOf, clientCertificate, conditionOf, create, untilReady } from '../support/objects.ts';
import { oneScene } from '../support/scene.ts';

export const FLAGS = ['--trust-targets', 'configMaps,secrets', '--trust-propagation', '2s', '--kubelet-sync', '1s'];
export const CRL = '-----BEGIN X509 CRL-----';

/** spec.trust with one target, which is a ConfigMap of that name. */
export function target(name: string, more: object = {}) {
  return { trust: { targets: [{ name: 'servers', configMap: { name }, crl: {}, ...more }] } };
}

/** One controller for a test file, and what its tests ask about the objects in its namespace. */
export function crlTargets() {
  const scene = oneScene({ isHome: true, authority: false, flags: FLAGS });

  async function issue(name: string, authority: string) {
    const { world, namespace } = await scene.get();
    await create(world, clientCertificate(namespace, name, { authorityRef: { name: authority } }));
    return untilReady(world, namespace, name);
  }

  async function configMap(name: string): Promise<RawObject | undefined> {
    const { world, namespace } = await scene.get();
    return world.client.get(CONFIG_MAPS, namespace, name);
  }

  /** The chain that a client sends, with an intermediate where there is one. */
  async function chainOf(name: string): Promise<string> {
    const { world, namespace } = await scene.get();
    const data = (await world.client.get(SECRETS, namespace, `${name}-tls`))?.data ?? {};
    return Buffer.from(data['tls.crt'] ?? '', 'base64').toString();
  }

  /** What openssl says of a client, with the CA certificates and CRLs of a target and nothing else. */
  async function verdict(name: string, data: RawObject['data'] = {}): Promise<string> {
    const chain = await chainOf(name);
    const files = { ca: data['ca.crt'] ?? '', crl: data['ca.crl'] ?? '', chain, client: chain };
    const options = ['-crl_check_all', '-x509_strict', '-CAfile', 'ca', '-untrusted', 'chain'];
    return opensslSays(files, ['verify', ...options, ...(files.crl === '' ? [] : ['-CRLfile', 'crl']), 'client']);
  }

  async function crlCondition(name: string) {
    const { world, namespace } = await scene.get();
    return conditionOf(await authorityStatusOf(world, namespace, name), 'CRLsIncomplete');
  }

  return { scene, issue, configMap, chainOf, verdict, crlCondition };
}
