import type { VaultBackend } from '../api/generated/types.ts';
import { type Backend, type BackendDefinition, perSecond } from './backend.ts';
import type { BackendDeps } from './backend-deps.ts';
import { withinLimit } from './http/client.ts';
import { concealErrors } from './http/conceal-errors.ts';
import { ClientPairSource } from './shared/client-pair.ts';
import { TRUST_BUNDLE_PERMISSION } from './shared/trust-bundle.ts';
import { identityOf } from './vault/cert-login.ts';
import { VaultClient } from './vault/client.ts';
import { loginOf } from './vault/login.ts';
import { VaultPki } from './vault/pki.ts';
import { Tokens } from './vault/tokens.ts';

/**
 * The PKI secrets engine of HashiCorp Vault or OpenBao: a request is signed under a role, so the private key never
 * leaves the cluster.
 */
export const vault: BackendDefinition<VaultBackend> = {
  type: 'vault',
  capabilities: {
    // Of the subject, a role takes the common name from a request and nothing else.
    identity: ['commonName', 'dnsNames', 'uris', 'emailAddresses', 'ipAddresses'],
    keyAlgorithms: ['ECDSA', 'Ed25519', 'RSA'],
    usages: 'any',
    lifetime: 'atMost',
    remote: true,
    rateLimit: perSecond(50),
    persistKey: false,
  },
  // To make tokens of any ServiceAccount would be to be any of them: a Role for the one that is used is the user's to give.
  permissions: [TRUST_BUNDLE_PERMISSION],
  create: (spec, deps) => {
    const pki = pkiOf(spec, deps);
    const backend: Backend = {
      choosesCA: true,
      tryToSign: (issuerRef, signal) => withinLimit(signal, (all) => pki.tryToSign(issuerRef, all)),
      signProbe: (probe, signal) => withinLimit(signal, (all) => pki.signProbe(probe, all)),
      check: (signal) => withinLimit(signal, (all) => pki.check(all)),
      trust: (signal) => withinLimit(signal, (all) => pki.trust(all)),
      issue: (request, signal) => withinLimit(signal, (all) => pki.issue(request, all)),
      revoke: (revocation, _reason, signal) => withinLimit(signal, (all) => pki.revoke(revocation, all)),
    };
    return concealErrors(backend, spec.server, 'a Vault', deps);
  },
};

function pkiOf(spec: VaultBackend, deps: BackendDeps): VaultPki {
  const { cert } = spec.auth;
  const pairs = cert && new ClientPairSource(cert.secretRef.name, deps);
  const client = new VaultClient(spec, deps, pairs && (() => identityOf(pairs)));
  return new VaultPki(spec, client, new Tokens(client, loginOf(spec, client, deps, pairs), deps.clock), deps);
}
