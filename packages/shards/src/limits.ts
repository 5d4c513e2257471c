/** How much a shard holds and is told at once: what clients can fill has a cap. */

/** Most bytes of a key, in UTF-8. */
export const maxKeyBytes = 256;
/** Most bytes of a value. */
export const maxValueBytes = 8192;
/** Most keys that a transaction touches in one group. */
export const maxKeys = 64;
/** Most bytes that a transaction writes in one group, or that one answer carries. */
export const maxBytesAtOnce = 49_152;
/** Most groups that a transaction touches. */
export const maxGroups = 64;
/** Most transactions of a group at a time, of whatever stage. */
export const maxTransactions = 1024;
/** Most versions of all keys together. */
export const maxVersions = 262_144;
/** Most bytes of all versions together, and of what has prepared. */
export const maxStateBytes: number = 32 * 1_048_576;
/** Most ranges of a group, and most that it remembers to have moved: one answer has them all. */
export const maxRanges = 48;
/** Most transactions that a keeper is told of, or stamps, at once. */
export const maxWork = 64;
/** Most keepers of a group. */
export const maxKeepers = 64;
