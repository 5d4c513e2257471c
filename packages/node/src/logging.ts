import { type Bindings, type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';

export type { Logger } from 'pino';

/** Fields whose value is a secret wherever they turn up in the first levels of a log record. */
const SECRET_FIELDS: readonly string[] = [
  'secretKey',
  'privateKey',
  'secret',
  'seed',
  'password',
  'token',
];

/** How a process logs. */
export interface LoggingOptions {
  /** The least severe level that is written; `info` unless given, `silent` for none. */
  readonly level?: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  /** Where lines go; standard output unless given. */
  readonly destination?: DestinationStream;
}

/**
 * A pino logger that writes one JSON object a line. Two rules keep keys out of the logs: fields
 * with the name of a secret are replaced by `[redacted]`, and raw bytes are never written at all,
 * only their number, so what should be readable (a digest, a public key) is logged as hex text.
 */
export function createLogger(options: LoggingOptions = {}): Logger {
  const settings: LoggerOptions = {
    level: options.level ?? 'info',
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: {
      level: (label) => ({ level: label }),
      log: (record) => withoutSecrets(record, 0) as Record<string, unknown>,
    },
  };
  const logger =
    options.destination === undefined ? pino(settings) : pino(settings, options.destination);
  // pino does not pass the fields of child loggers through its formatters. Children inherit this
  // method from their parent, hence `this`.
  const child = logger.child;
  const cleanChild = function (this: Logger, fields: Bindings, ...rest: unknown[]): Logger {
    return Reflect.apply(child, this, [withoutSecrets(fields, 0), ...rest]);
  };
  Object.defineProperty(logger, 'child', { value: cleanChild });
  return logger;
}

/** Who writes a log. */
export interface NodeName {
  /** The number of the replica or client. */
  readonly node: number;
  readonly role: 'replica' | 'client';
  readonly cluster: string;
  /** Left out: what writes it serves several groups. */
  readonly group?: string;
  /** The name of the protocol. */
  readonly protocol?: string;
}

/** The logger of one node: every line says whose it is, also among those of other nodes. */
export function nodeLogger(parent: Logger, name: NodeName): Logger {
  const { node, role, cluster, group, protocol } = name;
  const about = group === undefined ? {} : { group, protocol };
  return parent.child({ node, role, cluster, ...about });
}

/** How deep a record is searched; what lies deeper is written as `[deep]`. */
const MAX_DEPTH = 6;

function withoutSecrets(value: unknown, depth: number): unknown {
  if (value === null || typeof value !== 'object') {
    return typeof value === 'bigint' ? value.toString() : value;
  }
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  // Errors have their own serialiser in pino, which writes type, message and stack.
  if (value instanceof Error) return value;
  if (depth >= MAX_DEPTH) return '[deep]';
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, depth + 1));
  const copy: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    copy[key] = SECRET_FIELDS.includes(key) ? '[redacted]' : withoutSecrets(item, depth + 1);
  }
  return copy;
}
