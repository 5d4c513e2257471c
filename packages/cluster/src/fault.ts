import { paths, readConfig, requireNode } from './config.ts';
import { askNode } from './control-client.ts';

/**
 * Tells node `node` of a running cluster to misbehave by the harness's attack called `attack`, or
 * with 'none' to behave again; it counts as a traitor for good. Throws {@link ClusterError} if the
 * cluster was made without faults, and `ScenarioError` with near names for an unknown attack.
 */
export async function faultNode(folder: string, node: number, attack: string): Promise<void> {
  const config = await readConfig(folder);
  requireNode(config, node);
  await askNode(paths.node(folder, node), 'fault', { attack });
}
