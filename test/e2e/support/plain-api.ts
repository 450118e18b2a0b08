/** The API server over plain HTTPS and JSON, without anything of src/: for tests that want to see with eyes of their own. */
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { load } from 'js-yaml';
import type { ControlPlane } from '../../cluster/control-plane.ts';

export interface PlainApi {
  /** Answers the body; throws for every status from 400 on. */
  send<T>(method: string, path: string, body?: unknown, contentType?: string): Promise<T>;
  /** The answer as soon as it begins, for a watch. */
  open(path: string): Promise<IncomingMessage>;
}

interface Kubeconfig {
  clusters: { cluster: { server: string; 'certificate-authority-data': string } }[];
  users: { user: { 'client-certificate-data': string; 'client-key-data': string } | { token: string } }[];
}

const apis = new WeakMap<ControlPlane, PlainApi>();

/** One for each control plane; its connections end with it. */
export function plainApi(cluster: ControlPlane): PlainApi {
  const known = apis.get(cluster) ?? connect(cluster.kubeconfigPath);
  apis.set(cluster, known);
  return known;
}

/** As the user of a kubeconfig, who has a client certificate or a token. */
export function connect(kubeconfigPath: string): PlainApi {
  const { clusters, users } = load(readFileSync(kubeconfigPath, 'utf8')) as Kubeconfig;
  const [first] = clusters;
  const user = users[0]?.user;
  if (first === undefined || user === undefined) throw new Error('the kubeconfig names no cluster or no user');
  const agent = new Agent({
    keepAlive: true,
    ca: Buffer.from(first.cluster['certificate-authority-data'], 'base64'),
    ...('token' in user
      ? {}
      : {
          cert: Buffer.from(user['client-certificate-data'], 'base64'),
          key: Buffer.from(user['client-key-data'], 'base64'),
        }),
  });
  const call = async (method: string, path: string, body?: unknown, contentType = 'application/json') => {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const outgoing = request(`${first.cluster.server}${path}`, { method, agent }, resolve);
    outgoing.on('error', reject);
    if ('token' in user) outgoing.setHeader('Authorization', `Bearer ${user.token}`);
    if (body !== undefined) outgoing.setHeader('Content-Type', contentType);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    const response = await promise;
    if ((response.statusCode ?? 0) >= 400)
      throw new Error(`${method} ${path} was answered ${response.statusCode}: ${await text(response)}`);
    return response;
  };
  return {
    send: async (method, path, body, contentType) =>
      JSON.parse(await text(await call(method, path, body, contentType))),
    open: (path) => call('GET', path),
  };
}
