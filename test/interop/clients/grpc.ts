import { startGoPeer } from '../servers/go.ts';
import type { ClientReader } from '../support/client.ts';
import { goProgram, lineClient, output } from '../support/programs.ts';

export const grpc: ClientReader = {
  name: 'client-grpc',
  title: 'grpc-go',
  source: 'built from source',
  reloads: 'reads the files for each new connection; the server has to limit the age of connections',
  startServer: (setup) => startGoPeer('grpc-server', setup),
  install: async () => {
    const program = await goProgram();
    const [go = '', version = ''] = (await output([program, 'version'])).split(', ');
    const versions = `${version.replace('grpc-go ', '')}, ${go}`;
    return lineClient('grpc-go', versions, [program, 'client'], { scheme: 'grpc' });
  },
  failures: {
    expired: /remote error: tls: expired certificate"$/,
    'not yet valid': /remote error: tls: expired certificate"$/,
    'unknown CA': /remote error: tls: unknown certificate authority"$/,
    'for server auth alone': /remote error: tls: bad certificate"$/,
    'key mismatch': /tls: private key does not match public key"$/,
    'wrong format': /tls: failed to find any PEM data in certificate input"$/,
    'server: expired': /x509: certificate has expired or is not yet valid: current time \S+ is after/,
    'server: not yet valid': /x509: certificate has expired or is not yet valid: current time \S+ is before/,
    'server: unknown CA': /x509: certificate signed by unknown authority"$/,
    'server: another name': /x509: certificate is valid for other.shop.svc, not localhost"$/,
    'server: for client auth alone': /x509: certificate specifies an incompatible key usage"$/,
  },
};
