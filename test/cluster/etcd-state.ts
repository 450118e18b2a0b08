/** The whole state of a cluster as etcd holds it, and the way back to it, by the JSON gateway of etcd's v3 API. */

/** Values of keys, in the base64 that the gateway speaks, with the revision at which each was last written. */
export type ClusterState = ReadonlyMap<string, { readonly value: string; readonly revision: string }>;

interface KeyValue {
  readonly key: string;
  readonly value?: string;
  readonly mod_revision: string;
  /** Of what goes away by itself, such as events. */
  readonly lease?: string;
}

const base64 = (text: string) => Buffer.from(text).toString('base64');
const ALL = { key: base64('/registry/'), range_end: base64('/registry0') };

/** What the API server keeps for itself: its addresses, its identity, and which groups of the API it serves. */
const ITS_OWN = ['/registry/masterleases/', '/registry/leases/kube-system/', '/registry/apiregistration.k8s.io/'];

/** etcd takes so many operations in one transaction. */
const BATCH = 128;

export async function readState(etcdUrl: string): Promise<ClusterState> {
  const found = await range(etcdUrl, {});
  const lasting = found.filter(({ lease, key }) => lease === undefined && !isItsOwn(key));
  return new Map(lasting.map(({ key, value = '', mod_revision: revision }) => [key, { value, revision }]));
}

/**
 * Puts the cluster back into that state, behind the API server's back: it learns of each change by its own watches of
 * etcd. Answers the state with the revisions that its keys have now.
 */
export async function restoreState(etcdUrl: string, state: ClusterState): Promise<ClusterState> {
  const present = new Map((await range(etcdUrl, { keys_only: true })).map((each) => [each.key, each.mod_revision]));
  const gone = [...present.keys()].filter((key) => !state.has(key) && !isItsOwn(key));
  const changed = [...state].filter(([key, { revision }]) => present.get(key) !== revision);
  const operations = [
    ...gone.map((key) => ({ request_delete_range: { key } })),
    ...changed.map(([key, { value }]) => ({ request_put: { key, value } })),
  ];
  for (let index = 0; index < operations.length; index += BATCH)
    await post(etcdUrl, 'txn', { success: operations.slice(index, index + BATCH) });
  return changed.length === 0 ? state : readState(etcdUrl);
}

function isItsOwn(key: string): boolean {
  const path = Buffer.from(key, 'base64').toString();
  return ITS_OWN.some((prefix) => path.startsWith(prefix));
}

async function range(etcdUrl: string, options: Readonly<Record<string, unknown>>): Promise<readonly KeyValue[]> {
  const { kvs = [] } = (await post(etcdUrl, 'range', { ...ALL, ...options })) as { kvs?: readonly KeyValue[] };
  return kvs;
}

async function post(etcdUrl: string, what: string, body: unknown): Promise<unknown> {
  const response = await fetch(`${etcdUrl}/v3/kv/${what}`, { method: 'POST', body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`etcd refused ${what} (${response.status}): ${await response.text()}`);
  return response.json();
}
