/** Everything that can be wrong with what was asked for, by its stable code. */

/** What each code means. `docs/errors.md` has the same table, and a test compares them. */
export const errorCodes: Readonly<Record<string, string>> = {
  QL100: 'An option or argument is unknown, missing, empty, given twice, or contradicts another.',
  QL101: 'There is no protocol, attack, workload, mutant, word, list, lesson or answer so named.',
  QL102: 'A flag takes a whole number within bounds.',
  QL103: '`--by` names a node that there is not, names one twice, or has nothing to act on.',
  QL104: 'n is too small for f.',
  QL105: 'A time, `--crash` or `--split` is not written as such, or ends before it begins.',
  QL106: '`--clock` or the settings of `--net` are not written as such.',
  QL107: 'A line of a workload file is no operation.',
  QL108: 'A file or folder cannot be read or written; the sentence says which and why.',
  QL109: 'A fault (`--crash`, `--split`) names a node that there is not.',
  QL110: 'Real processes need the package `@quorumlab/cluster`, which is not installed.',
  QL111: '`node` was not told which cluster.',
  QL112: '`cluster init` was not told which protocol.',
  QL113: 'The folder holds another cluster than the flags describe.',
  QL114: "An option of the protocol's own is unknown or cannot have that value.",
  QL115: 'The attack takes more traitors than there are.',
  QL116: 'A protocol commits nothing, so that there is no cost to measure.',
  QL117: 'A name stands twice where each can stand once.',
  QL118: 'Nothing goes wrong in the trace, so there is nothing to shrink.',
  QL119: 'The demo shows two protocols, no more and no fewer.',
  QL120: 'A cluster cannot do what was asked.',
  QL121: "A node's process ended instead of starting.",
  QL122: 'A node, client or group is not configured as it can be.',
  QL123: 'A key file is not there, is none, or can be read by others.',
  QL124: 'The folder of a node is in use by another process.',
  QL125: 'The durable log of a node is damaged, or the disk has failed or is full.',
  QL126: 'Quorums do not meet, or a protocol cannot run with these options.',
  QL127: 'Bytes or JSON are not what their schema says: a proof, a value, a message.',
  QL128: 'A file is no trace, proof or history, or a trace is of another version.',
  QL129: 'The command was stopped by a signal before it had ended.',
  QL130: 'A module of your own cannot be loaded, or brings nothing that can be used.',
  QL199: 'An error inside quorumlab: please report it.',
};

/** Codes of errors that packages throw by name; the longest name that fits the beginning counts. */
const byName: readonly (readonly [beginning: string, code: string])[] = [
  ['ClusterNodeError', 'QL121'],
  ['Cluster', 'QL120'],
  ['Key', 'QL123'],
  ['FolderLocked', 'QL124'],
  ['DamagedLog', 'QL125'],
  ['DiskFailed', 'QL125'],
  ['DiskFull', 'QL125'],
  ['MissingLog', 'QL125'],
  ['LogLimit', 'QL125'],
  ['Config', 'QL122'],
  ['NodeConfig', 'QL122'],
  ['Node', 'QL122'],
  ['Mesh', 'QL122'],
  ['Options', 'QL126'],
  ['Quorum', 'QL126'],
  ['Proof', 'QL127'],
  ['Schema', 'QL127'],
  ['Result', 'QL127'],
  ['Trace', 'QL128'],
];

/** The code of an error with this name, if its sentence teaches: bad input, and no bug of ours. */
export function codeOfName(name: string): string | undefined {
  if (!name.endsWith('Error')) return undefined;
  return byName.find(([beginning]) => name.startsWith(beginning))?.[1];
}
