import { paths, readConfig } from './config.ts';
import { askNode } from './control-client.ts';
import { ClusterError } from './errors.ts';

/**
 * Tells node `node` of a running cluster to misbehave by the harness's attack called `attack`, or
 * with 'none' to behave again; it counts as a traitor for good. Throws {@link ClusterError} if the
 * cluster was made without faults, and `ScenarioError` with near names for an unknown attack.
 */
export async function faultNode(folder: string, node: number, attack: string): Promise<void> {
  const config = await readConfig(folder);
  if (!(Number.isSafeInteger(node) && node >= 0 && node < config.n))
    throw new ClusterError(`The nodes are n0 to n${config.n - 1}, and n${node} is none of them.`);
  await askNode(paths.node(folder, node), 'fault', { attack });
}
