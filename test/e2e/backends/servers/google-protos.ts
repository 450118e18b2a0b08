import { npmPackages } from '../../../programs/npm.ts';

/** What is used of protobufjs, which the packages of the cache bring. */
interface Field {
  readonly type: string;
  readonly repeated: boolean;
  readonly map: boolean;
  readonly resolvedType: Message | Enumeration | null;
  resolve(): Field;
}
interface Message {
  readonly fullName: string;
  readonly fields: Readonly<Record<string, Field>>;
}
interface Enumeration {
  readonly values: Readonly<Record<string, number>>;
}
interface Method {
  readonly name: string;
  readonly options: Readonly<Record<string, string>>;
  readonly requestType: string;
  readonly responseType: string;
}
interface Root {
  lookupType(name: string): Message;
  lookupService(name: string): { readonly methods: Readonly<Record<string, Method>> };
}

const PACKAGE = 'google.cloud.security.privateca.v1';
/** JSON of these is a string (https://protobuf.dev/programming-guides/json). */
const TEXTS: Readonly<Record<string, RegExp>> = {
  '.google.protobuf.Duration': /^\d+(\.\d{1,9})?s$/,
  '.google.protobuf.Timestamp': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/,
};
const SCALARS: Readonly<Record<string, string>> = {
  string: 'string',
  bool: 'boolean',
  int32: 'number',
  int64: 'string',
};

/** A method of the API by its HTTP annotation, with the request that path, query and body make up. */
export interface Routed {
  readonly method: string;
  readonly request: Readonly<Record<string, unknown>>;
}

/** Google's own description of CA Service, from its npm package: routes, and the fields of requests and answers. */
export class GoogleProtos {
  readonly #root: Root;
  readonly #methods: readonly Method[];

  /** Of the package. */
  readonly version: string;

  constructor(root: Root, version: string) {
    this.version = version;
    this.#root = root;
    this.#methods = Object.values(root.lookupService(`${PACKAGE}.CertificateAuthorityService`).methods);
  }

  static async load(): Promise<GoogleProtos> {
    const load = await npmPackages('google');
    const description = load('@google-cloud/security-private-ca/build/protos/protos.json');
    const { version } = load('@google-cloud/security-private-ca/package.json');
    return new GoogleProtos(load('protobufjs').Root.fromJSON(description), version);
  }

  /** Undefined where no method has such a path. Throws an Error that names what the request may not hold. */
  route(verb: string, url: URL, body: unknown): Routed | undefined {
    for (const { name, options, requestType } of this.#methods) {
      const template = options[`(google.api.http).${verb.toLowerCase()}`];
      const inPath = template === undefined ? undefined : variablesIn(template, url.pathname);
      if (inPath === undefined) continue;
      const message = this.#root.lookupType(`${PACKAGE}.${requestType}`);
      const where = options['(google.api.http).body'];
      const query = Object.fromEntries([...url.searchParams].map(([key, text]) => [key, scalar(message, key, text)]));
      const inBody = where === undefined ? noBody(body) : where === '*' ? (body as object) : { [camel(where)]: body };
      const request = { ...query, ...inBody, ...inPath };
      assertMessage(message, request, requestType);
      return { method: name, request };
    }
    return undefined;
  }

  /** Throws an Error that names what the answer to this method may not hold. */
  assertAnswer(method: string, answer: unknown): void {
    const { responseType = '' } = this.#methods.find(({ name }) => name === method) ?? {};
    assertMessage(this.#root.lookupType(`${PACKAGE}.${responseType}`), answer, responseType);
  }
}

function noBody(body: unknown): object {
  if (body !== undefined) throw new Error('a body where the method takes none');
  return {};
}

/** `/v1/{name=projects/*}:revoke`: a star is one part of a path. */
function variablesIn(template: string, path: string): Readonly<Record<string, string>> | undefined {
  const [, before = '', variable = '', pattern = '', after = ''] = /^(.*)\{(\w+)=([^}]*)\}(.*)$/.exec(template) ?? [];
  const parts = pattern.split('*').map(escaped).join('[^/:]+');
  const [, value] = new RegExp(`^${escaped(before)}(${parts})${escaped(after)}$`).exec(path) ?? [];
  return value === undefined ? undefined : { [camel(variable)]: value };
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function camel(name: string): string {
  return name.replaceAll(/_(\w)/g, (_, letter) => letter.toUpperCase());
}

function scalar({ fields }: Message, key: string, text: string): unknown {
  const type = fields[key]?.type;
  if (type === 'bool') return text === 'true';
  return type === 'int32' ? Number(text) : text;
}

/** Strictly: every member must be a field of the message, of its type. */
export function assertMessage({ fields, fullName }: Message, value: unknown, at: string): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${at} is no ${fullName}`);
  for (const [key, member] of Object.entries(value)) {
    const field = Object.hasOwn(fields, key) ? fields[key]?.resolve() : undefined;
    if (field === undefined) throw new Error(`${at}.${key} is no field of ${fullName}`);
    if (field.repeated && !Array.isArray(member)) throw new Error(`${at}.${key} is no list`);
    const values = field.repeated ? member : field.map ? Object.values(member) : [member];
    for (const each of values) assertValue(field, each, `${at}.${key}`);
  }
}

function assertValue({ type, resolvedType }: Field, value: unknown, at: string): void {
  if (resolvedType === null) {
    const wanted = SCALARS[type] ?? type;
    if (typeof value !== wanted) throw new Error(`${at} is no ${type}`);
    return;
  }
  if ('values' in resolvedType) {
    if (!Object.hasOwn(resolvedType.values, String(value))) throw new Error(`${at}: ${value} is no value of ${type}`);
    return;
  }
  const text = TEXTS[resolvedType.fullName];
  if (text === undefined) assertMessage(resolvedType, value, at);
  else if (typeof value !== 'string' || !text.test(value)) throw new Error(`${at}: ${value} is no ${type}`);
}
