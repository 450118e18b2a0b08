/** crds/*.yaml -> docs/reference/api.md */

import { type Definition, type Field, fields, GENERATED_BY, type Rule } from './crd.ts';
import { describeType } from './describe-type.ts';
import type { Outputs } from './outputs.ts';

export function generateApiReference(definitions: Definition[]): Outputs {
  const links = definitions.map(({ kind }) => `- [${kind}](#${kind.toLowerCase()})`);
  const [first] = definitions;
  const parts = [
    `<!-- ${GENERATED_BY} -->`,
    '# API reference',
    `The resources of \`${first?.apiVersion}\`. \`kubectl explain <resource>.spec\` says the same in a terminal. ` +
      'A `[]` stands for each entry of a list, a `*` for each key of a map; fields in **bold** are required.',
    links.join('\n'),
    ...definitions.map(section),
  ];
  return { 'docs/reference/api.md': `${parts.join('\n\n')}\n` };
}

function section(definition: Definition): string {
  const { kind, crd, namespaced, schema } = definition;
  const { plural, shortNames, categories } = crd.spec.names;
  const all = [...fields(schema)];
  const rules = all.flatMap(({ path, schema }) =>
    (schema['x-kubernetes-validations'] ?? []).map((rule) => sentence(path, rule)),
  );
  const selectable = crd.spec.versions[0]?.selectableFields?.map(({ jsonPath }) => `\`${jsonPath.slice(1)}\``) ?? [];
  const facts = [
    `- ${namespaced ? 'belongs to a namespace' : 'belongs to the whole cluster'}`,
    `- \`kubectl get ${[plural, ...shortNames].join('`, `kubectl get ')}\`; all of Certwheel's: \`kubectl get ${categories.join(',')}\``,
    ...(selectable.length > 0 ? [`- field selectors: ${selectable.join(', ')}`] : []),
  ];
  return [
    `## ${kind}`,
    schema.description ?? '',
    facts.join('\n'),
    '### Spec',
    table(all.filter(({ path }) => path.startsWith('spec.'))),
    '### Rules',
    'The API server refuses what breaks one of these.',
    rules.join('\n'),
    ...(schema.properties?.status === undefined
      ? []
      : ['### Status', table(all.filter(({ path }) => path.startsWith('status.')))]),
  ].join('\n\n');
}

function table(rows: Field[]): string {
  const lines = rows.filter(({ path }) => !path.endsWith('[]') && !path.endsWith('.*')).map(row);
  return ['| field | type | default | description |', '| --- | --- | --- | --- |', ...lines].join('\n');
}

function row({ path, schema, required }: Field): string {
  const name = path.slice(path.indexOf('.') + 1);
  const standard = schema.default === undefined ? '' : `\`${JSON.stringify(schema.default)}\``;
  const cells = [
    required ? `**\`${name}\`**` : `\`${name}\``,
    describeType(schema),
    standard,
    schema.description ?? '',
  ];
  return `| ${cells.map(cell).join(' | ')} |`;
}

function sentence(path: string, { message, fieldPath, rule }: Rule): string {
  const where = `${path}${fieldPath ?? ''}`.replace(/^\./, '');
  return `- ${where === '' ? '' : `\`${where}\`: `}${text(message ?? rule)}`;
}

function cell(content: string): string {
  return text(content).replaceAll('|', '\\|');
}

/** Descriptions are plain text: what Markdown would take for an element or for emphasis is shown as it is. */
function text(content: string): string {
  if (content.includes('`')) return content;
  return content.replaceAll('\n', ' ').replaceAll(/[<*]/g, '\\$&');
}
