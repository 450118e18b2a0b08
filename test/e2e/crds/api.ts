/** Requests straight to the API server: kubectl takes 0.1 s for each, and these tests make hundreds. */
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { load } from 'js-yaml';
import { type ControlPlane, shareControlPlane } from '../../cluster/control-plane.ts';
import { onStop } from '../../teardown.ts';
import { eventually } from '../support/eventually.ts';

/** An object of the API, as loosely as a test needs it. */
export type Json = { [key: string]: unknown };

export interface Cause {
  reason?: string;
  message?: string;
  field?: string;
}

export interface Answer {
  status: number;
  body: Json;
  /** What the API server objects to, one by one. */
  causes: Cause[];
}

export interface Api {
  send(method: 'GET' | 'POST' | 'PUT', path: string, body?: Json): Promise<Answer>;
  cluster: ControlPlane;
}

const PLURALS = {
  ClientCertificate: 'clientcertificates',
  CertificateAuthority: 'certificateauthorities',
  ClusterCertificateAuthority: 'clustercertificateauthorities',
  CertificateApproval: 'certificateapprovals',
} as const;

export const CRD_FILES = Object.values(PLURALS).map((plural) => `${import.meta.dirname}/../../../crds/${plural}.yaml`);

/** A control plane with our CRDs in it. */
export async function startWithCrds(): Promise<Api> {
  const cluster = await shareControlPlane([], async (fresh) => {
    for (const file of CRD_FILES) await fresh.kubectl(['apply', '--server-side', '-f', file]);
    await untilKnown(fresh);
  });
  onStop(cluster.stop);
  return connect(cluster);
}

/** An established CRD is served at once, but shows up in discovery and in the OpenAPI document only a moment later. */
export async function untilKnown(cluster: ControlPlane): Promise<void> {
  await cluster.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
  for (const resource of ['ccert', 'cauth', 'ccauth', 'capp']) {
    await succeeds(cluster, ['get', resource]);
    await succeeds(cluster, ['explain', resource]);
  }
}

async function succeeds(cluster: ControlPlane, args: string[]): Promise<void> {
  await eventually(`kubectl ${args.join(' ')} succeeds`, async () => {
    const { code } = await cluster.kubectl(args, { allowFailure: true });
    return code === 0;
  });
}

interface Kubeconfig {
  clusters: { cluster: { server: string; 'certificate-authority-data': string } }[];
  users: { user: { 'client-certificate-data': string; 'client-key-data': string } }[];
}

/** To a control plane that has our CRDs already. */
export async function connect(cluster: ControlPlane): Promise<Api> {
  const { clusters, users } = load(await readFile(cluster.kubeconfigPath, 'utf8')) as Kubeconfig;
  const [first] = clusters;
  const [admin] = users;
  if (first === undefined || admin === undefined) throw new Error('the kubeconfig names no cluster or no user');
  const agent = new Agent({
    keepAlive: true,
    ca: Buffer.from(first.cluster['certificate-authority-data'], 'base64'),
    cert: Buffer.from(admin.user['client-certificate-data'], 'base64'),
    key: Buffer.from(admin.user['client-key-data'], 'base64'),
  });
  onStop(() => agent.destroy());
  return {
    cluster,
    async send(method, path, body) {
      const { promise, resolve, reject } = Promise.withResolvers<Answer>();
      const outgoing = request(`${first.cluster.server}${path}`, { method, agent }, async (response) => {
        const answer = JSON.parse(await text(response)) as Json & { details?: { causes?: Cause[] } };
        resolve({ status: response.statusCode ?? 0, body: answer, causes: answer.details?.causes ?? [] });
      });
      outgoing.on('error', reject);
      outgoing.setHeader('Content-Type', 'application/json');
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
      return promise;
    },
  };
}

/** The collection that objects of a kind are in; tests that need a namespace share `default`. */
export function collection(kind: keyof typeof PLURALS): string {
  const place = kind === 'ClusterCertificateAuthority' ? '' : 'namespaces/default/';
  return `/apis/certwheel.io/v1alpha1/${place}${PLURALS[kind]}`;
}

/** Nothing is stored; an unknown field is an error, so that a typing mistake can't pass for a refusal. */
export const DRY_RUN = '?dryRun=All&fieldValidation=Strict';
