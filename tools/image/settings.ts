import { ENVIRONMENT, NODE_FLAGS } from '../runtime.ts';
import { createdAt, type Source } from './source.ts';

export const USER_ID = 65532;
export const NODE = '/usr/local/bin/node';
export const PROGRAM = '/app/certwheel.mjs';

/** How a container of the image is run: the `config` of an OCI image, and what the Dockerfile must say too. */
export interface Settings {
  readonly User: string;
  readonly ExposedPorts: Readonly<Record<string, object>>;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly WorkingDir: string;
  readonly Labels: Readonly<Record<string, string>>;
}

export function settings(source: Source): Settings {
  return {
    // A number: Kubernetes can't tell of a name whether it is root.
    User: `${USER_ID}:${USER_ID}`,
    ExposedPorts: { '8080/tcp': {}, '8081/tcp': {} },
    Env: Object.entries(ENVIRONMENT).map(([name, value]) => `${name}=${value}`),
    Entrypoint: [NODE, ...NODE_FLAGS, PROGRAM],
    WorkingDir: '/',
    Labels: labels(source),
  };
}

/** The same on the image's configuration (labels) and on its manifest (annotations). */
export function labels(source: Source): Record<string, string> {
  return {
    'org.opencontainers.image.created': createdAt(source),
    'org.opencontainers.image.description': source.description,
    'org.opencontainers.image.licenses': source.license,
    ...(source.revision === undefined ? {} : { 'org.opencontainers.image.revision': source.revision }),
    'org.opencontainers.image.title': source.name,
    'org.opencontainers.image.version': source.version,
  };
}
