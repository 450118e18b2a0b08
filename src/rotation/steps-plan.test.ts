/** Where a CA pair comes from, and what a plan is made from. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { below, type CaContent, makePath, named } from '../../test/pki/constrained.ts';
import { NOW, pairOf, root } from '../../test/pki/make.ts';
import { aGeneration } from '../../test/unit/a-generation.ts';
import { another, KEY, stored } from '../../test/unit/authority-world.ts';
import { aCertificate, after, aSecret, DAY, HOUR, RUN } from '../../test/unit/builders.ts';
import { refusal } from '../../test/unit/certificate-world.ts';
import { opened } from '../../test/unit/planned-rotation.ts';
import { rotationScene, stepText, v1, v2 } from '../../test/unit/rotation-scene.ts';
import { thrownBy } from '../../test/unit/thrown-by.ts';
import { AuthorityError, classify, type ErrorCode, RetryableError } from '../errors.ts';
import { bundleOf } from '../pki/bundle.ts';
import { type CaPair, caPath } from '../pki/ca.ts';
import type { Generation } from './generation.ts';
import { planOf } from './plan-of.ts';
import type { Member } from './plan-types.ts';
import { readSource } from './source.ts';

test('the newest pair of this kind of authority is what the next is made after', async () => {
  const foreign = aGeneration(5, 'Active', stored, { source: 'vault' });
  const { runtime, asked, deps } = rotationScene([v1, { ...v2, source: '' }, foreign]);
  const source = await readSource(runtime, 6, deps, RUN);
  assert.equal(asked, [[another, 6]]);
  assert.equal(source, { pair: stored, version: 6, trouble: undefined });
});

test('a machine that decides by itself which CA signs is asked for no pair: each anchor that it states becomes a generation', async () => {
  const { runtime, asked, deps } = rotationScene([v1], false);
  assert.equal(await readSource(runtime, 2, deps, RUN), { pair: undefined, version: 2, trouble: undefined });
  runtime.trusted = { anchors: [stored.anchor, another.anchor], intermediates: [] };
  assert.is((await readSource(runtime, 2, deps, RUN)).pair?.anchor, stored.anchor);
  runtime.generations = [aGeneration(1, 'Active', caPath([stored.anchor]), { source: 'stepCA' })];
  assert.is((await readSource(runtime, 2, deps, RUN)).pair?.anchor, another.anchor);
  assert.equal(asked, []);
});

test('what it fails with is a trouble, unless it says nothing of the authority', async () => {
  const errors: readonly (readonly [Error, ErrorCode, isThrown: boolean])[] = [
    [new AuthorityError('CASecretNotFound', 'x'), 'CASecretNotFound', false],
    [new RetryableError('CAPairRefused', 'x'), 'CAPairRefused', false],
    [refusal(403), 'Forbidden', false],
    [refusal(422), 'SecretRefused', false],
    [new TypeError('x'), 'Unexpected', false],
    [refusal(409), 'Conflict', true],
    [refusal(429), 'TooManyRequests', true],
    [refusal(500), 'ApiServerUnavailable', true],
    [refusal(0), 'ApiServerUnavailable', true],
  ];
  for (const [error, code, isThrown] of errors) {
    const { world, runtime, deps } = rotationScene([v1]);
    world.journal.refuse('read source', error);
    const result = readSource(runtime, 2, deps, RUN);
    if (isThrown) assert.is(classify(await thrownBy(result)).code, code);
    else {
      const { pair, version, trouble } = await result;
      assert.equal([pair, version, trouble?.code], [undefined, 2, code]);
    }
    world.told.assertNoKey();
  }
});

test('a pair that verifiers would mistake for one in use is refused', async () => {
  const [one, other] = [pairOf(await root({ commonName: 'Same' })), pairOf(await root({ commonName: 'Same' }))];
  // Where no key id tells two of the same name apart, OpenSSL takes the first.
  const inUse = { ...one, anchor: { ...one.anchor, subjectKeyId: undefined } };
  const { world, runtime, deps } = rotationScene([aGeneration(1, 'Active', inUse)]);
  world.wanted = other;
  const { pair, version, trouble } = await readSource(runtime, 2, deps, RUN);
  assert.equal([pair, version, trouble?.code], [undefined, 2, 'CAPairRefused']);
  assert.match(trouble?.message ?? '', 'generation 1');
});

test('a root that was renewed and forbids what a client holds is refused', async () => {
  const rootOf = (content: CaContent) => makePath(named({}), content)[1] as CaPair['anchor'];
  const pairWith = (anchor: CaPair['anchor'], id: string) => ({
    ...stored,
    id,
    certificate: anchor,
    chain: [anchor],
    anchor,
  });
  const before = rootOf({ subject: { commonName: 'Zoo' } });
  const { world, runtime, deps } = rotationScene([aGeneration(1, 'Active', pairWith(before, 'before'))]);
  world.wanted = pairWith(rootOf(below({ permitted: ['DNS:good.example'] })), 'renewed');
  const resource = aCertificate({ dnsNames: ['client.bad.example'] }).build();
  const secret = aSecret(resource, { certificate: { issuerFingerprint: before.fingerprintSHA256 } });
  const serving = { ...deps, consumers: () => [{ resource, secret }] };
  const { pair, trouble } = await readSource(runtime, 2, serving, RUN);
  assert.equal([pair, trouble?.code], [undefined, 'CAPairRefused']);
  assert.match(trouble?.message ?? '', 'client.bad.example');
});

test('the certificates that it serves are asked for only where a root was renewed', async () => {
  const { runtime, deps } = rotationScene([v1]);
  const served = { ...deps, consumers: () => Promise.reject(new Error('nobody needs them')) as never };
  assert.is((await readSource(runtime, 2, served, RUN)).trouble, undefined);
});

const member = (issuer: CaPair, trust: readonly CaPair[]): Member => ({
  key: 'ns/client',
  namespace: 'ns',
  issuerFingerprint: issuer.certificate.fingerprintSHA256,
  anchorFingerprints: trust.map(({ anchor }) => anchor.fingerprintSHA256),
  trustBundleHash: bundleOf(trust.map(({ anchor }) => anchor)).hash,
  notAfter: after(DAY),
});

interface Planned {
  readonly generations: readonly Generation[];
  readonly pair?: CaPair | undefined;
  readonly isOwn?: boolean;
  readonly members?: readonly Member[];
  readonly step: string;
  /** Whether the certificates of the authority were asked for, of which there may be many. */
  readonly asksMembers: boolean;
}

