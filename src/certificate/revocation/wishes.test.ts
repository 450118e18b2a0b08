import { randomBytes } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate, after, anObserved, DAY, HOUR, MINUTE, NOW, SECOND } from '../../../test/unit/builders.ts';
import { toRfc3339 } from '../../api/conditions.ts';
import { REVOKE_ANNOTATION, REVOKE_ISSUED_BEFORE_ANNOTATION } from '../../api/revocation.ts';
import type { ErrorCode } from '../../errors.ts';
import type { Decision, Observed } from '../observed.ts';
import { nextLedger } from '../secret/ledger.ts';
import { sealWith } from '../secret/seal.ts';
import type { RevocationState, RevocationView } from './view.ts';
import { wishesOf } from './wishes.ts';

const KEY = randomBytes(32);
const seal = sealWith(() => KEY);
const CA = 'CertificateAuthority/ca';
const SHARED = 'ClusterCertificateAuthority/shared';

const SETTLE: Decision = { do: 'settle', recheckAt: undefined };
const ISSUE: Decision = { do: 'issue', reason: 'Revoked', message: '' };
const wait = (code: ErrorCode, recheckAt?: Date): Decision => ({ do: 'wait', code, message: '', recheckAt });
const refuse = (code: ErrorCode): Decision => ({ do: 'refuse', code, message: '' });

interface Scene {
  readonly policy?: Partial<RevocationView['policy']>;
  readonly annotations?: Record<string, string>;
  /** Serial numbers, newest first, and who sealed them. */
  readonly ledger?: readonly { readonly serial: string; readonly by?: string; readonly issuedAt?: Date }[];
  readonly secret?: Parameters<ReturnType<typeof anObserved>['withSecret']>[0];
  readonly status?: Parameters<ReturnType<typeof aCertificate>['withStatus']>[0];
  readonly metadata?: object;
  readonly states?: Readonly<Record<string, RevocationState>>;
}

/** A ClientCertificate that holds 0a, issued at NOW, and held 09 before. */
function seenIn({ policy, annotations = {}, ledger = FORMER, secret, status = {}, metadata, states = {} }: Scene) {
  const text = nextLedger(
    '',
    ledger.map(({ serial, by = CA, issuedAt = NOW }) => ({
      serialNumber: serial,
      notAfter: after(DAY),
      issuerFingerprint: 'ab'.repeat(32),
      issuedAt,
      ...(by && { sealedFor: by }),
    })),
    NOW,
    { seal, namespace: 'team' },
  );
  const view: RevocationView = {
    policy: { revokesSuperseded: false, revokesDeleted: false, revokesViolations: false, delayMs: HOUR, ...policy },
    unable: undefined,
    stateOf: (serial) => states[serial],
  };
  return anObserved(
    aCertificate()
      .with({ annotations, ...metadata })
      .withStatus(status),
  )
    .withSecret({ ...secret, memory: { ledger: text, ...(secret as { memory?: object })?.memory } })
    .build()
    .with({ seal, revocations: (of) => (of === CA || of === SHARED ? view : undefined) });
}

const FORMER = [{ serial: '0a' }, { serial: '09', issuedAt: after(-HOUR) }];

function due(seen: Observed, decision: Decision = SETTLE, now = NOW): string[] {
  return wishesOf(seen, decision, now).due.map(({ serialNumber, reason }) => `${serialNumber} ${reason}`);
}

const revoking = (text: string) => ({ annotations: { [REVOKE_ANNOTATION]: text } });

test('without an annotation and a policy nothing is revoked, nor is it looked at again', () => {
  assert.equal(wishesOf(seenIn({}), SETTLE, after(HOUR)), { due: [], recheckAt: undefined });
});

test('superseded: Revoke revokes the former certificate once delay has passed since the successor was published', () => {
  const seen = seenIn({ policy: { revokesSuperseded: true } });
  assert.equal(wishesOf(seen, SETTLE, after(HOUR - 1)), { due: [], recheckAt: after(HOUR) });
  assert.equal(due(seen, SETTLE, after(HOUR)), ['09 superseded']);
});

test('superseded: Revoke leaves what a damaged Secret held before, since workloads still use it', () => {
  const policy = { revokesSuperseded: true };
  const damaged = { certificate: undefined, problem: 'tls.crt is missing' };
  assert.equal(due(seenIn({ policy, secret: damaged }), ISSUE, after(5 * HOUR)), []);
  const foreign = { certificate: { serialNumber: '77', issuerFingerprint: 'of a tenant' } };
  assert.equal(due(seenIn({ policy, secret: foreign }), ISSUE, after(5 * HOUR)), []);
});

