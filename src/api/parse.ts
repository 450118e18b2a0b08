import { Ajv, type ValidateFunction } from 'ajv';
import { TerminalError } from '../errors.ts';
import { REVOCATION_FINALIZER } from './books-names.ts';
import { shared } from './shared.ts';
import { unwritableProblem } from './unwritable.ts';

/** What every object of the API has, as far as we read it. */
export interface ObjectMeta {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  /** RFC 3339 in UTC, so that two of them compare as text; empty where there is none. */
  readonly createdAt: string;
  /** The finalizers that hold an object which is being deleted; undefined for one that isn't. */
  readonly deleting: readonly string[] | undefined;
  /** Where among its finalizers is the one that keeps it until its revocations are noted down; undefined where it has none. */
  readonly revocationHold?: number | undefined;
}

/** Which object it is, and at which version. */
export type Identified = Pick<ObjectMeta, 'namespace' | 'name' | 'uid' | 'resourceVersion'>;

/** Which manager wrote which fields (Kubernetes, "Server-Side Apply": field management). */
export interface ManagedFields {
  readonly manager?: string;
  readonly subresource?: string;
  /** RFC 3339. */
  readonly time?: string;
  /** Keys such as `f:data`, each with what is below it. */
  readonly fieldsV1?: object;
}

/** An object as it came from the API server: nothing about it is believed but that it is JSON. */
export interface RawObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: {
    readonly namespace?: string;
    readonly name?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly generation?: number;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly uid: string; readonly kind?: string; readonly name?: string }[];
    readonly finalizers?: readonly string[];
    readonly managedFields?: readonly ManagedFields[];
  };
  readonly spec?: unknown;
  readonly status?: unknown;
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
  readonly type?: string;
  readonly immutable?: boolean;
}

/** Enough for a message; an object may carry thousands. */
const MOST_FINALIZERS = 10;

export function parseMeta(object: RawObject): ObjectMeta {
  const {
    namespace = '',
    name = '',
    uid = '',
    resourceVersion = '',
    generation = 0,
    creationTimestamp = '',
    deletionTimestamp,
    finalizers = [],
  } = object.metadata ?? {};
  return {
    namespace: shared(namespace),
    name,
    uid,
    resourceVersion,
    generation,
    createdAt: creationTimestamp,
    deleting: deletionTimestamp === undefined ? undefined : finalizers.slice(0, MOST_FINALIZERS),
    revocationHold: indexIn(finalizers, REVOCATION_FINALIZER),
  };
}

function indexIn(texts: readonly string[], text: string): number | undefined {
  const index = texts.indexOf(text);
  return index < 0 ? undefined : index;
}

export function identify(object: RawObject): Identified {
  const { namespace, name, uid, resourceVersion } = parseMeta(object);
  return { namespace, name, uid, resourceVersion };
}

/** The API server admits only what the schema allows, but what is stored may be older than the schema. */
const ajv = new Ajv({ useDefaults: true, allErrors: false, strict: false, logger: false, validateFormats: false });

interface SpecSchema {
  readonly type: string;
  readonly required?: readonly string[];
  readonly properties: Readonly<Record<string, object>>;
}

/** A validator that fills defaults in place, as the API server does; throws TerminalError with the first fault's path. */
export function validator<T>(schema: SpecSchema): (spec: unknown) => T {
  const filled: Record<string, object> = {};
  const fields = new Map<string, (spec: unknown) => void>();
  for (const [name, property] of Object.entries(schema.properties)) {
    // A field that is missing gets its default too.
    if ('default' in property) filled[name] = property;
    else fields.set(name, compiled({ properties: { [name]: property } }));
  }
  const whole = compiled({ ...schema, properties: filled });
  return (spec) => {
    // First, since a pattern that refuses a control character doesn't say which one it met.
    const unwritable = unwritableProblem(spec);
    if (unwritable !== undefined) throw new TerminalError('InvalidSpec', unwritable);
    whole(spec);
    for (const name of Object.keys(spec as object)) fields.get(name)?.(spec);
    return spec as T;
  };
}

/** Made when it is first needed: the code for all fields of all backends would take megabytes, and few are used. */
function compiled(schema: object): (spec: unknown) => void {
  let validate: ValidateFunction | undefined;
  return (spec) => {
    validate ??= ajv.compile(schema);
    if (validate(spec)) return;
    const fault = validate.errors?.[0];
    throw new TerminalError(
      'InvalidSpec',
      `spec${fault?.instancePath.replaceAll('/', '.') ?? ''} ${fault?.message ?? 'is invalid'}`,
    );
  };
}

/** Whether the one was created before the other; of the same second, whether its uid is the smaller. */
export function isOlder(one: Aged, other: Aged): boolean {
  return one.createdAt < other.createdAt || (one.createdAt === other.createdAt && one.uid < other.uid);
}

type Aged = Pick<ObjectMeta, 'createdAt' | 'uid'>;

/** `namespace/name`, or the bare name of what has no namespace: the key of caches and queues. */
export function keyOf(object: { readonly namespace: string; readonly name: string }): string {
  // Not a template, which would keep the pieces beside the whole: thousands of these are kept.
  return object.namespace === '' ? object.name : [object.namespace, object.name].join('/');
}
