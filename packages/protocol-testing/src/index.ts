/**
 * What the tests of the protocol packages share: groups and networks in which the test decides
 * everything, and random schedules for them.
 *
 * @packageDocumentation
 */

export * from './byzantine-network.ts';
export { chaos, known, treasons, wrongIn } from './byzantine-schedule.ts';
export * from './commands.ts';
export * from './crash-group.ts';
export { CrashTranscript, type Words } from './crash-transcript.ts';
export { digestOfText, testDigest } from './digest.ts';
export * from './kept.ts';
export { askedIn } from './questions.ts';
export * from './random.ts';
export { changeRequestOf, requestOf, requestOfMany, sessionRequestOf } from './requests.ts';
export * from './run-length.ts';
export * from './schedule.ts';
export * from './scripted-host.ts';
export { Sheet } from './sheet.ts';
export * from './told.ts';
export { type Names, Transcript } from './transcript.ts';
