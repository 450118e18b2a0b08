import type { KubernetesCSRBackend } from '../api/generated/types.ts';
import { CERTIFICATE_SIGNING_REQUESTS, SIGNERS } from '../api/names.ts';
import { parseMeta, type RawObject } from '../api/parse.ts';
import { AuthorityError } from '../errors.ts';
import {
  ANY_CERTIFICATE,
  type BackendDefinition,
  type Issued,
  type IssueRequest,
  type Pending,
  perSecond,
} from './backend.ts';
import type { BackendDeps, NewObject } from './backend-deps.ts';
import { forbidden, refuseWithoutCreate, telling } from './kubernetes/problems.ts';
import { certificatesIn, removeRequest } from './kubernetes/request.ts';
import { requestMetadata, requestText, sameWords } from './kubernetes/request-object.ts';
import { requestState } from './kubernetes/request-state.ts';
import { readTrustBundle, TRUST_BUNDLE_PERMISSION } from './shared/trust-bundle.ts';

const RESOURCE = CERTIFICATE_SIGNING_REQUESTS;
/** The API takes no shorter life. */
const SHORTEST_LIFE_MS = 600_000;
/** How Certwheel gets the right to approve. */
const GRANT = 'grant it as docs/authorities/kubernetes-csr.md says, or set approve to false';

/**
 * Any signer behind the certificates API of Kubernetes. A request is an object of the cluster that an approver approves, and
 * that the signer answers; the API server removes old ones, and so do we.
 */
export const kubernetesCSR: BackendDefinition<KubernetesCSRBackend> = {
  type: 'kubernetesCSR',
  capabilities: {
    ...ANY_CERTIFICATE,
    // The signer has a limit of its own, and it reaches back, which lengthens a short life.
    lifetime: 'rounded',
    shortestLifeMs: SHORTEST_LIFE_MS,
    remote: true,
    // kube-controller-manager makes 20 requests in a second for all that it does, and each certificate costs it one.
    rateLimit: perSecond(10),
    persistKey: true,
  },
  permissions: [TRUST_BUNDLE_PERMISSION],
  clusterPermissions: [
    {
      apiGroups: ['certificates.k8s.io'],
      resources: ['certificatesigningrequests'],
      verbs: ['get', 'create', 'delete'],
      why: 'to ask signers of the cluster for certificates (kubernetesCSR), and to remove what was answered',
    },
  ],
  create: (spec, deps) => ({
    verified: `requests may be made; whether the signer answers is seen by its certificates alone${namesPeople(spec)}`,
    trust: () => readTrustBundle(spec.trustBundle, deps),
    check: () => check(spec, deps),
    issue: (request) => issue(spec, request, deps),
    forget: (request) => removeRequest(RESOURCE, request, deps),
  }),
};

/** The certificates of this signer log in to the Kubernetes API. */
function namesPeople({ signerName }: KubernetesCSRBackend): string {
  return signerName === 'kubernetes.io/kube-apiserver-client'
    ? '; to this cluster each common name is a user, and each organization a group'
    : '';
}

async function check(spec: KubernetesCSRBackend, deps: BackendDeps): Promise<void> {
  refuseApprovalForANamespace(spec, deps);
  const { signerName, approve } = spec;
  const { objects } = deps;
  await refuseWithoutCreate('kubernetesCSR', RESOURCE, objects);
  if (approve !== true) return;
  if (!(await objects.allowed({ verb: 'patch', resource: RESOURCE, subresource: 'approval' })))
    throw forbidden(`patch ${RESOURCE.plural}/approval`, GRANT);
  const domain = `${signerName.split('/')[0]}/*`;
  const mayApprove = (name: string) => objects.allowed({ verb: 'approve', resource: SIGNERS, name });
  if (!(await mayApprove(signerName)) && !(await mayApprove(domain)))
    throw forbidden(`approve requests for the signer ${signerName}`, GRANT);
}

/**
 * The right to approve was given to Certwheel, for a signer of the whole cluster. The author of a resource of one
 * namespace must not borrow it; the schema refuses that too, but this one may have been stored before it did.
 */
function refuseApprovalForANamespace({ approve }: KubernetesCSRBackend, { clusterWide }: BackendDeps): void {
  if (approve === true && !clusterWide)
    throw new AuthorityError(
      'BackendForbidden',
      'approve: true is for a ClusterCertificateAuthority, which a cluster administrator writes: use one that allows this namespace, or set approve to false',
    );
}

async function issue(spec: KubernetesCSRBackend, request: IssueRequest, deps: BackendDeps): Promise<Issued | Pending> {
  refuseApprovalForANamespace(spec, deps);
  const state = await requestState(formOf(spec, request), ['Denied', 'Failed'], request, deps);
  const { found, name, what, isApproved, certificate } = state;
  if (certificate) return { chain: certificatesIn(certificate, `${what} holds no certificate`), externalId: name };

  if (!isApproved && spec.approve !== true)
    return state.pending(`${what} waits for approval; look at it, then: kubectl certificate approve ${name}`);
  if (!isApproved) await approve(found, request, deps.objects);
  return state.pending(`${what} is approved; waiting for the signer ${spec.signerName}`);
}

function formOf({ signerName }: KubernetesCSRBackend, request: IssueRequest) {
  const { usages } = request.identity;
  const expirationSeconds = Math.ceil(request.lifetimeMs / 1_000);
  return {
    resource: RESOURCE,
    place: `for ${signerName}`,
    object: (): NewObject => ({
      metadata: requestMetadata(request),
      spec: { request: requestText(request), signerName, expirationSeconds, usages },
    }),
    hasOurTerms: (found: Readonly<Record<string, unknown>>) =>
      found.signerName === signerName &&
      found.expirationSeconds === expirationSeconds &&
      sameWords(found.usages, usages),
  };
}

/** By its uid: what was judged is what is approved, not another one that has taken its name since. */
async function approve(found: RawObject, { requester }: IssueRequest, objects: BackendDeps['objects']): Promise<void> {
  const { name, uid } = parseMeta(found);
  const message = `asked for by ClientCertificate ${requester.namespace}/${requester.name}; its authority says approve`;
  const condition = { type: 'Approved', status: 'True', reason: 'ApprovedByCertwheel', message };
  const object = { metadata: { name, uid }, status: { conditions: [condition] } };
  await telling(`approval of ${RESOURCE.kind} ${name}`, objects.applySubresource(RESOURCE, 'approval', object));
}
