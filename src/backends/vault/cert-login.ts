import type { VaultCertAuth } from '../../api/generated/types.ts';
import type { ClientIdentity } from '../http/secure-context.ts';
import type { ClientPairSource } from '../shared/client-pair.ts';
import type { VaultClient } from './client.ts';
import { type Login, logIn } from './grant.ts';

/**
 * Vault's TLS certificate auth method. The client shows the certificate on every connection: Vault renews a token only
 * where it sees the certificate that the token was given for, and a listener may let nobody in without one. Another
 * certificate in the Secret means another login.
 */
export function byCertificate({ path, role }: VaultCertAuth, source: ClientPairSource, client: VaultClient): Login {
  return {
    credential: async () => (await source.read()).id,
    login: async (_credential, signal) => {
      const withRole = role === undefined ? '' : ` with the role ${role}`;
      const what = `the login by the certificate in ${source.place}${withRole} at auth/${path}`;
      const shown = role === undefined ? `list auth/${path}/certs` : `read auth/${path}/certs/${role}`;
      // Without a name, Vault tries each role that trusts the certificate.
      const body: Record<string, string> = role === undefined ? {} : { name: role };
      return logIn(client, { path, body, secrets: [], what, remedy: `compare with: vault ${shown}` }, signal);
    },
  };
}

/** What the client shows on its connections. */
export async function identityOf(source: ClientPairSource): Promise<ClientIdentity> {
  const { id, chain, keyPem } = await source.read();
  return { place: source.place, id, cert: chain.map(({ pem }) => pem).join(''), key: keyPem };
}
