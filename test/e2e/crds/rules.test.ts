/** Every CEL rule refuses what it should, with its message, and not more than that. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lazily } from '../support/lazily.ts';
import { collection, DRY_RUN, type Json, startWithCrds } from './api.ts';
import { allRules } from './definitions.ts';
import { provesRow, ROWS, saysWhat } from './row-proof.ts';
import { type Kind, merge, smallest } from './samples.ts';

const RULES = allRules();

const shared = lazily(startWithCrds);
test.after(shared.stop);

for (const row of ROWS) {
  test(`${row.kind} refuses ${row.refuses} (${row.rule || 'metadata'})`, async () => {
    await provesRow(await shared.get(), row);
  });
}

/** Rules about a change; each has a test of its own. */
const isTransition = ({ rule }: { readonly rule: string }) => rule.includes('oldSelf');

test('a CertificateApproval refuses any change of its spec, and takes another label', async () => {
  const api = await shared.get();
  const path = collection('CertificateApproval');
  const created = await api.send('POST', path, smallest('CertificateApproval'));
  assert.is(created.status, 201, JSON.stringify(created.causes));
  for (const spec of [
    { decision: 'Denied' },
    { validUntil: '2127-01-31T12:00:00Z' },
    { request: { commonName: 'x' } },
  ]) {
    const refused = await api.send('PUT', `${path}/sample${DRY_RUN}`, merge(created.body, { spec }));
    assert.is(refused.status, 422);
    assert.match(refused.causes[0]?.message ?? '', "a decision can't be changed; create another CertificateApproval");
  }
  const labelled = merge(created.body, { metadata: { labels: { a: 'b' } } });
  assert.is((await api.send('PUT', `${path}/sample${DRY_RUN}`, labelled)).status, 200);
});

test('a CertificateApproval refuses an end that is no moment, though format: date-time admits it', async () => {
  const api = await shared.get();
  const path = `${collection('CertificateApproval')}${DRY_RUN}`;
  const until = async (validUntil: string) =>
    (
      await api.send(
        'POST',
        path,
        merge(smallest('CertificateApproval'), { metadata: { name: 'moment' }, spec: { validUntil } }),
      )
    ).status;
  for (const moment of ['2126-01-31T12:00:00,5Z', '2126-01-31T12:00:00x5Z', '2126-01-31T12:00:00+99:99'])
    assert.is(await until(moment), 422, moment);
  for (const moment of ['2126-01-31T12:00:00.5Z', '2126-01-31t12:00:00z', '2126-01-31T12:00:00+23:59'])
    assert.is(await until(moment), 201, moment);
});

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

test('a duration that is too long is called that, and nothing else', async () => {
  const api = await shared.get();
  const endless = `${'9'.repeat(31)}h`;
  const cases: readonly [Kind, Json, number][] = [
    ['ClientCertificate', { duration: endless }, 1],
    ['ClientCertificate', { duration: endless, renewBefore: endless.slice(1) }, 2],
    ['CertificateAuthority', { limits: { maxDuration: endless }, selfManaged: { duration: endless } }, 2],
  ];
  for (const [kind, spec, count] of cases) {
    const refused = await api.send('POST', collection(kind) + DRY_RUN, merge(smallest(kind), { spec }));
    assert.is(refused.status, 422);
    assert.is(refused.causes.length, count, JSON.stringify(refused.causes));
    for (const { message } of refused.causes)
      assert.match(message ?? '', ' to 876000h (100 years); there is no unit for ');
  }
});

test('each CEL rule in crds/ has a row that it refuses', () => {
  const missing = RULES.filter((rule) => !isTransition(rule) && !ROWS.some((row) => saysWhat(row, rule)));
  assert.equal(
    missing.map(({ kind, path, message }) => `${kind} ${path}: ${message}`),
    [],
  );
  assert.is(RULES.filter(isTransition).length, 2);
  assert.ok(RULES.length > 40, `only ${RULES.length} rules were found`);
});

test('each text of a computed message has a row', () => {
  const texts = RULES.flatMap((rule) =>
    [...(rule.messageExpression ?? '').matchAll(/"([^"]+)"/g)].map(([, text]) => ({ rule, text })),
  );
  assert.ok(texts.length > 0);
  for (const { rule, text } of texts)
    assert.ok(
      ROWS.some((row) => row.says === text && saysWhat(row, rule)),
      text,
    );
});

test('the pattern of each match is one literal: the API server compiles any other anew at each write, also of a status', () => {
  const computed = RULES.flatMap(({ kind, path, rule }) =>
    [...rule.matchAll(/\.matches\((?!r?'[^']*'\))/g)].map(() => `${kind} ${path}: ${rule}`),
  );
  assert.equal(computed, []);
});

test('each CEL rule says in words what is wrong', () => {
  const silent = RULES.filter(({ message }) => message === undefined || message.length < 15);
  assert.equal(
    silent.map(({ kind, path, rule }) => `${kind} ${path}: ${rule}`),
    [],
  );
});

test.run();
