import { randomBytes } from 'node:crypto';
import type { Pkcs12Output, StoreOutput } from '../../api/outputs.ts';
import type { RawObject } from '../../api/parse.ts';
import { TerminalError } from '../../errors.ts';
import { parsePrivateKey } from '../../pki/keys.ts';
import { encodeJks, encodeJksTrustStore } from '../../pki/keystores/jks.ts';
import { encodePkcs12, encodePkcs12TrustStore } from '../../pki/keystores/pkcs12.ts';
import { parsePem } from '../../pki/pem.ts';
import {
  areFilesWhole,
  contentDigest,
  type Data,
  digestOf,
  fileOf,
  keptInputs,
  type OutputSpec,
  type OutputsRecord,
  outputsDigest,
  outputsOf,
  writeOutputs,
} from './outputs.ts';
import { type StorePasswords, tagOf } from './store-passwords.ts';

/** What a Secret is made of, in PEM. */
export interface SecretData {
  readonly certificateChain: string;
  /** Undefined where the client keeps it itself. */
  readonly privateKey: string | undefined;
  readonly trustBundle: string;
}

/** The data of a Secret as it is written, and the annotation that remembers how it was made. */
export interface Rendered {
  readonly data: Data;
  readonly outputs: string;
}

/** A file, or where it is a store, how to make it and what it is made from. */
type File = string | { readonly inputs: string; make(): Promise<Uint8Array> };

/** The three files that each Secret has; two where the client keeps its key itself. */
export function renderPem({ certificateChain, privateKey, trustBundle }: SecretData) {
  const key = privateKey === undefined ? {} : { 'tls.key': base64(privateKey) };
  return { 'tls.crt': base64(certificateChain), ...key, 'ca.crt': base64(trustBundle) };
}

const PKCS12_FILES = ['keystore.p12', 'truststore.p12'] as const;
const JKS_FILES = ['keystore.jks', 'truststore.jks'] as const;

/**
 * All files that the spec asks for. A store is salted, so the one of `stored` is kept as long as what it is made from is the same, and
 * where the passwords can't be used. Throws a TerminalError where the Secret would be larger than the API server stores.
 */
export async function render(
  pem: SecretData,
  spec: OutputSpec,
  passwords: StorePasswords | undefined,
  stored: RawObject | undefined,
  now: Date,
): Promise<Rendered> {
  const standard = renderPem(pem);
  const former = wholeRecord(stored);
  const files = filesOf(pem, standard, spec, passwords, now);
  // No object, on which an assignment to `__proto__` would add no key.
  const data = new Map<string, string>();
  const inputs = new Map<string, string>();
  for (const [name, file] of files) {
    inputs.set(name, typeof file === 'string' ? '' : file.inputs);
    const isKept = typeof file !== 'string' && former?.files.get(name) === file.inputs;
    const kept = isKept ? fileOf(stored?.data, name) : undefined;
    data.set(name, kept ?? (typeof file === 'string' ? file : Buffer.from(await file.make()).toString('base64')));
  }
  const isUsable = passwords === undefined || 'tag' in passwords;
  for (const [name, made, value] of isUsable ? [] : storesIn(former, stored, spec)) {
    inputs.set(name, keptInputs(name, made, stored?.data, standard['ca.crt']));
    data.set(name, value);
  }
  const digest = outputsDigest(spec, tagOf(passwords));
  return withinSize(rendered({ ...Object.fromEntries(data), ...standard }, digest, inputs));
}

/** A Secret that has a private key. */
type WithKey = SecretData & { readonly privateKey: string };

function filesOf(
  pem: SecretData,
  standard: ReturnType<typeof renderPem>,
  spec: OutputSpec,
  passwords: StorePasswords | undefined,
  now: Date,
): [string, File][] {
  const { certificate, ca } = spec.outputs.names;
  const files: [string, File][] = [];
  if (certificate !== undefined) files.push([certificate, standard['tls.crt']]);
  if (ca !== undefined) files.push([ca, standard['ca.crt']]);
  const { privateKey } = pem;
  return privateKey === undefined ? files : [...files, ...keyFiles({ ...pem, privateKey }, spec, passwords, now)];
}

