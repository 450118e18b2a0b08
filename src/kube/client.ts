import { apiVersion, FIELD_MANAGER, type Resource, resourcePath } from '../api/names.ts';
import type { RawObject } from '../api/parse.ts';
import { ApiError } from '../errors.ts';
import { portableJson } from '../json-text.ts';
import { audiencesOf } from './audiences.ts';
import type { ListPage, Writable } from './object.ts';
import type { Access, CallOptions, ListOptions, Preconditions, WatchOptions, WriteOptions } from './options.ts';
import { Transport, type TransportOptions } from './transport.ts';
import type { WatchStream } from './watch-stream.ts';

/** One object has three at most, and a page takes several times its bytes to read. */
const MAX_PAGE_BYTES = 8 * 2 ** 20;

const APPLY_QUERY = `?fieldManager=${FIELD_MANAGER}&force=true`;
const APPLY_TYPE = 'application/apply-patch+yaml';
const JSON_TYPE = 'application/json';
const JSON_PATCH_TYPE = 'application/json-patch+json';

const SELF_REVIEWS = {
  group: 'authorization.k8s.io',
  version: 'v1',
  plural: 'selfsubjectaccessreviews',
  kind: 'SelfSubjectAccessReview',
  namespaced: false,
} as const satisfies Resource;

/** RFC 6902. */
export interface JsonPatchOperation {
  readonly op: 'test' | 'remove' | 'add';
  readonly path: string;
  readonly value?: unknown;
}

/** The verbs of the API server, one HTTP request each. Every failure is an ApiError. */
export class KubeClient {
  readonly #transport: Transport;
  readonly #connections: TransportOptions['connections'];

  constructor(options: TransportOptions) {
    this.#transport = new Transport(options);
    this.#connections = options.connections;
  }

  /** Undefined where there is no such object. */
  async get<T = RawObject>(
    resource: Resource,
    namespace: string | undefined,
    name: string,
    options?: CallOptions,
  ): Promise<T | undefined> {
    const path = resourcePath(resource, namespace, name);
    try {
      return await this.#transport.json<T>({ ...options, verb: 'get', resource: resource.plural, method: 'GET', path });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** One page. Without `limit` and `continue` that is all there is. Throws `AnswerTooLarge` where a smaller page is to be asked for. */
  list<T = RawObject>(resource: Resource, options: ListOptions = {}): Promise<ListPage<T>> {
    const { namespace, labelSelector, fieldSelector, limit, continue: next, ...call } = options;
    const path = resourcePath(resource, namespace) + query({ labelSelector, fieldSelector, limit, continue: next });
    return this.#transport.json<ListPage<T>>({
      ...call,
      verb: 'list',
      resource: resource.plural,
      method: 'GET',
      path,
      maxBytes: MAX_PAGE_BYTES,
    });
  }

