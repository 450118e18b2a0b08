import type { ClientProgram, ClientReader } from '../support/client.ts';
import { goProgram, lineClient, output } from '../support/programs.ts';

export const go: ClientReader = {
  name: 'client-go',
  title: 'Go net/http',
  source: 'built from source',
  reloads: 'reads the files for each new connection',
  install: () => installGo(),
  vague: /http2: client conn could not be established$/,
  failures: {
    expired: /remote error: tls: expired certificate$/,
    'not yet valid': /remote error: tls: expired certificate$/,
    'unknown CA': /remote error: tls: unknown certificate authority$/,
    'for server auth alone': /remote error: tls: bad certificate$/,
    'key mismatch': /tls: private key does not match public key$/,
    'wrong format': /tls: failed to find any PEM data in certificate input$/,
    'server: expired': /x509: certificate has expired or is not yet valid: current time \S+ is after/,
    'server: not yet valid': /x509: certificate has expired or is not yet valid: current time \S+ is before/,
    'server: unknown CA': /x509: certificate signed by unknown authority$/,
    'server: another name': /x509: certificate is valid for other.shop.svc, not localhost$/,
    'server: for client auth alone': /x509: certificate specifies an incompatible key usage$/,
  },
};

/** `more` goes with each question. */
export async function installGo(more: Readonly<Record<string, string | boolean>> = {}): Promise<ClientProgram> {
  const program = await goProgram();
  const [version = ''] = (await output([program, 'version'])).split(',');
  return lineClient('Go net/http', version, [program, 'client'], { more });
}
