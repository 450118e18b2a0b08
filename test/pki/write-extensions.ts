import { boolean, ia5Bytes, implicit, integer, octetString, oid, sequence, tlv } from '../../src/pki/asn1/write.ts';
import { encodeName, type Subject } from '../../src/pki/name.ts';
import { addressBytes } from '../../src/pki/san.ts';

/** Extensions that src/pki reads and doesn't write. Each function returns a whole Extension (DER). */

/** An Extension of any OID and content. */
export function extension(dotted: string, value: Uint8Array, critical = false): Buffer {
  return sequence(oid(dotted), ...(critical ? [boolean(true)] : []), octetString(value));
}

/** The GeneralName of a subtree: `DNS:zoo.example`, `IP:10.0.0.0/255.0.0.0`, `RID:1.2.3`, or what `dirName` returns. */
export function generalName(text: string): Buffer {
  const at = text.indexOf(':');
  const [kind, value] = [text.slice(0, at), text.slice(at + 1)];
  switch (kind) {
    case 'email':
      return implicit(1, ia5Bytes(value));
    case 'DNS':
      return implicit(2, ia5Bytes(value));
    case 'URI':
      return implicit(6, ia5Bytes(value));
    case 'IP':
      return implicit(7, Buffer.concat(value.split('/').map(addressBytes)));
    case 'DirName':
      return tlv(0xa4, Buffer.from(value, 'hex'));
    case 'RID':
      return implicit(8, oid(value).subarray(2));
    default:
      throw new Error(`no kind of name: ${text}`);
  }
}

/** The text that `generalName` takes for a directory name. */
export function dirName(subject: Subject): string {
  return `DirName:${encodeName(subject).toString('hex')}`;
}

export interface Subtrees {
  readonly permitted?: readonly string[] | undefined;
  readonly excluded?: readonly string[] | undefined;
  /** Written into each subtree after the name, such as a maximum. */
  readonly distance?: Buffer;
}

export function nameConstraints({ permitted, excluded, distance }: Subtrees, critical = true): Buffer {
  const list = (tag: number, texts: readonly string[] | undefined) =>
    texts === undefined
      ? []
      : [tlv(tag, ...texts.map((text) => sequence(generalName(text), ...(distance ? [distance] : []))))];
  return extension('2.5.29.30', sequence(...list(0xa0, permitted), ...list(0xa1, excluded)), critical);
}

export function policies(list: readonly string[], critical = false): Buffer {
  return extension('2.5.29.32', sequence(...list.map((policy) => sequence(oid(policy)))), critical);
}

export function policyMappings(pairs: readonly (readonly [string, string])[], critical = true): Buffer {
  return extension('2.5.29.33', sequence(...pairs.map(([from, to]) => sequence(oid(from), oid(to)))), critical);
}

export function policyConstraints(explicit: number | undefined, mapping: number | undefined): Buffer {
  const field = (number: number, value: number | undefined) =>
    value === undefined ? [] : [implicit(number, Buffer.of(value))];
  return extension('2.5.29.36', sequence(...field(0, explicit), ...field(1, mapping)), true);
}

export function inhibitAnyPolicy(skip: number): Buffer {
  return extension('2.5.29.54', integer(skip), true);
}
