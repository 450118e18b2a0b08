import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Files of a CA as people make them with the tools of their system, and the commands that change their form. */
export class Workshop {
  readonly folder = mkdtempSync(join(tmpdir(), 'certwheel-pasted-'));

  constructor() {
    this.run(SET_UP);
  }

  /** What the script writes to stdout; it runs in a folder that holds the files of SET_UP. */
  run(script: string): Buffer {
    return shell(script, this.folder, '');
  }

  /** Runs a command that reads `input` and writes `output`, in a folder of its own; `answers` is typed where it asks. */
  mend(command: string, input: string, bytes: Buffer, output: string, answers: string): Buffer {
    const folder = mkdtempSync(join(this.folder, 'mend-'));
    writeFileSync(join(folder, input), bytes, { mode: 0o600 });
    // Each program of a chain would read ahead what was typed for the next.
    for (const part of command.split(' && ')) shell(part, folder, answers);
    return readFileSync(join(folder, output));
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}

export function isInstalled(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

function shell(script: string, cwd: string, input: string): Buffer {
  // Detached, so without a terminal: OpenSSL and keytool then read passwords from stdin.
  const { status, stdout, stderr } = spawnSync('sh', ['-ec', script], {
    cwd,
    input,
    detached: true,
    maxBuffer: 1 << 24,
  } as Parameters<typeof spawnSync>[2]) as { status: number | null; stdout: Buffer; stderr: Buffer };
  if (status !== 0) throw new Error(`${script}: ${stderr}`);
  return stdout;
}

const SET_UP = `
exec 2>&1
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt -days 3650 -subj /CN=ca
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout other.key -out other.crt -days 3650 -subj /CN=other
openssl genrsa -out rsa.key 2048
openssl req -new -key ca.key -subj /CN=ca -out ca.csr
openssl pkey -in ca.key -pubout -out ca.pub
openssl ec -in ca.key -out sec1.key
openssl pkey -in ca.key -aes256 -passout pass:secret -out encrypted.key
openssl pkcs12 -export -inkey ca.key -in ca.crt -name ca -passout pass:secret -out ca.p12
openssl crl2pkcs7 -nocrl -certfile ca.crt -out ca.p7b
openssl x509 -in ca.crt -trustout -addtrust clientAuth -out trusted.crt
touch index.txt
printf '[ca]\\ndefault_ca=d\\n[d]\\ndatabase=index.txt\\ndefault_md=sha256\\n' > ca.cnf
openssl ca -config ca.cnf -gencrl -crldays 30 -keyfile ca.key -cert ca.crt -out ca.crl
`;
