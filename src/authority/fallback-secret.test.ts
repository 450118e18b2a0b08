/** What an authority keeps of its fallback in a Secret, and what it takes from one. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NOW } from '../../test/unit/builders.ts';
import { FakeClock } from '../../test/unit/fake-clock.ts';
import { SILENT } from '../../test/unit/own-authority.ts';
import { one, two } from '../../test/unit/planned-rotation.ts';
import { NO_TRUST } from '../backends/backend.ts';
import { ProofsOwed } from '../rotation/members.ts';
import { FALLBACK_SECRET, fallbackManifest, readFallbackSecret } from './fallback-secret.ts';
import { FALLBACK_READY } from './fallback-status.ts';
import { Fallbacks } from './fallbacks.ts';

const owner = { kind: 'CertificateAuthority', name: 'ca', uid: 'u1' } as const;
const kept = { name: 'reserve', own: [one.anchor], further: [two.anchor] };
const blank = { ...FALLBACK_SECRET.blank(owner, 'team'), metadata: { uid: 's1' } };
const stored = fallbackManifest(owner, 'team', kept, blank);

function short(kept: ReturnType<typeof readFallbackSecret>) {
  const subjects = [kept?.own, kept?.further].map((each) => each?.map(({ subject }) => subject.commonName));
  return [kept?.name, ...subjects];
}

test('what is kept is read again', () =>
  assert.equal(short(readFallbackSecret(stored, owner)), ['reserve', ['one'], ['two']]));

test('an authority that was created anew under the name trusts nothing for it but what certificates still need', () =>
  assert.equal(short(readFallbackSecret(stored, { ...owner, uid: 'u2' })), ['', [], ['two']]));

test('what a Secret holds that does not name its own uid is not read: a copy, a restored one, one of a user who creates Secrets', () => {
  const { 'secret-uid': _, ...unmarked } = stored.data;
  for (const each of [
    { ...stored, metadata: { ...stored.metadata, uid: 's2' } },
    { ...stored, data: unmarked },
  ])
    assert.throws(() => readFallbackSecret(each, owner), /was not written by Certwheel/);
});

test('a Secret that was created and not written yet keeps nothing', () =>
  assert.is(readFallbackSecret(blank, owner), undefined));

test('the look is made again once the certificates are proven that may need the CA of a former fallback', async () => {
  const fallbacks = new Fallbacks({
    clock: new FakeClock(NOW),
    log: SILENT,
    ownership: { assert: () => {} },
    runtimeOf: () => undefined,
    members: () => {
      throw new ProofsOwed();
    },
    namespaceOf: () => 'team',
    read: async () => stored,
    apply: async () => stored,
  });
  const status = { conditions: [{ type: FALLBACK_READY, status: 'True' }] };
  const resource = { ...owner, namespace: 'team', fallback: undefined, status } as never;
  const runtime = {
    backend: {},
    generations: [],
    trusted: NO_TRUST,
    stated: [],
    definition: { type: 'secret' },
  } as never;
  const error = await fallbacks.look(resource, runtime).then(
    () => undefined,
    (thrown) => thrown,
  );
  assert.instance(error, ProofsOwed);
});

test.run();
