import { hash } from 'node:crypto';
import type { CertificateSpec } from '../../api/client-certificate.ts';
import { OUTPUTS_ANNOTATION } from '../../api/names.ts';
import { type Outputs, storesOf } from '../../api/outputs.ts';
import type { RawObject } from '../../api/parse.ts';
import { holdsKey } from './secret-type.ts';

/** The fields of a spec that decide what is rendered from a chain, a key and a trust bundle. */
export type OutputSpec = Pick<CertificateSpec, 'key' | 'keyEncoding' | 'outputs'>;

/** The data of a Secret, in base64. */
export type Data = Readonly<Record<string, string>>;

/** The keys that each Secret from Certwheel has; without the second one where the client keeps its key itself. */
const PEM_KEYS = ['tls.crt', 'tls.key', 'ca.crt'];

/**
 * Stands for all that decides about the outputs beside chain, key and trust bundle. The Secret remembers the digest, so
 * that a change of the spec shows without a look at bytes that may differ each time. Empty where nothing but the defaults
 * is asked for. `passwords` stands for the passwords of the stores; undefined where they can't be used.
 */
export function outputsDigest({ key, keyEncoding, outputs }: OutputSpec, passwords?: string): string {
  // There is one encoding of an Ed25519 key.
  const encodings = keyEncoding === 'PKCS8' || key.algorithm === 'Ed25519' ? [] : [['keyEncoding', keyEncoding]];
  const inputs = [...encodings, ...inputsOf(outputs, passwords)];
  return inputs.length === 0 ? '' : digestOf(inputs);
}

function inputsOf(outputs: Outputs, passwords: string | undefined): unknown[] {
  const { combinedPem, derKey, pkcs12, jks, names } = outputs;
  return [
    ...(combinedPem ? ['CombinedPEM'] : []),
    ...(derKey ? ['DER'] : []),
    ...Object.entries(names).sort(),
    ...(pkcs12 ? [['pkcs12', pkcs12.alias, pkcs12.profile]] : []),
    ...(jks ? [['jks', jks.alias]] : []),
    ...(storesOf(outputs).length > 0 ? [['passwords', passwords]] : []),
  ];
}

/** What an annotation remembers of the outputs that a Secret was written with. */
export interface OutputsRecord {
  /** See outputsDigest. */
  readonly digest: string;
  /** See contentDigest; empty where there are no files beside the three. */
  readonly content: string;
  /** The files beside the three. A store has a digest of what it was made from, since its bytes differ each time. */
  readonly files: ReadonlyMap<string, string>;
}

/** Written as `<digest>`, or `<digest>:<content>:<file>,<file>=<inputs>,…`. */
export function writeOutputs({ digest, content, files }: OutputsRecord): string {
  if (files.size === 0) return digest;
  const listed = Array.from(files, ([name, inputs]) => (inputs === '' ? name : `${name}=${inputs}`));
  return `${digest}:${content}:${listed.join(',')}`;
}

export function readOutputs(text = ''): OutputsRecord {
  const [digest = '', content = '', listed = ''] = text.split(':');
  const files = listed.split(',').filter((each) => each !== '');
  return { digest, content, files: new Map(files.map((each) => nameAndInputs(each))) };
}

function nameAndInputs(text: string): [string, string] {
  const [name = '', inputs = ''] = text.split('=');
  return [name, inputs];
}

/** The value of a key in the data of a Secret, in base64. A tenant may name a key `__proto__` or `constructor`. */
export function fileOf(data: RawObject['data'], name: string): string | undefined {
  return data !== undefined && Object.hasOwn(data, name) ? data[name] : undefined;
}

/** Stands for the bytes of these files and of the three that they go with. */
export function contentDigest(data: Data | RawObject['data'], files: Iterable<string>): string {
  const names = [...PEM_KEYS, ...files].sort();
  return digestOf(names.map((name) => [name, fileOf(data, name)]));
}

/** What the annotation of a Secret remembers. */
export function outputsOf(secret: RawObject | undefined): OutputsRecord {
  return readOutputs(secret?.metadata?.annotations?.[OUTPUTS_ANNOTATION]);
}

/** Whether the files beside the three are as they were written; a matter of the Secret alone, whatever the spec says. */
export function areFilesWhole(secret: RawObject): boolean {
  const { content, files } = outputsOf(secret);
  if (files.size === 0) return true;
  // Where the client keeps its key, a tls.key is not one that Certwheel has written.
  const { 'tls.key': _, ...withoutKey } = secret.data ?? {};
  return content === contentDigest(holdsKey(secret.type) ? secret.data : withoutKey, files.keys());
}

/** In place of the inputs of a trust store that was made from an earlier ca.crt; the digest of that one follows. */
const OUTDATED = '~';

/**
 * What is remembered of a store that is kept as it is, since its password can't be used: a trust store may not hold what
 * ca.crt holds from now on.
 */
export function keptInputs(name: string, inputs: string, former: RawObject['data'], trustBundle: string): string {
  if (!name.startsWith('truststore.') || inputs.startsWith(OUTDATED)) return inputs;
  const before = fileOf(former, 'ca.crt');
  return before === trustBundle ? inputs : `${OUTDATED}${digestOf([before])}`;
}

/** Whether each trust store of the Secret holds what its ca.crt holds, by what it remembers. */
export function areTrustStoresCurrent(secret: RawObject): boolean {
  const outdated = [...outputsOf(secret).files.values()].filter((inputs) => inputs.startsWith(OUTDATED));
  return outdated.every((inputs) => inputs === `${OUTDATED}${digestOf([fileOf(secret.data, 'ca.crt')])}`);
}

export function digestOf(inputs: unknown): string {
  return hash('sha256', JSON.stringify(inputs), 'base64url').slice(0, DIGEST_LENGTH);
}

const DIGEST_LENGTH = 16;
