import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a token gives in place of a signature, as JavaScript over `right`, the right one, and `last`, the one before. */
export const LIES = {
  'a signature of something else': 'return other',
  'the signature before this one': 'return last ?? Buffer.alloc(right.length, 1)',
  'a signature with one bit changed': 'const wrong = Buffer.from(right); wrong[9] ^= 1; return wrong',
  'r and s in the wrong order': 'return Buffer.concat([right.subarray(32), right.subarray(0, 32)])',
  'a signature of zeros': 'return Buffer.alloc(right.length)',
  'no bytes at all': 'return Buffer.alloc(0)',
  'an odd number of bytes': 'return right.subarray(0, 63)',
  'a kilobyte of noise': 'return Buffer.alloc(1024, 0xa5)',
} as const;
export type Lie = keyof typeof LIES;

/** A folder like that of pkcs11js, whose C_Sign lies where it is told to, for the key of a label. */
export interface LyingAddon {
  readonly folder: string;
  tell(label: string, lie: Lie | 'it ends the process'): void;
  tellTheTruth(label: string): void;
}

export function lyingAddon(addon: string, folder: string): LyingAddon {
  const lies = join(folder, 'lies');
  mkdirSync(lies, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"main": "index.js"}');
  writeFileSync(join(folder, 'index.js'), source(addon, lies));
  return {
    folder,
    tell: (label, lie) => writeFileSync(join(lies, label), lie),
    tellTheTruth: (label) => {
      if (existsSync(join(lies, label)) && readFileSync(join(lies, label)).length > 0) rmSync(join(lies, label));
    },
  };
}

function source(addon: string, lies: string): string {
  const cases = Object.entries(LIES).map(
    ([name, body]) => `${JSON.stringify(name)}: (right, last, other) => { ${body} }`,
  );
  return `
const { existsSync, readFileSync } = require('node:fs');
const { PKCS11 } = require(${JSON.stringify(addon)});
const LIES = { ${cases.join(',\n')} };
exports.PKCS11 = class {
  constructor() {
    const token = new PKCS11();
    // pkcs11js sets its methods on each object, so they are replaced there.
    const { C_FindObjectsInit, C_SignInit, C_Sign } = token;
    let label;
    let begin;
    let last;
    token.C_FindObjectsInit = (session, template) => {
      label = template.find(({ type }) => type === 3)?.value?.toString() ?? label;
      return C_FindObjectsInit.call(token, session, template);
    };
    token.C_SignInit = (...about) => {
      begin = () => C_SignInit.call(token, ...about);
      return begin();
    };
    token.C_Sign = (session, data, room) => {
      const file = ${JSON.stringify(lies)} + '/' + label;
      const right = Buffer.from(C_Sign.call(token, session, data, room));
      const before = last;
      last = right;
      if (!existsSync(file)) return right;
      const lie = readFileSync(file, 'utf8');
      if (lie === 'it ends the process') process.abort();
      begin();
      const other = Buffer.from(C_Sign.call(token, session, Buffer.alloc(data.length, 7), room));
      return LIES[lie](right, before, other);
    };
    return token;
  }
};
`;
}
