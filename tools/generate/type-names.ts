import type { BackendDefinition } from '../../src/backends/backend.ts';
import { BACKENDS } from '../../src/backends/index.ts';

/**
 * The names of the interfaces in TypeScript, by `<kind>.<path>`. Written out, so that a name is chosen and not derived;
 * an object in a CRD without a name here stops the generator. Only backends are named after their keys.
 */
const NAMES: Record<string, string> = {
  'ClientCertificate.spec': 'ClientCertificateSpec',
  'ClientCertificate.spec.authorityRef': 'AuthorityRef',
  'ClientCertificate.spec.subject': 'Subject',
  'ClientCertificate.spec.privateKey': 'PrivateKey',
  'ClientCertificate.spec.additionalOutputFormats[]': 'AdditionalOutputFormat',
  'ClientCertificate.spec.keystores': 'KeyStores',
  'ClientCertificate.spec.keystores.pkcs12': 'Pkcs12Stores',
  'ClientCertificate.spec.keystores.pkcs12.passwordSecretRef': 'SecretKeyReference',
  'ClientCertificate.spec.keystores.jks': 'JksStores',
  'ClientCertificate.spec.keystores.jks.passwordSecretRef': 'SecretKeyReference',
  'ClientCertificate.spec.secretDataNames': 'SecretDataNames',
  'ClientCertificate.spec.secretTemplate': 'SecretTemplate',
  'ClientCertificate.status': 'ClientCertificateStatus',
  'ClientCertificate.status.conditions[]': 'Condition',
  'ClientCertificate.status.lastFailure': 'LastFailure',
  'CertificateAuthority.spec': 'CertificateAuthoritySpec',
  'CertificateAuthority.spec.issuancePolicy': 'IssuancePolicy',
  'CertificateAuthority.spec.issuancePolicy.rules[]': 'IssuanceRule',
  'ClusterCertificateAuthority.spec': 'ClusterCertificateAuthoritySpec',
  'ClusterCertificateAuthority.spec.issuancePolicy': 'ClusterIssuancePolicy',
  'ClusterCertificateAuthority.spec.issuancePolicy.rules[]': 'ClusterIssuanceRule',
  'ClusterCertificateAuthority.spec.allowedNamespaces': 'AllowedNamespaces',
  'ClusterCertificateAuthority.spec.allowedNamespaces.selector': 'LabelSelector',
  'ClusterCertificateAuthority.spec.allowedNamespaces.selector.matchExpressions[]': 'LabelSelectorRequirement',
  'CertificateApproval.spec': 'CertificateApprovalSpec',
  'CertificateApproval.spec.clientCertificateRef': 'ClientCertificateRef',
  'CertificateApproval.spec.authorityRef': 'AuthorityRef',
  'CertificateApproval.spec.request': 'ApprovedRequest',
  'CertificateApproval.spec.request.subject': 'Subject',
  'CertificateApproval.spec.request.privateKey': 'ApprovedKey',
  'ClusterCertificateAuthority.spec.issuancePolicy.rules[].namespaces': 'AllowedNamespaces',
  'ClusterCertificateAuthority.spec.issuancePolicy.rules[].namespaces.selector': 'LabelSelector',
  'ClusterCertificateAuthority.spec.issuancePolicy.rules[].namespaces.selector.matchExpressions[]':
    'LabelSelectorRequirement',
  'CertificateAuthority.spec.trust': 'AuthorityTrust',
  'CertificateAuthority.spec.trust.targets[]': 'TrustTarget',
  'ClusterCertificateAuthority.spec.trust': 'ClusterAuthorityTrust',
  'ClusterCertificateAuthority.spec.trust.targets[]': 'ClusterTrustTarget',
  'ClusterCertificateAuthority.spec.trust.targets[].clusterTrustBundle': 'ClusterTrustBundleReference',
  'ClusterCertificateAuthority.spec.trust.targets[].namespaces': 'AllowedNamespaces',
  'ClusterCertificateAuthority.spec.trust.targets[].namespaces.selector': 'LabelSelector',
  'ClusterCertificateAuthority.spec.trust.targets[].namespaces.selector.matchExpressions[]': 'LabelSelectorRequirement',
  'CertificateAuthority.spec.trust.verifiers[]': 'Verifier',
  'CertificateAuthority.spec.trust.verifiers[].service': 'VerifierService',
  'ClusterCertificateAuthority.spec.trust.verifiers[]': 'ClusterVerifier',
  'ClusterCertificateAuthority.spec.trust.verifiers[].service': 'ClusterVerifierService',
};

