import type { Json } from './api.ts';
import type { Kind } from './samples.ts';

/** One thing that a CEL rule refuses, and beside it the nearest thing that is accepted. */
export interface Row {
  kind: Kind;
  /** What is refused, in words; the name of the test. */
  refuses: string;
  /** Where the rule stands in the schema: `spec.dnsNames[]`. Empty for the object itself. */
  rule: string;
  /** The message that the user gets. */
  says: string;
  /** Merge patches of the smallest object of the kind. */
  bad: Json;
  good: Json;
  /** The pattern in the schema refuses it as well, so that ajv does too. */
  schemaToo?: true;
}

/** A patch of the spec alone. */
export function spec(patch: Json): Json {
  return { spec: patch };
}
