import { SECRETS } from '../api/names.ts';
import { CA_KEY, type KindOfTarget } from './kind.ts';

export const SECRET: KindOfTarget = {
  kind: 'Secret',
  resource: SECRETS,
  right: 'secrets',
  read: ({ data }) => {
    const text = data?.[CA_KEY];
    return text === undefined ? undefined : Buffer.from(text, 'base64').toString('utf8');
  },
  readFile: ({ data }, name) => data?.[name],
  write: ({ pem, files }) => ({ type: 'Opaque', data: { [CA_KEY]: Buffer.from(pem).toString('base64'), ...files } }),
};
