import type { KubernetesCSRBackend } from '../api/generated/types.ts';
import { CERTIFICATE_SIGNING_REQUESTS, SIGNERS } from '../api/names.ts';
import type { RawObject } from '../api/parse.ts';
import { ApiError, AuthorityError, DeniedError, RetryableError } from '../errors.ts';
import { parseCertificates } from '../pki/certificate.ts';
import type { AuthorityDefinition, AuthorityDeps, Issued, IssueRequest, Pending } from './authority.ts';
import { trueCondition, wordsOf } from './kubernetes/conditions.ts';
import { pollAfterMs } from './kubernetes/polling.ts';
import { telling } from './kubernetes/problems.ts';
import { asksTheSame, requestMetadata, requestName, requestText } from './kubernetes/request-object.ts';
import { readTrustBundle } from './trust-bundle.ts';

const WHAT = 'CertificateSigningRequest';
/** The API takes no shorter life. */
const SHORTEST_LIFE_MS = 600_000;

/**
 * Any signer behind the certificates API of Kubernetes. A request is an object of the cluster that somebody approves, and
 * that the signer answers; the API server removes old ones, and so do we.
 */
export const kubernetesCSR: AuthorityDefinition<KubernetesCSRBackend> = {
  type: 'kubernetesCSR',
  capabilities: {
    identity: ['subject', 'commonName', 'dnsNames', 'uris', 'emailAddresses', 'ipAddresses'],
    keyAlgorithms: ['ECDSA', 'Ed25519', 'RSA'],
    usages: 'any',
    // The signer has a limit of its own, and it reaches back, which lengthens a short life.
    lifetime: 'rounded',
    shortestLifeMs: SHORTEST_LIFE_MS,
    remote: true,
    persistKey: true,
  },
  permissions: [],
  clusterPermissions: [
    {
      apiGroups: ['certificates.k8s.io'],
      resources: ['certificatesigningrequests'],
      verbs: ['get', 'create', 'delete'],
      why: 'to ask signers of the cluster for certificates (kubernetesCSR), and to remove what was answered',
    },
  ],
  create: (spec, deps) => ({
    trust: () => readTrustBundle(spec.trustBundle, deps),
    check: () => check(spec, deps),
    issue: (request) => issue(spec, request, deps),
    forget: ({ id }) => deps.objects.delete(CERTIFICATE_SIGNING_REQUESTS, requestName(id)),
  }),
};

async function check({ signerName, approve }: KubernetesCSRBackend, { objects }: AuthorityDeps): Promise<void> {
  const resource = CERTIFICATE_SIGNING_REQUESTS;
  if (!(await objects.allowed({ verb: 'create', resource })))
    throw forbidden(`create ${resource.plural}.${resource.group}`, 'the ClusterRole of the chart gives that');
  if (approve !== true) return;
  if (!(await objects.allowed({ verb: 'patch', resource, subresource: 'approval' })))
    throw forbidden(`patch ${resource.plural}/approval`, GRANT);
  const domain = `${signerName.split('/')[0]}/*`;
  const mayApprove = (name: string) => objects.allowed({ verb: 'approve', resource: SIGNERS, name });
  if (!(await mayApprove(signerName)) && !(await mayApprove(domain)))
    throw forbidden(`approve requests for the signer ${signerName}`, GRANT);
}

const GRANT = 'grant it as docs/authorities/kubernetes-csr.md says, or set approve to false';

function forbidden(what: string, remedy: string): AuthorityError {
  return new AuthorityError('BackendForbidden', `Certwheel may not ${what}; ${remedy}`);
}

async function issue(
  spec: KubernetesCSRBackend,
  request: IssueRequest,
  { objects, clock }: AuthorityDeps,
): Promise<Issued | Pending> {
  const name = requestName(request.id);
  const found = request.ticket === undefined ? await make(spec, request, objects) : await find(name, objects);
  if (found === undefined) throw new RetryableError('RequestFailed', `${WHAT} ${name} is gone; somebody removed it`);
  const refused = trueCondition(found, 'Denied') ?? trueCondition(found, 'Failed');
  if (refused !== undefined) throw new DeniedError('RequestDenied', `${WHAT} ${name} got a no: ${wordsOf(refused)}`);
  const { certificate } = (found.status ?? {}) as { certificate?: string };
  if (certificate) return { chain: chainOf(certificate, name), externalId: name };

  const wait = { ticket: request.id, pollAfterMs: pollAfterMs(found, clock.now()) };
  if (trueCondition(found, 'Approved') !== undefined)
    return { ...wait, message: `${WHAT} ${name} is approved; waiting for the signer ${spec.signerName}` };
  if (spec.approve !== true)
    return {
      ...wait,
      message: `${WHAT} ${name} waits for approval; look at it, then: kubectl certificate approve ${name}`,
    };
  if (!isOwn(found, spec, request))
    throw new RetryableError('RequestFailed', `${WHAT} ${name} does not ask for what was asked for; not approved`);
  await approve(name, request, objects);
  return { ...wait, message: `${WHAT} ${name} is approved; waiting for the signer ${spec.signerName}` };
}

/** The object that stands for the request: made now, or before a crash, or by another replica. */
async function make(
  { signerName }: KubernetesCSRBackend,
  request: IssueRequest,
  objects: AuthorityDeps['objects'],
): Promise<RawObject | undefined> {
  const object = {
    metadata: requestMetadata(request),
    spec: {
      request: requestText(request),
      signerName,
      expirationSeconds: Math.ceil(request.lifetimeMs / 1_000),
      usages: request.identity.usages,
    },
  };
  try {
    return await telling(`${WHAT} for ${signerName}`, objects.create(CERTIFICATE_SIGNING_REQUESTS, object));
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 409) throw error;
    return find(object.metadata.name, objects);
  }
}

function find(name: string, objects: AuthorityDeps['objects']): Promise<RawObject | undefined> {
  return telling(`${WHAT} ${name}`, objects.get(CERTIFICATE_SIGNING_REQUESTS, name));
}

/** Before our approval is given to it: whoever may create such objects could have put another one under this name. */
function isOwn(object: RawObject, { signerName }: KubernetesCSRBackend, request: IssueRequest): boolean {
  const spec = object.spec as { signerName?: string; request?: string; usages?: readonly string[] };
  const usages = [...(spec.usages ?? [])].sort().join();
  return (
    spec.signerName === signerName &&
    usages === [...request.identity.usages].sort().join() &&
    asksTheSame(spec.request, request)
  );
}

async function approve(name: string, { requester }: IssueRequest, objects: AuthorityDeps['objects']): Promise<void> {
  const message = `asked for by ClientCertificate ${requester.namespace}/${requester.name}; its authority says approve`;
  const condition = { type: 'Approved', status: 'True', reason: 'ApprovedByCertwheel', message };
  const object = { metadata: { name }, status: { conditions: [condition] } };
  await telling(
    `approval of ${WHAT} ${name}`,
    objects.applySubresource(CERTIFICATE_SIGNING_REQUESTS, 'approval', object),
  );
}

function chainOf(base64: string, name: string): Issued['chain'] {
  try {
    return parseCertificates(Buffer.from(base64, 'base64').toString('latin1'));
  } catch (error) {
    throw new RetryableError('RequestFailed', `${WHAT} ${name} holds no certificate: ${(error as Error).message}`);
  }
}