test('superseded: Revoke waits on a clock that was set back, and comes after it', () => {
  const seen = seenIn({ policy: { revokesSuperseded: true }, secret: { memory: { issuedAt: after(3 * HOUR) } } });
  assert.equal(wishesOf(seen, SETTLE, NOW), { due: [], recheckAt: after(HOUR) });
  assert.equal(due(seen, SETTLE, after(3 * HOUR)), []);
  assert.equal(due(seen, SETTLE, after(4 * HOUR)), ['09 superseded']);
});

test('what has expired is not revoked', () => {
  const seen = seenIn({ policy: { revokesSuperseded: true }, ...revoking('09,0a') });
  assert.equal(due(seen, SETTLE, after(DAY)), []);
});

test('deleted: Revoke revokes all certificates of a resource that is being deleted, at once', () => {
  const policy = { revokesDeleted: true };
  assert.equal(due(seenIn({ policy })), []);
  const metadata = { deletionTimestamp: toRfc3339(NOW) };
  assert.equal(due(seenIn({ policy, metadata })), ['0a cessationOfOperation', '09 cessationOfOperation']);
  assert.equal(due(seenIn({ metadata })), []);
});

const VIOLATIONS: readonly Decision[] = [
  refuse('DeniedByPolicy'),
  refuse('ApprovalDenied'),
  refuse('SystemIdentityDenied'),
  wait('NamespaceNotAllowed'),
];
for (const decision of VIOLATIONS) {
  const { code } = decision as { code: ErrorCode };
  const type = decision.do === 'refuse' ? 'Stalled' : 'Issuing';
  test(`policyViolation: Revoke revokes what ${code} denies by now, once delay has passed since the status says so`, () => {
    const policy = { revokesViolations: true };
    const conditions = [
      { type, status: 'True' as const, reason: code, message: '', lastTransitionTime: toRfc3339(after(-MINUTE)) },
    ];
    const seen = seenIn({ policy, status: { conditions } });
    assert.equal(wishesOf(seen, decision, NOW).recheckAt, after(HOUR - MINUTE));
    assert.equal(due(seen, decision, after(HOUR - MINUTE)), ['0a cessationOfOperation', '09 cessationOfOperation']);
    assert.equal(due(seenIn({ status: { conditions } }), decision, after(DAY - 1)), []);
    assert.equal(wishesOf(seenIn({ policy }), decision, NOW).recheckAt, after(HOUR), 'from now on');
  });
}

test('policyViolation: Revoke leaves what is refused for another reason', () => {
  const policy = { revokesViolations: true, delayMs: 0 };
  for (const decision of [refuse('InvalidSpec'), refuse('LimitExceeded'), wait('ApprovalPending'), SETTLE, ISSUE])
    assert.equal(due(seenIn({ policy }), decision), []);
});

test('an annotation has each certificate revoked once, by the reason that it names first', () => {
  assert.equal(due(seenIn(revoking('09=keyCompromise,09=superseded,0A'))), ['0a unspecified', '09 keyCompromise']);
  const both = seenIn({ ...revoking('09=keyCompromise'), policy: { revokesSuperseded: true } });
  assert.equal(due(both, SETTLE, after(2 * HOUR)), ['09 keyCompromise']);
});

test('revoke-issued-before has what was issued before revoked, and waits for a moment in the future', () => {
  const at = (moment: Date) =>
    seenIn({ annotations: { [REVOKE_ISSUED_BEFORE_ANNOTATION]: `${toRfc3339(moment)}=affiliationChanged` } });
  assert.equal(due(at(after(-HOUR))), []);
  assert.equal(due(at(NOW)), ['09 affiliationChanged']);
  assert.equal(due(at(after(SECOND)), SETTLE, after(SECOND)), ['0a affiliationChanged', '09 affiliationChanged']);
  assert.equal(due(at(after(MINUTE))), []);
  assert.equal(wishesOf(at(after(MINUTE)), SETTLE, NOW).recheckAt, after(MINUTE));
});

test('what the ledger lists without the moment of its issue is taken for older', () => {
  const seen = seenIn({
    ledger: [{ serial: '0a' }, { serial: '08', issuedAt: after(9 * DAY) }],
    annotations: { [REVOKE_ISSUED_BEFORE_ANNOTATION]: toRfc3339(after(-DAY)) },
  });
  assert.equal(due(seen), ['08 unspecified']);
});

