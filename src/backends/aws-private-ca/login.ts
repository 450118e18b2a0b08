import type { AwsAuth, AwsPrivateCABackend } from '../../api/generated/types.ts';
import { AuthorityError } from '../../errors.ts';
import { type BackendDeps, dataAt } from '../backend-deps.ts';
import { unusable } from '../shared/credentials-secret.ts';
import { secretText } from '../shared/secret-text.ts';
import { tokenOf } from '../shared/service-account-token.ts';
import { ambientLogin, type Environment } from './ambient.ts';
import type { Login } from './sessions.ts';
import type { Sts } from './sts.ts';

const ACCESS_KEY_ID = 'access-key-id';
const SECRET_ACCESS_KEY = 'secret-access-key';
const SESSION_TOKEN = 'session-token';
const PAIR = [ACCESS_KEY_ID, SECRET_ACCESS_KEY];
const TEMPORARY = [...PAIR, SESSION_TOKEN];
/** AWS's prefixes: AKIA of a user's key, ASIA of temporary credentials, which are good only with their session token. */
const ACCESS_KEY = /^A[KS]IA[A-Z0-9]{16}$/;
const DEFAULT_AUDIENCE = 'sts.amazonaws.com';

type Credentials = Pick<AwsPrivateCABackend, 'auth' | 'assumeRoleArn' | 'externalId'>;

/** The credentials that the spec names at `field`, and the role that they assume, if there is one. */
export function loginOf(
  spec: Credentials,
  sts: Sts,
  deps: BackendDeps,
  environment: Environment,
  field: string,
): Login {
  const own = ownLogin(spec.auth, sts, deps, environment, field);
  const { assumeRoleArn, externalId } = spec;
  return assumeRoleArn === undefined ? own : assuming(assumeRoleArn, externalId, own, sts);
}

function ownLogin(auth: AwsAuth, sts: Sts, deps: BackendDeps, environment: Environment, field: string): Login {
  if (auth.secretRef !== undefined) return bySecret(auth.secretRef.name, deps);
  if (auth.serviceAccountRef !== undefined) return byServiceAccount(auth.serviceAccountRef, sts, deps);
  // With them any author of a CertificateAuthority would act as the controller.
  if (auth.ambient !== undefined && deps.clusterWide) return ambientLogin(sts, environment, deps.clock);
  const problem =
    auth.ambient === undefined
      ? `${field} names no credentials`
      : `${field}.ambient is for a ClusterCertificateAuthority alone; name credentials of this namespace with ${field}.secretRef or ${field}.serviceAccountRef`;
  const fail = () => Promise.reject(new AuthorityError('AuthorityMisconfigured', problem));
  return { description: 'no credentials', credential: fail, login: fail };
}

function bySecret(name: string, deps: BackendDeps): Login {
  const refused = (key: string, what: string, keys: readonly string[]) =>
    unusable({ name, files: Object.fromEntries(keys.map((each) => [each, 'FILE'])) }, key, what, deps);
  const read = async () => {
    const accessKeyId = await secretText({ name, key: ACCESS_KEY_ID }, deps, PAIR);
    const secretAccessKey = await secretText({ name, key: SECRET_ACCESS_KEY }, deps, PAIR);
    const isTemporary = dataAt((await deps.secret(name)) ?? {}, SESSION_TOKEN) !== undefined;
    const sessionToken = isTemporary ? await secretText({ name, key: SESSION_TOKEN }, deps, TEMPORARY) : undefined;
    if (ACCESS_KEY.test(secretAccessKey))
      throw refused(SECRET_ACCESS_KEY, `it is the id of an access key; are ${PAIR.join(' and ')} exchanged?`, PAIR);
    if (sessionToken === undefined && accessKeyId.startsWith('ASIA') && ACCESS_KEY.test(accessKeyId))
      throw refused(
        ACCESS_KEY_ID,
        `it begins with ASIA, so these are temporary credentials, which AWS takes with their ${SESSION_TOKEN} alone`,
        TEMPORARY,
      );
    return { accessKeyId, secretAccessKey, sessionToken };
  };
  return {
    description: `the keys in Secret ${deps.objects.namespace}/${name}`,
    credential: async () => Object.values(await read()).join('\n'),
    login: async () => ({ keys: await read(), lifeMs: undefined }),
  };
}

function byServiceAccount(
  { name, roleArn, audience = DEFAULT_AUDIENCE }: NonNullable<AwsAuth['serviceAccountRef']>,
  sts: Sts,
  deps: BackendDeps,
): Login {
  const identity = `ServiceAccount ${deps.objects.namespace}/${name}`;
  return {
    description: `the credentials of the role ${roleArn}`,
    credential: async () => '',
    login: async (signal) => sts.byToken(roleArn, await tokenOf(name, audience, deps), identity, signal),
  };
}

function assuming(roleArn: string, externalId: string | undefined, own: Login, sts: Sts): Login {
  return {
    description: `the credentials of the role ${roleArn}`,
    credential: own.credential,
    login: async (signal) => {
      const { keys } = await own.login(signal);
      return sts.byKeys(roleArn, externalId, keys, own.description, signal);
    },
  };
}
