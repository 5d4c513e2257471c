/** Lines that run in schedules: worlds seldom lock one replica on what others do not know. */
import { playExhibit, type RequestShape } from '@quorumlab/adversary';
import { type Exhibit, type Protocol, toUtf8 } from '@quorumlab/core';
import { protocolOf } from '@quorumlab/harness';
import type { LogShape } from '@quorumlab/log';
import { digestOf } from '@quorumlab/wire';

type Shape = LogShape & RequestShape;

/** The lines of the right protocol under the schedules of these mutants. */
export function linesUnder(name: string, mutants: readonly string[]): readonly string[] {
  const lines = new Set<string>();
  for (const mutant of mutants) {
    const exposure = protocolOf(name).exhibit(mutant);
    if (exposure === undefined) throw new Error(`${mutant} has no schedule`);
    // A schedule is about the messages of its own protocol, whatever its shape.
    const exhibit = exposure.exhibit as Exhibit<Shape>;
    playExhibit<Shape>(exhibit, exposure.right as Protocol<Shape>, {
      digest: digestOf,
      operation: toUtf8,
      watch: {
        stepped(_at, _member, output) {
          for (const id of output.lines) lines.add(id);
        },
      },
    });
  }
  return [...lines];
}
