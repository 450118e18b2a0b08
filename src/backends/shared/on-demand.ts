import type { Backend } from '../backend.ts';

/** The optional parts of a Backend that wait for its code as well. */
export interface OnDemandAbilities {
  readonly revoke?: boolean;
  readonly forget?: boolean;
  readonly renewalInfo?: boolean;
  readonly choosesCA?: boolean;
  readonly signWith?: boolean;
  readonly close?: boolean;
}

/**
 * A backend whose code is loaded when it is first asked something: an SDK then costs memory and start only where such an
 * authority exists. `load` imports the code and makes the backend; what it throws, each caller gets, and the next one
 * tries again.
 */
export function loadedOnDemand(
  load: () => Promise<Backend>,
  { revoke, forget, renewalInfo, choosesCA, signWith, close }: OnDemandAbilities = {},
): Backend {
  let loading: Promise<Backend> | undefined;
  let verified: Backend['verified'];
  let warning: Backend['warning'];
  const loadNow = async () => {
    try {
      const backend = await load();
      verified = backend.verified;
      warning = backend.warning;
      return backend;
    } catch (error) {
      loading = undefined;
      throw error;
    }
  };
  const loaded = () => {
    loading ??= loadNow();
    return loading;
  };
  return {
    // By default what `readiness` says of every authority.
    verified: () => (typeof verified === 'function' ? verified() : (verified ?? 'reachable, credentials accepted')),
    warning: () => warning?.(),
    check: async (signal) => (await loaded()).check(signal),
    trust: async (signal) => (await loaded()).trust(signal),
    issue: async (request, signal) => (await loaded()).issue(request, signal),
    ...(revoke === true && {
      revoke: async (...asked: Parameters<NonNullable<Backend['revoke']>>) => (await loaded()).revoke?.(...asked),
    }),
    ...(renewalInfo === true && {
      renewalInfo: async (...asked: Parameters<NonNullable<Backend['renewalInfo']>>) =>
        (await loaded()).renewalInfo?.(...asked),
    }),
    ...(choosesCA === true && {
      choosesCA,
      tryToSign: async (...asked: Parameters<NonNullable<Backend['tryToSign']>>) =>
        (await loaded()).tryToSign?.(...asked),
    }),
    ...(signWith === true && {
      signWith: async (...asked: Parameters<NonNullable<Backend['signWith']>>) => {
        const { signWith: sign } = await loaded();
        if (sign === undefined) throw new Error('a backend without signWith');
        return sign(...asked);
      },
    }),
    ...(close === true && {
      // Code that was never loaded has started nothing; of a load that fails, those who asked hear.
      close: () => void loading?.then((backend) => backend.close?.()).catch(() => {}),
    }),
    ...(forget === true && {
      forget: async (...asked: Parameters<NonNullable<Backend['forget']>>) => (await loaded()).forget?.(...asked),
    }),
  };
}
