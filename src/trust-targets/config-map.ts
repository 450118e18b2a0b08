import { CONFIG_MAPS } from '../api/names.ts';
import { CA_KEY, type KindOfTarget } from './kind.ts';

export const CONFIG_MAP: KindOfTarget = {
  kind: 'ConfigMap',
  resource: CONFIG_MAPS,
  right: 'configMaps',
  read: ({ data }) => data?.[CA_KEY],
  write: (pem) => ({ data: { [CA_KEY]: pem } }),
};
