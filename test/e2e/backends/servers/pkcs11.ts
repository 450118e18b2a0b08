import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pkcs11Addon, softHsmPrograms } from '../../../programs/softhsm.ts';
import { onStop } from '../../../teardown.ts';

const run = promisify(execFile);

/** Of the security officer, who initialises a token and unlocks its PIN. */
const SO_PIN = '12345678';
/** What Certwheel has signed to see whether a key is there; see src/backends/pkcs11/backend.ts. */
const PROBE_DIGEST = createHash('sha256').update('\0certwheel probe of a PKCS#11 key').digest('hex');

/** Tokens of SoftHSM in a folder of their own. */
export interface SoftHsm {
  /** For the controller: the addon, the library, and which namespaces may use which tokens. */
  readonly flags: readonly string[];
  /** The library by itself, without the book of calls. */
  readonly library: string;
  /** The library behind OpenSC's spy, which keeps the book of calls. */
  readonly spied: string;
  readonly addon: string;
  /** Where `sh` runs. */
  readonly folder: string;
  /** Runs shell commands with softhsm2-util, pkcs11-tool, and openssl with its engine for PKCS#11. */
  sh(commands: string, env?: Readonly<Record<string, string>>): Promise<string>;
  addToken(label: string, pin: string): Promise<void>;
  setPin(label: string, pin: string): Promise<void>;
  addKey(token: TokenAccess, key: NewKey): Promise<void>;
  /** A self-signed CA certificate (PEM) of the key with that URI, by openssl through its engine. */
  selfSign(uri: string, pin: string, subject: string): Promise<string>;
  /** The tokens are gone, as when a token is unplugged; and back. */
  takeAway(): void;
  putBack(): void;
  /** How many signatures were made that are no probes, by the book of calls. */
  signatures(): number;
  /** How many logins were tried with a user PIN, by the book of calls. */
  logins(): number;
}

export interface TokenAccess {
  readonly token: string;
  readonly pin: string;
}

export interface NewKey {
  readonly label: string;
  /** CKA_ID in hex. */
  readonly id: string;
  /** Of pkcs11-tool, such as EC:prime256v1 or rsa:2048. */
  readonly type?: string;
  readonly options?: readonly string[];
}

/**
 * Makes the folder, and sets the variables by which SoftHSM's library finds it: a controller that is launched later
 * inherits them. `tenantTokens` is the value of --pkcs11-tenant-tokens.
 */
