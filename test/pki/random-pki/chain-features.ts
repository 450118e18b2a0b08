import type { KeySpec } from '../../../src/pki/keys.ts';
import type { Names } from '../../../src/pki/san.ts';
import type { Feature } from './features.ts';
import { type Identity, newCertificate, newEntity, type Plan } from './plan.ts';

interface Amendment extends Partial<Pick<Identity, 'subject' | 'usages'>> {
  readonly names?: Partial<Names>;
}

function amend(plan: Plan, { subject, names, usages }: Amendment): void {
  plan.identity = {
    subject: { ...plan.identity.subject, ...subject },
    names: { ...plan.identity.names, ...names },
    usages: usages ?? plan.identity.usages,
  };
}

// A root with a new CA below it: until features move certificates, ca.crt holds the root and tls.crt what is below.
function deepen(plan: Plan): void {
  const signer = plan.entities.push(newEntity(`Intermediate ${plan.entities.length}`)) - 1;
  plan.certificates.push(newCertificate(signer, plan.signer));
  plan.tlsCrt = [signer, ...plan.tlsCrt.filter((index) => index !== 0)];
  plan.signer = signer;
}

const KEYS: readonly KeySpec[] = [
  { algorithm: 'ECDSA', size: 384 },
  { algorithm: 'Ed25519' },
  { algorithm: 'RSA', size: 2048 },
];

/** How deep the chain is, which keys are in it, and what the leaf is asked to say. */
export const CHAIN_FEATURES: readonly Feature[] = [
  ...[0.85, 0.6, 0.35, 0.15].map((chance, index) => ({ name: `depth ${index + 1}`, chance, apply: deepen })),
  {
    name: 'other key',
    chance: 0.25,
    apply(plan, dice) {
      const entity = dice.pick(plan.entities);
      entity.keySpec = dice.pick(KEYS);
    },
  },
  {
    name: 'RSA root',
    chance: 0.1,
    apply(plan) {
      const [root] = plan.entities;
      if (root !== undefined) root.keySpec = { algorithm: 'RSA', size: 2048 };
    },
  },
  {
    name: 'leaf in 2051',
    chance: 0.02,
    // From 2050 on a certificate has GeneralizedTime.
    apply: (plan) => {
      plan.at = new Date('2051-03-01T00:00:00Z');
    },
  },
  { name: 'leaf with O', chance: 0.25, apply: (plan) => amend(plan, { subject: { organizations: ['Shop'] } }) },
  { name: 'leaf with C', chance: 0.1, apply: (plan) => amend(plan, { subject: { countries: ['DE'] } }) },
  {
    name: 'leaf with a host name as CN',
    chance: 0.15,
    apply: (plan) => amend(plan, { subject: { commonName: 'payments.shop.svc' } }),
  },
  {
    name: 'leaf with a DNS name',
    chance: 0.35,
    apply: (plan, dice) =>
      amend(plan, {
        names: {
          dnsNames: [dice.pick(['payments.shop.svc', '*.shop.svc', 'Payments.Shop.svc'])],
        },
      }),
  },
  {
    name: 'leaf with a URI',
    chance: 0.3,
    apply: (plan, dice) =>
      amend(plan, {
        names: {
          uris: [dice.pick(['spiffe://td.example/ns/shop', 'https://api.td.example:8443/x', 'urn:shop:client'])],
        },
      }),
  },
  {
    name: 'leaf with an email address',
    chance: 0.15,
    apply: (plan, dice) =>
      amend(plan, {
        names: { emailAddresses: [dice.pick(['ops@example.com', 'ops@mail.Example.com'])] },
      }),
  },
  {
    name: 'leaf with an IP address',
    chance: 0.15,
    apply: (plan, dice) => amend(plan, { names: { ipAddresses: [dice.pick(['10.1.2.3', '2001:db8::7'])] } }),
  },
  {
    name: 'leaf for servers too',
    chance: 0.15,
    apply: (plan) => amend(plan, { usages: ['digital signature', 'client auth', 'server auth'] }),
  },
  {
    name: 'leaf without a subject',
    chance: 0.03,
    apply(plan) {
      const names = { ...plan.identity.names, dnsNames: ['payments.shop.svc'] };
      plan.identity = { ...plan.identity, subject: {}, names };
    },
  },
];
