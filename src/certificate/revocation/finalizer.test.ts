import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate, after, anObserved, DAY, NOW, SECOND } from '../../../test/unit/builders.ts';
import { toRfc3339 } from '../../api/conditions.ts';
import type { NoAuthority } from '../authority-view.ts';
import type { Observed } from '../observed.ts';
import { nextLedger } from '../secret/ledger.ts';
import { sealWith } from '../secret/seal.ts';
import { finalizerStep, LONGEST_HOLD_MS } from './finalizer.ts';
import type { RevocationState, RevocationView } from './view.ts';

const seal = sealWith(() => Buffer.alloc(32, 7));
const CA = 'CertificateAuthority/ca';
const FINALIZER = 'certwheel.io/revocation';
const OWED: RevocationState = { state: 'Owed', reason: 'cessationOfOperation' };

interface Scene {
  readonly revokesDeleted?: boolean;
  readonly isHeld?: boolean;
  /** When it was deleted; undefined where it is not. */
  readonly deleted?: Date;
  /** When this process saw that first; NOW unless told. */
  readonly noticed?: Date;
  readonly unable?: string;
  readonly states?: Readonly<Record<string, RevocationState>>;
  readonly authority?: NoAuthority;
  /** Whether the policy of the authority is known. */
  readonly isKnown?: boolean;
}

/** It holds 0a, and held 09 before. */
function seenIn({
  revokesDeleted = true,
  isHeld = true,
  deleted,
  unable,
  states = {},
  authority,
  isKnown = true,
}: Scene): Observed {
  const metadata = {
    ...(isHeld && { finalizers: ['example.com/other', FINALIZER] }),
    ...(deleted && { deletionTimestamp: toRfc3339(deleted) }),
  };
  const entries = ['0a', '09'].map((serialNumber) => ({ serialNumber, notAfter: after(DAY), sealedFor: CA }));
  const ledger = nextLedger('', entries, NOW, { seal, namespace: 'team' });
  const view: RevocationView = {
    policy: { revokesSuperseded: false, revokesDeleted, revokesViolations: false, delayMs: 0 },
    unable,
    stateOf: (serial) => states[serial],
  };
  const seen = anObserved(aCertificate().with(metadata)).withSecret({ memory: { ledger } });
  return (authority === undefined ? seen : seen.from(authority))
    .build()
    .with({ seal, revocations: (of) => (isKnown && of === CA ? view : undefined) });
}

const until = after(LONGEST_HOLD_MS);
const CASES: Record<string, readonly [Scene, step: object | undefined, now?: Date]> = {
  'it is set where the policy revokes what is deleted': [{ isHeld: false }, { do: 'set' }],
  'it stays where the policy goes on': [{}, undefined],
  'it goes with the policy': [{ revokesDeleted: false }, { do: 'remove', unrevoked: [] }],
  'it is not set where nothing can be revoked': [{ isHeld: false, unable: 'no' }, undefined],
  'it goes where nothing can be revoked by now': [{ unable: 'no' }, { do: 'remove', unrevoked: [] }],
  'it stays while the authority is not known, which must not cost two writes each': [{ isKnown: false }, undefined],
  'it is not set on what is being deleted, which would be refused': [{ isHeld: false, deleted: NOW }, undefined],
  'what is deleted is held until its certificates are noted down': [{ deleted: NOW }, { do: 'hold', until }],
  'one of two that is noted down is not enough': [
    { deleted: NOW, states: { '0a': OWED } },
    { do: 'hold', until },
  ],
  'what is noted down need not be done': [
    { deleted: NOW, states: { '0a': OWED, '09': { ...OWED, state: 'Refused' } } },
    { do: 'remove', unrevoked: [] },
  ],
  'it is let go in time, and what is not revoked is named': [
    { deleted: NOW, states: { '09': OWED } },
    { do: 'remove', unrevoked: ['0a'] },
    until,
  ],
  'it is held to the end': [{ deleted: NOW }, { do: 'hold', until }, after(-1, until)],
  'a clock that was set back holds it for no longer': [
    { deleted: NOW, noticed: after(DAY) },
    { do: 'hold', until: after(LONGEST_HOLD_MS) },
  ],
  'what was deleted while the controller was away is held from its start on': [
    { deleted: after(-DAY), noticed: NOW },
    { do: 'hold', until: after(LONGEST_HOLD_MS) },
  ],
  'what has expired holds nothing': [{ deleted: after(DAY) }, { do: 'remove', unrevoked: [] }, after(DAY)],
  'it goes at once where the policy was taken away before': [
    { deleted: NOW, revokesDeleted: false },
    { do: 'remove', unrevoked: [] },
  ],
  'it goes at once where the authority is gone': [
    { deleted: NOW, authority: 'AuthorityNotFound', isKnown: false },
    { do: 'remove', unrevoked: [] },
  ],
  'it waits for an authority that was not reconciled yet': [
    { deleted: NOW, authority: 'AuthorityNotSeen', states: { '0a': OWED, '09': OWED } },
    { do: 'hold', until },
  ],
  'and not for ever': [
    { deleted: NOW, authority: 'AuthorityNotSeen', states: { '0a': OWED, '09': OWED } },
    { do: 'remove', unrevoked: [] },
    after(LONGEST_HOLD_MS + SECOND),
  ],
};

for (const [sentence, [scene, step, now = NOW]] of Object.entries(CASES))
  test(`the finalizer: ${sentence}`, () => assert.equal(finalizerStep(seenIn(scene), now, scene.noticed ?? NOW), step));

test('the finalizer: without a Secret there is nothing to wait for', () => {
  const metadata = { finalizers: [FINALIZER], deletionTimestamp: toRfc3339(NOW) };
  const seen = anObserved(aCertificate().with(metadata)).build().with({ seal });
  assert.equal(finalizerStep(seen, NOW), { do: 'remove', unrevoked: [] });
});

test.run();
