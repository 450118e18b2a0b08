import { CONFIG_MAPS } from '../api/names.ts';
import { CA_KEY, type KindOfTarget } from './kind.ts';

export const CONFIG_MAP: KindOfTarget = {
  kind: 'ConfigMap',
  resource: CONFIG_MAPS,
  right: 'configMaps',
  read: ({ data }) => data?.[CA_KEY],
  readFile: ({ data, binaryData }, name) => {
    const text = data?.[name];
    return text === undefined ? binaryData?.[name] : Buffer.from(text).toString('base64');
  },
  write: ({ pem, files, texts = [] }) => {
    const isText = ([name]: readonly [string, string]) => texts.includes(name);
    const all = Object.entries(files);
    const decoded = all.filter(isText).map(([name, text]) => [name, Buffer.from(text, 'base64').toString()]);
    const binary = all.filter((each) => !isText(each));
    return {
      data: { [CA_KEY]: pem, ...Object.fromEntries(decoded) },
      ...(binary.length === 0 ? {} : { binaryData: Object.fromEntries(binary) }),
    };
  },
};
