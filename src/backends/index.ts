import { acme } from './acme.ts';
import { awsPrivateCA } from './aws-private-ca.ts';
import type { BackendDefinition } from './backend.ts';
import { certManager } from './cert-manager.ts';
import { cloudflare } from './cloudflare.ts';
import { external } from './external.ts';
import { googleCAS } from './google-cas.ts';
import { kubernetesCSR } from './kubernetes-csr.ts';
import { pkcs11 } from './pkcs11.ts';
import { secret } from './secret.ts';
import { selfManaged } from './self-managed.ts';
import { stepCA } from './step-ca.ts';
import { vault } from './vault.ts';

/**
 * Every kind of authority that Certwheel can talk to. A new one is its file and its line here;
 * `node test/docs/authorities.test.ts` then prints the schema, docs, examples and tests that have to follow.
 */
export const BACKENDS = [
  secret,
  pkcs11,
  selfManaged,
  stepCA,
  vault,
  googleCAS,
  kubernetesCSR,
  certManager,
  awsPrivateCA,
  cloudflare,
  acme,
  external,
] as const satisfies readonly BackendDefinition<never>[];