export async function startSoftHsm(tenantTokens: string): Promise<SoftHsm> {
  const [programs, addon] = await Promise.all([softHsmPrograms(), pkcs11Addon()]);
  console.log(`# ${programs.version}`);
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-softhsm-'));
  onStop(() => rmSync(folder, { recursive: true, force: true }));
  const [tokens, gone, book] = ['tokens', 'gone', 'calls.log'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  mkdirSync(tokens);
  const configuration = join(folder, 'softhsm2.conf');
  writeFileSync(configuration, `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`);
  const engine = join(folder, 'openssl.cnf');
  writeFileSync(engine, engineConfiguration(programs.engine, programs.library));
  const env = { SOFTHSM2_CONF: configuration, PKCS11SPY: programs.library, PKCS11SPY_OUTPUT: book };
  Object.assign(process.env, env);
  // SoftHSM doesn't find a key while another program writes one into its token.
  let last: Promise<unknown> = Promise.resolve();
  const shell = (commands: string, more: Readonly<Record<string, string>> = {}) => {
    const run = last.then(() => sh(commands, folder, environment(more)));
    last = run.catch(() => {});
    return run;
  };
  const environment = (more: Readonly<Record<string, string>>) => ({
    ...programs.env,
    ...env,
    PATH: `${programs.bin}:${process.env.PATH}`,
    OPENSSL_CONF: engine,
    MODULE: programs.library,
    ENGINE: programs.engine,
    ...more,
  });
  const tool = ({ token, pin }: TokenAccess, ...args: readonly string[]) =>
    shell(`pkcs11-tool --module "$MODULE" --token-label "$TOKEN" --login --pin "$PIN" ${quoted(args)}`, {
      TOKEN: token,
      PIN: pin,
    });
  return {
    flags: [
      ...['--pkcs11-addon', addon, '--pkcs11-module', programs.spy, '--pkcs11-tenant-tokens', tenantTokens],
      // Each test has an authority of its own, and none is deleted.
      ...['--pkcs11-processes', '1000'],
    ],
    library: programs.library,
    folder,
    spied: programs.spy,
    addon,
    sh: shell,
    addToken: async (label, pin) => {
      await shell(
        'softhsm2-util --module "$MODULE" --init-token --free --label "$LABEL" --so-pin "$SO_PIN" --pin "$PIN"',
        {
          LABEL: label,
          SO_PIN,
          PIN: pin,
        },
      );
    },
    setPin: async (label, pin) => {
      await shell(
        'pkcs11-tool --module "$MODULE" --token-label "$LABEL" --login --login-type so --so-pin "$SO_PIN" --init-pin --new-pin "$PIN"',
        {
          LABEL: label,
          SO_PIN,
          PIN: pin,
        },
      );
    },
    addKey: async (token, { label, id, type = 'EC:prime256v1', options = [] }) => {
      await tool(token, '--keypairgen', '--key-type', type, '--label', label, '--id', id, '--usage-sign', ...options);
    },
    selfSign: (uri, pin, subject) =>
      shell(
        `openssl req -new -x509 -engine pkcs11 -keyform engine -key "$URI" -sha256 -days 3650 -subj "$SUBJECT" \
         -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign`,
        { URI: `${uri};pin-value=${encodeURIComponent(pin)}`, SUBJECT: subject },
      ),
    takeAway: () => renameSync(tokens, gone),
    putBack: () => renameSync(gone, tokens),
    signatures: () => calls(book, 'C_Sign').filter((each) => isDone(each) && !isProbe(each)).length,
    logins: () => calls(book, 'C_Login').length,
  };
}

function engineConfiguration(engine: string, library: string): string {
  return `openssl_conf = init
[init]
engines = engines
[engines]
pkcs11 = pkcs11
[pkcs11]
engine_id = pkcs11
dynamic_path = ${engine}
MODULE_PATH = ${library}
init = 0
[req]
distinguished_name = subject
[subject]
`;
}

async function sh(commands: string, cwd: string, env: Readonly<Record<string, string>>): Promise<string> {
  // A program that asks for a PIN is to fail, not to wait.
  const script = `exec </dev/null\n${commands}`;
  const { stdout } = await run('bash', ['--norc', '-euo', 'pipefail', '-c', script], {
    cwd,
    env: { ...env },
    timeout: 60_000,
  });
  return stdout;
}

function quoted(args: readonly string[]): string {
  return args.map((each) => `'${each.replaceAll("'", `'\\''`)}'`).join(' ');
}

/** The calls of one function, as OpenSC's spy writes them. */
function calls(book: string, name: string): string[] {
  if (!existsSync(book)) return [];
  return readFileSync(book, 'latin1')
    .split(/\n(?=\d+: C_)/)
    .filter((each) => new RegExp(`^\\d+: ${name}\\n`).test(each));
}

function isDone(call: string): boolean {
  return call.includes('CKR_OK');
}

function isProbe(call: string): boolean {
  const [, input = ''] = /\[in\] pData[^\n]*\n((?: {4}[^\n]*\n)*)/.exec(call) ?? [];
  const hex = [...input.matchAll(/^ {4}[0-9a-f]{8} {2}((?:[0-9A-F]{2} )+)/gm)]
    .map(([, bytes = '']) => bytes.replaceAll(' ', ''))
    .join('');
  return hex.toLowerCase().endsWith(PROBE_DIGEST);
}
