import type { StepCAX5C } from '../../api/generated/types.ts';
import { AuthorityError } from '../../errors.ts';
import { chainsTo } from '../../pki/chain.ts';
import { canonicalUsage, isKeyUsage } from '../../pki/usages.ts';
import { type ClientPair, ClientPairSource } from '../shared/client-pair.ts';
import { readCertificates } from '../shared/read-certificates.ts';
import { type FindProvisioner, type Listed, listedProvisioner, type ProvisionerDeps, pemIn } from './provisioner.ts';
import { oneTimeToken } from './token.ts';

const MOST_ROOTS = 32;
const SIGNS = canonicalUsage('digital signature');
const AUTHENTICATES = canonicalUsage('client auth');

/** A provisioner of type X5C: the key of a certificate below one of its roots signs the tokens, which hold the chain. */
export function x5cProvisioner({ secretRef }: StepCAX5C, about: ProvisionerDeps): FindProvisioner {
  const { spec, server, deps } = about;
  const { name } = spec.provisioner;
  const source = new ClientPairSource(secretRef.name, deps);
  return async (signal) => {
    const pair = await source.read();
    const listed = await listedProvisioner('X5C', about, signal);
    refuseUnfit(pair, listed, source.place);
    return {
      hasTemplate: listed.hasTemplate,
      canRevoke: true,
      token: async ({ path, ...purpose }) => {
        // It may have been renewed since the check.
        const { key, chain } = await source.read();
        const x5c = chain.map(({ der }) => der.toString('base64'));
        const audience = `${server.endpoint(path)}#${fragmentOf(name)}`;
        const rootFingerprint = spec.rootFingerprints[0] ?? '';
        return oneTimeToken({ key, x5c }, { issuer: name, audience, rootFingerprint, ...purpose }, deps.clock.now());
      },
      limit: async () => ({ notAfter: (await source.read()).leaf.notAfter, place: source.place }),
    };
  };
}

/** What step-ca would refuse with each token is told by the check. */
function refuseUnfit({ leaf, chain }: ClientPair, { members }: Listed, place: string): void {
  // A certificate without extended usages may be used for all of them (RFC 5280 section 4.2.1.12).
  const isForAnything = leaf.usages.every(isKeyUsage);
  const needed = isForAnything ? [SIGNS] : [SIGNS, AUTHENTICATES];
  const missing = needed.filter((usage) => !leaf.usages.includes(usage));
  if (missing.length > 0)
    throw new AuthorityError(
      'CredentialsRefused',
      `${place}, key tls.crt: step-ca takes no tokens of this certificate, which lacks the usages ${missing.join(', ')}; put one with them into the Secret`,
    );
  const name = String(members.name);
  const nonsense = (why: string) =>
    new AuthorityError('InvalidAnswer', `step-ca lists roots of the provisioner ${name} that can't be read: ${why}`);
  const roots = readCertificates([pemIn(members.roots)], nonsense, MOST_ROOTS);
  if (!chainsTo(chain, roots))
    throw new AuthorityError(
      'CredentialsRefused',
      `${place}, key tls.crt: this certificate leads to no root of step-ca's provisioner ${name}; put it there with its intermediates, or add its root: step ca provisioner update ${name} --x5c-roots roots.pem`,
    );
}

/**
 * By the fragment of the audience step-ca finds the provisioner. It compares it with one that Go has encoded, which
 * escapes more than a URL needs.
 */
function fragmentOf(name: string): string {
  return encodeURI(`x5c/${name}`).replaceAll('#', '%23').replaceAll("'", '%27');
}
