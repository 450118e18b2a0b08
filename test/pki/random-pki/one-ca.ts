import type { Dice } from './dice.ts';
import type { Feature } from './features.ts';
import type { CertificatePlan, Plan } from './plan.ts';

/** One of the chain, any of them as likely. */
export function caOf(plan: Plan, dice: Dice): CertificatePlan {
  return dice.pick(plan.certificates.slice(0, plan.signer + 1));
}

/** A feature of one CA of the chain. */
export function ofOneCa(name: string, chance: number, change: (ca: CertificatePlan, dice: Dice) => void): Feature {
  return { name, chance, apply: (plan, dice) => change(caOf(plan, dice), dice) };
}
