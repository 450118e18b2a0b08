import type { ServerCA } from '../api/generated/types.ts';
import { CONFIG_MAPS, SECRETS } from '../api/names.ts';
import { ApiError } from '../errors.ts';
import type { KubeClient } from '../kube/client.ts';

/** Above the bundle of all public CAs: each round reads them several times. */
const MOST_BYTES = 500_000;
const MOST_BLOCKS = 200;

/** The CA certificates for a verifier's own certificate, or why there are none; undefined PEM for the public ones. */
export async function readServerCA(
  source: ServerCA | undefined,
  namespace: string,
  client: Pick<KubeClient, 'get'>,
): Promise<{ readonly pem: string | undefined } | { readonly problem: string }> {
  const { secret, configMap } = source ?? {};
  const reference = secret ?? configMap;
  if (reference === undefined) return { pem: undefined };
  const resource = secret === undefined ? CONFIG_MAPS : SECRETS;
  const what = `serverCA: ${resource.kind} ${namespace}/${reference.name}`;
  try {
    const found = await client.get(resource, namespace, reference.name);
    if (found === undefined) return { problem: `${what} does not exist` };
    const text = found.data?.[reference.key];
    const pem = text === undefined || secret === undefined ? text : Buffer.from(text, 'base64').toString('utf8');
    if (pem === undefined) return { problem: `${what} has no key ${reference.key}` };
    const blocks = pem.split('-----BEGIN ').length - 1;
    if (pem.length > MOST_BYTES || blocks > MOST_BLOCKS)
      return {
        problem: `${what}, key ${reference.key}: it has ${blocks} certificates in ${pem.length} bytes, and at most ${MOST_BLOCKS} in ${MOST_BYTES} are read; leave in it the CAs of the server alone`,
      };
    if (!pem.includes('-----BEGIN CERTIFICATE-----'))
      return { problem: `${what}, key ${reference.key}: no PEM certificate is in it` };
    return { pem };
  } catch (thrown) {
    if (thrown instanceof ApiError && thrown.status === 403)
      return { problem: `${what} can't be read: ${thrown.message}; set probes.enabled in the chart` };
    throw thrown;
  }
}
