/** A Secret with a certificate of one CA, and a machine that decides by itself to sign with another one. */
import type { Capabilities, Issued } from '../../src/backends/backend.ts';
import type { AuthorityView } from '../../src/certificate/authority-view.ts';
import { bundleOf } from '../../src/pki/bundle.ts';
import { root } from '../pki/make.ts';
import { aCertificate, after, DAY, HOUR, MINUTE, RUN } from './builders.ts';
import { CertificateWorld, KEY } from './certificate-world.ts';
import { ca } from './journaled-authority.ts';
import { anOwnAuthority, SILENT } from './own-authority.ts';

export const other = await root({
  commonName: 'another CA',
  notBefore: after(-400 * DAY),
  notAfter: after(4000 * DAY),
});
export const third = await root({
  commonName: 'a third CA',
  notBefore: after(-400 * DAY),
  notAfter: after(4000 * DAY),
});
export const [former, next] = [ca.certificate.fingerprintSHA256, other.certificate.fingerprintSHA256];

export async function begin(capabilities: Partial<Capabilities> = {}, spec: object = {}) {
  const world = new CertificateWorld(aCertificate({ duration: '24h', ...spec }).raw, { remote: true, ...capabilities });
  const seen = (usable: readonly string[], change: Partial<AuthorityView> = {}): AuthorityView => ({
    ...world.ca.view,
    signing: undefined,
    issuers: [],
    generations: new Map(),
    usableAnchors: new Set(usable),
    followedAnchors: new Set([former, next]),
    ...change,
  });
  const both = bundleOf([ca.certificate, other.certificate]);
  world.authority = seen([former]);
  const signer = anOwnAuthority([ca], world.clock, undefined, SILENT);
  const successor = anOwnAuthority([other], world.clock, undefined, SILENT);
  const signedBy = (own: typeof signer) => async (request: Parameters<typeof own.backend.issue>[0]) => {
    const { chain } = (await own.backend.issue(request, RUN.signal)) as Issued;
    return { chain };
  };
  world.ca.answer = signedBy(signer);
  await world.settle();
  const before = world.store.view();
  world.ca.answer = signedBy(successor);
  const asked = world.ca.asked.length;
  world.authority = seen([former], { trust: both });
  return {
    world,
    before,
    /** Asks for the next certificate. */
    due: async () => {
      await world.clock.advance(HOUR);
      world.edit({ metadata: { annotations: { 'certwheel.io/renew-at': world.clock.now().toISOString() } } });
      await world.settle();
    },
    /** Reconciles whenever something is due, and once a minute, as other events would have it. */
    during: async (ms: number) => {
      const endMs = world.clock.now().getTime() + ms;
      while (world.clock.now().getTime() < endMs) {
        await world.run();
        await world.clock.advance(MINUTE);
      }
    },
    /** The machine states the other CA alone, which all trust, and signs with the former one. */
    leave: (change: Partial<AuthorityView> = {}) => {
      const leaving = { anchors: new Set([former]), since: world.clock.now() };
      world.authority = seen([former, next], { trust: both, leaving, released: new Set([KEY]), ...change });
      world.ca.answer = signedBy(signer);
    },
    /** From now on all trust the other CA. */
    trust: () => {
      world.authority = seen([former, next], { trust: both });
    },
    /** That all trust those CAs of it. */
    trusted: (usable: readonly string[], change: Partial<AuthorityView>) => {
      world.authority = seen(usable, change);
    },
    /** The machine grants no more than that. */
    grant: (lifetimeMs: number) => {
      const { answer } = world.ca;
      world.ca.answer = async (request) => answer({ ...request, lifetimeMs });
    },
    /** The private key of the certificate in use is in other hands. */
    revoke: () => {
      const serial = world.store.view()?.certificate?.serialNumber;
      world.edit({ metadata: { annotations: { 'certwheel.io/revoke': `${serial}=keyCompromise` } } });
    },
    /** The machine has gone back to the former CA, and the other one was never Active. */
    goBack: () => {
      world.authority = seen([former], { trust: bundleOf([ca.certificate]), followedAnchors: new Set([former]) });
      world.ca.answer = signedBy(signer);
    },
    away: () => {
      const trouble = { code: 'AuthorityUnreachable', message: 'no answer' } as const;
      world.authority = seen([former], { trust: both, trouble });
    },
    asked: () => world.ca.asked.length - asked,
    serial: () => world.store.view()?.certificate?.serialNumber,
    issuer: () => world.store.view()?.certificate?.anchorFingerprints[0],
  };
}