/** All of them hold the private key, or come with a store that does. */
function keyFiles(
  pem: WithKey,
  { outputs }: OutputSpec,
  passwords: StorePasswords | undefined,
  now: Date,
): [string, File][] {
  const { combinedPem, derKey, pkcs12, jks, names } = outputs;
  const files: [string, File][] = [];
  if (names.privateKey !== undefined) files.push([names.privateKey, base64(pem.privateKey)]);
  if (combinedPem) files.push(['tls-combined.pem', base64(`${pem.privateKey}${pem.certificateChain}`)]);
  if (derKey) files.push(['key.der', (parsePem(pem.privateKey)[0]?.der ?? Buffer.alloc(0)).toString('base64')]);
  if (passwords === undefined || !('tag' in passwords)) return files;
  if (pkcs12 !== undefined) files.push(...pkcs12Files(pem, pkcs12, passwords.of(pkcs12), passwords.tag));
  if (jks !== undefined) files.push(...jksFiles(pem, jks, passwords.of(jks), passwords.tag, now));
  return files;
}

function pkcs12Files(pem: WithKey, { alias, profile }: Pkcs12Output, password: string, tag: string): [string, File][] {
  const common = { password, profile, randomBytes };
  return [
    [
      PKCS12_FILES[0],
      {
        inputs: digestOf([pem.certificateChain, alias, profile, tag]),
        make: () => encodePkcs12({ ...common, ...keyEntry(pem), alias }),
      },
    ],
    [
      PKCS12_FILES[1],
      {
        inputs: digestOf([pem.trustBundle, profile, tag]),
        make: () => encodePkcs12TrustStore({ ...common, certificates: dersOf(pem.trustBundle) }),
      },
    ],
  ];
}

function jksFiles(pem: WithKey, { alias }: StoreOutput, password: string, tag: string, now: Date): [string, File][] {
  const common = { password, now, randomBytes };
  return [
    [
      JKS_FILES[0],
      {
        inputs: digestOf([pem.certificateChain, alias, tag]),
        make: async () => encodeJks({ ...common, ...keyEntry(pem), alias }),
      },
    ],
    [
      JKS_FILES[1],
      {
        inputs: digestOf([pem.trustBundle, tag]),
        make: async () => encodeJksTrustStore({ ...common, certificates: dersOf(pem.trustBundle) }),
      },
    ],
  ];
}

function keyEntry({ privateKey, certificateChain }: WithKey) {
  const privateKeyPkcs8 = parsePrivateKey(privateKey).export({ type: 'pkcs8', format: 'der' });
  return { privateKeyPkcs8, chain: dersOf(certificateChain) };
}

function dersOf(pem: string): Buffer[] {
  return parsePem(pem, { maxBytes: pem.length }).map(({ der }) => der);
}

/** What the Secret remembers of its files, where they are as they were written. */
function wholeRecord(stored: RawObject | undefined): OutputsRecord | undefined {
  return stored !== undefined && areFilesWhole(stored) ? outputsOf(stored) : undefined;
}

/** The stores that a Secret holds, of those that are asked for: name, what it was made from, and bytes. */
function storesIn(
  former: OutputsRecord | undefined,
  stored: RawObject | undefined,
  { outputs }: OutputSpec,
): [name: string, inputs: string, value: string][] {
  const wanted = [...(outputs.pkcs12 ? PKCS12_FILES : []), ...(outputs.jks ? JKS_FILES : [])];
  return wanted.flatMap((name): [string, string, string][] => {
    const [inputs, value] = [former?.files.get(name), fileOf(stored?.data, name)];
    return inputs === undefined || value === undefined ? [] : [[name, inputs, value]];
  });
}

function rendered(data: Data, digest: string, files: ReadonlyMap<string, string>): Rendered {
  const content = files.size === 0 ? '' : contentDigest(data, files.keys());
  return { data, outputs: writeOutputs({ digest, content, files }) };
}

/** What the API server stores at most in the data of a Secret (MaxSecretSize of k8s.io/api/core/v1). */
export const MOST_SECRET_BYTES = 1_048_576;

function withinSize(secret: Rendered): Rendered {
  const sizes = Object.entries(secret.data).map(([name, value]): [string, number] => [name, bytesOf(value)]);
  const total = sizes.reduce((sum, [, size]) => sum + size, 0);
  if (total <= MOST_SECRET_BYTES) return secret;
  const listed = sizes.sort(([, one], [, other]) => other - one).map(([name, size]) => `${name} ${size}`);
  throw new TerminalError(
    'SecretTooLarge',
    `the Secret would have ${total} bytes, and the API server stores at most ${MOST_SECRET_BYTES}: ${listed.join(', ')}; ask for fewer outputs, or have the authority trust fewer CA certificates`,
  );
}

function bytesOf(base64Text: string): number {
  return Buffer.byteLength(base64Text, 'base64');
}

function base64(text: string): string {
  return Buffer.from(text, 'latin1').toString('base64');
}
