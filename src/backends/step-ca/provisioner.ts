import type { StepCABackend } from '../../api/generated/types.ts';
import { AuthorityError } from '../../errors.ts';
import type { BackendDeps } from '../backend-deps.ts';
import { membersOf } from '../http/json-members.ts';
import type { StepServer } from './server.ts';

/** What a token is for. */
export interface TokenPurpose {
  readonly path: '/1.0/sign' | '/1.0/revoke';
  readonly subject: string;
  readonly sans?: readonly string[];
  /** DER of the request that it is for: it is good for no other one. */
  readonly csr?: Buffer;
}

/** A provisioner of step-ca with the credential that Certwheel has of it. */
export interface Provisioner {
  /** Whether its certificates are made by a template of its own. */
  readonly hasTemplate: boolean;
  /** Throws an AuthorityError where the credential can't be had. */
  token(purpose: TokenPurpose): Promise<string>;
  /** What no certificate may outlive, where that is so. */
  limit?(): Promise<{ readonly notAfter: Date; readonly place: string }>;
  /** Whether step-ca takes its tokens for revocations too. */
  readonly canRevoke: boolean;
}

/** Reads the provisioner and the credential, and compares them. Throws an AuthorityError. */
export type FindProvisioner = (signal: AbortSignal) => Promise<Provisioner>;

export interface ProvisionerDeps {
  readonly spec: StepCABackend;
  readonly server: StepServer;
  readonly deps: Pick<BackendDeps, 'secret' | 'objects' | 'clock'>;
}

export type ProvisionerType = 'JWK' | 'X5C' | 'K8sSA';

/** What step-ca lists of a provisioner. */
export interface Listed {
  readonly hasTemplate: boolean;
  readonly members: Readonly<Record<string, unknown>>;
}

/** The provisioner of that type and name; names are unique. Throws an AuthorityError where there is none. */
export async function listedProvisioner(
  type: ProvisionerType,
  { spec, server }: ProvisionerDeps,
  signal: AbortSignal,
): Promise<Listed> {
  const { name } = spec.provisioner;
  for (const each of await server.provisioners(signal)) {
    const members = membersOf(each);
    // step-ca lists the type as ca.json has it, and the step CLI writes K8SSA.
    if (String(members.type).toUpperCase() !== type.toUpperCase() || members.name !== name) continue;
    const { template, templateFile } = membersOf(membersOf(members.options).x509);
    return { hasTemplate: Boolean(template || templateFile), members };
  }
  throw new AuthorityError(
    'AuthorityMisconfigured',
    `step-ca has no provisioner of type ${type} with the name ${name}; see: step ca provisioner list`,
  );
}

/** A list of PEM that stands in JSON as base64. Empty for what is none. */
export function pemIn(value: unknown): string {
  return typeof value === 'string' ? Buffer.from(value, 'base64').toString('latin1') : '';
}
