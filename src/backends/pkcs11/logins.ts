const last = new Map<string, Promise<unknown>>();

/**
 * Logins to one token, of all authorities, one after the other: of several with the same wrong PIN, as after a start of the
 * controller, the first alone tries it. `identity` is that of Token.identity.
 */
export async function loginInTurn<T>(identity: string, login: () => Promise<T>): Promise<T> {
  const turn = (last.get(identity) ?? Promise.resolve()).then(login);
  const over = turn.then(
    () => {},
    () => {},
  );
  last.set(identity, over);
  try {
    return await turn;
  } finally {
    if (last.get(identity) === over) last.delete(identity);
  }
}