  /** Server-side apply with our field manager, taking over fields that others hold. Answers the object as it is now. */
  apply<T = RawObject>(resource: Resource, object: Writable, options: WriteOptions = {}): Promise<T> {
    const { subresource, dryRun = false, ...call } = options;
    const { namespace, name } = object.metadata;
    return this.#transport.json<T>({
      ...call,
      verb: 'apply',
      resource: resource.plural,
      method: 'PATCH',
      path: resourcePath(resource, namespace, name, subresource) + APPLY_QUERY + (dryRun ? '&dryRun=All' : ''),
      contentType: APPLY_TYPE,
      body: serialize(resource, object),
    });
  }

  /**
   * Carries out the operations of a JSON patch (RFC 6902), whatever manager owns the fields. Undefined where the object is gone,
   * 422 where a test fails.
   */
  async patch<T = RawObject>(
    resource: Resource,
    { namespace, name }: { readonly namespace: string; readonly name: string },
    operations: readonly JsonPatchOperation[],
    options?: CallOptions,
  ): Promise<T | undefined> {
    const path = resourcePath(resource, namespace, name);
    const body = JSON.stringify(operations);
    const call = {
      verb: 'patch',
      resource: resource.plural,
      method: 'PATCH',
      path,
      contentType: JSON_PATCH_TYPE,
    } as const;
    try {
      return await this.#transport.json<T>({ ...options, ...call, body });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** POST to the collection, or to a subresource of the named object. */
  create<T = RawObject>(resource: Resource, object: Writable, options: WriteOptions = {}): Promise<T> {
    const { subresource, ...call } = options;
    const { namespace, name } = object.metadata;
    return this.#transport.json<T>({
      ...call,
      verb: 'create',
      resource: resource.plural,
      method: 'POST',
      path: resourcePath(resource, namespace, subresource === undefined ? undefined : name, subresource),
      contentType: JSON_TYPE,
      body: serialize(resource, object),
    });
  }

  /** False where there was no such object; 409 where it isn't the one that the preconditions name. */
  async delete(
    resource: Resource,
    namespace: string | undefined,
    name: string,
    preconditions: Preconditions = {},
    options?: CallOptions,
  ): Promise<boolean> {
    const path = resourcePath(resource, namespace, name);
    const body = JSON.stringify({ preconditions });
    try {
      await this.#transport.json({
        ...options,
        verb: 'delete',
        resource: resource.plural,
        method: 'DELETE',
        path,
        contentType: JSON_TYPE,
        body,
      });
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  /** Opens a watch; its events are read by iterating. Leaving the loop, `abort` and the signal end it. */
  watch(resource: Resource, options: WatchOptions): Promise<WatchStream> {
    const { namespace, labelSelector, fieldSelector, resourceVersion, initialEvents, timeoutSeconds } = options;
    const path =
      resourcePath(resource, namespace) +
      query({
        watch: 'true',
        allowWatchBookmarks: 'true',
        labelSelector,
        fieldSelector,
        resourceVersion,
        sendInitialEvents: initialEvents ? 'true' : undefined,
        resourceVersionMatch: initialEvents ? 'NotOlderThan' : undefined,
        timeoutSeconds,
      });
    return this.#transport.watch(resource.plural, path, options);
  }

  /** Whether our own identity may do this, as the API server sees it. */
  async canI(access: Access, options?: CallOptions): Promise<boolean> {
    const { resource, ...rest } = access;
    const resourceAttributes = { ...rest, group: resource.group, version: resource.version, resource: resource.plural };
    const review = { metadata: { name: '' }, spec: { resourceAttributes } };
    const answer = await this.create<{ status?: { allowed?: boolean } }>(SELF_REVIEWS, review, options);
    return answer.status?.allowed === true;
  }

  /** The API server accepts tokens for these audiences, as it does Certwheel's own; none where Certwheel has no token. */
  async audiences(): Promise<readonly string[]> {
    return audiencesOf((await this.#connections.get()).headers);
  }

  /** Such as `v1.37.2`. */
  async version(options?: CallOptions): Promise<string> {
    const call = { ...options, verb: 'get', resource: 'version', method: 'GET', path: '/version' } as const;
    const { gitVersion } = await this.#transport.json<{ gitVersion?: string }>(call);
    return gitVersion ?? 'unknown';
  }

  /** The schemas of a group as the API server serves them (OpenAPI v3), by kind. Everybody may read them. */
  async schemas<T>(group: string, version: string, options?: CallOptions): Promise<ReadonlyMap<string, T>> {
    const path = `/openapi/v3/apis/${group}/${version}`;
    const call = { ...options, verb: 'get', resource: 'openapi', method: 'GET', path } as const;
    const { components } = await this.#transport.json<{ components?: { schemas?: Record<string, T & Described> } }>(
      call,
    );
    const all = Object.values(components?.schemas ?? {});
    return new Map(all.flatMap((schema) => (schema[KINDS] ?? []).map(({ kind }) => [kind, schema])));
  }

  /** Gives up whatever is running. */
  close(): Promise<void> {
    return this.#transport.close();
  }
}

const KINDS = 'x-kubernetes-group-version-kind';

/** Of the schemas of whole objects alone. */
interface Described {
  readonly [KINDS]?: readonly { readonly kind: string }[];
}

function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}

/** As JSON that reads the same as YAML, which the API server takes the body of an apply for. */
function serialize(resource: Resource, object: Writable): string {
  return portableJson(
    JSON.stringify('kind' in object ? object : { apiVersion: apiVersion(resource), kind: resource.kind, ...object }),
  );
}

function query(parameters: Record<string, string | number | undefined>): string {
  let text = '';
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) text += `${text === '' ? '?' : '&'}${name}=${encodeURIComponent(value)}`;
  }
  return text;
}
