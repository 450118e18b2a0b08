import type { Subject } from '../../../src/api/generated/types.ts';
import type { CertificateView } from '../../../src/pki/certificate.ts';
import type { KeySpec } from '../../../src/pki/keys.ts';
import { describe } from '../../pki/make.ts';
import { type Authority, KEYS, type LeafWish, ownRoot, secretAuthorities } from './authorities.ts';
import { IDENTITIES } from './identities.ts';
import { usagesFor } from './usages.ts';

/** A certificate that Certwheel has made. */
export interface Made {
  readonly name: string;
  readonly certificate: CertificateView;
  /** Undefined for a root. */
  readonly issuer: CertificateView | undefined;
}

const USUAL: LeafWish = {
  commonName: 'payments',
  subject: { organizations: ['Example'] },
  dnsNames: ['payments.shop.example.com'],
  uris: ['spiffe://example.com/ns/shop/sa/payments'],
};

async function leafBelow(authority: Authority, key: KeySpec, name: string, wish: LeafWish): Promise<Made> {
  return {
    name: `${describe(key)} leaf below ${authority.name}: ${name}`,
    certificate: await authority.issue({ ...wish, privateKey: key }),
    issuer: authority.pair.certificate,
  };
}

function rootOf({ name, pair }: Authority): Made {
  return { name, certificate: pair.certificate, issuer: undefined };
}

/** Roots of Certwheel with each kind of key, as first and as second generation. */
export async function ownRoots(now: Date): Promise<readonly Authority[]> {
  const wishes = KEYS.flatMap((keySpec) => [1, 2].map((version) => ({ keySpec, version })));
  return Promise.all(wishes.map((wish) => ownRoot(`our ${describe(wish.keySpec)} root v${wish.version}`, now, wish)));
}

const ROOT_SUBJECTS: readonly Subject[] = [
  { organizations: ['Example'], countries: ['DE'] },
  { organizations: ['Öxample', 'two'], organizationalUnits: ['PKI'], localities: ['Köln'], provinces: ['NRW'] },
  { streetAddresses: ['1 Main Street'], postalCodes: ['12345'], serialNumber: '42' },
];

/** Roots of Certwheel with other names and lives. */
async function otherRoots(now: Date): Promise<readonly Authority[]> {
  const named = ROOT_SUBJECTS.map((subject, at) => ownRoot(`our root with subject ${at}`, now, { subject }));
  const lives = ['3h', '2160h', '262800h', '876000h'].map((duration) =>
    ownRoot(`our root of ${duration}`, now, { duration }),
  );
  const longest = ownRoot('our root with the longest name', now, { commonName: 'ü'.repeat(56), version: 999_999 });
  return Promise.all([...named, ...lives, longest]);
}

const LIVES = ['1m', '1h', '24h', '2160h', '8760h', '87600h', '201480h', '210240h', '876000h'];
const MOMENTS = ['2026-06-01T12:00:00Z', '2049-12-31T23:59:30Z', '2050-01-01T00:00:00Z', '2051-07-01T00:00:00Z'];

/** Leaves of many lives, some of which end or begin after 2049, where GeneralizedTime replaces UTCTime. */
async function leavesOfLives(): Promise<readonly Made[]> {
  const made = MOMENTS.map(async (moment) => {
    const authority = await ownRoot(`our root of ${moment}`, new Date(moment), { duration: '876000h' });
    const leaves = LIVES.map((duration) =>
      leafBelow(authority, { algorithm: 'ECDSA', size: 256 }, `duration ${duration}`, { ...USUAL, duration }),
    );
    return [rootOf(authority), ...(await Promise.all(leaves))];
  });
  return (await Promise.all(made)).flat();
}

/** At least 500 certificates: each kind of key, each field, each usage and each authority in many combinations. */
export async function makeGrid(now: Date): Promise<readonly Made[]> {
  const [roots, others, secrets] = [await ownRoots(now), await otherRoots(now), await secretAuthorities(now)];
  const authorities = [...roots, ...others, ...secrets];
  const everyKey = authorities.flatMap((authority) => KEYS.map((key) => leafBelow(authority, key, 'as usual', USUAL)));
  const everyIdentity = IDENTITIES.flatMap(({ name, spec }, at) =>
    [0, 3].map((step) => leafBelow(pick(authorities, at + step), pick(KEYS, at + step), name, spec)),
  );
  const everyUsage = KEYS.flatMap((key, of) =>
    usagesFor(key).map((usages, at) =>
      leafBelow(pick(authorities, of + at), key, `usages ${usages.join(', ')}`, { ...USUAL, usages }),
    ),
  );
  const leaves = await Promise.all([...everyKey, ...everyIdentity, ...everyUsage]);
  return [...[...roots, ...others].map(rootOf), ...leaves, ...(await leavesOfLives())];
}

/** Goes round the list. */
function pick<T>(list: readonly T[], at: number): T {
  return list[at % list.length] as T;
}
