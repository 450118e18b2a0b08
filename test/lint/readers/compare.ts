import type { CertificateView } from '../../../src/pki/certificate.ts';
import { nodeExpectation, nodeFields } from './node.ts';
import type { ReaderName } from './readers.ts';
import { type Answer, isReading, NOT_IN_GO, type Reading } from './reading.ts';
import { viewExpectation, viewFields } from './view.ts';

/** One thing on which two readers differ. */
export interface Difference {
  /** The same for differences of one kind. */
  readonly kind: string;
  readonly details: string;
}

/**
 * On what OpenSSL, Go and Python differ, and on what Certwheel's parser and Node differ from what they agree on.
 * A reader that refuses what OpenSSL reads differs too.
 */
export function differences(
  der: Buffer,
  answers: Readonly<Record<ReaderName, Answer>>,
  parse: (der: Buffer) => CertificateView,
): readonly Difference[] {
  const { openssl, go, python } = answers;
  const refused = Object.entries(answers).flatMap(([name, answer]) =>
    isReading(answer) ? [] : [{ kind: `${name} refuses`, details: answer.refused }],
  );
  if (!isReading(openssl)) return refused;
  return [
    ...refused,
    ...(isReading(go) ? compareFields('go', without(openssl, NOT_IN_GO), { ...go }) : []),
    ...(isReading(python) ? compareFields('python', { ...openssl }, { ...python }) : []),
    ...compareFields('node', nodeExpectation(openssl), nodeFields(der)),
    ...compareView(der, openssl, parse),
  ];
}

function without(reading: Reading, fields: readonly string[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(reading).filter(([field]) => !fields.includes(field)));
}

function compareView(der: Buffer, reading: Reading, parse: (der: Buffer) => CertificateView): readonly Difference[] {
  try {
    return compareFields('certwheel', viewExpectation(reading), viewFields(parse(der)));
  } catch (error) {
    return [{ kind: 'certwheel refuses', details: (error as Error).message }];
  }
}

function compareFields(
  name: string,
  expected: Readonly<Record<string, unknown>>,
  found: Readonly<Record<string, unknown>>,
): Difference[] {
  const fields = [...new Set([...Object.keys(expected), ...Object.keys(found)])];
  return fields.flatMap((field) => {
    const [left, right] = [JSON.stringify(expected[field]), JSON.stringify(found[field])];
    // A field that both lack would agree without having been read.
    if (left === right && left !== undefined) return [];
    return [{ kind: `${name}: ${field}`, details: `OpenSSL reads ${left}, ${name} ${right}` }];
  });
}
