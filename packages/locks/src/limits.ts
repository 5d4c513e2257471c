/** How much a lock service holds: what clients can fill has a cap, each client's share too. */

/** Most bytes of a name, in UTF-8. */
export const maxNameBytes = 256;
/** Most bytes of a small file. */
export const maxContentBytes = 16_384;
/** Most sessions at a time, and of one client. */
export const maxSessions = 4096;
/** Most sessions of one client. */
export const maxSessionsPerClient = 64;
/** Most names that one session holds, waits for or watches. */
export const maxNamesPerSession = 256;
/** Most names at a time, those included whose lock-delay runs although nobody has them any more. */
export const maxFiles = 32_768;
/** Most bytes of all files and of what sessions have to do with them: see {@link linkBytes}. */
export const maxStateBytes: number = 16 * 1_048_576;
/** Of this, most of what one client has caused. */
export const maxBytesPerClient = 1_048_576;
/** Most keepers of time. */
export const maxKeepers = 1024;
/** Most events that one answer carries. The others come with the next. */
export const maxEventsPerAnswer = 128;

/** What a file costs beside its name and its content. */
export const fileBytes = 128;
/** What it costs that a session holds, awaits or watches a name, its events included. */
export const linkBytes = 1024;
