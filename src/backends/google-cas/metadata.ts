import { Agent, type Dispatcher } from 'undici';
import { within } from '../../abort.ts';
import { AuthorityError } from '../../errors.ts';
import { withoutSecrets } from '../../foreign-text.ts';
import { messageOf } from '../../thrown.ts';
import { membersOf } from '../http/json-members.ts';
import { readBody } from '../http/read-body.ts';
import type { Login } from './tokens.ts';

/** The variables of the controller's process. */
export type Environment = Readonly<Record<string, string | undefined>>;

const PATH = '/computeMetadata/v1/instance/service-accounts/default/token';
const LIMIT_MS = 5_000;
const MAX_BYTES = 65_536;
const TOKEN = /^[\x21-\x7e]{1,16384}$/;

/**
 * The identity of the controller's pod, by the metadata server of GKE. That speaks plain HTTP at a link-local address, so
 * it isn't asked through AuthorityHttp. The address is fixed, or that of the variable which Google's own clients read.
 */
export function byMetadata({ GCE_METADATA_HOST: host = '169.254.169.254' }: Environment): Login {
  return {
    credential: async () => '',
    login: async (_credential, signal) => {
      try {
        const { token, seconds } = await within(LIMIT_MS, signal, (scope) => ask(`http://${host}`, scope));
        return { token, lifeMs: seconds * 1_000 };
      } catch (error) {
        throw new AuthorityError(
          'CredentialsNotFound',
          `the metadata server of GKE gave no token for the controller's pod (${withoutSecrets(messageOf(error))}); does the cluster have Workload Identity Federation, and is this GKE? gcloud container clusters describe NAME --format='value(workloadIdentityConfig)'`,
        );
      }
    },
    member: () => "MEMBER (the principal of the controller's ServiceAccount)",
    remedy: () => "the service account of the controller's pod must exist and be enabled",
  };
}

async function ask(origin: string, signal: AbortSignal): Promise<{ readonly token: string; readonly seconds: number }> {
  const agent = new Agent({ allowH2: false });
  try {
    const headers = { 'metadata-flavor': 'Google' };
    const answer = await agent.request({ origin, path: PATH, method: 'GET', headers, signal });
    const bytes = await readBody(answer.body, MAX_BYTES, `it answered with more than ${MAX_BYTES} bytes`);
    return tokenIn(answer, bytes);
  } finally {
    await agent.destroy();
  }
}

function tokenIn(
  { statusCode, headers }: Pick<Dispatcher.ResponseData, 'statusCode' | 'headers'>,
  bytes: Buffer,
): { readonly token: string; readonly seconds: number } {
  // What else answers there doesn't know of this header.
  if (headers['metadata-flavor'] !== 'Google') throw new Error('what answers is not the metadata server');
  if (statusCode !== 200) throw new Error(`HTTP ${statusCode}`);
  const { access_token: token, expires_in: seconds } = membersOf(JSON.parse(bytes.toString('utf8')));
  if (typeof token !== 'string' || !TOKEN.test(token) || typeof seconds !== 'number' || seconds <= 0)
    throw new Error('it answered without a token');
  return { token, seconds };
}
