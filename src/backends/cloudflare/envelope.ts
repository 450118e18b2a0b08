import { readable } from '../../foreign-text.ts';
import type { JsonAnswer } from '../http/json.ts';
import { membersOf } from '../http/json-members.ts';

/** One of the errors of an answer: Cloudflare's number for it, and its words. */
export interface ApiProblem {
  readonly code: number;
  readonly message: string;
}

const MOST_PROBLEMS = 5;
const LONGEST_MESSAGE = 300;

/** Whether an answer has the member that every answer of Cloudflare's API v4 has. */
export function isOfCloudflare({ body }: Pick<JsonAnswer, 'body'>): boolean {
  return typeof membersOf(body).success === 'boolean';
}

/** The errors of an answer, with those that explain them (`error_chain`) behind. */
export function problemsIn(body: unknown): readonly ApiProblem[] {
  const { errors } = membersOf(body);
  const list = Array.isArray(errors) ? errors.slice(0, MOST_PROBLEMS) : [];
  return list.flatMap((each) => {
    const { error_chain: chain } = membersOf(each);
    const deeper = Array.isArray(chain) ? chain.slice(0, MOST_PROBLEMS) : [];
    return [each, ...deeper].map(problemOf);
  });
}

function problemOf(value: unknown): ApiProblem {
  const { code, message } = membersOf(value);
  return {
    code: Number.isSafeInteger(code) ? Number(code) : 0,
    message: typeof message === 'string' ? readable(message, LONGEST_MESSAGE) : '',
  };
}

/** `10000 Authentication error; …`; empty where an answer names no error. */
export function problemText(problems: readonly ApiProblem[]): string {
  return problems.map(({ code, message }) => `${code} ${message}`.trim()).join('; ');
}
