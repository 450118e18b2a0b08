import type { PlainApi } from '../../support/plain-api.ts';

/** A request to the API server. */
export interface Ask {
  /** PATCH is a merge patch, APPLY a server-side apply. */
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'APPLY' | 'DELETE';
  readonly path: string;
  readonly body?: object;
}

export const get = (path: string): Ask => ({ method: 'GET', path });
export const post = (path: string, body: object): Ask => ({ method: 'POST', path, body });
export const patch = (path: string, body: object): Ask => ({ method: 'PATCH', path, body });
export const remove = (path: string): Ask => ({ method: 'DELETE', path });

/** What a thief may try with the token of the controller's ServiceAccount. */
export interface Act {
  readonly what: string;
  /** The right that it takes, as rightsOf spells it. */
  readonly right: string;
  readonly ask: Ask;
  /** Why it is denied; undefined for what succeeds. */
  readonly denied?: RegExp;
  /** The same act as the controller does it, which succeeds; without one, an administrator succeeds with the act itself. */
  readonly legitimate?: Ask;
}

/** What RBAC says to those who lack a right. */
export const NO_RIGHT = /cannot \w+ resource/;

/** Why the API server denied a request; empty where it didn't. That an object is missing is no denial. */
export async function denialOf({ open, send }: PlainApi, { method, path, body }: Ask): Promise<string> {
  try {
    if (method === 'GET') (await open(path)).destroy();
    else if (method === 'APPLY')
      await send('PATCH', `${path}?fieldManager=certwheel`, body, 'application/apply-patch+yaml');
    else await send(method, path, body, method === 'PATCH' ? 'application/merge-patch+json' : 'application/json');
    return '';
  } catch (error) {
    const { message } = error as Error;
    return / was answered 404/.test(message) ? '' : message;
  }
}

/** The same act without a lasting effect: admission and validation take place. */
export function rehearsed({ path, ...ask }: Ask): Ask {
  return { ...ask, path: `${path}?dryRun=All` };
}

interface Rules {
  readonly status: {
    readonly incomplete: boolean;
    readonly resourceRules: readonly {
      readonly verbs: readonly string[];
      readonly apiGroups?: readonly string[];
      readonly resources?: readonly string[];
      readonly resourceNames?: readonly string[];
    }[];
    readonly nonResourceRules: readonly {
      readonly verbs: readonly string[];
      readonly nonResourceURLs?: readonly string[];
    }[];
  };
}

/** Every right of a user in a namespace, such as `patch leases.coordination.k8s.io certwheel`. */
export async function rightsOf({ send }: PlainApi, namespace: string): Promise<Set<string>> {
  const { status } = await send<Rules>('POST', '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', {
    spec: { namespace },
  });
  if (status.incomplete) throw new Error('the API server does not list all rights');
  const resources = status.resourceRules.flatMap(
    ({ verbs, apiGroups = [''], resources: plurals = [], resourceNames }) =>
      verbs.flatMap((verb) =>
        apiGroups.flatMap((group) =>
          plurals.flatMap((plural) =>
            (resourceNames ?? ['']).map((name) => right(verb, group === '' ? plural : `${plural}.${group}`, name)),
          ),
        ),
      ),
  );
  const urls = status.nonResourceRules.flatMap(({ verbs, nonResourceURLs = [] }) =>
    verbs.flatMap((verb) => nonResourceURLs.map((url) => right(verb, url, ''))),
  );
  return new Set([...resources, ...urls]);
}

function right(verb: string, what: string, name: string): string {
  return `${verb} ${what}${name === '' ? '' : ` ${name}`}`;
}