const FORGERIES: Record<string, Scene> = {
  'an entry without a seal': { ledger: [{ serial: '0a' }, { serial: 'dead', by: '' }] },
  'an entry that is sealed in another namespace': {
    secret: {
      memory: {
        ledger: nextLedger('', [{ serialNumber: 'dead', notAfter: after(DAY), sealedFor: CA }], NOW, {
          seal,
          namespace: 'victim',
        }),
      },
    },
  },
  'a certificate of a CA of the tenant in the Secret': {
    secret: { certificate: { serialNumber: 'dead', issuerFingerprint: 'of a tenant' } },
  },
  'a certificate without its key in the Secret': {
    secret: { certificate: { serialNumber: 'dead', keyEncoding: undefined } },
  },
};
for (const [sentence, scene] of Object.entries(FORGERIES))
  test(`a forged Secret has nothing of others revoked: ${sentence}`, () => {
    const policy = { revokesSuperseded: true, revokesDeleted: true, revokesViolations: true, delayMs: 0 };
    const forged = {
      ...scene,
      policy,
      annotations: { ...revoking('dead').annotations, [REVOKE_ISSUED_BEFORE_ANNOTATION]: toRfc3339(NOW) },
      metadata: { deletionTimestamp: toRfc3339(NOW) },
    };
    for (const decision of [SETTLE, refuse('DeniedByPolicy')])
      assert.not.ok(due(seenIn(forged), decision).some((each) => each.startsWith('dead')));
  });

test('a certificate of the own CA is not revoked at the authority that an annotation of the Secret names', () => {
  for (const memory of [{ issuedBy: SHARED }, { authority: SHARED }]) {
    const secret = { certificate: { serialNumber: 'dead' }, memory };
    const wishes = wishesOf(seenIn({ secret, ledger: [], ...revoking('dead') }), SETTLE, NOW).due;
    assert.equal(
      wishes.map(({ serialNumber, sealedFor }) => [serialNumber, sealedFor]),
      [['dead', CA]],
    );
  }
});

test('a Secret that is not its own has nothing revoked', () => {
  const owner = { certificateName: 'client', certificateUid: 'uid-of-another' };
  assert.equal(due(seenIn({ secret: { owner }, ...revoking('09,0a') })), []);
});

/** Whether the certificate that a workload uses is revoked, by the decision that was made. */
const HELD: Record<string, readonly [Decision, isRevoked: boolean]> = {
  'its successor is issued now': [ISSUE, false],
  'the Secret is written anew first': [{ do: 'repair', message: '' }, false],
  'the authority is away': [wait('AuthorityNotReady'), false],
  'the successor is kept until its CA is trusted': [wait('CertificateWithheld', after(HOUR)), false],
  'the last try failed and the next has its moment': [wait('InvalidAnswer', after(MINUTE)), false],
  'renewals come too often': [wait('TooManyChanges', after(MINUTE)), false],
  'a person must act first': [wait('NewCSRNeeded'), true],
  'an approval is missing': [wait('ApprovalPending'), true],
  'it may not have another': [refuse('DeniedByPolicy'), true],
  'it is suspended': [SETTLE, true],
};
for (const [sentence, [decision, isRevoked]] of Object.entries(HELD))
  test(`the certificate in use is ${isRevoked ? 'revoked at once' : 'kept until its successor is there'}: ${sentence}`, () => {
    assert.equal(due(seenIn(revoking('0a=superseded')), decision), isRevoked ? ['0a superseded'] : []);
    assert.equal(due(seenIn(revoking('09')), decision), ['09 unspecified'], 'the former one waits for nothing');
  });

test('with a compromised key it is revoked without a successor after three failures, and not before', () => {
  const failed = (attempts: number) => ({
    lastFailure: { time: toRfc3339(NOW), reason: 'InvalidAnswer', message: '', attempts },
  });
  const held = (reason: string, attempts: number) =>
    due(seenIn({ ...revoking(`0a=${reason}`), status: failed(attempts) }), ISSUE);
  assert.equal(held('keyCompromise', 2), []);
  assert.equal(held('keyCompromise', 3), ['0a keyCompromise']);
  assert.equal(held('superseded', 3), []);
});

test('without a key for the books only what the own CA proves is revoked', () => {
  const blind = sealWith(() => undefined);
  const seen = seenIn(revoking('0a,09')).with({ seal: blind });
  assert.equal(due(seen), ['0a unspecified']);
});

test.run();
