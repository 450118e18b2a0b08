/**
 * Programs that read key stores: Go (go-pkcs12, keystore-go), Python (cryptography), Java of several versions, and openssl.
 * A line of input of all but openssl is `FORMAT PASSWORD STORE`, the last two in base64; the line of output is `error TEXT`,
 * or `ok` and the entries, each `KIND:ALIAS:KEY:CERTIFICATE,CERTIFICATE`, with all but KIND in base64.
 */
import { parsePem } from '../../../../src/pki/pem.ts';
import { openssl } from '../../openssl.ts';
import { startLineProcess } from '../../verifiers/line-process.ts';
import { ensureReaders } from './build.ts';

export type StoreFormat = 'PKCS12' | 'PKCS12-trust' | 'JKS';

export interface Store {
  readonly format: StoreFormat;
  readonly password: string;
  readonly bytes: Buffer;
}

export interface ReadEntry {
  readonly kind: 'key' | 'trusted';
  /** Empty where the reader shows none. */
  readonly alias: string;
  /** PKCS#8, hex; empty in a trusted entry. */
  readonly key: string;
  /** DER, hex, the leaf first. */
  readonly chain: readonly string[];
}

export type Reading = readonly ReadEntry[] | { readonly refusal: string };

export interface StoreReader {
  /** With its version. */
  readonly name: string;
  readonly showsAliases: boolean;
  read(store: Store): Promise<Reading>;
  stop(): Promise<void>;
}

export interface StoreReaders {
  readonly all: readonly StoreReader[];
  stop(): Promise<void>;
}

/** Builds them first if need be. Throws an Error that says what to install. */
export async function startReaders(): Promise<StoreReaders> {
  const programs = (await ensureReaders()).map(({ name, command }): StoreReader => {
    const { ask, stop } = startLineProcess(name, command);
    return {
      name,
      showsAliases: true,
      read: async ({ format, password, bytes }) =>
        parseAnswer(await ask(`${format} ${Buffer.from(password).toString('base64')} ${bytes.toString('base64')}`)),
      stop,
    };
  });
  const all = [...programs, opensslReader('openssl', []), opensslReader('openssl -legacy', ['-legacy'])];
  return {
    all,
    async stop() {
      await Promise.all(all.map((each) => each.stop()));
    },
  };
}

function parseAnswer(line: string): Reading {
  const [outcome, ...rest] = line.split(' ');
  if (outcome !== 'ok') return { refusal: rest.join(' ') };
  return rest.map((text) => {
    const [kind, alias = '', key = '', chain = ''] = text.split(':');
    if (kind !== 'key' && kind !== 'trusted') throw new Error(`an entry of no kind: ${text}`);
    return {
      kind,
      alias: Buffer.from(alias, 'base64').toString(),
      key: Buffer.from(key, 'base64').toString('hex'),
      chain: chain.split(',').map((each) => Buffer.from(each, 'base64').toString('hex')),
    };
  });
}

function opensslReader(name: string, flags: readonly string[]): StoreReader {
  return {
    name,
    showsAliases: false,
    read: async ({ password, bytes }) => {
      const args = ['pkcs12', ...flags, '-in', '{store}', '-passin', `pass:${password}`, '-nodes'];
      const { ok, out, text } = openssl(args, { store: bytes });
      if (!ok) return { refusal: text };
      const blocks = parsePem(out, { strict: false, maxBytes: 1 << 20 });
      const of = (label: string) => blocks.filter((each) => each.label === label).map(({ der }) => der.toString('hex'));
      const [key] = of('PRIVATE KEY');
      const certificates = of('CERTIFICATE');
      if (key !== undefined) return [{ kind: 'key', alias: '', key, chain: certificates }];
      return certificates.map((each) => ({ kind: 'trusted', alias: '', key: '', chain: [each] }));
    },
    stop: async () => {},
  };
}
