export interface RecordLogCase {
  readonly name: string;
  readonly run: () => Promise<void>;
}
export declare const testRecordLog: unknown;
