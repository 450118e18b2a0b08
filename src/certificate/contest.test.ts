import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate } from '../../test/unit/builders.ts';
import type { ManagedFields, RawObject } from '../api/parse.ts';
import { describeContest } from './contest.ts';

const resource = aCertificate({ secretTemplate: { labels: { team: 'a' }, annotations: { note: 'b' } } }).build();
const act = { do: 'repair', message: 'the trust bundle has changed' } as const;

const writes = (manager: string, time: string, fieldsV1: object): ManagedFields => ({ manager, time, fieldsV1 });
const live = (...managedFields: ManagedFields[]): RawObject => ({ metadata: { managedFields } });
const says = (object: RawObject | undefined) => describeContest({ resource }, act, object);

const DATA = { 'f:data': { '.': {}, 'f:tls.crt': {}, 'f:tls.key': {} } };
const ours = writes('certwheel', '2026-06-01T12:09:00Z', { 'f:data': { 'f:ca.crt': {} } });

test('the other field manager is named, with the fields of ours that it writes', () => {
  const theirs = writes('external-secrets', '2026-06-01T12:00:00Z', {
    ...DATA,
    'f:metadata': { 'f:labels': { 'f:team': {}, 'f:theirs': {} }, 'f:annotations': { 'f:note': {} } },
  });
  assert.is(
    says(live(ours, theirs)),
    'Secret client-tls is changed again and again: field manager "external-secrets" writes data.tls.crt, data.tls.key, metadata.labels.team, metadata.annotations.note',
  );
});

test('of several writers the latest is named', () => {
  const older = writes('older', '2026-06-01T11:00:00Z', DATA);
  const newer = writes('newer', '2026-06-01T12:00:00Z', {
    'f:metadata': { 'f:ownerReferences': { 'k:{"uid":"u"}': {} } },
  });
  assert.match(says(live(older, newer, ours)), 'field manager "newer" writes metadata.ownerReferences');
  assert.match(says(live(newer, older, ours)), 'field manager "newer"');
});

test('a label or an annotation of ours is ours, whatever its key', () => {
  const marks = { 'f:labels': { 'f:certwheel.io/certificate-name': {} } };
  const theirs = writes('argocd-controller', '2026-06-01T12:00:00Z', { 'f:metadata': marks });
  assert.match(says(live(theirs)), 'writes metadata.labels.certwheel.io/certificate-name');
});

test('a writer of other fields alone is not named, nor is one that removed a field; the audit log knows', () => {
  const bystander = writes('reloader', '2026-06-01T12:00:00Z', {
    'f:metadata': { 'f:annotations': { 'f:theirs': {} } },
  });
  for (const object of [live(ours, bystander), live(), {}])
    assert.is(
      says(object),
      'Secret client-tls is changed again and again (the trust bundle has changed); the audit log of the API server names the writer',
    );
  assert.match(says(undefined), /is deleted again and again; the audit log/);
});

test.run();
