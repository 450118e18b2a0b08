import { ENVIRONMENT, NODE_FLAGS } from '../runtime.ts';
import { createdAt, type Release, type Source } from './source.ts';

export const USER_ID = 65532;
export const NODE = '/usr/local/bin/node';
export const PROGRAM = '/app/certwheel.mjs';
/** Answers challenges of ACME servers: a program of its own, without rights. */
export const RESPONDER = '/app/acme-responder.mjs';
/** Serves CRLs and OCSP answers: a program of its own, without CA keys. */
export const REVOCATION_RESPONDER = '/app/responder.mjs';

/** Of the image certwheel-pkcs11 alone: the process that loads the library of an HSM, and the folder of its native module. */
export const PKCS11_SIGNER = '/app/pkcs11-signer.mjs';
export const PKCS11_ADDON = '/app/pkcs11js';

/** How a container of the image is run: the `config` of an OCI image. The Dockerfile is generated from it. */
export interface Settings {
  readonly User: string;
  readonly ExposedPorts: Readonly<Record<string, object>>;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly WorkingDir: string;
  readonly Labels: Readonly<Record<string, string>>;
}

export function settings(source: Source): Settings {
  return { ...releaseSettings(source), Labels: labels(source) };
}

/** The same of the image certwheel-pkcs11. */
export function pkcs11Settings(source: Source): Settings {
  const plain = settings(source);
  return { ...plain, Env: [...plain.Env, `CERTWHEEL_PKCS11_ADDON=${PKCS11_ADDON}`] };
}

/** The settings of all builds of a release: without the labels that follow from the commit. */
export function releaseSettings(release: Release): Settings {
  return {
    // A number: Kubernetes can't tell of a name whether it is root.
    User: `${USER_ID}:${USER_ID}`,
    ExposedPorts: { '8080/tcp': {}, '8081/tcp': {} },
    Env: Object.entries(ENVIRONMENT).map(([name, value]) => `${name}=${value}`),
    Entrypoint: [NODE, ...NODE_FLAGS, PROGRAM],
    WorkingDir: '/',
    Labels: releaseLabels(release),
  };
}

/** The same on the image's configuration (labels) and on its manifest (annotations). */
export function labels(source: Source): Record<string, string> {
  return {
    ...releaseLabels(source),
    'org.opencontainers.image.created': createdAt(source),
    ...(source.revision === undefined ? {} : { 'org.opencontainers.image.revision': source.revision }),
  };
}

function releaseLabels({ name, version, description, license }: Release): Record<string, string> {
  return {
    'org.opencontainers.image.title': name,
    'org.opencontainers.image.description': description,
    'org.opencontainers.image.licenses': license,
    'org.opencontainers.image.version': version,
  };
}
