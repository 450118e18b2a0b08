import { readFileSync } from 'node:fs';
import type { ClientReader } from '../support/client.ts';
import { lineClient, nodeCommand } from '../support/programs.ts';

const runtime = `Node.js ${process.versions.node}, OpenSSL ${process.versions.openssl}`;

const FAILURES: ClientReader['failures'] = {
  expired: /alert certificate expired/,
  'not yet valid': /alert certificate expired/,
  'unknown CA': /alert unknown ca/,
  'for server auth alone': /alert bad certificate/,
  'key mismatch': /^ERR_OSSL_X509_KEY_VALUES_MISMATCH/,
  'wrong format': /^ERR_OSSL_PEM_NO_START_LINE/,
  'server: expired': /^CERT_HAS_EXPIRED/,
  'server: not yet valid': /^CERT_NOT_YET_VALID/,
  'server: unknown CA': /^UNABLE_TO_GET_ISSUER_CERT_LOCALLY/,
  'server: another name': /^ERR_TLS_CERT_ALTNAME_INVALID/,
  'server: for client auth alone': /^INVALID_PURPOSE/,
};

export const nodeHttps: ClientReader = {
  name: 'client-node-https',
  title: 'Node.js https',
  source: 'npm',
  reloads: 'another pool of connections for each version of the Secret',
  install: async () => lineClient('Node.js https', runtime, nodeCommand('https-client.ts')),
  failures: FAILURES,
};

export const undici: ClientReader = {
  name: 'client-undici',
  title: 'undici',
  source: 'npm',
  reloads: 'a new Agent for each version of the Secret',
  install: async () => lineClient('undici', `${undiciVersion()}, ${runtime}`, nodeCommand('undici-client.ts')),
  failures: FAILURES,
};

function undiciVersion(): string {
  const manifest = new URL('../../../node_modules/undici/package.json', import.meta.url);
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}
