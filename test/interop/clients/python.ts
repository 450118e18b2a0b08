import type { ClientReader } from '../support/client.ts';
import { lineClient, output, pythonCommand } from '../support/programs.ts';

const FAILURES: ClientReader['failures'] = {
  expired: /SSLV3_ALERT_CERTIFICATE_EXPIRED/,
  'not yet valid': /SSLV3_ALERT_CERTIFICATE_EXPIRED/,
  'unknown CA': /TLSV1_ALERT_UNKNOWN_CA/,
  'for server auth alone': /SSLV3_ALERT_BAD_CERTIFICATE/,
  'key mismatch': /KEY_VALUES_MISMATCH/,
  'wrong format': /\[SSL\] PEM lib/,
  'server: expired': /certificate verify failed: certificate has expired/,
  'server: not yet valid': /certificate verify failed: certificate is not yet valid/,
  'server: unknown CA': /certificate verify failed: unable to get local issuer certificate/,
  'server: another name': /Hostname mismatch, certificate is not valid for/,
  'server: for client auth alone': /certificate verify failed: unsuitable certificate purpose/,
};

export const requests: ClientReader = {
  name: 'client-requests',
  title: 'Python requests',
  source: 'PyPI',
  reloads: 'another pool of connections for each version of the Secret',
  install: () => installed('Python requests', 'requests_client.py'),
  failures: FAILURES,
};

export const httpx: ClientReader = {
  name: 'client-httpx',
  title: 'Python httpx',
  source: 'PyPI',
  reloads: 'a new Client for each version of the Secret',
  install: () => installed('Python httpx', 'httpx_client.py'),
  failures: FAILURES,
};

async function installed(title: string, script: string) {
  const command = await pythonCommand(script);
  return lineClient(title, await output([...command, 'version']), command);
}
