import { CONFIG_MAPS } from '../api/names.ts';
import { CA_KEY, type KindOfTarget } from './kind.ts';

export const CONFIG_MAP: KindOfTarget = {
  kind: 'ConfigMap',
  resource: CONFIG_MAPS,
  right: 'configMaps',
  read: ({ data }) => data?.[CA_KEY],
  readFile: ({ binaryData }, name) => binaryData?.[name],
  write: ({ pem, files }) => ({
    data: { [CA_KEY]: pem },
    ...(Object.keys(files).length === 0 ? {} : { binaryData: files }),
  }),
};
