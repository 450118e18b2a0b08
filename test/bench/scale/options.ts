import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';

/** In each namespace. */
const TOGETHER = 100;
/** Three times the file of etcd with 1,000 certificates (30 KB each), for the audit log too: no run of hours ends with a full disk. */
const BYTES_A_CERTIFICATE = 100_000;

export interface ScaleOptions {
  readonly certificates: number;
  readonly namespaces: number;
  /** So many fall due at once. */
  readonly share: number;
  readonly out: string;
}

/** Of the command line. Throws where the disk is too small. */
export function scaleOptions(args: readonly string[]): ScaleOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      certificates: { type: 'string', default: '100000' },
      share: { type: 'string', default: '10000' },
      out: { type: 'string', default: 'dist/bench-scale.json' },
    },
  });
  const certificates = Number(values.certificates);
  if (!Number.isInteger(certificates) || certificates < TOGETHER)
    throw new Error(`--certificates must be ${TOGETHER} or more, not ${values.certificates}`);
  const { bavail, bsize } = statfsSync(tmpdir());
  const needed = certificates * BYTES_A_CERTIFICATE;
  if (bavail * bsize < needed)
    throw new Error(`${tmpdir()} needs ${Math.ceil(needed / 1e9)} GB of free space for ${certificates} certificates`);
  return {
    certificates,
    namespaces: Math.ceil(certificates / TOGETHER),
    share: Math.min(Number(values.share), Math.floor(certificates / 2)),
    out: values.out,
  };
}
