/** A fake API server that holds one ConfigMap, with an admission plugin of the test's choice. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as names from '../../api/names.ts';
import type { RawObject } from '../../api/parse.ts';
import { ApiError, CertwheelError } from '../../errors.ts';
import { makeCsr } from '../../pki/csr.ts';
import { generateKey } from '../../pki/keys.ts';
import { NO_NAMES } from '../../pki/san.ts';
import type { KubernetesObjects } from '../backend-deps.ts';
import type { CsrRequest } from './csr-manifest.ts';
import { CsrPace, csrObject } from './csr-object.ts';

const key = await generateKey({ algorithm: 'Ed25519' });
const identity = { subject: { commonName: 'alice' }, names: NO_NAMES, usages: [] };

function requestOf(name: string, owner: CsrRequest['owner'], uid = `uid of ${owner.name}`): CsrRequest {
  return {
    name,
    uid,
    owner,
    id: 'one',
    identity,
    lifetimeMs: 1_000,
    says: {},
    csr: () => makeCsr({ key, ...identity }),
  };
}

const ALICE = requestOf('alice', { resource: names.CLIENT_CERTIFICATES, name: 'alice' });

class Server {
  held: RawObject | undefined;
  writes = 0;
  readonly pace = new CsrPace({ monotonicMs: () => 0 });
  readonly #admit: (object: RawObject) => RawObject;

  constructor(admit: (object: RawObject) => RawObject = (object) => object) {
    this.#admit = admit;
  }

  readonly objects = {
    namespace: 'shop',
    get: async () => this.held,
    create: async (_resource: unknown, object: RawObject) => {
      if (this.held !== undefined) throw new ApiError(409, 'AlreadyExists', 'there is one');
      this.writes++;
      const admitted = this.#admit(structuredClone(object));
      this.held = { ...admitted, metadata: { ...admitted.metadata, namespace: 'shop', uid: `uid-${this.writes}` } };
      return this.held;
    },
    delete: async () => {
      this.held = undefined;
    },
  } as Partial<KubernetesObjects> as KubernetesObjects;
}

async function refusalOf(server: Server, request: CsrRequest): Promise<string> {
  try {
    await csrObject(request, undefined, server.objects, server.pace);
    return 'none';
  } catch (error) {
    return error instanceof CertwheelError ? `${error.code}: ${error.message}` : String(error);
  }
}

const without = (field: 'labels' | 'annotations', name: string) => (object: RawObject) => {
  const { [name]: _, ...kept } = object.metadata?.[field] ?? {};
  return { ...object, metadata: { ...object.metadata, [field]: kept } };
};

const ADMISSIONS: Readonly<Record<string, (object: RawObject) => RawObject>> = {
  'takes the label away': without('labels', names.CSR_OF_LABEL),
  'takes the uid away': without('annotations', names.CERTIFICATE_UID_ANNOTATION),
  'takes the id away': without('annotations', names.REQUEST_ANNOTATION),
  'makes it immutable': (object) => ({ ...object, immutable: true }),
  'changes the CSR': (object) => ({ ...object, data: { 'request.csr': 'none' } }),
};

for (const [does, admit] of Object.entries(ADMISSIONS))
  test(`where an admission plugin ${does}, each look says so, and leaves nothing behind`, async () => {
    const server = new Server(admit);
    for (let look = 0; look < 2; look++) {
      assert.match(await refusalOf(server, ALICE), 'is stored otherwise than it was sent');
      assert.is(server.held, undefined);
    }
  });

test('what a plugin adds is no change, and one object serves all looks', async () => {
  const server = new Server((object) => ({
    ...object,
    metadata: { ...object.metadata, labels: { ...object.metadata?.labels, team: 'shop' } },
  }));
  const first = await csrObject(ALICE, undefined, server.objects, server.pace);
  assert.is(await csrObject(ALICE, undefined, server.objects, server.pace), first);
  assert.is(server.writes, 1);
});

for (const [key, file] of [
  ['tls.crt', 'data'],
  ['denied', 'data'],
  ['tls.crt', 'binaryData'],
] as const)
  test(`an answer under ${key} in ${file} is kept where a person makes the ConfigMap immutable with it`, async () => {
    const server = new Server();
    const made = await csrObject(ALICE, undefined, server.objects, server.pace);
    server.held = { ...made, [file]: { ...made[file], [key]: 'AAAA' }, immutable: true };
    assert.is(await csrObject(ALICE, undefined, server.objects, server.pace), server.held);
    assert.is(server.writes, 1);
  });

test('a ConfigMap that is made immutable without an answer is created again, since none can be written into it', async () => {
  const server = new Server();
  const made = await csrObject(ALICE, undefined, server.objects, server.pace);
  server.held = { ...made, immutable: true };
  const again = await csrObject(ALICE, undefined, server.objects, server.pace);
  assert.equal([again.immutable, again.data], [undefined, made.data]);
});

test("another program's is not Certwheel's", async () => {
  const server = new Server();
  server.held = { metadata: { namespace: 'shop', name: 'alice-csr', uid: 'x' }, data: {} };
  assert.match(await refusalOf(server, ALICE), "exists and isn't Certwheel's; rename it if something uses it");
});

test.run();
