import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { notOnPath } from '../support/available.ts';
import type { ClientAnswer, ClientProgram, ClientReader, Question } from '../support/client.ts';
import { configuration } from '../support/configuration.ts';

const run = promisify(execFile);

export const curl: ClientReader = {
  name: 'client-curl',
  title: 'curl',
  source: 'Debian 12',
  reloads: 'reads the files at each start',
  install: () => installCurl(),
  failures: {
    expired: /certificate expired|SSL certificate verification failed/,
    'not yet valid': /certificate expired|SSL certificate verification failed/,
    'unknown CA': /alert unknown ca/,
    'for server auth alone': /alert bad certificate/,
    'key mismatch': /unable to set private key file/,
    'wrong format': /could not load PEM client certificate from .*no start line/,
    'server: expired': /certificate has expired$/,
    'server: not yet valid': /certificate is not yet valid$/,
    'server: unknown CA': /unable to get local issuer certificate$/,
    'server: another name': /no alternative certificate subject name matches/,
    'server: for client auth alone': /unsuitable certificate purpose$/,
  },
};

/** With more variables in its environment. */
export async function installCurl(environment: Readonly<Record<string, string>> = {}): Promise<ClientProgram> {
  const { stdout } = await run('curl', ['--version']).catch(notOnPath('curl'));
  const [, version = '', library = ''] = /^curl (\S+) .*?(OpenSSL\/\S+)/.exec(stdout) ?? [];
  return {
    version: `${version}, ${library.replace('/', ' ')}`,
    start: async () => ({ ask: (question) => ask(question, environment), stop: async () => {} }),
  };
}

async function ask(
  { port, directory }: Question,
  environment: Readonly<Record<string, string>>,
): Promise<ClientAnswer> {
  const script = configuration('curl/get.sh', {
    '/tls/': `${directory}/`,
    'https://web.shop.svc:8443/': `https://localhost:${port}/`,
  });
  try {
    const { stdout } = await run('sh', ['-c', script], { env: { PATH: process.env.PATH, ...environment } });
    const [, body = '', status] = /^(.*)\n(\d+)\s*$/s.exec(stdout) ?? [];
    return { status: Number(status), body };
  } catch (error) {
    return { error: firstLine((error as { stderr: string }).stderr) };
  }
}

/** curl explains some of its errors at length. */
const firstLine = (text: string) => text.split('\n')[0] ?? '';
