import { decode, encode, type Field, integer } from '@quorumlab/core';
import type { Kind } from './golden.ts';

/** A value that a schema describes. */
export const ofField = <T>(field: Field<T>): Kind<T> => ({
  sample: field.sample,
  encode: (value) => encode(field, value),
  decode: (coded) => decode(field, coded),
});

/** Numbers of four bytes each. */
export const words: Field<number> = integer(2 ** 32 - 1);
