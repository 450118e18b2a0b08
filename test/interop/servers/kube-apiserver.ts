import { KUBERNETES_VERSION } from '../../programs/catalog.ts';
import { ensurePrograms } from '../../programs/programs.ts';
import { startApiServer } from '../support/api-server.ts';
import type { ServerReader } from '../support/reader.ts';
import { type Answer, type Call, request } from '../support/request.ts';

export const kubeApiserver: ServerReader = {
  name: 'kube-apiserver',
  title: 'kube-apiserver',
  source: 'built from source',
  reloads: 'watches the files, and reads them each minute',
  install: async () => {
    await ensurePrograms(['etcd', 'kube-apiserver']);
    return { version: KUBERNETES_VERSION, start: startApiServer };
  },
  request: review,
  identity: ({ body }) => ({ subject: userOf(body).username }),
  refuses: {
    // The handshake succeeds without a certificate, and with any certificate: it is verified for each request.
    none: {
      seen: 'HTTP 403: selfsubjectreviews.authentication.k8s.io is forbidden: User "system:anonymous" cannot create resourc',
    },
    expired: {
      seen: 'HTTP 401: Unauthorized',
      log: /"Unable to authenticate the request" err=".* x509: certificate has expired or is not yet valid: current time \S+ is after/,
    },
    'of another CA': {
      seen: 'HTTP 401: Unauthorized',
      log: /"Unable to authenticate the request" err=".* x509: certificate signed by unknown authority"/,
    },
    'for server auth alone': {
      seen: 'HTTP 401: Unauthorized',
      log: /"Unable to authenticate the request" err=".* x509: certificate specifies an incompatible key usage"/,
    },
  },
  mismatch: /tls: private key does not match public key/,
};

export interface UserInfo {
  readonly username: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** Who the API server takes the client for: SelfSubjectReview. The status Created becomes 200. */
export async function review(call: Call): Promise<Answer> {
  const answer = await request({
    ...call,
    path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    json: JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }),
  });
  if (answer.status === 201) return { ...answer, status: 200 };
  return { ...answer, body: messageOf(answer.body) };
}

export function userOf(body: string): UserInfo {
  return (JSON.parse(body) as { status: { userInfo: UserInfo } }).status.userInfo;
}

function messageOf(body: string): string {
  return (JSON.parse(body) as { message?: string }).message ?? body;
}
