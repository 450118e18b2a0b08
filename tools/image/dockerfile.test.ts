import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { settings } from './settings.ts';
import { readSource } from './source.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Instruction and argument of each line, the continued ones joined. */
function instructions(): [string, string][] {
  const lines = readFileSync(join(ROOT, 'Dockerfile'), 'utf8')
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '');
  return [...lines.matchAll(/^([A-Z]+) (.*)$/gm)].map(([, name = '', argument = '']) => [name, argument]);
}

function pairs(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/(\S+?)=("[^"]*"|\S+)/g)].map(([, name, value = '']) => [name, value.replaceAll('"', '')]),
  );
}

test('the Dockerfile runs the image as its own configuration does', () => {
  const found = Object.fromEntries(instructions());
  const wanted = settings(readSource(ROOT));
  assert.equal(Object.keys(found), ['FROM', 'COPY', 'LABEL', 'ENV', 'EXPOSE', 'WORKDIR', 'USER', 'ENTRYPOINT']);
  assert.is(found.FROM, 'scratch');
  assert.is(found.COPY, 'dist/rootfs/ /');
  assert.is(found.USER, wanted.User);
  assert.is(found.WORKDIR, wanted.WorkingDir);
  assert.equal(JSON.parse(found.ENTRYPOINT ?? ''), wanted.Entrypoint);
  assert.equal(found.EXPOSE?.split(' '), Object.keys(wanted.ExposedPorts));
  assert.equal(
    Object.entries(pairs(found.ENV ?? '')).map((pair) => pair.join('=')),
    wanted.Env,
  );
  // These two follow from the commit.
  const { 'org.opencontainers.image.created': _, 'org.opencontainers.image.revision': __, ...labels } = wanted.Labels;
  assert.equal(pairs(found.LABEL ?? ''), labels);
});

test.run();
