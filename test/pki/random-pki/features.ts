import { BUNDLE_FEATURES } from './bundle-features.ts';
import { CHAIN_FEATURES } from './chain-features.ts';
import { CONSTRAINT_FEATURES } from './constraint-features.ts';
import { type Dice, diceOf } from './dice.ts';
import { FORM_FEATURES } from './form-features.ts';
import { basePlan, type Plan } from './plan.ts';

/** One way in which a PKI differs from the plainest one. */
export interface Feature {
  /** Unique. */
  readonly name: string;
  /** Of being in a PKI. */
  readonly chance: number;
  /** Changes the plan in place; has to cope with whatever the features before it made. */
  readonly apply: (plan: Plan, dice: Dice) => void;
}

/** In the order in which they apply: what a feature refers to has to be there. */
const FEATURES: readonly Feature[] = [...CHAIN_FEATURES, ...CONSTRAINT_FEATURES, ...FORM_FEATURES, ...BUNDLE_FEATURES];
const byName = new Map(FEATURES.map((feature) => [feature.name, feature]));

/** The names of the features that a seed has, in the order in which they apply. */
export function drawFeatures(seed: number): string[] {
  const dice = diceOf(seed);
  return FEATURES.filter(({ chance }) => dice.chance(chance)).map(({ name }) => name);
}

/**
 * The plan that the features make of the plainest one. Each has dice of its own, so that it decides the same when others
 * are dropped. Throws an Error for an unknown name.
 */
export function planOf(seed: number, features: readonly string[]): Plan {
  const plan = basePlan();
  for (const name of features) {
    const feature = byName.get(name);
    if (feature === undefined) throw new Error(`there is no feature ${JSON.stringify(name)}`);
    feature.apply(plan, diceOf(Math.imul(seed, 0x9e3779b1) + FEATURES.indexOf(feature)));
  }
  return plan;
}
