/** A real bundle endpoint of a SPIFFE trust domain: the handler of go-spiffe, over a CA of its own. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createIssuer, issueServer } from '../../cluster/certificates.ts';
import { ensureProgram } from '../../programs/programs.ts';
import { onStop } from '../../teardown.ts';

export const TRUST_DOMAIN = 'partner.example';

interface State {
  readonly url: string;
  /** The SPIFFE ID of its server. */
  readonly id: string;
  readonly bundle: { readonly keys: readonly { readonly use: string; readonly x5c?: readonly string[] }[] };
}

/** See test/programs/spiffe-bundle/serve.go. */
type Command = 'state' | 'prepare' | 'activate' | 'retire' | 'away' | 'back';

export interface SpiffeEndpoint {
  /** Answers the state after the command. */
  tell(command: Command): Promise<State>;
  /** The source that reads it, as a field of `spec.trust.sources[]`. */
  source(fields?: object): Promise<{ readonly name: string; readonly spiffeBundle: object }>;
}

export async function startSpiffeEndpoint(profile: 'https_web' | 'https_spiffe'): Promise<SpiffeEndpoint> {
  const folder = await mkdtemp(join(tmpdir(), 'certwheel-spiffe-'));
  const issuer = createIssuer('CA of bundle endpoints');
  const { certificatePem, keyPem } = issueServer(issuer, ['127.0.0.1']);
  const files = ['server.crt', 'server.key'].map((name) => join(folder, name));
  for (const [index, pem] of [certificatePem, keyPem].entries())
    writeFileSync(files[index] ?? '', pem, { mode: 0o600 });
  const program = await ensureProgram('spiffe-bundle');
  const child = spawn(program, ['serve', TRUST_DOMAIN, ...(profile === 'https_web' ? files : [])], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onStop(async () => {
    child.kill('SIGKILL');
    await rm(folder, { recursive: true });
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<State> => {
    const { value, done } = await lines.next();
    if (done) throw new Error('the bundle endpoint has ended');
    return JSON.parse(value) as State;
  };
  await next();
  const tell = (command: Command) => {
    child.stdin.write(`${command}\n`);
    return next();
  };
  return {
    tell,
    source: async (fields = {}) => {
      const { url: endpoint, id: endpointSPIFFEID, bundle } = await tell('state');
      const server =
        profile === 'https_web'
          ? { caBundle: Buffer.from(issuer.certificatePem).toString('base64') }
          : { endpointSPIFFEID, bundle: JSON.stringify(bundle) };
      const spiffeBundle = { endpoint, trustDomain: TRUST_DOMAIN, profile, interval: '10s', ...server, ...fields };
      return { name: 'partner', spiffeBundle };
    },
  };
}

/** The CA certificates of its bundle, in base64, oldest first. */
export function casOf({ bundle }: State): readonly string[] {
  return bundle.keys.flatMap(({ use, x5c = [] }) => (use === 'x509-svid' ? x5c : []));
}
