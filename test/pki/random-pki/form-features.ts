import type { Feature } from './features.ts';
import { ofOneCa } from './one-ca.ts';

/** How certificates are written: key ids, flags, names, dates, signatures. */
export const FORM_FEATURES: readonly Feature[] = [
  ofOneCa('authority key id', 0.25, (ca, dice) => {
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
  }),
  ofOneCa('no subject key id', 0.12, (ca) => {
    ca.subjectKeyId = false;
  }),
  ofOneCa('key usage', 0.12, (ca, dice) => {
    ca.keyUsage = dice.pick(['absent', 'absent', 'not critical', 'not critical', 'without cert sign']);
  }),
  ofOneCa('basic constraints', 0.1, (ca, dice) => {
    ca.basicConstraints = dice.pick(['not critical', 'not critical', 'absent', 'not a CA']);
  }),
  ofOneCa('critical extension', 0.04, (ca, dice) => {
    ca.criticalExtension = dice.pick(['unknown', 'CRL distribution points']);
  }),
  ofOneCa('SHA-1', 0.03, (ca) => {
    ca.sha1 = true;
  }),
  ofOneCa('expired', 0.04, (ca, dice) => {
    ca.notAfterHours = -dice.pick([1, 100]);
  }),
  ofOneCa('not yet valid', 0.03, (ca) => {
    ca.notBeforeHours = 5;
  }),
  ofOneCa('ends soon', 0.08, (ca, dice) => {
    ca.notAfterHours = dice.pick([2, 30]);
  }),
  ofOneCa('issuer spelled otherwise', 0.05, (ca, dice) => {
    ca.issuerSpelling = dice.pick(['printable', 'upper case']);
  }),
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
