import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate, after, anAuthority, anObserved, HOUR, NOW } from '../../../test/unit/builders.ts';
import { aClientsOwn } from '../../../test/unit/client-requests.ts';
import { rulesOf } from '../../../test/unit/rules-of.ts';
import { type Approval, type Permission, permissionOf } from '../../policy/permission.ts';
import { Rule } from '../../policy/rule.ts';
import { decide } from '../decision/decide.ts';
import type { Observed } from '../observed.ts';
import type { NextKey } from './next-key.ts';
import { isOver } from './tidy.ts';

const seen = anObserved().build();
const [terms] = rulesOf([{ name: 'clients', commonNames: ['*'], approval: 'Required' }]) as never[];
const rule = new Rule(terms as never);

const waiting = (approval: Approval): Partial<Observed> => ({ permission: { is: 'allowed', rule, approval } });
const permission = (value: Permission): Partial<Observed> => ({ permission: value });

/** What the authority is known not to permit now. */
const REFUSED: Readonly<Record<string, Partial<Observed>>> = {
  'no rule fits': permission(permissionOf([], seen.resource, {})),
  'no rule allows its organizations': permission({ is: 'noOrganizations' }),
  'others have the places': permission({ is: 'full', rule, most: 1 }),
  'there is no approval': waiting('missing'),
  'approvals can not be trusted': waiting('notEnforced'),
  'a denial may be among those left out': waiting('leftOut'),
  'its namespace is not served': { authority: 'NamespaceNotAllowed' },
  'a limit is exceeded': { authority: anAuthority({ limits: { maxDurationMs: 60_000 } }) },
};

/** What may be permitted, for all that is known. */
const UNKNOWN: Readonly<Record<string, Partial<Observed>>> = {
  'labels of the namespace are not known yet': { authority: 'NamespaceNotSeen' },
  'labels that a rule goes by are not known yet': permission({ is: 'pending' }),
  'the authority has not been reconciled': { authority: 'AuthorityNotSeen' },
  'the authority can not be used': { authority: 'AuthorityNotReady' },
};

for (const [cases, over] of [
  [REFUSED, true],
  [UNKNOWN, false],
] as const)
  for (const [sentence, readings] of Object.entries(cases))
    test(`where ${sentence}, a request under way is ${over ? 'withdrawn' : 'kept'}`, () => {
      const found = seen.with(readings);
      assert.is(isOver(found, decide(found, NOW)), over);
    });

test('over a key that the client has withdrawn nobody signs any more; over the present one the request goes on', () => {
  const due = after(20 * HOUR);
  const waits = anObserved(aClientsOwn()).withSecret().build();
  for (const [wanted, over] of [
    ['another', true],
    [waits.wanted, false],
  ] as const) {
    const found = waits.with({ next: { wanted } as NextKey });
    const decision = decide(found, due);
    assert.is('code' in decision && decision.code, 'NewCSRNeeded');
    assert.is(isOver(found, decision), over);
  }
});

test('a request under way is kept while its resource is suspended', () => {
  const suspended = anObserved(aCertificate().suspended()).build();
  assert.is(isOver(suspended, decide(suspended, NOW)), false);
});

test.run();
