/** Every CEL rule refuses what it should, with its message, and not more than that. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lazily } from '../support/lazily.ts';
import { check } from './ajv.ts';
import { collection, DRY_RUN, startWithCrds } from './api.ts';
import { allRules, type LocatedRule } from './definitions.ts';
import type { Row } from './rows.ts';
import { AUTHORITY_ROWS } from './rules-authority.ts';
import { CLIENT_CERTIFICATE_ROWS } from './rules-client-certificate.ts';
import { merge, smallest } from './samples.ts';

const ROWS: Row[] = [...CLIENT_CERTIFICATE_ROWS, ...AUTHORITY_ROWS];
const RULES = allRules();

const shared = lazily(startWithCrds);
test.after(shared.stop);

/** A message that is computed (messageExpression) contains the fixed one but for its values. */
function saysWhat(row: Row, rule: LocatedRule): boolean {
  if (row.kind !== rule.kind || row.rule !== rule.path) return false;
  const skeleton = (text: string | undefined) => text?.replaceAll(/ \(\d+[hms]\)/g, '');
  return rule.messageExpression === undefined ? row.says === rule.message : skeleton(row.says) === rule.message;
}

function ruleOf(row: Row): LocatedRule {
  const found = RULES.find((rule) => saysWhat(row, rule));
  if (found === undefined) throw new Error(`no rule at '${row.rule}' of ${row.kind} says '${row.says}'`);
  return found;
}

/** `spec.dnsNames[0]` for the rule at `spec.dnsNames[]`. */
function isField(field: string | undefined, { path, fieldPath = '' }: LocatedRule): boolean {
  return field?.replaceAll(/\[\d+\]/g, '[]') === `${path}${fieldPath}`.replace(/^\./, '');
}

for (const row of ROWS) {
  test(`${row.kind} refuses ${row.refuses} (${row.rule || 'metadata'})`, async () => {
    const api = await shared.get();
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
  });
}

const IMMUTABLE = "secretName can't be changed; create another ClientCertificate for the other Secret";

test('ClientCertificate refuses another secretName once it exists, and takes any other change', async () => {
  const api = await shared.get();
  const path = collection('ClientCertificate');
  const created = await api.send('POST', path, smallest('ClientCertificate'));
  assert.is(created.status, 201, JSON.stringify(created.causes));
  const renamed = merge(created.body, { spec: { secretName: 'other-tls' } });
  const refused = await api.send('PUT', `${path}/sample${DRY_RUN}`, renamed);
  assert.is(refused.status, 422);
  assert.equal(
    refused.causes.map(({ field, reason }) => `${field} ${reason}`),
    ['spec.secretName FieldValueForbidden'],
  );
  assert.match(refused.causes[0]?.message ?? '', IMMUTABLE);
  const moved = merge(created.body, { spec: { authorityRef: { name: 'other-ca' }, duration: '2h' } });
  const accepted = await api.send('PUT', `${path}/sample${DRY_RUN}`, moved);
  assert.is(accepted.status, 200, JSON.stringify(accepted.causes));
});

test('a duration that no 64-bit number can hold is refused too', async () => {
  const api = await shared.get();
  const endless = merge(smallest('ClientCertificate'), { spec: { duration: `${'9'.repeat(31)}h` } });
  const refused = await api.send('POST', collection('ClientCertificate') + DRY_RUN, endless);
  assert.is(refused.status, 422);
  assert.is(refused.causes[0]?.field, 'spec.duration');
});

test('each CEL rule in crds/ has a row that it refuses', () => {
  const missing = RULES.filter((rule) => rule.message !== IMMUTABLE && !ROWS.some((row) => saysWhat(row, rule)));
  assert.equal(
    missing.map(({ kind, path, message }) => `${kind} ${path}: ${message}`),
    [],
  );
  assert.is(RULES.filter(({ message }) => message === IMMUTABLE).length, 1);
  assert.ok(RULES.length > 40, `only ${RULES.length} rules were found`);
});

test('each CEL rule says in words what is wrong', () => {
  const silent = RULES.filter(({ message }) => message === undefined || message.length < 15);
  assert.equal(
    silent.map(({ kind, path, rule }) => `${kind} ${path}: ${rule}`),
    [],
  );
});

test.run();
