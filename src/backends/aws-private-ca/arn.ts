import type { AwsPrivateCABackend } from '../../api/generated/types.ts';
import { AuthorityError } from '../../errors.ts';
import type { BackendDeps } from '../backend-deps.ts';
import { isAllowedLoopback } from '../http/address.ts';

/** What the ARN of a CA says. */
export interface CaArn {
  readonly arn: string;
  /** `aws`, `aws-cn`, `aws-us-gov`, … */
  readonly partition: string;
  readonly region: string;
  readonly account: string;
}

/** The domain below which a partition has its public endpoints. */
const DOMAINS: ReadonlyMap<string, string> = new Map([
  ['aws', 'amazonaws.com'],
  ['aws-cn', 'amazonaws.com.cn'],
  ['aws-us-gov', 'amazonaws.com'],
  ['aws-eusc', 'amazonaws.eu'],
  ['aws-iso', 'c2s.ic.gov'],
  ['aws-iso-b', 'sc2s.sgov.gov'],
]);

export function parseCaArn(arn: string): CaArn {
  const [scheme, partition = '', service, region = '', account = '', resource = ''] = arn.split(':');
  if (scheme !== 'arn' || service !== 'acm-pca' || !resource.startsWith('certificate-authority/'))
    throw new AuthorityError('AuthorityMisconfigured', `arn ${arn} is not that of a CA of AWS Private CA`);
  return { arn, partition, region, account };
}

type Place = Pick<CaArn, 'partition' | 'region'>;

/** The public endpoint of a service of that region; `field` of the spec names another. */
export function publicEndpoint({ partition, region }: Place, service: 'acm-pca' | 'sts', field: string): string {
  const domain = DOMAINS.get(partition);
  if (domain === undefined)
    throw new AuthorityError(
      'AuthorityMisconfigured',
      `the public endpoints of the partition ${partition} are not known; set spec.${field}`,
    );
  return `https://${service}.${region}.${domain}`;
}

const REGION = '[a-z]{2,5}(-[a-z]+)+-[0-9]{1,2}';
/** Public endpoints of STS and those of a VPC, below such a domain; other hosts there are of customers. */
const OF_STS = new RegExp(`^(sts(-fips)?([.]${REGION})?|vpce-[-a-z0-9]+[.]sts(-fips)?[.]${REGION}[.]vpce)$`);
/** Those that have IPv6 too. */
const DUAL_STACK = new RegExp(`^sts(-fips)?[.]${REGION}[.]api[.]aws$`);

function isSts(hostname: string): boolean {
  const isBelow = (domain: string) =>
    hostname.endsWith(`.${domain}`) && OF_STS.test(hostname.slice(0, -domain.length - 1));
  return DUAL_STACK.test(hostname) || [...DOMAINS.values()].some(isBelow);
}

/**
 * Where STS is. The token of a ServiceAccount goes there, which is good at STS for all that its roles may do, so the author
 * of a namespaced authority can't choose who gets it: only a ClusterCertificateAuthority may name a host that is not AWS's,
 * or this host where operators allow that for tests. `field` is where stsEndpoint stands. Throws an AuthorityError.
 */
export function stsServer(
  { stsEndpoint }: Pick<AwsPrivateCABackend, 'stsEndpoint'>,
  place: Place,
  { clusterWide, addresses }: Pick<BackendDeps, 'clusterWide' | 'addresses'>,
  field: string,
): string {
  if (stsEndpoint === undefined) return publicEndpoint(place, 'sts', `${field}.stsEndpoint`);
  const hostname = URL.canParse(stsEndpoint) ? new URL(stsEndpoint).hostname : '';
  if (isSts(hostname) || clusterWide || isAllowedLoopback(hostname, addresses)) return stsEndpoint;
  throw new AuthorityError(
    'AuthorityMisconfigured',
    `spec.${field}.stsEndpoint names ${hostname}, which is no STS of AWS: tokens of ServiceAccounts would be sent there; only a ClusterCertificateAuthority may name such a host`,
  );
}

/** The ARN of a certificate is below that of the CA that issued it. */
export function isCertificateOf({ arn }: CaArn, certificateArn: string): boolean {
  return (
    certificateArn.startsWith(`${arn}/certificate/`) &&
    /^[-0-9A-Za-z]{1,128}$/.test(certificateArn.slice(arn.length + 13))
  );
}
