import { dirName } from '../write-extensions.ts';
import type { Dice } from './dice.ts';
import type { Feature } from './features.ts';
import { caOf, ofOneCa } from './one-ca.ts';
import type { NameConstraints } from './plan.ts';

export const POLICY = '1.3.6.1.4.1.99999.1';
export const OTHER_POLICY = '1.3.6.1.4.1.99999.2';
const ANY_POLICY = '2.5.29.32.0';

const EXTENDED_USAGES: readonly (readonly string[])[] = [
  ['client auth'],
  ['client auth'],
  ['client auth', 'server auth'],
  ['client auth', 'server auth'],
  ['client auth', 'server auth'],
  ['server auth'],
  ['any'],
  ['any', 'client auth'],
  ['code signing', 'client auth'],
  ['code signing'],
];

/** Subtrees that names of `leaf with …` lie in, and ones that none of them does. */
const SUBTREES: readonly (readonly [hit: string, miss: string])[] = [
  ['DNS:shop.svc', 'DNS:zoo.example'],
  ['DNS:svc', 'DNS:hop.svc'],
  ['DNS:SHOP.svc', 'DNS:.payments.shop.svc'],
  ['DNS:', 'DNS:zoo'],
  ['URI:td.example', 'URI:zoo.example'],
  ['URI:.td.example', 'URI:.zoo.example'],
  ['email:example.com', 'email:zoo.example'],
  ['email:ops@example.com', 'email:Ops@example.com'],
  ['email:.example.com', 'email:.zoo.example'],
  ['IP:10.0.0.0/255.0.0.0', 'IP:192.0.2.0/255.255.255.0'],
  ['IP:2001:db8::/ffff:ffff::', 'IP:2001:db9::/ffff:ffff::'],
  [dirName({ organizations: ['Shop'] }), dirName({ organizations: ['Zoo'] })],
  [dirName({ countries: ['DE'] }), dirName({ commonName: 'zoo' })],
  [dirName({ organizations: ['shop'] }), dirName({ countries: ['FR'] })],
  [`RID:${POLICY}`, `RID:${POLICY}`],
];

function nameConstraints(dice: Dice): NameConstraints {
  const subtree = () => {
    const [hit, miss] = dice.pick(SUBTREES);
    return { hit, miss };
  };
  const isKind = dice.next();
  const one = subtree();
  const critical = dice.chance(0.7);
  if (isKind < 0.35) return { permitted: [one.hit], critical };
  if (isKind < 0.5) return { permitted: [one.miss], critical };
  if (isKind < 0.75) return { excluded: [one.miss], critical };
  if (isKind < 0.85) return { excluded: [one.hit], critical };
  const other = subtree();
  return { permitted: [one.hit, one.miss, other.hit], excluded: [subtree().miss], critical };
}

/** What CAs demand of the certificates below them: usages, names, policies, path lengths. */
export const CONSTRAINT_FEATURES: readonly Feature[] = [
  ...['', ' again'].map((again) =>
    ofOneCa(`CA with extended key usages${again}`, 0.13, (ca, dice) => {
      ca.extendedUsages = dice.pick(EXTENDED_USAGES);
    }),
  ),
  ...['', ' again'].map((again) =>
    ofOneCa(`name constraints${again}`, 0.13, (ca, dice) => {
      ca.nameConstraints = nameConstraints(dice);
    }),
  ),
  {
    name: 'path length',
    chance: 0.25,
    apply(plan, dice) {
      const ca = caOf(plan, dice);
      const below = plan.signer - ca.subject;
      ca.pathLength = dice.chance(0.75) ? below + dice.below(2) : dice.below(3);
    },
  },
  {
    name: 'policies of all CAs',
    chance: 0.12,
    apply(plan, dice) {
      const policies = dice.pick([[POLICY], [POLICY, OTHER_POLICY], [ANY_POLICY], [ANY_POLICY, POLICY]]);
      for (const ca of plan.certificates) ca.policies = policies;
    },
  },
  ofOneCa('policies of one CA', 0.08, (ca, dice) => {
    ca.policies = dice.pick([[POLICY], [OTHER_POLICY], [ANY_POLICY], [POLICY, OTHER_POLICY]]);
  }),
  ofOneCa('explicit policy required', 0.06, (ca, dice) => {
    ca.requireExplicitPolicy = dice.pick([0, 0, 1, 2, 5]);
  }),
  ofOneCa('policy mappings', 0.05, (ca, dice) => {
    ca.policyMappings = [dice.pick([[POLICY, OTHER_POLICY] as const, [OTHER_POLICY, POLICY] as const])];
    if (dice.chance(0.5)) ca.policies = [POLICY, OTHER_POLICY];
  }),
  ofOneCa('policy mapping inhibited', 0.03, (ca, dice) => {
    ca.inhibitPolicyMapping = dice.below(3);
  }),
  ofOneCa('any policy inhibited', 0.05, (ca, dice) => {
    ca.inhibitAnyPolicy = dice.below(3);
  }),
];
