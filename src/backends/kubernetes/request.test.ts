/** A fake API server that holds one object: what stands under the name of a request needn't be ours. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FakeClock } from '../../../test/unit/fake-clock.ts';
import { issueRequest } from '../../../test/unit/issue-request.ts';
import { SILENT } from '../../../test/unit/own-authority.ts';
import type { RawObject } from '../../api/parse.ts';
import { ApiError, CertwheelError } from '../../errors.ts';
import type { BackendDefinition } from '../backend.ts';
import type { BackendDeps } from '../backend-deps.ts';
import { certManager } from '../cert-manager.ts';
import { kubernetesCSR } from '../kubernetes-csr.ts';
import { requestName, requestText } from './request-object.ts';

const NOW = new Date('2026-01-01T00:00:00Z');
const { signal } = new AbortController();

interface Written {
  readonly verb: string;
  readonly name: unknown;
  readonly uid?: unknown;
}

/** The server, and what was done to its object. */
class Server {
  object: RawObject | undefined;
  readonly written: Written[] = [];
  /** What a deletion is answered with, if not by success. */
  refusal: ApiError | undefined;

  /** Changes fields of the spec, as another writer may have done. */
  change(fields: object): void {
    this.object = { ...this.object, spec: { ...(this.object?.spec as object), ...fields } };
  }

  readonly objects: BackendDeps['objects'] = {
    namespace: 'shop',
    get: async () => this.object,
    create: async (_resource, object) => {
      if (this.object !== undefined) throw new ApiError(409, 'AlreadyExists', 'there is one');
      const { metadata, ...rest } = JSON.parse(JSON.stringify(object)) as RawObject;
      this.object = { ...rest, metadata: { ...metadata, uid: 'uid-1' } };
      return this.object;
    },
    apply: async () => {
      throw new Error('nothing is applied here');
    },
    applySubresource: async (_resource, verb, { metadata: { name, uid } }) => {
      this.written.push({ verb, name, uid });
      return {};
    },
    delete: async () => {
      if (this.refusal !== undefined) throw this.refusal;
    },
    allowed: async () => true,
  };
}

function bench(definition: BackendDefinition<never>, spec: object, clusterWide = true) {
  const server = new Server();
  const deps: Pick<BackendDeps, 'name' | 'clusterWide' | 'clock' | 'log' | 'objects'> = {
    name: 'shop/ca',
    clusterWide,
    clock: new FakeClock(NOW),
    log: SILENT,
    objects: server.objects,
  };
  return { server, backend: definition.create(spec as never, deps as BackendDeps) };
}

async function codeOf(work: Promise<unknown> | undefined): Promise<string> {
  try {
    await work;
  } catch (error) {
    return error instanceof CertwheelError ? error.code : String(error);
  }
  return 'none';
}

const CSR_SPEC = { signerName: 'example.com/clients', approve: true, trustBundle: { inline: '' } };
const CSR_CHANGES = [
  { signerName: 'kubernetes.io/kube-apiserver-client' },
  { expirationSeconds: 315_360_000 },
  { expirationSeconds: undefined },
  { usages: ['client auth'] },
  { usages: ['digital signature', 'client auth', 'server auth'] },
  { usages: 'client auth' },
];
const ISSUER_SPEC = { issuerRef: { name: 'issuer' } };
const ISSUER_CHANGES = [
  { issuerRef: { name: 'other', kind: 'Issuer', group: 'cert-manager.io' } },
  { issuerRef: { name: 'issuer', kind: 'ClusterIssuer', group: 'cert-manager.io' } },
  { issuerRef: { name: 'issuer', kind: 'Issuer', group: 'example.com' } },
  { issuerRef: undefined },
  { duration: '8760h' },
  { duration: undefined },
  { isCA: true },
  { usages: ['digital signature', 'client auth', 'cert sign'] },
];

for (const [definition, spec, changes] of [
  [kubernetesCSR, CSR_SPEC, CSR_CHANGES],
  [certManager, ISSUER_SPEC, ISSUER_CHANGES],
] as const) {
  const { type } = definition;

  test(`${type}: what asks for something else under our name is neither taken nor approved`, async () => {
    const request = await issueRequest();
    const forOther = requestText(await issueRequest('mallory'));
    for (const change of [...changes, { request: forOther }, { request: 'AA==' }, {}]) {
      const { server, backend } = bench(definition, spec);
      await backend.issue(request, signal);
      server.written.length = 0;
      server.change(change);
      const isOurs = Object.keys(change).length === 0;
      const what = JSON.stringify(change);
      for (const ticket of [undefined, request.id])
        assert.is(await codeOf(backend.issue({ ...request, ticket }, signal)), isOurs ? 'none' : 'RequestFailed', what);
      assert.is(server.written.length > 0, isOurs && type === 'kubernetesCSR', what);
    }
  });

  test(`${type}: one that may not be removed delays no other`, async () => {
    const { server, backend } = bench(definition, spec);
    const forgetting = async () => codeOf(backend.forget?.(await issueRequest(), signal));
    server.refusal = new ApiError(403, 'Forbidden', 'not yours');
    assert.is(await forgetting(), 'none');
    server.refusal = new ApiError(503, 'ServiceUnavailable', 'later');
    assert.match(await forgetting(), 'later');
  });
}

test('approval is for the very object that was read', async () => {
  const { server, backend } = bench(kubernetesCSR, CSR_SPEC);
  const request = await issueRequest();
  await backend.issue(request, signal);
  assert.equal(server.written, [{ verb: 'approval', name: requestName(request), uid: 'uid-1' }]);
});

test('an authority of one namespace approves nothing', async () => {
  const { server, backend } = bench(kubernetesCSR, CSR_SPEC, false);
  assert.is(await codeOf(backend.issue(await issueRequest(), signal)), 'BackendForbidden');
  assert.is(await codeOf(backend.check(signal)), 'BackendForbidden');
  assert.is(server.object, undefined);
});

test('no id makes the name of a request of another namespace', async () => {
  const requester = (namespace: string) => ({ namespace, name: 'x', uid: 'x' });
  const victim = requestName({ id: 'u-1', requester: requester('a-b') });
  for (const id of ['b.u-1', 'b-u-1', 'u-1', '../certwheel-a-b.u-1', '/u-1'])
    assert.is.not(requestName({ id, requester: requester('a') }), victim);
});

test.run();
