/**
 * crds/*.yaml -> helm/certwheel/templates/crd-<plural>.yaml. As templates, since Helm never upgrades what is in a
 * chart's crds/ folder.
 */

import { type Definition, GENERATED_BY } from './crd.ts';
import type { Outputs } from './outputs.ts';

const ANNOTATIONS = `metadata:
  {{- include "certwheel.crdAnnotations" . | nindent 2 }}
`;

export function generateHelmCrds(definitions: Definition[]): Outputs {
  return Object.fromEntries(
    definitions.map((definition) => [`helm/certwheel/templates/crd-${definition.plural}.yaml`, template(definition)]),
  );
}

function template({ source, plural }: Definition): string {
  const body = escapeTemplate(source.replaceAll(/^#.*\n/gm, ''));
  const parts = body.split(/^metadata:\n/m);
  if (parts.length !== 2 || /^ {2}annotations:/m.test(body)) {
    throw new Error(`crds/${plural}.yaml must have metadata once, without annotations`);
  }
  return `{{- /* ${GENERATED_BY} */}}\n{{- if .Values.crds.enabled }}\n${parts.join(ANNOTATIONS)}{{- end }}\n`;
}

/** A description may speak of templates; Helm must print it, not run it. */
function escapeTemplate(text: string): string {
  return text.replaceAll(/\{\{|\}\}/g, (braces) => `{{ "${braces}" }}`);
}
