import type { Dice } from './dice.ts';
import type { Feature } from './features.ts';
import { caOf } from './one-ca.ts';
import { type CertificatePlan, newCertificate, newEntity, type Plan } from './plan.ts';

/** Adds a certificate to the files that hold `beside`, before or behind it. */
function add(plan: Plan, certificate: CertificatePlan, beside: number, dice: Dice): void {
  const index = plan.certificates.push(certificate) - 1;
  const behind = dice.below(2);
  const insert = (file: number[]) =>
    file.flatMap((each) => (each !== beside ? [each] : behind ? [each, index] : [index, each]));
  plan.tlsCrt = insert(plan.tlsCrt);
  plan.caCrt = insert(plan.caCrt);
}

function addRoot(plan: Plan, commonName: string): number {
  const entity = plan.entities.push(newEntity(commonName)) - 1;
  return plan.certificates.push(newCertificate(entity, entity)) - 1;
}

function chainIndex(plan: Plan, dice: Dice): number {
  return dice.below(plan.signer + 1);
}

const VALIDITIES = [
  { notBeforeHours: -2000, notAfterHours: -10 },
  { notBeforeHours: -2000, notAfterHours: 20 },
  { notBeforeHours: -1, notAfterHours: 90_000 },
  { notBeforeHours: 10, notAfterHours: 90_000 },
] as const;

/** More certificates than one chain, and the ways in which people spread and order them. */
export const BUNDLE_FEATURES: readonly Feature[] = [
  {
    name: 'cross-signed',
    chance: 0.15,
    apply(plan, dice) {
      const index = chainIndex(plan, dice);
      const root = addRoot(plan, 'Cross Root');
      const issuer = plan.entities.length - 1;
      add(plan, newCertificate(index, issuer), index, dice);
      const place = dice.next();
      if (place < 0.6) plan.caCrt.push(root);
      else if (place < 0.8) plan.tlsCrt.push(root);
    },
  },
  ...['', ' again'].map((again) => ({
    name: `renewed with its key${again}`,
    chance: 0.12,
    apply(plan: Plan, dice: Dice) {
      const index = chainIndex(plan, dice);
      const original = plan.certificates[index];
      if (original !== undefined) add(plan, { ...original, ...dice.pick(VALIDITIES) }, index, dice);
    },
  })),
  {
    name: 'renewed in another form',
    chance: 0.05,
    apply(plan, dice) {
      const index = chainIndex(plan, dice);
      const { subject, issuer } = plan.certificates[index] ?? { subject: 0, issuer: 0 };
      add(plan, { ...newCertificate(subject, issuer), ...dice.pick(VALIDITIES) }, index, dice);
    },
  },
  {
    name: 'renewed under another spelling',
    chance: 0.04,
    apply(plan, dice) {
      const index = chainIndex(plan, dice);
      const original = plan.certificates[index];
      if (original === undefined) return;
      const spelling = dice.pick(['printable', 'upper case'] as const);
      const issuerSpelling = original.subject === original.issuer ? spelling : original.issuerSpelling;
      add(plan, { ...original, ...dice.pick(VALIDITIES), subjectSpelling: spelling, issuerSpelling }, index, dice);
    },
  },
  {
    name: 're-keyed',
    chance: 0.06,
    apply(plan, dice) {
      const index = chainIndex(plan, dice);
      const original = plan.certificates[index];
      const entity = original && plan.entities[original.subject];
      if (original === undefined || entity === undefined) return;
      const other = plan.entities.push({ ...entity }) - 1;
      const issuer = original.issuer === original.subject ? other : original.issuer;
      add(plan, { ...original, subject: other, issuer }, index, dice);
    },
  },
  {
    name: 'unrelated root',
    chance: 0.1,
    apply(plan, dice) {
      const root = addRoot(plan, 'Unrelated Root');
      (dice.chance(0.7) ? plan.caCrt : plan.tlsCrt).push(root);
    },
  },
  {
    name: 'a bundle of thirty roots',
    chance: 0.02,
    apply(plan, dice) {
      const roots = Array.from({ length: 30 }, (_, index) => addRoot(plan, `Public Root ${index}`));
      plan.caCrt = dice.chance(0.5) ? [...roots, ...plan.caCrt] : [...plan.caCrt, ...roots];
    },
  },
  {
    name: 'renewed many times',
    chance: 0.02,
    apply(plan, dice) {
      const index = chainIndex(plan, dice);
      const original = plan.certificates[index];
      if (original === undefined) return;
      for (let year = 1; year <= 8; year += 1) {
        const notAfterHours = original.notAfterHours - year * 8760;
        add(plan, { ...original, notBeforeHours: original.notBeforeHours - year * 8760, notAfterHours }, index, dice);
      }
    },
  },
  {
    name: 'leaf in the bundle',
    chance: 0.04,
    apply(plan, dice) {
      const entity = plan.entities.push(newEntity('some leaf')) - 1;
      const leaf = newCertificate(entity, plan.signer);
      leaf.basicConstraints = 'not a CA';
      leaf.keyUsage = 'of a leaf';
      leaf.extendedUsages = ['client auth'];
      const index = plan.certificates.push(leaf) - 1;
      plan.tlsCrt = dice.chance(0.7) ? [index, ...plan.tlsCrt] : [...plan.tlsCrt, index];
    },
  },
  {
    name: 'root in tls.crt too',
    chance: 0.2,
    apply: (plan) => {
      plan.tlsCrt = union(plan.tlsCrt, [0]);
    },
  },
  {
    name: 'everything in tls.crt',
    chance: 0.08,
    apply(plan) {
      plan.tlsCrt = union(plan.tlsCrt, plan.caCrt);
      plan.caCrt = [];
    },
  },
  {
    name: 'everything in ca.crt too',
    chance: 0.06,
    apply: (plan) => {
      plan.caCrt = union(plan.tlsCrt, plan.caCrt);
    },
  },
  {
    name: 'a certificate of tls.crt in ca.crt',
    chance: 0.08,
    apply(plan, dice) {
      if (plan.tlsCrt.length < 2) return;
      const moved = dice.pick(plan.tlsCrt);
      plan.tlsCrt = plan.tlsCrt.filter((index) => index !== moved);
      plan.caCrt = union(plan.caCrt, [moved]);
    },
  },
  {
    name: 'a missing certificate',
    chance: 0.06,
    apply(plan, dice) {
      const missing = dice.chance(0.6) ? 0 : caOf(plan, dice).subject;
      plan.tlsCrt = plan.tlsCrt.filter((index) => index !== missing);
      plan.caCrt = plan.caCrt.filter((index) => index !== missing);
    },
  },
  {
    name: 'duplicate',
    chance: 0.1,
    apply(plan, dice) {
      const file = dice.chance(0.5) && plan.caCrt.length > 0 ? plan.caCrt : plan.tlsCrt;
      if (file.length > 0) file.push(dice.pick(file));
    },
  },
  {
    name: 'tls.crt shuffled',
    chance: 0.15,
    apply: (plan, dice) => {
      plan.tlsCrt = dice.shuffled(plan.tlsCrt);
    },
  },
  {
    name: 'ca.crt shuffled',
    chance: 0.15,
    apply: (plan, dice) => {
      plan.caCrt = dice.shuffled(plan.caCrt);
    },
  },
];

function union(one: readonly number[], other: readonly number[]): number[] {
  return [...new Set([...one, ...other])];
}
