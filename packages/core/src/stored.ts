import type { Write } from './machine.ts';
import type { Shape } from './protocol.ts';

/** What is on `disk` once `write` is durable; `disk` itself stays as it is. */
export function stored<S extends Shape>(disk: S['Stable'], write: Write<S>): S['Stable'] {
  if (write.type === 'save') return { ...disk, ...write.registers };
  const rows = new Map(disk[write.table] as ReadonlyMap<number, unknown>);
  if (write.type === 'put') rows.set(write.index, write.row);
  else
    for (const index of rows.keys())
      if ('from' in write.rows ? index >= write.rows.from : index < write.rows.below)
        rows.delete(index);
  return { ...disk, [write.table]: rows };
}
