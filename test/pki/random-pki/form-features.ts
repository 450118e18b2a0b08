import { caOf } from './constraint-features.ts';
import type { Feature } from './features.ts';

/** How certificates are written: key ids, flags, names, dates, signatures. */
export const FORM_FEATURES: readonly Feature[] = [
  {
    name: 'authority key id',
    chance: 0.25,
    apply(plan, dice) {
      const ca = caOf(plan, dice);
      const forms = [
        'absent',
        'absent',
        'keyid',
        'keyid, issuer and serial',
        'keyid, issuer and serial',
        'issuer and serial',
        'wrong keyid',
        'wrong serial',
      ] as const;
      ca.authorityKeyId = dice.pick(forms);
    },
  },
  {
    name: 'no subject key id',
    chance: 0.12,
    apply: (plan, dice) => {
      caOf(plan, dice).subjectKeyId = false;
    },
  },
  {
    name: 'key usage',
    chance: 0.12,
    apply: (plan, dice) => {
      caOf(plan, dice).keyUsage = dice.pick(['absent', 'absent', 'not critical', 'not critical', 'without cert sign']);
    },
  },
  {
    name: 'basic constraints',
    chance: 0.1,
    apply: (plan, dice) => {
      caOf(plan, dice).basicConstraints = dice.pick(['not critical', 'not critical', 'absent', 'not a CA']);
    },
  },
  {
    name: 'critical extension',
    chance: 0.04,
    apply: (plan, dice) => {
      caOf(plan, dice).criticalExtension = dice.pick(['unknown', 'CRL distribution points']);
    },
  },
  {
    name: 'SHA-1',
    chance: 0.03,
    apply: (plan, dice) => {
      caOf(plan, dice).sha1 = true;
    },
  },
  {
    name: 'expired',
    chance: 0.04,
    apply: (plan, dice) => {
      caOf(plan, dice).notAfterHours = -dice.pick([1, 100]);
    },
  },
  {
    name: 'not yet valid',
    chance: 0.03,
    apply: (plan, dice) => {
      caOf(plan, dice).notBeforeHours = 5;
    },
  },
  {
    name: 'ends soon',
    chance: 0.08,
    apply: (plan, dice) => {
      caOf(plan, dice).notAfterHours = dice.pick([2, 30]);
    },
  },
  {
    name: 'issuer spelled otherwise',
    chance: 0.05,
    apply: (plan, dice) => {
      caOf(plan, dice).issuerSpelling = dice.pick(['printable', 'upper case']);
    },
  },
  {
    name: 'CA with the name of the root',
    chance: 0.04,
    apply(plan, dice) {
      const [root] = plan.entities;
      const entity = dice.pick(plan.entities.slice(0, plan.signer + 1));
      if (root !== undefined) entity.commonName = root.commonName;
    },
  },
];
