import { formatDuration, parseDuration } from '../api/duration.ts';
import type { CertManagerBackend } from '../api/generated/types.ts';
import { apiVersion, CERTIFICATE_REQUESTS, CLIENT_CERTIFICATES, CLUSTER_ISSUERS, ISSUERS } from '../api/names.ts';
import { AuthorityError, RetryableError } from '../errors.ts';
import { isSelfSigned } from '../pki/signed-by.ts';
import {
  ANY_CERTIFICATE,
  type BackendDefinition,
  type Issued,
  type IssueRequest,
  NO_TRUST,
  type Pending,
  perSecond,
} from './backend.ts';
import type { BackendDeps, NewObject } from './backend-deps.ts';
import { foreignCondition, wordsOf } from './kubernetes/conditions.ts';
import { refuseWithoutCreate, telling } from './kubernetes/problems.ts';
import { certificatesIn, removeRequest } from './kubernetes/request.ts';
import { requestMetadata, requestText, sameWords } from './kubernetes/request-object.ts';
import { requestState } from './kubernetes/request-state.ts';
import { readableTrust } from './shared/readable-trust.ts';
import { readTrustBundle, TRUST_BUNDLE_PERMISSION } from './shared/trust-bundle.ts';

const OWN_GROUP = 'cert-manager.io';

/**
 * Any issuer of cert-manager, its own and external ones: a request is a CertificateRequest in the authority's namespace,
 * which cert-manager's approver (or whatever stands in for it) approves and the issuer answers.
 */
export const certManager: BackendDefinition<CertManagerBackend> = {
  type: 'certManager',
  capabilities: {
    ...ANY_CERTIFICATE,
    // Whatever the CA behind the issuer makes of it.
    lifetime: 'rounded',
    remote: true,
    // cert-manager makes 20 requests in a second for all that it does, and each certificate costs it several.
    rateLimit: perSecond(5),
    persistKey: true,
  },
  permissions: [
    TRUST_BUNDLE_PERMISSION,
    {
      apiGroups: [OWN_GROUP],
      resources: ['certificaterequests'],
      verbs: ['get', 'create', 'delete'],
      why: 'to ask issuers of cert-manager for certificates (certManager), and to remove what was answered',
    },
    {
      apiGroups: [OWN_GROUP],
      resources: ['issuers'],
      verbs: ['get'],
      why: 'to tell whether the issuer is ready',
    },
  ],
  clusterPermissions: [
    {
      apiGroups: [OWN_GROUP],
      resources: ['clusterissuers'],
      verbs: ['get'],
      why: 'to tell whether the issuer of the cluster is ready',
    },
  ],
  create: (spec, deps) => ({
    verified: 'requests may be made, and the issuer is ready as far as is known',
    trust: async () =>
      spec.trustBundle === undefined
        ? { ...NO_TRUST, isStatedWithAnswers: true }
        : readTrustBundle(spec.trustBundle, deps),
    check: () => check(spec, deps),
    issue: (request) => issue(spec, request, deps),
    forget: (request) => removeRequest(CERTIFICATE_REQUESTS, request, deps),
  }),
};

type IssuerRef = Required<CertManagerBackend['issuerRef']>;

function issuerOf({ issuerRef }: CertManagerBackend): IssuerRef {
  return { name: issuerRef.name, kind: issuerRef.kind ?? 'Issuer', group: issuerRef.group ?? OWN_GROUP };
}

async function check(spec: CertManagerBackend, { objects }: BackendDeps): Promise<void> {
  await refuseWithoutCreate('certManager', CERTIFICATE_REQUESTS, objects);
  const { name, kind, group } = issuerOf(spec);
  const resource = kind === 'ClusterIssuer' ? CLUSTER_ISSUERS : ISSUERS;
  // Other groups are APIs of other projects: only the requests show what an external issuer does.
  if (group !== OWN_GROUP || !(await objects.allowed({ verb: 'get', resource, name }))) return;
  const issuer = await telling(`${kind} ${name}`, objects.get(resource, name));
  const place = kind === 'ClusterIssuer' ? '' : ` in namespace ${objects.namespace}`;
  if (issuer === undefined)
    throw new AuthorityError('IssuerNotReady', `there is no ${kind} ${name}${place}, or cert-manager is not installed`);
  const ready = foreignCondition(issuer, 'Ready');
  if (ready?.status !== 'True')
    throw new AuthorityError(
      'IssuerNotReady',
      `${kind} ${name}${place} is not ready: ${ready === undefined ? 'cert-manager has not reconciled it yet' : wordsOf(ready)}`,
    );
}

