/** What the CEL rules of spec.trust.sources refuse, in both kinds of authority. */
import { type Row, spec } from './rows.ts';

type Short = Omit<Row, 'kind'>;

const AT = 'spec.trust.sources[]';
const KINDS = 'exactly one of configMap, inline and spiffeBundle must be set';
const PROFILE = 'the profile https_spiffe needs endpointSPIFFEID and bundle; https_web takes neither';
const endpointSPIFFEID = 'spiffe://partner.example/spire/server';
const WEB = { endpoint: 'https://partner.example:8443', trustDomain: 'partner.example', profile: 'https_web' };
const SPIFFE = { ...WEB, profile: 'https_spiffe', endpointSPIFFEID, bundle: '{"keys": []}' };

const source = (fields: object) => spec({ trust: { sources: [{ name: 'partner', ...fields }] } });
const bundle = (fields: object) => source({ spiffeBundle: { ...WEB, ...fields } });
const spiffe = (fields: object) => source({ spiffeBundle: { ...SPIFFE, ...fields } });
const named = (permittedNames: object) => source({ inline: 'PEM', permittedNames });

const INTERVAL = 'must be a duration such as 30s or 5m, from 10s to 24h';

function rows(field: string, says: string, bad: readonly string[], good: string): Short[] {
  return bad.map((value) => ({
    refuses: `the ${field} ${value.slice(0, 40)} of a SPIFFE bundle`,
    rule: `${AT}.spiffeBundle.${field}`,
    says,
    bad: bundle({ [field]: value }),
    good: bundle({ [field]: good }),
    ...(value === '1d' ? { schemaToo: true } : {}),
  }));
}

export const SOURCE_ROWS: readonly Short[] = [
  {
    refuses: 'a trust source without content',
    rule: AT,
    says: KINDS,
    bad: source({}),
    good: source({ configMap: { name: 'partner-ca' } }),
  },
  {
    refuses: 'a trust source with two contents',
    rule: AT,
    says: KINDS,
    bad: source({ inline: 'PEM', spiffeBundle: WEB }),
    good: bundle({}),
  },
  ...[{ endpointSPIFFEID }, { bundle: '{}' }, {}].map((alone) => ({
    refuses: `https_spiffe with ${Object.keys(alone).join() || 'neither'} alone`,
    rule: `${AT}.spiffeBundle`,
    says: PROFILE,
    bad: bundle({ profile: 'https_spiffe', ...alone }),
    good: spiffe({}),
  })),
  ...[{ endpointSPIFFEID }, { bundle: '{}' }].map((beside) => ({
    refuses: `https_web with ${Object.keys(beside)}`,
    rule: `${AT}.spiffeBundle`,
    says: PROFILE,
    bad: bundle(beside),
    good: bundle({ caBundle: 'UEVN' }),
  })),
  {
    refuses: 'https_spiffe with a caBundle',
    rule: `${AT}.spiffeBundle`,
    says: 'caBundle is for the profile https_web; with https_spiffe the server is verified with bundle',
    bad: spiffe({ caBundle: 'UEVN' }),
    good: spiffe({}),
  },
  ...['spiffe://other.example/spire/server', 'spiffe://partner.example.evil/server'].map((id) => ({
    refuses: `the server ${id} for another trust domain`,
    rule: `${AT}.spiffeBundle`,
    says: 'endpointSPIFFEID must be in trustDomain, since its bundle verifies the server',
    bad: spiffe({ endpointSPIFFEID: id }),
    good: spiffe({}),
  })),
  ...rows(
    'endpoint',
    'the host must be a domain or an IP address, as in example.com, 192.0.2.7 or [2001:db8::7]',
    ['https://a..b', 'https://a.-b:443', 'https://[:::]:443'],
    'https://[2001:db8::7]:8443/bundle.json',
  ),
  ...rows('endpoint', 'the port must be from 1 to 65535', ['https://a:0', 'https://a:65536/'], 'https://a:65535'),
  ...rows('interval', INTERVAL, ['1d', '24h1s'], '24h'),
  ...rows('interval', INTERVAL, ['9.9s'], '10s'),
  {
    refuses: 'permitted names without a name',
    rule: `${AT}.permittedNames`,
    says: 'at least one of dnsDomains, uriDomains and emailDomains must be set',
    bad: named({}),
    good: named({ uriDomains: ['partner.example'] }),
  },
];
