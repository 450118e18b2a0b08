import { startLineProcess } from '../../pki/verifiers/line-process.ts';
import { ensureLintProgram, pythonScript } from '../programs/build.ts';
import type { Answer } from './reading.ts';

export type ReaderName = 'openssl' | 'go' | 'python';

export interface Readers {
  /** Gives every certificate (DER) to OpenSSL, Go and Python's cryptography. */
  read(der: Buffer): Promise<Readonly<Record<ReaderName, Answer>>>;
  /** The same of a certificate request, with Go and Python alone. They verify its signature too. */
  readRequest(der: Buffer): Promise<Readonly<Record<'go' | 'python', unknown>>>;
  stop(): Promise<void>;
}

/** Starts one process of each; builds them first if need be. Throws an Error that says what to install. */
export async function startReaders(): Promise<Readers> {
  const openssl = startLineProcess('the reader of OpenSSL', await ensureLintProgram('openssl'));
  const go = startLineProcess('the reader of Go', await ensureLintProgram('go'));
  const python = startLineProcess('the reader of Python', await pythonScript('read.py'));
  return {
    async read(der) {
      const text = der.toString('base64');
      const answers = await Promise.all([
        openssl.ask(text),
        go.ask(`certificate ${text}`),
        python.ask(`certificate ${text}`),
      ]);
      const [first, second, third] = answers.map((each) => JSON.parse(each) as Answer) as [Answer, Answer, Answer];
      return { openssl: first, go: second, python: third };
    },
    async readRequest(der) {
      const line = `request ${der.toString('base64')}`;
      const [first, second] = await Promise.all([go.ask(line), python.ask(line)]);
      return { go: JSON.parse(first), python: JSON.parse(second) };
    },
    async stop() {
      await Promise.all([openssl.stop(), go.stop(), python.stop()]);
    },
  };
}