async function issue(spec: CertManagerBackend, request: IssueRequest, deps: BackendDeps): Promise<Issued | Pending> {
  const { namespace } = deps.objects;
  const form = formOf(spec, request, namespace);
  const state = await requestState(form, ['Denied', 'InvalidRequest'], request, deps);
  const { found, name, what, certificate } = state;
  const ready = foreignCondition(found, 'Ready');
  if (ready?.reason === 'Failed') throw new RetryableError('RequestFailed', `${what} failed: ${wordsOf(ready)}`);
  const { ca } = (found.status ?? {}) as { ca?: string };
  if (certificate && ready?.status === 'True') return answerOf(spec, certificate, ca, what, name);

  if (!state.isApproved)
    return state.pending(
      `${what} waits for approval, by cert-manager's approver (does it run?) or a policy; by hand: cmctl approve -n ${namespace} ${name}`,
    );
  const { kind, name: issuer } = issuerOf(spec);
  const says = ready === undefined ? '' : `, which says ${wordsOf(ready)}`;
  return state.pending(`${what} is approved; waiting for ${kind} ${issuer}${says}`);
}

function formOf(spec: CertManagerBackend, request: IssueRequest, namespace: string) {
  const { identity, lifetimeMs } = request;
  const issuerRef = issuerOf(spec);
  return {
    resource: CERTIFICATE_REQUESTS,
    place: `in namespace ${namespace}`,
    object: (): NewObject => ({
      metadata: metadataFor(request, namespace),
      spec: {
        request: requestText(request),
        issuerRef,
        duration: formatDuration(lifetimeMs),
        usages: identity.usages,
        isCA: false,
      },
    }),
    hasOurTerms: ({ issuerRef: ref, duration, usages, isCA }: Readonly<Record<string, unknown>>) =>
      isSameIssuer((ref ?? {}) as Partial<IssuerRef>, issuerRef) &&
      // cert-manager's webhook writes it in another way.
      parseDuration(String(duration)) === parseDuration(formatDuration(lifetimeMs)) &&
      isCA !== true &&
      sameWords(usages, identity.usages),
  };
}

function isSameIssuer({ name, kind, group }: Partial<IssuerRef>, ours: IssuerRef): boolean {
  return name === ours.name && kind === ours.kind && group === ours.group;
}

function metadataFor(request: IssueRequest, namespace: string) {
  const { requester } = request;
  // The request is deleted with its owner; an owner in another namespace would have it deleted at once.
  const owner = requester.namespace === namespace ? { ownerReferences: [ownedBy(requester)] } : {};
  return { ...requestMetadata(request), ...owner };
}

function ownedBy({ name, uid }: IssueRequest['requester']) {
  const { kind } = CLIENT_CERTIFICATES;
  return { apiVersion: apiVersion(CLIENT_CERTIFICATES), kind, name, uid };
}

function answerOf(
  { trustBundle }: CertManagerBackend,
  certificate: string,
  ca: string | undefined,
  what: string,
  name: string,
): Issued {
  const chain = certificatesIn(certificate, `${what} holds no certificate`);
  if (trustBundle !== undefined) return { chain, externalId: name };
  if (!ca)
    throw new AuthorityError(
      'TrustBundleNotFound',
      `${what} came without a CA, since its issuer states none; name one in spec.certManager.trustBundle`,
    );
  const anchors = certificatesIn(ca, `${what} holds no CA in status.ca`);
  if (!anchors.every(({ isCA }) => isCA))
    throw new RetryableError('RequestFailed', `${what} holds a certificate in status.ca that is no CA`);
  const below = anchors.find((each) => !isSelfSigned(each));
  if (below !== undefined)
    throw new AuthorityError(
      'TrustBundleNotFound',
      `${what} names ${below.subjectText} as its CA, which is not a root; put the root ${below.issuerText} into spec.certManager.trustBundle`,
    );
  const { trust } = readableTrust({ anchors, intermediates: [] });
  return { chain, externalId: name, ca: trust.anchors };
}
