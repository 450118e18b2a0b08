import { binaryFinding } from './binary.ts';
import { FROM_FILES, outputOf } from './block-findings.ts';
import { type Finding, mendedBy, type Want } from './error.ts';
import { BEGIN } from './scan.ts';
import { textFinding } from './text.ts';

/** How often an encoding inside an encoding is taken off; each makes the bytes fewer. */
const MOST_LAYERS = 3;
/** Only so many bytes are read; real files are smaller, and larger ones show what they are in it. */
const MOST_BYTES = 65_536;
const HEX = /^\s*[0-9a-fA-F][0-9a-fA-F\s:]*$/;

/** What the bytes are instead of PEM. There is always an answer. */
export function foreignFinding(bytes: Buffer, want: Want): Finding {
  return knownFinding(bytes.subarray(0, MOST_BYTES), want, 0) ?? unknown(want);
}

function knownFinding(bytes: Buffer, want: Want, layers: number): Finding | undefined {
  return (
    binaryFinding(bytes, want) ??
    utf16Finding(bytes, want) ??
    hexFinding(bytes, want, layers) ??
    base64Finding(bytes, want, layers) ??
    textFinding(bytes.toString('latin1'), want)
  );
}

function unknown(want: Want): Finding {
  const label = want === 'certificate' ? 'CERTIFICATE' : 'PRIVATE KEY';
  return { flaw: 'NotPem', what: `not PEM: there is no line "-----BEGIN ${label}-----"`, remedy: FROM_FILES };
}

/** Text of two bytes a character, as a whole or in parts. No PEM text has a zero byte. */
export function utf16Finding(bytes: Buffer, want: Want): Finding | undefined {
  const order = utf16Order(bytes);
  const out = outputOf(want);
  if (order !== undefined) {
    return mendedBy(
      'UTF-16, as PowerShell writes it',
      'convert it',
      'ca.txt',
      `iconv -f ${order} -t UTF-8 ca.txt > ${out}`,
    );
  }
  if (!bytes.includes(UTF16_BEGIN)) return undefined;
  const command = `LC_ALL=C tr -d '\\000\\376\\377' < ca.txt > ${out}`;
  return mendedBy('partly UTF-16, as PowerShell appends it', 'convert it', 'ca.txt', command);
}

const UTF16_BEGIN = Buffer.from('-----BEGIN ', 'utf16le');
const PROBE_BYTES = 64;

function utf16Order(bytes: Buffer): 'UTF-16' | 'UTF-16LE' | 'UTF-16BE' | undefined {
  const mark = bytes.toString('hex', 0, 2);
  if (mark === 'fffe' || mark === 'feff') return 'UTF-16';
  const probe = bytes.subarray(0, Math.min(PROBE_BYTES, bytes.length & ~1));
  if (probe.length < 4) return undefined;
  const zeros = [0, 0];
  for (const [index, byte] of probe.entries()) if (byte === 0) zeros[index & 1] = (zeros[index & 1] ?? 0) + 1;
  const pairs = probe.length / 2;
  if (zeros[1] === pairs && zeros[0] === 0) return 'UTF-16LE';
  return zeros[0] === pairs && zeros[1] === 0 ? 'UTF-16BE' : undefined;
}

function hexFinding(bytes: Buffer, want: Want, layers: number): Finding | undefined {
  const text = bytes.toString('latin1');
  if (layers === MOST_LAYERS || !HEX.test(text)) return undefined;
  const decode = `perl -0777 -pe 's/[^0-9a-fA-F]//g; $_ = pack("H*", $_)' ${fileOf('hex', layers)}`;
  const content = Buffer.from(text.replace(/[\s:]+/g, ''), 'hex');
  return wrapped('hexadecimal digits', content, want, layers, fileOf('hex', layers), decode);
}

function base64Finding(bytes: Buffer, want: Want, layers: number): Finding | undefined {
  const content = layers === MOST_LAYERS ? undefined : base64Content(bytes);
  const input = fileOf('b64', layers);
  return content && wrapped('base64', content, want, layers, input, `base64 -d < ${input}`);
}

// A command that reads a file must not write it.
function fileOf(extension: string, layers: number): string {
  return layers === 0 ? `ca.${extension}` : `ca${layers + 1}.${extension}`;
}

/** Undefined where the content is nothing known: many texts look like an encoding. */
function wrapped(
  encoding: string,
  content: Buffer,
  want: Want,
  layers: number,
  input: string,
  decode: string,
): Finding | undefined {
  if (content.includes(BEGIN)) {
    const how = 'put the PEM itself under stringData or into kubectl create secret --from-file, or decode it';
    const what = `${encoding} of PEM: it was encoded once too often`;
    return mendedBy(what, how, input, `${decode} > ${outputOf(want)}`);
  }
  const inner = knownFinding(content, want, layers + 1);
  if (inner === undefined) return undefined;
  const what = `${encoding} of ${inner.what}`;
  if (inner.command === undefined || inner.input === undefined) return { ...inner, what };
  return mendedBy(what, 'convert it', input, `${decode} > ${inner.input} && ${inner.command}`, inner.flaw);
}

/** Undefined where anything but base64 and white space is in it. */
function base64Content(bytes: Buffer): Buffer | undefined {
  let padding = 0;
  let count = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const code = bytes[at] ?? 0;
    if (code === 0x20 || (code >= 0x09 && code <= 0x0d)) continue;
    if (code === 0x3d) padding += 1;
    else if (padding > 0 || !isBase64(code)) return undefined;
    count += 1;
  }
  return count < 16 || padding > 2 ? undefined : Buffer.from(bytes.toString('latin1'), 'base64');
}

function isBase64(code: number): boolean {
  return (
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2b ||
    code === 0x2f
  );
}
