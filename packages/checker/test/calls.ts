/** Calls of a store of short values. */
import { type Call, type KeyValueInput, type KeyValueOutput, keyValueModel } from '../src/index.ts';

export type KeyValueCall = Call<KeyValueInput, KeyValueOutput>;
export const store = keyValueModel(null, 2);
export const put = (
  key: string,
  value: string,
  from: number,
  to: number | undefined,
): KeyValueCall => ({
  process: from,
  invokedAt: from,
  returnedAt: to,
  input: { kind: 'put', key, value },
  output: undefined,
});
export const get = (key: string, value: string | null, from: number, to: number): KeyValueCall => ({
  process: from,
  invokedAt: from,
  returnedAt: to,
  input: { kind: 'get', key },
  output: value,
});
