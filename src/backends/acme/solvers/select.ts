import type { AcmeSolver } from '../../../api/generated/types.ts';

/** The name that a challenge proves: without `*.`, since a wildcard is proven by the record of the name below it (RFC 8555 section 7.1.3). */
export function provenName(domain: string): string {
  return domain.toLowerCase().replace(/^\*\./, '').replace(/\.$/, '');
}

/** Matched by its names or not, and the length of the longest zone that matched; compared in this order. */
interface Specificity {
  readonly isNamed: boolean;
  readonly zoneLength: number;
}

/**
 * The index of the solver for a name by the rule of cert-manager: every given list of a selector must hold the name; then
 * a selector that lists the name wins, then the longest zone, then the first. Undefined where none fits.
 */
export function chooseSolver(domain: string, selectors: readonly AcmeSolver['selector'][]): number | undefined {
  const name = provenName(domain);
  let chosen: { readonly index: number; readonly found: Specificity } | undefined;
  for (const [index, selector] of selectors.entries()) {
    const found = matchOf(name, selector);
    if (found !== undefined && (chosen === undefined || isMoreSpecific(found, chosen.found))) chosen = { index, found };
  }
  return chosen?.index;
}

function matchOf(name: string, selector: AcmeSolver['selector']): Specificity | undefined {
  const { dnsNames = [], dnsZones = [] } = selector ?? {};
  const isNamed = dnsNames.some((each) => provenName(each) === name);
  const zones = dnsZones.filter((zone) => name === zone || name.endsWith(`.${zone}`));
  if ((dnsNames.length > 0 && !isNamed) || (dnsZones.length > 0 && zones.length === 0)) return undefined;
  return { isNamed, zoneLength: Math.max(0, ...zones.map(({ length }) => length)) };
}

function isMoreSpecific(one: Specificity, other: Specificity): boolean {
  return one.isNamed === other.isNamed ? one.zoneLength > other.zoneLength : one.isNamed;
}
