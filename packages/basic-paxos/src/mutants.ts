/**
 * Wrong variants by name.
 *
 * @packageDocumentation
 */
export {};
