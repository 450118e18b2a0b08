/** What an API server can, found out by asking it: its version says nothing of its feature gates. */
import { ACCOUNT } from '../chart/support/account.ts';
import type { AuditEvent } from '../cluster/audit.ts';
import type { World } from '../e2e/support/world.ts';

const STREAM = 'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';

/** Why the API server lists by no stream (KEP-3157); undefined where it does. */
export async function whyNoStream({ cluster }: World): Promise<string | undefined> {
  const path = `/api/v1/namespaces/default/configmaps?${STREAM}&timeoutSeconds=1`;
  const { code, stdout, stderr } = await cluster.kubectl(['get', '--raw', path], { allowFailure: true });
  if (code !== 0) return stderr.trim();
  // A server that doesn't know the parameter passes over it, and never says that the list has ended.
  return stdout.includes('k8s.io/initial-events-end') ? undefined : 'it passes over sendInitialEvents';
}

/** How often a collection was asked for, of all that the chart's ServiceAccount has asked for. */
export interface Listed {
  readonly path: string;
  /** Status codes of the streams that were asked for. */
  readonly streams: readonly number[];
  readonly pages: number;
}

/** How the controller has filled its caches, by the audit log. */
export async function listsOfController({ cluster }: World): Promise<readonly Listed[]> {
  const events = (await cluster.auditEvents()).filter(({ user }) => user.username === ACCOUNT);
  const requests = [...new Map(events.map((event) => [event.auditID, event])).values()].map(described);
  const streamed = requests.filter(({ query }) => query.has('sendInitialEvents'));
  return [...new Set(streamed.map(({ path }) => path))].map((path) => ({
    path,
    streams: streamed.filter((each) => each.path === path).map(({ code }) => code),
    pages: requests.filter((each) => each.path === path && each.verb === 'list' && !isProbe(each)).length,
  }));
}

/** The preflight asks for one object. */
function isProbe({ query }: ReturnType<typeof described>): boolean {
  return query.get('limit') === '1';
}

function described({ requestURI, verb, responseStatus }: AuditEvent) {
  const { pathname, searchParams } = new URL(requestURI, 'https://api-server');
  // The same collection is watched under several selectors.
  const path = `${pathname}?${searchParams.get('labelSelector') ?? ''}`;
  return { path, query: searchParams, verb, code: responseStatus?.code ?? 0 };
}
