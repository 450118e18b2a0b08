import * as assert from 'uvu/assert';
import type { Pkcs11Backend } from '../../../src/api/generated/types.ts';
import type { Backend, OfferedCa } from '../../../src/backends/backend.ts';
import type { BackendDeps } from '../../../src/backends/backend-deps.ts';
import { pkcs11 as definition } from '../../../src/backends/pkcs11.ts';
import { systemClock } from '../../../src/clock.ts';
import type { CertwheelError } from '../../../src/errors.ts';
import { onStop } from '../../teardown.ts';
import { issueRequest, leafOf } from '../../unit/issue-request.ts';
import { pkcs11Spec } from './pkcs11-subject.ts';
import type { SoftHsm } from './servers/pkcs11.ts';

/** The backend by itself, in this process, with a real token: for what takes too long by way of a controller. */
export interface Direct {
  readonly backend: Backend;
  /** What stands in each Secret and ConfigMap; may be changed at any time. */
  readonly objects: Map<string, Record<string, string>>;
  /** The CA that signs: the first one that is offered, unless it is set. */
  signing: OfferedCa | undefined;
}

interface Given {
  readonly uri: string;
  readonly pin: string;
  readonly certificate: string;
  readonly spec?: Partial<Pkcs11Backend>;
  /** In place of the rules for tests: a ClusterCertificateAuthority with this addon and library. */
  readonly hsm?: Partial<BackendDeps['hsm']>;
  readonly clusterWide?: boolean;
}

export function direct(hsm: SoftHsm, given: Given): Direct {
  const objects = new Map<string, Record<string, string>>([
    ['hsm-pin', { pin: given.pin }],
    ['hsm-ca', { 'tls.crt': given.certificate }],
  ]);
  const read = async (name: string) => {
    const found = objects.get(name);
    return found && Object.fromEntries(Object.entries(found).map(([key, value]) => [key, Buffer.from(value)]));
  };
  const quiet = () => {};
  const deps = {
    name: 'ns/ca',
    clusterWide: given.clusterWide ?? true,
    clock: systemClock,
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    objects: { namespace: 'ns' },
    hsm: {
      addon: hsm.addon,
      library: hsm.spied,
      pinFolder: undefined,
      tenantTokens: [],
      mostProcesses: 1_000,
      ...given.hsm,
    },
    signing: () => made.signing && { version: 1, path: made.signing.path, issuerRef: made.signing.ref },
    trusted: () => [],
    secret: read,
    configMap: read,
  } as unknown as BackendDeps;
  const spec = { ...pkcs11Spec(given.uri), ...given.spec } as Pkcs11Backend;
  const backend = definition.create(spec, deps);
  onStop(() => backend.close?.());
  const made: Direct = { backend, objects, signing: undefined };
  return made;
}

/** With the CA that it offers as the one that signs. */
export async function started(hsm: SoftHsm, given: Given): Promise<Direct> {
  const made = direct(hsm, given);
  made.signing = (await made.backend.trust(new AbortController().signal)).offered;
  return made;
}

/** A token with a PIN of its own, and a CA key in it with its certificate. */
export async function newToken(hsm: SoftHsm, name: string) {
  const access = { token: name, pin: '1234' };
  await hsm.addToken(name, access.pin);
  await hsm.addKey(access, { label: 'ca', id: '01' });
  const uri = `pkcs11:token=${name};object=ca`;
  return { hsm, uri, pin: access.pin, certificate: await hsm.selfSign(uri, access.pin, `/CN=${name}`) };
}

export async function failure(asking: Promise<unknown>): Promise<CertwheelError> {
  const error = await asking.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof Error, 'it was expected to fail');
  return error as CertwheelError;
}

export async function issue({ backend }: Pick<Direct, 'backend'>, name = 'alice') {
  return leafOf(await backend.issue(await issueRequest(name), new AbortController().signal));
}
