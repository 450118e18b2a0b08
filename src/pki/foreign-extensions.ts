import { children, type Element, expectTag, readElement, readOid } from './asn1/read.ts';
import { TAG } from './asn1/write.ts';
import { isGoOid } from './foreign-names.ts';

/** Why OpenSSL or Go can't read the value of an extension that is not read here, or not as closely. */
export function extensionProblem(id: string, value: Buffer): string | undefined {
  const check = Object.hasOwn(CHECKS, id) ? CHECKS[id] : undefined;
  if (check === undefined) return undefined;
  try {
    return check.fits(value) ? undefined : check.problem;
  } catch {
    return check.problem;
  }
}

interface Check {
  /** Whether the verifiers read it; may throw for "no". */
  readonly fits: (value: Buffer) => boolean;
  readonly problem: string;
}

const CHECKS: Readonly<Record<string, Check>> = {
  '2.5.29.15': { fits: hasCleanPadding, problem: 'Go refuses a key usage with bits in its padding' },
  '2.5.29.17': {
    fits: hasWholeOtherNames,
    problem: 'OpenSSL refuses an otherName without type or value in the subject alternative name',
  },
  '2.5.29.31': {
    fits: arePoints,
    problem:
      'Go or OpenSSL refuses the CRL distribution points; a point is to be given by its full name, such as a URI',
  },
  '2.5.29.35': { fits: isAuthorityKeyId, problem: 'OpenSSL refuses the authority key identifier' },
  '1.3.6.1.5.5.7.1.1': { fits: areAccesses, problem: 'Go refuses the authority information access' },
  '2.16.840.1.113730.1.1': { fits: isBits, problem: 'OpenSSL refuses the Netscape certificate type' },
};

function hasCleanPadding(value: Buffer): boolean {
  const { content } = readElement(value, TAG.bitString, 'key usage');
  const unused = content[0] ?? 0;
  return content.length === 1 ? unused === 0 : ((content.at(-1) ?? 0) & ((1 << unused) - 1)) === 0;
}

function isBits(value: Buffer): boolean {
  return hasCleanPadding(value);
}

function hasWholeOtherNames(value: Buffer): boolean {
  return children(readElement(value, TAG.sequence, 'subject alternative name'))
    .filter(({ tag }) => tag === 0xa0)
    .every((name) => {
      const [type, inner, ...more] = children(name);
      return type?.tag === TAG.oid && inner?.tag === 0xa0 && more.length === 0 && children(inner).length === 1;
    });
}

function arePoints(value: Buffer): boolean {
  return children(readElement(value, TAG.sequence, 'CRL distribution points')).every((point) => {
    const fields = children(expectTag(point, TAG.sequence, 'CRL distribution point'));
    const name = fields.find(({ tag }) => tag === 0xa0);
    return inOrder(fields, [0xa0, 0x81, 0xa2]) && fields.length > 0 && (name === undefined || hasFullName(name));
  });
}

function hasFullName(name: Element): boolean {
  const [full, ...more] = children(name);
  return full?.tag === 0xa0 && more.length === 0 && children(full).length > 0;
}

function isAuthorityKeyId(value: Buffer): boolean {
  return inOrder(children(readElement(value, TAG.sequence, 'authority key id')), [0x80, 0xa1, 0x82]);
}

/** Whether only these tags come, each once at most and in this order. */
function inOrder(fields: readonly Element[], tags: readonly number[]): boolean {
  let next = 0;
  return fields.every(({ tag }) => {
    const at = tags.indexOf(tag, next);
    next = at + 1;
    return at >= 0;
  });
}

function areAccesses(value: Buffer): boolean {
  return children(readElement(value, TAG.sequence, 'authority information access')).every((item) => {
    const [method] = children(expectTag(item, TAG.sequence, 'access description'));
    return isGoOid(readOid(method, 'access method'));
  });
}
