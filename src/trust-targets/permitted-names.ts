import type { ClientCertificate } from '../api/client-certificate.ts';
import type { PermittedNames, TrustSource } from '../api/generated/types.ts';
import type { CertificateView } from '../pki/certificate.ts';
import { isBelow, uriHost } from '../pki/constraints/hosts.ts';
import type { Subtree } from '../pki/constraints/subtrees.ts';
import { nameOf } from '../pki/path.ts';
import type { SourceFinding } from './sources.ts';

type Kind = keyof PermittedNames;

/** `form` is that of a subtree; `of` are the hosts of the names of a certificate that count as this kind. */
const KINDS: Readonly<Record<Kind, { form: Subtree['form']; words: string; of: (one: ClientCertificate) => Named[] }>> =
  {
    dnsDomains: {
      form: 'dns',
      words: 'DNS names',
      of: ({ spec: { identity } }) => [
        ...named('dnsNames', identity.names.dnsNames, (name) => name),
        // Several verifiers take it for a host name.
        ...named('commonName', [identity.subject.commonName ?? ''], (name) => name),
      ],
    },
    uriDomains: {
      form: 'uri',
      words: 'URIs',
      of: ({ spec: { identity } }) => named('uris', identity.names.uris, (name) => uriHost(name) ?? ''),
    },
    emailDomains: {
      form: 'email',
      words: 'mail addresses',
      of: ({ spec: { identity } }) =>
        named('emailAddresses', identity.names.emailAddresses, (name) => name.slice(name.lastIndexOf('@') + 1)),
    },
  };

interface Named {
  readonly field: string;
  readonly name: string;
  readonly host: string;
}

function named(field: string, names: readonly string[], hostOf: (name: string) => string): Named[] {
  return names.map((name) => ({ field, name, host: hostOf(name).toLowerCase() }));
}

/** RFC 2606: no host is there. A CA that may sign names of a kind below it alone may sign none that exists. */
const NOWHERE = ['invalid'];

/**
 * What Certwheel can't hold a source to, as sentences with what to do: CA certificates that may sign more than the names
 * permitted, and certificates of this authority with names that the source may sign as well.
 */
export function nameProblems(
  { name, permittedNames }: TrustSource,
  { certificates = [] }: Pick<SourceFinding, 'certificates'>,
  clients: readonly ClientCertificate[],
): readonly string[] {
  if (permittedNames === undefined) return [];
  return [
    ...certificates.flatMap((each) => looseProblem(each, permittedNames) ?? []),
    ...clients.flatMap((each) => overlapProblem(each, name, permittedNames) ?? []),
  ];
}

/** Whether verifiers that read the name constraints of a CA (RFC 5280 section 4.2.1.10) accept further names of it. */
function looseProblem(certificate: CertificateView, permitted: PermittedNames): string | undefined {
  const loose = kinds().filter((kind) => !isHeld(certificate, kind, permitted[kind] ?? NOWHERE));
  if (loose.length === 0) return undefined;
  const words = loose.map((kind) => `${KINDS[kind].words} ${beyond(permitted[kind])}`).join(', ');
  const why = certificate.nameConstraints === undefined ? 'has no name constraints' : 'has wider name constraints';
  return `${nameOf(certificate)} ${why}, so verifiers that read this bundle accept from it: ${words}; ask the partner for a CA certificate with name constraints, or have the verifiers check the name behind the handshake`;
}

function beyond(domains: readonly string[] | undefined): string {
  return domains === undefined ? '(none is permitted)' : `outside of ${domains.join(' and ')}`;
}

function isHeld({ nameConstraints }: CertificateView, kind: Kind, domains: readonly string[]): boolean {
  const { form } = KINDS[kind];
  const { permitted = [], excluded = [] } = nameConstraints ?? {};
  const ofForm = permitted.filter((each) => each.form === form);
  if (ofForm.length > 0) return ofForm.every(({ base }) => isWithin(hostOf(base), domains));
  // OpenSSL compares the host of a URI with an empty subtree, and finds it outside.
  return form !== 'uri' && excluded.some((each) => each.form === form && each.base.length === 0);
}

/** Of a subtree: the domain that it is, or lies in. */
function hostOf(base: Buffer): string {
  const text = base.toString('latin1').toLowerCase();
  return text.slice(text.lastIndexOf('@') + 1).replace(/^\./, '');
}

function isWithin(host: string, domains: readonly string[]): boolean {
  // A wildcard stands for what is directly below it, so it may stand for the domain.
  return host !== '' && domains.some((each) => isBelow(host, each) || host === each.replace(/^[^.]*/, '*'));
}

/** Two CAs that may sign one name: a verifier that goes by the name takes the partner's client for ours. */
function overlapProblem(client: ClientCertificate, source: string, permitted: PermittedNames): string | undefined {
  for (const kind of kinds())
    for (const { field, name, host } of KINDS[kind].of(client))
      if (isWithin(host, permitted[kind] ?? []))
        return `ClientCertificate ${client.namespace}/${client.name} has the name ${name} (${field}), which permittedNames.${kind} of source ${source} gives to the partner too; take one of the two away`;
  return undefined;
}

function kinds(): readonly Kind[] {
  return Object.keys(KINDS) as Kind[];
}
