import { BACKENDS } from '../../src/backends/index.ts';

/** What a `@schema <name>` in values.yaml stands for: shapes that the default of a value can't show. */
export type JsonSchema = Readonly<Record<string, unknown>>;

const string = { type: 'string' };
const integer = { type: 'integer' };
const boolean = { type: 'boolean' };
/** Of a Kubernetes object: what is in it is for the API server to judge. */
const anything = { type: 'object' };
const port = { type: 'integer', minimum: 1, maximum: 65_535 };
const strings = { type: 'object', additionalProperties: string };

const closed = (properties: JsonSchema, required: readonly string[] = []): JsonSchema => ({
  type: 'object',
  additionalProperties: false,
  properties,
  ...(required.length === 0 ? {} : { required }),
});
const listOf = (items: JsonSchema): JsonSchema => ({ type: 'array', items });

const quantities = { type: 'object', additionalProperties: { type: ['string', 'number'] } };
const seccompProfile = closed({ type: string, localhostProfile: string }, ['type']);
const appArmorProfile = seccompProfile;
const seLinuxOptions = closed({ level: string, role: string, type: string, user: string });
const user = { runAsNonRoot: boolean, runAsUser: integer, runAsGroup: integer };
/** Null takes an id away that the chart would set. */
const id = { type: ['integer', 'null'] };
const windowsOptions = anything;

export const SHAPES: Readonly<Record<string, JsonSchema>> = {
  free: { type: 'object', additionalProperties: true },
  strings,
  object: anything,
  objects: listOf(anything),
  port,
  ports: { ...listOf(port), minItems: 1 },
  namespaces: { ...listOf({ type: 'string', pattern: '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$' }), uniqueItems: true },
  authorityTypes: { ...listOf({ enum: BACKENDS.map(({ type }) => type) }), minItems: 1, uniqueItems: true },
  references: listOf(closed({ name: string }, ['name'])),
  duration: { type: 'string', pattern: '^([0-9]+(\\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$' },
  prometheusDuration: { type: 'string', pattern: '^([0-9]+(ms|s|m|h|d|w|y))*$' },
  intOrPercentage: {
    anyOf: [
      { type: 'integer', minimum: 0 },
      { type: 'string', pattern: '^[0-9]+%$' },
    ],
  },
  resources: closed({ limits: quantities, requests: quantities, claims: listOf(anything) }),
  podSecurityContext: closed({
    ...user,
    runAsUser: id,
    runAsGroup: id,
    fsGroup: id,
    fsGroupChangePolicy: string,
    supplementalGroups: listOf(integer),
    supplementalGroupsPolicy: string,
    seLinuxChangePolicy: string,
    sysctls: listOf(closed({ name: string, value: string }, ['name', 'value'])),
    seccompProfile,
    appArmorProfile,
    seLinuxOptions,
    windowsOptions,
  }),
  securityContext: closed({
    ...user,
    allowPrivilegeEscalation: boolean,
    readOnlyRootFilesystem: boolean,
    privileged: boolean,
    procMount: string,
    capabilities: closed({ add: listOf(string), drop: listOf(string) }),
    seccompProfile,
    appArmorProfile,
    seLinuxOptions,
    windowsOptions,
  }),
  tolerations: listOf(
    closed({ key: string, operator: string, value: string, effect: string, tolerationSeconds: integer }),
  ),
  affinity: closed({ nodeAffinity: anything, podAffinity: anything, podAntiAffinity: anything }),
  topologySpreadConstraints: listOf(
    closed(
      {
        maxSkew: { type: 'integer', minimum: 1 },
        topologyKey: string,
        whenUnsatisfiable: { enum: ['DoNotSchedule', 'ScheduleAnyway'] },
        labelSelector: anything,
        matchLabelKeys: listOf(string),
        minDomains: integer,
        nodeAffinityPolicy: string,
        nodeTaintsPolicy: string,
      },
      ['maxSkew', 'topologyKey', 'whenUnsatisfiable'],
    ),
  ),
};
