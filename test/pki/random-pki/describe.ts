import { CERTIFICATE_LABEL } from '../../../src/pki/certificate.ts';
import { toPem } from '../../../src/pki/pem.ts';
import type { Disagreement } from './examine.ts';
import type { Material } from './material.ts';

export interface Case {
  readonly seed: number;
  readonly features: readonly string[];
  readonly material: Material;
  readonly disagreement?: Disagreement | undefined;
}

/** The case as a shell script: the files, then the commands that look at them. */
export function describeCase({ seed, features, material, disagreement }: Case): string {
  const { tlsCrt, caCrt, at, identity } = material;
  const seconds = Math.floor(at.getTime() / 1000);
  const shown = disagreement?.shown;
  const file = (name: string, pem: string | undefined) => (pem ? [`cat > ${name} <<'END'\n${pem}END`] : []);
  const pemOf = (ders: readonly Buffer[] = []) => ders.map((der) => toPem(CERTIFICATE_LABEL, der)).join('');
  const verify = (purpose: string) =>
    `openssl verify -purpose ${purpose} -auth_level 2 -attime ${seconds} -no-CApath -no-CAstore -CAfile anchor.pem -untrusted chain.pem leaf.pem`;
  const purposes = ['sslclient', ...(identity.usages.includes('server auth') ? ['sslserver'] : [])];
  return [
    `## ${showCommand(seed, features)}`,
    `## at ${at.toISOString()}, asked for ${JSON.stringify(identity)}`,
    ...(disagreement === undefined
      ? []
      : [`## ${disagreement.kind}`, ...disagreement.reasons.map((each) => `##   ${each}`)]),
    ...file('tls.crt', tlsCrt),
    ...file('ca.crt', caCrt),
    ...file('leaf.pem', pemOf(shown?.tlsCrt.slice(0, 1))),
    // `openssl verify` wants the file, even an empty one.
    ...(shown === undefined ? [] : [`: > chain.pem`, ...file('chain.pem', pemOf(shown.tlsCrt.slice(1)))]),
    ...file('anchor.pem', pemOf(shown?.caCrt)),
    ...['tls.crt', ...(caCrt ? ['ca.crt'] : [])].map(
      (name) => `openssl storeutl -noout -text -certs ${name} | grep -vE '^ +([0-9a-f]{2}:)+'`,
    ),
    ...(shown === undefined ? [] : ['openssl x509 -noout -text -in leaf.pem', ...purposes.map(verify)]),
  ].join('\n');
}

/** The command that makes and judges the case again. */
export function showCommand(seed: number, features: readonly string[]): string {
  return `node test/pki/random-pki/show.ts ${seed} '${features.join(',')}'`;
}
