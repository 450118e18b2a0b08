// A fake of AWS STS, as far as roles are assumed: AWS publishes no server of it, and moto's takes any token.
import { createPublicKey, type JsonWebKey, randomBytes, verify } from 'node:crypto';
import { AwsException } from './aws-service.ts';

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** A role of IAM with its trust policy. */
export interface Role {
  /** Whom it trusts: a token of this subject and audience, or the owner of this access key with this external id. */
  readonly subject?: string;
  readonly audience?: string;
  readonly accessKeyId?: string;
  readonly externalId?: string;
}

export class StsService {
  readonly roles = new Map<string, Role>();
  /** The public keys of the cluster whose tokens are taken. */
  issuerKeys: readonly JsonWebKey[] = [];
  /** Seconds; of each session from now on. */
  sessionSeconds = 3_600;
  /** How many sessions were given. */
  logins = 0;
  /** Whose each access key is, as GetCallerIdentity says it; a session is added with its role. */
  readonly callers = new Map<string, string>();

  /** The session, as XML. `signer` is the access key that signed, if any. */
  answer(
    form: URLSearchParams,
    signer: string | undefined,
    now: Date,
    keep: (keys: Required<Keys>, until: Date) => void,
  ): string {
    const arn = form.get('RoleArn') ?? '';
    const action = form.get('Action') ?? '';
    if (action === 'GetCallerIdentity') return this.#caller(signer);
    const role = this.roles.get(arn);
    const denied = new AwsException('AccessDenied', `Not authorized to perform sts:${action}`);
    if (action === 'AssumeRoleWithWebIdentity') {
      const { sub, aud } = this.#claims(form.get('WebIdentityToken') ?? '', now);
      if (role?.subject !== sub || !aud.includes(role.audience ?? 'sts.amazonaws.com')) throw denied;
    } else if (action === 'AssumeRole') {
      const external = role?.externalId ?? null;
      if (signer === undefined || role?.accessKeyId !== signer || external !== form.get('ExternalId')) throw denied;
    } else throw new AwsException('InvalidAction', `Could not find operation ${action}`);
    const keys = {
      accessKeyId: `ASIA${randomBytes(8).toString('hex').toUpperCase()}`,
      secretAccessKey: randomBytes(30).toString('base64'),
      sessionToken: randomBytes(300).toString('base64'),
    };
    const until = new Date(now.getTime() + this.sessionSeconds * 1_000);
    keep(keys, until);
    this.callers.set(keys.accessKeyId, `${arn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/x`);
    this.logins++;
    return `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <${action}Result>
    <AssumedRoleUser><AssumedRoleId>AROA:x</AssumedRoleId><Arn>${arn}/x</Arn></AssumedRoleUser>
    <Credentials>
      <AccessKeyId>${keys.accessKeyId}</AccessKeyId>
      <SecretAccessKey>${keys.secretAccessKey}</SecretAccessKey>
      <SessionToken>${keys.sessionToken}</SessionToken>
      <Expiration>${until.toISOString()}</Expiration>
    </Credentials>
  </${action}Result>
  <ResponseMetadata><RequestId>00000000-0000-0000-0000-000000000000</RequestId></ResponseMetadata>
</${action}Response>`;
  }

  #caller(signer: string | undefined): string {
    const arn = this.callers.get(signer ?? '');
    if (arn === undefined) throw new AwsException('InvalidClientTokenId', 'The security token is invalid');
    return `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <GetCallerIdentityResult>
    <Arn>${arn}</Arn><UserId>AROAX:x</UserId><Account>${arn.split(':')[4]}</Account>
  </GetCallerIdentityResult>
  <ResponseMetadata><RequestId>00000000-0000-0000-0000-000000000000</RequestId></ResponseMetadata>
</GetCallerIdentityResponse>`;
  }

  /** Of a token that the cluster has signed. */
  #claims(token: string, now: Date): { readonly sub: string; readonly aud: readonly string[] } {
    const [header = '', payload = '', signature = ''] = token.split('.');
    const isSigned = this.issuerKeys.some((key) =>
      verify(
        'sha256',
        Buffer.from(`${header}.${payload}`),
        { key: createPublicKey({ key, format: 'jwk' }), dsaEncoding: 'ieee-p1363' },
        Buffer.from(signature, 'base64url'),
      ),
    );
    if (!isSigned) throw new AwsException('InvalidIdentityToken', 'No OpenIDConnect provider found in your account');
    const { sub, aud, exp } = JSON.parse(Buffer.from(payload, 'base64url').toString());
    if (exp * 1_000 < now.getTime()) throw new AwsException('ExpiredTokenException', 'Token expired');
    return { sub, aud };
  }
}
