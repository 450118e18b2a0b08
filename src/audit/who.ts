import { readable } from '../foreign-text.ts';
import type { ReadLine } from './line.ts';

/** What a log says of one certificate. */
export interface Trace {
  readonly serial: string;
  /** Of the CA certificate; undefined where no line says. */
  issuer: string | undefined;
  readonly signed: ReadLine[];
  readonly published: ReadLine[];
  /** Of certificates that Certwheel itself holds. */
  readonly own: ReadLine[];
  /** What became of it. */
  readonly further: ReadLine[];
}

/** Collects the lines about serial numbers: a certificate of each issuer that has one of them. */
export class Tracer {
  readonly #serials: readonly string[];
  readonly #traces: Trace[] = [];
  #altered = 0;

  constructor(serials: readonly string[]) {
    this.#serials = serials;
  }

  add(line: ReadLine): void {
    const { serial, issuer } = line.fields;
    if (typeof serial !== 'string' || !this.#serials.includes(serial)) return;
    if (!line.isIntact) {
      this.#altered += 1;
      return;
    }
    const trace = this.#traceOf(serial, typeof issuer === 'string' ? issuer : undefined);
    if (line.event === 'signed') trace.signed.push(line);
    else if (line.event === 'published') trace.published.push(line);
    else if (OWN.has(line.event)) trace.own.push(line);
    else trace.further.push(line);
  }

  end(): { readonly traces: readonly Trace[]; readonly altered: number } {
    return { traces: this.#traces, altered: this.#altered };
  }

  /** A line without an issuer, such as that of a revocation by its serial number alone, belongs to the first that there is. */
  #traceOf(serial: string, issuer: string | undefined): Trace {
    const found = this.#traces.find(
      (each) => each.serial === serial && (issuer === undefined || each.issuer === undefined || each.issuer === issuer),
    );
    if (found !== undefined) {
      found.issuer ??= issuer;
      return found;
    }
    const made: Trace = {
      ...{ serial, issuer },
      ...{ signed: [], published: [], own: [], further: [] },
    };
    this.#traces.push(made);
    return made;
  }
}

/** One line about a key: a request that was made with it, or a certificate that has it. */
export function describeUse({ time, event, fields: { namespace, name, uid, authority, serial } }: ReadLine): string {
  const certificate = serial === undefined ? 'no serial number yet' : `serial ${serial}`;
  return readable(
    `${time} ${event}: ${holderOf(namespace, name, uid)}, at ${authority}, ${certificate}`,
    LONGEST_VALUE,
  );
}

/** The kinds of certificates that Certwheel itself holds, and what for. */
const OWN: ReadonlyMap<string, string> = new Map([
  ['probeSigned', 'Certwheel itself, to probe the verifier '],
  ['responderSigned', 'Certwheel itself, to sign OCSP answers'],
  ['caStep', 'the authority, as its CA'],
]);

/** The ClientCertificate that a line is about. */
export function holderOf(namespace: unknown, name: unknown, uid: unknown): string {
  return name === undefined
    ? 'unknown'
    : `ClientCertificate ${namespace}/${name}${uid === undefined ? '' : `, uid ${uid}`}`;
}

/** Longer than a name of a certificate. */
const LONGEST_VALUE = 8_192;

/** The trace as lines for people. */
export function describe(trace: Trace): string[] {
  const { signed, published, own, further } = trace;
  const facts = { ...signed[0]?.fields, ...published[0]?.fields, ...own[0]?.fields };
  const rows: (readonly [string, unknown])[] = [
    ['serial', trace.serial],
    ['issuer (SHA-256)', trace.issuer],
    ...ownerRows(facts, own[0]?.event),
    ['names', facts.names === undefined ? undefined : namesText(facts.names)],
    ['key pin', facts.keyPin],
    ['valid', validity(facts)],
    ['id at the CA', facts.externalId],
    ...signed.map((line) => ['signed', withReason(line)] as const),
    ...own.map((line) => [line.event === 'caStep' ? 'CA step' : 'signed', withReason(line)] as const),
    ...published.map((line) => ['published', `${withReason(line)}, revision ${line.fields.revision}`] as const),
    ...(signed.length > 0 && published.length === 0
      ? [['published', 'never, as far as these files say'] as const]
      : []),
    ...further.map((line) => [FURTHER[line.event] ?? line.event, withReason(line)] as const),
    ...(further.some(({ event }) => event === 'revoked')
      ? []
      : [['revoked', 'no, as far as these files say'] as const]),
  ];
  return rows
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${`${name}:`.padEnd(20)}${readable(String(value), LONGEST_VALUE)}`);
}

const FURTHER: Readonly<Record<string, string>> = {
  revocationAsked: 'revocation asked',
  revoked: 'revoked',
  revocationRefused: 'revocation refused',
};

function ownerRows(
  facts: Readonly<Record<string, unknown>>,
  ownEvent: string | undefined,
): (readonly [string, unknown])[] {
  const { namespace, name, uid, authority, signedBy, generation, requestedBy, rule, approval, verifier } = facts;
  const { approvedBy, name: approvalName } = (approval ?? {}) as { approvedBy?: unknown; name?: unknown };
  return [
    ['held by', ownEvent === undefined ? holderOf(namespace, name, uid) : (OWN.get(ownEvent) ?? '') + (verifier ?? '')],
    ['requested by', requestedBy],
    ['authority', authority],
    ['signed by', signedBy],
    ['CA generation', generation],
    ['rule', rule],
    ['approved by', approval === undefined ? undefined : `${approvedBy}, with CertificateApproval ${approvalName}`],
  ];
}

function namesText(names: unknown): string {
  return Object.entries(names as Record<string, unknown>)
    .map(([field, value]) => `${field} ${[value].flat().join(', ')}`)
    .join('; ');
}

function validity({ notBefore, notAfter }: Readonly<Record<string, unknown>>): string | undefined {
  return notAfter === undefined ? undefined : `${notBefore ?? 'unknown'} to ${notAfter}`;
}

function withReason({ time, fields: { reason, detail } }: ReadLine): string {
  return [time, reason, detail].filter((each) => each !== undefined && each !== '').join(', ');
}
