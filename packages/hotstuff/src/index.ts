/**
 * HotStuff (Yin et al. 2019), HotStuff-2 and Jolteon.
 *
 * @packageDocumentation
 */
export {};
