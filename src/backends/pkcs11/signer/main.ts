/**
 * The signer process: `node main.ts <folder of pkcs11js> <PKCS#11 library>`. It loads native code of a vendor, so it is
 * apart from the controller, which asks it over the IPC channel and ends it when it doesn't answer.
 */
import { createRequire } from 'node:module';
import type { SignerAnswer, SignerFailure, SignerRequest } from '../messages.ts';
import type { Cryptoki } from './cryptoki.ts';
import { Token, TokenFailure } from './token.ts';

const [addon = '', library = ''] = process.argv.slice(2);
let token: Token | undefined;

process.on('message', (request: SignerRequest) => {
  process.send?.(answerOf(request));
});
// Without the controller there is nothing to sign for.
process.once('disconnect', () => process.exit(0));

function answerOf(request: SignerRequest): SignerAnswer {
  const { id } = request;
  try {
    token ??= new Token(loaded());
    if (request.pin === undefined) return { id, identity: token.identity(request) };
    const { input } = request;
    if (input === undefined) return { id, found: token.find(request) };
    return { id, signature: token.sign(request, input) };
  } catch (error) {
    return { id, failure: failureOf(error) };
  }
}

function loaded(): Cryptoki {
  const cryptoki = made();
  try {
    cryptoki.load(library);
  } catch {
    throw new TokenFailure('NoModule');
  }
  cryptoki.C_Initialize();
  return cryptoki;
}

function made(): Cryptoki {
  try {
    const { PKCS11 } = createRequire(import.meta.url)(addon);
    return new PKCS11();
  } catch {
    throw new TokenFailure('NoAddon');
  }
}

/** Names alone: the text of an error of native code may quote anything. */
function failureOf(error: unknown): SignerFailure {
  if (error instanceof TokenFailure) return { code: error.failure, during: '' };
  const { message = '', method = '' } = (error ?? {}) as { message?: string; method?: string };
  return { code: /CKR_[A-Z0-9_]+/.exec(message)?.[0] ?? 'Unknown', during: /^C_\w+$/.exec(method)?.[0] ?? '' };
}
