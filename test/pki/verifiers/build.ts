import { join } from 'node:path';
import { type Command, type Compiled, cProgram, ensureCompiled, goProgram } from '../../programs/compiled.ts';

export type JudgeName = 'openssl' | 'go' | 'java';

const folderOf = (name: JudgeName) => join(import.meta.dirname, name);

const JAVA: Compiled = {
  name: 'judge-java',
  folder: folderOf('java'),
  sources: '*.java',
  build: (source, out) => [['javac', '-Xlint:all', '-Werror', '-d', out, `${source}/Judge.java`]],
  // The serial collector and the first compiler alone: the other ones take a processor from the tests beside it.
  run: (out) => ['java', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto', '-cp', out, 'Judge'],
  prove: (out) => ['java', '-cp', out, 'Judge', 'version'],
  compiler: ['javac', '--version'],
  remedy:
    'a JDK of version 17 or newer is needed as `java` and `javac` on the PATH: apt-get install default-jdk-headless',
};

const PROGRAMS: Readonly<Record<JudgeName, Compiled>> = {
  openssl: cProgram('judge-openssl', folderOf('openssl'), ['judge.c']),
  go: goProgram('judge-go', folderOf('go')),
  java: JAVA,
};

export const JUDGES = Object.keys(PROGRAMS) as readonly JudgeName[];

/** How to start a judge; see `ensureCompiled`. */
export function ensureJudge(name: JudgeName): Promise<Command> {
  return ensureCompiled(PROGRAMS[name]);
}
