import { ensureProgram } from '../programs/programs.ts';

/** The versions of Kubernetes that are tested besides the newest. */
export type OlderVersion = '1.31' | '1.34';

/** The path of that version's kube-apiserver, which is built where it isn't there yet. */
export function apiServerOf(version: OlderVersion): Promise<string> {
  return ensureProgram(`kube-apiserver-${version}`);
}
