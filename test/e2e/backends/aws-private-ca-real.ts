import { direct, KEY_SECRET, secretOf } from './aws-direct.ts';
import { awsPrivateCaSubject, CREDENTIAL_CHECKS, ENDPOINT_CHECKS, putKeys } from './aws-private-ca-subject.ts';
import { caBundleOf, type Environment, required } from './real-environment.ts';
import type { Keys } from './servers/aws-sts.ts';
import type { RealSubject } from './subject.ts';

const VARIABLES = ['AWS_PRIVATE_CA_ARN', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'] as const;

/**
 * The CA of AWS_PRIVATE_CA_ARN, with the credentials of AWS_ACCESS_KEY_ID and the like; AWS_PRIVATE_CA_ENDPOINT and
 * AWS_PRIVATE_CA_CA_BUNDLE name a VPC endpoint and the CA of its TLS. Throws an Error for what is not set.
 */
export function realSubject(env: Environment): RealSubject {
  const given = required(env, 'docs/authorities/aws-private-ca.md', VARIABLES);
  const { AWS_PRIVATE_CA_ARN: arn } = given;
  const { AWS_SESSION_TOKEN: sessionToken, AWS_PRIVATE_CA_ENDPOINT: endpoint } = env;
  const keys: Keys = {
    accessKeyId: given.AWS_ACCESS_KEY_ID,
    secretAccessKey: given.AWS_SECRET_ACCESS_KEY,
    ...(sessionToken ? { sessionToken } : {}),
  };
  const caBundle = caBundleOf(env, 'AWS_PRIVATE_CA_CA_BUNDLE');
  const spec = {
    arn,
    auth: { secretRef: { name: KEY_SECRET } },
    ...(endpoint ? { endpoint } : {}),
    ...(caBundle ? { caBundle } : {}),
  };
  const revoked = new Set<string>();
  const backend = () => {
    const made = direct(spec, { current: keys });
    const revoke: typeof made.revoke = async (revocation, ...rest) => {
      await made.revoke(revocation, ...rest);
      revoked.add(revocation.serialNumber);
    };
    return { ...made, revoke };
  };
  return {
    ...awsPrivateCaSubject,
    costs: `about 15 certificates of the CA ${arn}, which AWS bills and which can't be deleted; one of them is revoked; nothing else is made or removed`,
    exempt: {
      ...awsPrivateCaSubject.exempt,
      'a connection that is spoilt, slow or busy': 'no proxy can stand before AWS: the signature covers the host',
      'credentials that are rotated under it': 'the access key is yours',
      'a minute without what signs': 'AWS is not ours to halt',
    },
    lives: ['1h', '24h'],
    checks: [...ENDPOINT_CHECKS, ...CREDENTIAL_CHECKS],
    start: async () => ({
      prepare: async (where) => {
        await putKeys(where, secretOf(keys));
        return spec;
      },
      revocation: {
        backend,
        // AWS tells of it by CRL, OCSP and audit report alone, half an hour later: here, that it took the request.
        saysOf: async (serialNumber) => (revoked.has(serialNumber) ? 'AWS took it' : undefined),
        superseded: /AWS took it/,
      },
      stop: async () => {},
    }),
  };
}
