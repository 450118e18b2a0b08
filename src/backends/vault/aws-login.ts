import { createHash } from 'node:crypto';
import type { VaultAwsAuth } from '../../api/generated/types.ts';
import { AuthorityError } from '../../errors.ts';
import type { Environment } from '../aws-private-ca/ambient.ts';
import { publicEndpoint, stsServer } from '../aws-private-ca/arn.ts';
import { loginOf } from '../aws-private-ca/login.ts';
import { Sessions } from '../aws-private-ca/sessions.ts';
import { type AwsKeys, signedHeaders } from '../aws-private-ca/sign.ts';
import { Sts } from '../aws-private-ca/sts.ts';
import type { BackendDeps } from '../backend-deps.ts';
import { connectionOf } from '../http/connection.ts';
import type { VaultClient } from './client.ts';
import { type Login, logIn } from './grant.ts';

const FIELD = 'vault.auth.aws';
const FORM = 'application/x-www-form-urlencoded; charset=utf-8';
const BODY = 'Action=GetCallerIdentity&Version=2011-06-15';
/** Signatures for the global endpoint of STS name this region. */
const GLOBAL_REGION = 'us-east-1';
const GLOBAL_SERVER = 'https://sts.amazonaws.com';

/** Partitions of AWS by what their regions begin with; `aws` for all others. */
const PARTITIONS: readonly (readonly [prefix: string, partition: string])[] = [
  ['cn-', 'aws-cn'],
  ['us-gov-', 'aws-us-gov'],
  ['eusc-', 'aws-eusc'],
  ['us-iso-', 'aws-iso'],
  ['us-isob-', 'aws-iso-b'],
];

/**
 * Vault's AWS auth method of type iam: a request to STS that asks whose credentials they are is signed here and sent by
 * Vault, to the STS of its own configuration. The secret key goes nowhere. Throws an AuthorityError for a region or an STS
 * that can't be used.
 */
export function awsLogin(spec: VaultAwsAuth, client: VaultClient, deps: BackendDeps, environment: Environment): Login {
  const { region, path, role } = spec;
  const place = { region: region ?? GLOBAL_REGION, partition: partitionOf(region) };
  const url = new URL(region === undefined ? GLOBAL_SERVER : publicEndpoint(place, 'sts', `${FIELD}.stsEndpoint`));
  const sts = new Sts(
    { server: stsServer(spec, place, deps, FIELD), region: place.region },
    connectionOf({}, deps),
    deps,
  );
  const { credentials: auth, assumeRoleArn, externalId } = spec;
  const own = loginOf(
    {
      auth,
      ...(assumeRoleArn === undefined ? {} : { assumeRoleArn }),
      ...(externalId === undefined ? {} : { externalId }),
    },
    sts,
    deps,
    environment,
    `${FIELD}.credentials`,
  );
  const sessions = new Sessions(own, deps.clock);
  const once = async (keys: AwsKeys, signal: AbortSignal) => {
    const id = spec.serverIDHeader === undefined ? {} : { 'x-vault-aws-iam-server-id': spec.serverIDHeader };
    const request = { method: 'POST', url, headers: { 'content-type': FORM, ...id }, body: BODY };
    const signing = { region: place.region, service: 'sts', now: deps.clock.now() };
    const headers: Readonly<Record<string, string>> = {
      ...(await signedHeaders(request, keys, signing)),
      host: url.host,
    };
    const signed = base64(JSON.stringify(headers));
    const body = {
      role,
      iam_http_request_method: request.method,
      iam_request_url: base64(url.href),
      iam_request_body: base64(BODY),
      iam_request_headers: signed,
    };
    const secrets = [signed, keys.secretAccessKey, keys.sessionToken ?? '', headers.authorization ?? ''];
    const what = `the login by ${sessions.description} with the role ${role} at auth/${path}`;
    const remedy = `compare with: vault read auth/${path}/role/${role} and vault read auth/${path}/config/client`;
    return logIn(client, { path, body, secrets, what, remedy }, signal);
  };
  return {
    // Hashed, since what is remembered with the token needn't be the key itself.
    credential: async () =>
      createHash('sha256')
        .update(await own.credential())
        .digest('base64'),
    login: async (_credential, signal) => {
      const keys = await sessions.get();
      try {
        return await once(keys, signal);
      } catch (error) {
        // A session of AWS may have ended early, of which Vault says no more than that STS refused it.
        if (!(error instanceof AuthorityError) || error.code !== 'CredentialsRefused') throw error;
        const other = await sessions.instead(keys);
        if (other === keys) throw error;
        return once(other, signal);
      }
    },
  };
}

function partitionOf(region = ''): string {
  return PARTITIONS.find(([prefix]) => region.startsWith(prefix))?.[1] ?? 'aws';
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
