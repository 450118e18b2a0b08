import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LineProcess, startLineProcess } from '../../pki/verifiers/line-process.ts';
import { onStop } from '../../teardown.ts';
import { mountSecret } from '../support/mount.ts';
import { goProgram, output } from '../support/programs.ts';
import type { ServerReader } from '../support/reader.ts';
import type { Answer, Call } from '../support/request.ts';
import { startGo } from './go.ts';

export const grpc: ServerReader = {
  name: 'grpc',
  title: 'grpc-go',
  source: 'built from source',
  reloads: '`GetConfigForClient` reads the files for each new connection',
  install: async () => {
    const [go = '', version = ''] = (await output([await goProgram(), 'version'])).split(', ');
    return {
      version: `${version.replace('grpc-go ', '')}, ${go}`,
      // So that a client in TLS 1.3 reads the alert.
      start: (setup) => startGo('grpc-server', setup, '-linger', '200ms'),
    };
  },
  request,
  identity: ({ body }) => {
    const { commonName, serial } = JSON.parse(body);
    return { subject: commonName, serial };
  },
  refuses: {
    none: { seen: /remote error: tls: certificate required"$/ },
    expired: { seen: /remote error: tls: expired certificate"$/ },
    'of another CA': { seen: /remote error: tls: unknown certificate authority"$/ },
    'for server auth alone': { seen: /remote error: tls: bad certificate"$/ },
  },
  mismatch: /tls: private key does not match public key/,
};

let asked: LineProcess | undefined;

/** One call over a new connection, by grpc-go itself. */
async function request({ port, ca, client, tls }: Call): Promise<Answer> {
  asked ??= await startAsked();
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-interop-'));
  try {
    const pair = client === undefined ? {} : { 'tls.crt': client.certificate, 'tls.key': client.key };
    mountSecret(folder, { ...pair, 'ca.crt': ca });
    const question = { url: `grpc://localhost:${port}`, folder, tls, anonymous: client === undefined };
    const answer = JSON.parse(await asked.ask(JSON.stringify(question)));
    if (answer.error !== undefined) throw new Error(answer.error);
    return { ...answer, headers: {}, protocol: answer.protocol.replace('TLS ', 'TLSv') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function startAsked(): Promise<LineProcess> {
  const started = startLineProcess('the client of grpc-go', [await goProgram(), 'client']);
  onStop(started.stop);
  return started;
}
