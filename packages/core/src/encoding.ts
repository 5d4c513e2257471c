/** Values as bytes and back, by their schemas. */
import { reader, SchemaError, type Writer, writeBytes, writer, written } from './bytes.ts';
import { scratchBytes } from './limits.ts';
import type { Field } from './schema.ts';

let scratch = writer(4096);
let busy = false;

/** The canonical bytes of `value`. Throws {@link SchemaError} if it breaks a limit. */
export const encode = <T>(field: Field<T>, value: T): Uint8Array =>
  whileEncoded(field, value, written);

/**
 * What `use` makes of the canonical bytes of `value`, with `before` in front of them: `to` is
 * written to again after that, so nobody may keep them. For what is looked at once, as by a hash.
 * Throws {@link SchemaError} if `value` breaks a limit.
 */
export function whileEncoded<T, R>(
  field: Field<T>,
  value: T,
  use: (to: Writer) => R,
  before?: Uint8Array,
): R {
  const to = busy ? writer() : scratch;
  const outermost = !busy;
  busy = true;
  to.length = 0;
  try {
    if (before !== undefined) writeBytes(to, before);
    field.write(to, value);
    return use(to);
  } finally {
    if (outermost) {
      busy = false;
      if (to.bytes.length > scratchBytes) scratch = writer(4096);
    }
  }
}

/** The value of `bytes`, all of them. Throws {@link SchemaError} unless they are its encoding. */
export function decode<T>(field: Field<T>, bytes: Uint8Array): T {
  if (bytes.length > field.maxBytes)
    throw new SchemaError(`${bytes.length} bytes, but ${field.type} has at most ${field.maxBytes}`);
  const from = reader(bytes);
  const value = field.read(from);
  if (from.at !== from.end) throw new SchemaError(`${from.end - from.at} bytes are left over`);
  return value;
}
