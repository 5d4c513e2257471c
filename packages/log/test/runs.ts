/** How often a test draws by chance. */
import fc from 'fast-check';

/** `many` times, or as much less often as fast-check is told to draw where nothing else is said. */
export const runs = (many: number): number =>
  Math.ceil((many * (fc.readConfigureGlobal().numRuns ?? 100)) / 100);
