import type { BackendDefinition } from '../../src/backends/backend.ts';
import { BACKENDS } from '../../src/backends/index.ts';

/**
 * The names of the interfaces in TypeScript, by `<kind>.<path>`. Written out, so that a name is chosen and not derived;
 * an object in a CRD without a name here stops the generator. Only backends are named after their keys.
 */
const NAMES: Record<string, string> = {
  'ClientCertificate.spec': 'ClientCertificateSpec',
  'ClientCertificate.spec.authorityRef': 'AuthorityRef',
  'ClientCertificate.spec.csr': 'RequestOfClient',
  'ClientCertificate.spec.csr.configMapKeyRef': 'RequestKeyReference',
  'ClientCertificate.spec.csr.secretKeyRef': 'RequestKeyReference',
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
  'ClientCertificate.status.revocations[]': 'CertificateRevocation',
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
  'spec.selfManaged.externalRoot': 'ExternalRoot',
  'spec.selfManaged.externalRoot.trustBundle': 'TrustBundleSource',
  'spec.selfManaged.externalRoot.trustBundle.configMap': 'KeyReference',
  'spec.selfManaged.externalRoot.trustBundle.secret': 'KeyReference',
  'spec.pkcs11.pinSecretRef': 'Pkcs11PinSecret',
  'spec.pkcs11.certificate': 'Pkcs11Certificate',
  'spec.pkcs11.certificate.configMap': 'TargetName',
  'spec.pkcs11.certificate.secret': 'TargetName',
  'spec.stepCA.provisioner': 'StepCAProvisioner',
  'spec.stepCA.provisioner.secretRef': 'StepCASecretRef',
  'spec.stepCA.provisioner.x5c': 'StepCAX5C',
  'spec.stepCA.provisioner.x5c.secretRef': 'StepCAX5CSecret',
  'spec.stepCA.provisioner.k8sSA': 'StepCAServiceAccount',
  'spec.stepCA.provisioner.k8sSA.secretRef': 'StepCAServiceAccountToken',
  'spec.vault.auth': 'VaultAuth',
  'spec.vault.auth.kubernetes': 'VaultKubernetesAuth',
  'spec.vault.auth.appRole': 'VaultAppRole',
  'spec.vault.auth.appRole.secretRef': 'VaultSecretId',
  'spec.vault.auth.jwt': 'VaultJwtAuth',
  'spec.vault.auth.jwt.serviceAccountRef': 'VaultJwtServiceAccount',
  'spec.vault.auth.jwt.secretRef': 'VaultJwtSecret',
  'spec.vault.auth.cert': 'VaultCertAuth',
  'spec.vault.auth.cert.secretRef': 'VaultCertSecret',
  'spec.vault.auth.aws': 'VaultAwsAuth',
  'spec.vault.auth.aws.credentials': 'AwsAuth',
  'spec.vault.auth.aws.credentials.secretRef': 'AwsAccessKey',
  'spec.vault.auth.aws.credentials.serviceAccountRef': 'AwsServiceAccount',
  'spec.vault.auth.aws.credentials.ambient': 'AwsAmbientCredentials',
  'spec.vault.auth.tokenSecretRef': 'VaultTokenSecret',
  'spec.googleCAS.auth': 'GoogleCASAuth',
  'spec.googleCAS.auth.secretRef': 'GoogleCASKeyFile',
  'spec.googleCAS.auth.workloadIdentity': 'GoogleCASWorkloadIdentity',
  'spec.googleCAS.auth.workloadIdentity.serviceAccountRef': 'GoogleCASServiceAccount',
  'spec.googleCAS.auth.ambient': 'GoogleCASAmbient',
  'spec.awsPrivateCA.auth': 'AwsAuth',
  'spec.awsPrivateCA.auth.secretRef': 'AwsAccessKey',
  'spec.awsPrivateCA.auth.serviceAccountRef': 'AwsServiceAccount',
  'spec.awsPrivateCA.auth.ambient': 'AwsAmbientCredentials',
  'spec.cloudflare.apiTokenSecretRef': 'CloudflareTokenSecret',
  'spec.certManager.issuerRef': 'IssuerReference',
  'spec.acme.externalAccountBinding': 'AcmeAccountBinding',
  'spec.acme.externalAccountBinding.keySecretRef': 'AcmeBindingKey',
  'spec.acme.solvers[]': 'AcmeSolver',
  'spec.acme.solvers[].selector': 'AcmeSolverSelector',
  'spec.acme.solvers[].dns01': 'AcmeDns01Solver',
  'spec.acme.solvers[].dns01.rfc2136': 'Rfc2136Solver',
  'spec.acme.solvers[].dns01.rfc2136.tsigSecretSecretRef': 'TsigSecretReference',
  'spec.acme.solvers[].dns01.webhook': 'WebhookSolver',
  'spec.acme.solvers[].dns01.webhook.secretRef': 'WebhookSecretRef',
  'spec.acme.solvers[].dns01.propagation': 'PropagationCheck',
  'spec.acme.solvers[].http01': 'AcmeHttp01Solver',
  'spec.limits': 'AuthorityLimits',
  'spec.issuancePolicy.rules[].subject': 'AllowedSubject',
  'spec.fallback': 'FallbackSpec',
  'spec.caRotation': 'CARotationSpec',
  'spec.caRotation.reissue': 'ReissueSpec',
  'spec.revocation': 'RevocationSpec',
  'spec.revocation.crl': 'CRLSpec',
  'spec.revocation.crl.upper[]': 'UpperCRL',
  'spec.revocation.crl.upper[].configMap': 'CRLReference',
  'spec.rateLimit': 'RateLimit',
  'spec.quota': 'IssuanceQuota',
  'spec.trust.sources[]': 'TrustSource',
  'spec.trust.sources[].configMap': 'KeyReference',
  'spec.trust.sources[].spiffeBundle': 'SpiffeBundleSource',
  'spec.trust.sources[].permittedNames': 'PermittedNames',
  'spec.trust.targets[].additionalFormats[]': 'TrustStoreFormat',
  'spec.trust.targets[].cloudflareMTLS': 'CloudflareMTLS',
  'spec.trust.targets[].crl': 'CRLOfTarget',
  'spec.trust.targets[].cloudflareMTLS.apiTokenSecretRef': 'CloudflareTokenSecret',
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
  'status.revocation': 'RevocationStatus',
  'status.revocation.problems[]': 'RevocationProblem',
  'status.revocation.crls[]': 'CRLStatus',
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
