/**
 * Ways to misbehave that work on every protocol: a behaviour takes an honest machine and gives
 * back a dishonest one, for the simulator and for real processes alike.
 *
 * @packageDocumentation
 */
export * from './behaviour.ts';
export * from './behaviours.ts';
export { type Coalition, coalition, type Face } from './coalition.ts';
export * from './collude.ts';
export * from './hold-back.ts';
export * from './played.ts';
export * from './stage.ts';
export * from './trigger.ts';