const PLANS: Readonly<Record<string, Planned>> = {
  'nothing yet': { generations: [], pair: stored, step: 'create Active', asksMembers: false },
  'all is well': { generations: [v1], pair: stored, step: 'settle', asksMembers: false },
  'another pair': { generations: [v1], pair: another, step: 'create Pending', asksMembers: false },
  'no pair to be read': { generations: [v1], step: 'settle', asksMembers: false },
  'a rotation without a member that blocks it': {
    generations: [v1, v2],
    pair: another,
    step: 'move 2 Trusted',
    asksMembers: true,
  },
  'a rotation that one holds up whose ca.crt is behind': {
    generations: [v1, v2],
    pair: another,
    members: [member(stored, [stored])],
    step: 'settle',
    asksMembers: true,
  },
  'a rotation that is blocked by a member whose bundle has just been written': {
    generations: [v1, v2],
    pair: another,
    members: [member(stored, [stored, another])],
    step: 'note 2',
    asksMembers: true,
  },
  'a rotation that one has held up for a day': {
    generations: [v1, { ...v2, since: after(-25 * HOUR) }],
    pair: another,
    members: [member(stored, [stored, another])],
    step: 'note 2',
    asksMembers: true,
  },
  'two that sign, as a crash leaves them': {
    generations: [v1, { ...v2, state: 'Active', since: NOW }],
    pair: another,
    step: 'move 1 Retiring',
    asksMembers: true,
  },
  'a generation that is on its way out alone': {
    generations: [{ ...v1, state: 'Retiring' }],
    pair: stored,
    step: 'move 1 Active',
    asksMembers: true,
  },
  'another machine that holds the key by now': {
    generations: [v1],
    isOwn: false,
    step: 'move 1 Retiring',
    asksMembers: true,
  },
};

for (const [what, { generations, pair, isOwn = true, members = [], step, asksMembers }] of Object.entries(PLANS))
  test(`${what}: ${step}`, () => {
    const { runtime, deps } = rotationScene(generations, isOwn);
    const askedOf: string[] = [];
    const asked = {
      ...deps,
      members: (key: string) => {
        askedOf.push(key);
        return members;
      },
    };
    const plan = planOf(runtime.resource, runtime, pair, asked);
    assert.is(stepText(plan.step), step);
    assert.equal(askedOf, asksMembers ? [KEY] : []);
  });

test('after a day one that cannot be written holds up a new CA no longer, and is named', () => {
  const since = after(-25 * HOUR);
  const { runtime, deps } = rotationScene([v1, { ...v2, since, preparedAt: since }]);
  const members = [member(stored, [stored])];
  const waited = opened(runtime.generations, new Map([['move 2', after(-HOUR)]]));
  const plan = planOf(runtime.resource, { ...runtime, generations: waited }, another, {
    ...deps,
    members: () => members,
  });
  assert.equal([stepText(plan.step), plan.leftBehind], ['move 2 Trusted', ['ns/client']]);
});

test.run();
