/** What each CEL rule refuses, and the proof of it against an API server. */
import * as assert from 'uvu/assert';
import { check } from './ajv.ts';
import { type Api, collection, DRY_RUN } from './api.ts';
import { allRules, type LocatedRule } from './definitions.ts';
import type { Row } from './rows.ts';
import { AUTHORITY_ROWS } from './rules-authority.ts';
import { CA_ROTATION_ROWS } from './rules-ca-rotation.ts';
import { CLIENT_CERTIFICATE_ROWS } from './rules-client-certificate.ts';
import { REVOCATION_ROWS } from './rules-revocation.ts';
import { VERIFIER_ROWS } from './rules-verifiers.ts';
import { merge, smallest } from './samples.ts';

export const ROWS: readonly Row[] = [
  ...CLIENT_CERTIFICATE_ROWS,
  ...AUTHORITY_ROWS,
  ...CA_ROTATION_ROWS,
  ...REVOCATION_ROWS,
  ...VERIFIER_ROWS,
];

/** Fails unless the API server and ajv refuse what the row says they refuse, in its words, and accept what is nearest. */
export async function provesRow(api: Api, row: Row): Promise<void> {
  const rule = ruleOf(row);
  const bad = merge(smallest(row.kind), row.bad);
  const refused = await api.send('POST', collection(row.kind) + DRY_RUN, bad);
  assert.is(refused.status, 422, JSON.stringify(refused.body));
  const cause = refused.causes.find(({ message, field }) => message?.includes(row.says) && isField(field, rule));
  assert.ok(cause, `expected '${row.says}', got ${JSON.stringify(refused.causes, null, 2)}`);
  assert.is(cause?.reason, rule.reason ?? 'FieldValueInvalid');
  assert.is(check(row.kind, bad).problem !== undefined, row.schemaToo === true, 'whether ajv refuses it');

  const good = merge(smallest(row.kind), row.good);
  const accepted = await api.send('POST', collection(row.kind) + DRY_RUN, good);
  assert.is(accepted.status, 201, JSON.stringify(accepted.causes));
  assert.is(check(row.kind, good).problem, undefined);
}

/** A message that is computed (messageExpression) is a text of the expression, or the fixed one but for its values. */
export function saysWhat(row: Row, rule: LocatedRule): boolean {
  if (row.kind !== rule.kind || row.rule !== rule.path) return false;
  if (rule.messageExpression === undefined) return row.says === rule.message;
  return rule.messageExpression.includes(`"${row.says}"`) || row.says.replaceAll(/ \(\d+[hms]\)/g, '') === rule.message;
}

function ruleOf(row: Row): LocatedRule {
  const found = allRules().find((rule) => saysWhat(row, rule));
  if (found === undefined) throw new Error(`no rule at '${row.rule}' of ${row.kind} says '${row.says}'`);
  return found;
}

/** `spec.dnsNames[0]` for the rule at `spec.dnsNames[]`. */
function isField(field: string | undefined, { path, fieldPath = '' }: LocatedRule): boolean {
  return field?.replaceAll(/\[\d+\]/g, '[]') === `${path}${fieldPath}`.replace(/^\./, '');
}