/** What both kinds of authority have in common. */
const AUTHORITY_NAMES: Record<string, string> = {
  'spec.selfManaged.subject': 'Subject',
  'spec.selfManaged.privateKey': 'CAPrivateKey',
  'spec.stepCA.provisioner': 'StepCAProvisioner',
  'spec.stepCA.provisioner.secretRef': 'StepCASecretRef',
  'spec.vault.auth': 'VaultAuth',
  'spec.vault.auth.kubernetes': 'VaultKubernetesAuth',
  'spec.vault.auth.appRole': 'VaultAppRole',
  'spec.vault.auth.appRole.secretRef': 'VaultSecretId',
  'spec.vault.auth.tokenSecretRef': 'VaultTokenSecret',
  'spec.certManager.issuerRef': 'IssuerReference',
  'spec.limits': 'AuthorityLimits',
  'spec.issuancePolicy.rules[].subject': 'AllowedSubject',
  'spec.caRotation': 'CARotationSpec',
  'spec.caRotation.reissue': 'ReissueSpec',
  'spec.rateLimit': 'RateLimit',
  'spec.quota': 'IssuanceQuota',
  'spec.trust.sources[]': 'TrustSource',
  'spec.trust.sources[].configMap': 'KeyReference',
  'spec.trust.sources[].spiffeBundle': 'SpiffeBundleSource',
  'spec.trust.sources[].permittedNames': 'PermittedNames',
  'spec.trust.targets[].additionalFormats[]': 'TrustStoreFormat',
  'spec.trust.targets[].configMap': 'TargetName',
  'spec.trust.targets[].secret': 'TargetName',
  'spec.trust.verifiers[].serverCA': 'ServerCA',
  'spec.trust.verifiers[].serverCA.configMap': 'KeyReference',
  'spec.trust.verifiers[].serverCA.secret': 'KeyReference',
  'spec.trust.verifiers[].protocol': 'VerifierProtocol',
  'spec.trust.verifiers[].protocol.tls': 'VerifierTls',
  'spec.trust.verifiers[].protocol.http': 'VerifierHttp',
  status: 'AuthorityStatus',
  'status.trust': 'TrustStatus',
  'status.trust.sources[]': 'TrustSourceStatus',
  'status.trust.targets[]': 'TrustTargetStatus',
  'status.trust.targets[].waiting[]': 'WaitingTarget',
  'status.demand': 'AuthorityDemand',
  'status.conditions[]': 'Condition',
  'status.generations[]': 'CAGeneration',
  'status.caRotation': 'CARotationStatus',
  'status.caRotation.plan[]': 'CARotationStep',
  'status.caRotation.requests[]': 'CARotationRequest',
  'status.verifiers[]': 'VerifierStatus',
  'status.verifiers[].generations[]': 'VerifierGeneration',
};

/** What several backends have in common, by the path below their key. */
const BACKEND_PARTS: Record<string, string> = {
  trustBundle: 'TrustBundleSource',
  'trustBundle.configMap': 'KeyReference',
  'trustBundle.secret': 'KeyReference',
};

const BACKEND_TYPES = (BACKENDS as readonly BackendDefinition<never>[]).map(({ type }) => type);

export function typeName(kind: string, path: string): string {
  const name =
    NAMES[`${kind}.${path}`] ??
    (kind.endsWith('Authority') ? (AUTHORITY_NAMES[path] ?? nameInBackend(path)) : undefined);
  if (name === undefined)
    throw new Error(`${kind} ${path} has no name in TypeScript: add one to tools/generate/type-names.ts`);
  return name;
}

/** `spec.stepCA` is StepCABackend. */
function nameInBackend(path: string): string | undefined {
  const [spec, type = '', ...below] = path.split('.');
  if (spec !== 'spec' || !BACKEND_TYPES.includes(type)) return undefined;
  return below.length === 0 ? `${type.charAt(0).toUpperCase()}${type.slice(1)}Backend` : BACKEND_PARTS[below.join('.')];
}
